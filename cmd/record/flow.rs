//! The one stream that all inputs of an import make.
//!
//! A file is opened when its first record is due, so that a folder of any number of files is
//! imported with a few of them open. Several files of one instrument number their records anew,
//! since each of them begins to count where it begins.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use qt_market::merge::{Merge, MergeError, OrderRule};
use qt_model::ids::InstrumentId;
use qt_model::record::{Batch, Kind, Source};
use qt_stream::error::ReadError;
use qt_stream::import::{Hints, Imported, Meter, Notes, Piped};
use qt_stream::read::Options;

use super::inputs::{FileInput, Inputs};

pub(super) struct Flow {
    of: Of,
    cut: Cut,
    /// What was put aside on disk stays there for as long as it is read.
    _aside: Vec<Piped>,
}

enum Of {
    One(Lane),
    Many { merge: Box<Merge<Lane>>, next: BTreeMap<(Kind, Option<InstrumentId>), u64> },
}

impl Flow {
    pub(super) fn open(inputs: Inputs, hints: &Hints, options: &Options) -> anyhow::Result<Self> {
        let cut = Cut::default();
        let lane = |source, waiting| Lane { source, waiting, cut: cut.clone() };
        if let Some((input, format)) = inputs.pipe {
            let source = format.open(input, hints, options)?;
            let of = Of::One(lane(Some(source), None));
            return Ok(Self { of, cut, _aside: inputs.aside });
        }
        let mut lanes = Vec::new();
        for file in inputs.files {
            // A file without records says what is wrong with it all the same.
            let first = file.first.unwrap_or(qt_model::time::Ts::MIN);
            let (hints, options) = (hints.clone(), options.clone());
            let (notes, meter) = (inputs.notes.clone(), inputs.meter.clone());
            let waiting = Waiting { file, hints, options, notes, meter };
            lanes.push((lane(None, Some(Box::new(waiting))), Some(first)));
        }
        let of = match lanes.len() {
            1 => Of::One(lanes.remove(0).0),
            _ => {
                // Two files may end and begin at one time with equal numbers; see `next`.
                let merge = Merge::new(lanes, OrderRule::Warn, options.batch_records);
                Of::Many { merge: Box::new(merge), next: BTreeMap::new() }
            }
        };
        Ok(Self { of, cut, _aside: inputs.aside })
    }

    /// Fills the batch with what comes next; `false` at the end.
    pub(super) fn next(&mut self, batch: &mut Batch) -> anyhow::Result<bool> {
        match &mut self.of {
            Of::One(lane) => Ok(lane.next(batch)?),
            Of::Many { merge, next } => {
                let more = merge.next(batch).map_err(|error| match error {
                    MergeError::Source { error, .. } => anyhow::Error::new(error),
                    order @ MergeError::Order { .. } => order.into(),
                })?;
                for at in 0..batch.len() {
                    let place = (batch.slots()[at].kind, batch.head(at).instrument);
                    let seq = next.entry(place).or_default();
                    batch.set_seq(at, *seq);
                    *seq += 1;
                }
                Ok(more)
            }
        }
    }

    /// The first input that was cut off.
    pub(super) fn cut(&self) -> Option<ReadError> {
        self.cut.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

#[derive(Clone, Default)]
struct Cut(Arc<Mutex<Option<ReadError>>>);

/// One input.
struct Lane {
    source: Option<Imported>,
    waiting: Option<Box<Waiting>>,
    cut: Cut,
}

/// A file that is not open yet.
struct Waiting {
    file: FileInput,
    hints: Hints,
    options: Options,
    notes: Notes,
    meter: Meter,
}

impl std::fmt::Debug for Lane {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lane").finish_non_exhaustive()
    }
}

impl Waiting {
    fn open(self) -> Result<Imported, ReadError> {
        let input = self.file.member.open(&self.options, &self.notes, &self.meter)?;
        self.file.format.open(input, &self.hints, &self.options)
    }
}

impl Source for Lane {
    type Error = ReadError;

    fn next(&mut self, batch: &mut Batch) -> Result<bool, ReadError> {
        if let Some(waiting) = self.waiting.take() {
            self.source = Some(waiting.open()?);
        }
        let Some(source) = &mut self.source else { return Ok(false) };
        match source.next(batch) {
            // The work is finished with what there is; the exit code says the rest.
            Err(cut @ ReadError::Truncated { .. }) => {
                self.cut.0.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(cut);
                batch.clear();
                Ok(false)
            }
            other => other,
        }
    }
}
