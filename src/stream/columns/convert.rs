//! Columns of other types that hold the same: brought to ours without losing anything.
//!
//! Invariant: a value is converted exactly or its column is refused. The cast of the library would
//! also cut fractions off and parse texts, so what it may be asked for is listed here.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Int64Type, TimeUnit, TimestampNanosecondType};
use arrow::error::ArrowError;

use crate::error::Problem;

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
    let found = array.data_type();
    if !holds_the_same(found, ty) {
        return Err(misfit(name, ty, found.to_string()));
    }
    let converted = match ty {
        DataType::Timestamp(..) => nanoseconds(array),
        _ => exactly(array, ty),
    };
    converted.map(Some).map_err(|error| misfit(name, ty, format!("{found}: {error}")))
}

/// Instants of any unit, as they are. A time without a zone is taken as UTC, and one with a zone
/// is an instant already: the cast of the library would shift the first and ask for a database of
/// zones.
fn nanoseconds(array: &ArrayRef) -> Result<ArrayRef, String> {
    let factor = match array.data_type() {
        DataType::Timestamp(TimeUnit::Second, _) => 1_000_000_000,
        DataType::Timestamp(TimeUnit::Millisecond, _) => 1_000_000,
        DataType::Timestamp(TimeUnit::Microsecond, _) => 1_000,
        _ => 1,
    };
    let units = exactly(array, &DataType::Int64)?;
    let lift = |value: i64| {
        value.checked_mul(factor).ok_or_else(|| {
            ArrowError::ComputeError(format!("{value} lies outside the years 1677 to 2262"))
        })
    };
    let nanos = units.as_primitive::<Int64Type>().try_unary::<_, TimestampNanosecondType, _>(lift);
    nanos.map(|nanos| Arc::new(nanos) as ArrayRef).map_err(|error| error.to_string())
}

/// Casts every value or none.
pub(super) fn exactly(array: &ArrayRef, ty: &DataType) -> Result<ArrayRef, String> {
    let options = arrow::compute::CastOptions { safe: false, ..Default::default() };
    crate::contain::contained(|| arrow::compute::cast_with_options(array, ty, &options))
        .and_then(|cast| cast.map_err(|error| error.to_string()))
}

fn misfit(name: &str, ty: &DataType, found: String) -> Problem {
    Problem::Field {
        field: name.to_owned(),
        expected: format!("a column of {}", spoken(ty)),
        found,
    }
}

fn holds_the_same(from: &DataType, to: &DataType) -> bool {
    match to {
        DataType::UInt32 | DataType::UInt64 => from.is_integer(),
        DataType::Float64 => from.is_integer() || from.is_floating(),
        DataType::Timestamp(..) => {
            matches!(from, DataType::Timestamp(..) | DataType::Int64 | DataType::UInt64)
        }
        DataType::Utf8 | DataType::Dictionary(..) => match from {
            DataType::Dictionary(_, values) => is_text(values),
            from => is_text(from),
        },
        DataType::List(_) => match from {
            DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
                item.data_type().is_integer() || item.data_type().is_floating()
            }
            _ => false,
        },
        _ => false,
    }
}

fn is_text(ty: &DataType) -> bool {
    matches!(ty, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
}

/// A type as someone would say it who never saw ours.
fn spoken(ty: &DataType) -> &'static str {
    match ty {
        DataType::UInt32 | DataType::UInt64 => "whole numbers of zero or more",
        DataType::Float64 => "numbers",
        DataType::Timestamp(..) => "timestamps, or integer nanoseconds",
        DataType::Utf8 | DataType::Dictionary(..) => "strings",
        DataType::List(_) => "lists of numbers",
        _ => "booleans",
    }
}
