//! How fast importers read: in process, on one thread, in CPU time.
//!
//! Each format's input is made in a temporary folder, looked through and opened as the command does
//! it. Printed are records and megabytes of input a CPU second, the survey apart, and a digest of
//! what came out, so that fast and wrong cannot pass.
//!
//! Arguments: names of formats, and a number of rows; by default all, with a million.

use std::fmt::Write as _;
use std::path::Path;

use qt_model::record::{Batch, Source};
use qt_model::units::Scale;
use qt_stream::digest::Digest;
use qt_stream::import::{Hints, IMPORTERS, Likeness, Meter, Notes, members};
use qt_stream::read::Options;
use rustix::time::{ClockId, clock_gettime};

/// A format, the name of its file, and what makes the file.
type Case = (&'static str, &'static str, fn(usize) -> Vec<u8>);

const CASES: [Case; 7] = [
    ("tardis", "trades.csv", tardis),
    ("binance", "BTCUSDT-trades-2024-01-01.csv", binance),
    ("databento", "x.mbo.dbn", databento),
    ("lobster", "AAPL_2012-06-21_34200000_57600000_message_10.csv", lobster),
    ("itch", "01302019.NASDAQ_ITCH50", itch),
    ("histdata", "DAT_ASCII_EURUSD_T_202001.csv", histdata),
    ("lean", "equity/usa/tick/spy/20131007_trade.csv", lean),
];

fn main() {
    // Cargo adds its own flags.
    let words: Vec<String> = std::env::args().skip(1).filter(|it| !it.starts_with("--")).collect();
    let rows = words.iter().find_map(|word| word.parse().ok()).unwrap_or(1_000_000);
    let names: Vec<&String> = words.iter().filter(|word| word.parse::<usize>().is_err()).collect();
    for (format, name, make) in CASES {
        if names.is_empty() || names.iter().any(|it| *it == format) {
            let folder = tempfile::tempdir().expect("a temporary folder");
            let path = folder.path().join(name);
            let parent = path.parent().expect("the file lies in a folder");
            std::fs::create_dir_all(parent).expect("a folder");
            std::fs::write(&path, make(rows)).expect("a file");
            println!("{}", measure(format, &path, rows));
        }
    }
}

fn cpu() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

fn measure(format: &str, path: &Path, rows: usize) -> String {
    let member = members(path).expect("a file").remove(0);
    let importer = *IMPORTERS
        .iter()
        .find(|it| it.recognise(&member.look()) == Likeness::Certain)
        .expect("it is recognised");
    assert_eq!(importer.about().name, format);
    let megabytes = std::fs::metadata(path).expect("a file").len() as f64 / 1e6;
    let mut best = (f64::MAX, f64::MAX);
    let mut digests = Vec::new();
    let mut records = 0;
    for _ in 0..3 {
        let (options, hints) = (Options::default(), hints(format));
        let open = || member.open(&options, &Notes::default(), &Meter::default());
        let began = cpu();
        importer.survey(open().expect("it opens"), &hints, &options).expect("it reads");
        let surveyed = cpu();
        let mut source =
            importer.open(open().expect("it opens"), &hints, &options).expect("it opens");
        let mut batch = Batch::default();
        records = 0;
        while source.next(&mut batch).expect("it reads") {
            records += batch.len();
        }
        let read = cpu();
        best = (best.0.min(surveyed - began), best.1.min(read - surveyed));
        digests.push(digest(&member, importer, &hints));
    }
    digests.dedup();
    assert_eq!(digests.len(), 1, "the same file gives the same records");
    let (survey, read) = best;
    format!(
        "{format:10} {:6.2} M rows/s {:6.2} M records/s {:7.0} MB/s, survey {:7.0} MB/s  {rows} rows \
         {records} records {}",
        rows as f64 / read / 1e6,
        records as f64 / read / 1e6,
        megabytes / read,
        megabytes / survey,
        digests[0]
    )
}

/// Over the records once more, apart from the clock.
fn digest(
    member: &qt_stream::import::Member,
    importer: &dyn qt_stream::import::Importer,
    hints: &Hints,
) -> String {
    let options = Options::default();
    let open = || member.open(&options, &Notes::default(), &Meter::default());
    importer.survey(open().expect("it opens"), hints, &options).expect("it reads");
    let mut source = importer.open(open().expect("it opens"), hints, &options).expect("it opens");
    let (mut digest, mut batch) = (Digest::default(), Batch::default());
    while source.next(&mut batch).expect("it reads") {
        digest.update(&batch);
    }
    digest.text()
}

fn hints(format: &str) -> Hints {
    match format {
        "databento" => Hints { px_scale: Scale::new(2).ok(), ..Hints::default() },
        _ => Hints::default(),
    }
}

fn tardis(rows: usize) -> Vec<u8> {
    let mut text = "exchange,symbol,timestamp,local_timestamp,id,side,price,amount\n".to_owned();
    for row in 0..rows {
        let (time, px) = (1_583_020_803_145_000 + 70 * row, 8_500 + row % 97);
        let side = if row % 3 == 0 { "buy" } else { "sell" };
        writeln!(text, "bitmex,XBTUSD,{time},{},{row},{side},{px}.5,{}", time + 90, row % 5_000)
            .expect("a string grows");
    }
    text.into_bytes()
}

fn binance(rows: usize) -> Vec<u8> {
    let mut text = String::new();
    for row in 0..rows {
        let (time, px) = (1_704_067_200_000 + row / 9, 42_000 + row % 997);
        let maker = if row % 3 == 0 { "True" } else { "False" };
        writeln!(text, "{row},{px}.10000000,0.0{:07},12.5,{time},{maker},True", row % 9_999_991)
            .expect("a string grows");
    }
    text.into_bytes()
}

fn lobster(rows: usize) -> Vec<u8> {
    let mut text = String::new();
    for row in 0..rows {
        let nanos = 34_200_000_000_000_u64 + 20_000 * row as u64;
        let (kind, side) = ([1, 1, 1, 3, 3, 4][row % 6], if row % 2 == 0 { 1 } else { -1 });
        let (second, fraction) = (nanos / 1_000_000_000, nanos % 1_000_000_000);
        let px = 5_853_300 + 100 * (row % 41);
        writeln!(
            text,
            "{second}.{fraction:09},{kind},{},{},{px},{side}",
            16_113_575 + row,
            1 + row % 300
        )
        .expect("a string grows");
    }
    text.into_bytes()
}

fn histdata(rows: usize) -> Vec<u8> {
    let mut text = String::new();
    for row in 0..rows {
        let millis = row * 80;
        let (hour, minute) = (millis / 3_600_000, millis / 60_000 % 60);
        let (second, milli, day) = (millis / 1_000 % 60, millis % 1_000, 1 + hour / 24);
        let px = 12_100 + row % 91;
        writeln!(
            text,
            "202001{day:02} {:02}{minute:02}{second:02}{milli:03},1.{px}0,1.{}0,0",
            hour % 24,
            px + 2
        )
        .expect("a string grows");
    }
    text.into_bytes()
}

fn lean(rows: usize) -> Vec<u8> {
    let mut text = String::new();
    for row in 0..rows {
        let millis = 14_400_000 + row * 50_000_000 / rows;
        writeln!(
            text,
            "{millis},{},{},P,20002000,0",
            1_674_100 + 100 * (row % 31),
            100 + row % 900
        )
        .expect("a string grows");
    }
    text.into_bytes()
}

fn itch(rows: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    for row in 0..rows {
        let time = 34_200_000_000_000_u64 + 5_000 * row as u64;
        // Three orders come, two go, and one is executed.
        let kind = b"AAADDE"[row % 6];
        let number = match kind {
            b'A' => row as u64,
            _ => (row - 3) as u64,
        };
        let length: u16 = match kind {
            b'A' => 36,
            b'D' => 19,
            _ => 31,
        };
        bytes.extend(length.to_be_bytes());
        let end = bytes.len() + usize::from(length);
        bytes.push(kind);
        bytes.extend([0, 7, 0, 0]);
        bytes.extend(&time.to_be_bytes()[2..]);
        bytes.extend(number.to_be_bytes());
        match kind {
            b'A' => {
                bytes.push(if row % 2 == 0 { b'B' } else { b'S' });
                bytes.extend(100_u32.to_be_bytes());
                bytes.extend(*b"AAPL    ");
                bytes.extend((1_500_000_u32 + 100 * (row % 40) as u32).to_be_bytes());
            }
            b'E' => bytes.extend([0, 0, 0, 100, 0, 0, 0, 0, 0, 0, 0, 1]),
            _ => {}
        }
        assert_eq!(bytes.len(), end);
    }
    bytes
}

fn databento(rows: usize) -> Vec<u8> {
    let mut bytes = b"DBN\x03".to_vec();
    let mut metadata = b"GLBX.MDP3\0\0\0\0\0\0\0".to_vec();
    metadata.extend(0_u16.to_le_bytes());
    metadata.extend(1_715_126_400_000_000_000_u64.to_le_bytes());
    metadata.extend([0xff; 8]);
    metadata.extend([0; 8]);
    metadata.extend([1, 0, 0]);
    metadata.extend(71_u16.to_le_bytes());
    metadata.extend([0; 53]);
    // No definition of a schema, no symbols of any sort, no mappings.
    metadata.extend([0; 20]);
    bytes.extend((metadata.len() as u32).to_le_bytes());
    bytes.extend(metadata);
    for row in 0..rows {
        let time = 1_715_126_400_000_000_000_u64 + 900 * row as u64;
        bytes.extend([14, 0xa0, 1, 0]);
        bytes.extend(118_u32.to_le_bytes());
        bytes.extend(time.to_le_bytes());
        bytes.extend((6_413_238_832_874_u64 + row as u64 / 2).to_le_bytes());
        bytes.extend(
            (5_155_250_000_000_i64 + 250_000_000 * i64::from((row % 41) as u32)).to_le_bytes(),
        );
        bytes.extend((1 + row as u32 % 40).to_le_bytes());
        bytes.extend([128, 0]);
        bytes.push(b"AC"[row % 2]);
        bytes.push(if row % 4 < 2 { b'B' } else { b'A' });
        bytes.extend((time + 200).to_le_bytes());
        bytes.extend([0; 4]);
        bytes.extend((row as u32).to_le_bytes());
    }
    bytes
}
