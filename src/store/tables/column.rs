//! Columns: what they hold, and the types of the server for it.

use qt_model::decimal::MONEY_DECIMALS;
use qt_model::words::Side;

/// A column that is written and read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    pub name: String,
    pub form: Form,
    pub cell: Cell,
}

/// What of a record a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cell {
    Event,
    /// Whether the venue gave its time.
    HasEvent,
    Recv,
    /// Empty for records without an instrument.
    Symbol,
    Seq,
    PxScale,
    QtyScale,
    /// The field of the kind at that position.
    Field(usize),
    LevelPx(Side),
    LevelQty(Side),
}

/// The values that we use, each with one type of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    Bool,
    U8,
    U64,
    I64,
    F64,
    /// Nanoseconds since 1970.
    Time,
    /// Decimals: 38 digits, 18 of them behind the point.
    Money,
    Text,
    /// A text of which there are few.
    Word,
}

/// A type as a column has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Form {
    pub ty: Type,
    /// Whether a value, or an element of the list, may be missing.
    pub is_nullable: bool,
    pub is_list: bool,
}

impl Form {
    pub const fn plain(ty: Type) -> Self {
        Self { ty, is_nullable: false, is_list: false }
    }

    /// The type as the server stores it and shows it.
    pub fn stored(self) -> String {
        match self.ty {
            Type::Word if self.is_nullable => "LowCardinality(Nullable(String))".to_owned(),
            Type::Word => "LowCardinality(String)".to_owned(),
            Type::Bool
            | Type::U8
            | Type::U64
            | Type::I64
            | Type::F64
            | Type::Time
            | Type::Money
            | Type::Text => self.sent(),
        }
    }

    /// The type in a block that is sent: words are plain texts there.
    pub fn sent(self) -> String {
        let plain = match self.ty {
            Type::Bool => "Bool".to_owned(),
            Type::U8 => "UInt8".to_owned(),
            Type::U64 => "UInt64".to_owned(),
            Type::I64 => "Int64".to_owned(),
            Type::F64 => "Float64".to_owned(),
            Type::Time => "DateTime64(9, 'UTC')".to_owned(),
            Type::Money => format!("Decimal(38, {MONEY_DECIMALS})"),
            Type::Text | Type::Word => "String".to_owned(),
        };
        let plain = if self.is_nullable { format!("Nullable({plain})") } else { plain };
        if self.is_list { format!("Array({plain})") } else { plain }
    }

    /// How it is compressed: what grows slowly by its differences.
    pub(super) fn codec(self) -> &'static str {
        match self.ty {
            Type::Time | Type::U64 | Type::I64 if !self.is_nullable => "CODEC(Delta(8), ZSTD(1))",
            Type::Bool
            | Type::U8
            | Type::U64
            | Type::I64
            | Type::F64
            | Type::Time
            | Type::Money
            | Type::Text
            | Type::Word => "CODEC(ZSTD(1))",
        }
    }
}

/// A column that the server computes when somebody looks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alias {
    pub name: String,
    pub ty: String,
    pub expression: String,
}

impl Alias {
    /// The exact decimals of a column of whole numbers at the scale of another column.
    pub(super) fn of(name: &str, scaled: &str, scale: &str, form: Form) -> Self {
        let money = Form { ty: Type::Money, ..form };
        // No digit is lost: at eighteen decimals the quotient by a power of ten of at most that is whole.
        let decimal = |value: &str| format!("toDecimal128({value}, 18) / intExp10({scale})");
        let expression = match form.is_list {
            true => format!("arrayMap(x -> {}, {scaled})", decimal("x")),
            false => decimal(scaled),
        };
        Self { name: name.to_owned(), ty: money.sent(), expression }
    }
}
