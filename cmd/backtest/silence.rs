//! Why a strategy may have been silent: what a run says when it has run.

use std::collections::BTreeSet;

use qt_trade::outbox::Decided;
use rust_decimal::Decimal;

use super::Executed;
use crate::context::Context;

/// A feature that can never have had a value, sizes below a lot, contracts that have ended, rules about
/// risk.
pub(super) fn warn(done: &Executed, context: &Context) {
    warn_of_warm_up(done, context);
    warn_of_skips(done, context);
    let refusals = done.results.iter().map(|result| result.refusals).max().unwrap_or(0);
    if refusals > 0 {
        context.warn(format_args!("rules about risk refused {refusals} requests"));
    }
}

fn warn_of_warm_up(done: &Executed, context: &Context) {
    let warm_at = done.results.iter().map(|result| result.variant.compiled.warm_at).max();
    let records = done.driven.records;
    if let Some(warm_at) = warm_at.filter(|warm_at| *warm_at > records) {
        context.warn(format_args!(
            "the slowest feature needs {warm_at} events and the input has {records} records: rules \
             over it were never met"
        ));
    }
}

fn warn_of_skips(done: &Executed, context: &Context) {
    let skipped: BTreeSet<_> = done.results.iter().flat_map(|result| &result.skipped).collect();
    for (instrument, reason) in skipped {
        let instrument = done.common.market.instruments.get(*instrument);
        let digits = u32::from(instrument.qty_scale.digits());
        let lot = instrument.terms.lot.unwrap_or_else(|| Decimal::new(1, digits));
        let why = match *reason {
            Decided::BELOW_LOT => format!("and the size came to less than one lot ({lot})"),
            _ => "after the contract had ended".to_owned(),
        };
        let symbol = &instrument.symbol;
        context.warn(format_args!("{symbol}: a rule was met {why}; nothing was asked for"));
    }
}
