//! Every format of text against every way in which a file goes wrong, as a user meets it.
//!
//! | fault | what comes of it |
//! | --- | --- |
//! | a byte order mark, CRLF, empty lines at the end | the same records |
//! | cut within its last line | 3, and what is whole is written |
//! | a letter in a number | 3, with file, line, field and what was expected |
//! | a number in groups of thousands | 3, and what to pass |
//! | its last column missing | 3, with the column |
//! | another format named | refused, in words |
//!
//! Binary formats and wires have tests of their own: there is nothing in them that an editor touches.

use std::fs;

use crate::frame::World;

/// A small file that is as it should be.
#[derive(Clone, Copy)]
struct Sample {
    format: &'static str,
    name: &'static str,
    /// Further flags that the file needs.
    flags: &'static str,
    text: &'static str,
    /// A price in its last line, as it stands there; for it other things are put in.
    price: &'static str,
    /// What the field of that price is called in messages.
    field: &'static str,
    /// What a message says that misses the last column; nothing where it may be missing.
    last: &'static str,
}

const SAMPLES: &[Sample] = &[
    Sample {
        format: "tardis",
        name: "bitmex_trades_2020-03-01_XBTUSD.csv",
        flags: "",
        text: "exchange,symbol,timestamp,local_timestamp,id,side,price,amount\n\
               bitmex,XBTUSD,1583020803145000,1583020803307160,7,sell,8531.5,2152\n\
               bitmex,XBTUSD,1583020803245000,1583020803407160,8,buy,8532.5,21\n",
        price: "8532.5",
        field: "price",
        last: "amount",
    },
    Sample {
        format: "tardis",
        name: "x_quotes_2020-03-01_Y.csv",
        flags: "",
        text: "exchange,symbol,timestamp,local_timestamp,ask_amount,ask_price,bid_price,bid_amount\n\
               x,Y,1583020803145000,1583020803307160,5,8531.5,8531,2152\n\
               x,Y,1583020803245000,1583020803407160,6,8532.5,8532,21\n",
        price: "8532.5",
        field: "ask_price",
        last: "bid_amount",
    },
    Sample {
        format: "binance",
        name: "BTCUSDT-trades-2024-01-01.csv",
        flags: "",
        text: "id,price,qty,quote_qty,time,is_buyer_maker\n\
               1,42283.58,0.005,211.41,1704067200034,true\n\
               2,42283.59,0.006,253.70,1704067200134,false\n",
        price: "42283.59",
        field: "price",
        last: "is_buyer_maker",
    },
    Sample {
        format: "binance",
        name: "BTCUSDT-aggTrades-2024-01-01.csv",
        flags: "",
        text: "1,42283.58,0.005,1,1,1704067200034,true,true\n\
               2,42283.59,0.006,2,3,1704067200134,false,true\n",
        price: "42283.59",
        field: "price",
        last: "",
    },
    Sample {
        format: "binance",
        name: "ADABTC-1m-2021-11-27.csv",
        flags: "",
        text: "1637971200000,1.5,1.61,1.4,1.5,7,1637971259999,10.5,79,3,4.5,0\n\
               1637971260000,1.5,1.65,1.4,1.5,7,1637971319999,10.5,79,3,4.5,0\n",
        price: "1.65",
        field: "high",
        last: "",
    },
    Sample {
        format: "lobster",
        name: "AAPL_2012-06-21_34200000_57600000_message_10.csv",
        flags: "",
        text: "34200.1,1,7,18,5853300,1\n34200.2,1,8,18,5853400,-1\n",
        price: "5853400",
        field: "price",
        last: "direction",
    },
    Sample {
        format: "lean",
        name: "equity/usa/minute/ibm/20131007_trade.csv",
        flags: "",
        text: "34200000,1815200,1818000,1815200,1818000,1283\n\
               34260000,1818000,1819000,1817000,1818500,128\n",
        price: "1819000",
        field: "high",
        last: "",
    },
    Sample {
        format: "histdata",
        name: "DAT_ASCII_EURUSD_T_202001.csv",
        flags: "",
        text: "20200101 170000065,1.121200,1.121720,0\n20200101 170010447,1.121210,1.121920,0\n",
        price: "1.121920",
        field: "ask",
        last: "expected a line such as",
    },
    Sample {
        format: "truefx",
        name: "usdjpy-ticks.csv",
        flags: "",
        text: "timestamp,bid,ask\n\
               2013-01-01 22:00:00.295000+00:00,86.655,86.728\n\
               2013-01-01 22:02:35.907000+00:00,86.657,86.729\n",
        price: "86.729",
        field: "ask",
        last: "the names timestamp,bid,ask",
    },
    Sample {
        format: "fxcm",
        name: "gbpusd-m1-bid-2012.csv",
        flags: "",
        text: "timestamp,open,high,low,close\n\
               2012-02-01 00:00:00+00:00,1.57597,1.57606,1.57576,1.57576\n\
               2012-02-01 00:01:00+00:00,1.57576,1.57583,1.57543,1.57553\n",
        price: "1.57583",
        field: "high",
        last: "the names timestamp,open,high,low,close",
    },
    Sample {
        format: "bars",
        name: "6EH4_1min_bars.csv",
        flags: "",
        text: "timestamp_utc,open,high,low,close,volume\n\
               2024-01-01 23:01:00,1.1076,1.10785,1.1076,1.1078,205\n\
               2024-01-01 23:02:00,1.10775,1.1079,1.1077,1.10775,86\n",
        price: "1.1079",
        field: "high",
        last: "",
    },
    Sample {
        format: "map",
        name: "x.csv",
        flags: "--map m.toml",
        text: "when,what,cost,size\n1704067200000,X,1.25,7\n1704067200001,X,1.35,71\n",
        price: "1.35",
        field: "cost",
        last: "size",
    },
];

const MAP: &str = "kind = 'trade'\nvenue = 'x'\ntime = { column = 'when', unit = 'ms' }\n\
                   columns = { px = 'cost', qty = 'size', symbol = 'what' }\n";

/// What an import came to: its exit code, its records without their header, and what it said.
struct Came {
    code: i32,
    records: Vec<String>,
    said: String,
}

fn import(format: &str, sample: &Sample, text: &str) -> Came {
    let world = World::new().with("m.toml", MAP).with(sample.name, text);
    // A map is what makes a format of any table, so naming it is naming the format.
    let format = if sample.flags.is_empty() { format!("--format {format}") } else { String::new() };
    let args = format!("record import {format} {} -o ndjson {}", sample.flags, sample.name);
    let ran = world.qt(&args).output().unwrap();
    let lines = String::from_utf8(ran.stdout).unwrap();
    let is_record =
        |line: &&str| !line.contains(r#""k":"stream""#) && !line.contains(r#""k":"end""#);
    Came {
        code: ran.status.code().unwrap(),
        records: lines.lines().filter(is_record).map(str::to_owned).collect(),
        said: String::from_utf8(ran.stderr).unwrap(),
    }
}

/// Runs over all samples and says of each what was wrong.
fn of_each(check: impl Fn(&Sample, &mut dyn FnMut(&str, &Came))) {
    let mut wrong = Vec::new();
    for sample in SAMPLES {
        check(sample, &mut |what, came| {
            let Came { code, records, said } = came;
            wrong.push(format!(
                "{} ({}): {what}: {code}, {} records: {said}",
                sample.format,
                sample.name,
                records.len()
            ));
        });
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_editors_add_changes_nothing() {
    of_each(|sample, wrong| {
        let good = import("auto", sample, sample.text);
        if good.code != 0 || good.records.len() < 2 {
            wrong("as it should be", &good);
        }
        for (what, text) in [
            ("a byte order mark", format!("\u{feff}{}", sample.text)),
            ("CRLF", sample.text.replace('\n', "\r\n")),
            (
                "CRLF and a byte order mark",
                format!("\u{feff}{}", sample.text.replace('\n', "\r\n")),
            ),
            ("empty lines at the end", format!("{}\n\n", sample.text)),
            ("no end of its last line", sample.text.trim_end().to_owned()),
        ] {
            for format in ["auto", sample.format] {
                let came = import(format, sample, &text);
                if came.code != 0 || came.records != good.records {
                    wrong(&format!("{what}, --format {format}"), &came);
                }
            }
        }
    });
}

#[test]
fn a_file_that_was_cut_says_so_and_what_is_whole_is_written() {
    of_each(|sample, wrong| {
        let body = sample.text.trim_end();
        // Before the last digit of the price: what is left of the line lacks columns.
        let at = body.rfind(sample.price).unwrap() + sample.price.len() - 1;
        let came = import(sample.format, sample, &body[..at]);
        let good = import(sample.format, sample, sample.text);
        let is_prefix = good.records.starts_with(&came.records);
        // The last column of the file may be the price: a number cut short is a number.
        let is_last = body.ends_with(sample.price);
        if is_last && !came.said.contains("its last field is short") {
            wrong("cut within its last number, and not a word", &came);
        }
        if !is_last && (came.code != 3 || !is_prefix || !came.said.contains(sample.name)) {
            wrong("cut", &came);
        }
        // Cut where a line ends, nobody can tell.
        let end = body.rfind('\n').unwrap() + 1;
        let came = import(sample.format, sample, &body[..end]);
        if came.code != 0 || !good.records.starts_with(&came.records) {
            wrong("cut at the end of a line", &came);
        }
    });
}

#[test]
fn a_letter_in_a_number_is_found_at_its_line_and_field() {
    of_each(|sample, wrong| {
        let line = sample.text.lines().count();
        for put in ["12x4", "1e", "0x1F", "NaN", "inf", "--5", "1.2.3"] {
            let at = sample.text.rfind(sample.price).unwrap();
            let (before, after) = (&sample.text[..at], &sample.text[at + sample.price.len()..]);
            let came = import(sample.format, sample, &format!("{before}{put}{after}"));
            let place = format!("line {line}");
            let parts = [sample.name, &place, sample.field, "expected"];
            if came.code != 3 || !parts.iter().all(|part| came.said.contains(part)) {
                wrong(put, &came);
            }
        }
    });
}

#[test]
fn groups_of_thousands_are_refused_and_a_map_is_offered() {
    of_each(|sample, wrong| {
        let at = sample.text.rfind(sample.price).unwrap();
        let (before, after) = (&sample.text[..at], &sample.text[at + sample.price.len()..]);
        let came = import(sample.format, sample, &format!("{before}\"1,234.5\"{after}"));
        let line = format!("line {}", sample.text.lines().count());
        // Whole numbers have no groups that a map could allow.
        let said = if came.said.contains("`--map`") { "groups" } else { "expected" };
        let parts = [sample.name, &line, said];
        if came.code != 3 || !parts.iter().all(|part| came.said.contains(part)) {
            wrong("thousands", &came);
        }
    });
}

#[test]
fn a_missing_column_is_named() {
    of_each(|sample, wrong| {
        if sample.last.is_empty() {
            return;
        }
        let cut = |line: &str| line.rsplit_once(',').unwrap().0.to_owned() + "\n";
        let text: String = sample.text.lines().map(cut).collect();
        let came = import(sample.format, sample, &text);
        let is_named = came.said.contains(sample.last) && came.said.contains(sample.name);
        if !matches!(came.code, 2 | 3) || !is_named {
            wrong("without its last column", &came);
        }
    });
}

#[test]
fn another_format_is_refused_in_words_whichever_it_is() {
    let world = World::new();
    let formats = String::from_utf8(world.qt("record formats").output().unwrap().stdout).unwrap();
    let formats: Vec<&str> =
        formats.lines().skip(1).filter_map(|line| line.split_whitespace().next()).collect();
    assert!(formats.len() > 12, "{formats:?}");
    of_each(|sample, wrong| {
        for format in formats.iter().filter(|it| **it != sample.format && **it != "map") {
            let plain = Sample { flags: "", ..*sample };
            let came = import(format, &plain, sample.text);
            let is_said = came.said.contains(sample.name) && came.said.len() > 40;
            // Two vendors may write one shape, as FXCM's minutes are bars; then records are equal in number.
            let is_bars = (sample.format, *format) == ("fxcm", "bars");
            if !is_bars && (!matches!(came.code, 2 | 3) || !is_said || !came.records.is_empty()) {
                wrong(&format!("--format {format}"), &came);
            }
        }
    });
}

#[test]
fn mixed_up_columns_are_found_by_their_names() {
    of_each(|sample, wrong| {
        if !sample.text.starts_with(|c: char| c.is_ascii_alphabetic()) {
            return;
        }
        let back = |line: &str| line.split(',').rev().collect::<Vec<_>>().join(",") + "\n";
        let text: String = sample.text.lines().map(back).collect();
        let (good, came) =
            (import(sample.format, sample, sample.text), import(sample.format, sample, &text));
        if came.code != 0 || came.records != good.records {
            wrong("columns from the last to the first", &came);
        }
    });
}

#[test]
fn samples_are_what_they_claim() {
    for sample in SAMPLES {
        assert_eq!(sample.text.matches(sample.price).count(), 1, "{}", sample.name);
        assert!(fs::metadata(sample.name).is_err());
    }
}
