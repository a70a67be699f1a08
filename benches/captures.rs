//! How fast captures of wires are imported: in process, on one thread, in CPU time.
//!
//! Arguments: files, how often to read each (the median counts), and `x40` to measure, beside each
//! file, one of its messages forty times over, each time later: what a message costs shows there,
//! what an import costs once shows in the file itself. Without a file, a capture of Binance's spot
//! market is made in memory. Compression is taken off before the clock starts: the
//! figure is of lines in memory to batches in the order of a stream. The digest is taken in a pass
//! of its own: fast and wrong cannot pass.

use std::fmt::Write;
use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use qt_market::book::PriceBook;
use qt_model::record::{Batch, Depth, Source};
use qt_stream::digest::Digest;
use qt_stream::import::{
    Hints, ImportInput, Imported, Importer, Likeness, Look, Meter, Notes, members,
};
use qt_stream::read::Options;
use rustix::time::{ClockId, clock_gettime};

const PASSES: usize = 5;

/// Lines of the capture that is made when none is named.
const OWN_LINES: u64 = 400_000;

fn main() {
    // Cargo adds its own flags.
    let words: Vec<String> = std::env::args().skip(1).filter(|it| !it.starts_with("--")).collect();
    let passes = words.iter().find_map(|word| word.parse().ok()).unwrap_or(PASSES);
    let times = words.iter().find_map(|word| word.strip_prefix('x')?.parse::<i64>().ok());
    let is_file = |word: &&String| word.strip_prefix('x').unwrap_or(word).parse::<usize>().is_err();
    let files = words.iter().filter(is_file).map(PathBuf::from);
    let captures: Vec<_> = files.flat_map(|path| Capture::read(&path)).collect();
    if captures.is_empty() {
        println!("{}", measure(&Capture::made(), passes));
    }
    for capture in &captures {
        println!("{}", measure(capture, passes));
        if let Some(times) = times {
            println!("{}", measure(&capture.repeated(times), passes));
        }
    }
}

struct Capture {
    name: String,
    path: Option<PathBuf>,
    bytes: Vec<u8>,
}

impl Capture {
    /// A file, or the members of an archive, without compression.
    fn read(path: &Path) -> Vec<Self> {
        let all = members(path).expect("the file opens");
        let read = all.iter().map(|member| {
            let mut input = member
                .open(&Options::default(), &Notes::default(), &Meter::default())
                .expect("the file opens");
            let mut bytes = Vec::new();
            input.bytes.read_to_end(&mut bytes).expect("the file is read");
            let name = member.name().rsplit('/').next().unwrap_or_default().to_owned();
            Self { name, path: input.path, bytes }
        });
        read.collect()
    }

    /// Updates, quotes and prints in the proportion of a busy hour.
    fn made() -> Self {
        let mut text = String::new();
        for at in 0..OWN_LINES {
            let (ts, ms) = (1_723_161_253_937_085_768 + at * 1_000_003, 1_723_161_255_208 + at);
            let px = 61_000 + at * 7 % 997;
            let line = match at % 12 {
                0 => format!(
                    r#"{{"stream":"btcusdt@depth@100ms","data":{{"e":"depthUpdate","E":{ms},"s":"BTCUSDT","U":{at},"u":{at},"b":[["{px}.63000000","0.00000000"],["{px}.17000000","0.50000000"],["{px}.02000000","1.25000000"]],"a":[["{px}.64000000","1.54698000"],["{px}.99000000","0.00000000"]]}}}}"#
                ),
                1..4 => format!(
                    r#"{{"stream":"btcusdt@trade","data":{{"e":"trade","E":{ms},"s":"BTCUSDT","t":{at},"p":"{px}.63000000","q":"0.02000000","T":{ms},"m":true,"M":true}}}}"#
                ),
                _ => format!(
                    r#"{{"stream":"btcusdt@bookTicker","data":{{"u":{at},"s":"BTCUSDT","b":"{px}.63000000","B":"3.78826000","a":"{px}.64000000","A":"1.54698000"}}}}"#
                ),
            };
            writeln!(text, "{ts} {line}").expect("a text takes lines");
        }
        Self { name: "made".to_owned(), path: None, bytes: text.into_bytes() }
    }

    /// The same messages so many times, as after reconnects: each time is a day behind the last.
    fn repeated(&self, times: i64) -> Self {
        let mut bytes = Vec::new();
        for days in 0..times {
            for line in self.bytes.split_inclusive(|byte| *byte == b'\n') {
                let at = time_at(line);
                let digits = line[at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
                let (head, rest) = line.split_at(at);
                let (count, tail) = rest.split_at(digits);
                bytes.extend_from_slice(head);
                if let Ok(count) = std::str::from_utf8(count).unwrap_or_default().parse::<i64>() {
                    // Seconds have ten digits, and each three more are a thousandth.
                    let unit = 10_i64.pow(u32::try_from(digits.saturating_sub(10)).unwrap_or(0));
                    bytes.extend_from_slice((count + days * 86_400 * unit).to_string().as_bytes());
                }
                bytes.extend_from_slice(tail);
            }
        }
        Self { name: format!("{} x{times}", self.name), path: self.path.clone(), bytes }
    }

    fn open(&self) -> Imported {
        let look = Look { start: &self.bytes, path: self.path.as_deref() };
        let surest = qt_venue::IMPORTERS.iter().max_by_key(|it| it.recognise(&look));
        let importer: &dyn Importer =
            *surest.filter(|it| it.recognise(&look) > Likeness::Part).expect("a known format");
        let input = ImportInput {
            name: Arc::from(self.name.as_str()),
            path: self.path.clone(),
            bytes: Box::new(Cursor::new(self.bytes.clone())),
            notes: Notes::default(),
            is_packed: false,
        };
        importer.open(input, &Hints::default(), &Options::default()).expect("the import opens")
    }
}

fn measure(capture: &Capture, passes: usize) -> String {
    let mut times: Vec<f64> = (0..passes.max(1)).map(|_| timed(capture)).collect();
    times.sort_by(f64::total_cmp);
    let seconds = times[times.len() / 2];
    let (records, digest, applied, book_ns) = checked(capture);
    let megabytes = capture.bytes.len() as f64 / 1e6;
    format!(
        "{}: {:.0} MB/s, {:.2} M records/s ({records} records, {megabytes:.1} MB), {digest}; \
         {applied} depth records applied at {book_ns:.0} ns a level",
        capture.name,
        megabytes / seconds,
        records as f64 / seconds / 1e6,
    )
}

/// Where the time of a line begins: in front, behind an arrow, or in the message.
fn time_at(line: &[u8]) -> usize {
    if line.first().is_some_and(u8::is_ascii_digit) {
        return 0;
    }
    let behind = |mark: &[u8]| {
        line.windows(mark.len()).position(|window| window == mark).map(|at| at + mark.len())
    };
    let arrow = || ["<-> ", "<- ", "-> "].iter().find_map(|arrow| behind(arrow.as_bytes()));
    behind(b"\"ts\":").or_else(arrow).unwrap_or(0)
}

fn timed(capture: &Capture) -> f64 {
    let mut source = capture.open();
    let (mut batch, start) = (Batch::default(), cpu_seconds());
    while source.next(&mut batch).expect("the capture is read") {}
    cpu_seconds() - start
}

/// Records, their digest, and what applying the depth of the first instrument to a book costs.
fn checked(capture: &Capture) -> (u64, String, u64, f64) {
    let (mut source, mut batch) = (capture.open(), Batch::default());
    let (mut digest, mut book) = (Digest::default(), PriceBook::default());
    let (mut applied, mut levels, mut seconds) = (0, 0, 0.0);
    let mut of = None;
    while source.next(&mut batch).expect("the capture is read") {
        digest.update(&batch);
        let start = cpu_seconds();
        for (at, depth) in batch.rows::<Depth>().iter().enumerate() {
            if *of.get_or_insert(depth.head.instrument) == depth.head.instrument {
                book.apply(depth, batch.levels(at));
                applied += 1;
                levels += batch.levels(at).len();
            }
        }
        seconds += cpu_seconds() - start;
    }
    (digest.records(), digest.text(), applied, seconds * 1e9 / levels.max(1) as f64)
}

fn cpu_seconds() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}
