//! Who watches a lane: statistics, files, tests. Watching changes nothing.

use qt_model::ids::InstrumentId;
use qt_model::order::{CashFlow, Closure, Report};
use qt_model::step::Input;
use qt_model::time::Ts;
use qt_trade::core::Front;
use qt_trade::ledger::{Amount, DoublePx, Exposed, Ledger, Line};
use qt_trade::metrics::Touch;
use qt_trade::orders::{Change, OrderTable};
use qt_trade::outbox::Output;

use crate::exchange::{FillFacts, Resting};

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
    /// The order, while it stands.
    pub resting: Option<&'a Resting>,
}

/// The best prices that a venue shows.
#[derive(Clone, Copy, Debug)]
pub struct Shown {
    pub at: Ts,
    pub instrument: InstrumentId,
    pub touch: Option<Touch>,
}

/// What a position is valued at.
#[derive(Clone, Copy, Debug)]
pub struct Marked {
    pub now: Ts,
    pub mark: DoublePx,
    pub instrument: InstrumentId,
    /// How much was shown before it, counted from the same beginning by all.
    pub(super) behind: u32,
}

/// What a lane has to hear of, sooner or later: both in their order, and each told from the other, as
/// most who hear go through one of them at a time.
#[derive(Clone, Copy, Debug)]
pub struct Missed<'a> {
    pub shown: &'a [Shown],
    pub marked: &'a [Marked],
    /// How much was shown before all of it.
    pub(super) behind: u32,
}

/// One thing of what was missed.
#[derive(Clone, Copy, Debug)]
pub enum Heard {
    Shown(Shown),
    Marked(Marked),
}

impl<'a> Missed<'a> {
    pub(super) fn is_empty(&self) -> bool {
        self.shown.is_empty() && self.marked.is_empty()
    }

    /// All of it in its order.
    pub fn in_turn(self) -> impl Iterator<Item = Heard> + 'a {
        let (mut shown, mut marked) = (self.shown.iter(), self.marked.iter().peekable());
        let mut behind = self.behind;
        std::iter::from_fn(move || {
            if let Some(marked) = marked.next_if(|marked| marked.behind <= behind) {
                return Some(Heard::Marked(*marked));
            }
            behind += 1;
            let shown = shown.next().map(|shown| Heard::Shown(*shown));
            shown.or_else(|| marked.next().map(|marked| Heard::Marked(*marked)))
        })
    }
}

/// Told everything in the order in which it happens: what happens at the venue at the venue's time,
/// what the strategy lives at the strategy's. Both are instants of one axis.
pub trait Observer {
    /// A record changed the best prices that a venue shows of an instrument, or something beside them;
    /// absent while a side is.
    fn shown(&mut self, _at: Ts, _instrument: InstrumentId, _touch: Option<Touch>) {}

    /// Whether it is enough to hear later, still in their order, what was shown and what the whole was
    /// worth, and of no record that is received meanwhile: while nothing else happens in its lane.
    fn may_wait(&self) -> bool {
        false
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
}
