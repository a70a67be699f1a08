//! Auctions that run: a cross is one print, and the status of its stock says so around it.
//!
//! Invariant: a stock is back in the state it was in before the first message of a later instant. The
//! feed names no end of a cross, so that is where it ends.

use std::collections::BTreeMap;

use qt_model::time::Ts;
use qt_model::words::TradingStatus;

/// See the module. Stocks go by their place in the roster.
#[derive(Debug, Default)]
pub(super) struct Crosses {
    states: BTreeMap<u32, TradingStatus>,
    running: Vec<(u32, Ts)>,
}

impl Crosses {
    /// The feed tells the state of a stock: whatever ran before is over.
    pub(super) fn tell(&mut self, which: u32, status: TradingStatus) {
        self.states.insert(which, status);
        self.running.retain(|(crossing, _)| *crossing != which);
    }

    /// A cross of a stock; its status, where that is news.
    pub(super) fn begin(&mut self, which: u32, ts: Ts, letter: u8) -> Option<TradingStatus> {
        if self.running.contains(&(which, ts)) {
            return None;
        }
        self.running.push((which, ts));
        Some(match letter {
            b'O' => TradingStatus::OpeningAuction,
            b'C' => TradingStatus::ClosingAuction,
            // After a halt, of a first listing, or within the day.
            _ => TradingStatus::Auction,
        })
    }

    /// Whether a message of that instant ends a cross.
    #[inline]
    pub(super) fn end_by(&self, ts: Ts) -> bool {
        self.running.first().is_some_and(|(_, began)| *began < ts)
    }

    /// The next stock whose cross has ended by then, with the state that it returns to.
    pub(super) fn end(&mut self, ts: Ts) -> Option<(u32, TradingStatus)> {
        let at = self.running.iter().position(|(_, began)| *began < ts)?;
        let (which, _) = self.running.remove(at);
        Some((which, self.states.get(&which).copied().unwrap_or(TradingStatus::Open)))
    }
}
