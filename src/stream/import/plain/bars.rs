//! Bars as anybody writes them: a time, four prices, perhaps a volume, under their names.

use super::super::{About, Likeness, Look};
use super::{Found, Plain};
use crate::import::map::Plan;

pub(in crate::import) static BARS: Plain = Plain {
    about: About {
        name: "bars",
        what: "bars as CSV with the names time, open, high, low, close, volume",
        example: "qt record import 6EH4.XCME_1min_bars_202401.csv.gz",
    },
    begins: "the names of a time, open, high, low, close and perhaps volume",
    find,
};

const TIMES: [&str; 8] = [
    "timestamp",
    "timestamp_utc",
    "time",
    "datetime",
    "date",
    "datetime_utc",
    "time_utc",
    "open_time",
];

fn find(look: &Look<'_>) -> Option<Found> {
    let first = look.first_line().to_ascii_lowercase();
    let names: Vec<&str> = first
        .split(|byte| *byte == b',')
        .map(|name| std::str::from_utf8(name).unwrap_or("").trim())
        .collect();
    let has = |name: &str| names.contains(&name);
    let time = TIMES.into_iter().find(|time| has(time))?;
    // With what else stands there it may be the table of somebody who is known better.
    if !["open", "high", "low", "close"].into_iter().all(has) || names.len() > 7 {
        return None;
    }
    let zone = if time.ends_with("_utc") { r#", zone = "UTC""# } else { "" };
    let volume = if has("volume") { r#", volume = "volume""# } else { "" };
    let name = look.parts().pop().unwrap_or_default();
    let step = step_in(&name);
    let plan = Plan::built_in(&format!(
        r#"
kind = "bar"
header = true
columns = {{ open = "open", high = "high", low = "low", close = "close"{volume} }}
time = {{ column = "{time}"{zone} }}
bar = {{ step = "{}" }}
"#,
        step.as_deref().unwrap_or("1m")
    ));
    let lacks = step.is_none().then_some(
        "how long a bar is stands in the name of the file, such as ES_1min_2024.csv; for another \
         name write a map and pass --map",
    );
    Some(Found { likeness: Likeness::Likely, plan: named(plan, look), lacks })
}

/// Finds instrument and venue: `6EH4.XCME_1min_bars` is 6EH4 at xcme.
fn named(mut plan: Plan, look: &Look<'_>) -> Plan {
    let name = look.path.and_then(|path| path.file_name()).unwrap_or_default().to_string_lossy();
    let word = name.split(['_', '-', ' ']).next().filter(|word| word.len() < name.len());
    let Some(word) = word.filter(|word| !word.is_empty()) else { return plan };
    match word.split_once('.') {
        Some((symbol, venue)) if !symbol.is_empty() && !venue.is_empty() => {
            plan.symbol = Some(symbol.to_owned());
            plan.venue = Some(venue.to_lowercase());
        }
        Some(_) | None => plan.symbol = Some(word.to_owned()),
    }
    plan
}

/// How long a bar is, by a word of the name: `1min`, `5m`, `h1`, `1day`, `daily`.
pub(super) fn step_in(name: &str) -> Option<String> {
    let words = name.split(|letter: char| !letter.is_ascii_alphanumeric());
    words.into_iter().find_map(|word| {
        let number: String = word.chars().filter(char::is_ascii_digit).collect();
        let unit: String = word.chars().filter(|letter| !letter.is_ascii_digit()).collect();
        let is_apart = word.starts_with(&number) || word.ends_with(&number);
        let unit = match (unit.as_str(), number.is_empty()) {
            ("s" | "sec" | "second" | "seconds", false) => "s",
            ("m" | "min" | "minute" | "minutes", false) | ("minute", true) => "m",
            ("h" | "hour" | "hours", false) | ("hourly", true) => "h",
            ("d" | "day" | "days", false) | ("daily", true) => "d",
            _ => return None,
        };
        let number = if number.is_empty() { "1".to_owned() } else { number };
        (is_apart && number.len() <= 4).then(|| format!("{number}{unit}"))
    })
}
