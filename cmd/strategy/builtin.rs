//! Strategies that come with the binary: files like any other, to run, read and copy.

use std::path::Path;

use crate::failure::Failure;

/// Names and texts.
pub(crate) const BUILTIN: &[(&str, &str)] = &[
    ("market-maker", include_str!("../../examples/strategies/market-maker.toml")),
    ("ema-cross", include_str!("../../examples/strategies/ema-cross.toml")),
    ("sma-cross", include_str!("../../examples/strategies/sma-cross.toml")),
    ("imbalance", include_str!("../../examples/strategies/imbalance.toml")),
    ("bollinger", include_str!("../../examples/strategies/bollinger.toml")),
    ("regime", include_str!("../../examples/strategies/regime.toml")),
    ("regime-baseline", include_str!("../../examples/strategies/regime-baseline.toml")),
    ("buy-and-hold", include_str!("../../examples/strategies/buy-and-hold.toml")),
];

pub(super) fn find(path: &Path) -> Option<&'static str> {
    let name = path.to_str()?;
    BUILTIN.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}

/// Names the built-in strategies where a path leads nowhere.
pub(super) fn hint(error: anyhow::Error, path: &Path) -> anyhow::Error {
    if path.exists() {
        return error;
    }
    let names: Vec<_> = BUILTIN.iter().map(|(name, _)| *name).collect();
    let failure = Failure::usage(format!("there is no strategy file {}", path.display()));
    failure.with_hint(format!("the built-in strategies are {}", names.join(", "))).into()
}
