//! Who watches a lane: statistics, files, tests. Watching changes nothing.

use qt_model::ids::InstrumentId;
use qt_model::order::{CashFlow, Closure, OrderNo, Report};
use qt_model::step::Input;
use qt_model::time::Ts;
use qt_trade::core::Front;
use qt_trade::ledger::{Amount, Exposed, Ledger, Line};
use qt_trade::metrics::Touch;
use qt_trade::orders::{Change, OrderTable};
use qt_trade::outbox::Output;

use super::missed::{Heard, Marked, Missed, Shown};
use crate::exchange::{Exchange, FillFacts, Resting};

/// What is ours at some moment.
#[derive(Clone, Copy, Debug)]
pub struct Ours<'a> {
    pub ledger: &'a Ledger,
    pub orders: &'a OrderTable,
}

/// What a venue knows of an order as it reports about it.
#[derive(Clone, Copy, Debug)]
pub struct AtVenue<'a> {
    /// Of a fill.
    pub facts: Option<&'a FillFacts>,
    pub(super) exchange: &'a Exchange,
}

impl<'a> AtVenue<'a> {
    /// An order, while it stands.
    pub fn resting(&self, order: OrderNo) -> Option<&'a Resting> {
        self.exchange.resting(order)
    }
}

/// Told everything in the order in which it happens: what happens at the venue at the venue's time,
/// what the strategy lives at the strategy's. Both are instants of one axis.
pub trait Observer {
    /// The best prices that a venue shows of an instrument from an instant on, which may be those of
    /// before; absent while a side is.
    fn shown(&mut self, _at: Ts, _instrument: InstrumentId, _touch: Option<Touch>) {}

    /// Whether it is enough to hear later, still in their order, what was shown and what the whole was
    /// worth, and of no record that is received meanwhile: while nothing else happens in its lane.
    fn may_wait(&self) -> bool {
        false
    }

    /// Whether it wants to hear of decisions that led to an order, rather than of those alone that came to
    /// nothing.
    fn hears_decisions(&self) -> bool {
        true
    }

    /// A venue sends a report on its way.
    fn happened(&mut self, _at: Ts, _report: &Report, _venue: AtVenue<'_>, _ours: Ours<'_>) {}

    /// The desk is about to take an input: what a recording would hold. Who [may
    /// wait](Self::may_wait) is not told of all records.
    fn input(&mut self, _now: Ts, _input: &Input<'_>, _ours: Ours<'_>) {}

    /// The strategy asked for something.
    fn asked(&mut self, _now: Ts, _output: &Output, _front: &Front, _ours: Ours<'_>) {}

    /// A report was taken; with what it changed, unless it was refused.
    fn reported(&mut self, _now: Ts, _report: &Report, _did: Option<&Change>, _ours: Ours<'_>) {}

    fn paid(&mut self, _now: Ts, _flow: &CashFlow, _ours: Ours<'_>) {}

    /// A venue closed a position of its own accord.
    fn closed(&mut self, _now: Ts, _closure: &Closure, _ours: Ours<'_>) {}

    /// The worth of the whole changed.
    fn valued(&mut self, _now: Ts, _ours: Ours<'_>) {}

    /// The same, told later to who may wait: equity and what is at stake as they were.
    fn was_valued(&mut self, _now: Ts, _equity: Amount, _exposed: Exposed) {}

    /// What who may wait missed of what was shown, while nothing was held.
    fn caught_up(&mut self, missed: Missed<'_>) {
        missed.in_turn().for_each(|news| {
            if let Heard::Shown(Shown { at, instrument, touch }) = news {
                self.shown(at, instrument, touch);
            }
        });
    }

    /// All that who may wait missed while the worth of the whole was a line over one mark.
    fn followed(&mut self, line: &Line, missed: Missed<'_>) {
        follow(self, line, missed);
    }
}

/// Tells of what was missed piece by piece, each in its turn.
pub fn follow<O: Observer + ?Sized>(observer: &mut O, line: &Line, missed: Missed<'_>) {
    let mut last = line.mark;
    for news in missed.in_turn() {
        match news {
            Heard::Shown(Shown { at, instrument, touch }) => observer.shown(at, instrument, touch),
            Heard::Marked(Marked { now, instrument, mark, .. }) => {
                if line.is_of(instrument) && mark != last {
                    last = mark;
                    let (equity, exposed) = line.at(mark);
                    observer.was_valued(now, equity, exposed);
                }
            }
        }
    }
}

/// Nobody.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unwatched;

impl Observer for Unwatched {
    fn may_wait(&self) -> bool {
        true
    }

    fn hears_decisions(&self) -> bool {
        false
    }

    fn caught_up(&mut self, _missed: Missed<'_>) {}

    fn followed(&mut self, _line: &Line, _missed: Missed<'_>) {}
}
