//! A stage for small scenes: a market told in a few words, and reports as short lines.

use std::fmt::Write;
use std::sync::Arc;

use qt_model::ids::InstrumentId;
use qt_model::instrument::{Instrument, Instruments, Symbol, Terms};
use qt_model::order::{
    Amendment, CashFlow, Closure, NewOrder, OrderNo, Pricing, Report, ReportKind,
};
use qt_model::record::{
    Bar, Batch, Depth, Funding, Gap, Head, Level, Mark, Mbo, Quote, Record, Status, Table, Trade,
};
use qt_model::step::Execution;
use qt_model::time::Ts;
use qt_model::units::{Px, Qty, Scale};
use qt_model::words::{DepthAction, GapReason, MboAction, Side, TimeInForce, TradingStatus, Word};
use qt_trade::risk::{Approved, Exposure, Stack};
use rust_decimal::Decimal;

use super::super::*;

pub(super) const BUY: Side = Side::Buy;
pub(super) const SELL: Side = Side::Sell;

/// A market of whole prices and sizes, an exchange, and what it said.
pub(super) struct Scene {
    pub(super) instruments: Arc<Instruments>,
    pub(super) market: Market,
    pub(super) exchange: Exchange,
    pub(super) id: InstrumentId,
    pub(super) now: i64,
    pub(super) out: Vec<Execution>,
    next: u64,
}

pub(super) fn px(units: i64) -> Px {
    Px::new(units)
}

pub(super) fn qty(units: i64) -> Qty {
    Qty::new(units).unwrap()
}

pub(super) fn number(text: &str) -> Decimal {
    qt_model::decimal::parse_money(text.as_bytes()).unwrap()
}

/// Anything passes where there are no rules.
pub(super) fn approved(new: NewOrder) -> Approved<NewOrder> {
    Stack::default().judge(new, &Exposure::default()).unwrap()
}

pub(super) fn changed(standing: &NewOrder, change: Amendment) -> Approved<Amendment> {
    Stack::default().judge_amendment(standing, change, &Exposure::default()).unwrap()
}

pub(super) fn spot() -> Instrument {
    let mut instrument =
        Instrument::new(Symbol::new("v:BTCUSD").unwrap(), Scale::ZERO, Scale::ZERO);
    instrument.terms =
        Terms { base: Some("BTC".into()), quote: Some("USD".into()), ..Terms::default() };
    instrument
}

pub(super) fn free() -> VenueConfig {
    VenueConfig { fees: Fees::flat(Decimal::ZERO, Decimal::ZERO), ..VenueConfig::default() }
}

impl Scene {
    pub(super) fn new(config: VenueConfig) -> Self {
        Self::of(config, spot())
    }

    pub(super) fn of(config: VenueConfig, instrument: Instrument) -> Self {
        let mut instruments = Instruments::default();
        let id = instruments.declare(instrument).unwrap();
        let exchange = Exchange::new(&config.into(), &instruments).unwrap();
        let market = Market::new(&instruments);
        let instruments = Arc::new(instruments);
        Self { instruments, market, exchange, id, now: 0, out: Vec::new(), next: 1 }
    }

    pub(super) fn filled_by(preset: Preset) -> Self {
        Self::new(VenueConfig { fills: preset.model(), ..free() })
    }

    fn head(&mut self) -> Head {
        self.now += 1;
        let at = Ts::from_nanos(self.now);
        Head::new(at, at, 0, Some(self.id))
    }

    pub(super) fn hear<T: Table>(&mut self, row: T, levels: &[Level]) -> &mut Self {
        let mut batch = Batch::new(Arc::clone(&self.instruments));
        batch.push_row(row, levels);
        let record: Record<'_> = batch.get(0);
        self.now = self.now.max(record.head().ts_event.nanos());
        self.market.apply(&record);
        self.exchange.market(record.head().ts_event, &self.market, &record, &mut self.out);
        self
    }

    /// Replaces the book: prices with sizes, best first.
    pub(super) fn book(&mut self, bids: &[(i64, i64)], asks: &[(i64, i64)]) -> &mut Self {
        let level = |side| move |(p, q): &(i64, i64)| Level { px: px(*p), qty: qty(*q), side };
        let levels: Vec<_> =
            bids.iter().map(level(BUY)).chain(asks.iter().map(level(SELL))).collect();
        self.depth(DepthAction::Snapshot, &levels)
    }

    pub(super) fn level(&mut self, side: Side, at: i64, size: i64) -> &mut Self {
        self.depth(DepthAction::Delta, &[Level { px: px(at), qty: qty(size), side }])
    }

    /// Levels as they are told.
    pub(super) fn levels(&mut self, is_snapshot: bool, levels: &[(Side, i64, i64)]) -> &mut Self {
        let action = if is_snapshot { DepthAction::Snapshot } else { DepthAction::Delta };
        let level = |(side, at, size): &(Side, i64, i64)| Level {
            px: px(*at),
            qty: qty(*size),
            side: *side,
        };
        self.depth(action, &levels.iter().map(level).collect::<Vec<_>>())
    }

    fn depth(&mut self, action: DepthAction, levels: &[Level]) -> &mut Self {
        let head = self.head();
        let depth = Depth { head, action, first_id: None, last_id: None, prev_id: None };
        self.hear(depth, levels)
    }

    pub(super) fn trade(&mut self, side: Side, at: i64, size: i64) -> &mut Self {
        let head = self.head();
        self.hear(Trade { head, px: px(at), qty: qty(size), side: Some(side), id: None }, &[])
    }

    pub(super) fn quote(&mut self, bid: (i64, i64), ask: (i64, i64)) -> &mut Self {
        let row = Quote {
            head: self.head(),
            bid_px: Some(px(bid.0)),
            bid_qty: Some(qty(bid.1)),
            ask_px: Some(px(ask.0)),
            ask_qty: Some(qty(ask.1)),
            id: None,
        };
        self.hear(row, &[])
    }

    /// One order of somebody else, bids below a hundred and asks from there on.
    pub(super) fn other(&mut self, action: MboAction, id: u64, at: i64, size: i64) -> &mut Self {
        let row = Mbo {
            head: self.head(),
            action,
            side: Some(if at < 100 { BUY } else { SELL }),
            px: Some(px(at)),
            qty: Some(qty(size)),
            order_id: id,
            more: false,
            snapshot: false,
        };
        self.hear(row, &[])
    }

    pub(super) fn status(&mut self, status: TradingStatus) -> &mut Self {
        let head = self.head();
        self.hear(Status { head, status, reason: None }, &[])
    }

    pub(super) fn mark(&mut self, mark: &str) -> &mut Self {
        let head = self.head();
        self.hear(Mark { head, mark_px: number(mark), index_px: None }, &[])
    }

    pub(super) fn funding(&mut self, rate: &str, due: i64) -> &mut Self {
        self.funding_at(rate, Some(due))
    }

    /// Funding with the time at which it is paid, or a rate alone.
    pub(super) fn funding_at(&mut self, rate: &str, due: Option<i64>) -> &mut Self {
        let head = self.head();
        let due = due.map(Ts::from_nanos);
        self.hear(Funding { head, rate: number(rate), due, interval_ns: None }, &[])
    }

    /// A bar of a second: open, high, low, close. It is over at the end of that second.
    pub(super) fn bar(&mut self, second: i64, px: [i64; 4], volume: i64) -> &mut Self {
        const SECOND: i64 = 1_000_000_000;
        self.now = self.now.max((second + 1) * SECOND);
        let at = Ts::from_nanos((second + 1) * SECOND);
        let head = Head::new(at, at, 0, Some(self.id));
        let open = Ts::from_nanos(second * SECOND);
        self.hear(Bar::timed(head, SECOND, open, px.map(Px::new), qty(volume)), &[])
    }

    /// Lets the time pass.
    pub(super) fn until(&mut self, at: i64) -> &mut Self {
        self.now = self.now.max(at);
        self.exchange.advance(Ts::from_nanos(at), &self.market, &mut self.out);
        self
    }

    pub(super) fn gap(&mut self) -> &mut Self {
        let head = self.head();
        let (from, to) = (head.ts_event, head.ts_event);
        self.hear(Gap { head, from, to, reason: GapReason::Sequence, missing: None }, &[])
    }

    /// Submits an order under the next number, which counts from one.
    pub(super) fn submit(&mut self, new: NewOrder) -> &mut Self {
        self.now += 1;
        self.submit_now(new)
    }

    /// The same, without time passing.
    pub(super) fn submit_now(&mut self, new: NewOrder) -> &mut Self {
        let order = OrderNo(self.next);
        self.next += 1;
        let at = Ts::from_nanos(self.now);
        self.exchange.submit(at, order, approved(new), &self.market, &mut self.out);
        self
    }

    pub(super) fn limit(&mut self, side: Side, size: i64, at: i64) -> &mut Self {
        self.submit(NewOrder::limit(self.id, side, qty(size), px(at)))
    }

    pub(super) fn limit_as(
        &mut self,
        time_in_force: TimeInForce,
        side: Side,
        size: i64,
        at: i64,
    ) -> &mut Self {
        let new = NewOrder::limit(self.id, side, qty(size), px(at));
        self.submit(NewOrder { time_in_force, ..new })
    }

    pub(super) fn at_market(&mut self, side: Side, size: i64) -> &mut Self {
        self.submit(NewOrder::market(self.id, side, qty(size)))
    }

    pub(super) fn stop(&mut self, side: Side, size: i64, trigger: i64) -> &mut Self {
        self.submit(NewOrder::stop(self.id, side, qty(size), px(trigger)))
    }

    pub(super) fn trailing(&mut self, side: Side, size: i64, distance: i64) -> &mut Self {
        let new = NewOrder::stop(self.id, side, qty(size), px(1));
        let pricing = Pricing::TrailingStop { distance: px(distance) };
        self.submit(NewOrder { pricing, ..new })
    }

    pub(super) fn amend(&mut self, order: u64, to: Option<i64>, size: Option<i64>) -> &mut Self {
        self.now += 1;
        let change = Amendment { px: to.map(px), qty: size.map(qty) };
        let standing = NewOrder::limit(self.id, BUY, qty(1), px(1));
        let (at, change) = (Ts::from_nanos(self.now), changed(&standing, change));
        self.exchange.amend(at, OrderNo(order), change, &self.market, &mut self.out);
        self
    }

    pub(super) fn cancel(&mut self, order: u64) -> &mut Self {
        self.now += 1;
        let at = Ts::from_nanos(self.now);
        self.exchange.cancel(at, OrderNo(order), &self.market, &mut self.out);
        self
    }

    /// What was said since the last look, one thing after the other.
    pub(super) fn said(&mut self) -> String {
        let mut text = String::new();
        for execution in self.out.drain(..) {
            let separator = if text.is_empty() { "" } else { ", " };
            write!(text, "{separator}{}", line(&execution)).unwrap();
        }
        text
    }

    #[track_caller]
    pub(super) fn expect(&mut self, expected: &str) -> &mut Self {
        let said = self.said();
        assert_eq!(said, expected);
        self
    }

    pub(super) fn position(&self) -> i64 {
        self.exchange.ledger(self.id).position(self.id).qty()
    }
}

/// A report in a few words: what, which order, how much.
pub(super) fn line(execution: &Execution) -> String {
    let Report { order: OrderNo(order), what, .. } = match execution {
        Execution::Report(report) => report,
        Execution::Cash(CashFlow { reason, cash, .. }) => {
            return format!("{reason:?} {} {}", cash.amount.normalize(), cash.currency);
        }
        Execution::Closure(Closure { side, execution, .. }) => {
            let (px, qty) = (execution.px.mantissa(), execution.qty.mantissa());
            return format!("closed by {side} {qty}@{px}");
        }
    };
    match what {
        ReportKind::Acknowledged => format!("ack {order}"),
        ReportKind::Rejected(reason) => format!("reject {order} {}", reason.word()),
        ReportKind::Filled(fill) => {
            let (px, qty) = (fill.px.mantissa(), fill.qty.mantissa());
            format!("fill {order} {qty}@{px} {}", fill.liquidity)
        }
        ReportKind::Triggered => format!("trigger {order}"),
        ReportKind::Amended(change) => {
            let px = change.px.map_or(String::new(), |px| format!(" px {}", px.mantissa()));
            let qty = change.qty.map_or(String::new(), |qty| format!(" qty {}", qty.mantissa()));
            format!("amend {order}{px}{qty}")
        }
        ReportKind::AmendRefused(reason) => format!("no-amend {order} {}", reason.word()),
        ReportKind::CancelRefused(reason) => format!("no-cancel {order} {}", reason.word()),
        ReportKind::Cancelled(reason) => format!("cancel {order} {}", reason.word()),
        ReportKind::Expired => format!("expire {order}"),
        ReportKind::Unknown => format!("unknown {order}"),
    }
}
