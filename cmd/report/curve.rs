//! The equity of a lane in bounded memory: buckets for pictures, and returns on an even grid.

use qt_model::time::{DAY_NANOS, Date, Ts};

/// Buckets of a curve: more than a page has dots across.
const BUCKETS: usize = 900;

const HOUR: i64 = 3_600_000_000_000;

/// What a bucket of time saw.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bucket {
    pub(super) ts: Ts,
    pub(super) equity: f64,
    /// The deepest loss against the running peak, zero or below.
    pub(super) loss: f64,
    /// Net worth of positions, last seen.
    pub(super) net: Option<f64>,
}

/// Equity as a report draws it.
#[derive(Debug)]
pub(super) struct Curve {
    first: Ts,
    width: i64,
    pub(super) buckets: Vec<Bucket>,
    peak: f64,
    /// The grid of returns, in nanoseconds.
    pub(super) step: i64,
    next: Ts,
    previous: f64,
    last: f64,
    pub(super) returns: Vec<(Ts, f64)>,
    /// The last equity of each day.
    pub(super) days: Vec<(Date, f64)>,
    pub(super) start: f64,
    hour: (i64, f64),
    /// Profit by weekday, Monday first, and hour of the day, UTC.
    pub(super) hours: [[f64; 24]; 7],
}

impl Curve {
    pub(super) fn new(first: Ts, last: Ts) -> Self {
        let elapsed = last.since(first).max(1);
        let step = match elapsed / DAY_NANOS {
            60.. => DAY_NANOS,
            3.. => HOUR,
            _ if elapsed > 3 * HOUR => HOUR / 60,
            _ => HOUR / 3600,
        };
        Self {
            first,
            width: elapsed / 900 + 1,
            buckets: Vec::with_capacity(BUCKETS),
            peak: f64::NEG_INFINITY,
            step,
            next: Ts::from_nanos((first.nanos().div_euclid(step) + 1).saturating_mul(step)),
            previous: f64::NAN,
            last: f64::NAN,
            returns: Vec::new(),
            days: Vec::new(),
            start: f64::NAN,
            hour: (i64::MIN, f64::NAN),
            hours: [[0.0; 24]; 7],
        }
    }

    pub(super) fn observe(&mut self, ts: Ts, equity: f64, net: Option<f64>) {
        if self.start.is_nan() {
            (self.start, self.previous, self.last) = (equity, equity, equity);
        }
        self.sample(ts);
        self.hourly(ts, equity);
        self.last = equity;
        self.peak = self.peak.max(equity);
        let loss = if self.peak > 0.0 { equity / self.peak - 1.0 } else { 0.0 };
        let place = ts.since(self.first).max(0) / self.width;
        let is_new = self
            .buckets
            .last()
            .is_none_or(|bucket| bucket.ts.since(self.first).max(0) / self.width != place);
        match self.buckets.last_mut().filter(|_| !is_new) {
            Some(bucket) => {
                bucket.equity = equity;
                bucket.loss = bucket.loss.min(loss);
                bucket.net = net.or(bucket.net);
            }
            None => self.buckets.push(Bucket { ts, equity, loss, net }),
        }
        match self.days.last_mut().filter(|(date, _)| *date == ts.date()) {
            Some((_, last)) => *last = equity,
            None => self.days.push((ts.date(), equity)),
        }
    }

    fn sample(&mut self, ts: Ts) {
        while ts > self.next {
            if self.previous > 0.0 {
                self.returns.push((self.next, self.last / self.previous - 1.0));
            }
            self.previous = self.last;
            self.next = Ts::from_nanos(self.next.nanos().saturating_add(self.step));
        }
    }

    fn hourly(&mut self, ts: Ts, equity: f64) {
        let hour = ts.nanos().div_euclid(HOUR);
        if self.hour.0 == i64::MIN {
            self.hour = (hour, equity);
        }
        // What was gained since the last observation belongs to the hour it is seen in.
        let gain = equity - self.hour.1;
        // The epoch was a Thursday.
        let weekday = (hour.div_euclid(24) + 3).rem_euclid(7) as usize;
        self.hours[weekday][hour.rem_euclid(24) as usize] += gain;
        self.hour = (hour, equity);
    }

    /// The return of each month, by year and month from one.
    pub(super) fn months(&self) -> Vec<((i32, u32), f64)> {
        let mut months: Vec<((i32, u32), f64, f64)> = Vec::new();
        let mut before = self.start;
        for (date, equity) in &self.days {
            let text = date.to_string();
            let month = (text[..4].parse().unwrap_or(0), text[5..7].parse().unwrap_or(0));
            match months.last_mut().filter(|(known, ..)| *known == month) {
                Some((_, _, last)) => *last = *equity,
                None => months.push((month, before, *equity)),
            }
            before = *equity;
        }
        let change = |from: f64, to: f64| if from > 0.0 { to / from - 1.0 } else { 0.0 };
        months.into_iter().map(|(month, from, to)| (month, change(from, to))).collect()
    }

    /// Mean over deviation of the last `window` returns, at each return that has so many.
    pub(super) fn rolling(&self, window: usize) -> Vec<(Ts, f64)> {
        let values: Vec<f64> = self.returns.iter().map(|(_, r)| *r).collect();
        let ratio = |part: &[f64]| {
            let mean = part.iter().sum::<f64>() / part.len() as f64;
            let squares: f64 = part.iter().map(|r| (r - mean) * (r - mean)).sum();
            let deviation = (squares / (part.len() as f64 - 1.0)).sqrt();
            (deviation > 0.0).then_some(mean / deviation)
        };
        let found = values.windows(window).zip(&self.returns[window.min(self.returns.len()) - 1..]);
        found.filter_map(|(part, (ts, _))| Some((*ts, ratio(part)?))).collect()
    }
}
