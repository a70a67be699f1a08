//! JSON Schemas (2020-12) of NDJSON records.

use qt_model::record::{Field, FieldType, InstrumentRow, Kind, Row, SymbolRule};
use serde_json::{Value, json};

use super::Described;
use crate::frame::{ORDER, SCHEMA};

/// A member of a record: its name and what may stand there.
type Member = (&'static str, Value);

/// The JSON Schema of a record, as the text of a file.
pub fn json_schema(of: Described) -> String {
    match (of.kind, of.name) {
        (Some(kind), _) => document(of, &record_members(kind), &record_rules(kind)),
        (None, "stream") => {
            document(of, &stream_members(), &[("required", json!(["k", "schema"]))])
        }
        (None, _) => {
            let required = json!(["k", "records", "digest"]);
            document(of, &end_members(), &[("required", required)])
        }
    }
}

/// Members keep their order, which a JSON library would not: one line each.
fn document(of: Described, members: &[Member], rules: &[Member]) -> String {
    let mut lines = vec![
        r#"  "$schema": "https://json-schema.org/draft/2020-12/schema""#.to_owned(),
        format!(r#"  "title": {}"#, json!(of.name)),
        format!(r#"  "description": {}"#, json!(of.doc)),
        r#"  "type": "object""#.to_owned(),
    ];
    lines.extend(rules.iter().map(|(name, value)| format!("  {}: {value}", json!(name))));
    let properties: Vec<_> =
        members.iter().map(|(name, value)| format!("    {}: {value}", json!(name))).collect();
    lines.push(format!("  \"properties\": {{\n{}\n  }}", properties.join(",\n")));
    lines.push(r#"  "additionalProperties": true"#.to_owned());
    format!("{{\n{}\n}}\n", lines.join(",\n"))
}

fn record_members(kind: Kind) -> Vec<Member> {
    let mut members = vec![
        ("k", json!({ "const": kind.name() })),
        ("ts_event", with_doc(FieldType::Ts, "The venue's clock.")),
        ("ts_recv", with_doc(FieldType::Ts, "Our clock, which orders a stream.")),
        ("sym", symbol()),
    ];
    members.extend(kind.fields().iter().map(member));
    if kind == Kind::Depth {
        members.push(("bids", levels("Bids, as pairs of price and size, the best first.")));
        members.push(("asks", levels("Asks, as pairs of price and size, the best first.")));
    }
    members.push(("seq", with_doc(FieldType::U64, "The place within one source.")));
    members
}

fn record_rules(kind: Kind) -> Vec<Member> {
    let mut required = vec!["k"];
    if kind.symbol_rule() == SymbolRule::Required {
        required.push("sym");
    }
    required.extend(kind.fields().iter().filter(|field| field.required).map(|field| field.name));
    let times = json!([{ "required": ["ts_recv"] }, { "required": ["ts_event"] }]);
    let mut rules = vec![("required", json!(required)), ("anyOf", times)];
    let is_scaled = |field: &&Field| matches!(field.ty, FieldType::Px | FieldType::Qty);
    let scaled = kind.fields().iter().filter(is_scaled);
    let needs: serde_json::Map<_, _> =
        scaled.map(|field| (field.name.to_owned(), json!(["sym"]))).collect();
    if kind.symbol_rule() == SymbolRule::Optional && !needs.is_empty() {
        // A price means nothing without the instrument that gives it its scale.
        rules.push(("dependentRequired", Value::Object(needs)));
    }
    rules
}

fn member(field: &Field) -> Member {
    (field.name, with_doc(field.ty, field.doc.trim()))
}

fn with_doc(ty: FieldType, doc: &str) -> Value {
    let mut value = value(ty);
    value["description"] = doc.into();
    value
}

/// What may stand in a field. A pattern binds strings and a minimum numbers, so that one object
/// says both forms.
fn value(ty: FieldType) -> Value {
    const EXPONENT: &str = "(\\.[0-9]+)?([eE][+-]?[0-9]+)?$";
    match ty {
        FieldType::Bool => json!({ "type": "boolean" }),
        FieldType::U64 => json!({
            "type": ["integer", "string"], "minimum": 0, "maximum": u64::MAX, "pattern": "^[0-9]+$",
        }),
        FieldType::F64 => json!({ "type": "number" }),
        FieldType::Ts => json!({
            "type": ["string", "integer"],
            "pattern": "^([0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]+)?\
                        ([Zz]|[+-][0-9]{2}:[0-9]{2})|-?[0-9]+)$",
        }),
        FieldType::Px | FieldType::Decimal => {
            json!({ "type": ["number", "string"], "pattern": format!("^-?[0-9]+{EXPONENT}") })
        }
        FieldType::Qty => json!({
            "type": ["number", "string"], "minimum": 0, "pattern": format!("^[0-9]+{EXPONENT}"),
        }),
        FieldType::Text => json!({ "type": "string" }),
        FieldType::Word(words) => json!({ "enum": words }),
        FieldType::F64List => json!({ "type": "array", "items": { "type": ["number", "null"] } }),
    }
}

fn symbol() -> Value {
    json!({
        "description": "The instrument, as venue:NAME.",
        "type": "string", "maxLength": 120, "pattern": "^[^\\s\"\\\\:]+:[^\\s\"\\\\]+$",
    })
}

fn levels(doc: &str) -> Value {
    let pair = json!({
        "type": "array",
        "prefixItems": [value(FieldType::Px), value(FieldType::Qty)],
        "items": false,
        "minItems": 2,
    });
    json!({ "description": doc, "type": "array", "items": pair })
}

fn stream_members() -> Vec<Member> {
    let mut instrument = serde_json::Map::new();
    instrument.insert("sym".to_owned(), symbol());
    for (name, value) in InstrumentRow::FIELDS.iter().map(member) {
        instrument.insert(name.to_owned(), value);
    }
    let texts =
        |doc: &str| json!({ "description": doc, "type": "array", "items": { "type": "string" } });
    vec![
        ("k", json!({ "const": "stream" })),
        (
            "schema",
            json!({ "description": "The version of the records.", "type": "integer",
                "minimum": 1, "maximum": SCHEMA }),
        ),
        ("qt", json!({ "description": "The version of qt that wrote it.", "type": "string" })),
        ("clock", json!({ "description": "The clock that orders it.", "const": "ts_recv" })),
        ("order", json!({ "description": "The keys of its order.", "const": ORDER })),
        ("kinds", texts("The kinds that may occur, where the writer knew them.")),
        (
            "instruments",
            json!({
                "description": "The instruments, with the scales that their numbers fit.",
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["sym", "px_scale", "qty_scale"],
                    "properties": instrument,
                    "additionalProperties": true,
                },
            }),
        ),
        (
            "provenance",
            json!({ "description": "Where the data came from.", "type": "object",
                "additionalProperties": { "type": "string" } }),
        ),
    ]
}

fn end_members() -> Vec<Member> {
    let count = |doc: &str| json!({ "description": doc, "type": "integer", "minimum": 0 });
    vec![
        ("k", json!({ "const": "end" })),
        ("records", count("How many records stand between the header and here.")),
        (
            "digest",
            json!({ "description": "The digest of those records.", "type": "string",
                "pattern": "^xxh3:[0-9a-f]{32}$" }),
        ),
        ("skipped", count("Records that could not be read on the way and were left out.")),
        (
            "stopped",
            json!({ "description": "Why the stream ends early, if it does.", "type": "string" }),
        ),
        (
            "cursor",
            json!({ "description": "Where to go on: `--cursor` takes it.", "type": "string" }),
        ),
    ]
}
