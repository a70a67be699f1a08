//! The three markets of Binance that share one protocol, and how they differ.

use qt_model::instrument::Terms;
use qt_model::time::Date;
use qt_model::words::{InstrumentClass, Payoff};

use crate::listing::{Style, Styles};
use crate::sequence::Rule;

/// A market of Binance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Market {
    Spot,
    /// Futures margined in dollars.
    UsdM,
    /// Futures margined in the coin.
    CoinM,
}

impl Market {
    pub const ALL: [Self; 3] = [Self::Spot, Self::UsdM, Self::CoinM];

    /// The venue in the names of its instruments.
    pub const fn venue(self) -> &'static str {
        match self {
            Self::Spot => "binance",
            Self::UsdM => "binance-usdm",
            Self::CoinM => "binance-coinm",
        }
    }

    pub fn of_venue(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|market| market.venue() == name)
    }

    pub(super) const fn rule(self) -> Rule {
        match self {
            Self::Spot => Rule::Spot,
            Self::UsdM | Self::CoinM => Rule::Futures,
        }
    }

    /// Every number comes with all decimals that its instrument has, on spot always eight.
    pub(super) const fn styles(self) -> Styles {
        match self {
            Self::Spot => Styles { px: Style::Filled, qty: Style::Filled },
            Self::UsdM => Styles { px: Style::Padded, qty: Style::Padded },
            Self::CoinM => Styles { px: Style::Padded, qty: Style::Whole },
        }
    }

    /// What the name of an instrument says of it, where nothing else does.
    pub(super) fn terms(self, name: &str) -> Terms {
        let (root, ending) = match name.split_once('_') {
            Some((root, ending)) => (Some(root), Some(ending)),
            None => (None, None),
        };
        let expiry = ending.and_then(expiry_day).map(Date::start);
        let class = match (self, expiry) {
            (Self::Spot, _) => InstrumentClass::Spot,
            (_, Some(_)) => InstrumentClass::Future,
            (_, None) => InstrumentClass::Perpetual,
        };
        let payoff = match self {
            Self::Spot => None,
            Self::UsdM => Some(Payoff::Linear),
            Self::CoinM => Some(Payoff::Inverse),
        };
        let root = root.filter(|_| self != Self::Spot).map(Into::into);
        // The hour of expiry is not in the name, so no expiry is claimed.
        Terms { class: Some(class), payoff, root, ..Terms::default() }
    }
}

/// `240628` as a day.
fn expiry_day(ending: &str) -> Option<Date> {
    let is_day = ending.len() == 6 && ending.bytes().all(|byte| byte.is_ascii_digit());
    let number = |from: usize| ending.get(from..from + 2)?.parse::<u32>().ok();
    if !is_day {
        return None;
    }
    let year = i32::try_from(2000 + number(0)?).ok()?;
    Date::new(year, number(2)?, number(4)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_what_an_instrument_is() {
        let class = |market: Market, name| market.terms(name).class;
        assert_eq!(class(Market::Spot, "BTCUSDT"), Some(InstrumentClass::Spot));
        assert_eq!(class(Market::UsdM, "BTCUSDT"), Some(InstrumentClass::Perpetual));
        assert_eq!(class(Market::UsdM, "BTCUSDT_240628"), Some(InstrumentClass::Future));
        let terms = Market::CoinM.terms("ETHUSD_PERP");
        assert_eq!(terms.class, Some(InstrumentClass::Perpetual));
        assert_eq!((terms.payoff, terms.root.as_deref()), (Some(Payoff::Inverse), Some("ETHUSD")));
    }

    #[test]
    fn venues_name_markets() {
        for market in Market::ALL {
            assert_eq!(Market::of_venue(market.venue()), Some(market));
        }
        assert_eq!(Market::of_venue("binance-options"), None);
    }
}
