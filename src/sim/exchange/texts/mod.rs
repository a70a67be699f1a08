//! Settings of a venue as short texts, for flags and files, and back.
//!
//! Invariant: what is displayed parses to what was displayed. An error names the part that is wrong
//! and lists what is expected in its place.

mod account;
mod fees;
mod fills;
mod latency;
mod slippage;

use std::fmt;

use qt_model::decimal::parse_money;
use rust_decimal::Decimal;

/// Why a text is no setting.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{found}` is no {what}: {why}")]
pub struct TextError {
    found: String,
    what: &'static str,
    why: String,
}

impl TextError {
    fn new(found: &str, what: &'static str, expected: &str) -> Self {
        Self::because(found, what, format_args!("expected {expected}"))
    }

    fn because(found: &str, what: &'static str, why: impl fmt::Display) -> Self {
        Self { found: found.chars().take(80).collect(), what, why: why.to_string() }
    }
}

/// The parts between commas, those inside brackets left whole.
fn parts(text: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0_i32;
    text.split(move |c: char| {
        depth += i32::from(c == '(') - i32::from(c == ')');
        c == ',' && depth == 0
    })
    .map(str::trim)
}

/// `key=value`.
fn pair(part: &str) -> Option<(&str, &str)> {
    let (key, value) = part.split_once('=')?;
    Some((key.trim(), value.trim()))
}

/// `name(inside)`, or a name alone.
fn call(text: &str) -> (&str, Option<&str>) {
    let inside =
        text.split_once('(').and_then(|(name, rest)| Some((name, rest.strip_suffix(')')?)));
    match inside {
        Some((name, inside)) => (name.trim(), Some(inside)),
        None => (text.trim(), None),
    }
}

fn number(text: &str) -> Option<Decimal> {
    parse_money(text.as_bytes())
}

/// A finite number of a model, which is no price, size or sum of money.
fn plain_f64(text: &str) -> Option<f64> {
    text.parse::<f64>().ok().filter(|number| number.is_finite())
}

const RATE: &str = "a rate such as 7bps, 0.07% or 0.0007";

/// A fraction: basis points, percent, or as it is.
fn rate(text: &str) -> Result<Decimal, TextError> {
    let scaled = if let Some(bps) = text.strip_suffix("bps") {
        number(bps).and_then(|bps| bps.checked_div(Decimal::from(10_000)))
    } else if let Some(percent) = text.strip_suffix('%') {
        number(percent).and_then(|percent| percent.checked_div(Decimal::ONE_HUNDRED))
    } else {
        number(text)
    };
    scaled.map(|rate| rate.normalize()).ok_or_else(|| TextError::new(text, "rate", RATE))
}

/// A fraction in basis points.
struct Bps(Decimal);

impl fmt::Display for Bps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}bps", (self.0 * Decimal::from(10_000)).normalize())
    }
}

const UNITS: [(&str, i64); 4] = [("ns", 1), ("us", 1_000), ("ms", 1_000_000), ("s", 1_000_000_000)];

/// A length of time in whole nanoseconds, such as `250us` or `1.5ms`.
fn nanos(text: &str) -> Result<i64, TextError> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = UNITS.iter().find(|(name, _)| *name == &text[digits.len()..]);
    let ns = unit.and_then(|(_, ns)| number(digits)?.checked_mul(Decimal::from(*ns)));
    let whole = ns.map(|ns| ns.normalize()).filter(|ns| ns.scale() == 0 && *ns >= Decimal::ZERO);
    let whole = whole.and_then(|ns| i64::try_from(ns.mantissa()).ok());
    whole.ok_or_else(|| TextError::new(text, "length of time", "one such as 250us, 1.5ms or 2s"))
}

/// A length of time in the largest unit that leaves it whole.
struct Nanos(i64);

impl fmt::Display for Nanos {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fits = |(_, ns): &&(&str, i64)| self.0 % ns == 0;
        let (name, ns) = UNITS.iter().rev().find(fits).expect("one divides everything");
        write!(f, "{}{name}", self.0 / ns)
    }
}

#[cfg(test)]
mod tests {
    use std::str::FromStr;

    use super::super::*;
    use super::TextError;

    /// Reads a text, and what it displays again.
    fn check<T>(text: &str, shown: &str)
    where
        T: FromStr<Err = TextError> + std::fmt::Display + PartialEq + std::fmt::Debug,
    {
        let value: T = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(value.to_string(), shown, "{text}");
        assert_eq!(shown.parse::<T>().as_ref(), Ok(&value), "{shown}");
    }

    fn refuse<T: FromStr<Err = TextError> + std::fmt::Debug>(text: &str, expected: &str) {
        assert_eq!(text.parse::<T>().unwrap_err().to_string(), expected);
    }

    #[test]
    fn fill_models() {
        check::<FillModel>("pessimistic", "pessimistic");
        check::<FillModel>("calibrated,queue=power3", "calibrated");
        check::<FillModel>("queue=power3(2.5)", "calibrated,queue=power3(2.5)");
        check::<FillModel>("pessimistic, partial=off", "pessimistic,partial=off");
        check::<FillModel>("optimistic,queue=risk-averse", "optimistic,queue=risk-averse");
        check::<FillModel>("queue=exact,cross=through", "pessimistic,queue=exact");
        for word in ["power(2)", "power2(2)", "log", "log2", "sqrt", "front"] {
            let model: FillModel = format!("queue={word}").parse().unwrap();
            assert_eq!(model.to_string().parse(), Ok(model), "{word}");
        }
        refuse::<FillModel>(
            "realistic",
            "`realistic` is no fill model: expected pessimistic, calibrated or optimistic, or \
             queue=, cross=, partial=, at-limit=",
        );
        refuse::<FillModel>(
            "queue=fifo",
            "`fifo` is no queue model: expected front, risk-averse, exact, log, log2, sqrt, \
             power(N), power2(N) or power3(N)",
        );
        refuse::<FillModel>("partial=maybe", "`maybe` is no switch: expected on or off");
        refuse::<FillModel>(
            "queue=power3(-1)",
            "`power3(-1)` is no queue model: expected an exponent above zero and up to 16",
        );
    }

    #[test]
    fn latencies() {
        check::<LatencyConfig>("1ms", "place=1ms,amend=1ms,cancel=1ms,response=1ms");
        check::<LatencyConfig>("place=1ms,cancel=0.5ms", "place=1ms,cancel=500us");
        check::<LatencyConfig>(
            "feed=lognormal(median=1ms,sigma=0.4),response=table(0.9:1ms,0.1:20ms)",
            "feed=lognormal(median=1ms,sigma=0.4),response=table(0.9:1ms,0.1:20ms)",
        );
        check::<LatencyConfig>("0s", "0s");
        refuse::<LatencyConfig>(
            "send=1ms",
            "`send` is no operation: expected feed, place, amend, cancel or response",
        );
        refuse::<LatencyConfig>(
            "place=1",
            "`1` is no length of time: expected one such as 250us, 1.5ms or 2s",
        );
        refuse::<LatencyConfig>(
            "place=gamma(2)",
            "`gamma(2)` is no delay: expected a length of time, lognormal(median=1ms,sigma=0.4) \
             or table(0.9:1ms,0.1:20ms)",
        );
        refuse::<LatencyConfig>(
            "place=table(0.5:1ms)",
            "`table(0.5:1ms)` is no delay: the probabilities add up to 0.5: expected 1",
        );
    }

    #[test]
    fn fees() {
        check::<Fees>("maker=-0.5bps,taker=7bps", "maker=-0.5bps,taker=7bps");
        check::<Fees>("maker=0.02%,taker=0.0005", "maker=2bps,taker=5bps");
        check::<Fees>(
            "maker=1bps,taker=2bps,per-contract=1.25,minimum=1,paid-in=received,window=30d;\
             1000000:maker=0bps,taker=1bps",
            "maker=1bps,taker=2bps,per-contract=1.25,minimum=1,paid-in=received,window=30d;\
             1000000:maker=0bps,taker=1bps",
        );
        refuse::<Fees>(
            "taker=7bps",
            "`taker=7bps` is no schedule of fees: expected maker= and taker=",
        );
        refuse::<Fees>(
            "maker=x,taker=1bps",
            "`x` is no rate: expected a rate such as 7bps, 0.07% or 0.0007",
        );
        refuse::<Fees>(
            "maker=0,taker=0,tip=1",
            "`tip=1` is no fee: expected maker=, taker=, per-contract=, minimum=, \
             paid-in=settle|received or window=run|30d",
        );
    }

    #[test]
    fn slippages_and_accounts() {
        for text in ["none", "2bps", "3ticks", "spread=0.5", "volume=0.1", "sqrt=0.02"] {
            check::<Slippage>(text, text);
        }
        refuse::<Slippage>(
            "some",
            "`some` is no slippage: expected none, 2bps, 3ticks, spread=0.5, volume=0.1 or sqrt=0.1",
        );
        check::<AccountKind>("unlimited", "unlimited");
        check::<AccountKind>("cash", "cash");
        check::<AccountKind>(
            "margin",
            "margin(leverage=10,maintenance=50bps,liquidation-fee=50bps,borrow=500bps)",
        );
        check::<AccountKind>(
            "margin(leverage=3,borrow=8%)",
            "margin(leverage=3,maintenance=50bps,liquidation-fee=50bps,borrow=800bps)",
        );
        refuse::<AccountKind>(
            "free",
            "`free` is no account: expected unlimited, cash or margin(...)",
        );
        refuse::<AccountKind>(
            "margin(leverage=0)",
            "`leverage=0` is no term of margin: expected a leverage above zero",
        );
    }
}
