//! `calibrated`, `pessimistic,partial=off`, `queue=power3(3)`.

use std::fmt;
use std::str::FromStr;

use super::super::fills::{Cross, FillModel, Preset, QueueModel, Share};
use super::{TextError, call, pair, parts, plain_f64};

const EXPECTED: &str =
    "pessimistic, calibrated or optimistic, or queue=, cross=, partial=, at-limit=";
const QUEUES: &str = "front, risk-averse, exact, log, log2, sqrt, power(N), power2(N) or power3(N)";
/// The exponent of a power that names none.
const EXPONENT: f64 = 3.0;
const EXPONENT_MAX: f64 = 16.0;

impl FromStr for FillModel {
    type Err = TextError;

    fn from_str(text: &str) -> Result<Self, TextError> {
        let mut model = Self::default();
        for part in parts(text) {
            let Some((key, value)) = pair(part) else {
                let preset = Preset::ALL.into_iter().find(|preset| preset.name() == part);
                model = preset.ok_or_else(|| TextError::new(part, "fill model", EXPECTED))?.model();
                continue;
            };
            match key {
                "queue" => model.queue = queue(value)?,
                "cross" => model.cross = cross(value)?,
                "partial" => model.is_partial = switch(value)?,
                "at-limit" => model.fills_at_limit = switch(value)?,
                _ => return Err(TextError::new(part, "fill model", EXPECTED)),
            }
        }
        Ok(model)
    }
}

fn queue(text: &str) -> Result<QueueModel, TextError> {
    let (name, inside) = call(text);
    let exponent = inside.map_or(Some(EXPONENT), plain_f64);
    let exponent = exponent.filter(|n| *n > 0.0 && *n <= EXPONENT_MAX);
    let is_power = ["power", "power2", "power3"].contains(&name);
    if is_power && exponent.is_none() {
        let expected = "an exponent above zero and up to 16";
        return Err(TextError::new(text, "queue model", expected));
    }
    let n = exponent.unwrap_or(EXPONENT);
    Ok(match (name, inside) {
        ("front", None) => QueueModel::Front,
        ("risk-averse", None) => QueueModel::RiskAverse,
        ("exact", None) => QueueModel::Exact,
        ("log", None) => QueueModel::Probabilistic(Share::Log),
        ("log2", None) => QueueModel::Probabilistic(Share::Log2),
        ("sqrt", None) => QueueModel::Probabilistic(Share::Sqrt),
        ("power", _) => QueueModel::Probabilistic(Share::Power(n)),
        ("power2", _) => QueueModel::Probabilistic(Share::Power2(n)),
        ("power3", _) => QueueModel::Probabilistic(Share::Power3(n)),
        _ => return Err(TextError::new(text, "queue model", QUEUES)),
    })
}

fn cross(text: &str) -> Result<Cross, TextError> {
    match text {
        "touch" => Ok(Cross::Touch),
        "through" => Ok(Cross::Through),
        _ => Err(TextError::new(text, "crossing", "touch or through")),
    }
}

fn switch(text: &str) -> Result<bool, TextError> {
    match text {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err(TextError::new(text, "switch", "on or off")),
    }
}

impl fmt::Display for QueueModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Front => f.write_str("front"),
            Self::RiskAverse => f.write_str("risk-averse"),
            Self::Exact => f.write_str("exact"),
            Self::Probabilistic(Share::Log) => f.write_str("log"),
            Self::Probabilistic(Share::Log2) => f.write_str("log2"),
            Self::Probabilistic(Share::Sqrt) => f.write_str("sqrt"),
            Self::Probabilistic(Share::Power(n)) => write!(f, "power({n})"),
            Self::Probabilistic(Share::Power2(n)) => write!(f, "power2({n})"),
            Self::Probabilistic(Share::Power3(n)) => write!(f, "power3({n})"),
        }
    }
}

/// The preset that is nearest, and what differs from it.
impl fmt::Display for FillModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of = |preset: &Preset| differences(&preset.model(), self);
        let nearest = Preset::ALL.into_iter().min_by_key(|preset| of(preset).len());
        let nearest = nearest.expect("there are presets");
        f.write_str(nearest.name())?;
        of(&nearest).iter().try_for_each(|difference| write!(f, ",{difference}"))
    }
}

fn differences(preset: &FillModel, model: &FillModel) -> Vec<String> {
    let switch = |is_on: bool| if is_on { "on" } else { "off" };
    let mut found = Vec::new();
    if preset.queue != model.queue {
        found.push(format!("queue={}", model.queue));
    }
    if preset.cross != model.cross {
        let cross = match model.cross {
            Cross::Touch => "touch",
            Cross::Through => "through",
        };
        found.push(format!("cross={cross}"));
    }
    if preset.is_partial != model.is_partial {
        found.push(format!("partial={}", switch(model.is_partial)));
    }
    if preset.fills_at_limit != model.fills_at_limit {
        found.push(format!("at-limit={}", switch(model.fills_at_limit)));
    }
    found
}
