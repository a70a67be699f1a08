//! Clocks that count prints: when a bar has had enough.
//!
//! Exact where sizes and money are counted. A clock that learns keeps two averages as doubles: they
//! say when a bar ends and never what is in it.

use qt_model::instrument::Instrument;
use rust_decimal::Decimal;

use super::every::{Every, Measure};
use super::series::Print;

/// What has been counted for the bar at hand.
#[derive(Clone, Copy, Debug)]
pub(super) enum Clock {
    /// The length of a bar; the series itself looks at times.
    Time(i64),
    Ticks {
        limit: u64,
        count: u64,
    },
    Volume {
        limit: i128,
        sum: i128,
    },
    Notional {
        limit: i128,
        sum: i128,
    },
    Imbalance {
        limit: i128,
        sum: i128,
    },
    Run {
        limit: i128,
        bought: i128,
        sold: i128,
    },
    LearnedImbalance(Learned),
    LearnedRun(Learned),
}

impl Clock {
    /// `None` where the length has digits that the instrument does not have.
    pub(super) fn new(every: Every, instrument: &Instrument) -> Option<Self> {
        let (px, qty) = (instrument.px_scale.digits(), instrument.qty_scale.digits());
        let size = |amount| units(amount, u32::from(qty));
        Some(match every {
            Every::Time(nanos) => Self::Time(nanos),
            Every::Ticks(limit) => Self::Ticks { limit, count: 0 },
            Every::Volume(amount) => Self::Volume { limit: size(amount)?, sum: 0 },
            Every::Notional(amount) => {
                Self::Notional { limit: units(amount, u32::from(px + qty))?, sum: 0 }
            }
            Every::Imbalance(Measure::Size(amount)) => {
                Self::Imbalance { limit: size(amount)?, sum: 0 }
            }
            Every::Run(Measure::Size(amount)) => {
                Self::Run { limit: size(amount)?, bought: 0, sold: 0 }
            }
            Every::Imbalance(Measure::Learned(prints)) => {
                Self::LearnedImbalance(Learned::new(prints))
            }
            Every::Run(Measure::Learned(prints)) => Self::LearnedRun(Learned::new(prints)),
        })
    }

    /// Counts a print; whether the bar that holds it is full.
    pub(super) fn count(&mut self, print: &Print) -> bool {
        let qty = i128::from(print.qty.mantissa());
        match self {
            Self::Time(_) => false,
            Self::Ticks { limit, count } => {
                *count += 1;
                *count >= *limit
            }
            Self::Volume { limit, sum } => {
                *sum += qty;
                *sum >= *limit
            }
            Self::Notional { limit, sum } => {
                // The price of a spread can be negative; the money that changes hands cannot.
                *sum += (i128::from(print.px.mantissa()) * qty).abs();
                *sum >= *limit
            }
            Self::Imbalance { limit, sum } => {
                *sum += i128::from(print.direction) * qty;
                sum.abs() >= *limit
            }
            Self::Run { limit, bought, sold } => {
                match print.direction {
                    1 => *bought += qty,
                    -1 => *sold += qty,
                    _ => {}
                }
                (*bought).max(*sold) >= *limit
            }
            Self::LearnedImbalance(learned) => {
                learned.count(print.direction);
                let balance = learned.bought.abs_diff(learned.sold) as f64;
                // A fair coin is that far from balance after as many prints, so a market without a
                // direction ends its bars by chance and about as often.
                let by_chance = learned.expected_prints.sqrt();
                let expected = learned.expected_prints * learned.expected_balance.abs();
                balance >= expected.max(by_chance)
            }
            Self::LearnedRun(learned) => {
                learned.count(print.direction);
                // With the balance as b = P(buy) − P(sell), the likelier side has (1 + |b|)/2.
                let share = f64::midpoint(1.0, learned.expected_balance.abs());
                learned.bought.max(learned.sold) as f64 >= learned.expected_prints * share
            }
        }
    }

    /// The bar has ended, full or not: counts begin anew.
    pub(super) fn restart(&mut self) {
        match self {
            Self::Time(_) => {}
            Self::Ticks { count, .. } => *count = 0,
            Self::Volume { sum, .. } | Self::Notional { sum, .. } | Self::Imbalance { sum, .. } => {
                *sum = 0;
            }
            Self::Run { bought, sold, .. } => (*bought, *sold) = (0, 0),
            Self::LearnedImbalance(learned) | Self::LearnedRun(learned) => learned.learn(),
        }
    }
}

/// An amount as a whole number of units of that many decimals.
fn units(amount: Decimal, digits: u32) -> Option<i128> {
    let amount = amount.normalize();
    let missing = digits.checked_sub(amount.scale())?;
    10_i128.checked_pow(missing)?.checked_mul(amount.mantissa())
}

/// What bars before make one expect, as averages over about twenty of them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Learned {
    /// How many prints a bar has.
    expected_prints: f64,
    /// The mean direction of prints.
    expected_balance: f64,
    /// Bars never expect fewer or more prints than these.
    bounds: (f64, f64),
    prints: u64,
    bought: u64,
    sold: u64,
}

impl Learned {
    fn new(prints: u64) -> Self {
        let first = prints as f64;
        Self {
            expected_prints: first,
            expected_balance: 0.0,
            bounds: ((first / 10.0).max(1.0), first * 10.0),
            prints: 0,
            bought: 0,
            sold: 0,
        }
    }

    fn count(&mut self, direction: i8) {
        self.prints += 1;
        self.bought += u64::from(direction > 0);
        self.sold += u64::from(direction < 0);
    }

    fn learn(&mut self) {
        const ALPHA: f64 = 2.0 / 21.0;
        if self.prints > 0 {
            let prints = self.prints as f64;
            let balance = (self.bought as f64 - self.sold as f64) / prints;
            let (least, most) = self.bounds;
            self.expected_prints += ALPHA * (prints - self.expected_prints);
            self.expected_prints = self.expected_prints.clamp(least, most);
            self.expected_balance += ALPHA * (balance - self.expected_balance);
        }
        (self.prints, self.bought, self.sold) = (0, 0, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_exact_or_refused() {
        let of = |text: &str, digits| units(text.parse().unwrap(), digits);
        assert_eq!((of("1.50", 1), of("1.55", 1), of("3", 8)), (Some(15), None, Some(300_000_000)));
        assert_eq!(of("79228162514264337593543950335", 36), None);
    }
}
