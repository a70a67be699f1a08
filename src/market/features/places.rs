//! Where the rows of the events of one symbol lie in the sheet of a batch.
//!
//! Rows of most batches lie one behind the other, since one symbol has all of them: those are a first
//! place and a number. From the first that lies elsewhere on, or is not wanted, each has a place of
//! its own.

use std::ops::Range;

#[derive(Debug, Default)]
pub(super) struct Places {
    /// The row of the first event, and how many events have the rows from there on.
    first: usize,
    together: usize,
    /// The rows of the events behind those.
    apart: Vec<Option<u32>>,
}

/// The rows of a block of events.
#[derive(Clone, Copy, Debug)]
pub(super) enum Placed<'a> {
    /// One behind the other from a row on.
    From(usize),
    Each(&'a [Option<u32>]),
}

impl Places {
    pub(super) fn clear(&mut self) {
        (self.first, self.together) = (0, 0);
        self.apart.clear();
    }

    pub(super) fn len(&self) -> usize {
        self.together + self.apart.len()
    }

    /// Takes the row of the next event; nowhere if it is not wanted.
    #[inline]
    pub(super) fn put(&mut self, row: Option<usize>) {
        match row {
            Some(row) => self.put_all(row..row + 1),
            None => self.apart.push(None),
        }
    }

    /// Takes the rows of the next events.
    #[inline]
    pub(super) fn put_all(&mut self, rows: Range<usize>) {
        if self.len() == 0 {
            self.first = rows.start;
        }
        if self.apart.is_empty() && self.first + self.together == rows.start {
            self.together += rows.len();
        } else {
            self.apart.extend(rows.map(|row| Some(row as u32)));
        }
    }

    /// Where a block that should end there ends, so that its rows lie one way or the other.
    pub(super) fn end_of_block(&self, start: usize, end: usize) -> usize {
        if start < self.together { end.min(self.together) } else { end }
    }

    /// The rows of such a block.
    pub(super) fn of(&self, block: Range<usize>) -> Placed<'_> {
        if block.start < self.together {
            return Placed::From(self.first + block.start);
        }
        let apart = &self.apart[block.start - self.together..block.end - self.together];
        next_to_each_other(apart).map_or(Placed::Each(apart), Placed::From)
    }
}

impl Placed<'_> {
    /// The row of an event of the block.
    #[inline]
    pub(super) fn row(&self, event: usize) -> Option<usize> {
        match self {
            Self::From(first) => Some(first + event),
            Self::Each(rows) => rows[event].map(|row| row as usize),
        }
    }
}

/// The first of some rows, where they are all wanted and lie one behind the other.
fn next_to_each_other(rows: &[Option<u32>]) -> Option<usize> {
    let first = (*rows.first()?)?;
    let is_next = |(place, row): (&Option<u32>, u32)| *place == Some(row);
    let are_next = rows.iter().zip(first..).fold(true, |all, pair| all & is_next(pair));
    are_next.then_some(first as usize)
}
