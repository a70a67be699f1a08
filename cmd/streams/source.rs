//! From inputs to one merged source.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;
use qt_market::merge::{Merge, MergeError, OrderRule};
use qt_model::instrument::Instruments;
use qt_model::record::{Batch, Kind, Source};
use qt_model::time::Ts;
use qt_stream::ahead::Ahead;
use qt_stream::catalog::{Catalog, Selection};
use qt_stream::error::ReadError;
use qt_stream::frame::Header;
use qt_stream::input::{AnyReader, Input};
use qt_stream::parquet_file::{ParquetReader, Span};
use qt_stream::read::Options;
use qt_stream::tolerance::Tolerance;

use crate::choice::Ordering;
use crate::context::Context;
use crate::failure::Failure;
use crate::outcome::Outcome;
use crate::settings::Settings;
use crate::stream_args::{BadRecord, BadRecordArgs, ReadArgs};

/// A merged stream failed.
type MergeFailure = MergeError<ReadError>;

/// How inputs are read: what the flags and settings say.
#[derive(Debug)]
pub(crate) struct Rules {
    pub(crate) options: Options,
    pub(crate) order: OrderRule,
    threads: usize,
}

impl Default for Rules {
    fn default() -> Self {
        Self { options: Options::default(), order: OrderRule::Strict, threads: 1 }
    }
}

impl Rules {
    pub(crate) fn new(args: &ReadArgs, context: &Context) -> anyhow::Result<Self> {
        let settings = context.settings()?;
        let options = Options {
            tolerance: tolerance(&args.bad, settings)?,
            verify: args.verify,
            allow_truncated: args.allow_truncated,
            batch_records: settings.stream_batch_records() as usize,
            ..Options::default()
        };
        let order = match args.ordering(settings) {
            Ordering::Strict => OrderRule::Strict,
            Ordering::Warn => OrderRule::Warn,
        };
        Ok(Self { options, order, threads: settings.threads().get() })
    }

    /// The instruments of a selection that are known by now.
    pub(crate) fn instruments(&self, selection: &Selection) -> Arc<Instruments> {
        let mut wanted = Instruments::default();
        for instrument in self.options.universe.snapshot().iter() {
            if selection.wants_symbol(Some(&instrument.symbol)) {
                wanted.declare(instrument.clone()).expect("a table takes a part of itself");
            }
        }
        Arc::new(wanted)
    }
}

/// What the flags and settings say about records that cannot be read.
pub(crate) fn tolerance(args: &BadRecordArgs, settings: &Settings) -> anyhow::Result<Tolerance> {
    Ok(match args.bad_record(settings)? {
        BadRecord::Fail => Tolerance::fail(),
        BadRecord::Skip => Tolerance::skip(),
        BadRecord::Quarantine(path) => Tolerance::quarantine(path)
            .with_context(|| format!("opening the quarantine {}", path.display()))?,
    })
}

/// Says what was left out because it could not be read.
pub(crate) fn warn_of_skipped(tolerance: &Tolerance, context: &Context) {
    let skipped = tolerance.skipped();
    if skipped > 0 {
        let first = tolerance.first().unwrap_or_default();
        let message = "records could not be read and were left out; the first";
        context.warn(format_args!("{skipped} {message}: {first}"));
    }
}

/// The input that a path on the command line stands for.
pub(crate) fn cli_input(path: &Path, context: &Context) -> anyhow::Result<Input> {
    if path == Path::new("-") {
        return Ok(Input::Pipe("standard input", Box::new(context.stdin()?)));
    }
    Ok(Input::File(path.to_owned()))
}

/// Inputs that are open, and not merged yet.
#[derive(Debug, Default)]
pub(crate) struct Sources {
    lanes: Vec<(Lane, Option<Ts>)>,
    names: Vec<String>,
    pub(crate) headers: Vec<Header>,
    cut: Cut,
}

impl Sources {
    /// Opens an input and declares its instruments.
    pub(crate) fn open(&mut self, input: Input, span: Span, rules: &Rules) -> anyhow::Result<()> {
        let name = match &input {
            Input::File(path) => path.display().to_string(),
            Input::Pipe(name, _) => (*name).to_owned(),
        };
        let reader = AnyReader::open(input, span, rules.options.clone())?;
        self.headers.extend(reader.header().cloned());
        self.push(name, reader, None);
        Ok(())
    }

    /// Opens the files of a command line, or what the catalog has of the selection without any.
    pub(crate) fn open_selected(
        &mut self,
        inputs: &[PathBuf],
        selection: &Selection,
        rules: &Rules,
        context: &Context,
    ) -> anyhow::Result<()> {
        if inputs.is_empty() {
            return self.open_catalog(selection, rules, context);
        }
        for path in inputs {
            self.open(cli_input(path, context)?, selection.span, rules)?;
        }
        Ok(())
    }

    /// Adds the files of the catalog that a selection touches.
    pub(crate) fn open_catalog(
        &mut self,
        selection: &Selection,
        rules: &Rules,
        context: &Context,
    ) -> anyhow::Result<()> {
        let root = context.settings()?.data();
        let catalog = Catalog::new(&root);
        if !catalog.exists() {
            return Err(Failure::usage(format!("there is no catalog at {}", root.display()))
                .with_hint("`qt synth --to catalog` makes one; `--data` or QT_DATA names another")
                .into());
        }
        for part in catalog.parts(selection, &rules.options)? {
            let first = part.description.span.map(|(first, _)| first.max(selection.span.from));
            self.add_file(&part.path, selection.span, first, rules);
            self.headers.extend(part.description.header);
        }
        Ok(())
    }

    /// Adds a file of a catalog, which is opened once `first` is due.
    pub(crate) fn add_file(&mut self, path: &Path, span: Span, first: Option<Ts>, rules: &Rules) {
        let reader = ParquetReader::new(path, span, rules.options.clone());
        let reader = AnyReader::Parquet(Box::new(reader), None);
        self.push(path.display().to_string(), reader, first);
    }

    fn push(&mut self, name: String, reader: AnyReader, first: Option<Ts>) {
        self.names.push(name);
        self.lanes.push((Lane { reader, cut: self.cut.clone() }, first));
    }

    pub(crate) fn count(&self) -> usize {
        self.lanes.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.lanes.is_empty()
    }

    /// What all inputs say of their origin. Where they do not agree, the whole is mixed.
    pub(crate) fn provenance(&self) -> BTreeMap<String, String> {
        let mut all = BTreeMap::<String, String>::new();
        for (key, value) in self.headers.iter().flat_map(|header| &header.provenance) {
            let said = all.entry(key.clone()).or_insert_with(|| value.clone());
            if said != value {
                *said = "mixed".to_owned();
            }
        }
        all
    }

    /// The header of what comes out, but for its instruments.
    pub(crate) fn header(&self, selection: &Selection) -> Header {
        let mut header = Header::new(Arc::default());
        let kinds_of = |header: &Header| header.kinds.clone();
        let mut kinds: Option<Vec<String>> =
            self.headers.iter().map(kinds_of).collect::<Option<Vec<_>>>().map(|all| all.concat());
        if self.headers.len() < self.count() {
            kinds = None;
        }
        if let Some(wanted) = &selection.kinds {
            kinds = Some(wanted.iter().map(|kind| kind.name().to_owned()).collect());
        }
        if let Some(kinds) = &mut kinds {
            let place = |name: &String| Kind::from_name(name).map_or(usize::MAX, Kind::index);
            kinds.sort_by_key(place);
            kinds.dedup();
        }
        header.kinds = kinds;
        header.provenance = self.provenance();
        header
    }

    /// Merges the inputs; reads ahead on another thread if there is one.
    pub(crate) fn merge(self, rules: &Rules) -> Reading {
        let counts = Counts::default();
        let merge = Merge::new(self.lanes, rules.order, rules.options.batch_records);
        let counted = Counted { merge, counts: counts.clone() };
        let source = match rules.threads {
            1 => Merged::Here(Box::new(counted)),
            _ => Merged::Ahead(Ahead::spawn(counted)),
        };
        Reading { source, names: self.names, cut: self.cut, counts }
    }
}

/// The one stream that all inputs make.
#[derive(Debug)]
pub(crate) struct Reading {
    source: Merged,
    names: Vec<String>,
    cut: Cut,
    counts: Counts,
}

#[derive(Debug)]
enum Merged {
    Here(Box<Counted>),
    Ahead(Ahead<MergeFailure>),
}

impl Reading {
    /// Fills the batch with what comes next; `false` at the end.
    pub(crate) fn next(&mut self, batch: &mut Batch) -> anyhow::Result<bool> {
        let read = match &mut self.source {
            Merged::Here(merge) => merge.next(batch),
            Merged::Ahead(ahead) => ahead.next(batch),
        };
        read.map_err(|error| self.explain(error))
    }

    /// Names the input that an error is about.
    fn explain(&self, error: MergeFailure) -> anyhow::Error {
        match error {
            MergeError::Source { error, .. } => error.into(),
            order @ MergeError::Order { .. } => {
                let lane = if let MergeError::Order { lane, .. } = &order { *lane } else { 0 };
                anyhow::Error::new(order).context(self.names[lane].clone())
            }
        }
    }

    /// Shows what comes next, in runs of neighbours; returns how many, none at the end. Copies
    /// nothing where one thread reads.
    pub(crate) fn visit(
        &mut self,
        batch: &mut Batch,
        mut look: impl FnMut(&Batch, Range<usize>),
    ) -> anyhow::Result<usize> {
        if let Merged::Here(counted) = &mut self.source {
            let seen = counted.visit(look);
            return seen.map_err(|error| self.explain(error));
        }
        self.next(batch)?;
        look(batch, 0..batch.len());
        Ok(batch.len())
    }

    /// The first input that was cut off, once all of them have ended.
    pub(crate) fn cut(&self) -> Option<ReadError> {
        self.cut.take()
    }

    /// Says what was left out, let pass or cut off; the last of these is an error.
    pub(crate) fn conclude(
        &self,
        rules: &Rules,
        context: &Context,
        cut: Option<ReadError>,
    ) -> anyhow::Result<Outcome> {
        warn_of_skipped(&rules.options.tolerance, context);
        let violations = self.violations();
        if violations > 0 {
            context.warn(format_args!("{violations} records were out of order"));
        }
        cut.map_or(Ok(Outcome::Done), |cut| Err(cut.into()))
    }

    /// Records out of order that were let pass.
    fn violations(&self) -> u64 {
        *self.counts.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The merge, with its count of violations where another thread can see it.
#[derive(Debug)]
struct Counted {
    merge: Merge<Lane>,
    counts: Counts,
}

#[derive(Clone, Debug, Default)]
struct Counts(Arc<Mutex<u64>>);

impl Counted {
    fn visit(&mut self, look: impl FnMut(&Batch, Range<usize>)) -> Result<usize, MergeFailure> {
        let seen = self.merge.visit(look);
        self.publish();
        seen
    }

    fn publish(&self) {
        *self.counts.0.lock().unwrap_or_else(PoisonError::into_inner) = self.merge.violations();
    }
}

impl Source for Counted {
    type Error = MergeFailure;

    fn next(&mut self, batch: &mut Batch) -> Result<bool, MergeFailure> {
        let more = self.merge.next(batch);
        self.publish();
        more
    }
}

/// An input that ends where it was cut off, and remembers that it was.
#[derive(Debug)]
struct Lane {
    reader: AnyReader,
    cut: Cut,
}

#[derive(Clone, Debug, Default)]
struct Cut(Arc<Mutex<Option<ReadError>>>);

impl Cut {
    fn take(&self) -> Option<ReadError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn set(&self, error: ReadError) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
    }
}

impl Source for Lane {
    type Error = ReadError;

    fn next(&mut self, batch: &mut Batch) -> Result<bool, ReadError> {
        match self.reader.next(batch) {
            // The work is finished with what there is; the exit code says the rest.
            Err(cut @ ReadError::Truncated { .. }) => {
                self.cut.set(cut);
                batch.clear();
                Ok(false)
            }
            other => other,
        }
    }
}
