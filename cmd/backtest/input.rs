//! The stream that a backtest runs over.

use std::sync::Arc;

use qt_model::instrument::Instruments;
use qt_model::record::{Batch, Kind};
use qt_sim::driver::Records;
use qt_stream::arrow_ipc::has_one_symbol;

use super::Simulate;
use super::record::{Data, Recorder};
use super::workers::Workers;
use crate::context::Context;
use crate::failure::Failure;
use crate::outcome::Outcome;
use crate::strategy::StrategyFile;
use crate::streams::{Filter, Next};

/// An input with what is known of it.
#[derive(Debug)]
pub(super) struct Opened {
    filter: Filter,
    /// Room for rows.
    rows: Batch,
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
        // Lanes that are recorded never sleep, and look at every record.
        let takes_tables = args.no_run || !args.sweep.is_empty();
        let (read, select) = (&args.read, &args.select);
        let filter = Filter::open_for((without, takes_tables), read, select, context)?;
        Ok(Self { filter, rows: Batch::default() })
    }

    /// The name of the input.
    pub(super) fn place(&self) -> &str {
        &self.filter.place
    }

    /// The first batch with records in it; streams without a header show their instruments there.
    pub(super) fn first(&mut self) -> anyhow::Result<Option<Records>> {
        while let Some(records) = self.next()? {
            if !records.is_empty() {
                return Ok(Some(records));
            }
        }
        Ok(None)
    }

    /// The instruments of the whole stream, the first batch's in their places. A header names them, or
    /// the dictionary of a file; other files are read through for them, since a run has to know what is
    /// to come. A pipe can be read once: there they are those of the first batch.
    pub(super) fn instruments(
        &self,
        first: &Records,
        args: &Simulate,
        context: &Context,
    ) -> anyhow::Result<Arc<Instruments>> {
        let inputs = &args.read.input;
        if let [path] = inputs.as_slice()
            && first.instruments().len() == 1
            && has_one_symbol(path)
        {
            return Ok(Arc::clone(first.instruments()));
        }
        let can_be_read_again = !inputs.is_empty()
            && inputs.iter().all(|path| path.is_file())
            // What was put aside would be put aside twice.
            && args.read.bad.quarantine().is_none();
        if self.filter.is_declared || !can_be_read_again {
            return Ok(Arc::clone(first.instruments()));
        }
        Filter::survey(&args.read, &args.select, context)
    }

    /// What comes next, if there is anything.
    pub(super) fn next(&mut self) -> anyhow::Result<Option<Records>> {
        let mut batch = std::mem::take(&mut self.rows);
        Ok(match self.filter.next_or_table(&mut batch)? {
            Next::Rows => Some(Arc::new(batch).into()),
            Next::Table(table) => Some(table.into()),
            Next::End => None,
        })
    }

    /// Takes back records that are done with, for their memory.
    pub(super) fn take_back(&mut self, records: Records) {
        if let Records::Rows(batch) = records {
            self.rows = Arc::try_unwrap(batch).unwrap_or_default();
        }
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
        (first, known): (Records, usize),
        workers: &mut Workers,
        (data, recorder): (Option<&mut Data>, &mut Option<Recorder>),
        context: &Context,
    ) -> anyhow::Result<bool> {
        let mut data = data;
        let mut progress = context.progress("simulating", None);
        let mut records = first;
        let is_cut = loop {
            progress.tick(records.len() as u64);
            if records.instruments().len() > known {
                let new = records.instruments().iter().nth(known).expect("there is one more");
                let failure = Failure::usage(format!("{} appears only later", new.symbol));
                let hint = "name the file with --input, or give a stream whose header names all \
                            instruments, as `qt replay` does";
                return Err(failure.with_hint(hint).into());
            }
            if let Some(data) = &mut data {
                data.read(&records);
            }
            let spare = workers.push(records);
            if let Some(fault) = workers.fault() {
                return Err(fault.into());
            }
            if let Some(recorder) = recorder {
                recorder.write(workers)?;
            }
            if let Some(spare) = spare {
                self.take_back(spare);
            }
            if context.shutdown().requested() {
                break true;
            }
            match self.next()? {
                Some(next) => records = next,
                None => break false,
            }
        };
        progress.finish();
        Ok(is_cut)
    }

    pub(super) fn conclude(&self, context: &Context) -> anyhow::Result<Outcome> {
        self.filter.conclude(context)
    }
}
