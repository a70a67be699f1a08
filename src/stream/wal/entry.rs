//! The text of one file: its first line and its records.

use std::sync::Arc;

use qt_model::instrument::Instruments;
use qt_model::record::{Batch, Kind};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use crate::frame::Header;
use crate::json::encode::Encoder;

/// What the first line says beyond what every `stream` record says.
#[derive(Debug, Deserialize)]
pub(super) struct Label {
    pub(super) table: String,
    pub(super) count: u64,
    pub(super) crc32: String,
}

/// The text of a file for a batch of one kind, and the hash of its rows.
pub(super) fn encode(kind: Kind, batch: &Batch) -> (Vec<u8>, String) {
    let mut body = Vec::with_capacity(256 * batch.len());
    Encoder::default().batch(batch, &mut body);
    let hash = content_hash(kind, &body);
    let mut text = first_line(kind, &used(batch), batch.len() as u64, &body).into_bytes();
    text.extend_from_slice(&body);
    (text, hash)
}

/// SHA-256 of the table and its rows in order: what a batch is known by.
pub fn content_hash(kind: Kind, body: &[u8]) -> String {
    let mut hash = Sha256::new();
    hash.update(kind.name());
    hash.update(b"\n");
    hash.update(body);
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A `stream` record, so that a file can be read like any stream, with the label in it.
pub(super) fn first_line(kind: Kind, used: &Instruments, count: u64, body: &[u8]) -> String {
    let header = Header::new(Arc::new(used.clone())).with_kinds([kind]);
    let columns: Vec<&str> = ["ts_event", "ts_recv", "sym"]
        .into_iter()
        .chain(kind.fields().iter().map(|field| field.name))
        .chain((kind == Kind::Depth).then_some(["bids", "asks"]).into_iter().flatten())
        .chain(["seq"])
        .collect();
    let label = serde_json::json!({
        "table": kind.name(),
        "columns": columns,
        "count": count,
        "crc32": format!("{:08x}", crc32fast::hash(body)),
    });
    let label = label.to_string();
    let stream = header.to_json();
    // The label goes in front of the closing brace of the record.
    format!("{},{}\n", &stream[..stream.len() - 1], &label[1..])
}

/// The instruments of the records alone: a file stands for itself and is no longer than it must be.
pub(super) fn used(batch: &Batch) -> Instruments {
    let mut table = Instruments::default();
    let mut ids: Vec<_> = batch.iter().filter_map(|record| record.head().instrument).collect();
    ids.sort_unstable_by_key(|id| id.index());
    ids.dedup();
    for id in ids {
        let instrument = batch.instruments().get(id).clone();
        table.declare(instrument).expect("a part of a table fits a table");
    }
    table
}
