//! The states of the order book file: a line for each message, ask before bid at each level.
//!
//! The first is written as a snapshot, those behind it as what they change, since most messages
//! change one level of ten. A level that is not there has a price of 9999999999 and no size.

use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;

use qt_model::record::{Batch, Depth, Head, Level};
use qt_model::units::Qty;
use qt_model::words::{DepthAction, Side};

use super::super::roster::Known;
use super::messages::{number, price, size};
use crate::error::{Problem, ReadError};
use crate::lines::{Line, Lines};
use crate::place::{At, Place};

const ABSENT: i64 = 9_999_999_999;

pub(super) struct Book {
    name: Arc<str>,
    lines: Lines,
    /// The state so far, and the one that is read: price, size, side.
    known: Vec<Level>,
    fresh: Vec<Level>,
    changes: Vec<Level>,
    has_begun: bool,
    text: Vec<u8>,
}

impl Book {
    pub(super) fn open(path: PathBuf) -> Result<Self, ReadError> {
        let name: Arc<str> = path.display().to_string().into();
        let file = File::open(&path).map_err(|source| ReadError::io(&name, source))?;
        let lines = Lines::new(Box::new(file));
        let (known, fresh, changes) = (Vec::new(), Vec::new(), Vec::new());
        Ok(Self { name, lines, known, fresh, changes, has_begun: false, text: Vec::new() })
    }

    fn place(&self) -> Place {
        Place { input: Arc::clone(&self.name), at: At::Line(self.lines.number()) }
    }

    /// Passes over the state of a message that was left out. The next one holds its changes too.
    pub(super) fn skip(&mut self) -> Result<(), ReadError> {
        let read = self.lines.next().map(|_| ());
        read.map_err(|source| ReadError::of_read(self.place(), source))
    }

    /// Reads the state behind a message and writes what it changes.
    pub(super) fn step(
        &mut self,
        known: &mut Known,
        head: impl FnOnce(&mut Known) -> Head,
        batch: &mut Batch,
    ) -> Result<(), ReadError> {
        let read = self.lines.next();
        let read = read.map_err(|source| ReadError::of_read(Place::whole(&self.name), source))?;
        self.text.clear();
        match read {
            Some(Line::Text(line)) => self.text.extend_from_slice(line),
            Some(Line::TooLong) => {}
            None => {
                let message = "has fewer lines than the message file beside it".to_owned();
                return Err(ReadError::Truncated { place: self.place(), message });
            }
        }
        if let Err(problem) = parse(&self.text, known, &mut self.fresh) {
            let place = self.place();
            if self.lines.is_open_ended() {
                let message = format!("the last line has no end and does not read: {problem}");
                return Err(ReadError::Truncated { place, message });
            }
            return Err(ReadError::Corrupt { place, message: problem.to_string() });
        }
        let action = if self.has_begun { DepthAction::Delta } else { DepthAction::Snapshot };
        self.changes.clear();
        if self.has_begun {
            changes(&self.known, &self.fresh, &mut self.changes);
        } else {
            self.changes.extend_from_slice(&self.fresh);
        }
        if !self.changes.is_empty() || !self.has_begun {
            let head = head(known);
            let depth = Depth { head, action, first_id: None, last_id: None, prev_id: None };
            batch.push_row(depth, &self.changes);
        }
        self.has_begun = true;
        std::mem::swap(&mut self.known, &mut self.fresh);
        Ok(())
    }
}

/// Reads a line: ask price, ask size, bid price, bid size, level after level.
fn parse(line: &[u8], known: &Known, levels: &mut Vec<Level>) -> Result<(), Problem> {
    levels.clear();
    let mut cells = line.split(|byte| *byte == b',');
    let mut count = 0;
    while let Some(first) = cells.next() {
        let (field, side) = match count % 4 {
            0 => ("ask price", Side::Sell),
            _ => ("bid price", Side::Buy),
        };
        let second = cells.next().ok_or_else(|| {
            let message = format!("{} columns, which are not pairs of price and size", count + 1);
            Problem::Row { message }
        })?;
        let (px, qty) = (number((field, first))?, number(("size", second))?);
        if px.abs() != ABSENT {
            levels.push(Level { px: price(known, px)?, qty: size(known, qty)?, side });
        }
        count += 2;
    }
    Ok(())
}

/// What makes one state of the other: new sizes, and zero for levels that are gone.
fn changes(old: &[Level], new: &[Level], changes: &mut Vec<Level>) {
    let find = |levels: &[Level], level: &Level| {
        levels.iter().find(|it| it.px == level.px && it.side == level.side).map(|it| it.qty)
    };
    for level in old {
        if find(new, level).is_none() {
            changes.push(Level { qty: Qty::ZERO, ..*level });
        }
    }
    for level in new {
        if find(old, level) != Some(level.qty) {
            changes.push(*level);
        }
    }
}
