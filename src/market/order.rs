//! The total order of a stream: (`ts_recv`, venue, kind, symbol, `seq`).
//!
//! Venues and symbols compare as text, kinds as [`Kind`] lists them. Derived records (features,
//! orders and so on) have no place of their own in it: they follow the record that caused them.

use std::cmp::Ordering;

use qt_model::instrument::Instruments;
use qt_model::time::Ts;

pub use qt_model::record::Key;

/// What breaks ties within one time, as numbers: the order of venue, kind and symbol.
///
/// Ranks are relative to one table of instruments; a later table ranks all of them anew.
#[derive(Clone, Debug, Default)]
pub struct Ranks {
    /// Per instrument, the ranks of its venue and of its name, from one on.
    by_instrument: Vec<(u64, u64)>,
}

const KIND_BITS: u32 = 8;
const NAME_BITS: u32 = 32;

impl Ranks {
    pub fn of(instruments: &Instruments) -> Self {
        let mut sorted: Vec<_> = instruments.by_symbol().collect();
        sorted.sort_by(|(a, _), (b, _)| instruments.compare(*a, *b));
        let mut by_instrument = vec![(0, 0); instruments.len()];
        let mut venues = 0;
        let mut last = None;
        for (name, (id, instrument)) in (1..).zip(sorted) {
            let venue = instrument.symbol.venue();
            if last != Some(venue) {
                venues += 1;
                last = Some(venue);
            }
            by_instrument[id.index()] = (venues, name);
        }
        Self { by_instrument }
    }

    /// The rank of a place among all places of its time, its number left out.
    #[inline]
    pub fn rank(&self, key: &Key) -> u64 {
        let (venue, name) = key.instrument.map_or((0, 0), |id| self.by_instrument[id.index()]);
        venue << (KIND_BITS + NAME_BITS) | (key.kind.index() as u64) << NAME_BITS | name
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
    /// The time of the last record that passed.
    #[inline]
    pub fn time(&self) -> Option<Ts> {
        self.last.map(|last| last.ts_recv)
    }

    /// Takes a record as the last one that passed.
    #[inline]
    pub fn set(&mut self, key: Key) {
        self.last = Some(key);
    }

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
}
