//! Four gates before an entry, in a fixed order; the first that blocks is the reason. Exits are
//! never gated.

use super::modes::State;

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GateLimits {
    pub trend_min: f64,
    pub volatility_min: f64,
    pub spread_max: f64,
    pub score_min: f64,
    pub cooldown_ms: i64,
    /// Of the spread over the mid.
    pub spread_share_max: f64,
    /// Whether a short entry is held to the trend downwards.
    pub direction_aware: bool,
}

/// Which gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum GateRule {
    RegimeTrend,
    RegimeVolatility,
    RegimeSpread,
    SignalStrength,
    Cooldown,
    SpreadPenalty,
}

impl GateRule {
    pub const ALL: [Self; 6] = [
        Self::RegimeTrend,
        Self::RegimeVolatility,
        Self::RegimeSpread,
        Self::SignalStrength,
        Self::Cooldown,
        Self::SpreadPenalty,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::RegimeTrend => "regime_trend",
            Self::RegimeVolatility => "regime_volatility",
            Self::RegimeSpread => "regime_spread",
            Self::SignalStrength => "signal_strength",
            Self::Cooldown => "cooldown",
            Self::SpreadPenalty => "spread_penalty",
        }
    }
}

/// What wants to pass.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Candidate {
    pub is_long: bool,
    pub confidence: f64,
    pub state: State,
    /// Since the last trade of the symbol; none yet passes.
    pub since_trade_ms: Option<i64>,
    /// The spread over the mid; absent where there is no mid.
    pub spread_share: Option<f64>,
}

/// The answer: passed, or the gate with what it measured and allows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Judged {
    Passed,
    Blocked { rule: GateRule, value: f64, limit: f64 },
}

/// The gates with their counts.
#[derive(Clone, Debug)]
pub struct Gate {
    limits: GateLimits,
    passed: u64,
    blocked: [u64; 6],
}

impl Gate {
    pub fn new(limits: GateLimits) -> Self {
        Self { limits, passed: 0, blocked: [0; 6] }
    }

    pub fn passed(&self) -> u64 {
        self.passed
    }

    pub fn blocked(&self, rule: GateRule) -> u64 {
        self.blocked[rule as usize]
    }

    pub fn judge(&mut self, candidate: &Candidate) -> Judged {
        let judged = self.limits.judge(candidate);
        match judged {
            Judged::Passed => self.passed += 1,
            Judged::Blocked { rule, .. } => self.blocked[rule as usize] += 1,
        }
        judged
    }
}

impl GateLimits {
    fn judge(&self, candidate: &Candidate) -> Judged {
        let block = |rule, value, limit| Judged::Blocked { rule, value, limit };
        let state = &candidate.state;
        let is_long = candidate.is_long || !self.direction_aware;
        let trend = if is_long { state.trend } else { -state.trend };
        if trend < self.trend_min {
            return block(GateRule::RegimeTrend, trend, self.trend_min);
        }
        if state.volatility < self.volatility_min {
            return block(GateRule::RegimeVolatility, state.volatility, self.volatility_min);
        }
        if state.spread > self.spread_max {
            return block(GateRule::RegimeSpread, state.spread, self.spread_max);
        }
        if candidate.confidence < self.score_min {
            return block(GateRule::SignalStrength, candidate.confidence, self.score_min);
        }
        if let Some(since) = candidate.since_trade_ms.filter(|since| *since < self.cooldown_ms) {
            return block(GateRule::Cooldown, since as f64, self.cooldown_ms as f64);
        }
        match candidate.spread_share {
            Some(share) if share <= self.spread_share_max => Judged::Passed,
            Some(share) => block(GateRule::SpreadPenalty, share, self.spread_share_max),
            None => block(GateRule::SpreadPenalty, f64::INFINITY, self.spread_share_max),
        }
    }
}
