//! The hours of the day: how busy an instrument is, as a multiple of its mean.

use qt_model::time::DAY_NANOS;

/// Which day an instrument lives by (hours UTC).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rhythm {
    /// Around the clock with bumps where Asia, Europe and America are awake.
    Continuous,
    /// A U between 13:30 and 20:00, a murmur at night.
    Session,
}

const HALF_HOURS: usize = 48;
const HALF_HOUR_NANOS: i64 = DAY_NANOS / 48;

/// How busy it is at the start of each half hour; only the proportions count.
const CONTINUOUS: [u16; HALF_HOURS] = [
    130, 112, 100, 92, 86, 82, 78, 76, 74, 73, 73, 76, 82, 90, 100, 108, //
    112, 108, 102, 98, 94, 92, 92, 94, 98, 110, 132, 158, 176, 170, 158, 146, //
    134, 124, 114, 108, 106, 104, 98, 94, 88, 84, 80, 78, 78, 82, 92, 110,
];
const SESSION: [u16; HALF_HOURS] = [
    34, 30, 28, 26, 26, 26, 26, 28, 28, 30, 34, 40, 50, 70, 96, 104, //
    98, 90, 84, 78, 74, 72, 74, 82, 92, 110, 160, 430, 350, 290, 246, 212, //
    186, 168, 160, 158, 168, 190, 236, 320, 150, 60, 44, 36, 32, 34, 38, 38,
];

impl Rhythm {
    /// The multiple at that instant, in a straight line between half hours.
    pub(super) fn at(self, nanos: i64) -> f64 {
        let table = match self {
            Self::Continuous => &CONTINUOUS,
            Self::Session => &SESSION,
        };
        let of_day = nanos.rem_euclid(DAY_NANOS);
        let slot = (of_day / HALF_HOUR_NANOS) as usize;
        let rest = (of_day % HALF_HOUR_NANOS) as f64 / HALF_HOUR_NANOS as f64;
        let (low, high) = (f64::from(table[slot]), f64::from(table[(slot + 1) % HALF_HOURS]));
        (low + (high - low) * rest) / mean(table)
    }
}

fn mean(table: &[u16; HALF_HOURS]) -> f64 {
    let sum: u32 = table.iter().map(|part| u32::from(*part)).sum();
    f64::from(sum) / HALF_HOURS as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_averages_to_one() {
        for rhythm in [Rhythm::Continuous, Rhythm::Session] {
            let minutes = (0..1_440).map(|minute| rhythm.at(minute * 60_000_000_000));
            let mean = minutes.sum::<f64>() / 1_440.0;
            assert!((mean - 1.0).abs() < 1.0e-9, "{rhythm:?} {mean}");
        }
    }

    #[test]
    fn days_meet_at_midnight_before_and_after_the_epoch() {
        for rhythm in [Rhythm::Continuous, Rhythm::Session] {
            let step = (rhythm.at(DAY_NANOS - 1) - rhythm.at(DAY_NANOS)).abs();
            assert!(step < 0.001, "{rhythm:?} {step}");
            assert!((rhythm.at(-DAY_NANOS) - rhythm.at(0)).abs() < 1.0e-9);
        }
    }
}
