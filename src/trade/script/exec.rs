//! From rules that are met to orders that are worked.
//!
//! One order at a time works an entry or an exit. Exits come before entries, and what protects
//! before what was planned.

use std::borrow::Cow;

use qt_model::order::{Amendment, Links, NewOrder, OrderNo, Pricing};
use qt_model::units::{Px, Qty};
use qt_model::words::{DecisionAction, Side, TimeInForce};

use super::rules::{Instance, Rules, SizeRule, Working};
use crate::core::Context;
use crate::outbox::Decided;

/// What the rules ask for, and which.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Desire {
    Keep,
    Flat(&'static str),
    Hold(Side, &'static str),
}

pub(super) fn think(rules: &Rules, instance: &mut Instance, context: &mut Context<'_>) {
    let desire = desire(rules, instance, context);
    if let Some(working) = instance.working {
        tend(rules, instance, context, working, desire);
        return;
    }
    if desire != Desire::Keep && instance.is_ended(context) {
        return;
    }
    match desire {
        Desire::Keep => {}
        Desire::Flat(reason) => exit(rules, instance, context, reason),
        Desire::Hold(side, reason) => enter(rules, instance, context, side, reason),
    }
}

fn desire(rules: &Rules, instance: &mut Instance, context: &Context<'_>) -> Desire {
    let is_open = rules.schedule.open.is_open(context.now());
    if instance.position == 0 {
        let cooling = |closed| context.now().since(closed) < rules.work.cooldown_ns;
        if !is_open || instance.closed.is_some_and(cooling) {
            return Desire::Keep;
        }
        return entry(rules, instance, context);
    }
    if !is_open && rules.schedule.flat_outside {
        return Desire::Flat("schedule");
    }
    if let Some(reason) = closing(rules, instance, context) {
        return Desire::Flat(reason);
    }
    let is_long = instance.position > 0;
    let (rule, reason) = match is_long {
        true => (&rules.exit.long, "exit.long"),
        false => (&rules.exit.short, "exit.short"),
    };
    if instance.is_met(rule.as_ref(), context) {
        return Desire::Flat(reason);
    }
    match entry(rules, instance, context) {
        turned @ Desire::Hold(side, _)
            if is_open && rules.work.reverse && (side == Side::Sell) == is_long =>
        {
            turned
        }
        Desire::Hold(..) | Desire::Flat(_) | Desire::Keep => Desire::Keep,
    }
}

/// What the entry rules ask for; nothing where both or neither are met.
fn entry(rules: &Rules, instance: &Instance, context: &Context<'_>) -> Desire {
    let long = instance.is_met(rules.entry.long.as_ref(), context);
    let short = instance.is_met(rules.entry.short.as_ref(), context);
    match (long, short) {
        (true, false) => Desire::Hold(Side::Buy, "entry.long"),
        (false, true) => Desire::Hold(Side::Sell, "entry.short"),
        (true, true) | (false, false) => Desire::Keep,
    }
}

/// Which protection ends the position, if one does.
#[inline]
fn closing(rules: &Rules, instance: &mut Instance, context: &Context<'_>) -> Option<&'static str> {
    if rules.closing.is_any() { protection(rules, instance, context) } else { None }
}

#[inline(never)]
fn protection(
    rules: &Rules,
    instance: &mut Instance,
    context: &Context<'_>,
) -> Option<&'static str> {
    let closing = &rules.closing;
    let held = |opened| context.now().since(opened);
    if closing.max_holding_ns.is_some_and(|most| instance.opened.is_some_and(|it| held(it) >= most))
    {
        return Some("max_holding");
    }
    if closing.stop_loss.is_none() && closing.take_profit.is_none() && closing.trailing.is_none() {
        return None;
    }
    let sign = if instance.position > 0 { 1.0 } else { -1.0 };
    let exit = exit_px(instance, context)?;
    let gain = sign * (exit - instance.entry_px(context)?);
    let best = if instance.best.is_nan() { exit } else { instance.best };
    instance.best = if sign * (exit - best) > 0.0 { exit } else { best };
    let reaches = |formula: &Option<_>, distance: f64| {
        formula.as_ref().is_some_and(|formula| distance >= instance.value(formula, context))
    };
    if reaches(&closing.stop_loss, -gain) {
        Some("stop_loss")
    } else if reaches(&closing.trailing, sign * (instance.best - exit)) {
        Some("trailing")
    } else if reaches(&closing.take_profit, gain) {
        Some("take_profit")
    } else {
        None
    }
}

/// The price at which the position could be closed now, as far as it shows.
fn exit_px(instance: &Instance, context: &Context<'_>) -> Option<f64> {
    let seen = context.seen(instance.id);
    let side = if instance.position > 0 { seen.top().bid } else { seen.top().ask };
    let px = side.map(|resting| resting.px).or(seen.last())?;
    Some(px.to_f64(context.instrument(instance.id).px_scale))
}

/// The size of an entry, if it has a value that is one lot at least; a smaller one is put on record.
pub(super) fn entry_size(
    rule: &SizeRule,
    instance: &mut Instance,
    context: &mut Context<'_>,
) -> Option<Qty> {
    let qty = instance.fixed_qty.or_else(|| size(rule, instance, context))?;
    if qty.is_zero() {
        instance.say_small(context);
    }
    (!qty.is_zero()).then_some(qty)
}

/// The size that a rule gives, where it has a value; zero where that is not one lot.
pub(super) fn size(rule: &SizeRule, instance: &Instance, context: &Context<'_>) -> Option<Qty> {
    match rule {
        SizeRule::Fixed(number) => instance.steps.exact(*number),
        SizeRule::Qty(formula) => instance.steps.qty(instance.value(formula, context)),
        SizeRule::Notional(formula) => {
            let mid = context.mid(instance.id)?;
            instance.steps.qty(instance.value(formula, context) / mid)
        }
    }
}

/// The limit price of a side, if it has one. An error where it should have and has no value.
fn limit(
    rules: &Rules,
    instance: &Instance,
    context: &Context<'_>,
    side: Side,
) -> Result<Option<Px>, ()> {
    let formula = if side == Side::Buy { &rules.work.buy_at } else { &rules.work.sell_at };
    let Some(formula) = formula else { return Ok(None) };
    instance.steps.px(side, instance.value(formula, context)).map(Some).ok_or(())
}

fn enter(
    rules: &Rules,
    instance: &mut Instance,
    context: &mut Context<'_>,
    side: Side,
    reason: &'static str,
) {
    let Some(size) = entry_size(&rules.size, instance, context) else { return };
    let turned = Qty::new(instance.position.saturating_abs()).unwrap_or_default();
    let (Some(qty), Ok(px)) = (size.checked_add(turned), limit(rules, instance, context, side))
    else {
        return;
    };
    if instance.position != 0 {
        // The old position's protection must not meet the new one.
        context.cancel_all(instance.id);
    }
    let new = match px {
        Some(px) => {
            let time_in_force = rules.work.time_in_force;
            NewOrder { time_in_force, ..NewOrder::limit(instance.id, side, qty, px) }
        }
        None => {
            let market = NewOrder::market(instance.id, side, qty);
            match rules.work.time_in_force {
                // All other times in force are of orders that can rest.
                time_in_force @ (TimeInForce::Opg | TimeInForce::Cls) => {
                    NewOrder { time_in_force, ..market }
                }
                TimeInForce::Day
                | TimeInForce::Gtc
                | TimeInForce::Gtd
                | TimeInForce::Ioc
                | TimeInForce::Fok
                | TimeInForce::Gtx => market,
            }
        }
    };
    if let Some(order) = work(instance, context, new, (DecisionAction::Enter, reason))
        && (rules.work.stop.is_some() || rules.work.target.is_some())
    {
        bracket(rules, instance, context, (order, side, size, px));
    }
}

fn exit(rules: &Rules, instance: &mut Instance, context: &mut Context<'_>, reason: &'static str) {
    let side = if instance.position > 0 { Side::Sell } else { Side::Buy };
    let Ok(qty) = Qty::new(instance.position.saturating_abs()) else { return };
    let px = match rules.work.exit_at_market {
        true => None,
        false => limit(rules, instance, context, side).ok().flatten(),
    };
    context.cancel_all(instance.id);
    let new = match px {
        Some(px) => NewOrder::limit(instance.id, side, qty, px),
        None => NewOrder::market(instance.id, side, qty),
    };
    let new = NewOrder { reduce_only: true, ..new };
    work(instance, context, new, (DecisionAction::Exit, reason));
}

fn work(
    instance: &mut Instance,
    context: &mut Context<'_>,
    new: NewOrder,
    (action, reason): (DecisionAction, &'static str),
) -> Option<OrderNo> {
    context.decide(Decided {
        instrument: Some(instance.id),
        action,
        side: Some(new.side),
        px: new.limit_px(),
        qty: Some(new.qty),
        reason: Cow::Borrowed(reason),
    });
    let order = context.submit(new).ok()?;
    let is_entry = action == DecisionAction::Enter;
    let since = context.now();
    instance.working = Some(Working { order, side: new.side, is_entry, since });
    Some(order)
}

/// Sends the orders that wait at the venue for the entry to fill.
#[inline(never)]
fn bracket(
    rules: &Rules,
    instance: &Instance,
    context: &mut Context<'_>,
    (parent, side, qty, px): (OrderNo, Side, Qty, Option<Px>),
) {
    let seen = context.seen(instance.id);
    let touch = if side == Side::Buy { seen.top().ask } else { seen.top().bid };
    let Some(px) = px.or(touch.map(|resting| resting.px)).or(seen.last()) else { return };
    let sign = if side == Side::Buy { 1 } else { -1 };
    let at = |formula: &Option<super::formula::Formula>, sign: i64| {
        let value = instance.value(formula.as_ref()?, context);
        let distance = instance.steps.distance(value)?;
        px.mantissa().checked_add(sign * distance).map(Px::new)
    };
    let stop = at(&rules.work.stop, -sign).map(|trigger| Pricing::Stop { trigger });
    let target = at(&rules.work.target, sign).map(|px| Pricing::Limit { px });
    let group = (stop.is_some() && target.is_some()).then(|| context.orders().next());
    let links = Links { parent: Some(parent), group };
    for pricing in [stop, target].into_iter().flatten() {
        let resting = NewOrder::limit(instance.id, side.opposite(), qty, px);
        // What protects is not refused: it can only reduce.
        let _ = context.submit(NewOrder { pricing, links, reduce_only: true, ..resting });
    }
}

/// Tends the order at work: moves it, gives it up, or lets it stand.
#[inline(never)]
fn tend(
    rules: &Rules,
    instance: &Instance,
    context: &mut Context<'_>,
    working: Working,
    desire: Desire,
) {
    let is_contrary = match desire {
        Desire::Keep => false,
        Desire::Flat(_) => working.is_entry,
        Desire::Hold(side, _) => side != working.side,
    };
    let age = context.now().since(working.since);
    if is_contrary || rules.work.timeout_ns.is_some_and(|timeout| age >= timeout) {
        context.cancel(working.order);
        return;
    }
    let Some(entry) = context.orders().get(working.order).copied() else { return };
    let is_limit = matches!(entry.new.pricing, Pricing::Limit { .. });
    if rules.work.requote_ticks == 0
        || !is_limit
        || !entry.is_free()
        || entry.new.time_in_force == TimeInForce::Ioc
    {
        return;
    }
    let wanted = limit(rules, instance, context, working.side);
    if let (Ok(Some(px)), Some(standing)) = (wanted, entry.new.limit_px()) {
        let room = i64::from(rules.work.requote_ticks).saturating_mul(instance.steps.tick_units());
        if px.mantissa().abs_diff(standing.mantissa()) >= room.unsigned_abs() {
            // Refused changes leave the order as it stands.
            let _ = context.amend(working.order, Amendment { px: Some(px), qty: None });
        }
    }
}
