//! The faults asked for, done to a feed on its way out.
//!
//! Invariant: trouble has dice of its own and never changes what happens at the venue (but for
//! `stale`, which stops it for a while), only what arrives; and whatever arrives, `ts_recv` and the
//! sequence of each kind still run forward: a duplicate or late record gets the next number.

use qt_model::instrument::Symbol;
use qt_model::words::Side;

use super::config::Config;
use super::fault::{Fault, Faults};
use super::feed::Feed;
use super::group::{Group, Hole, Units};
use super::tables::Tables;
use crate::dice::{Dice, hash, mix};

const GAP_ONE_IN: u32 = 4_000;
const LOST_MAX: u32 = 40;
const DUPLICATE_ONE_IN: u32 = 800;
const REORDER_ONE_IN: u32 = 800;
const CROSSED_ONE_IN: u32 = 5_000;
const STALE_ONE_IN: u32 = 15_000;
const SECOND_NANOS: i64 = 1_000_000_000;
/// The venue's clock is set anew this often, and drifts in between.
const CLOCK_STEP_NANOS: i64 = 600 * SECOND_NANOS;
const CLOCK_DRIFT_PPM: i64 = 80;

#[derive(Clone, Debug)]
pub(super) struct Trouble {
    faults: Faults,
    dice: Dice,
    /// A group that goes out after the one it was overtaken by.
    held: Group,
    is_holding: bool,
    crossed: Option<Crossed>,
    start_ns: i64,
    venue_seed: u64,
}

/// A bid that should not be there.
#[derive(Clone, Copy, Debug)]
struct Crossed {
    ticks: i64,
    lots: i64,
    groups_left: u32,
}

impl Trouble {
    /// None where no fault is asked for.
    pub(super) fn new(
        config: &Config,
        symbol: &Symbol,
        units: Units,
        depth_levels: usize,
    ) -> Option<Self> {
        (!config.faults.is_empty()).then(|| Self {
            faults: config.faults,
            dice: Dice::named(mix(config.seed), symbol.as_str()),
            held: Group::new(units, depth_levels),
            is_holding: false,
            crossed: None,
            start_ns: config.start.nanos(),
            // Instruments of one venue share its clock.
            venue_seed: mix(config.seed ^ hash(symbol.venue())),
        })
    }

    /// Puts the next group to send into the feed.
    pub(super) fn advance(&mut self, feed: &mut Feed, tables: &Tables) {
        if self.is_holding {
            self.is_holding = false;
            std::mem::swap(&mut feed.group, &mut self.held);
            return;
        }
        let heard_ns = feed.last_recv_ns;
        feed.generate(tables);
        if self.strikes(Fault::Gaps, GAP_ONE_IN) {
            self.lose(feed, tables, heard_ns);
        }
        if self.faults.contains(Fault::Crossed) {
            self.cross(feed);
        }
        if self.strikes(Fault::Duplicates, DUPLICATE_ONE_IN) {
            self.duplicate(&mut feed.group);
        }
        self.skew(&mut feed.group);
        if self.strikes(Fault::Stale, STALE_ONE_IN) {
            feed.pause(10 * SECOND_NANOS + i64::from(self.dice.below(60_000)) * 1_000_000);
        }
        if self.strikes(Fault::Reorder, REORDER_ONE_IN) && !feed.group.is_snapshot {
            self.overtake(feed, tables);
        }
    }

    fn strikes(&mut self, fault: Fault, one_in: u32) -> bool {
        self.faults.contains(fault) && self.dice.one_in(one_in)
    }

    /// Loses this group and some that follow, never a snapshot that is due.
    fn lose(&mut self, feed: &mut Feed, tables: &Tables, heard_ns: i64) {
        let mut missing = 0;
        for _ in 0..=self.dice.below(LOST_MAX) {
            if feed.group.is_snapshot {
                break;
            }
            missing += feed.group.len() as u64;
            feed.generate(tables);
        }
        if missing == 0 || self.dice.roll().coin() {
            return;
        }
        // Who notices asks for the book anew; what came in between is lost as well.
        if !feed.group.is_snapshot {
            missing += feed.group.len() as u64;
            feed.resync();
        }
        feed.group.hole = Some(Hole { from_ns: heard_ns, to_ns: feed.group.recv_ns, missing });
    }

    /// Begins, continues or ends a crossed book.
    fn cross(&mut self, feed: &mut Feed) {
        if feed.group.is_snapshot {
            // A snapshot tells the truth, and with it the phantom is gone.
            self.crossed = None;
            return;
        }
        let (bid, ask) = feed.flow.book.touch();
        match &mut self.crossed {
            None => {
                if self.dice.one_in(CROSSED_ONE_IN) {
                    let beyond = 1 + feed.flow.grid().min(1_000) * i64::from(self.dice.below(3));
                    let lots = feed.flow.typical_lots();
                    let groups_left = 1 + self.dice.below(8);
                    let crossed = Crossed { ticks: ask + beyond, lots, groups_left };
                    feed.group.level(Side::Buy, crossed.ticks, lots);
                    feed.group.include_late_levels();
                    show(crossed, feed);
                    self.crossed = Some(crossed);
                }
            }
            Some(crossed) if crossed.groups_left > 0 && crossed.ticks > ask.max(bid) => {
                crossed.groups_left -= 1;
                show(*crossed, feed);
            }
            Some(crossed) => {
                let real_lots = feed.flow.book.side(Side::Buy).lots_at(crossed.ticks);
                feed.group.level(Side::Buy, crossed.ticks, real_lots);
                feed.group.include_late_levels();
                feed.group.quotes.clear();
                feed.flow.book.quote(&mut feed.group);
                self.crossed = None;
            }
        }
    }

    fn duplicate(&mut self, group: &mut Group) {
        let which = self.dice.below(3);
        if which == 0 && !group.trades.is_empty() {
            group.trades.insert(1, group.trades[0]);
        } else if which <= 1 && !group.quotes.is_empty() {
            group.quotes.insert(1, group.quotes[0]);
        } else if let Some(depth) = group.depths.first().cloned() {
            group.depths.push(depth);
        }
    }

    /// Lets the next group pass; a snapshot overtakes nobody.
    fn overtake(&mut self, feed: &mut Feed, tables: &Tables) {
        std::mem::swap(&mut feed.group, &mut self.held);
        feed.generate(tables);
        self.skew(&mut feed.group);
        self.is_holding = true;
        if feed.group.is_snapshot {
            std::mem::swap(&mut feed.group, &mut self.held);
        } else {
            self.held.recv_ns = feed.group.recv_ns + 1;
            feed.last_recv_ns = self.held.recv_ns;
        }
    }

    /// Turns the venue's clock: ahead in the first ten minutes, behind in the next, and so on.
    pub(super) fn skew(&mut self, group: &mut Group) {
        if !self.faults.contains(Fault::ClockSkew) {
            return;
        }
        let elapsed = group.event_ns - self.start_ns;
        let period = elapsed.div_euclid(CLOCK_STEP_NANOS);
        let draw = mix(self.venue_seed ^ period.cast_unsigned()) % 1_700_000_000;
        let offset = 250_000_000 + draw.cast_signed();
        let drift = elapsed.rem_euclid(CLOCK_STEP_NANOS) / 1_000_000 * CLOCK_DRIFT_PPM;
        group.event_ns += if period % 2 == 0 { offset + drift } else { -offset - drift };
    }
}

/// Every quote while the book is crossed shows it.
fn show(crossed: Crossed, feed: &mut Feed) {
    if feed.group.quotes.is_empty() {
        feed.flow.book.quote(&mut feed.group);
    }
    feed.group.raise_bid(crossed.ticks, crossed.lots);
}
