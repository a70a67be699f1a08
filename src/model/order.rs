//! Orders as the core and a venue exchange them: small, copyable, without text.
//!
//! The records `intent`, `order` and `fill` tell people and files the same in words; these types
//! are what an inner loop passes on. Absent on purpose: names given by venues, and accounts.

use std::fmt;

use rust_decimal::Decimal;

use crate::decimal::kept;
use crate::ids::InstrumentId;
use crate::time::Ts;
use crate::units::{Px, Qty};
use crate::words::{CancelReason, Liquidity, RejectReason, Side, TimeInForce};

/// Our number of an order, counted from one within a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OrderNo(pub u64);

/// A venue's number of an execution, counted from one within a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FillNo(pub u64);

/// What an order is executed at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pricing {
    Market,
    Limit {
        px: Px,
    },
    /// Becomes a market order once the market trades at the trigger or beyond it.
    Stop {
        trigger: Px,
    },
    StopLimit {
        trigger: Px,
        px: Px,
    },
    /// A stop whose trigger follows the best price at this distance and never moves back.
    TrailingStop {
        distance: Px,
    },
}

/// How an order hangs together with others of the same instrument.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Links {
    /// It rests outside the market until that order has been filled, for what was filled.
    pub parent: Option<OrderNo>,
    /// Orders of one group share what they may fill: what one fills or a cancel ends, ends for
    /// all. The number is the group's first order.
    pub group: Option<OrderNo>,
}

/// An order as it is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewOrder {
    pub instrument: InstrumentId,
    pub side: Side,
    pub qty: Qty,
    pub pricing: Pricing,
    pub time_in_force: TimeInForce,
    /// The last instant of a good-till-date order.
    pub good_till: Option<Ts>,
    /// Never opens or turns a position.
    pub reduce_only: bool,
    /// The part of an iceberg that shows.
    pub display: Option<Qty>,
    pub links: Links,
}

impl NewOrder {
    fn new(instrument: InstrumentId, side: Side, qty: Qty, pricing: Pricing) -> Self {
        Self {
            instrument,
            side,
            qty,
            pricing,
            time_in_force: TimeInForce::Gtc,
            good_till: None,
            reduce_only: false,
            display: None,
            links: Links::default(),
        }
    }

    pub fn market(instrument: InstrumentId, side: Side, qty: Qty) -> Self {
        Self {
            time_in_force: TimeInForce::Ioc,
            ..Self::new(instrument, side, qty, Pricing::Market)
        }
    }

    pub fn limit(instrument: InstrumentId, side: Side, qty: Qty, px: Px) -> Self {
        Self::new(instrument, side, qty, Pricing::Limit { px })
    }

    pub fn stop(instrument: InstrumentId, side: Side, qty: Qty, trigger: Px) -> Self {
        Self::new(instrument, side, qty, Pricing::Stop { trigger })
    }

    /// The limit price, where there is one.
    pub fn limit_px(&self) -> Option<Px> {
        match self.pricing {
            Pricing::Limit { px } | Pricing::StopLimit { px, .. } => Some(px),
            Pricing::Market | Pricing::Stop { .. } | Pricing::TrailingStop { .. } => None,
        }
    }
}

/// A change of an order that stands. What is absent stays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amendment {
    pub px: Option<Px>,
    /// The new whole size, with what is filled already.
    pub qty: Option<Qty>,
}

/// One execution of one order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Execution {
    pub fill: FillNo,
    pub px: Px,
    pub qty: Qty,
    pub liquidity: Liquidity,
    /// Positive: paid.
    pub fee: Cash,
}

/// What a venue says about one of our orders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Report {
    pub order: OrderNo,
    /// When it happened, by the venue's clock.
    pub ts_event: Ts,
    pub what: ReportKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReportKind {
    /// The venue has it: it rests, or waits for its trigger or its parent.
    Acknowledged,
    Rejected(RejectReason),
    Filled(Execution),
    /// A stop has been triggered.
    Triggered,
    Amended(Amendment),
    /// The order stands as it was.
    AmendRefused(RejectReason),
    /// The order stands as it was, or had already ended.
    CancelRefused(RejectReason),
    Cancelled(CancelReason),
    Expired,
    /// The venue never answered; the order may or may not exist there.
    Unknown,
}

/// Why cash moved without a fill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CashReason {
    Funding,
    Borrow,
    Dividend,
    Deposit,
    Withdrawal,
    /// A venue closed the position and kept a fee for it.
    Liquidation,
    /// A contract paid out at its end.
    Settlement,
}

/// Cash that moved without a fill. Positive: received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CashFlow {
    pub instrument: Option<InstrumentId>,
    pub ts_event: Ts,
    pub reason: CashReason,
    pub cash: Cash,
}

/// A position that a venue closed without an order of ours, wholly or in part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closure {
    pub instrument: InstrumentId,
    pub ts_event: Ts,
    /// The side of the execution: a long position is sold.
    pub side: Side,
    pub execution: Execution,
}

/// Money in one currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cash {
    pub amount: Decimal,
    pub currency: Currency,
}

impl Cash {
    /// An amount as records keep it: interest and fees are parts of something, and may have no end.
    pub fn new(amount: Decimal, currency: Currency) -> Self {
        Self { amount: kept(amount), currency }
    }
}

/// The name of a currency or coin, at most sixteen bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency([u8; 16]);

/// Why a text names no currency.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no currency: expected 1 to 16 letters or digits without spaces")]
pub struct CurrencyError(pub String);

impl Currency {
    pub fn new(text: &str) -> Result<Self, CurrencyError> {
        let bytes = text.as_bytes();
        let is_plain = bytes.iter().all(|byte| byte.is_ascii_graphic() && *byte != b'"');
        if bytes.is_empty() || bytes.len() > 16 || !is_plain {
            return Err(CurrencyError(text.chars().take(40).collect()));
        }
        let mut name = [0; 16];
        name[..bytes.len()].copy_from_slice(bytes);
        Ok(Self(name))
    }

    pub fn as_str(&self) -> &str {
        let end = self.0.iter().position(|byte| *byte == 0).unwrap_or(self.0.len());
        std::str::from_utf8(&self.0[..end]).expect("a currency is made of plain bytes")
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn currencies_are_short_plain_names() {
        assert_eq!(Currency::new("USDT").unwrap().as_str(), "USDT");
        assert_eq!(Currency::new("1000SATSABCDEFGH").unwrap().to_string(), "1000SATSABCDEFGH");
        for text in ["", "US D", "SEVENTEENLETTERSX", "€", "a\"b"] {
            assert!(Currency::new(text).is_err(), "{text}");
        }
    }
}
