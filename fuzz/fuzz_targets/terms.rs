//! Texts that say how a simulated venue behaves, and faults of a synthetic market.
#![no_main]

use libfuzzer_sys::fuzz_target;
use qt_sim::exchange::{AccountKind, Delay, Fees, FillModel, LatencyConfig, Slippage};
use qt_sim::synth::Faults;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let _ = text.parse::<Fees>();
    let _ = text.parse::<FillModel>();
    let _ = text.parse::<LatencyConfig>();
    let _ = text.parse::<Delay>();
    let _ = text.parse::<Slippage>();
    let _ = text.parse::<AccountKind>();
    let _ = text.parse::<Faults>();
});
