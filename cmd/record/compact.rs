//! `qt record compact`, and `qt catalog compact`: a partition as one file.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use qt_live::recorder::{Target, tend};
use qt_market::merge::OrderRule;
use qt_model::record::Batch;
use qt_stream::catalog::{self, Partition, Replacement, WriterLock};
use qt_stream::error::ReadError;
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
/// A day that is not over is left alone. The same files give the same bytes. Files that were changed
/// or cannot be read are moved to quality/quarantine and listed there; the exit code is 5 then.
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
    let (mut folded, mut quarantined) = (0, 0);
    for partition in catalog.partitions(&args.select.selection()?)? {
        if catalog.files(&partition)?.len() < 2 {
            continue;
        }
        if partition.date >= today {
            context.note(format_args!("{}: the day is not over", partition.folder().display()));
            continue;
        }
        if args.write.dry_run {
            context.note(format_args!("would compact {}", partition.folder().display()));
            continue;
        }
        quarantined += set_aside_changed(&catalog, &partition, context)?;
        while catalog.files(&partition)?.len() >= 2 {
            match fold(&catalog, &partition, rows, context) {
                Ok(Some(meta)) => {
                    folded += 1;
                    let folder = partition.folder();
                    context.note(format_args!("{}: {} rows", folder.display(), meta.rows));
                    break;
                }
                Ok(None) => return Ok(Outcome::Incomplete),
                Err(error) => set_aside_broken(&catalog, &partition, error, context)?,
            }
            quarantined += 1;
        }
    }
    context.note(format_args!("{folded} partitions compacted"));
    if quarantined > 0 {
        context.warn(format_args!("{quarantined} files cannot be read and are in quarantine"));
        return Ok(Outcome::Incomplete);
    }
    Ok(Outcome::Done)
}

/// Moves files out of the way that are not what they were when they were written.
fn set_aside_changed(
    catalog: &catalog::Catalog,
    partition: &Partition,
    context: &Context,
) -> anyhow::Result<u64> {
    let mut moved = 0;
    for file in catalog.files(partition)? {
        if let Some(reason) = catalog.check_hash(partition, &file)? {
            set_aside(catalog, partition, &file, &reason, context)?;
            moved += 1;
        }
    }
    Ok(moved)
}

/// Moves the file out of the way that an error is about; any other error stays one.
fn set_aside_broken(
    catalog: &catalog::Catalog,
    partition: &Partition,
    error: anyhow::Error,
    context: &Context,
) -> anyhow::Result<()> {
    let found = error.chain().find_map(|cause| cause.downcast_ref::<ReadError>());
    let place = match found {
        Some(
            error @ (ReadError::Record { .. }
            | ReadError::Corrupt { .. }
            | ReadError::Truncated { .. }
            | ReadError::Unreadable { .. }
            | ReadError::Mismatch { .. }),
        ) => Some((&*error.place().input, error.to_string())),
        Some(ReadError::Schema { .. } | ReadError::Told { .. } | ReadError::Io { .. }) | None => {
            None
        }
    };
    let files = catalog.files(partition)?;
    let is_at = |file: &&PathBuf, input: &str| file.display().to_string() == input;
    let broken = place.and_then(|(input, reason)| {
        files.iter().find(|file| is_at(file, input)).map(|file| (file, reason))
    });
    match broken {
        Some((file, reason)) => set_aside(catalog, partition, file, &reason, context),
        None => Err(error),
    }
}

fn set_aside(
    catalog: &catalog::Catalog,
    partition: &Partition,
    file: &Path,
    reason: &str,
    context: &Context,
) -> anyhow::Result<()> {
    let lock = WriterLock::take(catalog.root()).map_err(raise)?;
    let moved = catalog.quarantine(&lock, partition, file, reason, now())?;
    context.warn(format_args!("{reason}; the file lies at {} now", moved.path.display()));
    Ok(())
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
    rules.options.verify = true;
    let whole = catalog::Selection {
        span: Span { from: partition.date.start(), to: partition.date.plus_days(1).start() },
        ..catalog::Selection::only(partition)
    };
    let mut sources = Sources::default();
    for part in catalog.parts(&whole, &rules.options)? {
        let first = part.description.span.map(|(first, _)| first);
        sources.add_file(&part.path, Span::ALL, (first, None), &rules);
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
