//! Typed identifiers: a number or a text that names one thing and cannot be taken for another.
//!
//! Texts of unbounded variety (orders, runs, traces) are boxed; instruments, which every hot
//! record names, are a small index into `Instruments`.

use std::fmt;
use std::num::NonZeroU32;

/// An index into [`crate::instrument::Instruments`]; four bytes, also inside an `Option`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InstrumentId(NonZeroU32);

impl InstrumentId {
    pub(crate) fn from_index(index: usize) -> Option<Self> {
        u32::try_from(index)
            .ok()
            .and_then(|index| index.checked_add(1))
            .and_then(|one_based| NonZeroU32::new(one_based).map(Self))
    }

    #[inline]
    pub fn index(self) -> usize {
        self.0.get() as usize - 1
    }
}

macro_rules! text_ids {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Box<str>);

        impl $name {
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.into())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}

text_ids! {
    /// A strategy, as its author named it.
    StrategyId
    /// One run of a strategy, replay or study.
    RunId
    /// The thread from one decision cycle through intent, order and fill.
    TraceId
    /// What a strategy decided at one moment.
    DecisionId
    /// What a strategy asked for.
    IntentId
    /// Our name for one instruction to a venue.
    OrderId
    /// The name we gave the venue for an order: its idempotency key.
    ClientOrderId
    /// The venue's name for an order.
    VenueOrderId
    /// One execution report.
    FillId
    /// An account at a venue.
    AccountId
}
