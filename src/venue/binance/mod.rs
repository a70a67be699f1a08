//! Binance: spot, USD-M and COIN-M futures, as their market streams and REST send them.
//!
//! Levels of depth are sequenced (see `sequence`): updates go out as deltas in the order of their
//! numbers, a snapshot goes out as the book at the moment of its reception, and a hole is a `gap`.
//! Single trades and aggregates tell of the same prints, and pictures of the best levels of the same
//! book as the updates: of each pair one makes records, the other is counted.

mod general;
mod market;
mod quick;
mod said;
mod sequence;
pub mod sim;
mod terms;
#[cfg(test)]
mod tests;

use qt_model::record::{Bar, Batch, Depth, Funding, Gap, Kind, Level, Mark, Quote, Trade};
use qt_model::time::Ts;
use qt_model::words::{BarClock, DepthAction, GapReason};
use qt_stream::universe::Universe;
use rust_decimal::Decimal;

pub use market::Market;

use general::Reader;
use said::{ClosedBar, MarkPrice, Print, Prints, Said, Touch};
use sequence::{Chain, Joined, Place, Update};

use crate::desk::Desk;
use crate::frame::{DecodeError, Decoder, Frame};
use crate::listing::{Listed, Scales};
use crate::tally::Tally;

/// The decoder of one market. See the module.
#[derive(Debug)]
pub struct Binance {
    market: Market,
    desk: Desk,
    subject: Option<String>,
    /// By slot.
    instruments: Vec<State>,
    levels: Vec<Level>,
}

/// What is remembered of one instrument.
#[derive(Debug)]
struct State {
    chain: Chain,
    /// When its last update was received.
    updated: Option<Ts>,
    prints: Option<Prints>,
    book: BookFrom,
}

/// Where an instrument's depth records come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum BookFrom {
    Nothing,
    Pictures,
    Updates,
}

impl Binance {
    /// A decoder whose instruments go to `universe`.
    pub fn new(market: Market, universe: &Universe, scales: Scales) -> Self {
        Self {
            market,
            desk: Desk::new(market.venue(), market.styles(), universe, scales),
            subject: None,
            instruments: Vec::new(),
            levels: Vec::new(),
        }
    }

    /// Says which instrument a message without a name is about: a spot snapshot has none.
    pub fn set_subject(&mut self, symbol: &str) {
        self.subject = Some(symbol.to_owned());
    }

    fn state(&mut self, listed: Listed) -> &mut State {
        let rule = self.market.rule();
        while self.instruments.len() <= listed.slot {
            self.instruments.push(State {
                chain: Chain::new(rule),
                updated: None,
                prints: None,
                book: BookFrom::Nothing,
            });
        }
        &mut self.instruments[listed.slot]
    }

    #[inline]
    fn emit(&mut self, said: Said, ts_recv: Ts, batch: &mut Batch) {
        match said {
            Said::Update { listed, ts_event, update } => {
                self.update(listed, ts_event, update, ts_recv, batch);
            }
            Said::Quote { listed, ts_event, quote } => {
                self.quote(listed, ts_event, quote, ts_recv, batch);
            }
            Said::Print { listed, ts_event, print } => {
                self.print(listed, ts_event, print, ts_recv, batch);
            }
            Said::Snapshot { listed, ts_event, last } => {
                self.snapshot(listed, ts_event, last, ts_recv, batch);
            }
            Said::Picture { listed, ts_event, last } => {
                self.picture(listed, ts_event, last, ts_recv, batch);
            }
            Said::Mark { listed, ts_event, mark } => {
                self.mark(listed, ts_event, &mark, ts_recv, batch);
            }
            Said::Bar { listed, bar } => self.bar(listed, &bar, ts_recv, batch),
            Said::Left(reason) => self.desk.tally.add(reason),
        }
    }

    fn update(
        &mut self,
        listed: Listed,
        ts_event: Option<Ts>,
        update: Update,
        ts_recv: Ts,
        batch: &mut Batch,
    ) {
        let levels = std::mem::take(&mut self.levels);
        let state = self.state(listed);
        let had_pictures = state.book == BookFrom::Pictures;
        state.book = BookFrom::Updates;
        let place = state.chain.update(update, &levels);
        let before = state.updated.replace(ts_recv).unwrap_or(ts_recv);
        if had_pictures {
            // The book of pictures ends here: it has too few levels for updates to amend it.
            self.gap(listed, ts_recv, ts_recv, GapReason::NoSnapshot, None, batch);
        }
        match place {
            Place::Old => self.desk.tally.add(OLD_UPDATE),
            Place::Gap { missing } => {
                self.desk.tally.add(SEQUENCE_GAP);
                self.gap(listed, before, ts_recv, GapReason::Sequence, missing, batch);
            }
            Place::Next => {}
        }
        if place != Place::Old {
            let Update { first, last, prev } = update;
            let head = self.desk.head(Kind::Depth, listed, ts_event, ts_recv);
            let (action, first_id, last_id) = (DepthAction::Delta, Some(first), Some(last));
            batch.push_row(Depth { head, action, first_id, last_id, prev_id: prev }, &levels);
        }
        self.levels = levels;
    }

    fn snapshot(
        &mut self,
        listed: Listed,
        ts_event: Option<Ts>,
        last: u64,
        ts_recv: Ts,
        batch: &mut Batch,
    ) {
        let mut levels = std::mem::take(&mut self.levels);
        let state = self.state(listed);
        state.book = BookFrom::Updates;
        match state.chain.snapshot(last, &mut levels) {
            Joined::Book { last } => {
                self.whole(listed, ts_event, last, ts_recv, &levels, batch);
            }
            Joined::Redundant => self.desk.tally.add(REDUNDANT_SNAPSHOT),
            Joined::Stale => {
                self.desk.tally.add(STALE_SNAPSHOT);
                self.gap(listed, ts_recv, ts_recv, GapReason::NoSnapshot, None, batch);
            }
        }
        self.levels = levels;
    }

    fn picture(
        &mut self,
        listed: Listed,
        ts_event: Option<Ts>,
        last: u64,
        ts_recv: Ts,
        batch: &mut Batch,
    ) {
        let state = self.state(listed);
        if state.book == BookFrom::Updates {
            return self.desk.tally.add(PICTURE_BESIDE_UPDATES);
        }
        state.book = BookFrom::Pictures;
        let levels = std::mem::take(&mut self.levels);
        self.whole(listed, ts_event, last, ts_recv, &levels, batch);
        self.levels = levels;
    }

    /// Writes a whole book.
    fn whole(
        &mut self,
        listed: Listed,
        ts_event: Option<Ts>,
        last: u64,
        ts_recv: Ts,
        levels: &[Level],
        batch: &mut Batch,
    ) {
        let head = self.desk.head(Kind::Depth, listed, ts_event, ts_recv);
        let (action, last_id) = (DepthAction::Snapshot, Some(last));
        batch.push_row(Depth { head, action, first_id: None, last_id, prev_id: None }, levels);
    }

    fn gap(
        &mut self,
        listed: Listed,
        from: Ts,
        to: Ts,
        reason: GapReason,
        missing: Option<u64>,
        batch: &mut Batch,
    ) {
        let head = self.desk.head(Kind::Gap, listed, None, to);
        batch.push_row(Gap { head, from, to, reason, missing }, &[]);
    }

    #[inline]
    fn quote(
        &mut self,
        listed: Listed,
        ts_event: Option<Ts>,
        quote: Touch,
        ts_recv: Ts,
        batch: &mut Batch,
    ) {
        let head = self.desk.head(Kind::Quote, listed, ts_event, ts_recv);
        let Touch { bid, ask, id } = quote;
        let row = Quote {
            head,
            bid_px: bid.map(|(px, _)| px),
            bid_qty: bid.map(|(_, qty)| qty),
            ask_px: ask.map(|(px, _)| px),
            ask_qty: ask.map(|(_, qty)| qty),
            id,
        };
        batch.push_row(row, &[]);
    }

    fn print(
        &mut self,
        listed: Listed,
        ts_event: Ts,
        print: Print,
        ts_recv: Ts,
        batch: &mut Batch,
    ) {
        let Print { stream, px, qty, side, id } = print;
        if *self.state(listed).prints.get_or_insert(stream) != stream {
            return self.desk.tally.add(PRINT_TWICE);
        }
        let head = self.desk.head(Kind::Trade, listed, Some(ts_event), ts_recv);
        batch.push_row(Trade { head, px, qty, side: Some(side), id: Some(id) }, &[]);
    }

    fn mark(
        &mut self,
        listed: Listed,
        ts_event: Ts,
        mark: &MarkPrice,
        ts_recv: Ts,
        batch: &mut Batch,
    ) {
        if let Some((rate, due)) = mark.funding {
            let head = self.desk.head(Kind::Funding, listed, Some(ts_event), ts_recv);
            batch.push_row(Funding { head, rate, due, interval_ns: None }, &[]);
        }
        let head = self.desk.head(Kind::Mark, listed, Some(ts_event), ts_recv);
        batch.push_row(Mark { head, mark_px: mark.mark, index_px: mark.index }, &[]);
    }

    fn bar(&mut self, listed: Listed, bar: &ClosedBar, ts_recv: Ts, batch: &mut Batch) {
        let head = self.desk.head(Kind::Bar, listed, Some(bar.close_ts), ts_recv);
        let [open, high, low, close] = bar.prices;
        let row = Bar {
            head,
            clock: BarClock::Time,
            step: Decimal::from(bar.close_ts.since(bar.open_ts)),
            open_ts: bar.open_ts,
            open,
            high,
            low,
            close,
            volume: bar.volume,
            buy_volume: bar.buy_volume,
            notional: bar.notional,
            trades: bar.trades,
        };
        batch.push_row(row, &[]);
    }
}

/// Updates whose numbers are all known already.
pub const OLD_UPDATE: &str = "depth updates that are old";
/// Holes in the numbers of depth updates.
pub const SEQUENCE_GAP: &str = "gaps in the sequence of depth updates";
/// Snapshots that no kept update reaches back to.
pub const STALE_SNAPSHOT: &str = "snapshots too old to join";
/// Snapshots older than what is kept, while there is a book.
pub const REDUNDANT_SNAPSHOT: &str = "snapshots of a book that is known";
/// Pictures of the best levels, where the updates of the whole book come as well.
pub const PICTURE_BESIDE_UPDATES: &str = "pictures of a book that is known";
/// Prints of the second stream of prints.
pub const PRINT_TWICE: &str = "prints that come as trades and as aggregates";

impl Decoder for Binance {
    #[inline]
    fn frame(&mut self, frame: Frame<'_>, batch: &mut Batch) -> Result<(), DecodeError> {
        self.levels.clear();
        if let Some(said) = quick::read(frame.bytes, &mut self.desk.listing, &mut self.levels) {
            self.desk.open(frame.ts_recv, batch);
            self.emit(said, frame.ts_recv, batch);
            return Ok(());
        }
        self.levels.clear();
        let (market, subject) = (self.market, self.subject.as_deref());
        let (desk, levels) = (&mut self.desk, &mut self.levels);
        let all = Reader { market, desk, subject, levels }.read(frame.bytes)?;
        self.desk.open(frame.ts_recv, batch);
        for said in all {
            self.emit(said, frame.ts_recv, batch);
        }
        Ok(())
    }

    fn reply(&mut self, url: &str, frame: Frame<'_>, batch: &mut Batch) -> Result<(), DecodeError> {
        let query = url.split_once('?').map_or("", |(_, query)| query);
        let symbol = query.split('&').find_map(|pair| pair.strip_prefix("symbol="));
        let before = self.subject.clone();
        if let Some(symbol) = symbol {
            self.subject = Some(symbol.to_uppercase());
        }
        let read = self.frame(frame, batch);
        self.subject = before;
        read
    }

    fn tally(&self) -> &Tally {
        &self.desk.tally
    }
}
