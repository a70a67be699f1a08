//! The variants of a run: the fill models of the band, or the points of a sweep.

use std::collections::BTreeMap;
use std::sync::Arc;

use qt_sim::exchange::Preset;
use qt_trade::script::Compiled;

use super::Simulate;
use super::sweep::{Axis, points};
use crate::strategy::StrategyFile;

/// Which rows of a lane are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kept {
    Nothing,
    /// What it was worth and what became of its orders: enough to draw the band, and to say of a
    /// fill what the other models make of it.
    Band,
    All,
}

/// One lane to be.
#[derive(Clone, Debug)]
pub(super) struct Variant {
    /// Its place among all variants, whichever of them run here.
    pub(super) number: usize,
    pub(super) values: BTreeMap<String, f64>,
    pub(super) compiled: Arc<Compiled>,
    pub(super) fills: Preset,
    pub(super) kept: Kept,
    /// Whether its statistics are kept.
    pub(super) is_measured: bool,
}

pub(super) fn preset(text: &str) -> Result<Preset, String> {
    let found = Preset::ALL.into_iter().find(|preset| preset.name() == text);
    found.ok_or_else(|| {
        let names = Preset::ALL.map(Preset::name).join(", ");
        format!("expected one of {names}, found `{text}`")
    })
}

/// The band of one set of values, the main model first.
pub(super) fn band(
    args: &Simulate,
    file: &StrategyFile,
    values: &BTreeMap<String, f64>,
) -> anyhow::Result<Vec<Variant>> {
    let compiled = Arc::new(file.compile(values)?);
    let others = Preset::ALL.into_iter().filter(|it| *it != args.fills && !args.no_band);
    let all = std::iter::once(args.fills).chain(others).enumerate();
    let variant = |(number, fills)| Variant {
        number,
        values: values.clone(),
        compiled: Arc::clone(&compiled),
        fills,
        kept: match (args.no_run, number) {
            (true, _) => Kept::Nothing,
            (false, 0) => Kept::All,
            (false, _) => Kept::Band,
        },
        is_measured: number == 0,
    };
    Ok(all.map(variant).collect())
}

/// The points of a sweep, each under the main model; all of them, or those of one shard.
pub(super) fn sweep(
    args: &Simulate,
    file: &StrategyFile,
    values: &BTreeMap<String, f64>,
    axes: &[Axis],
) -> anyhow::Result<Vec<Variant>> {
    let mut variants = Vec::new();
    for (number, point) in points(axes, args.random, args.seed).enumerate() {
        if args.shard.is_some_and(|shard| !shard.has(number)) {
            continue;
        }
        let mut values = values.clone();
        values.extend(point);
        let compiled = Arc::new(file.compile(&values)?);
        variants.push(Variant {
            number,
            values,
            compiled,
            fills: args.fills,
            kept: Kept::Nothing,
            is_measured: true,
        });
    }
    Ok(variants)
}
