//! From what sessions hear to the pipeline: raw frames, decoding, numbering, and asking for books.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::time::Instant;

use qt_model::ids::InstrumentId;
use qt_model::record::{Batch, Gap, Head, Kind, Record};
use qt_model::time::Ts;
use qt_model::words::GapReason;
use qt_stream::raw::RawWriter;
use qt_stream::universe::Universe;
use qt_venue::Scales;
use qt_venue::binance::{Binance, Market};
use qt_venue::frame::{Decoder, Frame};
use qt_venue::session::{Ask, Asker, Heard};

use super::counters::Counters;
use super::ledger::Ledger;
use super::resume::Numbers;

/// One connection as the capture sees it.
#[derive(Debug)]
struct Line {
    symbols: Vec<String>,
    decoder: Binance,
    batch: Batch,
    /// The answer that tells the instruments: each new decoder hears it again.
    instruments: Option<(String, Vec<u8>)>,
    is_up: bool,
    was_up: bool,
    last: Option<Ts>,
    wants_books: bool,
}

/// What one venue says, as records.
pub struct Capture {
    market: Market,
    universe: Universe,
    lines: Vec<Line>,
    numbers: Numbers,
    raw: Option<RawWriter>,
    asker: Asker,
    counters: Arc<Counters>,
    /// Why messages were not understood, the first of each kind.
    refusals: BTreeMap<String, u64>,
}

impl std::fmt::Debug for Capture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Capture").field("market", &self.market).finish_non_exhaustive()
    }
}

impl Capture {
    pub fn new(
        market: Market,
        lines: Vec<Vec<String>>,
        wants_books: bool,
        numbers: Numbers,
        raw: Option<RawWriter>,
        asker: Asker,
        counters: &Arc<Counters>,
    ) -> Self {
        let universe = Universe::default();
        let line = |symbols: Vec<String>| Line {
            symbols,
            decoder: Binance::new(market, &universe, Scales::default()),
            batch: Batch::default(),
            instruments: None,
            is_up: false,
            was_up: false,
            last: None,
            wants_books,
        };
        Self {
            market,
            lines: lines.into_iter().map(line).collect(),
            universe: universe.clone(),
            numbers,
            raw,
            asker,
            counters: Arc::clone(counters),
            refusals: BTreeMap::new(),
        }
    }

    /// Takes in what was heard. Records wait until they are taken.
    pub fn hear(&mut self, heard: Heard, ledger: &mut Ledger) -> io::Result<()> {
        match heard {
            Heard::Message { line, ts, bytes } => {
                Counters::add(&self.counters.frames, 1);
                Counters::add(&self.counters.frame_bytes, bytes.len() as u64);
                ledger.event(ts);
                if let Some(raw) = &mut self.raw {
                    raw.write(ts, &bytes)?;
                }
                self.lines[line].last = Some(ts);
                self.decode(line, ts, None, &bytes);
            }
            Heard::Reply { line, ts, url, bytes } => self.reply(line, ts, &url, &bytes)?,
            Heard::Up { line, ts } => self.up(line, ts, ledger),
            Heard::Down { line, ts, reason } => {
                tracing::warn!("connection {line} of {}: {reason}", self.market.venue());
                self.lines[line].is_up = false;
                let stands = self.lines.iter().filter(|line| line.is_up).count();
                Counters::set(&self.counters.connections, stands as u64);
                ledger.offline(ts);
            }
            Heard::Lost { line, ts, count } => {
                Counters::add(&self.counters.frames_dropped, count);
                let from = self.lines[line].last.unwrap_or(ts);
                self.gaps(line, from, ts, GapReason::Overload, Some(count));
            }
        }
        Ok(())
    }

    fn reply(&mut self, line: usize, ts: Ts, url: &str, bytes: &[u8]) -> io::Result<()> {
        let is_book = url.contains("/depth?");
        if let Some(raw) = &mut self.raw
            && (is_book || line == 0)
        {
            raw.write(ts, &wrapped(url, bytes))?;
        }
        if !is_book {
            self.lines[line].instruments = Some((url.to_owned(), bytes.to_vec()));
        }
        self.decode(line, ts, Some(url), bytes);
        Ok(())
    }

    /// A connection without a past: what its decoder knew no longer holds.
    fn up(&mut self, at: usize, ts: Ts, ledger: &mut Ledger) {
        let was_up = std::mem::replace(&mut self.lines[at].was_up, true);
        self.lines[at].is_up = true;
        let stands = self.lines.iter().filter(|line| line.is_up).count();
        Counters::set(&self.counters.connections, stands as u64);
        if stands == self.lines.len() {
            ledger.online(ts);
        }
        if was_up {
            Counters::add(&self.counters.reconnects, 1);
            let from = self.lines[at].last.unwrap_or(ts);
            self.gaps(at, from, ts, GapReason::Disconnect, None);
        }
        self.lines[at].decoder = Binance::new(self.market, &self.universe, Scales::default());
        if let Some((url, bytes)) = self.lines[at].instruments.clone() {
            self.decode(at, ts, Some(&url), &bytes);
        }
        if self.lines[at].wants_books {
            for symbol in self.lines[at].symbols.clone() {
                self.asker.ask(Ask { line: at, symbol });
            }
        }
    }

    fn decode(&mut self, at: usize, ts: Ts, url: Option<&str>, bytes: &[u8]) {
        let line = &mut self.lines[at];
        let before = line.batch.len();
        let frame = Frame { ts_recv: ts, bytes };
        let decoded = match url {
            Some(url) => line.decoder.reply(url, frame, &mut line.batch),
            None => line.decoder.frame(frame, &mut line.batch),
        };
        if let Err(error) = decoded {
            Counters::add(&self.counters.frames_refused, 1);
            let count = self.refusals.entry(error.to_string()).or_default();
            *count += 1;
            if *count == 1 && self.refusals.len() <= 100 {
                tracing::warn!("a message of {} was not understood: {error}", self.market.venue());
            }
        }
        self.number(at, before);
    }

    /// Numbers what was added, and asks for the book of an instrument that has lost it.
    fn number(&mut self, at: usize, before: usize) {
        let line = &mut self.lines[at];
        for place in before..line.batch.len() {
            let head = *line.batch.head(place);
            let kind = line.batch.slots()[place].kind;
            line.batch
                .set_seq(place, self.numbers.next(kind, head.instrument, line.batch.instruments()));
        }
        for place in before..line.batch.len() {
            if let Record::Gap(view) = line.batch.get(place)
                && matches!(view.row.reason, GapReason::Sequence | GapReason::NoSnapshot)
                && let Some(id) = view.row.head.instrument
            {
                let symbol = line.batch.instruments().get(id).symbol.name().to_owned();
                self.asker.ask(Ask { line: at, symbol });
            }
        }
    }

    /// Says that something is missing, of each instrument of a connection that is known.
    fn gaps(&mut self, at: usize, from: Ts, to: Ts, reason: GapReason, missing: Option<u64>) {
        let table = self.universe.snapshot();
        let line = &mut self.lines[at];
        if line.batch.instruments().len() < table.len() {
            line.batch.set_instruments(Arc::clone(&table));
        }
        let before = line.batch.len();
        let ids: Vec<InstrumentId> = line
            .symbols
            .iter()
            .filter_map(|name| table.find(&format!("{}:{name}", self.market.venue())))
            .collect();
        for id in ids {
            let mut head = Head::new(to, to, 0, Some(id));
            head.has_event_time = false;
            line.batch.push_row(Gap { head, from, to, reason, missing }, &[]);
        }
        for place in before..line.batch.len() {
            let id = line.batch.head(place).instrument;
            let seq = self.numbers.next(Kind::Gap, id, line.batch.instruments());
            line.batch.set_seq(place, seq);
        }
    }

    /// Hands out what was decoded, a batch per connection.
    pub fn take(&mut self, mut give: impl FnMut(&Batch) -> io::Result<()>) -> io::Result<()> {
        for line in &mut self.lines {
            if !line.batch.is_empty() {
                give(&line.batch)?;
                line.batch.clear();
            }
        }
        Ok(())
    }

    /// Makes raw frames durable.
    pub fn sync(&mut self) -> io::Result<()> {
        let Some(raw) = &mut self.raw else { return Ok(()) };
        let started = Instant::now();
        raw.sync()?;
        let took = u64::try_from(started.elapsed().as_nanos()).unwrap_or(u64::MAX);
        Counters::peak(&self.counters.sync_ns_max, took);
        Ok(())
    }

    pub fn close(&mut self) -> io::Result<()> {
        self.raw.as_mut().map_or(Ok(()), RawWriter::close)
    }
}

/// An answer over REST as a message that names its instrument, so that it can be decoded again.
fn wrapped(url: &str, bytes: &[u8]) -> Vec<u8> {
    let query = url.split_once('?').map_or("", |(_, query)| query);
    let symbol = query.split('&').find_map(|pair| pair.strip_prefix("symbol="));
    let Some(symbol) = symbol else { return bytes.to_vec() };
    let mut out =
        format!(r#"{{"stream":"{}@depth@rest","data":"#, symbol.to_lowercase()).into_bytes();
    out.extend_from_slice(bytes);
    out.push(b'}');
    out
}
