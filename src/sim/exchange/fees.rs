//! What a venue charges for an execution.
//!
//! Invariant: a fee is exact: rate times money, never rounded while it has at most 28 digits. Absent
//! on purpose: discounts for paying in a venue's own coin, which need a price for it.

use qt_model::time::{DAY_NANOS, Ts};
use qt_model::words::Liquidity;
use rust_decimal::Decimal;

/// Rates from a traded volume on. Negative: a rebate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tier {
    /// In the currency that instruments settle in.
    pub volume: Decimal,
    pub maker: Decimal,
    pub taker: Decimal,
}

/// Which volume chooses the tier.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Window {
    /// That of the run so far.
    #[default]
    Run,
    /// That of the thirty UTC days before today.
    ThirtyDays,
}

/// What a fee is paid in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PaidIn {
    /// The currency that the instrument settles in: the quote, as a rule.
    #[default]
    Settle,
    /// What is received: a buyer of a spot instrument pays in what he bought.
    Received,
}

/// The schedule of a venue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fees {
    /// By volume, the lowest first; the first begins at zero.
    pub tiers: Vec<Tier>,
    pub window: Window,
    /// On top, for each unit of size.
    pub per_contract: Decimal,
    /// The least that an execution costs, where it costs anything.
    pub minimum: Decimal,
    pub paid_in: PaidIn,
}

impl Default for Fees {
    /// Four basis points either way.
    fn default() -> Self {
        Self::flat(Decimal::new(4, 4), Decimal::new(4, 4))
    }
}

impl Fees {
    pub fn flat(maker: Decimal, taker: Decimal) -> Self {
        Self {
            tiers: vec![Tier { volume: Decimal::ZERO, maker, taker }],
            window: Window::Run,
            per_contract: Decimal::ZERO,
            minimum: Decimal::ZERO,
            paid_in: PaidIn::Settle,
        }
    }

    /// The fee for so much money and size; positive: paid.
    pub(super) fn of(
        &self,
        volume: Decimal,
        liquidity: Liquidity,
        worth: Decimal,
        qty: Decimal,
    ) -> Decimal {
        let above = self.tiers.iter().rev().find(|tier| tier.volume <= volume);
        let tier = above.or(self.tiers.first());
        let rate = tier.map_or(Decimal::ZERO, |tier| match liquidity {
            Liquidity::Maker => tier.maker,
            Liquidity::Taker => tier.taker,
        });
        let fee = match (rate.is_zero(), self.per_contract.is_zero()) {
            (true, true) => return Decimal::ZERO,
            (_, true) => worth * rate,
            (_, false) => worth * rate + self.per_contract * qty,
        };
        let fee = if fee > Decimal::ZERO { fee.max(self.minimum) } else { fee };
        fee.normalize()
    }

    /// The rate, where a fee is that part of the money and nothing else, and paid in the same.
    #[inline]
    pub(super) fn plain(&self, liquidity: Liquidity) -> Option<Decimal> {
        let [tier] = self.tiers.as_slice() else { return None };
        let is_plain =
            self.paid_in == PaidIn::Settle && self.per_contract.is_zero() && self.minimum.is_zero();
        is_plain.then_some(match liquidity {
            Liquidity::Maker => tier.maker,
            Liquidity::Taker => tier.taker,
        })
    }

    pub(super) fn has_tiers(&self) -> bool {
        self.tiers.len() > 1
    }
}

const DAYS: u8 = 31;

/// How much was traded, as the tiers count it.
#[derive(Clone, Debug, Default)]
pub(super) struct Volume {
    run: Decimal,
    /// By day, today's at `today % DAYS`.
    days: [Decimal; DAYS as usize],
    today: i64,
}

impl Volume {
    pub(super) fn add(&mut self, at: Ts, worth: Decimal) {
        self.turn(at);
        self.run += worth;
        self.days[self.slot(self.today)] += worth;
    }

    pub(super) fn of(&mut self, window: Window, at: Ts) -> Decimal {
        match window {
            Window::Run => self.run,
            Window::ThirtyDays => {
                self.turn(at);
                let today = self.slot(self.today);
                let before = self.days.iter().enumerate().filter(|(slot, _)| *slot != today);
                before.map(|(_, worth)| *worth).sum()
            }
        }
    }

    fn slot(&self, day: i64) -> usize {
        day.rem_euclid(i64::from(DAYS)) as usize
    }

    /// Empties the days that have passed out of the window.
    fn turn(&mut self, at: Ts) {
        let today = at.nanos().div_euclid(DAY_NANOS);
        let passed = (today - self.today).clamp(0, i64::from(DAYS));
        for day in 0..passed {
            let slot = self.slot(today - day);
            self.days[slot] = Decimal::ZERO;
        }
        self.today = self.today.max(today);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Decimal {
        Decimal::from_str_exact(text).unwrap()
    }

    fn check(fees: &Fees, volume: &str, liquidity: Liquidity, worth: &str, expected: &str) {
        let fee = fees.of(number(volume), liquidity, number(worth), number("2"));
        assert_eq!(fee.to_string(), expected, "{worth} {liquidity} after {volume}");
    }

    #[test]
    fn fees_by_liquidity_and_volume() {
        use Liquidity::{Maker, Taker};
        let mut fees = Fees::flat(number("-0.00005"), number("0.0007"));
        check(&fees, "0", Maker, "610.21", "-0.0305105");
        check(&fees, "0", Taker, "0.01", "0.000007"); // far below a cent, and kept
        fees.tiers.push(Tier {
            volume: number("1000"),
            maker: number("-0.0001"),
            taker: number("0.0005"),
        });
        check(&fees, "999.99", Taker, "100", "0.07");
        check(&fees, "1000", Taker, "100", "0.05");
        fees.per_contract = number("1.25");
        check(&fees, "0", Taker, "100", "2.57");
        fees.minimum = number("3");
        check(&fees, "0", Taker, "100", "3");
        fees.per_contract = Decimal::ZERO;
        check(&fees, "0", Maker, "100", "-0.005"); // a rebate has no minimum
    }

    #[test]
    fn thirty_days_slide() {
        let day = |day: i64| Ts::from_nanos(day * DAY_NANOS + 5);
        let mut volume = Volume::default();
        volume.add(day(100), number("10"));
        assert_eq!(volume.of(Window::ThirtyDays, day(100)), Decimal::ZERO);
        assert_eq!(volume.of(Window::ThirtyDays, day(101)), number("10"));
        volume.add(day(110), number("5"));
        assert_eq!(volume.of(Window::ThirtyDays, day(130)), number("15"));
        assert_eq!(volume.of(Window::ThirtyDays, day(131)), number("5"));
        assert_eq!(volume.of(Window::ThirtyDays, day(999)), Decimal::ZERO);
        assert_eq!(volume.of(Window::Run, day(999)), number("15"));
    }
}
