//! What is kept of a lane as it runs: little of the band, everything of the lane that counts.

use std::sync::Arc;

use qt_model::ids::InstrumentId;
use qt_model::instrument::Instruments;
use qt_model::order::{CashFlow, Report, ReportKind};
use qt_model::record::Batch;
use qt_model::time::Ts;
use qt_sim::driver::{AtVenue, Observer, Ours};
use qt_sim::exchange::Market;
use qt_trade::core::{Effect, Front};
use qt_trade::ledger::{Amount, Ledger};
use qt_trade::metrics::{FillContext, Money, Options, OrderEvent, Queue, Statistics, Touch, Worth};
use qt_trade::outbox::Output;

use super::rows::Rows;

/// See the module.
#[derive(Debug)]
pub(super) struct Watch {
    pub(super) start: Amount,
    peak: Amount,
    /// The deepest fall from a peak, in money.
    pub(super) max_drawdown: Amount,
    pub(super) submitted: u64,
    pub(super) fills: u64,
    full: Option<Full>,
}

/// Of the lane that counts.
#[derive(Debug)]
struct Full {
    statistics: Statistics,
    rows: Rows,
}

impl Watch {
    pub(super) fn light(ledger: &Ledger) -> Self {
        let start = ledger.equity();
        let max_drawdown = Amount::ZERO;
        Self { start, peak: start, max_drawdown, submitted: 0, fills: 0, full: None }
    }

    /// Keeps statistics, and rows of all that happens.
    pub(super) fn full(
        ledger: &Ledger,
        options: Options,
        strategy: &str,
        (instruments, start): (&Arc<Instruments>, Ts),
    ) -> anyhow::Result<Self> {
        let equity = money(ledger, ledger.equity());
        let statistics = Statistics::new(instruments, options, start, equity)?;
        let rows = Rows::new(strategy, Arc::clone(instruments));
        Ok(Self { full: Some(Full { statistics, rows }), ..Self::light(ledger) })
    }

    /// The rows since they were last taken, added to a batch.
    pub(super) fn drain(&mut self, out: &mut Batch) {
        if let Some(full) = &mut self.full {
            full.rows.drain(out);
            full.statistics.fill_qualities().for_each(|row| out.push_row(row, &[]));
            full.statistics.round_trips().for_each(|row| out.push_row(row, &[]));
        }
    }

    pub(super) fn into_statistics(self) -> Option<Statistics> {
        self.full.map(|full| full.statistics)
    }
}

impl Observer for Watch {
    #[inline]
    fn shown(&mut self, at: Ts, instrument: InstrumentId, market: &Market) {
        if let Some(full) = &mut self.full {
            let top = market.top(instrument);
            let touch = top.bid.zip(top.ask).map(|(bid, ask)| Touch { bid: bid.px, ask: ask.px });
            full.statistics.mid(at, instrument, touch);
        }
    }

    fn happened(&mut self, at: Ts, report: &Report, venue: AtVenue<'_>, ours: Ours<'_>) {
        let Some(full) = &mut self.full else { return };
        let statistics = &mut full.statistics;
        let event = match report.what {
            ReportKind::Acknowledged => {
                let queue = venue.resting.and_then(|resting| {
                    let (ahead, level) = resting.arrival.ahead.zip(resting.arrival.level_qty)?;
                    Some(Queue { ahead, level })
                });
                OrderEvent::Accepted { queue }
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

    fn asked(&mut self, now: Ts, output: &Output, front: &Front, ours: Ours<'_>) {
        self.submitted += u64::from(matches!(output, Output::Submit { .. }));
        let Some(full) = &mut self.full else { return };
        match output {
            Output::Submit { order, new } => {
                let top = front.seen(new.instrument).top();
                let mid = top.bid.zip(top.ask);
                let mid = mid.and_then(|(bid, ask)| Touch { bid: bid.px, ask: ask.px }.mid());
                let (instrument, side, qty) = (new.instrument, new.side, new.qty);
                let event = OrderEvent::Submitted { instrument, side, qty, decided: now, mid };
                full.statistics.order(now, *order, &event);
                full.rows.submitted(now, *order, ours);
            }
            Output::Amend { order, .. } => {
                full.statistics.order(now, *order, &OrderEvent::AmendRequested);
                full.rows.changed(now, *order, ours);
            }
            Output::Cancel { order } => {
                full.statistics.order(now, *order, &OrderEvent::CancelRequested);
                full.rows.changed(now, *order, ours);
            }
            Output::Decide(decided) => full.rows.decided(now, decided),
            Output::Timer { .. } => {}
        }
    }

    fn reported(&mut self, now: Ts, report: &Report, effect: &Effect, ours: Ours<'_>) {
        self.fills += u64::from(matches!(report.what, ReportKind::Filled(_)));
        if let (Some(full), Some(change)) = (&mut self.full, &effect.change) {
            full.rows.reported(now, report, change);
            if change.fill.is_some() {
                full.rows.valued(now, ours.ledger, true);
            }
        }
    }

    fn paid(&mut self, now: Ts, flow: &CashFlow, ours: Ours<'_>) {
        if let Some(full) = &mut self.full {
            let home = ours.ledger.home();
            let cash = home.precision.decimal(ours.ledger.converted(flow.cash));
            let cash = qt_model::order::Cash { amount: cash, ..flow.cash };
            full.statistics.cash(now, &CashFlow { cash, ..*flow });
        }
    }

    #[inline]
    fn valued(&mut self, now: Ts, ours: Ours<'_>) {
        let equity = ours.ledger.equity();
        let mut is_extreme = false;
        if equity > self.peak {
            self.peak = equity;
            is_extreme = true;
        }
        let drawdown = self.peak - equity;
        if drawdown > self.max_drawdown {
            self.max_drawdown = drawdown;
            is_extreme = true;
        }
        if let Some(full) = &mut self.full {
            let exposed = ours.ledger.exposure();
            let money = |amount| money(ours.ledger, amount);
            let (equity, gross, net) = (money(equity), money(exposed.gross), money(exposed.net));
            full.statistics.equity(now, Worth { equity, gross, net });
            full.rows.valued(now, ours.ledger, is_extreme);
        }
    }
}

/// An amount in the currency of equity, as statistics count it.
fn money(ledger: &Ledger, amount: Amount) -> Money {
    Money::of_ledger(amount, ledger.home().precision)
}
