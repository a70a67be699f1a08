//! Closed enums that travel as words: one table says the variants and their spelling.
//!
//! Invariant: `from_word(x.word()) == Some(x)`. Adding a variant is adding a line; every `match`
//! on the enum then asks its author what to do.

/// A closed enum with one spelling a variant.
pub trait Word: Copy + Eq + 'static {
    const WORDS: &'static [&'static str];

    fn word(self) -> &'static str;

    fn from_word(text: &str) -> Option<Self>;

    /// The position in `WORDS`.
    fn index(self) -> usize;

    fn from_index(index: usize) -> Option<Self>;
}

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal,)* })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum $name { $($(#[$vdoc])* $variant,)* }

        impl $name {
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];
        }

        impl Word for $name {
            const WORDS: &'static [&'static str] = &[$($word),*];

            #[inline]
            fn word(self) -> &'static str {
                Self::WORDS[self as usize]
            }

            fn from_word(text: &str) -> Option<Self> {
                match text { $($word => Some(Self::$variant),)* _ => None }
            }

            #[inline]
            fn index(self) -> usize {
                self as usize
            }

            #[inline]
            fn from_index(index: usize) -> Option<Self> {
                Self::ALL.get(index).copied()
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.word())
            }
        }
    )*};
}

words! {
    /// A side of the market: of an order, of a book level, or the aggressor of a trade.
    Side {
        Buy = "buy",
        Sell = "sell",
    }

    /// What a depth record does to the book.
    DepthAction {
        /// Replaces the whole book.
        Snapshot = "snapshot",
        /// Sets the levels named; a size of zero removes one.
        Delta = "delta",
    }

    /// What an order-by-order record does.
    MboAction {
        Add = "add",
        Modify = "modify",
        Cancel = "cancel",
        /// A resting order was executed; a `cancel` or `modify` of it follows.
        Fill = "fill",
        /// An aggressor traded; the book does not change by this record.
        Trade = "trade",
        /// The book is emptied.
        Clear = "clear",
    }

    /// What an instrument is.
    InstrumentClass {
        Spot = "spot",
        Perpetual = "perpetual",
        Future = "future",
        Option = "option",
        Equity = "equity",
        Fx = "fx",
        Index = "index",
        Spread = "spread",
    }

    /// Which way the profit of a contract runs.
    Payoff {
        Linear = "linear",
        /// Sized in the quote currency, settled in the base.
        Inverse = "inverse",
        Quanto = "quanto",
    }

    /// Whether an instrument can be traded now.
    TradingStatus {
        PreOpen = "pre_open",
        Open = "open",
        /// An auction of which the venue says no more.
        Auction = "auction",
        OpeningAuction = "opening_auction",
        ClosingAuction = "closing_auction",
        Halted = "halted",
        Closed = "closed",
        Delisted = "delisted",
    }

    /// Why data is known to be missing.
    GapReason {
        Sequence = "sequence",
        Disconnect = "disconnect",
        Overload = "overload",
        NoSnapshot = "no_snapshot",
        Corrupt = "corrupt",
        NotRecorded = "not_recorded",
    }

    /// What ended a bar.
    BarClock {
        Time = "time",
        Tick = "tick",
        Volume = "volume",
        Notional = "notional",
        Imbalance = "imbalance",
        Run = "run",
    }

    OrderType {
        Market = "market",
        Limit = "limit",
        Stop = "stop",
        StopLimit = "stop_limit",
        TrailingStop = "trailing_stop",
    }

    TimeInForce {
        Day = "day",
        Gtc = "gtc",
        Gtd = "gtd",
        Ioc = "ioc",
        Fok = "fok",
        /// At the opening auction.
        Opg = "opg",
        /// At the closing auction.
        Cls = "cls",
        /// Post only: rejected where it would take.
        Gtx = "gtx",
    }

    OrderStatus {
        Draft = "draft",
        Pending = "pending",
        Submitting = "submitting",
        Submitted = "submitted",
        Acknowledged = "acknowledged",
        PartiallyFilled = "partially_filled",
        PendingCancel = "pending_cancel",
        PendingReplace = "pending_replace",
        Unknown = "unknown",
        Filled = "filled",
        Cancelled = "cancelled",
        Rejected = "rejected",
        Expired = "expired",
        Failed = "failed",
        PartialFillTimeout = "partial_fill_timeout",
    }

    Liquidity {
        Maker = "maker",
        Taker = "taker",
    }

    /// Why a venue refuses an order, an amendment or a cancel.
    RejectReason {
        UnknownInstrument = "unknown_instrument",
        UnknownOrder = "unknown_order",
        /// The price is no multiple of the tick.
        OffTick = "off_tick",
        /// The size is no multiple of the lot.
        OffLot = "off_lot",
        TooSmall = "too_small",
        TooLarge = "too_large",
        /// The price lies outside the band that the venue allows.
        PriceBand = "price_band",
        /// The instrument is halted, closed or delisted.
        NotTrading = "not_trading",
        /// There is no price yet to trade against.
        NoMarket = "no_market",
        /// It is for an auction, and nothing says when there is one.
        NoAuction = "no_auction",
        InsufficientFunds = "insufficient_funds",
        InsufficientMargin = "insufficient_margin",
        /// A post-only order would take.
        WouldTake = "would_take",
        /// A fill-or-kill order could not be filled whole.
        CannotFill = "cannot_fill",
        /// It would meet an order of our own.
        SelfTrade = "self_trade",
        /// A reduce-only order would not reduce.
        WouldNotReduce = "would_not_reduce",
        /// The order has ended already.
        Ended = "ended",
        /// The fields contradict each other.
        Malformed = "malformed",
        /// The venue's own limit on requests.
        RateLimit = "rate_limit",
        /// Another reason of the venue.
        Other = "other",
    }

    /// What a strategy is told beside the market.
    InputKind {
        /// Of an order: the venue has it.
        Acknowledged = "acknowledged",
        Rejected = "rejected",
        Filled = "filled",
        Triggered = "triggered",
        Amended = "amended",
        AmendRefused = "amend_refused",
        CancelRefused = "cancel_refused",
        Cancelled = "cancelled",
        Expired = "expired",
        /// The venue never answered.
        Unknown = "unknown",
        /// A venue closed a position without an order of ours.
        Closure = "closure",
        /// Cash that moved without a fill.
        Funding = "funding",
        Borrow = "borrow",
        Dividend = "dividend",
        Deposit = "deposit",
        Withdrawal = "withdrawal",
        Liquidation = "liquidation",
        Settlement = "settlement",
        /// A timer is due.
        Timer = "timer",
        /// An operator interferes.
        Halt = "halt",
        Resume = "resume",
        Flatten = "flatten",
        Stop = "stop",
    }

    /// Why an order ended without being filled whole.
    CancelReason {
        /// We asked for it.
        Requested = "requested",
        /// What an immediate-or-cancel order could not fill.
        Remainder = "remainder",
        /// A post-only order would have taken.
        WouldTake = "would_take",
        SelfTrade = "self_trade",
        /// Another order of its group was filled or cancelled.
        Group = "group",
        /// Its parent ended without a fill.
        Parent = "parent",
        /// There is no position left to reduce.
        NothingToReduce = "nothing_to_reduce",
        /// The market was too thin for the rest.
        NoLiquidity = "no_liquidity",
        /// The auction that it waited for did not come, or nothing traded in it.
        NoAuction = "no_auction",
        /// The venue closed the account's positions.
        Liquidation = "liquidation",
        /// The instrument was halted, closed or delisted.
        NotTrading = "not_trading",
        /// The venue's own decision.
        Venue = "venue",
    }

    /// What a decision came to.
    DecisionAction {
        Enter = "enter",
        Exit = "exit",
        Quote = "quote",
        Hold = "hold",
        Skip = "skip",
    }

    /// What an intent asks of the order path.
    IntentAction {
        Submit = "submit",
        Amend = "amend",
        Cancel = "cancel",
    }

    /// The answer of the rule stack.
    VerdictResult {
        Approved = "approved",
        Refused = "refused",
    }

    /// What enforcement does after a breach.
    EnforcementAction {
        CloseAllAndLockout = "close_all_and_lockout",
        CloseAllPositions = "close_all_positions",
        ClosePosition = "close_position",
        ReducePosition = "reduce_position",
        CancelAllOrders = "cancel_all_orders",
        CancelOrder = "cancel_order",
        CancelSymbolOrders = "cancel_symbol_orders",
        SymbolLockout = "symbol_lockout",
        Cooldown = "cooldown",
        PlaceStop = "place_stop",
        ModifyStop = "modify_stop",
        RemoveLockout = "remove_lockout",
        RejectOrder = "reject_order",
    }

    /// What a lockout record says of the lockout.
    LockoutState {
        Set = "set",
        Cleared = "cleared",
        Expired = "expired",
    }

    RunKind {
        Replay = "replay",
        Backtest = "backtest",
        /// Many variants of a backtest over one input.
        Sweep = "sweep",
        Live = "live",
        Research = "research",
    }

    RunStatus {
        Running = "running",
        Done = "done",
        Stopped = "stopped",
        Failed = "failed",
        Crashed = "crashed",
    }

    Severity {
        Info = "info",
        Warning = "warning",
        Error = "error",
        Critical = "critical",
    }

    /// How far a piece of data can be trusted.
    Grade {
        Good = "good",
        Partial = "partial",
        Degraded = "degraded",
        Bad = "bad",
    }

    /// How two books disagree.
    DiffKind {
        Missing = "missing",
        Unexpected = "unexpected",
        Mismatch = "mismatch",
    }

    /// The condition of a part of the system.
    HealthState {
        Ready = "ready",
        Degraded = "degraded",
        Offline = "offline",
        Error = "error",
    }
}

impl Side {
    /// 1 for a buy, -1 for a sell: what turns a size into a change of position.
    pub const fn sign(self) -> i64 {
        match self {
            Self::Buy => 1,
            Self::Sell => -1,
        }
    }

    pub const fn opposite(self) -> Self {
        match self {
            Self::Buy => Self::Sell,
            Self::Sell => Self::Buy,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_reads_back() {
        for status in OrderStatus::ALL {
            assert_eq!(OrderStatus::from_word(status.word()), Some(*status));
            assert_eq!(OrderStatus::from_index(status.index()), Some(*status));
        }
        assert_eq!(Side::from_word("BUY"), None);
    }
}
