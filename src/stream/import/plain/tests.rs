use std::path::Path;

use super::*;

#[test]
fn pairs_and_steps_are_found_in_names() {
    for (name, pair) in [
        ("usdjpy-ticks.csv", Some("USDJPY")),
        ("DAT_ASCII_EURUSD_T_202001.csv", Some("EURUSD")),
        ("quote_tick_data.csv", None),
        ("abcdef.csv", None),
    ] {
        assert_eq!(fx::pair_in(name).as_deref(), pair, "{name}");
    }
    for (name, step) in [
        ("6eh4.xcme_1min_bars_20240101.csv.gz", Some("1m")),
        ("es_5m.csv", Some("5m")),
        ("es-h1-2024.csv", Some("1h")),
        ("spy_daily.csv", Some("1d")),
        ("es_20240101.csv", None),
    ] {
        assert_eq!(bars::step_in(name).as_deref(), step, "{name}");
    }
}

#[test]
fn each_is_recognised_by_its_first_line_and_no_other() {
    let all = [&HISTDATA, &TRUEFX, &FXCM, &BARS];
    for (name, first, expected) in [
        ("x.csv", "20200101 170000065,1.121200,1.121720,0", Some("histdata")),
        ("x.csv", "20200101 170000;1.1;1.2;1.0;1.1;0", Some("histdata")),
        ("x.csv", "timestamp,bid,ask", Some("truefx")),
        ("x.csv", "EUR/USD,20090501 00:00:00.571,1.32,1.33", Some("truefx")),
        ("gbpusd-m1-ask-2012.csv", "timestamp,open,high,low,close", Some("fxcm")),
        ("es_1min.csv", "timestamp_utc,open,high,low,close,volume", Some("bars")),
        ("x.csv", "a,b,c", None),
        ("x.csv", "", None),
    ] {
        let look = Look { start: first.as_bytes(), path: Some(Path::new(name)) };
        let best = all.iter().max_by_key(|it| it.recognise(&look)).unwrap();
        let found = (best.recognise(&look) != Likeness::No).then_some(best.about().name);
        assert_eq!(found, expected, "{first}");
    }
}
