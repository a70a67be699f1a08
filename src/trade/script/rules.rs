//! The strategy that a script makes: when it thinks, what it wants, and for which instrument.

use std::borrow::Cow;
use std::sync::Arc;

use qt_model::ids::InstrumentId;
use qt_model::order::{Closure, OrderNo};
use qt_model::record::{Kind, Record};
use qt_model::step::TimerId;
use qt_model::time::Ts;
use qt_model::units::Qty;
use qt_model::words::{DecisionAction, Side, TimeInForce};
use rust_decimal::Decimal;

use super::compile::Compiled;
use super::definition::{Schedule, Trigger};
use super::exec;
use super::formula::Formula;
use super::quoting::{self, Quotes};
use super::vars::Var;
use crate::core::{Context, Strategy, Wants};
use crate::orders::Change;
use crate::outbox::Decided;
use crate::ticks::Steps;

/// A value for each side.
#[derive(Clone, Debug, Default)]
pub(super) struct Sides<T> {
    pub(super) long: T,
    pub(super) short: T,
}

#[derive(Clone, Debug)]
pub(super) enum SizeRule {
    Fixed(Decimal),
    Qty(Formula),
    Notional(Formula),
}

impl SizeRule {
    fn formula(&mut self) -> Option<&mut Formula> {
        match self {
            Self::Qty(formula) | Self::Notional(formula) => Some(formula),
            Self::Fixed(_) => None,
        }
    }
}

/// What ends a position beside its exit rule.
#[derive(Clone, Debug)]
pub(super) struct Closing {
    pub(super) stop_loss: Option<Formula>,
    pub(super) take_profit: Option<Formula>,
    pub(super) trailing: Option<Formula>,
    pub(super) max_holding_ns: Option<i64>,
}

impl Closing {
    #[inline]
    pub(super) fn is_any(&self) -> bool {
        self.stop_loss.is_some()
            || self.take_profit.is_some()
            || self.trailing.is_some()
            || self.max_holding_ns.is_some()
    }
}

/// How orders are worked.
#[derive(Clone, Debug)]
pub(super) struct Work {
    pub(super) buy_at: Option<Formula>,
    pub(super) sell_at: Option<Formula>,
    pub(super) time_in_force: TimeInForce,
    pub(super) exit_at_market: bool,
    pub(super) requote_ticks: u32,
    pub(super) timeout_ns: Option<i64>,
    pub(super) reverse: bool,
    pub(super) cooldown_ns: i64,
    pub(super) stop: Option<Formula>,
    pub(super) target: Option<Formula>,
}

#[derive(Clone, Debug)]
pub(super) struct Rules {
    pub(super) trigger: Trigger,
    pub(super) entry: Sides<Option<Formula>>,
    pub(super) exit: Sides<Option<Formula>>,
    pub(super) closing: Closing,
    pub(super) size: SizeRule,
    pub(super) work: Work,
    pub(super) quotes: Option<Quotes>,
    pub(super) schedule: Schedule,
}

impl Rules {
    fn formulas(&mut self) -> impl Iterator<Item = &mut Formula> {
        let Self { entry, exit, closing, size, work, quotes, .. } = self;
        let optional = [
            &mut entry.long,
            &mut entry.short,
            &mut exit.long,
            &mut exit.short,
            &mut closing.stop_loss,
            &mut closing.take_profit,
            &mut closing.trailing,
            &mut work.buy_at,
            &mut work.sell_at,
            &mut work.stop,
            &mut work.target,
        ];
        let quotes = quotes.iter_mut().flat_map(|quotes| {
            let most = quotes.max_position.as_mut().and_then(SizeRule::formula);
            [Some(&mut quotes.bid), Some(&mut quotes.ask), most]
        });
        let optional = optional.into_iter().map(Option::as_mut).chain(quotes);
        optional.flatten().chain(size.formula())
    }
}

/// What is remembered of one instrument between two thoughts.
#[derive(Clone, Debug)]
pub(super) struct Instance {
    pub(super) id: InstrumentId,
    pub(super) steps: Steps,
    /// The size of an entry, where the file states it as a number.
    pub(super) fixed_qty: Option<Qty>,
    /// The largest position of quotes, likewise.
    pub(super) fixed_most: Option<Qty>,
    pub(super) position: i64,
    pub(super) opened: Option<Ts>,
    pub(super) closed: Option<Ts>,
    /// The best price for the position since it was opened.
    pub(super) best: f64,
    pub(super) working: Option<Working>,
    /// Whether it was said that the contract has ended.
    pub(super) is_over: bool,
    /// Whether it was said that a size came to less than one lot.
    pub(super) is_tiny: bool,
    pub(super) scratch: Vec<OrderNo>,
}

/// The order that an entry or an exit is worked with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Working {
    pub(super) order: OrderNo,
    pub(super) side: Side,
    pub(super) is_entry: bool,
    pub(super) since: Ts,
}

/// A compiled script at work on some instruments.
#[derive(Clone, Debug)]
pub struct Scripted {
    rules: Arc<Rules>,
    instruments: Vec<InstrumentId>,
    instances: Vec<Option<Instance>>,
    ticks_from: Option<Ts>,
}

/// The clock of the script.
const CLOCK: TimerId = TimerId(0);

impl Scripted {
    /// `places` says for each feature of the script where its value stands in the rows to come.
    pub fn new(compiled: &Compiled, places: &[usize], instruments: Vec<InstrumentId>) -> Self {
        assert_eq!(places.len(), compiled.features.len(), "each feature has its place");
        let mut rules = compiled.rules.clone();
        rules.formulas().for_each(|formula| formula.rebind(places));
        Self { rules: Arc::new(rules), instruments, instances: Vec::new(), ticks_from: None }
    }

    fn think(&mut self, instrument: InstrumentId, context: &mut Context<'_>) {
        let Some(Some(instance)) = self.instances.get_mut(instrument.index()) else { return };
        match &self.rules.quotes {
            Some(quotes) => quoting::think(quotes, &self.rules, instance, context),
            None => exec::think(&self.rules, instance, context),
        }
    }
}

impl Strategy for Scripted {
    fn wants(&self) -> Wants {
        match self.rules.trigger {
            Trigger::Features => Wants::NOTHING.and_features(),
            Trigger::Record(kind) => Wants::kinds(&[kind]),
            Trigger::Every(_) => Wants::NOTHING,
        }
    }

    fn start(&mut self, context: &mut Context<'_>) {
        self.instances = vec![None; context.instruments().len()];
        for id in &self.instruments {
            let steps = Steps::of(context.instrument(*id));
            let fixed = |rule: &SizeRule| match rule {
                SizeRule::Fixed(number) => steps.exact(*number),
                SizeRule::Qty(_) | SizeRule::Notional(_) => None,
            };
            let most = self.rules.quotes.as_ref().and_then(|quotes| quotes.max_position.as_ref());
            self.instances[id.index()] = Some(Instance {
                id: *id,
                steps,
                fixed_qty: fixed(&self.rules.size),
                fixed_most: most.and_then(fixed),
                position: 0,
                opened: None,
                closed: None,
                best: f64::NAN,
                working: None,
                is_over: false,
                is_tiny: false,
                scratch: Vec::new(),
            });
        }
        if let Trigger::Every(ns) = self.rules.trigger {
            self.ticks_from = Some(context.now());
            context.timer(CLOCK, after(context.now(), ns));
        }
    }

    fn market(&mut self, record: &Record<'_>, context: &mut Context<'_>) {
        debug_assert!(record.kind() != Kind::Feature, "rows come by their own way");
        if let Some(instrument) = record.head().instrument {
            self.think(instrument, context);
        }
    }

    fn features(&mut self, instrument: InstrumentId, context: &mut Context<'_>) {
        self.think(instrument, context);
    }

    fn timer(&mut self, _timer: TimerId, context: &mut Context<'_>) {
        for at in 0..self.instruments.len() {
            self.think(self.instruments[at], context);
        }
        if let Trigger::Every(ns) = self.rules.trigger {
            context.timer(CLOCK, after(context.now(), ns));
        }
    }

    fn waits(&self, for_met: &mut Vec<(InstrumentId, usize)>) -> bool {
        match self.rules.trigger {
            Trigger::Features => {
                self.instances.iter().flatten().all(|instance| instance.waits(&self.rules, for_met))
            }
            // Its timer will call it.
            Trigger::Every(_) => true,
            Trigger::Record(_) => false,
        }
    }

    fn order(&mut self, change: &Change, context: &mut Context<'_>) {
        let id = change.entry.new.instrument;
        let Some(Some(instance)) = self.instances.get_mut(id.index()) else { return };
        if !change.entry.is_live()
            && instance.working.is_some_and(|working| working.order == change.entry.order)
        {
            instance.working = None;
        }
        instance.hold(context.position(id).qty(), context.now());
    }

    fn closed(&mut self, closure: &Closure, context: &mut Context<'_>) {
        let id = closure.instrument;
        if let Some(Some(instance)) = self.instances.get_mut(id.index()) {
            instance.hold(context.position(id).qty(), context.now());
        }
    }

    fn stop(&mut self, context: &mut Context<'_>) {
        for id in &self.instruments {
            context.cancel_all(*id);
        }
    }
}

fn after(ts: Ts, ns: i64) -> Ts {
    ts.checked_add_nanos(ns).unwrap_or(Ts::MAX)
}

impl Instance {
    /// What is held now; remembers since when.
    #[inline]
    fn hold(&mut self, position: i64, now: Ts) {
        if position.signum() != self.position.signum() {
            let now = Some(now);
            self.closed = if self.position != 0 { now } else { self.closed };
            self.opened = if position != 0 { now } else { None };
            self.best = f64::NAN;
        }
        self.position = position;
    }

    /// Whether the contract has ended, so that nothing can be asked for. Says so on record once.
    pub(super) fn is_ended(&mut self, context: &mut Context<'_>) -> bool {
        let has_ended = context.instrument(self.id).terms.has_ended(context.now());
        if has_ended && !std::mem::replace(&mut self.is_over, true) {
            self.skip(Decided::EXPIRED, context);
        }
        has_ended
    }

    /// Puts on record, once, that a size came to less than one lot.
    pub(super) fn say_small(&mut self, context: &mut Context<'_>) {
        if !std::mem::replace(&mut self.is_tiny, true) {
            self.skip(Decided::BELOW_LOT, context);
        }
    }

    fn skip(&self, reason: &'static str, context: &mut Context<'_>) {
        context.decide(Decided {
            instrument: Some(self.id),
            action: DecisionAction::Skip,
            side: None,
            px: None,
            qty: None,
            reason: Cow::Borrowed(reason),
        });
    }

    /// Whether a thought comes to nothing until a rule is met that is a feature alone: those rules that
    /// could move the position from where it is.
    fn waits(&self, rules: &Rules, for_met: &mut Vec<(InstrumentId, usize)>) -> bool {
        if rules.quotes.is_some()
            || self.working.is_some()
            || self.position != 0 && rules.closing.is_any()
            || !rules.schedule.open.is_always_open()
        {
            return false;
        }
        let turning = |rule| if rules.work.reverse { rule } else { &None };
        let awaited = match self.position.signum() {
            0 => [&rules.entry.long, &rules.entry.short],
            1 => [&rules.exit.long, turning(&rules.entry.short)],
            _ => [&rules.exit.short, turning(&rules.entry.long)],
        };
        awaited.into_iter().flatten().all(|rule| {
            for_met.extend(rule.column().map(|column| (self.id, column)));
            rule.column().is_some()
        })
    }

    /// A number about the strategy's own state.
    pub(super) fn var(&self, var: Var, context: &Context<'_>) -> f64 {
        let instrument = context.instrument(self.id);
        let seen = context.seen(self.id);
        let seconds = |since: Option<Ts>| {
            since.map_or(f64::NAN, |since| context.now().since(since) as f64 / 1e9)
        };
        let px = |px: Option<qt_model::units::Px>| {
            px.map_or(f64::NAN, |px| px.to_f64(instrument.px_scale))
        };
        let ledger = context.ledger();
        match var {
            Var::Position => self.position as f64 / instrument.qty_scale.unit() as f64,
            Var::EntryPx => self.entry_px(context).unwrap_or(f64::NAN),
            Var::Unrealized => ledger.precision(self.id).to_f64(ledger.unrealized(self.id)),
            Var::Equity => context.equity(),
            Var::Held => seconds(self.opened),
            Var::Idle => seconds(self.closed),
            Var::OpenOrders => context.orders_of(self.id).count() as f64,
            Var::Tick => self.steps.tick(),
            Var::Lot => self.steps.lot(),
            Var::BestBid => px(seen.top().bid.map(|resting| resting.px)),
            Var::BestAsk => px(seen.top().ask.map(|resting| resting.px)),
            Var::Last => px(seen.last()),
            Var::Hour => {
                let day = qt_model::time::DAY_NANOS;
                context.now().nanos().rem_euclid(day) as f64 / 3.6e12
            }
        }
    }

    /// The mean entry price, for rules to compare with.
    pub(super) fn entry_px(&self, context: &Context<'_>) -> Option<f64> {
        let ledger = context.ledger();
        let position = ledger.position(self.id);
        let px = ledger.contract(self.id).entry_px(position.cost(), position.qty())?;
        Some(px / context.instrument(self.id).px_scale.unit() as f64)
    }

    /// Value of a formula here and now.
    pub(super) fn value(&self, formula: &Formula, context: &Context<'_>) -> f64 {
        formula.value(context.features(self.id), |var| self.var(var, context))
    }

    #[inline]
    pub(super) fn is_met(&self, rule: Option<&Formula>, context: &Context<'_>) -> bool {
        rule.is_some_and(|rule| {
            rule.is_met(context.features(self.id), |var| self.var(var, context))
        })
    }
}
