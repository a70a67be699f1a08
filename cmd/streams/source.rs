//! From inputs to one merged source.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;
use qt_market::merge::{Merge, OrderRule};
use qt_model::instrument::{Instruments, Symbol};
use qt_model::record::{Kind, Sequence, Source};
use qt_model::time::Ts;
use qt_store::{Address, Series, Store, Wanted};
use qt_stream::catalog::{Catalog, Selection};
use qt_stream::error::ReadError;
use qt_stream::frame::Header;
use qt_stream::input::{AnyReader, Input};
use qt_stream::parquet_file::{ParquetReader, Span};
use qt_stream::read::Options;
use qt_stream::tolerance::Tolerance;

use super::grades::{Grades, OfCatalog};
use super::lane::{Reader, StoreLane};
use super::reading::{Merged, Reading};
use crate::choice::Ordering;
use crate::context::Context;
use crate::failure::Failure;
use crate::settings::Settings;
use crate::store_access as access;
use crate::stream_args::{BadRecord, BadRecordArgs, ReadArgs};

/// How inputs are read: what the flags and settings say.
#[derive(Debug)]
pub(crate) struct Rules {
    pub(crate) options: Options,
    pub(crate) order: OrderRule,
    /// Whether days that are graded bad are read.
    pub(crate) allow_bad_data: bool,
    threads: usize,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            options: Options::default(),
            order: OrderRule::Strict,
            allow_bad_data: true,
            threads: 1,
        }
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
        Ok(Self {
            options,
            order,
            allow_bad_data: args.allow_bad_data,
            threads: settings.threads().get(),
        })
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
    /// Of each lane, the kind of the table that it is, where it is known to be one.
    tables: Vec<Option<Kind>>,
    pub(crate) headers: Vec<Header>,
    grades: Grades,
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
        let table = reader.table_kind();
        self.push(name, Reader::Input(reader), None, table);
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
            self.open_named(path, selection, rules, context)?;
        }
        Ok(())
    }

    /// Opens an input by the name that a command line has for it: a file, standard input or a store.
    pub(crate) fn open_named(
        &mut self,
        path: &Path,
        selection: &Selection,
        rules: &Rules,
        context: &Context,
    ) -> anyhow::Result<()> {
        match path.to_str().filter(|text| Address::is_meant(text)) {
            Some(text) => {
                let store = access::of_input(text, context.settings()?)?;
                self.open_store(&store, selection, rules)
            }
            None => self.open(cli_input(path, context)?, selection.span, rules),
        }
    }

    /// Adds the series of a store that a selection touches.
    fn open_store(
        &mut self,
        store: &Arc<Store>,
        selection: &Selection,
        rules: &Rules,
    ) -> anyhow::Result<()> {
        store.check()?;
        let parts = store.parts(&Wanted {
            from: selection.span.from,
            to: selection.span.to,
            kinds: &|kind| selection.wants_kind(kind),
            symbols: &|symbol| selection.wants_symbol(symbol),
        })?;
        let grades = store.grades(selection.span.from, selection.span.to)?;
        for part in &parts {
            let symbol = part.symbol.as_ref();
            for date in part.days() {
                self.grades.meet(grades.of(part.kind, symbol, *date), rules, || {
                    let symbol = symbol.map_or("nobody", Symbol::as_str);
                    format!("{} of {symbol} on {date} in {}", part.kind.name(), store.name())
                })?;
            }
        }
        let named: BTreeSet<_> = parts.iter().filter_map(|part| part.symbol.clone()).collect();
        let mut instruments = store.instruments()?;
        instruments.retain(|instrument| named.contains(&instrument.symbol));
        rules.options.universe.declare_all(&instruments)?;
        let count = parts.len();
        for part in parts {
            let symbol = part.symbol.as_ref().map_or("nobody", Symbol::as_str);
            let name = format!("{} of {symbol}", part.kind.name());
            let (first, kind) = (Some(part.first), part.kind);
            let lane = StoreLane::new(&name, Series::new(store, part, count), rules);
            self.headers.push(Header::new(Arc::default()).with_kinds([kind]));
            self.push(name, Reader::Store(Box::new(lane)), first, None);
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
        let mut of_catalog = OfCatalog::new(&root);
        for part in catalog.parts(selection, &rules.options)? {
            let grade = of_catalog.grade(&part).context("reading the ledger of quality")?;
            self.grades.meet(grade, rules, || part.partition.folder().display().to_string())?;
            let first = part.description.span.map(|(first, _)| first.max(selection.span.from));
            let (path, kind) = (&part.path, Some(part.partition.kind));
            self.add_file(path, selection.span, (first, kind), rules);
            self.headers.extend(part.description.header);
        }
        Ok(())
    }

    /// Adds a file of a catalog, which is opened once `first` is due, with the kind of its records where
    /// that is known.
    pub(crate) fn add_file(
        &mut self,
        path: &Path,
        span: Span,
        (first, table): (Option<Ts>, Option<Kind>),
        rules: &Rules,
    ) {
        let reader = ParquetReader::new(path, span, rules.options.clone());
        let reader = Reader::Input(AnyReader::Parquet(Box::new(reader), None));
        self.push(path.display().to_string(), reader, first, table);
    }

    fn push(&mut self, name: String, reader: Reader, first: Option<Ts>, table: Option<Kind>) {
        self.names.push(name);
        self.tables.push(table);
        self.lanes.push((Lane { reader, cut: self.cut.clone() }, first));
    }

    pub(crate) fn count(&self) -> usize {
        self.lanes.len()
    }

    /// Whether the headers of all inputs name their instruments.
    pub(crate) fn are_declared(&self) -> bool {
        let names = |header: &Header| !header.instruments.is_empty();
        self.headers.len() == self.count() && self.headers.iter().all(names)
    }

    /// Whether all inputs are columns by themselves.
    pub(crate) fn are_columns(&self) -> bool {
        let is_columns = |reader: &Reader| match reader {
            Reader::Input(reader) => reader.is_columns(),
            Reader::Store(_) => false,
        };
        self.lanes.iter().all(|(lane, _)| is_columns(&lane.reader))
    }

    /// Whether all inputs are tables of these kinds.
    pub(super) fn are_tables_of(&self, kinds: &[Kind]) -> bool {
        let is_one = |kind: &Option<Kind>| kind.is_some_and(|kind| kinds.contains(&kind));
        !self.tables.is_empty() && self.tables.iter().all(is_one)
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
        if let Some(worst) = self.grades.worst() {
            header.provenance.insert("grade".to_owned(), worst.to_string());
        }
        header
    }

    /// Merges the inputs into rows or columns; reads ahead on another thread if there is one.
    pub(crate) fn merge<O: Merged>(self, rules: &Rules) -> Reading<O>
    where
        Lane: Source<O::Part, Error = ReadError>,
    {
        let merge = Merge::new(self.lanes, rules.order, rules.options.batch_records);
        Reading::new(merge, (self.names, self.cut), rules.threads > 1)
    }
}

/// An input that ends where it was cut off, and remembers that it was.
#[derive(Debug)]
pub(crate) struct Lane {
    reader: Reader,
    cut: Cut,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Cut(Arc<Mutex<Option<ReadError>>>);

impl Cut {
    pub(super) fn take(&self) -> Option<ReadError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn set(&self, error: ReadError) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
    }
}

impl<B: Sequence> Source<B> for Lane
where
    Reader: Source<B, Error = ReadError>,
{
    type Error = ReadError;

    fn next(&mut self, batch: &mut B) -> Result<bool, ReadError> {
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
