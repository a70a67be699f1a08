//! What happens at the best prices while they stand: sizes taken away, added and traded, and how
//! long a best price lives.

use qt_model::time::Ts;
use qt_model::units::{Px, Qty, Scale};

use super::columns::{Columns, bits};
use crate::features::base::Base;
use crate::features::value::SKIP;

/// The best prices as they stand, the bid first.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Touches([Option<Touch>; 2]);

/// One best price, from when it became the best.
#[derive(Clone, Copy, Debug)]
struct Touch {
    px: Px,
    qty: Qty,
    since: Ts,
    /// What was shown at first and what was added since.
    offered: f64,
    /// What was traded at it since.
    taken: f64,
    /// What was traded at it since the last event of the book.
    fresh: i64,
}

/// What an event of the book changed, in units of size; bids first.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Change {
    removed: [i64; 2],
    added: [i64; 2],
    /// How much of what was removed was traded.
    traded: i64,
    /// How long best prices that ended had stood, in milliseconds: their sum and number.
    lived: (f64, u32),
}

impl Touches {
    pub(super) const WANTED: u64 = bits(&[
        Base::BidRemoved,
        Base::AskRemoved,
        Base::BidAdded,
        Base::AskAdded,
        Base::BestTraded,
        Base::BestLifetime,
        Base::Absorption,
    ]);

    /// Takes the best prices and sizes of an event.
    pub(super) fn book(&mut self, best: [(Px, Qty); 2], ts: Ts) -> Change {
        let mut change = Change::default();
        for (side, (px, qty)) in best.into_iter().enumerate() {
            let begun =
                Touch { px, qty, since: ts, offered: qty.mantissa() as f64, taken: 0.0, fresh: 0 };
            let touch = self.0[side].get_or_insert(begun);
            if touch.px != px {
                let lived = ts.since(touch.since).max(0) as f64 / 1e6;
                change.lived = (change.lived.0 + lived, change.lived.1 + 1);
                *touch = begun;
                continue;
            }
            let moved = qty.mantissa() - touch.qty.mantissa();
            change.removed[side] = (-moved).max(0);
            change.added[side] = moved.max(0);
            change.traded += touch.fresh.min((-moved).max(0));
            touch.offered += moved.max(0) as f64;
            (touch.qty, touch.fresh) = (qty, 0);
        }
        change
    }

    /// Takes a print. At a best price: what was traded at it over what it ever offered.
    pub(super) fn trade(&mut self, px: Px, qty: Qty) -> Option<f64> {
        let touch = self.0.iter_mut().flatten().find(|touch| touch.px == px)?;
        touch.taken += qty.mantissa() as f64;
        touch.fresh = touch.fresh.saturating_add(qty.mantissa());
        (touch.offered > 0.0).then(|| touch.taken / touch.offered)
    }
}

impl Change {
    pub(super) fn fill(&self, scale: Scale, columns: &mut Columns) {
        let unit = scale.unit() as f64;
        for (base, units) in [
            (Base::BidRemoved, self.removed[0]),
            (Base::AskRemoved, self.removed[1]),
            (Base::BidAdded, self.added[0]),
            (Base::AskAdded, self.added[1]),
            (Base::BestTraded, self.traded),
        ] {
            columns.put(base, units as f64 / unit);
        }
        let (sum, count) = self.lived;
        // An event that ends no best price says nothing of lifetimes.
        columns.put(Base::BestLifetime, if count == 0 { SKIP } else { sum / f64::from(count) });
    }
}
