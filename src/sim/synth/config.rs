//! What to synthesise, checked before anything is.

use qt_model::time::{Date, Ts};

use super::fault::Faults;
use super::latency::Latency;
use super::spec::Spec;

/// More instruments than this are refused.
pub const INSTRUMENTS_MAX: usize = 10_000;
/// Fewer levels on a side than this are no book; more than this are slow.
pub const DEPTH_LEVELS_MIN: usize = 5;
pub const DEPTH_LEVELS_MAX: usize = 1_000;

/// A market to be. One of `duration_ns` and `events` ends it; with both, what comes first.
#[derive(Clone, Debug)]
pub struct Config {
    pub seed: u64,
    pub instruments: Vec<Spec>,
    pub start: Ts,
    /// Records with `ts_recv` before `start` plus this.
    pub duration_ns: Option<i64>,
    /// Exactly this many records, of all kinds together.
    pub events: Option<u64>,
    pub faults: Faults,
    pub latency: Latency,
    /// Levels kept on each side: what a snapshot shows.
    pub depth_levels: usize,
    /// A snapshot at each UTC multiple of this, and at each midnight.
    pub snapshot_every_ns: i64,
    /// Records in a full batch; the records themselves do not depend on it.
    pub batch_records: usize,
}

impl Default for Config {
    /// An hour of the known instruments.
    fn default() -> Self {
        Self {
            seed: 1,
            instruments: Spec::known(),
            start: Date::new(2024, 8, 8).expect("a day of the calendar").start(),
            duration_ns: Some(HOUR_NANOS),
            events: None,
            faults: Faults::NONE,
            latency: Latency::default(),
            depth_levels: 20,
            snapshot_every_ns: HOUR_NANOS,
            batch_records: 8_192,
        }
    }
}

const HOUR_NANOS: i64 = 3_600_000_000_000;
const SECOND_NANOS: i64 = 1_000_000_000;
/// The last instant that a market may reach: 2261, a year before time overflows.
const LATEST_NANOS: i64 = 9_190_000_000_000_000_000;
const PACE_MIN: f64 = 0.001;
const PACE_MAX: f64 = 100_000.0;

/// Why no market can be made.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ConfigError {
    #[error("a market needs an instrument")]
    NoInstruments,
    #[error("{found} instruments are too many: at most {INSTRUMENTS_MAX}")]
    TooManyInstruments { found: usize },
    #[error("{symbol} is named twice")]
    RepeatedSymbol { symbol: String },
    #[error("{symbol} at {found} actions per second: expected {PACE_MIN} to {PACE_MAX}")]
    Pace { symbol: String, found: f64 },
    #[error("the market has no end: expected a duration or a number of events")]
    Endless,
    #[error("a duration of {found} ns: expected more than zero")]
    Duration { found: i64 },
    #[error("the market would run from {start} to beyond the years 1678 to 2261")]
    OutOfTime { start: Ts },
    #[error("{found} levels on a side: expected {DEPTH_LEVELS_MIN} to {DEPTH_LEVELS_MAX}")]
    DepthLevels { found: usize },
    #[error("a snapshot every {found} ns: expected a second or more")]
    SnapshotEvery { found: i64 },
    #[error("batches of {found} records: expected 1 to 1000000")]
    BatchRecords { found: usize },
}

impl Config {
    /// The first thing wrong, if any.
    pub fn check(&self) -> Result<(), ConfigError> {
        self.check_instruments()?;
        self.end_ns()?;
        if !(DEPTH_LEVELS_MIN..=DEPTH_LEVELS_MAX).contains(&self.depth_levels) {
            return Err(ConfigError::DepthLevels { found: self.depth_levels });
        }
        if self.snapshot_every_ns < SECOND_NANOS {
            return Err(ConfigError::SnapshotEvery { found: self.snapshot_every_ns });
        }
        if !(1..=1_000_000).contains(&self.batch_records) {
            return Err(ConfigError::BatchRecords { found: self.batch_records });
        }
        Ok(())
    }

    fn check_instruments(&self) -> Result<(), ConfigError> {
        match self.instruments.len() {
            0 => return Err(ConfigError::NoInstruments),
            found if found > INSTRUMENTS_MAX => {
                return Err(ConfigError::TooManyInstruments { found });
            }
            _ => {}
        }
        let mut symbols: Vec<_> = self.instruments.iter().map(symbol_of).collect();
        symbols.sort_unstable();
        if let Some(pair) = symbols.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(ConfigError::RepeatedSymbol { symbol: pair[0].to_owned() });
        }
        // Written so that a number that is none is refused too.
        let is_odd = |spec: &&Spec| !(PACE_MIN..=PACE_MAX).contains(&spec.actions_per_s);
        match self.instruments.iter().find(is_odd) {
            Some(spec) => Err(ConfigError::Pace {
                symbol: symbol_of(spec).to_owned(),
                found: spec.actions_per_s,
            }),
            None => Ok(()),
        }
    }

    /// The instant before which all records are received.
    pub(super) fn end_ns(&self) -> Result<i64, ConfigError> {
        let start_ns = self.start.nanos();
        let out_of_time = ConfigError::OutOfTime { start: self.start };
        if !(-LATEST_NANOS..LATEST_NANOS).contains(&start_ns) {
            return Err(out_of_time);
        }
        match (self.duration_ns, self.events) {
            (None, None) => Err(ConfigError::Endless),
            (None, Some(_)) => Ok(LATEST_NANOS),
            (Some(found), _) if found <= 0 => Err(ConfigError::Duration { found }),
            (Some(duration), _) => {
                start_ns.checked_add(duration).filter(|end| *end <= LATEST_NANOS).ok_or(out_of_time)
            }
        }
    }
}

fn symbol_of(spec: &Spec) -> &str {
    spec.instrument.symbol.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(change: impl FnOnce(&mut Config), expected: &str) {
        let mut config = Config::default();
        change(&mut config);
        let found = config.check().map_err(|error| error.to_string());
        assert_eq!(found.err().as_deref().unwrap_or("fine"), expected);
    }

    #[test]
    fn what_cannot_be_is_refused_with_its_value() {
        check(|_| (), "fine");
        check(|config| config.instruments.clear(), "a market needs an instrument");
        check(
            |config| config.instruments = Spec::many(10_001),
            "10001 instruments are too many: at most 10000",
        );
        check(
            |config| config.instruments.push(Spec::named("sim:ESZ4").unwrap()),
            "sim:ESZ4 is named twice",
        );
        check(
            |config| config.instruments = vec![Spec::named("sim:X").unwrap().at_pace(f64::NAN)],
            "sim:X at NaN actions per second: expected 0.001 to 100000",
        );
        check(
            |config| config.duration_ns = None,
            "the market has no end: expected a duration or a number of events",
        );
        check(|config| config.duration_ns = Some(0), "a duration of 0 ns: expected more than zero");
        check(
            |config| config.duration_ns = Some(i64::MAX),
            "the market would run from 2024-08-08T00:00:00.000000000Z to beyond the years 1678 to 2261",
        );
        check(|config| config.depth_levels = 4, "4 levels on a side: expected 5 to 1000");
        check(
            |config| config.snapshot_every_ns = 5,
            "a snapshot every 5 ns: expected a second or more",
        );
        check(|config| config.batch_records = 0, "batches of 0 records: expected 1 to 1000000");
    }

    #[test]
    fn a_number_of_events_is_an_end() {
        check(|config| (config.duration_ns, config.events) = (None, Some(5)), "fine");
    }
}
