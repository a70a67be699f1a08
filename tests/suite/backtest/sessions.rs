//! Venues with sessions: orders for their auctions, and returns on their grid.

use std::fmt::Write as _;

use super::write;
use crate::frame::{World, stdout};

/// Daily bars of a week of New York in which the clocks change: prices by day.
fn week() -> World {
    let world = World::new();
    let header =
        r#"{"k":"stream","schema":1,"instruments":[{"sym":"ny:X","px_scale":2,"qty_scale":0}]}"#;
    let mut text = format!("{header}\n");
    for (seq, day) in [6, 7, 8, 11, 12, 13].into_iter().enumerate() {
        let (open, close) = (100 + day, 200 + day);
        let step = 86_400_000_000_000_u64;
        let _ = writeln!(
            text,
            r#"{{"k":"bar","ts_event":"2024-03-{next:02}T00:00:00Z","sym":"ny:X","clock":"time","step":{step},"open_ts":"2024-03-{day:02}T00:00:00Z","open":{open},"high":300,"low":50,"close":{close},"volume":900,"seq":{seq}}}"#,
            next = day + 1,
        );
    }
    write(&world, "week.ndjson", &text);
    world
}

const HOURS: &str = r#"sessions = { zone = "America/New_York", open = "09:30", close = "16:00", days = ["mon", "tue", "wed", "thu", "fri"] }"#;

fn strategy(time: &str, venue: &str) -> String {
    format!(
        "name = \"auctions\"\non = \"bar\"\n[entry]\nlong = \"position == 0\"\n\
         [orders]\ntime_in_force = \"{time}\"\n[size]\nqty = 5\n[venue]\ntaker_bps = 0\n{venue}\n"
    )
}

/// The price and the time of the first fill, as the run kept it.
fn first_fill(world: &World, time: &str) -> (String, String) {
    write(world, "s.toml", &strategy(time, HOURS));
    let args =
        format!("backtest s.toml --input week.ndjson --allow-truncated --no-band --run-dir {time}");
    world.qt(&args).assert().success();
    let fills = stdout(&mut world.qt(&format!("replay --input {time}/fills.parquet")));
    let fill = fills.lines().find(|line| line.contains(r#""k":"fill""#)).expect("it was filled");
    let fill: serde_json::Value = serde_json::from_str(fill).unwrap();
    (fill["px"].as_f64().unwrap().to_string(), fill["ts_event"].as_str().unwrap().to_owned())
}

#[test]
fn orders_for_the_open_and_the_close_fill_at_the_prices_of_their_session() {
    let world = week();
    // Decided as the bar of the sixth ends, at midnight: the session of the seventh is next.
    let at = "2024-03-08T00:00:00.000000000Z".to_owned();
    assert_eq!(first_fill(&world, "opg"), ("107".to_owned(), at.clone()));
    assert_eq!(first_fill(&world, "cls"), ("207".to_owned(), at));
}

#[test]
fn returns_follow_the_sessions_of_the_venue() {
    let world = week();
    write(&world, "s.toml", &strategy("opg", HOURS));
    let run = |more: &str| {
        let args = format!(
            "backtest s.toml --input week.ndjson --allow-truncated --no-band --no-run --json {more}"
        );
        let text = stdout(&mut world.qt(&args));
        serde_json::from_str::<serde_json::Value>(&text).unwrap()
    };
    let days = run("");
    let assumptions = days["assumptions"].to_string();
    // Fifty-two weeks of five days and one day more.
    assert!(
        assumptions.contains("returns: 261 periods a year, sampled as sessions close"),
        "{assumptions}"
    );
    assert!(assumptions.contains("sessions 09:30 to 16:00 America/New_York"), "{assumptions}");
    assert_eq!(days["metrics"]["periods_per_year"], 261.0);
    // From midnight after the sixth: closes of the 7th, 8th, 11th, 12th and 13th, and what is left.
    assert_eq!(days["metrics"]["periods"], 6);
    let hours = run("--sample 1h");
    let assumptions = hours["assumptions"].to_string();
    assert!(
        assumptions.contains("1696.5 periods a year, sampled within sessions"),
        "{assumptions}"
    );
    write(&world, "s.toml", &strategy("gtc", ""));
    assert_eq!(run("")["metrics"]["periods_per_year"], 365.0);
}

#[test]
fn sessions_that_cannot_be_read_are_named() {
    let world = week();
    let cases = [
        (r#"sessions = { zone = "Mars/Olympus" }"#, "venue.sessions.zone", "an IANA zone"),
        (r#"sessions = { opens = "09:30" }"#, "venue.sessions.opens", "unknown key"),
        (r#"sessions = "09:30""#, "venue.sessions", "a table"),
    ];
    for (venue, key, message) in cases {
        write(&world, "s.toml", &strategy("opg", venue));
        let output = world.qt("backtest s.toml --input week.ndjson").output().unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{text}");
        assert!(text.contains(key) && text.contains(message), "{venue}: {text}");
    }
}
