//! What the columns of a table mean, as the user or a format writes it down.

use std::collections::BTreeMap;

use serde::Deserialize;

/// A map of columns.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::import) struct Plan {
    pub(super) kind: KindOfRow,
    /// The venue of all rows.
    #[serde(default)]
    pub(in crate::import) venue: Option<String>,
    /// The instrument of all rows, where no column names it.
    #[serde(default)]
    pub(in crate::import) symbol: Option<String>,
    /// Whether the first line holds names. Found out where not said.
    #[serde(default)]
    pub(super) header: Option<bool>,
    #[serde(default = "comma")]
    pub(super) separator: char,
    #[serde(default = "point")]
    pub(super) decimal: char,
    /// Between groups of three digits.
    #[serde(default)]
    pub(super) thousands: Option<char>,
    /// Words for no value; an empty field is always one.
    #[serde(default)]
    pub(super) null: Vec<String>,
    pub(in crate::import) time: Time,
    /// The time of reception, where the file has one.
    #[serde(default)]
    pub(super) recv: Option<Time>,
    #[serde(default)]
    pub(super) columns: BTreeMap<String, Column>,
    #[serde(default)]
    pub(super) side: Option<Sides>,
    #[serde(default)]
    pub(super) bar: Option<BarPlan>,
}

fn comma() -> char {
    ','
}

fn point() -> char {
    '.'
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(super) enum KindOfRow {
    Trade,
    Quote,
    Bar,
}

/// A column by its name, or by its number from one on.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Column {
    Number(usize),
    Name(String),
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::import) struct Time {
    pub(super) column: Column,
    /// A second column behind the first, such as the time of day behind the day.
    #[serde(default)]
    pub(super) and: Option<Column>,
    /// `s`, `ms`, `us` or `ns` since 1970.
    #[serde(default)]
    pub(super) unit: Option<String>,
    /// How it is written: `%Y %m %d %H %M %S %f %z` and signs between them.
    #[serde(default)]
    pub(super) format: Option<String>,
    #[serde(default)]
    pub(in crate::import) zone: Option<String>,
}

/// Which words stand for which side of the aggressor.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Sides {
    #[serde(default)]
    pub(super) buy: Vec<String>,
    #[serde(default)]
    pub(super) sell: Vec<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BarPlan {
    /// `1s`, `5m`, `1h`, `1d`.
    pub(super) step: String,
    #[serde(default)]
    pub(super) stamp: Stamp,
    /// `bid` or `ask`, where bars are of one side: it becomes a part of the symbol.
    #[serde(default)]
    pub(super) side: Option<String>,
}

/// Which moment of a bar its time is.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(super) enum Stamp {
    #[default]
    Open,
    Close,
}

impl KindOfRow {
    /// The columns that a row may have; those it must have come first.
    pub(super) const fn columns(self) -> (&'static [&'static str], &'static [&'static str]) {
        match self {
            Self::Trade => (&["px", "qty"], &["side", "id", "symbol"]),
            Self::Quote => (&["bid_px", "ask_px"], &["bid_qty", "ask_qty", "id", "symbol"]),
            Self::Bar => (
                &["open", "high", "low", "close"],
                &["volume", "buy_volume", "notional", "trades", "symbol"],
            ),
        }
    }
}

impl Plan {
    /// Reads a map, with all that is wrong in it at once.
    pub(in crate::import) fn parse(text: &str) -> Result<Self, String> {
        let plan: Self = toml::from_str(text).map_err(|error| error.to_string())?;
        let (required, optional) = plan.kind.columns();
        let mut wrong = Vec::new();
        for name in required {
            if !plan.columns.contains_key(*name) {
                wrong.push(format!("[columns] lacks `{name}`"));
            }
        }
        for name in plan.columns.keys() {
            if !required.contains(&name.as_str()) && !optional.contains(&name.as_str()) {
                let all: Vec<_> = required.iter().chain(optional).copied().collect();
                wrong.push(format!("[columns] has `{name}`; expected {}", all.join(", ")));
            }
        }
        if plan.kind == KindOfRow::Bar && plan.bar.is_none() {
            wrong
                .push("[bar] is missing: `step` says how long a bar is, such as \"1m\"".to_owned());
        }
        if plan.columns.contains_key("side") && plan.side.is_none() {
            wrong.push("[side] is missing: it lists the words for `buy` and `sell`".to_owned());
        }
        if plan.time.unit.is_some() && plan.time.format.is_some() {
            wrong.push("[time] has both `unit` and `format`".to_owned());
        }
        if !plan.separator.is_ascii() || plan.thousands == Some(plan.decimal) {
            wrong.push("`separator` has to be one byte, and `thousands` not `decimal`".to_owned());
        }
        if wrong.is_empty() { Ok(plan) } else { Err(wrong.join("; ")) }
    }

    /// The map of a format in this room.
    pub(in crate::import) fn built_in(text: &str) -> Self {
        Self::parse(text).expect("the maps of this room are tested")
    }

    /// Says of which side bars are, for a format that finds it in a name.
    #[must_use]
    pub(in crate::import) fn with_side(mut self, side: Option<&str>) -> Self {
        if let Some(bar) = &mut self.bar {
            bar.side = side.map(str::to_owned);
        }
        self
    }
}

/// The nanoseconds of `15m`; `None` for what is no step.
pub(super) fn step(text: &str) -> Option<i64> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return None,
    };
    let number: i64 = number.parse().ok()?;
    number.checked_mul(seconds)?.checked_mul(1_000_000_000).filter(|step| *step > 0)
}
