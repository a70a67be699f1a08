//! The vocabulary described for others: a JSON Schema for each kind, and its columns.
//!
//! Pure functions of the kinds and their fields, so that what is written down cannot drift from
//! what is read and written.

mod json;
mod tables;

use qt_model::record::Kind;

pub use json::json_schema;
pub use tables::{Column, columns, markdown};

/// What a schema describes: a kind of record, or a record of the frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Described {
    pub name: &'static str,
    pub doc: &'static str,
    /// `None` for a record of the frame.
    pub kind: Option<Kind>,
}

/// All there is, in the order of the registry, the frame first.
pub fn all() -> Vec<Described> {
    let frame = [
        ("stream", "Opens a stream: schema version, order, instruments with their scales."),
        ("end", "Closes a stream: how many records stood in it, and their digest."),
    ];
    let frame = frame.map(|(name, doc)| Described { name, doc, kind: None });
    let kinds = Kind::ALL.iter().copied().filter(|kind| *kind != Kind::Other);
    let kinds =
        kinds.map(|kind| Described { name: kind.name(), doc: kind.doc().trim(), kind: Some(kind) });
    frame.into_iter().chain(kinds).collect()
}

#[cfg(test)]
mod tests;
