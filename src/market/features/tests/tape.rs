//! A market written down event by event, and the rows that come of it.

use std::sync::Arc;

use qt_model::ids::InstrumentId;
use qt_model::instrument::{Instrument, Instruments, Symbol};
use qt_model::record::{
    Batch, Depth, Feature, Gap, Head, Level, Mbo, Quote, QuoteCells, QuoteColumns, Record, Trade,
};
use qt_model::time::Ts;
use qt_model::units::{Px, Qty, Scale};
use qt_model::words::{DepthAction, GapReason, MboAction, Side};

use super::program;
use crate::features::{Engine, EngineOptions, Program};

/// The values of a row to the bit, its warm mask and its flags.
pub(super) type RowBits = (Vec<Option<u64>>, Option<u64>, Option<u64>);

fn bits_of(value: f64) -> Option<u64> {
    (!value.is_nan()).then(|| value.to_bits())
}

/// Quotes as a decoder has them.
#[derive(Default)]
struct Cells {
    event: Vec<i64>,
    recv: Vec<i64>,
    seq: Vec<u64>,
    /// Bid and ask, and the size of each.
    sides: [Vec<i64>; 4],
}

impl Cells {
    /// The quotes of a batch from a place on that lack nothing, as far as there are some.
    fn of(batch: &Batch, from: usize, most: usize) -> Self {
        let mut cells = Self::default();
        for record in (from..batch.len()).take(most).map(|at| batch.get(at)) {
            let Record::Quote(view) = record else { break };
            let Quote { head, bid_px, bid_qty, ask_px, ask_qty, .. } = *view.row;
            let (Some(bid), Some(ask)) = (bid_px.zip(bid_qty), ask_px.zip(ask_qty)) else { break };
            cells.event.push(head.ts_event.nanos());
            cells.recv.push(head.ts_recv.nanos());
            cells.seq.push(head.seq);
            let mantissas =
                [bid.0.mantissa(), ask.0.mantissa(), bid.1.mantissa(), ask.1.mantissa()];
            push(&mut cells.sides, mantissas);
        }
        cells
    }

    fn view(&self, id: InstrumentId) -> QuoteColumns<'_> {
        let [bid_px, ask_px, bid_qty, ask_qty] = self.sides.each_ref().map(|side| &side[..]);
        let (ts_event, ts_recv, seq) = (&self.event[..], &self.recv[..], &self.seq[..]);
        let cells =
            QuoteCells { ts_event, ts_recv, seq, bid_px, bid_qty, ask_px, ask_qty, id: None };
        QuoteColumns::new(id, cells).unwrap()
    }
}

fn push<const N: usize>(columns: &mut [Vec<i64>; N], values: [i64; N]) {
    columns.iter_mut().zip(values).for_each(|(column, value)| column.push(value));
}

/// Events of one symbol, a tenth of a second apart.
pub(super) struct Tape {
    pub(super) batch: Batch,
    pub(super) id: InstrumentId,
    pub(super) now: i64,
}

impl Tape {
    pub(super) fn new() -> Self {
        let (two, zero) = (Scale::new(2).unwrap(), Scale::ZERO);
        let mut table = Instruments::default();
        let instrument = Instrument::new(Symbol::new("x:A").unwrap(), two, zero);
        let id = table.declare(instrument).unwrap();
        Self { batch: Batch::new(Arc::new(table)), id, now: 0 }
    }

    pub(super) fn head(&mut self) -> Head {
        self.now += 100_000_000;
        let ts = Ts::from_nanos(self.now);
        Head::new(ts, ts, self.now.unsigned_abs(), Some(self.id))
    }

    /// Lets time pass, or goes back in it.
    pub(super) fn wait(mut self, nanos: i64) -> Self {
        self.now += nanos;
        self
    }

    /// Best bid and ask with their sizes; a price of zero is an absent side.
    pub(super) fn quote(mut self, bid: (i64, i64), ask: (i64, i64)) -> Self {
        let head = self.head();
        let px = |px: i64| (px != 0).then(|| Px::new(px));
        let qty = |qty| Qty::new(qty).ok();
        let row = Quote {
            head,
            bid_px: px(bid.0),
            bid_qty: qty(bid.1),
            ask_px: px(ask.0),
            ask_qty: qty(ask.1),
            id: None,
        };
        self.batch.push_row(row, &[]);
        self
    }

    pub(super) fn quotes(self, mids: impl IntoIterator<Item = i64>) -> Self {
        mids.into_iter().fold(self, |tape, mid| tape.quote((mid - 1, 5), (mid + 1, 5)))
    }

    pub(super) fn trade(mut self, px: i64, qty: i64, side: Option<Side>) -> Self {
        let head = self.head();
        let row = Trade { head, px: Px::new(px), qty: Qty::new(qty).unwrap(), side, id: None };
        self.batch.push_row(row, &[]);
        self
    }

    pub(super) fn gap(mut self) -> Self {
        let head = self.head();
        let (from, to) = (head.ts_recv, head.ts_recv);
        let row = Gap { head, from, to, reason: GapReason::Sequence, missing: None };
        self.batch.push_row(row, &[]);
        self
    }

    pub(super) fn depth(mut self, action: DepthAction, levels: &[(Side, i64, i64)]) -> Self {
        let head = self.head();
        let level = |(side, px, qty): &(Side, i64, i64)| Level {
            px: Px::new(*px),
            qty: Qty::new(*qty).unwrap(),
            side: *side,
        };
        let levels: Vec<Level> = levels.iter().map(level).collect();
        let row = Depth { head, action, first_id: None, last_id: None, prev_id: None };
        self.batch.push_row(row, &levels);
        self
    }

    /// What happens to an order; `more`: the next record belongs to the same event.
    pub(super) fn order(
        mut self,
        action: MboAction,
        order_id: u64,
        side: Side,
        px: i64,
        qty: i64,
        more: bool,
    ) -> Self {
        let head = self.head();
        let (px, qty) = (Some(Px::new(px)), Qty::new(qty).ok());
        let row = Mbo { head, action, side: Some(side), px, qty, order_id, more, snapshot: false };
        self.batch.push_row(row, &[]);
        self
    }

    pub(super) fn rows_with(
        &self,
        features: &str,
        pieces: usize,
        options: EngineOptions,
    ) -> Vec<Feature> {
        self.run(program(features), pieces, options)
    }

    pub(super) fn run(
        &self,
        program: Program,
        pieces: usize,
        options: EngineOptions,
    ) -> Vec<Feature> {
        let mut engine = Engine::new(program, options, Box::new(|_| true));
        let mut rows = Vec::new();
        for start in (0..self.batch.len()).step_by(pieces) {
            let mut piece = Batch::new(Arc::clone(self.batch.instruments()));
            piece.push_range(&self.batch, start, self.batch.len().min(start + pieces));
            let mut out = Batch::default();
            engine.batch(&piece, &mut out);
            rows.extend_from_slice(out.rows::<Feature>());
        }
        rows
    }

    /// The values of each row, its warm mask and its flags, as read from columns.
    pub(super) fn columns_with(
        &self,
        program: Program,
        pieces: usize,
        options: EngineOptions,
    ) -> Vec<RowBits> {
        let mut engine = Engine::new(program, options, Box::new(|_| true));
        let (mut rows, width) = (Vec::new(), engine.program().width());
        for start in (0..self.batch.len()).step_by(pieces) {
            let mut piece = Batch::new(Arc::clone(self.batch.instruments()));
            piece.push_range(&self.batch, start, self.batch.len().min(start + pieces));
            let grid = engine.columns(&piece);
            let marks = grid.marks().warm().unwrap().zip(grid.marks().flags());
            for (row, (warm, flags)) in marks.enumerate() {
                let values = (0..width).map(|feature| grid.column(feature)[row]);
                rows.push((values.map(bits_of).collect(), Some(warm), Some(flags)));
            }
            let caused = (0..piece.len()).filter_map(|record| grid.marks().row_of(record));
            assert!(caused.eq(0..grid.rows()), "each row has its record");
        }
        rows
    }

    /// The same where quotes that lack nothing come as columns, at most so many at once, and all
    /// else as records.
    pub(super) fn quotes_with(
        &self,
        program: Program,
        pieces: usize,
        options: EngineOptions,
    ) -> Vec<RowBits> {
        let mut engine = Engine::new(program, options, Box::new(|_| true));
        let width = engine.program().width();
        let (mut kept, mut marks, mut at) = (vec![Vec::new(); width], Vec::new(), 0);
        while at < self.batch.len() {
            let cells = Cells::of(&self.batch, at, pieces);
            let (found, count) = match cells.event.len() {
                0 => {
                    let mut piece = Batch::new(Arc::clone(self.batch.instruments()));
                    piece.push_range(&self.batch, at, at + 1);
                    let grid = engine.columns(&piece);
                    for (feature, kept) in kept.iter_mut().enumerate() {
                        kept.extend_from_slice(grid.column(feature));
                    }
                    (grid.marks(), 1)
                }
                count => {
                    let view = cells.view(self.id);
                    (engine.quotes(&view, self.batch.instruments(), &mut kept, marks.len()), count)
                }
            };
            marks.extend(found.warm().unwrap().zip(found.flags()));
            let caused = (0..count).filter_map(|record| found.row_of(record));
            assert!(caused.eq(0..found.rows()), "each row has its record");
            at += count;
        }
        let row = |row: usize| kept.iter().map(|column| bits_of(column[row])).collect();
        marks
            .iter()
            .enumerate()
            .map(|(at, (warm, flags))| (row(at), Some(*warm), Some(*flags)))
            .collect()
    }

    /// All quotes as columns, laid down from a place on in columns that held something else.
    pub(super) fn laid_over(&self, program: Program, from: usize, length: usize) -> Vec<Vec<f64>> {
        let mut engine = Engine::new(program, EngineOptions::default(), Box::new(|_| true));
        let mut kept = vec![vec![-1.0; length]; engine.program().width()];
        let cells = Cells::of(&self.batch, 0, usize::MAX);
        let view = cells.view(self.id);
        let marks = engine.quotes(&view, self.batch.instruments(), &mut kept, from);
        assert_eq!(marks.rows(), self.batch.len());
        kept
    }

    /// The same of rows.
    pub(super) fn bits(rows: &[Feature]) -> Vec<RowBits> {
        let values = |row: &Feature| {
            row.values.iter().map(|value| value.and_then(bits_of)).collect::<Vec<_>>()
        };
        rows.iter().map(|row| (values(row), row.warm, row.flags)).collect()
    }

    pub(super) fn rows(&self, features: &str) -> Vec<Feature> {
        self.rows_with(features, usize::MAX >> 1, EngineOptions::default())
    }

    /// The values of one feature, an event each.
    pub(super) fn values(&self, feature: &str) -> Vec<Option<f64>> {
        self.rows(feature).iter().map(|row| row.values[0]).collect()
    }

    pub(super) fn last(&self, feature: &str) -> Option<f64> {
        *self.values(feature).last().expect("there is an event")
    }
}
