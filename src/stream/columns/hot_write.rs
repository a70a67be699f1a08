//! The tables of the kinds that make up a market, column by column over short stretches of rows.
//!
//! A stretch fits the nearest cache, so that a dozen passes over it cost little more than one, and
//! each pass is a plain loop.

use std::sync::Arc;

use arrow::array::{
    BooleanBufferBuilder, Float64Array, Int8Array, ListArray, StringArray, UInt32Array, UInt64Array,
};
use arrow::buffer::{BooleanBuffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{ArrowNativeType, DataType, Field};
use qt_model::ids::InstrumentId;
use qt_model::record::{Batch, Depth, Feature, Head, Level, Quote, Trade};
use qt_model::words::{DepthAction, Side, Word};

use super::write::{Columns, Mantissas};
use crate::annotated::FeatureRows;
use crate::error::WriteError;

/// A column in the making, where values may be absent.
struct Optional<T> {
    values: Vec<T>,
    absent: Vec<u32>,
}

impl<T: ArrowNativeType> Optional<T> {
    fn with_capacity(rows: usize) -> Self {
        Self { values: Vec::with_capacity(rows), absent: Vec::new() }
    }

    #[inline(always)]
    fn extend(&mut self, values: impl ExactSizeIterator<Item = Option<T>> + Clone) {
        let first = self.values.len() as u32;
        self.values.extend(values.clone().map(Option::unwrap_or_default));
        // Mostly all are there; only else is it worth to ask where.
        if values.clone().any(|value| value.is_none()) {
            let absent = (first..).zip(values).filter(|(_, value)| value.is_none());
            self.absent.extend(absent.map(|(row, _)| row));
        }
    }

    fn finish(self) -> (ScalarBuffer<T>, Option<NullBuffer>) {
        let rows = self.values.len();
        let nulls = (!self.absent.is_empty()).then(|| {
            let mut present = BooleanBufferBuilder::new(rows);
            present.append_n(rows, self.absent.len() != rows);
            if self.absent.len() != rows {
                self.absent.iter().for_each(|row| present.set_bit(*row as usize, false));
            }
            NullBuffer::new(present.finish())
        });
        (ScalarBuffer::from(self.values), nulls)
    }
}

/// The columns that every table begins and ends with.
struct Heads {
    event: Optional<i64>,
    recv: Vec<i64>,
    keys: Vec<i32>,
    seq: Vec<u64>,
    ids: Vec<Option<InstrumentId>>,
}

impl Heads {
    fn with_capacity(rows: usize) -> Self {
        Self {
            event: Optional::with_capacity(rows),
            recv: Vec::with_capacity(rows),
            keys: Vec::with_capacity(rows),
            seq: Vec::with_capacity(rows),
            ids: Vec::new(),
        }
    }

    #[inline(always)]
    fn extend<'h>(
        &mut self,
        heads: impl ExactSizeIterator<Item = &'h Head> + Clone,
        columns: &mut Columns<'_>,
    ) {
        let event = |head: &Head| head.has_event_time.then_some(head.ts_event.nanos());
        self.event.extend(heads.clone().map(event));
        self.recv.extend(heads.clone().map(|head| head.ts_recv.nanos()));
        let key = |head: &Head| head.instrument.map_or(0, |id| columns.key(id));
        self.keys.extend(heads.clone().map(key));
        self.seq.extend(heads.clone().map(|head| head.seq));
        // The instrument decides how far a mantissa is lifted; mostly it is not.
        if columns.lifts() {
            self.ids.extend(heads.map(|head| head.instrument));
        }
    }

    /// Places the first columns and hands back the last one.
    fn open(
        self,
        ordinals: Vec<u64>,
        columns: &mut Columns<'_>,
    ) -> (UInt64Array, Vec<Option<InstrumentId>>) {
        let (event, nulls) = self.event.finish();
        columns.opening(ordinals, (event, nulls), self.recv.into(), self.keys);
        (UInt64Array::new(ScalarBuffer::from(self.seq), None), self.ids)
    }
}

/// How many rows a stretch has.
const STRETCH: usize = 256;

/// Words as keys of their list.
type Words = Optional<i8>;

fn key<W: Word>(word: W) -> i8 {
    // Lists of words are short: far below the 127 that a key can name.
    word.index() as i8
}

fn words<W: Word>(keys: Words, columns: &mut Columns<'_>) {
    let (keys, nulls) = keys.finish();
    columns.word_keys(W::WORDS, Int8Array::new(keys, nulls));
}

fn numbers(column: Optional<u64>, columns: &mut Columns<'_>) {
    let (values, nulls) = column.finish();
    columns.push(Arc::new(UInt64Array::new(values, nulls)));
}

fn mantissas(column: Optional<i64>, ids: &[Option<InstrumentId>]) -> Mantissas<'_> {
    let (values, nulls) = column.finish();
    Mantissas { values, nulls, ids }
}

pub(super) fn trades(
    batch: &Batch,
    ordinals: &[u64],
    columns: &mut Columns<'_>,
) -> Result<(), WriteError> {
    let rows = batch.rows::<Trade>();
    let mut heads = Heads::with_capacity(rows.len());
    let (mut px, mut qty) =
        (Optional::with_capacity(rows.len()), Optional::with_capacity(rows.len()));
    let mut sides = Words::with_capacity(rows.len());
    let mut ids = Optional::with_capacity(rows.len());
    for rows in rows.chunks(STRETCH) {
        heads.extend(rows.iter().map(|row| &row.head), columns);
        px.extend(rows.iter().map(|row| Some(row.px.mantissa())));
        qty.extend(rows.iter().map(|row| Some(row.qty.mantissa())));
        sides.extend(rows.iter().map(|row| row.side.map(key)));
        ids.extend(rows.iter().map(|row| row.id));
    }
    let (seq, of_rows) = heads.open(ordinals.to_vec(), columns);
    columns.px("px", mantissas(px, &of_rows))?;
    columns.qty("qty", mantissas(qty, &of_rows))?;
    words::<Side>(sides, columns);
    numbers(ids, columns);
    columns.push(Arc::new(seq));
    Ok(())
}

pub(super) fn quotes(
    batch: &Batch,
    ordinals: &[u64],
    columns: &mut Columns<'_>,
) -> Result<(), WriteError> {
    let rows = batch.rows::<Quote>();
    let mut heads = Heads::with_capacity(rows.len());
    let mut cells = [(); 4].map(|()| Optional::with_capacity(rows.len()));
    let mut ids = Optional::with_capacity(rows.len());
    for rows in rows.chunks(STRETCH) {
        heads.extend(rows.iter().map(|row| &row.head), columns);
        cells[0].extend(rows.iter().map(|row| row.bid_px.map(|px| px.mantissa())));
        cells[1].extend(rows.iter().map(|row| row.bid_qty.map(|qty| qty.mantissa())));
        cells[2].extend(rows.iter().map(|row| row.ask_px.map(|px| px.mantissa())));
        cells[3].extend(rows.iter().map(|row| row.ask_qty.map(|qty| qty.mantissa())));
        ids.extend(rows.iter().map(|row| row.id));
    }
    let (seq, of_rows) = heads.open(ordinals.to_vec(), columns);
    let [bid_px, bid_qty, ask_px, ask_qty] = cells.map(|cells| mantissas(cells, &of_rows));
    columns.px("bid_px", bid_px)?;
    columns.qty("bid_qty", bid_qty)?;
    columns.px("ask_px", ask_px)?;
    columns.qty("ask_qty", ask_qty)?;
    numbers(ids, columns);
    columns.push(Arc::new(seq));
    Ok(())
}

pub(super) fn depths(
    batch: &Batch,
    ordinals: &[u64],
    columns: &mut Columns<'_>,
) -> Result<(), WriteError> {
    let rows = batch.rows::<Depth>();
    let lines = Lines::of(batch);
    let len = lines.row_of.len();
    let mut heads = Heads::with_capacity(len);
    let mut actions = Words::with_capacity(len);
    let mut ids = [(); 3].map(|()| Optional::with_capacity(len));
    for row_of in lines.row_of.chunks(STRETCH) {
        let of = || row_of.iter().map(|row| &rows[*row as usize]);
        heads.extend(of().map(|row| &row.head), columns);
        actions.extend(of().map(|row| Some(key(row.action))));
        ids[0].extend(of().map(|row| row.first_id));
        ids[1].extend(of().map(|row| row.last_id));
        ids[2].extend(of().map(|row| row.prev_id));
    }
    let ordinal = |row: &u32| ordinals.get(*row as usize).copied().unwrap_or_default();
    let ordinals =
        if ordinals.is_empty() { Vec::new() } else { lines.row_of.iter().map(ordinal).collect() };
    let (seq, of_rows) = heads.open(ordinals, columns);
    words::<DepthAction>(actions, columns);
    ids.into_iter().for_each(|ids| numbers(ids, columns));
    columns.push(Arc::new(UInt32Array::new(ScalarBuffer::from(lines.numbers), None)));
    let mut sides = Words::with_capacity(len);
    let (mut px, mut qty) = (Optional::with_capacity(len), Optional::with_capacity(len));
    for levels in lines.levels.chunks(STRETCH) {
        sides.extend(levels.iter().map(|level| Some(key(level.as_ref()?.side))));
        px.extend(levels.iter().map(|level| Some(level.as_ref()?.px.mantissa())));
        qty.extend(levels.iter().map(|level| Some(level.as_ref()?.qty.mantissa())));
    }
    words::<Side>(sides, columns);
    columns.px("px", mantissas(px, &of_rows))?;
    columns.qty("qty", mantissas(qty, &of_rows))?;
    columns.push(Arc::new(seq));
    Ok(())
}

pub(super) fn features(
    batch: &Batch,
    ordinals: &[u64],
    columns: &mut Columns<'_>,
) -> Result<(), WriteError> {
    let rows = batch.rows::<Feature>();
    let mut heads = Heads::with_capacity(rows.len());
    let mut marks = [(); 2].map(|()| Optional::with_capacity(rows.len()));
    for rows in rows.chunks(STRETCH) {
        heads.extend(rows.iter().map(|row| &row.head), columns);
        marks[0].extend(rows.iter().map(|row| row.warm));
        marks[1].extend(rows.iter().map(|row| row.flags));
    }
    let (seq, _) = heads.open(ordinals.to_vec(), columns);
    columns.push(Arc::new(StringArray::from_iter_values(rows.iter().map(|row| &*row.set))));
    columns.push(Arc::new(lists(rows)));
    marks.into_iter().for_each(|marks| numbers(marks, columns));
    columns.push(Arc::new(seq));
    Ok(())
}

/// The same of rows that stand beside a batch.
pub(super) fn feature_rows(
    (batch, rows): (&Batch, &FeatureRows),
    ordinals: &[u64],
    columns: &mut Columns<'_>,
) {
    let mut heads = Heads::with_capacity(rows.len());
    for causes in rows.causes().chunks(STRETCH) {
        heads.extend(causes.iter().map(|cause| batch.head(*cause as usize)), columns);
    }
    let (seq, _) = heads.open(ordinals.to_vec(), columns);
    let sets = std::iter::repeat_n(&**rows.set(), rows.len());
    columns.push(Arc::new(StringArray::from_iter_values(sets)));
    columns.push(Arc::new(flat_lists(rows)));
    let warm = match rows.warm() {
        Some(warm) => UInt64Array::from(warm.to_vec()),
        None => columns.absent(rows.len()),
    };
    columns.push(Arc::new(warm));
    columns.push(Arc::new(UInt64Array::from(rows.flags().to_vec())));
    columns.push(Arc::new(seq));
}

fn flat_lists(rows: &FeatureRows) -> ListArray {
    let values = rows.values();
    let has_absent = values.iter().fold(false, |any, value| any | value.is_nan());
    let nulls = has_absent.then(|| {
        NullBuffer::new(BooleanBuffer::collect_bool(values.len(), |at| !values[at].is_nan()))
    });
    let present = match has_absent {
        true => values.iter().map(|value| if value.is_nan() { 0.0 } else { *value }).collect(),
        false => values.to_vec(),
    };
    let item = Arc::new(Field::new_list_field(DataType::Float64, true));
    let values = Arc::new(Float64Array::new(present.into(), nulls));
    let lengths = std::iter::repeat_n(rows.width(), rows.len());
    ListArray::new(item, OffsetBuffer::from_lengths(lengths), values, None)
}

fn lists(rows: &[Feature]) -> ListArray {
    let lengths = rows.iter().map(|row| row.values.len());
    let mut values = Optional::with_capacity(lengths.clone().sum());
    for row in rows {
        values.extend(row.values.iter().copied());
    }
    let (values, nulls) = values.finish();
    let item = Arc::new(Field::new_list_field(DataType::Float64, true));
    let values = Arc::new(Float64Array::new(values, nulls));
    ListArray::new(item, OffsetBuffer::from_lengths(lengths), values, None)
}

/// The lines of a depth table: one for each level, and one for a record without any.
struct Lines {
    /// The record of each line.
    row_of: Vec<u32>,
    /// The place of its level in the record.
    numbers: Vec<u32>,
    levels: Vec<Option<Level>>,
}

impl Lines {
    fn of(batch: &Batch) -> Self {
        let rows = batch.rows::<Depth>().len();
        let len = batch.all_levels().len() + rows / 8;
        let (mut row_of, mut numbers) = (Vec::with_capacity(len), Vec::with_capacity(len));
        let mut levels = Vec::with_capacity(len);
        for row in 0..rows {
            let of_row = batch.levels(row);
            levels.extend(of_row.iter().copied().map(Some));
            if of_row.is_empty() {
                levels.push(None);
            }
            for number in 0..of_row.len().max(1) {
                row_of.push(row as u32);
                numbers.push(number as u32);
            }
        }
        Self { row_of, numbers, levels }
    }
}
