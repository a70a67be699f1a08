//! A place in a stream as a text that can be handed around.
//!
//! Base64 of a JSON object whose numbers are strings, so that no tool bends them. One place serves
//! any number of streams, because their merge has one total order.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use qt_market::order::Key;
use qt_model::instrument::{Instruments, Symbol};
use qt_model::record::{Kind, Record};
use qt_model::time::Ts;
use serde::{Deserialize, Serialize};

const VERSION: u64 = 1;

/// A place: everything up to it, itself included, is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cursor {
    ts_recv: Ts,
    kind: Kind,
    symbol: Option<Symbol>,
    seq: u64,
}

#[derive(Debug, Serialize, Deserialize)]
struct Wire {
    v: u64,
    ts_recv: String,
    seq: String,
    kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sym: Option<String>,
}

/// Why a text is not a cursor.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CursorError {
    #[error("CURSOR_INVALID: a cursor is a text that an `end` record carries, this is empty")]
    Invalid,
    #[error("CURSOR_DECODE_FAILED: not base64: {0}")]
    Decode(base64::DecodeError),
    #[error("CURSOR_PARSE_FAILED: not JSON inside: {0}")]
    Parse(serde_json::Error),
    #[error("CURSOR_VERSION_MISMATCH: version {found}, this qt knows {VERSION}")]
    Version { found: u64 },
    #[error("CURSOR_MISSING_FIELD: `{0}`")]
    Missing(&'static str),
    #[error("CURSOR_INVALID_TYPE: `{field}`: expected {expected}")]
    Type { field: &'static str, expected: &'static str },
}

impl Cursor {
    pub(crate) fn at(key: &Key, instruments: &Instruments) -> Self {
        let symbol = key.instrument.map(|id| instruments.get(id).symbol.clone());
        Self { ts_recv: key.ts_recv, kind: key.kind, symbol, seq: key.seq }
    }

    pub(crate) fn text(&self) -> String {
        let wire = Wire {
            v: VERSION,
            ts_recv: self.ts_recv.nanos().to_string(),
            seq: self.seq.to_string(),
            kind: self.kind.name().to_owned(),
            sym: self.symbol.as_ref().map(ToString::to_string),
        };
        URL_SAFE.encode(serde_json::to_string(&wire).expect("a cursor is plain JSON"))
    }

    pub(crate) fn parse(text: &str) -> Result<Self, CursorError> {
        if text.trim().is_empty() {
            return Err(CursorError::Invalid);
        }
        let json = URL_SAFE.decode(text.trim()).map_err(CursorError::Decode)?;
        let json: serde_json::Value = serde_json::from_slice(&json).map_err(CursorError::Parse)?;
        let version = json.get("v").ok_or(CursorError::Missing("v"))?;
        let expected = "a whole number";
        let found = version.as_u64().ok_or(CursorError::Type { field: "v", expected })?;
        if found != VERSION {
            return Err(CursorError::Version { found });
        }
        let text = |field| {
            let value = json.get(field).ok_or(CursorError::Missing(field))?;
            value.as_str().ok_or(CursorError::Type { field, expected: "a string" })
        };
        let whole = "a whole number as a string";
        let ts: i64 = text("ts_recv")?
            .parse()
            .map_err(|_| CursorError::Type { field: "ts_recv", expected: whole })?;
        let seq = text("seq")?
            .parse()
            .map_err(|_| CursorError::Type { field: "seq", expected: whole })?;
        let kind = Kind::from_name(text("kind")?)
            .ok_or(CursorError::Type { field: "kind", expected: "a kind of record" })?;
        let symbol = match json.get("sym") {
            None => None,
            Some(_) => Some(
                Symbol::new(text("sym")?)
                    .map_err(|_| CursorError::Type { field: "sym", expected: "a symbol" })?,
            ),
        };
        Ok(Self { ts_recv: Ts::from_nanos(ts), kind, symbol, seq })
    }

    pub(crate) fn ts_recv(&self) -> Ts {
        self.ts_recv
    }

    /// Whether a record lies behind this place. Derived records follow the one that caused them,
    /// so `cause_is_behind` answers for those.
    pub(crate) fn is_before(
        &self,
        record: &Record<'_>,
        instruments: &Instruments,
        cause_is_behind: bool,
    ) -> bool {
        let head = record.head();
        if head.ts_recv != self.ts_recv {
            return head.ts_recv > self.ts_recv;
        }
        if !record.kind().is_market() {
            return cause_is_behind;
        }
        let symbol = head.instrument.map(|id| &instruments.get(id).symbol);
        let known = self.symbol.as_ref();
        let venue = |symbol: Option<&Symbol>| symbol.map(|symbol| symbol.venue().to_owned());
        let name = |symbol: Option<&Symbol>| symbol.map(|symbol| symbol.name().to_owned());
        let order = venue(symbol)
            .cmp(&venue(known))
            .then(record.kind().cmp(&self.kind))
            .then_with(|| name(symbol).cmp(&name(known)))
            .then(head.seq.cmp(&self.seq));
        order.is_gt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::damage::damaged;

    #[test]
    fn a_cursor_reads_back() {
        let cursor = Cursor {
            ts_recv: Ts::from_nanos(i64::MAX),
            kind: Kind::Trade,
            symbol: Some(Symbol::new("kraken:XBT/USD").unwrap()),
            seq: u64::MAX,
        };
        assert_eq!(Cursor::parse(&cursor.text()).unwrap(), cursor);
    }

    #[test]
    fn damage_is_no_cursor_or_another_one() {
        let json = r#"{"v":1,"ts_recv":"5","seq":"1","kind":"trade","sym":"a:X"}"#;
        assert!(Cursor::parse(&URL_SAFE.encode(json)).is_ok());
        for text in damaged(json, 1) {
            if let Ok(cursor) = Cursor::parse(&URL_SAFE.encode(&text)) {
                assert_eq!(Cursor::parse(&cursor.text()).unwrap(), cursor, "{text}");
            }
        }
        for text in damaged(&URL_SAFE.encode(json), 1) {
            let _ = Cursor::parse(&text);
        }
    }

    #[test]
    fn each_way_to_be_no_cursor_has_its_name() {
        let check = |text: &str, code: &str| {
            let error = Cursor::parse(text).unwrap_err().to_string();
            assert!(error.starts_with(code), "{text}: {error}");
        };
        let encoded = |json: &str| URL_SAFE.encode(json);
        check("", "CURSOR_INVALID:");
        check("!!!", "CURSOR_DECODE_FAILED:");
        check(&encoded("nope"), "CURSOR_PARSE_FAILED:");
        check(&encoded(r#"{"v":2}"#), "CURSOR_VERSION_MISMATCH:");
        check(&encoded(r#"{"v":"1"}"#), "CURSOR_INVALID_TYPE:");
        check(&encoded(r#"{"v":1,"seq":"1","kind":"trade"}"#), "CURSOR_MISSING_FIELD: `ts_recv`");
        check(&encoded(r#"{"v":1,"ts_recv":5,"seq":"1","kind":"trade"}"#), "CURSOR_INVALID_TYPE:");
        check(&encoded(r#"{"v":1,"ts_recv":"5","seq":"1","kind":"x"}"#), "CURSOR_INVALID_TYPE:");
    }
}
