//! Records out of the store, in order and in bounded memory.
//!
//! A series, which is one kind of one symbol, is read in the order of its table: day by day, a part
//! of bounded size at a time, each by a query of its own that goes on where the last one ended. So no
//! query waits for a slow reader, and one that failed is asked again.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use qt_model::ids::InstrumentId;
use qt_model::instrument::{Instruments, Symbol};
use qt_model::record::{Batch, Kind, Source};
use qt_model::time::{Date, Ts};

use crate::contents::Day;
use crate::error::StoreError;
use crate::native;
use crate::store::{Store, select};
use crate::tables::{Cell, Column, literal};

/// What is wanted of the store.
#[derive(Clone, Copy)]
pub struct Wanted<'a> {
    pub from: Ts,
    pub to: Ts,
    pub kinds: &'a dyn Fn(Kind) -> bool,
    pub symbols: &'a dyn Fn(Option<&Symbol>) -> bool,
}

impl std::fmt::Debug for Wanted<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Wanted").field("from", &self.from).field("to", &self.to).finish()
    }
}

/// A series that has something of what is wanted.
#[derive(Clone, Debug)]
pub struct Part {
    pub kind: Kind,
    pub symbol: Option<Symbol>,
    pub first: Ts,
    pub rows: u64,
    days: Vec<Date>,
    span: (Ts, Ts),
}

/// Bytes of answers that all series together should hold.
const HELD_BYTES: u64 = 64 << 20;

/// Rows of one answer: few at first, since nobody knows how large they are.
const ROWS_FIRST: u64 = 4096;
const ROWS_MAX: u64 = 1 << 17;

/// How often a query that failed is asked again.
const TRIES: u32 = 5;

impl Store {
    /// The series that have something of what is wanted.
    pub fn parts(&self, wanted: &Wanted<'_>) -> Result<Vec<Part>, StoreError> {
        let kinds: Vec<Kind> =
            Kind::ALL.iter().copied().filter(|kind| (wanted.kinds)(*kind)).collect();
        let mut parts: Vec<Part> = Vec::new();
        for day in self.days(&kinds, wanted.from, wanted.to)? {
            let Day { kind, symbol, date, rows, first, .. } = day;
            if !(wanted.symbols)(symbol.as_ref()) {
                continue;
            }
            match parts.last_mut().filter(|part| part.kind == kind && part.symbol == symbol) {
                Some(part) => {
                    part.days.push(date);
                    part.rows += rows;
                    part.first = part.first.min(first);
                }
                None => {
                    let (days, span) = (vec![date], (wanted.from, wanted.to));
                    parts.push(Part { kind, symbol, first, rows, days, span });
                }
            }
        }
        Ok(parts)
    }
}

impl Part {
    /// The days on which it has something.
    pub fn days(&self) -> &[Date] {
        &self.days
    }
}

/// One series as a source of batches.
#[derive(Debug)]
pub struct Series {
    store: Arc<Store>,
    part: Part,
    columns: Vec<Column>,
    instrument: Option<InstrumentId>,
    instruments: Arc<Instruments>,
    /// The day that is read, by its place.
    day: usize,
    /// The last record read, and how many were equal to it in time and number.
    last: Option<(Ts, u64, u64)>,
    rows: u64,
    held_bytes: u64,
}

impl Series {
    /// `series` is how many are read at one time: they share the memory.
    pub fn new(store: &Arc<Store>, part: Part, series: usize) -> Self {
        let of_symbol = |column: &&Column| column.cell != Cell::Symbol;
        let columns = store.table(part.kind).columns.iter().filter(of_symbol).cloned().collect();
        let held_bytes = (HELD_BYTES / series.max(1) as u64).max(1 << 17);
        Self {
            store: Arc::clone(store),
            part,
            columns,
            instrument: None,
            instruments: Arc::default(),
            day: 0,
            last: None,
            rows: ROWS_FIRST,
            held_bytes,
        }
    }

    /// The instruments of all that is read together, to be told before the first record is read:
    /// one of them is that of the series.
    pub fn set_instruments(&mut self, instruments: Arc<Instruments>) {
        let symbol = self.part.symbol.as_ref();
        self.instrument = symbol.and_then(|symbol| instruments.find(symbol.as_str()));
        self.instruments = instruments;
    }

    fn query(&self, date: Date) -> String {
        let table = self.store.table(self.part.kind);
        let symbol = self.part.symbol.as_ref().map_or("", |symbol| symbol.as_str());
        let from = self.part.span.0.max(date.start());
        let to = self.part.span.1.min(date.plus_days(1).start());
        let (behind, skipped) = match self.last {
            Some((ts, seq, count)) => {
                let ts = ts.nanos();
                let at = format!("fromUnixTimestamp64Nano({ts}, 'UTC')");
                (format!(" AND ts_recv >= {at} AND (ts_recv > {at} OR seq >= {seq})"), count)
            }
            None => (String::new(), 0),
        };
        format!(
            "SELECT {} FROM {}{} WHERE sym = {} AND ts_recv >= fromUnixTimestamp64Nano({}, 'UTC') \
             AND ts_recv < fromUnixTimestamp64Nano({}, 'UTC'){behind} ORDER BY ts_recv, seq LIMIT \
             {} OFFSET {skipped}",
            select(&self.columns),
            self.store.place(table.name),
            if table.is_replacing() { " FINAL" } else { "" },
            literal(symbol),
            from.nanos(),
            to.nanos(),
            self.rows
        )
    }

    /// Asks, a few times if need be.
    fn answer(&self, sql: &str) -> Result<bytes::Bytes, StoreError> {
        let mut wait = Duration::from_millis(250);
        for _ in 1..TRIES {
            match self.store.client.bytes(sql, "Native") {
                Err(error) if error.is_passing() => {
                    tracing::info!("{error}; asking again");
                    thread::sleep(wait);
                    wait *= 2;
                }
                other => return other,
            }
        }
        self.store.client.bytes(sql, "Native")
    }

    fn decode(&self, answer: &[u8], batch: &mut Batch) -> Result<(), String> {
        let table = self.store.table(self.part.kind);
        for block in native::blocks(answer, &self.columns)? {
            native::rows(table, &self.columns, &block, self.instrument, batch)?;
        }
        Ok(())
    }

    /// Notes where to go on, and how much to ask for next.
    fn note(&mut self, batch: &Batch, bytes: usize) {
        let Some(at) = batch.len().checked_sub(1) else { return };
        let key = |at: usize| (batch.head(at).ts_recv, batch.head(at).seq);
        let (ts, seq) = key(at);
        let mut equal = (0..=at).rev().take_while(|at| key(*at) == (ts, seq)).count() as u64;
        if let Some((last, number, count)) = self.last
            && (last, number) == (ts, seq)
        {
            equal += count;
        }
        self.last = Some((ts, seq, equal));
        let row_bytes = (bytes as u64 / batch.len() as u64).max(1);
        self.rows = (self.held_bytes / row_bytes).clamp(256, ROWS_MAX);
    }
}

impl Source for Series {
    type Error = StoreError;

    fn next(&mut self, batch: &mut Batch) -> Result<bool, StoreError> {
        batch.clear();
        *batch = Batch::new(Arc::clone(&self.instruments));
        if let (Some(symbol), None) = (&self.part.symbol, self.instrument) {
            let message = format!("names {symbol}, of which no terms are known");
            return Err(self.store.client.misread(message));
        }
        while let Some(date) = self.part.days.get(self.day).copied() {
            let answer = self.answer(&self.query(date))?;
            let decoded = self.decode(&answer, batch);
            decoded.map_err(|message| self.store.client.misread(message))?;
            let is_short = (batch.len() as u64) < self.rows;
            self.note(batch, answer.len());
            if is_short {
                (self.day, self.last) = (self.day + 1, None);
            }
            if !batch.is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
