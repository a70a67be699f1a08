//! The steps joined: at each row of features, votes, state, combination, gate, size, order.

use std::borrow::Cow;

use qt_model::ids::InstrumentId;
use qt_model::order::NewOrder;
use qt_model::time::Ts;
use qt_model::units::Qty;
use qt_model::words::{DecisionAction, Side};

use super::combine::{Action, Combined};
use super::gate::{Candidate, Gate, Judged};
use super::modes::{State, adjusted};
use super::presets::Preset;
use super::signals::Feature;
use crate::core::{Context, Strategy, Top, Wants};
use crate::orders::Change;
use crate::outbox::Decided;
use crate::ticks::Steps;

/// Where values stand in the rows to come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inputs {
    /// Of each feature of the strategy.
    pub features: Vec<usize>,
    pub volatility: usize,
    pub trend: usize,
    pub spread: usize,
}

/// See the module.
#[derive(Clone, Debug)]
pub struct Regime {
    preset: Preset,
    features: Vec<Feature>,
    inputs: Inputs,
    gate: Gate,
    instruments: Vec<InstrumentId>,
    instances: Vec<Option<Instance>>,
}

/// One symbol.
#[derive(Clone, Debug)]
struct Instance {
    steps: Steps,
    traded: Option<Ts>,
    /// Why nothing was done last: said once, not at every row.
    said: &'static str,
}

impl Regime {
    /// The features are those that count, chosen already.
    pub fn new(
        preset: Preset,
        features: Vec<Feature>,
        inputs: Inputs,
        instruments: Vec<InstrumentId>,
    ) -> Self {
        assert_eq!(features.len(), inputs.features.len(), "each feature has its place");
        let gate = Gate::new(preset.gate);
        Self { preset, features, inputs, gate, instruments, instances: Vec::new() }
    }

    pub fn gate(&self) -> &Gate {
        &self.gate
    }

    fn combined(&self, row: &[f64], state: &State) -> Combined {
        let scale = self.preset.scales.threshold(state.mode());
        let votes = self.features.iter().zip(&self.inputs.features);
        let votes = votes.filter_map(|(feature, at)| feature.signal(value(row, *at), scale));
        self.preset.combination.of(votes.map(|signal| adjusted(signal, state)))
    }

    fn enter(
        &mut self,
        instrument: InstrumentId,
        (combined, state): (Combined, State),
        context: &mut Context<'_>,
    ) {
        let Some(Some(instance)) = self.instances.get_mut(instrument.index()) else { return };
        let is_long = combined.action == Action::Long;
        let share = spread_share(context.top(instrument));
        let candidate = Candidate {
            is_long,
            confidence: combined.confidence,
            state,
            since_trade_ms: instance.traded.map(|ts| context.now().since(ts) / 1_000_000),
            spread_share: share,
        };
        let reason = if combined.confidence < self.preset.confidence_min {
            Some("confidence")
        } else if share.is_some_and(|share| share > self.preset.spread_wait) {
            Some("spread_wait")
        } else {
            match self.gate.judge(&candidate) {
                Judged::Passed => None,
                Judged::Blocked { rule, .. } => Some(rule.name()),
            }
        };
        let scale = self.preset.scales.position(state.mode());
        let size = self.preset.size(combined.confidence, combined.alpha, scale);
        let qty = instance.steps.qty(size).filter(|qty| !qty.is_zero());
        let side = if is_long { Side::Buy } else { Side::Sell };
        match (reason, qty) {
            (None, Some(qty)) => {
                instance.said = "";
                order(instrument, (side, qty, false), "all_gates_passed", context);
            }
            (reason, _) => {
                let reason = reason.unwrap_or(Decided::BELOW_LOT);
                instance.skip(instrument, Some(side), reason, context);
            }
        }
    }
}

impl Instance {
    /// Puts on record why nothing is done, unless that was said last.
    fn skip(
        &mut self,
        instrument: InstrumentId,
        side: Option<Side>,
        reason: &'static str,
        context: &mut Context<'_>,
    ) {
        if std::mem::replace(&mut self.said, reason) != reason {
            context.decide(Decided {
                instrument: Some(instrument),
                action: DecisionAction::Skip,
                side,
                px: None,
                qty: None,
                reason: Cow::Borrowed(reason),
            });
        }
    }
}

impl Strategy for Regime {
    fn wants(&self) -> Wants {
        Wants::NOTHING.and_features()
    }

    fn start(&mut self, context: &mut Context<'_>) {
        self.instances = vec![None; context.instruments().len()];
        for id in &self.instruments {
            let steps = Steps::of(context.instrument(*id));
            self.instances[id.index()] = Some(Instance { steps, traded: None, said: "" });
        }
    }

    fn features(&mut self, instrument: InstrumentId, context: &mut Context<'_>) {
        if context.orders_of(instrument).next().is_some() {
            return;
        }
        let row = context.features(instrument);
        let Inputs { volatility, trend, spread, .. } = self.inputs;
        let state = State::of(value(row, volatility), value(row, trend), value(row, spread));
        let combined = self.combined(row, &state);
        if combined.action != Action::Hold
            && context.instrument(instrument).terms.has_ended(context.now())
        {
            // What is held is settled by the venue.
            if let Some(Some(instance)) = self.instances.get_mut(instrument.index()) {
                instance.skip(instrument, None, Decided::EXPIRED, context);
            }
            return;
        }
        let position = context.position(instrument).qty();
        let is_opposite = match combined.action {
            Action::Long => position < 0,
            Action::Short => position > 0,
            Action::Hold => false,
        };
        if is_opposite {
            // Exits are never gated.
            let side = if position > 0 { Side::Sell } else { Side::Buy };
            let qty = Qty::new(position.saturating_abs()).unwrap_or_default();
            order(instrument, (side, qty, true), "opposite", context);
        } else if position == 0 && combined.action != Action::Hold {
            self.enter(instrument, (combined, state), context);
        }
    }

    fn order(&mut self, change: &Change, context: &mut Context<'_>) {
        let instance = self.instances.get_mut(change.entry.new.instrument.index());
        if let (Some(Some(instance)), Some(_)) = (instance, change.fill) {
            instance.traded = Some(context.now());
        }
    }
}

fn value(row: &[f64], at: usize) -> f64 {
    row.get(at).copied().unwrap_or(f64::NAN)
}

fn spread_share(top: Top) -> Option<f64> {
    let (bid, ask) = (top.bid?.px.mantissa(), top.ask?.px.mantissa());
    let doubled = bid.checked_add(ask).filter(|doubled| *doubled > 0)?;
    Some((ask - bid) as f64 * 2.0 / doubled as f64)
}

fn order(
    instrument: InstrumentId,
    (side, qty, reduce_only): (Side, Qty, bool),
    reason: &'static str,
    context: &mut Context<'_>,
) {
    let action = if reduce_only { DecisionAction::Exit } else { DecisionAction::Enter };
    let reason = Cow::Borrowed(reason);
    let (to, px) = (Some(instrument), None);
    context.decide(Decided {
        instrument: to,
        action,
        side: Some(side),
        px,
        qty: Some(qty),
        reason,
    });
    // A refusal is on record; the next row asks again.
    let _ = context.submit(NewOrder { reduce_only, ..NewOrder::market(instrument, side, qty) });
}
