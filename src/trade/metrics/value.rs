//! A figure, or the reason why there is none.
//!
//! Invariant: a figure is finite. What is undefined says so in a word; no NaN, infinity, zero or
//! sentinel stands in for it.

use std::fmt;

use rust_decimal::Decimal;

use crate::ledger::Money;

macro_rules! reasons {
    ($(#[doc = $doc:literal] $variant:ident = $word:literal,)*) => {
        /// Why a figure is absent.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Absent { $(#[doc = $doc] $variant,)* }

        impl Absent {
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            pub const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),* }
            }

            /// The word in words.
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $doc.trim()),* }
            }
        }
    };
}

reasons! {
    /// There is not one sample.
    None = "n<1",
    /// Two samples are needed.
    LessThanTwo = "n<2",
    /// Four samples are needed.
    LessThanFour = "n<4",
    /// All samples are equal.
    ZeroVariance = "zero_variance",
    /// Nothing lies below the target.
    NoLosses = "no_losses",
    /// Nothing was won.
    NoWins = "no_wins",
    /// No trade won or lost.
    NoneDecided = "none_decided",
    /// Equity never fell below its peak.
    NoDrawdown = "no_drawdown",
    /// The run has no length.
    ZeroElapsed = "zero_elapsed",
    /// Equity came to zero or below: returns on it mean nothing.
    EquityNonpositive = "equity_nonpositive",
    /// A period lost everything.
    Ruin = "ruin",
    /// The other side of a ratio is zero.
    ZeroDenominator = "zero_denominator",
    /// The root of a negative number would be taken.
    NegativeRadicand = "negative_radicand",
    /// The ratio does not exceed the benchmark.
    BelowBenchmark = "below_benchmark",
    /// No benchmark was given.
    NoBenchmark = "no_benchmark",
    /// No trade was closed.
    NoTrades = "no_trades",
    /// No fill.
    NoFills = "no_fills",
    /// No order.
    NoOrders = "no_orders",
    /// No fill has a horizon before the end of the data.
    HorizonPastEnd = "horizon_past_end",
    /// Nothing said what it takes: a mid, a place in a queue.
    Unknown = "unknown",
    /// It was not asked for.
    NotAsked = "not_asked",
    /// The number does not fit.
    OutOfRange = "out_of_range",
}

impl fmt::Display for Absent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// A figure that may be undefined.
pub type Figure = Result<f64, Absent>;

/// The value of a metric.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value {
    Number(f64),
    Count(u64),
    /// A sum of money, exact.
    Money(Money),
    Absent(Absent),
}

impl Value {
    pub fn to_f64(self) -> Option<f64> {
        match self {
            Self::Number(value) => Some(value),
            Self::Count(count) => Some(count as f64),
            Self::Money(money) => Some(money.to_f64()),
            Self::Absent(_) => None,
        }
    }

    /// A count, or the amount of a sum of money where 28 digits hold it.
    pub fn exact(self) -> Option<Decimal> {
        match self {
            Self::Money(money) => money.to_decimal(),
            Self::Count(count) => Some(Decimal::from(count)),
            Self::Number(_) | Self::Absent(_) => None,
        }
    }

    pub fn reason(self) -> Option<Absent> {
        match self {
            Self::Absent(reason) => Some(reason),
            Self::Number(_) | Self::Count(_) | Self::Money(_) => None,
        }
    }
}

impl From<Figure> for Value {
    fn from(figure: Figure) -> Self {
        match figure {
            Ok(value) if value.is_finite() => Self::Number(value),
            Ok(_) => Self::Absent(Absent::OutOfRange),
            Err(reason) => Self::Absent(reason),
        }
    }
}

impl From<u64> for Value {
    fn from(count: u64) -> Self {
        Self::Count(count)
    }
}

impl From<Money> for Value {
    fn from(money: Money) -> Self {
        Self::Money(money)
    }
}

/// `a / b`, or the reason given where `b` is zero.
pub(super) fn ratio(a: f64, b: f64, otherwise: Absent) -> Figure {
    if b == 0.0 { Err(otherwise) } else { Ok(a / b) }
}
