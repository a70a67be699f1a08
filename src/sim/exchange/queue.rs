//! The place of a resting order among the others at its price.
//!
//! Invariant: what is ahead is never below zero for whoever asks. It is an estimate, and so has a
//! fraction of 32 bits below one unit of size; it is an integer all the same, so that every
//! machine finds the same fills. Absent on purpose: our own orders, which the level keeps in order.

use qt_model::units::{Qty, Scale};

use super::fills::{QueueModel, Share};

const FRACTION_BITS: u32 = 32;
const ONE: f64 = (1_u64 << FRACTION_BITS) as f64;

/// Where an order stands. See the module.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// Below zero for a moment: what a trade took beyond those ahead.
    ahead: i128,
    /// What trades printed at the price since its size was last shown.
    printed: i64,
    /// Whether the size at the price was ever shown.
    is_known: bool,
    by_trades: i128,
    by_cancels: i128,
    /// Where orders are known one by one: those with a lower stamp were here before.
    stamp: u64,
}

#[inline]
fn fixed(units: i64) -> i128 {
    i128::from(units) << FRACTION_BITS
}

fn whole(fixed: i128) -> Qty {
    let up = (fixed.max(0) + ((1 << FRACTION_BITS) - 1)) >> FRACTION_BITS;
    Qty::new(i64::try_from(up).unwrap_or(i64::MAX)).expect("a maximum with zero")
}

impl Place {
    /// Joins the queue of a price at which so much is shown; `None`: too deep to be seen.
    pub(super) fn join(model: QueueModel, shown: Option<Qty>) -> Self {
        let is_first = model == QueueModel::Front;
        let ahead = if is_first { Some(Qty::ZERO) } else { shown };
        Self {
            ahead: fixed(ahead.unwrap_or(Qty::ZERO).mantissa()),
            is_known: ahead.is_some(),
            ..Self::default()
        }
    }

    #[must_use]
    pub(super) fn stamped(self, stamp: u64) -> Self {
        Self { stamp, ..self }
    }

    /// Whether an order with that stamp stands ahead.
    pub(super) fn is_behind(&self, stamp: u64) -> bool {
        stamp < self.stamp
    }

    /// The size ahead, rounded up; `None` while the price is too deep to be seen.
    pub fn ahead(&self) -> Option<Qty> {
        self.is_known.then(|| whole(self.ahead))
    }

    /// How much trades brought us forward.
    pub fn by_trades(&self) -> Qty {
        whole(self.by_trades)
    }

    /// How much cancels brought us forward, as the model has it.
    pub fn by_cancels(&self) -> Qty {
        whole(self.by_cancels)
    }

    /// A trade printed at the price; so much of it was not taken by orders of ours before us.
    #[inline]
    pub(super) fn trade(&mut self, printed: i64, reaching: i64) {
        self.by_trades += fixed(reaching).min(self.ahead.max(0));
        self.ahead -= fixed(reaching);
        self.printed += printed;
    }

    /// What a trade took beyond those ahead, in whole lots, to the nearest. Asking uses it up.
    #[inline]
    pub(super) fn excess(&mut self, lot: i64) -> i64 {
        let lots = (-self.ahead + fixed(lot) / 2).div_euclid(fixed(lot));
        if lots <= 0 || !self.is_known {
            return 0;
        }
        self.ahead = 0;
        i64::try_from(lots).map_or(i64::MAX, |lots| lots.saturating_mul(lot))
    }

    /// An order of another, which stood ahead, lost so much.
    pub(super) fn lose(&mut self, units: i64, by_trade: bool) {
        let lost = fixed(units).min(self.ahead.max(0));
        self.ahead -= lost;
        *(if by_trade { &mut self.by_trades } else { &mut self.by_cancels }) += lost;
    }

    /// The size shown at the price changed.
    #[inline]
    pub(super) fn shown(&mut self, model: QueueModel, before: i64, after: i64, scale: Scale) {
        if !self.is_known {
            self.is_known = true;
            self.ahead = fixed(after);
            return;
        }
        let was = self.ahead;
        match model {
            QueueModel::Front => {}
            QueueModel::RiskAverse | QueueModel::Exact => self.ahead = was.min(fixed(after)),
            QueueModel::Probabilistic(share) => self.estimate(share, before, after, scale),
        }
        self.printed = 0;
        self.by_cancels += (was - self.ahead).max(0);
    }

    fn estimate(&mut self, share: Share, before: i64, after: i64, scale: Scale) {
        // What traded is in the new size already and has moved us; the rest was cancelled.
        let cancelled = before - after - self.printed;
        if cancelled < 0 || before <= 0 {
            self.ahead = self.ahead.min(fixed(after));
            return;
        }
        let back = fixed(before) - self.ahead;
        let behind = self.cancelled_behind(share, back, cancelled, scale);
        let ahead = self.ahead - fixed(cancelled) + behind + (back - behind).min(0);
        self.ahead = ahead.min(fixed(after));
    }

    /// How much of a cancelled size stood behind.
    fn cancelled_behind(&self, share: Share, back: i128, cancelled: i64, scale: Scale) -> i128 {
        let unit = ONE * scale.unit() as f64;
        let (front, back) = (self.ahead.max(0) as f64 / unit, back as f64 / unit);
        let part = share.behind(front, back);
        let part = if part.is_finite() { part } else { 1.0 };
        i128::from(libm::round(part * ONE) as i64) * i128::from(cancelled)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CUBE: QueueModel = QueueModel::Probabilistic(Share::Power3(3.0));

    fn joined(model: QueueModel, shown: i64) -> Place {
        Place::join(model, Some(Qty::new(shown).unwrap()))
    }

    fn ahead(place: &Place) -> f64 {
        place.ahead as f64 / ONE
    }

    #[test]
    fn cancels_ahead_are_estimated_and_trades_are_known() {
        let mut place = joined(CUBE, 100);
        // Five came behind us, so 105 stand there: ahead of us 100.
        place.shown(CUBE, 100, 105, Scale::ZERO);
        assert!((ahead(&place) - 100.0).abs() < 1e-9);
        // Ten cancelled: 1 − (100/105)³ of them behind, which is more than the five there are.
        place.shown(CUBE, 105, 95, Scale::ZERO);
        let behind = 10.0 * (1.0 - (100.0_f64 / 105.0).powi(3));
        let expected = 100.0 - (10.0 - behind) + (5.0 - behind).min(0.0);
        assert!((ahead(&place) - expected).abs() < 1e-6, "{} {expected}", ahead(&place));
        // Twenty traded, and the book says so: no cancel at all.
        place.trade(20, 20);
        place.shown(CUBE, 95, 75, Scale::ZERO);
        assert!((ahead(&place) - (expected - 20.0)).abs() < 1e-6);
        assert_eq!((place.by_trades().mantissa(), place.by_cancels().mantissa()), (20, 9));
    }

    #[test]
    fn only_trades_move_the_risk_averse() {
        let mut place = joined(QueueModel::RiskAverse, 100);
        place.shown(QueueModel::RiskAverse, 100, 180, Scale::ZERO);
        place.shown(QueueModel::RiskAverse, 180, 120, Scale::ZERO);
        assert_eq!(place.ahead(), Qty::new(100).ok());
        place.shown(QueueModel::RiskAverse, 120, 60, Scale::ZERO);
        assert_eq!(place.ahead(), Qty::new(60).ok());
        place.trade(70, 70);
        assert_eq!(place.ahead(), Some(Qty::ZERO));
        assert_eq!(place.excess(1), 10);
        assert_eq!(place.excess(1), 0);
    }

    #[test]
    fn excess_is_rounded_to_lots() {
        for (taken, lot, expected) in [(104, 10, 0), (105, 10, 10), (114, 10, 10), (100, 1, 0)] {
            let mut place = joined(QueueModel::RiskAverse, 100);
            place.trade(taken, taken);
            assert_eq!(place.excess(lot), expected, "{taken} at lots of {lot}");
        }
    }

    #[test]
    fn a_price_too_deep_to_be_seen_has_no_place_until_it_is() {
        let mut place = Place::join(CUBE, None);
        place.trade(50, 50);
        assert_eq!((place.ahead(), place.excess(1)), (None, 0));
        place.shown(CUBE, 0, 30, Scale::ZERO);
        assert_eq!(place.ahead(), Qty::new(30).ok());
        assert_eq!(Place::join(QueueModel::Front, None).ahead(), Some(Qty::ZERO));
    }

    /// The same estimate in doubles, which drift and are easy to read.
    #[derive(Default)]
    struct Doubles {
        front: f64,
        printed: f64,
    }

    impl Doubles {
        fn trade(&mut self, qty: f64) {
            self.front -= qty;
            self.printed += qty;
        }

        fn shown(&mut self, share: Share, before: f64, after: f64, unit: f64) {
            let cancelled = before - after - std::mem::take(&mut self.printed);
            if cancelled < 0.0 || before <= 0.0 {
                self.front = self.front.min(after);
                return;
            }
            let back = before - self.front;
            let part = share.behind(self.front.max(0.0) / unit, back / unit);
            let part = if part.is_finite() { part } else { 1.0 };
            let kept = self.front - (1.0 - part) * cancelled + (back - part * cancelled).min(0.0);
            self.front = kept.min(after);
        }
    }

    fn shares() -> impl Strategy<Value = Share> {
        prop_oneof![
            (1_u8..5).prop_map(|n| Share::Power(n.into())),
            (1_u8..5).prop_map(|n| Share::Power2(n.into())),
            (1_u8..5).prop_map(|n| Share::Power3(f64::from(n) + 0.5)),
            Just(Share::Log),
            Just(Share::Log2),
            Just(Share::Sqrt),
        ]
    }

    proptest! {
        /// A price at which a size is shown, trades print and orders come and go.
        #[test]
        fn the_estimate_is_that_of_doubles_without_their_drift(
            share in shares(),
            joined_at in 0_i64..5_000,
            steps in prop::collection::vec((any::<bool>(), 0_i64..5_000), 1..60),
            digits in 0_u8..5,
        ) {
            let scale = Scale::new(digits).unwrap();
            let model = QueueModel::Probabilistic(share);
            let mut place = joined(model, joined_at);
            let mut doubles = Doubles { front: joined_at as f64, printed: 0.0 };
            let mut shown = joined_at;
            for (is_trade, size) in steps {
                if is_trade {
                    place.trade(size, size);
                    doubles.trade(size as f64);
                } else {
                    place.shown(model, shown, size, scale);
                    doubles.shown(share, shown as f64, size as f64, scale.unit() as f64);
                    shown = size;
                }
                let far = (ahead(&place) - doubles.front).abs();
                prop_assert!(far < 1e-2, "{} against {}", ahead(&place), doubles.front);
                // Beyond half a lot we are filled, and nobody is ahead.
                if place.excess(1) > 0 {
                    doubles.front = 0.0;
                }
                prop_assert!(place.ahead().is_some_and(|ahead| ahead <= whole(fixed(shown.max(joined_at)))));
            }
        }
    }
}
