//! The dumps that are one record a row.

use qt_model::record::{Bar, Quote, Trade};
use qt_model::time::{Date, Ts};
use qt_model::words::Side;

use super::super::rows::{self, Clock, Out, Row, Which, misread};
use crate::error::Problem;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    Trades,
    AggTrades,
    BookTicker,
    BookDepth,
    Klines,
}

impl Layout {
    /// By names that stand in the first line.
    pub(super) fn of_header(first: &Row<'_>) -> Option<Self> {
        let has = |name| first.find(name).is_some();
        if has("agg_trade_id") {
            Some(Self::AggTrades)
        } else if has("is_buyer_maker") && has("id") {
            Some(Self::Trades)
        } else if has("best_bid_price") && has("update_id") {
            Some(Self::BookTicker)
        } else if has("percentage") && has("depth") && has("notional") {
            Some(Self::BookDepth)
        } else if has("open_time") && has("close_time") && has("taker_buy_volume") {
            Some(Self::Klines)
        } else {
            None
        }
    }

    /// What a line of names lacks that the name of its file promises.
    pub(super) fn lacks(self, names: &Row<'_>) -> Problem {
        let is_there = |spellings: &[&str]| spellings.iter().any(|name| names.find(name).is_some());
        let columns = self.columns(usize::MAX);
        let lacking = columns.iter().find(|(spellings, _)| !is_there(spellings));
        rows::missing(
            lacking.map_or("taker_buy_volume", |(spellings, _)| spellings[0]),
            names.iter(),
        )
    }

    /// By the shape of a row without names.
    pub(super) fn of_row(row: &Row<'_>) -> Option<Self> {
        let is_time =
            |at: usize| matches!(row.get(at).len(), 13 | 16) && rows::whole(row.get(at)).is_some();
        let is_flag = |at: usize| matches!(row.get(at), b"True" | b"False" | b"true" | b"false");
        match row.len() {
            12 if is_time(0) && is_time(6) => Some(Self::Klines),
            8 if is_time(5) && is_flag(6) => Some(Self::AggTrades),
            7 if is_time(5) && is_time(6) => Some(Self::BookTicker),
            7 if is_time(5) && is_flag(6) => Some(Self::AggTrades),
            6 | 7 if is_time(4) && is_flag(5) => Some(Self::Trades),
            4 if row.get(0).len() == 19 && row.get(0).get(10) == Some(&b' ') => {
                Some(Self::BookDepth)
            }
            _ => None,
        }
    }

    /// The columns that are read, in the order of files without names.
    fn columns(self, count: usize) -> &'static [(&'static [&'static str], usize)] {
        match self {
            Self::Trades => &[
                (&["id"], 0),
                (&["price"], 1),
                (&["qty"], 2),
                (&["time"], 4),
                (&["is_buyer_maker"], 5),
            ],
            Self::AggTrades => &[
                (&["agg_trade_id"], 0),
                (&["price"], 1),
                (&["quantity", "qty"], 2),
                (&["transact_time", "timestamp"], 5),
                (&["is_buyer_maker"], 6),
            ],
            Self::BookTicker => &[
                (&["update_id"], 0),
                (&["best_bid_price"], 1),
                (&["best_bid_qty"], 2),
                (&["best_ask_price"], 3),
                (&["best_ask_qty"], 4),
                (&["event_time", "transaction_time"], 6),
            ],
            Self::BookDepth => {
                &[(&["timestamp"], 0), (&["percentage"], 1), (&["depth"], 2), (&["notional"], 3)]
            }
            Self::Klines if count >= 11 => &[
                (&["open_time"], 0),
                (&["open"], 1),
                (&["high"], 2),
                (&["low"], 3),
                (&["close"], 4),
                (&["volume"], 5),
                (&["close_time"], 6),
                (&["quote_volume", "quote_asset_volume"], 7),
                (&["count", "number_of_trades"], 8),
                (&["taker_buy_volume", "taker_buy_base_asset_volume"], 9),
            ],
            Self::Klines => &[],
        }
    }
}

/// Rows of one layout and instrument.
#[derive(Clone, Debug)]
pub(super) struct Rows {
    layout: Layout,
    which: Which,
    columns: Vec<(&'static str, usize)>,
    clock: Clock,
    close: Clock,
}

impl Rows {
    pub(super) fn new(
        layout: Layout,
        which: Which,
        names: Option<&Row<'_>>,
        count: usize,
    ) -> Result<Self, Problem> {
        let find = |(spellings, position): &(&'static [&'static str], usize)| {
            let Some(names) = names else { return Ok((spellings[0], *position)) };
            let found = spellings.iter().find_map(|name| Some((*name, names.find(name)?)));
            found.ok_or_else(|| rows::missing(spellings[0], names.iter()))
        };
        let columns: Vec<_> = layout.columns(count).iter().map(find).collect::<Result<_, _>>()?;
        if columns.is_empty() {
            let message = format!("candles have 11 or 12 columns, the first line has {count}");
            return Err(Problem::Row { message });
        }
        Ok(Self { layout, which, columns, clock: Clock::default(), close: Clock::default() })
    }

    pub(super) fn row(&mut self, row: &Row<'_>, out: &mut Out) -> Result<(), Problem> {
        match self.layout {
            Layout::Trades | Layout::AggTrades => self.trade(row, out),
            Layout::BookTicker => self.quote(row, out),
            Layout::BookDepth => self.percentage(row, out),
            Layout::Klines => self.bar(row, out),
        }
    }

    /// The name and text of a column that is read.
    fn cell<'a>(&self, row: &Row<'a>, at: usize) -> (&'static str, &'a [u8]) {
        let (name, column) = self.columns[at];
        (name, row.get(column))
    }

    fn whole(&self, row: &Row<'_>, at: usize) -> Result<u64, Problem> {
        let (name, text) = self.cell(row, at);
        let number = rows::whole(text).ok_or_else(|| misread(name, "a whole number", text))?;
        Ok(number.cast_unsigned())
    }

    fn trade(&mut self, row: &Row<'_>, out: &mut Out) -> Result<(), Problem> {
        let id = Some(self.whole(row, 0)?);
        let (name, text) = self.cell(row, 1);
        let px = out.px(self.which, name, text)?;
        let (name, text) = self.cell(row, 2);
        let qty = out.qty(self.which, name, text)?;
        let (name, text) = self.cell(row, 3);
        let ts = self.clock.epoch(name, text, &out.notes)?;
        let (name, text) = self.cell(row, 4);
        // Where the buyer was the maker, a seller took.
        let takers = [("true", Side::Sell), ("false", Side::Buy)];
        let side = Some(rows::word(name, text, &takers)?);
        let head = out.head::<Trade>(self.which, ts, None);
        out.push(self.which, Trade { head, px, qty, side, id }, &[]);
        Ok(())
    }

    fn quote(&mut self, row: &Row<'_>, out: &mut Out) -> Result<(), Problem> {
        let id = Some(self.whole(row, 0)?);
        let px = |at: usize, out: &mut Out| {
            let (name, text) = self.cell(row, at);
            out.px(self.which, name, text).map(Some)
        };
        let (bid_px, ask_px) = (px(1, out)?, px(3, out)?);
        let qty = |at: usize, out: &mut Out| {
            let (name, text) = self.cell(row, at);
            out.qty(self.which, name, text).map(Some)
        };
        let (bid_qty, ask_qty) = (qty(2, out)?, qty(4, out)?);
        let (name, text) = self.cell(row, 5);
        let ts = self.clock.epoch(name, text, &out.notes)?;
        let head = out.head::<Quote>(self.which, ts, None);
        out.push(self.which, Quote { head, bid_px, bid_qty, ask_px, ask_qty, id }, &[]);
        Ok(())
    }

    /// The size within a percentage of the price is no level of a book: it is kept as it stands.
    fn percentage(&mut self, row: &Row<'_>, out: &mut Out) -> Result<(), Problem> {
        let (name, text) = self.cell(row, 0);
        let ts =
            second(text).ok_or_else(|| misread(name, "a time as 2024-01-01 00:00:09", text))?;
        let mut members = String::new();
        for at in 1..4 {
            let (name, text) = self.cell(row, at);
            let number = out.money(name, text)?;
            members.push_str(&format!(r#","{name}":{number}"#));
        }
        out.other(self.which, "book_depth", ts, &members);
        Ok(())
    }

    fn bar(&mut self, row: &Row<'_>, out: &mut Out) -> Result<(), Problem> {
        let (name, text) = self.cell(row, 0);
        let open_ts = self.clock.epoch(name, text, &out.notes)?;
        let (name, text) = self.cell(row, 6);
        let last = self.close.epoch(name, text, &out.notes)?;
        // A bar ends with its last unit of time: 59.999 seconds where those are milliseconds.
        let close = last.checked_add_nanos(self.close.nanos());
        let span = close.map(|close| (close, close.since(open_ts))).filter(|(_, step)| *step > 0);
        let (ts, step) = span.ok_or_else(|| misread(name, "a time behind open_time", text))?;
        let mut px = [qt_model::units::Px::new(0); 4];
        for (at, px) in (1..).zip(&mut px) {
            let (name, text) = self.cell(row, at);
            *px = out.px(self.which, name, text)?;
        }
        let [open, high, low, close] = px;
        let (name, text) = self.cell(row, 5);
        let volume = out.qty(self.which, name, text)?;
        let (name, text) = self.cell(row, 9);
        let buy_volume = Some(out.qty(self.which, name, text)?);
        let (name, text) = self.cell(row, 7);
        let notional = Some(out.money(name, text)?);
        let trades = Some(self.whole(row, 8)?);
        let head = out.head::<Bar>(self.which, ts, None);
        let bar = Bar {
            buy_volume,
            notional,
            trades,
            ..Bar::timed(head, step, open_ts, [open, high, low, close], volume)
        };
        out.push(self.which, bar, &[]);
        Ok(())
    }
}

/// `2024-01-01 00:00:09`, which the venue writes in UTC.
fn second(text: &[u8]) -> Option<Ts> {
    let text = std::str::from_utf8(text).ok()?;
    let (date, time) = text.split_once(' ')?;
    let date = Date::parse(date).ok()?;
    let mut parts = time.split(':').map(|part| rows::whole(part.as_bytes()));
    let mut next = |limit: i64| parts.next().flatten().filter(|number| *number < limit);
    let seconds = next(24)? * 3600 + next(60)? * 60 + next(60)?;
    date.start().checked_add_nanos(seconds * 1_000_000_000)
}
