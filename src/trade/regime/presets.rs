//! The five presets.

use super::combine::{Combination, Combine};
use super::gate::GateLimits;
use super::modes::Scales;

/// How an entry is sized.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sizing {
    Fixed,
    Confidence,
    Alpha,
}

/// All numbers of the strategy.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Preset {
    pub name: &'static str,
    pub top: usize,
    pub alpha_min: f64,
    pub combination: Combination,
    /// The least confidence that is traded.
    pub confidence_min: f64,
    pub sizing: Sizing,
    /// In units of size.
    pub base: f64,
    pub most: f64,
    /// A spread beyond this part of the mid is waited out.
    pub spread_wait: f64,
    pub gate: GateLimits,
    pub scales: Scales,
}

const ORDINARY: Scales = Scales { position: [0.5, 1.0, 0.75], threshold: [1.5, 0.8, 1.0] };

const fn combination(
    combine: Combine,
    min_strength: f64,
    min_signals: usize,
    confidence: f64,
) -> Combination {
    Combination { combine, min_strength, min_signals, confidence }
}

const fn gate(
    trend_min: f64,
    spread_max: f64,
    score_min: f64,
    cooldown_ms: i64,
    spread_share_max: f64,
) -> GateLimits {
    GateLimits {
        trend_min,
        volatility_min: 0.0,
        spread_max,
        score_min,
        cooldown_ms,
        spread_share_max,
        direction_aware: true,
    }
}

pub const PRESETS: [Preset; 5] = [
    Preset {
        name: "default",
        top: 5,
        alpha_min: 0.30,
        combination: combination(Combine::Weighted, 0.3, 2, 0.5),
        confidence_min: 0.5,
        sizing: Sizing::Alpha,
        base: 0.01,
        most: 0.1,
        spread_wait: 0.0005,
        gate: gate(-0.5, 2.0, 0.50, 5_000, 0.001),
        scales: ORDINARY,
    },
    Preset {
        name: "high_frequency",
        top: 3,
        alpha_min: 0.40,
        combination: combination(Combine::Weighted, 0.2, 1, 0.4),
        confidence_min: 0.4,
        sizing: Sizing::Alpha,
        base: 0.005,
        most: 0.05,
        spread_wait: 0.0003,
        gate: gate(-0.7, 2.0, 0.40, 3_000, 0.0005),
        scales: ORDINARY,
    },
    Preset {
        name: "quality",
        top: 7,
        alpha_min: 0.50,
        combination: combination(Combine::Unanimous, 0.5, 3, 0.7),
        confidence_min: 0.7,
        sizing: Sizing::Alpha,
        base: 0.02,
        most: 0.2,
        spread_wait: 0.0005,
        gate: gate(-0.3, 1.0, 0.75, 10_000, 0.0005),
        scales: ORDINARY,
    },
    Preset {
        name: "aggressive",
        top: 5,
        alpha_min: 0.25,
        combination: combination(Combine::Majority, 0.2, 1, 0.3),
        confidence_min: 0.3,
        sizing: Sizing::Confidence,
        base: 0.02,
        most: 0.15,
        spread_wait: 0.001,
        gate: gate(-1.0, 2.0, 0.35, 2_000, 0.002),
        scales: Scales { position: [0.75, 1.2, 1.0], threshold: [1.2, 0.7, 0.9] },
    },
    Preset {
        name: "conservative",
        top: 5,
        alpha_min: 0.60,
        combination: combination(Combine::Unanimous, 0.6, 3, 0.8),
        confidence_min: 0.8,
        sizing: Sizing::Fixed,
        base: 0.005,
        most: 0.05,
        spread_wait: 0.0003,
        gate: gate(0.0, 1.0, 0.85, 15_000, 0.0003),
        scales: Scales { position: [0.25, 0.75, 0.5], threshold: [2.0, 1.0, 1.2] },
    },
];

pub fn preset(name: &str) -> Option<&'static Preset> {
    PRESETS.iter().find(|preset| preset.name == name)
}

impl Preset {
    /// The size of an entry, before the lot.
    pub fn size(&self, confidence: f64, alpha: f64, position_scale: f64) -> f64 {
        let scale = match self.sizing {
            Sizing::Fixed => 1.0,
            Sizing::Confidence => confidence / self.confidence_min,
            Sizing::Alpha => alpha / self.alpha_min,
        };
        (self.base * scale * position_scale).min(self.most)
    }
}
