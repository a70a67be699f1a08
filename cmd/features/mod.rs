//! `qt features`: signals computed from a stream, row by row.

mod causality;
mod parity;
mod profiles;
mod reference;

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use qt_market::features::{
    BookFrom, Engine, EngineOptions, ExprError, Named, Plan, Program, SETS, parse_list, set,
};
use qt_market::labels::{LabelError, LabelSpec, Labels};
use qt_model::instrument::Symbol;
use qt_model::record::{Batch, Kind};
use qt_model::time::duration_ns;
use qt_stream::annotated::{Annotated, FeatureRows};
use qt_stream::catalog::SymbolPattern;
use qt_stream::frame::Header;
use qt_stream::wide::WideColumns;

use crate::context::Context;
use crate::failure::Failure;
use crate::outcome::Outcome;
use crate::select_args::SelectArgs;
use crate::stream_args::StreamArgs;
use crate::streams::{Filter, Stage};
use crate::write_args::WriteArgs;

use parity::Shadow;
use profiles::{Beside, Profiles};

/// Compute features of books, trades and bars
///
/// Passes records through and puts a `feature` row directly behind each record that caused it. A
/// list of features is made of expressions such as `ema(mid,20), z(imbalance,200)`; parts that
/// several share are computed once, and `name = expression` names one for the others. Reads the files
/// of --input; the catalog, where a range asks for it or standard input is a terminal; else standard
/// input.
#[derive(Debug, Args)]
pub(crate) struct Features {
    /// A named set of features
    #[arg(long, value_name = "SET", conflicts_with = "features")]
    set: Option<String>,
    /// A list of expressions
    #[arg(long, short, value_name = "LIST")]
    features: Option<String>,
    /// A TOML file of profiles: sets with parameters of their own, one of them active
    #[arg(long, value_name = "FILE", conflicts_with_all = ["set", "features"])]
    profiles: Option<PathBuf>,
    /// Another profile of that file than the active one
    #[arg(long, value_name = "NAME", requires = "profiles")]
    profile: Option<String>,
    /// List columns, functions and sets
    #[arg(long)]
    list: bool,
    /// Print the reference of all columns, functions and sets as Markdown
    #[arg(long, conflicts_with = "list")]
    reference: bool,
    /// Labels behind each row, comma-separated: dir_10s, fwd_30s, markout_5s, with any length of time
    #[arg(long, value_name = "LABELS", value_delimiter = ',', conflicts_with_all = ["causality", "every"], value_parser = label)]
    labels: Vec<LabelSpec>,
    /// One record a row, or a table with a column for each feature and label (Parquet or CSV)
    #[arg(long, value_name = "LAYOUT", default_value = "long", conflicts_with = "causality")]
    layout: Layout,
    /// Prove that no value depends on records behind it: compute prefixes again and compare
    #[arg(long)]
    causality: bool,
    /// Compute everything twice, over blocks and record by record, and compare to the bit
    #[arg(long, conflicts_with = "causality")]
    shadow_parity: bool,
    /// Flag rows whose cause was received so long after the venue's time, such as 500ms
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    stale_after: Option<i64>,
    /// Write the rows without the records that caused them
    #[arg(long)]
    only: bool,
    /// Leave rows out until every feature of the symbol has had a value
    #[arg(long)]
    warm_only: bool,
    /// Write one row of so many of each symbol
    #[arg(long, value_name = "EVENTS", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    every: u64,
    /// Symbols to compute features of, as patterns; the records of others pass
    #[arg(long, value_name = "PATTERNS", value_delimiter = ',')]
    of: Vec<String>,
    /// Which records tell the best bid and ask
    #[arg(long, value_name = "KIND", default_value = "auto")]
    book: Book,
    #[command(flatten)]
    select: SelectArgs,
    #[command(flatten)]
    stream: StreamArgs,
    #[command(flatten)]
    write: WriteArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Layout {
    Long,
    Wide,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Book {
    /// Quotes where the header announces them, else depth, else orders; for `lob` sets depth first
    Auto,
    Quotes,
    Depth,
    /// Order by order
    Orders,
}

pub(crate) fn run(args: Features, context: &mut Context) -> anyhow::Result<Outcome> {
    if args.list {
        return reference::list(context);
    }
    if args.reference {
        context.print(reference::markdown())?;
        return Ok(Outcome::Done);
    }
    let chosen = Chosen::new(&args)?;
    if args.causality {
        return causality::run(&args, &chosen, context);
    }
    let Opened { filter, engine, shadow, beside, book } = Opened::new(&args, &chosen, context)?;
    if args.write.dry_run {
        let (features, steps) = (chosen.names.len(), chosen.program.steps());
        context.note(format_args!("would compute {features} features in {steps} steps"));
        return Ok(Outcome::Done);
    }
    let labels =
        (!args.labels.is_empty()).then(|| Labels::new(args.labels.clone(), book, is_alone(&args)));
    let columns = (args.layout == Layout::Wide).then(|| WideColumns {
        features: chosen.names,
        labels: args.labels.iter().map(|label| label.name.clone()).collect(),
    });
    let found = FeatureRows::new(&chosen.set.as_str().into(), chosen.program.width());
    let mut work = Work {
        engine,
        shadow,
        beside,
        labels,
        columns,
        rows: Batch::default(),
        found,
        only: is_alone(&args),
    };
    let outcome = filter.run(&mut work, (&args.stream, &args.write), context)?;
    if let Some(beside) = &work.beside {
        context.note(beside.verdict());
    }
    let Some(shadow) = work.shadow else { return Ok(outcome) };
    context.note(shadow.verdict());
    Ok(if shadow.is_equal() { outcome } else { Outcome::No })
}

fn duration(text: &str) -> Result<i64, String> {
    let found = duration_ns(text).filter(|ns| *ns > 0);
    found.ok_or_else(|| format!("expected a duration such as 500ms, found `{text}`"))
}

/// Whether what caused the rows is left out: a wide table has no place for it.
fn is_alone(args: &Features) -> bool {
    args.only || args.layout == Layout::Wide
}

fn label(text: &str) -> Result<LabelSpec, LabelError> {
    LabelSpec::parse(text)
}

/// Features, and labels where they are asked for.
struct Work {
    engine: Engine,
    shadow: Option<Shadow>,
    beside: Option<Beside>,
    labels: Option<Labels>,
    columns: Option<WideColumns>,
    rows: Batch,
    /// Rows that need not become records, and whether the records are left out.
    found: FeatureRows,
    only: bool,
}

impl Stage for Work {
    const DOING: &'static str = "computing";

    fn columns(&self) -> Option<WideColumns> {
        self.columns.clone()
    }

    fn batch(&mut self, batch: &Batch, out: &mut Batch) -> anyhow::Result<()> {
        let Some(labels) = &mut self.labels else {
            self.engine.batch(batch, out);
            self.compare(batch);
            return Ok(());
        };
        self.rows.clear();
        self.engine.batch(batch, &mut self.rows);
        labels.batch(&self.rows, out);
        self.compare(batch);
        Ok(())
    }

    fn annotate<'b>(&'b mut self, batch: &'b Batch) -> Option<Annotated<'b>> {
        if self.labels.is_some() || self.columns.is_some() {
            return None;
        }
        let rows = self.engine.annotate(batch);
        self.found.clear();
        for at in 0..batch.len() {
            if let Some(row) = rows.of(at) {
                self.found.push(at, row.values, row.warm, row.flags);
            }
        }
        self.compare(batch);
        Some(Annotated { batch, rows: &self.found, only: self.only })
    }

    fn finish(&mut self, out: &mut Batch) -> anyhow::Result<()> {
        if let Some(labels) = &mut self.labels {
            labels.finish(out);
        }
        Ok(())
    }
}

impl Work {
    fn compare(&mut self, batch: &Batch) {
        if let Some(shadow) = &mut self.shadow {
            shadow.compare(batch, &self.engine.rows());
        }
        if let Some(beside) = &mut self.beside {
            beside.compare(batch, &self.engine.rows());
        }
    }
}

/// The features that the flags choose.
#[derive(Debug)]
struct Chosen {
    set: String,
    program: Program,
    names: Vec<String>,
    /// The profile that says so, and what runs in its shadow.
    profile: Option<String>,
    shadow: Option<(String, Program)>,
}

impl Chosen {
    fn new(args: &Features) -> anyhow::Result<Self> {
        if let Some(path) = &args.profiles {
            let profiles = Profiles::read(path)?;
            let (name, set, program) = profiles.choose(args.profile.as_deref())?;
            let shadow = profiles.shadow().map(|(name, program)| (name.to_owned(), program));
            let (set, profile, names) = (set.to_owned(), Some(name.to_owned()), program.names());
            return Ok(Self { set, program, names, profile, shadow });
        }
        let (set, program) = match &args.features {
            Some(text) => ("features", expressions(text)?),
            None => {
                let name = args.set.as_deref().unwrap_or("core15");
                let program = match Program::lob(name) {
                    Some(program) => program,
                    None => Program::new(
                        Plan::new(&members(name)?)
                            .map_err(|error| Failure::usage(format!("--set {name}: {error}")))?,
                    ),
                };
                (name, program)
            }
        };
        let names = program.names();
        Ok(Self { set: set.to_owned(), program, names, profile: None, shadow: None })
    }
}

fn expressions(text: &str) -> anyhow::Result<Program> {
    let list = parse_list(text).map_err(|error| raise(&error, text))?;
    let plan = Plan::new(&list).map_err(|found| raise(&found.error, text))?;
    Ok(Program::new(plan))
}

fn members(name: &str) -> anyhow::Result<Vec<Named>> {
    let Some(set) = set(name) else {
        let known = SETS.iter().map(|set| set.name).chain(["lob16", "lob22", "lob27"]);
        let known: Vec<_> = known.collect();
        let failure = Failure::usage(format!("--set {name}: there is no such set"));
        return Err(failure.with_hint(format!("the sets are {}", known.join(", "))).into());
    };
    Ok(set.members())
}

fn raise(error: &ExprError, text: &str) -> Failure {
    let failure = Failure::usage(format!("--features: {}", error.pointing_into(text)));
    failure.with_hint("`qt features --list` lists columns and functions")
}

/// An input with the engine that reads it.
struct Opened {
    filter: Filter,
    engine: Engine,
    shadow: Option<Shadow>,
    beside: Option<Beside>,
    book: BookFrom,
}

impl Opened {
    fn new(args: &Features, chosen: &Chosen, context: &Context) -> anyhow::Result<Self> {
        let mut filter = Filter::open(&args.stream.read, &args.select, context)?;
        let header = &mut filter.header;
        let book = book(args.book, &chosen.program, header);
        let options = EngineOptions {
            set: chosen.set.as_str().into(),
            book,
            // Labels look at the records themselves, and leave them out then.
            only: is_alone(args) && args.labels.is_empty(),
            warm_only: args.warm_only,
            every: args.every,
            stale_after_ns: args.stale_after,
            ..EngineOptions::default()
        };
        let begin = |program: &Program| {
            let patterns: Vec<_> = args.of.iter().map(|text| SymbolPattern::new(text)).collect();
            let wanted = move |symbol: &Symbol| {
                patterns.is_empty() || patterns.iter().any(|pattern| pattern.matches(symbol))
            };
            Engine::new(program.clone(), options.clone(), Box::new(wanted))
        };
        let engine = begin(&chosen.program);
        let shadow = args.shadow_parity.then(|| Shadow::new(begin(&chosen.program)));
        let beside = chosen.shadow.as_ref();
        let beside = beside.map(|(name, it)| Beside::new(name, begin(it), &chosen.program));
        header.add_kind(Kind::Feature, is_alone(args));
        if !args.labels.is_empty() {
            header.add_kind(Kind::Label, false);
        }
        header.provenance.insert(format!("features.{}", chosen.set), chosen.names.join("; "));
        if let Some(profile) = &chosen.profile {
            header.provenance.insert("features.profile".to_owned(), profile.clone());
        }
        Ok(Self { filter, engine, shadow, beside, book })
    }
}

/// Which records tell the best bid and ask. A header that does not list its kinds may have any.
fn book(asked: Book, program: &Program, header: &Header) -> BookFrom {
    let is_listed = |kind: Kind| {
        header.kinds.as_ref().map(|kinds| kinds.iter().any(|listed| listed == kind.name()))
    };
    let has_quotes = is_listed(Kind::Quote).unwrap_or(true);
    let has_depth = is_listed(Kind::Depth).unwrap_or(false);
    // The integer features look below the best level.
    let wants_depth = matches!(program, Program::Lob(_)) && has_depth;
    match asked {
        Book::Quotes => BookFrom::Quotes,
        Book::Depth => BookFrom::Depth,
        Book::Orders => BookFrom::Orders,
        Book::Auto if has_quotes && !wants_depth => BookFrom::Quotes,
        Book::Auto if !has_depth && is_listed(Kind::Mbo) == Some(true) => BookFrom::Orders,
        Book::Auto => BookFrom::Depth,
    }
}
