//! The rows of a Lean file.

use qt_model::record::{Bar, Quote, Trade};
use qt_model::time::{Date, Ts};
use qt_model::units::{Px, Qty, Scale};

use super::super::Hints;
use super::super::local::LocalClock;
use super::super::rows::{self, Begin, Decode, Out, Row, Which, misread};
use super::place::{Asset, Kind, Of, Spot, day};
use crate::error::Problem;

/// Prices of shares are whole ten-thousandths.
const SHARES: Scale = match Scale::new(4) {
    Ok(scale) => scale,
    Err(_) => panic!("four is a scale"),
};

pub(super) struct Rows {
    spot: Spot,
    clock: LocalClock,
}

/// One side of a bar of quotes: four prices and the last size.
struct SideBar {
    px: [Px; 4],
    qty: Option<Qty>,
}

/// When a bar began and ended.
#[derive(Clone, Copy)]
struct Span {
    open_ts: Ts,
    close_ts: Ts,
    step_ns: i64,
}

impl Rows {
    pub(super) fn new(spot: Spot, hints: &Hints) -> Result<Self, Problem> {
        let zone = hints.zone.as_deref().or(spot.zone()).ok_or_else(|| Problem::Row {
            message: format!("the zone of the market {} is not known; pass --zone", spot.market),
        })?;
        Ok(Self { clock: LocalClock::new(zone)?, spot })
    }

    fn instrument(&self, suffix: &str, out: &mut Out) -> Result<Which, Problem> {
        let name = out.hints.symbol.clone().unwrap_or_else(|| self.spot.symbol.clone());
        out.instrument_as(&self.spot.market, &format!("{name}{suffix}"))
    }

    /// Milliseconds after midnight.
    fn at(&mut self, date: Date, text: &[u8]) -> Result<Ts, Problem> {
        let millis = rows::whole(text).filter(|millis| *millis <= 2 * 86_400_000);
        let millis = millis.ok_or_else(|| misread("time", "milliseconds after midnight", text))?;
        self.clock.at(date, millis * 1_000_000)
    }

    /// `20131007 09:00`, and the day of it.
    fn whole_time(&mut self, text: &[u8]) -> Result<(Date, Ts), Problem> {
        let misread = || misread("time", "a day and a time such as 20131007 09:00", text);
        let text = std::str::from_utf8(text).map_err(|_| misread())?;
        let (date, time) = text.split_once(' ').ok_or_else(misread)?;
        let date = day(date).ok_or_else(misread)?;
        let (hours, minutes) = time.split_once(':').ok_or_else(misread)?;
        let number = |text: &str, limit: i64| {
            rows::whole(text.as_bytes()).filter(|number| *number < limit && text.len() == 2)
        };
        let minutes = number(hours, 24).ok_or_else(misread)? * 60
            + number(minutes, 60).ok_or_else(misread)?;
        Ok((date, self.clock.at(date, minutes * 60_000_000_000)?))
    }

    fn px(&self, which: Which, field: &str, text: &[u8], out: &mut Out) -> Result<Px, Problem> {
        if self.spot.asset != Asset::Equity {
            return out.px(which, field, text);
        }
        let number = rows::whole(text).ok_or_else(|| misread(field, "ten-thousandths", text))?;
        out.px_of(which, field, number, SHARES)
    }

    fn tick(
        &mut self,
        row: &Row<'_>,
        kind: Kind,
        date: Date,
        out: &mut Out,
    ) -> Result<(), Problem> {
        let ts = self.at(date, row.get(0))?;
        let which = self.instrument("", out)?;
        match (kind, row.len()) {
            (Kind::OpenInterest, _) => self.open_interest(row, which, ts, out),
            (Kind::Trade, 3 | 6) => {
                let px = self.px(which, "price", row.get(1), out)?;
                let qty = out.qty(which, "size", row.get(2))?;
                self.suspicion(row, 5, out);
                let head = out.head::<Trade>(which, ts, None);
                out.push(which, Trade { head, px, qty, side: None, id: None }, &[]);
                Ok(())
            }
            // Foreign exchange has no sizes.
            (Kind::Quote, 3) => {
                let bid_px = Some(self.px(which, "bid", row.get(1), out)?);
                let ask_px = Some(self.px(which, "ask", row.get(2), out)?);
                let head = out.head::<Quote>(which, ts, None);
                let (bid_qty, ask_qty, id) = (None, None, None);
                out.push(which, Quote { head, bid_px, bid_qty, ask_px, ask_qty, id }, &[]);
                Ok(())
            }
            (Kind::Quote, 5 | 8) => {
                self.suspicion(row, 7, out);
                let bid = self.one_side(row, (1, 2), which, out)?;
                let ask = self.one_side(row, (3, 4), which, out)?;
                push_quote(which, (bid, ask), ts, out);
                Ok(())
            }
            (Kind::Trade | Kind::Quote, found) => {
                Err(Problem::Columns { expected: if kind == Kind::Trade { 6 } else { 8 }, found })
            }
        }
    }

    /// A side of a quote. A price of nothing is no side: the row is about the other one.
    fn one_side(
        &self,
        row: &Row<'_>,
        (px, qty): (usize, usize),
        which: Which,
        out: &mut Out,
    ) -> Result<Option<(Px, Option<Qty>)>, Problem> {
        if matches!(row.get(px), b"" | b"0") {
            return Ok(None);
        }
        let px = self.px(which, "price", row.get(px), out)?;
        Ok(Some((px, Some(out.qty(which, "size", row.get(qty))?))))
    }

    fn suspicion(&self, row: &Row<'_>, column: usize, out: &Out) {
        if row.get(column) == b"1" {
            out.notes.add("ticks that Lean marks as suspicious were imported like the others", 1);
        }
    }

    fn open_interest(
        &self,
        row: &Row<'_>,
        which: Which,
        ts: Ts,
        out: &mut Out,
    ) -> Result<(), Problem> {
        let text = row.get(1);
        let count = rows::whole(text).ok_or_else(|| misread("open interest", "a number", text))?;
        out.other(which, "open_interest", ts, &format!(r#","open_interest":{count}"#));
        Ok(())
    }

    fn bars(&mut self, row: &Row<'_>, span: Span, out: &mut Out) -> Result<(), Problem> {
        match row.len() {
            5 | 6 => {
                let which = self.instrument("", out)?;
                let px = self.four(row, 1, which, out)?;
                // Some markets have bars without a volume.
                let volume = match row.len() {
                    6 => out.qty(which, "volume", row.get(5))?,
                    _ => Qty::ZERO,
                };
                push_bar(which, px, volume, span, out);
                Ok(())
            }
            11 => {
                let which = self.instrument("", out)?;
                let bid = self.side_bar(row, 1, which, out)?;
                let ask = self.side_bar(row, 6, which, out)?;
                let last = |side: &Option<SideBar>| side.as_ref().map(|it| (it.px[3], it.qty));
                push_quote(which, (last(&bid), last(&ask)), span.close_ts, out);
                for (suffix, first, side) in [(".ask", 6, ask), (".bid", 1, bid)] {
                    if side.is_some() {
                        let which = self.instrument(suffix, out)?;
                        let px = self.four(row, first, which, out)?;
                        push_bar(which, px, Qty::ZERO, span, out);
                    }
                }
                Ok(())
            }
            found => Err(Problem::Columns { expected: 6, found }),
        }
    }

    /// A side of a bar of quotes; empty is not zero, it is a side that was not there.
    fn side_bar(
        &self,
        row: &Row<'_>,
        first: usize,
        which: Which,
        out: &mut Out,
    ) -> Result<Option<SideBar>, Problem> {
        if (first..first + 4).all(|at| matches!(row.get(at), b"" | b"0")) {
            return Ok(None);
        }
        let px = self.four(row, first, which, out)?;
        let size = row.get(first + 4);
        // Foreign exchange writes zero for want of a size.
        let is_forex = self.spot.asset == Asset::Forex;
        let has_size = !size.is_empty() && (size != b"0" || !is_forex);
        let qty = if has_size { Some(out.qty(which, "size", size)?) } else { None };
        Ok(Some(SideBar { px, qty }))
    }

    fn four(
        &self,
        row: &Row<'_>,
        first: usize,
        which: Which,
        out: &mut Out,
    ) -> Result<[Px; 4], Problem> {
        let mut px = [Px::new(0); 4];
        for (at, (name, px)) in
            ["open", "high", "low", "close"].into_iter().zip(&mut px).enumerate()
        {
            *px = self.px(which, name, row.get(first + at), out)?;
        }
        Ok(px)
    }

    /// A factor holds for all days up to and with its own.
    fn factor(&mut self, row: &Row<'_>, out: &mut Out) -> Result<(), Problem> {
        let (which, ts) = self.reference(row, out)?;
        let mut members = String::new();
        for (at, name) in (1..).zip(["price_factor", "split_factor", "reference_px"]) {
            if row.get(at).is_empty() {
                continue;
            }
            out.money(name, row.get(at))?;
            // As it is written: a factor of 1.10 has been rounded to two digits.
            members.push_str(&format!(r#","{name}":"{}""#, row.text(at)));
        }
        out.other(which, "factor", ts, &members);
        Ok(())
    }

    fn mapping(&mut self, row: &Row<'_>, out: &mut Out) -> Result<(), Problem> {
        let (which, ts) = self.reference(row, out)?;
        let is_plain = |text: &[u8]| {
            text.iter().all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(byte))
        };
        let mut members = String::new();
        for (at, name) in (1..).zip(["ticker", "exchange"]) {
            let text = row.get(at);
            if !is_plain(text) {
                return Err(misread(name, "letters and digits", text));
            }
            if !text.is_empty() {
                members.push_str(&format!(r#","{name}":"{}""#, row.text(at)));
            }
        }
        out.other(which, "mapping", ts, &members);
        Ok(())
    }

    fn reference(&mut self, row: &Row<'_>, out: &mut Out) -> Result<(Which, Ts), Problem> {
        let text = row.get(0);
        let date = std::str::from_utf8(text).ok().and_then(day);
        let date = date.ok_or_else(|| misread("date", "a day such as 20140606", text))?;
        Ok((self.instrument("", out)?, self.clock.at(date, 0)?))
    }
}

impl Decode for Rows {
    fn begin(&mut self, _: &Row<'_>, _: &mut Out) -> Result<Begin, Problem> {
        Ok(Begin::Row)
    }

    fn row(&mut self, row: &Row<'_>, out: &mut Out) -> Result<(), Problem> {
        match self.spot.of {
            Of::Ticks { kind, date } => self.tick(row, kind, date, out),
            Of::Bars { kind: Kind::OpenInterest, date, .. } => {
                let (ts, which) = (self.at(date, row.get(0))?, self.instrument("", out)?);
                self.open_interest(row, which, ts, out)
            }
            Of::Bars { date, step_ns, .. } => {
                let open_ts = self.at(date, row.get(0))?;
                let close_ts = open_ts.checked_add_nanos(step_ns).unwrap_or(open_ts);
                self.bars(row, Span { open_ts, close_ts, step_ns }, out)
            }
            Of::Days { step_ns } => {
                let (date, open_ts) = self.whole_time(row.get(0))?;
                let is_hour = step_ns < 86_400_000_000_000;
                // A day ends at the next midnight on its clock, 23 to 25 hours later.
                let close_ts = match is_hour {
                    true => open_ts.checked_add_nanos(step_ns).unwrap_or(open_ts),
                    false => self.clock.at(date.plus_days(1), 0)?,
                };
                self.bars(row, Span { open_ts, close_ts, step_ns }, out)
            }
            Of::Factors => self.factor(row, out),
            Of::Mapping => self.mapping(row, out),
        }
    }
}

type Side = Option<(Px, Option<Qty>)>;

fn push_quote(which: Which, (bid, ask): (Side, Side), ts: Ts, out: &mut Out) {
    let (bid_px, bid_qty) = bid.unzip();
    let (ask_px, ask_qty) = ask.unzip();
    let head = out.head::<Quote>(which, ts, None);
    let (bid_qty, ask_qty) = (bid_qty.flatten(), ask_qty.flatten());
    out.push(which, Quote { head, bid_px, bid_qty, ask_px, ask_qty, id: None }, &[]);
}

fn push_bar(which: Which, px: [Px; 4], volume: Qty, span: Span, out: &mut Out) {
    let head = out.head::<Bar>(which, span.close_ts, None);
    let bar = Bar::timed(head, span.step_ns, span.open_ts, px, volume);
    out.push(which, bar, &[]);
}
