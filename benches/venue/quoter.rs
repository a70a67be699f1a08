//! A market maker that quotes a tick beyond the best prices every tenth of a second, and who notes
//! what it is filled with.

use std::fmt::Write as _;

use qt_model::ids::InstrumentId;
use qt_model::instrument::Instrument;
use qt_model::order::{NewOrder, OrderNo, Pricing, Report, ReportKind};
use qt_model::step::TimerId;
use qt_model::time::Ts;
use qt_model::units::{Px, Qty};
use qt_model::words::{Side, TimeInForce};
use qt_sim::driver::{AtVenue, Observer, Ours};
use qt_trade::core::{Context, Strategy, Wants};
use rust_decimal::Decimal;

const EVERY_NS: i64 = 100_000_000;
/// An order is so many lots, a position at most so many.
const ORDER_LOTS: i64 = 10;
const POSITION_LOTS: i64 = 100;

/// Tick and lot in units of the instrument's scales.
fn steps(instrument: &Instrument) -> (i64, i64) {
    let units = |step: Option<Decimal>, unit: i64| {
        let step = step.map(|step| (step * Decimal::from(unit)).normalize());
        step.map_or(1, |step| i64::try_from(step.mantissa()).expect("a small step"))
    };
    let terms = &instrument.terms;
    (units(terms.tick, instrument.px_scale.unit()), units(terms.lot, instrument.qty_scale.unit()))
}

#[derive(Debug)]
pub(crate) struct Quoter {
    id: InstrumentId,
    tick: i64,
    lot: i64,
    next: Ts,
    stale: Vec<OrderNo>,
}

impl Quoter {
    /// Quotes from a tenth of a second after the first record on, by the venue's clock.
    pub(crate) fn new(id: InstrumentId, instrument: &Instrument, first: Ts) -> Self {
        let (tick, lot) = steps(instrument);
        Self { id, tick, lot, next: later(first), stale: Vec::new() }
    }

    fn quote(&mut self, context: &mut Context<'_>) {
        let top = context.top(self.id);
        let (Some(bid), Some(ask)) = (top.bid, top.ask) else { return };
        let bid = Px::new(bid.px.mantissa() - self.tick);
        let ask = Px::new(ask.px.mantissa() + self.tick);
        let position = context.position(self.id).qty();
        let mut wants_bid = position < POSITION_LOTS * self.lot;
        let mut wants_ask = position > -POSITION_LOTS * self.lot;
        for entry in context.orders_of(self.id) {
            let at = |px| entry.new.pricing == Pricing::Limit { px };
            match entry.new.side {
                Side::Buy if wants_bid && at(bid) => wants_bid = false,
                Side::Sell if wants_ask && at(ask) => wants_ask = false,
                Side::Buy | Side::Sell => self.stale.push(entry.order),
            }
        }
        for order in self.stale.drain(..) {
            context.cancel(order);
        }
        for (side, px, wants) in [(Side::Buy, bid, wants_bid), (Side::Sell, ask, wants_ask)] {
            if wants {
                let qty = Qty::new(ORDER_LOTS * self.lot).expect("a size");
                let new = NewOrder::limit(self.id, side, qty, px);
                let new = NewOrder { time_in_force: TimeInForce::Gtx, ..new };
                context.submit(new).expect("there are no rules");
            }
        }
    }
}

fn later(ts: Ts) -> Ts {
    Ts::from_nanos(ts.nanos() + EVERY_NS)
}

impl Strategy for Quoter {
    fn wants(&self) -> Wants {
        Wants::NOTHING
    }

    fn start(&mut self, context: &mut Context<'_>) {
        while self.next < context.now() {
            self.next = later(self.next);
        }
        context.timer(TimerId(1), self.next);
    }

    fn timer(&mut self, timer: TimerId, context: &mut Context<'_>) {
        self.quote(context);
        self.next = later(self.next);
        context.timer(timer, self.next);
    }
}

/// What was filled: when, on which side, at how many ticks, how many lots.
#[derive(Debug)]
pub(crate) struct Fills {
    tick: i64,
    lot: i64,
    found: Vec<(i64, Side, i64, i64)>,
}

impl Fills {
    pub(crate) fn new(instrument: &Instrument) -> Self {
        let (tick, lot) = steps(instrument);
        Self { tick, lot, found: Vec::new() }
    }

    pub(crate) fn len(&self) -> usize {
        self.found.len()
    }

    pub(crate) fn lines(&self) -> String {
        let mut text = String::new();
        for (at, side, ticks, lots) in &self.found {
            writeln!(text, "{at} {side} {ticks} {lots}").expect("a string takes any text");
        }
        text
    }

    /// FNV-1a over the lines.
    pub(crate) fn hash(&self) -> u64 {
        self.lines().bytes().fold(0xcbf2_9ce4_8422_2325, |sum, byte| {
            (sum ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        })
    }
}

impl Observer for Fills {
    /// It hears of fills alone.
    fn may_wait(&self) -> bool {
        true
    }

    fn happened(&mut self, _at: Ts, report: &Report, _venue: AtVenue<'_>, ours: Ours<'_>) {
        if let ReportKind::Filled(fill) = report.what {
            let entry = ours.orders.get(report.order).expect("an order of ours");
            let (ticks, lots) = (fill.px.mantissa() / self.tick, fill.qty.mantissa() / self.lot);
            self.found.push((report.ts_event.nanos(), entry.new.side, ticks, lots));
        }
    }
}
