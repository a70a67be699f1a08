//! What an expression can ask of the strategy's own state.

macro_rules! vars {
    ($($(#[doc = $doc:literal])+ $var:ident $name:literal $unit:literal;)*) => {
        /// A number about the strategy itself.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Var { $($(#[doc = $doc])+ $var,)* }

        impl Var {
            pub const ALL: &'static [Self] = &[$(Self::$var),*];

            pub fn name(self) -> &'static str {
                match self { $(Self::$var => $name,)* }
            }

            pub fn doc(self) -> &'static str {
                match self { $(Self::$var => concat!($($doc),+).trim_ascii(),)* }
            }

            pub fn unit(self) -> &'static str {
                match self { $(Self::$var => $unit,)* }
            }
        }
    };
}

vars! {
    /// The position; negative: short.
    Position "position" "size";
    /// The mean entry price; no value while flat.
    EntryPx "entry_px" "price";
    /// Profit on paper, before fees.
    Unrealized "unrealized" "money";
    /// All money and positions at their marks, in the currency of the run.
    Equity "equity" "money";
    /// Seconds since the position was opened; no value while flat.
    Held "held_s" "seconds";
    /// Seconds since the last position was closed; no value before.
    Idle "idle_s" "seconds";
    /// Live orders.
    OpenOrders "open_orders" "count";
    /// The smallest step of a price.
    Tick "tick" "price";
    /// The smallest step of a size.
    Lot "lot" "size";
    /// The best bid now.
    BestBid "best_bid" "price";
    /// The best ask now.
    BestAsk "best_ask" "price";
    /// The price of the last print, or the close of the last bar.
    Last "last" "price";
    /// Hours since midnight, UTC, with their fraction.
    Hour "hour" "hours";
}

impl Var {
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|var| var.name() == name)
    }
}
