//! `maker=-0.5bps,taker=7bps`; further tiers after semicolons: `1000000:maker=0bps,taker=5bps`.

use std::fmt;
use std::str::FromStr;

use rust_decimal::Decimal;

use super::super::fees::{Fees, PaidIn, Tier, Window};
use super::{Bps, TextError, number, pair, parts, rate};

const EXPECTED: &str =
    "maker=, taker=, per-contract=, minimum=, paid-in=settle|received or window=run|30d";

impl FromStr for Fees {
    type Err = TextError;

    fn from_str(text: &str) -> Result<Self, TextError> {
        let mut fees = Self::flat(Decimal::ZERO, Decimal::ZERO);
        fees.tiers.clear();
        for (at, segment) in text.split(';').enumerate() {
            let (volume, rates) = match segment.split_once(':') {
                Some((volume, rates)) if at > 0 => (number(volume.trim()), rates),
                Some(_) | None => ((at == 0).then_some(Decimal::ZERO), segment),
            };
            let expected = "a volume and its rates, such as 1000000:maker=0bps,taker=5bps";
            let volume = volume.ok_or_else(|| TextError::new(segment, "tier", expected))?;
            let (mut maker, mut taker) = (None, None);
            for part in parts(rates) {
                match pair(part) {
                    Some(("maker", value)) => maker = Some(rate(value)?),
                    Some(("taker", value)) => taker = Some(rate(value)?),
                    Some((key, value)) if at == 0 => fees.set(part, key, value)?,
                    Some(_) | None => return Err(TextError::new(part, "fee", EXPECTED)),
                }
            }
            let (Some(maker), Some(taker)) = (maker, taker) else {
                return Err(TextError::new(segment, "schedule of fees", "maker= and taker="));
            };
            fees.tiers.push(Tier { volume, maker, taker });
        }
        Ok(fees)
    }
}

impl Fees {
    fn set(&mut self, part: &str, key: &str, value: &str) -> Result<(), TextError> {
        let unknown = || TextError::new(part, "fee", EXPECTED);
        match (key, value) {
            ("per-contract", value) => self.per_contract = number(value).ok_or_else(unknown)?,
            ("minimum", value) => self.minimum = number(value).ok_or_else(unknown)?,
            ("paid-in", "settle") => self.paid_in = PaidIn::Settle,
            ("paid-in", "received") => self.paid_in = PaidIn::Received,
            ("window", "run") => self.window = Window::Run,
            ("window", "30d") => self.window = Window::ThirtyDays,
            _ => return Err(unknown()),
        }
        Ok(())
    }
}

impl fmt::Display for Fees {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, tier) in self.tiers.iter().enumerate() {
            if at > 0 {
                write!(f, ";{}:", tier.volume)?;
            }
            write!(f, "maker={},taker={}", Bps(tier.maker), Bps(tier.taker))?;
            if at > 0 {
                continue;
            }
            if !self.per_contract.is_zero() {
                write!(f, ",per-contract={}", self.per_contract)?;
            }
            if !self.minimum.is_zero() {
                write!(f, ",minimum={}", self.minimum)?;
            }
            match self.paid_in {
                PaidIn::Settle => {}
                PaidIn::Received => f.write_str(",paid-in=received")?,
            }
            match self.window {
                Window::Run => {}
                Window::ThirtyDays => f.write_str(",window=30d")?,
            }
        }
        Ok(())
    }
}
