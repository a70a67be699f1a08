//! What we decided, asked, were allowed and did.

use rust_decimal::Decimal;

use super::rows;
use crate::ids::{
    AccountId, ClientOrderId, DecisionId, FillId, IntentId, OrderId, StrategyId, TraceId,
    VenueOrderId,
};
use crate::time::Ts;
use crate::units::{Px, Qty};
use crate::words::{
    DecisionAction, EnforcementAction, IntentAction, Liquidity, LockoutState, OrderStatus,
    OrderType, Severity, Side, TimeInForce, VerdictResult,
};

rows! {
    /// A strategy decided something, which may be to do nothing.
    #[derive(PartialEq, Eq)]
    Decision "decision" Optional {
        /// Its name.
        decision_id: DecisionId,
        /// Who decided.
        strategy: StrategyId,
        /// What was decided.
        action: DecisionAction,
        /// The side, for an action that has one.
        side: Option<Side>,
        /// The price aimed at.
        px: Option<Px>,
        /// The size aimed at.
        qty: Option<Qty>,
        /// Why.
        reason: Option<String>,
        /// The thread that this begins.
        trace_id: Option<TraceId>,
    }

    /// A strategy asks the order path for something.
    #[derive(PartialEq, Eq)]
    Intent "intent" Required {
        /// Its name.
        intent_id: IntentId,
        /// Who asks.
        strategy: StrategyId,
        /// What is asked.
        action: IntentAction,
        /// The side.
        side: Option<Side>,
        /// The type of order.
        order_type: Option<OrderType>,
        /// How long the order stands.
        time_in_force: Option<TimeInForce>,
        /// The size.
        qty: Option<Qty>,
        /// The limit price.
        px: Option<Px>,
        /// The stop price.
        stop_px: Option<Px>,
        /// Whether it may only reduce a position.
        reduce_only: Option<bool>,
        /// The order to amend or cancel.
        order_id: Option<OrderId>,
        /// After this instant it is stale and must not be sent.
        expires: Option<Ts>,
        /// Why.
        reason: Option<String>,
        /// The decision behind it.
        decision_id: Option<DecisionId>,
        /// The thread it belongs to.
        trace_id: Option<TraceId>,
    }

    /// The rule stack's answer to an intent.
    #[derive(PartialEq, Eq)]
    Verdict "verdict" Optional {
        /// The intent judged.
        intent_id: IntentId,
        /// The answer.
        result: VerdictResult,
        /// The rule that refused.
        rule: Option<String>,
        /// What the rule measured.
        measured: Option<Decimal>,
        /// What the rule allows.
        limit: Option<Decimal>,
        /// The refusal in words.
        reason: Option<String>,
        /// The thread it belongs to.
        trace_id: Option<TraceId>,
    }

    /// An order after a change of state.
    #[derive(PartialEq, Eq)]
    Order "order" Required {
        /// Our name for it.
        order_id: OrderId,
        /// The idempotency key that the venue knows.
        client_order_id: Option<ClientOrderId>,
        /// The venue's name for it.
        venue_order_id: Option<VenueOrderId>,
        /// The account.
        account: Option<AccountId>,
        /// Who asked for it.
        strategy: Option<StrategyId>,
        /// The state before.
        previous: Option<OrderStatus>,
        /// The state now.
        status: OrderStatus,
        /// The side.
        side: Side,
        /// The type of order.
        order_type: OrderType,
        /// How long it stands.
        time_in_force: TimeInForce,
        /// The size.
        qty: Qty,
        /// The limit price.
        px: Option<Px>,
        /// The stop price.
        stop_px: Option<Px>,
        /// Whether it may only reduce a position.
        reduce_only: Option<bool>,
        /// The size filled so far.
        filled_qty: Qty,
        /// The mean price of the fills.
        avg_px: Option<Decimal>,
        /// What moved it to this state.
        reason: Option<String>,
        /// The thread it belongs to.
        trace_id: Option<TraceId>,
    }

    /// One execution of one order.
    #[derive(PartialEq, Eq)]
    Fill "fill" Required {
        /// The venue's name for it, or a digest of its content.
        fill_id: FillId,
        /// Our order; absent while the fill is an orphan.
        order_id: Option<OrderId>,
        /// The key that the venue knows.
        client_order_id: Option<ClientOrderId>,
        /// The venue's order.
        venue_order_id: Option<VenueOrderId>,
        /// The account.
        account: Option<AccountId>,
        /// Who asked for it.
        strategy: Option<StrategyId>,
        /// The side.
        side: Side,
        /// The price.
        px: Px,
        /// The size.
        qty: Qty,
        /// The fee; positive: paid.
        fee: Option<Decimal>,
        /// The currency of the fee.
        fee_currency: Option<String>,
        /// Whether we rested or took.
        liquidity: Option<Liquidity>,
        /// The thread it belongs to.
        trace_id: Option<TraceId>,
    }

    /// A position after a change.
    #[derive(PartialEq, Eq)]
    Position "position" Required {
        /// The account.
        account: Option<AccountId>,
        /// The strategy, where positions are kept apart.
        strategy: Option<StrategyId>,
        /// Long or short; absent when flat.
        side: Option<Side>,
        /// The size.
        qty: Qty,
        /// The mean entry price.
        avg_px: Option<Decimal>,
        /// Profit taken.
        realized: Option<Decimal>,
        /// Profit on paper.
        unrealized: Option<Decimal>,
        /// Fees paid.
        fees: Option<Decimal>,
        /// The currency of the money above.
        currency: Option<String>,
    }

    /// The money of an account in one currency.
    #[derive(PartialEq, Eq)]
    Account "account" Optional {
        /// The account.
        account: AccountId,
        /// The currency.
        currency: String,
        /// Cash.
        balance: Decimal,
        /// Cash free to use.
        available: Option<Decimal>,
        /// Cash and positions at the mark.
        equity: Option<Decimal>,
        /// Cash bound as margin.
        margin: Option<Decimal>,
    }

    /// A limit was passed.
    #[derive(PartialEq, Eq)]
    Breach "breach" Optional {
        /// The rule.
        rule: String,
        /// The account.
        account: Option<AccountId>,
        /// The strategy.
        strategy: Option<StrategyId>,
        /// How bad.
        severity: Severity,
        /// What was measured.
        measured: Option<Decimal>,
        /// What is allowed.
        limit: Option<Decimal>,
        /// In words.
        reason: String,
    }

    /// What was done about a breach.
    #[derive(PartialEq, Eq)]
    Enforcement "enforcement" Optional {
        /// The rule.
        rule: String,
        /// What was done.
        action: EnforcementAction,
        /// The account.
        account: Option<AccountId>,
        /// The order, contract or root concerned.
        target: Option<String>,
        /// Whether it succeeded.
        success: bool,
        /// How long it took.
        duration_ns: Option<u64>,
        /// In words.
        reason: Option<String>,
    }

    /// Trading was blocked or set free.
    #[derive(PartialEq, Eq)]
    Lockout "lockout" Optional {
        /// The account.
        account: AccountId,
        /// The rule that asked for it.
        rule: String,
        /// What happened to it.
        state: LockoutState,
        /// The root symbol; absent for the whole account.
        root: Option<String>,
        /// When it ends; absent where a person or a condition ends it.
        until: Option<Ts>,
        /// In words.
        reason: Option<String>,
    }
}
