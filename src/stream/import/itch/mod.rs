//! ITCH 5.0: the order feed of Nasdaq, in files of messages behind their lengths.
//!
//! Orders become `mbo` records, executions trades as well, the directory `instrument` records and
//! trading actions `status` records; a cross is a trade within an auction. Times are nanoseconds after midnight in New York, and the day
//! stands in the name of the file. Live orders are kept in memory, since most messages name only
//! their number; a market has millions of them at most.

mod crosses;
mod orders;
mod records;
#[cfg(test)]
mod tests;
mod wire;

use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use qt_model::record::{Batch, Source};
use qt_model::time::Date;

use super::{About, Hints, ImportInput, Imported, Importer, Likeness, Look, Sorted};
use crate::error::ReadError;
use crate::lines::read_some;
use crate::place::{At, Place};
use crate::read::Options;
use records::Records;

#[derive(Debug)]
pub(super) struct Itch;

static ABOUT: About = About {
    name: "itch",
    what: "Nasdaq TotalView ITCH 5.0",
    example: "qt record import 01302019.NASDAQ_ITCH50.gz",
};

/// How many messages in a row have to have the length that their type asks for.
const ENOUGH: usize = 3;

impl Importer for Itch {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn recognise(&self, look: &Look<'_>) -> Likeness {
        let mut rest = look.start;
        let mut seen = 0;
        while seen < ENOUGH {
            match wire::frame(rest) {
                wire::Frame::Message { whole, .. } => rest = &rest[whole..],
                // A short file may end before enough of it was seen.
                wire::Frame::More if seen > 0 => break,
                wire::Frame::More | wire::Frame::Wrong { .. } => return Likeness::No,
            }
            seen += 1;
        }
        if seen == ENOUGH { Likeness::Certain } else { Likeness::Likely }
    }

    fn open(
        &self,
        input: ImportInput,
        hints: &Hints,
        options: &Options,
    ) -> Result<Imported, ReadError> {
        let name = Arc::clone(&input.name);
        let unreadable =
            |message: String| ReadError::Unreadable { place: Place::whole(&name), message };
        let date =
            hints.date.or_else(|| input.path.as_deref().and_then(day_of)).ok_or_else(|| {
                unreadable(
                    "times are of the day only, and no name of a file says which; pass --date"
                        .to_owned(),
                )
            })?;
        let records = Records::new(date, hints, options, input.notes.clone())
            .map_err(|problem| unreadable(problem.to_string()))?;
        let source = Messages {
            name: Arc::clone(&name),
            bytes: input.bytes,
            buffer: vec![0; 1 << 18],
            start: 0,
            end: 0,
            passed: 0,
            is_over: false,
            has_no_lengths: false,
            records,
            options: options.clone(),
        };
        Ok(Box::new(Sorted::new(Box::new(source), &name, options.tolerance.clone())))
    }
}

/// The day in the name of a file: `01302019.NASDAQ_ITCH50`, `S013019-v50.txt`, `ex20101224.…`.
fn day_of(path: &Path) -> Option<Date> {
    let name = path.file_name()?.to_string_lossy().into_owned();
    let runs = name.split(|letter: char| !letter.is_ascii_digit());
    let number = |text: &str| text.parse::<u32>().ok();
    for run in runs {
        let found = match run.len() {
            8 => {
                Date::new(number(&run[..4])?.cast_signed(), number(&run[4..6])?, number(&run[6..])?)
                    .or_else(|| {
                        let year = number(&run[4..])?.cast_signed();
                        Date::new(year, number(&run[..2])?, number(&run[2..4])?)
                    })
            }
            6 => {
                let year = 2000 + number(&run[4..])?.cast_signed();
                Date::new(year, number(&run[..2])?, number(&run[2..4])?)
            }
            _ => None,
        };
        if found.is_some() {
            return found;
        }
    }
    None
}

/// Messages as they lie in a file.
struct Messages {
    name: Arc<str>,
    bytes: Box<dyn Read + Send>,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    /// Bytes before `start`.
    passed: u64,
    is_over: bool,
    has_no_lengths: bool,
    records: Records,
    options: Options,
}

impl Messages {
    fn place(&self) -> Place {
        Place { input: Arc::clone(&self.name), at: At::Byte(self.passed) }
    }

    fn read_more(&mut self) -> Result<bool, ReadError> {
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        let read = read_some(&mut self.bytes, &mut self.buffer[self.end..]);
        let read = read.map_err(|source| ReadError::of_read(self.place(), source))?;
        self.end += read;
        Ok(read > 0)
    }

    /// Reads a message; `false` at the end.
    fn step(&mut self, batch: &mut Batch) -> Result<bool, ReadError> {
        loop {
            let rest = &self.buffer[self.start..self.end];
            match wire::frame(rest) {
                wire::Frame::Message { body, whole, is_counted } => {
                    if !is_counted && !self.has_no_lengths {
                        self.has_no_lengths = true;
                        let note =
                            "lengths of messages are zero; their types say how long they are";
                        self.records.note(note);
                    }
                    let made = self.records.add(&rest[body..whole], batch);
                    let place = self.place();
                    self.start += whole;
                    self.passed += whole as u64;
                    if let Err(problem) = made {
                        let problem = Box::new(problem);
                        let error = ReadError::Record { place, problem, text: None };
                        self.options.tolerance.judge(error)?;
                    }
                    return Ok(true);
                }
                wire::Frame::More => {
                    if !self.read_more()? {
                        let rest = &self.buffer[self.start..self.end];
                        let left = rest.len();
                        // A length of zero with nothing behind it ends a session.
                        if matches!(rest, [] | [0, 0]) || self.options.allow_truncated {
                            return Ok(false);
                        }
                        let message = format!("the file ends {left} bytes into a message");
                        return Err(ReadError::Truncated { place: self.place(), message });
                    }
                }
                wire::Frame::Wrong { message } => {
                    return Err(ReadError::Corrupt { place: self.place(), message });
                }
            }
        }
    }
}

impl Source for Messages {
    type Error = ReadError;

    fn next(&mut self, batch: &mut Batch) -> Result<bool, ReadError> {
        batch.clear();
        let mut more = Ok(!self.is_over);
        while matches!(more, Ok(true)) && batch.len() < self.options.batch_records {
            more = self.step(batch);
        }
        self.is_over = !matches!(more, Ok(true));
        self.records.begin(batch);
        more.map(|_| !batch.is_empty())
    }
}
