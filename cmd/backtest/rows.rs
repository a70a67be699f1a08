//! The records that a run leaves: decisions, orders, fills and equity.
//!
//! Equity is kept once a second of the stream, and at each fill and each new extreme.

use std::sync::Arc;

use qt_model::decimal::kept;
use qt_model::ids::{DecisionId, FillId, OrderId, StrategyId, TraceId};
use qt_model::instrument::{Instrument, Instruments};
use qt_model::order::{OrderNo, Pricing, Report, ReportKind};
use qt_model::record::{Batch, Decision, Equity, Fill, Head, Order, Table};
use qt_model::step::Input;
use qt_model::time::Ts;
use qt_model::words::{OrderStatus, OrderType, Word};
use qt_sim::driver::Ours;
use qt_trade::ledger::Ledger;
use qt_trade::orders::{Change, Entry};
use qt_trade::outbox::{Decided, Output};
use qt_trade::tape::Tape;
use rust_decimal::Decimal;

use super::spill::{MOST, Spill};

/// How often equity is kept where nothing happens.
const EVERY_NS: i64 = 1_000_000_000;

/// See the module.
#[derive(Debug)]
pub(super) struct Rows {
    strategy: StrategyId,
    instruments: Arc<Instruments>,
    rows: Batch,
    tape: Tape,
    decisions: u64,
    orders: u64,
    fills: u64,
    equities: u64,
    next_equity: i64,
    /// Whether only equity and orders are kept.
    is_band: bool,
    /// Where rows go once there are many.
    spill: Option<Spill>,
}

impl Rows {
    pub(super) fn new(strategy: &str, instruments: Arc<Instruments>, is_band: bool) -> Self {
        Self {
            strategy: StrategyId::from(strategy),
            rows: Batch::new(Arc::clone(&instruments)),
            instruments,
            tape: Tape::default(),
            decisions: 0,
            orders: 0,
            fills: 0,
            equities: 0,
            next_equity: i64::MIN,
            is_band,
            spill: None,
        }
    }

    pub(super) fn spill_to(&mut self, spill: Spill) {
        self.spill = Some(spill);
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    #[inline]
    fn push<T: Table>(&mut self, row: T) {
        self.rows.push_row(row, &[]);
        if self.rows.len() >= MOST
            && let Some(spill) = &self.spill
        {
            spill.take(&mut self.rows);
        }
    }

    /// Hands all rows over. An empty batch of the same instruments changes places with ours: rows
    /// own texts, and copying them costs more than all else about them.
    pub(super) fn drain(&mut self, out: &mut Batch) {
        if out.is_empty() && Arc::ptr_eq(out.instruments(), &self.instruments) {
            std::mem::swap(out, &mut self.rows);
        } else {
            out.push_range(&self.rows, 0, self.rows.len());
        }
        self.rows.clear();
    }

    /// What the strategy asked for.
    pub(super) fn asked(&mut self, now: Ts, output: &Output, ours: Ours<'_>) {
        match output {
            Output::Submit { order, .. } => self.submitted(now, *order, ours),
            Output::Amend { order, .. } | Output::Cancel { order } => {
                self.changed(now, *order, ours);
            }
            Output::Decide(decided) => self.decided(now, decided),
            Output::Timer { .. } => {}
        }
    }

    /// What the strategy is about to be told.
    pub(super) fn told(&mut self, now: Ts, input: &Input<'_>, ours: Ours<'_>) {
        if self.is_band {
            return;
        }
        let instrument_of = |order| ours.orders.get(order).map(|entry| entry.new.instrument);
        if let Some(row) = self.tape.row(now, input, instrument_of) {
            self.push(row);
        }
    }

    fn decided(&mut self, now: Ts, decided: &Decided) {
        if self.is_band {
            return;
        }
        self.decisions += 1;
        let decision = Decision {
            head: Head::new(now, now, self.decisions, decided.instrument),
            decision_id: DecisionId::from(&*self.decisions.to_string()),
            strategy: self.strategy.clone(),
            action: decided.action,
            side: decided.side,
            px: decided.px,
            qty: decided.qty,
            reason: Some(decided.reason.to_string()),
            trace_id: Some(TraceId::from(&*self.decisions.to_string())),
        };
        self.push(decision);
    }

    /// An order that is sent for the first time.
    fn submitted(&mut self, now: Ts, order: OrderNo, ours: Ours<'_>) {
        if let Some(entry) = ours.orders.get(order) {
            let previous = Some(OrderStatus::Pending);
            self.order((now, now), entry, previous, None);
        }
    }

    /// A request for an order of ours is sent.
    fn changed(&mut self, now: Ts, order: OrderNo, ours: Ours<'_>) {
        if let Some(entry) = ours.orders.get(order) {
            self.order((now, now), entry, None, None);
        }
    }

    pub(super) fn reported(&mut self, now: Ts, report: &Report, change: &Change) {
        let reason = match report.what {
            ReportKind::Rejected(reason)
            | ReportKind::AmendRefused(reason)
            | ReportKind::CancelRefused(reason) => Some(reason.word()),
            ReportKind::Cancelled(reason) => Some(reason.word()),
            ReportKind::Triggered => Some("triggered"),
            ReportKind::Acknowledged
            | ReportKind::Filled(_)
            | ReportKind::Amended(_)
            | ReportKind::Expired
            | ReportKind::Unknown => None,
        };
        self.order((report.ts_event, now), &change.entry, Some(change.previous), reason);
        if let Some(fill) = change.fill.as_ref().filter(|_| !self.is_band) {
            self.fills += 1;
            let entry = &change.entry;
            let fill = Fill {
                head: Head::new(report.ts_event, now, self.fills, Some(entry.new.instrument)),
                fill_id: FillId::from(&*fill.fill.0.to_string()),
                order_id: Some(order_id(entry)),
                client_order_id: None,
                venue_order_id: None,
                account: None,
                strategy: Some(self.strategy.clone()),
                side: entry.new.side,
                px: fill.px,
                qty: fill.qty,
                fee: Some(fill.fee.amount),
                fee_currency: Some(fill.fee.currency.to_string()),
                liquidity: Some(fill.liquidity),
                trace_id: trace_id(entry),
            };
            self.push(fill);
        }
    }

    fn order(
        &mut self,
        (ts_event, now): (Ts, Ts),
        entry: &Entry,
        previous: Option<OrderStatus>,
        reason: Option<&str>,
    ) {
        self.orders += 1;
        let instrument = self.instruments.get(entry.new.instrument);
        let (order_type, stop_px) = match entry.new.pricing {
            Pricing::Market => (OrderType::Market, None),
            Pricing::Limit { .. } => (OrderType::Limit, None),
            Pricing::Stop { trigger } => (OrderType::Stop, Some(trigger)),
            Pricing::StopLimit { trigger, .. } => (OrderType::StopLimit, Some(trigger)),
            Pricing::TrailingStop { distance } => (OrderType::TrailingStop, Some(distance)),
        };
        let order = Order {
            head: Head::new(ts_event, now, self.orders, Some(entry.new.instrument)),
            order_id: order_id(entry),
            client_order_id: None,
            venue_order_id: None,
            account: None,
            strategy: Some(self.strategy.clone()),
            previous,
            status: entry.status,
            side: entry.new.side,
            order_type,
            time_in_force: entry.new.time_in_force,
            qty: entry.new.qty,
            px: entry.new.limit_px(),
            stop_px,
            reduce_only: entry.new.reduce_only.then_some(true),
            filled_qty: entry.filled,
            avg_px: mean_px(entry, instrument),
            reason: reason.map(str::to_owned),
            trace_id: trace_id(entry),
        };
        self.push(order);
    }

    /// The worth of the whole, if it is due or said to be worth keeping.
    #[inline]
    pub(super) fn valued(&mut self, now: Ts, ledger: &Ledger, is_kept: bool) {
        if is_kept || now.nanos() >= self.next_equity {
            self.equity(now, ledger);
        }
    }

    fn equity(&mut self, now: Ts, ledger: &Ledger) {
        self.next_equity = (now.nanos().div_euclid(EVERY_NS) + 1).saturating_mul(EVERY_NS);
        self.equities += 1;
        let home = ledger.home();
        let exposed = ledger.exposure();
        let decimal = |amount| kept(home.precision.decimal(amount));
        let (equity, booked) = (ledger.equity(), ledger.booked());
        let equity = Equity {
            head: Head::new(now, now, self.equities, None),
            currency: home.currency.to_string(),
            equity: decimal(equity),
            cash: Some(decimal(home.cash())),
            realized: Some(decimal(booked)),
            unrealized: Some(decimal(equity - booked)),
            gross_exposure: Some(decimal(exposed.gross)),
            net_exposure: Some(decimal(exposed.net)),
        };
        self.push(equity);
    }
}

fn order_id(entry: &Entry) -> OrderId {
    OrderId::from(&*entry.order.0.to_string())
}

/// The thread that the order's decision began.
fn trace_id(entry: &Entry) -> Option<TraceId> {
    entry.decision.map(|decision| TraceId::from(&*decision.0.to_string()))
}

/// The mean price of an order's fills.
fn mean_px(entry: &Entry, instrument: &Instrument) -> Option<Decimal> {
    if entry.filled.is_zero() {
        return None;
    }
    let notional = entry.notional.to_decimal(instrument.px_scale, instrument.qty_scale)?;
    notional.checked_div(entry.filled.to_decimal(instrument.qty_scale)).map(kept)
}
