//! Arrow arrays to rows of a batch, whoever wrote them.
//!
//! Columns are found by name; unknown ones are ignored, and types that hold the same thing (other
//! string, time and decimal types) are brought to ours. A price in floating point is refused: its
//! exact value is already lost.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{
    DataType, Float64Type, SchemaRef, TimestampNanosecondType, UInt32Type, UInt64Type,
};
use qt_model::ids::InstrumentId;
use qt_model::instrument::{Instrument, Symbol};
use qt_model::record::{Batch, Depth, Field, FieldType, Head, Kind, Level, SymbolRule, Value};
use qt_model::time::Ts;
use qt_model::units::{Px, Qty, Scale};
use rust_decimal::Decimal;

use super::cells::{DecimalCells, Longs, WordCells, misfit};
use super::hot_read;
use super::schema::{MONEY_SCALE, ORDINAL, data_type, scale_of_column, ts_type, word_type};
use crate::error::Problem;
use crate::ndjson::general::refuse_unscaled;
use crate::symbols::Symbols;

/// A depth record whose levels may go on in the next table.
pub(crate) type Carry = Option<(Depth, Vec<Level>)>;

/// Reads the tables of one kind with one schema.
#[derive(Debug)]
pub(crate) struct RowReader {
    pub(super) kind: Kind,
    px: Scale,
    qty: Scale,
    /// The symbols of the last dictionary, resolved.
    resolved: Option<(ArrayRef, Vec<Option<InstrumentId>>)>,
    feed_latency_ns: i64,
}

/// Appends the record that a table left open.
pub(crate) fn close(carry: &mut Carry, sink: &mut Sink<'_>) {
    hot_read::flush(carry, sink);
}

/// What rows are read into, and who judges those that cannot be.
pub(crate) struct Sink<'a> {
    pub(crate) batch: &'a mut Batch,
    /// The number of each record within its stream, where the table has one.
    pub(crate) ordinals: &'a mut Vec<u64>,
    /// A buffer for the levels of the record being read.
    pub(crate) spare: &'a mut Vec<Level>,
    pub(crate) judge: &'a mut dyn FnMut(usize, Problem) -> Result<(), crate::error::ReadError>,
}

impl RowReader {
    /// Checks that the columns are there and of types that hold what they must.
    pub(crate) fn new(
        kind: Kind,
        schema: &SchemaRef,
        feed_latency_ns: i64,
    ) -> Result<Self, Problem> {
        let missing = |field: &'static str, expected: &str| Problem::Missing {
            kind: kind.name(),
            field,
            expected: format!("a column of {expected}"),
        };
        let has = |name: &str| schema.field_with_name(name).is_ok();
        if !has("ts_recv") && !has("ts_event") {
            return Err(missing("ts_recv", "times, or one named `ts_event`"));
        }
        if kind.symbol_rule() == SymbolRule::Required && !has("sym") {
            return Err(missing("sym", "symbols"));
        }
        for field in kind.fields().iter().filter(|field| field.required) {
            if !has(field.name) {
                return Err(missing(field.name, &field.ty.expected()));
            }
        }
        let mut scales = [Scale::ZERO, Scale::ZERO];
        for (at, ty) in [FieldType::Px, FieldType::Qty].into_iter().enumerate() {
            for name in names_of(kind, ty) {
                let Ok(field) = schema.field_with_name(name) else { continue };
                let scale = scale_of_column(field.data_type()).ok_or_else(|| {
                    let found = field.data_type().to_string();
                    Problem::field(
                        name,
                        "a decimal column, whose digits are exact",
                        found.as_bytes(),
                    )
                })?;
                scales[at] = scales[at].max(scale);
            }
        }
        let [px, qty] = scales;
        Ok(Self { kind, px, qty, resolved: None, feed_latency_ns })
    }

    /// Appends the rows of a table to the tables of the batch, without placing them.
    pub(crate) fn read(
        &mut self,
        table: &RecordBatch,
        symbols: &mut Symbols,
        carry: &mut Carry,
        sink: &mut Sink<'_>,
    ) -> Result<(), crate::error::ReadError> {
        let refuse = |sink: &mut Sink<'_>, problem| (sink.judge)(0, problem);
        let heads = match self.heads(table, symbols) {
            Ok(heads) => heads,
            Err(problem) => return refuse(sink, problem),
        };
        sink.batch.set_instruments(symbols.table());
        let rows = Rows { table, heads, symbols, kind: self.kind };
        match self.kind {
            Kind::Trade => hot_read::trades(&rows, sink),
            Kind::Quote => hot_read::quotes(&rows, sink),
            Kind::Depth => hot_read::depths(&rows, carry, sink),
            _ => general(&rows, sink),
        }
    }

    fn heads<'t>(
        &mut self,
        table: &'t RecordBatch,
        symbols: &mut Symbols,
    ) -> Result<Heads<'t>, Problem> {
        let time = |name| match column(table, name, &ts_type())? {
            Some(array) => {
                Ok(Some(Longs::new(&array.as_primitive::<TimestampNanosecondType>().clone())))
            }
            None => Ok(None),
        };
        let whole = |name| match column(table, name, &DataType::UInt64)? {
            Some(array) => Ok(Some(array.as_primitive::<UInt64Type>().clone())),
            None => Ok(None),
        };
        Ok(Heads {
            event: time("ts_event")?,
            recv: time("ts_recv")?,
            ids: self.ids(table, symbols)?,
            seq: whole("seq")?,
            ordinal: whole(ORDINAL)?,
            feed_latency_ns: self.feed_latency_ns,
            table: std::marker::PhantomData,
        })
    }

    fn ids(&mut self, table: &RecordBatch, symbols: &mut Symbols) -> Result<Ids, Problem> {
        let Some(array) = column(table, "sym", &super::schema::symbol_type())? else {
            return Ok(Ids::One(None));
        };
        let array = array.as_dictionary::<arrow::datatypes::Int32Type>();
        let known =
            self.resolved.as_ref().is_some_and(|(values, _)| Arc::ptr_eq(values, array.values()));
        if !known {
            let mut ids = Vec::with_capacity(array.values().len());
            for text in array.values().as_string::<i32>() {
                ids.push(
                    text.filter(|text| !text.is_empty())
                        .map(|text| self.resolve(text, symbols))
                        .transpose()?,
                );
            }
            self.resolved = Some((Arc::clone(array.values()), ids));
        }
        let (_, ids) = self.resolved.as_ref().expect("the dictionary was just resolved");
        let keys = array.keys();
        let id =
            |key: &i32| usize::try_from(*key).ok().and_then(|key| ids.get(key).copied().flatten());
        if keys.null_count() > 0 {
            return Ok(Ids::Many(keys.iter().map(|key| key.as_ref().and_then(id)).collect()));
        }
        let keys = keys.values();
        Ok(match keys.first() {
            Some(first) if keys.iter().all(|key| key == first) => Ids::One(id(first)),
            Some(_) | None => Ids::Many(keys.iter().map(id).collect()),
        })
    }

    fn resolve(&self, text: &str, symbols: &mut Symbols) -> Result<InstrumentId, Problem> {
        if let Some(id) = symbols.find(text.as_bytes()) {
            return Ok(id);
        }
        let symbol = Symbol::new(text).map_err(|source| Problem::Symbol { source })?;
        symbols.join(Instrument::new(symbol, self.px, self.qty))
    }
}

/// The columns of a kind that hold prices, or sizes.
fn names_of(kind: Kind, ty: FieldType) -> impl Iterator<Item = &'static str> {
    let own = kind.fields().iter().filter(move |field| field.ty == ty).map(|field| field.name);
    let level = match ty {
        FieldType::Px => "px",
        _ => "qty",
    };
    own.chain((kind == Kind::Depth).then_some(level))
}

/// The instruments of the rows of a table.
pub(super) enum Ids {
    /// All rows have this one.
    One(Option<InstrumentId>),
    Many(Vec<Option<InstrumentId>>),
}

impl Ids {
    #[inline]
    fn get(&self, row: usize) -> Option<InstrumentId> {
        match self {
            Self::One(id) => *id,
            Self::Many(ids) => ids[row],
        }
    }
}

/// The heads of a table that lacks nothing.
pub(super) struct PlainHeads<'t> {
    event: &'t [i64],
    recv: &'t [i64],
    seq: &'t [u64],
    ids: &'t Ids,
}

impl PlainHeads<'_> {
    #[inline]
    pub(super) fn get(&self, row: usize) -> Head {
        Head {
            ts_event: Ts::from_nanos(self.event[row]),
            ts_recv: Ts::from_nanos(self.recv[row]),
            seq: self.seq[row],
            instrument: self.ids.get(row),
            has_event_time: true,
        }
    }
}

/// The clocks, symbols and numbers of the rows of a table.
pub(super) struct Heads<'t> {
    event: Option<Longs>,
    recv: Option<Longs>,
    ids: Ids,
    seq: Option<arrow::array::UInt64Array>,
    ordinal: Option<arrow::array::UInt64Array>,
    feed_latency_ns: i64,
    table: std::marker::PhantomData<&'t RecordBatch>,
}

/// A table at hand.
pub(super) struct Rows<'t> {
    pub(super) table: &'t RecordBatch,
    pub(super) heads: Heads<'t>,
    pub(super) symbols: &'t Symbols,
    kind: Kind,
}

impl Rows<'_> {
    pub(super) fn len(&self) -> usize {
        self.table.num_rows()
    }

    /// The heads, where nothing is missing and all instruments have the scales of the columns.
    pub(super) fn plain_heads(&self) -> Option<(PlainHeads<'_>, Scale, Scale)> {
        let seq = self.heads.seq.as_ref().filter(|seq| seq.null_count() == 0)?;
        let heads = PlainHeads {
            event: self.heads.event.as_ref()?.plain()?,
            recv: self.heads.recv.as_ref()?.plain()?,
            seq: seq.values(),
            ids: &self.heads.ids,
        };
        let scales = |id: Option<InstrumentId>| id.map(|id| self.symbols.scales(id));
        let (px, qty) = match &self.heads.ids {
            Ids::One(id) => scales(*id)?,
            Ids::Many(ids) => {
                let first = scales(*ids.first()?)?;
                ids.iter().all(|id| scales(*id) == Some(first)).then_some(first)?
            }
        };
        Some((heads, px, qty))
    }

    pub(super) fn ordinals(&self) -> Option<&[u64]> {
        self.heads.ordinal.as_ref().map(|ordinals| &ordinals.values()[..])
    }

    #[inline]
    pub(super) fn ordinal(&self, row: usize) -> Option<u64> {
        self.heads.ordinal.as_ref().map(|ordinals| ordinals.value(row))
    }

    #[inline]
    pub(super) fn head(&self, row: usize) -> Result<Head, Problem> {
        let heads = &self.heads;
        let event = heads.event.as_ref().and_then(|event| event.get(row));
        let recv = heads.recv.as_ref().and_then(|recv| recv.get(row));
        let ts_recv = match (recv, event) {
            (Some(recv), _) => Ts::from_nanos(recv),
            (None, Some(event)) => Ts::from_nanos(event)
                .checked_add_nanos(heads.feed_latency_ns)
                .ok_or_else(|| self.missing("ts_recv", "a time within range"))?,
            (None, None) => return Err(self.missing("ts_recv", "a time here or in `ts_event`")),
        };
        let instrument = heads.ids.get(row);
        if instrument.is_none() && self.kind.symbol_rule() == SymbolRule::Required {
            return Err(self.missing("sym", "a symbol such as binance:BTCUSDT"));
        }
        let seq = heads.seq.as_ref().map_or(row as u64, |seq| seq.value(row));
        let ts_event = event.map_or(ts_recv, Ts::from_nanos);
        Ok(Head { ts_event, ts_recv, seq, instrument, has_event_time: event.is_some() })
    }

    fn missing(&self, field: &'static str, expected: &str) -> Problem {
        Problem::Missing { kind: self.kind.name(), field, expected: expected.to_owned() }
    }

    #[inline]
    pub(super) fn scales(&self, head: &Head) -> (Scale, Scale) {
        head.instrument.map_or((Scale::ZERO, Scale::ZERO), |id| self.symbols.scales(id))
    }

    pub(super) fn decimals(&self, name: &'static str) -> Result<Option<DecimalCells>, Problem> {
        DecimalCells::of(self.table, name)
    }

    pub(super) fn words(
        &self,
        name: &'static str,
        words: &'static [&'static str],
    ) -> Result<Option<WordCells>, Problem> {
        match column(self.table, name, &word_type())? {
            Some(array) => WordCells::new(name, &array, words).map(Some),
            None => Ok(None),
        }
    }

    pub(super) fn whole(
        &self,
        name: &'static str,
    ) -> Result<Option<arrow::array::UInt64Array>, Problem> {
        let array = column(self.table, name, &DataType::UInt64)?;
        Ok(array.map(|array| array.as_primitive::<UInt64Type>().clone()))
    }

    pub(super) fn numbers(
        &self,
        name: &'static str,
    ) -> Result<Option<arrow::array::UInt32Array>, Problem> {
        let array = column(self.table, name, &DataType::UInt32)?;
        Ok(array.map(|array| array.as_primitive::<UInt32Type>().clone()))
    }
}

/// The column of that name as that type; another type that holds the same is converted.
pub(super) fn column(
    table: &RecordBatch,
    name: &str,
    ty: &DataType,
) -> Result<Option<ArrayRef>, Problem> {
    let Some(array) = table.column_by_name(name) else { return Ok(None) };
    if array.data_type() == ty {
        return Ok(Some(Arc::clone(array)));
    }
    // A time without a zone is UTC; a cast to a zone would shift it as if it were local.
    let options = arrow::compute::CastOptions { safe: false, ..Default::default() };
    let cast = arrow::compute::cast_with_options(array, ty, &options).map_err(|error| {
        let found = format!("{}: {error}", array.data_type());
        Problem::field(name, format!("a column of type {ty}"), found.as_bytes())
    })?;
    Ok(Some(cast))
}

/// Any kind, by its fields.
fn general(rows: &Rows<'_>, sink: &mut Sink<'_>) -> Result<(), crate::error::ReadError> {
    let cells: Result<Vec<Cells>, Problem> =
        rows.kind.fields().iter().map(|field| Cells::of(rows, field)).collect();
    let cells = match cells {
        Ok(cells) => cells,
        Err(problem) => return (sink.judge)(0, problem),
    };
    let mut values = Vec::with_capacity(cells.len());
    for row in 0..rows.len() {
        let pushed = rows.head(row).and_then(|head| {
            values.clear();
            for (field, cells) in rows.kind.fields().iter().zip(&cells) {
                let value = cells.value(row, field, rows.scales(&head))?;
                if value == Value::Absent && field.required {
                    return Err(rows.missing(field.name, &field.ty.expected()));
                }
                refuse_unscaled(rows.kind, head.instrument, &value)?;
                values.push(value);
            }
            sink.batch.extend_values(rows.kind, head, &mut values).map_err(|at| {
                let field = &rows.kind.fields()[at];
                Problem::field(field.name, field.ty.expected(), b"a value out of its range")
            })
        });
        match pushed {
            Ok(()) => sink.ordinals.extend(rows.ordinal(row)),
            Err(problem) => (sink.judge)(row, problem)?,
        }
    }
    Ok(())
}

/// One column, ready for its values.
enum Cells {
    None,
    Array(ArrayRef),
    Decimals(DecimalCells),
    Words(WordCells),
}

impl Cells {
    fn of(rows: &Rows<'_>, field: &Field) -> Result<Self, Problem> {
        Ok(match field.ty {
            FieldType::Px | FieldType::Qty => {
                rows.decimals(field.name)?.map_or(Self::None, Self::Decimals)
            }
            FieldType::Word(words) => {
                rows.words(field.name, words)?.map_or(Self::None, Self::Words)
            }
            FieldType::Decimal => {
                let money = DecimalCells::of(rows.table, field.name)?;
                money.map_or(Self::None, Self::Decimals)
            }
            FieldType::Bool
            | FieldType::U64
            | FieldType::F64
            | FieldType::Ts
            | FieldType::Text
            | FieldType::F64List => {
                let scales = super::ColumnScales::of(&Default::default());
                let array = column(rows.table, field.name, &data_type(field.ty, scales))?;
                array.map_or(Self::None, Self::Array)
            }
        })
    }

    fn value(
        &self,
        row: usize,
        field: &Field,
        (px, qty): (Scale, Scale),
    ) -> Result<Value<'_>, Problem> {
        Ok(match self {
            Self::None => Value::Absent,
            Self::Words(words) => words.get(row)?.map_or(Value::Absent, Value::Word),
            Self::Decimals(cells) => match field.ty {
                FieldType::Px => {
                    cells.get(row, px)?.map_or(Value::Absent, |m| Value::Px(Px::new(m)))
                }
                FieldType::Qty => match cells.get(row, qty)? {
                    Some(m) => Value::Qty(Qty::new(m).map_err(|_| misfit(field, m))?),
                    None => Value::Absent,
                },
                _ => cells.money(row)?.map_or(Value::Absent, Value::Decimal),
            },
            Self::Array(array) if array.is_null(row) => Value::Absent,
            Self::Array(array) => match field.ty {
                FieldType::Bool => Value::Bool(array.as_boolean().value(row)),
                FieldType::U64 => Value::U64(array.as_primitive::<UInt64Type>().value(row)),
                FieldType::F64 => finite(field, array.as_primitive::<Float64Type>().value(row))?,
                FieldType::Ts => Value::Ts(Ts::from_nanos(
                    array.as_primitive::<TimestampNanosecondType>().value(row),
                )),
                FieldType::Text => Value::Text(Cow::Borrowed(array.as_string::<i32>().value(row))),
                _ => {
                    let list = array.as_list::<i32>().value(row);
                    let list = list.as_primitive::<Float64Type>();
                    if list.iter().flatten().any(|value| !value.is_finite()) {
                        return Err(misfit(field, "a number that is not finite"));
                    }
                    Value::F64List(Cow::Owned(list.iter().collect()))
                }
            },
        })
    }
}

fn finite(field: &Field, value: f64) -> Result<Value<'static>, Problem> {
    if value.is_finite() { Ok(Value::F64(value)) } else { Err(misfit(field, value)) }
}

/// The amount as money takes it; `None` where it has more digits than money holds.
pub(crate) fn money(mantissa: i128, scale: u8) -> Option<Decimal> {
    let mut mantissa = mantissa;
    let mut scale = scale;
    while scale > 0 && mantissa % 10 == 0 {
        mantissa /= 10;
        scale -= 1;
    }
    Decimal::try_from_i128_with_scale(mantissa, u32::from(scale)).ok()
}

const _: () = assert!(MONEY_SCALE <= 28, "money has at most 28 decimals");
