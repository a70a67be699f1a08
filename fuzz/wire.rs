//! Wires and captures of them.

use std::io::Cursor;
use std::sync::Arc;

use qt_market::book::PriceBook;
use qt_model::record::{Batch, Depth, Source};
use qt_model::time::Ts;
use qt_stream::import::{Hints, ImportInput, Notes};
use qt_stream::read::Options;
use qt_stream::tolerance::Tolerance;
use qt_stream::universe::Universe;
use qt_venue::binance::{Binance, Market};
use qt_venue::frame::{Decoder, Frame};
use qt_venue::{
    Scales, bitfinex, bitmex, bitstamp, bybit, coinbase, hyperliquid, kraken, okx,
};

fn decoder(of: u8, universe: &Universe) -> Box<dyn Decoder> {
    let scales = Scales::default();
    match of % 11 {
        0 => Box::new(Binance::new(Market::Spot, universe, scales)),
        1 => Box::new(Binance::new(Market::UsdM, universe, scales)),
        2 => Box::new(Binance::new(Market::CoinM, universe, scales)),
        3 => Box::new(bitfinex::Bitfinex::new(universe, scales)),
        4 => Box::new(bitmex::Bitmex::new(universe, scales)),
        5 => Box::new(bitstamp::Bitstamp::new(universe, scales)),
        6 => Box::new(bybit::Bybit::new(universe, scales)),
        7 => Box::new(coinbase::Coinbase::new(universe, scales)),
        8 => Box::new(hyperliquid::Hyperliquid::new(universe, scales)),
        9 => Box::new(kraken::Kraken::new(universe, scales)),
        _ => Box::new(okx::Okx::new(universe, scales)),
    }
}

/// Feeds the lines to a decoder, odd ones as answers, and applies what comes out to a book.
pub fn decode_messages(data: &[u8]) {
    let Some((of, messages)) = data.split_first() else { return };
    let mut decoder = decoder(*of, &Universe::default());
    let (mut batch, mut book) = (Batch::default(), PriceBook::default());
    for (nanos, bytes) in (1..).zip(messages.split(|byte| *byte == b'\n')) {
        let frame = Frame { ts_recv: Ts::from_nanos(nanos), bytes };
        let before = batch.len();
        let read = match of & 0x80 {
            0 => decoder.frame(frame, &mut batch),
            _ => decoder.reply("/order_book/x?symbol=A", frame, &mut batch),
        };
        assert!(read.is_ok() || batch.len() == before, "a refused message adds nothing");
    }
    for (at, depth) in batch.rows::<Depth>().iter().enumerate() {
        book.apply(depth, batch.levels(at));
        assert!(book.bids().is_sorted_by(|a, b| a.px > b.px));
        assert!(book.asks().is_sorted_by(|a, b| a.px < b.px));
    }
}

/// Imports a capture to its end, whatever it holds; what comes out is in order.
pub fn import_capture(data: &[u8]) {
    let Some((of, bytes)) = data.split_first() else { return };
    let importer = qt_venue::IMPORTERS[usize::from(*of) % qt_venue::IMPORTERS.len()];
    let venues = [None, Some("binance"), Some("binance-usdm"), Some("kraken"), Some("okx")];
    let venue = venues[usize::from(of >> 4) % venues.len()];
    let hints = Hints { venue: venue.map(str::to_owned), ..Hints::default() };
    let options = Options { tolerance: Tolerance::skip(), ..Options::default() };
    let input = || ImportInput {
        name: Arc::from("fuzz"),
        path: None,
        bytes: Box::new(Cursor::new(bytes.to_vec())),
        notes: Notes::default(),
        is_packed: false,
    };
    if importer.survey(input(), &hints, &options).is_err() {
        return;
    }
    let Ok(mut source) = importer.open(input(), &hints, &options) else { return };
    let (mut batch, mut last) = (Batch::default(), Ts::MIN);
    while let Ok(true) = source.next(&mut batch) {
        for slot in batch.slots() {
            assert!(last <= slot.ts_recv, "records are in order");
            last = slot.ts_recv;
        }
    }
}
