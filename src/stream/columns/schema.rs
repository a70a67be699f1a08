//! The Arrow schema of each kind.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use qt_model::decimal::MONEY_DECIMALS;
use qt_model::instrument::Instruments;
use qt_model::record::{FieldType, Kind, SymbolRule};
use qt_model::units::Scale;

/// The column that orders the rows of several kinds: the number of the record in its stream.
pub(crate) const ORDINAL: &str = "n";

/// How a price or size column holds its decimals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ColumnScale {
    pub(crate) scale: Scale,
    /// Whether the instruments differ, so that only 128 bits hold all their digits.
    pub(crate) is_wide: bool,
}

/// The decimals of the price and the size columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ColumnScales {
    pub(crate) px: ColumnScale,
    pub(crate) qty: ColumnScale,
}

impl ColumnScales {
    /// What holds every price and size of these instruments exactly.
    pub(crate) fn of(instruments: &Instruments) -> Self {
        let widest = |scale: fn(&qt_model::instrument::Instrument) -> Scale| {
            let max = instruments.iter().map(scale).max().unwrap_or_default();
            let is_wide = instruments.iter().any(|instrument| scale(instrument) != max);
            ColumnScale { scale: max, is_wide }
        };
        Self { px: widest(|i| i.px_scale), qty: widest(|i| i.qty_scale) }
    }
}

impl ColumnScale {
    pub(crate) fn data_type(self) -> DataType {
        let scale = self.scale.digits().cast_signed();
        if self.is_wide { DataType::Decimal128(38, scale) } else { DataType::Decimal64(18, scale) }
    }
}

pub(crate) fn ts_type() -> DataType {
    DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into()))
}

pub(crate) fn symbol_type() -> DataType {
    DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))
}

pub(crate) fn word_type() -> DataType {
    DataType::Dictionary(Box::new(DataType::Int8), Box::new(DataType::Utf8))
}

/// Money: 38 digits, 18 of them behind the point.
pub(crate) const MONEY_SCALE: u8 = MONEY_DECIMALS;

pub(crate) fn data_type(ty: FieldType, scales: ColumnScales) -> DataType {
    match ty {
        FieldType::Bool => DataType::Boolean,
        FieldType::U64 => DataType::UInt64,
        FieldType::F64 => DataType::Float64,
        FieldType::Ts => ts_type(),
        FieldType::Px => scales.px.data_type(),
        FieldType::Qty => scales.qty.data_type(),
        FieldType::Decimal => DataType::Decimal128(38, MONEY_SCALE.cast_signed()),
        FieldType::Text => DataType::Utf8,
        FieldType::Word(_) => word_type(),
        FieldType::F64List => DataType::new_list(DataType::Float64, true),
    }
}

/// The table of a kind: the clocks, the symbol, its own fields, the levels of a depth, and `seq`.
pub(crate) fn schema(
    kind: Kind,
    scales: ColumnScales,
    with_ordinal: bool,
    metadata: HashMap<String, String>,
) -> SchemaRef {
    let mut fields = Vec::new();
    if with_ordinal {
        fields.push(Field::new(ORDINAL, DataType::UInt64, false));
    }
    fields.push(Field::new("ts_event", ts_type(), true));
    fields.push(Field::new("ts_recv", ts_type(), false));
    fields.push(Field::new("sym", symbol_type(), kind.symbol_rule() == SymbolRule::Optional));
    for field in kind.fields() {
        fields.push(Field::new(field.name, data_type(field.ty, scales), !field.required));
    }
    if kind == Kind::Depth {
        fields.push(Field::new("level", DataType::UInt32, false));
        fields.push(Field::new("side", word_type(), true));
        fields.push(Field::new("px", scales.px.data_type(), true));
        fields.push(Field::new("qty", scales.qty.data_type(), true));
    }
    fields.push(Field::new("seq", DataType::UInt64, false));
    Arc::new(Schema::new_with_metadata(fields, metadata))
}

/// The kind whose table a schema looks like: all that it requires is there, and most of the rest.
pub(crate) fn guess_kind(schema: &Schema) -> Option<Kind> {
    let has = |name: &str| schema.field_with_name(name).is_ok();
    let fits = |kind: &Kind| {
        *kind != Kind::Other
            && (*kind != Kind::Depth || has("side") && has("px") && has("qty"))
            && kind.fields().iter().all(|field| !field.required || has(field.name))
            && kind.fields().iter().any(|field| has(field.name))
    };
    let likeness = |kind: &Kind| {
        let of_level = ["level", "side", "px", "qty"].into_iter().filter(|_| *kind == Kind::Depth);
        let own = kind.fields().iter().map(|field| field.name).chain(of_level);
        let found = own.filter(|name| has(name)).count();
        // Among kinds with as many columns in common, the one that leaves fewer out.
        (found, std::cmp::Reverse(kind.fields().len()))
    };
    Kind::ALL.iter().copied().filter(fits).max_by_key(likeness)
}

/// The scale of a decimal column; whole numbers count as decimals without a fraction.
pub(crate) fn scale_of_column(ty: &DataType) -> Option<Scale> {
    match ty {
        DataType::Decimal32(_, scale)
        | DataType::Decimal64(_, scale)
        | DataType::Decimal128(_, scale)
        | DataType::Decimal256(_, scale) => {
            u8::try_from(*scale).ok().and_then(|scale| Scale::new(scale).ok())
        }
        DataType::Int8
        | DataType::Int16
        | DataType::Int32
        | DataType::Int64
        | DataType::UInt8
        | DataType::UInt16
        | DataType::UInt32
        | DataType::UInt64 => Some(Scale::ZERO),
        _ => None,
    }
}
