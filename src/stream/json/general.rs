//! Any record of any kind from any order of keys: the road behind the quick one.

use std::borrow::Cow;

use qt_model::decimal::{self, DecimalError};
use qt_model::ids::InstrumentId;
use qt_model::instrument::{Instrument, Symbol};
use qt_model::record::{Batch, Field, FieldType, Head, Kind, Level, SymbolRule, Value};
use qt_model::time::Ts;
use qt_model::units::{Px, Qty, Scale};
use qt_model::words::Side;

use super::object::{self, Object};
use super::scales::{self, Need, pairs};
use crate::error::{Problem, excerpt};
use crate::instruments;
use crate::symbols::Symbols;

/// What the reader adds where a record leaves something out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fill {
    /// The sequence number of a record without one.
    pub(crate) seq: u64,
    /// What a record without `ts_recv` adds to its `ts_event`.
    pub(crate) latency_ns: i64,
    /// Whether the stream has a header: then numbers carry all digits of their scale.
    pub(crate) has_header: bool,
    /// The `ts_recv` of a record of unknown kind that has no time at all.
    pub(crate) last: Ts,
}

/// Decodes one object and appends it to the batch.
pub(crate) fn push(
    object: &Object<'_>,
    text: &[u8],
    symbols: &mut Symbols,
    fill: Fill,
    batch: &mut Batch,
) -> Result<(), Problem> {
    let name = object.get("k").and_then(object::string).ok_or(Problem::NoKind)?;
    let Some(kind) = Kind::from_name(&name) else {
        return push_other(object, text, &name, symbols, fill, batch);
    };
    let instrument = instrument_of(object, kind, symbols, fill)?;
    let head = head_of(object, kind.name(), instrument, fill)?;
    let scales = Scales::of(symbols, instrument);
    let mut values = Vec::with_capacity(kind.fields().len());
    for field in kind.fields() {
        let value = value_of(object, kind, field, scales)?;
        refuse_unscaled(kind, instrument, &value)?;
        values.push(value);
    }
    let levels = if kind == Kind::Depth { levels_of(object, scales)? } else { Vec::new() };
    batch.set_instruments(symbols.table());
    batch.push_values(kind, head, &mut values, &levels).map_err(|at| {
        // Every value was made for its field, so only an inner rule of the type can refuse.
        let field = &kind.fields()[at];
        Problem::field(field.name, field.ty.expected(), b"a value out of its range")
    })
}

/// A price or a size means nothing without the instrument that gives it its scale.
pub(crate) fn refuse_unscaled(
    kind: Kind,
    instrument: Option<InstrumentId>,
    value: &Value<'_>,
) -> Result<(), Problem> {
    if instrument.is_none() && matches!(value, Value::Px(_) | Value::Qty(_)) {
        return Err(missing(kind.name(), "sym", "a symbol, since the record has a price or size"));
    }
    Ok(())
}

fn push_other(
    object: &Object<'_>,
    text: &[u8],
    name: &str,
    symbols: &mut Symbols,
    fill: Fill,
    batch: &mut Batch,
) -> Result<(), Problem> {
    // Its time orders it if it has one that we understand; else it follows its predecessor.
    let time = |key| object.get(key).and_then(|text| ts(text).ok());
    let ts_recv = time("ts_recv").or_else(|| time("ts_event")).unwrap_or(fill.last);
    let seq = object.get("seq").and_then(|text| text.parse().ok()).unwrap_or(fill.seq);
    let head = Head {
        ts_event: time("ts_event").unwrap_or(ts_recv),
        ts_recv,
        seq,
        instrument: None,
        has_event_time: time("ts_event").is_some(),
    };
    let text = std::str::from_utf8(text)
        .map_err(|error| Problem::NotUtf8 { byte: error.valid_up_to() })?;
    batch.set_instruments(symbols.table());
    let row = qt_model::record::Other { head, kind: name.to_owned(), json: text.trim().to_owned() };
    batch.push_row(row, &[]);
    Ok(())
}

/// A record of unknown kind that came in columns must be a line that can go out as it is.
pub(crate) fn check_other(kind: &str, json: &str) -> Result<(), Problem> {
    let refused =
        |expected: &str| Err(Problem::field("json", expected.to_owned(), json.as_bytes()));
    if json.contains(['\n', '\r']) || json.trim().len() != json.len() {
        return refused("one line of JSON without space around it");
    }
    let object = Object::parse(json.as_bytes())?;
    if object.get("k").and_then(object::string).as_deref() != Some(kind) {
        return refused("an object whose `k` is the kind of the record");
    }
    match kind {
        "stream" | "end" => refused("a record, not the frame of a stream"),
        _ => Ok(()),
    }
}

fn instrument_of(
    object: &Object<'_>,
    kind: Kind,
    symbols: &mut Symbols,
    fill: Fill,
) -> Result<Option<InstrumentId>, Problem> {
    let Some(text) = object.get("sym") else {
        return match kind.symbol_rule() {
            SymbolRule::Optional => Ok(None),
            SymbolRule::Required => {
                Err(missing(kind.name(), "sym", "a symbol such as binance:BTCUSDT"))
            }
        };
    };
    let symbol = object::string(text).ok_or_else(|| {
        Problem::field("sym", "a symbol such as binance:BTCUSDT", text.as_bytes())
    })?;
    if kind == Kind::InstrumentRow {
        return symbols.join(declared(object, &symbol)?).map(Some);
    }
    if let Some(id) = symbols.find(symbol.as_bytes()) {
        return Ok(Some(id));
    }
    let symbol = Symbol::new(&symbol).map_err(|source| Problem::Symbol { source })?;
    let (px_scale, qty_scale) = scales::guess(object, fill.has_header);
    symbols.join(Instrument::new(symbol, px_scale, qty_scale)).map(Some)
}

/// The instrument that a member of a header's list or an `instrument` record describes.
pub(crate) fn declared(object: &Object<'_>, symbol: &str) -> Result<Instrument, Problem> {
    let symbol = Symbol::new(symbol).map_err(|source| Problem::Symbol { source })?;
    let kind = Kind::InstrumentRow;
    let mut values = Vec::with_capacity(kind.fields().len());
    for field in kind.fields() {
        values.push(value_of(object, kind, field, Scales::default())?);
    }
    instruments::from_values(symbol, &mut values)
}

fn head_of(
    object: &Object<'_>,
    kind: &'static str,
    instrument: Option<InstrumentId>,
    fill: Fill,
) -> Result<Head, Problem> {
    head(&|name| Ok(object.get(name)), kind, instrument, fill)
}

/// The head of a record whose members are found by name, as JSON text or bare.
fn head<'a>(
    get: &impl Fn(&str) -> Result<Option<&'a str>, Problem>,
    kind: &'static str,
    instrument: Option<InstrumentId>,
    fill: Fill,
) -> Result<Head, Problem> {
    let time = |key: &'static str| match get(key)? {
        Some(text) => ts(text)
            .map(Some)
            .map_err(|_| Problem::field(key, FieldType::Ts.expected(), text.as_bytes())),
        None => Ok(None),
    };
    let seq = match get("seq")? {
        Some(text) => unquoted(text)
            .parse()
            .map_err(|_| Problem::field("seq", FieldType::U64.expected(), text.as_bytes()))?,
        None => fill.seq,
    };
    let (ts_event, ts_recv) = match (time("ts_event")?, time("ts_recv")?) {
        (Some(event), Some(recv)) => (Some(event), recv),
        (None, Some(recv)) => (None, recv),
        (Some(event), None) => {
            let recv = event.checked_add_nanos(fill.latency_ns);
            (Some(event), recv.ok_or_else(|| missing(kind, "ts_recv", "a time within range"))?)
        }
        (None, None) => {
            return Err(missing(kind, "ts_event", "a time, in `ts_event`, `ts_recv` or both"));
        }
    };
    let has_event_time = ts_event.is_some();
    Ok(Head { ts_event: ts_event.unwrap_or(ts_recv), ts_recv, seq, instrument, has_event_time })
}

/// The head of a row of bare texts.
pub(crate) fn head_of_text<'a>(
    cell: &impl Fn(&str) -> Result<Option<&'a str>, Problem>,
    kind: Kind,
    symbols: &mut Symbols,
    fill: Fill,
) -> Result<Head, Problem> {
    let instrument = match cell("sym")? {
        Some(text) => match symbols.find(text.as_bytes()) {
            Some(id) => Some(id),
            None => {
                let symbol = Symbol::new(text).map_err(|source| Problem::Symbol { source })?;
                let (mut px, mut qty) = (Need::default(), Need::default());
                for field in kind.fields() {
                    match (field.ty, cell(field.name)?) {
                        (FieldType::Px, Some(text)) => px.see(text),
                        (FieldType::Qty, Some(text)) => qty.see(text),
                        _ => {}
                    }
                }
                Some(symbols.join(Instrument::new(symbol, px.roomy(), qty.roomy()))?)
            }
        },
        None if kind.symbol_rule() == SymbolRule::Optional => None,
        None => return Err(missing(kind.name(), "sym", "a symbol such as binance:BTCUSDT")),
    };
    head(cell, kind.name(), instrument, fill)
}

fn missing(kind: &'static str, field: &'static str, expected: &str) -> Problem {
    Problem::Missing { kind, field, expected: expected.to_owned() }
}

/// The scales of the record's instrument, or none.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Scales {
    pub(crate) px: Scale,
    pub(crate) qty: Scale,
}

impl Scales {
    pub(crate) fn of(symbols: &Symbols, instrument: Option<InstrumentId>) -> Self {
        instrument.map_or_else(Self::default, |id| {
            let (px, qty) = symbols.scales(id);
            Self { px, qty }
        })
    }
}

fn value_of<'a>(
    object: &Object<'a>,
    kind: Kind,
    field: &Field,
    scales: Scales,
) -> Result<Value<'a>, Problem> {
    match object.get(field.name) {
        Some(text) => parse_value(field, text, scales),
        None if field.required => Err(Problem::Missing {
            kind: kind.name(),
            field: field.name,
            expected: field.ty.expected().into_owned(),
        }),
        None => Ok(Value::Absent),
    }
}

/// Reads the JSON text of a value as the type of its field.
pub(crate) fn parse_value<'a>(
    field: &Field,
    text: &'a str,
    scales: Scales,
) -> Result<Value<'a>, Problem> {
    let misfit = || Problem::field(field.name, field.ty.expected(), text.as_bytes());
    let number = |scale| {
        decimal::parse(unquoted(text).as_bytes(), scale)
            .map_err(|source| number(field.name, source, text))
    };
    Ok(match field.ty {
        FieldType::Bool => Value::Bool(text.parse().map_err(|_| misfit())?),
        FieldType::U64 => Value::U64(unquoted(text).parse().map_err(|_| misfit())?),
        FieldType::F64 => Value::F64(finite(text).ok_or_else(misfit)?),
        FieldType::Ts => Value::Ts(ts(text).map_err(|_| misfit())?),
        FieldType::Px => Value::Px(Px::new(number(scales.px)?)),
        FieldType::Qty => Value::Qty(Qty::new(number(scales.qty)?).map_err(|_| misfit())?),
        FieldType::Decimal => {
            let money = decimal::parse_money(unquoted(text).as_bytes());
            Value::Decimal(money.ok_or_else(misfit)?)
        }
        FieldType::Text => Value::Text(object::string(text).ok_or_else(misfit)?),
        FieldType::Word(words) => {
            let word = object::string(text).ok_or_else(misfit)?;
            Value::Word(words.iter().position(|known| *known == word).ok_or_else(misfit)?)
        }
        FieldType::F64List => Value::F64List(Cow::Owned(f64_list(text).ok_or_else(misfit)?)),
    })
}

fn number(field: &str, source: DecimalError, text: &str) -> Problem {
    Problem::Number { field: field.to_owned(), source, found: excerpt(text.as_bytes()) }
}

fn unquoted(text: &str) -> &str {
    text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text)
}

fn ts(text: &str) -> Result<Ts, qt_model::time::TsError> {
    Ts::parse(unquoted(text).as_bytes())
}

/// The nearest double. Not by the JSON library, which may miss it by a digit.
fn finite(text: &str) -> Option<f64> {
    let is_number = text.starts_with(|first: char| first == '-' || first.is_ascii_digit());
    text.parse().ok().filter(|value: &f64| is_number && value.is_finite())
}

fn f64_list(text: &str) -> Option<Vec<Option<f64>>> {
    let list: Vec<&serde_json::value::RawValue> = serde_json::from_str(text).ok()?;
    let value = |text: &&serde_json::value::RawValue| match text.get() {
        "null" => Some(None),
        text => finite(text).map(Some),
    };
    list.iter().map(value).collect()
}

fn levels_of(object: &Object<'_>, scales: Scales) -> Result<Vec<Level>, Problem> {
    let mut levels = Vec::new();
    for (key, side) in [("bids", Side::Buy), ("asks", Side::Sell)] {
        let Some(text) = object.get(key) else { continue };
        let expected = "a list of [price, size] pairs";
        let pairs = pairs(text).map_err(|_| Problem::field(key, expected, text.as_bytes()))?;
        for [px, qty] in pairs {
            let mantissa = |text: &str, scale| {
                decimal::parse(unquoted(text).as_bytes(), scale)
                    .map_err(|source| number(key, source, text))
            };
            let px = Px::new(mantissa(px.get(), scales.px)?);
            let qty = Qty::new(mantissa(qty.get(), scales.qty)?)
                .map_err(|_| Problem::field(key, "sizes of zero or more", qty.get().as_bytes()))?;
            levels.push(Level { px, qty, side });
        }
    }
    Ok(levels)
}
