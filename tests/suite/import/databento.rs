//! Every DBN file.

use std::collections::BTreeMap;
use std::fmt::Write;

use qt_model::record::{Bar, Batch, Depth, Head, InstrumentRow, Mbo, Quote, Row, Status, Trade};
use qt_model::units::{Px, Scale};
use qt_model::words::{MboAction, Side};
use serde_json::{Value, json};

use super::book::Book;
use super::compare::compare;
use super::figures::{self, Figures, put, sha256, text};
use super::{Import, expected, one};
use qt_stream::import::Hints;

fn px(mantissa: i64) -> String {
    text(Px::new(mantissa).to_decimal(Scale::new(9).unwrap()))
}

fn heads<T: Row + qt_model::record::Table>(batch: &Batch) -> Vec<Head> {
    batch.rows::<T>().iter().map(|row| *row.head()).collect()
}

/// The heads of the records that stand for the rows of the file.
fn primary(path: &str, batch: &Batch) -> Vec<Head> {
    let has = |word: &str| path.contains(word);
    if has("mbo") {
        heads::<Mbo>(batch)
    } else if has("mbp-10") {
        heads::<Depth>(batch)
    } else if has("mbp-1") || has("bbo") {
        heads::<Quote>(batch)
    } else if has("trades") {
        heads::<Trade>(batch)
    } else if has("ohlcv") {
        heads::<Bar>(batch)
    } else if has("status") {
        heads::<Status>(batch)
    } else {
        heads::<InstrumentRow>(batch)
    }
}

fn of_times(found: &mut Figures, heads: &[Head], opens: &[i64]) {
    let event = |head: &Head| head.ts_event.nanos();
    let events: Vec<i64> =
        if opens.is_empty() { heads.iter().map(event).collect() } else { opens.to_vec() };
    let back = |times: &[i64]| times.windows(2).filter(|it| it[1] < it[0]).count();
    put(found, "ts_event_first", events.first().copied());
    put(found, "ts_event_last", events.last().copied());
    put(found, "ts_event_min", events.iter().min().copied());
    put(found, "ts_event_max", events.iter().max().copied());
    put(found, "ts_event_backward_steps", back(&events));
    put(found, "ts_event_undefined", heads.iter().filter(|head| !head.has_event_time).count());
    let received: Vec<i64> = heads.iter().map(|head| head.ts_recv.nanos()).collect();
    put(found, "ts_recv_first", received.first().copied());
    put(found, "ts_recv_last", received.last().copied());
    put(found, "ts_recv_backward_steps", back(&received));
    let before = heads.iter().filter(|head| head.ts_recv < head.ts_event).count();
    put(found, "ts_recv_before_ts_event", before);
}

fn of_orders(found: &mut Figures, expected: &Value, batch: &Batch) {
    let rows = batch.rows::<Mbo>();
    let (mut actions, mut sides) = (BTreeMap::new(), BTreeMap::new());
    let mut book = Book::default();
    let (mut locked, mut crossed, mut hour, mut tops) = (0, 0, None, Vec::new());
    for mbo in rows {
        let letter = match mbo.action {
            MboAction::Add => "A",
            MboAction::Cancel => "C",
            MboAction::Modify => "M",
            MboAction::Fill => "F",
            MboAction::Trade => "T",
            MboAction::Clear => "R",
        };
        *actions.entry(letter).or_insert(0) += 1;
        // The file names the aggressor of a trade, the record the side that rested.
        let side = if letter == "T" { mbo.side.map(Side::opposite) } else { mbo.side };
        let side = side.map_or("N", |side| if side == Side::Buy { "B" } else { "A" });
        *sides.entry(side).or_insert(0) += 1;
        book.apply(mbo);
        if mbo.more {
            continue;
        }
        let top = book.bid().zip(book.ask());
        locked += u64::from(top.is_some_and(|(bid, ask)| bid.0 >= ask.0));
        crossed += u64::from(top.is_some_and(|(bid, ask)| bid.0 > ask.0));
        let this = mbo.head.ts_event.nanos() / 3_600_000_000_000;
        if hour.replace(this) != Some(this)
            && let Some((bid, ask)) = top
        {
            tops.push(json!([mbo.head.ts_event.nanos(), px(bid.0), bid.1, px(ask.0), ask.1]));
        }
    }
    put(found, "actions", json!(actions));
    put(found, "sides", json!(sides));
    put(found, "flag_LAST", rows.iter().filter(|mbo| !mbo.more).count());
    put(found, "flag_SNAPSHOT", rows.iter().filter(|mbo| mbo.snapshot).count());
    put(found, "instruments_in_book", 1);
    let mut lines = String::new();
    for (side, px_of, size, count) in book.levels() {
        writeln!(lines, "{side},{},{size},{count}", px(px_of)).unwrap();
    }
    // The digest of no line is that of an empty one in these figures.
    let lines = if lines.is_empty() { "\n".to_owned() } else { lines };
    let best = |top: Option<(i64, i64, u64)>| {
        top.map_or(Value::Null, |(px_of, size, count)| json!([px(px_of), size, count]))
    };
    let (bids, asks) = book.counts();
    let at_end = json!({
        "open_orders": book.orders(),
        "bid_levels": bids,
        "ask_levels": asks,
        "best_bid[px,size,orders]": best(book.bid()),
        "best_ask[px,size,orders]": best(book.ask()),
        "crossed_or_locked_at_LAST_records": locked,
        "strictly_crossed": crossed,
        "top_at_first_LAST_record_of_each_hour[ts,bid,size,ask,size]": tops,
        "all_levels_sha256": sha256(&lines),
    });
    let number = expected["mbo_book_at_end"].as_object().and_then(|it| it.keys().next());
    if let Some(number) = number {
        put(found, "mbo_book_at_end", json!({ number: at_end }));
    }
}

fn of_tops(found: &mut Figures, import: &Import) {
    let batch = &import.batch;
    let mut tops: Vec<[Option<(i64, i64)>; 2]> = Vec::new();
    for quote in batch.rows::<Quote>() {
        let side = |px: Option<Px>, qty: Option<qt_model::units::Qty>| {
            px.zip(qty).map(|(px, qty)| (px.mantissa(), qty.mantissa()))
        };
        tops.push([side(quote.bid_px, quote.bid_qty), side(quote.ask_px, quote.ask_qty)]);
    }
    for (at, depth) in batch.rows::<Depth>().iter().enumerate() {
        let mut book = Book::default();
        book.apply_levels(depth, batch.levels(at));
        tops.push([book.bid().map(|it| (it.0, it.1)), book.ask().map(|it| (it.0, it.1))]);
    }
    let row = |top: &[Option<(i64, i64)>; 2]| {
        let [(bid, bid_size), (ask, ask_size)] = top.map(|side| side.unwrap());
        json!([px(bid), bid_size, null, px(ask), ask_size, null])
    };
    put(found, "first_top", tops.first().map(row));
    put(found, "last_top", tops.last().map(row));
    let crossed =
        |top: &&[Option<(i64, i64)>; 2]| matches!(top, [Some(bid), Some(ask)] if bid.0 > ask.0);
    put(found, "crossed_tops", tops.iter().filter(crossed).count());
    let one_sided = tops.iter().filter(|top| top[0].is_some() != top[1].is_some()).count();
    put(found, "one_sided_tops", one_sided);
}

/// The bars of a file are listed in its own order, which within a minute is not ours.
fn check_bars(path: &str, figures: &mut Value, batch: &Batch) {
    let Some(lines) = figures.as_object_mut().unwrap().remove("bars") else { return };
    let numbers = [("ESU4", "118"), ("NQU4", "4358"), ("ESH1", "5482")];
    let line = |bar: &Bar| {
        let known = batch.instruments().get(bar.head.instrument.unwrap());
        let number = numbers.iter().find(|it| it.0 == known.symbol.name()).unwrap().1;
        let [open, high, low, close] =
            [bar.open, bar.high, bar.low, bar.close].map(|it| px(it.mantissa()));
        let (ts, volume) = (bar.open_ts.nanos(), bar.volume.mantissa());
        format!("{ts},{number},{open},{high},{low},{close},{volume}")
    };
    let found: Vec<String> = batch.rows::<Bar>().iter().map(line).collect();
    for line in lines.as_array().unwrap().iter().filter(|line| *line != "...") {
        assert!(found.iter().any(|it| line == it), "{path}: {line}");
    }
}

#[test]
fn every_file_holds_what_the_reference_decoder_found() {
    let Some(files) = expected("databento-dbn/") else { return };
    assert!(files.len() > 40, "{} files", files.len());
    let mut compared = 0;
    for (path, mut figures) in files {
        let import = one(&path, &Hints::default()).unwrap();
        let batch = &import.batch;
        check_bars(&path, &mut figures, batch);
        let heads = primary(&path, batch);
        let left_out: u64 = import.notes.iter().map(|(_, records)| records).sum();
        let mut found = Figures::new();
        put(&mut found, "records", heads.len() as u64 + left_out);
        let opens: Vec<i64> = batch.rows::<Bar>().iter().map(|bar| bar.open_ts.nanos()).collect();
        of_times(&mut found, &heads, &opens);
        of_tops(&mut found, &import);
        of_orders(&mut found, &figures, batch);
        let ticks = figures::ticks(batch);
        let mut trades = Figures::new();
        figures::of_ticks(&mut trades, &ticks);
        put(&mut found, "trade_records", Value::Object(trades));
        let volume: i64 = batch.rows::<Bar>().iter().map(|bar| bar.volume.mantissa()).sum();
        put(&mut found, "volume", volume);
        let expected = figures.as_object_mut().unwrap();
        // Actions and flags are kept of single orders only; a left-out record has no time here.
        if batch.rows::<Mbo>().is_empty() {
            for key in ["actions", "sides", "flag_LAST", "flag_SNAPSHOT"] {
                expected.remove(key);
            }
        }
        if left_out > 0 {
            expected.retain(|key, _| !key.starts_with("ts_"));
        }
        compared += compare(&path, &figures, &Value::Object(found));
    }
    assert!(compared > 600, "{compared}");
}
