use super::*;

fn name(path: &str) -> Option<Name> {
    Name::of(&path.split('/').map(str::to_lowercase).collect::<Vec<_>>())
}

#[test]
fn names_say_the_instrument_and_what_is_in_it() {
    for (path, symbol, layout) in [
        ("x/BTCUSDT-trades-2024-01-01.csv", "BTCUSDT", Some(Layout::Trades)),
        ("BTCUSD_PERP-aggTrades-2024-01.zip", "BTCUSD_PERP", Some(Layout::AggTrades)),
        ("ADABTC-1m-2021-11-27.csv", "ADABTC", Some(Layout::Klines)),
        ("ADABTC-1mo-2021-11.csv", "ADABTC", Some(Layout::Klines)),
        ("BTCUSDT-bookDepth-2023-01-01.csv", "BTCUSDT", Some(Layout::BookDepth)),
        ("BTCUSDT-metrics-2023-01-01.csv", "BTCUSDT", None),
    ] {
        let name = name(path).unwrap();
        assert_eq!((name.symbol.as_str(), name.layout()), (symbol, layout), "{path}");
    }
    assert_eq!(name("trades.csv"), None);
}

#[test]
fn files_without_names_are_told_apart_by_their_shape() {
    for (row, layout) in [
        ("28457,4.00000100,12.0,48.0,1499865549590,True,True", Some(Layout::Trades)),
        ("28457,4.0,12.0,48.0,1499865549590,true", Some(Layout::Trades)),
        ("26129,0.01,0.01,27781,27781,1498793709153,True,True", Some(Layout::AggTrades)),
        ("26129,0.01,0.01,27781,27781,1498793709153,true", Some(Layout::AggTrades)),
        ("1,2.0,3.0,2.1,3.0,1498793709153,1498793709154", Some(Layout::BookTicker)),
        ("2023-01-01 00:00:09,-5,100.5,99.1", Some(Layout::BookDepth)),
        ("20200101 170000065,1.121200,1.121720,0", None),
        ("a,b", None),
    ] {
        let mut fields = rows::Fields::default();
        assert_eq!(Layout::of_row(&fields.cut(row.as_bytes(), b',').unwrap()), layout, "{row}");
    }
}
