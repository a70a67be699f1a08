//! Files of brokers and archives of foreign exchange.

use super::super::{About, Likeness, Look};
use super::{Found, Plain, has_names};
use crate::import::map::Plan;

pub(in crate::import) static HISTDATA: Plain = Plain {
    about: About {
        name: "histdata",
        what: "HistData ASCII: ticks, and minutes of bids; UTC-5 all year",
        example: "qt record import DAT_ASCII_EURUSD_T_202001.csv",
    },
    begins: "a line such as `20200101 170000065,1.121200,1.121720,0` or \
             `20200101 170000;1.1212;1.1217;1.1211;1.1214;0`",
    find: histdata,
};

pub(in crate::import) static TRUEFX: Plain = Plain {
    about: About {
        name: "truefx",
        what: "TrueFX ticks",
        example: "qt record import EURUSD-2013-01.csv",
    },
    begins: "the names timestamp,bid,ask or a line such as \
             `EUR/USD,20090501 00:00:00.571,1.32,1.33`",
    find: truefx,
};

pub(in crate::import) static FXCM: Plain = Plain {
    about: About {
        name: "fxcm",
        what: "FXCM minutes, bids and asks in files of their own",
        example: "qt record import gbpusd-m1-bid-2012.csv gbpusd-m1-ask-2012.csv",
    },
    begins: "the names timestamp,open,high,low,close",
    find: fxcm,
};

/// Sizes are always zero in these files, and zero is not a size: they are left out.
const HISTDATA_TICKS: &str = r#"
kind = "quote"
venue = "histdata"
header = false
columns = { bid_px = 2, ask_px = 3 }
time = { column = 1, format = "%Y%m%d %H%M%S%f", zone = "-05:00" }
"#;

const HISTDATA_MINUTES: &str = r#"
kind = "bar"
venue = "histdata"
header = false
separator = ";"
columns = { open = 2, high = 3, low = 4, close = 5 }
time = { column = 1, format = "%Y%m%d %H%M%S", zone = "-05:00" }
bar = { step = "1m", side = "bid" }
"#;

fn histdata(look: &Look<'_>) -> Option<Found> {
    let line = look.first_line();
    let is_time = |text: &[u8], length: usize| {
        text.len() == length
            && text[8] == b' '
            && text[..8].iter().chain(&text[9..]).all(u8::is_ascii_digit)
    };
    let fields = |at: u8| line.split(move |byte| *byte == at);
    let plan = if fields(b',').count() == 4 && is_time(fields(b',').next()?, 18) {
        Plan::built_in(HISTDATA_TICKS)
    } else if fields(b';').count() == 6 && is_time(fields(b';').next()?, 15) {
        Plan::built_in(HISTDATA_MINUTES)
    } else {
        return None;
    };
    Some(with_pair(plan, look, Likeness::Certain))
}

/// As a table with names, and as the archive has it: the pair first, times in UTC.
const TRUEFX_NAMED: &str = r#"
kind = "quote"
venue = "truefx"
header = true
columns = { bid_px = "bid", ask_px = "ask" }
time = { column = "timestamp", zone = "UTC" }
"#;

const TRUEFX_ARCHIVE: &str = r#"
kind = "quote"
venue = "truefx"
header = false
columns = { symbol = 1, bid_px = 3, ask_px = 4 }
time = { column = 2, format = "%Y%m%d %H:%M:%S%f", zone = "UTC" }
"#;

fn truefx(look: &Look<'_>) -> Option<Found> {
    let line = look.first_line();
    if has_names(line, &["timestamp", "bid", "ask"]) {
        return Some(with_pair(Plan::built_in(TRUEFX_NAMED), look, Likeness::Certain));
    }
    let mut fields = line.split(|byte| *byte == b',');
    let (pair, time) = (fields.next()?, fields.next()?);
    let is_pair = pair.len() == 7 && pair[3] == b'/';
    let is_time = matches!(time.len(), 17..=27) && time[8] == b' ' && time[11] == b':';
    let is_complete = fields.count() == 2;
    let plan = Plan::built_in(TRUEFX_ARCHIVE);
    (is_pair && is_time && is_complete).then_some(Found {
        likeness: Likeness::Certain,
        plan,
        lacks: None,
    })
}

const FXCM_MINUTES: &str = r#"
kind = "bar"
venue = "fxcm"
header = true
columns = { open = "open", high = "high", low = "low", close = "close" }
time = { column = "timestamp" }
bar = { step = "1m" }
"#;

fn fxcm(look: &Look<'_>) -> Option<Found> {
    if !has_names(look.first_line(), &["timestamp", "open", "high", "low", "close"]) {
        return None;
    }
    let name = look.parts().pop().unwrap_or_default();
    let has =
        |word: &str| name.split(|letter: char| !letter.is_alphanumeric()).any(|it| it == word);
    let side = match (has("bid"), has("ask")) {
        (true, false) => Some("bid"),
        (false, true) => Some("ask"),
        (true, true) | (false, false) => None,
    };
    let mut found =
        with_pair(Plan::built_in(FXCM_MINUTES).with_side(side), look, Likeness::Certain);
    if side.is_none() {
        found.likeness = Likeness::No;
        found.lacks = Some(
            "a file of minutes is of bids or of asks, and its name says which, such as \
             gbpusd-m1-bid-2012.csv; for another use --format bars",
        );
    }
    Some(found)
}

/// Gives a plan the pair of currencies in the name of the file.
fn with_pair(mut plan: Plan, look: &Look<'_>, likeness: Likeness) -> Found {
    plan.symbol = look.parts().last().and_then(|name| pair_in(name));
    Found { likeness, plan, lacks: None }
}

/// A pair of currencies or a metal in a name: six letters that are two of three.
pub(super) fn pair_in(name: &str) -> Option<String> {
    const CODES: [&str; 27] = [
        "aud", "brl", "cad", "chf", "cnh", "cny", "czk", "dkk", "eur", "gbp", "hkd", "huf", "ils",
        "inr", "jpy", "krw", "mxn", "nok", "nzd", "pln", "rub", "sek", "sgd", "try", "usd", "xag",
        "xau",
    ];
    let is_code = |code: &str| CODES.contains(&code) || code == "zar" || code == "thb";
    let name = name.to_lowercase();
    let words = name.split(|letter: char| !letter.is_ascii_alphabetic());
    words
        .filter(|word| word.len() == 6)
        .find(|word| is_code(&word[..3]) && is_code(&word[3..]))
        .map(str::to_uppercase)
}
