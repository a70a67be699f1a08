//! The messages: one line each, in the order of the venue.

use std::sync::Arc;

use qt_model::decimal::MAX_MANTISSA;
use qt_model::record::{Batch, Depth, Mbo, Source, Status, Trade};
use qt_model::time::{Date, Ts};
use qt_model::units::{Px, Qty, Scale};
use qt_model::words::{MboAction, Side, TradingStatus};

use super::super::local::LocalClock;
use super::super::roster::{Known, Roster};
use super::super::{Hints, ImportInput, Notes};
use super::book::Book;
use crate::error::{Problem, ReadError};
use crate::lines::{LINE_LIMIT, Line, Lines};
use crate::place::{At, Place};
use crate::read::Options;

/// Prices are whole ten-thousandths.
pub(super) const PX: Scale = match Scale::new(4) {
    Ok(scale) => scale,
    Err(_) => panic!("four is a scale"),
};

const ZONE: &str = "America/New_York";

/// One line, before it has a meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Message {
    nanos: i64,
    kind: i64,
    order_id: i64,
    size: i64,
    px: i64,
    direction: i64,
}

pub(super) struct Messages {
    name: Arc<str>,
    lines: Lines,
    roster: Roster,
    which: usize,
    date: Date,
    clock: LocalClock,
    book: Option<Book>,
    notes: Notes,
    options: Options,
}

impl Messages {
    pub(super) fn new(
        input: ImportInput,
        (symbol, date): (&str, Date),
        book: Option<Book>,
        hints: &Hints,
        options: &Options,
    ) -> Result<Self, Problem> {
        let mut roster = Roster::new(hints, options);
        let which = roster.add("nasdaq", symbol, (PX, Scale::ZERO))?;
        Ok(Self {
            name: input.name,
            lines: Lines::new(input.bytes),
            roster,
            which,
            date,
            clock: LocalClock::new(hints.zone.as_deref().unwrap_or(ZONE))?,
            book,
            notes: input.notes,
            options: options.clone(),
        })
    }

    /// Reads a line; `false` at the end.
    fn step(&mut self, batch: &mut Batch) -> Result<bool, ReadError> {
        let number = self.lines.number() + 1;
        let place = || Place { input: Arc::clone(&self.name), at: At::Line(number) };
        let line = self.lines.next().map_err(|source| ReadError::of_read(place(), source))?;
        let (text, problem) = match line {
            None => return Ok(false),
            Some(Line::TooLong) => (None, Problem::TooLong { limit: LINE_LIMIT }),
            Some(Line::Text(b"")) => return Ok(true),
            Some(Line::Text(line)) => {
                let known = self.roster.get(self.which);
                let made = parse(line).and_then(|message| {
                    let ts = self.clock.at(self.date, message.nanos)?;
                    let recv = ts.checked_add_nanos(self.options.feed_latency_ns).unwrap_or(ts);
                    make(message, (ts, recv), known, &self.notes, batch)?;
                    Ok((ts, recv))
                });
                match made {
                    Ok((ts, recv)) => {
                        if let Some(book) = &mut self.book {
                            book.step(known, |known| known.head::<Depth>(Some(ts), recv), batch)?;
                        }
                        return Ok(true);
                    }
                    Err(problem) => (Some(line.to_vec()), problem),
                }
            }
        };
        if self.lines.is_open_ended() {
            let message = format!("the last line has no end and does not read: {problem}");
            let cut = ReadError::Truncated { place: place(), message };
            return if self.options.allow_truncated { Ok(false) } else { Err(cut) };
        }
        let text = text.map(Vec::into_boxed_slice);
        let error = ReadError::Record { place: place(), problem: Box::new(problem), text };
        self.options.tolerance.judge(error)?;
        // The line of the book belongs to the line that was left out.
        self.book.as_mut().map_or(Ok(()), Book::skip)?;
        Ok(true)
    }
}

impl Source for Messages {
    type Error = ReadError;

    fn next(&mut self, batch: &mut Batch) -> Result<bool, ReadError> {
        batch.clear();
        batch.set_instruments(Arc::clone(self.roster.table()));
        while batch.len() < self.options.batch_records && self.step(batch)? {}
        Ok(!batch.is_empty())
    }
}

fn make(
    message: Message,
    (ts, recv): (Ts, Ts),
    known: &mut Known,
    notes: &Notes,
    batch: &mut Batch,
) -> Result<(), Problem> {
    let resting = match message.direction {
        1 => Side::Buy,
        -1 => Side::Sell,
        other => return Err(Problem::field("direction", "1 or -1", other.to_string().as_bytes())),
    };
    let order_id = message.order_id.cast_unsigned();
    let mbo = |action, more, known: &mut Known, batch: &mut Batch| {
        let px = Some(price(known, message.px)?);
        let qty = Some(size(known, message.size)?);
        let head = known.head::<Mbo>(Some(ts), recv);
        let side = Some(resting);
        batch.push_row(Mbo { head, action, side, px, qty, order_id, more, snapshot: false }, &[]);
        Ok(())
    };
    let trade = |side, known: &mut Known, batch: &mut Batch| {
        let (px, qty) = (price(known, message.px)?, size(known, message.size)?);
        let head = known.head::<Trade>(Some(ts), recv);
        batch.push_row(Trade { head, px, qty, side, id: None }, &[]);
        Ok(())
    };
    match message.kind {
        1 => mbo(MboAction::Add, false, known, batch),
        // A part of an order, or what is left of it.
        2 | 3 => mbo(MboAction::Cancel, false, known, batch),
        4 => {
            trade(Some(resting.opposite()), known, batch)?;
            mbo(MboAction::Fill, true, known, batch)?;
            mbo(MboAction::Cancel, false, known, batch)
        }
        // Hidden orders were never in the book.
        5 => trade(Some(resting.opposite()), known, batch),
        6 => trade(None, known, batch),
        7 => {
            let status = match message.px {
                -1 => TradingStatus::Halted,
                0 => TradingStatus::PreOpen,
                1 => TradingStatus::Open,
                other => {
                    let found = other.to_string();
                    return Err(Problem::field("price of a halt", "-1, 0 or 1", found.as_bytes()));
                }
            };
            let head = known.head::<Status>(Some(ts), recv);
            batch.push_row(Status { head, status, reason: None }, &[]);
            Ok(())
        }
        other => {
            notes
                .add(format!("messages of type {other} have no meaning here and were left out"), 1);
            Ok(())
        }
    }
}

/// A price of the file at the scale of its instrument.
#[inline]
pub(super) fn price(known: &Known, px: i64) -> Result<Px, Problem> {
    let fits = |px: &i64| px.unsigned_abs() <= MAX_MANTISSA.unsigned_abs();
    PX.rescale(px, known.px_scale).filter(fits).map(Px::new).ok_or_else(|| Problem::Row {
        message: format!(
            "field `price`: {px} ten-thousandths do not fit {} decimals; pass --px-scale with as \
             many as there are",
            known.px_scale.digits()
        ),
    })
}

#[inline]
pub(super) fn size(known: &Known, size: i64) -> Result<Qty, Problem> {
    let qty = size.checked_mul(known.qty_scale.unit()).filter(|qty| *qty <= MAX_MANTISSA);
    qty.and_then(|qty| Qty::new(qty).ok())
        .ok_or_else(|| Problem::field("size", "a size", size.to_string().as_bytes()))
}

/// Whether a line looks like a message: six numbers, the first with a point.
pub(super) fn is_message(line: &[u8]) -> bool {
    parse(line)
        .is_ok_and(|message| (1..=7).contains(&message.kind) && matches!(message.direction, 1 | -1))
        && line.split(|byte| *byte == b',').next().is_some_and(|time| time.contains(&b'.'))
}

fn parse(line: &[u8]) -> Result<Message, Problem> {
    let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
    let mut rest = line;
    let mut next = |field: &'static str| {
        let end = memchr::memchr(b',', rest).unwrap_or(rest.len());
        let (text, after) = rest.split_at(end);
        rest = after.get(1..).unwrap_or_default();
        (field, text)
    };
    let nanos = seconds(next("time"))?;
    let (kind, order_id) = (number(next("type"))?, number(next("order id"))?);
    let (size, px, direction) =
        (number(next("size"))?, number(next("price"))?, number(next("direction"))?);
    if !rest.is_empty() {
        let found = 1 + line.iter().filter(|byte| **byte == b',').count();
        return Err(Problem::Columns { expected: 6, found });
    }
    Ok(Message { nanos, kind, order_id, size, px, direction })
}

/// A whole number, perhaps below zero.
#[inline]
pub(super) fn number((field, text): (&str, &[u8])) -> Result<i64, Problem> {
    let (sign, digits) = match text {
        [b'-', digits @ ..] => (-1, digits),
        digits => (1, digits),
    };
    let mut value = 0_i64;
    if digits.is_empty() || digits.len() > 18 {
        return Err(Problem::field(field, "a whole number", text));
    }
    for byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return Err(Problem::field(field, "a whole number", text));
        }
        value = value * 10 + i64::from(digit);
    }
    Ok(sign * value)
}

/// Seconds with up to nine decimals, as nanoseconds.
#[inline]
fn seconds((field, text): (&str, &[u8])) -> Result<i64, Problem> {
    const BILLION: i64 = 1_000_000_000;
    let point = memchr::memchr(b'.', text).unwrap_or(text.len());
    let misread = || Problem::field(field, "seconds after midnight, at most nine decimals", text);
    let whole = number((field, &text[..point])).map_err(|_| misread())?;
    let fraction = text.get(point + 1..).unwrap_or_default();
    if fraction.len() > 9 || !(0..2 * 86_400).contains(&whole) {
        return Err(misread());
    }
    let mut nanos = 0;
    for at in 0..9 {
        let digit = fraction.get(at).map_or(0, |byte| byte.wrapping_sub(b'0'));
        if digit > 9 {
            return Err(misread());
        }
        nanos = nanos * 10 + i64::from(digit);
    }
    Ok(whole * BILLION + nanos)
}
