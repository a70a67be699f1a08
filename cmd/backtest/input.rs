//! The stream that a backtest runs over.

use std::sync::Arc;

use qt_model::record::{Batch, Kind};
use qt_stream::catalog::Selection;
use qt_stream::error::ReadError;
use qt_stream::frame::Header;

use super::Backtest;
use super::lanes::Run;
use crate::context::Context;
use crate::failure::Failure;
use crate::outcome::Outcome;
use crate::streams::{Reading, Rules, Sources, keep_selected, open_given};

/// An input with what is known of it.
#[derive(Debug)]
pub(super) struct Opened {
    reading: Reading,
    rules: Rules,
    selection: Selection,
    pub(super) header: Header,
    pub(super) place: String,
    is_whole: bool,
    scratch: Batch,
}

impl Opened {
    pub(super) fn new(
        args: &Backtest,
        selection: &Selection,
        context: &Context,
    ) -> anyhow::Result<Self> {
        let rules = Rules::new(&args.read, context)?;
        let mut sources = Sources::default();
        let flags = (&args.read, &args.select, false);
        let given = open_given(&mut sources, flags, selection, &rules, context)?;
        let header = sources.header(selection);
        let reading = sources.merge(&rules);
        let selection = selection.clone();
        let (place, is_whole) = (given.place, given.is_whole);
        Ok(Self { reading, rules, selection, header, place, is_whole, scratch: Batch::default() })
    }

    /// The first batch with records in it; streams without a header show their instruments there.
    pub(super) fn first(&mut self) -> anyhow::Result<Option<Batch>> {
        let mut batch = Batch::default();
        while self.reading.next(&mut batch)? {
            self.keep(&mut batch);
            if !batch.is_empty() {
                return Ok(Some(batch));
            }
        }
        Ok(None)
    }

    fn keep(&mut self, batch: &mut Batch) {
        if !self.is_whole {
            keep_selected(batch, &mut self.scratch, &self.selection);
        }
    }

    /// Whether quotes are announced, or nothing is.
    pub(super) fn has_quotes(&self) -> bool {
        let kinds = self.header.kinds.as_ref();
        kinds.is_none_or(|kinds| kinds.iter().any(|kind| kind == Kind::Quote.name()))
    }

    /// Runs all records through; says where the input was cut off, if it was.
    pub(super) fn drive(
        &mut self,
        first: Batch,
        run: &mut Run,
        context: &Context,
    ) -> anyhow::Result<Option<ReadError>> {
        let known = first.instruments().len();
        let mut progress = context.progress("simulating", None);
        let mut batch = first;
        loop {
            progress.tick(batch.len() as u64);
            if batch.instruments().len() > known {
                let new = batch.instruments().iter().nth(known).expect("there is one more");
                let failure = Failure::usage(format!("{} appears only later", new.symbol));
                let hint = "give a stream whose header names all instruments, as `qt replay` does";
                return Err(failure.with_hint(hint).into());
            }
            let spare = run.push(Arc::new(batch));
            batch = spare.and_then(|spare| Arc::try_unwrap(spare).ok()).unwrap_or_default();
            if context.shutdown().requested() || !self.reading.next(&mut batch)? {
                break;
            }
            self.keep(&mut batch);
        }
        progress.finish();
        Ok(self.reading.cut())
    }

    pub(super) fn conclude(
        &self,
        context: &Context,
        cut: Option<ReadError>,
    ) -> anyhow::Result<Outcome> {
        self.reading.conclude(&self.rules, context, cut)
    }
}
