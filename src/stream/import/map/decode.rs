//! Rows by a plan.

use std::collections::BTreeMap;

use qt_model::record::{Bar, Quote, Trade};
use qt_model::time::Ts;
use qt_model::units::{Px, Qty};
use qt_model::words::Side;

use super::super::Hints;
use super::super::rows::{self, Begin, Decode, Fields, Out, Row, Which, misread};
use super::json;
use super::plan::{Column, KindOfRow, Plan, Stamp, step};
use super::times::Times;
use crate::error::Problem;

/// A table with a plan.
#[derive(Debug)]
pub(super) struct Mapped {
    plan: Plan,
    event: Times,
    recv: Option<Times>,
    step_ns: i64,
    /// Where each column of the plan stands.
    at: BTreeMap<String, usize>,
    event_at: (usize, Option<usize>),
    recv_at: Option<(usize, Option<usize>)>,
    /// For JSON lines: the members that become columns.
    names: Option<Vec<String>>,
    fields: Fields,
}

impl Mapped {
    pub(super) fn new(plan: Plan, hints: &Hints) -> Result<Self, Problem> {
        let event = Times::new(&plan.time, hints)?;
        let recv = plan.recv.as_ref().map(|recv| Times::new(recv, hints)).transpose()?;
        let step_ns = match &plan.bar {
            None => 0,
            Some(bar) => step(&bar.step).ok_or_else(|| {
                misread("step", "a length such as 1s, 5m, 1h or 1d", bar.step.as_bytes())
            })?,
        };
        Ok(Self {
            plan,
            event,
            recv,
            step_ns,
            at: BTreeMap::new(),
            event_at: (0, None),
            recv_at: None,
            names: None,
            fields: Fields::default(),
        })
    }

    /// Finds the columns in the first line; by number alone where it holds no names.
    fn settle(&mut self, first: Option<&Row<'_>>, count: usize) -> Result<(), Problem> {
        let find = |column: &Column| match (column, first) {
            (Column::Number(number), _) => {
                number.checked_sub(1).filter(|at| *at < count).ok_or_else(|| Problem::Row {
                    message: format!("there is no column {number}; the first line has {count}"),
                })
            }
            (Column::Name(name), Some(first)) => {
                first.find(name).ok_or_else(|| rows::missing(name, first.iter()))
            }
            (Column::Name(name), None) => Err(Problem::Row {
                message: format!(
                    "column `{name}` has no number, and the file has no line of names"
                ),
            }),
        };
        for (name, column) in &self.plan.columns {
            self.at.insert(name.clone(), find(column)?);
        }
        let time = |time: &super::plan::Time| {
            Ok((find(&time.column)?, time.and.as_ref().map(find).transpose()?))
        };
        self.event_at = time(&self.plan.time)?;
        self.recv_at = self.plan.recv.as_ref().map(time).transpose()?;
        Ok(())
    }

    /// The names that the plan asks for, each of which is a member of a line of JSON.
    fn members(&mut self) -> Result<(), Problem> {
        let mut names = Vec::new();
        let mut add = |column: &Column| match column {
            Column::Name(name) => {
                names.push(name.clone());
                Ok(names.len() - 1)
            }
            Column::Number(number) => Err(Problem::Row {
                message: format!("column {number}: members of JSON have names, not numbers"),
            }),
        };
        let mut time = |time: &super::plan::Time| {
            Ok((add(&time.column)?, time.and.as_ref().map(&mut add).transpose()?))
        };
        self.event_at = time(&self.plan.time)?;
        self.recv_at = self.plan.recv.as_ref().map(&mut time).transpose()?;
        for (name, column) in &self.plan.columns {
            let at = add(column)?;
            self.at.insert(name.clone(), at);
        }
        self.names = Some(names);
        Ok(())
    }

    fn decode(&mut self, row: &Row<'_>, out: &mut Out) -> Result<(), Problem> {
        let symbol = match self.text(row, "symbol") {
            Some(text) => Some(String::from_utf8_lossy(text).into_owned()),
            None => self.plan.symbol.clone(),
        };
        let symbol = out.hints.symbol.clone().or(symbol).ok_or_else(|| Problem::Row {
            message: "no column and no name says which instrument this is; pass --symbol"
                .to_owned(),
        })?;
        let symbol = match self.plan.bar.as_ref().and_then(|bar| bar.side.as_ref()) {
            Some(side) => format!("{symbol}.{side}"),
            None => symbol,
        };
        let venue = self.plan.venue.clone().unwrap_or_else(|| "local".to_owned());
        let which = out.instrument_as(&venue, &symbol)?;
        let notes = out.notes.clone();
        let ts = read_time(&mut self.event, row, self.event_at, &notes)?;
        let recv = match (&mut self.recv, self.recv_at) {
            (Some(times), Some(at)) => Some(read_time(times, row, at, &notes)?),
            (_, _) => None,
        };
        match self.plan.kind {
            KindOfRow::Trade => self.trade(row, which, (ts, recv), out),
            KindOfRow::Quote => self.quote(row, which, (ts, recv), out),
            KindOfRow::Bar => self.bar(row, which, (ts, recv), out),
        }
    }

    fn trade(
        &mut self,
        row: &Row<'_>,
        which: Which,
        (ts, recv): (Ts, Option<Ts>),
        out: &mut Out,
    ) -> Result<(), Problem> {
        let px = self.required("px", self.px(row, which, "px", out)?)?;
        let qty = self.required("qty", self.qty(row, which, "qty", out)?)?;
        let side = match self.text(row, "side") {
            Some(text) => self.side(text)?,
            None => None,
        };
        let id = self.whole(row, "id")?;
        let head = out.head::<Trade>(which, ts, recv);
        out.push(which, Trade { head, px, qty, side, id }, &[]);
        Ok(())
    }

    fn quote(
        &mut self,
        row: &Row<'_>,
        which: Which,
        (ts, recv): (Ts, Option<Ts>),
        out: &mut Out,
    ) -> Result<(), Problem> {
        let (bid_px, ask_px) =
            (self.px(row, which, "bid_px", out)?, self.px(row, which, "ask_px", out)?);
        let (bid_qty, ask_qty) =
            (self.qty(row, which, "bid_qty", out)?, self.qty(row, which, "ask_qty", out)?);
        let id = self.whole(row, "id")?;
        let head = out.head::<Quote>(which, ts, recv);
        out.push(which, Quote { head, bid_px, bid_qty, ask_px, ask_qty, id }, &[]);
        Ok(())
    }

    fn bar(
        &mut self,
        row: &Row<'_>,
        which: Which,
        (ts, recv): (Ts, Option<Ts>),
        out: &mut Out,
    ) -> Result<(), Problem> {
        let mut px = [Px::new(0); 4];
        for (name, px) in ["open", "high", "low", "close"].into_iter().zip(&mut px) {
            *px = self.required(name, self.px(row, which, name, out)?)?;
        }
        let [open, high, low, close] = px;
        // Bars of quotes have no volume: nothing was traded in them.
        let volume = self.qty(row, which, "volume", out)?.unwrap_or(Qty::ZERO);
        let buy_volume = self.qty(row, which, "buy_volume", out)?;
        let notional = match self.cell(row, "notional") {
            Some(text) => Some(out.money("notional", &text)?),
            None => None,
        };
        let trades = self.whole(row, "trades")?;
        let stamp = self.plan.bar.as_ref().map_or(Stamp::Open, |bar| bar.stamp);
        let (open_ts, ts) = match stamp {
            Stamp::Open => (Some(ts), ts.checked_add_nanos(self.step_ns)),
            Stamp::Close => (ts.checked_add_nanos(-self.step_ns), Some(ts)),
        };
        let (open_ts, ts) = open_ts
            .zip(ts)
            .ok_or_else(|| misread("time", "a time whose bar ends before 2262", b"later"))?;
        let head = out.head::<Bar>(which, ts, recv);
        let bar = Bar {
            buy_volume,
            notional,
            trades,
            ..Bar::timed(head, self.step_ns, open_ts, [open, high, low, close], volume)
        };
        out.push(which, bar, &[]);
        Ok(())
    }

    /// The text of a column; `None` for no column and for a word that stands for no value.
    fn text<'a>(&self, row: &Row<'a>, name: &str) -> Option<&'a [u8]> {
        let text = row.get(*self.at.get(name)?);
        let is_null = text.is_empty() || self.plan.null.iter().any(|null| null.as_bytes() == text);
        (!is_null).then_some(text)
    }

    /// The text of a number as everyone else writes it.
    fn cell(&self, row: &Row<'_>, name: &str) -> Option<Vec<u8>> {
        let mut number = Vec::new();
        for byte in self.text(row, name)? {
            let letter = char::from(*byte);
            if Some(letter) == self.plan.thousands {
                continue;
            }
            number.push(if letter == self.plan.decimal { b'.' } else { *byte });
        }
        Some(number)
    }

    fn px(
        &self,
        row: &Row<'_>,
        which: Which,
        name: &str,
        out: &mut Out,
    ) -> Result<Option<Px>, Problem> {
        self.cell(row, name).map(|text| out.px(which, name, &text)).transpose()
    }

    fn qty(
        &self,
        row: &Row<'_>,
        which: Which,
        name: &str,
        out: &mut Out,
    ) -> Result<Option<Qty>, Problem> {
        self.cell(row, name).map(|text| out.qty(which, name, &text)).transpose()
    }

    fn whole(&self, row: &Row<'_>, name: &str) -> Result<Option<u64>, Problem> {
        let Some(text) = self.cell(row, name) else { return Ok(None) };
        let number = rows::whole(&text).ok_or_else(|| misread(name, "a whole number", &text))?;
        Ok(Some(number.cast_unsigned()))
    }

    fn required<T>(&self, name: &str, value: Option<T>) -> Result<T, Problem> {
        value.ok_or_else(|| misread(name, "a number", b"nothing"))
    }

    fn side(&self, text: &[u8]) -> Result<Option<Side>, Problem> {
        let Some(sides) = &self.plan.side else { return Ok(None) };
        let is = |words: &[String]| words.iter().any(|word| word.as_bytes() == text);
        match (is(&sides.buy), is(&sides.sell)) {
            (true, _) => Ok(Some(Side::Buy)),
            (_, true) => Ok(Some(Side::Sell)),
            (false, false) => {
                let all: Vec<_> = sides.buy.iter().chain(&sides.sell).map(String::as_str).collect();
                let expected =
                    format!("one of the words in [side]: {}, or in `null`", all.join(", "));
                Err(misread("side", &expected, text))
            }
        }
    }
}

fn read_time(
    times: &mut Times,
    row: &Row<'_>,
    (at, and): (usize, Option<usize>),
    notes: &super::super::Notes,
) -> Result<Ts, Problem> {
    match and {
        None => times.read(row.get(at), notes),
        Some(and) => times.read(&[row.get(at), b" ", row.get(and)].concat(), notes),
    }
}

impl Decode for Mapped {
    fn separator(&self) -> u8 {
        self.plan.separator as u8
    }

    fn is_whole(&self, line: &[u8]) -> bool {
        line.starts_with(b"{")
    }

    fn known_as(&self, field: &str) -> Option<String> {
        Some(match self.plan.columns.get(field)? {
            Column::Name(name) => name.clone(),
            Column::Number(number) => format!("{field}, column {number}"),
        })
    }

    fn begin(&mut self, first: &Row<'_>, _: &mut Out) -> Result<Begin, Problem> {
        if first.line().starts_with(b"{") {
            self.members()?;
            return Ok(Begin::Row);
        }
        let has_names = self.plan.header.unwrap_or_else(|| {
            // A line of names has no field that begins like a number.
            let is_number = |field: &[u8]| field.first().is_some_and(u8::is_ascii_digit);
            !first.iter().any(is_number)
        });
        self.settle(has_names.then_some(first), first.len())?;
        Ok(if has_names { Begin::Names } else { Begin::Row })
    }

    fn row(&mut self, row: &Row<'_>, out: &mut Out) -> Result<(), Problem> {
        let Some(names) = &self.names else { return self.decode(row, out) };
        let mut fields = std::mem::take(&mut self.fields);
        let made = json::row(row.line(), names, &mut fields).and_then(|row| self.decode(&row, out));
        self.fields = fields;
        made
    }
}
