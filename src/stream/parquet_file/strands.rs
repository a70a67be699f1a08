//! Parquet files to strands: columns stay columns where nothing is missing in them.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use qt_model::record::{Batch, Kind, Sequence, Source};

use super::Span;
use super::read::{ParquetReader, State};
use crate::braid::Strand;
use crate::error::ReadError;

/// How many batches' worth of rows a table of columns has: short runs cost more than memory does.
const TABLE_BATCHES: usize = 2;

/// The last record of a table of levels, which may go on in the next one.
#[derive(Debug)]
pub(super) struct Tail {
    strand: Strand,
    rows: RecordBatch,
}

impl ParquetReader {
    /// Decodes one table; what comes of it is ready afterwards.
    fn step_strand(&mut self) -> Result<(), ReadError> {
        let mut rows = Batch::new(self.options.universe.snapshot());
        let Some(table) = self.table()? else {
            self.end_tail();
            self.close(&mut rows);
            self.ready_rows(rows);
            return self.end();
        };
        let Some(plain) = self.plain(&table).filter(|plain| plain.records() > 0) else {
            let read = self.read_tail(&mut rows).and_then(|()| self.rows(&table, &mut rows));
            self.ready_rows(rows);
            return read;
        };
        let first = plain.start(0);
        if first > 0 {
            self.join(&table.slice(0, first), &mut rows)?;
        }
        // A new record begins, so the one before it is whole.
        self.end_tail();
        self.close(&mut rows);
        self.carry.is_refused = false;
        self.ready_rows(rows);
        let plain = Arc::new(plain);
        let last = plain.records() - usize::from(plain.kind() == Kind::Depth);
        self.pass_over(plain.start(last) - first);
        self.ready(Strand::columns(&plain, 0..last));
        if last < plain.records() {
            let start = plain.start(last);
            let rows = table.slice(start, table.num_rows() - start);
            self.tail = Some(Tail { strand: Strand::columns(&plain, last..last + 1), rows });
        }
        Ok(())
    }

    /// The record that was held back ends with these rows.
    fn join(&mut self, end: &RecordBatch, rows: &mut Batch) -> Result<(), ReadError> {
        if let Some(tail) = &self.tail {
            let whole = concat_batches(&tail.rows.schema(), [&tail.rows, end]);
            let whole = whole.ok().and_then(|whole| self.plain(&whole));
            if let Some(plain) = whole.filter(|plain| plain.start(0) == 0 && plain.records() == 1) {
                self.tail = None;
                self.pass_over(plain.start(1));
                self.ready(Strand::columns(&Arc::new(plain), 0..1));
                return Ok(());
            }
        }
        self.read_tail(rows).and_then(|()| self.rows(end, rows))
    }

    /// The record that was held back is whole.
    fn end_tail(&mut self) {
        if let Some(tail) = self.tail.take() {
            self.pass_over(tail.rows.num_rows());
            self.ready(tail.strand);
        }
    }

    /// The record that was held back goes on.
    fn read_tail(&mut self, rows: &mut Batch) -> Result<(), ReadError> {
        match self.tail.take() {
            Some(tail) => self.rows(&tail.rows, rows),
            None => Ok(()),
        }
    }

    fn ready_rows(&mut self, mut rows: Batch) {
        self.place(&mut rows);
        self.ready(Strand::of_rows(rows));
    }

    fn ready(&mut self, strand: Strand) {
        if let Some(digest) = &mut self.digest {
            digest.strand(&strand);
        }
        let strand = self.trimmed(strand);
        if !strand.is_empty() {
            self.ready.push_back(strand);
        }
    }

    /// Leaves out what lies outside the range, where row groups reach beyond it.
    fn trimmed(&self, strand: Strand) -> Strand {
        let is_inside = |at| self.span.contains(strand.ts_recv(at));
        if self.span == Span::ALL || (0..strand.len()).all(is_inside) {
            return strand;
        }
        let mut batch = strand.to_batch();
        self.trim(&mut batch);
        Strand::of_rows(batch)
    }
}

impl Source<Strand> for ParquetReader {
    type Error = ReadError;

    fn next(&mut self, strand: &mut Strand) -> Result<bool, ReadError> {
        strand.clear();
        if matches!(self.state, State::Closed)
            && let Err(error) = self.open(self.options.batch_records.saturating_mul(TABLE_BATCHES))
        {
            self.state = State::Done;
            return Err(error);
        }
        loop {
            if let Some(ready) = self.ready.pop_front() {
                *strand = ready;
                return Ok(true);
            }
            if let Some(error) = self.pending.take() {
                return Err(error);
            }
            if matches!(self.state, State::Done) {
                return Ok(false);
            }
            if let Err(error) = self.step_strand() {
                self.state = State::Done;
                self.pending = Some(error);
            }
        }
    }
}
