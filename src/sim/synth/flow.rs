//! What the crowd does: takers, makers and the book between them.
//!
//! A fair value, known to nobody, walks in 1/65536 ticks. Makers want to quote around it at a
//! width that mean-reverts with the climate; quotes left behind by the fair value are hit or
//! pulled, and a spread wider than wanted is narrowed from the side that lags. All else is churn:
//! orders come and go behind the touch, less often the deeper. Prices are ticks, sizes are lots.
//!
//! Invariants: bid below ask after every action; both sides keep at least one level; each action
//! changes at least one level.

use qt_model::words::Side;

use super::book::Book;
use super::climate::Weather;
use super::group::Group;
use super::ladder::key;
use super::tables::{ONE_BITS, Tables};
use crate::dice::{Dice, Roll};

/// Bits of a tick that the fair value keeps behind the point.
const SUB_BITS: u32 = 16;

/// Of 65 536 actions: those that act on a quote the fair value has left behind, if there is one.
const ON_STALE_QUOTES: u32 = 7_000;
/// Of those: hits, the rest being pulled in time.
const HITS: u32 = 16_000;
/// Narrow the spread, if it is wide.
const NARROW: u32 = 10_000;
/// Either of the two, once things are far out of place.
const URGENT: u32 = 26_000;
/// How many times its allowance makes something far out of place.
const FAR: i64 = 4;
/// Trade for reasons of their own.
const NOISE_TRADES: u32 = 6_400;

/// News moves the fair value like this many steps at once.
const NEWS_STEPS: i64 = 24;
/// No order walks further than this many levels.
const WALK_LEVELS: usize = 4;
/// A level this many times the typical size attracts no more.
const FULL: i64 = 6;
/// A level that would grow beyond this many times the typical size is cancelled down instead.
const WALL: i64 = 64;

/// How a market behaves, whatever its units.
#[derive(Clone, Copy, Debug)]
pub(super) struct Character {
    pub(super) open_ticks: i64,
    /// The standard deviation of the fair value per action, as a part of the price.
    pub(super) step_ratio: f64,
    pub(super) typical_lots: i64,
    pub(super) depth_levels: usize,
}

#[derive(Clone, Debug)]
pub(super) struct Flow {
    character: Character,
    pub(super) book: Book,
    /// In 1/65536 ticks.
    fair: i64,
    step: i64,
    drift: i64,
    /// Ticks between neighbours near the touch.
    grid: i64,
    /// The spread that makers want, in ticks.
    width: i64,
    trade_id: u64,
}

impl Flow {
    pub(super) fn new(
        character: Character,
        weather: Weather,
        dice: &mut Dice,
        tables: &Tables,
    ) -> Self {
        let limit = character.depth_levels;
        let mut flow = Self {
            character,
            // Venues do not start counting on our account.
            book: Book::new(limit, WALL * character.typical_lots, dice.roll().take::<30>().into()),
            fair: character.open_ticks << SUB_BITS,
            step: 0,
            drift: 0,
            grid: 1,
            width: 1,
            trade_id: dice.roll().take::<24>().into(),
        };
        flow.meet(weather, dice, tables);
        for side in [Side::Buy, Side::Sell] {
            let best = key(side, character.open_ticks) - (flow.width + 1) / 2;
            let lots = flow.order_lots(&mut dice.roll(), tables);
            flow.book.open(side, best, lots);
            for _ in 1..limit {
                let (deeper, lots) = flow.deeper(side, &mut dice.roll(), tables);
                flow.book.open(side, deeper, lots);
            }
        }
        flow
    }

    /// Takes the climate's word on volatility, width and trend.
    pub(super) fn meet(&mut self, weather: Weather, dice: &mut Dice, tables: &Tables) {
        let ratio = self.character.step_ratio * weather.agitation;
        let per_action = (self.fair as f64 * ratio) as i64;
        self.step = per_action.max(1);
        self.drift = weather.trend * (self.step >> 9);
        self.grid = (self.step >> SUB_BITS).max(1);
        self.width = (self.grid + (self.grid >> 2)).max(1);
        if weather.has_news {
            let shock = i64::from(tables.shock(dice.roll().take::<10>()));
            self.move_fair(((shock * self.step) >> ONE_BITS) * NEWS_STEPS);
        }
    }

    pub(super) fn typical_lots(&self) -> i64 {
        self.character.typical_lots
    }

    pub(super) fn grid(&self) -> i64 {
        self.grid
    }

    /// One action of somebody, with all the venue says about it.
    #[inline]
    pub(super) fn act(&mut self, dice: &mut Dice, tables: &Tables, out: &mut Group) {
        let mut roll = dice.roll();
        let shock = i64::from(tables.shock(roll.take::<10>()));
        self.move_fair(((shock * self.step) >> ONE_BITS) + self.drift);
        self.choose(&mut roll, dice, tables, out);
        self.book.tell(out);
    }

    /// The fair value stays within sixty-four times and a sixty-fourth of where it began.
    #[inline]
    fn move_fair(&mut self, by: i64) {
        let open = self.character.open_ticks << SUB_BITS;
        self.fair = (self.fair + by).clamp(open >> 6, open << 6);
    }

    #[inline]
    fn choose(&mut self, roll: &mut Roll, dice: &mut Dice, tables: &Tables, out: &mut Group) {
        let (bid, ask) = self.book.touch();
        let half_width = self.width << (SUB_BITS - 1);
        let bid_excess = (bid << SUB_BITS) - (self.fair - half_width);
        let ask_excess = (self.fair + half_width) - (ask << SUB_BITS);
        let tolerance = self.grid << (SUB_BITS - 1);
        let will = roll.take::<16>();
        let high_bid = bid_excess > ask_excess;
        let excess = bid_excess.max(ask_excess);
        let spread = ask - bid;
        if excess > tolerance && will < urgency(excess, tolerance, ON_STALE_QUOTES) {
            let stale = if high_bid { Side::Buy } else { Side::Sell };
            if roll.take::<16>() < HITS {
                self.take(stale, true, dice, tables, out);
            } else {
                self.pull(stale, dice, tables, out);
            }
        } else if spread > self.width && will < urgency(spread, self.width, NARROW) {
            self.improve(if high_bid { Side::Sell } else { Side::Buy }, roll, dice, tables, out);
        } else if will >= 65_536 - NOISE_TRADES {
            let side = if roll.coin() { Side::Buy } else { Side::Sell };
            self.take(side, false, dice, tables, out);
        } else {
            self.churn(roll, dice, tables, out);
            // Many touch a second level, some a third: orders move, not only come and go.
            let more = will & 7;
            if more < 3 {
                self.churn(&mut dice.roll(), dice, tables, out);
            }
            if more == 0 {
                self.churn(&mut dice.roll(), dice, tables, out);
            }
        }
    }

    /// An aggressor trades against that side of the book.
    fn take(
        &mut self,
        side: Side,
        is_informed: bool,
        dice: &mut Dice,
        tables: &Tables,
        out: &mut Group,
    ) {
        let mut roll = dice.roll();
        let levels = self.book.side(side).len();
        if levels < 3 {
            return self.deepen(side, &mut roll, tables, out);
        }
        let mut left = (self.order_lots(&mut roll, tables) >> 1).max(1);
        let is_sweep = is_informed && roll.coin();
        for _ in 0..WALK_LEVELS.min(levels - 2) {
            let best = self.book.side(side).best();
            if is_sweep && best.key > self.wanted(side) {
                // Who knows takes all that is mispriced.
                left = left.max(best.lots);
            } else if left == 0 {
                break;
            }
            let filled = left.min(best.lots);
            self.trade_id += 1;
            out.trade(self.trade_id, side.opposite(), key(side, best.key), filled);
            left -= filled;
            if filled < best.lots {
                self.book.resize(side, 0, best.lots - filled, out);
                break;
            }
            self.book.remove(side, 0, out);
        }
    }

    /// Makers take the best level of that side away, and often bring the orders back deeper.
    fn pull(&mut self, side: Side, dice: &mut Dice, tables: &Tables, out: &mut Group) {
        let mut roll = dice.roll();
        if self.book.side(side).len() < 3 {
            return self.deepen(side, &mut roll, tables, out);
        }
        let pulled = self.book.remove(side, 0, out);
        if roll.coin() {
            let back = self.wanted(side) - self.scatter(&mut roll);
            let best = self.book.side(side).best().key;
            self.book.place(side, back.min(best), pulled.lots, out);
        } else if self.book.side(side).has_room() && roll.coin() {
            self.deepen(side, &mut roll, tables, out);
        }
    }

    /// A maker quotes inside the spread, as near to what makers want as the width allows.
    fn improve(
        &mut self,
        side: Side,
        roll: &mut Roll,
        dice: &mut Dice,
        tables: &Tables,
        out: &mut Group,
    ) {
        let nearest = -self.book.side(side.opposite()).best().key - self.width;
        let better = self.book.side(side).best().key + 1;
        let wish = self.wanted(side) - (self.scatter(roll) >> 1);
        let lots = self.order_lots(&mut dice.roll(), tables);
        self.book.place(side, wish.clamp(better, nearest), lots, out);
    }

    /// Orders come, grow, shrink and go at some level, mostly near the touch.
    #[inline]
    fn churn(&mut self, roll: &mut Roll, dice: &mut Dice, tables: &Tables, out: &mut Group) {
        let side = if roll.coin() { Side::Buy } else { Side::Sell };
        let ladder = self.book.side(side);
        let levels = ladder.len();
        let reach = tables.reach(roll.take::<10>());
        let elsewhere = (roll.take::<8>() as usize * levels) >> 8;
        let depth = if reach < levels { reach } else { elsewhere };
        let rung = ladder.at(depth);
        let lots = self.order_lots(roll, tables);
        let what = roll.take::<4>();
        if what < 6 && rung.lots < FULL * self.character.typical_lots {
            self.book.resize(side, depth, rung.lots + lots, out);
        } else if what < 12 {
            self.shrink(side, depth, lots, dice, tables, out);
        } else {
            let at = self.arrival(side, depth, &mut dice.roll());
            self.book.place(side, at, lots, out);
        }
    }

    /// Where an order comes in: at its distance from where makers want the touch, or as near as
    /// the other side allows.
    fn arrival(&self, side: Side, depth: usize, roll: &mut Roll) -> i64 {
        let steps = depth as u64 * (16 + depth as u64) / 16;
        let behind = (self.grid.cast_unsigned() * steps).cast_signed() + self.scatter(roll);
        let nearest = -self.book.side(side.opposite()).best().key - self.width;
        let at = (self.wanted(side) - behind).min(nearest);
        round(at, side, self.grid, roll)
    }

    /// Cancels that much of a level; a level left empty goes, unless the side is too thin for it.
    #[inline]
    fn shrink(
        &mut self,
        side: Side,
        depth: usize,
        lots: i64,
        dice: &mut Dice,
        tables: &Tables,
        out: &mut Group,
    ) {
        let rung = self.book.side(side).at(depth);
        if rung.lots > lots {
            self.book.resize(side, depth, rung.lots - lots, out);
        } else if self.book.side(side).len() * 2 > self.character.depth_levels {
            self.book.remove(side, depth, out);
        } else {
            self.deepen(side, &mut dice.roll(), tables, out);
        }
    }

    /// Adds a level behind the worst one.
    fn deepen(&mut self, side: Side, roll: &mut Roll, tables: &Tables, out: &mut Group) {
        let (deeper, lots) = self.deeper(side, roll, tables);
        self.book.place(side, deeper, lots, out);
    }

    /// The place and size of a level behind the worst one: the deeper, the wider the steps.
    fn deeper(&self, side: Side, roll: &mut Roll, tables: &Tables) -> (i64, i64) {
        let ladder = self.book.side(side);
        let (worst, levels) = (ladder.worst().key, ladder.len() as u64);
        let steps = self.grid + ((self.grid.cast_unsigned() * levels) >> 4).cast_signed();
        let gap = 1 + ((steps * i64::from(roll.take::<8>())) >> 7);
        (worst - gap, self.order_lots(roll, tables))
    }

    /// Where makers want the best of that side, as a key.
    fn wanted(&self, side: Side) -> i64 {
        let half_width = self.width << (SUB_BITS - 1);
        match side {
            Side::Buy => (self.fair - half_width) >> SUB_BITS,
            Side::Sell => -((self.fair + half_width) >> SUB_BITS),
        }
    }

    /// Makers disagree by up to one grid step.
    fn scatter(&self, roll: &mut Roll) -> i64 {
        (self.grid * i64::from(roll.take::<8>())) >> 8
    }

    /// The size of an order: heavy-tailed, and one in four a round number.
    #[inline]
    fn order_lots(&self, roll: &mut Roll, tables: &Tables) -> i64 {
        let factor = i64::from(tables.size(roll.take::<10>()));
        let lots = ((self.character.typical_lots * factor) >> ONE_BITS).max(1);
        if roll.take::<2>() != 0 {
            return lots;
        }
        let unit = 10_i64.pow(lots.ilog10());
        (lots + unit / 2) / unit * unit
    }
}

fn urgency(found: i64, allowed: i64, normal: u32) -> u32 {
    if found > allowed * FAR { URGENT } else { normal }
}

/// Where ticks are fine, one order in two prefers a price that ends in a zero.
fn round(at: i64, side: Side, grid: i64, roll: &mut Roll) -> i64 {
    if grid < 8 || roll.coin() {
        return at;
    }
    let ticks = key(side, at);
    match side {
        Side::Buy => ticks - ticks.rem_euclid(10),
        Side::Sell => -(ticks + (-ticks).rem_euclid(10)),
    }
}
