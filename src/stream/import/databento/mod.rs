//! Databento: DBN files and streams of versions 1 to 3.
//!
//! `mbo` becomes `mbo` records, and trades in it `trade` records as well; `mbp-1`, `tbbo` and `bbo`
//! become quotes, `mbp-10` depth snapshots of ten levels. Prices are billionths and stay at nine
//! decimals unless `--px-scale` narrows them. Kinds without a place here are left out with a count.

mod records;
mod symbols;

use std::io::Read;
use std::sync::Arc;

use dbn::decode::dbn::fsm::{DbnFsm, ProcessResult};
use qt_model::record::{Batch, Source};

use super::{About, Hints, ImportInput, Imported, Importer, Likeness, Look, Sorted};
use crate::contain::contained;
use crate::error::ReadError;
use crate::lines::read_some;
use crate::place::{At, Place};
use crate::read::Options;
use records::Records;

#[derive(Debug)]
pub(super) struct Databento;

static ABOUT: About = About {
    name: "databento",
    what: "Databento DBN, versions 1 to 3: mbo, trades, mbp-1, mbp-10, tbbo, bbo, ohlcv, definition, status",
    example: "qt record import glbx-mdp3-20240508.mbo.dbn.zst",
};

/// Longer metadata names more symbols than any exchange lists.
const METADATA_LIMIT: u32 = 256 << 20;

/// Three letters, a version, and the length of the metadata.
const PRELUDE: usize = 8;

impl Importer for Databento {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn recognise(&self, look: &Look<'_>) -> Likeness {
        match look.start {
            [b'D', b'B', b'N', 1..=3, ..] => Likeness::Certain,
            [b'D', b'B', b'N', ..] => Likeness::Likely,
            _ => Likeness::No,
        }
    }

    fn open(
        &self,
        input: ImportInput,
        hints: &Hints,
        options: &Options,
    ) -> Result<Imported, ReadError> {
        let name = Arc::clone(&input.name);
        let frames = Frames::open(input, hints, options)?;
        Ok(Box::new(Sorted::new(Box::new(frames), &name, options.tolerance.clone())))
    }
}

/// Records as they lie in a file.
struct Frames {
    name: Arc<str>,
    bytes: Box<dyn Read + Send>,
    fsm: DbnFsm,
    /// Bytes given to the decoder so far.
    given: u64,
    is_over: bool,
    records: Records,
    batch_records: usize,
}

impl Frames {
    fn open(mut input: ImportInput, hints: &Hints, options: &Options) -> Result<Self, ReadError> {
        let name = Arc::clone(&input.name);
        let corrupt = |message: String| ReadError::Corrupt { place: Place::whole(&name), message };
        let cut = |message: &str| {
            let message = message.to_owned();
            ReadError::Truncated { place: Place::whole(&name), message }
        };
        let io = |source| ReadError::of_read(Place::whole(&name), source);
        let mut start = Vec::new();
        (&mut input.bytes).take(PRELUDE as u64).read_to_end(&mut start).map_err(io)?;
        let [b'D', b'B', b'N', version, length @ ..] = start.as_slice() else {
            let message = "not a DBN file: it does not begin with `DBN`".to_owned();
            return Err(ReadError::Unreadable { place: Place::whole(&name), message });
        };
        if !(1..=3).contains(version) {
            let message = format!("DBN version {version}; versions 1 to 3 can be read");
            return Err(ReadError::Unreadable { place: Place::whole(&name), message });
        }
        let length = <[u8; 4]>::try_from(length).map(u32::from_le_bytes);
        let length = length.map_err(|_| cut("the file ends before its metadata"))?;
        if length > METADATA_LIMIT {
            return Err(corrupt(format!("the metadata claims to be {length} bytes long")));
        }
        let read = (&mut input.bytes).take(u64::from(length)).read_to_end(&mut start);
        read.map_err(io)?;
        if start.len() < PRELUDE + length as usize {
            return Err(cut("the file ends within its metadata"));
        }
        let mut fsm = DbnFsm::builder().build().map_err(|error| corrupt(error.to_string()))?;
        let decoded = contained(|| {
            fsm.write_all(&start);
            fsm.process()
        });
        let metadata = match decoded.map_err(|panic| corrupt(format!("the metadata: {panic}")))? {
            ProcessResult::Metadata(metadata) => metadata,
            ProcessResult::Err(error) => return Err(corrupt(error.to_string())),
            ProcessResult::ReadMore(_) | ProcessResult::Record(()) => {
                return Err(corrupt("the metadata does not end where it says".to_owned()));
            }
        };
        let records = Records::new(&input, &metadata, hints, options)?;
        let given = start.len() as u64;
        let (bytes, batch_records) = (input.bytes, options.batch_records);
        Ok(Self { name, bytes, fsm, given, is_over: false, records, batch_records })
    }

    /// Where the decoder is.
    fn place(&self) -> Place {
        let at = self.given.saturating_sub(self.fsm.data().len() as u64);
        Place { input: Arc::clone(&self.name), at: At::Byte(at) }
    }

    /// Brings more records within reach; `false` at the end.
    fn advance(&mut self) -> Result<bool, ReadError> {
        loop {
            let fsm = &mut self.fsm;
            let result = contained(|| fsm.process_batch());
            let corrupt = |message| ReadError::Corrupt { place: self.place(), message };
            match result.map_err(corrupt)? {
                ProcessResult::Record(_) if self.fsm.has_buffered_record() => return Ok(true),
                ProcessResult::Err(error) => return Err(corrupt(error.to_string())),
                ProcessResult::ReadMore(_)
                | ProcessResult::Record(_)
                | ProcessResult::Metadata(_) => {}
            }
            let read = read_some(&mut self.bytes, self.fsm.space());
            let read = read.map_err(|source| ReadError::of_read(self.place(), source))?;
            self.fsm.fill(read);
            self.given += read as u64;
            if read == 0 {
                let left = self.fsm.data().len();
                if left > 0 {
                    let message = format!("the file ends {left} bytes into a record");
                    return Err(ReadError::Truncated { place: self.place(), message });
                }
                return Ok(false);
            }
        }
    }
}

impl Source for Frames {
    type Error = ReadError;

    fn next(&mut self, batch: &mut Batch) -> Result<bool, ReadError> {
        batch.clear();
        let filled = self.fill(batch);
        self.records.begin(batch);
        filled.map(|()| !batch.is_empty())
    }
}

impl Frames {
    /// Fills a batch as far as the file goes.
    fn fill(&mut self, batch: &mut Batch) -> Result<(), ReadError> {
        while !self.is_over && batch.len() < self.batch_records {
            while let Some(record) = self.fsm.next_buffered_record() {
                if let Err(problem) = self.records.add(record, batch) {
                    let at = At::Byte(self.given - self.fsm.data().len() as u64);
                    let place = Place { input: Arc::clone(&self.name), at };
                    self.records.judge(place, problem)?;
                }
                if batch.len() >= self.batch_records {
                    break;
                }
            }
            if batch.len() < self.batch_records && !self.advance()? {
                self.is_over = true;
                self.records.finish(batch);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;
    use crate::import::Notes;
    use crate::tolerance::Tolerance;

    /// A file of the third version with one record of that type and length, and nothing in it.
    fn file(rtype: u8, words: u8) -> Vec<u8> {
        let mut metadata = b"GLBX.MDP3\0\0\0\0\0\0\0".to_vec();
        metadata.extend([0; 2 + 8 + 8 + 8 + 3]);
        metadata.extend(71_u16.to_le_bytes());
        metadata.extend([0; 53 + 20]);
        let mut bytes = b"DBN\x03".to_vec();
        bytes.extend(u32::try_from(metadata.len()).unwrap().to_le_bytes());
        bytes.extend(metadata);
        bytes.extend([words, rtype, 1, 0]);
        bytes.resize(bytes.len() + usize::from(words) * 4 - 4, 0);
        bytes
    }

    fn read(bytes: Vec<u8>, options: &Options) -> Result<(), ReadError> {
        let input = ImportInput {
            name: "x.dbn".into(),
            path: None,
            bytes: Box::new(Cursor::new(bytes)),
            notes: Notes::default(),
            is_packed: false,
        };
        let mut source = Databento.open(input, &Hints::default(), options)?;
        let mut batch = Batch::default();
        while source.next(&mut batch)? {}
        Ok(())
    }

    #[test]
    fn a_record_shorter_than_its_type_is_refused_with_its_place() {
        use dbn::enums::rtype;
        let all = [
            rtype::MBO,
            rtype::MBP_0,
            rtype::MBP_1,
            rtype::MBP_10,
            rtype::BBO_1S,
            rtype::OHLCV_1M,
            rtype::STATUS,
            rtype::INSTRUMENT_DEF,
            rtype::SYMBOL_MAPPING,
        ];
        for rtype in all {
            let said = read(file(rtype, 5), &Options::default()).unwrap_err().to_string();
            let expected = format!("a record of type {rtype} is 20 bytes long");
            assert!(said.starts_with("x.dbn: byte ") && said.contains(&expected), "{said}");
            let tolerance = Tolerance::skip();
            let options = Options { tolerance: tolerance.clone(), ..Options::default() };
            assert!(read(file(rtype, 5), &options).is_ok());
            assert_eq!(tolerance.skipped(), 1, "type {rtype}");
        }
    }
}
