//! How fast a market is made: records per second of CPU, and the hash of what was made, so that
//! fast and wrong cannot pass. Arguments: the number of records, then the number of instruments.

use qt_model::record::{Batch, Kind, Source};
use qt_sim::synth::{Config, Faults, Market, Spec};
use rustix::time::{ClockId, clock_gettime};

fn main() {
    let mut numbers = std::env::args().filter_map(|text| text.parse::<u64>().ok());
    let events = numbers.next().unwrap_or(20_000_000);
    let only = numbers.next().map(|count| Spec::many(count as usize));
    if let Some(instruments) = only {
        return measure("asked for", instruments, events, Faults::NONE);
    }
    measure("one", Spec::known().into_iter().take(1).collect(), events, Faults::NONE);
    measure("known", Spec::known(), events, Faults::NONE);
    measure("thousand", Spec::many(1_000), events, Faults::NONE);
    let faults = "gaps,duplicates,reorder,crossed,stale,clock-skew".parse();
    measure("faulty", Spec::known(), events, faults.expect("the words of all faults"));
}

fn measure(name: &str, instruments: Vec<Spec>, events: u64, faults: Faults) {
    let config = Config {
        instruments,
        duration_ns: None,
        events: Some(events),
        faults,
        ..Config::default()
    };
    // Hashing is not what is measured, so the hash is of a second, shorter run.
    let hash = hash(&Config { events: Some(events.min(1_000_000)), ..config.clone() });
    let begun = cpu_ns();
    let mut market = Market::new(&config).expect("a good configuration");
    let ready = cpu_ns();
    let mut batch = Batch::new(market.instruments().clone());
    let mut counts = [0_usize; 4];
    while market.next(&mut batch).is_ok_and(|is_more| is_more) {
        counts[0] += batch.len();
        for (count, kind) in counts[1..].iter_mut().zip([Kind::Depth, Kind::Trade, Kind::Quote]) {
            *count += batch.count(kind);
        }
    }
    let spent = cpu_ns() - ready;
    let records = counts[0] as f64;
    let percent = |at: usize| 100.0 * counts[at] as f64 / records;
    println!(
        "{name:10} {:6.2} M records/s  {:5.1} ns each  setup {:5.1} ms  \
         depth {:4.1} % trade {:4.1} % quote {:4.1} %  hash of {} {hash:016x}",
        records * 1_000.0 / spent as f64,
        spent as f64 / records,
        (ready - begun) as f64 / 1.0e6,
        percent(1),
        percent(2),
        percent(3),
        events.min(1_000_000),
    );
}

/// FNV-1a over the plain text of every record.
fn hash(config: &Config) -> u64 {
    use std::fmt::Write;
    let mut market = Market::new(config).expect("a good configuration");
    let mut batch = Batch::new(market.instruments().clone());
    let (mut sum, mut text) = (0xcbf2_9ce4_8422_2325_u64, String::new());
    while market.next(&mut batch).is_ok_and(|is_more| is_more) {
        for record in batch.iter() {
            text.clear();
            write!(text, "{record:?}").expect("a string takes any text");
            sum = text
                .bytes()
                .fold(sum, |sum, byte| (sum ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
        }
    }
    sum
}

fn cpu_ns() -> i64 {
    let now = clock_gettime(ClockId::ProcessCPUTime);
    now.tv_sec * 1_000_000_000 + now.tv_nsec
}
