//! What each record of a DBN file means here.

use std::sync::Arc;

use dbn::{BboMsg, Mbp1Msg, Mbp10Msg, Record as _, TradeMsg};
use dbn::{
    BidAskPair, InstrumentDefMsg, MboMsg, Metadata, OhlcvMsg, RecordRef, StatusMsg,
    SymbolMappingMsg, UNDEF_ORDER_SIZE, UNDEF_PRICE, UNDEF_TIMESTAMP, rtype,
};
use qt_model::decimal::MAX_MANTISSA;
use qt_model::instrument::{Instruments, Terms};
use qt_model::record::{Bar, Batch, Depth, InstrumentRow, Level, Mbo, Quote, Status, Trade};
use qt_model::time::Ts;
use qt_model::units::{Px, Qty};
use qt_model::words::{DepthAction, InstrumentClass, MboAction, Side, TradingStatus};
use rust_decimal::Decimal;

use super::super::roster::Known;
use super::super::{Hints, ImportInput, Notes};
use super::symbols::{BILLIONTHS, Numbers};
use crate::error::{Problem, ReadError};
use crate::place::Place;
use crate::read::Options;
use crate::tolerance::Tolerance;

const LAST: u8 = 1 << 7;
const SNAPSHOT: u8 = 1 << 5;

/// Makes records, one after the other.
#[derive(Debug)]
pub(super) struct Records {
    name: Arc<str>,
    numbers: Numbers,
    notes: Notes,
    tolerance: Tolerance,
    latency_ns: i64,
    /// The last order event: one without effect behind it may say that the event is over.
    held: Option<Mbo>,
    levels: Vec<Level>,
}

impl Records {
    pub(super) fn new(
        input: &ImportInput,
        metadata: &Metadata,
        hints: &Hints,
        options: &Options,
    ) -> Result<Self, ReadError> {
        let numbers = Numbers::new(metadata, hints, options).map_err(|problem| {
            let (place, message) = (Place::whole(&input.name), problem.to_string());
            ReadError::Unreadable { place, message }
        })?;
        Ok(Self {
            name: Arc::clone(&input.name),
            numbers,
            notes: input.notes.clone(),
            tolerance: options.tolerance.clone(),
            latency_ns: options.feed_latency_ns,
            held: None,
            levels: Vec::with_capacity(20),
        })
    }

    pub(super) fn table(&self) -> Arc<Instruments> {
        Arc::clone(self.numbers.table())
    }

    pub(super) fn begin(&self, batch: &mut Batch) {
        if batch.instruments().len() < self.numbers.table().len() {
            batch.set_instruments(self.table());
        }
    }

    pub(super) fn judge(&self, place: Place, problem: Problem) -> Result<(), ReadError> {
        debug_assert_eq!(place.input, self.name);
        self.tolerance.judge(ReadError::Record { place, problem: Box::new(problem), text: None })
    }

    pub(super) fn finish(&mut self, batch: &mut Batch) {
        if let Some(held) = self.held.take() {
            batch.push_row(held, &[]);
        }
    }

    #[inline]
    pub(super) fn add(&mut self, record: RecordRef<'_>, batch: &mut Batch) -> Result<(), Problem> {
        let kind = record.header().rtype;
        if kind == rtype::MBO {
            return self.order(whole(record)?, batch);
        }
        self.finish(batch);
        match kind {
            rtype::MBP_0 => self.with(record, batch, Self::trade),
            rtype::MBP_1 | rtype::TBBO => self.with(record, batch, Self::best),
            rtype::MBP_10 => self.with(record, batch, Self::ten),
            rtype::BBO_1S | rtype::BBO_1M => self.with(record, batch, Self::sampled),
            rtype::OHLCV_1S | rtype::OHLCV_1M | rtype::OHLCV_1H | rtype::OHLCV_1D => {
                self.with(record, batch, Self::bar)
            }
            rtype::STATUS => self.with(record, batch, Self::status),
            rtype::INSTRUMENT_DEF => self.with(record, batch, Self::definition),
            rtype::SYMBOL_MAPPING => self.with(record, batch, Self::mapping),
            other => {
                let name =
                    record.rtype().map_or_else(|_| other.to_string(), |it| format!("{it:?}"));
                self.notes
                    .add(format!("records of type {name} have no place here and were left out"), 1);
                Ok(())
            }
        }
    }

    /// Hands a record over as what its type says.
    fn with<'a, T: dbn::HasRType<Header = dbn::RecordHeader> + 'a>(
        &mut self,
        record: RecordRef<'a>,
        batch: &mut Batch,
        take: impl FnOnce(&mut Self, &'a T, &mut Batch) -> Result<(), Problem>,
    ) -> Result<(), Problem> {
        take(self, whole(record)?, batch)
    }

    #[inline]
    fn order(&mut self, message: &MboMsg, batch: &mut Batch) -> Result<(), Problem> {
        let (ts_event, ts_recv) = self.times(message.hd.ts_event, message.ts_recv)?;
        let action = match message.action.cast_unsigned() {
            b'A' => MboAction::Add,
            b'C' => MboAction::Cancel,
            b'M' => MboAction::Modify,
            b'F' => MboAction::Fill,
            b'T' => MboAction::Trade,
            b'R' => MboAction::Clear,
            b'N' => return self.nothing(message),
            other => return Err(Problem::field("action", "A, C, M, F, T, R or N", &[other])),
        };
        let is_last = message.flags.raw() & LAST != 0;
        let known = self.numbers.find(message.hd.instrument_id, ts_recv)?;
        let px = price(known, "price", message.price)?;
        let size = if message.size == UNDEF_ORDER_SIZE { None } else { Some(message.size) };
        let qty = size.map(|size| quantity(known, u64::from(size))).transpose()?;
        let side = side(message.side)?;
        if action == MboAction::Trade
            && let (Some(px), Some(qty)) = (px, qty)
        {
            let head = known.head::<Trade>(ts_event, ts_recv);
            batch.push_row(Trade { head, px, qty, side, id: None }, &[]);
        }
        // Of a trade the file names the aggressor; a record names the side that rested.
        let side = if action == MboAction::Trade { side.map(Side::opposite) } else { side };
        let head = known.head::<Mbo>(ts_event, ts_recv);
        let (order_id, snapshot) = (message.order_id, message.flags.raw() & SNAPSHOT != 0);
        let mbo = Mbo { head, action, side, px, qty, order_id, more: !is_last, snapshot };
        if is_last {
            self.finish(batch);
            batch.push_row(mbo, &[]);
        } else if let Some(held) = self.held.replace(mbo) {
            batch.push_row(held, &[]);
        }
        Ok(())
    }

    /// A record without an effect: it may say that the event before it is over.
    #[cold]
    fn nothing(&mut self, message: &MboMsg) -> Result<(), Problem> {
        let is_last = message.flags.raw() & LAST != 0;
        let (_, ts_recv) = self.times(message.hd.ts_event, message.ts_recv)?;
        let id = self.numbers.find(message.hd.instrument_id, ts_recv)?.id;
        if let Some(held) = self.held.as_mut().filter(|held| held.head.instrument == Some(id)) {
            held.more &= !is_last;
        }
        self.notes.add("mbo records without an action were left out", 1);
        Ok(())
    }

    fn trade(&mut self, message: &TradeMsg, batch: &mut Batch) -> Result<(), Problem> {
        let (ts_event, ts_recv) = self.times(message.hd.ts_event, message.ts_recv)?;
        let known = self.numbers.find(message.hd.instrument_id, ts_recv)?;
        let trade = Print { px: message.price, size: message.size, side: message.side };
        push_trade(known, trade, ts_event, ts_recv, batch)
    }

    fn best(&mut self, message: &Mbp1Msg, batch: &mut Batch) -> Result<(), Problem> {
        let (ts_event, ts_recv) = self.times(message.hd.ts_event, message.ts_recv)?;
        let known = self.numbers.find(message.hd.instrument_id, ts_recv)?;
        if message.action.cast_unsigned() == b'T' {
            let trade = Print { px: message.price, size: message.size, side: message.side };
            push_trade(known, trade, ts_event, ts_recv, batch)?;
        }
        push_quote(known, &message.levels[0], ts_event, ts_recv, batch)
    }

    fn sampled(&mut self, message: &BboMsg, batch: &mut Batch) -> Result<(), Problem> {
        let (ts_event, ts_recv) = self.times(message.hd.ts_event, message.ts_recv)?;
        let known = self.numbers.find(message.hd.instrument_id, ts_recv)?;
        push_quote(known, &message.levels[0], ts_event, ts_recv, batch)
    }

    fn ten(&mut self, message: &Mbp10Msg, batch: &mut Batch) -> Result<(), Problem> {
        let (ts_event, ts_recv) = self.times(message.hd.ts_event, message.ts_recv)?;
        let known = self.numbers.find(message.hd.instrument_id, ts_recv)?;
        if message.action.cast_unsigned() == b'T' {
            let trade = Print { px: message.price, size: message.size, side: message.side };
            push_trade(known, trade, ts_event, ts_recv, batch)?;
        }
        self.levels.clear();
        for level in &message.levels {
            if let Some(px) = price(known, "bid_px", level.bid_px)? {
                let qty = quantity(known, u64::from(level.bid_sz))?;
                self.levels.push(Level { px, qty, side: Side::Buy });
            }
        }
        for level in &message.levels {
            if let Some(px) = price(known, "ask_px", level.ask_px)? {
                let qty = quantity(known, u64::from(level.ask_sz))?;
                self.levels.push(Level { px, qty, side: Side::Sell });
            }
        }
        let head = known.head::<Depth>(ts_event, ts_recv);
        let action = DepthAction::Snapshot;
        let depth = Depth { head, action, first_id: None, last_id: None, prev_id: None };
        batch.push_row(depth, &self.levels);
        Ok(())
    }

    fn bar(&mut self, message: &OhlcvMsg, batch: &mut Batch) -> Result<(), Problem> {
        let step: i64 = match message.hd.rtype {
            rtype::OHLCV_1S => 1,
            rtype::OHLCV_1M => 60,
            rtype::OHLCV_1H => 3_600,
            _ => 86_400,
        };
        let step = step * 1_000_000_000;
        // The file stamps a bar with its beginning; it is known at its end.
        let open_ts = instant("ts_event", message.hd.ts_event)?;
        let close = open_ts.and_then(|open| open.checked_add_nanos(step));
        let (open_ts, ts) = open_ts
            .zip(close)
            .ok_or_else(|| Problem::field("ts_event", "the beginning of the bar", b"no time"))?;
        let known = self.numbers.find(message.hd.instrument_id, open_ts)?;
        let px = |field, value| {
            price(known, field, value)?
                .ok_or_else(|| Problem::field(field, "a price", b"an undefined price"))
        };
        let (open, high) = (px("open", message.open)?, px("high", message.high)?);
        let (low, close) = (px("low", message.low)?, px("close", message.close)?);
        let volume = quantity(known, message.volume)?;
        let ts_recv = ts.checked_add_nanos(self.latency_ns).unwrap_or(ts);
        let head = known.head::<Bar>(Some(ts), ts_recv);
        batch.push_row(Bar::timed(head, step, open_ts, [open, high, low, close], volume), &[]);
        Ok(())
    }

    fn status(&mut self, message: &StatusMsg, batch: &mut Batch) -> Result<(), Problem> {
        let (ts_event, ts_recv) = self.times(message.hd.ts_event, message.ts_recv)?;
        let status = match message.action {
            1 | 2 => TradingStatus::PreOpen,
            4 | 5 | 11 => TradingStatus::Auction,
            7 => TradingStatus::Open,
            3 | 8 | 9 | 10 => TradingStatus::Halted,
            12 | 13 | 15 => TradingStatus::Closed,
            _ => {
                self.notes.add("status records that change no status were left out", 1);
                return Ok(());
            }
        };
        let reason = message.reason().ok().map(|reason| format!("{reason:?}"));
        let known = self.numbers.find(message.hd.instrument_id, ts_recv)?;
        let head = known.head::<Status>(ts_event, ts_recv);
        batch.push_row(Status { head, status, reason }, &[]);
        Ok(())
    }

    fn definition(&mut self, message: &InstrumentDefMsg, batch: &mut Batch) -> Result<(), Problem> {
        let (ts_event, ts_recv) = self.times(message.hd.ts_event, message.ts_recv)?;
        let number = message.hd.instrument_id;
        if !self.numbers.is_named(number, ts_recv.nanos().cast_unsigned())
            && let Ok(name) = message.raw_symbol()
        {
            self.numbers.map(number, message.hd.ts_event.min(message.ts_recv), u64::MAX, name);
        }
        let known = self.numbers.find(number, ts_recv)?;
        let id = known.id;
        let head = known.head::<InstrumentRow>(ts_event, ts_recv);
        let mut instrument = self.numbers.table().get(id).clone();
        instrument.terms = terms(message);
        batch.push_row(InstrumentRow::of(&instrument, head), &[]);
        Ok(())
    }

    fn mapping(&mut self, message: &SymbolMappingMsg, _: &mut Batch) -> Result<(), Problem> {
        if let Ok(name) = message.stype_out_symbol() {
            let from = match message.start_ts {
                UNDEF_TIMESTAMP => message.hd.ts_event,
                from => from,
            };
            self.numbers.map(message.hd.instrument_id, from, message.end_ts, name);
        }
        Ok(())
    }

    /// Event and receive time; where the file has no receive time, the event time stands for it.
    #[inline]
    fn times(&self, ts_event: u64, ts_recv: u64) -> Result<(Option<Ts>, Ts), Problem> {
        let event = instant("ts_event", ts_event)?;
        let received = instant("ts_recv", ts_recv)?;
        let late = event.and_then(|ts| ts.checked_add_nanos(self.latency_ns));
        let ts_recv = received
            .or(late)
            .ok_or_else(|| Problem::field("ts_recv", "a time, or one in ts_event", b"neither"))?;
        Ok((event, ts_recv))
    }
}

#[inline]
fn instant(field: &str, nanos: u64) -> Result<Option<Ts>, Problem> {
    if nanos == UNDEF_TIMESTAMP {
        return Ok(None);
    }
    let Ok(nanos) = i64::try_from(nanos) else {
        return Err(Problem::field(field, "a time before 2262", nanos.to_string().as_bytes()));
    };
    Ok(Some(Ts::from_nanos(nanos)))
}

#[inline]
fn price(known: &Known, field: &str, billionths: i64) -> Result<Option<Px>, Problem> {
    if billionths == UNDEF_PRICE {
        return Ok(None);
    }
    let px = BILLIONTHS.rescale(billionths, known.px_scale);
    match px.filter(|px| px.unsigned_abs() <= MAX_MANTISSA.unsigned_abs()) {
        Some(px) => Ok(Some(Px::new(px))),
        None => Err(Problem::Row {
            message: format!(
                "field `{field}`: {billionths} billionths do not fit {} decimals; pass --px-scale \
                 with as many as there are",
                known.px_scale.digits()
            ),
        }),
    }
}

#[inline]
fn quantity(known: &Known, size: u64) -> Result<Qty, Problem> {
    let qty = i64::try_from(size).ok().and_then(|size| size.checked_mul(known.qty_scale.unit()));
    qty.filter(|qty| *qty <= MAX_MANTISSA)
        .and_then(|qty| Qty::new(qty).ok())
        .ok_or_else(|| Problem::field("size", "at most 18 digits", size.to_string().as_bytes()))
}

#[inline]
fn side(letter: std::ffi::c_char) -> Result<Option<Side>, Problem> {
    match letter.cast_unsigned() {
        b'B' => Ok(Some(Side::Buy)),
        b'A' => Ok(Some(Side::Sell)),
        b'N' => Ok(None),
        other => Err(Problem::field("side", "A, B or N", &[other])),
    }
}

struct Print {
    px: i64,
    size: u32,
    side: std::ffi::c_char,
}

fn push_trade(
    known: &mut Known,
    print: Print,
    ts_event: Option<Ts>,
    ts_recv: Ts,
    batch: &mut Batch,
) -> Result<(), Problem> {
    let px = price(known, "price", print.px)?
        .ok_or_else(|| Problem::field("price", "the price of a trade", b"an undefined price"))?;
    let qty = quantity(known, u64::from(print.size))?;
    let side = side(print.side)?;
    let head = known.head::<Trade>(ts_event, ts_recv);
    batch.push_row(Trade { head, px, qty, side, id: None }, &[]);
    Ok(())
}

fn push_quote(
    known: &mut Known,
    level: &BidAskPair,
    ts_event: Option<Ts>,
    ts_recv: Ts,
    batch: &mut Batch,
) -> Result<(), Problem> {
    let bid_px = price(known, "bid_px", level.bid_px)?;
    let ask_px = price(known, "ask_px", level.ask_px)?;
    let size = |px: Option<Px>, size: u32| px.map(|_| quantity(known, u64::from(size))).transpose();
    let (bid_qty, ask_qty) = (size(bid_px, level.bid_sz)?, size(ask_px, level.ask_sz)?);
    let head = known.head::<Quote>(ts_event, ts_recv);
    batch.push_row(Quote { head, bid_px, bid_qty, ask_px, ask_qty, id: None }, &[]);
    Ok(())
}

fn terms(message: &InstrumentDefMsg) -> Terms {
    let class = match message.instrument_class.cast_unsigned() {
        b'F' => Some(InstrumentClass::Future),
        b'C' | b'P' => Some(InstrumentClass::Option),
        b'K' => Some(InstrumentClass::Equity),
        b'I' => Some(InstrumentClass::Index),
        b'S' | b'T' | b'M' => Some(InstrumentClass::Spread),
        b'X' => Some(InstrumentClass::Fx),
        b'Y' => Some(InstrumentClass::Spot),
        _ => None,
    };
    let billionths = |value: i64| {
        (value != UNDEF_PRICE && value > 0).then(|| Decimal::new(value, 9).normalize())
    };
    let text = |text: dbn::Result<&str>| text.ok().filter(|text| !text.is_empty()).map(Into::into);
    Terms {
        class,
        tick: billionths(message.min_price_increment),
        multiplier: billionths(message.unit_of_measure_qty),
        quote: text(message.currency()),
        settle: text(message.settl_currency()),
        root: text(message.asset()),
        expiry: instant("expiration", message.expiration).ok().flatten(),
        ..Terms::default()
    }
}

/// A record as what its type says, if it has the length of that: the crate takes a shorter one for a
/// bug of its caller.
#[inline]
fn whole<'a, T: dbn::HasRType<Header = dbn::RecordHeader>>(
    record: RecordRef<'a>,
) -> Result<&'a T, Problem> {
    let (found, kind) = (record.header().record_size(), record.header().rtype);
    let message = if found < size_of::<T>() { None } else { record.get::<T>() };
    message.ok_or_else(|| Problem::Row {
        message: format!("a record of type {kind} is {found} bytes long"),
    })
}
