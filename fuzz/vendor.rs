//! Files of vendors that are text, archives, and maps of columns.

use std::io::Write;
use std::path::Path;

use qt_model::units::Scale;
use qt_stream::import::{Hints, Meter, Notes, members};

use crate::{hush_contained_panics, import, options, read_import};

/// An importer and the name of a file that it takes: many tell what a file holds by its name.
const FILES: &[(&str, &str)] = &[
    ("tardis", "binance-futures_trades_2024-01-01_BTCUSDT.csv"),
    ("tardis", "bitmex_quotes_2024-01-01_XBTUSD.csv"),
    ("tardis", "deribit_incremental_book_L2_2024-01-01_BTC-PERPETUAL.csv"),
    ("tardis", "binance_book_snapshot_25_2024-01-01_BTCUSDT.csv"),
    ("binance", "BTCUSDT-trades-2024-01-01.csv"),
    ("binance", "BTCUSDT-aggTrades-2024-01-01.csv"),
    ("binance", "BTCUSDT-bookTicker-2024-01-01.csv"),
    ("binance", "BTCUSDT-bookDepth-2024-01-01.csv"),
    ("binance", "BTCUSDT-1m-2024-01-01.csv"),
    ("lean", "data/equity/usa/tick/spy/20131007_trade.csv"),
    ("lean", "data/equity/usa/minute/spy/20131007_quote.csv"),
    ("lean", "data/crypto/coinbase/minute/btcusd/20180404_trade.csv"),
    ("lean", "data/forex/oanda/second/eurusd/20140501_quote.csv"),
    ("histdata", "DAT_ASCII_EURUSD_T_202401.csv"),
    ("histdata", "DAT_ASCII_EURUSD_M1_202401.csv"),
    ("truefx", "EURUSD-2024-01.csv"),
    ("fxcm", "EURUSD_2024_1.csv"),
    ("bars", "6EH4.XCME_1min_bars_20240101_20240131.csv"),
];

/// The first byte names the format and the file, the rest is what is in it.
pub fn read_vendor(data: &[u8]) {
    let Some((of, bytes)) = data.split_first() else { return };
    let (format, name) = FILES[usize::from(*of) % FILES.len()];
    read_import(format, name, bytes);
}

/// A map of columns in TOML, a byte of zero, and the table that it describes.
pub fn read_mapped(data: &[u8]) {
    let Some(at) = data.iter().position(|byte| *byte == 0) else { return };
    let mut map = tempfile::NamedTempFile::new().expect("a temporary file");
    map.write_all(&data[..at]).expect("a temporary file takes bytes");
    let hints = Hints {
        venue: Some("a".to_owned()),
        symbol: Some("X".to_owned()),
        map: Some(map.path().to_owned()),
        px_scale: Scale::new(4).ok(),
        qty_scale: Scale::new(4).ok(),
        ..Hints::default()
    };
    import("map", "x.csv", &data[at + 1..], &hints);
}

/// An archive of files, each read to its end as far as it unpacks.
pub fn unpack(data: &[u8]) {
    hush_contained_panics();
    let mut file = tempfile::Builder::new().suffix(".zip").tempfile().expect("a temporary file");
    file.write_all(data).expect("a temporary file takes bytes");
    let path: &Path = file.path();
    let Ok(all) = members(path) else { return };
    for member in all {
        let opened = member.open(&options(), &Notes::default(), &Meter::default());
        let Ok(mut input) = opened else { continue };
        // What a few bytes unpack to may be large; how large is not the matter here.
        let _ = std::io::copy(
            &mut std::io::Read::take(&mut input.bytes, 1 << 20),
            &mut std::io::sink(),
        );
    }
}
