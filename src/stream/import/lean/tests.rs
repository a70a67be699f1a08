use super::*;
use place::{Kind, Of};

fn spot(path: &str) -> Option<Spot> {
    Spot::of(&path.split('/').map(str::to_lowercase).collect::<Vec<_>>())
}

#[test]
fn a_path_says_symbol_market_and_zone() {
    for (path, symbol, market, zone) in [
        (
            "d/equity/usa/minute/ibm/20131007_trade.zip/x.csv",
            "IBM",
            "usa",
            Some("America/New_York"),
        ),
        ("equity/usa/daily/aapl.zip/aapl.csv", "AAPL", "usa", Some("America/New_York")),
        ("equity/usa/factor_files/aapl.csv", "AAPL", "usa", Some("America/New_York")),
        ("forex/fxcm/tick/eurusd/20140505_quote.zip/x.csv", "EURUSD", "fxcm", Some("-05:00")),
        ("forex/oanda/tick/eurusd/20140505_quote.zip/x.csv", "EURUSD", "oanda", Some("UTC")),
        ("crypto/coinbase/daily/btcusd_trade.zip/btcusd.csv", "BTCUSD", "coinbase", Some("UTC")),
        (
            "future/comex/tick/gc/20131007_trade.zip/20131007_gc_tick_trade_201312.csv",
            "GC_201312",
            "comex",
            Some("UTC"),
        ),
        (
            "cryptofuture/binance/minute/adausdt/20221213_trade.zip/20221213_adausdt_minute_trade_perp.csv",
            "ADAUSDT_PERP",
            "binance",
            Some("UTC"),
        ),
        ("equity/india/minute/x/20131007_trade.zip/x.csv", "X", "india", None),
    ] {
        let spot = spot(path).unwrap();
        assert_eq!((spot.symbol.as_str(), spot.market.as_str()), (symbol, market), "{path}");
        assert_eq!(spot.zone(), zone, "{path}");
    }
}

#[test]
fn a_path_that_says_less_is_none_of_ours() {
    for path in [
        "minute/ibm/20131007_trade.zip",
        "equity/usa/minute/ibm/trade.zip",
        "equity/usa/minute/ibm/20131007_margin.zip",
        "equity/usa/weekly/ibm.zip",
        "equity/usa",
    ] {
        assert_eq!(spot(path), None, "{path}");
    }
    let of = spot("equity/usa/tick/spy/20131007_quote.zip/x.csv").unwrap().of;
    assert!(matches!(of, Of::Ticks { kind: Kind::Quote, .. }));
}
