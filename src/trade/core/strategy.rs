//! What every strategy is, however it was written: in a file, in Rust, or in another process.

use std::fmt::Debug;

use qt_model::ids::InstrumentId;
use qt_model::order::{CashFlow, Closure};
use qt_model::record::{Kind, Record};
use qt_model::step::{Operator, TimerId};

use super::context::Context;
use crate::orders::Change;

/// Which records a strategy is called for. The rest passes it by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wants {
    kinds: u64,
    pub features: bool,
    /// Whether it looks at the levels of books beside the best prices.
    pub levels: bool,
}

impl Wants {
    pub const NOTHING: Self = Self { kinds: 0, features: false, levels: false };

    pub const fn kinds(kinds: &[Kind]) -> Self {
        let (mut bits, mut at) = (0, 0);
        while at < kinds.len() {
            bits |= 1 << kinds[at] as u32;
            at += 1;
        }
        Self { kinds: bits, ..Self::NOTHING }
    }

    pub const fn and_features(self) -> Self {
        Self { features: true, ..self }
    }

    pub const fn and_levels(self) -> Self {
        Self { levels: true, ..self }
    }

    pub fn wants_records(self) -> bool {
        self.kinds != 0
    }

    #[inline]
    pub fn wants(self, kind: Kind) -> bool {
        self.kinds >> (kind as u32) & 1 != 0
    }
}

/// A strategy: told what happens, it asks through its context. It has no other way out, reads no
/// clock, and decides from what it was told alone, so that it decides the same again.
pub trait Strategy: Debug + Send {
    fn wants(&self) -> Wants;

    /// Before the first record.
    fn start(&mut self, _context: &mut Context<'_>) {}

    /// A record of a kind that it wants.
    fn market(&mut self, _record: &Record<'_>, _context: &mut Context<'_>) {}

    /// A new row of features of an instrument, which the context shows.
    fn features(&mut self, _instrument: InstrumentId, _context: &mut Context<'_>) {}

    /// Whether it waits for a rule: as long as no row of features of one of these instruments has a
    /// value other than zero in its column, and nothing of its own happens, [`Self::features`] would
    /// ask for nothing and leave it as it is. Then it need not be called. Adds to an empty list.
    fn waits(&self, _for_met: &mut Vec<(InstrumentId, usize)>) -> bool {
        false
    }

    /// One of its orders changed, or was filled.
    fn order(&mut self, _change: &Change, _context: &mut Context<'_>) {}

    /// Cash moved without a fill.
    fn cash(&mut self, _flow: &CashFlow, _context: &mut Context<'_>) {}

    /// A venue closed a position of its own accord, wholly or in part. It is booked already.
    fn closed(&mut self, _closure: &Closure, _context: &mut Context<'_>) {}

    fn timer(&mut self, _timer: TimerId, _context: &mut Context<'_>) {}

    fn operator(&mut self, _operator: Operator, _context: &mut Context<'_>) {}

    /// After the last record. What it asks for here is sent.
    fn stop(&mut self, _context: &mut Context<'_>) {}
}

impl<S: Strategy + ?Sized> Strategy for Box<S> {
    fn wants(&self) -> Wants {
        (**self).wants()
    }

    fn start(&mut self, context: &mut Context<'_>) {
        (**self).start(context);
    }

    fn market(&mut self, record: &Record<'_>, context: &mut Context<'_>) {
        (**self).market(record, context);
    }

    fn features(&mut self, instrument: InstrumentId, context: &mut Context<'_>) {
        (**self).features(instrument, context);
    }

    fn waits(&self, for_met: &mut Vec<(InstrumentId, usize)>) -> bool {
        (**self).waits(for_met)
    }

    fn order(&mut self, change: &Change, context: &mut Context<'_>) {
        (**self).order(change, context);
    }

    fn cash(&mut self, flow: &CashFlow, context: &mut Context<'_>) {
        (**self).cash(flow, context);
    }

    fn closed(&mut self, closure: &Closure, context: &mut Context<'_>) {
        (**self).closed(closure, context);
    }

    fn timer(&mut self, timer: TimerId, context: &mut Context<'_>) {
        (**self).timer(timer, context);
    }

    fn operator(&mut self, operator: Operator, context: &mut Context<'_>) {
        (**self).operator(operator, context);
    }

    fn stop(&mut self, context: &mut Context<'_>) {
        (**self).stop(context);
    }
}
