//! The stream that a backtest runs over.

use std::sync::Arc;

use qt_model::instrument::Instruments;
use qt_model::record::{Batch, Kind};

use super::Simulate;
use super::record::{Data, Recorder};
use super::workers::Workers;
use crate::context::Context;
use crate::failure::Failure;
use crate::outcome::Outcome;
use crate::strategy::StrategyFile;
use crate::streams::Filter;

/// An input with what is known of it.
#[derive(Debug)]
pub(super) struct Opened {
    filter: Filter,
}

impl Opened {
    /// Rows of features are computed here and not taken from the stream, unless the strategy is a
    /// program that may ask for them.
    pub(super) fn new(
        args: &Simulate,
        file: &StrategyFile,
        context: &Context,
    ) -> anyhow::Result<Self> {
        let without = (!file.may_ask_for_rows()).then_some(Kind::Feature);
        Ok(Self { filter: Filter::open_without(without, &args.read, &args.select, context)? })
    }

    /// The name of the input.
    pub(super) fn place(&self) -> &str {
        &self.filter.place
    }

    /// The first batch with records in it; streams without a header show their instruments there.
    pub(super) fn first(&mut self) -> anyhow::Result<Option<Batch>> {
        let mut batch = Batch::default();
        while self.filter.next(&mut batch)? {
            if !batch.is_empty() {
                return Ok(Some(batch));
            }
        }
        Ok(None)
    }

    /// The instruments of the whole stream, the first batch's in their places. A header names them;
    /// files without one are read through for them, since a run has to know what is to come. A pipe
    /// can be read once: there they are those of the first batch.
    pub(super) fn instruments(
        &self,
        first: &Batch,
        args: &Simulate,
        context: &Context,
    ) -> anyhow::Result<Arc<Instruments>> {
        let inputs = &args.read.input;
        let can_be_read_again = !inputs.is_empty()
            && inputs.iter().all(|path| path.is_file())
            // What was put aside would be put aside twice.
            && args.read.bad.quarantine().is_none();
        if self.filter.is_declared || !can_be_read_again {
            return Ok(Arc::clone(first.instruments()));
        }
        Filter::survey(&args.read, &args.select, context)
    }

    /// The next batch; says whether there was one.
    pub(super) fn next(&mut self, batch: &mut Batch) -> anyhow::Result<bool> {
        self.filter.next(batch)
    }

    /// How far the data can be trusted, where it was judged.
    pub(super) fn grade(&self) -> Option<&str> {
        self.filter.header.provenance.get("grade").map(String::as_str)
    }

    /// Whether quotes are announced, or nothing is.
    pub(super) fn has_quotes(&self) -> bool {
        let kinds = self.filter.header.kinds.as_ref();
        kinds.is_none_or(|kinds| kinds.iter().any(|kind| kind == Kind::Quote.name()))
    }

    /// Runs all records through; says whether a signal cut the run short.
    pub(super) fn drive(
        &mut self,
        (first, known): (Batch, usize),
        workers: &mut Workers,
        (data, recorder): (Option<&mut Data>, &mut Option<Recorder>),
        context: &Context,
    ) -> anyhow::Result<bool> {
        let mut data = data;
        let mut progress = context.progress("simulating", None);
        let mut batch = first;
        let is_cut = loop {
            progress.tick(batch.len() as u64);
            if batch.instruments().len() > known {
                let new = batch.instruments().iter().nth(known).expect("there is one more");
                let failure = Failure::usage(format!("{} appears only later", new.symbol));
                let hint = "name the file with --input, or give a stream whose header names all \
                            instruments, as `qt replay` does";
                return Err(failure.with_hint(hint).into());
            }
            if let Some(data) = &mut data {
                data.read(&batch);
            }
            let spare = workers.push(Arc::new(batch));
            if let Some(fault) = workers.fault() {
                return Err(fault.into());
            }
            if let Some(recorder) = recorder {
                recorder.write(workers)?;
            }
            batch = spare.and_then(|spare| Arc::try_unwrap(spare).ok()).unwrap_or_default();
            if context.shutdown().requested() {
                break true;
            }
            if !self.filter.next(&mut batch)? {
                break false;
            }
        };
        progress.finish();
        Ok(is_cut)
    }

    pub(super) fn conclude(&self, context: &Context) -> anyhow::Result<Outcome> {
        self.filter.conclude(context)
    }
}
