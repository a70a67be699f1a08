//! Input that is cut, mixed up, or of another format than somebody said.

use std::path::{Path, PathBuf};

use qt_model::time::Date;
use qt_model::units::Scale;
use qt_stream::error::ReadError;
use qt_stream::import::{Hints, IMPORTERS, Importer, Meter, Notes, members};
use qt_stream::read::Options;
use tempfile::TempDir;

use super::{Import, read};

struct File {
    _folder: TempDir,
    path: PathBuf,
}

fn file(name: &str, bytes: &[u8]) -> File {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, bytes).unwrap();
    File { _folder: folder, path }
}

fn import(path: &Path, hints: &Hints) -> Result<Import, ReadError> {
    read(&members(path)?[0], hints)
}

/// Imports as a format that the user names.
fn import_as(format: &str, path: &Path, hints: &Hints) -> Result<(), ReadError> {
    let format: &dyn Importer = *IMPORTERS.iter().find(|it| it.about().name == format).unwrap();
    let (options, notes, meter) = (Options::default(), Notes::default(), Meter::default());
    let member = members(path)?.remove(0);
    format.survey(member.open(&options, &notes, &meter)?, hints, &options)?;
    let mut source = format.open(member.open(&options, &notes, &meter)?, hints, &options)?;
    let mut batch = qt_model::record::Batch::default();
    while qt_model::record::Source::next(&mut source, &mut batch)? {}
    Ok(())
}

const TARDIS: &str = "exchange,symbol,timestamp,local_timestamp,id,side,price,amount";
const ROW: &str = "bitmex,XBTUSD,1583020803145000,1583020803307160,7,sell,8531.5,2152";
const AAPL: &str = "AAPL_2012-06-21_34200000_57600000_message_10.csv";
const KLINE: &str = "1637971200000,1.5,1.6,1.4,1.5,7,1637971259999,10.5,79,3,4.5,0";

#[test]
fn each_wrong_file_is_refused_with_its_place_and_its_field() {
    let tardis = |rows: &str| format!("{TARDIS}\n{rows}\n");
    for (name, text, said) in [
        // Missing columns, and columns that are not there in a row.
        (
            "t.csv",
            "exchange,symbol,timestamp,local_timestamp,side,price\na,b,1,2,buy,1\n".to_owned(),
            "line 1: no column `amount`",
        ),
        (
            "t.csv",
            tardis("bitmex,XBTUSD,1583020803145000"),
            "line 2: the row has 3 columns, the first line has 8",
        ),
        // A word where a number should be, and a side that is none.
        (
            "t.csv",
            tardis(&ROW.replace("8531.5", "8531.5x")),
            "line 2: field `price`: expected a decimal",
        ),
        (
            "t.csv",
            tardis(&ROW.replace("sell", "short")),
            "line 2: field `side`: expected buy, sell or",
        ),
        ("t.csv", tardis(&ROW.replace("2152", "-2152")), "line 2: field `amount`: expected a size"),
        // Groups of digits have to be asked for.
        ("t.csv", tardis(&ROW.replace("8531.5", "\"8,531.5\"")), "`--map` says so"),
        // Units of time: a change, and one that cannot be told.
        (
            "t.csv",
            tardis(&format!("{ROW}\n{}", ROW.replace("1583020803307160", "1583020803307"))),
            "line 3: field `local_timestamp`: expected microseconds as in the lines before",
        ),
        (
            "t.csv",
            tardis(&ROW.replace("1583020803307160", "15830208033071")),
            "10, 13, 16 or 19 digits",
        ),
        // Quotes that are opened and not closed.
        ("t.csv", tardis(&ROW.replace("sell", "\"sell")), "line 2: a quote is opened"),
        // A symbol that is none.
        ("t.csv", tardis(&ROW.replace("XBTUSD", "X BT")), "line 2: field `sym`"),
        // Binance and its relatives.
        (
            "ADABTC-1m-2021-11-27.csv",
            format!("{KLINE}\n{}\n", KLINE.replace("1.6", "1,6")),
            "line 2: field",
        ),
        (
            "ADABTC-1m-2021-11-27.csv",
            format!("{KLINE}\n{}\n", KLINE.replace("1637971259999", "1637971100000")),
            "line 2: field `close_time`: expected a time behind open_time",
        ),
        (
            AAPL,
            "34200.1,1,7,18,5853300,1\n34200.2,1,8,18,5853300,2\n".to_owned(),
            "line 2: field `direction`",
        ),
        (
            AAPL,
            "34200.1,1,7,18,5853300,1\n34200.2,1,8,18,5853300\n".to_owned(),
            "line 2: field `direction`",
        ),
        (
            AAPL,
            "34200.1,1,7,18,5853300,1\n34200.1234567891,1,8,18,5853300,1\n".to_owned(),
            "line 2: field `time`",
        ),
        (
            "x_1min.csv",
            "timestamp,open,high,low,close,volume\n2024-01-01 00:00:00,1,1,1,1,1\n".to_owned(),
            "--zone",
        ),
        (
            "x.csv",
            "timestamp,open,high,low,close,volume\n2024-01-01 00:00:00Z,1,1,1,1,1\n".to_owned(),
            "how long a bar is",
        ),
        (
            "equity/usa/minute/ibm/20130310_trade.csv",
            "9000000,1815200,1818000,1815200,1818000,1283\n".to_owned(),
            "line 1: the local time 2013-03-10T02:30:00.000000000 was skipped",
        ),
        (
            "equity/usa/minute/ibm/20131007_trade.csv",
            "1440,1815200\n".to_owned(),
            "the row has 2 columns",
        ),
        ("equity/india/minute/x/20131007_trade.csv", "1440,1,1,1,1,1\n".to_owned(), "pass --zone"),
    ] {
        let file = file(name, text.as_bytes());
        let error = import(&file.path, &Hints::default()).map(|_| ()).unwrap_err().to_string();
        assert!(error.contains(said), "{name}: {text}\nfound {error}\nexpected {said}");
        assert!(error.contains(name), "{error} does not name its file");
    }
}

#[test]
fn files_are_read_whatever_tool_has_touched_them() {
    let good = file("t.csv", format!("{TARDIS}\n{ROW}\n").as_bytes());
    let good = import(&good.path, &Hints::default()).unwrap();
    let columns: Vec<&str> = TARDIS.split(',').collect();
    let cells: Vec<&str> = ROW.split(',').collect();
    let back = |all: &[&str]| all.iter().rev().copied().collect::<Vec<_>>().join(",");
    for text in [
        format!("\u{feff}{TARDIS}\n{ROW}\n"),
        format!("{TARDIS}\r\n{ROW}\r\n"),
        format!("{TARDIS}\n{ROW}"),
        format!("{TARDIS}\n\n{ROW}\n\n"),
        format!("{}\n{}\n", back(&columns), back(&cells)),
        format!(
            "{}\n{ROW}\n",
            TARDIS
                .to_uppercase()
                .replace("EXCHANGE", "exchange")
                .replace("LOCAL_TIMESTAMP", "local_timestamp")
        ),
        format!("{TARDIS},more\n{ROW},1\n"),
        format!("{}\n{}\n", TARDIS.replace(',', ", "), ROW.replace(',', ", ")),
    ] {
        let file = file("t.csv", text.as_bytes());
        let found = import_as("tardis", &file.path, &Hints::default());
        assert!(found.is_ok(), "{text}: {found:?}");
        if text.contains("exchange,") && !text.contains(", ") {
            let found = import(&file.path, &Hints::default()).unwrap();
            assert!(found.batch.iter().eq(good.batch.iter()), "{text}");
        }
    }
}

#[test]
fn a_cut_file_is_cut_and_not_short() {
    let cut = |name: &str, bytes: &[u8], hints: &Hints| {
        let file = file(name, bytes);
        let error = import(&file.path, hints).map(|_| ()).unwrap_err();
        assert!(matches!(error, ReadError::Truncated { .. }), "{name}: {error}");
    };
    let none = Hints::default();
    cut("t.csv", format!("{TARDIS}\n{ROW}\nbitmex,XBT").as_bytes(), &none);
    cut(AAPL, b"34200.1,1,7,18,5853300,1\n34200.2,1", &none);
    let mut itch = vec![0, 12, b'S'];
    itch.resize(14, 0);
    let itch = [itch.clone(), itch.clone(), itch.clone(), itch[..9].to_vec()].concat();
    cut("01302019.NASDAQ_ITCH50", &itch, &none);
    let mut dbn = b"DBN\x03".to_vec();
    dbn.extend(200_u32.to_le_bytes());
    dbn.extend([0; 40]);
    cut("x.dbn", &dbn, &none);
    // Compressed files: the end of what compresses is missing.
    let Some(path) = super::data("databento-dbn/esh4-glbx-mdp3-20231224.mbo.dbn.zst") else {
        return;
    };
    let whole = std::fs::read(path).unwrap();
    cut("x.dbn.zst", &whole[..whole.len() / 2], &none);
    let path = super::data("dukascopy-bi5/EURUSD/2019/01/04/00h_ticks.bi5").unwrap();
    let whole = std::fs::read(path).unwrap();
    let file = file("EURUSD/2019/01/04/00h_ticks.bi5", &whole[..whole.len() / 2]);
    assert!(import(&file.path, &none).is_err());
}

#[test]
fn a_type_that_changes_late_is_found_at_its_line() {
    let mut text = format!("{TARDIS}\n");
    for _ in 0..100_000 {
        text.push_str(ROW);
        text.push('\n');
    }
    text.push_str(&ROW.replace("2152", "2152.125"));
    text.push('\n');
    let file = file("t.csv", text.as_bytes());
    // A file is measured as a whole before it is read.
    let found = import(&file.path, &Hints::default()).unwrap();
    assert_eq!(found.batch.instruments().iter().next().unwrap().qty_scale.digits(), 3);
    assert_eq!(found.batch.len(), 100_001);
    let told = Hints { qty_scale: Some(Scale::ZERO), ..Hints::default() };
    let error = import(&file.path, &told).map(|_| ()).unwrap_err().to_string();
    assert!(
        error.contains("line 100002: field `amount`") && error.contains("--qty-scale"),
        "{error}"
    );
    let rounded = Hints { round: true, ..told };
    let found = import(&file.path, &rounded).unwrap();
    assert!(found.notes.iter().any(|(note, records)| note.contains("rounded") && *records == 1));
}

#[test]
fn several_instruments_in_one_file_stay_apart() {
    let other = ROW.replace("XBTUSD", "ETHUSD").replace("8531.5", "231.125");
    let file = file("t.csv", format!("{TARDIS}\n{ROW}\n{other}\n{ROW}\n").as_bytes());
    let found = import(&file.path, &Hints::default()).unwrap().batch;
    let table = found.instruments();
    let scale = |symbol: &str| table.get(table.find(symbol).unwrap()).px_scale.digits();
    assert_eq!((scale("bitmex:XBTUSD"), scale("bitmex:ETHUSD")), (1, 3));
}

#[test]
fn a_wrong_format_is_refused_in_words() {
    let tardis = file("t.csv", format!("{TARDIS}\n{ROW}\n").as_bytes());
    let hints = Hints {
        symbol: Some("X".to_owned()),
        date: Date::new(2024, 1, 2),
        px_scale: Scale::new(5).ok(),
        ..Hints::default()
    };
    for format in IMPORTERS.iter().map(|it| it.about().name) {
        let found = import_as(format, &tardis.path, &hints);
        assert_eq!(found.is_ok(), format == "tardis", "{format}: {found:?}");
        if let Err(error) = found {
            assert!(error.to_string().len() > 30, "{error}");
        }
    }
}

#[test]
fn a_map_reads_what_it_describes() {
    let map = "kind = 'trade'\nvenue = 'x'\nseparator = ';'\ndecimal = ','\nthousands = '.'\n\
               time = { column = 'Zeit', format = '%d.%m.%Y %H:%M:%S', zone = 'Europe/Berlin' }\n\
               columns = { px = 'Kurs', qty = 'Menge', side = 'Art', symbol = 'Wert' }\n\
               side = { buy = ['K'], sell = ['V'] }\nnull = ['-']\n";
    let text = "Zeit;Wert;Kurs;Menge;Art\n01.07.2024 09:00:00;DAX;18.290,66;1.000;K\n\
                31.12.2024 09:00:00;DAX;19.909,14;2;-\n";
    let (map, table) = (file("m.toml", map.as_bytes()), file("x.csv", text.as_bytes()));
    let hints = Hints { map: Some(map.path), ..Hints::default() };
    let found = import(&table.path, &hints).unwrap().batch;
    let trades = found.rows::<qt_model::record::Trade>();
    assert_eq!((trades[0].px.mantissa(), trades[0].qty.mantissa()), (1_829_066, 1000));
    assert_eq!(trades[0].head.ts_event.to_string(), "2024-07-01T07:00:00.000000000Z");
    assert_eq!(trades[1].head.ts_event.to_string(), "2024-12-31T08:00:00.000000000Z");
    assert_eq!(trades[1].side, None);
    let map = "kind = 'quote'\nsymbol = 'X'\ntime = { column = 'ts', unit = 'ns' }\n\
               columns = { bid_px = 'b.p', ask_px = 'a.p', bid_qty = 'b.q' }\n";
    let lines = "{\"ts\":1704067200000000001,\"b\":{\"p\":1.10,\"q\":\"5\"},\"a\":{\"p\":1.25}}\n\
                 {\"ts\":1704067200000000002,\"b\":null,\"a\":{\"p\":1.25}}\n";
    let (map, table) = (file("m.toml", map.as_bytes()), file("x.json", lines.as_bytes()));
    let hints = Hints { map: Some(map.path), ..Hints::default() };
    let error = import(&table.path, &hints).map(|_| ()).unwrap_err().to_string();
    assert!(error.contains("line 2: field `b`: expected an object"), "{error}");
}

/// Numbers that are the same on every machine.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % below
    }
}

#[test]
fn damaged_files_are_errors_and_never_panics() {
    let hints = Hints { date: Date::new(2019, 1, 30), ..Hints::default() };
    for (path, name) in [
        ("databento-dbn/dbn-tests/test_data.mbo.dbn", "x.dbn"),
        ("databento-dbn/dbn-tests/test_data.mbp-10.dbn", "x.dbn"),
        ("databento-dbn/dbn-tests/test_data.ohlcv-1m.dbn", "x.dbn"),
        ("databento-dbn/dbn-tests/test_data.status.dbn", "x.dbn"),
        ("databento-dbn/dbn-tests/test_data.mbo.v3.dbn", "x.dbn"),
        ("dukascopy-bi5/EURUSD/2019/01/04/22h_ticks.bi5", "EURUSD/2019/01/04/22h_ticks.bi5"),
        ("lobster/AAPL_2012-06-21_34200000_57600000_message_10.csv", AAPL),
        ("tardis-csv/bitmex_trades_XBTUSD.csv", "t.csv"),
        ("itch50/ex20101224.TEST_ITCH_50.gz", "ex20101224.TEST_ITCH_50.gz"),
    ] {
        let Some(path) = super::data(path) else { return };
        let mut whole = std::fs::read(path).unwrap();
        whole.truncate(20_000);
        let mut dice = Dice(7);
        for round in 0..120 {
            let mut bytes = whole.clone();
            for _ in 0..=round % 4 {
                let at = dice.roll(bytes.len());
                bytes[at] = match dice.roll(3) {
                    0 => dice.roll(256) as u8,
                    1 => bytes[at] ^ (1 << dice.roll(8)),
                    _ => [0, 0xff, b',', b'-'][dice.roll(4)],
                };
            }
            if round % 5 == 0 {
                bytes.truncate(dice.roll(bytes.len()));
            }
            let file = file(name, &bytes);
            // What it comes to is anybody's guess, but it comes to an end.
            for format in ["databento", "dukascopy", "lobster", "itch", "tardis"] {
                let _ = import_as(format, &file.path, &hints);
            }
        }
    }
}
