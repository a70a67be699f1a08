//! What lies behind the best prices: sums of levels, and how fast they grow.

use qt_model::units::{Px, Qty, Scale};

use super::columns::{Columns, bits};
use crate::book::{PriceBook, Resting};
use crate::features::base::Base;
use crate::features::value::NONE;

/// Both sides, bids first.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deep([Side; 2]);

#[derive(Clone, Copy, Debug)]
struct Side {
    /// The sizes of the best five levels, and of the best ten.
    five: Qty,
    ten: Qty,
    /// How many ticks the tenth level lies behind the best, where there are ten.
    ticks: Option<f64>,
}

impl Deep {
    pub(super) const WANTED: u64 = bits(&[
        Base::BidDepth,
        Base::AskDepth,
        Base::BidDepth10,
        Base::AskDepth10,
        Base::BidSlope,
        Base::AskSlope,
    ]);

    /// Where only the best level is known, it is all the depth there is.
    pub(super) fn of_best(bid: Qty, ask: Qty) -> Self {
        Self([bid, ask].map(|qty| Side { five: qty, ten: qty, ticks: None }))
    }

    pub(super) fn of_book(book: &PriceBook, tick: f64) -> Self {
        Self([Side::of(book.bids(), tick), Side::of(book.asks(), tick)])
    }

    pub(super) fn fill(&self, scale: Scale, columns: &mut Columns) {
        let [bid, ask] = &self.0;
        for (base, qty) in [
            (Base::BidDepth, bid.five),
            (Base::AskDepth, ask.five),
            (Base::BidDepth10, bid.ten),
            (Base::AskDepth10, ask.ten),
        ] {
            columns.put(base, qty.to_f64(scale));
        }
        for (base, side) in [(Base::BidSlope, bid), (Base::AskSlope, ask)] {
            let slope = side.ticks.map(|ticks| side.ten.to_f64(scale) / ticks);
            columns.put(base, slope.unwrap_or(NONE));
        }
    }
}

impl Side {
    fn of(levels: impl Iterator<Item = Resting>, tick: f64) -> Self {
        let mut side = Self { five: Qty::ZERO, ten: Qty::ZERO, ticks: None };
        let mut best = Px::default();
        for (at, level) in levels.take(10).enumerate() {
            if at == 0 {
                best = level.px;
            }
            // Beyond 63 bits there is no size to add: what is there stands for all.
            side.ten = side.ten.checked_add(level.qty).unwrap_or(side.ten);
            if at < 5 {
                side.five = side.ten;
            }
            if at == 9 {
                let distance = i128::from(level.px.mantissa()) - i128::from(best.mantissa());
                side.ticks = Some(distance.unsigned_abs() as f64 / tick);
            }
        }
        side
    }
}
