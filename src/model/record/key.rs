//! The place of a record in the total order of a stream: (`ts_recv`, venue, kind, symbol, `seq`).
//!
//! Venues and symbols compare as text, kinds as [`Kind`] lists them.

use std::cmp::Ordering;

use super::{Kind, Record};
use crate::ids::InstrumentId;
use crate::instrument::Instruments;
use crate::time::Ts;

/// The place of a record in the order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    pub ts_recv: Ts,
    pub kind: Kind,
    pub instrument: Option<InstrumentId>,
    pub seq: u64,
}

impl Key {
    #[inline]
    pub fn of(record: &Record<'_>) -> Self {
        let head = record.head();
        Self {
            ts_recv: head.ts_recv,
            kind: record.kind(),
            instrument: head.instrument,
            seq: head.seq,
        }
    }

    /// Compares two places. The table resolves what the ids stand for.
    #[inline]
    pub fn compare(&self, other: &Self, instruments: &Instruments) -> Ordering {
        self.ts_recv.cmp(&other.ts_recv).then_with(|| self.compare_rest(other, instruments))
    }

    fn compare_rest(&self, other: &Self, instruments: &Instruments) -> Ordering {
        if self.kind == other.kind && self.instrument == other.instrument {
            return self.seq.cmp(&other.seq);
        }
        let symbol = |key: &Self| key.instrument.map(|id| &instruments.get(id).symbol);
        let (a, b) = (symbol(self), symbol(other));
        // What belongs to no venue comes before what does.
        a.map(|symbol| symbol.venue())
            .cmp(&b.map(|symbol| symbol.venue()))
            .then(self.kind.cmp(&other.kind))
            .then_with(|| a.map(|symbol| symbol.name()).cmp(&b.map(|symbol| symbol.name())))
            .then(self.seq.cmp(&other.seq))
    }

    /// The place in words, for messages.
    pub fn describe(&self, instruments: &Instruments) -> String {
        let symbol = self.instrument.map(|id| instruments.get(id).symbol.as_str());
        let (kind, seq) = (self.kind.name(), self.seq);
        format!("{} {kind} {} seq {seq}", self.ts_recv, symbol.unwrap_or("-"))
    }
}
