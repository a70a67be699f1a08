//! `metrics.json`: each metric by name; what has no value is null, with its reason beside it.

use std::fs;
use std::path::Path;

use qt_model::decimal::SAFE_MANTISSA;
use qt_model::record::Metric;
use rust_decimal::Decimal;
use serde_json::Value;

use super::error::RunError;
use super::manifest::write_json;

pub(super) const NAME: &str = "metrics.json";

/// One line of the file.
#[derive(Clone, Debug, PartialEq)]
pub struct MetricRow {
    pub name: String,
    pub value: Option<f64>,
    /// The exact amount of a sum of money.
    pub exact: Option<Decimal>,
    pub reason: Option<String>,
}

/// A metric as members of an object, each a name and the text of its value. Sums of money are exact:
/// beyond fifteen digits they are strings, so that no reader bends them.
pub fn members(metric: &Metric) -> impl Iterator<Item = (String, String)> {
    let value = match (metric.exact, metric.value) {
        (Some(exact), _) => exact_text(exact),
        (None, Some(value)) => Value::from(value).to_string(),
        (None, None) => "null".to_owned(),
    };
    let reason = metric.reason.as_ref().map(|reason| {
        let name = format!("{}_reason", metric.name);
        (name, Value::from(reason.as_str()).to_string())
    });
    std::iter::once((metric.name.clone(), value)).chain(reason)
}

/// The text, in the order given.
fn text(metrics: &[Metric]) -> String {
    let line = |(name, value)| format!("  {}: {value}", Value::from(name));
    let lines: Vec<String> = metrics.iter().flat_map(members).map(line).collect();
    format!("{{\n{}\n}}\n", lines.join(",\n"))
}

fn exact_text(exact: Decimal) -> String {
    let exact = exact.normalize();
    let is_safe = exact.mantissa().unsigned_abs() < u128::from(SAFE_MANTISSA);
    if is_safe { exact.to_string() } else { format!("\"{exact}\"") }
}

pub(super) fn write(folder: &Path, metrics: &[Metric]) -> Result<(), RunError> {
    write_json(&folder.join(NAME), &text(metrics))
}

/// Reads them back, in the order of the file; none where nothing was measured. Numbers that are whole
/// or decimal come back exact.
pub(super) fn read(folder: &Path) -> Result<Vec<MetricRow>, RunError> {
    let path = folder.join(NAME);
    let bytes = match fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(RunError::io(&path)(error)),
    };
    let members: Members =
        serde_json::from_slice(&bytes).map_err(|error| RunError::damaged(&path, error))?;
    let mut rows: Vec<MetricRow> = Vec::with_capacity(members.0.len());
    for (name, text) in members.0 {
        let owner = rows.last_mut().filter(|row| name.strip_suffix("_reason") == Some(&row.name));
        if let Some(row) = owner {
            row.reason = serde_json::from_str(&text).ok();
            continue;
        }
        let bare = text.trim_matches('"');
        // What is beyond a double is no value.
        let value = bare.parse().ok().filter(|value: &f64| value.is_finite());
        let exact = bare.parse::<Decimal>().ok().filter(|_| !bare.contains(['e', 'E']));
        rows.push(MetricRow { name, value, exact, reason: None });
    }
    Ok(rows)
}

/// An object's members as they stand: the order is that of the registry, and digits stay.
struct Members(Vec<(String, String)>);

impl<'de> serde::Deserialize<'de> for Members {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Members;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object of metrics")
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(
                self,
                mut map: A,
            ) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some((name, value)) =
                    map.next_entry::<String, Box<serde_json::value::RawValue>>()?
                {
                    members.push((name, value.get().to_owned()));
                }
                Ok(Members(members))
            }
        }

        from.deserialize_map(Visitor)
    }
}
