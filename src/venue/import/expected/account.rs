//! What an import came to, in the words of the figures: sums of prints, bars, books.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write;

use qt_market::book::{Applied, PriceBook, Resting, State};
use qt_model::instrument::Instrument;
use qt_model::record::{Batch, Depth, Kind, Quote, Record, Trade};
use qt_model::time::Ts;
use qt_model::words::{DepthAction, Side};
use rust_decimal::Decimal;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{number, text};

/// By the name of the instrument at its venue.
#[derive(Default)]
pub(super) struct Account {
    pub of: BTreeMap<String, One>,
    pub records: usize,
    last: Option<Ts>,
}

/// One instrument.
#[derive(Default)]
pub(super) struct One {
    pub prints: Vec<Print>,
    pub book: PriceBook,
    pub snapshots: u64,
    pub deltas: u64,
    pub ignored_deltas: u64,
    pub gaps: u64,
    pub quotes: u64,
    pub quotes_with_event_time: u64,
    pub crossed: u64,
    pub locked: u64,
    /// The touch after each update number, and what the venue said it was.
    touches: HashMap<u64, [Option<Resting>; 2]>,
    told: Vec<(u64, [Option<Resting>; 2])>,
    pub instrument: Option<Instrument>,
    /// The best levels and the counts of each side, before the instants asked for.
    pub watch: Vec<Ts>,
    pub seen: BTreeMap<Ts, Seen>,
    pub marks: u64,
    pub fundings: u64,
    pub bars_given: Vec<GivenBar>,
}

/// A bar that the venue made.
pub(super) struct GivenBar {
    pub low: Decimal,
    pub volume: Decimal,
    pub step: Decimal,
}

/// The best bids, the best asks, how many there are of each, and the update number.
type Seen = (Vec<[String; 2]>, Vec<[String; 2]>, usize, usize, Option<u64>);

#[derive(Clone, Debug)]
pub(super) struct Print {
    pub ts: Ts,
    pub px: Decimal,
    pub qty: Decimal,
    pub side: Option<Side>,
    pub id: Option<u64>,
    pub ts_recv: Ts,
}

impl Account {
    pub(super) fn take(&mut self, batch: &Batch) {
        for record in batch.iter() {
            let head = record.head();
            assert!(self.last.is_none_or(|last| last <= head.ts_recv), "records are in order");
            self.last = Some(head.ts_recv);
            self.records += 1;
            let id = head.instrument.expect("captures are of instruments");
            let instrument = batch.instruments().get(id);
            let one = self.of.entry(instrument.symbol.name().to_owned()).or_default();
            one.instrument.get_or_insert_with(|| instrument.clone());
            one.take(&record, instrument);
        }
    }

    pub(super) fn one(&self, name: &str) -> &One {
        self.of.get(name).unwrap_or_else(|| panic!("{name} is among {:?}", self.of.keys()))
    }
}

impl One {
    fn take(&mut self, record: &Record<'_>, instrument: &Instrument) {
        let until = record.head().ts_recv;
        while let Some(instant) = self.watch.first().copied().filter(|instant| *instant <= until) {
            self.watch.remove(0);
            let (bids, asks) = (self.top(Side::Buy, 3), self.top(Side::Sell, 3));
            let counts = (self.book.bids().len(), self.book.asks().len());
            let seen = (bids, asks, counts.0, counts.1, self.book.last_id());
            self.seen.insert(instant, seen);
        }
        if let Record::Trade(view) = record {
            self.print(view.row, instrument);
        } else if let Record::Depth(view) = record {
            self.depth(view.row, record);
        } else if let Record::Quote(view) = record {
            self.quote(view.row);
        } else if let Record::Bar(view) = record {
            self.bars_given.push(GivenBar {
                low: view.row.low.to_decimal(instrument.px_scale),
                volume: view.row.volume.to_decimal(instrument.qty_scale),
                step: view.row.step,
            });
        } else if record.kind() == Kind::Gap {
            self.gaps += 1;
            self.book.gap();
        }
        self.marks += u64::from(record.kind() == Kind::Mark);
        self.fundings += u64::from(record.kind() == Kind::Funding);
    }

    fn print(&mut self, trade: &Trade, instrument: &Instrument) {
        self.prints.push(Print {
            ts: trade.head.ts_event,
            px: trade.px.to_decimal(instrument.px_scale),
            qty: trade.qty.to_decimal(instrument.qty_scale),
            side: trade.side,
            id: trade.id,
            ts_recv: trade.head.ts_recv,
        });
    }

    fn depth(&mut self, depth: &Depth, record: &Record<'_>) {
        match depth.action {
            DepthAction::Snapshot => self.snapshots += 1,
            DepthAction::Delta => self.deltas += 1,
        }
        if self.book.apply(depth, record.levels()) == Applied::Ignored {
            self.ignored_deltas += 1;
            return;
        }
        self.crossed += u64::from(self.book.is_crossed());
        self.locked += u64::from(self.book.is_locked());
        if let Some(last) = depth.last_id {
            self.touches.insert(last, [self.book.best_bid(), self.book.best_ask()]);
        }
    }

    fn quote(&mut self, quote: &Quote) {
        self.quotes += 1;
        self.quotes_with_event_time += u64::from(quote.head.has_event_time);
        let resting = |px, qty| Option::zip(px, qty).map(|(px, qty)| Resting { px, qty });
        let bid = resting(quote.bid_px, quote.bid_qty);
        let ask = resting(quote.ask_px, quote.ask_qty);
        if let Some(id) = quote.id {
            self.told.push((id, [bid, ask]));
        }
    }

    /// How many quotes equal the book at their update number, and how many differ from it.
    pub(super) fn agreement(&self) -> (u64, u64) {
        let both = self.told.iter().filter_map(|(id, told)| Some((self.touches.get(id)?, told)));
        both.fold(
            (0, 0),
            |(same, other), (touch, told)| {
                if touch == told { (same + 1, other) } else { (same, other + 1) }
            },
        )
    }

    pub(super) fn sum(&self, of: impl Fn(&Print) -> Decimal) -> Decimal {
        self.prints.iter().map(of).sum()
    }

    pub(super) fn volume(&self) -> Decimal {
        self.sum(|print| print.qty)
    }

    pub(super) fn notional(&self) -> Decimal {
        self.sum(|print| print.px * print.qty)
    }

    pub(super) fn taken_by(&self, side: Side) -> Decimal {
        self.sum(|print| if print.side == Some(side) { print.qty } else { Decimal::ZERO })
    }

    /// Compares the sums that every table of prints has.
    pub(super) fn check_prints(&self, expected: &Value, count: &str) {
        assert_eq!(self.prints.len() as u64, number(&expected[count]), "{expected}");
        assert_eq!(plain(self.volume()), text(&expected["volume"]));
        if let Some(notional) = expected.get("notional") {
            assert_eq!(plain(self.notional()), text(notional));
        }
        let vwap = text(&expected["vwap"]);
        let digits = vwap.split_once('.').map_or(0, |(_, fraction)| fraction.len());
        let found = (self.notional() / self.volume()).round_dp(digits as u32);
        assert_eq!(found, vwap.parse::<Decimal>().unwrap());
        if let Some(taken) = expected.get("taker_buy_volume") {
            assert_eq!(plain(self.taken_by(Side::Buy)), text(taken));
        }
    }

    /// The hash of all bars of one minute by event time, and their number.
    pub(super) fn bars(&self) -> (usize, String) {
        struct Bar([Decimal; 6], u64);
        let mut bars: BTreeMap<i64, Bar> = BTreeMap::new();
        for Print { ts, px, qty, .. } in &self.prints {
            let minute = ts.nanos().div_euclid(60_000_000_000) * 60_000;
            let zero = Decimal::ZERO;
            let bar = bars.entry(minute).or_insert(Bar([*px, *px, *px, *px, zero, zero], 0));
            let Bar([_, high, low, close, volume, money], trades) = bar;
            (*high, *low, *close) = ((*high).max(*px), (*low).min(*px), *px);
            (*volume, *money, *trades) = (*volume + qty, *money + px * qty, *trades + 1);
        }
        let mut lines = String::new();
        for (minute, Bar(numbers, trades)) in &bars {
            let numbers = numbers.map(plain).join(",");
            writeln!(lines, "{minute},{numbers},{trades}").unwrap();
        }
        (bars.len(), hash(&lines))
    }

    /// The best levels of a side as the figures write them.
    pub(super) fn top(&self, side: Side, count: usize) -> Vec<[String; 2]> {
        let Some(instrument) = &self.instrument else { return Vec::new() };
        let words = |resting: Resting| {
            [
                plain(resting.px.to_decimal(instrument.px_scale)),
                plain(resting.qty.to_decimal(instrument.qty_scale)),
            ]
        };
        match side {
            Side::Buy => self.book.bids().take(count).map(words).collect(),
            Side::Sell => self.book.asks().take(count).map(words).collect(),
        }
    }

    /// Compares the book as it is now.
    pub(super) fn check_book(&self, expected: &Value) {
        assert_eq!(self.book.state(), State::Live);
        assert_eq!(self.book.bids().len() as u64, number(&expected["n_bids"]));
        assert_eq!(self.book.asks().len() as u64, number(&expected["n_asks"]));
        for (key, side) in [("bids", Side::Buy), ("asks", Side::Sell)] {
            let levels = pairs(&expected[key]);
            assert_eq!(self.top(side, levels.len()), levels);
        }
        let mut lines = String::new();
        for (letter, side) in [('b', Side::Buy), ('a', Side::Sell)] {
            for [px, qty] in self.top(side, usize::MAX) {
                writeln!(lines, "{letter},{px},{qty}").unwrap();
            }
        }
        assert_eq!(hash(&lines), text(&expected["all_levels_sha256"]));
        if let Some(last) = expected.get("last_update_id") {
            assert_eq!(self.book.last_id(), last.as_u64());
        }
    }

    /// Compares the books that were seen before the instants asked for.
    pub(super) fn check_tops(&self, expected: &Value) {
        for top in expected.as_array().expect("a list of tops") {
            let instant = Ts::from_nanos(top["local_ts_ns_before"].as_i64().unwrap());
            let (bids, asks, n_bids, n_asks, last) = &self.seen[&instant];
            assert_eq!(*bids, pairs(&top["bids"]), "{instant}");
            assert_eq!(*asks, pairs(&top["asks"]), "{instant}");
            assert_eq!(*n_bids as u64, number(&top["n_bids"]), "{instant}");
            assert_eq!(*n_asks as u64, number(&top["n_asks"]), "{instant}");
            assert_eq!(*last, top["last_update_id"].as_u64(), "{instant}");
        }
    }
}

/// Levels of the figures, which may have more than price and size.
pub(super) fn pairs(levels: &Value) -> Vec<[String; 2]> {
    let levels = levels.as_array().expect("a list of levels").iter();
    levels.map(|level| [text(&level[0]).to_owned(), text(&level[1]).to_owned()]).collect()
}

/// Without zeros at the end, as the figures are written.
pub(super) fn plain(number: Decimal) -> String {
    number.normalize().to_string()
}

fn hash(lines: &str) -> String {
    Sha256::digest(lines).iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}
