//! Expressions compiled once: a list of steps in which each subexpression stands once, and before
//! whatever uses it.

mod arguments;
mod compile;

use std::sync::Arc;

use super::base::{Base, Clock};
use super::expr::Named;
use super::node::Node;
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

/// How many events run through the steps at once. Their columns fit the nearest cache.
const BLOCK: usize = 256;

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

    /// Runs events through all steps and fills the rows that are wanted, one place an event. An
    /// event that does not concern a feature repeats its last value.
    pub(super) fn run<'a>(
        &mut self,
        base: impl Fn(Base) -> &'a [f64],
        places: &[Option<u32>],
        scratch: &mut Scratch,
        sheet: &mut Sheet,
    ) {
        let plan = Arc::clone(&self.plan);
        if scratch.columns.len() < plan.steps.len() {
            scratch.columns.resize_with(plan.steps.len(), || vec![SKIP; BLOCK]);
        }
        let mut start = 0;
        for places in places.chunks(BLOCK) {
            let count = places.len();
            for (at, step) in plan.steps.iter().enumerate() {
                let mut column = std::mem::take(&mut scratch.columns[at]);
                match (&step.kind, &mut self.nodes[at]) {
                    (StepKind::Base(name), _) => {
                        column[..count].copy_from_slice(&base(*name)[start..start + count]);
                    }
                    (StepKind::Node { inputs, .. }, Some(node)) => {
                        let mut columns: [&[f64]; INPUTS_MAX] = [&[]; INPUTS_MAX];
                        for (slot, input) in columns.iter_mut().zip(inputs) {
                            *slot = &scratch.columns[*input][..count];
                        }
                        node.run(&columns[..inputs.len()], &mut column[..count]);
                    }
                    (StepKind::Node { .. }, None) => unreachable!("each step has its node"),
                }
                scratch.columns[at] = column;
            }
            self.warm_up(&plan, places, scratch, sheet);
            self.fill(&plan, places, scratch, sheet);
            start += count;
        }
    }

    /// Says of each row which features have had a value.
    fn warm_up(
        &mut self,
        plan: &Plan,
        places: &[Option<u32>],
        scratch: &Scratch,
        sheet: &mut Sheet,
    ) {
        for (event, place) in places.iter().enumerate() {
            if !self.is_warm {
                for (step, warm) in plan.outputs.iter().zip(&mut self.warm) {
                    *warm |= !scratch.columns[*step][event].is_nan();
                }
                self.is_warm = self.warm.iter().all(|warm| *warm);
            }
            let Some(place) = place else { continue };
            let bits = self.warm.iter().take(64).enumerate();
            let mask = match self.is_warm {
                true => u64::MAX.checked_shr(64 - self.warm.len().min(64) as u32).unwrap_or(0),
                false => bits.fold(0, |mask, (bit, warm)| mask | u64::from(*warm) << bit),
            };
            let mark = sheet.mark_mut(*place as usize);
            (mark.warm, mark.is_warm) = (mask, self.is_warm);
        }
    }

    /// Turns the columns of a block into rows.
    fn fill(&mut self, plan: &Plan, places: &[Option<u32>], scratch: &Scratch, sheet: &mut Sheet) {
        let width = sheet.width();
        let values = sheet.values_mut();
        // Of one symbol whose rows are all wanted, they lie one behind the other.
        let first = places[0].filter(|first| {
            places.iter().zip(*first..).all(|(place, expected)| *place == Some(expected))
        });
        let first = first.map(|first| first as usize);
        for (feature, (step, held)) in plan.outputs.iter().zip(&mut self.held).enumerate() {
            let column = &scratch.columns[*step][..places.len()];
            let has_skip = column.iter().fold(false, |has, value| has | is_skip(*value));
            if let (Some(first), false) = (first, has_skip) {
                let cells = values[first * width + feature..].iter_mut().step_by(width);
                for (value, cell) in column.iter().zip(cells) {
                    *cell = *value;
                }
                *held = column[column.len() - 1];
                continue;
            }
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
}
