//! `qt record retention`: what is too old goes.

use std::time::Instant;

use anyhow::Context as _;
use clap::Args;
use qt_live::recorder::tend::{self, Expired};
use qt_stream::catalog::{CatalogWriter, Partition};
use qt_stream::runs;

use crate::catalog_sink::raise;
use crate::context::Context;
use crate::outcome::Outcome;
use crate::select_args::now;

/// Delete what is older than it is kept
///
/// Market data is kept for six months, orders and fills for a year, audits for two; files of the log
/// for two weeks once they are in the catalog. Whole partitions and files go, nothing less, and none
/// that a run still on disk was made from. Without --apply it only says what would go.
#[derive(Debug, Args)]
pub(crate) struct Retention {
    /// Delete; without it nothing is touched
    #[arg(long)]
    apply: bool,
    /// Delete at most so many partitions and files
    #[arg(long, value_name = "COUNT", default_value_t = 100)]
    max_delete: usize,
}

pub(crate) fn run(args: &Retention, context: &mut Context) -> anyhow::Result<Outcome> {
    let started = Instant::now();
    let root = context.settings()?.data();
    let lock = match args.apply {
        true => Some(CatalogWriter::lock(&root).map_err(raise)?),
        false => None,
    };
    let (datasets, troubles) = runs::datasets(&context.settings()?.runs())?;
    for trouble in &troubles {
        context.warn(format_args!("{trouble}; whatever the run refers to is kept"));
    }
    // What a damaged manifest refers to cannot be told, so it may be anything.
    let is_pinned = |partition: &Partition| {
        !troubles.is_empty() || datasets.iter().any(|dataset| dataset.refers_to(partition))
    };
    let found = tend::expired(&root, now(), &is_pinned)
        .with_context(|| format!("reading {}", root.display()))?;
    let (mut deleted, mut errors, mut bytes) = (0, troubles.len(), 0);
    for expired in found.expired.iter().take(args.max_delete) {
        let name = match expired {
            Expired::Partition(partition) => partition.folder().display().to_string(),
            Expired::LogFile(_, path) => path.display().to_string(),
        };
        let Some(lock) = &lock else {
            context.note(format_args!("would delete {name}"));
            continue;
        };
        match tend::delete(&root, lock, expired) {
            Ok(freed) => {
                deleted += 1;
                bytes += freed;
                context.note(format_args!("deleted {name}"));
            }
            Err(error) => {
                errors += 1;
                context.warn(format_args!("{name}: {error}"));
            }
        }
    }
    let (scanned, expired) = (found.scanned, found.expired.len());
    let took_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    if context.json() {
        let line = serde_json::json!({
            "scanned": scanned, "expired": expired, "deleted": deleted, "errors": errors,
            "kept_for_runs": found.pinned, "bytes": bytes, "duration_ms": took_ms, "applied": args.apply,
        });
        context.print(format!("{line}\n"))?;
    } else {
        context.print(format!(
            "scanned {scanned}, expired {expired}, kept for runs {}, deleted {deleted}, errors \
             {errors}, bytes {bytes}, {took_ms} ms\n",
            found.pinned
        ))?;
    }
    Ok(if errors > 0 { Outcome::Incomplete } else { Outcome::Done })
}
