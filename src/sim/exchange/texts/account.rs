//! `unlimited`, `cash`, `margin(leverage=10,maintenance=0.5%)`.

use std::fmt;
use std::str::FromStr;

use rust_decimal::Decimal;

use super::super::config::{AccountKind, MarginTerms};
use super::{Bps, TextError, call, number, pair, parts, rate};

impl FromStr for AccountKind {
    type Err = TextError;

    fn from_str(text: &str) -> Result<Self, TextError> {
        match call(text) {
            ("unlimited", None) => Ok(Self::Unlimited),
            ("cash", None) => Ok(Self::Cash),
            ("margin", inside) => Ok(Self::Margin(terms(inside.unwrap_or(""))?)),
            _ => Err(TextError::new(text, "account", "unlimited, cash or margin(...)")),
        }
    }
}

fn terms(inside: &str) -> Result<MarginTerms, TextError> {
    let mut terms = MarginTerms::default();
    for part in parts(inside).filter(|part| !part.is_empty()) {
        let expected = "leverage=, maintenance=, liquidation-fee= or borrow=";
        let unknown = || TextError::new(part, "term of margin", expected);
        let (key, value) = pair(part).ok_or_else(unknown)?;
        match key {
            "leverage" => {
                let leverage = number(value).filter(|leverage| *leverage > Decimal::ZERO);
                let wrong = || TextError::new(part, "term of margin", "a leverage above zero");
                terms.leverage = leverage.ok_or_else(wrong)?;
            }
            "maintenance" => terms.maintenance = rate(value)?,
            "liquidation-fee" => terms.liquidation_fee = rate(value)?,
            "borrow" => terms.borrow_per_year = rate(value)?,
            _ => return Err(unknown()),
        }
    }
    Ok(terms)
}

impl fmt::Display for AccountKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unlimited => f.write_str("unlimited"),
            Self::Cash => f.write_str("cash"),
            Self::Margin(terms) => {
                let MarginTerms { leverage, maintenance, liquidation_fee, borrow_per_year } = terms;
                write!(
                    f,
                    "margin(leverage={leverage},maintenance={},liquidation-fee={},borrow={})",
                    Bps(*maintenance),
                    Bps(*liquidation_fee),
                    Bps(*borrow_per_year),
                )
            }
        }
    }
}
