//! Rows of a batch to Arrow arrays.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Decimal64Array, Decimal128Array, DictionaryArray, Float64Array,
    Float64Builder, ListBuilder, RecordBatch, StringArray, TimestampNanosecondArray, UInt64Array,
};
use arrow::buffer::{NullBuffer, ScalarBuffer};
use arrow::datatypes::{Int8Type, Int32Type, SchemaRef};
use qt_model::decimal::MAX_MANTISSA;
use qt_model::ids::InstrumentId;
use qt_model::instrument::Instruments;
use qt_model::record::{Batch, Field, FieldType, Head, Kind, Record, Value};
use rust_decimal::Decimal;

use super::hot_write;
use super::schema::{ColumnScale, ColumnScales, MONEY_SCALE};
use crate::error::WriteError;

/// Makes the tables of one kind.
#[derive(Debug)]
pub(crate) struct RowWriter {
    kind: Kind,
    schema: SchemaRef,
    with_ordinal: bool,
    /// The symbols so far, as the values of a dictionary.
    symbols: Arc<StringArray>,
    /// What lifts the mantissa of each instrument to the scale of the column.
    px_factors: Factors,
    qty_factors: Factors,
}

/// Per instrument, the power of ten from its scale to the column's.
#[derive(Debug)]
pub(super) struct Factors {
    pub(super) column: ColumnScale,
    pub(super) by_instrument: Vec<i64>,
    /// Whether all are one, so that mantissas pass as they are.
    pub(super) is_plain: bool,
}

impl RowWriter {
    pub(crate) fn new(
        kind: Kind,
        scales: ColumnScales,
        with_ordinal: bool,
        metadata: std::collections::HashMap<String, String>,
    ) -> Self {
        let factors = |column| Factors { column, by_instrument: Vec::new(), is_plain: true };
        Self {
            kind,
            schema: super::schema(kind, scales, with_ordinal, metadata),
            with_ordinal,
            symbols: Arc::new(StringArray::from(Vec::<&str>::new())),
            px_factors: factors(scales.px),
            qty_factors: factors(scales.qty),
        }
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
        self.know(batch.instruments())?;
        let mut columns = Columns::new(self);
        match self.kind {
            Kind::Trade => hot_write::trades(batch, ordinals, &mut columns)?,
            Kind::Quote => hot_write::quotes(batch, ordinals, &mut columns)?,
            Kind::Depth => hot_write::depths(batch, ordinals, &mut columns)?,
            _ => general(self.kind, batch, ordinals, &mut columns)?,
        }
        let arrays = columns.arrays;
        RecordBatch::try_new(Arc::clone(&self.schema), arrays)
            .map_err(|error| WriteError::Unfit(error.to_string()))
    }

    /// Takes in the instruments that joined since the last table.
    fn know(&mut self, instruments: &Instruments) -> Result<(), WriteError> {
        let known = self.px_factors.by_instrument.len();
        if known == instruments.len() {
            return Ok(());
        }
        for instrument in instruments.iter().skip(known) {
            self.px_factors.add(instrument.px_scale, &instrument.symbol)?;
            self.qty_factors.add(instrument.qty_scale, &instrument.symbol)?;
        }
        let symbols = instruments.iter().map(|instrument| instrument.symbol.as_str());
        self.symbols = Arc::new(StringArray::from_iter_values(symbols));
        Ok(())
    }
}

impl Factors {
    fn add(
        &mut self,
        scale: qt_model::units::Scale,
        symbol: &qt_model::instrument::Symbol,
    ) -> Result<(), WriteError> {
        let column = self.column.scale;
        let factor = scale.rescale(1, column).ok_or_else(|| {
            WriteError::Unfit(format!(
                "{symbol} has {} decimals and joined after the columns were fixed at {}",
                scale.digits(),
                column.digits(),
            ))
        })?;
        self.is_plain &= factor == 1;
        self.by_instrument.push(factor);
        Ok(())
    }

    #[inline]
    fn of(&self, instrument: Option<InstrumentId>) -> i64 {
        instrument.map_or(1, |id| self.by_instrument[id.index()])
    }
}

/// The columns of a table in the making, in the order of its schema.
pub(super) struct Columns<'a> {
    pub(super) px: &'a Factors,
    pub(super) qty: &'a Factors,
    symbols: &'a Arc<StringArray>,
    with_ordinal: bool,
    arrays: Vec<ArrayRef>,
}

impl<'a> Columns<'a> {
    fn new(writer: &'a RowWriter) -> Self {
        Self {
            px: &writer.px_factors,
            qty: &writer.qty_factors,
            symbols: &writer.symbols,
            with_ordinal: writer.with_ordinal,
            arrays: Vec::with_capacity(writer.schema.fields().len()),
        }
    }

    pub(super) fn push(&mut self, array: ArrayRef) {
        self.arrays.push(array);
    }

    /// The ordinal, the clocks and the symbol, which stand first.
    pub(super) fn heads<'h>(
        &mut self,
        heads: impl ExactSizeIterator<Item = &'h Head> + Clone,
        ordinals: impl Iterator<Item = u64>,
    ) {
        if self.with_ordinal {
            self.push(Arc::new(UInt64Array::from_iter_values(ordinals)));
        }
        let timed = heads.clone().all(|head| head.has_event_time);
        let nulls = (!timed).then(|| heads.clone().map(|head| head.has_event_time).collect());
        self.ts(heads.clone().map(|head| head.ts_event.nanos()), nulls);
        self.ts(heads.clone().map(|head| head.ts_recv.nanos()), None);
        let named = heads.clone().all(|head| head.instrument.is_some());
        let nulls = (!named).then(|| heads.clone().map(|head| head.instrument.is_some()).collect());
        let key = |head: &Head| head.instrument.map_or(0, |id| (id.index() as u32).cast_signed());
        let keys = ScalarBuffer::from_iter(heads.map(key));
        let keys = arrow::array::Int32Array::new(keys, nulls);
        let symbols: ArrayRef = Arc::clone(self.symbols) as ArrayRef;
        // A table without any instrument still needs a value that the masked keys can point at.
        let symbols = if self.symbols.len_is_zero() { empty_symbol() } else { symbols };
        let array = DictionaryArray::<Int32Type>::try_new(keys, symbols);
        self.push(Arc::new(array.expect("every key is the index of a known instrument")));
    }

    pub(super) fn ts(&mut self, values: impl Iterator<Item = i64>, nulls: Option<NullBuffer>) {
        let values = ScalarBuffer::from_iter(values);
        self.push(Arc::new(TimestampNanosecondArray::new(values, nulls).with_timezone("UTC")));
    }

    pub(super) fn u64(&mut self, values: impl Iterator<Item = u64>) {
        self.push(Arc::new(UInt64Array::new(ScalarBuffer::from_iter(values), None)));
    }

    pub(super) fn optional_u64(
        &mut self,
        values: impl ExactSizeIterator<Item = Option<u64>> + Clone,
    ) {
        let nulls = nulls_of(values.clone().map(|value| value.is_some()));
        let values = ScalarBuffer::from_iter(values.map(Option::unwrap_or_default));
        self.push(Arc::new(UInt64Array::new(values, nulls)));
    }

    /// Positions in a list of words; `None` is null.
    pub(super) fn words(
        &mut self,
        words: &[&str],
        indexes: impl ExactSizeIterator<Item = Option<usize>> + Clone,
    ) {
        let nulls = nulls_of(indexes.clone().map(|index| index.is_some()));
        // Lists of words are short: far below the 127 that a key can name.
        let keys = ScalarBuffer::from_iter(indexes.map(|index| index.unwrap_or_default() as i8));
        let keys = arrow::array::Int8Array::new(keys, nulls);
        let values = Arc::new(StringArray::from_iter_values(words));
        let array = DictionaryArray::<Int8Type>::try_new(keys, values);
        self.push(Arc::new(array.expect("every key is the index of a word")));
    }

    /// Mantissas at the scales of their instruments, lifted to the scale of the column.
    pub(super) fn decimals(
        &mut self,
        name: &str,
        factors: &Factors,
        values: impl ExactSizeIterator<Item = (Option<InstrumentId>, Option<i64>)> + Clone,
    ) -> Result<(), WriteError> {
        let nulls = nulls_of(values.clone().map(|(_, value)| value.is_some()));
        let scale = factors.column.scale.digits().cast_signed();
        let array: ArrayRef = if factors.column.is_wide {
            let lifted = values.map(|(instrument, value)| {
                i128::from(value.unwrap_or_default()) * i128::from(factors.of(instrument))
            });
            let array = Decimal128Array::new(ScalarBuffer::from_iter(lifted), nulls);
            Arc::new(array.with_precision_and_scale(38, scale).map_err(unfit)?)
        } else {
            let values: Vec<i64> = if factors.is_plain {
                values.map(|(_, value)| value.unwrap_or_default()).collect()
            } else {
                let lift = |(instrument, value): (_, Option<i64>)| {
                    let value = value.unwrap_or_default();
                    value.checked_mul(factors.of(instrument)).ok_or_else(|| too_wide(name))
                };
                values.map(lift).collect::<Result<_, _>>()?
            };
            // All values are looked at, and no one alone: a loop without a branch.
            let widest = values.iter().fold(0, |most, value| value.unsigned_abs().max(most));
            if widest > MAX_MANTISSA.unsigned_abs() {
                return Err(too_wide(name));
            }
            let array = Decimal64Array::new(ScalarBuffer::from(values), nulls);
            Arc::new(array.with_precision_and_scale(18, scale).map_err(unfit)?)
        };
        self.push(array);
        Ok(())
    }
}

trait IsEmpty {
    fn len_is_zero(&self) -> bool;
}

impl IsEmpty for Arc<StringArray> {
    fn len_is_zero(&self) -> bool {
        arrow::array::Array::is_empty(&**self)
    }
}

fn empty_symbol() -> ArrayRef {
    Arc::new(StringArray::from(vec![""]))
}

fn too_wide(name: &str) -> WriteError {
    let message = "a value has more than 18 digits at the scale of its column";
    WriteError::Unfit(format!("column `{name}`: {message}"))
}

fn unfit(error: arrow::error::ArrowError) -> WriteError {
    WriteError::Unfit(error.to_string())
}

/// The mask of a column, where it has an absent value at all.
fn nulls_of(present: impl ExactSizeIterator<Item = bool> + Clone) -> Option<NullBuffer> {
    if present.clone().all(|present| present) { None } else { Some(present.collect()) }
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
    columns.heads(records.iter().map(Record::head), ordinals.iter().copied());
    for (at, field) in kind.fields().iter().enumerate() {
        field_column(at, field, &records, columns)?;
    }
    columns.u64(records.iter().map(|record| record.head().seq));
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
            let indexes: Vec<_> = each!(Word).collect();
            columns.words(words, indexes.into_iter());
            return Ok(());
        }
        FieldType::Px | FieldType::Qty => {
            let mantissa = |record: &Record<'_>| match record.value(at) {
                Value::Px(px) => Some(px.mantissa()),
                Value::Qty(qty) => Some(qty.mantissa()),
                _ => None,
            };
            let factors = if field.ty == FieldType::Px { columns.px } else { columns.qty };
            let values = records.iter().map(|record| (record.head().instrument, mantissa(record)));
            return columns.decimals(field.name, factors, values);
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
