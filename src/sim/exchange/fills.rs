//! When a resting order of ours is filled: the models, and the three presets of the band.
//!
//! Each preset says in words what it assumes ([`Preset::assumes`]), since a result without its
//! assumptions is worth nothing. Absent on purpose: what a taker pays, which the book says.

use libm::{log1p, pow, sqrt};

/// How the size ahead of a resting order shrinks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum QueueModel {
    /// Nobody is ahead, ever.
    Front,
    /// Only trades bring us forward: whoever cancels stood behind us, as long as sizes allow it.
    RiskAverse,
    /// A part of what is cancelled stood ahead of us; the function says which part.
    Probabilistic(Share),
    /// The orders ahead are known one by one. Needs order-by-order data.
    Exact,
}

/// What part of a cancelled size stood behind us, from the size ahead of us and behind us.
///
/// The forms are those that practice has settled on; `f` is the identity, a power, the logarithm
/// of one plus the size, or the square root.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Share {
    /// `f(back) / (f(back) + f(front))` with a power.
    Power(f64),
    /// `f(back) / f(back + front)` with a power.
    Power2(f64),
    /// `1 − f(front / (front + back))` with a power.
    Power3(f64),
    /// `f(back) / (f(back) + f(front))` with the logarithm.
    Log,
    /// `f(back) / f(back + front)` with the logarithm.
    Log2,
    /// `f(back) / (f(back) + f(front))` with the square root.
    Sqrt,
}

impl Share {
    /// Not always within zero and one, and not a number where nothing stands at the price: what
    /// to do then is the queue's business.
    #[inline]
    pub(super) fn behind(self, front: f64, back: f64) -> f64 {
        match self {
            Self::Power(n) => {
                let (front, back) = (power(front, n), power(back, n));
                back / (back + front)
            }
            Self::Power2(n) => power(back, n) / power(back + front, n),
            Self::Power3(n) => 1.0 - power(front / (front + back), n),
            Self::Log => {
                let (front, back) = (log1p(front), log1p(back));
                back / (back + front)
            }
            Self::Log2 => log1p(back) / log1p(back + front),
            Self::Sqrt => {
                let (front, back) = (sqrt(front), sqrt(back));
                back / (back + front)
            }
        }
    }
}

/// Small whole powers, which are the usual ones, without the general function.
#[inline]
fn power(base: f64, n: f64) -> f64 {
    match n {
        1.0 => base,
        2.0 => base * base,
        3.0 => base * base * base,
        _ => pow(base, n),
    }
}

/// What it takes for the book alone, without a trade, to fill a resting order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cross {
    /// The best opposite price stands beyond ours.
    Through,
    /// The best opposite price reaches ours.
    Touch,
}

/// How resting orders are filled.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FillModel {
    pub queue: QueueModel,
    pub cross: Cross,
    /// Whether a trade fills as much as reached us, rather than all or nothing.
    pub is_partial: bool,
    /// Whether a bar or a bare trade that reaches the limit price without passing it fills.
    pub fills_at_limit: bool,
}

impl Default for FillModel {
    fn default() -> Self {
        Preset::Calibrated.model()
    }
}

/// The three fill models that bound a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Preset {
    Pessimistic,
    Calibrated,
    Optimistic,
}

impl Preset {
    pub const ALL: [Self; 3] = [Self::Pessimistic, Self::Calibrated, Self::Optimistic];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Pessimistic => "pessimistic",
            Self::Calibrated => "calibrated",
            Self::Optimistic => "optimistic",
        }
    }

    /// What the preset assumes, for those who read a result.
    pub const fn assumes(self) -> &'static str {
        match self {
            Self::Pessimistic => {
                "we join the end of the queue and only trades bring us forward; a fill needs a \
                 trade that reaches us or a market that has moved through our price"
            }
            Self::Calibrated => {
                "we join the end of the queue; cancels ahead of us are estimated (cube of the \
                 share ahead); the best opposite price reaching ours fills us"
            }
            Self::Optimistic => {
                "we stand first in the queue: every trade at our price is ours, and the best \
                 opposite price reaching ours fills us"
            }
        }
    }

    pub const fn model(self) -> FillModel {
        let (queue, cross, fills_at_limit) = match self {
            Self::Pessimistic => (QueueModel::RiskAverse, Cross::Through, false),
            Self::Calibrated => {
                (QueueModel::Probabilistic(Share::Power3(3.0)), Cross::Touch, false)
            }
            Self::Optimistic => (QueueModel::Front, Cross::Touch, true),
        };
        FillModel { queue, cross, is_partial: true, fills_at_limit }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_as_their_formulas_say() {
        let cases = [
            (Share::Power(1.0), 3.0, 1.0, 0.25),
            (Share::Power(2.0), 3.0, 1.0, 0.1),
            (Share::Power2(2.0), 3.0, 1.0, 0.0625),
            (Share::Power3(3.0), 3.0, 1.0, 0.578_125),
            (Share::Power3(2.5), 1.0, 0.0, 0.0),
            (Share::Log, 0.0, 5.0, 1.0),
            (Share::Log2, std::f64::consts::E - 1.0, 0.0, 0.0),
            (Share::Sqrt, 9.0, 1.0, 0.25),
        ];
        for (share, front, back, expected) in cases {
            let found = share.behind(front, back);
            assert!((found - expected).abs() < 1e-12, "{share:?} {front} {back}: {found}");
        }
    }
}
