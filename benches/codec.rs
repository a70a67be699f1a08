//! How fast streams are decoded and encoded: in process, on one thread, in CPU time.
//!
//! Arguments: a mode, a file, and how often to do it (the median counts). Without a mode, a market
//! is made in a temporary folder and every mode runs over it.
//!
//! A decoding is timed around the reader alone; the sums over what it gave are timed apart, and the
//! digest is taken in a pass of its own. An encoding is timed from batches in memory into a buffer
//! that is used again, and what it wrote must decode to the records it was given. The sums are of
//! mantissas, exact, one for each scale: fast and wrong cannot pass.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use qt_model::instrument::Instruments;
use qt_model::record::{Batch, Depth, Kind, Quote, Source, Trade};
use qt_sim::synth::{Config, Market};
use qt_stream::arrow_ipc::ArrowWriter;
use qt_stream::digest::Digest;
use qt_stream::frame::{End, Header};
use qt_stream::input::{AnyReader, Input};
use qt_stream::ndjson::Encoder;
use qt_stream::parquet_file::{ParquetWriter, ROW_GROUP_RECORDS, Span};
use qt_stream::read::Options;
use qt_stream::write::{Format, StreamWriter};
use rustix::time::{ClockId, clock_gettime};

const USAGE: &str = "codec [parquet|ndjson|arrow|csv]-decode FILE [PASSES]
codec [parquet|ndjson|arrow]-encode FILE [PASSES]
codec digest FILE [PASSES]";

/// Records of the market that is made when none is named.
const OWN_RECORDS: u64 = 400_000;

fn main() {
    // Cargo adds its own flags.
    let mut words = std::env::args().skip(1).filter(|word| !word.starts_with("--"));
    let Some(mode) = words.next() else { return all_modes() };
    let mode = Mode::parse(&mode).expect(USAGE);
    let path = words.next().expect(USAGE);
    let passes = words.next().map_or(1, |word| word.parse().expect("PASSES: a number"));
    println!("{}", measure(mode, Path::new(&path), passes));
}

fn all_modes() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let everything = |_: Kind| true;
    let trades = |kind| kind == Kind::Trade;
    let depth = |kind| kind == Kind::Depth;
    let files = [
        ("market", Format::Ndjson, make(folder.path(), Format::Ndjson, "all", everything)),
        ("market", Format::Arrow, make(folder.path(), Format::Arrow, "all", everything)),
        ("trades", Format::Ndjson, make(folder.path(), Format::Ndjson, "trades", trades)),
        ("trades", Format::Arrow, make(folder.path(), Format::Arrow, "trades", trades)),
        ("trades", Format::Parquet, make(folder.path(), Format::Parquet, "trades", trades)),
        ("depth", Format::Ndjson, make(folder.path(), Format::Ndjson, "depth", depth)),
        ("depth", Format::Arrow, make(folder.path(), Format::Arrow, "depth", depth)),
        ("depth", Format::Parquet, make(folder.path(), Format::Parquet, "depth", depth)),
    ];
    for (name, format, path) in &files {
        for mode in [Mode::Decode(*format), Mode::Encode(*format)] {
            println!("{name} {}", measure(mode, path, 3));
        }
    }
    println!("market {}", measure(Mode::Digest, &files[0].2, 3));
}

/// A file of those kinds of a market of one instrument.
fn make(
    folder: &Path,
    format: Format,
    name: &str,
    wants: impl Fn(Kind) -> bool,
) -> std::path::PathBuf {
    let instruments = Config::default().instruments.into_iter().take(1).collect();
    let config =
        Config { instruments, duration_ns: None, events: Some(OWN_RECORDS), ..Config::default() };
    let mut market = Market::new(&config).expect("a good configuration");
    let all = Header::new(market.instruments().clone());
    let header = match [Kind::Trade, Kind::Depth, Kind::Quote].map(&wants) {
        [true, false, false] => all.with_kinds([Kind::Trade]),
        [false, true, false] => all.with_kinds([Kind::Depth]),
        _ => all,
    };
    let path = folder.join(format!("{name}.{format:?}"));
    let out = BufWriter::new(File::create(&path).expect("a new file"));
    let mut writer = StreamWriter::new(out, format, &header, ROW_GROUP_RECORDS).expect("a header");
    let (mut batch, mut kept) = (Batch::default(), Batch::default());
    while market.next(&mut batch).is_ok_and(|is_more| is_more) {
        kept.clear();
        kept.set_instruments(batch.instruments().clone());
        batch.iter().filter(|record| wants(record.kind())).for_each(|record| kept.push(record));
        writer.write(&kept).expect("room on the disk");
    }
    let (out, _) = writer.finish(End::default()).expect("room on the disk");
    out.into_inner().expect("room on the disk").sync_all().expect("room on the disk");
    path
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Decode(Format),
    Encode(Format),
    Digest,
}

impl Mode {
    fn parse(word: &str) -> Option<Self> {
        let format = |word| match word {
            "ndjson" => Some(Format::Ndjson),
            "arrow" => Some(Format::Arrow),
            "parquet" => Some(Format::Parquet),
            "csv" => Some(Format::Csv),
            _ => None,
        };
        match word.split_once('-') {
            Some((word, "decode")) => format(word).map(Self::Decode),
            Some((word, "encode")) => format(word).map(Self::Encode),
            Some(_) => None,
            None => (word == "digest").then_some(Self::Digest),
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |format: &Format| format!("{format:?}").to_lowercase();
        match self {
            Self::Decode(format) => write!(f, "{}-decode", name(format)),
            Self::Encode(format) => write!(f, "{}-encode", name(format)),
            Self::Digest => f.write_str("digest"),
        }
    }
}

/// What a mode did, as pairs of a name and a value.
struct Outcome {
    mode: Mode,
    totals: Totals,
    /// CPU time of the work, and of the sums behind it.
    work_ns: i64,
    sums_ns: i64,
    /// Bytes encoded.
    bytes: Option<u64>,
    digest: String,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = self.totals.rows as f64;
        let each = |ns: i64| ns as f64 / rows;
        write!(
            f,
            "{} rows {} cpu_s {:.4}",
            self.mode,
            self.totals.rows,
            self.work_ns as f64 / 1e9
        )?;
        write!(f, " ns_per_row {:.2}", each(self.work_ns))?;
        write!(f, " m_rows_per_cpu_s {:.2}", rows * 1_000.0 / self.work_ns as f64)?;
        if self.sums_ns > 0 {
            write!(f, " sums_ns_per_row {:.2}", each(self.sums_ns))?;
        }
        if let Some(bytes) = self.bytes {
            write!(f, " bytes_per_row {:.1}", bytes as f64 / rows)?;
        }
        if let Some(peak) = peak_mib() {
            write!(f, " peak_mib {peak}")?;
        }
        write!(f, " {} digest {}", self.totals, self.digest)
    }
}

fn measure(mode: Mode, path: &Path, passes: usize) -> Outcome {
    match mode {
        Mode::Decode(_) => decode(mode, path, passes),
        Mode::Encode(format) => encode(mode, format, path, passes),
        Mode::Digest => hash(path, passes),
    }
}

fn open(path: &Path) -> AnyReader {
    AnyReader::open(Input::File(path.to_owned()), Span::ALL, Options::default())
        .unwrap_or_else(|error| panic!("{error}"))
}

fn decode(mode: Mode, path: &Path, passes: usize) -> Outcome {
    let mut spent = Vec::new();
    let mut totals = Totals::default();
    for _ in 0..passes {
        totals = Totals::default();
        let mut batch = Batch::default();
        let (mut work_ns, mut sums_ns) = (0, 0);
        let mut begun = cpu_ns();
        let mut reader = open(path);
        while reader.next(&mut batch).unwrap_or_else(|error| panic!("{error}")) {
            let decoded = cpu_ns();
            totals.add(&batch);
            work_ns += decoded - begun;
            begun = cpu_ns();
            sums_ns += begun - decoded;
        }
        spent.push((work_ns + cpu_ns() - begun, sums_ns));
    }
    let digest = digest(path);
    assert_eq!(digest.records(), totals.rows, "two passes over one file");
    let (work_ns, sums_ns) = median(spent);
    Outcome { mode, totals, work_ns, sums_ns, bytes: None, digest: digest.text() }
}

/// The digest of a file, in the batches that its reader gives.
fn digest(path: &Path) -> Digest {
    let (mut reader, mut batch, mut digest) = (open(path), Batch::default(), Digest::default());
    while reader.next(&mut batch).unwrap_or_else(|error| panic!("{error}")) {
        digest.update(&batch);
    }
    digest
}

/// All records of a file, their header and their sums.
fn load(path: &Path) -> (Vec<Batch>, Header, Totals) {
    let (mut reader, mut batches, mut totals) = (open(path), Vec::new(), Totals::default());
    loop {
        let mut batch = Batch::default();
        if !reader.next(&mut batch).unwrap_or_else(|error| panic!("{error}")) {
            break;
        }
        totals.add(&batch);
        batches.push(batch);
    }
    let bare = || Header::new(batches.last().map(|b| b.instruments().clone()).unwrap_or_default());
    let header = reader.header().cloned().unwrap_or_else(bare);
    (batches, header, totals)
}

fn encode(mode: Mode, format: Format, path: &Path, passes: usize) -> Outcome {
    let (batches, header, totals) = load(path);
    let (mut spent, mut bytes) = (Vec::new(), 0);
    for _ in 0..passes {
        let begun = cpu_ns();
        bytes = match format {
            Format::Ndjson => encode_lines(&batches, &header, io::sink()),
            Format::Arrow => encode_tables(&batches, &header, io::sink()),
            Format::Parquet => encode_file(&batches, &header, io::sink()),
            Format::Csv | Format::Table => panic!("{USAGE}"),
        };
        spent.push((cpu_ns() - begun, 0));
    }
    let written = tempfile::NamedTempFile::new().expect("a temporary file");
    let out = BufWriter::new(written.as_file());
    match format {
        Format::Ndjson => encode_lines(&batches, &header, out),
        Format::Arrow => encode_tables(&batches, &header, out),
        Format::Parquet | Format::Csv | Format::Table => encode_file(&batches, &header, out),
    };
    let (mut given, found) = (Digest::default(), digest(written.path()));
    batches.iter().for_each(|batch| given.update(batch));
    assert_eq!(found.text(), given.text(), "what was written decodes to what was given");
    let (work_ns, sums_ns) = median(spent);
    Outcome { mode, totals, work_ns, sums_ns, bytes: Some(bytes), digest: given.text() }
}

fn encode_lines(batches: &[Batch], header: &Header, out: impl Write) -> u64 {
    let (mut out, mut encoder) = (Counting::new(out), Encoder::default());
    writeln!(out, "{}", header.to_json()).expect("room on the disk");
    for batch in batches {
        out.write_all(encoder.lines(batch)).expect("room on the disk");
    }
    writeln!(out, "{}", End::default().to_json()).expect("room on the disk");
    out.bytes
}

fn encode_tables(batches: &[Batch], header: &Header, out: impl Write) -> u64 {
    let mut writer = ArrowWriter::new(Counting::new(out), header.clone());
    batches.iter().for_each(|batch| writer.write(batch).expect("room on the disk"));
    writer.finish(&End::default()).expect("room on the disk").bytes
}

fn encode_file(batches: &[Batch], header: &Header, out: impl Write + Send) -> u64 {
    let kind = header.only_kind().expect("a file of one kind");
    let mut writer = ParquetWriter::new(Counting::new(out), kind, header, ROW_GROUP_RECORDS)
        .expect("a header that fits");
    batches.iter().for_each(|batch| writer.write(batch).expect("room on the disk"));
    writer.finish(&End::default()).expect("room on the disk").bytes
}

fn hash(path: &Path, passes: usize) -> Outcome {
    let (batches, _, totals) = load(path);
    let (mut spent, mut text) = (Vec::new(), String::new());
    for _ in 0..passes {
        let begun = cpu_ns();
        let mut digest = Digest::default();
        batches.iter().for_each(|batch| digest.update(batch));
        spent.push((cpu_ns() - begun, 0));
        text = digest.text();
    }
    let (work_ns, sums_ns) = median(spent);
    Outcome { mode: Mode::Digest, totals, work_ns, sums_ns, bytes: None, digest: text }
}

/// Exact sums over records.
#[derive(Default)]
struct Totals {
    rows: u64,
    ts_recv: i128,
    seq: i128,
    /// Prices and sizes of each instrument, as mantissas.
    by_instrument: Vec<[i128; 2]>,
    instruments: std::sync::Arc<Instruments>,
}

impl Totals {
    fn add(&mut self, batch: &Batch) {
        if self.by_instrument.len() < batch.instruments().len() {
            self.instruments = batch.instruments().clone();
            self.by_instrument.resize(self.instruments.len(), [0; 2]);
        }
        self.rows += batch.len() as u64;
        for row in batch.rows::<Trade>() {
            self.head(&row.head);
            self.level(&row.head, row.px.mantissa(), row.qty.mantissa());
        }
        for row in batch.rows::<Quote>() {
            self.head(&row.head);
            for (px, qty) in [(row.bid_px, row.bid_qty), (row.ask_px, row.ask_qty)] {
                let px = px.map_or(0, |px| px.mantissa());
                self.level(&row.head, px, qty.map_or(0, |qty| qty.mantissa()));
            }
        }
        for (at, row) in batch.rows::<Depth>().iter().enumerate() {
            self.head(&row.head);
            for level in batch.levels(at) {
                self.level(&row.head, level.px.mantissa(), level.qty.mantissa());
            }
        }
    }

    #[inline]
    fn head(&mut self, head: &qt_model::record::Head) {
        self.ts_recv += i128::from(head.ts_recv.nanos());
        self.seq += i128::from(head.seq);
    }

    #[inline]
    fn level(&mut self, head: &qt_model::record::Head, px: i64, qty: i64) {
        let id = head.instrument.expect("a market record names its instrument");
        let [px_sum, qty_sum] = &mut self.by_instrument[id.index()];
        *px_sum += i128::from(px);
        *qty_sum += i128::from(qty);
    }
}

/// Sums of one scale each: `px@2` is of prices with two decimals.
impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut sums = BTreeMap::<(&str, u8), i128>::new();
        for (instrument, [px, qty]) in self.instruments.iter().zip(&self.by_instrument) {
            *sums.entry(("px", instrument.px_scale.digits())).or_default() += px;
            *sums.entry(("qty", instrument.qty_scale.digits())).or_default() += qty;
        }
        write!(f, "ts_recv {} seq {}", self.ts_recv, self.seq)?;
        sums.iter().try_for_each(|((name, digits), sum)| write!(f, " {name}@{digits} {sum}"))
    }
}

/// A writer that counts.
struct Counting<W> {
    out: W,
    bytes: u64,
}

impl<W> Counting<W> {
    fn new(out: W) -> Self {
        Self { out, bytes: 0 }
    }
}

impl<W: Write> Write for Counting<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = self.out.write(bytes)?;
        self.bytes += taken as u64;
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

fn median(mut spent: Vec<(i64, i64)>) -> (i64, i64) {
    spent.sort_unstable();
    spent[spent.len() / 2]
}

fn cpu_ns() -> i64 {
    let now = clock_gettime(ClockId::ProcessCPUTime);
    now.tv_sec * 1_000_000_000 + now.tv_nsec
}

/// The most memory that this process has held, where the system tells.
fn peak_mib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok().map(|kib| kib / 1024)
}
