//! `qt replay verify`: the same selection gives the same records, however it is read.

use qt_market::order::Key;
use qt_model::record::Batch;
use qt_stream::ndjson::Encoder;
use sha2::{Digest as _, Sha256};

use super::cursor::Cursor;
use super::{Plan, Replay, reopen};
use crate::context::Context;
use crate::outcome::Outcome;

/// What one pass over the selection saw.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Seen {
    records: u64,
    /// SHA-256 over the records as NDJSON.
    sha256: String,
}

pub(super) fn run(args: &Replay, plan: &Plan, context: &Context) -> anyhow::Result<Outcome> {
    let usual = context.settings()?.stream_batch_records() as usize;
    let (first, cursors) = whole(args, plan, usual, context)?;
    let mut passes = vec![("again".to_owned(), whole(args, plan, usual, context)?.0)];
    for size in [1, 100, 10_000] {
        passes.push((format!("batches of {size}"), whole(args, plan, size, context)?.0));
    }
    for (records, cursor) in cursors {
        let name = format!("resumed behind record {records}");
        passes.push((name, resumed(args, plan, records, &cursor, context)?));
    }
    let mut is_equal = true;
    for (name, seen) in &passes {
        let same = *seen == first;
        is_equal &= same;
        if !same {
            context.warn(format_args!(
                "{name}: {} records, sha256 {}; at first: {} records, sha256 {}",
                seen.records, seen.sha256, first.records, first.sha256
            ));
        }
    }
    let text = if context.json() {
        let (records, sha256, passes) = (first.records, &first.sha256, passes.len() + 1);
        serde_json::json!({"equal": is_equal, "records": records, "sha256": sha256, "passes": passes})
            .to_string()
    } else {
        let word = if is_equal { "equal" } else { "DIFFERENT" };
        format!(
            "{} records  sha256 {}  {} passes {word}",
            first.records,
            first.sha256,
            passes.len() + 1
        )
    };
    context.print(text + "\n")?;
    Ok(if is_equal { Outcome::Done } else { Outcome::No })
}

/// A pass over everything; and a few cursors met on the way, with the records up to them.
fn whole(
    args: &Replay,
    plan: &Plan,
    batch_records: usize,
    context: &Context,
) -> anyhow::Result<(Seen, Vec<(u64, Cursor)>)> {
    let mut hasher = Hasher::new();
    let mut cursors = Vec::new();
    pass(args, plan, batch_records, context, u64::MAX, &mut hasher, &mut |records, cursor| {
        // Powers of two: early, late, and not at the same place of every batch.
        if records.is_power_of_two() && cursors.len() < 40 {
            cursors.push((records, cursor()));
        }
    })?;
    let keep = cursors.len().saturating_sub(6);
    cursors.drain(..keep);
    Ok((hasher.seen(), cursors))
}

/// A pass up to a cursor, and another from there on.
fn resumed(
    args: &Replay,
    plan: &Plan,
    records: u64,
    cursor: &Cursor,
    context: &Context,
) -> anyhow::Result<Seen> {
    let mut hasher = Hasher::new();
    pass(args, plan, 1_000, context, records, &mut hasher, &mut |_, _| {})?;
    let mut rest = plan.clone();
    rest.selection.span.from = rest.selection.span.from.max(cursor.ts_recv());
    rest.cursor = Some(cursor.clone());
    pass(args, &rest, 1_000, context, u64::MAX, &mut hasher, &mut |_, _| {})?;
    Ok(hasher.seen())
}

fn pass(
    args: &Replay,
    plan: &Plan,
    batch_records: usize,
    context: &Context,
    limit: u64,
    hasher: &mut Hasher,
    visit: &mut dyn FnMut(u64, &dyn Fn() -> Cursor),
) -> anyhow::Result<()> {
    let mut reading = reopen(args, plan, batch_records, context)?;
    let mut batch = Batch::default();
    let mut kept = Batch::default();
    let mut behind = false;
    let mut records = 0;
    while records < limit && reading.next(&mut batch)? {
        kept.clear();
        kept.set_instruments(std::sync::Arc::clone(batch.instruments()));
        for record in batch.iter() {
            if records < limit && plan.wants(&record, &batch, &mut behind) {
                kept.push(record);
                records += 1;
                visit(records, &|| Cursor::at(&Key::of(&record), batch.instruments()));
            }
        }
        hasher.take(&kept);
    }
    match reading.cut() {
        Some(cut) => Err(cut.into()),
        None => Ok(()),
    }
}

/// Hashes records as the lines that they would be.
struct Hasher {
    encoder: Encoder,
    buffer: Vec<u8>,
    hash: Sha256,
    records: u64,
}

impl Hasher {
    fn new() -> Self {
        Self { encoder: Encoder::default(), buffer: Vec::new(), hash: Sha256::new(), records: 0 }
    }

    fn take(&mut self, batch: &Batch) {
        self.buffer.clear();
        self.encoder.batch(batch, &mut self.buffer);
        self.hash.update(&self.buffer);
        self.records += batch.len() as u64;
    }

    fn seen(self) -> Seen {
        let sha256 = self.hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        Seen { records: self.records, sha256 }
    }
}
