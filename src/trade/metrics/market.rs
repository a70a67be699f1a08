//! The mid of an instrument: now, and strictly before.

use qt_model::time::Ts;
use qt_model::units::Px;

use crate::ledger::DoublePx;

/// Best bid and ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Touch {
    pub bid: Px,
    pub ask: Px,
}

impl Touch {
    /// A crossed pair has no mid.
    #[inline]
    pub fn mid(self) -> Option<DoublePx> {
        (self.bid <= self.ask).then(|| DoublePx::mid(self.bid, self.ask))
    }
}

/// The last pair and the one before it in time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Market {
    touch: Option<Touch>,
    mid: Option<DoublePx>,
    at: Ts,
    mid_before: Option<DoublePx>,
    /// The last mid there was: what a position is worth while there is none.
    last_mid: Option<DoublePx>,
}

impl Market {
    pub(super) const fn new() -> Self {
        Self { touch: None, mid: None, at: Ts::MIN, mid_before: None, last_mid: None }
    }

    #[inline]
    pub(super) fn is_at(&self, touch: Option<Touch>) -> bool {
        self.touch == touch
    }

    pub(super) fn set(&mut self, ts: Ts, touch: Option<Touch>) {
        if ts > self.at {
            self.mid_before = self.mid;
            self.at = ts;
        }
        self.touch = touch;
        self.mid = touch.and_then(Touch::mid);
        self.last_mid = self.mid.or(self.last_mid);
    }

    pub(super) fn touch(&self) -> Option<Touch> {
        self.touch
    }

    #[inline]
    pub(super) fn mid(&self) -> Option<DoublePx> {
        self.mid
    }

    pub(super) fn last_mid(&self) -> Option<DoublePx> {
        self.last_mid
    }

    /// The last mid strictly before that time.
    pub(super) fn mid_before(&self, ts: Ts) -> Option<DoublePx> {
        if self.at < ts { self.mid } else { self.mid_before }
    }
}
