//! The registry of tables: one per kind of record, in the columns of its fields.
//!
//! A price or a size is the column `<field>_scaled` of whole numbers, with `px_scale` and `qty_scale`
//! in each row; `<field>` is an alias that shows the exact decimal. The levels of a depth record are
//! four lists, bids and asks apart. `loaded_at` is the server's clock at the insert; records are kept
//! for so long from there on, so that history that is loaded today is not expired today.

mod column;
mod ddl;

use qt_model::record::{FieldType, InstrumentRow, Kind, Row};
use qt_model::words::Side;

pub use column::{Alias, Cell, Column, Form, Type};
pub(crate) use ddl::version_of;
pub use ddl::{
    GRADES, INSTRUMENTS, LEDGER, Purpose, create_bars, create_database, create_grades,
    create_ledger,
};

/// The version of the tables. It grows when a reader of the old version would be wrong.
pub const VERSION: u32 = 1;

/// The table of a kind.
#[derive(Clone, Debug)]
pub struct Table {
    pub name: &'static str,
    pub kind: Kind,
    pub purpose: Purpose,
    /// What is written and read, in this order.
    pub columns: Vec<Column>,
    /// What is shown on top of it.
    pub aliases: Vec<Alias>,
}

impl Table {
    /// The table of the records of a kind. A new kind has one by itself.
    pub fn of(kind: Kind) -> Self {
        let mut table = Self::new(kind.name(), kind, Purpose::Records);
        table.push("ts_event", Form::plain(Type::Time), Cell::Event);
        table.push("has_event_time", Form::plain(Type::Bool), Cell::HasEvent);
        table.push("ts_recv", Form::plain(Type::Time), Cell::Recv);
        table.push("sym", Form::plain(Type::Word), Cell::Symbol);
        let (has_px, has_qty) = table.push_fields();
        if kind == Kind::Depth {
            table.push_levels();
        }
        table.push("seq", Form::plain(Type::U64), Cell::Seq);
        if has_px || kind == Kind::Depth {
            table.push("px_scale", Form::plain(Type::U8), Cell::PxScale);
        }
        if has_qty || kind == Kind::Depth {
            table.push("qty_scale", Form::plain(Type::U8), Cell::QtyScale);
        }
        table
    }

    /// The table of the instruments that records name, with the terms that streams declare.
    pub fn of_instruments() -> Self {
        let mut table = Self::new(INSTRUMENTS, Kind::InstrumentRow, Purpose::Instruments);
        table.push("sym", Form::plain(Type::Word), Cell::Symbol);
        table.push_fields();
        debug_assert_eq!(table.columns.len(), InstrumentRow::FIELDS.len() + 1);
        table
    }

    /// Every table of records.
    pub fn all() -> impl Iterator<Item = Self> {
        Kind::ALL.iter().map(|kind| Self::of(*kind))
    }

    fn new(name: &'static str, kind: Kind, purpose: Purpose) -> Self {
        Self { name, kind, purpose, columns: Vec::new(), aliases: Vec::new() }
    }

    fn push(&mut self, name: &str, form: Form, cell: Cell) {
        self.columns.push(Column { name: name.to_owned(), form, cell });
    }

    /// The fields of the kind; whether there are prices and sizes among them.
    fn push_fields(&mut self) -> (bool, bool) {
        let (mut has_px, mut has_qty) = (false, false);
        for (at, field) in self.kind.fields().iter().enumerate() {
            let cell = Cell::Field(at);
            let form = |ty| Form { ty, is_nullable: !field.required, is_list: false };
            let form = match field.ty {
                FieldType::Bool => form(Type::Bool),
                FieldType::U64 => form(Type::U64),
                FieldType::F64 => form(Type::F64),
                FieldType::Ts => form(Type::Time),
                FieldType::Decimal => form(Type::Money),
                FieldType::Text => form(Type::Text),
                FieldType::Word(_) => form(Type::Word),
                FieldType::F64List => Form { ty: Type::F64, is_nullable: true, is_list: true },
                FieldType::Px => {
                    has_px = true;
                    self.push_scaled(field.name, "px_scale", form(Type::I64), cell);
                    continue;
                }
                FieldType::Qty => {
                    has_qty = true;
                    self.push_scaled(field.name, "qty_scale", form(Type::I64), cell);
                    continue;
                }
            };
            self.push(field.name, form, cell);
        }
        (has_px, has_qty)
    }

    fn push_levels(&mut self) {
        let form = Form { ty: Type::I64, is_nullable: false, is_list: true };
        for (name, side) in [("bids", Side::Buy), ("asks", Side::Sell)] {
            self.push_scaled(&format!("{name}_px"), "px_scale", form, Cell::LevelPx(side));
            self.push_scaled(&format!("{name}_qty"), "qty_scale", form, Cell::LevelQty(side));
        }
    }

    fn push_scaled(&mut self, name: &str, scale: &'static str, form: Form, cell: Cell) {
        let scaled = format!("{name}_scaled");
        self.aliases.push(Alias::of(name, &scaled, scale, form));
        self.push(&scaled, form, cell);
    }

    /// The names of the columns, for a statement.
    pub fn names<'a>(columns: impl IntoIterator<Item = &'a Column>) -> String {
        columns.into_iter().map(|column| quoted(&column.name)).collect::<Vec<_>>().join(", ")
    }
}

/// A name in a statement.
pub fn quoted(name: &str) -> String {
    format!("`{name}`")
}

/// A text in a statement.
pub fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_kind_has_a_table_whose_columns_have_names_of_their_own() {
        for table in Table::all().chain([Table::of_instruments()]) {
            let mut names: Vec<&str> =
                table.columns.iter().map(|column| column.name.as_str()).collect();
            names.extend(table.aliases.iter().map(|alias| alias.name.as_str()));
            names.push("loaded_at");
            let distinct: BTreeSet<_> = names.iter().collect();
            assert_eq!(distinct.len(), names.len(), "{}: {names:?}", table.name);
        }
    }

    #[test]
    fn no_list_is_optional_since_a_list_cannot_be_null() {
        for kind in Kind::ALL {
            let mut lists = kind.fields().iter().filter(|it| it.ty == FieldType::F64List);
            assert!(lists.all(|field| field.required), "{}", kind.name());
        }
    }

    #[test]
    fn no_price_size_or_money_is_a_float() {
        for kind in Kind::ALL {
            for column in Table::of(*kind).columns {
                let Cell::Field(at) = column.cell else { continue };
                let ty = kind.fields()[at].ty;
                if matches!(ty, FieldType::Px | FieldType::Qty | FieldType::Decimal) {
                    assert_ne!(column.form.ty, Type::F64, "{} {}", kind.name(), column.name);
                }
            }
        }
    }

    #[test]
    fn texts_cannot_leave_their_quotes() {
        assert_eq!(literal("a'b\\c"), "'a\\'b\\\\c'");
    }
}
