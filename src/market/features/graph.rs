//! Expressions compiled once: a list of steps in which each subexpression stands once, and before
//! whatever uses it.

mod compile;

use std::sync::Arc;

use super::base::{Base, Clock};
use super::expr::Named;
use super::node::Node;
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
const INPUTS_MAX: usize = 3;

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
}

/// Columns that all symbols use in turn.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    columns: Vec<Vec<f64>>,
}

impl State {
    pub(super) fn new(plan: &Arc<Plan>) -> Self {
        let mut state =
            Self { plan: Arc::clone(plan), nodes: Vec::new(), held: vec![NONE; plan.len()] };
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
    }

    /// Runs `rows` events through all steps and appends the values of each feature to its column
    /// of `out`. An event that does not concern a feature repeats its last value.
    pub(super) fn run<'a>(
        &mut self,
        base: impl Fn(Base) -> &'a [f64],
        rows: usize,
        scratch: &mut Scratch,
        out: &mut [Vec<f64>],
    ) {
        let plan = Arc::clone(&self.plan);
        scratch.columns.resize_with(plan.steps.len(), || vec![SKIP; BLOCK]);
        for start in (0..rows).step_by(BLOCK) {
            let count = BLOCK.min(rows - start);
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
            for ((step, held), out) in plan.outputs.iter().zip(&mut self.held).zip(out.iter_mut()) {
                out.extend(scratch.columns[*step][..count].iter().map(|value| {
                    if !is_skip(*value) {
                        *held = *value;
                    }
                    *held
                }));
            }
        }
    }
}
