//! The cells of one Arrow column, read as what they mean.

use arrow::array::{Array, ArrayRef, AsArray, PrimitiveArray, RecordBatch};
use arrow::buffer::{NullBuffer, ScalarBuffer};
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Decimal64Type, Decimal128Type, Int8Type, Int32Type,
};
use qt_model::decimal::{DecimalError, MAX_MANTISSA};
use qt_model::record::Field;
use qt_model::units::Scale;
use rust_decimal::Decimal;

use super::schema::scale_of_column;
use crate::error::{Problem, excerpt};

/// What a price or size must stand in, for messages.
pub(super) const EXACT_COLUMN: &str =
    "a decimal column of at most 18 decimals, or whole numbers: their digits are exact";

/// Numbers, some of them absent.
#[derive(Debug)]
pub(crate) struct Numbers<T: ArrowPrimitiveType> {
    values: ScalarBuffer<T::Native>,
    nulls: Option<NullBuffer>,
}

impl<T: ArrowPrimitiveType> Numbers<T> {
    pub(crate) fn new(array: &PrimitiveArray<T>) -> Self {
        let nulls = array.nulls().filter(|nulls| nulls.null_count() > 0).cloned();
        Self { values: array.values().clone(), nulls }
    }

    #[inline]
    pub(crate) fn get(&self, row: usize) -> Option<T::Native> {
        match &self.nulls {
            Some(nulls) if nulls.is_null(row) => None,
            Some(_) | None => Some(self.values[row]),
        }
    }

    /// The values, where none is absent.
    pub(crate) fn plain(&self) -> Option<&ScalarBuffer<T::Native>> {
        self.nulls.is_none().then_some(&self.values)
    }

    pub(crate) fn has_nulls(&self) -> bool {
        self.nulls.is_some()
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
            let expected = EXACT_COLUMN;
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
                let cast = super::convert::exactly(array, &wide).map_err(|error| {
                    Problem::field(name, "a decimal column of at most 38 digits", error.as_bytes())
                })?;
                Mantissas::Wide(cast.as_primitive::<Decimal128Type>().values().clone())
            }
        };
        Ok(Some(Self { name, values, nulls, scale }))
    }

    /// The mantissas, where all are there, at that scale, and of at most eighteen digits.
    pub(crate) fn plain(&self, scale: Scale) -> Option<ScalarBuffer<i64>> {
        let Mantissas::Narrow(values) = &self.values else { return None };
        let is_plain = self.nulls.is_none()
            && self.scale == scale
            && values.iter().fold(0, |max, value| value.unsigned_abs().max(max))
                <= MAX_MANTISSA.unsigned_abs();
        is_plain.then(|| values.clone())
    }

    /// The same for sizes, none of which is negative.
    pub(crate) fn plain_sizes(&self, scale: Scale) -> Option<ScalarBuffer<i64>> {
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

    /// Whether any row has a value.
    pub(crate) fn has_values(&self, rows: usize) -> bool {
        self.nulls.as_ref().is_none_or(|nulls| nulls.null_count() < rows)
    }

    /// The mantissa at the scale of the column.
    #[inline]
    pub(crate) fn mantissa(&self, row: usize) -> Option<i128> {
        (!self.is_null(row)).then(|| self.wide(row))
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
    keys: Keys,
    /// For each key the position of its word; `Err` holds a word that the list lacks.
    meanings: Vec<Result<Option<usize>, Box<str>>>,
    words: &'static [&'static str],
}

/// Keys as we write them, or as wide as a dictionary of many strangers needs.
#[derive(Debug)]
enum Keys {
    Narrow(Numbers<Int8Type>),
    Wide(Numbers<Int32Type>),
}

impl WordCells {
    /// Takes a dictionary of strings with keys of 8 or 32 bits.
    pub(crate) fn new(
        name: &'static str,
        array: &ArrayRef,
        words: &'static [&'static str],
    ) -> Self {
        let (keys, values) = match array.as_dictionary_opt::<Int8Type>() {
            Some(narrow) => (Keys::Narrow(Numbers::new(narrow.keys())), narrow.values()),
            None => {
                let wide = array.as_dictionary::<Int32Type>();
                (Keys::Wide(Numbers::new(wide.keys())), wide.values())
            }
        };
        let meaning = |text: Option<&str>| match text {
            Some(text) => {
                let at = words.iter().position(|word| *word == text);
                at.map(Some).ok_or_else(|| excerpt(text.as_bytes()).into())
            }
            None => Ok(None),
        };
        let meanings = values.as_string::<i32>().iter().map(meaning).collect();
        Self { name, keys, meanings, words }
    }

    #[inline]
    pub(crate) fn get(&self, row: usize) -> Result<Option<usize>, Problem> {
        let key = match &self.keys {
            Keys::Narrow(keys) => keys.get(row).map(i32::from),
            Keys::Wide(keys) => keys.get(row),
        };
        let Some(key) = key else { return Ok(None) };
        match usize::try_from(key).ok().and_then(|key| self.meanings.get(key)) {
            Some(Ok(index)) => Ok(*index),
            Some(Err(text)) => Err(self.unknown(text)),
            None => Err(self.unknown("a key outside the dictionary")),
        }
    }

    /// The position of the word that every row has, where there are rows and the list knows it.
    pub(crate) fn only(&self) -> Option<usize> {
        fn is_one<T: ArrowPrimitiveType>(keys: &Numbers<T>) -> bool {
            let one = keys.plain().and_then(|keys| keys.first().zip(Some(keys)));
            one.is_some_and(|(first, keys)| keys.iter().all(|key| key == first))
        }
        let is_one = match &self.keys {
            Keys::Narrow(keys) => is_one(keys),
            Keys::Wide(keys) => is_one(keys),
        };
        is_one.then(|| self.get(0).ok().flatten()).flatten()
    }

    /// The positions of all words, where every row has one that the list knows.
    pub(crate) fn plain(&self) -> Option<ScalarBuffer<i8>> {
        let Keys::Narrow(keys) = &self.keys else { return None };
        let keys = keys.plain()?;
        let known = i8::try_from(self.meanings.len().min(127)).ok()?;
        // All keys are looked at, and no one alone: a loop without a branch.
        if !keys.iter().fold(true, |all, key| all & (0..known).contains(key)) {
            return None;
        }
        let mut places = [0_i8; 128];
        for (place, meaning) in places.iter_mut().zip(&self.meanings) {
            *place = i8::try_from((*meaning.as_ref().ok()?)?).ok()?;
        }
        if (0..known).all(|key| places[usize::from(key.cast_unsigned())] == key) {
            return Some(keys.clone());
        }
        Some(keys.iter().map(|key| places[usize::from(key.cast_unsigned() & 127)]).collect())
    }

    #[cold]
    fn unknown(&self, text: &str) -> Problem {
        let expected = format!("one of {}", self.words.join(", "));
        Problem::field(self.name, expected, text.as_bytes())
    }
}

pub(crate) fn misfit(field: &Field, found: impl ToString) -> Problem {
    Problem::field(field.name, field.ty.expected(), found.to_string().as_bytes())
}
