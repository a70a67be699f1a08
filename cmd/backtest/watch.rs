//! What is counted of a lane as it runs.

use qt_model::order::{Report, ReportKind};
use qt_model::time::Ts;
use qt_sim::driver::{Observer, Ours};
use qt_sim::exchange::FillFacts;
use qt_trade::core::{Effect, Front};
use qt_trade::ledger::{Amount, Ledger};
use qt_trade::outbox::Output;

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct Watch {
    pub(super) start: Amount,
    peak: Amount,
    /// The deepest fall from a peak, in money.
    pub(super) max_drawdown: Amount,
    pub(super) submitted: u64,
    pub(super) rejected: u64,
    pub(super) fills: u64,
}

impl Watch {
    pub(super) fn new(ledger: &Ledger) -> Self {
        let start = ledger.equity();
        let max_drawdown = Amount::ZERO;
        Self { start, peak: start, max_drawdown, submitted: 0, rejected: 0, fills: 0 }
    }
}

impl Observer for Watch {
    fn asked(&mut self, _now: Ts, output: &Output, _front: &Front, _ours: Ours<'_>) {
        self.submitted += u64::from(matches!(output, Output::Submit { .. }));
    }

    fn reported(
        &mut self,
        _now: Ts,
        report: &Report,
        _effect: &Effect,
        _facts: Option<&FillFacts>,
        _ours: Ours<'_>,
    ) {
        self.rejected += u64::from(matches!(report.what, ReportKind::Rejected(_)));
        self.fills += u64::from(matches!(report.what, ReportKind::Filled(_)));
    }

    fn valued(&mut self, _now: Ts, ours: Ours<'_>) {
        let equity = ours.ledger.equity();
        self.peak = self.peak.max(equity);
        self.max_drawdown = self.max_drawdown.max(self.peak - equity);
    }
}
