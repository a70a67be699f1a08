//! Rows of a batch to one block.

use qt_model::decimal::MONEY_DECIMALS;
use qt_model::record::{Batch, FieldType, Level, Record, Value};
use qt_model::time::Ts;
use qt_model::units::Scale;
use qt_model::words::Side;
use rust_decimal::Decimal;

use super::bytes::{put_text, put_varint};
use crate::tables::{Cell, Column, Table, Type};

/// A number that no column holds.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{table}: {column} {value} has more digits than 20 before and 18 behind the point")]
pub struct Unfit {
    pub table: &'static str,
    pub column: String,
    pub value: Decimal,
}

/// The records at those places of a batch, which are of the kind of the table, as a block.
pub fn encode(table: &Table, batch: &Batch, places: &[usize]) -> Result<Vec<u8>, Unfit> {
    let records: Vec<Record<'_>> = places.iter().map(|at| batch.get(*at)).collect();
    let levels: usize = records.iter().map(|record| record.levels().len()).sum();
    let mut out = Vec::with_capacity(records.len() * 8 * table.columns.len() + 16 * levels);
    put_varint(table.columns.len(), &mut out);
    put_varint(records.len(), &mut out);
    for column in &table.columns {
        put_text(&column.name, &mut out);
        put_text(&column.form.sent(), &mut out);
        Writer { table, column, batch, records: &records, out: &mut out }.column()?;
    }
    Ok(out)
}

/// A column in the making.
struct Writer<'a> {
    table: &'a Table,
    column: &'a Column,
    batch: &'a Batch,
    records: &'a [Record<'a>],
    out: &'a mut Vec<u8>,
}

impl Writer<'_> {
    fn column(&mut self) -> Result<(), Unfit> {
        let records = self.records;
        match self.column.cell {
            Cell::Event => self.numbers(|record| record.head().ts_event.nanos()),
            Cell::Recv => self.numbers(|record| record.head().ts_recv.nanos()),
            Cell::Seq => self.numbers(|record| record.head().seq.cast_signed()),
            Cell::HasEvent => {
                self.out.extend(records.iter().map(|it| u8::from(it.head().has_event_time)));
            }
            Cell::PxScale => self.scales(|(px, _)| px),
            Cell::QtyScale => self.scales(|(_, qty)| qty),
            Cell::Symbol => {
                let instruments = self.batch.instruments();
                for record in records {
                    let symbol = record.head().instrument.map(|id| &instruments.get(id).symbol);
                    put_text(symbol.map_or("", |symbol| symbol.as_str()), self.out);
                }
            }
            Cell::LevelPx(side) => self.levels(side, |level| level.px.mantissa()),
            Cell::LevelQty(side) => self.levels(side, |level| level.qty.mantissa()),
            Cell::Field(at) if self.column.form.is_list => self.lists(at),
            Cell::Field(at) => return self.fields(at),
        }
        Ok(())
    }

    fn numbers(&mut self, value: impl Fn(&Record<'_>) -> i64) {
        self.out.extend(self.records.iter().flat_map(|record| value(record).to_le_bytes()));
    }

    fn scales(&mut self, choose: impl Fn((Scale, Scale)) -> Scale) {
        let instruments = self.batch.instruments();
        self.out.extend(self.records.iter().map(|record| {
            let scales = record.head().instrument.map(|id| {
                let instrument = instruments.get(id);
                (instrument.px_scale, instrument.qty_scale)
            });
            choose(scales.unwrap_or_default()).digits()
        }));
    }

    fn levels(&mut self, side: Side, value: impl Fn(&Level) -> i64) {
        let of_side = |record: &Record<'_>| {
            record.levels().iter().filter(move |level| level.side == side).count() as u64
        };
        let mut end = 0;
        for record in self.records {
            end += of_side(record);
            self.out.extend(end.to_le_bytes());
        }
        for record in self.records {
            let levels = record.levels().iter().filter(|level| level.side == side);
            self.out.extend(levels.flat_map(|level| value(level).to_le_bytes()));
        }
    }

    /// Lists of numbers of which some may be missing.
    fn lists(&mut self, at: usize) {
        let list = |record: &Record<'_>| {
            let Value::F64List(list) = record.value(at) else {
                panic!("`{}` is a list in every record", self.column.name)
            };
            list.into_owned()
        };
        let lists: Vec<Vec<Option<f64>>> = self.records.iter().map(list).collect();
        let mut end = 0;
        for list in &lists {
            end += list.len() as u64;
            self.out.extend(end.to_le_bytes());
        }
        self.out.extend(lists.iter().flatten().map(|value| u8::from(value.is_none())));
        let values = lists.iter().flatten().map(|value| value.unwrap_or_default());
        self.out.extend(values.flat_map(f64::to_le_bytes));
    }

    fn fields(&mut self, at: usize) -> Result<(), Unfit> {
        let nulls = self.out.len();
        if self.column.form.is_nullable {
            self.out.resize(nulls + self.records.len(), 0);
        }
        for (row, record) in self.records.iter().enumerate() {
            let value = record.value(at);
            if value == Value::Absent {
                self.out[nulls + row] = 1;
            }
            self.value(at, value)?;
        }
        Ok(())
    }

    /// A value, or the zero that stands where there is none.
    fn value(&mut self, at: usize, value: Value<'_>) -> Result<(), Unfit> {
        let out = &mut *self.out;
        match value {
            Value::Absent => match self.column.form.ty {
                Type::Bool | Type::U8 | Type::Text | Type::Word => out.push(0),
                Type::U64 | Type::I64 | Type::F64 | Type::Time => out.extend([0; 8]),
                Type::Money => out.extend([0; 16]),
            },
            Value::Bool(value) => out.push(u8::from(value)),
            Value::U64(value) => out.extend(value.to_le_bytes()),
            Value::F64(value) => out.extend(value.to_le_bytes()),
            Value::Ts(value) => out.extend(Ts::nanos(value).to_le_bytes()),
            Value::Px(value) => out.extend(value.mantissa().to_le_bytes()),
            Value::Qty(value) => out.extend(value.mantissa().to_le_bytes()),
            Value::Decimal(value) => {
                let (table, column) = (self.table.name, &self.column.name);
                let unfit = || Unfit { table, column: column.clone(), value };
                out.extend(money(value).ok_or_else(unfit)?.to_le_bytes());
            }
            Value::Text(text) => put_text(&text, out),
            Value::Word(word) => put_text(words(self.table, at)[word], out),
            Value::F64List(_) => unreachable!("lists have a road of their own"),
        }
        Ok(())
    }
}

/// The words of a field.
pub(super) fn words(table: &Table, field: usize) -> &'static [&'static str] {
    let ty = table.kind.fields()[field].ty;
    let FieldType::Word(words) = ty else { panic!("{ty:?} is no list of words") };
    words
}

/// An amount in units of the last decimal; `None` where a digit does not fit.
fn money(amount: Decimal) -> Option<i128> {
    let scale = amount.scale();
    let decimals = u32::from(MONEY_DECIMALS);
    if scale <= decimals {
        let value = amount.mantissa().checked_mul(10_i128.pow(decimals - scale))?;
        return (value.unsigned_abs() < 10_u128.pow(38)).then_some(value);
    }
    let unit = 10_i128.pow(scale - decimals);
    (amount.mantissa() % unit == 0).then(|| amount.mantissa() / unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_keep_every_digit_or_are_refused() {
        let check = |text: &str, expected: Option<&str>| {
            let value = money(text.parse().unwrap()).map(|value| value.to_string());
            assert_eq!(value.as_deref(), expected, "{text}");
        };
        check("0.0004", Some("400000000000000"));
        check("-1", Some("-1000000000000000000"));
        check("0.000000000000000001", Some("1"));
        check("1.0000000000000000000", Some("1000000000000000000"));
        check("0.0000000000000000001", None);
        check("99999999999999999999", Some("99999999999999999999000000000000000000"));
        check("100000000000000000000", None);
    }
}
