//! Tells the stream to whoever listens.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "the venue tells of a few kinds of records, and passes over all others"
)]

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use qt_model::record::{Batch, Depth, Level, Record};
use qt_model::time::Ts;
use tokio::sync::Notify;
use tokio::sync::mpsc::Receiver;
use tokio::sync::mpsc::error::TrySendError;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::{Bytes, Utf8Bytes};

use super::faults::{Fault, Injector};
use super::messages::{self, Ids, TimeUnit};
use super::state::{Channel, Out, Venue};
use super::{Options, Pace};

/// The venue, shared by its tasks. Nobody holds it over an await.
#[derive(Clone, Debug, Default)]
pub(super) struct Shared {
    venue: Arc<Mutex<Venue>>,
    /// Rings when somebody subscribes or leaves.
    pub(super) bell: Arc<Notify>,
    /// Told once the first books are known: nobody is answered before.
    pub(super) primed: Arc<Notify>,
    /// Connections that stand.
    pub(super) open: Arc<AtomicU64>,
}

impl Shared {
    pub(super) fn lock(&self) -> MutexGuard<'_, Venue> {
        self.venue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Messages that go to a connection together at full speed.
const CHUNK: u64 = 128;

pub(super) struct Player {
    shared: Shared,
    options: Options,
    injector: Injector,
    /// When the stream began here, and at which of its times.
    start: Option<(Instant, Ts)>,
    /// The update of each instrument that goes out behind its next one.
    held: Vec<(usize, Depth, Ids, Vec<Level>)>,
    waiting: u64,
    pub(super) told: u64,
}

impl Player {
    pub(super) fn new(shared: &Shared, options: &Options) -> Self {
        Self {
            shared: shared.clone(),
            options: options.clone(),
            injector: Injector::new(options.faults),
            start: None,
            held: Vec::new(),
            waiting: 0,
            told: 0,
        }
    }

    /// Tells all batches, and returns behind the last.
    pub(super) async fn play(&mut self, batches: &mut Receiver<Batch>) {
        while let Some(batch) = batches.recv().await {
            self.shared.lock().know(batch.instruments(), self.options.market);
            for record in batch.iter() {
                self.record(record).await;
            }
            if self.options.pace != Pace::Max {
                self.flush().await;
            }
        }
        self.shared.primed.notify_one();
        self.flush().await;
    }

    async fn record(&mut self, record: Record<'_>) {
        let Some(at) = record.head().instrument.and_then(|id| self.shared.lock().place(id)) else {
            return;
        };
        if !self.is_audible(&record, at) {
            return;
        }
        self.shared.primed.notify_one();
        self.hold().await;
        self.keep_pace(record.head().ts_recv).await;
        self.tell(record, at);
        self.told += 1;
        if self.injector.cuts() {
            self.cut().await;
        } else if self.waiting >= CHUNK {
            self.flush().await;
        }
    }

    /// Whether anything goes out of a record. A first book is taken in without a word, so that it
    /// is there before the first client asks.
    fn is_audible(&self, record: &Record<'_>, at: usize) -> bool {
        let mut venue = self.shared.lock();
        match record {
            Record::Depth(view) => {
                let is_first = venue.entries[at].book.state() != qt_market::book::State::Live
                    && view.row.action == qt_model::words::DepthAction::Snapshot;
                if is_first {
                    venue.entries[at].apply(view.row, view.levels);
                }
                !is_first
            }
            Record::Funding(view) => {
                venue.entries[at].funding = view.row.rate.to_string();
                false
            }
            Record::Trade(_) | Record::Quote(_) | Record::Mark(_) => true,
            _ => false,
        }
    }

    fn is_awaited(&self) -> bool {
        let venue = self.shared.lock();
        venue.streams() < self.options.await_streams || venue.books_asked < self.options.await_books
    }

    /// Waits while too few listen.
    async fn hold(&mut self) {
        while self.is_awaited() {
            self.flush().await;
            let bell = Arc::clone(&self.shared.bell);
            let mut rung = std::pin::pin!(bell.notified());
            // Rings between the look and the wait must not be missed.
            rung.as_mut().enable();
            if self.is_awaited() {
                rung.await;
            }
            // What was held back was not told: the clock of the stream begins anew.
            self.start = None;
        }
    }

    async fn keep_pace(&mut self, ts: Ts) {
        let Pace::Times(speed) = self.options.pace else { return };
        let now = Instant::now();
        let (start, first) = *self.start.get_or_insert((now, ts));
        let nanos = ts.since(first).max(0) as f64 / speed;
        // Over centuries the wait is as good as endless; a duration still has to hold it.
        let wait = Duration::try_from_secs_f64(nanos / 1e9).unwrap_or(Duration::from_secs(1 << 30));
        let due = start + wait;
        if due > now {
            self.flush().await;
            tokio::time::sleep_until(due).await;
        }
    }

    fn tell(&mut self, record: Record<'_>, at: usize) {
        let shared = self.shared.clone();
        let mut venue = shared.lock();
        match record {
            Record::Trade(view) => {
                let entry = &mut venue.entries[at];
                let id = view.row.id.unwrap_or(entry.trade_id + 1);
                entry.trade_id = id;
                self.send(&mut venue, at, Channel::Trade, |face, unit| {
                    messages::trade(face, view.row, id, unit)
                });
                self.send(&mut venue, at, Channel::AggTrade, |face, unit| {
                    messages::agg_trade(face, view.row, id, unit)
                });
            }
            Record::Quote(view) => {
                let id = view.row.id.unwrap_or(venue.entries[at].last);
                self.send(&mut venue, at, Channel::BookTicker, |face, unit| {
                    messages::quote(face, view.row, id, unit)
                });
            }
            Record::Mark(view) => {
                let funding = venue.entries[at].funding.clone();
                self.send(&mut venue, at, Channel::MarkPrice, |face, unit| {
                    messages::mark(face, view.row, &funding, unit)
                });
            }
            Record::Depth(view) => {
                if let Some((ids, levels)) = venue.entries[at].apply(view.row, view.levels) {
                    self.update(&mut venue, at, (*view.row, ids, levels));
                }
            }
            _ => {}
        }
    }

    fn update(&mut self, venue: &mut Venue, at: usize, update: (Depth, Ids, Vec<Level>)) {
        let behind = self.held.iter().position(|held| held.0 == at);
        let held = behind.map(|place| self.held.remove(place));
        let (row, ids, levels) = update;
        match self.injector.update() {
            Fault::Gap => {}
            Fault::Reorder if held.is_none() => {
                self.held.push((at, row, ids, levels));
                return;
            }
            Fault::Duplicate => {
                self.send_update(venue, at, &row, ids, &levels);
                self.send_update(venue, at, &row, ids, &levels);
            }
            Fault::None | Fault::Reorder => self.send_update(venue, at, &row, ids, &levels),
        }
        if let Some((at, row, ids, levels)) = held {
            self.send_update(venue, at, &row, ids, &levels);
        }
    }

    fn send_update(
        &mut self,
        venue: &mut Venue,
        at: usize,
        row: &Depth,
        ids: Ids,
        levels: &[Level],
    ) {
        self.send(venue, at, Channel::Depth, |face, unit| {
            messages::update(face, row, ids, levels, unit)
        });
        for depth in [5, 10, 20] {
            if venue.listeners(at, Channel::Best(depth)).is_empty() {
                continue;
            }
            let best: Vec<Level> = venue.entries[at].book.levels(depth).collect();
            self.send(venue, at, Channel::Best(depth), |face, unit| {
                messages::picture(face, row, ids, &best, unit)
            });
        }
    }

    /// Puts a message on its way to all that listen to a channel.
    fn send(
        &mut self,
        venue: &mut Venue,
        at: usize,
        channel: Channel,
        write: impl Fn(&super::instruments::Face, TimeUnit) -> Vec<u8>,
    ) {
        let mut written: [Option<Vec<u8>>; 2] = [None, None];
        for listener in venue.listeners(at, channel).to_vec() {
            let face = &venue.entries[at].face;
            let Some(client) = venue.clients.get_mut(&listener.connection) else { continue };
            let text =
                written[client.unit as usize].get_or_insert_with(|| write(face, client.unit));
            let text = if client.is_combined {
                let mut whole = format!(r#"{{"stream":"{}","data":"#, listener.stream).into_bytes();
                whole.extend_from_slice(text);
                whole.push(b'}');
                whole
            } else {
                text.clone()
            };
            let text = Utf8Bytes::try_from(Bytes::from(text)).expect("we write text");
            client.waiting.push(Out::Text(text));
            self.waiting += 1;
        }
    }

    /// Cuts all connections behind what they were sent.
    async fn cut(&mut self) {
        let clients: Vec<u64> = self.shared.lock().clients.keys().copied().collect();
        for client in &clients {
            if let Some(client) = self.shared.lock().clients.get_mut(client) {
                client.waiting.push(Out::Cut);
            }
        }
        self.waiting += 1;
        self.flush().await;
        let mut venue = self.shared.lock();
        clients.iter().for_each(|client| venue.leave(*client));
        venue.books_asked = 0;
    }

    /// Hands on what waits. At full speed the slowest client sets the pace; at a set pace whoever
    /// cannot keep it is cut off.
    async fn flush(&mut self) {
        if std::mem::take(&mut self.waiting) == 0 {
            return;
        }
        let mut ready = Vec::new();
        for (id, client) in &mut self.shared.lock().clients {
            if !client.waiting.is_empty() {
                ready.push((*id, client.sender.clone(), std::mem::take(&mut client.waiting)));
            }
        }
        for (id, sender, chunk) in ready {
            let has_left = match self.options.pace {
                Pace::Max => sender.send(chunk).await.is_err(),
                Pace::Times(_) => match sender.try_send(chunk) {
                    Ok(()) => false,
                    Err(TrySendError::Full(_) | TrySendError::Closed(_)) => true,
                },
            };
            if has_left {
                self.shared.lock().leave(id);
            }
        }
    }
}
