//! Arrow arrays to rows of a batch, whoever wrote them.
//!
//! Columns are found by name; unknown ones are ignored, and types that hold the same thing (other
//! string, time and decimal types) are brought to ours. A price in floating point is refused: its
//! exact value is already lost.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{
    DataType, Float64Type, Int32Type, SchemaRef, TimestampNanosecondType, UInt64Type,
};
use qt_model::instrument::{Instrument, Symbol};
use qt_model::record::{Batch, Depth, Field, FieldType, Kind, Level, SymbolRule, Value};
use qt_model::time::Ts;
use qt_model::units::{Px, Qty, Scale};
use rust_decimal::Decimal;

use super::bars::Bars;
use super::cells::{DecimalCells, EXACT_COLUMN, Numbers, WordCells, misfit};
use super::convert::column;
use super::hot_read;
use super::plain::Plain;
use super::rows::{Heads, Ids, OfRows, Resolved, Rows};
use super::schema::{MONEY_SCALE, ORDINAL, data_type, scale_of_column, ts_type};
use crate::error::Problem;
use crate::instruments::check_values;
use crate::json::general::{check_other, refuse_unscaled};
use crate::symbols::Symbols;

/// A depth record whose levels may go on in the next table.
#[derive(Debug, Default)]
pub(crate) struct Carry {
    pub(crate) open: Option<(Depth, Vec<Level>)>,
    /// Whether the next levels belong to a record that was refused, or lies before what is read.
    pub(crate) is_refused: bool,
}

/// What a problem makes unreadable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Blame {
    /// The record of one row, which can be done without.
    Row(usize),
    /// A column, and with it every record of the table.
    Table,
}

/// Reads the tables of one kind with one schema.
#[derive(Debug)]
pub(crate) struct RowReader {
    pub(super) kind: Kind,
    px: Scale,
    qty: Scale,
    /// The symbols of the last dictionary, resolved.
    resolved: Option<(ArrayRef, Arc<Resolved>)>,
    feed_latency_ns: i64,
    /// Rows of the tables before: where rows without `seq` count on from.
    first_row: u64,
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
    pub(crate) judge: &'a mut dyn FnMut(Blame, Problem) -> Result<(), crate::error::ReadError>,
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
                    Problem::field(name, EXACT_COLUMN, found.as_bytes())
                })?;
                scales[at] = scales[at].max(scale);
            }
        }
        let [px, qty] = scales;
        Ok(Self { kind, px, qty, resolved: None, feed_latency_ns, first_row: 0 })
    }

    /// Appends the rows of a table to the tables of the batch, without placing them.
    pub(crate) fn read(
        &mut self,
        table: &RecordBatch,
        symbols: &mut Symbols,
        carry: &mut Carry,
        sink: &mut Sink<'_>,
    ) -> Result<(), crate::error::ReadError> {
        let heads = match self.heads(table, symbols) {
            Ok(heads) => heads,
            Err(problem) => return (sink.judge)(Blame::Table, problem),
        };
        sink.batch.set_instruments(symbols.table());
        self.first_row += table.num_rows() as u64;
        let rows = Rows { table, heads, symbols, kind: self.kind };
        match self.kind {
            Kind::Trade => hot_read::trades(&rows, sink),
            Kind::Quote => hot_read::quotes(&rows, sink),
            Kind::Depth => hot_read::depths(&rows, carry, sink),
            _ => general(&rows, sink),
        }
    }

    /// The columns of a table, if they can be taken as they are: whoever does so says how many of
    /// the rows they passed over. `None` leaves the table to be read.
    pub(crate) fn plain(&mut self, table: &RecordBatch, symbols: &mut Symbols) -> Option<Plain> {
        let heads = self.heads(table, symbols).ok()?;
        Plain::of(&Rows { table, heads, symbols, kind: self.kind })
    }

    /// The same, with the number that each record has in its stream.
    pub(crate) fn numbered(
        &mut self,
        table: &RecordBatch,
        symbols: &mut Symbols,
    ) -> Option<(Plain, Vec<u64>)> {
        let heads = self.heads(table, symbols).ok()?;
        let rows = Rows { table, heads, symbols, kind: self.kind };
        let plain = Plain::of(&rows)?;
        let numbers = rows.ordinals()?;
        let numbers = (0..plain.records()).map(|record| numbers[plain.start(record)]).collect();
        Some((plain, numbers))
    }

    pub(crate) fn pass_over(&mut self, rows: usize) {
        self.first_row += rows as u64;
    }

    fn heads(&mut self, table: &RecordBatch, symbols: &mut Symbols) -> Result<Heads, Problem> {
        let time = |name| {
            let array = column(table, name, &ts_type())?;
            Ok(array.map(|array| Numbers::new(array.as_primitive::<TimestampNanosecondType>())))
        };
        let whole = |name| {
            let array = column(table, name, &DataType::UInt64)?;
            Ok(array.map(|array| Numbers::new(array.as_primitive::<UInt64Type>())))
        };
        let ids = self.ids(table, symbols)?;
        let heads = Heads {
            event: time("ts_event")?,
            recv: time("ts_recv")?,
            ids,
            seq: whole("seq")?,
            ordinal: whole(ORDINAL)?,
            feed_latency_ns: self.feed_latency_ns,
            first_row: self.first_row,
        };
        if heads.ordinal.as_ref().is_some_and(Numbers::has_nulls) {
            return Err(Problem::field(ORDINAL, "a number in every row", b"a null"));
        }
        Ok(heads)
    }

    fn ids(&mut self, table: &RecordBatch, symbols: &mut Symbols) -> Result<Ids, Problem> {
        let Some(array) = column(table, "sym", &super::schema::symbol_type())? else {
            return Ok(Ids::default());
        };
        let array = array.as_dictionary::<Int32Type>();
        let known = self.resolved.take().filter(|(values, _)| Arc::ptr_eq(values, array.values()));
        let (values, resolved) = known.unwrap_or_else(|| {
            let resolved = self.resolve_all(array.values(), symbols);
            (Arc::clone(array.values()), Arc::new(resolved))
        });
        self.resolved = Some((values, Arc::clone(&resolved)));
        let (keys, ids) = (array.keys(), &resolved.ids);
        let id =
            |key: &i32| usize::try_from(*key).ok().and_then(|key| ids.get(key).copied().flatten());
        let of_rows = match keys.null_count() {
            0 => {
                let keys = keys.values();
                match keys.first() {
                    Some(first) if keys.iter().all(|key| key == first) => OfRows::One(id(first)),
                    Some(_) | None => OfRows::Many(keys.iter().map(id).collect()),
                }
            }
            _ => OfRows::Many(keys.iter().map(|key| key.as_ref().and_then(id)).collect()),
        };
        Ok(Ids { of_rows, keys: Some(Numbers::new(keys)), resolved })
    }

    fn resolve_all(&self, values: &ArrayRef, symbols: &mut Symbols) -> Resolved {
        let mut resolved = Resolved::default();
        let (mut strangers, mut keys) = (Vec::new(), Vec::new());
        for (key, text) in values.as_string::<i32>().iter().enumerate() {
            let text = text.filter(|text| !text.is_empty());
            let id = text.and_then(|text| symbols.find(text.as_bytes()));
            resolved.ids.push(id);
            match text.filter(|_| id.is_none()).map(Symbol::new) {
                Some(Ok(symbol)) => {
                    strangers.push(Instrument::new(symbol, self.px, self.qty));
                    keys.push(key);
                }
                Some(Err(source)) => {
                    resolved.refused.insert(key, Problem::Symbol { source });
                }
                None => {}
            }
        }
        if strangers.is_empty() {
            return resolved;
        }
        for (key, joined) in keys.into_iter().zip(symbols.join_all(strangers)) {
            match joined {
                Ok(id) => resolved.ids[key] = Some(id),
                Err(problem) => {
                    resolved.refused.insert(key, problem);
                }
            }
        }
        resolved
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

/// Any kind, by its fields.
fn general(rows: &Rows<'_>, sink: &mut Sink<'_>) -> Result<(), crate::error::ReadError> {
    if let Some(plain) = Plain::of(rows) {
        plain.extend(0..plain.records(), sink.batch);
        sink.ordinals.extend(rows.ordinals().into_iter().flatten());
        return Ok(());
    }
    let cells: Result<Vec<Cells>, Problem> =
        rows.kind.fields().iter().map(|field| Cells::of(rows, field)).collect();
    let cells = match cells {
        Ok(cells) => cells,
        Err(problem) => return (sink.judge)(Blame::Table, problem),
    };
    let bars = (rows.kind == Kind::Bar).then(|| Bars::of(rows)).flatten();
    let mut values = Vec::with_capacity(cells.len());
    for row in 0..rows.len() {
        let pushed = rows.head(row).and_then(|head| {
            if let Some(bar) = bars.as_ref().and_then(|it| it.get(row, head, rows.scales(&head))) {
                sink.batch.extend_rows([bar]);
                return Ok(());
            }
            values.clear();
            for (field, cells) in rows.kind.fields().iter().zip(&cells) {
                let value = cells.value(row, field, rows.scales(&head))?;
                if value == Value::Absent && field.required {
                    return Err(rows.missing(field.name, &field.ty.expected()));
                }
                refuse_unscaled(rows.kind, head.instrument, &value)?;
                values.push(value);
            }
            if let (Kind::InstrumentRow, Some(id)) = (rows.kind, head.instrument) {
                check_values(rows.symbols.instrument(id), &values)?;
            }
            if let (Kind::Other, [Value::Text(kind), Value::Text(json)]) =
                (rows.kind, values.as_slice())
            {
                check_other(kind, json)?;
            }
            sink.batch.extend_values(rows.kind, head, &mut values).map_err(|at| {
                let field = &rows.kind.fields()[at];
                Problem::field(field.name, field.ty.expected(), b"a value out of its range")
            })
        });
        match pushed {
            Ok(()) => sink.ordinals.extend(rows.ordinal(row)),
            Err(problem) => (sink.judge)(Blame::Row(row), problem)?,
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
    // Eight and four at once, since a column keeps eighteen digits and 128 bits divide slowly.
    for (digits, power) in [(16, 10_i128.pow(16)), (8, 100_000_000), (4, 10_000), (2, 100), (1, 10)]
    {
        if scale >= digits && has_factor(mantissa, power) {
            mantissa /= power;
            scale -= digits;
        }
    }
    Decimal::try_from_i128_with_scale(mantissa, u32::from(scale)).ok()
}

/// Whether a power of ten, below 2^64, divides a number.
fn has_factor(number: i128, power: i128) -> bool {
    match i64::try_from(number) {
        Ok(number) => number % power as i64 == 0,
        Err(_) => number % power == 0,
    }
}

const _: () = assert!(MONEY_SCALE <= 28, "money has at most 28 decimals");
