//! `qt record verify`: whether the catalog is what it says it is.

use clap::Args;
use qt_market::merge::OrderRule;
use qt_model::record::{Batch, Kind};
use qt_model::time::Ts;
use qt_stream::catalog::{self, Partition};
use qt_stream::parquet_file::Span;

use crate::context::Context;
use crate::listing::{Cell, Table};
use crate::outcome::Outcome;
use crate::select_args::SelectArgs;
use crate::streams::{Rules, Sources};

/// Check hashes, order, repetitions, numbers and grades of the catalog
///
/// Reads every partition of the selection. Exit code 1 if a file is not what its note says, records
/// are out of order or there twice, numbers go back, or a day is graded bad. Holes in the numbers and
/// gap records are listed and are no fault of the catalog.
#[derive(Debug, Args)]
pub(crate) struct Verify {
    #[command(flatten)]
    select: SelectArgs,
}

/// What one partition comes to.
#[derive(Default)]
struct Findings {
    rows: u64,
    repetitions: u64,
    disorder: u64,
    backward: u64,
    holes: u64,
    wrong: Vec<String>,
}

pub(crate) fn run(args: &Verify, context: &mut Context) -> anyhow::Result<Outcome> {
    let catalog = catalog::Catalog::new(&context.settings()?.data());
    let columns = [
        "kind", "symbol", "date", "rows", "twice", "disorder", "back", "holes", "grade", "verdict",
    ];
    let mut table = Table::new(&columns);
    let mut is_well = true;
    for stat in catalog.stat(&args.select.selection()?)? {
        let partition = stat.partition;
        let found = verify(&catalog, &partition)?;
        let is_bad = stat.grade.as_deref() == Some("bad");
        let faults = found.repetitions + found.disorder + found.backward;
        let is_sound = faults == 0 && found.wrong.is_empty() && !is_bad;
        is_well &= is_sound;
        found.wrong.iter().for_each(|wrong| context.warn(wrong));
        table.row([
            Cell::Text(partition.kind.name().to_owned()),
            Cell::Text(partition.symbol.as_ref().map_or("-".to_owned(), ToString::to_string)),
            Cell::Text(partition.date.to_string()),
            Cell::Number(found.rows),
            Cell::Number(found.repetitions),
            Cell::Number(found.disorder),
            Cell::Number(found.backward),
            Cell::Number(found.holes),
            Cell::Text(stat.grade.unwrap_or_else(|| "-".to_owned())),
            Cell::Text(if is_sound { "sound" } else { "unsound" }.to_owned()),
        ]);
    }
    table.print(context)?;
    Ok(if is_well { Outcome::Done } else { Outcome::No })
}

fn verify(catalog: &catalog::Catalog, partition: &Partition) -> anyhow::Result<Findings> {
    let wrong = catalog.check_hashes(partition)?.into_iter();
    let wrong = wrong.map(|(path, message)| format!("{}: {message}", path.display())).collect();
    let mut found = Findings { wrong, ..Findings::default() };
    let mut rules = Rules::default();
    rules.order = OrderRule::Warn;
    let span = Span { from: partition.date.start(), to: partition.date.plus_days(1).start() };
    let selection = catalog::Selection { span, ..catalog::Selection::only(partition) };
    let mut sources = Sources::default();
    for part in catalog.parts(&selection, &rules.options)? {
        let first = part.description.span.map(|(first, _)| first);
        sources.add_file(&part.path, Span::ALL, (first, None), &rules);
    }
    let mut reading = sources.merge(&rules);
    let mut batch = Batch::default();
    let mut last: Option<(Ts, u64)> = None;
    let mut read = || -> anyhow::Result<()> {
        while reading.next(&mut batch)? {
            for record in batch.iter() {
                found.look((record.head().ts_recv, record.head().seq), &mut last, partition.kind);
            }
        }
        Ok(())
    };
    if let Err(error) = read() {
        found.wrong.push(format!("{}: {error:#}", partition.folder().display()));
    }
    Ok(found)
}

impl Findings {
    fn look(&mut self, at: (Ts, u64), last: &mut Option<(Ts, u64)>, kind: Kind) {
        self.rows += 1;
        let Some(before) = last.replace(at) else { return };
        if at == before {
            self.repetitions += 1;
        } else if at < before {
            self.disorder += 1;
        } else if at.1 <= before.1 {
            self.backward += 1;
        } else if at.1 > before.1 + 1 && kind.is_market() {
            self.holes += 1;
        }
    }
}
