//! Everything that is measured of one run, fed as it happens.
//!
//! Mids, orders, fills, cash and equity come in the order in which they happened, by one clock: the
//! venue's. A time that runs backwards counts as the latest one seen. A mid that did not move costs
//! one comparison. Memory: see the parts; nothing grows with the number of market events.
//! Absent on purpose: positions and cash as an account knows them (the caller's ledger), and files.

mod mids;

use qt_model::ids::InstrumentId;
use qt_model::instrument::{Instrument, Instruments};
use qt_model::order::{CashFlow, CashReason, Closure, Execution, OrderNo};
use qt_model::record::{FillQuality, RoundTrip};
use qt_model::time::Ts;
use qt_model::units::Qty;
use qt_model::words::Side;

use super::along::Path;
use super::attribution::Attribution;
use super::book::{Book, Told};
use super::drawdown::Drawdown;
use super::execution::{FillContext, Fills};
use super::exposure::{Exposure, Worth};
use super::figures::Figures;
use super::horizons::Known;
use super::latency::{Latencies, Leg};
use super::market::Touch;
use super::options::Options;
use super::orders::{Arrival, OpenOrder, OrderEvent, Orders};
use super::sampler::Sampler;
use super::tally::Fill;
use super::trade_summary::TradeSummary;
use super::trades::{Taken, Trade};
use crate::ledger::{DoublePx, LedgerError, Line, Money, Precision};

/// Money that moved without a fill.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Flows {
    pub(super) funding: Money,
    pub(super) borrow: Money,
    pub(super) dividends: Money,
    pub(super) external: Money,
    /// Fees that no fill came with: of a liquidation.
    pub(super) penalties: Money,
}

/// Measures one run. See the module.
#[derive(Clone, Debug)]
pub struct Statistics {
    options: Options,
    horizons: Vec<i64>,
    books: Vec<Option<Book>>,
    start: Ts,
    now: Ts,
    first_equity: Money,
    worth: Worth,
    orders: Orders,
    fills: Fills,
    trades: TradeSummary,
    flows: Flows,
    latencies: Latencies,
    exposure: Exposure,
    sampler: Sampler,
    drawdown: Drawdown<Money>,
    held: u32,
    told: Told,
}

impl Statistics {
    /// Begins at a time with an equity: that of the account before anything happened.
    pub fn new(
        instruments: &Instruments,
        options: Options,
        start: Ts,
        equity: Money,
    ) -> Result<Self, LedgerError> {
        options.assert_sound();
        let fixed = (options.mode == super::returns::Mode::FixedCapital).then_some(options.capital);
        let worth = Worth { equity, ..Worth::default() };
        let mut sampler = Sampler::new(
            options.sample.clone(),
            options.mode,
            options.capital,
            start,
            equity,
            options.deepest,
        );
        if options.benchmark.is_some() {
            sampler.with_benchmark();
        }
        let mut statistics = Self {
            horizons: options.horizons.iter().map(|horizon| horizon.nanos()).collect(),
            books: Vec::new(),
            start,
            now: start,
            first_equity: equity,
            worth,
            orders: Orders::default(),
            fills: Fills::new(options.horizons.len()),
            trades: TradeSummary::default(),
            flows: Flows::default(),
            latencies: Latencies::default(),
            exposure: Exposure::new(start, worth),
            sampler,
            drawdown: Drawdown::new(start, equity, fixed, options.deepest),
            held: 0,
            told: Told::default(),
            options,
        };
        for (id, instrument) in instruments.by_symbol() {
            statistics.admit(id, instrument)?;
        }
        Ok(statistics)
    }

    /// Takes an instrument in that was not known at the start. One that is known stays as it is.
    pub fn admit(&mut self, id: InstrumentId, instrument: &Instrument) -> Result<(), LedgerError> {
        if self.books.len() <= id.index() {
            self.books.resize(id.index() + 1, None);
        }
        if self.books[id.index()].is_none() {
            let book = Book::new(id, instrument, &self.options)?;
            self.books[id.index()] = Some(book);
        }
        Ok(())
    }

    fn book(&mut self, id: InstrumentId) -> &mut Book {
        book_of(&mut self.books, id)
    }

    #[inline]
    fn at(&mut self, ts: Ts) -> Ts {
        self.now = self.now.max(ts);
        self.now
    }

    /// Best bid and ask; `None` where a side is missing. Of an unknown instrument nothing is kept.
    #[inline]
    pub fn mid(&mut self, ts: Ts, id: InstrumentId, touch: Option<Touch>) {
        let Some(Some(book)) = self.books.get_mut(id.index()) else { return };
        if !book.market.is_at(touch) {
            self.moved(ts, id, touch);
        }
    }

    fn moved(&mut self, ts: Ts, id: InstrumentId, touch: Option<Touch>) {
        let ts = self.at(ts);
        let mut book = self.books[id.index()].as_mut().expect("the caller found it");
        if book.horizons.is_due(ts) {
            self.look_back(ts, id);
            book = self.books[id.index()].as_mut().expect("the caller found it");
        }
        book.market.set(ts, touch);
        if let Some(mid) = book.market.mid() {
            if book.position.qty() != 0 {
                book.position.mark(mid);
            }
            if self.options.benchmark == Some(id) {
                self.sampler.benchmark(ts, mid);
            }
        }
    }

    /// Tells of fills whose horizons have passed, before the mid moves, and before others join them: a
    /// market without mids has fills all the same, and they must not pile up.
    fn look_back(&mut self, ts: Ts, id: InstrumentId) {
        let Some(Some(book)) = self.books.get_mut(id.index()) else { return };
        if !book.horizons.is_due(ts) {
            return;
        }
        book.horizons.settle(ts, book.market.mid(), &self.horizons, self.options.attribution);
        book.tell(&mut self.told, false);
    }

    /// The best bid and ask that were fed last.
    pub fn touch(&self, id: InstrumentId) -> Option<Touch> {
        self.books.get(id.index())?.as_ref()?.market.touch()
    }

    /// What happened to an order. Reports about orders that ended, or were never submitted, are
    /// without effect but for the counts of what we asked.
    #[inline]
    pub fn order(&mut self, ts: Ts, order: OrderNo, event: &OrderEvent) {
        match *event {
            OrderEvent::Submitted { instrument, side, qty, decided, mid } => {
                self.orders.submit(order, OpenOrder::new(instrument, side, qty, decided, mid));
            }
            OrderEvent::AmendRequested => self.orders.amends += 1,
            OrderEvent::CancelRequested => self.orders.cancels += 1,
            OrderEvent::Accepted { queue } => {
                let ts = self.at(ts);
                let Self { orders, books, .. } = self;
                orders.accept(order, |instrument| {
                    let book = books.get(instrument.index())?.as_ref()?;
                    let (mid, touch) = (book.market.mid(), book.market.touch());
                    Some((Arrival { ts, mid, touch, queue }, book.qty_scale))
                });
            }
            OrderEvent::Amended { qty } => self.amended(order, qty),
            OrderEvent::Rejected => {
                self.orders.rejected += u64::from(self.ended(order));
            }
            OrderEvent::Cancelled => {
                self.orders.cancelled += u64::from(self.ended(order));
            }
            OrderEvent::Expired => {
                self.orders.expired += u64::from(self.ended(order));
            }
        }
    }

    fn amended(&mut self, order: OrderNo, qty: Option<Qty>) {
        let Some(OpenOrder { instrument, .. }) = self.orders.get(order) else { return };
        if let Some(Some(book)) = self.books.get(instrument.index()) {
            self.orders.amended(order, qty, book.qty_scale);
        }
    }

    /// An order ended unfilled or filled in part. Says whether it was open.
    fn ended(&mut self, order: OrderNo) -> bool {
        let Some(order) = self.orders.end(order) else { return false };
        let book = self.book(order.instrument);
        let mid = book.market.last_mid();
        book.parts.missed(&book.contract, &order, mid);
        true
    }

    /// An execution, at the venue's time. `equity` follows with it inside.
    pub fn fill(
        &mut self,
        ts: Ts,
        order: OrderNo,
        (id, side): (InstrumentId, Side),
        execution: &Execution,
        context: &FillContext,
    ) {
        let ts = self.at(ts);
        self.look_back(ts, id);
        let own = || Money::nearest(execution.fee.amount).expect("a fee is within range");
        let fee = context.fee.unwrap_or_else(own);
        let Self { books, orders, fills, horizons, .. } = self;
        let (book, of) = (book_of(books, id), orders.get(order));
        let before = book.position.qty();
        let Execution { px, qty, liquidity, .. } = *execution;
        let closed = book.position.fill(&Taken { ts, side, px, qty, fee });
        let after = book.position.qty();
        if let Some(mid) = book.market.mid().filter(|_| after != 0) {
            book.position.mark(mid);
        }
        let fill = Fill::new(ts, side, execution, book.market.mid_before(ts));
        if let Some(of) = of {
            book.parts.shortfall(&book.contract, &fill, of);
        }
        book.tally.add(&book.contract, &fill, liquidity, of);
        fills.fee(fee);
        fills.add(liquidity, context, book.qty_scale);
        book.horizons.push(fill, horizons);
        if self.options.rows {
            book.horizons.keep(known(&fill, (order, side), execution, of, context));
        }
        orders.fill(order, ts, qty.mantissa(), liquidity, book.qty_scale);
        self.holds(ts, before, after);
        closed.inspect(|trade| self.closed(id, trade));
    }

    /// Counts instruments with a position.
    #[inline]
    fn holds(&mut self, ts: Ts, before: i64, after: i64) {
        match (before, after) {
            (0, 0) => {}
            (0, _) => self.held += 1,
            (_, 0) => self.held -= 1,
            _ => {}
        }
        self.exposure.hold(ts, self.held > 0);
    }

    fn closed(&mut self, id: InstrumentId, trade: &Trade) {
        self.trades.add(trade);
        let book = self.books[id.index()].as_ref().expect("a trade has an instrument");
        self.told.trade(book, trade, &self.options);
    }

    /// What the account is worth from `ts` on. To be called after each change of a mark, of cash or
    /// of a position that should count; between two calls nothing is assumed to have changed.
    #[inline]
    pub fn equity(&mut self, ts: Ts, worth: Worth) {
        let ts = self.at(ts);
        self.worth = worth;
        self.sampler.equity(ts, worth.equity);
        self.drawdown.observe(ts, worth.equity);
        self.exposure.observe(ts, worth);
    }

    /// Whether mids and worths can be told one after the other in place of each in its turn: not where
    /// mids are sampled beside equity.
    pub fn comes_apart(&self) -> bool {
        self.options.benchmark.is_none()
    }

    /// The same as [`Self::equity`] for all worths of a path along a line, later: what mids were told
    /// meanwhile does not count against their times. `since` is when the first of both could have come.
    pub fn along(&mut self, since: Ts, (line, precision): (&Line, Precision), path: &Path) {
        let marks = path.marks();
        let Some((end, _)) = marks.last() else { return };
        let now = self.now;
        if let Some(steps) = path.steps(line, precision) {
            self.sampler.along(&steps, since, marks);
            self.drawdown.along(&steps, since, marks);
            self.exposure.along(&steps, since, marks);
            self.worth = self.exposure.worth();
        } else {
            self.now = since;
            for (ts, mark) in marks.iter() {
                let (equity, exposed) = line.at(mark);
                let money = |amount| Money::of_ledger(amount, precision);
                let [equity, gross, net] = [equity, exposed.gross, exposed.net].map(money);
                self.equity(ts, Worth { equity, gross, net });
            }
        }
        self.now = now.max(end);
    }

    /// The latest time that was told.
    pub fn now(&self) -> Ts {
        self.now
    }

    /// Cash that moved without a fill, in the account's currency. `equity` follows with it inside.
    pub fn cash(&mut self, ts: Ts, flow: &CashFlow) {
        let ts = self.at(ts);
        let amount = Money::nearest(flow.cash.amount).expect("a payment is within range");
        match flow.reason {
            CashReason::Funding => self.flows.funding += amount,
            CashReason::Borrow => self.flows.borrow += amount,
            CashReason::Dividend => self.flows.dividends += amount,
            CashReason::Liquidation => {
                self.flows.penalties += amount;
                self.fills.fee(-amount);
            }
            CashReason::Deposit | CashReason::Withdrawal => {
                self.flows.external += amount;
                let before = self.worth.equity;
                self.worth.equity += amount;
                self.sampler.flow(ts, amount);
                self.drawdown.rescale(before, self.worth.equity);
                return;
            }
            CashReason::Settlement => return self.settle(ts, flow.instrument),
        }
        if let Some(id) = flow.instrument {
            self.book(id).position.fund(amount);
        }
    }

    /// A venue closed a position of its own accord: at the end of a contract, or for want of margin.
    /// `fee` in the account's currency.
    pub fn closure(&mut self, ts: Ts, closure: &Closure, fee: Money) {
        let ts = self.at(ts);
        let (id, side) = (closure.instrument, closure.side);
        let Execution { px, qty, .. } = closure.execution;
        let book = self.book(id);
        let before = book.position.qty();
        book.parts.settled(&book.contract, side.sign() * qty.mantissa(), DoublePx::of(px));
        let closed = book.position.fill(&Taken { ts, side, px, qty, fee });
        book.tally.close(&book.contract, side, qty, DoublePx::of(px));
        let after = book.position.qty();
        self.fills.fee(fee);
        self.holds(ts, before, after);
        closed.inspect(|trade| self.closed(id, trade));
    }

    /// A contract paid out: its position is closed at the last mid.
    fn settle(&mut self, ts: Ts, instrument: Option<InstrumentId>) {
        let Some(id) = instrument else { return };
        let book = self.book(id);
        let (before, mid) = (book.position.qty(), book.market.last_mid());
        let Some(mid) = mid.filter(|_| before != 0) else { return };
        book.parts.settled(&book.contract, -before, mid);
        let closed = book.position.settle(ts, mid);
        self.holds(ts, before, 0);
        closed.inspect(|trade| self.closed(id, trade));
    }

    /// How long a leg of an order's way took.
    pub fn latency(&mut self, leg: Leg, nanos: u64) {
        self.latencies.add(leg, nanos);
    }

    /// Fills whose horizons have passed, in the order of the fills of each instrument.
    pub fn fill_qualities(&mut self) -> impl Iterator<Item = FillQuality> + '_ {
        self.told.fills.drain(..)
    }

    /// Trades that were closed, in order.
    pub fn round_trips(&mut self) -> impl Iterator<Item = RoundTrip> + '_ {
        self.told.trades.drain(..)
    }

    /// Ends the run. What waits for its horizons comes with the result.
    pub fn finish(mut self, end: Ts) -> Figures {
        let end = self.at(end);
        let mut attribution = Attribution::default();
        for book in self.books.iter_mut().flatten() {
            // The end of the data is inclusive: a horizon at it has its mid.
            let after = Ts::from_nanos(end.nanos().saturating_add(1));
            let (mid, at) = (book.market.mid(), self.options.attribution);
            book.horizons.settle(after, mid, &self.horizons, at);
            book.tell(&mut self.told, true);
        }
        for order in self.orders.open() {
            if let Some(book) = self.books[order.instrument.index()].as_mut() {
                book.parts.missed(&book.contract, order, book.market.last_mid());
            }
        }
        for book in self.books.iter().flatten() {
            let (contract, last) = (&book.contract, book.market.last_mid());
            attribution.join(&book.parts, contract, book.position.qty(), last);
            self.fills.join(contract, &book.tally, &book.horizons.passed);
            self.exposure.traded(Side::Buy, contract.money(book.tally.bought).abs());
            self.exposure.traded(Side::Sell, contract.money(book.tally.sold).abs());
        }
        Figures {
            terms: self.options.terms(),
            sampled: self.sampler.finish(self.start, end),
            drawdown_event: self.drawdown.finish(end),
            exposed: self.exposure.finish(end),
            first_equity: self.first_equity,
            last_equity: self.worth.equity,
            orders: self.orders,
            fills: self.fills,
            trades: self.trades,
            flows: self.flows,
            latencies: self.latencies,
            attribution,
            options: self.options,
            fill_qualities: self.told.fills,
            round_trips: self.told.trades,
        }
    }
}

fn book_of(books: &mut [Option<Book>], id: InstrumentId) -> &mut Book {
    let book = books.get_mut(id.index()).and_then(Option::as_mut);
    book.unwrap_or_else(|| panic!("instrument {} was not taken in", id.index()))
}

/// What a record of a fill will say of it.
#[inline(never)]
fn known(
    fill: &Fill,
    (order, side): (OrderNo, Side),
    execution: &Execution,
    of: Option<&OpenOrder>,
    context: &FillContext,
) -> Known {
    Known {
        ts: fill.ts,
        fill: execution.fill,
        order,
        side,
        px: execution.px,
        qty: execution.qty,
        liquidity: execution.liquidity,
        decided: of.map(|order| order.decided),
        accepted: of.and_then(|order| order.accepted),
        mid_decision: of.and_then(|order| order.mid_decision),
        mid_arrival: of.and_then(|order| order.mid_arrival),
        touch_arrival: of.and_then(|order| order.touch_arrival),
        mid_before: fill.before,
        queue: of.and_then(|order| order.queue),
        queue_ahead_fill: context.queue_ahead,
        queue_traded: context.queue_traded,
        queue_cancelled: context.queue_cancelled,
        mids: Vec::new(),
    }
}
