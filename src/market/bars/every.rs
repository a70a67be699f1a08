//! What ends a bar, as a person writes it: `1m`, `100ticks`, `10volume`, `1e6notional`,
//! `500imbalance`, `500run`, and `imbalance` and `run` alone, which learn their measure.

use qt_model::decimal::parse_money;
use qt_model::time::duration_ns;
use qt_model::words::BarClock;
use rust_decimal::Decimal;

/// What ends a bar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Every {
    /// So many nanoseconds.
    Time(i64),
    /// So many prints.
    Ticks(u64),
    /// So much size.
    Volume(Decimal),
    /// So much money.
    Notional(Decimal),
    /// So much more bought than sold, or the other way round.
    Imbalance(Measure),
    /// So much on one side.
    Run(Measure),
}

/// How far imbalances and runs go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// So much size.
    Size(Decimal),
    /// As many prints as the bars before make one expect; this many at first.
    Learned(u64),
}

/// A text is no clock of bars.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}`: expected a length such as 1m, 100ticks, 10volume, 1e6notional, 500imbalance or 500run, or imbalance or run alone"
)]
pub struct EveryError(pub String);

/// How many prints a bar that learns expects at first.
pub const LEARNED_PRINTS: u64 = 1_000;

impl Every {
    pub fn parse(text: &str) -> Result<Self, EveryError> {
        let error = || EveryError(text.chars().take(60).collect());
        if let Some(length) = duration_ns(text) {
            return if length > 0 { Ok(Self::Time(length)) } else { Err(error()) };
        }
        // An exponent is a letter too, so the unit begins behind the last digit.
        let number = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let amount = || parse_money(number.as_bytes()).filter(|amount| *amount > Decimal::ZERO);
        let measure = || match number {
            "" => Some(Measure::Learned(LEARNED_PRINTS)),
            _ => amount().map(Measure::Size),
        };
        let every = match &text[number.len()..] {
            "tick" | "ticks" => number.parse().ok().filter(|ticks| *ticks > 0).map(Self::Ticks),
            "volume" => amount().map(Self::Volume),
            "notional" => amount().map(Self::Notional),
            "imbalance" => measure().map(Self::Imbalance),
            "run" => measure().map(Self::Run),
            _ => None,
        };
        every.ok_or_else(error)
    }

    pub const fn clock(self) -> BarClock {
        match self {
            Self::Time(_) => BarClock::Time,
            Self::Ticks(_) => BarClock::Tick,
            Self::Volume(_) => BarClock::Volume,
            Self::Notional(_) => BarClock::Notional,
            Self::Imbalance(_) => BarClock::Imbalance,
            Self::Run(_) => BarClock::Run,
        }
    }

    /// What a bar says of its own length.
    pub fn step(self) -> Decimal {
        match self {
            Self::Time(nanos) => Decimal::from(nanos),
            Self::Ticks(prints)
            | Self::Imbalance(Measure::Learned(prints))
            | Self::Run(Measure::Learned(prints)) => Decimal::from(prints),
            Self::Volume(amount)
            | Self::Notional(amount)
            | Self::Imbalance(Measure::Size(amount))
            | Self::Run(Measure::Size(amount)) => amount,
        }
    }

    /// Whether it counts sizes or directions, which only prints have.
    pub const fn needs_trades(self) -> bool {
        match self {
            Self::Time(_) | Self::Ticks(_) => false,
            Self::Volume(_) | Self::Notional(_) | Self::Imbalance(_) | Self::Run(_) => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_read_as_people_write_them() {
        let amount = |text: &str| text.parse::<Decimal>().unwrap();
        let check = |text, expected| assert_eq!(Every::parse(text), Ok(expected), "{text}");
        check("1m", Every::Time(60_000_000_000));
        check("250ms", Every::Time(250_000_000));
        check("100ticks", Every::Ticks(100));
        check("1tick", Every::Ticks(1));
        check("0.5volume", Every::Volume(amount("0.5")));
        check("1e6notional", Every::Notional(amount("1000000")));
        check("500imbalance", Every::Imbalance(Measure::Size(amount("500"))));
        check("imbalance", Every::Imbalance(Measure::Learned(1_000)));
        check("2.5run", Every::Run(Measure::Size(amount("2.5"))));
        check("run", Every::Run(Measure::Learned(1_000)));
    }

    #[test]
    fn what_is_no_length_is_refused() {
        for text in [
            "",
            "m",
            "0m",
            "-1m",
            "0ticks",
            "1.5ticks",
            "ticks",
            "volume",
            "-1volume",
            "0run",
            "1e99volume",
            "1 m",
            "1month",
            "5",
            "é",
        ] {
            assert_eq!(Every::parse(text), Err(EveryError(text.to_owned())), "{text}");
        }
    }
}
