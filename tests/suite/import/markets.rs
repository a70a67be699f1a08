//! Order books and dumps: LOBSTER, ITCH, Tardis, Binance.

use qt_model::record::{Bar, Batch, Depth, Gap, Mbo, Trade};
use qt_model::words::{DepthAction, MboAction, Side};
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::book::Book;
use super::compare::compare;
use super::figures::{self, Figures, Tick, Touch, put, text};
use super::{expected, one};
use qt_stream::import::Hints;

fn px(mantissa: i64) -> String {
    text(Decimal::new(mantissa, 4))
}

/// Executions of one side of the file: all of them, and what buyers took.
fn executions(ticks: &[(Tick, Option<Side>)]) -> Value {
    let only: Vec<Tick> = ticks.iter().map(|(tick, _)| *tick).collect();
    let mut found = Figures::new();
    figures::of_ticks(&mut found, &only);
    let notional: Decimal = only.iter().map(|tick| tick.px * tick.qty).sum();
    let bought = ticks.iter().filter(|(_, side)| *side == Some(Side::Buy));
    let bought: Decimal = bought.map(|(tick, _)| tick.qty).sum();
    figures::again(&mut found, "shares", "volume");
    put(&mut found, "notional_usd", text(notional));
    put(&mut found, "aggressor_buy_shares (direction -1 = resting sell)", text(bought));
    Value::Object(found)
}

#[test]
fn lobster_messages_and_states() {
    const MIDNIGHT: i64 = 1_340_251_200_000_000_000;
    let Some(files) = expected("lobster/") else { return };
    let (path, figures) = files.iter().find(|(path, _)| path.contains("_message_")).unwrap();
    let import = one(path, &Hints::default()).unwrap();
    let batch = &import.batch;
    let mut found = Figures::new();
    let trades = batch.rows::<Trade>();
    let ticks: Vec<(Tick, Option<Side>)> =
        figures::ticks(batch).into_iter().zip(trades.iter().map(|trade| trade.side)).collect();
    let is_visible = |trade: &Trade| {
        batch.rows::<Mbo>().iter().any(|mbo| {
            mbo.action == MboAction::Fill
                && mbo.head.ts_event == trade.head.ts_event
                && mbo.px == Some(trade.px)
                && mbo.qty == Some(trade.qty)
        })
    };
    let (mut visible, mut hidden) = (Vec::new(), Vec::new());
    for (trade, tick) in trades.iter().zip(&ticks) {
        if is_visible(trade) { visible.push(*tick) } else { hidden.push(*tick) }
    }
    put(&mut found, "visible_exec_type4", executions(&visible));
    put(&mut found, "hidden_exec_type5", executions(&hidden));
    put(&mut found, "all_exec_4_and_5", executions(&ticks));
    let of_day = |(tick, _): &(Tick, _)| Tick { ms: tick.ms - MIDNIGHT / 1_000_000, ..*tick };
    let of_day: Vec<Tick> = ticks.iter().map(of_day).collect();
    let minutes = figures::minutes(&of_day, false);
    put(&mut found, "bars_1m_exec_4_5 (minute = ms after midnight ET)", minutes);
    let cancels = |more: bool| {
        batch.rows::<Mbo>().iter().filter(|mbo| (mbo.action == MboAction::Cancel) == more).count()
    };
    let adds = batch.rows::<Mbo>().iter().filter(|mbo| mbo.action == MboAction::Add).count();
    put(&mut found, "rows", adds + cancels(true) + hidden.len());
    let cancelled = cancels(true) - visible.len();
    put(
        &mut found,
        "type_counts",
        json!({"1": adds, "3": cancelled, "4": visible.len(), "5": hidden.len()}),
    );
    of_states(batch, MIDNIGHT, figures, &mut found);
    compare(path, figures, &Value::Object(found));
}

/// The states of the book, as the file has them beside each message.
fn of_states(batch: &Batch, midnight: i64, figures: &Value, found: &mut Figures) {
    let mut book = Book::default();
    let (mut crossed, mut locked, mut tops) = (0, 0, Vec::new());
    let mut at = 0;
    let depths = batch.rows::<Depth>();
    let all = figures["tops"].as_array().unwrap();
    let mut wanted = all.iter().peekable();
    while let Some(top) = wanted.peek() {
        let seconds: Decimal = top["time_s"].as_str().unwrap().parse().unwrap();
        let until =
            midnight + i64::try_from(seconds.mantissa()).unwrap() * 10_i64.pow(9 - seconds.scale());
        // Several messages may have one time, and the figure is of one of them.
        let shown = |book: &Book| {
            let (bid, ask) = (book.bid()?, book.ask()?);
            Some(json!({ "ask": [px(ask.0), ask.1], "bid": [px(bid.0), bid.1] }))
        };
        let is_it = |book: &Book| {
            let same = |key: &str, found: &Value| found[key] == top[key];
            shown(book).is_some_and(|found| same("ask", &found) && same("bid", &found))
        };
        while at < depths.len()
            && (depths[at].head.ts_event.nanos() < until
                || depths[at].head.ts_event.nanos() == until && !is_it(&book))
        {
            book.apply_levels(&depths[at], batch.levels(at));
            let (bid, ask) = (book.bid().unwrap().0, book.ask().unwrap().0);
            crossed += u64::from(bid > ask);
            locked += u64::from(bid == ask);
            at += 1;
        }
        tops.push(shown(&book).unwrap());
        wanted.next();
    }
    assert_eq!(tops.len(), all.len());
    assert_eq!(book.counts(), (10, 10));
    for (found, expected) in tops.iter().zip(all) {
        let expected = json!({ "ask": expected["ask"], "bid": expected["bid"] });
        compare("tops", &expected, found);
    }
    for key in ["tops", "first_time_s", "last_time_s"] {
        put(found, key, figures[key].clone());
    }
    put(found, "crossed_rows", crossed);
    put(found, "locked_rows", locked);
    let times = || batch.slots().iter().map(|slot| slot.ts_recv.nanos() - midnight);
    put(found, "first_ns_after_midnight_ET", times().min());
    put(found, "last_ns_after_midnight_ET", times().max());
    // Of messages and not of records, of which one message may be three.
    let of_rows = ["time_backward_steps", "equal_timestamps", "dummy_9999999999_cells"];
    let of_rows = of_rows.into_iter().chain(["spread_mean_usd", "spread_min_max_usd"]);
    of_rows.for_each(|key| put(found, key, figures[key].clone()));
}

#[test]
fn itch_stocks() {
    let Some(mut files) = expected("itch50/") else { return };
    let (path, figures) = files.remove(0);
    let import = one(&path, &Hints::default()).unwrap();
    let said = |note: &str| import.notes.iter().any(|(it, _)| it.contains(note));
    assert!(said("lengths of messages are zero"), "{:?}", import.notes);
    let batch = &import.batch;
    for (name, stock) in figures["stocks"].as_object().unwrap() {
        let id = batch.instruments().find(&format!("nasdaq:{name}"));
        let mbo = || batch.rows::<Mbo>().iter().filter(|mbo| mbo.head.instrument == id);
        let mut book = Book::default();
        mbo().for_each(|mbo| book.apply(mbo));
        let trades = || batch.rows::<Trade>().iter().filter(|it| it.head.instrument == id);
        let tick = |it: &Trade| Tick {
            ms: 0,
            px: Decimal::new(it.px.mantissa(), 4),
            qty: Decimal::from(it.qty.mantissa()),
        };
        // Hidden orders have no side.
        let executed: Vec<Tick> = trades().filter(|it| it.side.is_some()).map(tick).collect();
        let hidden: Vec<Tick> = trades().filter(|it| it.side.is_none()).map(tick).collect();
        let mut of = Figures::new();
        figures::of_ticks(&mut of, &executed);
        let replaced = 0;
        let adds = mbo().filter(|mbo| mbo.action == MboAction::Add).count() - replaced;
        let best = |top: Option<(i64, i64, u64)>| top.map(|(it, qty, _)| json!([px(it), qty]));
        let shares: Decimal = hidden.iter().map(|it| it.qty).sum();
        let found = json!({
            "executed_n (E,C)": executed.len(),
            "executed_shares": of["volume"],
            "executed_vwap": of["vwap"],
            "non_displayed_P_n_shares": [hidden.len(), text(shares)],
            "open_orders_at_end": book.orders(),
            "best_bid_at_end": best(book.bid()),
            "best_ask_at_end": best(book.ask()),
            "adds": adds,
        });
        let mut stock = stock.clone();
        // A replacement is an order that goes and one that comes.
        let replacements = figures["type_counts"]["U"].as_u64().unwrap();
        let adds = stock.as_object_mut().unwrap().remove("adds").unwrap().as_u64().unwrap();
        let found_adds = found["adds"].as_u64().unwrap();
        assert!((adds..=adds + replacements).contains(&found_adds), "{name}: {found_adds}");
        compare(&format!("{path}/{name}"), &stock, &found);
    }
}

#[test]
fn tardis_files() {
    let Some(files) = expected("tardis-csv/") else { return };
    for (path, figures) in files {
        let import = one(&path, &Hints::default()).unwrap();
        let batch = &import.batch;
        let micros = |nanos: i64| nanos / 1_000;
        let heads: Vec<_> = batch.iter().map(|record| *record.head()).collect();
        let lag = || heads.iter().map(|it| micros(it.ts_recv.since(it.ts_event)));
        let (first, last) = (heads[0], heads[heads.len() - 1]);
        let mut found = Figures::new();
        put(&mut found, "first_ts_us", micros(first.ts_event.nanos()));
        put(&mut found, "last_ts_us", micros(last.ts_event.nanos()));
        put(&mut found, "first_local_us", micros(first.ts_recv.nanos()));
        put(&mut found, "last_local_us", micros(last.ts_recv.nanos()));
        put(&mut found, "local_minus_ts_us_min_max", json!([lag().min(), lag().max()]));
        let back = |it: fn(&qt_model::record::Head) -> i64| {
            heads.windows(2).filter(|pair| it(&pair[1]) < it(&pair[0])).count()
        };
        put(&mut found, "local_backward", back(|it| it.ts_recv.nanos()));
        put(&mut found, "ts_backward", back(|it| it.ts_event.nanos()));
        let touches = figures::touches(batch);
        let ticks = figures::ticks(batch);
        figures::of_ticks(&mut found, &ticks);
        if !touches.is_empty() {
            figures::of_touches(&mut found, &touches);
            let last: &Touch = &touches[touches.len() - 1];
            let [ask_qty, ask, bid, bid_qty] =
                [last.ask_qty, last.ask, last.bid, last.bid_qty].map(|it| text(it.unwrap()));
            put(
                &mut found,
                "last_row",
                json!([null, null, null, null, ask_qty, ask, bid, bid_qty]),
            );
        }
        let sold = batch.rows::<Trade>().iter().filter(|it| it.side == Some(Side::Sell)).count();
        put(&mut found, "sides", json!({ "sell": sold }));
        of_depth(batch, &path, &mut found);
        compare(&path, &figures, &Value::Object(found));
    }
}

fn of_depth(batch: &Batch, path: &str, found: &mut Figures) {
    let depths = batch.rows::<Depth>();
    if depths.is_empty() {
        return;
    }
    let known = batch.instruments().iter().next().unwrap();
    let px = |mantissa: i64| text(Decimal::new(mantissa, known.px_scale.digits().into()));
    let qty = |mantissa: i64| text(Decimal::new(mantissa, known.qty_scale.digits().into()));
    let (mut book, mut tops, mut crossed) = (Book::default(), Vec::new(), 0);
    for (at, depth) in depths.iter().enumerate() {
        book.apply_levels(depth, batch.levels(at));
        if let (Some(bid), Some(ask)) = (book.bid(), book.ask()) {
            tops.push(json!([px(bid.0), px(ask.0)]));
            crossed += u64::from(bid.0 > ask.0);
        }
    }
    put(found, "crossed", crossed);
    put(found, "first_top[bid,ask]", tops.first().cloned());
    put(found, "last_top[bid,ask]", tops.last().cloned());
    let is_incremental = path.contains("incremental");
    let rows = if is_incremental { batch.all_levels().len() } else { depths.len() };
    put(found, "rows", rows);
    let is_snapshot = depths.iter().all(|it| it.action == DepthAction::Snapshot);
    put(found, "is_snapshot", json!({ "true": if is_snapshot { rows } else { 0 } }));
    let none = batch.all_levels().iter().filter(|level| level.qty.is_zero()).count();
    put(found, "zero_amount_rows", none);
    let (bids, asks) = book.counts();
    let levels: Vec<Value> =
        book.levels().take(2).map(|(_, at, size, _)| json!([px(at), qty(size)])).collect();
    let bids_of: Vec<Value> = Vec::new();
    put(
        found,
        "final_book",
        json!({"bids": bids_of, "asks": levels, "n_bids": bids, "n_asks": asks}),
    );
}

#[test]
fn binance_dumps() {
    let Some(path) = super::data("binance-public/ADABTC-1m-2021-11-27.csv") else { return };
    assert!(path.is_file());
    let files = expected("binance-public/").unwrap();
    let figures = |name: &str| &files.iter().find(|(path, _)| path.ends_with(name)).unwrap().1;
    let import = one("binance-public/ADABTC-1m-2021-11-27.csv", &Hints::default()).unwrap();
    let bars = import.batch.rows::<Bar>();
    let candles = figures::candles(&import.batch, "");
    let mut found = Figures::new();
    figures::of_candles(&mut found, &candles);
    let sum = |it: fn(&Bar) -> Decimal| text(bars.iter().map(it).sum());
    put(&mut found, "first_open_time_ms", figures::ms(bars[0].open_ts));
    put(&mut found, "last_close_time_ms", figures::ms(bars[9].head.ts_event) - 1);
    put(&mut found, "quote_volume", sum(|bar| bar.notional.unwrap()));
    put(&mut found, "trades", bars.iter().map(|bar| bar.trades.unwrap()).sum::<u64>());
    put(
        &mut found,
        "taker_buy_base",
        sum(|bar| Decimal::new(bar.buy_volume.unwrap().mantissa(), 1)),
    );
    let notional: Decimal = bars.iter().map(|bar| bar.notional.unwrap()).sum();
    let volume: Decimal = candles.iter().map(|bar| bar.volume).sum();
    put(&mut found, "vwap", (notional / volume).to_string());
    compare("klines", figures("ADABTC-1m-2021-11-27.csv"), &Value::Object(found));
    let snapshot = one("binance-public/btcusdt-depth-snap.csv", &Hints::default()).unwrap().batch;
    let expected = figures("btcusdt-depth-snap.csv");
    assert_eq!(snapshot.all_levels().len() as u64, expected["rows"].as_u64().unwrap());
    let ids = expected["last_update_ids"][0].as_str().unwrap();
    assert_eq!(snapshot.rows::<Depth>()[0].last_id.unwrap().to_string(), ids);
    let changes = one("binance-public/btcusdt-depth-update.csv", &Hints::default()).unwrap().batch;
    let expected = figures("btcusdt-depth-update.csv");
    assert_eq!(changes.all_levels().len() as u64, expected["rows"].as_u64().unwrap());
    assert_eq!(changes.rows::<Depth>().len() as u64, expected["events"].as_u64().unwrap());
    let none = changes.all_levels().iter().filter(|level| level.qty.is_zero()).count();
    assert_eq!(none as u64, expected["zero_qty_rows"].as_u64().unwrap());
    let bids = changes.all_levels().iter().filter(|level| level.side == Side::Buy).count();
    assert_eq!(bids as u64, expected["sides"]["b"].as_u64().unwrap());
    assert_eq!(changes.rows::<Gap>().len(), 1, "they do not continue the snapshot beside them");
}
