//! One instrument's stream: happenings in order, each a group of records.
//!
//! Invariants: `ts_recv` strictly grows from group to group; what a feed says depends on the seed
//! and its own symbol alone. A snapshot stands first, at each full period and at each midnight, as
//! received then; midnights repeat the terms and the status too, so a day stands on its own.

use qt_model::ids::InstrumentId;
use qt_model::record::Batch;
use qt_model::time::DAY_NANOS;

use super::arrivals::Arrivals;
use super::climate::Climate;
use super::config::Config;
use super::flow::{Character, Flow};
use super::group::{Group, Sequences, Units};
use super::latency::Latency;
use super::merge::{Key, Rank};
use super::spec::Spec;
use super::tables::Tables;
use super::trouble::Trouble;
use crate::dice::Dice;

#[derive(Clone, Debug)]
pub(super) struct Feed {
    id: InstrumentId,
    rank: Rank,
    sequences: Sequences,
    pub(super) group: Group,
    pub(super) flow: Flow,
    arrivals: Arrivals,
    climate: Climate,
    actions_per_s: f64,
    latency: Latency,
    dice: Dice,
    next_event_ns: i64,
    next_recv_ns: i64,
    last_event_ns: i64,
    pub(super) last_recv_ns: i64,
    snapshot_every_ns: i64,
    next_snapshot_ns: i64,
    trouble: Option<Box<Trouble>>,
}

impl Feed {
    /// A feed at its first group.
    pub(super) fn new(
        spec: &Spec,
        config: &Config,
        id: InstrumentId,
        rank: Rank,
        tables: &Tables,
    ) -> Self {
        let symbol = &spec.instrument.symbol;
        let mut dice = Dice::named(config.seed, symbol.as_str());
        let start_ns = config.start.nanos();
        let mut climate = Climate::new(spec.rhythm, spec.actions_per_s, start_ns, &mut dice);
        let weather = climate.step(&mut dice);
        let flow = Flow::new(character(spec, config), weather, &mut dice, tables);
        let units = Units { tick: spec.tick, lot: spec.lot };
        let recv_ns = start_ns + i64::from(config.latency.base_ns);
        let mut feed = Self {
            id,
            rank,
            sequences: Sequences::default(),
            group: Group::new(units, config.depth_levels),
            flow,
            arrivals: Arrivals::new(spec.actions_per_s * weather.activity),
            climate,
            actions_per_s: spec.actions_per_s,
            latency: config.latency,
            dice,
            next_event_ns: start_ns,
            next_recv_ns: recv_ns,
            last_event_ns: start_ns,
            last_recv_ns: recv_ns - 1,
            snapshot_every_ns: config.snapshot_every_ns,
            next_snapshot_ns: recv_ns,
            trouble: Trouble::new(config, symbol, units, config.depth_levels).map(Box::new),
        };
        feed.snapshot(recv_ns, true);
        feed.plan(tables);
        if let Some(trouble) = &mut feed.trouble {
            trouble.skew(&mut feed.group);
        }
        feed.group.seal();
        feed
    }

    /// Where the next record stands in the order of all feeds; none after the last of the group.
    #[inline]
    pub(super) fn key(&self) -> Option<Key> {
        let kind = self.group.next_kind()?;
        Some(Key::new(self.group.recv_ns, self.rank, kind))
    }

    /// Sends the next record of the group.
    #[inline]
    pub(super) fn emit(&mut self, batch: &mut Batch) {
        self.group.emit(self.id, &mut self.sequences, batch);
    }

    /// Makes the next group.
    #[inline]
    pub(super) fn advance(&mut self, tables: &Tables) {
        match self.trouble.take() {
            None => self.generate(tables),
            Some(mut trouble) => {
                trouble.advance(self, tables);
                self.trouble = Some(trouble);
            }
        }
        self.group.seal();
    }

    /// The next happening, as the venue would have it.
    #[inline]
    pub(super) fn generate(&mut self, tables: &Tables) {
        self.group.clear();
        let recv_ns = self.next_recv_ns.max(self.last_recv_ns + 1);
        if recv_ns >= self.next_snapshot_ns {
            return self.scheduled_snapshot();
        }
        self.group.event_ns = self.next_event_ns;
        self.group.recv_ns = recv_ns;
        self.flow.act(&mut self.dice, tables, &mut self.group);
        self.last_event_ns = self.next_event_ns;
        self.last_recv_ns = recv_ns;
        self.plan(tables);
    }

    /// A snapshot out of turn, in place of the next action.
    pub(super) fn resync(&mut self) {
        self.group.clear();
        let recv_ns = self.next_recv_ns.max(self.last_recv_ns + 1);
        self.snapshot(recv_ns, false);
    }

    /// Nothing happens for that long.
    pub(super) fn pause(&mut self, pause_ns: i64) {
        self.next_event_ns += pause_ns;
        self.next_recv_ns += pause_ns;
    }

    #[cold]
    fn scheduled_snapshot(&mut self) {
        let due_ns = self.next_snapshot_ns;
        self.snapshot(due_ns.max(self.last_recv_ns + 1), due_ns.rem_euclid(DAY_NANOS) == 0);
    }

    fn snapshot(&mut self, recv_ns: i64, opens: bool) {
        // The state between the last action and the next, sent so as to arrive on time.
        let sent_ns = recv_ns - i64::from(self.latency.base_ns);
        self.group.event_ns = sent_ns.min(self.next_event_ns).max(self.last_event_ns);
        self.group.recv_ns = recv_ns;
        self.group.opens = opens;
        self.flow.book.snapshot(&mut self.group);
        self.last_recv_ns = recv_ns;
        self.last_event_ns = self.group.event_ns;
        let next_multiple = |step: i64| (recv_ns.div_euclid(step) + 1).saturating_mul(step);
        self.next_snapshot_ns = next_multiple(self.snapshot_every_ns).min(next_multiple(DAY_NANOS));
    }

    /// When the next action happens and arrives.
    #[inline]
    fn plan(&mut self, tables: &Tables) {
        let mut roll = self.dice.roll();
        self.next_event_ns = self.last_event_ns + self.arrivals.wait_ns(&mut roll, tables);
        let delay_ns = self.latency.draw_ns(&mut roll, &mut self.dice, tables);
        self.next_recv_ns = self.next_event_ns + delay_ns;
        if self.climate.is_due(self.next_event_ns) {
            self.follow_climate(tables);
        }
    }

    #[cold]
    fn follow_climate(&mut self, tables: &Tables) {
        while self.climate.is_due(self.next_event_ns) {
            let weather = self.climate.step(&mut self.dice);
            self.flow.meet(weather, &mut self.dice, tables);
            self.arrivals.aim(self.actions_per_s * weather.activity);
            if weather.has_news {
                self.arrivals.excite(self.actions_per_s * 3.0);
            }
        }
    }
}

fn character(spec: &Spec, config: &Config) -> Character {
    // A day's volatility is the sum of as many independent steps as there are actions in it.
    let daily = f64::from(spec.daily_volatility_bps) / 10_000.0;
    let actions_per_day = (spec.actions_per_s * 86_400.0).max(1_000.0);
    Character {
        open_ticks: spec.open_ticks,
        step_ratio: daily / actions_per_day.sqrt(),
        typical_lots: spec.typical_lots,
        depth_levels: config.depth_levels,
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Fault, Spec};
    use super::*;

    #[test]
    fn a_running_feed_allocates_nothing() {
        let faults = Fault::ALL.iter().copied().collect();
        let config = Config { faults, snapshot_every_ns: 1_000_000_000, ..Config::default() };
        let tables = Tables::new();
        for spec in Spec::known() {
            let mut instruments = qt_model::instrument::Instruments::default();
            let id = instruments.declare(spec.instrument().clone()).unwrap();
            let rank = Rank { venue: 0, name: 0 };
            let mut feed = Feed::new(&spec, &config, id, rank, &tables);
            let room = |group: &Group| {
                let rows = (group.trades.capacity(), group.depths.capacity());
                (rows, group.levels.capacity(), group.quotes.capacity())
            };
            let at_first = room(&feed.group);
            for _ in 0..50_000 {
                feed.advance(&tables);
                assert_eq!(room(&feed.group), at_first);
            }
        }
    }
}
