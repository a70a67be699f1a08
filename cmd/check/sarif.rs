//! SARIF 2.1.0: findings as code-scanning services read them.

use qt_market::check::{Found, Report, Rule};
use qt_model::words::Severity;
use serde_json::{Value, json};

use super::verdict::subject;

pub(super) fn text(report: &Report, place: &str) -> anyhow::Result<String> {
    let rules: Vec<Value> = Rule::ALL.iter().map(|rule| describe(*rule)).collect();
    let results: Vec<Value> = report.findings.iter().map(|found| result(found, place)).collect();
    let document = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "qt check",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            }},
            "results": results,
        }],
    });
    Ok(serde_json::to_string_pretty(&document)? + "\n")
}

fn describe(rule: Rule) -> Value {
    json!({
        "id": rule.name(),
        "shortDescription": {"text": rule.doc()},
        "defaultConfiguration": {"level": level(rule.severity())},
    })
}

fn result(found: &Found, place: &str) -> Value {
    // What the rules let pass is a note, whatever its severity.
    let level = if found.exceeds { level(found.severity) } else { "note" };
    json!({
        "ruleId": found.rule.name(),
        "ruleIndex": Rule::ALL.iter().position(|rule| *rule == found.rule),
        "level": level,
        "message": {"text": format!("{}: {}", subject(found), found.message())},
        "locations": [{"physicalLocation": {"artifactLocation": {"uri": uri(place)}}}],
        "properties": {
            "severity": found.severity.to_string(),
            "count": found.tally.count,
            "from": found.tally.first.to_string(),
            "to": found.tally.last.to_string(),
        },
    })
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "note",
        Severity::Warning => "warning",
        Severity::Error | Severity::Critical => "error",
    }
}

/// A place as a relative reference: what a URI may not hold is written in digits.
fn uri(place: &str) -> String {
    let mut out = String::with_capacity(place.len());
    for byte in place.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/=,".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}
