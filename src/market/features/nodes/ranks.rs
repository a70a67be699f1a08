//! The order of the values of a window: extremes and quantiles.

use std::collections::VecDeque;

use super::ring::Ring;
use crate::features::node::{Column, Node, map};
use crate::features::value::NONE;

/// `highest`, `lowest`: each value enters and leaves the queue once.
#[derive(Clone, Debug)]
pub(crate) struct Extreme {
    is_highest: bool,
    size: u64,
    count: u64,
    /// Places and values that may still become the extreme, from the oldest on.
    queue: VecDeque<(u64, f64)>,
}

impl Extreme {
    pub(crate) fn new(is_highest: bool, size: usize) -> Self {
        let queue = VecDeque::with_capacity(size + 1);
        Self { is_highest, size: size as u64, count: 0, queue }
    }
}

impl Node for Extreme {
    fn run(&mut self, inputs: &[Column<'_>], out: &mut [f64]) -> bool {
        let Self { is_highest, size, count, queue } = self;
        map(inputs[0], out, |value| {
            let is_beaten = |old: f64| if *is_highest { old <= value } else { old >= value };
            while queue.back().is_some_and(|(_, old)| is_beaten(*old)) {
                queue.pop_back();
            }
            queue.push_back((*count, value));
            *count += 1;
            if queue.front().is_some_and(|(place, _)| place + *size < *count) {
                queue.pop_front();
            }
            match queue.front() {
                Some((_, extreme)) if *count >= *size => *extreme,
                _ => NONE,
            }
        })
    }

    fn fresh(&self) -> Box<dyn Node> {
        Box::new(Self::new(self.is_highest, self.size as usize))
    }
}

/// `quantile`, `median`, `percentile`: the window kept in order beside the ring.
#[derive(Clone, Debug)]
pub(crate) struct Quantile {
    /// The share of values below; `None` asks for the share at or below the newest value.
    share: Option<f64>,
    ring: Ring,
    sorted: Vec<f64>,
}

impl Quantile {
    pub(crate) fn new(share: Option<f64>, size: usize) -> Self {
        Self { share, ring: Ring::new(size), sorted: Vec::with_capacity(size + 1) }
    }

    fn push(&mut self, value: f64) {
        if let Some(old) = self.ring.push(value) {
            let at = self.sorted.partition_point(|it| it.total_cmp(&old).is_lt());
            self.sorted.remove(at);
        }
        let at = self.sorted.partition_point(|it| it.total_cmp(&value).is_lt());
        self.sorted.insert(at, value);
    }

    fn read(&self, newest: f64) -> f64 {
        let Some(share) = self.share else {
            let at_most = self.sorted.partition_point(|it| *it <= newest);
            return at_most as f64 / self.sorted.len() as f64;
        };
        // Between the two neighbours in proportion, as most tools do.
        let place = share * (self.sorted.len() - 1) as f64;
        let (low, part) = (place.floor() as usize, place.fract());
        let high = (low + 1).min(self.sorted.len() - 1);
        self.sorted[low] + part * (self.sorted[high] - self.sorted[low])
    }
}

impl Node for Quantile {
    fn run(&mut self, inputs: &[Column<'_>], out: &mut [f64]) -> bool {
        map(inputs[0], out, |value| {
            self.push(value);
            if self.ring.is_full() { self.read(value) } else { NONE }
        })
    }

    fn fresh(&self) -> Box<dyn Node> {
        Box::new(Self::new(self.share, self.ring.size()))
    }
}
