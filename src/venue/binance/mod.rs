//! Binance: spot, USD-M and COIN-M futures, as their market streams and REST send them.
//!
//! Levels of depth are sequenced (see `crate::sequence`): updates go out as deltas in the order of their
//! numbers, a snapshot goes out as the book at the moment of its reception, and a hole is a `gap`.
//! Single trades and aggregates tell of the same prints, and pictures of the best levels of the same
//! book as the updates: of each pair one makes records, the other is counted.

mod general;
mod market;
mod quick;
mod said;
pub mod sim;
mod terms;
#[cfg(test)]
mod tests;

use qt_model::record::{Bar, Batch, Funding, Kind, Level, Mark};
use qt_model::time::Ts;
use qt_model::words::{BarClock, DepthAction, GapReason};
use qt_stream::universe::Universe;
use rust_decimal::Decimal;

pub use market::Market;

use general::Reader;
use said::{ClosedBar, MarkPrice, Prints, Said};

use crate::desk::{About, Desk, Ids};
use crate::frame::{DecodeError, Decoder, Frame};
use crate::json::Tape;
use crate::listing::{Listed, Scales};
use crate::sequence::{Chain, Joined, Place, Update};
use crate::tally::Tally;

/// The decoder of one market. See the module.
#[derive(Debug)]
pub struct Binance {
    market: Market,
    desk: Desk,
    subject: Option<String>,
    tape: Tape,
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
            tape: Tape::default(),
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
        let about = |listed, ts_event| About { listed, ts_event, ts_recv };
        match said {
            Said::Update { listed, ts_event, update } => {
                self.update(about(listed, ts_event), update, batch);
            }
            Said::Quote { listed, ts_event, quote } => {
                self.desk.quote(about(listed, ts_event), quote, batch);
            }
            Said::Print { listed, ts_event, stream, print } => {
                if *self.state(listed).prints.get_or_insert(stream) != stream {
                    return self.desk.tally.add(PRINT_TWICE);
                }
                self.desk.trade(about(listed, Some(ts_event)), print, batch);
            }
            Said::Snapshot { listed, ts_event, last } => {
                self.snapshot(about(listed, ts_event), last, batch);
            }
            Said::Picture { listed, ts_event, last } => {
                self.picture(about(listed, ts_event), last, batch);
            }
            Said::Mark { listed, ts_event, mark } => {
                self.mark(about(listed, Some(ts_event)), &mark, batch);
            }
            Said::Bar { listed, bar } => {
                self.bar(about(listed, Some(bar.close_ts)), &bar, batch);
            }
            Said::Left(reason) => self.desk.tally.add(reason),
        }
    }

    fn update(&mut self, about: About, update: Update, batch: &mut Batch) {
        let levels = std::mem::take(&mut self.levels);
        let state = self.state(about.listed);
        let had_pictures = state.book == BookFrom::Pictures;
        state.book = BookFrom::Updates;
        let place = state.chain.update(update, &levels);
        let before = state.updated.replace(about.ts_recv).unwrap_or(about.ts_recv);
        if had_pictures {
            // The book of pictures ends here: it has too few levels for updates to amend it.
            self.desk.gap(about, about.ts_recv, GapReason::NoSnapshot, None, batch);
        }
        match place {
            Place::Old => self.desk.tally.add(OLD_UPDATE),
            Place::Gap { missing } => {
                self.desk.tally.add(SEQUENCE_GAP);
                self.desk.gap(about, before, GapReason::Sequence, missing, batch);
            }
            Place::Next => {}
        }
        if place != Place::Old {
            let Update { first, last, prev } = update;
            let ids = Ids { first: Some(first), last: Some(last), prev };
            self.desk.depth(about, DepthAction::Delta, ids, &levels, batch);
        }
        self.levels = levels;
    }

    fn snapshot(&mut self, about: About, last: u64, batch: &mut Batch) {
        let mut levels = std::mem::take(&mut self.levels);
        let state = self.state(about.listed);
        state.book = BookFrom::Updates;
        match state.chain.snapshot(last, &mut levels) {
            Joined::Book { last } => {
                let ids = Ids { last: Some(last), ..Ids::default() };
                self.desk.depth(about, DepthAction::Snapshot, ids, &levels, batch);
            }
            Joined::Redundant => self.desk.tally.add(REDUNDANT_SNAPSHOT),
            Joined::Stale => {
                self.desk.tally.add(STALE_SNAPSHOT);
                self.desk.gap(about, about.ts_recv, GapReason::NoSnapshot, None, batch);
            }
        }
        self.levels = levels;
    }

    fn picture(&mut self, about: About, last: u64, batch: &mut Batch) {
        let state = self.state(about.listed);
        if state.book == BookFrom::Updates {
            return self.desk.tally.add(PICTURE_BESIDE_UPDATES);
        }
        state.book = BookFrom::Pictures;
        let ids = Ids { last: Some(last), ..Ids::default() };
        self.desk.depth(about, DepthAction::Snapshot, ids, &self.levels, batch);
    }

    fn mark(&mut self, about: About, mark: &MarkPrice, batch: &mut Batch) {
        if let Some((rate, due)) = mark.funding {
            let head = self.desk.head(Kind::Funding, about);
            batch.push_row(Funding { head, rate, due, interval_ns: None }, &[]);
        }
        let head = self.desk.head(Kind::Mark, about);
        batch.push_row(Mark { head, mark_px: mark.mark, index_px: mark.index }, &[]);
    }

    fn bar(&mut self, about: About, bar: &ClosedBar, batch: &mut Batch) {
        let head = self.desk.head(Kind::Bar, about);
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
pub const SEQUENCE_GAP: &str = crate::tally::left::GAP;
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
        let message = self.tape.read(frame.bytes)?;
        let (market, subject) = (self.market, self.subject.as_deref());
        let (desk, levels) = (&mut self.desk, &mut self.levels);
        let all = Reader { market, desk, subject, levels }.read(message)?;
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
