//! The columns that expressions begin with, for the events of a batch.

use crate::features::base::Base;
use crate::features::graph::Plan;
use crate::features::value::SKIP;

const _: () = assert!(Base::COUNT <= 64, "a mask has a bit for each column");

/// The bit of a column in a mask.
pub(super) const fn bit(base: Base) -> u64 {
    1 << base.index()
}

/// The bits of several.
pub(super) const fn bits(bases: &[Base]) -> u64 {
    let (mut mask, mut at) = (0, 0);
    while at < bases.len() {
        mask |= bit(bases[at]);
        at += 1;
    }
    mask
}

/// The events of one symbol, a column each for what the plan asks for.
#[derive(Debug)]
pub(crate) struct Columns {
    values: Vec<Vec<f64>>,
    wanted: Vec<Base>,
    /// The same, one bit a column.
    mask: u64,
    /// The event at hand; what nobody asked for is never read.
    event: [f64; Base::COUNT],
    rows: usize,
}

impl Columns {
    pub(super) fn new(plan: &Plan) -> Self {
        let wanted: Vec<Base> = Base::ALL.iter().copied().filter(|base| plan.uses(*base)).collect();
        let mask = wanted.iter().fold(0, |mask, base| mask | bit(*base));
        Self {
            values: vec![Vec::new(); Base::COUNT],
            wanted,
            mask,
            event: [SKIP; Base::COUNT],
            rows: 0,
        }
    }

    pub(crate) fn get(&self, base: Base) -> &[f64] {
        &self.values[base.index()]
    }

    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    pub(crate) fn clear(&mut self) {
        self.values.iter_mut().for_each(Vec::clear);
        self.rows = 0;
    }

    /// Whether any of these is asked for.
    #[inline]
    pub(super) fn wants(&self, bases: u64) -> bool {
        self.mask & bases != 0
    }

    /// Sets a value of the event at hand.
    #[inline]
    pub(super) fn set(&mut self, base: Base, value: f64) {
        self.event[base.index()] = value;
    }

    /// Appends the event at hand, with nothing in the columns that it said nothing of.
    #[inline]
    pub(super) fn close(&mut self) {
        for base in &self.wanted {
            let value = &mut self.event[base.index()];
            self.values[base.index()].push(*value);
            *value = SKIP;
        }
        self.rows += 1;
    }
}
