//! Messages of Binance, both roads, and the records that come of them.

use proptest::prelude::*;
use qt_model::record::{Bar, Batch, Depth, Funding, Gap, InstrumentRow, Mark, Quote, Trade};
use qt_model::time::Ts;
use qt_model::units::Scale;
use qt_model::words::{DepthAction, GapReason, InstrumentClass, Payoff, Side};
use qt_stream::universe::Universe;

use super::general::Reader;
use super::{Binance, Market, quick};
use crate::frame::{Decoder, Frame};
use crate::json::Tape;
use crate::listing::Scales;

const SPOT_UPDATE: &str = r#"{"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate","E":1723161255208,"s":"BTCUSDT","U":189,"u":202,"b":[["61737.63000000","0.00000000"],["61730.17000000","0.50000000"]],"a":[["61837.64000000","1.54698000"]]}}"#;
const SPOT_QUOTE: &str = r#"{"stream":"btcusdt@bookTicker","data":{"u":212,"s":"BTCUSDT","b":"61837.63000000","B":"3.78826000","a":"61837.64000000","A":"1.54698000"}}"#;
const SPOT_TRADE: &str = r#"{"stream":"btcusdt@trade","data":{"e":"trade","E":1723161255343,"s":"BTCUSDT","t":3735683259,"p":"61837.63000000","q":"0.02000000","b":20720542158,"a":20720542592,"T":1723161255342,"m":true,"M":true}}"#;
const SPOT_AGGREGATE: &str = r#"{"e":"aggTrade","E":1633998523963,"s":"BTCUSDT","a":15683430,"p":"0.35280000","q":"58.00000000","f":19862790,"l":19862791,"T":1633998523963,"m":false,"M":true}"#;
const USDM_UPDATE: &str = r#"{"stream":"btcusdt@depth@0ms","data":{"e":"depthUpdate","E":1723161256299,"T":1723161256298,"s":"BTCUSDT","U":5006,"u":5557,"pu":4931,"b":[["58710.20","0.014"]],"a":[]}}"#;
const USDM_QUOTE: &str = r#"{"e":"bookTicker","u":5123107839020,"s":"BTCUSDT","b":"61800.20","B":"2.507","a":"61800.30","A":"2.510","T":1723161256313,"E":1723161256313}"#;
const USDM_TRADE: &str = r#"{"stream":"btcusdt@trade","data":{"e":"trade","E":1723161256322,"T":1723161256322,"s":"BTCUSDT","t":5266583935,"p":"61800.30","q":"0.006","X":"MARKET","m":false}}"#;
const USDM_MARK: &str = r#"{"stream":"btcusdt@markPrice@1s","data":{"e":"markPriceUpdate","E":1680652701000,"s":"BTCUSDT","p":"28147.27373413","P":"28142.15563565","i":"28159.75642857","r":"0.00002754","T":1680652800000}}"#;
const COINM_UPDATE: &str = r#"{"stream":"ethusd_perp@depth@0ms","data":{"e":"depthUpdate","E":1723161257440,"T":1723161257434,"s":"ETHUSD_PERP","ps":"ETHUSD","U":1216,"u":1578,"pu":1180,"b":[["2657.70","0"],["2680.97","4095"]],"a":[["2682.13","0"]]}}"#;
const COINM_QUOTE: &str = r#"{"stream":"ethusd_perp@bookTicker","data":{"u":1007198631825,"e":"bookTicker","s":"ETHUSD_PERP","ps":"ETHUSD","b":"2682.17","B":"159","a":"2682.18","A":"3794","T":1723161257450,"E":1723161257457}}"#;

const QUICK: [(Market, &str); 9] = [
    (Market::Spot, SPOT_UPDATE),
    (Market::Spot, SPOT_QUOTE),
    (Market::Spot, SPOT_TRADE),
    (Market::Spot, SPOT_AGGREGATE),
    (Market::UsdM, USDM_UPDATE),
    (Market::UsdM, USDM_QUOTE),
    (Market::UsdM, USDM_TRADE),
    (Market::CoinM, COINM_UPDATE),
    (Market::CoinM, COINM_QUOTE),
];

fn decoder(market: Market) -> Binance {
    Binance::new(market, &Universe::default(), Scales::default())
}

fn at(nanos: i64) -> Ts {
    Ts::from_nanos(nanos)
}

/// Feeds messages, a nanosecond apart.
fn fed(decoder: &mut Binance, messages: &[&str]) -> Batch {
    let mut batch = Batch::default();
    for (nanos, message) in (1..).zip(messages) {
        let frame = Frame { ts_recv: at(nanos), bytes: message.as_bytes() };
        decoder.frame(frame, &mut batch).unwrap_or_else(|error| panic!("{message}: {error}"));
    }
    batch
}

fn refusal(market: Market, message: &str) -> String {
    let mut batch = Batch::default();
    let frame = Frame { ts_recv: at(1), bytes: message.as_bytes() };
    let error = decoder(market).frame(frame, &mut batch).expect_err(message);
    assert!(batch.is_empty(), "nothing is added on an error: {message}");
    error.to_string()
}

/// Both roads on one message, after its instrument is known; whether the quick one took it.
fn both_roads_agree(market: Market, message: &str) -> bool {
    let mut decoder = decoder(market);
    let mut general = |levels: &mut Vec<_>| {
        levels.clear();
        let subject = Some("BTCUSDT");
        Reader { market, desk: &mut decoder.desk, subject, levels }
            .read(Tape::default().read(message.as_bytes())?)
    };
    let mut slow_levels = Vec::new();
    // Twice: the first one takes the instrument into use.
    let first = general(&mut slow_levels);
    let slow = general(&mut slow_levels);
    assert_eq!(first, slow, "{message}");
    let mut levels = Vec::new();
    let Some(said) = quick::read(message.as_bytes(), &mut decoder.desk.listing, &mut levels) else {
        return false;
    };
    assert_eq!(slow, Ok(vec![said]), "{message}");
    assert_eq!(levels, slow_levels, "{message}");
    true
}

#[test]
fn the_quick_road_takes_what_binance_sends_and_agrees_with_the_general_one() {
    for (market, message) in QUICK {
        assert!(both_roads_agree(market, message), "{message}");
    }
}

proptest! {
    // Any byte of a message may be damaged: the roads still agree, and neither panics.
    #[test]
    fn damage_never_parts_the_roads(
        which in 0_usize..QUICK.len(),
        at in 0_usize..400,
        byte in prop_oneof![any::<u8>(), Just(b'"'), Just(b'0'), Just(b'.'), Just(b'-'), Just(b' ')],
        cut in any::<bool>(),
    ) {
        let (market, message) = QUICK[which];
        let mut bytes = message.as_bytes().to_vec();
        let at = at % bytes.len();
        if cut { bytes.truncate(at) } else { bytes[at] = byte }
        if let Ok(damaged) = std::str::from_utf8(&bytes) {
            both_roads_agree(market, damaged);
        } else {
            refusal(market, "\u{fffd}");
            let frame = Frame { ts_recv: Ts::default(), bytes: &bytes };
            prop_assert!(decoder(market).frame(frame, &mut Batch::default()).is_err());
        }
    }
}

#[test]
fn messages_become_records() {
    let mut spot = decoder(Market::Spot);
    let batch = fed(&mut spot, &[SPOT_UPDATE, SPOT_QUOTE, SPOT_TRADE]);
    let instrument = &batch.rows::<InstrumentRow>()[0];
    assert_eq!((instrument.px_scale, instrument.qty_scale), (8, 8));
    assert_eq!(instrument.class, Some(InstrumentClass::Spot));
    let depth = &batch.rows::<Depth>()[0];
    assert_eq!((depth.first_id, depth.last_id, depth.prev_id), (Some(189), Some(202), None));
    assert_eq!(depth.head.ts_event, at(1_723_161_255_208_000_000));
    assert_eq!(batch.levels(0).len(), 3);
    assert_eq!(batch.levels(0)[1].px.mantissa(), 6_173_017_000_000);
    let quote = &batch.rows::<Quote>()[0];
    assert_eq!((quote.id, quote.head.has_event_time), (Some(212), false));
    let trade = &batch.rows::<Trade>()[0];
    assert_eq!((trade.side, trade.id), (Some(Side::Sell), Some(3_735_683_259)));
    assert_eq!(trade.qty.mantissa(), 2_000_000);
    assert_eq!(trade.head.ts_event, at(1_723_161_255_342_000_000));
}

#[test]
fn a_mark_comes_with_its_funding() {
    let batch = fed(&mut decoder(Market::UsdM), &[USDM_MARK, USDM_QUOTE, USDM_MARK]);
    let mark = &batch.rows::<Mark>()[0];
    assert_eq!(mark.mark_px.to_string(), "28147.27373413");
    assert_eq!(mark.index_px.map(|index| index.to_string()).as_deref(), Some("28159.75642857"));
    let funding = &batch.rows::<Funding>()[0];
    assert_eq!(funding.rate.to_string(), "0.00002754");
    assert_eq!(funding.due, Some(at(1_680_652_800_000_000_000)));
    // The first came before the instrument was known at any scale.
    assert_eq!(batch.rows::<Mark>().len(), 1);
}

#[test]
fn a_bar_is_written_when_it_closes() {
    let bar = |closed| {
        format!(
            r#"{{"e":"kline","E":1638747660000,"s":"BTCUSDT","k":{{"t":1638747660000,"T":1638747719999,"s":"BTCUSDT","i":"1m","f":100,"L":200,"o":"0.0010","c":"0.0020","h":"0.0025","l":"0.0010","v":"1000","n":100,"x":{closed},"q":"1.0000","V":"500","Q":"0.500","B":"123456"}}}}"#
        )
    };
    let mut decoder = decoder(Market::UsdM);
    let batch = fed(&mut decoder, &[&bar(false), &bar(true)]);
    assert_eq!(decoder.tally().get("bars that are still open"), 1);
    let bar = &batch.rows::<Bar>()[0];
    assert_eq!(bar.head.ts_event, at(1_638_747_720_000_000_000));
    assert_eq!(bar.step.to_string(), "60000000000");
    assert_eq!((bar.high.mantissa(), bar.volume.mantissa(), bar.trades), (25, 1000, Some(100)));
}

#[test]
fn what_is_no_market_print_is_counted_and_left_out() {
    let other = USDM_TRADE.replace("MARKET", "INSURANCE_FUND");
    let empty = USDM_TRADE.replace("0.006", "0.000");
    let order = r#"{"e":"forceOrder","E":1568014460893,"o":{"s":"BTCUSDT"}}"#;
    let mut decoder = decoder(Market::UsdM);
    let batch =
        fed(&mut decoder, &[USDM_TRADE, &other, &empty, order, r#"{"result":null,"id":1}"#]);
    assert_eq!(batch.rows::<Trade>().len(), 1);
    let counts: Vec<_> = decoder.tally().iter().map(|(_, count)| count).collect();
    assert_eq!(counts, [1, 1, 1, 1]);
    assert_eq!(decoder.tally().get("prints that are no market trades"), 1);
}

#[test]
fn single_trades_and_aggregates_of_them_are_not_added_up() {
    let mut decoder = decoder(Market::Spot);
    let batch = fed(&mut decoder, &[SPOT_TRADE, SPOT_AGGREGATE]);
    assert_eq!(batch.rows::<Trade>().len(), 1);
    assert_eq!(decoder.tally().get(super::PRINT_TWICE), 1);
}

fn spot_update(first: u64, last: u64, bid: &str) -> String {
    format!(
        r#"{{"e":"depthUpdate","E":1,"s":"BTCUSDT","U":{first},"u":{last},"b":[["{bid}","1.00000000"]],"a":[]}}"#
    )
}

#[test]
fn a_late_snapshot_comes_out_as_the_book_at_its_moment() {
    let snapshot = r#"{"lastUpdateId":10,"bids":[["5.00000000","2.00000000"]],"asks":[["9.00000000","1.00000000"]]}"#;
    let updates = [spot_update(8, 9, "1.00000000"), spot_update(10, 12, "6.00000000")];
    let mut decoder = decoder(Market::Spot);
    let batch = fed(&mut decoder, &[&updates[0], &updates[1], snapshot]);
    let actions: Vec<_> = batch.rows::<Depth>().iter().map(|row| row.action).collect();
    assert_eq!(actions, [DepthAction::Delta, DepthAction::Delta, DepthAction::Snapshot]);
    assert_eq!(batch.rows::<Depth>()[2].last_id, Some(12));
    let prices: Vec<_> = batch.levels(2).iter().map(|level| level.px.mantissa()).collect();
    assert_eq!(prices, [600_000_000, 500_000_000, 900_000_000]);
}

#[test]
fn a_hole_in_the_numbers_is_a_gap_record() {
    let updates =
        [spot_update(8, 9, "1.0"), spot_update(12, 13, "1.0"), spot_update(12, 13, "1.0")];
    let mut decoder = decoder(Market::Spot);
    let batch = fed(&mut decoder, &updates.each_ref().map(String::as_str));
    let gap = &batch.rows::<Gap>()[0];
    assert_eq!((gap.from, gap.to, gap.reason), (at(1), at(2), GapReason::Sequence));
    assert_eq!((gap.missing, batch.rows::<Depth>().len()), (Some(2), 2));
    assert_eq!(decoder.tally().get(super::OLD_UPDATE), 1);
}

#[test]
fn pictures_make_a_book_until_updates_come() {
    let picture = r#"{"stream":"btcusdt@depth5@100ms","data":{"lastUpdateId":160,"bids":[["0.0024","10"]],"asks":[["0.0026","100"]]}}"#;
    let update = spot_update(161, 162, "0.0024");
    let mut decoder = decoder(Market::Spot);
    let batch = fed(&mut decoder, &[picture, picture, &update, picture]);
    let actions: Vec<_> = batch.rows::<Depth>().iter().map(|row| row.action).collect();
    assert_eq!(actions, [DepthAction::Snapshot, DepthAction::Snapshot, DepthAction::Delta]);
    assert_eq!(batch.rows::<Gap>()[0].reason, GapReason::NoSnapshot);
    assert_eq!(decoder.tally().get(super::PICTURE_BESIDE_UPDATES), 1);
}

#[test]
fn exchange_info_gives_terms_and_scales() {
    let info = r#"{"symbols":[{"symbol":"ETHUSD_PERP","pair":"ETHUSD","contractType":"PERPETUAL","deliveryDate":4133404800000,"contractSize":10,"contractStatus":"TRADING","baseAsset":"ETH","quoteAsset":"USD","marginAsset":"ETH","pricePrecision":2,"quantityPrecision":0,"filters":[{"filterType":"PRICE_FILTER","tickSize":"0.01"},{"filterType":"LOT_SIZE","stepSize":"1"}]}]}"#;
    let batch = fed(&mut decoder(Market::CoinM), &[info, COINM_QUOTE]);
    let row = &batch.rows::<InstrumentRow>()[0];
    assert_eq!((row.px_scale, row.qty_scale, row.payoff), (2, 0, Some(Payoff::Inverse)));
    assert_eq!(row.multiplier.map(|size| size.to_string()).as_deref(), Some("10"));
    assert_eq!((row.settle.as_deref(), row.expiry), (Some("ETH"), None));
    let symbol = &batch.instruments().iter().next().unwrap().symbol;
    assert_eq!(symbol.as_str(), "binance-coinm:ETHUSD_PERP");
}

#[test]
fn the_answer_to_a_request_is_about_what_was_asked() {
    let mut decoder = decoder(Market::Spot);
    let mut batch = Batch::default();
    let snapshot = br#"{"lastUpdateId":10,"bids":[["5.0","2.0"]],"asks":[]}"#;
    let frame = Frame { ts_recv: at(1), bytes: snapshot };
    assert!(decoder.frame(frame, &mut batch).unwrap_err().to_string().contains("--symbol"));
    decoder.reply("/api/v3/depth?symbol=LRCBTC&limit=1000", frame, &mut batch).unwrap();
    assert_eq!(batch.instruments().iter().next().unwrap().symbol.name(), "LRCBTC");
}

#[test]
fn asked_scales_count_and_misfits_name_the_flag() {
    let scales = Scales { px: Scale::new(2).ok(), qty: Scale::new(5).ok() };
    let mut narrow = Binance::new(Market::Spot, &Universe::default(), scales);
    let batch = fed(&mut narrow, &[SPOT_QUOTE]);
    assert_eq!(batch.rows::<Quote>()[0].bid_px.unwrap().mantissa(), 6_183_763);
    let frame = SPOT_QUOTE.replace("61837.64000000", "61837.64500000");
    let frame = Frame { ts_recv: at(2), bytes: frame.as_bytes() };
    let said = narrow.frame(frame, &mut Batch::default()).unwrap_err().to_string();
    assert!(said.contains("pass --px-scale 3"), "{said}");
}

#[test]
fn broken_messages_name_the_field() {
    for (message, expected) in [
        ("", "not JSON"),
        ("{\"e\":", "not JSON"),
        ("17", "expected an object"),
        ("{}", "neither an event nor a snapshot"),
        (r#"{"e":"trade"}"#, "field `p`"),
        (r#"{"e":7}"#, "field `e`: expected a text, found 7"),
        (&SPOT_TRADE.replace("61837.63000000", "NaN"), "field `p`: expected a number"),
        (&SPOT_TRADE.replace("61837.63000000", "1,5"), "field `p`: expected a decimal"),
        (&SPOT_TRADE.replace("0.02000000", "-1.00"), "field `q`"),
        (&SPOT_TRADE.replace("1723161255342", "-5"), "field `T`: expected a whole number"),
        (&SPOT_TRADE.replace("\"BTCUSDT\"", "\"BTC USDT\""), "is not a symbol"),
        (&SPOT_UPDATE.replace("189", "1e9"), "field `U`"),
        (&SPOT_UPDATE.replace("[\"61837.64000000\",\"1.54698000\"]", "[\"1\"]"), "pairs of price"),
        (&SPOT_UPDATE.replace("1.54698000", "999999999999999999999"), "field `size`"),
    ] {
        let said = refusal(Market::Spot, message);
        assert!(said.contains(expected), "{message}: {said}");
    }
}
