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
    CancelReason, DecisionAction, EnforcementAction, InputKind, IntentAction, Liquidity,
    LockoutState, OrderStatus, OrderType, RejectReason, Severity, Side, TimeInForce, VerdictResult,
};

rows! {
    /// What a strategy was told beside the market. With the market's records it is all that the strategy
    /// knew, so that a session can be stepped again.
    #[derive(PartialEq, Eq)]
    InputRow "input" Optional {
        /// How many records of the market it had received before.
        after: u64,
        /// What it was told.
        what: InputKind,
        /// The number of the order, within its run.
        order: Option<u64>,
        /// Why the venue refused.
        refusal: Option<RejectReason>,
        /// Why the order was cancelled.
        ending: Option<CancelReason>,
        /// The number of the execution, within its run.
        fill: Option<u64>,
        /// The side, for a position that was closed.
        side: Option<Side>,
        /// The price of an execution, or the new one of an order.
        px: Option<Px>,
        /// The size of an execution, or the new one of an order.
        qty: Option<Qty>,
        /// Maker or taker.
        liquidity: Option<Liquidity>,
        /// The fee of an execution, positive: paid; or cash, positive: received.
        amount: Option<Decimal>,
        /// Its currency.
        currency: Option<String>,
        /// The timer, by the number that the strategy gave it.
        timer: Option<u64>,
    }

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

    /// How good a fill was, once its longest horizon has passed.
    #[derive(PartialEq)]
    FillQuality "fill_quality" Required {
        /// The fill.
        fill_id: FillId,
        /// Our order.
        order_id: Option<OrderId>,
        /// The side.
        side: Side,
        /// The price.
        px: Px,
        /// The size.
        qty: Qty,
        /// Whether we rested or took.
        liquidity: Liquidity,
        /// When the order was decided.
        decided: Option<Ts>,
        /// When the venue had it.
        accepted: Option<Ts>,
        /// The mid that the decision saw.
        mid_decision: Option<Decimal>,
        /// The mid when the venue had the order.
        mid_arrival: Option<Decimal>,
        /// The best price of the other side at that moment.
        touch_arrival: Option<Px>,
        /// The last mid strictly before the fill.
        mid_before: Option<Decimal>,
        /// The size ahead in the queue when the order came to rest.
        queue_ahead_entry: Option<Qty>,
        /// The size of the level then.
        level_qty_entry: Option<Qty>,
        /// The size ahead when it was filled, as the model of the queue has it.
        queue_ahead_fill: Option<Qty>,
        /// How much of the queue ahead left by trades.
        queue_traded: Option<Qty>,
        /// How much of it left by cancels.
        queue_cancelled: Option<Qty>,
        /// How far the mid had moved for us at each horizon of the run, against the price; absent
        /// where the horizon lies past the end or the mid is unknown.
        markout_bps: Vec<Option<f64>>,
    }

    /// A trade from its opening to its close.
    #[derive(PartialEq, Eq)]
    RoundTrip "round_trip" Required {
        /// The side that opened it.
        side: Side,
        /// The first fill.
        opened: Ts,
        /// The largest size held.
        qty: Qty,
        /// The mean price of the fills that opened.
        entry_px: Option<Decimal>,
        /// The mean price of the fills that closed.
        exit_px: Option<Decimal>,
        /// How many fills.
        fills: u64,
        /// Profit by prices alone.
        gross: Decimal,
        /// Fees; positive: paid.
        fees: Decimal,
        /// Funding, interest and dividends; positive: received.
        funding: Decimal,
        /// What is left.
        net: Decimal,
        /// The worst profit by prices while it was open.
        mae: Option<Decimal>,
        /// The best.
        mfe: Option<Decimal>,
        /// The worth of what was opened, for shares of it.
        entry_notional: Decimal,
        /// The currency of the money above.
        currency: String,
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
