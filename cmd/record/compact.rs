//! `qt record compact`, and `qt catalog compact`: a partition as one file.

use std::path::Path;
use std::sync::Arc;

use clap::Args;
use qt_live::recorder::{Target, tend};
use qt_market::merge::OrderRule;
use qt_model::record::Batch;
use qt_stream::catalog::{self, Partition, Replacement};
use qt_stream::frame::Header;
use qt_stream::parquet_file::Span;

use crate::catalog_sink::raise;
use crate::context::Context;
use crate::failure::FailureExt;
use crate::outcome::{Exit, Outcome};
use crate::select_args::{SelectArgs, now};
use crate::streams::{Rules, Sources};
use crate::write_args::WriteArgs;

/// Fold the files of each partition into one, sorted, without repetitions
///
/// First brings into the catalog what a recorder left in the log, and grades the days that are over.
/// A day that is not over is left alone. The same files give the same bytes.
#[derive(Debug, Args)]
pub(crate) struct Compact {
    #[command(flatten)]
    select: SelectArgs,
    #[command(flatten)]
    write: WriteArgs,
}

pub(crate) fn run(args: &Compact, context: &mut Context) -> anyhow::Result<Outcome> {
    let settings = context.settings()?;
    let root = settings.data();
    let catalog = catalog::Catalog::new(&root);
    let rows = settings.catalog_row_group_records() as usize;
    let today = now().date();
    if !args.write.dry_run && catalog.exists() {
        prepare(&root, rows, context)?;
    }
    let mut folded = 0;
    for stat in catalog.stat(&args.select.selection()?)? {
        if stat.files < 2 {
            continue;
        }
        let partition = stat.partition;
        if partition.date >= today {
            context.note(format_args!("{}: the day is not over", partition.folder().display()));
            continue;
        }
        if args.write.dry_run {
            context.note(format_args!("would compact {}", partition.folder().display()));
            continue;
        }
        match fold(&catalog, &partition, rows, context)? {
            Some(meta) => {
                folded += 1;
                context.note(format_args!("{}: {} rows", partition.folder().display(), meta.rows));
            }
            None => return Ok(Outcome::Incomplete),
        }
    }
    context.note(format_args!("{folded} partitions compacted"));
    Ok(Outcome::Done)
}

/// What has to be true before files are folded: a claim on the log that is not finished would not
/// know its own parts any more once they were folded twice.
fn prepare(root: &Path, rows: usize, context: &Context) -> anyhow::Result<()> {
    let target = Target::take(root, &Default::default(), rows).map_err(raise)?;
    let loaded = target.recover(now()).exit(Exit::Outside)?;
    if loaded.rows > 0 {
        context.note(format_args!("{} records came from the log", loaded.rows));
    }
    let graded = tend::grade_days(root, &target.lock, now().date())?;
    if graded > 0 {
        context.note(format_args!("{graded} partitions graded"));
    }
    Ok(())
}

/// `None` if a signal came first: nothing has changed then.
fn fold(
    catalog: &catalog::Catalog,
    partition: &Partition,
    rows: usize,
    context: &Context,
) -> anyhow::Result<Option<catalog::Meta>> {
    let mut rules = Rules::default();
    rules.order = OrderRule::DropRepeats;
    let whole = catalog::Selection {
        span: Span { from: partition.date.start(), to: partition.date.plus_days(1).start() },
        ..catalog::Selection::only(partition)
    };
    let mut sources = Sources::default();
    for part in catalog.parts(&whole, &rules.options)? {
        let first = part.description.span.map(|(first, _)| first);
        sources.add_file(&part.path, Span::ALL, first, &rules);
        sources.headers.extend(part.description.header);
    }
    let mut header = Header::new(rules.options.universe.snapshot()).with_kinds([partition.kind]);
    header.provenance = sources.provenance();
    let mut target = Replacement::begin(catalog.root(), partition, &header, rows)?;
    let mut reading = sources.merge(&rules);
    let mut batch = Batch::new(Arc::clone(&header.instruments));
    while reading.next(&mut batch)? {
        target.write(&batch)?;
        if context.shutdown().requested() {
            return Ok(None);
        }
    }
    Ok(Some(target.commit()?))
}
