//! Quotes on both sides: what stands at a good price stays, the rest is replaced.

use std::borrow::Cow;

use qt_model::order::NewOrder;
use qt_model::units::{Px, Qty};
use qt_model::words::{DecisionAction, Side, TimeInForce};

use super::exec::{entry_size, size};
use super::formula::Formula;
use super::rules::{Instance, Rules, SizeRule};
use crate::core::Context;
use crate::outbox::Decided;

#[derive(Clone, Debug)]
pub(super) struct Quotes {
    pub(super) bid: Formula,
    pub(super) ask: Formula,
    pub(super) requote_ticks: u32,
    pub(super) post_only: bool,
    pub(super) max_position: Option<SizeRule>,
}

pub(super) fn think(
    quotes: &Quotes,
    rules: &Rules,
    instance: &mut Instance,
    context: &mut Context<'_>,
) {
    if instance.is_ended(context) {
        return;
    }
    let is_open = rules.schedule.open.is_open(context.now());
    let px = [Side::Buy, Side::Sell]
        .map(|side| is_open.then(|| price(quotes, instance, context, side)).flatten());
    let is_asked = px.iter().any(Option::is_some);
    let qty = is_asked.then(|| entry_size(&rules.size, instance, context)).flatten();
    let wanted = [Side::Buy, Side::Sell].map(|side| {
        let (px, qty) = px[usize::from(side == Side::Sell)].zip(qty)?;
        has_room(quotes, instance, context, (side, qty)).then_some((px, qty))
    });
    // What must go goes before anything new comes, so that limits see it leave.
    let mut kept = [false; 2];
    collect(quotes, instance, context, &wanted, &mut kept);
    for at in 0..instance.scratch.len() {
        context.cancel(instance.scratch[at]);
    }
    for (at, side) in [Side::Buy, Side::Sell].into_iter().enumerate() {
        if let (Some((px, qty)), false) = (wanted[at], kept[at]) {
            submit(quotes, instance, context, (side, px, qty));
        }
    }
    if !is_open && rules.schedule.flat_outside && context.orders_of(instance.id).next().is_none() {
        // A reduction is never refused; what is flat needs nothing.
        let _ = context.close(instance.id);
    }
}

/// The price of one side, where there is to be a quote.
fn price(quotes: &Quotes, instance: &Instance, context: &Context<'_>, side: Side) -> Option<Px> {
    let formula = if side == Side::Buy { &quotes.bid } else { &quotes.ask };
    instance.steps.px(side, instance.value(formula, context))
}

/// Whether the position may grow by so much.
fn has_room(
    quotes: &Quotes,
    instance: &Instance,
    context: &Context<'_>,
    (side, qty): (Side, Qty),
) -> bool {
    let Some(rule) = &quotes.max_position else { return true };
    // A limit that has no value is one of nothing.
    let most = instance.fixed_most.or_else(|| size(rule, instance, context));
    let most = most.unwrap_or_default();
    let position = if side == Side::Buy { instance.position } else { -instance.position };
    position.saturating_add(qty.mantissa()) <= most.mantissa()
}

/// Notes which standing quotes go; marks the sides on which one stays.
fn collect(
    quotes: &Quotes,
    instance: &mut Instance,
    context: &Context<'_>,
    wanted: &[Option<(Px, Qty)>; 2],
    kept: &mut [bool; 2],
) {
    let room = i64::from(quotes.requote_ticks).saturating_mul(instance.steps.tick_units());
    instance.scratch.clear();
    for entry in context.orders_of(instance.id) {
        let at = usize::from(entry.new.side == Side::Sell);
        let is_good = match (wanted[at], entry.new.limit_px()) {
            (Some((px, _)), Some(standing)) => {
                px.mantissa().abs_diff(standing.mantissa()) < room.max(1).unsigned_abs()
            }
            _ => false,
        };
        if is_good && !kept[at] && !entry.is_cancelling {
            kept[at] = true;
        } else if !entry.is_cancelling {
            instance.scratch.push(entry.order);
        }
    }
}

fn submit(
    quotes: &Quotes,
    instance: &Instance,
    context: &mut Context<'_>,
    (side, px, qty): (Side, Px, Qty),
) {
    let mut new = NewOrder::limit(instance.id, side, qty, px);
    if quotes.post_only {
        new.time_in_force = TimeInForce::Gtx;
    }
    let decided = Decided {
        instrument: Some(instance.id),
        action: DecisionAction::Quote,
        side: Some(side),
        px: Some(px),
        qty: Some(qty),
        reason: Cow::Borrowed("quote"),
    };
    // What a rule refuses is on record; the next thought asks again.
    let _ = context.submit_as(new, decided);
}
