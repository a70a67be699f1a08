//! The cells of one Arrow column, read as what they mean.

use arrow::array::{Array, ArrayRef, AsArray, PrimitiveArray, RecordBatch};
use arrow::buffer::{NullBuffer, ScalarBuffer};
use arrow::datatypes::{
    DataType, Decimal64Type, Decimal128Type, Int8Type, TimestampNanosecondType,
};
use qt_model::decimal::{DecimalError, MAX_MANTISSA};
use qt_model::record::Field;
use qt_model::units::Scale;
use qt_model::words::Word;
use rust_decimal::Decimal;

use super::schema::scale_of_column;
use crate::error::Problem;

/// Nanoseconds, some of them absent.
#[derive(Debug)]
pub(crate) struct Longs {
    values: ScalarBuffer<i64>,
    nulls: Option<NullBuffer>,
}

impl Longs {
    pub(crate) fn new(array: &PrimitiveArray<TimestampNanosecondType>) -> Self {
        let nulls = array.nulls().filter(|nulls| nulls.null_count() > 0).cloned();
        Self { values: array.values().clone(), nulls }
    }

    #[inline]
    pub(crate) fn get(&self, row: usize) -> Option<i64> {
        match &self.nulls {
            Some(nulls) if nulls.is_null(row) => None,
            Some(_) | None => Some(self.values[row]),
        }
    }
}

impl Longs {
    /// The values, where none is absent.
    pub(crate) fn plain(&self) -> Option<&[i64]> {
        self.nulls.is_none().then_some(&self.values)
    }
}

/// Decimals of one scale.
#[derive(Debug)]
pub(crate) struct DecimalCells {
    name: &'static str,
    values: Mantissas,
    nulls: Option<NullBuffer>,
    scale: Scale,
}

#[derive(Debug)]
enum Mantissas {
    Narrow(ScalarBuffer<i64>),
    Wide(ScalarBuffer<i128>),
}

impl DecimalCells {
    pub(crate) fn of(table: &RecordBatch, name: &'static str) -> Result<Option<Self>, Problem> {
        let Some(array) = table.column_by_name(name) else { return Ok(None) };
        let ty = array.data_type();
        let Some(scale) = scale_of_column(ty) else {
            let expected = "a decimal column, whose digits are exact";
            return Err(Problem::field(name, expected, ty.to_string().as_bytes()));
        };
        let nulls = array.nulls().filter(|nulls| nulls.null_count() > 0).cloned();
        let values = match ty {
            DataType::Decimal64(..) => {
                Mantissas::Narrow(array.as_primitive::<Decimal64Type>().values().clone())
            }
            DataType::Decimal128(..) => {
                Mantissas::Wide(array.as_primitive::<Decimal128Type>().values().clone())
            }
            // Other widths and whole numbers, at their own scale: nothing is rounded.
            _ => {
                let wide = DataType::Decimal128(38, scale.digits().cast_signed());
                let options = arrow::compute::CastOptions { safe: false, ..Default::default() };
                let cast =
                    arrow::compute::cast_with_options(array, &wide, &options).map_err(|error| {
                        Problem::field(name, "a decimal column", error.to_string().as_bytes())
                    })?;
                Mantissas::Wide(cast.as_primitive::<Decimal128Type>().values().clone())
            }
        };
        Ok(Some(Self { name, values, nulls, scale }))
    }

    /// The mantissas, where all are there, at that scale, and of at most eighteen digits.
    pub(crate) fn plain(&self, scale: Scale) -> Option<&[i64]> {
        let Mantissas::Narrow(values) = &self.values else { return None };
        let is_plain = self.nulls.is_none()
            && self.scale == scale
            && values.iter().fold(0, |max, value| value.unsigned_abs().max(max))
                <= MAX_MANTISSA.unsigned_abs();
        is_plain.then_some(values)
    }

    /// The same for sizes, none of which is negative.
    pub(crate) fn plain_sizes(&self, scale: Scale) -> Option<&[i64]> {
        // One negative value makes the disjunction negative.
        self.plain(scale).filter(|values| values.iter().fold(0, |all, value| all | value) >= 0)
    }

    #[inline]
    fn is_null(&self, row: usize) -> bool {
        self.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row))
    }

    /// The mantissa at the scale of the instrument.
    #[inline]
    pub(crate) fn get(&self, row: usize, to: Scale) -> Result<Option<i64>, Problem> {
        if self.is_null(row) {
            return Ok(None);
        }
        if let Mantissas::Narrow(values) = &self.values
            && self.scale == to
            && values[row].unsigned_abs() <= MAX_MANTISSA.unsigned_abs()
        {
            return Ok(Some(values[row]));
        }
        self.rescaled(row, to).map(Some)
    }

    #[cold]
    fn rescaled(&self, row: usize, to: Scale) -> Result<i64, Problem> {
        let value = self.wide(row);
        let (from, digits) = (i32::from(self.scale.digits()), i32::from(to.digits()));
        let step = 10_i128.pow(from.abs_diff(digits));
        let rescaled = if digits >= from {
            value.checked_mul(step).ok_or(DecimalError::Overflow { scale: to.digits() })
        } else if value % step == 0 {
            Ok(value / step)
        } else {
            Err(DecimalError::DoesNotFit { scale: to.digits() })
        };
        let fits = |value: i128| {
            let fits = value.unsigned_abs() <= u128::from(MAX_MANTISSA.unsigned_abs());
            fits.then_some(value as i64).ok_or(DecimalError::Overflow { scale: to.digits() })
        };
        rescaled.and_then(fits).map_err(|source| Problem::Number {
            field: self.name.to_owned(),
            source,
            found: format!("{value}e-{from}"),
        })
    }

    #[inline]
    fn wide(&self, row: usize) -> i128 {
        match &self.values {
            Mantissas::Narrow(values) => i128::from(values[row]),
            Mantissas::Wide(values) => values[row],
        }
    }

    /// The amount as money.
    pub(crate) fn money(&self, row: usize) -> Result<Option<Decimal>, Problem> {
        if self.is_null(row) {
            return Ok(None);
        }
        let value = self.wide(row);
        let money = super::read::money(value, self.scale.digits());
        let found = || format!("{value}e-{}", self.scale.digits());
        money.map(Some).ok_or_else(|| {
            Problem::field(self.name, "an amount of at most 28 digits", found().as_bytes())
        })
    }
}

/// Words of a closed list, as positions in it.
#[derive(Debug)]
pub(crate) struct WordCells {
    name: &'static str,
    keys: PrimitiveArray<Int8Type>,
    /// For each key the position of its word; `Err` holds a word that the list lacks.
    meanings: Vec<Result<usize, Box<str>>>,
    words: &'static [&'static str],
}

impl WordCells {
    pub(crate) fn new(
        name: &'static str,
        array: &ArrayRef,
        words: &'static [&'static str],
    ) -> Result<Self, Problem> {
        let array = array.as_dictionary::<Int8Type>();
        let meaning = |text: Option<&str>| {
            let text = text.unwrap_or_default();
            words.iter().position(|word| *word == text).ok_or_else(|| text.into())
        };
        let meanings = array.values().as_string::<i32>().iter().map(meaning).collect();
        Ok(Self { name, keys: array.keys().clone(), meanings, words })
    }

    #[inline]
    pub(crate) fn get(&self, row: usize) -> Result<Option<usize>, Problem> {
        if self.keys.is_null(row) {
            return Ok(None);
        }
        let key = self.keys.value(row);
        match usize::try_from(key).ok().and_then(|key| self.meanings.get(key)) {
            Some(Ok(index)) => Ok(Some(*index)),
            Some(Err(text)) => Err(self.unknown(text)),
            None => Err(self.unknown("a key outside the dictionary")),
        }
    }

    /// The keys and what each means, where every key means a word or nothing.
    pub(crate) fn plain<W: Word>(&self) -> Option<PlainWords<'_, W>> {
        if self.keys.null_count() > 0 {
            return None;
        }
        let mut meanings = [None; 256];
        for (key, meaning) in self.meanings.iter().enumerate() {
            *meanings.get_mut(key)? = W::from_index(*meaning.as_ref().ok()?);
        }
        let known = i8::try_from(self.meanings.len().min(127)).ok()?;
        let keys = self.keys.values();
        let is_known = keys.iter().all(|key| (0..known).contains(key));
        is_known.then_some(PlainWords { keys, meanings })
    }

    #[cold]
    fn unknown(&self, text: &str) -> Problem {
        let expected = format!("one of {}", self.words.join(", "));
        Problem::field(self.name, expected, text.as_bytes())
    }
}

/// Words by key.
pub(crate) struct PlainWords<'a, W> {
    keys: &'a [i8],
    meanings: [Option<W>; 256],
}

impl<W: Word> PlainWords<'_, W> {
    #[inline]
    pub(crate) fn get(&self, row: usize) -> Option<W> {
        self.meanings[usize::from(self.keys[row].cast_unsigned())]
    }
}

pub(crate) fn misfit(field: &Field, found: impl ToString) -> Problem {
    Problem::field(field.name, field.ty.expected(), found.to_string().as_bytes())
}
