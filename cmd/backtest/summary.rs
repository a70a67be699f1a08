//! What a run came to, assumptions first.

use std::fmt::Write as _;

use super::input::Opened;
use super::lanes::{Finished, Setup};
use crate::context::Context;

pub(super) fn print(
    setup: &Setup<'_>,
    finished: &Finished,
    opened: &Opened,
    context: &Context,
) -> anyhow::Result<()> {
    let mut text = String::new();
    let definition = &setup.file.definition;
    let driven = &finished.driven;
    let _ = writeln!(text, "{} over {}", definition.name, opened.place);
    if let (Some(first), Some(last)) = (driven.first, driven.last) {
        let _ = writeln!(text, "{} records from {first} to {last}", driven.records);
    }
    let _ = writeln!(text, "\nAssumed");
    for (preset, _) in &finished.lanes {
        let _ = writeln!(text, "  {}: {}", preset.name(), preset.assumes());
    }
    let _ = writeln!(
        text,
        "\n{:<12} {:>16} {:>14} {:>8} {:>8}",
        "", "profit", "drawdown", "orders", "fills"
    );
    for (preset, lane) in &finished.lanes {
        let ledger = lane.desk().ledger();
        let precision = ledger.home().precision;
        let watch = lane.observer();
        let profit = precision.decimal(ledger.equity() - watch.start).round_dp(6).normalize();
        let drawdown = precision.decimal(watch.max_drawdown).round_dp(6).normalize();
        let (name, orders, fills) = (preset.name(), watch.submitted, watch.fills);
        let _ = writeln!(text, "{name:<12} {profit:>16} {drawdown:>14} {orders:>8} {fills:>8}");
    }
    context.print(text)?;
    Ok(())
}
