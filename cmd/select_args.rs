//! The flags that choose records: a stretch of time, symbols, kinds.

use std::time::{SystemTime, UNIX_EPOCH};

use clap::Args;
use qt_model::record::Kind;
use qt_model::time::{Date, Ts, duration_ns};
use qt_stream::catalog::{Selection, SymbolPattern};
use qt_stream::parquet_file::Span;

use crate::failure::Failure;

#[derive(Debug, Args)]
#[command(next_help_heading = "Selection")]
pub(crate) struct SelectArgs {
    /// One day, UTC
    #[arg(long, value_name = "YYYY-MM-DD", conflicts_with_all = ["from", "until"])]
    date: Option<String>,
    /// From this time on: RFC 3339, a day, or back from now such as -2d, -3h, -15m
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    from: Option<String>,
    /// Up to this time, itself left out
    #[arg(long = "to", value_name = "TIME", allow_hyphen_values = true)]
    until: Option<String>,
    /// Symbols, comma-separated; `*` and `?` match, a pattern without a venue matches names
    #[arg(long, value_name = "PATTERNS", value_delimiter = ',')]
    symbols: Vec<String>,
    /// Kinds of records, comma-separated, as `qt schema` lists them
    #[arg(long, value_name = "KINDS", value_delimiter = ',')]
    kinds: Vec<String>,
}

impl SelectArgs {
    /// Whether a stretch of time was named.
    pub(crate) fn has_range(&self) -> bool {
        self.date.is_some() || self.from.is_some() || self.until.is_some()
    }

    pub(crate) fn selection(&self) -> Result<Selection, Failure> {
        let kinds: Result<Vec<Kind>, Failure> = self.kinds.iter().map(|name| kind(name)).collect();
        let kinds = kinds?;
        Ok(Selection {
            span: self.span(now())?,
            kinds: (!kinds.is_empty()).then_some(kinds),
            symbols: self.symbols.iter().map(|text| SymbolPattern::new(text)).collect(),
        })
    }

    fn span(&self, now: Ts) -> Result<Span, Failure> {
        if let Some(text) = &self.date {
            let date = Date::parse(text)
                .map_err(|_| misread("--date", text, "a day such as 2024-08-08"))?;
            return Ok(Span { from: date.start(), to: date.plus_days(1).start() });
        }
        let time = |flag, text: &Option<String>, default| match text {
            Some(text) => instant(text, now).ok_or_else(|| {
                misread(flag, text, "a time such as 2024-08-08T12:00:00Z, a day, or -2d")
            }),
            None => Ok(default),
        };
        let span = Span {
            from: time("--from", &self.from, Ts::MIN)?,
            to: time("--to", &self.until, Ts::MAX)?,
        };
        if span.from >= span.to {
            let message = format!("nothing lies from {} to {}", span.from, span.to);
            return Err(Failure::usage(message).with_hint("`--to` is left out of the range"));
        }
        Ok(span)
    }
}

fn misread(flag: &str, text: &str, expected: &str) -> Failure {
    Failure::usage(format!("{flag} {text}: expected {expected}"))
}

pub(crate) fn kind(name: &str) -> Result<Kind, Failure> {
    Kind::from_name(name).ok_or_else(|| {
        let near = Kind::ALL
            .iter()
            .map(|kind| kind.name())
            .max_by(|a, b| strsim::jaro_winkler(a, name).total_cmp(&strsim::jaro_winkler(b, name)));
        let failure = Failure::usage(format!("--kinds {name}: no such kind of record"));
        failure.with_hint(format!(
            "did you mean `{}`? `qt schema` lists all",
            near.unwrap_or_default()
        ))
    })
}

/// The wall clock, which only relative times ask.
pub(crate) fn now() -> Ts {
    let nanos = SystemTime::now().duration_since(UNIX_EPOCH).map(|since| since.as_nanos());
    Ts::from_nanos(nanos.ok().and_then(|nanos| i64::try_from(nanos).ok()).unwrap_or_default())
}

/// A time in any of the forms that a person writes.
pub(crate) fn instant(text: &str, now: Ts) -> Option<Ts> {
    if text == "now" {
        return Some(now);
    }
    if let Ok(date) = Date::parse(text) {
        return Some(date.start());
    }
    if let Some(back) = text.strip_prefix('-').and_then(duration_ns) {
        return now.checked_add_nanos(-back);
    }
    Ts::parse(text.as_bytes()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_write_times_in_many_ways() {
        let now = Ts::parse(b"2024-08-10T12:00:00Z").unwrap();
        let check = |text, expected: &str| {
            assert_eq!(
                instant(text, now).map(|ts| ts.to_string()),
                Some(expected.to_owned()),
                "{text}"
            );
        };
        check("2024-08-08", "2024-08-08T00:00:00.000000000Z");
        check("2024-08-08T01:02:03Z", "2024-08-08T01:02:03.000000000Z");
        check("2024-08-08T01:02:03+01:00", "2024-08-08T00:02:03.000000000Z");
        check("-2d", "2024-08-08T12:00:00.000000000Z");
        check("-90m", "2024-08-10T10:30:00.000000000Z");
        check("now", "2024-08-10T12:00:00.000000000Z");
        for text in ["", "yesterday", "-2y", "-d", "08/08/2024", "-99999999999w"] {
            assert_eq!(instant(text, now), None, "{text}");
        }
    }
}
