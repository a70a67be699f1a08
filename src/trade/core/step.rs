//! A front, a desk and an engine of features as one: what a live session steps, and what steps its
//! recording again.

use std::sync::Arc;

use qt_market::features::Engine;
use qt_model::record::{Batch, Kind};
use qt_model::step::Input;
use qt_model::time::Ts;

use super::desk::{Desk, Effect};
use super::front::Front;
use super::strategy::Strategy;
use crate::outbox::Outbox;

/// One strategy on its own. A backtest of many variants shares what this holds alone; what each
/// desk is told, and in which order, is the same.
#[derive(Debug)]
pub struct Core<S> {
    front: Front,
    desk: Desk<S>,
    engine: Option<Engine>,
    one: Batch,
}

impl<S: Strategy> Core<S> {
    /// Without an engine, rows of features come with the stream.
    pub fn new(front: Front, desk: Desk<S>, engine: Option<Engine>) -> Self {
        let one = Batch::new(Arc::clone(front.instruments()));
        Self { front, desk, engine, one }
    }

    pub fn desk(&self) -> &Desk<S> {
        &self.desk
    }

    /// Before the first input.
    pub fn start(&mut self, now: Ts, out: &mut Outbox) {
        self.desk.start(now, &self.front, out);
    }

    /// The step: from what happened to what is asked. It depends on what was stepped before and on
    /// nothing else.
    pub fn step(&mut self, now: Ts, input: &Input<'_>, out: &mut Outbox) -> Effect {
        let effect = self.take(now, input, out);
        self.derive(now, input, out);
        effect
    }

    pub fn front(&self) -> &Front {
        &self.front
    }

    /// The first half of a step: the input itself. For who looks at what was asked between the two.
    pub fn take(&mut self, now: Ts, input: &Input<'_>, out: &mut Outbox) -> Effect {
        if let Input::Market(record) = input {
            // Where an engine makes rows of features, those of the stream are passed over.
            if record.kind() == Kind::Feature && self.engine.is_some() {
                return Effect::default();
            }
            self.front.market(record);
        }
        self.desk.step(now, input, &self.front, out)
    }

    /// The second half: the features that follow from it.
    pub fn derive(&mut self, now: Ts, input: &Input<'_>, out: &mut Outbox) {
        let Input::Market(record) = input else { return };
        let (Some(engine), Some(instrument)) = (&mut self.engine, record.head().instrument) else {
            return;
        };
        if record.kind() == Kind::Feature {
            return;
        }
        self.one.clear();
        self.one.push(*record);
        if let Some(row) = engine.annotate(&self.one).of(0) {
            self.front.features(instrument, now, row.values.iter().copied());
            self.desk.features(now, instrument, &self.front, out);
        }
    }
}
