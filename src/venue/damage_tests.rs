//! Messages of every venue, whole and damaged: nothing panics, a refused message adds nothing, and
//! what is added makes a book.

use proptest::prelude::*;
use qt_market::book::PriceBook;
use qt_model::record::{Batch, Depth};
use qt_model::time::Ts;
use qt_stream::universe::Universe;

use crate::binance::{Binance, Market};
use crate::frame::{Decoder, Frame};
use crate::listing::Scales;
use crate::{bitfinex, bitmex, bitstamp, bybit, coinbase, hyperliquid, kraken, okx};

/// A venue's decoder, messages that it understands, and the records that come of them.
struct Case {
    decoder: fn(&Universe) -> Box<dyn Decoder>,
    messages: &'static [&'static str],
    records: usize,
}

const CASES: &[Case] = &[
    Case {
        decoder: |universe| Box::new(Binance::new(Market::UsdM, universe, Scales::default())),
        messages: &[
            r#"{"e":"depthUpdate","E":1,"T":1,"s":"AB","U":5,"u":6,"pu":4,"b":[["1.00","2"]],"a":[]}"#,
            r#"{"lastUpdateId":6,"E":2,"T":2,"symbol":"AB","bids":[["1.00","2"]],"asks":[["2.00","1"]]}"#,
            r#"{"e":"markPriceUpdate","E":3,"s":"AB","p":"1.5","i":"1.6","r":"0.0001","T":9}"#,
        ],
        records: 5,
    },
    Case {
        decoder: |universe| Box::new(bitfinex::Bitfinex::new(universe, Scales::default())),
        messages: &[
            r#"{"event":"conf","status":"OK","flags":65536}"#,
            r#"{"event":"subscribed","channel":"book","chanId":7,"symbol":"tAB","prec":"P0","pair":"AB"}"#,
            r#"{"event":"subscribed","channel":"trades","chanId":8,"symbol":"tAB","pair":"AB"}"#,
            "[7,[[10.5,1,2.25],[10.6,2,-3]],1]",
            "[7,[10.5,0,1],2]",
            r#"[8,"te",[401,1618677543000,-0.5,10.5],3]"#,
            r#"[8,"tu",[401,1618677543000,-0.5,10.5],4]"#,
            r#"[7,"hb",6]"#,
        ],
        records: 5,
    },
    Case {
        decoder: |universe| Box::new(bitmex::Bitmex::new(universe, Scales::default())),
        messages: &[
            r#"{"table":"orderBookL2","action":"partial","data":[{"symbol":"AB","id":1,"side":"Buy","size":5,"price":1.1e-7}]}"#,
            r#"{"table":"orderBookL2","action":"update","data":[{"symbol":"AB","id":1,"side":"Buy","size":7}]}"#,
            r#"{"table":"orderBookL2","action":"delete","data":[{"symbol":"AB","id":1,"side":"Buy"}]}"#,
            r#"{"table":"trade","action":"insert","data":[{"timestamp":"2021-07-22T22:36:10.014Z","symbol":"AB","side":"Sell","size":52,"price":2e-7}]}"#,
            r#"{"table":"quote","action":"insert","data":[{"timestamp":"2021-07-22T22:36:10.014Z","symbol":"AB","bidSize":7,"bidPrice":1e-7,"askPrice":2e-7,"askSize":1}]}"#,
        ],
        records: 6,
    },
    Case {
        decoder: |universe| Box::new(bitstamp::Bitstamp::new(universe, Scales::default())),
        messages: &[
            r#"{"data":{"microtimestamp":"1641343691244908","bids":[["1.10","3.5"]],"asks":[]},"channel":"diff_order_book_ab","event":"data"}"#,
            r#"{"data":{"id":9,"amount_str":"0.07920000","price_str":"1.20","type":0,"microtimestamp":"1641343699596000"},"channel":"live_trades_ab","event":"trade"}"#,
        ],
        records: 3,
    },
    Case {
        decoder: |universe| Box::new(bybit::Bybit::new(universe, Scales::default())),
        messages: &[
            r#"{"topic":"orderbook.50.AB","type":"snapshot","ts":1733011200691,"data":{"s":"AB","b":[["1.5","2"]],"a":[],"u":5}}"#,
            r#"{"topic":"orderbook.50.AB","type":"delta","ts":1733011200692,"data":{"s":"AB","b":[["1.5","0"]],"a":[],"u":6}}"#,
            r#"{"topic":"orderBookL2_25.CD","type":"snapshot","data":{"order_book":[{"price":"1.5","symbol":"CD","id":"1","side":"Buy","size":2.63}]},"timestamp_e6":"1618677786389362"}"#,
            r#"{"topic":"orderBookL2_25.CD","type":"delta","data":{"delete":[{"price":"1.5","symbol":"CD","id":"1","side":"Buy"}],"update":[],"insert":[]},"timestamp_e6":"1618677786389363"}"#,
            r#"{"topic":"publicTrade.AB","data":[{"T":1733011200691,"s":"AB","S":"Sell","v":"0.1","p":"1.5","i":"7"}]}"#,
            r#"{"topic":"trade.CD","data":[{"symbol":"CD","price":"1.50","size":0.14,"trade_time_ms":"1618677785116","side":"Buy","trade_id":"x"}]}"#,
        ],
        records: 8,
    },
    Case {
        decoder: |universe| Box::new(coinbase::Coinbase::new(universe, Scales::default())),
        messages: &[
            r#"{"type":"snapshot","product_id":"A-B","asks":[["2.0","1"]],"bids":[["1.0","1"]]}"#,
            r#"{"type":"l2update","product_id":"A-B","changes":[["buy","1.0","0"]],"time":"2021-04-17T16:43:37.075687Z"}"#,
            r#"{"type":"match","trade_id":5,"side":"sell","size":"9","price":"1.5","product_id":"A-B","time":"2021-04-17T16:43:37.089723Z"}"#,
        ],
        records: 4,
    },
    Case {
        decoder: |universe| Box::new(hyperliquid::Hyperliquid::new(universe, Scales::default())),
        messages: &[
            r#"{"channel":"l2Book","data":{"coin":"AB","time":1737918843542,"levels":[[{"n":5,"px":"1.5","sz":"3"}],[]]}}"#,
            r#"{"channel":"trades","data":[{"coin":"AB","side":"B","px":"1.5","sz":"2","time":1737918794873,"tid":7}]}"#,
        ],
        records: 3,
    },
    Case {
        decoder: |universe| Box::new(kraken::Kraken::new(universe, Scales::default())),
        messages: &[
            r#"[1,{"as":[["2.0","1.0","1618678123.4"]],"bs":[["1.0","1.0","1618678123.4"]]},"book-10","A/B"]"#,
            r#"[1,{"a":[["2.0","0.0","1618678124.4"]]},{"b":[["1.0","3.0","1618678124.5"]],"c":"1"},"book-10","A/B"]"#,
            r#"[2,[["1.5","0.5","1618678142.557535","s","l",""]],"trade","A/B"]"#,
            r#"[3,{"a":["2.0",1,"1.0"],"b":["1.0",1,"3.0"]},"ticker","A/B"]"#,
            r#"[4,["1.0","2.0","1618678142.5","3.0","1.0"],"spread","A/B"]"#,
        ],
        records: 7,
    },
    Case {
        decoder: |universe| Box::new(okx::Okx::new(universe, Scales::default())),
        messages: &[
            r#"{"arg":{"channel":"books","instId":"A-B"},"action":"snapshot","data":[{"asks":[["2.5","1","0","1"]],"bids":[["1.5","1","0","1"]],"ts":"1652459225393","checksum":0,"seqId":3,"prevSeqId":-1}]}"#,
            r#"{"arg":{"channel":"books","instId":"A-B"},"action":"update","data":[{"asks":[["2.5","0","0","0"]],"bids":[],"ts":"1652459225493","seqId":5,"prevSeqId":4}]}"#,
            r#"{"arg":{"channel":"trades","instId":"A-B"},"data":[{"instId":"A-B","tradeId":"7","px":"1.5","sz":"2","side":"buy","ts":"1652459199958"}]}"#,
            r#"{"arg":{"channel":"tickers","instId":"A-B"},"data":[{"instId":"A-B","askPx":"2","askSz":"1","bidPx":"","bidSz":"","ts":"1652459225464"}]}"#,
        ],
        records: 6,
    },
];

/// Feeds messages, and holds the decoder to its word.
fn feed(case: &Case, messages: &[Vec<u8>]) -> (Batch, usize) {
    let mut decoder = (case.decoder)(&Universe::default());
    let (mut batch, mut refused) = (Batch::default(), 0);
    for (nanos, bytes) in (1..).zip(messages) {
        let before = batch.len();
        let read = decoder.frame(Frame { ts_recv: Ts::from_nanos(nanos), bytes }, &mut batch);
        assert!(read.is_ok() || batch.len() == before, "a refused message adds nothing");
        refused += usize::from(read.is_err());
    }
    let mut book = PriceBook::default();
    for (at, depth) in batch.rows::<Depth>().iter().enumerate() {
        book.apply(depth, batch.levels(at));
        assert!(book.bids().is_sorted_by(|a, b| a.px > b.px));
        assert!(book.asks().is_sorted_by(|a, b| a.px < b.px));
    }
    (batch, refused)
}

fn bytes(case: &Case) -> Vec<Vec<u8>> {
    case.messages.iter().map(|message| message.as_bytes().to_vec()).collect()
}

#[test]
fn what_venues_send_is_understood() {
    for (at, case) in CASES.iter().enumerate() {
        let (batch, refused) = feed(case, &bytes(case));
        let kinds: Vec<_> = batch.iter().map(|record| record.kind().name()).collect();
        assert_eq!((kinds.len(), refused), (case.records, 0), "case {at}: {kinds:?}");
    }
}

#[test]
fn a_hole_in_the_numbers_of_each_venue_is_a_gap() {
    // Bitfinex jumps from 4 to 6, Kraken's checksum is wrong, OKX names another predecessor.
    for (at, gaps) in [(1, 1), (7, 1), (8, 1), (5, 0)] {
        let (batch, _) = feed(&CASES[at], &bytes(&CASES[at]));
        let found = batch.iter().filter(|record| record.kind().name() == "gap").count();
        assert_eq!(found, gaps, "case {at}");
    }
}

proptest! {
    #[test]
    fn damage_is_refused_or_understood(
        which in 0..CASES.len(),
        damage in prop::collection::vec((any::<u16>(), any::<u16>(), any::<u8>(), 0_u8..4), 1..6),
    ) {
        const LIKELY: &[u8] = b"0123456789.\"-,:[]{}e\\n tfu";
        let mut messages = bytes(&CASES[which]);
        for (message, at, byte, how) in damage {
            let index = usize::from(message) % messages.len();
            let message = &mut messages[index];
            if message.is_empty() {
                continue;
            }
            let at = usize::from(at) % message.len();
            let likely = LIKELY[usize::from(byte) % LIKELY.len()];
            match how {
                0 => message.truncate(at),
                1 => message[at] = byte,
                2 => message[at] = likely,
                _ => message.insert(at, likely),
            }
        }
        feed(&CASES[which], &messages);
    }
}
