//! How fast features are computed: in process, on one thread, in CPU time.
//!
//! Records lie in memory before the clock starts. A pass begins with a new engine; the median of the
//! passes counts. Sums of every feature are taken in a pass of their own: fast and wrong cannot pass.

use std::hint::black_box;
use std::path::Path;

use qt_market::book::PriceBook;
use qt_market::features::{BookFrom, Engine, EngineOptions, Plan, Program, parse_list, set};
use qt_model::record::{Batch, Depth, Record, Sequence, Source};
use qt_sim::synth::{Config, Market};
use qt_stream::braid::Strand;
use qt_stream::error::ReadError;
use qt_stream::input::{AnyReader, Input};
use qt_stream::parquet_file::Span;
use qt_stream::read::Options;
use rustix::time::{ClockId, clock_gettime};

const USAGE: &str = "features [quotes|depth] SET-OR-LIST FILE [PASSES]
features [materialize|columns] SET-OR-LIST FILE [PASSES] [SETTLED]
features book FILE [PASSES]";

fn main() {
    // Cargo adds its own flags.
    let words: Vec<String> = std::env::args().skip(1).filter(|it| !it.starts_with("--")).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let passes = |word: Option<&&str>| word.map_or(3, |it| it.parse().expect("PASSES: a number"));
    match &words[..] {
        [] => all(),
        ["book", file, rest @ ..] => {
            println!("{}", book(&read(Path::new(file)), passes(rest.first())));
        }
        [mode, list, file, rest @ ..] => {
            let book = if *mode == "depth" { BookFrom::Depth } else { BookFrom::Quotes };
            let settled = rest.get(1).map_or(0, |it| it.parse().expect("SETTLED: a number"));
            let passes = passes(rest.first());
            let columns = (*mode == "columns").then(|| strands(Path::new(file)));
            let keeping = match (*mode, &columns) {
                (_, Some(columns)) => Keeping::Columns(columns),
                ("materialize", None) => Keeping::Grids,
                _ => Keeping::Nothing,
            };
            let records = match &columns {
                Some(columns) => columns.iter().map(Strand::to_batch).collect(),
                None => read(Path::new(file)),
            };
            println!("{}", features(list, book, &records, settled, (passes, keeping)));
        }
        _ => panic!("{USAGE}"),
    }
}

/// A market of our own, where none is named.
fn all() {
    let instruments = Config::default().instruments.into_iter().take(1).collect();
    let config =
        Config { instruments, duration_ns: None, events: Some(1_000_000), ..Config::default() };
    let mut market = Market::new(&config).expect("a good configuration");
    let mut records = Vec::new();
    let mut batch = Batch::default();
    while market.next(&mut batch).expect("nothing can go wrong") {
        records.push(std::mem::take(&mut batch));
    }
    println!("{}", book(&records, 5));
    for list in ["core15", "vol", "discovery", "ml10"] {
        println!(
            "{list} quotes {}",
            features(list, BookFrom::Quotes, &records, 0, (5, Keeping::Nothing))
        );
    }
    for list in ["core15", "queue", "lob27"] {
        println!(
            "{list} depth {}",
            features(list, BookFrom::Depth, &records, 0, (5, Keeping::Nothing))
        );
    }
}

/// What a pass is fed, and what it keeps of its rows.
#[derive(Clone, Copy)]
enum Keeping<'a> {
    /// Records; only the last batch of rows is there.
    Nothing,
    /// Records; all columns of features.
    Grids,
    /// Columns of quotes; all columns of features.
    Columns(&'a [Strand]),
}

fn read(path: &Path) -> Vec<Batch> {
    all_of(path)
}

/// The same records as columns, as many at a time as a stream hands on.
fn strands(path: &Path) -> Vec<Strand> {
    let some = Options::default().batch_records;
    let parts = |strand: &Strand| {
        let len = strand.len();
        let part = |start| strand.part(start..len.min(start + some));
        (0..len).step_by(some).map(part).collect::<Vec<_>>()
    };
    all_of(path).iter().flat_map(parts).collect()
}

fn all_of<B: Default>(path: &Path) -> Vec<B>
where
    AnyReader: Source<B, Error = ReadError>,
{
    let options = Options { allow_truncated: true, ..Options::default() };
    let input = Input::File(path.to_owned());
    let mut reader = AnyReader::open(input, Span::ALL, options).expect("the file opens");
    let mut records = Vec::new();
    loop {
        let mut batch = B::default();
        if !reader.next(&mut batch).expect("the file is whole") {
            return records;
        }
        records.push(batch);
    }
}

fn cpu_ns() -> u64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec.unsigned_abs() * 1_000_000_000 + time.tv_nsec.unsigned_abs()
}

/// The median of the CPU times of some passes.
fn timed(passes: usize, mut pass: impl FnMut()) -> u64 {
    let mut times: Vec<u64> = (0..passes)
        .map(|_| {
            let begun = cpu_ns();
            pass();
            cpu_ns() - begun
        })
        .collect();
    times.sort_unstable();
    times[times.len() / 2]
}

fn program(list: &str) -> Program {
    if let Some(program) = Program::lob(list) {
        return program;
    }
    let members = match set(list) {
        Some(set) => set.members(),
        None => parse_list(list).unwrap_or_else(|error| panic!("{}", error.pointing_into(list))),
    };
    Program::new(Plan::new(&members).expect("the list compiles"))
}

/// Sums are of rows behind the first `settled`, as far as all their features have a value.
fn features(
    list: &str,
    book: BookFrom,
    records: &[Batch],
    settled: u64,
    (passes, keeping): (usize, Keeping<'_>),
) -> String {
    let options = EngineOptions { book, ..EngineOptions::default() };
    let program = program(list);
    let begin = || Engine::new(program.clone(), options.clone(), Box::new(|_| true));
    let (mut rows, mut sums, mut last) = (0_u64, vec![0.0; program.width()], Vec::new());
    let mut engine = begin();
    for batch in records {
        let found = engine.annotate(batch);
        for row in (0..batch.len()).filter_map(|at| found.of(at)) {
            rows += 1;
            if row.is_warm && rows > settled {
                for (sum, value) in sums.iter_mut().zip(row.values) {
                    *sum += value;
                }
                last.clear();
                last.extend_from_slice(row.values);
            }
        }
    }
    let mut kept: Vec<Vec<f64>> = vec![Vec::new(); program.width()];
    let ns = timed(passes, || {
        let mut engine = begin();
        // Columns of quotes are laid over those of the pass before.
        let mut laid = 0;
        if let Keeping::Grids = keeping {
            kept.iter_mut().for_each(Vec::clear);
        }
        match keeping {
            Keeping::Nothing => records.iter().for_each(|batch| {
                black_box(engine.annotate(batch).of(0));
            }),
            Keeping::Grids => records.iter().for_each(|batch| {
                let found = engine.columns(batch);
                for (feature, kept) in kept.iter_mut().enumerate() {
                    kept.extend_from_slice(found.column(feature));
                }
            }),
            Keeping::Columns(strands) => strands.iter().for_each(|strand| {
                let quotes = strand.quotes().expect("quotes of one symbol that lack nothing");
                laid += engine.quotes(&quotes, strand.instruments(), &mut kept, laid).rows();
            }),
        }
    });
    // What was kept is what was summed.
    let are_kept = matches!(keeping, Keeping::Grids | Keeping::Columns(_));
    for (kept, last) in kept.iter().zip(&last).filter(|_| are_kept) {
        assert_eq!(kept.len() as u64, rows, "all rows are kept");
        assert_eq!(kept.last().map(|it| it.to_bits()), Some(last.to_bits()), "and are the same");
    }
    let shown =
        |values: &[f64]| values.iter().map(|it| format!("{it:.12e}")).collect::<Vec<_>>().join(",");
    format!(
        "rows {rows} cpu_s {:.6} ns_row {:.2} sums {} last {}",
        ns as f64 / 1e9,
        ns as f64 / rows as f64,
        shown(&sums),
        shown(&last)
    )
}

/// The book alone, with a look at both best prices after each record.
fn book(records: &[Batch], passes: usize) -> String {
    let play = |check: &mut i64| {
        let mut book = PriceBook::default();
        for batch in records {
            for record in batch.iter() {
                if let Record::Depth(view) = record {
                    book.apply(view.row, view.levels);
                    let best = book.best_bid().zip(book.best_ask());
                    let spread = best.map_or(0, |(bid, ask)| ask.px.mantissa() - bid.px.mantissa());
                    *check = check.wrapping_add(spread);
                }
            }
        }
    };
    let mut check = 0;
    play(&mut check);
    let rows: usize = records.iter().map(|batch| batch.rows::<Depth>().len()).sum();
    let ns = timed(passes, || {
        let mut again = 0;
        play(&mut again);
        assert_eq!(again, check, "every pass sees the same book");
    });
    let (seconds, each) = (ns as f64 / 1e9, ns as f64 / rows as f64);
    format!("book rows {rows} cpu_s {seconds:.6} ns_row {each:.2} spreads {check}")
}
