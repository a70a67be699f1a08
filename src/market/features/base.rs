//! The columns that every expression begins with: what an event of a symbol says.

/// When a column has a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Clock {
    /// Whenever the best bid and ask are known anew.
    Book,
    /// At each print.
    Trade,
    /// At the close of each bar.
    Bar,
    /// At every event of the list, whatever its kind.
    Any,
}

macro_rules! bases {
    ($($(#[doc = $doc:literal])+ $base:ident $name:literal $clock:ident $unit:literal;)*) => {
        /// A column of the input.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Base { $($(#[doc = $doc])+ $base,)* }

        impl Base {
            pub const ALL: &'static [Self] = &[$(Self::$base),*];

            pub fn name(self) -> &'static str {
                match self { $(Self::$base => $name,)* }
            }

            pub fn doc(self) -> &'static str {
                match self { $(Self::$base => concat!($($doc),+).trim_ascii(),)* }
            }

            pub fn clock(self) -> Clock {
                match self { $(Self::$base => Clock::$clock,)* }
            }

            pub fn unit(self) -> &'static str {
                match self { $(Self::$base => $unit,)* }
            }
        }
    };
}

bases! {
    /// The best bid.
    Bid "bid" Book "price";
    /// The best ask.
    Ask "ask" Book "price";
    /// The size at the best bid.
    BidQty "bid_qty" Book "size";
    /// The size at the best ask.
    AskQty "ask_qty" Book "size";
    /// (bid + ask)/2.
    Mid "mid" Book "price";
    /// ask − bid.
    Spread "spread" Book "price";
    /// (bid·ask_qty + ask·bid_qty)/(bid_qty + ask_qty); mid where both sizes are zero.
    Microprice "microprice" Book "price";
    /// (bid_qty − ask_qty)/(bid_qty + ask_qty); no value where both are zero.
    Imbalance "imbalance" Book "ratio";
    /// Order flow imbalance of the best levels since the event before.
    Ofi "ofi" Book "size";
    /// The sum of the sizes of the best five bids; of the best one where only quotes are known.
    BidDepth "bid_depth" Book "size";
    /// The sum of the sizes of the best five asks; likewise.
    AskDepth "ask_depth" Book "size";
    /// The same of the best ten bids.
    BidDepth10 "bid_depth_10" Book "size";
    /// The same of the best ten asks.
    AskDepth10 "ask_depth_10" Book "size";
    /// Size of the best ten bids for each tick from the best to the tenth; no value with fewer.
    BidSlope "bid_slope" Book "size/tick";
    /// The same of asks.
    AskSlope "ask_slope" Book "size/tick";
    /// How many orders wait at the best bid; no value where only sizes are known.
    BidOrders "bid_orders" Book "orders";
    /// How many wait at the best ask; likewise.
    AskOrders "ask_orders" Book "orders";
    /// Size taken from the best bid since the event before; 0 where its price is another.
    BidRemoved "bid_removed" Book "size";
    /// The same of the best ask.
    AskRemoved "ask_removed" Book "size";
    /// Size added to the best bid since the event before; 0 where its price is another.
    BidAdded "bid_added" Book "size";
    /// The same of the best ask.
    AskAdded "ask_added" Book "size";
    /// What of bid_removed and ask_removed was traded and not cancelled.
    BestTraded "best_traded" Book "size";
    /// How long a best price stood that ended now, in milliseconds; the mean where both ended.
    BestLifetime "best_lifetime" Book "ms";
    /// Nanoseconds from the first event of the symbol to this book event.
    BookTime "book_time" Book "ns";
    /// Seconds since the book event before.
    BookGap "book_gap" Book "seconds";
    /// The price of a print.
    Px "px" Trade "price";
    /// The size of a print.
    Qty "qty" Trade "size";
    /// The direction of a print: 1 bought, −1 sold, 0 unknown.
    Direction "direction" Trade "sign";
    /// direction · qty.
    SignedQty "signed_qty" Trade "size";
    /// px · qty.
    Notional "notional" Trade "money";
    /// At a best price: what was traded at it over what it has offered, at first and since.
    Absorption "absorption" Trade "ratio";
    /// Seconds since the print before.
    TradeGap "trade_gap" Trade "seconds";
    /// The first price of a bar.
    Open "open" Bar "price";
    /// The highest price of a bar.
    High "high" Bar "price";
    /// The lowest price of a bar.
    Low "low" Bar "price";
    /// The last price of a bar.
    Close "close" Bar "price";
    /// The size traded in a bar.
    Volume "volume" Bar "size";
    /// Nanoseconds since the first event of the symbol, by the venue's clock, which never steps back here.
    Now "now" Any "ns";
}

impl Base {
    pub const COUNT: usize = Self::ALL.len();

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|base| base.name() == name)
    }

    pub(super) const fn index(self) -> usize {
        self as usize
    }
}
