//! What can go wrong between bytes and records, each variant a different decision for the caller.

use std::sync::Arc;

use qt_model::decimal::DecimalError;
use qt_model::instrument::{SymbolError, TableError};
use qt_model::record::{Kind, Record};
use qt_model::units::ScaleError;

use crate::place::Place;

/// Reading failed. `Record` alone can be skipped; all others end the input.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// One record cannot be read; those after it can.
    #[error("{place}: {problem}")]
    Record { place: Place, problem: Box<Problem>, text: Option<Box<[u8]>> },
    /// The bytes stop making sense here.
    #[error("{place}: {message}")]
    Corrupt { place: Place, message: String },
    /// The input ends before its end.
    #[error("{place}: the stream is cut: {message}")]
    Truncated { place: Place, message: String },
    /// The stream was written by a later version of the schema.
    #[error("{place}: schema version {found} is newer than {known}, the newest that this qt reads")]
    Schema { place: Place, found: u64, known: u64 },
    /// The input is of a kind that cannot be read here.
    #[error("{place}: {message}")]
    Unreadable { place: Place, message: String },
    /// What was said about the input, beside it, makes no sense.
    #[error("{place}: {message}")]
    Told { place: Place, message: String },
    /// Count or digest do not agree with the `end` record.
    #[error("{place}: {message}")]
    Mismatch { place: Place, message: String },
    /// The message says the cause, which is therefore no `source`: a chain would print it twice.
    #[error("{place}: {cause}")]
    Io { place: Place, cause: std::io::Error },
}

/// Why one record cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    #[error("the line is not UTF-8 (byte {byte} of the line)")]
    NotUtf8 { byte: usize },
    #[error("the line is longer than {limit} bytes")]
    TooLong { limit: usize },
    #[error("not JSON: {message} (column {column})")]
    Json { column: usize, message: String },
    #[error("the key `{key}` stands twice in one record")]
    DuplicateKey { key: String },
    #[error("the `{kind}` record: {message}")]
    Frame { kind: &'static str, message: String },
    #[error("a record needs `k`, its kind, first of all")]
    NoKind,
    #[error("a {kind} record needs `{field}`: expected {expected}")]
    Missing { kind: &'static str, field: &'static str, expected: String },
    #[error("field `{field}`: expected {expected}, found {found}")]
    Field { field: String, expected: String, found: String },
    #[error("field `{field}`: {source}, found {found}")]
    Number { field: String, source: DecimalError, found: String },
    #[error("field `sym`: {source}")]
    Symbol { source: SymbolError },
    #[error("field `{field}`: {source}")]
    Scale { field: &'static str, source: ScaleError },
    #[error("{source}")]
    Table { source: TableError },
    #[error("the row has {found} columns, the first line has {expected}")]
    Columns { expected: usize, found: usize },
    #[error("{message}")]
    Row { message: String },
}

impl Problem {
    /// The same of a field under another name, where it is about a field that has one.
    #[must_use]
    pub(crate) fn of_field(mut self, name: impl FnOnce() -> String) -> Self {
        if let Self::Field { field, .. } | Self::Number { field, .. } = &mut self {
            *field = name();
        }
        self
    }
}

impl ReadError {
    pub fn place(&self) -> &Place {
        match self {
            Self::Record { place, .. }
            | Self::Corrupt { place, .. }
            | Self::Truncated { place, .. }
            | Self::Schema { place, .. }
            | Self::Unreadable { place, .. }
            | Self::Told { place, .. }
            | Self::Mismatch { place, .. }
            | Self::Io { place, .. } => place,
        }
    }

    pub(crate) fn io(input: &Arc<str>, source: std::io::Error) -> Self {
        Self::Io { place: Place::whole(input), cause: source }
    }

    /// A failed read: of a damaged wrapping, or of the thing itself.
    pub fn of_read(place: Place, source: std::io::Error) -> Self {
        use std::io::ErrorKind;
        let table = source.get_ref().and_then(|error| error.downcast_ref::<TableDamage>());
        if let Some(TableDamage(message)) = table {
            return Self::Corrupt { place, message: message.clone() };
        }
        match source.kind() {
            ErrorKind::UnexpectedEof => {
                let message = format!("the compressed data ends early ({source})");
                Self::Truncated { place, message }
            }
            ErrorKind::InvalidData | ErrorKind::InvalidInput | ErrorKind::Other => {
                let message = format!("the compressed data is damaged: {source}");
                Self::Corrupt { place, message }
            }
            _ => Self::Io { place, cause: source },
        }
    }

    /// What the user can do about it, where there is something.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Record { problem, .. } => problem.hint(),
            Self::Truncated { .. } => {
                Some("`--allow-truncated` accepts a stream without its `end` record")
            }
            Self::Schema { .. } => Some("a newer qt reads it"),
            Self::Told { .. } => Some("docs/import.md says what a map of columns holds"),
            Self::Mismatch { .. } => {
                Some("records were changed, added or removed since the stream was written")
            }
            Self::Corrupt { .. } | Self::Unreadable { .. } | Self::Io { .. } => None,
        }
    }
}

/// What is wrong with a table that is read as the text of its rows.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct TableDamage(pub(crate) String);

impl From<TableDamage> for std::io::Error {
    fn from(damage: TableDamage) -> Self {
        Self::new(std::io::ErrorKind::InvalidData, damage)
    }
}

impl Problem {
    fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Number { source: DecimalError::DoesNotFit { .. }, .. } => Some(
                "declare the instrument's scales in a `stream` or `instrument` record before it",
            ),
            Self::Symbol { .. } => Some("write symbols as venue:NAME, such as binance:BTCUSDT"),
            _ => Some("`--on-error skip` or `--on-error quarantine` goes on without such records"),
        }
    }

    pub(crate) fn field(field: &str, expected: impl Into<String>, found: &[u8]) -> Self {
        Self::Field { field: field.to_owned(), expected: expected.into(), found: excerpt(found) }
    }
}

/// The beginning of what was found, short enough for a message.
pub(crate) fn excerpt(text: &[u8]) -> String {
    const LIMIT: usize = 60;
    let shown = String::from_utf8_lossy(&text[..text.len().min(LIMIT)]);
    let more = if text.len() > LIMIT { "…" } else { "" };
    format!("{}{more}", shown.escape_debug())
}

/// The kind that a record names, known or not.
pub(crate) fn name_of<'a>(record: &Record<'a>) -> &'a str {
    match record {
        Record::Other(view) => &view.row.kind,
        known => known.kind().name(),
    }
}

/// Writing failed.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// The encoding has no way to hold this.
    #[error("{0}")]
    Unfit(String),
    #[error("{place}: {message}")]
    Exists { place: Box<str>, message: &'static str },
    #[error("{place}: another process writes to this catalog; wait for it or stop it")]
    Busy { place: Box<str> },
}

impl WriteError {
    /// A record of another kind than the one that its holder was opened for.
    pub(crate) fn misplaced(record: &Record<'_>, only: Kind, holder: &str) -> Self {
        let name = name_of(record);
        Self::Unfit(format!(
            "a record of kind `{name}` among {} records: {holder} holds one kind; choose it with \
             --kinds",
            only.name()
        ))
    }

    /// Whether the reader at the other end went away, which is no failure.
    pub fn is_closed_pipe(&self) -> bool {
        matches!(self, Self::Io(source) if source.kind() == std::io::ErrorKind::BrokenPipe)
    }
}
