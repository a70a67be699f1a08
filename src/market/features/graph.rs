//! Expressions compiled once: a list of steps in which each subexpression stands once, and before
//! whatever uses it.

mod arguments;
mod block;
mod compile;
mod rooms;

use std::ops::Range;
use std::sync::Arc;

use super::base::{Base, Clock};
use super::expr::Named;
use super::feed::{Columns, Quotes};
use super::node::{BLOCK, Column, Node};
use super::places::{Placed, Places};
use super::rows::Sheet;
use super::value::{NONE, is_skip};
use block::{Block, Events};

pub use compile::CompileError;
use rooms::Rooms;
pub(super) use rooms::Scratch;

/// A compiled list of features, shared by all symbols.
#[derive(Debug)]
pub struct Plan {
    steps: Vec<Step>,
    /// For each feature, its step.
    outputs: Vec<usize>,
    names: Vec<String>,
    rooms: Rooms,
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
    Node {
        prototype: Box<dyn Node>,
        inputs: Vec<usize>,
    },
    /// One of the columns that a step makes.
    Part {
        of: usize,
        part: usize,
    },
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
            StepKind::Base(_) | StepKind::Part { .. } => None,
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
        places: &Places,
        scratch: &mut Scratch,
        sheet: &mut Sheet,
    ) {
        let mut start = range.start;
        while start < range.end {
            let end = places.end_of_block(start, range.end.min(start + BLOCK));
            self.block(Events::Gathered(events), start..end, places.of(start..end), scratch, sheet);
            start = end;
        }
    }

    /// The same of quotes, whose rows lie one behind the other from one on.
    pub(super) fn quotes(
        &mut self,
        quotes: &Quotes<'_>,
        first: usize,
        scratch: &mut Scratch,
        sheet: &mut Sheet,
    ) {
        for start in (0..quotes.len()).step_by(BLOCK) {
            let range = start..quotes.len().min(start + BLOCK);
            let placed = Placed::From(first + start);
            self.block(Events::Quotes(quotes), range, placed, scratch, sheet);
        }
    }

    fn block(
        &mut self,
        events: Events<'_>,
        range: Range<usize>,
        placed: Placed<'_>,
        scratch: &mut Scratch,
        sheet: &mut Sheet,
    ) {
        let (plan, count) = (Arc::clone(&self.plan), range.len());
        scratch.fit(&plan);
        let mut block = Block { plan: &plan, events, range, scratch, target: sheet.lend(placed) };
        block.run(&mut self.nodes);
        self.warm_up(|feature| block.feature(feature), placed, count, sheet);
        if block.settle(&mut self.held) {
            sheet.take_back(block.target);
        } else {
            self.fill(|feature| block.feature(feature), placed, count, sheet);
        }
    }

    /// Says of each row which features have had a value.
    fn warm_up<'a>(
        &mut self,
        column: impl Fn(usize) -> Column<'a>,
        placed: Placed<'_>,
        count: usize,
        sheet: &mut Sheet,
    ) {
        for event in 0..count {
            if !self.is_warm {
                for (feature, warm) in self.warm.iter_mut().enumerate() {
                    *warm |= !column(feature).values[event].is_nan();
                }
                self.is_warm = self.warm.iter().all(|warm| *warm);
            } else if let Placed::From(first) = placed {
                // Once warm, always warm.
                return sheet.warm_up(first + event..first + count, self.mask(), true);
            }
            if let Some(row) = placed.row(event) {
                sheet.warm_up(row..row + 1, self.mask(), self.is_warm);
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

    /// Lays the columns of a block down where their rows lie.
    fn fill<'a>(
        &mut self,
        column: impl Fn(usize) -> Column<'a>,
        placed: Placed<'_>,
        count: usize,
        sheet: &mut Sheet,
    ) {
        let features = self.held.len();
        let says_all = |feature: &usize| {
            let column = column(*feature);
            column.is_whole || !column.values.iter().any(|value| is_skip(*value))
        };
        let four = |from: usize| [0, 1, 2, 3].map(|at| column(from + at).values);
        let may_go_back =
            |feature: &usize| features >= 4 && (features - 4..*feature).all(|it| says_all(&it));
        let mut feature = 0;
        while feature < features {
            // Most columns say something of every event, and most rows lie one behind the other.
            let together = (feature..features.min(feature + 4)).take_while(says_all).count();
            let (Placed::From(first), 1..) = (placed, together) else {
                self.fill_one(feature, column(feature).values, placed, sheet);
                feature += 1;
                continue;
            };
            match together {
                4 => sheet.lay_four(four(feature), feature, first),
                // The last ones go with those before them: beside each other they cost one visit.
                1..4 if feature + together == features && may_go_back(&feature) => {
                    sheet.lay_four(four(features - 4), features - 4, first);
                }
                _ => (feature..feature + together)
                    .for_each(|at| sheet.lay(column(at).values, at, first)),
            }
            for at in feature..feature + together {
                self.held[at] = column(at).values[count - 1];
            }
            feature += together;
        }
    }

    /// The same of one feature whose values stand between others, or are not all wanted.
    fn fill_one(&mut self, feature: usize, column: &[f64], placed: Placed<'_>, sheet: &mut Sheet) {
        let held = &mut self.held[feature];
        for (event, value) in column.iter().enumerate() {
            if !is_skip(*value) {
                *held = *value;
            }
            if let Some(row) = placed.row(event) {
                sheet.set(feature, row, *held);
            }
        }
    }
}
