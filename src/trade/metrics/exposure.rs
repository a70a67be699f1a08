//! How much was held, for how long: time integrals between observations.
//!
//! A state holds from its observation to the next. The integral of equity is exact, in 192 bits;
//! leverage is a ratio and so a double.

use qt_market::features::wide;
use qt_model::time::{DAY_NANOS, Ts};
use qt_model::words::Side;

use super::along::{Marks, Steps};
use super::sum::Total;
use super::value::{Absent, Figure, ratio};
use crate::ledger::Money;

/// The worth of an account at one moment, in its currency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Worth {
    /// Cash and positions at the mark.
    pub equity: Money,
    /// The sum of the worth of positions, long and short.
    pub gross: Money,
    /// The same, shorts against longs.
    pub net: Money,
}

/// An exact sum of amounts times durations, none of which is below zero.
#[derive(Clone, Copy, Debug, Default)]
struct Integral {
    high: i128,
    low: u64,
}

impl Integral {
    #[inline]
    fn add(&mut self, amount: Money, nanos: i64) {
        let units = amount.units();
        let low =
            u128::from(units as u64) * u128::from(nanos.unsigned_abs()) + u128::from(self.low);
        self.low = low as u64;
        // The high half carries the sign; its product is small beside the range.
        let high = i128::from((units >> 64) as i64) * i128::from(nanos);
        self.high += high + (low >> 64).cast_signed();
    }

    fn to_f64(self) -> f64 {
        const WORD: f64 = 18_446_744_073_709_551_616.0;
        (self.high as f64 * WORD + self.low as f64) / 1e22
    }
}

/// Follows worth through time.
#[derive(Clone, Debug)]
pub(super) struct Exposure {
    start: Ts,
    now: Ts,
    worth: Worth,
    /// Gross and net; absent where nothing is held, or equity is not above zero.
    leverage: Option<(f64, f64)>,
    is_held: bool,
    held_ns: i128,
    long_ns: i128,
    short_ns: i128,
    equity: Integral,
    gross: Total,
    net: Total,
    gross_max: f64,
    /// Equity was zero or below while something was held.
    is_broken: bool,
    bought: Money,
    sold: Money,
}

impl Exposure {
    pub(super) fn new(start: Ts, worth: Worth) -> Self {
        let mut exposure = Self {
            start,
            now: start,
            worth: Worth::default(),
            leverage: None,
            is_held: false,
            held_ns: 0,
            long_ns: 0,
            short_ns: 0,
            equity: Integral::default(),
            gross: Total::default(),
            net: Total::default(),
            gross_max: 0.0,
            is_broken: false,
            bought: Money::ZERO,
            sold: Money::ZERO,
        };
        exposure.observe(start, worth);
        exposure
    }

    /// The state from `ts` on.
    #[inline]
    pub(super) fn observe(&mut self, ts: Ts, worth: Worth) {
        self.advance(ts);
        self.worth = worth;
        self.leverage = None;
        if !worth.gross.is_zero() && worth.equity > Money::ZERO {
            let equity = worth.equity.approximate();
            let gross = worth.gross.approximate() / equity;
            // Of one position both are one number, but for its sign: so are the quotients.
            let net = match () {
                () if worth.net == worth.gross => gross,
                () if worth.net == -worth.gross => -gross,
                () => worth.net.approximate() / equity,
            };
            let leverage = (gross, net);
            self.gross_max = self.gross_max.max(leverage.0);
            self.leverage = Some(leverage);
        }
    }

    /// The worth in force.
    pub(super) fn worth(&self) -> Worth {
        self.worth
    }

    /// Whether any position is held from `ts` on.
    pub(super) fn hold(&mut self, ts: Ts, is_held: bool) {
        self.advance(ts);
        self.is_held = is_held;
    }

    pub(super) fn traded(&mut self, side: Side, notional: Money) {
        match side {
            Side::Buy => self.bought += notional,
            Side::Sell => self.sold += notional,
        }
    }

    #[inline]
    fn advance(&mut self, ts: Ts) {
        let nanos = ts.since(self.now);
        if nanos <= 0 {
            return;
        }
        self.now = ts;
        self.equity.add(self.worth.equity, nanos);
        self.held_ns += if self.is_held { i128::from(nanos) } else { 0 };
        if self.worth.gross.is_zero() {
            return;
        }
        let Some((gross, net)) = self.leverage else {
            self.is_broken = true;
            return;
        };
        self.gross.add(gross * nanos as f64);
        self.net.add(net * nanos as f64);
        match self.worth.net.signum() {
            1 => self.long_ns += i128::from(nanos),
            -1 => self.short_ns += i128::from(nanos),
            _ => {}
        }
    }

    /// The states from some marks on, none of which is before the one in force: each as
    /// [`Self::observe`] takes it. Durations and the integral of equity are made up for at the end.
    pub(super) fn along(&mut self, steps: &Steps, since: Ts, marks: Marks<'_>) {
        let Some(((first, mark), (_, last))) = marks.first().zip(marks.last()) else { return };
        self.observe(first.max(since), steps.worth(mark));
        let (leverage, _) = self.leverage.expect("something is held, and equity above zero");
        let begun = self.now;
        let mut leant = Leant {
            now: begun.nanos(),
            equity: steps.words.equity(mark),
            leverage,
            integral: 0,
            gross: self.gross,
            net: self.net,
            gross_max: self.gross_max,
        };
        let rest = marks.rest();
        wide(
            #[inline(always)]
            || leant.along(steps, rest),
        );
        let nanos = i128::from(leant.now) - i128::from(begun.nanos());
        self.equity.add(Money::from_units(leant.integral), steps.unit);
        self.held_ns += if self.is_held { nanos } else { 0 };
        let side = if steps.is_long { &mut self.long_ns } else { &mut self.short_ns };
        *side += nanos;
        (self.now, self.worth) = (Ts::from_nanos(leant.now), steps.worth(last));
        (self.gross, self.net, self.gross_max) = (leant.gross, leant.net, leant.gross_max);
        self.leverage = Some((leant.leverage, steps.sign() * leant.leverage));
    }

    pub(super) fn finish(mut self, end: Ts) -> Exposed {
        self.advance(end);
        Exposed { elapsed_ns: self.now.since(self.start), exposure: self }
    }
}

/// What of an exposure moves from mark to mark.
struct Leant {
    now: i64,
    /// In words, as the integral is.
    equity: i64,
    integral: i128,
    leverage: f64,
    gross: Total,
    net: Total,
    gross_max: f64,
}

impl Leant {
    #[inline(always)]
    fn along(&mut self, steps: &Steps, marks: Marks<'_>) {
        let (sign, times, marks) = (steps.sign(), marks.at, &marks.marks[..marks.at.len()]);
        let mut at = 0;
        while at < times.len() {
            let (ts, mark) = (times[at], marks[at]);
            // Times that are equal, or before the first, are the same instant.
            let nanos = ts.saturating_sub(self.now);
            if nanos > 0 {
                self.now = ts;
                self.integral += i128::from(self.equity) * i128::from(nanos);
                let stretch = self.leverage * nanos as f64;
                self.gross.add(stretch);
                self.net.add(sign * stretch);
            }
            self.equity = steps.words.equity(mark);
            self.leverage =
                steps.approximate(steps.words.net(mark)) / steps.approximate(self.equity);
            self.gross_max =
                if self.leverage > self.gross_max { self.leverage } else { self.gross_max };
            at += 1;
        }
    }
}

/// What a finished run says of its exposure.
#[derive(Clone, Debug)]
pub(super) struct Exposed {
    pub elapsed_ns: i64,
    exposure: Exposure,
}

impl Exposed {
    fn share(&self, nanos: i128) -> Figure {
        ratio(nanos as f64, self.elapsed_ns as f64, Absent::ZeroElapsed)
    }

    pub(super) fn time_in_market(&self) -> Figure {
        self.share(self.exposure.held_ns)
    }

    pub(super) fn long_share(&self) -> Figure {
        self.share(self.exposure.long_ns)
    }

    pub(super) fn short_share(&self) -> Figure {
        self.share(self.exposure.short_ns)
    }

    fn leverage(&self, integral: f64) -> Figure {
        if self.exposure.is_broken {
            return Err(Absent::EquityNonpositive);
        }
        ratio(integral, self.elapsed_ns as f64, Absent::ZeroElapsed)
    }

    pub(super) fn avg_gross_leverage(&self) -> Figure {
        self.leverage(self.exposure.gross.value())
    }

    pub(super) fn avg_net_leverage(&self) -> Figure {
        self.leverage(self.exposure.net.value())
    }

    pub(super) fn max_gross_leverage(&self) -> Figure {
        if self.exposure.is_broken {
            return Err(Absent::EquityNonpositive);
        }
        Ok(self.exposure.gross_max)
    }

    pub(super) fn time_weighted_equity(&self) -> Figure {
        ratio(self.exposure.equity.to_f64(), self.elapsed_ns as f64, Absent::ZeroElapsed)
    }

    pub(super) fn notional(&self) -> Money {
        self.exposure.bought + self.exposure.sold
    }

    pub(super) fn turnover(&self) -> Figure {
        self.per_equity(self.notional())
    }

    pub(super) fn turnover_one_sided(&self) -> Figure {
        self.per_equity(self.exposure.bought.min(self.exposure.sold))
    }

    fn per_equity(&self, notional: Money) -> Figure {
        let equity = self.time_weighted_equity()?;
        if equity <= 0.0 { Err(Absent::EquityNonpositive) } else { Ok(notional.to_f64() / equity) }
    }

    pub(super) fn annualised(&self, figure: Figure) -> Figure {
        Ok(figure? * (365.0 * DAY_NANOS as f64 / self.elapsed_ns as f64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000_000_000;

    fn money(text: &str) -> Money {
        Money::exact(text.parse().unwrap()).unwrap()
    }

    fn hour(hour: i64) -> Ts {
        Ts::from_nanos(hour * HOUR)
    }

    #[test]
    fn a_day_of_positions() {
        // Hour, position times mark, equity.
        let states = [
            (0, "0", "50000"),
            (2, "10100", "50000"),
            (5, "-5100", "50300"),
            (9, "0", "50420"),
            (15, "19800", "50410"),
            (21, "15000", "50600"),
        ];
        let start = Worth { equity: money("50000"), ..Worth::default() };
        let mut exposure = Exposure::new(hour(0), start);
        for (at, net, equity) in states {
            let net = money(net);
            exposure.observe(hour(at), Worth { equity: money(equity), gross: net.abs(), net });
            exposure.hold(hour(at), !net.is_zero());
        }
        for (side, notional) in [
            (Side::Buy, "10100"),
            (Side::Sell, "15300"),
            (Side::Buy, "5075"),
            (Side::Buy, "19800"),
            (Side::Sell, "5000"),
        ] {
            exposure.traded(side, money(notional));
        }
        let exposed = exposure.finish(hour(24));
        let check = |found: Figure, expected: f64| {
            let found = found.unwrap();
            assert!((found / expected - 1.0).abs() < 1e-12, "{found} {expected}");
        };
        check(exposed.time_in_market(), 0.666_666_666_666_666_6);
        check(exposed.long_share(), 0.5);
        check(exposed.short_share(), 4.0 / 24.0);
        check(exposed.avg_gross_leverage(), 0.177_398_746_936_808_1);
        check(exposed.avg_net_leverage(), 0.143_601_530_237_006_92);
        check(exposed.max_gross_leverage(), 0.392_779_210_474_112_3);
        check(exposed.time_weighted_equity(), 50_332.5);
        check(exposed.turnover(), 1.098_196_990_016_391);
        check(exposed.turnover_one_sided(), 0.403_317_935_727_412_7);
        check(exposed.annualised(exposed.turnover()), 400.841_901_355_982_7);
    }

    #[test]
    fn an_integral_is_exact_beyond_128_bits_and_below_zero() {
        let mut integral = Integral::default();
        for _ in 0..1000 {
            integral.add(money("1234567890123"), i64::MAX);
            integral.add(money("-1234567890123"), i64::MAX);
        }
        integral.add(money("-0.5"), 4);
        assert_eq!(integral.to_f64().to_bits(), (-2.0_f64).to_bits());
    }
}
