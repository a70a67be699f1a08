//! The records that frame a stream: `stream` opens it, `end` closes it.
//!
//! A header says what a reader must know beforehand: schema version, order, instruments with their
//! scales, where the data came from. An end says what must have arrived.

use std::collections::BTreeMap;
use std::sync::Arc;

use qt_model::instrument::{Instrument, Instruments};
use qt_model::record::{Head, InstrumentRow, Kind, Record, Row, View};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::error::Problem;
use crate::json::{encode, general, object};

/// The version of the record schema. It grows when a reader of the old version would be wrong.
pub const SCHEMA: u64 = 1;

/// The keys of the total order of a stream.
pub const ORDER: [&str; 5] = ["ts_recv", "venue", "kind", "symbol", "seq"];

/// What opens a stream.
#[derive(Clone, Debug)]
pub struct Header {
    pub schema: u64,
    /// The version of qt that wrote the stream.
    pub qt: String,
    /// The kinds that may occur, where the writer knew them.
    pub kinds: Option<Vec<String>>,
    pub instruments: Arc<Instruments>,
    /// Where the data came from: free words such as `source`, `seed`, `grade`.
    pub provenance: BTreeMap<String, String>,
}

/// What closes a stream.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// Records between the header and here.
    pub records: u64,
    /// The digest of those records.
    pub digest: String,
    /// Records that could not be read on the way and were left out.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub skipped: u64,
    /// Why the stream ends early, if it does: a limit or a signal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped: Option<String>,
    /// Where to go on: `--cursor` takes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

fn is_zero(value: &u64) -> bool {
    *value == 0
}

/// The header as JSON has it.
#[derive(Deserialize)]
struct Wire<'a> {
    schema: u64,
    #[serde(default)]
    qt: String,
    #[serde(default)]
    kinds: Option<Vec<String>>,
    #[serde(default, borrow)]
    instruments: Vec<&'a RawValue>,
    #[serde(default)]
    provenance: BTreeMap<String, String>,
}

impl Header {
    pub fn new(instruments: Arc<Instruments>) -> Self {
        let qt = env!("CARGO_PKG_VERSION").to_owned();
        Self { schema: SCHEMA, qt, kinds: None, instruments, provenance: BTreeMap::new() }
    }

    /// A kind that is added to those of the stream, or that stands alone.
    pub fn add_kind(&mut self, kind: Kind, is_alone: bool) {
        let name = kind.name().to_owned();
        if is_alone {
            self.kinds = Some(vec![name]);
        } else if let Some(kinds) = &mut self.kinds
            && !kinds.contains(&name)
        {
            kinds.push(name);
        }
    }

    #[must_use]
    pub fn with_kinds(mut self, kinds: impl IntoIterator<Item = Kind>) -> Self {
        self.kinds = Some(kinds.into_iter().map(|kind| kind.name().to_owned()).collect());
        self
    }

    #[must_use]
    pub fn with_provenance(mut self, key: &str, value: impl Into<String>) -> Self {
        self.provenance.insert(key.to_owned(), value.into());
        self
    }

    /// The kind, where the stream says that it has one kind only.
    pub fn only_kind(&self) -> Option<Kind> {
        match self.kinds.as_deref() {
            Some([kind]) => Kind::from_name(kind),
            Some(_) | None => None,
        }
    }

    /// The JSON text of the `stream` record, without a line feed.
    pub fn to_json(&self) -> String {
        let text = |value: &str| serde_json::Value::from(value).to_string();
        let mut out = format!(r#"{{"k":"stream","schema":{},"qt":{}"#, self.schema, text(&self.qt));
        out.push_str(r#","clock":"ts_recv","order":"#);
        out.push_str(&serde_json::json!(ORDER).to_string());
        if let Some(kinds) = &self.kinds {
            out.push_str(r#","kinds":"#);
            out.push_str(&serde_json::json!(kinds).to_string());
        }
        out.push_str(r#","instruments":["#);
        for (at, (_, instrument)) in self.instruments.by_symbol().enumerate() {
            out.push_str(if at == 0 { "" } else { "," });
            out.push_str(&instrument_json(instrument));
        }
        out.push_str(r#"],"provenance":"#);
        out.push_str(&serde_json::json!(self.provenance).to_string());
        out.push('}');
        out
    }

    /// Reads a `stream` record. Of a later version only the number is read, which callers refuse.
    pub(crate) fn parse(text: &[u8]) -> Result<Self, Problem> {
        let object = object::Object::parse(text)?;
        let version = object.get("schema").ok_or_else(|| Problem::Missing {
            kind: "stream",
            field: "schema",
            expected: "the version of the schema, a whole number".to_owned(),
        })?;
        if let Some(schema) = version.parse().ok().filter(|version| *version > SCHEMA) {
            return Ok(Self { schema, ..Self::new(Arc::default()) });
        }
        let wire: Wire<'_> =
            serde_json::from_slice(text).map_err(|error| misfit("stream", &error))?;
        let mut table = Instruments::default();
        for text in &wire.instruments {
            let instrument = parse_instrument(text.get().as_bytes())?;
            table.declare(instrument).map_err(|source| Problem::Table { source })?;
        }
        let Wire { schema, qt, kinds, provenance, .. } = wire;
        Ok(Self { schema, qt, kinds, instruments: Arc::new(table), provenance })
    }
}

/// A member of a frame record that is missing or of another type.
fn misfit(kind: &'static str, error: &serde_json::Error) -> Problem {
    Problem::Frame { kind, message: object::message(error) }
}

/// The instrument as a JSON object: the fields of an `instrument` record, and `sym`.
pub(crate) fn instrument_json(instrument: &Instrument) -> String {
    let head = Head::new(Default::default(), Default::default(), 0, None);
    let row = InstrumentRow::of(instrument, head);
    let record = Record::InstrumentRow(View { row: &row, levels: &[] });
    let mut out = format!(r#"{{"sym":"{}""#, instrument.symbol).into_bytes();
    for (at, field) in InstrumentRow::FIELDS.iter().enumerate() {
        encode::field(field, &record.value(at), Default::default(), &mut out);
    }
    out.push(b'}');
    String::from_utf8(out).expect("JSON text is UTF-8")
}

pub(crate) fn parse_instrument(text: &[u8]) -> Result<Instrument, Problem> {
    let object = object::Object::parse(text)?;
    let symbol = object.get("sym").and_then(object::string).ok_or_else(|| Problem::Missing {
        kind: "stream",
        field: "sym",
        expected: "the symbol of an instrument, such as binance:BTCUSDT".to_owned(),
    })?;
    general::declared(&object, &symbol)
}

impl End {
    /// The JSON text of the `end` record, without a line feed.
    pub fn to_json(&self) -> String {
        let body = serde_json::to_string(self).expect("an end is plain JSON");
        format!(r#"{{"k":"end",{}"#, &body[1..])
    }

    pub(crate) fn parse(text: &[u8]) -> Result<Self, Problem> {
        let object = object::Object::parse(text)?;
        if object.get("k") != Some(r#""end""#) {
            let message = "`k` is not `end`".to_owned();
            return Err(Problem::Frame { kind: "end", message });
        }
        serde_json::from_slice(text).map_err(|error| misfit("end", &error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    #[test]
    fn a_header_reads_back() {
        let header = Header::new(sample::instruments())
            .with_kinds([Kind::Trade])
            .with_provenance("source", "a \"test\"");
        let back = Header::parse(header.to_json().as_bytes()).unwrap();
        assert_eq!(back.only_kind(), Some(Kind::Trade));
        assert_eq!(back.to_json(), header.to_json());
        let terms =
            |table: &Instruments| table.by_symbol().map(|(_, i)| i.clone()).collect::<Vec<_>>();
        assert_eq!(terms(&back.instruments), terms(&header.instruments));
    }

    #[test]
    fn an_end_reads_back() {
        let end = End { records: 3, digest: "xxh3:00".into(), skipped: 1, ..End::default() };
        assert_eq!(end.to_json(), r#"{"k":"end","records":3,"digest":"xxh3:00","skipped":1}"#);
        assert_eq!(End::parse(end.to_json().as_bytes()).unwrap(), end);
    }
}
