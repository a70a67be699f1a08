//! `1ms`, `place=1ms,cancel=2ms`, `feed=lognormal(median=1ms,sigma=0.4)`.

use std::fmt;
use std::str::FromStr;

use super::super::latency::{Delay, LatencyConfig, Operation, Steps, StepsError};
use super::{Nanos, TextError, call, nanos, pair, parts, plain_f64};

const OPERATIONS: &str = "feed, place, amend, cancel or response";
const DELAYS: &str = "a length of time, lognormal(median=1ms,sigma=0.4) or table(0.9:1ms,0.1:20ms)";

impl FromStr for LatencyConfig {
    type Err = TextError;

    /// A delay without an operation is that of orders and of answers; feeds carry their own.
    fn from_str(text: &str) -> Result<Self, TextError> {
        let mut config = Self::default();
        for part in parts(text) {
            let named = part.split_once('=').filter(|(key, _)| !key.contains('('));
            let Some((key, value)) = named else {
                let delay: Delay = part.parse()?;
                for operation in Operation::ALL {
                    if operation != Operation::Feed {
                        config.of_mut(operation).clone_from(&delay);
                    }
                }
                continue;
            };
            let operation = Operation::ALL.into_iter().find(|known| known.name() == key.trim());
            let operation =
                operation.ok_or_else(|| TextError::new(key, "operation", OPERATIONS))?;
            *config.of_mut(operation) = value.trim().parse()?;
        }
        Ok(config)
    }
}

impl FromStr for Delay {
    type Err = TextError;

    fn from_str(text: &str) -> Result<Self, TextError> {
        let unknown = || TextError::new(text, "delay", DELAYS);
        match call(text) {
            (_, None) => Ok(Self::Constant { ns: nanos(text)? }),
            ("lognormal", Some(inside)) => lognormal(inside).ok_or_else(unknown),
            ("table", Some(inside)) => {
                let steps = parts(inside).map(|step| {
                    let (probability, ns) = step.split_once(':')?;
                    Some((plain_f64(probability.trim())?, nanos(ns.trim()).ok()?))
                });
                let steps = steps.collect::<Option<Vec<_>>>().ok_or_else(unknown)?;
                let steps = Steps::new(steps);
                let wrong = |error: StepsError| TextError::because(text, "delay", error);
                Ok(Self::Table(steps.map_err(wrong)?))
            }
            (_, Some(_)) => Err(unknown()),
        }
    }
}

fn lognormal(inside: &str) -> Option<Delay> {
    let (mut median, mut sigma) = (None, None);
    for part in parts(inside) {
        match pair(part)? {
            ("median", value) => median = Some(nanos(value).ok()?),
            ("sigma", value) => sigma = plain_f64(value).filter(|sigma| *sigma >= 0.0),
            _ => return None,
        }
    }
    Some(Delay::LogNormal { median_ns: median?, sigma: sigma? })
}

impl fmt::Display for LatencyConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for operation in Operation::ALL {
            let delay = self.of(operation);
            if *delay != Delay::default() {
                write!(f, "{separator}{}={delay}", operation.name())?;
                separator = ",";
            }
        }
        if separator.is_empty() { f.write_str("0s") } else { Ok(()) }
    }
}

impl fmt::Display for Delay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Constant { ns } => write!(f, "{}", Nanos(*ns)),
            Self::LogNormal { median_ns, sigma } => {
                write!(f, "lognormal(median={},sigma={sigma})", Nanos(*median_ns))
            }
            Self::Table(steps) => {
                f.write_str("table(")?;
                for (at, (probability, ns)) in steps.iter().enumerate() {
                    let separator = if at == 0 { "" } else { "," };
                    write!(f, "{separator}{probability}:{}", Nanos(ns))?;
                }
                f.write_str(")")
            }
            // The one delay that does not parse again: its measurements lie in a file.
            Self::Recorded(seen) => {
                write!(f, "recorded({} measurements, {:016x})", seen.count(), seen.digest())
            }
        }
    }
}
