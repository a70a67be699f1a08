//! Days to trade on: a synthetic one, or a file in the layout of hftbacktest.

use std::sync::Arc;

use qt_model::instrument::{Instrument, Instruments, Symbol};
use qt_model::record::{Batch, Depth, Head, Kind, Level, Source, Trade};
use qt_model::time::Ts;
use qt_model::units::{Px, Qty, Scale};
use qt_model::words::{DepthAction, Side};
use qt_sim::synth::{Config, Faults, Market, Spec};
use rust_decimal::Decimal;

const RECORDS_PER_BATCH: usize = 8_192;
const SYNTHETIC_RECORDS: u64 = 5_000_000;

/// Depth and trades of one instrument.
pub(crate) fn synthetic() -> Vec<Arc<Batch>> {
    let config = Config {
        instruments: Spec::known().into_iter().take(1).collect(),
        duration_ns: None,
        events: Some(SYNTHETIC_RECORDS),
        faults: Faults::NONE,
        ..Config::default()
    };
    let mut market = Market::new(&config).expect("a good configuration");
    let mut batches = Vec::new();
    let mut batch = Batch::new(market.instruments().clone());
    while market.next(&mut batch).is_ok_and(|is_more| is_more) {
        let mut kept = Batch::new(market.instruments().clone());
        let is_wanted = |kind: Kind| matches!(kind, Kind::Depth | Kind::Trade);
        for record in batch.iter().filter(|record| is_wanted(record.kind())) {
            kept.push(record);
        }
        batches.push(Arc::new(kept));
    }
    batches
}

/// One record of the file: what it is, both clocks, price and size.
struct Row {
    event: u64,
    ts_event: Ts,
    ts_recv: Ts,
    px: f64,
    qty: f64,
}

const ROW_BYTES: usize = 64;
const BUY: u64 = 1 << 29;
const DEPTH: u64 = 1;
const TRADE: u64 = 2;
const SNAPSHOT: u64 = 4;
/// Such days have a tick of 0.1 and a lot of 0.001.
const PX_SCALE: u8 = 1;
const QTY_SCALE: u8 = 3;

/// A file whose prices have one decimal and whose sizes three.
pub(crate) fn of_file(path: &str) -> Vec<Arc<Batch>> {
    let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("{path}: {error}"));
    assert!(bytes.starts_with(b"\x93NUMPY"), "{path} is no .npy file");
    let header = usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    let rows = &bytes[10 + header..];
    assert!(rows.len().is_multiple_of(ROW_BYTES), "{path}: expected records of {ROW_BYTES} bytes");
    let mut day = Day::new();
    for row in rows.chunks_exact(ROW_BYTES) {
        let word = |at: usize| {
            u64::from_le_bytes(row[8 * at..8 * at + 8].try_into().expect("eight bytes"))
        };
        day.take(&Row {
            event: word(0),
            ts_event: Ts::from_nanos(word(1).cast_signed()),
            ts_recv: Ts::from_nanos(word(2).cast_signed()),
            px: f64::from_bits(word(3)),
            qty: f64::from_bits(word(4)),
        });
    }
    day.finish()
}

struct Day {
    instruments: Arc<Instruments>,
    batch: Batch,
    done: Vec<Arc<Batch>>,
    snapshot: Vec<Level>,
    snapshot_head: Option<Head>,
}

impl Day {
    fn new() -> Self {
        let scale = |digits| Scale::new(digits).expect("few digits");
        let symbol = Symbol::new("peer:DAY").expect("a plain name");
        let mut instrument = Instrument::new(symbol, scale(PX_SCALE), scale(QTY_SCALE));
        instrument.terms.tick = Some(Decimal::new(1, u32::from(PX_SCALE)));
        instrument.terms.lot = Some(Decimal::new(1, u32::from(QTY_SCALE)));
        let mut instruments = Instruments::default();
        instruments.declare(instrument).expect("the first one");
        let instruments = Arc::new(instruments);
        let batch = Batch::new(Arc::clone(&instruments));
        Self { instruments, batch, done: Vec::new(), snapshot: Vec::new(), snapshot_head: None }
    }

    fn take(&mut self, row: &Row) {
        let id = self.instruments.find("peer:DAY");
        let head = Head::new(row.ts_event, row.ts_recv, 0, id);
        let side = if row.event & BUY != 0 { Side::Buy } else { Side::Sell };
        // The file holds doubles of decimals; the nearest unit is the decimal that was meant.
        let units = |value: f64, digits: u8| (value * 10_f64.powi(digits.into())).round() as i64;
        let px = Px::new(units(row.px, PX_SCALE));
        let qty = Qty::new(units(row.qty, QTY_SCALE)).expect("a size is never negative");
        let level = Level { px, qty, side };
        match row.event & 0xff {
            SNAPSHOT => {
                self.snapshot_head.get_or_insert(head);
                self.snapshot.push(level);
            }
            DEPTH => {
                self.end_snapshot();
                self.batch.push_row(depth(head, DepthAction::Delta), &[level]);
            }
            TRADE => {
                self.end_snapshot();
                self.batch.push_row(Trade { head, px, qty, side: Some(side), id: None }, &[]);
            }
            other => panic!("event {other} has no place in a day of depth and trades"),
        }
        if self.batch.len() == RECORDS_PER_BATCH {
            self.end_batch();
        }
    }

    fn end_snapshot(&mut self) {
        if let Some(head) = self.snapshot_head.take() {
            self.batch.push_row(depth(head, DepthAction::Snapshot), &self.snapshot);
        }
    }

    fn end_batch(&mut self) {
        let fresh = Batch::new(Arc::clone(&self.instruments));
        self.done.push(Arc::new(std::mem::replace(&mut self.batch, fresh)));
    }

    fn finish(mut self) -> Vec<Arc<Batch>> {
        self.end_snapshot();
        self.end_batch();
        self.done
    }
}

fn depth(head: Head, action: DepthAction) -> Depth {
    Depth { head, action, first_id: None, last_id: None, prev_id: None }
}
