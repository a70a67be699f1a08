//! Expressions compiled once: a list of steps in which each subexpression stands once, and before
//! whatever uses it.

mod arguments;
mod compile;

use std::ops::Range;
use std::sync::Arc;

use super::base::{Base, Clock};
use super::expr::Named;
use super::feed::Columns;
use super::node::{BLOCK, Node, has_absent};
use super::rows::Sheet;
use super::value::{NONE, SKIP, is_skip};

pub use compile::CompileError;

/// A compiled list of features, shared by all symbols.
#[derive(Debug)]
pub struct Plan {
    steps: Vec<Step>,
    /// For each feature, its step.
    outputs: Vec<usize>,
    names: Vec<String>,
}

#[derive(Debug)]
struct Step {
    /// The expression in one fixed form.
    key: String,
    kind: StepKind,
    /// The event, counting from one, at which there is a value at the earliest.
    warm: u64,
}

#[derive(Debug)]
enum StepKind {
    Base(Base),
    Node { prototype: Box<dyn Node>, inputs: Vec<usize> },
}

/// The most inputs that a step has.
const INPUTS_MAX: usize = 4;

impl Plan {
    pub fn new(features: &[Named]) -> Result<Self, CompileError> {
        compile::compile(features)
    }

    pub fn names(&self) -> &[String] {
        &self.names
    }

    pub fn len(&self) -> usize {
        self.outputs.len()
    }

    pub fn is_empty(&self) -> bool {
        self.outputs.is_empty()
    }

    /// How many steps there are: fewer than the parts of the expressions where those share some.
    pub fn steps(&self) -> usize {
        self.steps.len()
    }

    /// The event of a symbol at which a feature has a value at the earliest.
    pub fn warm_at(&self, feature: usize) -> u64 {
        self.steps[self.outputs[feature]].warm
    }

    /// What a step makes of a block of events.
    fn column<'a>(
        &self,
        step: usize,
        events: &'a Columns,
        scratch: &'a Scratch,
        block: &Range<usize>,
    ) -> &'a [f64] {
        match self.steps[step].kind {
            StepKind::Base(base) => &events.get(base)[block.clone()],
            StepKind::Node { .. } => &scratch.columns[step][..block.len()],
        }
    }

    pub fn uses(&self, base: Base) -> bool {
        self.steps.iter().any(|step| matches!(step.kind, StepKind::Base(it) if it == base))
    }

    pub fn uses_clock(&self, clock: Clock) -> bool {
        Base::ALL.iter().any(|base| base.clock() == clock && self.uses(*base))
    }
}

/// The state of a plan for one symbol.
#[derive(Debug)]
pub(super) struct State {
    plan: Arc<Plan>,
    nodes: Vec<Option<Box<dyn Node>>>,
    /// The last value of each feature.
    held: Vec<f64>,
    /// Which features have had a value.
    warm: Vec<bool>,
    /// Whether all have.
    is_warm: bool,
}

/// Columns that all symbols use in turn.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    columns: Vec<Vec<f64>>,
}

impl State {
    pub(super) fn new(plan: &Arc<Plan>) -> Self {
        let mut state = Self {
            plan: Arc::clone(plan),
            nodes: Vec::new(),
            held: vec![NONE; plan.len()],
            warm: vec![false; plan.len()],
            is_warm: false,
        };
        state.reset();
        state
    }

    /// The last value of each feature.
    pub(super) fn held(&self) -> &[f64] {
        &self.held
    }

    /// As before the first event.
    pub(super) fn reset(&mut self) {
        self.nodes.clear();
        self.nodes.extend(self.plan.steps.iter().map(|step| match &step.kind {
            StepKind::Base(_) => None,
            StepKind::Node { prototype, .. } => Some(prototype.fresh()),
        }));
        self.held.fill(NONE);
        self.warm.fill(false);
        self.is_warm = false;
    }

    /// Runs the events of a range through all steps and fills the rows that are wanted, one place an
    /// event. An event that does not concern a feature repeats its last value.
    pub(super) fn run(
        &mut self,
        events: &Columns,
        range: Range<usize>,
        places: &[Option<u32>],
        scratch: &mut Scratch,
        sheet: &mut Sheet,
    ) {
        let plan = Arc::clone(&self.plan);
        if scratch.columns.len() < plan.steps.len() {
            scratch.columns.resize_with(plan.steps.len(), || vec![SKIP; BLOCK]);
        }
        for start in range.clone().step_by(BLOCK) {
            let block = start..range.end.min(start + BLOCK);
            for (at, step) in plan.steps.iter().enumerate() {
                let StepKind::Node { inputs, .. } = &step.kind else { continue };
                let node = self.nodes[at].as_mut().expect("each step that is a node has one");
                let mut out = std::mem::take(&mut scratch.columns[at]);
                let mut columns: [&[f64]; INPUTS_MAX] = [&[]; INPUTS_MAX];
                for (slot, input) in columns.iter_mut().zip(inputs) {
                    *slot = plan.column(*input, events, scratch, &block);
                }
                node.run(&columns[..inputs.len()], &mut out[..block.len()]);
                scratch.columns[at] = out;
            }
            let column =
                |feature: usize| plan.column(plan.outputs[feature], events, scratch, &block);
            self.warm_up(column, &places[block.clone()], sheet);
            self.fill(column, &places[block.clone()], sheet);
        }
    }

    /// Says of each row which features have had a value.
    fn warm_up<'a>(
        &mut self,
        column: impl Fn(usize) -> &'a [f64],
        places: &[Option<u32>],
        sheet: &mut Sheet,
    ) {
        for (event, place) in places.iter().enumerate() {
            if !self.is_warm {
                for (feature, warm) in self.warm.iter_mut().enumerate() {
                    *warm |= !column(feature)[event].is_nan();
                }
                self.is_warm = self.warm.iter().all(|warm| *warm);
            } else if let Some(first) = row_of(&places[event..]) {
                // Once warm, always warm.
                let marks = sheet.marks_mut(first, places.len() - event);
                marks.iter_mut().for_each(|mark| (mark.warm, mark.is_warm) = (self.mask(), true));
                return;
            }
            if let Some(place) = place {
                let mark = &mut sheet.marks_mut(*place as usize, 1)[0];
                (mark.warm, mark.is_warm) = (self.mask(), self.is_warm);
            }
        }
    }

    /// One bit a feature that has had a value; the first 64 of them.
    fn mask(&self) -> u64 {
        if self.is_warm {
            return u64::MAX.checked_shr(64 - self.warm.len().min(64) as u32).unwrap_or(0);
        }
        let bits = self.warm.iter().take(64).enumerate();
        bits.fold(0, |mask, (bit, warm)| mask | u64::from(*warm) << bit)
    }

    /// Turns the columns of a block into rows.
    fn fill<'a>(
        &mut self,
        column: impl Fn(usize) -> &'a [f64],
        places: &[Option<u32>],
        sheet: &mut Sheet,
    ) {
        let width = sheet.width();
        let values = sheet.values_mut();
        let (features, first) = (self.held.len(), row_of(places));
        let is_whole = |feature: &usize| {
            let column = column(*feature);
            !has_absent(column) || !column.iter().any(|value| is_skip(*value))
        };
        let mut feature = 0;
        while feature < features {
            // Most columns say something of every event, and most rows lie one behind the other.
            let together = (feature..features.min(feature + 4)).take_while(is_whole).count();
            let Some(first) = first.filter(|_| together > 0) else {
                self.fill_one(feature, column(feature), places, values, width);
                feature += 1;
                continue;
            };
            let rows = &mut values[first * width..];
            match together {
                4 => lay_four([0, 1, 2, 3].map(|at| column(feature + at)), feature, rows, width),
                _ => (feature..feature + together).for_each(|at| lay(column(at), at, rows, width)),
            }
            for at in feature..feature + together {
                self.held[at] = column(at)[places.len() - 1];
            }
            feature += together;
        }
    }

    /// The same of one feature whose values stand between others, or are not all wanted.
    fn fill_one(
        &mut self,
        feature: usize,
        column: &[f64],
        places: &[Option<u32>],
        values: &mut [f64],
        width: usize,
    ) {
        let held = &mut self.held[feature];
        for (value, place) in column.iter().zip(places) {
            if !is_skip(*value) {
                *held = *value;
            }
            if let Some(place) = place {
                values[*place as usize * width + feature] = *held;
            }
        }
    }
}

/// Lays four columns beside each other into rows that are so wide, from a feature on.
fn lay_four([a, b, c, d]: [&[f64]; 4], feature: usize, rows: &mut [f64], width: usize) {
    let values = a.iter().zip(b).zip(c.iter().zip(d));
    for (((a, b), (c, d)), row) in values.zip(rows.chunks_exact_mut(width)) {
        row[feature..feature + 4].copy_from_slice(&[*a, *b, *c, *d]);
    }
}

/// The same of one column.
fn lay(column: &[f64], feature: usize, rows: &mut [f64], width: usize) {
    for (value, row) in column.iter().zip(rows.chunks_exact_mut(width)) {
        row[feature] = *value;
    }
}

/// The first of the rows of some events, where they are all wanted and lie one behind the other:
/// those of one symbol do.
fn row_of(places: &[Option<u32>]) -> Option<usize> {
    let first = (*places.first()?)?;
    let is_next = |(place, row): (&Option<u32>, u32)| *place == Some(row);
    let are_next = places.iter().zip(first..).fold(true, |all, pair| all & is_next(pair));
    are_next.then_some(first as usize)
}
