//! What a message of Binance says, numbers resolved: the meeting point of the quick and the general
//! road.

use qt_model::time::Ts;
use qt_model::units::{Px, Qty};
use qt_model::words::Side;
use rust_decimal::Decimal;

use crate::desk::{Print, Touch};
use crate::listing::Listed;
use crate::sequence::Update;

/// One statement. Levels of depth lie in the reader's own list.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Said {
    /// Changed levels.
    Update {
        listed: Listed,
        ts_event: Option<Ts>,
        update: Update,
    },
    /// The whole book, from REST.
    Snapshot {
        listed: Listed,
        ts_event: Option<Ts>,
        last: u64,
    },
    /// The best levels only, again and again.
    Picture {
        listed: Listed,
        ts_event: Option<Ts>,
        last: u64,
    },
    Print {
        listed: Listed,
        ts_event: Ts,
        stream: Prints,
        print: Print,
    },
    Quote {
        listed: Listed,
        ts_event: Option<Ts>,
        quote: Touch,
    },
    Mark {
        listed: Listed,
        ts_event: Ts,
        mark: MarkPrice,
    },
    /// A bar that is closed.
    Bar {
        listed: Listed,
        bar: ClosedBar,
    },
    /// Nothing that becomes a record; the reason is counted.
    Left(&'static str),
}

/// Which stream of prints one came from. They tell of the same trades, so one of them counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Prints {
    Single,
    Aggregate,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct MarkPrice {
    pub mark: Decimal,
    pub index: Option<Decimal>,
    pub funding: Option<(Decimal, Option<Ts>)>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct ClosedBar {
    pub open_ts: Ts,
    pub close_ts: Ts,
    pub prices: [Px; 4],
    pub volume: Qty,
    pub buy_volume: Option<Qty>,
    pub notional: Option<Decimal>,
    pub trades: Option<u64>,
}

/// A buyer who was maker means that a seller came.
pub(super) fn aggressor(buyer_is_maker: bool) -> Side {
    if buyer_is_maker { Side::Sell } else { Side::Buy }
}

/// Reasons to leave a message out.
pub(super) mod left {
    pub(in crate::binance) use crate::tally::left::{CONTROL, OTHER_EVENT};

    pub(in crate::binance) const NOT_MARKET: &str = "prints that are no market trades";
    pub(in crate::binance) const NO_SIZE: &str = "prints without price or size";
    pub(in crate::binance) const OPEN_BAR: &str = "bars that are still open";
    pub(in crate::binance) const LIQUIDATION: &str = "liquidation orders";
    pub(in crate::binance) const OTHER_MARKET: &str = "events of the other futures market";
    pub(in crate::binance) const EARLY_MARK: &str =
        "mark prices before anything else of an instrument";
}
