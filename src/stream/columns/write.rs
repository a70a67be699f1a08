//! Rows of a batch to Arrow arrays.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Decimal64Array, Decimal128Array, DictionaryArray, Float64Array,
    Float64Builder, Int8Array, Int32Array, ListBuilder, RecordBatch, StringArray,
    TimestampNanosecondArray, UInt64Array,
};
use arrow::buffer::{NullBuffer, ScalarBuffer};
use arrow::datatypes::{Int8Type, Int32Type, SchemaRef};
use qt_model::decimal::MAX_MANTISSA;
use qt_model::ids::InstrumentId;
use qt_model::instrument::{Instrument, Instruments};
use qt_model::record::{Batch, Field, FieldType, Head, Kind, Record, Value};
use qt_model::units::Scale;
use rust_decimal::Decimal;

use super::braid_write::{self, Strip};
use super::hot_write;
use super::keys::SymbolKeys;
use super::schema::{ColumnScale, ColumnScales, MONEY_SCALE};
use crate::annotated::FeatureRows;
use crate::error::WriteError;

/// Makes the tables of one kind.
#[derive(Debug)]
pub(crate) struct RowWriter {
    kind: Kind,
    schema: SchemaRef,
    scales: ColumnScales,
    with_ordinal: bool,
    symbols: SymbolKeys,
    /// Instruments to put into the dictionary before the first table.
    expected: Vec<String>,
    /// How many instruments were compared with the columns, and whether one has fewer decimals.
    compared: usize,
    lifts: bool,
    utc: Arc<str>,
    /// Numbers that no row has, as many as were asked for at most.
    absent: UInt64Array,
}

impl RowWriter {
    /// `instruments` are those that are expected; others may join if their digits fit.
    pub(crate) fn new(
        kind: Kind,
        instruments: &Instruments,
        with_ordinal: bool,
        metadata: std::collections::HashMap<String, String>,
    ) -> Self {
        let scales = ColumnScales::of(instruments);
        let expected = instruments.by_symbol().map(|(_, it)| it.symbol.as_str().to_owned());
        Self {
            kind,
            schema: super::schema(kind, scales, with_ordinal, metadata),
            scales,
            with_ordinal,
            symbols: SymbolKeys::default(),
            expected: expected.collect(),
            compared: 0,
            lifts: false,
            utc: Arc::from("UTC"),
            absent: UInt64Array::new_null(0),
        }
    }

    /// Whether an instrument that may occur has other scales than the columns.
    fn lifts(&mut self, instruments: &Instruments) -> bool {
        for instrument in instruments.iter().skip(self.compared) {
            let (px, qty) = (instrument.px_scale, instrument.qty_scale);
            self.lifts |= px != self.scales.px.scale || qty != self.scales.qty.scale;
        }
        self.compared = instruments.len();
        self.lifts
    }

    pub(crate) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// The rows of this kind as a table. `ordinals` numbers them within the stream.
    pub(crate) fn table(
        &mut self,
        batch: &Batch,
        ordinals: &[u64],
    ) -> Result<RecordBatch, WriteError> {
        let kind = self.kind;
        self.make(batch.instruments(), |columns| match kind {
            Kind::Trade => hot_write::trades(batch, ordinals, columns),
            Kind::Quote => hot_write::quotes(batch, ordinals, columns),
            Kind::Depth => hot_write::depths(batch, ordinals, columns),
            Kind::Feature => hot_write::features(batch, ordinals, columns),
            _ => general(kind, batch, ordinals, columns),
        })
    }

    /// Rows of features beside a batch as a table.
    pub(crate) fn features(
        &mut self,
        (batch, rows): (&Batch, &FeatureRows),
        ordinals: &[u64],
    ) -> Result<RecordBatch, WriteError> {
        self.make(batch.instruments(), |columns| {
            hot_write::feature_rows((batch, rows), ordinals, columns);
            Ok(())
        })
    }

    /// The records of this kind of a braid as a table.
    pub(crate) fn strip(&mut self, strip: Strip<'_>) -> Result<RecordBatch, WriteError> {
        let kind = self.kind;
        let instruments = strip.instruments().cloned().unwrap_or_default();
        self.make(&instruments, |columns| braid_write::strip(kind, strip, columns))
    }

    fn make(
        &mut self,
        instruments: &Instruments,
        fill: impl FnOnce(&mut Columns<'_>) -> Result<(), WriteError>,
    ) -> Result<RecordBatch, WriteError> {
        for symbol in std::mem::take(&mut self.expected) {
            if let Some(id) = instruments.find(&symbol) {
                self.symbols.key(id, instruments);
            }
        }
        let lifts = self.lifts(instruments);
        let mut columns = Columns {
            instruments,
            scales: self.scales,
            symbols: &mut self.symbols,
            with_ordinal: self.with_ordinal,
            lifts,
            utc: Arc::clone(&self.utc),
            absent: &mut self.absent,
            arrays: Vec::with_capacity(self.schema.fields().len()),
        };
        fill(&mut columns)?;
        let arrays = columns.arrays;
        RecordBatch::try_new(Arc::clone(&self.schema), arrays)
            .map_err(|error| WriteError::Unfit(error.to_string()))
    }
}

/// The columns of a table in the making, in the order of its schema.
pub(super) struct Columns<'a> {
    instruments: &'a Instruments,
    scales: ColumnScales,
    symbols: &'a mut SymbolKeys,
    with_ordinal: bool,
    lifts: bool,
    utc: Arc<str>,
    absent: &'a mut UInt64Array,
    arrays: Vec<ArrayRef>,
}

impl Columns<'_> {
    pub(super) fn push(&mut self, array: ArrayRef) {
        self.arrays.push(array);
    }

    /// A column of numbers that no row has.
    pub(super) fn absent(&mut self, rows: usize) -> UInt64Array {
        if self.absent.len() < rows {
            *self.absent = UInt64Array::new_null(rows);
        }
        self.absent.slice(0, rows)
    }

    #[inline]
    pub(super) fn key(&mut self, id: InstrumentId) -> i32 {
        self.symbols.key(id, self.instruments)
    }

    /// Whether some instrument has fewer decimals than the columns.
    #[inline]
    pub(super) fn lifts(&self) -> bool {
        self.lifts
    }

    /// The ordinal, the clocks and the symbol, which stand first.
    pub(super) fn opening(
        &mut self,
        ordinals: Vec<u64>,
        (event, nulls): (ScalarBuffer<i64>, Option<NullBuffer>),
        recv: ScalarBuffer<i64>,
        keys: Vec<i32>,
    ) {
        self.opening_of(ordinals, (event, nulls), recv, Int32Array::new(keys.into(), None));
    }

    fn opening_of(
        &mut self,
        ordinals: Vec<u64>,
        (event, nulls): (ScalarBuffer<i64>, Option<NullBuffer>),
        recv: ScalarBuffer<i64>,
        keys: Int32Array,
    ) {
        if self.with_ordinal {
            self.push(Arc::new(UInt64Array::new(ordinals.into(), None)));
        }
        let times = |values, nulls| {
            let array = TimestampNanosecondArray::new(values, nulls);
            Arc::new(array.with_timezone_opt(Some(Arc::clone(&self.utc)))) as ArrayRef
        };
        let (event, recv) = (times(event, nulls), times(recv, None));
        self.push(event);
        self.push(recv);
        let array = DictionaryArray::<Int32Type>::try_new(keys, self.symbols.values());
        self.push(Arc::new(array.expect("every key is the index of a known instrument")));
    }

    /// The same for records that may be without an instrument.
    fn heads(&mut self, records: &[Record<'_>], ordinals: &[u64]) {
        let heads = || records.iter().map(Record::head);
        let timed: NullBuffer = heads().map(|head| head.has_event_time).collect();
        let named: NullBuffer = heads().map(|head| head.instrument.is_some()).collect();
        let event = heads().map(|head| head.ts_event.nanos()).collect();
        let recv = heads().map(|head| head.ts_recv.nanos()).collect();
        let key = |head: &Head| head.instrument.map_or(0, |id| self.key(id));
        let keys: Vec<i32> = heads().map(key).collect();
        let keys = Int32Array::new(keys.into(), Some(named).filter(|n| n.null_count() > 0));
        let timed = Some(timed).filter(|nulls| nulls.null_count() > 0);
        self.opening_of(ordinals.to_vec(), (event, timed), recv, keys);
    }

    /// Positions in a list of words.
    pub(super) fn word_keys(&mut self, words: &[&str], keys: Int8Array) {
        let values = Arc::new(StringArray::from_iter_values(words));
        let array = DictionaryArray::<Int8Type>::try_new(keys, values);
        self.push(Arc::new(array.expect("every key is the index of a word")));
    }

    /// Prices at the scales of their instruments, lifted to the scale of the column.
    pub(super) fn px(&mut self, name: &str, cells: Mantissas<'_>) -> Result<(), WriteError> {
        let array = decimals(name, self.scales.px, cells, self.instruments, |it| it.px_scale)?;
        self.push(array);
        Ok(())
    }

    /// Sizes, likewise.
    pub(super) fn qty(&mut self, name: &str, cells: Mantissas<'_>) -> Result<(), WriteError> {
        let array = decimals(name, self.scales.qty, cells, self.instruments, |it| it.qty_scale)?;
        self.push(array);
        Ok(())
    }
}

/// Mantissas and the instruments that they belong to.
pub(super) struct Mantissas<'a> {
    pub(super) values: ScalarBuffer<i64>,
    pub(super) nulls: Option<NullBuffer>,
    /// Empty where all are at the scale of the column.
    pub(super) ids: &'a [Option<InstrumentId>],
}

fn decimals(
    name: &str,
    column: ColumnScale,
    cells: Mantissas<'_>,
    instruments: &Instruments,
    scale_of: fn(&Instrument) -> Scale,
) -> Result<ArrayRef, WriteError> {
    let Mantissas { values, nulls, ids } = cells;
    // All values are looked at, and no one alone: a loop without a branch.
    let widest = values.iter().fold(0, |most, value| value.unsigned_abs().max(most));
    if widest > MAX_MANTISSA.unsigned_abs() {
        return Err(too_wide(name));
    }
    let scale = column.scale.digits().cast_signed();
    // What is absent needs no scale and no room.
    let from = |row: usize| match ids.get(row) {
        Some(Some(id)) if nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row)) => {
            scale_of(instruments.get(*id))
        }
        Some(_) | None => column.scale,
    };
    // An instrument that joined late may have more decimals than the columns were made for.
    let joined_late = |row: usize| {
        let symbol = ids[row].map_or("", |id| instruments.get(id).symbol.as_str());
        let (own, column) = (from(row).digits(), column.scale.digits());
        WriteError::Unfit(format!(
            "{symbol} has {own} decimals and joined after the columns were fixed at {column}"
        ))
    };
    if column.is_wide {
        // Neighbours mostly are of one instrument, and what is absent is zero at any scale.
        let mut last: Option<(InstrumentId, i128)> = None;
        let lift = |(row, value): (usize, &i64)| {
            let id = ids.get(row).copied().flatten();
            let factor = match last.filter(|(last, _)| Some(*last) == id) {
                Some((_, factor)) => factor,
                None => {
                    let missing = column.scale.digits().checked_sub(from(row).digits());
                    let missing = missing.and_then(|digits| Scale::new(digits).ok());
                    let factor = i128::from(missing.ok_or_else(|| joined_late(row))?.unit());
                    let is_there = nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row));
                    last = id.filter(|_| is_there).map(|id| (id, factor));
                    factor
                }
            };
            Ok(i128::from(*value) * factor)
        };
        let lifted = values.iter().enumerate().map(lift).collect::<Result<Vec<_>, WriteError>>()?;
        let array = Decimal128Array::new(ScalarBuffer::from(lifted), nulls);
        return Ok(Arc::new(array.with_precision_and_scale(38, scale).map_err(unfit)?));
    }
    let values = if (0..ids.len()).all(|row| from(row) == column.scale) {
        values
    } else {
        let lift = |(row, value): (usize, &i64)| {
            if from(row) > column.scale {
                return Err(joined_late(row));
            }
            let value = from(row).rescale(*value, column.scale);
            let fits = |value: &i64| value.unsigned_abs() <= MAX_MANTISSA.unsigned_abs();
            value.filter(fits).ok_or_else(|| too_wide(name))
        };
        values.iter().enumerate().map(lift).collect::<Result<Vec<_>, WriteError>>()?.into()
    };
    let array = Decimal64Array::new(values, nulls);
    Ok(Arc::new(array.with_precision_and_scale(18, scale).map_err(unfit)?))
}

#[cold]
fn too_wide(name: &str) -> WriteError {
    let message = "a value has more than 18 digits at the scale of its column";
    WriteError::Unfit(format!("column `{name}`: {message}"))
}

fn unfit(error: arrow::error::ArrowError) -> WriteError {
    WriteError::Unfit(error.to_string())
}

/// Any kind, by its fields.
fn general(
    kind: Kind,
    batch: &Batch,
    ordinals: &[u64],
    columns: &mut Columns<'_>,
) -> Result<(), WriteError> {
    let places = (0..batch.len()).filter(|at| batch.slots()[*at].kind == kind);
    let records: Vec<Record<'_>> = places.map(|at| batch.get(at)).collect();
    columns.heads(&records, ordinals);
    for (at, field) in kind.fields().iter().enumerate() {
        field_column(at, field, &records, columns)?;
    }
    let seq = records.iter().map(|record| record.head().seq);
    columns.push(Arc::new(UInt64Array::from_iter_values(seq)));
    Ok(())
}

fn field_column(
    at: usize,
    field: &Field,
    records: &[Record<'_>],
    columns: &mut Columns<'_>,
) -> Result<(), WriteError> {
    let values = records.iter().map(|record| record.value(at));
    macro_rules! each {
        ($variant:ident) => {
            values.map(|value| if let Value::$variant(value) = value { Some(value) } else { None })
        };
    }
    let array: ArrayRef = match field.ty {
        FieldType::Bool => Arc::new(each!(Bool).collect::<BooleanArray>()),
        FieldType::U64 => Arc::new(each!(U64).collect::<UInt64Array>()),
        FieldType::F64 => Arc::new(each!(F64).collect::<Float64Array>()),
        FieldType::Ts => {
            let nanos = each!(Ts).map(|ts| ts.map(|ts| ts.nanos()));
            Arc::new(nanos.collect::<TimestampNanosecondArray>().with_timezone("UTC"))
        }
        FieldType::Text => Arc::new(each!(Text).collect::<StringArray>()),
        FieldType::F64List => {
            let mut lists = ListBuilder::new(Float64Builder::new());
            each!(F64List).for_each(|list| match list {
                Some(list) => lists.append_value(list.iter().copied()),
                None => lists.append_null(),
            });
            Arc::new(lists.finish())
        }
        FieldType::Decimal => money(field.name, each!(Decimal))?,
        FieldType::Word(words) => {
            // Lists of words are short: far below the 127 that a key can name.
            let keys = each!(Word).map(|index| index.map(|index| index as i8)).collect();
            columns.word_keys(words, keys);
            return Ok(());
        }
        FieldType::Px | FieldType::Qty => {
            let mantissa = |record: &Record<'_>| match record.value(at) {
                Value::Px(px) => Some(px.mantissa()),
                Value::Qty(qty) => Some(qty.mantissa()),
                _ => None,
            };
            let ids: Vec<_> = records.iter().map(|record| record.head().instrument).collect();
            let found: arrow::array::Int64Array = records.iter().map(mantissa).collect();
            let (_, values, nulls) = found.into_parts();
            let cells = Mantissas { values, nulls, ids: &ids };
            return match field.ty {
                FieldType::Px => columns.px(field.name, cells),
                _ => columns.qty(field.name, cells),
            };
        }
    };
    columns.push(array);
    Ok(())
}

fn money(
    name: &str,
    values: impl Iterator<Item = Option<Decimal>>,
) -> Result<ArrayRef, WriteError> {
    let lift = |value: Decimal| {
        let value = value.normalize();
        let missing = u32::from(MONEY_SCALE).checked_sub(value.scale())?;
        value.mantissa().checked_mul(10_i128.pow(missing))
    };
    let lifted: Vec<Option<i128>> = values
        .map(|value| match value {
            Some(value) => lift(value).map(Some).ok_or_else(|| {
                let message = "an amount has more than 18 decimals or 20 digits before them";
                WriteError::Unfit(format!("column `{name}`: {message}: {value}"))
            }),
            None => Ok(None),
        })
        .collect::<Result<_, _>>()?;
    let array = Decimal128Array::from(lifted);
    let scale = MONEY_SCALE.cast_signed();
    Ok(Arc::new(array.with_precision_and_scale(38, scale).map_err(unfit)?))
}
