//! T_DEPTH: snapshots and changes of a book, a row a level.
//!
//! The rows of one message are one record. The chain of update numbers is checked; where it breaks,
//! or where a file of changes has no snapshot that it continues, a `gap` says so before the changes,
//! so that nobody applies them to a book that they do not belong to.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use qt_model::record::{Depth, Gap, Level};
use qt_model::time::Ts;
use qt_model::words::{DepthAction, GapReason, Side};

use super::super::rows::{self, Clock, Fields, Out, Row, Which, misread};
use crate::error::Problem;

const COLUMNS: [&str; 9] = [
    "symbol",
    "timestamp",
    "first_update_id",
    "last_update_id",
    "side",
    "update_type",
    "price",
    "qty",
    "pu",
];

pub(super) fn is_header(first: &Row<'_>) -> bool {
    first.len() == COLUMNS.len() && COLUMNS.iter().all(|name| first.find(name).is_some())
}

#[derive(Clone, Debug)]
pub(super) struct Changes {
    clock: Clock,
    message: Option<Message>,
    levels: Vec<Level>,
    /// The last update number of the book so far.
    last: Option<u64>,
    /// The same of the snapshot that lies beside the file.
    beside: Option<u64>,
    since: Option<Ts>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Message {
    which: Which,
    ts: Ts,
    action: DepthAction,
    first_id: u64,
    last_id: u64,
    prev_id: Option<u64>,
}

impl Changes {
    pub(super) fn new(path: Option<&Path>) -> Self {
        let beside = path.and_then(snapshot_beside);
        let (clock, levels) = (Clock::default(), Vec::new());
        Self { clock, message: None, levels, last: None, beside, since: None }
    }

    pub(super) fn row(&mut self, row: &Row<'_>, out: &mut Out) -> Result<(), Problem> {
        if row.len() != COLUMNS.len() {
            let (expected, found) = (COLUMNS.len(), row.len());
            return Err(Problem::Columns { expected, found });
        }
        let which = out.instrument("binance-usdm", &row.text(0))?;
        let ts = self.clock.epoch("timestamp", row.get(1), &out.notes)?;
        let number = |at: usize| {
            let number = rows::whole(row.get(at)).map(i64::cast_unsigned);
            number.ok_or_else(|| misread(COLUMNS[at], "a whole number", row.get(at)))
        };
        let sides = [("b", Side::Buy), ("a", Side::Sell)];
        let actions = [("snap", DepthAction::Snapshot), ("set", DepthAction::Delta)];
        let side = rows::word("side", row.get(4), &sides)?;
        let action = rows::word("update_type", row.get(5), &actions)?;
        let px = out.px(which, "price", row.get(6))?;
        let qty = out.qty(which, "qty", row.get(7))?;
        let prev_id = if row.get(8) == b"-1" { None } else { Some(number(8)?) };
        let (first_id, last_id) = (number(2)?, number(3)?);
        let message = Message { which, ts, action, first_id, last_id, prev_id };
        if self.message != Some(message) {
            self.flush(out)?;
            self.message = Some(message);
        }
        self.levels.push(Level { px, qty, side });
        Ok(())
    }

    /// Writes the message that is complete.
    pub(super) fn flush(&mut self, out: &mut Out) -> Result<(), Problem> {
        let Some(message) = self.message.take() else { return Ok(()) };
        let Message { which, ts, action, first_id, last_id, prev_id } = message;
        if action == DepthAction::Delta && !self.continues(message) {
            let reason = match self.last.or(self.beside) {
                Some(_) => GapReason::Sequence,
                None => GapReason::NoSnapshot,
            };
            let head = out.head::<Gap>(which, ts, None);
            let from = self.since.unwrap_or(ts);
            let missing = self.last.and_then(|last| first_id.checked_sub(last + 1));
            out.push(which, Gap { head, from, to: ts, reason, missing }, &[]);
            out.notes.add("breaks in the chain of update numbers became `gap` records", 1);
        }
        self.beside = None;
        (self.last, self.since) = (Some(last_id), Some(ts));
        let head = out.head::<Depth>(which, ts, None);
        let (first_id, last_id) = (Some(first_id), Some(last_id));
        out.push(which, Depth { head, action, first_id, last_id, prev_id }, &self.levels);
        self.levels.clear();
        Ok(())
    }

    /// Whether changes belong to the book as it is. The first behind a snapshot holds its number.
    fn continues(&self, message: Message) -> bool {
        let holds = |last: u64| message.first_id <= last && last <= message.last_id;
        match (self.last, self.beside) {
            (Some(last), _) => message.prev_id == Some(last) || holds(last),
            (None, Some(snapshot)) => message.prev_id == Some(snapshot) || holds(snapshot),
            (None, None) => false,
        }
    }
}

/// The update number of the snapshot that lies beside a file of changes, under the same name.
fn snapshot_beside(path: &Path) -> Option<u64> {
    let name = path.file_name()?.to_str()?;
    let snapshot = path.with_file_name(name.replace("update", "snap"));
    if snapshot == path {
        return None;
    }
    let mut lines = BufReader::new(File::open(snapshot).ok()?).split(b'\n');
    let (first, second) = (lines.next()?.ok()?, lines.next()?.ok()?);
    let mut fields = Fields::default();
    let at = fields.cut(first.trim_ascii(), b',').ok()?.find("last_update_id")?;
    let number = rows::whole(fields.cut(second.trim_ascii(), b',').ok()?.get(at))?;
    Some(number.cast_unsigned())
}
