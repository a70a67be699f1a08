//! Delays as flags and files write them, and delays that were measured, from a file.
//!
//! What a text can say is said by `qt_sim`; a recording lies beside it, a line for each measurement:
//!
//! ```text
//! # when, and how long a message took that was sent then
//! 2024-08-08T09:00:00Z,1.2ms
//! 2024-08-08T09:00:01.5Z,900us
//! ```
//!
//! Times are RFC 3339 or whole nanoseconds since 1970 and do not go back; delays have a unit, or are
//! whole nanoseconds.

use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use qt_model::time::Ts;
use qt_sim::exchange::{Delay, Operation, Recording, TextError};

/// A delay before files were looked at.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum DelayText {
    Said(Delay),
    /// `recorded(FILE)`.
    Recorded(PathBuf),
}

impl FromStr for DelayText {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let inside = text.trim().strip_prefix("recorded(").and_then(|rest| rest.strip_suffix(')'));
        if let Some(file) = inside.map(str::trim).filter(|file| !file.is_empty()) {
            return Ok(Self::Recorded(file.into()));
        }
        let said = |error: TextError| format!("{error}; or recorded(FILE)");
        text.trim().parse().map(Self::Said).map_err(said)
    }
}

impl DelayText {
    /// Reads the recording, if it is one; its path begins at `folder`.
    pub(crate) fn resolve(self, folder: &Path) -> Result<Delay, String> {
        match self {
            Self::Said(delay) => Ok(delay),
            Self::Recorded(file) => recording(&folder.join(file)).map(Delay::Recorded),
        }
    }
}

/// `--latency`: `place=1ms`, one operation with its delay.
pub(crate) fn latency(text: &str) -> Result<(Operation, DelayText), String> {
    let names = Operation::ALL.map(Operation::name).join(", ");
    let expected = || format!("expected OPERATION=DELAY with one of {names}; found `{text}`");
    let (name, value) = text.split_once('=').ok_or_else(expected)?;
    let operation = Operation::ALL.into_iter().find(|it| it.name() == name.trim());
    Ok((operation.ok_or_else(expected)?, value.parse()?))
}

fn recording(file: &Path) -> Result<Recording, String> {
    let text = fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let lines = text.lines().enumerate().map(|(at, line)| (at + 1, line.trim()));
    let lines = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    let mut seen: Vec<(Ts, i64)> = Vec::new();
    for (number, line) in lines {
        let wrong = |expected: &str| {
            format!("{}:{number}: expected {expected}, found `{line}`", file.display())
        };
        let measured = measurement(line)
            .ok_or_else(|| wrong("a time and a delay, such as 2024-08-08T09:00:00Z,1.2ms"))?;
        if seen.last().is_some_and(|(before, _)| *before > measured.0) {
            return Err(wrong("times that do not go back"));
        }
        seen.push(measured);
    }
    Recording::new(seen).ok_or_else(|| format!("{}: no measurement in it", file.display()))
}

fn measurement(line: &str) -> Option<(Ts, i64)> {
    let (time, delay) = line.split_once(',')?;
    let (time, delay) = (time.trim(), delay.trim());
    let ts = match time.parse() {
        Ok(nanos) => Ts::from_nanos(nanos),
        Err(_) => Ts::parse(time.as_bytes()).ok()?,
    };
    let ns = match (delay.parse(), delay.parse()) {
        (Ok(ns), _) => ns,
        (Err(_), Ok(Delay::Constant { ns })) => ns,
        (Err(_), _) => return None,
    };
    (ns >= 0).then_some((ts, ns))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_are_read_from_flags() {
        let said = |delay| Ok((Operation::Place, DelayText::Said(delay)));
        assert_eq!(latency("place=1ms"), said(Delay::Constant { ns: 1_000_000 }));
        let drawn = Delay::LogNormal { median_ns: 2_000, sigma: 0.4 };
        assert_eq!(latency("place=lognormal(median=2us,sigma=0.4)"), said(drawn));
        assert!(matches!(latency("cancel=table(0.9:1ms)"), Err(error) if error.contains("0.9")));
        let file = DelayText::Recorded("seen.csv".into());
        assert_eq!(latency("place = recorded( seen.csv )"), Ok((Operation::Place, file)));
        for text in ["", "place", "there=1ms", "place=soon", "place=lognormal(1ms)", "feed=-1ms"] {
            assert!(latency(text).is_err(), "{text}");
        }
        assert!(latency("place=recorded()").unwrap_err().ends_with("or recorded(FILE)"));
    }

    /// What becomes of a file with this text.
    fn check(text: &str, expected: Result<&[(i64, i64)], &str>) {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("seen.csv"), text).unwrap();
        let found = DelayText::Recorded("seen.csv".into()).resolve(folder.path());
        match (found, expected) {
            (Ok(delay), Ok(seen)) => {
                let seen = seen.iter().map(|(ts, ns)| (Ts::from_nanos(*ts), *ns)).collect();
                assert_eq!(delay, Delay::Recorded(Recording::new(seen).unwrap()), "{text}");
            }
            (Err(error), Err(part)) => assert!(error.contains(part), "{error} lacks {part}"),
            (found, expected) => panic!("{text}: {found:?} is not {expected:?}"),
        }
    }

    #[test]
    fn measurements_are_read_from_files() {
        check("10,5\n20,1us\n20,0\n", Ok(&[(10, 5), (20, 1_000), (20, 0)]));
        check("# seen\n\n 1970-01-01T00:00:01Z , 1.5ms \n", Ok(&[(1_000_000_000, 1_500_000)]));
        check("10,5\n9,5\n", Err("seen.csv:2: expected times that do not go back"));
        check("10,-5\n", Err("seen.csv:1: expected a time and a delay"));
        check("noon,1ms\n", Err("seen.csv:1: expected a time"));
        check("10\n", Err("seen.csv:1: expected a time"));
        check("# nothing\n", Err("no measurement in it"));
        let nowhere = DelayText::Recorded("nowhere.csv".into()).resolve(Path::new(""));
        assert!(nowhere.unwrap_err().starts_with("nowhere.csv: "));
    }
}
