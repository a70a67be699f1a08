//! The total order of a stream: (`ts_recv`, venue, kind, symbol, `seq`).
//!
//! Venues and symbols compare as text, kinds as [`Kind`] lists them. Derived records (features,
//! orders and so on) have no place of their own in it: they follow the record that caused them.

use std::cmp::Ordering;

use qt_model::ids::InstrumentId;
use qt_model::instrument::Instruments;
use qt_model::record::{Kind, Record};
use qt_model::time::Ts;

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

/// How a record breaks the order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Violation {
    /// It belongs before its predecessor.
    Regression,
    /// It has the very place of its predecessor.
    Duplicate,
}

impl Violation {
    pub const fn code(self) -> &'static str {
        match self {
            Self::Regression => "ORDERING_VIOLATION_REGRESSION",
            Self::Duplicate => "ORDERING_VIOLATION_DUPLICATE",
        }
    }
}

/// Watches a stream pass by.
#[derive(Clone, Copy, Debug, Default)]
pub struct Watch {
    last: Option<Key>,
}

impl Watch {
    /// Whether the record may follow those before it; on a violation, its predecessor's place.
    #[inline]
    pub fn check(&mut self, key: Key, instruments: &Instruments) -> Option<(Violation, Key)> {
        let Some(last) = self.last else {
            self.last = Some(key);
            return None;
        };
        if key.ts_recv > last.ts_recv {
            self.last = Some(key);
            return None;
        }
        self.check_tie(key, last, instruments)
    }

    fn check_tie(
        &mut self,
        key: Key,
        last: Key,
        instruments: &Instruments,
    ) -> Option<(Violation, Key)> {
        if !key.kind.is_market() {
            let regressed = key.ts_recv < last.ts_recv;
            return regressed.then_some((Violation::Regression, last));
        }
        if !last.kind.is_market() && key.ts_recv == last.ts_recv {
            self.last = Some(key);
            return None;
        }
        match key.compare(&last, instruments) {
            Ordering::Greater => {
                self.last = Some(key);
                None
            }
            Ordering::Equal => Some((Violation::Duplicate, last)),
            Ordering::Less => Some((Violation::Regression, last)),
        }
    }

    /// The place of the last record in order.
    pub fn last(&self) -> Option<Key> {
        self.last
    }
}
