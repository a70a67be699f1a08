//! The columns of a hot kind where nothing is missing, checked as a whole.
//!
//! Invariants: clocks, numbers and symbols are there in every row; prices and sizes stand at the
//! scales of all instruments of the table; words are positions in their list; the levels of a depth
//! record are numbered from zero, bids before asks. So whoever goes by these columns need not ask
//! again. A table that breaks any of this is read row by row instead.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, UInt64Array};
use arrow::buffer::ScalarBuffer;
use arrow::datatypes::ArrowNativeType;
use qt_model::ids::InstrumentId;
use qt_model::instrument::Instruments;
use qt_model::record::{
    Batch, ColumnTable, Depth, Head, Key, Kind, Level, Quote, QuoteCells, QuoteColumns,
    SharedColumn, SharedQuotes, Trade,
};
use qt_model::time::Ts;
use qt_model::units::{Px, Qty, Scale};
use qt_model::words::{DepthAction, Side, Word};

use super::bars::WholeBars;
use super::cells::WordCells;
use super::rows::{OfRows, Rows};

/// See the module.
#[derive(Debug)]
pub(crate) struct Plain {
    instruments: Arc<Instruments>,
    pub(crate) event: ScalarBuffer<i64>,
    pub(crate) recv: ScalarBuffer<i64>,
    pub(crate) seq: ScalarBuffer<u64>,
    pub(super) ids: OfRows,
    pub(crate) own: Own,
}

/// The columns that a kind has of its own.
#[derive(Debug)]
pub(crate) enum Own {
    Trade(Trades),
    Quote(Quotes),
    Depth(Depths),
    Bar(WholeBars),
}

#[derive(Debug)]
pub(crate) struct Trades {
    pub(crate) px: ScalarBuffer<i64>,
    pub(crate) qty: ScalarBuffer<i64>,
    pub(crate) side: ScalarBuffer<i8>,
    pub(crate) id: Whole,
}

#[derive(Debug)]
pub(crate) struct Quotes {
    pub(crate) bid_px: ScalarBuffer<i64>,
    pub(crate) bid_qty: ScalarBuffer<i64>,
    pub(crate) ask_px: ScalarBuffer<i64>,
    pub(crate) ask_qty: ScalarBuffer<i64>,
    pub(crate) id: Whole,
}

#[derive(Debug)]
pub(crate) struct Depths {
    pub(crate) action: ScalarBuffer<i8>,
    /// `first_id`, `last_id` and `prev_id`.
    pub(crate) ids: [Whole; 3],
    pub(crate) level: ScalarBuffer<u32>,
    pub(crate) side: ScalarBuffer<i8>,
    pub(crate) px: ScalarBuffer<i64>,
    pub(crate) qty: ScalarBuffer<i64>,
    starts: Starts,
}

/// Where the records of a table begin.
#[derive(Debug)]
enum Starts {
    /// Each row is a record.
    Each,
    /// The first rows of the records, and the end of the last one.
    At(Vec<u32>),
}

/// Numbers that are there in every row or in none.
#[derive(Debug)]
pub(crate) enum Whole {
    All(ScalarBuffer<u64>),
    None,
}

/// Numbers of neighbouring rows, there in every row or in none.
#[derive(Clone, Copy)]
struct Part<'a>(Option<&'a [u64]>);

impl Part<'_> {
    #[inline(always)]
    fn get(self, at: usize) -> Option<u64> {
        self.0.map(|values| values[at])
    }
}

impl Whole {
    fn part(&self, rows: &Range<usize>) -> Part<'_> {
        match self {
            Self::All(values) => Part(Some(&values[rows.clone()])),
            Self::None => Part(None),
        }
    }

    fn of(column: &Option<UInt64Array>) -> Option<Self> {
        match column {
            Some(values) if values.null_count() == 0 => Some(Self::All(values.values().clone())),
            Some(values) => (values.null_count() == values.len()).then_some(Self::None),
            None => Some(Self::None),
        }
    }

    #[inline]
    pub(crate) fn get(&self, row: usize) -> Option<u64> {
        match self {
            Self::All(values) => Some(values[row]),
            Self::None => None,
        }
    }
}

impl Plain {
    /// Whether columns of a kind are written as columns, too. Bars are written from rows.
    pub(crate) fn is_written(kind: Kind) -> bool {
        matches!(kind, Kind::Trade | Kind::Quote | Kind::Depth)
    }

    /// The columns of a table, or nothing where a row needs a closer look.
    pub(super) fn of(rows: &Rows<'_>) -> Option<Self> {
        let (event, recv, seq, (px, qty)) = rows.plain_heads()?;
        let own = match rows.kind {
            Kind::Trade => Own::Trade(trades(rows, px, qty)?),
            Kind::Quote => Own::Quote(quotes(rows, px, qty)?),
            Kind::Depth => Own::Depth(depths(rows, px, qty)?),
            Kind::Bar => Own::Bar(WholeBars::of(rows, px, qty)?),
            _ => return None,
        };
        let instruments = rows.symbols.table();
        Some(Self { instruments, event, recv, seq, ids: rows.heads.ids.of_rows.clone(), own })
    }

    pub(crate) fn instruments(&self) -> &Arc<Instruments> {
        &self.instruments
    }

    pub(crate) fn kind(&self) -> Kind {
        match &self.own {
            Own::Trade(_) => Kind::Trade,
            Own::Quote(_) => Kind::Quote,
            Own::Depth(_) => Kind::Depth,
            Own::Bar(_) => Kind::Bar,
        }
    }

    /// How many records begin in these rows.
    pub(crate) fn records(&self) -> usize {
        match &self.own {
            Own::Depth(Depths { starts: Starts::At(starts), .. }) => starts.len() - 1,
            Own::Trade(_) | Own::Quote(_) | Own::Depth(_) | Own::Bar(_) => self.recv.len(),
        }
    }

    /// The first row of a record; for the number of records, the end of the last one.
    #[inline]
    pub(crate) fn start(&self, record: usize) -> usize {
        match &self.own {
            Own::Depth(Depths { starts: Starts::At(starts), .. }) => starts[record] as usize,
            Own::Trade(_) | Own::Quote(_) | Own::Depth(_) | Own::Bar(_) => record,
        }
    }

    /// The rows of some records.
    #[inline]
    pub(crate) fn rows(&self, records: &Range<usize>) -> Range<usize> {
        self.start(records.start)..self.start(records.end)
    }

    #[inline]
    pub(crate) fn head(&self, row: usize) -> Head {
        Head {
            ts_event: Ts::from_nanos(self.event[row]),
            ts_recv: Ts::from_nanos(self.recv[row]),
            seq: self.seq[row],
            instrument: self.ids.get(row),
            has_event_time: true,
        }
    }

    /// The place of a record in the total order.
    #[inline]
    pub(crate) fn key(&self, record: usize) -> Key {
        let row = self.start(record);
        let (ts_recv, instrument) = (Ts::from_nanos(self.recv[row]), self.ids.get(row));
        Key { ts_recv, kind: self.kind(), instrument, seq: self.seq[row] }
    }

    /// See `Sequence::rising_end`.
    pub(crate) fn rising_end(&self, records: Range<usize>, after: Ts, before: Ts) -> usize {
        let (mut at, mut last, before) = (records.start, after.nanos(), before.nanos());
        if let Own::Depth(Depths { starts: Starts::At(starts), .. }) = &self.own {
            for start in &starts[records] {
                let time = self.recv[*start as usize];
                if time <= last || time >= before {
                    break;
                }
                (at, last) = (at + 1, time);
            }
            return at;
        }
        for time in &self.recv[records] {
            if *time <= last || *time >= before {
                break;
            }
            (at, last) = (at + 1, *time);
        }
        at
    }

    #[inline]
    pub(crate) fn instrument(&self, row: usize) -> Option<InstrumentId> {
        self.ids.get(row)
    }

    /// The instrument of all rows, where they have one in common.
    pub(crate) fn only_instrument(&self) -> Option<InstrumentId> {
        match &self.ids {
            OfRows::One(id) => *id,
            OfRows::Many(_) => None,
        }
    }

    /// Records as they lie, where they are quotes of one instrument.
    pub(crate) fn quotes(&self, records: Range<usize>) -> Option<QuoteColumns<'_>> {
        let (Own::Quote(own), Some(instrument)) = (&self.own, self.only_instrument()) else {
            return None;
        };
        let cells = QuoteCells {
            ts_event: &self.event[records.clone()],
            ts_recv: &self.recv[records.clone()],
            seq: &self.seq[records.clone()],
            bid_px: &own.bid_px[records.clone()],
            bid_qty: &own.bid_qty[records.clone()],
            ask_px: &own.ask_px[records.clone()],
            ask_qty: &own.ask_qty[records.clone()],
            id: own.id.part(&records).0,
        };
        QuoteColumns::new(instrument, cells)
    }

    /// Records for whoever keeps them, where they are quotes or bars of one instrument.
    pub(crate) fn table(&self, records: Range<usize>) -> Option<ColumnTable> {
        let instrument = self.only_instrument()?;
        let instruments = Arc::clone(&self.instruments);
        match &self.own {
            Own::Quote(own) => {
                let columns = self.shared_quotes(own, &records);
                ColumnTable::new(instruments, instrument, columns)
            }
            Own::Bar(own) => ColumnTable::new(instruments, instrument, own.shared(self, &records)),
            Own::Trade(_) | Own::Depth(_) => None,
        }
    }

    fn shared_quotes(&self, own: &Quotes, records: &Range<usize>) -> SharedQuotes {
        let part = |column| shared(column, records);
        SharedQuotes {
            ts_event: part(&self.event),
            ts_recv: part(&self.recv),
            seq: shared(&self.seq, records),
            bid_px: part(&own.bid_px),
            bid_qty: part(&own.bid_qty),
            ask_px: part(&own.ask_px),
            ask_qty: part(&own.ask_qty),
            id: match &own.id {
                Whole::All(ids) => Some(shared(ids, records)),
                Whole::None => None,
            },
        }
    }

    /// Appends records as rows, without placing them.
    pub(crate) fn extend(&self, records: Range<usize>, batch: &mut Batch) {
        let rows = self.rows(&records);
        match &self.own {
            Own::Trade(own) => {
                let (heads, id) = (self.heads(&rows), own.id.part(&rows));
                let (px, qty, side) =
                    (&own.px[rows.clone()], &own.qty[rows.clone()], &own.side[rows.clone()]);
                batch.extend_rows((0..rows.len()).map(|at| Trade {
                    head: heads.get(at),
                    px: Px::new(px[at]),
                    qty: size(qty[at]),
                    side: word(side[at]),
                    id: id.get(at),
                }));
            }
            Own::Quote(own) => {
                let (heads, id) = (self.heads(&rows), own.id.part(&rows));
                let (bid_px, bid_qty) = (&own.bid_px[rows.clone()], &own.bid_qty[rows.clone()]);
                let (ask_px, ask_qty) = (&own.ask_px[rows.clone()], &own.ask_qty[rows.clone()]);
                batch.extend_rows((0..rows.len()).map(|at| Quote {
                    head: heads.get(at),
                    bid_px: Some(Px::new(bid_px[at])),
                    bid_qty: Some(size(bid_qty[at])),
                    ask_px: Some(Px::new(ask_px[at])),
                    ask_qty: Some(size(ask_qty[at])),
                    id: id.get(at),
                }));
            }
            Own::Depth(own) => {
                let levels = own.levels(&rows);
                if matches!(own.starts, Starts::Each) {
                    let ends = (0..rows.len()).map(|at| at as u32 + 1);
                    batch.extend_depths(own.depths(self, &rows), levels, ends);
                    return;
                }
                let depth = |record| own.depth(self, self.start(record));
                let end = |record: usize| (self.start(record + 1) - rows.start) as u32;
                batch.extend_depths(records.clone().map(depth), levels, records.map(end));
            }
            Own::Bar(own) => batch.extend_rows(own.bars(self.heads(&rows), &rows)),
        }
    }

    /// The heads of some rows.
    pub(super) fn heads(&self, rows: &Range<usize>) -> Heads<'_> {
        Heads {
            event: &self.event[rows.clone()],
            recv: &self.recv[rows.clone()],
            seq: &self.seq[rows.clone()],
            ids: &self.ids,
            first: rows.start,
        }
    }
}

/// Columns of neighbouring rows, cut to these rows: no row of them needs its place checked.
pub(super) struct Heads<'a> {
    event: &'a [i64],
    recv: &'a [i64],
    seq: &'a [u64],
    ids: &'a OfRows,
    first: usize,
}

impl Heads<'_> {
    #[inline(always)]
    pub(super) fn get(&self, at: usize) -> Head {
        Head {
            ts_event: Ts::from_nanos(self.event[at]),
            ts_recv: Ts::from_nanos(self.recv[at]),
            seq: self.seq[at],
            instrument: self.ids.get(self.first + at),
            has_event_time: true,
        }
    }
}

impl Depths {
    #[inline]
    pub(super) fn depth(&self, plain: &Plain, row: usize) -> Depth {
        Depth {
            head: plain.head(row),
            action: word(self.action[row]).unwrap_or(DepthAction::Delta),
            first_id: self.ids[0].get(row),
            last_id: self.ids[1].get(row),
            prev_id: self.ids[2].get(row),
        }
    }

    /// The records of rows that are a record each.
    fn depths<'a>(
        &'a self,
        plain: &'a Plain,
        rows: &Range<usize>,
    ) -> impl Iterator<Item = Depth> + use<'a> {
        let (heads, action) = (plain.heads(rows), &self.action[rows.clone()]);
        let [first, last, prev] = self.ids.each_ref().map(|ids| ids.part(rows));
        (0..rows.len()).map(move |at| Depth {
            head: heads.get(at),
            action: word(action[at]).unwrap_or(DepthAction::Delta),
            first_id: first.get(at),
            last_id: last.get(at),
            prev_id: prev.get(at),
        })
    }

    fn levels(&self, rows: &Range<usize>) -> impl Iterator<Item = Level> + use<'_> {
        let side = &self.side[rows.clone()];
        let (px, qty) = (&self.px[rows.clone()], &self.qty[rows.clone()]);
        (0..rows.len()).map(move |at| Level {
            px: Px::new(px[at]),
            qty: size(qty[at]),
            side: word(side[at]).unwrap_or(Side::Buy),
        })
    }

    #[inline]
    pub(super) fn level(&self, row: usize) -> Level {
        Level {
            px: Px::new(self.px[row]),
            qty: size(self.qty[row]),
            side: word(self.side[row]).unwrap_or(Side::Buy),
        }
    }
}

/// A part of a column, which lives on with it.
pub(super) fn shared<T: ArrowNativeType>(
    column: &ScalarBuffer<T>,
    records: &Range<usize>,
) -> SharedColumn<T> {
    Arc::new(column.slice(records.start, records.len()))
}

/// A size that was seen not to be negative.
#[inline]
pub(super) fn size(mantissa: i64) -> Qty {
    Qty::new(mantissa).unwrap_or_default()
}

/// A word whose place was seen to lie in its list.
#[inline]
fn word<W: Word>(place: i8) -> Option<W> {
    W::from_index(usize::from(place.cast_unsigned()))
}

fn trades(rows: &Rows<'_>, px: Scale, qty: Scale) -> Option<Trades> {
    Some(Trades {
        px: rows.decimals("px").ok()??.plain(px)?,
        qty: rows.decimals("qty").ok()??.plain_sizes(qty)?,
        side: words::<Side>(rows.words("side", Side::WORDS).ok()??)?,
        id: Whole::of(&rows.whole("id").ok()?)?,
    })
}

fn quotes(rows: &Rows<'_>, px: Scale, qty: Scale) -> Option<Quotes> {
    Some(Quotes {
        bid_px: rows.decimals("bid_px").ok()??.plain(px)?,
        bid_qty: rows.decimals("bid_qty").ok()??.plain_sizes(qty)?,
        ask_px: rows.decimals("ask_px").ok()??.plain(px)?,
        ask_qty: rows.decimals("ask_qty").ok()??.plain_sizes(qty)?,
        id: Whole::of(&rows.whole("id").ok()?)?,
    })
}

fn depths(rows: &Rows<'_>, px: Scale, qty: Scale) -> Option<Depths> {
    let id = |name| Whole::of(&rows.whole(name).ok()?);
    let level = rows.numbers("level").ok()??.plain()?.clone();
    let side = words::<Side>(rows.words("side", Side::WORDS).ok()??)?;
    let starts = starts(&level, &side)?;
    Some(Depths {
        action: words::<DepthAction>(rows.words("action", DepthAction::WORDS).ok()??)?,
        ids: [id("first_id")?, id("last_id")?, id("prev_id")?],
        level,
        side,
        px: rows.decimals("px").ok()??.plain(px)?,
        qty: rows.decimals("qty").ok()??.plain_sizes(qty)?,
        starts,
    })
}

fn words<W: Word>(cells: WordCells) -> Option<ScalarBuffer<i8>> {
    debug_assert!(W::WORDS.len() <= 127, "a key names every word");
    cells.plain()
}

/// Where records begin, if levels are numbered as they must be and bids stand before asks. The
/// first rows may go on with a record of the table before.
fn starts(levels: &[u32], sides: &[i8]) -> Option<Starts> {
    // All values are looked at, and no one alone: a loop without a branch.
    if levels.iter().fold(0, |any, level| any | level) == 0 {
        return Some(Starts::Each);
    }
    let goes_on =
        |row: usize| levels[row] == levels[row - 1].wrapping_add(1) && sides[row] >= sides[row - 1];
    if !(1..levels.len()).all(|row| levels[row] == 0 || goes_on(row)) {
        return None;
    }
    let first = (0_u32..).zip(levels).filter(|(_, level)| **level == 0).map(|(row, _)| row);
    Some(Starts::At(first.chain([levels.len() as u32]).collect()))
}
