//! What is kept of one instrument, and the records made of it.

use qt_model::decimal::kept;
use qt_model::ids::{FillId, InstrumentId, OrderId};
use qt_model::instrument::Instrument;
use qt_model::record::{FillQuality, Head, RoundTrip};
use qt_model::time::Ts;
use qt_model::units::{Qty, Scale};
use qt_model::words::Side;

use super::attribution::Parts;
use super::contract::{self, Contract};
use super::horizons::{Horizons, Known, markout_bps};
use super::market::Market;
use super::options::Options;
use super::quoted::Quoted;
use super::tally::Tally;
use super::trades::{Position, Trade};
use crate::ledger::Money;
use crate::ledger::{DoublePx, LedgerError};

/// One instrument's part.
#[derive(Clone, Debug)]
pub(super) struct Book {
    id: InstrumentId,
    pub(super) contract: Contract,
    px_scale: Scale,
    pub(super) qty_scale: Scale,
    pub(super) market: Market,
    pub(super) position: Position,
    pub(super) horizons: Horizons,
    pub(super) tally: Tally,
    pub(super) parts: Parts,
}

impl Book {
    pub(super) fn new(
        id: InstrumentId,
        instrument: &Instrument,
        options: &Options,
    ) -> Result<Self, LedgerError> {
        let contract = Contract::new(instrument, options.currency)?;
        Ok(Self {
            id,
            contract,
            px_scale: instrument.px_scale,
            qty_scale: instrument.qty_scale,
            market: Market::new(),
            position: Position::new(contract, options.matching),
            horizons: Horizons::new(options.horizons.len()),
            tally: Tally::default(),
            parts: Parts::default(),
        })
    }

    /// Takes best prices while no horizon is due; when the last of them came that is another than the
    /// one before it.
    pub(super) fn glance(&mut self, now: Ts, quoted: Quoted<'_>) -> Option<Ts> {
        let known = self.market.touch();
        let first = quoted.iter().position(|(_, touch)| known != Some(touch))?;
        let news = quoted.slice(first..quoted.len());
        if self.position.qty() != 0 {
            self.position.mark_all(news);
        }
        Some(self.market.set_all(now, news))
    }

    /// Tells of fills that have all the mids they will have: those whose horizons have passed, and at the
    /// end all.
    pub(super) fn tell(&mut self, told: &mut Told, is_end: bool) {
        let count = if is_end { self.horizons.all() } else { self.horizons.over() };
        for _ in 0..count {
            let fill = self.horizons.pop().expect("so many wait for nothing more");
            self.parts.settle(&self.contract, &fill, self.market.last_mid());
            if self.horizons.has_known()
                && let Some(known) = self.horizons.pop_known()
            {
                told.fill_seq += 1;
                let of = (self.id, self.px_scale);
                told.fills.push(quality(&known, of, told.fill_seq, self.horizons.passed.len()));
            }
        }
    }

    fn round_trip(&self, trade: &Trade, currency: &str, seq: u64) -> RoundTrip {
        let money = |money: Money| kept(money.to_decimal_nearest());
        let mean = |notional, qty| self.contract.mean_px(notional, qty, self.px_scale).map(kept);
        RoundTrip {
            head: Head::new(trade.closed, trade.closed, seq, Some(self.id)),
            side: trade.side,
            opened: trade.opened,
            qty: Qty::new(trade.qty).expect("a size without its sign is none below zero"),
            entry_px: mean(trade.entry_notional, trade.entry_qty),
            exit_px: mean(trade.exit_notional, trade.exit_qty),
            fills: trade.fills,
            gross: money(trade.gross),
            fees: money(trade.fees),
            funding: money(trade.funding),
            net: money(trade.net()),
            mae: trade.excursion.map(|(worst, _)| money(worst)),
            mfe: trade.excursion.map(|(_, best)| money(best)),
            entry_notional: money(trade.entry_notional.abs()),
            currency: currency.to_owned(),
        }
    }
}

fn quality(
    known: &Known,
    (id, px_scale): (InstrumentId, Scale),
    seq: u64,
    horizons: usize,
) -> FillQuality {
    let mid = |mid: Option<DoublePx>| mid.map(|mid| contract::decimal(mid, px_scale));
    let markout = |at: usize| markout_bps(known, known.mids.get(at).copied().flatten()?);
    FillQuality {
        head: Head::new(known.ts, known.ts, seq, Some(id)),
        fill_id: FillId::from(known.fill.0.to_string().as_str()),
        order_id: Some(OrderId::from(known.order.0.to_string().as_str())),
        side: known.side,
        px: known.px,
        qty: known.qty,
        liquidity: known.liquidity,
        decided: known.decided,
        accepted: known.accepted,
        mid_decision: mid(known.mid_decision),
        mid_arrival: mid(known.mid_arrival),
        touch_arrival: known.touch_arrival.map(|touch| match known.side {
            Side::Buy => touch.ask,
            Side::Sell => touch.bid,
        }),
        mid_before: mid(known.mid_before),
        queue_ahead_entry: known.queue.map(|queue| queue.ahead),
        level_qty_entry: known.queue.map(|queue| queue.level),
        queue_ahead_fill: known.queue_ahead_fill,
        queue_traded: known.queue_traded,
        queue_cancelled: known.queue_cancelled,
        markout_bps: (0..horizons).map(markout).collect(),
    }
}

/// Records of what is over, until the caller takes them.
#[derive(Clone, Debug, Default)]
pub(super) struct Told {
    pub(super) fills: Vec<FillQuality>,
    pub(super) trades: Vec<RoundTrip>,
    fill_seq: u64,
    trade_seq: u64,
}

impl Told {
    /// A trade was closed.
    pub(super) fn trade(&mut self, book: &Book, trade: &Trade, options: &Options) {
        self.trade_seq += 1;
        if options.rows {
            let currency = options.currency.as_str();
            self.trades.push(book.round_trip(trade, currency, self.trade_seq));
        }
    }
}
