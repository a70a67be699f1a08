//! How a simulated venue is set up: plain values with defaults, checked once.

use std::collections::BTreeMap;
use std::sync::Arc;

use qt_market::calendar::Calendar;
use qt_model::order::{Cash, Currency};
use rust_decimal::Decimal;

use super::ConfigError;
use super::fees::Fees;
use super::fills::FillModel;
use super::latency::LatencyConfig;

/// One venue.
#[derive(Clone, Debug, PartialEq)]
pub struct VenueConfig {
    pub fills: FillModel,
    pub fees: Fees,
    pub latency: LatencyConfig,
    pub account: AccountKind,
    /// What the account begins with.
    pub balances: Vec<Cash>,
    /// The currency of instruments that name none.
    pub currency: Currency,
    /// How far from the market a price may be, as a fraction of it; `None`: anywhere.
    pub price_band: Option<Decimal>,
    /// What a taker pays on top where no book says how much there is: quotes, trades, bars.
    pub slippage: Slippage,
    /// Where the displayed book ends: the price for the rest of a market order. `None`: the rest
    /// is cancelled.
    pub beyond_book: Option<Slippage>,
    /// Half the spread assumed where the data has trades alone.
    pub half_spread: Slippage,
    pub self_trade: SelfTrade,
    pub post_only: PostOnly,
    pub bars: BarRules,
    /// When it trades, where that is known: auctions are held as a session opens and closes.
    pub sessions: Arc<Calendar>,
}

impl Default for VenueConfig {
    fn default() -> Self {
        Self {
            fills: FillModel::default(),
            fees: Fees::default(),
            latency: LatencyConfig::default(),
            account: AccountKind::default(),
            balances: Vec::new(),
            currency: Currency::new("USD").expect("three plain letters"),
            price_band: None,
            slippage: Slippage::None,
            beyond_book: None,
            half_spread: Slippage::None,
            self_trade: SelfTrade::default(),
            post_only: PostOnly::default(),
            bars: BarRules::default(),
            sessions: Arc::default(),
        }
    }
}

impl VenueConfig {
    /// The first thing that makes no sense, if any.
    pub(super) fn check(&self, venue: &str) -> Result<(), ConfigError> {
        let tiers = &self.fees.tiers;
        let begins = tiers.first().is_none_or(|tier| tier.volume.is_zero());
        if !begins || !tiers.is_sorted_by(|a, b| a.volume < b.volume) {
            return Err(ConfigError::Tiers { venue: venue.into() });
        }
        let wrong = |what, found, expected| {
            Err(ConfigError::Value { venue: venue.into(), what, found, expected })
        };
        if let AccountKind::Margin(terms) = self.account {
            if terms.leverage <= Decimal::ZERO {
                return wrong("a leverage", terms.leverage, "more than zero");
            }
            let fractions = [terms.maintenance, terms.liquidation_fee, terms.borrow_per_year];
            if let Some(found) = fractions.into_iter().find(Decimal::is_sign_negative) {
                return wrong("a term of margin", found, "zero or more");
            }
        }
        let shares = [self.price_band, self.bars.volume_share];
        if let Some(found) = shares.into_iter().flatten().find(|share| *share <= Decimal::ZERO) {
            return wrong("a band or a share", found, "more than zero");
        }
        let slippages = [Some(self.slippage), self.beyond_book, Some(self.half_spread)];
        let kind = slippages.into_iter().flatten().find_map(Slippage::kind);
        kind.map_or(Ok(()), |found| wrong("a slippage", found, "zero or more"))
    }
}

/// What an account may do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AccountKind {
    /// The venue never asks for money: limits are left to the rules of the strategy.
    #[default]
    Unlimited,
    /// What is bought is paid, what is sold is held.
    Cash,
    /// Positions stand against margin.
    Margin(MarginTerms),
}

impl AccountKind {
    #[inline]
    pub fn is_unlimited(&self) -> bool {
        matches!(self, Self::Unlimited)
    }
}

/// The terms of a margin account. Fractions of what a position is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MarginTerms {
    /// So many times the equity can be held.
    pub leverage: Decimal,
    /// Below this part of the worth of positions, the venue closes them.
    pub maintenance: Decimal,
    /// What the venue keeps of a position that it closes.
    pub liquidation_fee: Decimal,
    /// A year's interest on what is borrowed: on cash below zero, and on what is sold short.
    pub borrow_per_year: Decimal,
}

impl Default for MarginTerms {
    fn default() -> Self {
        Self {
            leverage: Decimal::TEN,
            maintenance: Decimal::new(5, 3),
            liquidation_fee: Decimal::new(5, 3),
            borrow_per_year: Decimal::new(5, 2),
        }
    }
}

/// A distance from a price, always to the disadvantage of the order.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Slippage {
    #[default]
    None,
    Bps(Decimal),
    Ticks(u32),
    /// This part of the spread, on top of the touch.
    SpreadShare(Decimal),
    /// This fraction of the price for an order as large as the volume of the last bar, and
    /// proportionally less for smaller ones.
    VolumeShare(Decimal),
    /// The same, with the square root of the share.
    SquareRoot(Decimal),
}

impl Slippage {
    /// The number of one that would be to the advantage of orders.
    fn kind(self) -> Option<Decimal> {
        match self {
            Self::None | Self::Ticks(_) => None,
            Self::Bps(number)
            | Self::SpreadShare(number)
            | Self::VolumeShare(number)
            | Self::SquareRoot(number) => (number < Decimal::ZERO).then_some(number),
        }
    }
}

/// What happens when an order would meet one of ours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SelfTrade {
    /// The incoming order ends.
    #[default]
    CancelNewest,
    /// The resting order ends, and the incoming one goes on.
    CancelOldest,
    CancelBoth,
    /// They trade.
    Off,
}

/// What happens to a post-only order that would take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PostOnly {
    #[default]
    Reject,
    /// It is acknowledged and cancelled at once.
    Cancel,
}

/// How orders meet bars.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BarRules {
    /// At most this part of a bar's volume is ours.
    pub volume_share: Option<Decimal>,
    /// An order that arrives this late still counts as there when the bar opened.
    pub grace_ns: i64,
}

/// The venues of a run: a default, and those that differ from it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Venues {
    pub default: Arc<VenueConfig>,
    pub by_name: BTreeMap<Box<str>, Arc<VenueConfig>>,
}

impl From<VenueConfig> for Venues {
    fn from(config: VenueConfig) -> Self {
        Self { default: Arc::new(config), by_name: BTreeMap::new() }
    }
}

impl Venues {
    pub fn of(&self, venue: &str) -> &Arc<VenueConfig> {
        self.by_name.get(venue).unwrap_or(&self.default)
    }
}
