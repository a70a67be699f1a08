//! Quotes as columns that lack nothing and are not crossed, and what each column that expressions
//! begin with says of them: one loop in which nothing is asked, straight to where it is wanted.

use std::ops::Range;

use qt_model::time::Ts;
use qt_model::units::{Px, Qty, Scale};

use super::columns::bits;
use super::tops::{Best, seconds};
use crate::features::base::Base;
use crate::features::value::{NONE, SKIP};
use crate::features::wide::{is_fused, wide};

/// Quotes: prices and sizes in units of their scales, and times.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Quotes<'a> {
    cells: Cells<'a>,
    units: Units,
    /// The event before them.
    before: Option<(Best, Ts)>,
    /// Whether all prices and sizes are so short that their sums are exact in doubles.
    are_short: bool,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Cells<'a> {
    pub(super) bid: &'a [i64],
    pub(super) ask: &'a [i64],
    pub(super) bid_qty: &'a [i64],
    pub(super) ask_qty: &'a [i64],
    pub(super) ts: &'a [i64],
    /// How long after the first event each was; empty where nobody asks.
    pub(super) now: &'a [i64],
}

impl Cells<'_> {
    fn of(&self, part: Range<usize>) -> Self {
        let now = if self.now.is_empty() { self.now } else { &self.now[part.clone()] };
        Self {
            bid: &self.bid[part.clone()],
            ask: &self.ask[part.clone()],
            bid_qty: &self.bid_qty[part.clone()],
            ask_qty: &self.ask_qty[part.clone()],
            ts: &self.ts[part],
            now,
        }
    }

    fn event(&self, at: usize) -> (Best, Ts) {
        let qty = |mantissa| Qty::new(mantissa).expect("it was a size before");
        let best = Best {
            bid: (Px::new(self.bid[at]), qty(self.bid_qty[at])),
            ask: (Px::new(self.ask[at]), qty(self.ask_qty[at])),
        };
        (best, Ts::from_nanos(self.ts[at]))
    }
}

impl<'a> Quotes<'a> {
    pub(super) fn new(cells: Cells<'a>, units: Units, before: Option<(Best, Ts)>) -> Self {
        let parts = [cells.bid, cells.ask, cells.bid_qty, cells.ask_qty];
        let are_short = wide(
            #[inline(always)]
            || parts.into_iter().fold(true, |all, part| all & are_short(part)),
        );
        Self { cells, units, before, are_short }
    }

    pub(crate) fn len(&self) -> usize {
        self.cells.bid.len()
    }

    pub(super) fn last(&self) -> Option<(Best, Ts)> {
        self.len().checked_sub(1).map(|last| self.cells.event(last))
    }

    /// Fills a column with what some of the quotes say. Whether each says something.
    pub(crate) fn say(&self, base: Base, part: Range<usize>, out: &mut [f64]) -> bool {
        let before = match part.start.checked_sub(1) {
            Some(before) => Some(self.cells.event(before)),
            None => self.before,
        };
        let cells = self.cells.of(part);
        let part = Self { cells, before, ..*self };
        wide(
            #[inline(always)]
            || match (self.are_short, is_fused()) {
                (true, true) => part.write(base, short, fused, out),
                (true, false) => part.write(base, short, divided, out),
                (false, _) => part.write(base, |value| value as f64, divided, out),
            },
        )
    }

    #[inline(always)]
    fn write(
        &self,
        base: Base,
        double: impl Fn(i64) -> f64 + Copy,
        over: impl Fn(f64, Unit) -> f64 + Copy,
        out: &mut [f64],
    ) -> bool {
        let (Cells { bid, ask, bid_qty, ask_qty, now, .. }, units) = (self.cells, self.units);
        let one = |from: &[i64], unit: Unit, out: &mut [f64]| {
            for (value, out) in from.iter().zip(out) {
                *out = over(double(*value), unit);
            }
        };
        let sides = || bid.iter().zip(ask).map(|(bid, ask)| (double(*bid), double(*ask)));
        let sizes = || bid_qty.iter().zip(ask_qty).map(|(bid, ask)| (double(*bid), double(*ask)));
        let bests = || (0..self.len()).map(|at| self.cells.event(at).0);
        let mut is_whole = true;
        match base {
            Base::Bid => one(bid, units.px, out),
            Base::Ask => one(ask, units.px, out),
            Base::BidQty => one(bid_qty, units.qty, out),
            Base::AskQty => one(ask_qty, units.qty, out),
            // Sums and differences of short ones are exact, and rounded once by the division.
            Base::Mid if self.are_short => {
                put(out, sides().map(|(bid, ask)| over(bid + ask, units.mid)));
            }
            Base::Mid => put(out, bests().map(|best| over(best.mid_x2(), units.mid))),
            Base::Spread if self.are_short => {
                put(out, sides().map(|(bid, ask)| over(ask - bid, units.px)));
            }
            Base::Spread => put(out, bests().map(|best| over(best.spread() as f64, units.px))),
            Base::Microprice => {
                let micro = |((bid, ask), (bid_qty, ask_qty)): ((f64, f64), (f64, f64))| {
                    let both = bid_qty + ask_qty;
                    let (above, below) = (bid * ask_qty + ask * bid_qty, both * units.px.unit);
                    let (mid, is_empty) = (bid + ask, both == 0.0);
                    (if is_empty { mid } else { above })
                        / (if is_empty { units.mid.unit } else { below })
                };
                put(out, sides().zip(sizes()).map(micro));
            }
            Base::Imbalance => {
                for ((bid_qty, ask_qty), out) in sizes().zip(out) {
                    let both = bid_qty + ask_qty;
                    let imbalance = (bid_qty - ask_qty) / both;
                    *out = if both > 0.0 { imbalance } else { NONE };
                    is_whole &= both > 0.0;
                }
            }
            Base::Now | Base::BookTime => put(out, now.iter().map(|now| *now as f64)),
            Base::Ofi | Base::BookGap => is_whole = self.changes(base, out),
            _ => {
                out.fill(SKIP);
                is_whole = false;
            }
        }
        is_whole
    }

    /// What changed from one event to the next. The first event of all has nothing before it.
    #[inline(never)]
    fn changes(&self, base: Base, out: &mut [f64]) -> bool {
        let mut before = self.before;
        for (at, out) in out.iter_mut().enumerate() {
            let (best, ts) = self.cells.event(at);
            *out = match (base, before.replace((best, ts))) {
                (Base::Ofi, Some((before, _))) => {
                    before.flow_to(&best) as f64 / self.units.qty.unit
                }
                (Base::Ofi, None) => 0.0,
                (_, Some((_, then))) => seconds(then, ts),
                (_, None) => NONE,
            };
        }
        base == Base::Ofi || self.before.is_some()
    }
}

/// Columns that say when an event was.
pub(super) const TIMES: u64 = bits(&[Base::Now, Base::BookTime]);

#[inline(always)]
fn put(out: &mut [f64], values: impl Iterator<Item = f64>) {
    // Not by what iterators have for that, which is not inlined and so as narrow as any other.
    for (out, value) in out.iter_mut().zip(values) {
        *out = value;
    }
}

/// Whether integers are so short that doubles hold their sums.
#[inline(always)]
fn are_short(values: &[i64]) -> bool {
    const HALF: i64 = 1 << 51;
    let beyond = |value: &i64| value.wrapping_add(HALF).cast_unsigned() >> 52;
    values.iter().fold(0, |all, value| all | beyond(value)) == 0
}

/// A short integer as a double: added to a double of one size its bits are where they belong.
#[inline(always)]
fn short(value: i64) -> f64 {
    const BASE: f64 = 6_755_399_441_055_744.0; // 1.5 · 2^52
    f64::from_bits(BASE.to_bits().wrapping_add_signed(value)) - BASE
}

/// What integers of an instrument are divided by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Units {
    px: Unit,
    /// The same of a sum of two prices.
    mid: Unit,
    qty: Unit,
}

impl Units {
    pub(super) fn new(px: Scale, qty: Scale) -> Self {
        let (px, qty) = (px.unit() as f64, qty.unit() as f64);
        Self { px: Unit::new(px), mid: Unit::new(2.0 * px), qty: Unit::new(qty) }
    }
}

/// A power of ten up to 10^18, or twice one, and the nearest double to its inverse.
#[derive(Clone, Copy, Debug)]
struct Unit {
    unit: f64,
    inverse: f64,
}

impl Unit {
    fn new(unit: f64) -> Self {
        Self { unit, inverse: 1.0 / unit }
    }
}

#[inline(always)]
fn divided(value: f64, unit: Unit) -> f64 {
    value / unit.unit
}

/// The same quotient, to the bit, without a division. The product misses it by less than 2^-51 of
/// itself, and one step of Newton by less than 2^-100: were the two rounded apart, a middle between
/// doubles would lie so near to a quotient whose divisor is 5^18 at most but for powers of two, of
/// which the nearest is further away than 2^-97.
#[inline(always)]
fn fused(value: f64, unit: Unit) -> f64 {
    let near = value * unit.inverse;
    let rest = (-near).mul_add(unit.unit, value);
    rest.mul_add(unit.inverse, near)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]

        #[test]
        fn a_quotient_needs_no_division(
            value in prop_oneof![-2_i64..2_000_000_000, -(1_i64 << 53)..1 << 53, any::<i64>()],
            digits in 0_u8..=18,
            twice in any::<bool>(),
        ) {
            let unit = Scale::new(digits).unwrap().unit() as f64;
            let unit = Unit::new(if twice { 2.0 * unit } else { unit });
            let value = value as f64;
            prop_assert_eq!(fused(value, unit).to_bits(), divided(value, unit).to_bits());
        }
    }

    /// The quotients that lie nearest to a middle between two doubles, where a wrong last bit of the
    /// way there would show.
    #[test]
    fn nor_do_the_quotients_that_are_hardest_to_round() {
        for digits in 0..=18_u8 {
            let unit = Unit::new(Scale::new(digits).unwrap().unit() as f64);
            // Of a power of ten it is the power of five that counts.
            let five = 5_u128.pow(u32::from(digits));
            let bits = u128::BITS - five.leading_zeros();
            let modulus = 1_u128 << bits;
            let inverse = (0..7)
                .fold(1, |it: u128, _| it * (2 * modulus + 2 - five * it % modulus) % modulus);
            assert_eq!(five * inverse % modulus, 1 % modulus);
            for off in
                (1..40_u128).step_by(2).flat_map(|off| [off % modulus, modulus - off % modulus])
            {
                // An odd number of halves of the last place, times the divisor, is so far off a dividend.
                let rest = off * inverse % modulus;
                for round in 0..50 {
                    let begin = (1_u128 << 53) + round * modulus;
                    let middle = begin - begin % modulus + rest;
                    let value = (middle * five).abs_diff(off) >> bits;
                    if value < 1 << 53 {
                        let value = value as f64;
                        assert_eq!(fused(value, unit).to_bits(), divided(value, unit).to_bits());
                    }
                }
            }
        }
    }

    #[test]
    fn short_integers_are_doubles() {
        for value in [0, 1, -1, (1 << 51) - 1, -(1 << 51), 123_456_789] {
            assert!(are_short(&[value]));
            assert_eq!(short(value).to_bits(), (value as f64).to_bits(), "{value}");
        }
        assert!(!are_short(&[1 << 51]) && !are_short(&[-(1 << 51) - 1, 0]));
    }
}
