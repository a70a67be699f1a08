//! What the market said.

use rust_decimal::Decimal;

use super::{Head, rows};
use crate::time::Ts;
use crate::units::{Px, Qty};
use crate::words::{
    BarClock, DepthAction, GapReason, InstrumentClass, MboAction, Payoff, Side, TradingStatus,
};

/// One price level of one side. A size of zero in a delta removes the level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level {
    pub px: Px,
    pub qty: Qty,
    pub side: Side,
}

rows! {
    /// Data known to be missing.
    #[derive(PartialEq)]
    Gap "gap" Optional {
        /// The last instant before the hole.
        from: Ts,
        /// The first instant after it.
        to: Ts,
        /// Why the data is missing.
        reason: GapReason,
        /// How many records are missing, where that is known.
        missing: Option<u64>,
    }

    /// The terms of an instrument, from here on.
    #[derive(PartialEq)]
    InstrumentRow "instrument" Required {
        /// Decimals of a price.
        px_scale: u64,
        /// Decimals of a size.
        qty_scale: u64,
        /// What it is.
        class: Option<InstrumentClass>,
        /// Which way its profit runs.
        payoff: Option<Payoff>,
        /// The smallest step of a price.
        tick: Option<Decimal>,
        /// The smallest step of a size.
        lot: Option<Decimal>,
        /// Units of the base per unit of size.
        multiplier: Option<Decimal>,
        /// The currency or thing that is bought.
        base: Option<String>,
        /// The currency that prices are in.
        quote: Option<String>,
        /// The currency that profit is paid in.
        settle: Option<String>,
        /// The root symbol of a family of contracts.
        root: Option<String>,
        /// The last trading instant.
        expiry: Option<Ts>,
    }

    /// Whether an instrument can be traded, from here on.
    #[derive(PartialEq)]
    Status "status" Required {
        /// The new status.
        status: TradingStatus,
        /// The venue's reason.
        reason: Option<String>,
    }

    /// A funding rate, as announced or as paid.
    #[derive(PartialEq)]
    Funding "funding" Required {
        /// The rate per interval; positive: longs pay shorts.
        rate: Decimal,
        /// When it is paid.
        due: Option<Ts>,
        /// The length of the interval.
        interval_ns: Option<u64>,
    }

    /// A mark price, at the venue's own precision.
    #[derive(PartialEq)]
    Mark "mark" Required {
        /// The price that margin is computed with.
        mark_px: Decimal,
        /// The price of the underlying index.
        index_px: Option<Decimal>,
    }

    /// A print: two orders met.
    #[derive(Copy, PartialEq, Eq)]
    Trade "trade" Required {
        /// The price of the print.
        px: Px,
        /// The size of the print.
        qty: Qty,
        /// The side of the aggressor.
        side: Option<Side>,
        /// The venue's number of the trade.
        id: Option<u64>,
    }

    /// One change of one order of the book.
    #[derive(Copy, PartialEq, Eq)]
    Mbo "mbo" Required {
        /// What happens.
        action: MboAction,
        /// The side of the resting order.
        side: Option<Side>,
        /// The price of the order.
        px: Option<Px>,
        /// The size: of the order after `add` and `modify`, else of the part that goes.
        qty: Option<Qty>,
        /// The venue's number of the order.
        order_id: u64,
        /// Whether more records of the same event follow.
        more: bool,
        /// Whether the record belongs to a snapshot.
        snapshot: bool,
    }

    /// Levels of the book: all of them (snapshot) or the changed ones (delta).
    #[derive(Copy, Eq)]
    Depth "depth" Required {
        /// Whether the levels replace the book or amend it.
        action: DepthAction,
        /// The venue's first update number in this record.
        first_id: Option<u64>,
        /// The venue's last update number in this record.
        last_id: Option<u64>,
        /// The venue's last update number in the record before.
        prev_id: Option<u64>,
    }

    /// Best bid and best ask. An absent price is an absent side.
    #[derive(Copy, PartialEq, Eq)]
    Quote "quote" Required {
        /// The best bid.
        bid_px: Option<Px>,
        /// The size at the best bid.
        bid_qty: Option<Qty>,
        /// The best ask.
        ask_px: Option<Px>,
        /// The size at the best ask.
        ask_qty: Option<Qty>,
        /// The venue's update number.
        id: Option<u64>,
    }

    /// Trades summed up; `ts_event` is the close.
    #[derive(PartialEq)]
    Bar "bar" Required {
        /// What ended the bar.
        clock: BarClock,
        /// How much of that clock a bar takes: nanoseconds, ticks, or units of size or money.
        step: Decimal,
        /// When it began.
        open_ts: Ts,
        /// The first price.
        open: Px,
        /// The highest price.
        high: Px,
        /// The lowest price.
        low: Px,
        /// The last price.
        close: Px,
        /// The size traded.
        volume: Qty,
        /// The part of the size that buyers took.
        buy_volume: Option<Qty>,
        /// The money traded.
        notional: Option<Decimal>,
        /// How many trades.
        trades: Option<u64>,
    }

    /// A record of a kind that this version does not know, kept as it came.
    #[derive(PartialEq, Eq)]
    Other "other" Optional {
        /// The kind it names.
        kind: String,
        /// The JSON text.
        json: String,
    }
}

impl Bar {
    /// A bar of a fixed length of time: open, high, low and close, and the size traded.
    pub fn timed(head: Head, step_ns: i64, open_ts: Ts, px: [Px; 4], volume: Qty) -> Self {
        let [open, high, low, close] = px;
        Self {
            head,
            clock: BarClock::Time,
            step: Decimal::from(step_ns),
            open_ts,
            open,
            high,
            low,
            close,
            volume,
            buy_volume: None,
            notional: None,
            trades: None,
        }
    }
}

impl Quote {
    pub fn is_one_sided(&self) -> bool {
        self.bid_px.is_some() != self.ask_px.is_some()
    }

    pub fn is_crossed(&self) -> bool {
        self.bid_px.zip(self.ask_px).is_some_and(|(bid, ask)| bid > ask)
    }
}
