//! What the schemas say holds for the lines that we write.

use serde_json::Value;

use super::*;
use crate::sample;
use crate::trial::write;
use crate::write::Format;

fn lines() -> Vec<Value> {
    let (bytes, _) = write(&[&sample::every_kind()], Format::Ndjson, None);
    let text = String::from_utf8(bytes).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn schema_of(name: &str) -> Value {
    let described = all().into_iter().find(|described| described.name == name).unwrap();
    serde_json::from_str(&json_schema(described)).unwrap()
}

/// The part of JSON Schema that needs no library: required members, constants, enums and types.
fn complaints(schema: &Value, value: &Value, place: &str) -> Vec<String> {
    let mut found = Vec::new();
    let none = Vec::new();
    let names = |value: &Value| value.as_array().cloned().unwrap_or_default();
    for name in schema["required"].as_array().unwrap_or(&none) {
        if value.get(name.as_str().unwrap()).is_none() {
            found.push(format!("{place} needs {name}"));
        }
    }
    if !schema["const"].is_null() && schema["const"] != *value {
        found.push(format!("{place} is {value}, not {}", schema["const"]));
    }
    if !schema["enum"].is_null() && !names(&schema["enum"]).contains(value) {
        found.push(format!("{place} is {value}, none of {}", schema["enum"]));
    }
    let ty = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_u64() || number.is_i64() => "integer",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let types = match &schema["type"] {
        Value::Null => vec![Value::from(ty)],
        Value::Array(types) => types.clone(),
        one => vec![one.clone()],
    };
    let fits = |allowed: &Value| *allowed == ty || *allowed == "number" && ty == "integer";
    if !types.iter().any(fits) {
        found.push(format!("{place} is {value}, not of type {types:?}"));
    }
    for (name, inner) in value.as_object().into_iter().flatten() {
        let inside = &schema["properties"][name];
        if inside.is_null() && schema["additionalProperties"].is_boolean() {
            found.push(format!("{place} has {name}, which is not described"));
        }
        found.extend(complaints(inside, inner, &format!("{place}.{name}")));
    }
    if let (Some(items), true) = (value.as_array(), schema["items"].is_object()) {
        for item in items {
            found.extend(complaints(&schema["items"], item, &format!("{place}[]")));
        }
    }
    found
}

#[test]
fn every_line_that_we_write_fits_its_schema() {
    let mut seen = std::collections::BTreeSet::new();
    for line in lines() {
        let name = line["k"].as_str().unwrap();
        assert_eq!(complaints(&schema_of(name), &line, name), Vec::<String>::new(), "{line}");
        seen.insert(name.to_owned());
    }
    assert_eq!(seen.len(), all().len(), "a kind without a line, or the reverse: {seen:?}");
}

#[test]
fn what_is_wrong_is_found() {
    let schema = schema_of("trade");
    let mut line = lines().into_iter().find(|line| line["k"] == "trade").unwrap();
    line.as_object_mut().unwrap().remove("px");
    line["side"] = "both".into();
    line["id"] = true.into();
    line["colour"] = 1.into();
    let found = complaints(&schema, &line, "trade").join("\n");
    for part in ["needs \"px\"", "none of [\"buy\",\"sell\"]", "trade.id is true", "has colour"] {
        assert!(found.contains(part), "{found}");
    }
}

#[test]
fn the_columns_are_those_of_the_table() {
    let trade = columns(Kind::Trade);
    let shown: Vec<_> =
        trade.iter().map(|column| format!("{} {}", column.name, column.ty)).collect();
    let expected = [
        "ts_event timestamp(ns, UTC)",
        "ts_recv timestamp(ns, UTC)",
        "sym dictionary(int32, utf8)",
        "px decimal(18, px_scale)",
        "qty decimal(18, qty_scale)",
        "side dictionary(int8, utf8)",
        "id uint64",
        "seq uint64",
    ];
    assert_eq!(shown, expected);
}
