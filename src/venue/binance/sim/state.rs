//! The venue at one moment of its stream: books, numbers, and who listens to what.

use std::collections::{BTreeMap, BTreeSet};

use qt_market::book::{PriceBook, State as BookState};
use qt_model::ids::InstrumentId;
use qt_model::instrument::Instruments;
use qt_model::record::{Depth, Level};
use qt_model::units::Qty;
use qt_model::words::{DepthAction, Side};
use tokio::sync::mpsc::Sender;
use tokio_tungstenite::tungstenite::Utf8Bytes;

use super::super::Market;
use super::instruments::Face;
use super::messages::{Ids, TimeUnit};

/// What a socket is told.
#[derive(Debug)]
pub(super) enum Out {
    Text(Utf8Bytes),
    /// The connection ends here without a word.
    Cut,
}

/// A stream of messages about one instrument.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Channel {
    Trade,
    AggTrade,
    BookTicker,
    Depth,
    Best(usize),
    MarkPrice,
}

#[derive(Debug)]
pub(super) struct Entry {
    pub(super) face: Face,
    pub(super) book: PriceBook,
    pub(super) last: u64,
    pub(super) trade_id: u64,
    pub(super) funding: String,
}

/// One subscription of one connection.
#[derive(Clone, Debug)]
pub(super) struct Listener {
    pub(super) connection: u64,
    /// The name as the client wrote it.
    pub(super) stream: String,
}

#[derive(Debug)]
pub(super) struct Client {
    pub(super) market: Market,
    pub(super) sender: Sender<Vec<Out>>,
    pub(super) waiting: Vec<Out>,
    pub(super) is_combined: bool,
    pub(super) unit: TimeUnit,
    pub(super) streams: BTreeSet<String>,
}

#[derive(Debug, Default)]
pub(super) struct Venue {
    pub(super) entries: Vec<Entry>,
    by_id: BTreeMap<usize, usize>,
    pub(super) clients: BTreeMap<u64, Client>,
    listeners: BTreeMap<(usize, Channel), Vec<Listener>>,
    next_client: u64,
    /// Books that were asked for since connections were last cut.
    pub(super) books_asked: u64,
}

impl Venue {
    /// Takes in instruments that the stream has declared since.
    pub(super) fn know(&mut self, table: &Instruments, market: Market) {
        for (at, instrument) in table.iter().enumerate().skip(self.by_id.len()) {
            let market = Market::of_venue(instrument.symbol.venue()).unwrap_or(market);
            self.by_id.insert(at, self.entries.len());
            self.entries.push(Entry {
                face: Face::new(instrument, market),
                book: PriceBook::default(),
                last: 0,
                trade_id: 0,
                funding: "0.00010000".to_owned(),
            });
        }
    }

    pub(super) fn place(&self, id: InstrumentId) -> Option<usize> {
        self.by_id.get(&id.index()).copied()
    }

    pub(super) fn find(&self, market: Market, name: &str) -> Option<&Entry> {
        self.entries.iter().find(|it| it.face.market == market && it.face.name == name)
    }

    pub(super) fn of_market(&self, market: Market) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(move |entry| entry.face.market == market)
    }

    pub(super) fn join(&mut self, client: Client) -> u64 {
        let id = self.next_client;
        self.next_client += 1;
        self.clients.insert(id, client);
        id
    }

    pub(super) fn leave(&mut self, client: u64) {
        self.clients.remove(&client);
        for listeners in self.listeners.values_mut() {
            listeners.retain(|listener| listener.connection != client);
        }
    }

    pub(super) fn subscribe(&mut self, client: u64, stream: &str) {
        let Some(known) = self.clients.get_mut(&client) else { return };
        // A name that means nothing here is taken and stays silent, as at the venue.
        if known.streams.insert(stream.to_owned())
            && let Some(key) = self.key(client, stream)
        {
            let listener = Listener { connection: client, stream: stream.to_owned() };
            self.listeners.entry(key).or_default().push(listener);
        }
    }

    pub(super) fn unsubscribe(&mut self, client: u64, stream: &str) {
        let Some(known) = self.clients.get_mut(&client) else { return };
        known.streams.remove(stream);
        for listeners in self.listeners.values_mut() {
            listeners.retain(|it| it.connection != client || it.stream != stream);
        }
    }

    fn key(&self, client: u64, stream: &str) -> Option<(usize, Channel)> {
        let market = self.clients.get(&client)?.market;
        let (name, rest) = stream.split_once('@')?;
        let is_it = |entry: &Entry| entry.face.market == market && entry.face.lower == name;
        let at = self.entries.iter().position(is_it)?;
        Some((at, channel(rest)?))
    }

    pub(super) fn listeners(&self, at: usize, channel: Channel) -> &[Listener] {
        self.listeners.get(&(at, channel)).map_or(&[], Vec::as_slice)
    }

    /// Subscriptions of all connections.
    pub(super) fn streams(&self) -> usize {
        self.clients.values().map(|client| client.streams.len()).sum()
    }
}

/// `depth@100ms` and its like. Speeds make no difference: the stream has the speed it has.
fn channel(name: &str) -> Option<Channel> {
    let (kind, speed) = name.split_once('@').map_or((name, None), |(kind, it)| (kind, Some(it)));
    let is_speed =
        matches!(speed, None | Some("0ms" | "100ms" | "250ms" | "500ms" | "1000ms" | "1s"));
    let channel = match kind {
        "trade" => Channel::Trade,
        "aggTrade" => Channel::AggTrade,
        "bookTicker" => Channel::BookTicker,
        "depth" => Channel::Depth,
        "depth5" => Channel::Best(5),
        "depth10" => Channel::Best(10),
        "depth20" => Channel::Best(20),
        "markPrice" => Channel::MarkPrice,
        _ => return None,
    };
    is_speed.then_some(channel)
}

impl Entry {
    /// Applies a depth record. What the venue would send of it: changed levels and their numbers,
    /// or nothing, for a first book.
    pub(super) fn apply(&mut self, row: &Depth, levels: &[Level]) -> Option<(Ids, Vec<Level>)> {
        match row.action {
            DepthAction::Delta => {
                let first = row.first_id.unwrap_or(self.last + 1);
                let last = row.last_id.unwrap_or(first);
                let ids = Ids { first, last, prev: row.prev_id.unwrap_or(self.last) };
                self.book.apply(row, levels);
                self.last = last;
                Some((ids, levels.to_vec()))
            }
            DepthAction::Snapshot => {
                let had_book = self.book.state() == BookState::Live;
                let changes = if had_book { changes(&self.book, levels) } else { Vec::new() };
                self.book.apply(row, levels);
                let before = self.last;
                let last =
                    row.last_id.unwrap_or(if changes.is_empty() { before } else { before + 1 });
                if last <= before && before > 0 && changes.is_empty() {
                    return None;
                }
                self.last = last.max(before);
                if !had_book {
                    return None;
                }
                // The venue has no snapshots on its streams: what changed goes out as an update.
                let last = self.last.max(before + 1);
                self.last = last;
                Some((Ids { first: before + 1, last, prev: before }, changes))
            }
        }
    }
}

/// The update that makes one book of another.
fn changes(book: &PriceBook, levels: &[Level]) -> Vec<Level> {
    let mut changes = Vec::new();
    let is_new = |level: &&Level| book.at(level.side, level.px) != Some(level.qty);
    changes.extend(levels.iter().filter(is_new).filter(|level| !level.qty.is_zero()));
    let there = |side: Side| levels.iter().filter(move |l| l.side == side).map(|l| l.px);
    for (side, resting) in [
        (Side::Buy, book.bids().map(|it| it.px).collect::<Vec<_>>()),
        (Side::Sell, book.asks().map(|it| it.px).collect::<Vec<_>>()),
    ] {
        let kept: BTreeSet<_> = there(side).collect();
        let gone = resting.into_iter().filter(|px| !kept.contains(px));
        changes.extend(gone.map(|px| Level { px, qty: Qty::ZERO, side }));
    }
    changes
}
