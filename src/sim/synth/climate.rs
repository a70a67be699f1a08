//! The slow state of one instrument: volatility regimes, trend, news and the hour of the day.
//!
//! Agitation is a product of five two-valued parts that flip on time scales from seconds to hours
//! (the Markov-switching multifractal of Calvet and Fisher): few lines, and returns get fat tails
//! and volatility that clusters on all scales. It changes at most once a second.

use super::rhythm::Rhythm;
use crate::dice::Dice;

const SECOND_NANOS: i64 = 1_000_000_000;

/// How long each part holds its value, on average.
const LIVES_S: [f64; 5] = [5.0, 40.0, 300.0, 2_400.0, 18_000.0];
const CALM: f64 = 0.65;
const WILD: f64 = 1.35;
const TREND_LIFE_S: f64 = 1_500.0;
const NEWS_EVERY_S: f64 = 3_000.0;

#[derive(Clone, Debug)]
pub(super) struct Climate {
    rhythm: Rhythm,
    step_ns: i64,
    next_ns: i64,
    is_wild: [bool; 5],
    trend: i64,
}

/// What the climate asks of the market until its next step.
#[derive(Clone, Copy, Debug)]
pub(super) struct Weather {
    /// Multiple of the mean rate of arrivals.
    pub(super) activity: f64,
    /// Multiple of the mean size of a price step.
    pub(super) agitation: f64,
    /// Down, nowhere or up: -1, 0 or 1.
    pub(super) trend: i64,
    /// Something just became known.
    pub(super) has_news: bool,
}

impl Climate {
    pub(super) fn new(rhythm: Rhythm, mean_per_s: f64, start_ns: i64, dice: &mut Dice) -> Self {
        // A sleepy instrument need not look at the sky each second.
        let step_s = (32.0 / mean_per_s).clamp(1.0, 60.0) as i64;
        let mut roll = dice.roll();
        let is_wild = LIVES_S.map(|_| roll.coin());
        let trend = i64::from(roll.take::<8>() % 3) - 1;
        Self { rhythm, step_ns: step_s * SECOND_NANOS, next_ns: start_ns, is_wild, trend }
    }

    #[inline]
    pub(super) fn is_due(&self, now_ns: i64) -> bool {
        now_ns >= self.next_ns
    }

    /// Moves one step on.
    pub(super) fn step(&mut self, dice: &mut Dice) -> Weather {
        let step_s = (self.step_ns / SECOND_NANOS) as f64;
        for (part, life_s) in self.is_wild.iter_mut().zip(LIVES_S) {
            if dice.unit() * life_s < step_s {
                *part = dice.roll().coin();
            }
        }
        if dice.unit() * TREND_LIFE_S < step_s {
            self.trend = i64::from(dice.below(3)) - 1;
        }
        let has_news = dice.unit() * NEWS_EVERY_S < step_s;
        let weather = self.weather(has_news);
        self.next_ns += self.step_ns;
        weather
    }

    fn weather(&self, has_news: bool) -> Weather {
        let product: f64 =
            self.is_wild.iter().map(|wild| if *wild { WILD } else { CALM }).product();
        // Agitation shows in both: more things happen, and each moves the price further.
        let agitation = product.sqrt();
        let activity = self.rhythm.at(self.next_ns) * agitation;
        Weather { activity, agitation, trend: self.trend, has_news }
    }
}
