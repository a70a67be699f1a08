//! Who watches a lane: statistics, files, tests. Watching changes nothing.

use qt_model::ids::InstrumentId;
use qt_model::order::{CashFlow, Report};
use qt_model::time::Ts;
use qt_trade::core::{Effect, Front};
use qt_trade::ledger::Ledger;
use qt_trade::orders::OrderTable;
use qt_trade::outbox::Output;

use crate::exchange::FillFacts;

/// What is ours at some moment.
#[derive(Clone, Copy, Debug)]
pub struct Ours<'a> {
    pub ledger: &'a Ledger,
    pub orders: &'a OrderTable,
}

/// Told everything in the order in which the strategy lives it, by the clock of the stream.
pub trait Observer {
    /// The best prices or the last print of an instrument changed.
    fn prices(&mut self, _now: Ts, _instrument: InstrumentId, _front: &Front) {}

    /// The strategy asked for something.
    fn asked(&mut self, _now: Ts, _output: &Output, _front: &Front, _ours: Ours<'_>) {}

    /// A report was taken, with what the venue knows of a fill.
    fn reported(
        &mut self,
        _now: Ts,
        _report: &Report,
        _effect: &Effect,
        _facts: Option<&FillFacts>,
        _ours: Ours<'_>,
    ) {
    }

    fn paid(&mut self, _now: Ts, _flow: &CashFlow, _ours: Ours<'_>) {}

    /// The worth of the whole changed.
    fn valued(&mut self, _now: Ts, _ours: Ours<'_>) {}
}

/// Nobody.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unwatched;

impl Observer for Unwatched {}
