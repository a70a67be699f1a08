//! The mid of an instrument: now, and strictly before.

use qt_model::time::Ts;
use qt_model::units::Px;

use super::quoted::Quoted;
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

    /// The same as [`Self::set`] of each that is another than the one before it, at its time or `now`,
    /// whichever is later. The first is; there is one at least. When the last of those came.
    ///
    /// What counts are those at the last of their times, and the one before, in force until then.
    pub(super) fn set_all(&mut self, now: Ts, quoted: Quoted<'_>) -> Ts {
        let get = |at: usize| {
            let (ts, touch) = quoted.get(at);
            (ts.max(now), touch)
        };
        let is_news = |at: &usize| *at == 0 || get(*at).1 != get(at - 1).1;
        let last = (0..quoted.len()).rev().find(is_news).expect("the first is news");
        let (end, _) = get(last);
        let before = (0..last).rev().find(|at| is_news(at) && get(*at).0 < end);
        for (ts, touch) in (before.unwrap_or(0)..=last).filter(is_news).map(get) {
            self.set(ts, Some(touch));
        }
        end
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
