//! The books of several venues for one thing, seen as one.
//!
//! Venues count in units of their own, so prices and sizes are compared at the finest of their
//! scales, exactly and in 128 bits. Nothing is stored twice: what is asked for is merged from the
//! books. Invariant: levels of one price are one level here, with the sizes of all venues. A bid of
//! one venue above an ask of another is shown as it is. Absent on purpose: fees and latencies, and
//! with them any word on which venue is the best to trade at.

use qt_model::instrument::Instrument;
use qt_model::units::Scale;
use qt_model::words::Side;

use super::{PriceBook, Resting};

/// Books of one thing at several venues. See the module.
#[derive(Clone, Debug)]
pub struct Consolidated {
    venues: Vec<Venue>,
    px_scale: Scale,
    qty_scale: Scale,
}

#[derive(Clone, Debug)]
struct Venue {
    book: PriceBook,
    /// What its units are worth in the common ones.
    px_unit: i128,
    qty_unit: i128,
}

/// What rests at one price at all venues, in units of the common scales.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Together {
    pub px: i128,
    pub qty: i128,
    /// How many venues have something at it.
    pub venues: u32,
}

impl Consolidated {
    /// One book for each instrument, in their order.
    pub fn new<'a>(instruments: impl IntoIterator<Item = &'a Instrument> + Clone) -> Self {
        let scale = |of: fn(&Instrument) -> Scale| {
            instruments.clone().into_iter().map(of).max().unwrap_or_default()
        };
        let (px_scale, qty_scale) = (scale(|it| it.px_scale), scale(|it| it.qty_scale));
        let worth = |fine: Scale, own: Scale| i128::from(fine.unit() / own.unit());
        let venue = |instrument: &Instrument| Venue {
            book: PriceBook::default(),
            px_unit: worth(px_scale, instrument.px_scale),
            qty_unit: worth(qty_scale, instrument.qty_scale),
        };
        let venues = instruments.clone().into_iter().map(venue).collect();
        Self { venues, px_scale, qty_scale }
    }

    /// The finest scales of prices and sizes among the venues.
    pub fn scales(&self) -> (Scale, Scale) {
        (self.px_scale, self.qty_scale)
    }

    pub fn venue(&self, venue: usize) -> &PriceBook {
        &self.venues[venue].book
    }

    /// The book of a venue, to apply its records to.
    pub fn venue_mut(&mut self, venue: usize) -> &mut PriceBook {
        &mut self.venues[venue].book
    }

    pub fn best_bid(&self) -> Option<Together> {
        self.bids().next()
    }

    pub fn best_ask(&self) -> Option<Together> {
        self.asks().next()
    }

    /// From the highest price down.
    pub fn bids(&self) -> impl Iterator<Item = Together> {
        let sides = self.venues.iter().map(|venue| Lane::new(venue, venue.book.bids()));
        Merged { lanes: sides.collect(), side: Side::Buy }
    }

    /// From the lowest price up.
    pub fn asks(&self) -> impl Iterator<Item = Together> {
        let sides = self.venues.iter().map(|venue| Lane::new(venue, venue.book.asks()));
        Merged { lanes: sides.collect(), side: Side::Sell }
    }

    /// Whether somebody bids more than somebody asks, be it elsewhere.
    pub fn is_crossed(&self) -> bool {
        self.best_bid().zip(self.best_ask()).is_some_and(|(bid, ask)| bid.px > ask.px)
    }
}

/// A side of one venue, and its next level in the common units.
struct Lane<I> {
    next: Option<(i128, i128)>,
    rest: I,
    units: (i128, i128),
}

impl<I: Iterator<Item = Resting>> Lane<I> {
    fn new(venue: &Venue, rest: I) -> Self {
        let mut lane = Self { next: None, rest, units: (venue.px_unit, venue.qty_unit) };
        lane.step();
        lane
    }

    fn step(&mut self) {
        let (px, qty) = self.units;
        // 63 bits times at most ten to the eighteenth stay far within 128.
        let worth =
            |it: Resting| (i128::from(it.px.mantissa()) * px, i128::from(it.qty.mantissa()) * qty);
        self.next = self.rest.next().map(worth);
    }
}

struct Merged<I> {
    lanes: Vec<Lane<I>>,
    side: Side,
}

impl<I: Iterator<Item = Resting>> Iterator for Merged<I> {
    type Item = Together;

    fn next(&mut self) -> Option<Together> {
        let prices = self.lanes.iter().filter_map(|lane| lane.next.map(|(px, _)| px));
        let px = match self.side {
            Side::Buy => prices.max(),
            Side::Sell => prices.min(),
        }?;
        let mut level = Together { px, qty: 0, venues: 0 };
        for lane in &mut self.lanes {
            if let Some((_, qty)) = lane.next.filter(|(own, _)| *own == px) {
                level.qty += qty;
                level.venues += 1;
                lane.step();
            }
        }
        Some(level)
    }
}
