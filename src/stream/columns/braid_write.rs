//! The tables of the kinds of a braid: a stretch of one strand is shown as it lies, runs of several
//! are copied one behind the other.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Int8Array, UInt32Array, UInt64Array};
use arrow::buffer::ScalarBuffer;
use arrow::datatypes::ArrowNativeType;
use qt_model::ids::InstrumentId;
use qt_model::record::Kind;
use qt_model::words::{DepthAction, Side, Word};

use super::plain::{Depths, Own, Plain, Quotes, Trades, Whole};
use super::write::{Columns, Mantissas};
use crate::error::WriteError;

/// The runs of one kind in the order of a stream, and the numbers of their records in it.
#[derive(Debug, Default)]
pub(crate) struct Strip<'b> {
    pieces: Vec<Piece<'b>>,
    rows: usize,
    /// The number of each row's record, if that is asked for.
    ordinals: Vec<u64>,
}

/// The numbers of records in the stream, if rows have them.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Numbers<'a> {
    None,
    /// Neighbours, the first of them with this number.
    From(u64),
    Each(&'a [u64]),
}

#[derive(Debug)]
struct Piece<'b> {
    plain: &'b Arc<Plain>,
    rows: Range<usize>,
}

impl<'b> Strip<'b> {
    pub(crate) fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    pub(crate) fn instruments(&self) -> Option<&'b Arc<qt_model::instrument::Instruments>> {
        // Tables only grow, so the largest has all.
        let tables = self.pieces.iter().map(|piece| piece.plain.instruments());
        tables.max_by_key(|table| table.len())
    }

    /// Appends records with their numbers in the stream.
    pub(crate) fn push(
        &mut self,
        plain: &'b Arc<Plain>,
        records: Range<usize>,
        numbers: Numbers<'_>,
    ) {
        let rows = plain.rows(&records);
        self.rows += rows.len();
        let has_one_each = rows.len() == records.len();
        match numbers {
            Numbers::None => {}
            Numbers::From(first) if has_one_each => {
                self.ordinals.extend(first..first + rows.len() as u64);
            }
            Numbers::From(first) => self.number(plain, (first..).zip(records)),
            Numbers::Each(numbers) if has_one_each => self.ordinals.extend_from_slice(numbers),
            Numbers::Each(numbers) => self.number(plain, numbers.iter().copied().zip(records)),
        }
        match self.pieces.last_mut() {
            Some(last) if Arc::ptr_eq(last.plain, plain) && last.rows.end == rows.start => {
                last.rows.end = rows.end;
            }
            Some(_) | None => self.pieces.push(Piece { plain, rows }),
        }
    }

    /// Gives all rows of a record its number.
    fn number(&mut self, plain: &Plain, records: impl Iterator<Item = (u64, usize)>) {
        for (ordinal, record) in records {
            let rows = plain.start(record + 1) - plain.start(record);
            self.ordinals.extend(std::iter::repeat_n(ordinal, rows));
        }
    }

    /// One column of all rows.
    fn column<T: ArrowNativeType>(
        &self,
        of: impl Fn(&'b Plain) -> Option<&'b ScalarBuffer<T>>,
    ) -> ScalarBuffer<T> {
        let of = |piece: &Piece<'b>| of(piece.plain).map(|column| (column, piece.rows.clone()));
        if let [only] = &self.pieces[..]
            && let Some((column, rows)) = of(only)
        {
            return column.slice(rows.start, rows.len());
        }
        let mut all = Vec::with_capacity(self.rows);
        for (column, rows) in self.pieces.iter().filter_map(of) {
            all.extend_from_slice(&column[rows]);
        }
        assert_eq!(all.len(), self.rows, "the pieces of a strip are of one kind");
        all.into()
    }

    /// The instrument of each row.
    fn instruments_of_rows(&self) -> impl Iterator<Item = Option<InstrumentId>> {
        let of = |piece: &Piece<'b>| {
            let (plain, rows) = (piece.plain, piece.rows.clone());
            rows.map(|row| plain.instrument(row))
        };
        self.pieces.iter().flat_map(of)
    }
}

/// The columns of a strip, in the order of the schema of its kind.
pub(super) fn strip(
    kind: Kind,
    mut strip: Strip<'_>,
    columns: &mut Columns<'_>,
) -> Result<(), WriteError> {
    let ordinals = std::mem::take(&mut strip.ordinals);
    let strip = &strip;
    let keys = match strip.pieces.iter().map(|piece| piece.plain.only_instrument()).reduce(same) {
        Some(Some(one)) => vec![columns.key(one); strip.rows],
        Some(None) | None => {
            let key = |id: Option<InstrumentId>| id.map_or(0, |id| columns.key(id));
            strip.instruments_of_rows().map(key).collect()
        }
    };
    let event = strip.column(|plain| Some(&plain.event));
    columns.opening(ordinals, (event, None), strip.column(|plain| Some(&plain.recv)), keys);
    // The instrument decides how far a mantissa is lifted; mostly it is not.
    let ids: Vec<_> = if columns.lifts() { strip.instruments_of_rows().collect() } else { vec![] };
    match kind {
        Kind::Trade => trades(strip, columns, &ids)?,
        Kind::Quote => quotes(strip, columns, &ids)?,
        _ => depths(strip, columns, &ids)?,
    }
    let seq = strip.column(|plain| Some(&plain.seq));
    columns.push(Arc::new(UInt64Array::new(seq, None)));
    Ok(())
}

fn same(one: Option<InstrumentId>, other: Option<InstrumentId>) -> Option<InstrumentId> {
    one.filter(|_| one == other)
}

fn plain_mantissas(values: ScalarBuffer<i64>, ids: &[Option<InstrumentId>]) -> Mantissas<'_> {
    Mantissas { values, nulls: None, ids }
}

fn words<W: Word>(keys: ScalarBuffer<i8>, columns: &mut Columns<'_>) {
    columns.word_keys(W::WORDS, Int8Array::new(keys, None));
}

/// Numbers that some pieces may have and others not.
fn numbers<'b>(
    strip: &Strip<'b>,
    columns: &mut Columns<'_>,
    of: impl Fn(&'b Plain) -> Option<&'b Whole>,
) {
    let is_there = |piece: &Piece<'b>| matches!(of(piece.plain), Some(Whole::All(_)));
    let array = if strip.pieces.iter().all(is_there) {
        let column = |plain: &'b Plain| match of(plain) {
            Some(Whole::All(values)) => Some(values),
            Some(Whole::None) | None => None,
        };
        UInt64Array::new(strip.column(column), None)
    } else if strip.pieces.iter().any(is_there) {
        let of = |piece: &Piece<'b>| {
            let (plain, rows) = (piece.plain, piece.rows.clone());
            let whole = of(plain);
            rows.map(move |row| whole.and_then(|whole| whole.get(row)))
        };
        strip.pieces.iter().flat_map(of).collect()
    } else {
        columns.absent(strip.rows)
    };
    columns.push(Arc::new(array));
}

fn trades(
    strip: &Strip<'_>,
    columns: &mut Columns<'_>,
    ids: &[Option<InstrumentId>],
) -> Result<(), WriteError> {
    fn own(plain: &Plain) -> Option<&Trades> {
        if let Own::Trade(own) = &plain.own { Some(own) } else { None }
    }
    columns.px("px", plain_mantissas(strip.column(|it| Some(&own(it)?.px)), ids))?;
    columns.qty("qty", plain_mantissas(strip.column(|it| Some(&own(it)?.qty)), ids))?;
    words::<Side>(strip.column(|it| Some(&own(it)?.side)), columns);
    numbers(strip, columns, |it| Some(&own(it)?.id));
    Ok(())
}

fn quotes(
    strip: &Strip<'_>,
    columns: &mut Columns<'_>,
    ids: &[Option<InstrumentId>],
) -> Result<(), WriteError> {
    fn own(plain: &Plain) -> Option<&Quotes> {
        if let Own::Quote(own) = &plain.own { Some(own) } else { None }
    }
    columns.px("bid_px", plain_mantissas(strip.column(|it| Some(&own(it)?.bid_px)), ids))?;
    columns.qty("bid_qty", plain_mantissas(strip.column(|it| Some(&own(it)?.bid_qty)), ids))?;
    columns.px("ask_px", plain_mantissas(strip.column(|it| Some(&own(it)?.ask_px)), ids))?;
    columns.qty("ask_qty", plain_mantissas(strip.column(|it| Some(&own(it)?.ask_qty)), ids))?;
    numbers(strip, columns, |it| Some(&own(it)?.id));
    Ok(())
}

fn depths(
    strip: &Strip<'_>,
    columns: &mut Columns<'_>,
    ids: &[Option<InstrumentId>],
) -> Result<(), WriteError> {
    fn own(plain: &Plain) -> Option<&Depths> {
        if let Own::Depth(own) = &plain.own { Some(own) } else { None }
    }
    words::<DepthAction>(strip.column(|it| Some(&own(it)?.action)), columns);
    for at in 0..3 {
        numbers(strip, columns, |it| Some(&own(it)?.ids[at]));
    }
    let level = strip.column(|it| Some(&own(it)?.level));
    columns.push(Arc::new(UInt32Array::new(level, None)));
    words::<Side>(strip.column(|it| Some(&own(it)?.side)), columns);
    columns.px("px", plain_mantissas(strip.column(|it| Some(&own(it)?.px)), ids))?;
    columns.qty("qty", plain_mantissas(strip.column(|it| Some(&own(it)?.qty)), ids))?;
    Ok(())
}
