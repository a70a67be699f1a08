//! The state of the market, and what it does to votes and sizes.

use super::signals::{Direction, Signal};

/// What the three regime features say; what is missing is ordinary.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct State {
    /// 0 low, 1 normal, 2 high.
    pub volatility: f64,
    /// −1 down, 0 sideways, 1 up.
    pub trend: f64,
    /// 0 tight, 1 normal, 2 wide.
    pub spread: f64,
}

impl Default for State {
    fn default() -> Self {
        Self { volatility: 1.0, trend: 0.0, spread: 1.0 }
    }
}

impl State {
    /// Takes values of which each may be absent.
    pub fn of(volatility: f64, trend: f64, spread: f64) -> Self {
        let or = |value: f64, ordinary: f64| if value.is_nan() { ordinary } else { value };
        Self { volatility: or(volatility, 1.0), trend: or(trend, 0.0), spread: or(spread, 1.0) }
    }

    pub fn mode(&self) -> Mode {
        match self.volatility {
            high if high > 1.5 => Mode::MeanReversion,
            low if low < 0.5 => Mode::Momentum,
            _ => Mode::Balanced,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    MeanReversion,
    Momentum,
    Balanced,
}

/// What a mode does to positions and thresholds: in high, low and normal volatility.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scales {
    pub position: [f64; 3],
    pub threshold: [f64; 3],
}

impl Scales {
    const fn place(mode: Mode) -> usize {
        match mode {
            Mode::MeanReversion => 0,
            Mode::Momentum => 1,
            Mode::Balanced => 2,
        }
    }

    pub fn position(&self, mode: Mode) -> f64 {
        self.position[Self::place(mode)]
    }

    pub fn threshold(&self, mode: Mode) -> f64 {
        self.threshold[Self::place(mode)]
    }
}

/// A vote as the state of the market lets it count.
#[must_use]
pub(super) fn adjusted(mut signal: Signal, state: &State) -> Signal {
    if state.mode() == Mode::MeanReversion && signal.is_momentum {
        signal.direction = signal.direction.turned();
    }
    let against = match signal.direction {
        Direction::Short => state.trend > 0.0,
        Direction::Long => state.trend < 0.0,
        Direction::Neutral => false,
    };
    if against {
        signal.strength *= 0.5;
    }
    // A breakout without a trend is trusted less.
    if state.trend == 0.0 && signal.is_momentum && signal.strength > 0.7 {
        signal.strength *= 0.7;
    }
    signal
}
