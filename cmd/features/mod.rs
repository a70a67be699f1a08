//! `qt features`: signals computed from a stream, row by row.

mod causality;
mod reference;

use std::sync::Arc;

use clap::{Args, ValueEnum};
use qt_market::features::{
    BookFrom, Engine, EngineOptions, ExprError, Named, Plan, Program, SETS, parse_list, set,
};
use qt_model::instrument::Symbol;
use qt_model::record::{Batch, Kind};
use qt_stream::catalog::{Selection, SymbolPattern};
use qt_stream::frame::{End, Header};

use crate::context::Context;
use crate::failure::Failure;
use crate::outcome::Outcome;
use crate::select_args::SelectArgs;
use crate::stream_args::StreamArgs;
use crate::streams::{Reading, Rules, Sink, Sources, keep_selected, open_given};
use crate::write_args::WriteArgs;

/// Compute features of books, trades and bars
///
/// Passes records through and puts a `feature` row directly behind each record that caused it. A
/// list of features is made of expressions such as `ema(mid,20), z(imbalance,200)`; parts that
/// several share are computed once, and `name = expression` names one for the others. Reads the files
/// of --input; the catalog, where a range, symbols or kinds ask for it; else standard input.
#[derive(Debug, Args)]
pub(crate) struct Features {
    /// A named set of features
    #[arg(long, value_name = "SET", conflicts_with = "features")]
    set: Option<String>,
    /// A list of expressions
    #[arg(long, short, value_name = "LIST")]
    features: Option<String>,
    /// List columns, functions and sets
    #[arg(long)]
    list: bool,
    /// Print the reference of all columns, functions and sets as Markdown
    #[arg(long, conflicts_with = "list")]
    reference: bool,
    /// Prove that no value depends on records behind it: compute prefixes again and compare
    #[arg(long)]
    causality: bool,
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
enum Book {
    /// Quotes where the header announces them, else depth; for `lob` sets depth first
    Auto,
    Quotes,
    Depth,
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
    let selection = args.select.selection()?;
    if args.causality {
        return causality::run(&args, &chosen, &selection, context);
    }
    let mut opened = Opened::new(&args, &chosen, &selection, context)?;
    if args.write.dry_run {
        let (features, steps) = (chosen.names.len(), chosen.program.steps());
        context.note(format_args!("would compute {features} features in {steps} steps"));
        return Ok(Outcome::Done);
    }
    // Streams without a header show their instruments with their first records.
    let mut batch = Batch::default();
    let mut more = opened.reading.next(&mut batch)?;
    let mut header = opened.header;
    header.instruments = opened.rules.instruments(&selection);
    let mut sink = Sink::open(&args.stream.to, &args.write, &header, context)?;
    let mut progress = context.progress("computing", None);
    let (mut out, mut kept) = (Batch::default(), Batch::default());
    let mut left = args.stream.limit.unwrap_or(u64::MAX);
    let mut stopped = None;
    while more {
        if context.shutdown().requested() {
            stopped = Some("signal".to_owned());
            break;
        }
        if !opened.is_whole {
            keep_selected(&mut batch, &mut kept, &selection);
        }
        out.clear();
        opened.engine.batch(&batch, &mut out);
        if out.len() as u64 > left {
            out = first_of(&out, left as usize);
        }
        left -= out.len() as u64;
        sink.write(&out)?;
        progress.tick(batch.len() as u64);
        if left == 0 {
            stopped = Some("limit".to_owned());
            break;
        }
        more = opened.reading.next(&mut batch)?;
    }
    progress.finish();
    let cut = opened.reading.cut().filter(|_| stopped.is_none());
    let skipped = opened.rules.options.tolerance.skipped();
    let stopped = stopped.or(cut.as_ref().map(|_| "truncated input".to_owned()));
    sink.finish(End { skipped, stopped, ..End::default() })?;
    opened.reading.conclude(&opened.rules, context, cut)
}

/// The features that the flags choose.
#[derive(Debug)]
struct Chosen {
    set: String,
    program: Program,
    names: Vec<String>,
}

impl Chosen {
    fn new(args: &Features) -> anyhow::Result<Self> {
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
        Ok(Self { set: set.to_owned(), program, names })
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
    let member = |(name, text): &(&str, &str)| {
        let expr = qt_market::features::parse(text).expect("the expressions of a set are sound");
        Named { name: (*name).to_owned(), expr }
    };
    Ok(set.features.iter().map(member).collect())
}

fn raise(error: &ExprError, text: &str) -> Failure {
    let failure = Failure::usage(format!("--features: {}", error.pointing_into(text)));
    failure.with_hint("`qt features --list` lists columns and functions")
}

/// An input with the engine that reads it.
struct Opened {
    reading: Reading,
    rules: Rules,
    engine: Engine,
    header: Header,
    is_whole: bool,
}

impl Opened {
    fn new(
        args: &Features,
        chosen: &Chosen,
        selection: &Selection,
        context: &Context,
    ) -> anyhow::Result<Self> {
        let rules = Rules::new(&args.stream.read, context)?;
        let mut sources = Sources::default();
        let flags = (&args.stream.read, &args.select, false);
        let given = open_given(&mut sources, flags, selection, &rules, context)?;
        let mut header = sources.header(selection);
        let has_quotes = (header.kinds.as_ref())
            .is_none_or(|kinds| kinds.iter().any(|kind| kind == Kind::Quote.name()));
        let book = match args.book {
            Book::Quotes => BookFrom::Quotes,
            Book::Depth => BookFrom::Depth,
            // The integer features look below the best level.
            Book::Auto if has_quotes && !has_depth(&chosen.program, &header) => BookFrom::Quotes,
            Book::Auto => BookFrom::Depth,
        };
        let options = EngineOptions {
            set: chosen.set.clone(),
            book,
            only: args.only,
            warm_only: args.warm_only,
            every: args.every,
            ..EngineOptions::default()
        };
        let patterns: Vec<_> = args.of.iter().map(|text| SymbolPattern::new(text)).collect();
        let wanted = move |symbol: &Symbol| {
            patterns.is_empty() || patterns.iter().any(|pattern| pattern.matches(symbol))
        };
        let engine = Engine::new(chosen.program.clone(), options, Box::new(wanted));
        header.kinds = kinds(header.kinds.take(), args.only);
        header.provenance.insert(format!("features.{}", chosen.set), chosen.names.join("; "));
        let reading = sources.merge(&rules);
        Ok(Self { reading, rules, engine, header, is_whole: given.is_whole })
    }
}

/// Whether the program asks for depth and the header announces it, or says nothing.
fn has_depth(program: &Program, header: &Header) -> bool {
    let announced = (header.kinds.as_ref())
        .is_some_and(|kinds| kinds.iter().any(|kind| kind == Kind::Depth.name()));
    matches!(program, Program::Lob(_)) && announced
}

/// The kinds of what comes out.
fn kinds(input: Option<Vec<String>>, only: bool) -> Option<Vec<String>> {
    let feature = Kind::Feature.name().to_owned();
    if only {
        return Some(vec![feature]);
    }
    let mut kinds = input?;
    if !kinds.contains(&feature) {
        kinds.push(feature);
    }
    Some(kinds)
}

fn first_of(batch: &Batch, count: usize) -> Batch {
    let mut first = Batch::new(Arc::clone(batch.instruments()));
    first.push_range(batch, 0, count);
    first
}
