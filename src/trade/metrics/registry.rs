//! The registry of metrics: a line each, by family.
//!
//! Names, units, definitions, the reference page, `--explain` and the values themselves come from
//! these tables. `{h}` in a name stands for a horizon of the run.

mod costs;
mod drawdowns;
mod fills;
mod inference;
mod returns;
mod trades;

use super::figures::Made;
use super::value::Value;

/// A metric.
#[derive(Clone, Copy, Debug)]
pub struct Definition {
    pub name: &'static str,
    /// Of the value; empty for a plain number.
    pub unit: &'static str,
    /// What it is, as a formula in words.
    pub formula: &'static str,
    pub(super) of: Of,
}

/// How its value is had.
#[derive(Clone, Copy)]
pub(super) enum Of {
    One(fn(&Made<'_>) -> Value),
    /// For each horizon, by its place in the options.
    Each(fn(&Made<'_>, usize) -> Value),
}

impl std::fmt::Debug for Of {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::One(_) => "One",
            Self::Each(_) => "Each",
        })
    }
}

/// Metrics about one thing.
#[derive(Clone, Copy, Debug)]
pub struct Family {
    pub name: &'static str,
    /// What the family rests on.
    pub doc: &'static str,
    pub metrics: &'static [Definition],
}

const fn one(
    name: &'static str,
    unit: &'static str,
    formula: &'static str,
    of: fn(&Made<'_>) -> Value,
) -> Definition {
    Definition { name, unit, formula, of: Of::One(of) }
}

const fn each(
    name: &'static str,
    unit: &'static str,
    formula: &'static str,
    of: fn(&Made<'_>, usize) -> Value,
) -> Definition {
    Definition { name, unit, formula, of: Of::Each(of) }
}

/// All families, in the order of reports.
pub const FAMILIES: &[Family] = &[
    Family {
        name: "returns",
        doc: "Returns between samples of equity on a grid: each day at 00:00 UTC unless asked \
              otherwise. `n` is how many, `m` their mean, `A` the periods of a year.",
        metrics: returns::RETURNS,
    },
    Family {
        name: "tails",
        doc: "Value at risk and expected shortfall of one period, from the same returns.",
        metrics: returns::TAILS,
    },
    Family {
        name: "benchmark",
        doc: "The same returns against those of an instrument's mid on the same grid.",
        metrics: returns::BENCHMARK,
    },
    Family {
        name: "drawdown",
        doc: "Losses against the running peak, which begins at the starting equity; sampled on the \
              grid unless the name ends in `_event`.",
        metrics: drawdowns::METRICS,
    },
    Family {
        name: "trades",
        doc: "A trade is an episode from flat to flat of one instrument; a fill that turns the \
              position is split at zero. All use `net`: gross less fees, with funding.",
        metrics: trades::METRICS,
    },
    Family {
        name: "exposure",
        doc: "Exact time integrals of positions at the mark.",
        metrics: costs::EXPOSURE,
    },
    Family { name: "costs", doc: "Sums of money, exact, and their ratios.", metrics: costs::COSTS },
    Family {
        name: "profit",
        doc: "Where the profit came from: parts that add up to it to the last digit.",
        metrics: costs::PROFIT,
    },
    Family {
        name: "execution",
        doc: "Fills against the mids around them. Means are weighted by size times price.",
        metrics: fills::FILLS,
    },
    Family {
        name: "orders",
        doc: "What became of orders, by the venue's clock.",
        metrics: fills::ORDERS,
    },
    Family {
        name: "inference",
        doc: "Is it luck? Sharpe ratios here are of one period, on the excess returns of `sharpe`.",
        metrics: inference::METRICS,
    },
];

/// All metrics, in order.
pub fn definitions() -> impl Iterator<Item = &'static Definition> {
    FAMILIES.iter().flat_map(|family| family.metrics)
}

/// The metric of that name, with a horizon in it or with `{h}`.
pub fn definition(name: &str) -> Option<(&'static Family, &'static Definition)> {
    let fits = |definition: &&Definition| match definition.name.split_once("{h}") {
        None => definition.name == name,
        Some((before, after)) => {
            let middle = name.strip_prefix(before).and_then(|rest| rest.strip_suffix(after));
            middle.is_some_and(|it| it == "{h}" || super::options::Horizon::parse(it).is_ok())
        }
    };
    FAMILIES.iter().find_map(|family| Some((family, family.metrics.iter().find(fits)?)))
}
