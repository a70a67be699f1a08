//! What each message means here.

use std::sync::Arc;

use qt_model::record::{Batch, InstrumentRow, Mbo, Other, Status, Table, Trade};
use qt_model::time::{Date, Ts};
use qt_model::units::{Px, Qty, Scale};
use qt_model::words::{InstrumentClass, MboAction, Side, TradingStatus};

use super::super::local::LocalClock;
use super::super::roster::{Known, Roster};
use super::super::{Hints, Notes};
use super::crosses::Crosses;
use super::orders::{ByNumber, Order, Orders};
use super::wire::Body;
use crate::error::Problem;
use crate::read::Options;

/// Prices are whole ten-thousandths.
const PX: Scale = match Scale::new(4) {
    Ok(scale) => scale,
    Err(_) => panic!("four is a scale"),
};

pub(super) struct Records {
    roster: Roster,
    date: Date,
    clock: LocalClock,
    latency_ns: i64,
    notes: Notes,
    /// By the eight letters of a stock, and by the number that the day gave it.
    by_stock: ByNumber<u32>,
    by_locate: Vec<Option<u32>>,
    orders: Orders,
    crosses: Crosses,
}

/// An execution: what went, where and under which number.
struct Execution {
    order_id: u64,
    shares: u32,
    /// The price of the trade, where it is not that of the order.
    px: Option<u32>,
    is_printed: bool,
    id: u64,
}

impl Records {
    pub(super) fn new(
        date: Date,
        hints: &Hints,
        options: &Options,
        notes: Notes,
    ) -> Result<Self, Problem> {
        Ok(Self {
            roster: Roster::new(hints, options),
            date,
            clock: LocalClock::new(hints.zone.as_deref().unwrap_or("America/New_York"))?,
            latency_ns: options.feed_latency_ns,
            notes,
            by_stock: ByNumber::default(),
            by_locate: vec![None; 1 << 16],
            orders: Orders::default(),
            crosses: Crosses::default(),
        })
    }

    pub(super) fn begin(&self, batch: &mut Batch) {
        if batch.instruments().len() < self.roster.table().len() {
            batch.set_instruments(Arc::clone(self.roster.table()));
        }
    }

    pub(super) fn note(&self, note: &str) {
        self.notes.add(note, 0);
    }

    /// Adds what a message says. Its length is that of its type.
    #[inline]
    pub(super) fn add(&mut self, bytes: &[u8], batch: &mut Batch) -> Result<(), Problem> {
        let body = Body(bytes);
        let ts = self.clock.at(self.date, body.time())?;
        if self.crosses.end_by(ts) {
            while let Some((which, status)) = self.crosses.end(ts) {
                self.status(which, ts, status, None, batch);
            }
        }
        match body.byte(0) {
            b'A' | b'F' => {
                let which = self.stock(body.stock(24), body.u16(1))?;
                let side = side(body.byte(19))?;
                let order = Order { which, px: body.u32(32), shares: body.u32(20), side };
                self.orders.add(body.u64(11), order);
                self.mbo(MboAction::Add, body.u64(11), Some(order), body, ts, false, batch)
            }
            b'E' => {
                let (order_id, shares, id) = (body.u64(11), body.u32(19), body.u64(23));
                let it = Execution { order_id, shares, px: None, is_printed: true, id };
                self.execution(&it, body, ts, batch)
            }
            b'C' => {
                let (order_id, shares, id) = (body.u64(11), body.u32(19), body.u64(23));
                let (px, is_printed) = (Some(body.u32(32)), body.byte(31) == b'Y');
                self.execution(&Execution { order_id, shares, px, is_printed, id }, body, ts, batch)
            }
            b'X' => {
                let shares = body.u32(19);
                let order = self.orders.reduce(body.u64(11), shares);
                let gone = order.map(|order| Order { shares, ..order });
                self.mbo(MboAction::Cancel, body.u64(11), gone, body, ts, false, batch)
            }
            b'D' => {
                let gone = self.orders.remove(body.u64(11));
                self.mbo(MboAction::Cancel, body.u64(11), gone, body, ts, false, batch)
            }
            b'U' => self.replace(body, ts, batch),
            b'P' => {
                let which = self.stock(body.stock(24), body.u16(1))?;
                // The order was hidden, and since 2014 its side is always given as buy.
                let (shares, px, id) = (body.u32(20), body.u32(32), body.u64(36));
                self.trade(which, (px, shares), None, id, ts, batch)
            }
            b'Q' => {
                let which = self.stock(body.stock(19), body.u16(1))?;
                let Ok(shares) = u32::try_from(body.u64(11)) else {
                    let found = body.u64(11).to_string();
                    return Err(Problem::field("shares", "at most 2^32", found.as_bytes()));
                };
                if shares == 0 {
                    self.notes.add("crosses without a share were left out", 1);
                    return Ok(());
                }
                if let Some(status) = self.crosses.begin(which, ts, body.byte(39)) {
                    self.status(which, ts, status, Some("cross".to_owned()), batch);
                }
                self.trade(which, (body.u32(27), shares), None, body.u64(31), ts, batch)
            }
            b'B' => self.broken(body, ts, batch),
            b'R' => self.directory(body, ts, batch),
            b'H' => self.action(body, ts, batch),
            kind => {
                let kind = char::from(kind);
                self.notes.add(
                    format!("messages of type {kind} have no place here and were left out"),
                    1,
                );
                Ok(())
            }
        }
    }

    /// The instrument of a stock. The day's number of it is learned on the way.
    #[inline]
    fn stock(&mut self, stock: [u8; 8], locate: u16) -> Result<u32, Problem> {
        let key = u64::from_be_bytes(stock);
        let which = match self.by_stock.get(&key) {
            Some(which) => *which,
            None => {
                let text = std::str::from_utf8(&stock).ok().map(str::trim_end);
                let name = text.filter(|name| !name.is_empty()).ok_or_else(|| {
                    Problem::field("stock", "letters filled up with spaces", &stock)
                })?;
                let which = self.roster.add("nasdaq", name, (PX, Scale::ZERO))? as u32;
                self.by_stock.insert(key, which);
                which
            }
        };
        self.by_locate[usize::from(locate)] = Some(which);
        Ok(which)
    }

    /// The instrument that a number of the day stands for.
    fn located(&mut self, body: Body<'_>) -> Option<&mut Known> {
        let which = self.by_locate[usize::from(body.u16(1))]?;
        Some(self.roster.get(which as usize))
    }

    fn head<T: Table>(&mut self, which: u32, ts: Ts) -> qt_model::record::Head {
        let recv = ts.checked_add_nanos(self.latency_ns).unwrap_or(ts);
        self.roster.get(which as usize).head::<T>(Some(ts), recv)
    }

    #[expect(clippy::too_many_arguments, reason = "one road for all that happens to an order")]
    #[inline]
    fn mbo(
        &mut self,
        action: MboAction,
        order_id: u64,
        order: Option<Order>,
        body: Body<'_>,
        ts: Ts,
        more: bool,
        batch: &mut Batch,
    ) -> Result<(), Problem> {
        let latency_ns = self.latency_ns;
        let recv = ts.checked_add_nanos(latency_ns).unwrap_or(ts);
        let known = match order {
            Some(order) => self.roster.get(order.which as usize),
            None => {
                self.notes.add("messages about orders that were never added have no price", 1);
                self.located(body).ok_or_else(|| Problem::Row {
                    message: format!("order {order_id} and its stock were never added"),
                })?
            }
        };
        let px = order.map(|order| price(known, order.px)).transpose()?;
        let qty = order.map(|order| size(known, order.shares)).transpose()?;
        let side = order.map(|order| order.side);
        let head = known.head::<Mbo>(Some(ts), recv);
        batch.push_row(Mbo { head, action, side, px, qty, order_id, more, snapshot: false }, &[]);
        Ok(())
    }

    fn execution(
        &mut self,
        it: &Execution,
        body: Body<'_>,
        ts: Ts,
        batch: &mut Batch,
    ) -> Result<(), Problem> {
        let order = self.orders.reduce(it.order_id, it.shares);
        let gone = order.map(|order| Order { shares: it.shares, ..order });
        if let Some(order) = order.filter(|_| it.is_printed) {
            let px = it.px.unwrap_or(order.px);
            let side = Some(order.side.opposite());
            self.trade(order.which, (px, it.shares), side, it.id, ts, batch)?;
        }
        self.mbo(MboAction::Fill, it.order_id, gone, body, ts, true, batch)?;
        self.mbo(MboAction::Cancel, it.order_id, gone, body, ts, false, batch)
    }

    /// An order goes and another comes: it loses its place in the queue.
    fn replace(&mut self, body: Body<'_>, ts: Ts, batch: &mut Batch) -> Result<(), Problem> {
        let (old, new) = (body.u64(11), body.u64(19));
        let gone = self.orders.remove(old);
        self.mbo(MboAction::Cancel, old, gone, body, ts, gone.is_some(), batch)?;
        let Some(gone) = gone else { return Ok(()) };
        let order = Order { px: body.u32(31), shares: body.u32(27), ..gone };
        self.orders.add(new, order);
        self.mbo(MboAction::Add, new, Some(order), body, ts, false, batch)
    }

    fn trade(
        &mut self,
        which: u32,
        (px, shares): (u32, u32),
        side: Option<Side>,
        id: u64,
        ts: Ts,
        batch: &mut Batch,
    ) -> Result<(), Problem> {
        let known = self.roster.get(which as usize);
        let (px, qty) = (price(known, px)?, size(known, shares)?);
        let head = self.head::<Trade>(which, ts);
        batch.push_row(Trade { head, px, qty, side, id: Some(id) }, &[]);
        Ok(())
    }

    /// A trade that never was: no kind of record takes it back, so it is kept as it came.
    fn broken(&mut self, body: Body<'_>, ts: Ts, batch: &mut Batch) -> Result<(), Problem> {
        let which = self.by_locate[usize::from(body.u16(1))];
        let which = which.ok_or_else(|| Problem::Row {
            message: "a broken trade of a stock that was never named".to_owned(),
        })?;
        let head = self.head::<Other>(which, ts);
        let symbol = head.instrument.map(|id| self.roster.table().get(id).symbol.to_string());
        let json = format!(
            r#"{{"k":"broken_trade","ts_event":"{ts}","ts_recv":"{}","sym":"{}","id":{},"seq":{}}}"#,
            head.ts_recv,
            symbol.unwrap_or_default(),
            body.u64(11),
            head.seq
        );
        batch.push_row(Other { head, kind: "broken_trade".to_owned(), json }, &[]);
        Ok(())
    }

    fn directory(&mut self, body: Body<'_>, ts: Ts, batch: &mut Batch) -> Result<(), Problem> {
        let which = self.stock(body.stock(11), body.u16(1))?;
        let head = self.head::<InstrumentRow>(which, ts);
        let id = self.roster.get(which as usize).id;
        let mut instrument = self.roster.table().get(id).clone();
        instrument.terms.class = Some(InstrumentClass::Equity);
        instrument.terms.quote = Some("USD".into());
        batch.push_row(InstrumentRow::of(&instrument, head), &[]);
        Ok(())
    }

    fn action(&mut self, body: Body<'_>, ts: Ts, batch: &mut Batch) -> Result<(), Problem> {
        let which = self.stock(body.stock(11), body.u16(1))?;
        let status = match body.byte(19) {
            b'H' | b'P' => TradingStatus::Halted,
            b'Q' => TradingStatus::PreOpen,
            b'T' => TradingStatus::Open,
            other => return Err(Problem::field("trading state", "H, P, Q or T", &[other])),
        };
        let reason = std::str::from_utf8(&body.0[21..25]).map(str::trim).unwrap_or_default();
        let reason = (!reason.is_empty()).then(|| reason.to_owned());
        self.crosses.tell(which, status);
        self.status(which, ts, status, reason, batch);
        Ok(())
    }

    fn status(
        &mut self,
        which: u32,
        ts: Ts,
        status: TradingStatus,
        reason: Option<String>,
        batch: &mut Batch,
    ) {
        let head = self.head::<Status>(which, ts);
        batch.push_row(Status { head, status, reason }, &[]);
    }
}

#[inline]
fn side(letter: u8) -> Result<Side, Problem> {
    match letter {
        b'B' => Ok(Side::Buy),
        b'S' => Ok(Side::Sell),
        other => Err(Problem::field("side", "B or S", &[other])),
    }
}

#[inline]
fn price(known: &Known, px: u32) -> Result<Px, Problem> {
    PX.rescale(i64::from(px), known.px_scale).map(Px::new).ok_or_else(|| Problem::Row {
        message: format!(
            "field `price`: {px} ten-thousandths do not fit {} decimals; pass --px-scale with as \
             many as there are",
            known.px_scale.digits()
        ),
    })
}

#[inline]
fn size(known: &Known, shares: u32) -> Result<Qty, Problem> {
    let qty = i64::from(shares).checked_mul(known.qty_scale.unit());
    qty.and_then(|qty| Qty::new(qty).ok())
        .ok_or_else(|| Problem::field("shares", "a size", shares.to_string().as_bytes()))
}
