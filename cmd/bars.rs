//! `qt bars`: trades or quotes summed up.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use qt_market::bars::{self, Every, EveryError, Late, Of, Tally};
use qt_market::calendar::Calendar;
use qt_model::instrument::Instruments;
use qt_model::record::{Batch, Kind};
use qt_stream::parquet_file::Span;

use crate::context::Context;
use crate::failure::FailureExt;
use crate::hours::Hours;
use crate::outcome::{Exit, Outcome};
use crate::problem::Problems;
use crate::select_args::SelectArgs;
use crate::stream_args::StreamArgs;
use crate::streams::{Filter, Stage};
use crate::toml_text::TomlText;
use crate::write_args::WriteArgs;

/// Make bars of trades or quotes
///
/// Passes records through and puts `bar` records in their places, each behind the record that ended
/// it. A bar ends by time (1m), by count (100ticks), by size (10volume), by money (1e6notional), by
/// what was bought more than sold (500imbalance), by what one side took (500run), or by the last two
/// with a measure that it learns (imbalance, run). Reads the files of --input; the catalog, where a
/// range asks for it or standard input is a terminal; else standard input.
#[derive(Debug, Args)]
pub(crate) struct Bars {
    /// What ends a bar; several, comma-separated, make several series
    #[arg(long, value_name = "LENGTHS", value_delimiter = ',', default_value = "1m", value_parser = every)]
    every: Vec<Every>,
    /// What bars are made of
    #[arg(long, value_name = "PRICES", default_value = "trades")]
    of: Prices,
    /// What becomes of a print older than the bar at hand
    #[arg(long, value_name = "RULE", default_value = "include")]
    late: LateRule,
    /// Repeat the close where an interval of time has no print
    #[arg(long)]
    fill_empty: bool,
    /// Write the bars that the end of the stream leaves open
    #[arg(long)]
    unfinished: bool,
    /// Write the bars without the records that they are made of
    #[arg(long)]
    only: bool,
    /// Sessions, from the table `[calendar]` of this TOML file: what trades outside counts nowhere
    #[arg(long, value_name = "FILE")]
    calendar: Option<PathBuf>,
    #[command(flatten)]
    select: SelectArgs,
    #[command(flatten)]
    stream: StreamArgs,
    #[command(flatten)]
    write: WriteArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Prices {
    Trades,
    /// The best bid of each quote
    Bid,
    /// The best ask of each quote
    Ask,
    /// The middle of both, with one decimal more; needs --only
    Mid,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum LateRule {
    /// It counts in the bar at hand
    Include,
    /// It counts nowhere
    Drop,
}

fn every(text: &str) -> Result<Every, EveryError> {
    Every::parse(text)
}

pub(crate) fn run(args: Bars, context: &mut Context) -> anyhow::Result<Outcome> {
    let calendar = match &args.calendar {
        Some(path) => calendar(path)?,
        None => Calendar::default(),
    };
    let rules = bars::Rules {
        every: args.every.clone(),
        of: match args.of {
            Prices::Trades => Of::Trades,
            Prices::Bid => Of::Bid,
            Prices::Ask => Of::Ask,
            Prices::Mid => Of::Mid,
        },
        late: match args.late {
            LateRule::Include => Late::Include,
            LateRule::Drop => Late::Drop,
        },
        fill_empty: args.fill_empty,
        unfinished: args.unfinished,
        only: args.only,
        calendar,
    };
    let mut bars = bars::Bars::new(rules).exit(Exit::Usage)?;
    let mut filter = Filter::open(&args.stream.read, &args.select, context)?;
    filter.header.add_kind(Kind::Bar, args.only);
    if args.write.dry_run {
        context.note(format_args!("would make {} series of bars", args.every.len()));
        return Ok(Outcome::Done);
    }
    let outcome = filter.run(&mut bars, (&args.stream, &args.write), context);
    speak(bars.tally(), args.unfinished, context);
    outcome
}

/// Says what is not in the bars.
fn speak(tally: &Tally, unfinished: bool, context: &Context) {
    let note = |count: u64, what: &str| {
        if count > 0 {
            context.note(format_args!("{count} {what}"));
        }
    };
    note(tally.late, "prints came late, behind the beginning of a later bar");
    note(tally.outside, "prints lay outside of sessions and count nowhere");
    note(tally.sizeless, "prints had no size and count nowhere");
    note(tally.unfilled, "holes were too long to be filled to their end");
    if !unfinished {
        note(tally.unfinished, "bars were left open at the end; --unfinished writes them");
    }
}

/// The sessions of a file.
fn calendar(path: &Path) -> anyhow::Result<Calendar> {
    let text = fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
    let mut toml = TomlText::parse(path, &text);
    let document = toml.document();
    let hours = match document.get("calendar").and_then(|value| value.get_ref().as_table()) {
        Some(table) => Hours::read(&mut toml, "calendar", table),
        None => {
            toml.complain(0, "calendar", "expected a table [calendar]");
            None
        }
    };
    if let Some(problems) = Problems::some(toml.problems()) {
        return Err(problems.into());
    }
    // Venue times may lie a little before and behind the receive times of a range.
    hours.map_or_else(|| Ok(Calendar::default()), |hours| hours.calendar(Span::ALL))
}

impl Stage for bars::Bars {
    const DOING: &'static str = "making bars";

    fn batch(&mut self, batch: &Batch, out: &mut Batch) -> anyhow::Result<()> {
        bars::Bars::batch(self, batch, out).exit(Exit::Input)
    }

    fn finish(&mut self, out: &mut Batch) -> anyhow::Result<()> {
        bars::Bars::finish(self, out);
        Ok(())
    }

    fn instruments(&self, input: Arc<Instruments>) -> anyhow::Result<Arc<Instruments>> {
        bars::Bars::instruments(self, &input).exit(Exit::Input)
    }
}
