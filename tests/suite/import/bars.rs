//! Bars that `market::bars` makes of real prints and quotes, against those that others computed.

use std::collections::BTreeMap;
use std::fmt::Write;

use qt_market::bars::{Bars, Every, Of, Rules};
use qt_model::record::{Bar, Batch};
use rust_decimal::Decimal;
use serde_json::Value;

use super::figures::{ms, sha256, text, touches};
use super::{expected, import};
use qt_stream::import::Hints;

/// Bars of a minute, as the expected figures have them.
fn minutes(batch: &Batch, of: Of) -> Vec<(Bar, [Decimal; 5])> {
    let every = vec![Every::parse("1m").unwrap()];
    let rules = Rules { every, of, only: true, unfinished: true, ..Rules::default() };
    let (mut bars, mut out) = (Bars::new(rules).unwrap(), Batch::default());
    bars.batch(batch, &mut out).unwrap();
    bars.finish(&mut out);
    assert_eq!((bars.tally().late, bars.tally().sizeless), (0, 0), "these files are plain");
    let of = |bar: &Bar| {
        let known = out.instruments().get(bar.head.instrument.unwrap());
        let [open, high, low, close] =
            [bar.open, bar.high, bar.low, bar.close].map(|px| px.to_decimal(known.px_scale));
        (bar.clone(), [open, high, low, close, bar.volume.to_decimal(known.qty_scale)])
    };
    out.rows::<Bar>().iter().map(of).collect()
}

/// The sum of the prices of a minute: what the figures of quotes have in the place of money.
fn sums(batch: &Batch, of: Of) -> BTreeMap<i64, Decimal> {
    let mut sums = BTreeMap::<i64, Decimal>::new();
    for touch in touches(batch) {
        let both = touch.bid.zip(touch.ask);
        let px = match of {
            Of::Mid => both.map(|(bid, ask)| (bid + ask) / Decimal::TWO),
            Of::Bid => touch.bid,
            Of::Ask | Of::Trades => None,
        };
        if let Some(px) = px {
            *sums.entry(ms(touch.ts).div_euclid(60_000) * 60_000).or_default() += px;
        }
    }
    sums
}

/// The digest of the bars as lines, with times counted from a midnight.
fn digest(batch: &Batch, of: Of, midnight: i64) -> (usize, String) {
    let (bars, sums) = (minutes(batch, of), sums(batch, of));
    let mut lines = String::new();
    for (bar, px) in &bars {
        let open_ms = ms(bar.open_ts);
        let count = bar.trades.unwrap();
        let (volume, money) = match of {
            Of::Trades => (px[4], bar.notional.unwrap()),
            Of::Bid | Of::Ask | Of::Mid => (Decimal::from(count), sums[&open_ms]),
        };
        let px: Vec<String> = px[..4].iter().map(|px| text(*px)).collect();
        let (px, volume, money) = (px.join(","), text(volume), text(money));
        writeln!(lines, "{},{px},{volume},{money},{count}", open_ms - midnight).unwrap();
    }
    (bars.len(), sha256(&lines))
}

/// The figures of bars somewhere inside those of a file.
fn bars_of(figures: &Value) -> Option<&Value> {
    let object = figures.as_object()?;
    let named = object.iter().find(|(key, _)| key.contains("bars_1m"));
    named.map(|(_, bars)| bars).or_else(|| object.values().find_map(bars_of))
}

#[test]
fn bars_of_a_minute_are_those_that_others_made() {
    const HOUR: i64 = 3_600_000;
    let midnight =
        |year, month, day| ms(qt_model::time::Date::new(year, month, day).unwrap().start());
    let cases = [
        (
            "lobster/AAPL_2012-06-21_34200000_57600000_message_10.csv",
            Of::Trades,
            midnight(2012, 6, 21) + 4 * HOUR,
        ),
        (
            "lean/equity/usa/tick/ibm/20131007_trade.zip",
            Of::Trades,
            midnight(2013, 10, 7) + 4 * HOUR,
        ),
        (
            "lean/equity/usa/tick/spy/20131007_trade.zip",
            Of::Trades,
            midnight(2013, 10, 7) + 4 * HOUR,
        ),
        ("lean/forex/oanda/tick/eurusd/20140505_quote.zip", Of::Mid, midnight(2014, 5, 5)),
        (
            "lean/forex/fxcm/tick/eurusd/20140505_quote.zip",
            Of::Mid,
            midnight(2014, 5, 5) + 5 * HOUR,
        ),
        ("dukascopy-bi5/EURUSD/2019/01/04/08h_ticks.bi5", Of::Bid, 0),
        ("dukascopy-bi5/EURUSD/2019/01/04/21h_ticks.bi5", Of::Bid, 0),
        ("histdata/quote_tick_data.csv", Of::Bid, 0),
        ("truefx/usdjpy-ticks.csv", Of::Bid, 0),
    ];
    for (path, of, midnight) in cases {
        let Some(files) = expected(path) else { return };
        let figures = bars_of(&files[0].1).unwrap();
        let symbol = path.starts_with("histdata").then(|| "histdata:EURUSD".to_owned());
        let members = import(path, &Hints { symbol, ..Hints::default() }).unwrap();
        let (count, sha256) = digest(&members[0].1.batch, of, midnight);
        assert_eq!(figures["bars"], count, "{path}");
        assert_eq!(figures["canonical_sha256"], sha256, "{path}");
    }
}

#[test]
fn minutes_of_lean_quotes_are_those_of_its_own_bars() {
    let ticks = "lean/forex/oanda/tick/eurusd/20140505_quote.zip";
    let Some(ticks) = import(ticks, &Hints::default()) else { return };
    let bars = "lean/forex/oanda/minute/eurusd/20140505_quote.zip";
    let bars = import(bars, &Hints::default()).unwrap();
    for (of, suffix) in [(Of::Bid, ".bid"), (Of::Ask, ".ask")] {
        let theirs = super::figures::candles(&bars[0].1.batch, suffix);
        let ours = minutes(&ticks[0].1.batch, of);
        assert_eq!(ours.len(), theirs.len());
        for ((bar, px), theirs) in ours.iter().zip(&theirs) {
            assert_eq!((ms(bar.open_ts), &px[..4]), (theirs.open_ms, &theirs.px[..]));
        }
    }
}
