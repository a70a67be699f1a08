//! Captures made by hand: what is recognised, and what is said about bad ones.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use proptest::prelude::*;
use qt_model::record::{Batch, Gap, Source, Trade};
use qt_model::units::Scale;
use qt_model::words::GapReason;
use qt_stream::import::{Hints, ImportInput, Importer, Likeness, Look, Notes};
use qt_stream::read::Options;
use qt_stream::tolerance::Tolerance;

use super::IMPORTERS;

const TRADE: &str = r#"1723161253937085768 {"stream":"btcusdt@trade","data":{"e":"trade","E":1723161255343,"s":"BTCUSDT","t":7,"p":"61837.63000000","q":"0.02000000","T":1723161255342,"m":true,"M":true}}"#;
const SNAPSHOT: &str =
    r#"1723161253937085769 {"lastUpdateId":10,"bids":[["5.00","2.0"]],"asks":[["6.00","1.0"]]}"#;
const FEED: &str = "wss://ws.kraken.com <-> 1618678132.36\n1618678142.59: [993,[[\"354.11\",\"0.89594024\",\"1618678142.557535\",\"s\",\"l\",\"\"]],\"trade\",\"XMR/USD\"]\n";
const OB500: &str = r#"{"topic":"orderbook.500.XRPUSDT","type":"snapshot","ts":1733011200691,"data":{"s":"XRPUSDT","b":[["1.9531","6203"]],"a":[["1.9532","1"]],"u":5,"seq":9},"cts":1733011200589}"#;
const ANSWER: &str = "{\"error\":[],\"result\":{\"XBTUSDT\":[[\"105433.60000\",\"0.00027625\",1762795433.9717445,\"b\",\"l\",\"\",10218208]],\"last\":\"1\"}}";

/// The surest importer for some bytes.
fn format_of(name: &str, bytes: &[u8]) -> Option<&'static str> {
    let path = PathBuf::from(name);
    let look = Look { start: bytes, path: Some(&path) };
    let all = IMPORTERS.iter().map(|importer| (importer.recognise(&look), importer.about().name));
    all.max_by_key(|(likeness, _)| *likeness)
        .filter(|(likeness, _)| *likeness > Likeness::Part)
        .map(|(_, name)| name)
}

struct Imported {
    batch: Batch,
    notes: Notes,
}

fn import(
    format: &str,
    bytes: &[u8],
    hints: &Hints,
    options: &Options,
) -> Result<Imported, String> {
    let mut all = IMPORTERS.iter();
    let importer = all.find(|it| it.about().name == format).expect("a format of this room");
    let notes = Notes::default();
    let input = ImportInput {
        name: Arc::from("capture"),
        path: None,
        bytes: Box::new(std::io::Cursor::new(bytes.to_vec())),
        notes: notes.clone(),
        is_packed: false,
    };
    let mut source = importer.open(input, hints, options).map_err(|error| error.to_string())?;
    let (mut all, mut batch) = (Batch::default(), Batch::default());
    while source.next(&mut batch).map_err(|error| error.to_string())? {
        all.set_instruments(Arc::clone(batch.instruments()));
        batch.iter().for_each(|record| all.push(record));
    }
    Ok(Imported { batch: all, notes })
}

fn refusal(format: &str, text: &str) -> String {
    match import(format, text.as_bytes(), &Hints::default(), &Options::default()) {
        Ok(imported) => panic!("{text} is refused, not {} records", imported.batch.len()),
        Err(said) => said,
    }
}

#[test]
fn formats_are_told_by_their_content() {
    assert_eq!(format_of("x", TRADE.as_bytes()), Some("stamped-json"));
    assert_eq!(format_of("x", format!("\u{feff}\n{SNAPSHOT}").as_bytes()), Some("stamped-json"));
    assert_eq!(format_of("x", FEED.as_bytes()), Some("cryptofeed"));
    assert_eq!(format_of("x", OB500.as_bytes()), Some("bybit-ob500"));
    assert_eq!(format_of("x", ANSWER.as_bytes()), Some("kraken-rest"));
    for other in ["", "\n\n", "k,ts_event", "{\"k\":\"trade\"}", "1723161253,1.5,2", "17 {}"] {
        assert_eq!(format_of("x", other.as_bytes()), None, "{other}");
    }
}

#[test]
fn examples_are_of_the_format_that_shows_them() {
    let names: Vec<_> = IMPORTERS.iter().map(|importer| importer.about().name).collect();
    assert!(names.is_sorted(), "{names:?}");
    for importer in IMPORTERS {
        assert!(importer.about().example.starts_with("qt record import "));
    }
}

#[test]
fn marks_blank_lines_and_carriage_returns_are_no_matter() {
    let text = format!("\u{feff}\r\n{TRADE}\r\n\r\n   \n{TRADE}\n");
    let imported =
        import("stamped-json", text.as_bytes(), &Hints::default(), &Options::default()).unwrap();
    assert_eq!(imported.batch.rows::<Trade>().len(), 2);
    let noted: Vec<_> = imported.notes.all().into_iter().map(|(note, _)| note).collect();
    assert_eq!(noted, ["capture: read as a capture of binance"]);
}

#[test]
fn bad_lines_are_named_with_what_was_expected() {
    let line = |from: &str, to: &str| format!("{TRADE}\n{}\n", TRADE.replace(from, to));
    for (text, expected) in [
        (line("1723161253937085768 ", "17231612539370857 "), "line 2: field `local time`"),
        (
            line("1723161253937085768 ", "1723161253937085768"),
            "line 2: field `local time`: expected a space",
        ),
        (
            line("1723161253937085768 ", "1723161253937085 "),
            "as many digits as in the lines before",
        ),
        (line("61837.63000000", "61837,63"), "line 2: field `p`: expected a decimal number"),
        (line("61837.63000000", "NaN"), "line 2: field `p`: expected a number"),
        (line("0.02000000", "99999999999999999999"), "pass --qty-scale with less than 8"),
        (line("61837.63000000", "0.123456789"), "pass --px-scale 9"),
        (line("}}", "}"), "line 2: not JSON"),
        (line("\"e\":\"trade\"", "\"e\":\"trade"), "line 2: not JSON"),
        (line("\"T\":1723161255342,", ""), "line 2: field `T`: expected a value, found nothing"),
        (SNAPSHOT.to_owned() + "\n", "the messages do not tell their market; pass --venue"),
        ("9999999999999999999 {}\n".to_owned(), "pass --venue"),
    ] {
        let said = refusal("stamped-json", &text);
        assert!(said.contains(expected), "{said}\n{text}");
        assert!(said.starts_with("capture: "), "{said}");
    }
}

#[test]
fn a_capture_cut_in_its_last_line_says_so() {
    let text = format!("{TRADE}\n{}", &TRADE[..90]);
    assert!(refusal("stamped-json", &text).contains("the stream is cut: the last line has no end"));
    let options = Options { allow_truncated: true, ..Options::default() };
    let imported = import("stamped-json", text.as_bytes(), &Hints::default(), &options).unwrap();
    assert_eq!(imported.batch.rows::<Trade>().len(), 1);
    // A line that is whole needs no line feed.
    let whole = format!("{TRADE}\n{TRADE}");
    let imported =
        import("stamped-json", whole.as_bytes(), &Hints::default(), &Options::default()).unwrap();
    assert_eq!(imported.batch.rows::<Trade>().len(), 2);
}

#[test]
fn what_came_before_a_cut_is_handed_out() {
    let text = format!("{TRADE}\n{TRADE}\n{}", &TRADE[..90]);
    let importer = IMPORTERS.iter().find(|it| it.about().name == "stamped-json").unwrap();
    let input = || ImportInput {
        name: Arc::from("capture"),
        path: None,
        bytes: Box::new(std::io::Cursor::new(text.clone().into_bytes())),
        notes: Notes::default(),
        is_packed: false,
    };
    let options = Options::default();
    assert!(importer.survey(input(), &Hints::default(), &options).unwrap().is_some());
    let known = options.universe.snapshot();
    let scales = known.iter().map(|it| (it.px_scale.digits(), it.qty_scale.digits()));
    assert_eq!(scales.collect::<Vec<_>>(), [(2, 2)]);
    let mut source = importer.open(input(), &Hints::default(), &options).unwrap();
    let mut batch = Batch::default();
    assert!(source.next(&mut batch).unwrap());
    assert_eq!(batch.rows::<Trade>().len(), 2);
    assert!(source.next(&mut batch).is_err());
}

#[test]
fn bad_lines_are_skipped_where_that_is_asked_for() {
    let text = format!("{TRADE}\n1723161253937085769 {{\n{TRADE}\n");
    let options = Options { tolerance: Tolerance::skip(), ..Options::default() };
    let imported = import("stamped-json", text.as_bytes(), &Hints::default(), &options).unwrap();
    assert_eq!((imported.batch.rows::<Trade>().len(), options.tolerance.skipped()), (2, 1));
}

#[test]
fn what_the_user_says_is_held_against_the_messages() {
    let hints = |venue: &str| Hints { venue: Some(venue.to_owned()), ..Hints::default() };
    let said = |venue| {
        let text = format!("{TRADE}\n");
        import("stamped-json", text.as_bytes(), &hints(venue), &Options::default()).err()
    };
    assert!(said("binance-usdm").unwrap().contains("these are messages of binance"));
    assert!(said("nasdaq").unwrap().contains("expected binance, binance-usdm"));
    assert_eq!(said("binance"), None);
    let symbol = Some("ethusdt".to_owned());
    let px_scale = Scale::new(3).ok();
    let hints = Hints { symbol, px_scale, ..hints("binance") };
    let text = format!("{SNAPSHOT}\n");
    let imported = import("stamped-json", text.as_bytes(), &hints, &Options::default()).unwrap();
    let instrument = imported.batch.instruments().iter().next().unwrap();
    assert_eq!(instrument.symbol.as_str(), "binance:ETHUSDT");
    assert_eq!(instrument.px_scale.digits(), 3);
    let said =
        import("cryptofeed", FEED.as_bytes(), &self::hints("okx"), &Options::default()).err();
    assert!(said.unwrap().contains("these are messages of kraken"));
}

fn hints(venue: &str) -> Hints {
    Hints { venue: Some(venue.to_owned()), ..Hints::default() }
}

#[test]
fn messages_tell_the_market_that_they_are_of() {
    let trade = |rest: &str| {
        format!(
            r#"1723161253937085768 {{"e":"{rest},"p":"1.5","q":"2","T":1723161255342,"m":true}}"#
        )
    };
    for (line, venue) in [
        (TRADE.to_owned(), "binance"),
        (trade(r#"trade","s":"AB","t":7,"X":"MARKET""#), "binance-usdm"),
        (trade(r#"aggTrade","s":"AB","a":7"#), "binance-usdm"),
        (trade(r#"aggTrade","M":true,"s":"AB","a":7"#), "binance"),
        (trade(r#"trade","s":"BTCUSD_240628","t":7,"X":"MARKET""#), "binance-coinm"),
        (trade(r#"trade","s":"ETHUSD_PERP","t":7,"X":"MARKET""#), "binance-coinm"),
    ] {
        let text = format!("{line}\n");
        let imported =
            import("stamped-json", text.as_bytes(), &Hints::default(), &Options::default());
        let imported = imported.unwrap_or_else(|error| panic!("{line}: {error}"));
        let instrument = imported.batch.instruments().iter().next().unwrap();
        assert_eq!(instrument.symbol.venue(), venue, "{line}");
    }
}

#[test]
fn several_instruments_in_one_capture_are_told_apart() {
    let other = TRADE.replace("BTCUSDT", "ETHUSDT").replace("61837.63", "2500.10");
    let text = format!("{TRADE}\n{other}\n");
    let imported =
        import("stamped-json", text.as_bytes(), &Hints::default(), &Options::default()).unwrap();
    let symbols: Vec<_> =
        imported.batch.instruments().iter().map(|it| it.symbol.name().to_owned()).collect();
    assert_eq!(symbols, ["BTCUSDT", "ETHUSDT"]);
}

#[test]
fn a_checksum_that_does_not_fit_is_a_gap() {
    let book = r#"1618678133.6: [1,{"as":[["2.0","1.00000000","1618678123.4"]],"bs":[["1.0","1.00000000","1618678123.4"]]},"book-10","A/B"]"#;
    let update =
        r#"1618678134.6: [1,{"a":[["3.0","1.00000000","1618678124.4"]],"c":"1"},"book-10","A/B"]"#;
    let text = format!("wss://ws.kraken.com <-> 1618678132.36\n{book}\n{update}\n{update}\n");
    let imported =
        import("cryptofeed", text.as_bytes(), &Hints::default(), &Options::default()).unwrap();
    let gap = &imported.batch.rows::<Gap>()[0];
    assert_eq!((gap.reason, gap.from), (GapReason::Corrupt, gap.to));
    assert_eq!(imported.batch.rows::<Gap>().len(), 1);
    assert!(imported.notes.all().contains(&("checksums that do not fit the book".to_owned(), 1)));
}

#[test]
fn lines_of_cryptofeed_are_named_when_they_are_none() {
    let start = "wss://ws.kraken.com <-> 1618678132.36\n";
    for (line, expected) in [
        ("nonsense", "line 2: field `line`: expected a time, or an address and an arrow"),
        ("16186x: {}", "line 2: field `line`"),
        ("1618678142.1234567891: {}", "expected seconds since 1970"),
        ("1618678142.5: [1]", "a channel message of less than four parts"),
        ("1618678142.5: {}", "an event or a channel message of Kraken"),
        ("1618678142.5: [1,[[\"x\"]],\"trade\",\"A/B\"]", "prints of price, size, time and side"),
    ] {
        let said = refusal("cryptofeed", &format!("{start}{line}\n"));
        assert!(said.contains(expected), "{said}");
    }
    assert!(refusal("cryptofeed", "1618678142.5: {}\n").contains("pass --venue, one of"));
}

#[test]
fn a_hole_in_an_archive_is_a_gap() {
    let delta = |u: u64, ts: u64| {
        format!(
            r#"{{"topic":"orderbook.500.XRPUSDT","type":"delta","ts":{ts},"data":{{"s":"XRPUSDT","b":[["1.9","0"]],"a":[],"u":{u},"seq":9}}}}"#
        )
    };
    let text =
        [OB500.to_owned(), delta(6, 1_733_011_200_700), delta(9, 1_733_011_200_800)].join("\n");
    let imported =
        import("bybit-ob500", text.as_bytes(), &Hints::default(), &Options::default()).unwrap();
    assert_eq!(imported.batch.rows::<Gap>()[0].missing, Some(2));
    let said = refusal("bybit-ob500", "{\"topic\":\"orderbook.500.X\"}\n");
    assert!(said.contains("line 1: field `ts`: expected milliseconds"), "{said}");
}

#[test]
fn answers_of_kraken_are_refused_by_row() {
    assert!(refusal("kraken-rest", &ANSWER[..100]).contains("the document is cut"));
    let said = refusal("kraken-rest", &ANSWER.replace("\"b\"", "\"x\""));
    assert!(said.contains("row 0: field") && said.contains("expected b or s"), "{said}");
    let said = refusal("kraken-rest", "{\"error\":[\"EGeneral:Too many requests\"]}");
    assert!(said.contains("Too many requests"), "{said}");
    assert!(refusal("kraken-rest", "[1]").contains("expected an object"));
}

proptest! {
    // Whatever bytes a capture holds, an import ends and does not panic.
    #[test]
    fn damage_is_an_error_or_records(
        which in 0_usize..4,
        at in 0_usize..500,
        with in prop::collection::vec(any::<u8>(), 0..4),
    ) {
        let (format, text) = [
            ("stamped-json", format!("{TRADE}\n{SNAPSHOT}\n")),
            ("cryptofeed", FEED.to_owned()),
            ("bybit-ob500", OB500.to_owned()),
            ("kraken-rest", ANSWER.to_owned()),
        ][which].clone();
        let mut bytes = text.into_bytes();
        let at = at % bytes.len();
        bytes.splice(at..(at + 1), with);
        let options = Options { tolerance: Tolerance::skip(), ..Options::default() };
        let _ = import(format, &bytes, &Hints::default(), &options);
    }
}

#[test]
fn files_of_one_session_are_found_beside_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    let stream = r#"1633998513.5: {"e":"depthUpdate","E":1633998513400,"s":"LRCBTC","U":11,"u":12,"b":[["0.5","1.0"]],"a":[]}"#;
    write("BINANCE.ws.1.0", &format!("wss://stream.binance.com:9443 <-> 1633998512.1\n{stream}\n"));
    let answer = r#"{"lastUpdateId":10,"bids":[["0.4","1.0"]],"asks":[["0.6","1.0"]]}"#;
    let url = "https://api.binance.com/api/v3/depth?symbol=LRCBTC&limit=1000";
    write("BINANCE.http.0.0", &format!("{url} -> 1633998512.3: {answer}\n"));
    let look = |name: &str| {
        let path = folder.path().join(name);
        let start = std::fs::read(&path).unwrap();
        recognised(&start, &path)
    };
    assert_eq!(look("BINANCE.ws.1.0"), Likeness::Certain);
    assert_eq!(look("BINANCE.http.0.0"), Likeness::Part);
    let options = Options::default();
    let path = folder.path().join("BINANCE.ws.1.0");
    let input = ImportInput {
        name: Arc::from("capture"),
        path: Some(path.clone()),
        bytes: Box::new(std::fs::File::open(&path).unwrap()),
        notes: Notes::default(),
        is_packed: false,
    };
    let importer: &dyn Importer = &super::cryptofeed::Cryptofeed;
    let mut source = importer.open(input, &Hints::default(), &options).unwrap();
    let mut batch = Batch::default();
    assert!(source.next(&mut batch).unwrap());
    let kinds: Vec<_> = batch.iter().map(|record| record.kind().name()).collect();
    assert_eq!(kinds, ["instrument", "depth", "depth"]);
}

fn recognised(start: &[u8], path: &Path) -> Likeness {
    let look = Look { start, path: Some(path) };
    super::cryptofeed::Cryptofeed.recognise(&look)
}
