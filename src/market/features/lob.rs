//! The integer features of the order book: `lob16`, `lob22`, `lob27`.
//!
//! Prices and sizes are the mantissas of the instrument, doubled where a half could appear; ppm are
//! millionths. State that smooths is double and only what comes out is rounded, to nearest and ties
//! to even. The meaning of an index never changes.

mod dynamics;

use qt_model::units::{Px, Qty, Scale};

use super::value::double;
use dynamics::{Autocovariance, DeepMomentum, ImpactSurprise, Toxicity};

/// Names and the valid event from which on the value may be used.
pub const LOB27: [(&str, u64); 27] = [
    ("best_bid", 1),
    ("best_ask", 1),
    ("mid_price_x2", 1),
    ("spread_scaled", 1),
    ("bid_depth", 1),
    ("ask_depth", 1),
    ("depth_imbalance_ppm", 1),
    ("microprice_x2", 1),
    ("l1_bid_qty", 1),
    ("l1_ask_qty", 1),
    ("l1_imbalance_ppm", 1),
    ("ofi_l1_raw", 2),
    ("ofi_l1_cum", 2),
    ("ofi_l1_ema8", 2),
    ("spread_ema8_scaled", 2),
    ("depth_imbalance_ema8_ppm", 2),
    ("ofi_depth_norm_ppm", 8),
    ("ret_autocov_5s_x1e6", 42),
    ("tob_survival_ms", 2),
    ("impact_surprise_x1000", 400),
    ("deep_depth_momentum_x1000", 128),
    ("toxicity_ema50_x1000", 50),
    ("ofi_l1_ema5s", 40),
    ("ofi_l1_ema30s", 240),
    ("imbalance_ema5s_ppm", 40),
    ("spread_ema30s", 240),
    ("spread_ema300s", 2400),
];

/// Which of the integer features there are, and how many events make up five, thirty and three
/// hundred seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LobSet {
    count: usize,
    spans: [u64; 3],
}

impl LobSet {
    /// The milliseconds from one event to the next that windows named by seconds reckon with.
    pub const CADENCE_MS: u32 = 125;

    /// Of the first so many features; of a cadence at which five seconds hold an event.
    pub(super) fn new(count: usize, cadence_ms: u32) -> Option<Self> {
        let events = |seconds: f64| nearest(seconds * 1e3 / f64::from(cadence_ms)) as u64;
        let is_good = (1..=5_000).contains(&cadence_ms);
        is_good.then(|| Self { count, spans: [5.0, 30.0, 300.0].map(events) })
    }

    pub(super) fn len(&self) -> usize {
        self.count
    }

    /// The event from which on a feature may be used.
    pub(super) fn warm_at(&self, feature: usize) -> u64 {
        let [five, thirty, hundreds] = self.spans;
        match feature {
            22 | 24 => five,
            23 | 25 => thirty,
            26 => hundreds,
            _ => LOB27[feature].1,
        }
    }

    /// One bit a feature that may be used from this event on; those driven by trades aside.
    fn warm(&self, events: u64) -> u64 {
        let by_events = (0..LOB27.len()).filter(|at| *at != TOXICITY);
        by_events.map(|at| u64::from(events >= self.warm_at(at)) << at).sum()
    }

    /// The event from which on nothing more warms up.
    fn last_warm(&self) -> u64 {
        (0..LOB27.len()).map(|at| self.warm_at(at)).max().unwrap_or_default()
    }

    /// How much the newest value weighs in averages over those spans.
    fn alphas(&self) -> [f64; 3] {
        self.spans.map(|events| 2.0 / (events as f64 + 1.0))
    }
}

/// How many levels of each side count as captured.
pub(super) const LEVELS: usize = 5;

/// Features driven by trades warm up with trades.
const TOXICITY: usize = 21;

/// Both sides of a book, best first; missing levels are zero.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sides {
    pub(super) bid_px: i64,
    pub(super) ask_px: i64,
    pub(super) bids: [i64; LEVELS],
    pub(super) asks: [i64; LEVELS],
    pub(super) bid_levels: usize,
    pub(super) ask_levels: usize,
}

impl Sides {
    /// `None` where a side is absent or the book is crossed; a locked book counts.
    pub(super) fn of(
        bids: impl Iterator<Item = (Px, Qty)>,
        asks: impl Iterator<Item = (Px, Qty)>,
    ) -> Option<Self> {
        let mut sides = Self::default();
        for (at, (px, qty)) in bids.take(LEVELS).enumerate() {
            if at == 0 {
                sides.bid_px = px.mantissa();
            }
            sides.bids[at] = qty.mantissa();
            sides.bid_levels = at + 1;
        }
        for (at, (px, qty)) in asks.take(LEVELS).enumerate() {
            if at == 0 {
                sides.ask_px = px.mantissa();
            }
            sides.asks[at] = qty.mantissa();
            sides.ask_levels = at + 1;
        }
        let is_sound = sides.bid_levels > 0 && sides.ask_levels > 0 && sides.bid_px <= sides.ask_px;
        is_sound.then_some(sides)
    }
}

/// The state of one symbol.
#[derive(Clone, Debug)]
pub(super) struct Lob {
    set: LobSet,
    last_warm: u64,
    /// Over five, thirty and three hundred seconds.
    alphas: [f64; 3],
    /// What turns a doubled price into ten-thousandths of a unit of currency.
    to_tenthousandths: f64,
    events: u64,
    /// One bit a feature that warms up with events.
    warm: u64,
    values: [i64; 27],
    last: Sides,
    changed_at: i64,
    flow_cum: i64,
    /// EMAs of the flow over 8 events, 5 and 30 seconds.
    flow: [f64; 3],
    /// EMAs of the spread over 8 events, 30 and 300 seconds.
    spread: [f64; 3],
    /// EMAs of the imbalance of the best level over 8 events and 5 seconds.
    imbalance: [f64; 2],
    autocovariance: Autocovariance,
    surprise: ImpactSurprise,
    deep: DeepMomentum,
    toxicity: Toxicity,
}

/// How much the newest value weighs in averages over eight events.
const EIGHT: f64 = 2.0 / 9.0;

fn smooth<const N: usize>(state: &mut [f64; N], alphas: [f64; N], value: f64) {
    for (state, alpha) in state.iter_mut().zip(alphas) {
        *state += alpha * (value - *state);
    }
}

/// To the nearest whole number, ties to even. Adding and taking off a number so large that no
/// fraction fits beside it rounds in one step, where a processor may have no instruction for it.
#[inline]
fn nearest(value: f64) -> f64 {
    const LARGE: f64 = 6_755_399_441_055_744.0;
    if value.abs() < 2_251_799_813_685_248.0 {
        (value + LARGE) - LARGE
    } else {
        value.round_ties_even()
    }
}

/// A double as an integer; `None` where it is not finite.
fn whole(value: f64) -> Option<i64> {
    // A cast saturates at the ends of the range.
    value.is_finite().then(|| nearest(value) as i64)
}

/// Millionths of the difference over the sum; zero where there is nothing.
fn balance_ppm(left: i64, right: i64) -> i64 {
    let sum = left as f64 + right as f64;
    if sum == 0.0 { 0 } else { nearest(1e6 * (left as f64 - right as f64) / sum) as i64 }
}

impl Lob {
    pub(super) fn new(set: LobSet, px: Scale) -> Self {
        Self {
            set,
            last_warm: set.last_warm(),
            alphas: set.alphas(),
            to_tenthousandths: 10_000.0 / px.unit() as f64,
            events: 0,
            warm: 0,
            values: [0; 27],
            last: Sides::default(),
            changed_at: 0,
            flow_cum: 0,
            flow: [0.0; 3],
            spread: [0.0; 3],
            imbalance: [0.0; 2],
            autocovariance: Autocovariance::default(),
            surprise: ImpactSurprise::default(),
            deep: DeepMomentum::default(),
            toxicity: Toxicity::default(),
        }
    }

    pub(super) fn values(&self) -> &[i64; 27] {
        &self.values
    }

    /// One bit a feature, set once it may be used.
    pub(super) fn warm(&self) -> u64 {
        let is_toxicity = u64::from(self.toxicity.trades() >= LOB27[TOXICITY].1);
        self.warm | is_toxicity << TOXICITY
    }

    /// Takes a sound book at an event time in nanoseconds. `false`: a value was not finite, and
    /// everything began anew.
    pub(super) fn book(&mut self, book: &Sides, ts: i64) -> bool {
        let is_first = self.events == 0;
        self.events += 1;
        if self.events <= self.last_warm {
            self.warm = self.set.warm(self.events);
        }
        let last = std::mem::replace(&mut self.last, *book);
        let sum =
            |levels: &[i64; LEVELS]| levels.iter().fold(0, |sum: i64, it| sum.saturating_add(*it));
        let (bid_depth, ask_depth) = (sum(&book.bids), sum(&book.asks));
        let (bq, aq) = (book.bids[0], book.asks[0]);
        let mid_x2 = book.bid_px.saturating_add(book.ask_px);
        let spread = book.ask_px.saturating_sub(book.bid_px);
        let l1 = balance_ppm(bq, aq);
        let has_moved = is_first || (book.bid_px, book.ask_px) != (last.bid_px, last.ask_px);
        if has_moved {
            self.changed_at = ts;
        }
        let flow = if is_first { 0 } else { order_flow(&last, book) };
        self.flow_cum = self.flow_cum.saturating_add(flow);
        if is_first {
            self.spread = [spread as f64; 3];
            self.imbalance = [l1 as f64; 2];
        } else {
            let [five, thirty, hundreds] = self.alphas;
            smooth(&mut self.flow, [EIGHT, five, thirty], flow as f64);
            smooth(&mut self.spread, [EIGHT, thirty, hundreds], spread as f64);
            smooth(&mut self.imbalance, [EIGHT, five], l1 as f64);
        }
        let before = last.bid_px.saturating_add(last.ask_px);
        let step = if is_first { 0.0 } else { mid_x2.saturating_sub(before) as f64 };
        let r = step * self.to_tenthousandths;
        let shown = (bid_depth as f64 + ask_depth as f64).max(1.0);
        let average = double((i128::from(bq) + i128::from(aq)).div_euclid(2));
        let norm = if average == 0.0 { 0.0 } else { 1e6 * self.flow[0] / average };
        let derived = [
            microprice_x2(book, mid_x2),
            self.flow[0],
            self.spread[0],
            self.imbalance[0],
            norm,
            self.autocovariance.next(r),
            self.surprise.next(flow as f64, r, shown),
            self.deep.next(&last, book, has_moved),
            self.flow[1],
            self.flow[2],
            self.imbalance[1],
            self.spread[1],
            self.spread[2],
        ];
        let mut rounded = [0; 13];
        for (rounded, value) in rounded.iter_mut().zip(derived) {
            let Some(value) = whole(value) else { return self.begin_anew() };
            *rounded = value;
        }
        let [
            micro,
            flow8,
            spread8,
            l1_8,
            norm,
            autocov,
            surprise,
            deep,
            flow_5s,
            flow_30s,
            l1_5s,
            spread_30s,
            spread_300s,
        ] = rounded;
        self.values = [
            book.bid_px,
            book.ask_px,
            mid_x2,
            spread,
            bid_depth,
            ask_depth,
            balance_ppm(bid_depth, ask_depth),
            micro,
            bq,
            aq,
            l1,
            flow,
            self.flow_cum,
            flow8,
            spread8,
            l1_8,
            norm,
            autocov,
            ts.saturating_sub(self.changed_at).max(0) / 1_000_000,
            surprise,
            deep,
            self.toxicity.value(),
            flow_5s,
            flow_30s,
            l1_5s,
            spread_30s,
            spread_300s,
        ];
        true
    }

    fn begin_anew(&mut self) -> bool {
        let fresh = Self::new(self.set, Scale::ZERO);
        *self = Self { to_tenthousandths: self.to_tenthousandths, ..fresh };
        false
    }

    /// Takes a classified trade; it shows in the next row.
    pub(super) fn trade(&mut self, direction: i8, confidence: u16, qty: i64) {
        self.toxicity.trade(direction, confidence, qty as f64);
        self.values[TOXICITY] = self.toxicity.value();
    }
}

fn order_flow(last: &Sides, now: &Sides) -> i64 {
    let (q, was) = (now.bids[0], last.bids[0]);
    let bid = match now.bid_px.cmp(&last.bid_px) {
        std::cmp::Ordering::Greater => q,
        std::cmp::Ordering::Equal => q.saturating_sub(was),
        std::cmp::Ordering::Less => was.saturating_neg(),
    };
    let (q, was) = (now.asks[0], last.asks[0]);
    let ask = match now.ask_px.cmp(&last.ask_px) {
        std::cmp::Ordering::Greater => was.saturating_neg(),
        std::cmp::Ordering::Equal => q.saturating_sub(was),
        std::cmp::Ordering::Less => q,
    };
    bid.saturating_sub(ask)
}

fn microprice_x2(book: &Sides, mid_x2: i64) -> f64 {
    let (bq, aq) = (i128::from(book.bids[0]), i128::from(book.asks[0]));
    if bq + aq == 0 {
        return mid_x2 as f64;
    }
    let weighed = i128::from(book.ask_px) * bq + i128::from(book.bid_px) * aq;
    2.0 * double(weighed) / double(bq + aq)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn rounding_is_that_of_the_standard(value in proptest::num::f64::NORMAL, half in -1_000_000_i32..1_000_000) {
            for value in [value, f64::from(half) / 2.0, f64::from(half) / 16.0] {
                let expected = value.round_ties_even();
                prop_assert_eq!((nearest(value) - expected).abs().to_bits(), 0, "{}", value);
            }
        }
    }
}
