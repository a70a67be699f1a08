//! `none`, `2bps`, `3ticks`, `spread=0.5`, `volume=0.1`, `sqrt=0.1`.

use std::fmt;
use std::str::FromStr;

use super::super::config::Slippage;
use super::{TextError, number, pair};

impl FromStr for Slippage {
    type Err = TextError;

    fn from_str(text: &str) -> Result<Self, TextError> {
        let text = text.trim();
        let positive = |text: &str| number(text).filter(|number| !number.is_sign_negative());
        let found = match pair(text) {
            Some(("spread", value)) => positive(value).map(Self::SpreadShare),
            Some(("volume", value)) => positive(value).map(Self::VolumeShare),
            Some(("sqrt", value)) => positive(value).map(Self::SquareRoot),
            Some(_) => None,
            None if text == "none" => Some(Self::None),
            None => match (text.strip_suffix("bps"), text.strip_suffix("ticks")) {
                (Some(bps), _) => positive(bps).map(Self::Bps),
                (None, Some(ticks)) => ticks.trim().parse().ok().map(Self::Ticks),
                (None, None) => None,
            },
        };
        let expected = "none, 2bps, 3ticks, spread=0.5, volume=0.1 or sqrt=0.1";
        found.ok_or_else(|| TextError::new(text, "slippage", expected))
    }
}

impl fmt::Display for Slippage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            Self::Bps(bps) => write!(f, "{bps}bps"),
            Self::Ticks(ticks) => write!(f, "{ticks}ticks"),
            Self::SpreadShare(share) => write!(f, "spread={share}"),
            Self::VolumeShare(share) => write!(f, "volume={share}"),
            Self::SquareRoot(share) => write!(f, "sqrt={share}"),
        }
    }
}
