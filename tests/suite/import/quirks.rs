//! What a naive importer gets wrong: one test for each oddity of the real files.

use qt_model::record::{Bar, Depth, Gap, InstrumentRow, Mbo, Quote, Trade};
use qt_model::units::Scale;
use qt_model::words::{GapReason, MboAction, Side};

use rust_decimal::Decimal;
use serde_json::Value;

use super::{Import, data, expected, figures, import, one};
use qt_stream::import::Hints;

fn plain(path: &str) -> Option<Import> {
    one(path, &Hints::default())
}

fn first_time(path: &str) -> Option<String> {
    Some(plain(path)?.batch.get(0).head().ts_event.to_string())
}

const DBN: &str = "databento-dbn/dbn-tests/test_data";

#[test]
fn three_versions_of_dbn_hold_the_same_records() {
    for schema in ["mbo", "mbp-1", "mbp-10", "tbbo", "trades", "ohlcv-1h", "ohlcv-1m", "ohlcv-1s"] {
        let Some(first) = plain(&format!("{DBN}.{schema}.v1.dbn.zst")) else { return };
        for name in [".v2.dbn.zst", ".v3.dbn.zst", ".dbn"] {
            let other = plain(&format!("{DBN}.{schema}{name}")).unwrap();
            assert!(first.batch.iter().eq(other.batch.iter()), "{schema}{name}");
        }
    }
}

#[test]
fn a_file_of_no_records_is_valid() {
    for version in [".v1.dbn.zst", ".v2.dbn.zst", ".v3.dbn.zst", ".dbn"] {
        let Some(import) = plain(&format!("{DBN}.ohlcv-1d{version}")) else { return };
        assert!(import.batch.is_empty() && import.notes.is_empty());
    }
}

#[test]
fn a_snapshot_of_orders_keeps_its_flag_and_its_old_times() {
    let path = "databento-dbn/orderbooks_mbo_2024-05-08T00-00-00_2024-05-08T00-00-02.dbn.zst";
    let Some(import) = plain(path) else { return };
    let rows = import.batch.rows::<Mbo>();
    assert_eq!(rows[0].action, MboAction::Clear);
    assert!(rows[0].snapshot && rows[0].head.ts_event.to_string().starts_with("2024-05-05"));
    assert_eq!(rows.iter().filter(|mbo| mbo.snapshot).count(), 13_601);
    let only = plain("databento-dbn/esh4-glbx-mdp3-20231224.mbo.dbn.zst").unwrap();
    let rows = only.batch.rows::<Mbo>();
    assert!(rows.iter().all(|mbo| mbo.snapshot && mbo.action == MboAction::Add));
    assert_eq!(rows.iter().filter(|mbo| !mbo.more).count(), 1);
}

#[test]
fn bars_of_two_instruments_end_at_their_close() {
    let path = "databento-dbn/futures_ohlcv-1m_2024-07-01T23-40_2024-07-02T00-10.dbn.zst";
    let Some(import) = plain(path) else { return };
    let bars = import.batch.rows::<Bar>();
    assert_eq!(bars[0].open_ts.to_string(), "2024-07-01T23:40:00.000000000Z");
    assert_eq!(bars[0].head.ts_event.to_string(), "2024-07-01T23:41:00.000000000Z");
    let names: Vec<_> =
        import.batch.instruments().iter().map(|it| it.symbol.as_str().to_owned()).collect();
    assert_eq!(names, ["glbx:ESU4", "glbx:NQU4"]);
}

#[test]
fn tardis_columns_are_found_by_name() {
    let Some(quotes) = plain("tardis-csv/huobi-dm-swap_quotes_BTC-USD.csv") else { return };
    let quote = quotes.batch.rows::<Quote>()[0];
    assert!(quote.bid_px < quote.ask_px, "asks stand before bids");
    let book = plain("tardis-csv/binance-futures_book_snapshot_25_BTCUSDT.csv").unwrap().batch;
    assert!((0..book.rows::<Depth>().len()).all(|at| book.levels(at).len() == 50));
    let asks = plain("tardis-csv/deribit_incremental_book_L2_BTC-PERPETUAL.csv").unwrap().batch;
    assert_eq!(asks.rows::<Depth>().len(), 1, "the rows of one message are one record");
    assert!(asks.levels(0).iter().all(|level| level.side == Side::Sell));
}

#[test]
fn an_execution_of_a_resting_sell_is_a_buy_and_a_hidden_one_changes_no_order() {
    let path = "lobster/AAPL_2012-06-21_34200000_57600000_message_10.csv";
    let Some(import) = plain(path) else { return };
    let trades = import.batch.rows::<Trade>();
    let bought = trades.iter().filter(|trade| trade.side == Some(Side::Buy));
    assert_eq!(bought.map(|trade| trade.qty.mantissa()).sum::<i64>(), 6_281);
    let fills = import.batch.rows::<Mbo>().iter().filter(|mbo| mbo.action == MboAction::Fill);
    assert_eq!((trades.len(), fills.count()), (159, 98));
    assert_eq!(first_time(path).unwrap(), "2012-06-21T13:30:00.004241176Z");
}

#[test]
fn itch_without_lengths_is_read_by_the_types_of_its_messages() {
    let Some(import) = plain("itch50/ex20101224.TEST_ITCH_50.gz") else { return };
    let note = "lengths of messages are zero; their types say how long they are";
    assert!(import.notes.iter().any(|(it, _)| it == note));
    assert_eq!(import.batch.rows::<InstrumentRow>().len(), 3);
    // Executions of orders that were never added have no price and make no trade.
    let is_blind = |mbo: &&Mbo| mbo.px.is_none() && mbo.action == MboAction::Fill;
    let blind = import.batch.rows::<Mbo>().iter().filter(is_blind).count();
    assert_eq!(import.batch.rows::<Trade>().len(), 198 + 5_000 - blind);
}

#[test]
fn brokers_of_one_layout_have_clocks_of_their_own() {
    let name = "minute/eurusd/20140505_quote.zip";
    let Some(fxcm) = first_time(&format!("lean/forex/fxcm/{name}")) else { return };
    assert_eq!(fxcm, "2014-05-05T05:01:00.000000000Z");
    let oanda = first_time(&format!("lean/forex/oanda/{name}")).unwrap();
    assert_eq!(oanda, "2014-05-05T00:01:00.000000000Z");
    let shares = first_time("lean/equity/usa/minute/ibm/20131007_trade.zip").unwrap();
    assert_eq!(shares, "2013-10-07T08:01:00.000000000Z");
}

#[test]
fn quotes_of_shares_are_of_one_side() {
    let Some(import) = plain("lean/equity/usa/tick/ibm/20131007_quote.zip") else { return };
    let quotes = import.batch.rows::<Quote>();
    assert!(quotes.iter().all(Quote::is_one_sided));
    let note = "ticks that Lean marks as suspicious were imported like the others";
    assert_eq!(import.notes, [(note.to_owned(), 1)]);
}

#[test]
fn sale_conditions_are_never_taken_for_numbers() {
    // They are hexadecimal and mostly look decimal; a file of a quarter of a million reads through.
    let Some(import) = plain("lean/equity/usa/tick/spy/20131007_trade.zip") else { return };
    assert_eq!(import.batch.rows::<Trade>().len(), 250_601);
    let minutes = plain("lean/equity/usa/minute/spy/20131007_trade.zip").unwrap().batch;
    let volume: i64 = minutes.rows::<Bar>().iter().map(|bar| bar.volume.mantissa()).sum();
    assert_eq!(volume, 92_720_576, "the published bars leave out some sale conditions");
}

#[test]
fn crossed_quotes_are_kept() {
    let Some(import) = plain("lean/forex/fxcm/tick/eurusd/20140505_quote.zip") else { return };
    let crossed = import.batch.rows::<Quote>().iter().filter(|quote| quote.is_crossed()).count();
    assert_eq!(crossed, 4_987);
}

#[test]
fn contracts_are_instruments_and_prints_of_nothing_are_prints() {
    let Some(all) = import("lean/future/comex/tick/gc/20131007_trade.zip", &Hints::default())
    else {
        return;
    };
    let names =
        all.iter().map(|(_, it)| it.batch.instruments().iter().next().unwrap().symbol.clone());
    let names: Vec<_> = names.map(|symbol| symbol.as_str().to_owned()).collect();
    assert!(names.contains(&"comex:GC_201312".to_owned()), "{names:?}");
    let trades = all.iter().flat_map(|(_, it)| it.batch.rows::<Trade>());
    assert!(trades.filter(|trade| trade.qty.is_zero()).count() > 100);
    let es = import("lean/future/cme/minute/es/20131007_quote.zip", &Hints::default()).unwrap();
    let one_sided = es[0].1.batch.rows::<Quote>().iter().filter(|it| it.is_one_sided()).count();
    assert_eq!(one_sided, 15, "an empty side is no side, not a price of zero");
}

#[test]
fn prices_stay_raw_across_a_split() {
    let close = |day: &str| {
        let import = plain(&format!("lean/equity/usa/minute/aapl/{day}_trade.zip"))?;
        import.batch.rows::<Bar>().last().map(|bar| bar.close.mantissa())
    };
    let Some(before) = close("20140606") else { return };
    assert!((6_400_000..6_500_000).contains(&before), "{before}");
    let after = close("20140609").unwrap();
    assert!((920_000..950_000).contains(&after), "{after}");
}

#[test]
fn a_month_of_dukascopy_counts_from_zero() {
    let folder = "dukascopy-bi5/EURUSD/2019/01/04";
    let Some(first) = first_time(&format!("{folder}/00h_ticks.bi5")) else { return };
    assert_eq!(first, "2019-02-04T00:00:00.994000000Z");
    let candles = plain(&format!("{folder}/BID_candles_min_1.bi5")).unwrap().batch;
    let is_sound =
        |bar: &Bar| bar.low <= bar.open.min(bar.close) && bar.high >= bar.open.max(bar.close);
    assert!(candles.rows::<Bar>().iter().all(is_sound), "the close stands before the low");
}

#[test]
fn histdata_knows_no_summer_and_truefx_drops_a_fraction() {
    let named = Hints { symbol: Some("EURUSD".to_owned()), ..Hints::default() };
    let Some(import) = one("histdata/quote_tick_data.csv", &named) else { return };
    let first = import.batch.get(0).head().ts_event.to_string();
    assert_eq!(first, "2020-01-01T22:00:00.065000000Z");
    assert_eq!(plain("truefx/usdjpy-ticks.csv").unwrap().batch.len(), 1_000);
}

#[test]
fn bids_and_asks_of_fxcm_may_cross() {
    let Some(bids) = plain("fxcm/gbpusd-m1-bid-2012.csv") else { return };
    let asks = plain("fxcm/gbpusd-m1-ask-2012.csv").unwrap();
    let pairs = bids.batch.rows::<Bar>().iter().zip(asks.batch.rows::<Bar>());
    assert_eq!(pairs.filter(|(bid, ask)| bid.close > ask.close).count(), 347);
}

#[test]
fn changes_that_do_not_continue_their_snapshot_come_behind_a_gap() {
    let Some(import) = plain("binance-public/btcusdt-depth-update.csv") else { return };
    assert_eq!(import.batch.rows::<Gap>()[0].reason, GapReason::Sequence);
    let klines = plain("binance-public/ADABTC-1m-2021-11-27.csv").unwrap();
    assert_eq!(klines.batch.rows::<Bar>().len(), 10);
    assert_eq!(klines.batch.instruments().iter().next().unwrap().px_scale.digits(), 8);
}

#[test]
fn a_table_of_no_format_is_read_by_a_map() {
    let Some(path) = data("binance-public/gct_binance_BTCUSDT_24h-trades_2020_11_16.csv") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let map = folder.path().join("columns.toml");
    let text = "kind = 'trade'\nvenue = 'binance'\nsymbol = 'BTCUSDT'\nnull = ['ANY']\n\
                time = { column = 1, unit = 's' }\ncolumns = { px = 2, qty = 3, side = 4 }\n\
                side = { buy = ['BUY'], sell = ['SELL'] }\n";
    std::fs::write(&map, text).unwrap();
    let hints = Hints { map: Some(map), qty_scale: Scale::new(8).ok(), ..Hints::default() };
    let import = super::read(&qt_stream::import::members(&path).unwrap()[0], &hints).unwrap();
    let ticks = figures::ticks(&import.batch);
    let bars = figures::minutes(&ticks, false);
    let all = expected("binance-public/gct").unwrap();
    super::compare::compare("gct", &all[0].1["bars_1m"], &bars);
    assert_eq!(import.batch.rows::<Trade>()[0].side, None);
}

/// The rows that others found first and last in a table of Parquet, and what came of it with a map.
fn parquet(name: &str, map: &str) -> Option<(Value, Import)> {
    let path = format!("binance-public/{name}.parquet");
    let files = expected(&path)?;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("map.toml");
    std::fs::write(&file, map).unwrap();
    // Sizes are floats there: 0.014596000000000001.
    let qty_scale = Some(Scale::new(8).unwrap());
    let hints = Hints { map: Some(file), qty_scale, round: true, ..Hints::default() };
    Some((files[0].1.clone(), one(&path, &hints).unwrap()))
}

#[test]
fn tables_of_parquet_by_a_map() {
    let prints = "kind = \"trade\"\nsymbol = \"X\"\ntime = { column = \"timestamp\" }\n\
                  columns = { px = \"price\", qty = \"quantity\", side = \"buyer_maker\", \
                  id = \"trade_id\" }\nside = { buy = [\"False\"], sell = [\"True\"] }";
    let quotes = "kind = \"quote\"\ntime = { column = \"timestamp\" }\n\
                  columns = { bid_px = \"bid\", bid_qty = \"bid_size\", ask_px = \"ask\", \
                  ask_qty = \"ask_size\", symbol = \"symbol\" }";
    let (Some((of_prints, prints)), Some((of_quotes, quotes))) =
        (parquet("btcusdt-trades", prints), parquet("btcusdt-quotes", quotes))
    else {
        return;
    };
    let number = |cell: &Value| cell.as_str().unwrap().parse::<Decimal>().unwrap().round_dp(8);
    let time = |cell: &Value| {
        let text = cell.as_str().unwrap().replace(' ', "T").replace("+00:00", "Z");
        figures::ms(text.parse().unwrap())
    };
    let (rows, ticks) = (prints.batch.rows::<Trade>(), figures::ticks(&prints.batch));
    assert_eq!(ticks.len() as u64, of_prints["rows"].as_u64().unwrap());
    for (key, at) in [("first_row", 0), ("last_row", ticks.len() - 1)] {
        let (cells, tick) = (&of_prints[key], ticks[at]);
        let expected = (time(&cells[0]), number(&cells[2]), number(&cells[3]));
        assert_eq!((tick.ms, tick.px, tick.qty), expected, "{key}");
        let side = if cells[4] == "True" { Side::Sell } else { Side::Buy };
        let id = cells[1].as_str().unwrap().parse().ok();
        assert_eq!((rows[at].side, rows[at].id), (Some(side), id), "{key}");
    }
    let touches = figures::touches(&quotes.batch);
    assert_eq!(touches.len() as u64, of_quotes["rows"].as_u64().unwrap());
    for (key, at) in [("first_row", 0), ("last_row", touches.len() - 1)] {
        let (cells, touch) = (&of_quotes[key], touches[at]);
        let found = [touch.ask_qty, touch.ask, touch.bid_qty, touch.bid].map(Option::unwrap);
        let expected = [2, 3, 4, 5].map(|at| number(&cells[at]));
        assert_eq!((figures::ms(touch.ts), found), (time(&cells[0]), expected), "{key}");
    }
}
