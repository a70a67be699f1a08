//! Which columns of features are met in which records of a batch: what sleepers wait for.
//!
//! Invariant: a column is met where its value is there and not zero: a comparison with a NaN does not hold.

use qt_market::features::{Marks, Rows, wide};
use qt_model::ids::InstrumentId;

use super::records::{Records, Signals};

/// A bit a column and record.
#[derive(Debug, Default)]
pub(super) struct Met {
    width: usize,
    /// For each 64 records a word a column.
    words: Vec<u64>,
}

impl Met {
    pub(super) fn clear(&mut self) {
        self.width = 0;
        self.words.clear();
    }

    /// Looks at the features of so many records.
    pub(super) fn fill(&mut self, records: usize, signals: Signals<'_>) {
        match signals {
            Signals::Rows(rows) => self.fill_rows(records, rows),
            Signals::Columns(columns, marks) => self.fill_columns(records, columns, marks),
        }
    }

    /// Whether there is anything to wait for.
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.width == 0
    }

    fn fill_rows(&mut self, records: usize, rows: Rows<'_>) {
        if let Some(values) = rows.dense(records) {
            return self.fill_dense(records, values);
        }
        for at in 0..records {
            let Some(row) = rows.of(at) else { continue };
            if self.width == 0 {
                self.width = row.values.len();
                self.words.resize(records.div_ceil(64) * self.width, 0);
            }
            let words = &mut self.words[at / 64 * self.width..][..self.width];
            for (word, value) in words.iter_mut().zip(row.values) {
                // Neither zero nor absent: a comparison with a NaN does not hold.
                *word |= u64::from(value.abs() > 0.0) << (at % 64);
            }
        }
    }

    /// The same where each record has a row.
    fn fill_dense(&mut self, records: usize, values: &[f64]) {
        self.width = values.len() / records;
        let blocks = values.chunks(self.width * 64);
        self.words.resize(blocks.len() * self.width, 0);
        for (words, values) in self.words.chunks_exact_mut(self.width).zip(blocks) {
            for (bit, row) in values.chunks_exact(self.width).enumerate() {
                for (word, value) in words.iter_mut().zip(row) {
                    *word |= u64::from(value.abs() > 0.0) << bit;
                }
            }
        }
    }

    /// The same of columns.
    fn fill_columns(&mut self, records: usize, columns: &[Vec<f64>], marks: Marks<'_>) {
        if marks.rows() == 0 {
            return;
        }
        self.width = columns.len();
        self.words.resize(records.div_ceil(64) * self.width, 0);
        for (column, values) in columns.iter().enumerate() {
            let words = self.words[column..].iter_mut().step_by(self.width);
            if marks.rows() == records {
                words
                    .zip(values[..records].chunks(64))
                    .for_each(|(word, values)| *word = bits(values));
                continue;
            }
            for (block, word) in words.enumerate() {
                let places = block * 64..records.min((block + 1) * 64);
                let is_met = |at| marks.row_of(at).is_some_and(|row| values[row].abs() > 0.0);
                *word = places.fold(0, |word, at| word | u64::from(is_met(at)) << (at % 64));
            }
        }
    }

    /// The next record of an instrument from one on in which a column is met.
    pub(super) fn next(
        &self,
        records: &Records,
        (instrument, column): (InstrumentId, usize),
        from: usize,
    ) -> Option<usize> {
        if column >= self.width {
            return None;
        }
        let mut block = from / 64;
        let mut bits = self.words.get(block * self.width + column)? & u64::MAX << (from % 64);
        loop {
            while bits != 0 {
                let at = block * 64 + bits.trailing_zeros() as usize;
                if records.instrument(at) == Some(instrument) {
                    return Some(at);
                }
                bits &= bits - 1;
            }
            block += 1;
            bits = *self.words.get(block * self.width + column)?;
        }
    }
}

/// Which of at most 64 values are met.
fn bits(values: &[f64]) -> u64 {
    let Ok(values) = <&[f64; 64]>::try_from(values) else {
        let each = values.iter().enumerate();
        return each.fold(0, |word, (bit, value)| word | u64::from(value.abs() > 0.0) << bit);
    };
    wide(
        #[inline(always)]
        || {
            let (mut word, mut bit) = (0, 0);
            while bit < 64 {
                word |= if values[bit].abs() > 0.0 { 1 << bit } else { 0 };
                bit += 1;
            }
            word
        },
    )
}
