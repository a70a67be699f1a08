//! Figures against figures, and the list of those that are left out.

use rust_decimal::{Decimal, RoundingStrategy};
use serde_json::Value;

/// What is not compared, by the last part of its key, and why.
const LEFT_OUT: &[(&str, &str)] = &[
    ("columns", "the shape of the file, not of its records"),
    ("header_columns", "the shape of the file, not of its records"),
    ("columns_per_row", "the shape of the file, not of its records"),
    ("header", "the shape of the file, not of its records"),
    ("fields", "words about the figures"),
    ("layout", "words about the figures"),
    ("note", "words about the figures"),
    ("rows_sha256", "the digest of lines in a form that is not written down"),
    ("uncompressed_bytes", "the bytes of the file, not its records"),
    ("uncompressed_sha256", "the bytes of the file, not its records"),
    ("remainder_bytes", "the bytes of the file, not its records"),
    ("utf8_bom", "the bytes of the file, not its records"),
    ("crlf", "the bytes of the file, not its records"),
    ("timestamp_string_lengths", "the text of the file, not its records"),
    ("rows_without_fraction", "the text of the file; a test of its own reads the row"),
    ("max_fraction_digits", "the text of the file, not its records"),
    ("direction_counts", "a file has one direction for each message, records one for most"),
    ("exchanges", "records have no exchange"),
    ("suspicious_flag_1", "records have no such mark; the notes of the import count them"),
    ("unsuspicious", "no tick of these files is marked, so it equals the whole"),
    ("dbn_version_byte", "the file, not its records; a test of its own reads all versions"),
    ("metadata", "the request, not its records"),
    ("record_types", "the names of the vendor; the number of records is compared"),
    ("instrument_ids", "records name symbols; a test of its own looks at them"),
    ("publisher_ids", "records have no publisher"),
    ("flags_values", "records keep the flags `last` and `snapshot`, which are compared"),
    ("flag_BAD_TS_RECV", "records have no such flag"),
    ("sequence_first", "records are numbered by their place"),
    ("sequence_last", "records are numbered by their place"),
    ("sequence_backward_steps", "records are numbered by their place"),
    ("mbo_anomalies", "counted by a book with rules of its own"),
    ("add_of_existing_order_id", "counted by a book with rules of its own"),
    ("crossed_first_ts_event", "null in all files with a book"),
    ("crossed_last_ts_event", "null in all files with a book"),
    ("zero_length_prefixes", "the bytes of the file; a note of the import says it"),
    ("trailing_bytes", "the bytes of the file, not its records"),
    ("first_ts_ns_after_midnight", "of system events, which are no records"),
    ("last_ts_ns_after_midnight", "of system events, which are no records"),
    ("orders_unknown", "the note of the import counts messages, this counts orders"),
    ("type_counts", "some types of messages are several records; compared by stock"),
    ("orderbook_rows", "states without a change are no record"),
    ("orderbook_cols", "the shape of the file, not of its records"),
    ("orderbook_rows_equal_message_rows", "an import fails where they differ"),
    ("message_explains_level_size_change", "a property of the file, not of its records"),
    ("middle_row", "the digest of all bars is compared"),
    ("first_rows", "the digest of all bars is compared"),
    ("last_rows", "the digest of all bars is compared"),
];

/// Rounded by whoever computed them, half to even, to the digits shown.
const ROUNDED: [&str; 4] = ["vwap", "mean_spread", "spread_mean_usd", "executed_vwap"];

/// Compares every figure that is expected and not left out. Returns how many were.
pub(super) fn compare(place: &str, expected: &Value, found: &Value) -> usize {
    let key = place.rsplit('/').next().unwrap_or_default();
    match (expected, found) {
        (Value::Object(expected), found) => expected
            .iter()
            .filter(|(key, _)| !LEFT_OUT.iter().any(|(left_out, _)| left_out == key))
            .map(|(key, value)| {
                let place = format!("{place}/{key}");
                let found = found.get(key);
                compare(&place, value, found.unwrap_or_else(|| panic!("{place} was not computed")))
            })
            .sum(),
        // A row of the file: fields that are null here are not in a record.
        (Value::String(row), Value::Array(found)) => {
            let row: Vec<Value> = row.split(',').map(Value::from).collect();
            compare(place, &Value::Array(row), &Value::Array(found.clone()))
        }
        (Value::Array(expected), Value::Array(found)) => {
            assert_eq!(expected.len(), found.len(), "{place}: {expected:?} {found:?}");
            let pairs = expected.iter().zip(found).filter(|(_, found)| !found.is_null());
            pairs.for_each(|(expected, found)| {
                compare(place, expected, found);
            });
            1
        }
        (expected, found) => {
            let same = match (number(expected), number(found)) {
                (Some(expected), Some(found)) if ROUNDED.contains(&key) => {
                    let strategy = RoundingStrategy::MidpointNearestEven;
                    found.round_dp_with_strategy(expected.scale(), strategy) == expected
                }
                (Some(expected), Some(found)) => expected == found,
                _ => expected == found,
            };
            assert!(same, "{place}: expected {expected}, found {found}");
            1
        }
    }
}

fn number(value: &Value) -> Option<Decimal> {
    match value {
        Value::Number(number) => number.to_string().parse().ok(),
        Value::String(text) => text.parse().ok(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

#[test]
fn a_wrong_figure_is_found_and_a_missing_one_too() {
    use serde_json::json;
    let wrong = |expected: Value, found: Value| {
        std::panic::catch_unwind(|| compare("x", &expected, &found)).is_err()
    };
    assert_eq!(
        compare("x", &json!({"vwap": "1.5", "rows": 2}), &json!({"vwap": "1.49", "rows": 2})),
        2
    );
    assert_eq!(compare("x", &json!({"columns": 1}), &json!({})), 0);
    assert_eq!(compare("x", &json!("7,1.50,P"), &json!(["7", "1.5", null])), 1);
    assert!(wrong(json!({"rows": 2}), json!({"rows": 3})));
    assert!(wrong(json!({"rows": 2}), json!({})));
    assert!(wrong(json!("7,1.5"), json!(["7", "1.6"])));
    assert!(wrong(json!({"low": "1.5"}), json!({"low": "1.49"})));
}
