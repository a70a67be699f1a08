//! Figures of records, by the names that the expected ones have.

use std::collections::BTreeMap;
use std::fmt::Write;

use qt_model::record::{Bar, Batch, Quote, Trade};
use qt_model::time::Ts;
use rust_decimal::Decimal;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

pub(super) type Figures = Map<String, Value>;

/// A print, or a quote's price: time in milliseconds, price, size.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tick {
    pub(super) ms: i64,
    pub(super) px: Decimal,
    pub(super) qty: Decimal,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Touch {
    pub(super) ts: Ts,
    pub(super) bid: Option<Decimal>,
    pub(super) ask: Option<Decimal>,
    pub(super) bid_qty: Option<Decimal>,
    pub(super) ask_qty: Option<Decimal>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Candle {
    pub(super) open_ms: i64,
    pub(super) px: [Decimal; 4],
    pub(super) volume: Decimal,
}

pub(super) fn ms(ts: Ts) -> i64 {
    ts.nanos().div_euclid(1_000_000)
}

pub(super) fn text(value: Decimal) -> String {
    value.normalize().to_string()
}

pub(super) fn ticks(batch: &Batch) -> Vec<Tick> {
    let table = batch.instruments();
    let of = |trade: &Trade| {
        let known = table.get(trade.head.instrument.unwrap());
        let (px, qty) =
            (trade.px.to_decimal(known.px_scale), trade.qty.to_decimal(known.qty_scale));
        Tick { ms: ms(trade.head.ts_event), px, qty }
    };
    batch.rows::<Trade>().iter().map(of).collect()
}

pub(super) fn touches(batch: &Batch) -> Vec<Touch> {
    let table = batch.instruments();
    let of = |quote: &Quote| {
        let known = table.get(quote.head.instrument.unwrap());
        let px = |px: Option<qt_model::units::Px>| px.map(|px| px.to_decimal(known.px_scale));
        let qty =
            |qty: Option<qt_model::units::Qty>| qty.map(|qty| qty.to_decimal(known.qty_scale));
        Touch {
            ts: quote.head.ts_event,
            bid: px(quote.bid_px),
            ask: px(quote.ask_px),
            bid_qty: qty(quote.bid_qty),
            ask_qty: qty(quote.ask_qty),
        }
    };
    batch.rows::<Quote>().iter().map(of).collect()
}

/// The bars of an instrument whose name ends so.
pub(super) fn candles(batch: &Batch, suffix: &str) -> Vec<Candle> {
    let table = batch.instruments();
    let of = |bar: &Bar| {
        let known = table.get(bar.head.instrument.unwrap());
        let px = [bar.open, bar.high, bar.low, bar.close].map(|px| px.to_decimal(known.px_scale));
        let volume = bar.volume.to_decimal(known.qty_scale);
        Candle { open_ms: ms(bar.open_ts), px, volume }
    };
    let is_wanted = |bar: &&Bar| {
        let name = table.get(bar.head.instrument.unwrap()).symbol.name();
        let is_side = name.ends_with(".bid") || name.ends_with(".ask");
        if suffix.is_empty() { !is_side } else { name.ends_with(suffix) }
    };
    batch.rows::<Bar>().iter().filter(is_wanted).map(of).collect()
}

pub(super) fn put(figures: &mut Figures, key: &str, value: impl Into<Value>) {
    figures.insert(key.to_owned(), value.into());
}

/// Gives a figure another name as well.
pub(super) fn again(figures: &mut Figures, key: &str, of: &str) {
    let value = figures[of].clone();
    put(figures, key, value);
}

/// Steps back and repetitions of times.
pub(super) fn times(figures: &mut Figures, times: &[i64]) {
    let steps = |is: fn(i64, i64) -> bool| times.windows(2).filter(|it| is(it[0], it[1])).count();
    put(figures, "time_backward_steps", steps(|a, b| b < a));
    put(figures, "duplicate_times", steps(|a, b| b == a));
    put(figures, "equal_times", steps(|a, b| b == a));
    put(figures, "backward_or_equal_steps", steps(|a, b| b <= a));
    put(figures, "gaps_over_1min", steps(|a, b| b - a > 60_000));
    let largest = times.windows(2).map(|it| it[1] - it[0]).max().unwrap_or(0);
    put(figures, "largest_gap_ms", largest);
    put(figures, "max_gap_ms", largest);
}

pub(super) fn of_ticks(figures: &mut Figures, ticks: &[Tick]) {
    let volume: Decimal = ticks.iter().map(|tick| tick.qty).sum();
    let notional: Decimal = ticks.iter().map(|tick| tick.px * tick.qty).sum();
    put(figures, "rows", ticks.len());
    put(figures, "n", ticks.len());
    put(figures, "volume", text(volume));
    put(
        figures,
        "vwap",
        notional.checked_div(volume).map_or(Value::Null, |it| it.to_string().into()),
    );
    put(figures, "zero_size_rows", ticks.iter().filter(|tick| tick.qty.is_zero()).count());
    let px = || ticks.iter().map(|tick| tick.px);
    put(figures, "high", px().max().map(text));
    put(figures, "low", px().min().map(text));
    put(figures, "first_price", ticks.first().map(|tick| text(tick.px)));
    put(figures, "last_price", ticks.last().map(|tick| text(tick.px)));
}

pub(super) fn of_touches(figures: &mut Figures, touches: &[Touch]) {
    let both: Vec<(Decimal, Decimal)> =
        touches.iter().filter_map(|touch| touch.bid.zip(touch.ask)).collect();
    put(figures, "rows", touches.len());
    put(figures, "crossed", both.iter().filter(|(bid, ask)| bid > ask).count());
    put(figures, "locked", both.iter().filter(|(bid, ask)| bid == ask).count());
    let has = |bid: bool, ask: bool| {
        touches.iter().filter(|it| (it.bid.is_some(), it.ask.is_some()) == (bid, ask)).count()
    };
    put(figures, "rows_with_bid_only", has(true, false));
    put(figures, "rows_with_ask_only", has(false, true));
    put(figures, "rows_with_both", has(true, true));
    put(figures, "rows_with_neither", has(false, false));
    let spreads = || both.iter().map(|(bid, ask)| ask - bid);
    let mean = spreads().sum::<Decimal>().checked_div(both.len().into()).unwrap_or_default();
    put(figures, "mean_spread", mean.to_string());
    put(figures, "max_spread", spreads().max().map(text));
    let span = |side: fn(&Touch) -> Option<Decimal>| {
        let px = || touches.iter().filter_map(side);
        (px().max().map(text), px().min().map(text))
    };
    let (bid, ask) = (span(|it| it.bid), span(|it| it.ask));
    put(figures, "bid_high_low", json!([bid.0, bid.1]));
    put(figures, "ask_high_low", json!([ask.0, ask.1]));
    put(figures, "bid_high", bid.0);
    put(figures, "bid_low", bid.1);
    put(figures, "ask_high", ask.0);
    put(figures, "ask_low", ask.1);
}

pub(super) fn of_candles(figures: &mut Figures, candles: &[Candle]) {
    put(figures, "rows", candles.len());
    put(figures, "open", candles.first().map(|it| text(it.px[0])));
    put(figures, "close", candles.last().map(|it| text(it.px[3])));
    put(figures, "high", candles.iter().map(|it| it.px[1]).max().map(text));
    put(figures, "low", candles.iter().map(|it| it.px[2]).min().map(text));
    put(figures, "volume", text(candles.iter().map(|it| it.volume).sum()));
    let is_bad = |it: &&Candle| {
        let [open, high, low, close] = it.px;
        high < open.max(close) || low > open.min(close) || high < low
    };
    put(figures, "bad_ohlc_rows", candles.iter().filter(is_bad).count());
    let is_flat = |it: &&Candle| it.px.iter().all(|px| *px == it.px[0]);
    put(figures, "flat_rows", candles.iter().filter(is_flat).count());
    let times_of: Vec<i64> = candles.iter().map(|it| it.open_ms).collect();
    times(figures, &times_of);
    if let (Some(first), Some(last)) = (times_of.first(), times_of.last()) {
        let minutes = (last - first) / 60_000 + 1;
        put(
            figures,
            "missing_minutes_between_first_and_last",
            minutes - times_of.len().cast_signed() as i64,
        );
    }
}

/// Bars of a minute as `_definitions` in the figures has them, and the digest of their lines.
pub(super) fn minutes(ticks: &[Tick], is_counting: bool) -> Value {
    let mut bars: BTreeMap<i64, (Candle, Decimal, u64)> = BTreeMap::new();
    for tick in ticks {
        let open_ms = tick.ms.div_euclid(60_000) * 60_000;
        let volume = if is_counting { Decimal::ONE } else { tick.qty };
        let notional = if is_counting { tick.px } else { tick.px * tick.qty };
        let (bar, sum, count) = bars.entry(open_ms).or_insert_with(|| {
            let px = [tick.px; 4];
            (Candle { open_ms, px, volume: Decimal::ZERO }, Decimal::ZERO, 0)
        });
        bar.px[1] = bar.px[1].max(tick.px);
        bar.px[2] = bar.px[2].min(tick.px);
        bar.px[3] = tick.px;
        bar.volume += volume;
        *sum += notional;
        *count += 1;
    }
    let mut lines = String::new();
    let mut rows = Vec::new();
    for (bar, sum, count) in bars.values() {
        let [open, high, low, close] = bar.px.map(text);
        let (volume, sum) = (text(bar.volume), text(*sum));
        let line = format!("{},{open},{high},{low},{close},{volume},{sum},{count}", bar.open_ms);
        writeln!(lines, "{line}").unwrap();
        rows.push(line);
    }
    json!({ "bars": bars.len(), "canonical_sha256": sha256(&lines), "rows": rows })
}

pub(super) fn sha256(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}
