//! Strategies that come with the binary: files like any other, to run, read and copy.

use std::path::Path;

use qt_trade::native::Registration;

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

/// The text of a strategy that comes along: of this program first, of all programs else.
pub(super) fn find(path: &Path, natives: &[Registration]) -> Option<&'static str> {
    let name = path.to_str()?;
    let native = natives.iter().find(|native| native.name == name).map(|native| native.file);
    native.or_else(|| BUILTIN.iter().find(|(known, _)| *known == name).map(|(_, text)| *text))
}

/// Names the strategies that come along where a path leads nowhere.
pub(super) fn hint(error: anyhow::Error, path: &Path, natives: &[Registration]) -> anyhow::Error {
    if path.exists() {
        return error;
    }
    let natives = natives.iter().map(|native| native.name);
    let names: Vec<_> = natives.chain(BUILTIN.iter().map(|(name, _)| *name)).collect();
    let failure = Failure::usage(format!("there is no strategy file {}", path.display()));
    failure.with_hint(format!("the built-in strategies are {}", names.join(", "))).into()
}
