//! Windows of time: the values of the events of the last so many nanoseconds.
//!
//! An event at `now` sees what lies after `now − length`, itself included. There is no value until
//! that much time has passed since the first. A window looks at the clock when its own column
//! speaks: between two values nothing changes.

use std::collections::VecDeque;

use super::shifts::Against;
use crate::features::node::{Column, Node, map_at};
use crate::features::registry::EVENTS_MAX;
use crate::features::value::{NONE, finite};

/// Values with their times, the oldest first.
#[derive(Clone, Debug)]
struct Recent {
    length: f64,
    held: VecDeque<(f64, f64)>,
    began: Option<f64>,
}

impl Recent {
    fn new(nanos: i64) -> Self {
        Self { length: nanos as f64, held: VecDeque::new(), began: None }
    }

    fn push(&mut self, now: f64, value: f64) {
        self.began.get_or_insert(now);
        self.held.push_back((now, value));
    }

    /// Takes out the oldest value, if it has left the window.
    fn expire(&mut self, now: f64) -> Option<f64> {
        let (ts, _) = self.held.front()?;
        let is_over = *ts <= now - self.length || self.held.len() as u64 > EVENTS_MAX;
        if is_over { self.held.pop_front().map(|(_, value)| value) } else { None }
    }

    /// Whether the window lies behind the first value.
    fn is_full(&self, now: f64) -> bool {
        self.began.is_some_and(|began| now - began >= self.length)
    }
}

/// `sma`, `sum`, `var`, `std`, `z` and `count` over a length of time.
#[derive(Clone, Debug)]
pub(crate) struct TimedMoment {
    ask: Asked,
    recent: Recent,
    sums: Sums,
}

/// What is asked of a window of time.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Asked {
    Mean,
    Sum,
    Variance,
    Deviation,
    /// How many deviations the newest value lies above the mean.
    Score,
    Count,
}

/// Sums of differences from a value near the mean, taken anew once as many values have left as are
/// there: the error does not grow with the stream.
#[derive(Clone, Copy, Debug)]
struct Sums {
    shift: f64,
    sum: f64,
    squares: f64,
    left: usize,
    last: f64,
    /// How many equal values came last.
    equal: usize,
}

impl Sums {
    const NEW: Self =
        Self { shift: 0.0, sum: 0.0, squares: 0.0, left: 0, last: f64::NAN, equal: 0 };

    fn add(&mut self, value: f64, is_first: bool) {
        self.equal = if value.to_bits() == self.last.to_bits() { self.equal + 1 } else { 1 };
        self.last = value;
        if is_first {
            *self = Self { last: value, equal: self.equal, shift: value, ..Self::NEW };
        }
        let part = value - self.shift;
        self.sum += part;
        self.squares += part * part;
    }

    fn take(&mut self, value: f64) {
        let part = value - self.shift;
        self.sum -= part;
        self.squares -= part * part;
        self.left += 1;
    }

    fn anew(&mut self, held: &VecDeque<(f64, f64)>) {
        self.shift += self.sum / held.len() as f64;
        (self.sum, self.squares, self.left) = (0.0, 0.0, 0);
        for (_, value) in held {
            let part = value - self.shift;
            self.sum += part;
            self.squares += part * part;
        }
    }

    fn mean(&self, count: usize) -> f64 {
        if self.equal >= count { self.last } else { self.shift + self.sum / count as f64 }
    }

    fn sum(&self, count: usize) -> f64 {
        let count_all = count as f64;
        if self.equal >= count { self.last * count_all } else { self.shift * count_all + self.sum }
    }

    fn variance(&self, count: usize) -> f64 {
        if self.equal >= count {
            return 0.0;
        }
        let mean = self.sum / count as f64;
        (self.squares / count as f64 - mean * mean).max(0.0)
    }
}

impl TimedMoment {
    pub(crate) fn new(ask: Asked, nanos: i64) -> Self {
        Self { ask, recent: Recent::new(nanos), sums: Sums::NEW }
    }

    fn push(&mut self, value: f64, now: f64) {
        let Self { recent, sums, .. } = self;
        while let Some(old) = recent.expire(now) {
            sums.take(old);
        }
        sums.add(value, recent.held.is_empty());
        recent.push(now, value);
        if sums.left >= recent.held.len() {
            sums.anew(&recent.held);
        }
    }

    fn read(&self, value: f64) -> f64 {
        let count = self.recent.held.len();
        match self.ask {
            Asked::Count => count as f64,
            Asked::Mean => self.sums.mean(count),
            Asked::Sum => self.sums.sum(count),
            Asked::Variance => self.sums.variance(count),
            Asked::Deviation => self.sums.variance(count).sqrt(),
            Asked::Score => {
                finite((value - self.sums.mean(count)) / self.sums.variance(count).sqrt())
            }
        }
    }
}

impl Node for TimedMoment {
    fn run(&mut self, inputs: &[Column<'_>], out: &mut [f64]) -> bool {
        map_at([inputs[0], inputs[1]], out, |value, now| {
            self.push(value, now);
            if self.recent.is_full(now) { self.read(value) } else { NONE }
        })
    }

    fn fresh(&self) -> Box<dyn Node> {
        Box::new(Self::new(self.ask, self.recent.length as i64))
    }
}

/// `lag`, `diff`, `ret`, `change`, `logret` against the last value as old as a length of time.
#[derive(Clone, Debug)]
pub(crate) struct TimedShift {
    against: Against,
    recent: Recent,
}

impl TimedShift {
    pub(crate) fn new(against: Against, nanos: i64) -> Self {
        Self { against, recent: Recent::new(nanos) }
    }
}

impl Node for TimedShift {
    fn run(&mut self, inputs: &[Column<'_>], out: &mut [f64]) -> bool {
        let Self { against, recent } = self;
        map_at([inputs[0], inputs[1]], out, |value, now| {
            recent.push(now, value);
            let until = now - recent.length;
            // The newest of those that are old enough stays in front.
            while recent.held.get(1).is_some_and(|(ts, _)| *ts <= until)
                || recent.held.len() as u64 > EVENTS_MAX
            {
                recent.held.pop_front();
            }
            match recent.held.front() {
                Some((ts, old)) if *ts <= until => against.of(*old, value),
                _ => NONE,
            }
        })
    }

    fn fresh(&self) -> Box<dyn Node> {
        Box::new(Self::new(self.against, self.recent.length as i64))
    }
}

/// `highest`, `lowest` over a length of time.
#[derive(Clone, Debug)]
pub(crate) struct TimedExtreme {
    is_highest: bool,
    /// Values that may still become the extreme.
    recent: Recent,
}

impl TimedExtreme {
    pub(crate) fn new(is_highest: bool, nanos: i64) -> Self {
        Self { is_highest, recent: Recent::new(nanos) }
    }
}

impl Node for TimedExtreme {
    fn run(&mut self, inputs: &[Column<'_>], out: &mut [f64]) -> bool {
        let Self { is_highest, recent } = self;
        map_at([inputs[0], inputs[1]], out, |value, now| {
            let is_beaten = |old: f64| if *is_highest { old <= value } else { old >= value };
            while recent.held.back().is_some_and(|(_, old)| is_beaten(*old)) {
                recent.held.pop_back();
            }
            recent.push(now, value);
            while recent.expire(now).is_some() {}
            match recent.held.front() {
                Some((_, extreme)) if recent.is_full(now) => *extreme,
                _ => NONE,
            }
        })
    }

    fn fresh(&self) -> Box<dyn Node> {
        Box::new(Self::new(self.is_highest, self.recent.length as i64))
    }
}

/// `burst`: 1 where the rate of events begins to exceed a multiple of its own average, else 0.
#[derive(Clone, Debug)]
pub(crate) struct Burst {
    recent: Recent,
    factor: f64,
    /// How much the newest rate weighs in the average.
    alpha: f64,
    cooldown: f64,
    baseline: Option<f64>,
    is_bursting: bool,
    signalled: Option<f64>,
}

impl Burst {
    pub(crate) fn new(nanos: i64, factor: f64, alpha: f64, cooldown: f64) -> Self {
        let recent = Recent::new(nanos);
        let (baseline, is_bursting, signalled) = (None, false, None);
        Self { recent, factor, alpha, cooldown, baseline, is_bursting, signalled }
    }

    fn next(&mut self, now: f64) -> f64 {
        self.recent.push(now, 1.0);
        while self.recent.expire(now).is_some() {}
        if !self.recent.is_full(now) {
            return NONE;
        }
        let rate = self.recent.held.len() as f64;
        let baseline = *self.baseline.get_or_insert(rate);
        let is_above = rate > self.factor * baseline;
        let rises = is_above && !self.is_bursting;
        self.is_bursting = is_above;
        if !is_above {
            // In a burst the average stands still, or it would soon call the burst ordinary.
            self.baseline = Some(baseline + self.alpha * (rate - baseline));
        }
        let is_cool = self.signalled.is_none_or(|last| now - last >= self.cooldown);
        if rises && is_cool {
            self.signalled = Some(now);
            return 1.0;
        }
        0.0
    }
}

impl Node for Burst {
    fn run(&mut self, inputs: &[Column<'_>], out: &mut [f64]) -> bool {
        map_at([inputs[0], inputs[1]], out, |_, now| self.next(now))
    }

    fn fresh(&self) -> Box<dyn Node> {
        Box::new(Self::new(self.recent.length as i64, self.factor, self.alpha, self.cooldown))
    }
}
