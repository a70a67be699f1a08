//! The columns of each kind, and all kinds as one page.

use arrow::datatypes::{DataType, TimeUnit};
use qt_model::record::{FieldType, Kind, SymbolRule};
use qt_model::units::Scale;

use super::all;
use crate::columns::{ColumnScale, ColumnScales, schema};

/// One column of the flat table of a kind, in Arrow, Parquet and CSV.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    pub name: String,
    /// The Arrow type. `px_scale` and `qty_scale` stand for those of the stream.
    pub ty: String,
    pub is_nullable: bool,
}

/// The columns of a kind, in order.
pub fn columns(kind: Kind) -> Vec<Column> {
    let column = |digits: u8| ColumnScale {
        scale: Scale::new(digits).expect("a scale of at most eighteen"),
        is_wide: false,
    };
    // Told apart below by their scales, which stand for any.
    let scales = ColumnScales { px: column(1), qty: column(2) };
    let table = schema(kind, scales, false, Default::default());
    let column = |field: &std::sync::Arc<arrow::datatypes::Field>| Column {
        name: field.name().clone(),
        ty: spoken(field.data_type()),
        is_nullable: field.is_nullable(),
    };
    table.fields().iter().map(column).collect()
}

fn spoken(ty: &DataType) -> String {
    match ty {
        DataType::Decimal64(precision, 1) => format!("decimal({precision}, px_scale)"),
        DataType::Decimal64(precision, _) => format!("decimal({precision}, qty_scale)"),
        DataType::Decimal128(precision, scale) => format!("decimal({precision}, {scale})"),
        DataType::Timestamp(TimeUnit::Nanosecond, Some(zone)) => format!("timestamp(ns, {zone})"),
        DataType::Dictionary(key, value) => {
            format!("dictionary({}, {})", spoken(key), spoken(value))
        }
        DataType::List(item) => format!("list({})", spoken(item.data_type())),
        other => other.to_string().to_lowercase(),
    }
}

/// Every kind with its members and columns, as a page of Markdown.
pub fn markdown() -> String {
    let mut page = "\
# Records

Every kind of record, its members in NDJSON and its columns in Arrow, Parquet and CSV. How records
become bytes is told in [stream-format.md](stream-format.md).

This page is generated: `qt schema --markdown` prints it, and a test compares the two.

`px_scale` and `qty_scale` are those of the instruments in the stream. Every record also has the
members `k`, `ts_event`, `ts_recv`, `sym` and `seq`; their columns stand in each table.
"
    .to_owned();
    for described in all() {
        let Some(kind) = described.kind else { continue };
        page.push_str(&format!("\n## {}\n\n{}\n", kind.name(), described.doc));
        page.push_str("\n| column | type | required | meaning |\n| --- | --- | --- | --- |\n");
        for column in columns(kind) {
            let (required, meaning) = meaning_of(kind, &column);
            let required = if required { "yes" } else { "" };
            let (name, ty) = (&column.name, &column.ty);
            page.push_str(&format!("| `{name}` | {ty} | {required} | {meaning} |\n"));
        }
    }
    page
}

fn meaning_of(kind: Kind, column: &Column) -> (bool, String) {
    let of_level = |meaning: &str| (false, format!("In a row with a level: {meaning}."));
    if let Some(field) = kind.fields().iter().find(|field| field.name == column.name) {
        let words = match field.ty {
            FieldType::Word(words) => format!(" One of `{}`.", words.join("`, `")),
            _ => String::new(),
        };
        return (field.required, format!("{}{words}", field.doc.trim()));
    }
    match column.name.as_str() {
        "ts_event" => (false, "The venue's clock.".to_owned()),
        "ts_recv" => (true, "Our clock, which orders a stream.".to_owned()),
        "sym" => {
            let is_required = kind.symbol_rule() == SymbolRule::Required;
            (is_required, "The instrument, as `venue:NAME`.".to_owned())
        }
        "seq" => (true, "The place within one source.".to_owned()),
        "level" => (
            true,
            "The number of the level in its record, from 0. In NDJSON: `bids`, `asks`.".into(),
        ),
        "side" => of_level("`buy` for a bid, `sell` for an ask"),
        "px" => of_level("its price"),
        _ => of_level("its size; zero removes the level from the book"),
    }
}
