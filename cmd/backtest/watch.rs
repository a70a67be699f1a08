//! What is kept of a lane as it runs: little of the band, everything of the lane that counts.

use std::collections::BTreeSet;
use std::sync::Arc;

use qt_model::ids::InstrumentId;
use qt_model::instrument::Instruments;
use qt_model::order::{Cash, CashFlow, Closure, Report, ReportKind};
use qt_model::record::Batch;
use qt_model::step::Input;
use qt_model::time::Ts;
use qt_model::words::DecisionAction;
use qt_sim::driver::{AtVenue, Marked, Missed, Observer, Ours, Part, Shown, follow};
use qt_trade::core::Front;
use qt_trade::ledger::{Amount, Exposed, Ledger, Line, Precision};
use qt_trade::metrics::{
    Extremes, FillContext, Money, Options, OrderEvent, Path, Queue, Statistics, Touch, Worth,
};
use qt_trade::orders::Change;
use qt_trade::outbox::{Decided, Output};

use super::rows::Rows;
use super::spill::{MOST, Spill};
use super::variant::Kept;

/// See the module.
#[derive(Debug)]
pub(super) struct Watch {
    pub(super) start: Amount,
    pub(super) extremes: Extremes,
    pub(super) submitted: u64,
    pub(super) fills: u64,
    /// Instruments for which a strategy of rules asked for nothing, and why.
    pub(super) skipped: BTreeSet<(InstrumentId, &'static str)>,
    /// Of the currency of equity.
    precision: Precision,
    statistics: Option<Box<Statistics>>,
    rows: Option<Box<Rows>>,
    /// For marks that were missed, as they are followed.
    path: Path,
}

impl Watch {
    pub(super) fn new(ledger: &Ledger) -> Self {
        let start = ledger.equity();
        Self {
            start,
            extremes: Extremes::new(start),
            submitted: 0,
            fills: 0,
            skipped: BTreeSet::new(),
            precision: ledger.home().precision,
            statistics: None,
            rows: None,
            path: Path::default(),
        }
    }

    /// Keeps statistics.
    pub(super) fn measure(
        &mut self,
        ledger: &Ledger,
        options: Options,
        (instruments, start): (&Instruments, Ts),
    ) -> anyhow::Result<()> {
        let equity = money(ledger, ledger.equity());
        let statistics = Statistics::new(instruments, options, start, equity)?;
        self.statistics = Some(Box::new(statistics));
        Ok(())
    }

    /// Keeps rows of what happens.
    pub(super) fn record(&mut self, kept: Kept, strategy: &str, instruments: &Arc<Instruments>) {
        if kept != Kept::Nothing {
            let rows = Rows::new(strategy, Arc::clone(instruments), kept == Kept::Band);
            self.rows = Some(Box::new(rows));
        }
    }

    /// Lets rows go there before there are too many of them.
    pub(super) fn spill_to(&mut self, spill: Spill) {
        if let Some(rows) = &mut self.rows {
            rows.spill_to(spill);
        }
    }

    /// Whether there are so many rows that they should be drained.
    pub(super) fn is_full(&self) -> bool {
        self.rows.as_ref().is_some_and(|rows| rows.len() >= MOST)
    }

    /// Moves the rows since the last time to a batch.
    pub(super) fn drain(&mut self, out: &mut Batch) {
        if let Some(rows) = &mut self.rows {
            rows.drain(out);
        }
        if let Some(statistics) = &mut self.statistics {
            statistics.fill_qualities().for_each(|row| out.push_row(row, &[]));
            statistics.round_trips().for_each(|row| out.push_row(row, &[]));
        }
    }

    /// Follows what the whole is worth; says whether that is a new peak or the deepest fall from one.
    #[inline]
    fn follow(&mut self, now: Ts, equity: Amount, exposed: impl FnOnce() -> Exposed) -> bool {
        let is_extreme = self.extremes.observe(equity);
        if let Some(statistics) = &mut self.statistics {
            let money = |amount| Money::of_ledger(amount, self.precision);
            let (exposed, equity) = (exposed(), money(equity));
            let net = money(exposed.net);
            // Of one instrument both are one number.
            let is_alone = exposed.gross == exposed.net || exposed.gross == -exposed.net;
            let gross = if is_alone { net.abs() } else { money(exposed.gross) };
            statistics.equity(now, Worth { equity, gross, net });
        }
        is_extreme
    }

    #[cold]
    fn note_skip(&mut self, decided: &Decided) {
        let reason = [Decided::EXPIRED, Decided::BELOW_LOT]
            .into_iter()
            .find(|reason| *reason == decided.reason);
        self.skipped.extend(decided.instrument.zip(reason));
    }

    pub(super) fn into_statistics(self) -> Option<Statistics> {
        self.statistics.map(|statistics| *statistics)
    }
}

impl Observer for Watch {
    #[inline]
    fn input(&mut self, now: Ts, input: &Input<'_>, ours: Ours<'_>) {
        if let Some(rows) = &mut self.rows {
            rows.told(now, input, ours);
        }
    }

    #[inline]
    fn shown(&mut self, at: Ts, instrument: InstrumentId, touch: Option<Touch>) {
        if let Some(statistics) = &mut self.statistics {
            statistics.mid(at, instrument, touch);
        }
    }

    /// Rows are of the instant; all else here can be caught up with.
    fn may_wait(&self) -> bool {
        self.rows.is_none()
    }

    /// Rows tell of all of them.
    fn hears_decisions(&self) -> bool {
        self.rows.is_some()
    }

    #[inline]
    fn happened(&mut self, at: Ts, report: &Report, venue: AtVenue<'_>, ours: Ours<'_>) {
        let Some(statistics) = &mut self.statistics else { return };
        let event = match report.what {
            ReportKind::Acknowledged => {
                let queue = venue.resting(report.order).and_then(|resting| {
                    let (ahead, level) = resting.arrival.ahead.zip(resting.arrival.level_qty)?;
                    Some(Queue { ahead, level })
                });
                let accepted = OrderEvent::Accepted { queue };
                return statistics.order(at, report.order, &accepted);
            }
            ReportKind::Rejected(_) => OrderEvent::Rejected,
            ReportKind::Amended(change) => OrderEvent::Amended { qty: change.qty },
            ReportKind::Cancelled(_) => OrderEvent::Cancelled,
            ReportKind::Expired => OrderEvent::Expired,
            ReportKind::Filled(fill) => {
                let Some(entry) = ours.orders.get(report.order) else { return };
                let facts = venue.facts;
                let context = FillContext {
                    fee: Some(money(ours.ledger, ours.ledger.converted(fill.fee))),
                    queue_ahead: facts.and_then(|facts| facts.ahead),
                    queue_traded: facts.map(|facts| facts.by_trades),
                    queue_cancelled: facts.map(|facts| facts.by_cancels),
                };
                let traded = (entry.new.instrument, entry.new.side);
                statistics.fill(at, report.order, traded, &fill, &context);
                return;
            }
            ReportKind::Triggered
            | ReportKind::AmendRefused(_)
            | ReportKind::CancelRefused(_)
            | ReportKind::Unknown => return,
        };
        statistics.order(at, report.order, &event);
    }

    #[inline]
    fn asked(&mut self, now: Ts, output: &Output, front: &Front, ours: Ours<'_>) {
        match output {
            Output::Submit { order, new } => {
                self.submitted += 1;
                if let Some(statistics) = &mut self.statistics {
                    let mid = front.seen(new.instrument).top().mid();
                    let (instrument, side, qty) = (new.instrument, new.side, new.qty);
                    let asked = OrderEvent::Submitted { instrument, side, qty, decided: now, mid };
                    statistics.order(now, *order, &asked);
                }
            }
            Output::Amend { order, .. } => {
                if let Some(statistics) = &mut self.statistics {
                    statistics.order(now, *order, &OrderEvent::AmendRequested);
                }
            }
            Output::Cancel { order } => {
                if let Some(statistics) = &mut self.statistics {
                    statistics.order(now, *order, &OrderEvent::CancelRequested);
                }
            }
            Output::Decide(decided) if decided.action == DecisionAction::Skip => {
                self.note_skip(decided);
            }
            Output::Decide(_) | Output::Timer { .. } => {}
        }
        if let Some(rows) = &mut self.rows {
            rows.asked(now, output, ours);
        }
    }

    #[inline]
    fn reported(&mut self, now: Ts, report: &Report, did: Option<&Change>, ours: Ours<'_>) {
        self.fills += u64::from(matches!(report.what, ReportKind::Filled(_)));
        if let (Some(rows), Some(change)) = (&mut self.rows, did) {
            rows.reported(now, report, change);
            if change.fill.is_some() {
                rows.valued(now, ours.ledger, true);
            }
        }
    }

    fn paid(&mut self, now: Ts, flow: &CashFlow, ours: Ours<'_>) {
        if let Some(statistics) = &mut self.statistics {
            let home = ours.ledger.home();
            let amount = home.precision.decimal(ours.ledger.converted(flow.cash));
            let cash = Cash { amount, currency: home.currency };
            statistics.cash(now, &CashFlow { cash, ..*flow });
        }
    }

    fn closed(&mut self, now: Ts, closure: &Closure, ours: Ours<'_>) {
        if let Some(statistics) = &mut self.statistics {
            let fee = money(ours.ledger, ours.ledger.converted(closure.execution.fee));
            statistics.closure(now, closure, fee);
        }
    }

    #[inline]
    fn valued(&mut self, now: Ts, ours: Ours<'_>) {
        let is_extreme = self.follow(now, ours.ledger.equity(), || ours.ledger.exposure());
        if let Some(rows) = &mut self.rows {
            rows.valued(now, ours.ledger, is_extreme);
        }
    }

    #[inline]
    fn was_valued(&mut self, now: Ts, equity: Amount, exposed: Exposed) {
        self.follow(now, equity, || exposed);
    }

    fn caught_up(&mut self, missed: Missed<'_>) {
        if let Some(statistics) = &mut self.statistics {
            shown(statistics, missed);
        }
    }

    /// First all that was shown, then what the whole was worth: each in a loop of its own.
    fn followed(&mut self, line: &Line, missed: Missed<'_>) {
        let Self { statistics, extremes, path, precision, .. } = self;
        if statistics.as_ref().is_some_and(|statistics| !statistics.comes_apart()) {
            return follow(self, line, missed);
        }
        path.clear();
        let mut last = line.mark;
        for part in missed.marked() {
            match part {
                Part::Prices(of, quoted) if line.is_of(of) => path.quotes(&mut last, quoted),
                Part::Prices(..) => {}
                Part::Each(each) => {
                    for Marked { now, mark, instrument, .. } in each {
                        if line.is_of(*instrument) && std::mem::replace(&mut last, *mark) != *mark {
                            path.push(*now, *mark);
                        }
                    }
                }
            }
        }
        extremes.along(line, path);
        let Some(statistics) = statistics else { return };
        let since = statistics.now();
        shown(statistics, missed);
        statistics.along(since, (line, *precision), path);
    }
}

/// Tells statistics of all that was shown.
fn shown(statistics: &mut Statistics, missed: Missed<'_>) {
    for part in missed.shown() {
        match part {
            Part::Prices(instrument, quoted) => statistics.mids(instrument, quoted),
            Part::Each(each) => {
                for Shown { at, instrument, touch } in each {
                    statistics.mid(*at, *instrument, *touch);
                }
            }
        }
    }
}

/// An amount in the currency of equity, as statistics count it.
fn money(ledger: &Ledger, amount: Amount) -> Money {
    Money::of_ledger(amount, ledger.home().precision)
}
