//! Where steps put what they make of a block of events.
//!
//! A step that is a feature has a room of its own, and writes into the column of the feature instead
//! where that may be. Other steps share rooms: one is free again behind the last step that reads what
//! lies in it. So a block of all steps stays in the nearest caches.

use super::super::node::BLOCK;
use super::{Plan, Step, StepKind};

/// Which step puts its column where.
#[derive(Debug)]
pub(super) struct Rooms {
    /// The room of each step; nothing for parts of others.
    of: Vec<Option<usize>>,
    /// The feature in whose column a step may write.
    features: Vec<Option<usize>>,
    /// How many columns each room holds.
    sizes: Vec<usize>,
}

impl Rooms {
    pub(super) fn new(steps: &[Step], outputs: &[usize]) -> Self {
        let owner = |step: usize| match steps[step].kind {
            StepKind::Part { of, .. } => of,
            StepKind::Base(_) | StepKind::Node { .. } => step,
        };
        // Behind which step a room is free; that of a feature is never.
        let mut last: Vec<usize> = (0..steps.len()).collect();
        for (at, step) in steps.iter().enumerate() {
            if let StepKind::Node { inputs, .. } = &step.kind {
                inputs.iter().for_each(|input| last[owner(*input)] = at);
            }
        }
        outputs.iter().for_each(|output| last[owner(*output)] = usize::MAX);
        let mut rooms = Self { of: Vec::new(), features: Vec::new(), sizes: Vec::new() };
        let mut free = Vec::new();
        for (at, step) in steps.iter().enumerate() {
            let columns = match &step.kind {
                StepKind::Base(_) => 1,
                StepKind::Node { prototype, .. } => prototype.parts(),
                StepKind::Part { .. } => 0,
            };
            let room = (columns > 0).then(|| rooms.open(columns, &mut free));
            rooms.of.push(room);
            let is_feature = |output: &usize| *output == at && room.is_some();
            rooms.features.push(outputs.iter().position(is_feature));
            let ends = (0..=at).filter(|step| last[*step] == at);
            free.extend(ends.filter_map(|step| rooms.of[step]));
        }
        rooms
    }

    /// A room for so many columns: a free one, or another.
    fn open(&mut self, columns: usize, free: &mut Vec<usize>) -> usize {
        let room = free.pop().unwrap_or_else(|| {
            self.sizes.push(0);
            self.sizes.len() - 1
        });
        self.sizes[room] = self.sizes[room].max(columns);
        room
    }

    /// The room of a step that is no part of another.
    #[inline]
    pub(super) fn room(&self, step: usize) -> usize {
        self.of[step].expect("a step that makes a column has a room")
    }

    /// The feature in whose column a step may write.
    #[inline]
    pub(super) fn feature(&self, step: usize) -> Option<usize> {
        self.features[step]
    }
}

/// Rooms that all symbols use in turn. Nothing in them is ever cleared: a step fills its column.
#[derive(Debug, Default)]
pub(in super::super) struct Scratch {
    pub(super) rooms: Vec<Vec<f64>>,
    /// Whether nothing in the column of a step is absent.
    pub(super) whole: Vec<bool>,
}

impl Scratch {
    pub(super) fn fit(&mut self, plan: &Plan) {
        if self.whole.len() != plan.steps.len() {
            let room = |columns: &usize| vec![0.0; columns * BLOCK];
            self.rooms = plan.rooms.sizes.iter().map(room).collect();
            self.whole = vec![false; plan.steps.len()];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::parse_list;
    use super::*;

    /// While something still reads a room, nobody else writes there; and rooms are fewer than steps.
    #[test]
    fn rooms_are_free_once_their_last_reader_has_run() {
        let list = "mid, a = sma(mid, 20), b = max(abs(ask - lag(mid, 1)), abs(bid - lag(mid, 1))), \
                    c = (mid - sma(mid, 20)) / std(mid, 20), d = z(diff(mid, 1), 9), e = mid";
        let plan = Plan::new(&parse_list(list).unwrap()).unwrap();
        let owner = |step: usize| match plan.steps[step].kind {
            StepKind::Part { of, .. } => of,
            StepKind::Base(_) | StepKind::Node { .. } => step,
        };
        let mut holds = vec![None; plan.rooms.sizes.len()];
        for (at, step) in plan.steps.iter().enumerate() {
            if let StepKind::Node { inputs, .. } = &step.kind {
                for input in inputs.iter().map(|input| owner(*input)) {
                    assert_eq!(holds[plan.rooms.room(input)], Some(input), "{at} reads {input}");
                }
            }
            if owner(at) == at {
                holds[plan.rooms.room(at)] = Some(at);
            }
        }
        for output in plan.outputs.iter().map(|output| owner(*output)) {
            assert_eq!(holds[plan.rooms.room(output)], Some(output), "a feature stays");
        }
        assert!(holds.len() + 4 < plan.steps.len(), "{} rooms", holds.len());
        let features = |step: usize| plan.rooms.feature(step);
        assert_eq!(plan.outputs.iter().map(|at| features(*at)).collect::<Vec<_>>()[0], Some(0));
        assert_eq!(features(plan.outputs[1]), None, "a part lies with the other");
    }
}
