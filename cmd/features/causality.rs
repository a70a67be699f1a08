//! The proof that no value depends on what comes behind it: prefixes give the same rows.

use std::path::Path;

use qt_model::record::Batch;
use qt_stream::digest::Digest;

use super::{Chosen, Features, Opened};
use crate::context::Context;
use crate::failure::Failure;
use crate::outcome::Outcome;
use crate::streams::{first_of, is_catalog};

/// How many prefixes are computed again.
const PREFIXES: u64 = 8;

pub(super) fn run(args: &Features, chosen: &Chosen, context: &Context) -> anyhow::Result<Outcome> {
    let is_pipe = |path: &Path| path == Path::new("-");
    if args.stream.read.input.iter().any(|path| is_pipe(path))
        || args.stream.read.input.is_empty() && !is_catalog(&args.stream.read, &args.select, false)
    {
        let refusal = Failure::usage("--causality reads its input several times");
        return Err(refusal.with_hint("name files with --input, or a part of the catalog").into());
    }
    let pass = |until: u64| compute(args, chosen, until, context);
    let (records, _) = pass(u64::MAX)?;
    let cuts = (1..=PREFIXES).map(|part| records * part / PREFIXES).filter(|cut| *cut > 0);
    for cut in cuts {
        // Up to here with all that follows within reach, and with nothing behind.
        let (_, whole) = pass_through(args, chosen, cut, context)?;
        let (_, prefix) = pass(cut)?;
        if whole != prefix {
            context.print(format!("the rows of the first {cut} records change: not causal\n"))?;
            return Ok(Outcome::No);
        }
    }
    context.print(format!(
        "{records} records, {} features: no value depends on records behind it\n",
        chosen.names.len()
    ))?;
    Ok(Outcome::Done)
}

/// Computes the rows of the first `until` records, the input cut off there.
fn compute(
    args: &Features,
    chosen: &Chosen,
    until: u64,
    context: &Context,
) -> anyhow::Result<(u64, String)> {
    digest(args, chosen, (until, true), context)
}

/// Computes the rows of whole batches, and digests those of the first `until` records.
fn pass_through(
    args: &Features,
    chosen: &Chosen,
    until: u64,
    context: &Context,
) -> anyhow::Result<(u64, String)> {
    digest(args, chosen, (until, false), context)
}

fn digest(
    args: &Features,
    chosen: &Chosen,
    (until, cuts_input): (u64, bool),
    context: &Context,
) -> anyhow::Result<(u64, String)> {
    let mut opened = Opened::new(args, chosen, context)?;
    let (mut batch, mut out) = (Batch::default(), Batch::default());
    let (mut digest, mut records) = (Digest::default(), 0);
    while records < until && opened.filter.next(&mut batch)? {
        let left = usize::try_from(until - records).unwrap_or(usize::MAX).min(batch.len());
        records += left as u64;
        if cuts_input && left < batch.len() {
            batch = first_of(&batch, left);
        }
        out.clear();
        opened.engine.batch(&batch, &mut out);
        let end = end_of(&batch, left, &out);
        digest.update(&first_of(&out, end));
    }
    Ok((records, digest.text()))
}

/// How many records of `out` belong to the first `left` of `batch`.
fn end_of(batch: &Batch, left: usize, out: &Batch) -> usize {
    if left == batch.len() {
        return out.len();
    }
    // The next record of the input, and rows of its own behind it, lie beyond the cut.
    let next = *batch.get(left).head();
    let is_next = |at: &usize| {
        let head = out.get(*at);
        let head = head.head();
        (head.ts_recv, head.seq, head.instrument) == (next.ts_recv, next.seq, next.instrument)
    };
    (0..out.len()).find(is_next).unwrap_or(out.len())
}
