//! A plain book, rebuilt from the depth records, against what the quotes and trades say.

use std::collections::BTreeMap;

use qt_model::ids::InstrumentId;
use qt_model::record::{Depth, Kind, Level, Quote, Record, Trade};
use qt_model::time::DAY_NANOS;
use qt_model::words::{DepthAction, Side};

use super::super::Spec;
use super::{Config, each, events};

/// The book as a reader keeps it.
#[derive(Debug, Default)]
pub(super) struct Book {
    bids: BTreeMap<i64, i64>,
    asks: BTreeMap<i64, i64>,
    last_id: Option<u64>,
    trade_id: Option<u64>,
    /// The state the last quote showed.
    quoted: Option<Touch>,
}

type Touch = ((i64, i64), (i64, i64));

impl Book {
    pub(super) fn apply(&mut self, depth: &Depth, levels: &[Level]) {
        if depth.action == DepthAction::Snapshot {
            self.bids.clear();
            self.asks.clear();
        }
        for level in levels {
            let side = match level.side {
                Side::Buy => &mut self.bids,
                Side::Sell => &mut self.asks,
            };
            if level.qty.is_zero() {
                side.remove(&level.px.mantissa());
            } else {
                side.insert(level.px.mantissa(), level.qty.mantissa());
            }
        }
        self.last_id = depth.last_id;
    }

    pub(super) fn touch(&self) -> Option<Touch> {
        let entry = |(px, qty): (&i64, &i64)| (*px, *qty);
        self.bids.last_key_value().map(entry).zip(self.asks.first_key_value().map(entry))
    }

    fn see(&mut self, record: Record<'_>, depth_levels: usize) {
        if let Record::Depth(view) = record {
            self.see_depth(view.row, view.levels, depth_levels);
        } else if let Record::Quote(quote) = record {
            self.see_quote(quote.row);
        } else if let Record::Trade(trade) = record {
            self.see_trade(trade.row);
        } else {
            assert!(matches!(record.kind(), Kind::InstrumentRow | Kind::Status), "{record:?}");
        }
    }

    fn see_depth(&mut self, row: &Depth, levels: &[Level], depth_levels: usize) {
        assert_eq!(self.quoted, self.touch(), "no quote before {row:?}");
        match row.action {
            DepthAction::Snapshot => self.see_snapshot(row, levels),
            DepthAction::Delta => {
                assert!(!levels.is_empty(), "an empty delta");
                assert_eq!(row.prev_id, self.last_id, "{row:?}");
                assert_eq!(row.first_id, self.last_id.map(|last| last + 1));
                assert!(row.last_id >= row.first_id);
                self.apply(row, levels);
            }
        }
        let (bid, ask) = self.touch().expect("both sides have a level");
        assert!(0 < bid.0 && bid.0 < ask.0, "crossed: {bid:?} {ask:?}");
        assert!(self.bids.len() <= depth_levels && self.asks.len() <= depth_levels);
    }

    fn see_snapshot(&mut self, row: &Depth, levels: &[Level]) {
        assert_eq!((row.first_id, row.prev_id), (None, None));
        assert!(levels.iter().all(|level| !level.qty.is_zero()));
        let before = (self.bids.clone(), self.asks.clone());
        let last_id = self.last_id;
        self.apply(row, levels);
        if last_id.is_some() {
            assert_eq!(last_id, self.last_id, "{row:?}");
            assert_eq!(before, (self.bids.clone(), self.asks.clone()), "a snapshot is news");
        }
    }

    fn see_quote(&mut self, quote: &Quote) {
        assert_eq!(touch_of(quote), self.touch(), "{quote:?}");
        assert_eq!(quote.id, self.last_id);
        self.quoted = self.touch();
    }

    fn see_trade(&mut self, trade: &Trade) {
        let book_side = match trade.side.unwrap() {
            Side::Buy => &self.asks,
            Side::Sell => &self.bids,
        };
        let resting = book_side.get(&trade.px.mantissa()).copied().unwrap_or_default();
        assert!(0 < trade.qty.mantissa() && trade.qty.mantissa() <= resting, "{trade:?}");
        assert!(self.trade_id.is_none_or(|last| Some(last + 1) == trade.id), "{trade:?}");
        self.trade_id = trade.id;
    }
}

pub(super) fn touch_of(quote: &Quote) -> Option<Touch> {
    let side = |px: Option<qt_model::units::Px>, qty: Option<qt_model::units::Qty>| {
        px.zip(qty).map(|(px, qty)| (px.mantissa(), qty.mantissa()))
    };
    side(quote.bid_px, quote.bid_qty).zip(side(quote.ask_px, quote.ask_qty))
}

/// Rebuilds each book of a market without faults and holds every record against it.
pub(super) fn check(config: &Config) {
    let mut books: BTreeMap<InstrumentId, Book> = BTreeMap::new();
    let ticks: Vec<_> = config.instruments.iter().map(|spec| spec.tick).collect();
    each(config, |record| {
        let id = record.head().instrument.unwrap();
        let on_tick = |level: &Level| level.px.mantissa() % ticks[id.index()] == 0;
        assert!(record.levels().iter().all(on_tick), "off the tick: {record:?}");
        assert!(record.head().ts_event <= record.head().ts_recv, "from the future: {record:?}");
        books.entry(id).or_default().see(record, config.depth_levels);
    });
}

#[test]
fn snapshot_and_deltas_give_each_quote_and_each_trade() {
    check(&events(300_000, Spec::known()));
    check(&Config { seed: 7, depth_levels: 5, ..events(60_000, Spec::known()) });
    check(&Config { seed: 8, depth_levels: 400, ..events(60_000, Spec::known()) });
    check(&events(100_000, Spec::many(40)));
}

#[test]
fn each_hour_and_each_day_stand_on_their_own() {
    let instruments = super::one("sim:ETHUSDT").into_iter().map(|spec| spec.at_pace(0.3)).collect();
    let config = Config { instruments, duration_ns: Some(3 * DAY_NANOS), ..Config::default() };
    check(&config);
    let (mut hour, mut day) = (None, None);
    let mut opened = [0, 0];
    each(&config, |record| {
        let nanos = record.head().ts_recv.nanos();
        let (this_hour, this_day) = (nanos / (DAY_NANOS / 24), nanos / DAY_NANOS);
        if day.replace(this_day) != Some(this_day) {
            assert_eq!(record.kind(), Kind::InstrumentRow, "{record:?}");
            opened[0] += 1;
        }
        if record.kind() == Kind::Depth && hour.replace(this_hour) != Some(this_hour) {
            let Record::Depth(depth) = record else { panic!("not a depth") };
            assert_eq!(depth.action, DepthAction::Snapshot, "{record:?}");
            opened[1] += 1;
        }
    });
    assert_eq!(opened, [3, 72]);
}
