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
use qt_model::units::Scale;
use rust_decimal::Decimal;

use super::hot_write;
use super::keys::SymbolKeys;
use super::schema::{ColumnScale, ColumnScales, MONEY_SCALE};
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
        let instruments = batch.instruments();
        for symbol in std::mem::take(&mut self.expected) {
            if let Some(id) = instruments.find(&symbol) {
                self.symbols.key(id, instruments);
            }
        }
        let mut columns = Columns {
            instruments,
            scales: self.scales,
            symbols: &mut self.symbols,
            with_ordinal: self.with_ordinal,
            arrays: Vec::with_capacity(self.schema.fields().len()),
        };
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
}

/// The columns of a table in the making, in the order of its schema.
pub(super) struct Columns<'a> {
    instruments: &'a Instruments,
    scales: ColumnScales,
    symbols: &'a mut SymbolKeys,
    with_ordinal: bool,
    arrays: Vec<ArrayRef>,
}

impl Columns<'_> {
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
        let (symbols, instruments) = (&mut *self.symbols, self.instruments);
        let key = |head: &Head| head.instrument.map_or(0, |id| symbols.key(id, instruments));
        let keys = ScalarBuffer::from_iter(heads.map(key));
        let keys = arrow::array::Int32Array::new(keys, nulls);
        let symbols = self.symbols.values();
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

    /// Prices at the scales of their instruments, lifted to the scale of the column.
    pub(super) fn px(
        &mut self,
        name: &str,
        values: impl ExactSizeIterator<Item = (Option<InstrumentId>, Option<i64>)> + Clone,
    ) -> Result<(), WriteError> {
        let column = self.scales.px;
        let instruments = self.instruments;
        self.decimals(name, column, values, |id| instruments.get(id).px_scale)
    }

    /// Sizes, likewise.
    pub(super) fn qty(
        &mut self,
        name: &str,
        values: impl ExactSizeIterator<Item = (Option<InstrumentId>, Option<i64>)> + Clone,
    ) -> Result<(), WriteError> {
        let column = self.scales.qty;
        let instruments = self.instruments;
        self.decimals(name, column, values, |id| instruments.get(id).qty_scale)
    }

    fn decimals(
        &mut self,
        name: &str,
        column: ColumnScale,
        values: impl ExactSizeIterator<Item = (Option<InstrumentId>, Option<i64>)> + Clone,
        scale_of: impl Fn(InstrumentId) -> Scale,
    ) -> Result<(), WriteError> {
        let nulls = nulls_of(values.clone().map(|(_, value)| value.is_some()));
        let scale = column.scale.digits().cast_signed();
        let from = |instrument: Option<InstrumentId>| instrument.map_or(column.scale, &scale_of);
        let array: ArrayRef = if column.is_wide {
            let lift = |(instrument, value): (_, Option<i64>)| {
                let missing = column.scale.digits().checked_sub(from(instrument).digits());
                let missing = missing.ok_or_else(|| unfit_joiner(name, column.scale))?;
                Ok(i128::from(value.unwrap_or_default()) * 10_i128.pow(u32::from(missing)))
            };
            let lifted = values.map(lift).collect::<Result<Vec<_>, WriteError>>()?;
            let array = Decimal128Array::new(ScalarBuffer::from(lifted), nulls);
            Arc::new(array.with_precision_and_scale(38, scale).map_err(unfit)?)
        } else {
            let plain = values.clone().all(|(instrument, _)| from(instrument) == column.scale);
            let values: Vec<i64> = if plain {
                values.map(|(_, value)| value.unwrap_or_default()).collect()
            } else {
                let lift = |(instrument, value): (_, Option<i64>)| {
                    let value = from(instrument).rescale(value.unwrap_or_default(), column.scale);
                    let value =
                        value.filter(|value| value.unsigned_abs() <= MAX_MANTISSA.unsigned_abs());
                    value.ok_or_else(|| unfit_joiner(name, column.scale))
                };
                values.map(lift).collect::<Result<_, WriteError>>()?
            };
            let array = Decimal64Array::new(ScalarBuffer::from(values), nulls);
            Arc::new(array.with_precision_and_scale(18, scale).map_err(unfit)?)
        };
        self.push(array);
        Ok(())
    }
}

#[cold]
fn unfit_joiner(name: &str, scale: Scale) -> WriteError {
    WriteError::Unfit(format!(
        "column `{name}`: a value of an instrument that joined late does not fit 18 digits at {} decimals",
        scale.digits()
    ))
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
            let values = records.iter().map(|record| (record.head().instrument, mantissa(record)));
            return match field.ty {
                FieldType::Px => columns.px(field.name, values),
                _ => columns.qty(field.name, values),
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
