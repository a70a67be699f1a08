//! Tardis: CSV files of one kind, with two clocks in microseconds.
//!
//! Columns are found by name, since their order differs from kind to kind. `local_timestamp` is
//! the clock of the recorder and becomes `ts_recv`.

use qt_model::record::{Depth, Level, Quote, Trade};
use qt_model::time::Ts;
use qt_model::words::{DepthAction, Side};

use super::rows::{self, Begin, Clock, Decode, Out, Row};
use super::{About, Hints, ImportInput, Imported, Importer, Likeness, Look};
use crate::error::{Problem, ReadError};
use crate::read::Options;

#[derive(Debug)]
pub(super) struct Tardis;

static ABOUT: About = About {
    name: "tardis",
    what: "Tardis CSV: trades, quotes, incremental_book_L2, book_snapshot_*",
    example: "qt record import deribit_trades_2020-04-01_BTC-PERPETUAL.csv.gz",
};

/// What all of its files begin with.
const START: &[u8] = b"exchange,symbol,timestamp,local_timestamp";

impl Importer for Tardis {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn recognise(&self, look: &Look<'_>) -> Likeness {
        let first = look.first_line();
        let has = |name: &str| first.split(|byte| *byte == b',').any(|it| it == name.as_bytes());
        if first.starts_with(START) || has("exchange") && has("local_timestamp") {
            return Likeness::Certain;
        }
        Likeness::No
    }

    fn survey(
        &self,
        input: ImportInput,
        hints: &Hints,
        options: &Options,
    ) -> Result<Option<Ts>, ReadError> {
        rows::survey(Tables::default(), input, hints, options)
    }

    fn open(
        &self,
        input: ImportInput,
        hints: &Hints,
        options: &Options,
    ) -> Result<Imported, ReadError> {
        rows::open(Tables::default, input, hints, options)
    }
}

/// What a file holds, once its first line was read.
#[derive(Debug, Default)]
struct Tables {
    head: Columns,
    kind: Option<Of>,
    event: Clock,
    local: Clock,
    /// The rows of one message of an incremental book, which is one record.
    book: Vec<Level>,
    message: Option<Message>,
}

#[derive(Debug, Default)]
struct Columns {
    exchange: usize,
    symbol: usize,
    timestamp: usize,
    local_timestamp: usize,
}

#[derive(Debug)]
enum Of {
    Trades { id: Option<usize>, side: usize, price: usize, amount: usize },
    Quotes { bid_price: usize, bid_amount: usize, ask_price: usize, ask_amount: usize },
    Book { is_snapshot: usize, side: usize, price: usize, amount: usize },
    Snapshots { levels: Vec<(Side, usize, usize)> },
}

/// Rows with one receive time, symbol and action are one message of the venue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Message {
    which: rows::Which,
    ts_event: Ts,
    ts_recv: Ts,
    action: DepthAction,
}

impl Decode for Tables {
    fn begin(&mut self, first: &Row<'_>, _: &mut Out) -> Result<Begin, Problem> {
        let column = |name| first.find(name).ok_or_else(|| rows::missing(name, first.iter()));
        self.head = Columns {
            exchange: column("exchange")?,
            symbol: column("symbol")?,
            timestamp: column("timestamp")?,
            local_timestamp: column("local_timestamp")?,
        };
        self.kind =
            Some(if first.find("asks[0].price").or(first.find("bids[0].price")).is_some() {
                Of::Snapshots { levels: levels(first)? }
            } else if let Some(is_snapshot) = first.find("is_snapshot") {
                let (side, price, amount) = (column("side")?, column("price")?, column("amount")?);
                Of::Book { is_snapshot, side, price, amount }
            } else if let Some(bid_price) = first.find("bid_price") {
                Of::Quotes {
                    bid_price,
                    bid_amount: column("bid_amount")?,
                    ask_price: column("ask_price")?,
                    ask_amount: column("ask_amount")?,
                }
            } else {
                let (side, price, amount) = (column("side")?, column("price")?, column("amount")?);
                Of::Trades { id: first.find("id"), side, price, amount }
            });
        Ok(Begin::Names)
    }

    fn row(&mut self, row: &Row<'_>, out: &mut Out) -> Result<(), Problem> {
        let (exchange, symbol) = (row.text(self.head.exchange), row.text(self.head.symbol));
        let which = out.instrument(&exchange, &symbol)?;
        let notes = out.notes.clone();
        let ts_event = self.event.epoch("timestamp", row.get(self.head.timestamp), &notes)?;
        let local = row.get(self.head.local_timestamp);
        let ts_recv = self.local.epoch("local_timestamp", local, &notes)?;
        match self.kind.as_ref().expect("the first line was read") {
            Of::Trades { id, side, price, amount } => {
                let px = out.px(which, "price", row.get(*price))?;
                let qty = out.qty(which, "amount", row.get(*amount))?;
                let side = rows::side("side", row.get(*side))?;
                // Most venues number their trades; those that name them have no number.
                let id = id.and_then(|id| rows::whole(row.get(id))).map(i64::cast_unsigned);
                let head = out.head::<Trade>(which, ts_event, Some(ts_recv));
                out.push(which, Trade { head, px, qty, side, id }, &[]);
            }
            Of::Quotes { bid_price, bid_amount, ask_price, ask_amount } => {
                let side = |out: &mut Out, word: &str, px, qty| {
                    let level = price_and_size(row, which, px, qty, out);
                    level.map_err(|problem| of_side(problem, &format!("{word}_")))
                };
                let bid = side(out, "bid", *bid_price, *bid_amount)?;
                let ask = side(out, "ask", *ask_price, *ask_amount)?;
                let head = out.head::<Quote>(which, ts_event, Some(ts_recv));
                let (bid_px, bid_qty) = bid.unzip();
                let (ask_px, ask_qty) = ask.unzip();
                let quote = Quote { head, bid_px, bid_qty, ask_px, ask_qty, id: None };
                out.push(which, quote, &[]);
            }
            Of::Book { is_snapshot, side, price, amount } => {
                let snapshots = [("true", DepthAction::Snapshot), ("false", DepthAction::Delta)];
                let action = rows::word("is_snapshot", row.get(*is_snapshot), &snapshots)?;
                let sides = [("bid", Side::Buy), ("ask", Side::Sell)];
                let side = rows::word("side", row.get(*side), &sides)?;
                let px = out.px(which, "price", row.get(*price))?;
                let qty = out.qty(which, "amount", row.get(*amount))?;
                let message = Message { which, ts_event, ts_recv, action };
                if self.message != Some(message) {
                    self.flush(out);
                    self.message = Some(message);
                }
                self.book.push(Level { px, qty, side });
            }
            Of::Snapshots { levels } => {
                self.book.clear();
                for (at, (side, px, qty)) in levels.iter().enumerate() {
                    let level = price_and_size(row, which, *px, *qty, out).map_err(|problem| {
                        // Bids stand first, and both sides begin with their best.
                        let bids = levels.iter().filter(|level| level.0 == Side::Buy).count();
                        let (word, depth) = match side {
                            Side::Buy => ("bids", at),
                            Side::Sell => ("asks", at - bids),
                        };
                        of_side(problem, &format!("{word}[{depth}]."))
                    });
                    if let Some((px, qty)) = level? {
                        self.book.push(Level { px, qty, side: *side });
                    }
                }
                self.message =
                    Some(Message { which, ts_event, ts_recv, action: DepthAction::Snapshot });
                self.flush(out);
            }
        }
        Ok(())
    }

    fn end(&mut self, out: &mut Out) -> Result<(), Problem> {
        self.flush(out);
        Ok(())
    }
}

impl Tables {
    fn flush(&mut self, out: &mut Out) {
        let Some(Message { which, ts_event, ts_recv, action }) = self.message.take() else {
            return;
        };
        let head = out.head::<Depth>(which, ts_event, Some(ts_recv));
        let depth = Depth { head, action, first_id: None, last_id: None, prev_id: None };
        out.push(which, depth, &self.book);
        self.book.clear();
    }
}

/// A level, or nothing where the venue had none.
fn price_and_size(
    row: &Row<'_>,
    which: rows::Which,
    px: usize,
    qty: usize,
    out: &mut Out,
) -> Result<Option<(qt_model::units::Px, qt_model::units::Qty)>, Problem> {
    if row.get(px).is_empty() {
        return Ok(None);
    }
    Ok(Some((out.px(which, "price", row.get(px))?, out.qty(which, "amount", row.get(qty))?)))
}

/// A problem with a price or an amount, which the file has for several sides or levels.
#[cold]
fn of_side(problem: Problem, prefix: &str) -> Problem {
    let field = match &problem {
        Problem::Number { field, .. } | Problem::Field { field, .. } => format!("{prefix}{field}"),
        _ => return problem,
    };
    problem.of_field(|| field)
}

/// The columns `asks[0].price`, `asks[0].amount` and so on, as far as they go.
fn levels(first: &Row<'_>) -> Result<Vec<(Side, usize, usize)>, Problem> {
    let mut levels = Vec::new();
    for (side, word) in [(Side::Buy, "bids"), (Side::Sell, "asks")] {
        for level in 0.. {
            let Some(px) = first.find(&format!("{word}[{level}].price")) else { break };
            let amount = format!("{word}[{level}].amount");
            let qty = first.find(&amount).ok_or_else(|| rows::missing(&amount, first.iter()))?;
            levels.push((side, px, qty));
        }
    }
    Ok(levels)
}
