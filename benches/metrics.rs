//! How fast statistics are: figures of a long series of returns, and what a market event costs.
//!
//! Arguments: a file of returns as little-endian doubles, else ten million are drawn from a seed; and
//! how often to measure (the median counts). Each line has its values: fast and wrong cannot pass.

use std::sync::Arc;

use qt_model::ids::InstrumentId;
use qt_model::instrument::{Instrument, Instruments, Symbol};
use qt_model::order::{Cash, Currency, Execution, FillNo, OrderNo};
use qt_model::time::Ts;
use qt_model::units::{Px, Qty, Scale};
use qt_model::words::{Liquidity, Side};
use qt_trade::metrics::{
    FillContext, Money, Options, Returns, SplitMix64, Statistics, Terms, Touch, Worth,
};
use rustix::time::{ClockId, clock_gettime};

const POINTS: usize = 10_000_000;

const EVENTS: i64 = 5_000_000;

fn main() {
    // Cargo adds its own flags.
    let words: Vec<String> = std::env::args().skip(1).filter(|it| !it.starts_with("--")).collect();
    let passes = words.iter().find_map(|word| word.parse().ok()).unwrap_or(5);
    let file = words.iter().find(|word| word.parse::<usize>().is_err());
    let series = file.map_or_else(drawn, |path| read(path));
    returns(&series, passes);
    for (name, kind) in [("still", Kind::Still), ("flat", Kind::Flat), ("held", Kind::Held)] {
        events(name, kind, passes);
    }
}

fn read(path: &str) -> Vec<f64> {
    let bytes = std::fs::read(path).expect("the file opens");
    let (words, _) = bytes.as_chunks::<8>();
    words.iter().map(|word| f64::from_le_bytes(*word)).collect()
}

/// Twelve uniform numbers less six are nearly normal.
fn drawn() -> Vec<f64> {
    let mut draws = SplitMix64::new(8);
    let normal = |draws: &mut SplitMix64| (0..12).map(|_| draws.uniform()).sum::<f64>() - 6.0;
    (0..POINTS).map(|_| 2e-7 + 1e-4 * normal(&mut draws)).collect()
}

fn returns(series: &[f64], passes: usize) {
    let terms = Terms { periods_per_year: 252.0, ..Terms::DAILY };
    let mut values = [0.0; 3];
    let cpu = median(passes, || {
        let returns = Returns::new(series, terms);
        let figures = [returns.sharpe(), returns.sortino(), returns.max_drawdown()];
        values = figures.map(|figure| figure.expect("a long series has every figure"));
    });
    let [sharpe, sortino, drawdown] = values;
    println!(
        "work=returns points={} cpu_s={cpu} ns_per_point={:.2} sharpe={sharpe:e} sortino={sortino:e} \
         max_drawdown={drawdown:e}",
        series.len(),
        cpu * 1e9 / series.len() as f64
    );
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    /// The best prices stay.
    Still,
    /// They move, and nothing is held.
    Flat,
    /// They move, and equity with them.
    Held,
}

fn statistics() -> (Statistics, InstrumentId) {
    let scale = |digits| Scale::new(digits).expect("a scale of an instrument");
    let symbol = Symbol::new("sim:BTCUSDT").expect("a symbol");
    let mut table = Instruments::default();
    let id = table.declare(Instrument::new(symbol, scale(2), scale(3))).expect("one instrument");
    let options = Options::new(Currency::new("USDT").expect("a currency"));
    let equity = Money::exact(100_000.into()).expect("a round sum");
    let statistics = Statistics::new(&Arc::new(table), options, Ts::default(), equity);
    (statistics.expect("its digits fit"), id)
}

fn events(name: &str, kind: Kind, passes: usize) {
    let mut last = 0.0;
    let cpu = median(passes, || {
        let (mut statistics, id) = statistics();
        let cash = Money::exact(100_000.into()).expect("a round sum");
        if kind == Kind::Held {
            buy(&mut statistics, id);
        }
        for at in 0..EVENTS {
            let ts = Ts::from_nanos(at * 16_000_000);
            let px = if kind == Kind::Still { 6_000_000 } else { 6_000_000 + (at * 7919) % 1000 };
            let touch = Touch { bid: Px::new(px), ask: Px::new(px + 1) };
            statistics.mid(ts, id, Some(touch));
            if kind == Kind::Held {
                // One thousandth at half of a doubled cent.
                let held = Money::from_units(i128::from(2 * px + 1) * 500 * 10_i128.pow(14));
                statistics.equity(ts, Worth { equity: cash + held, gross: held, net: held });
            }
        }
        let figures = statistics.finish(Ts::from_nanos(EVENTS * 16_000_000));
        last = figures.values().iter().filter_map(|(_, value)| value.to_f64()).sum();
    });
    let each = cpu * 1e9 / EVENTS as f64;
    println!("work=events-{name} events={EVENTS} cpu_s={cpu} ns_per_event={each:.2} sum={last:e}");
}

fn buy(statistics: &mut Statistics, id: InstrumentId) {
    let currency = Currency::new("USDT").expect("a currency");
    let execution = Execution {
        fill: FillNo(1),
        px: Px::new(6_000_000),
        qty: Qty::new(1).expect("a size"),
        liquidity: Liquidity::Taker,
        fee: Cash { amount: 0.into(), currency },
    };
    let context = FillContext::default();
    statistics.fill(Ts::default(), OrderNo(1), (id, Side::Buy), &execution, &context);
}

fn median(passes: usize, mut work: impl FnMut()) -> f64 {
    let mut times: Vec<f64> = (0..passes)
        .map(|_| {
            let begun = cpu_s();
            work();
            cpu_s() - begun
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

fn cpu_s() -> f64 {
    let now = clock_gettime(ClockId::ProcessCPUTime);
    now.tv_sec as f64 + now.tv_nsec as f64 / 1e9
}
