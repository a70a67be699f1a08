//! A block of events on its way through the steps of a plan.
//!
//! Invariant: where features lie as columns, a step that is one writes into its column, and what
//! others read of it they read there. Absences are known rather than searched: a step says whether it
//! left nothing out, and only where it cannot know is its column looked at.

use std::ops::Range;

use super::super::feed::{Columns, Quotes};
use super::super::node::{Column, Node, has_absent};
use super::super::rows::Lent;
use super::super::value::is_skip;
use super::rooms::Scratch;
use super::{INPUTS_MAX, Plan, StepKind};

/// What the steps begin with.
#[derive(Clone, Copy, Debug)]
pub(super) enum Events<'a> {
    /// Columns that were gathered before.
    Gathered(&'a Columns),
    /// Quotes, of which a column is made when its step comes.
    Quotes(&'a Quotes<'a>),
}

pub(super) struct Block<'a> {
    pub(super) plan: &'a Plan,
    pub(super) events: Events<'a>,
    /// Which of the events.
    pub(super) range: Range<usize>,
    pub(super) scratch: &'a mut Scratch,
    /// The columns of the features, and where this block lies in them.
    pub(super) target: Option<Lent>,
}

impl Block<'_> {
    /// Runs all steps.
    #[inline]
    pub(super) fn run(&mut self, nodes: &mut [Option<Box<dyn Node>>]) {
        for (at, step) in self.plan.steps.iter().enumerate() {
            let knows = match &step.kind {
                StepKind::Base(base) => match self.events {
                    Events::Gathered(_) => false,
                    Events::Quotes(quotes) => {
                        let range = self.range.clone();
                        self.fill(at, 1, |_, out| quotes.say(*base, range, out))
                    }
                },
                StepKind::Node { inputs, prototype } => {
                    let node = nodes[at].as_mut().expect("each step that is a node has one");
                    self.fill(at, prototype.parts(), |block, out| {
                        let mut columns = [Column { values: &[], is_whole: true }; INPUTS_MAX];
                        for (slot, input) in columns.iter_mut().zip(inputs) {
                            *slot = block.column(*input);
                        }
                        node.run(&columns[..inputs.len()], out)
                    })
                }
                StepKind::Part { of, .. } => self.scratch.whole[*of],
            };
            debug_assert!(!knows || !has_absent(self.values(at)), "{} is whole", step.key);
            self.scratch.whole[at] = knows || !has_absent(self.values(at));
        }
    }

    /// Lets a step fill its column.
    #[inline]
    fn fill(
        &mut self,
        step: usize,
        parts: usize,
        fill: impl FnOnce(&Self, &mut [f64]) -> bool,
    ) -> bool {
        // What is read meanwhile lies elsewhere.
        let (column, from) = self.own(step);
        let mut column = std::mem::take(column);
        let knows = fill(self, &mut column[from..][..parts * self.range.len()]);
        *self.own(step).0 = column;
        knows
    }

    /// The column, of a feature or a room, in which a step writes, and where the block begins there.
    #[inline]
    fn own(&mut self, step: usize) -> (&mut Vec<f64>, usize) {
        match (&mut self.target, self.plan.rooms.feature(step)) {
            (Some(lent), Some(feature)) => (&mut lent.columns[feature], lent.from),
            _ => (&mut self.scratch.rooms[self.plan.rooms.room(step)], 0),
        }
    }

    /// What a step made of the block; of a step of several parts, all of them.
    #[inline]
    fn values(&self, step: usize) -> &[f64] {
        let count = self.range.len();
        let (step, from, count) = match &self.plan.steps[step].kind {
            StepKind::Base(base) => match self.events {
                Events::Gathered(columns) => return &columns.get(*base)[self.range.clone()],
                Events::Quotes(_) => (step, 0, count),
            },
            StepKind::Node { prototype, .. } => (step, 0, prototype.parts() * count),
            StepKind::Part { of, part } => (*of, part * count, count),
        };
        match (&self.target, self.plan.rooms.feature(step)) {
            (Some(lent), Some(feature)) => &lent.columns[feature][lent.from..][..count],
            _ => &self.scratch.rooms[self.plan.rooms.room(step)][from..][..count],
        }
    }

    #[inline]
    fn column(&self, step: usize) -> Column<'_> {
        Column { values: self.values(step), is_whole: self.scratch.whole[step] }
    }

    /// The column of a feature, as its step made it.
    #[inline]
    pub(super) fn feature(&self, feature: usize) -> Column<'_> {
        self.column(self.plan.outputs[feature])
    }

    /// Ends the columns of the features, if those are there: what was made elsewhere is copied, and an
    /// event that does not concern a feature repeats its last value.
    pub(super) fn settle(&mut self, held: &mut [f64]) -> bool {
        let is_gathered = matches!(self.events, Events::Gathered(_));
        for (feature, held) in held.iter_mut().enumerate() {
            let Some(lent) = &mut self.target else { return false };
            let (mut column, from) = (std::mem::take(&mut lent.columns[feature]), lent.from);
            let out = &mut column[from..][..self.range.len()];
            let step = self.plan.outputs[feature];
            let is_base = matches!(self.plan.steps[step].kind, StepKind::Base(_));
            if self.plan.rooms.feature(step) != Some(feature) || (is_base && is_gathered) {
                out.copy_from_slice(self.values(step));
            }
            match out.last() {
                Some(last) if self.scratch.whole[step] => *held = *last,
                _ => repeat(out, held),
            }
            if let Some(lent) = &mut self.target {
                lent.columns[feature] = column;
            }
        }
        true
    }
}

/// Puts the last value where an event does not concern a column.
fn repeat(column: &mut [f64], held: &mut f64) {
    for value in column {
        if is_skip(*value) {
            *value = *held;
        } else {
            *held = *value;
        }
    }
}
