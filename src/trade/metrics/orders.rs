//! What became of orders: counts, ratios, places in queues, times to fill.
//!
//! Memory: the orders that are open. Sizes of several instruments are added as plain numbers, so
//! quantity ratios of a run over many instruments weigh each by its own units.

use qt_model::ids::InstrumentId;
use qt_model::order::OrderNo;
use qt_model::time::Ts;
use qt_model::units::{Qty, Scale};
use qt_model::words::{Liquidity, Side};

use super::market::Touch;
use super::quantiles::Quantiles;
use super::value::{Absent, Figure, ratio};
use crate::ledger::DoublePx;
use crate::orders::Numbered;

/// What happened to one of our orders, by the venue's clock but for `Submitted`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum OrderEvent {
    /// We sent it. `mid` is what the decision saw.
    Submitted {
        instrument: InstrumentId,
        side: Side,
        qty: Qty,
        decided: Ts,
        mid: Option<DoublePx>,
    },
    AmendRequested,
    CancelRequested,
    /// The venue has it. `queue` says where it rests, if it does.
    Accepted {
        queue: Option<Queue>,
    },
    Rejected,
    /// It stands with that whole size.
    Amended {
        qty: Option<Qty>,
    },
    Cancelled,
    Expired,
}

/// A place in the queue of a level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Queue {
    pub ahead: Qty,
    pub level: Qty,
}

/// An order that has not ended.
#[derive(Clone, Copy, Debug)]
pub(super) struct OpenOrder {
    pub(super) instrument: InstrumentId,
    pub(super) side: Side,
    pub(super) qty: i64,
    pub(super) filled: i64,
    pub(super) decided: Ts,
    pub(super) mid_decision: Option<DoublePx>,
    pub(super) accepted: Option<Ts>,
    pub(super) mid_arrival: Option<DoublePx>,
    pub(super) touch_arrival: Option<Touch>,
    pub(super) queue: Option<Queue>,
}

/// Open orders, and counts over all.
#[derive(Clone, Debug, Default)]
pub(super) struct Orders {
    open: Numbered<OpenOrder>,
    pub(super) submitted: u64,
    pub(super) accepted: u64,
    pub(super) rejected: u64,
    pub(super) cancelled: u64,
    pub(super) expired: u64,
    pub(super) amends: u64,
    pub(super) cancels: u64,
    filled_any: u64,
    filled_whole: u64,
    /// Exactly, at the finest scale: see `exact`.
    qty_accepted: i128,
    qty_filled: i128,
    queue_count: u64,
    queue_ahead: f64,
    queue_ratio: f64,
    queue_ratio_count: u64,
    pub(super) first_fill_maker: Quantiles,
    pub(super) first_fill_taker: Quantiles,
    /// Nanoseconds from acceptance to fill, weighted by size: all, maker, taker.
    waited: [(f64, f64); 3],
}

/// A size in units of the finest scale there is, so that sizes of all instruments add up exactly.
#[inline]
fn exact(qty: i64, scale: Scale) -> i128 {
    let finer =
        Scale::new(Scale::MAX.digits() - scale.digits()).expect("a scale has 18 digits at most");
    i128::from(qty) * i128::from(finer.unit())
}

impl Orders {
    #[inline]
    pub(super) fn submit(&mut self, order: OrderNo, open: OpenOrder) {
        self.submitted += 1;
        self.open.insert(order, open);
    }

    #[inline]
    pub(super) fn get(&self, order: OrderNo) -> Option<&OpenOrder> {
        self.open.get(order)
    }

    pub(super) fn open(&self) -> impl Iterator<Item = &OpenOrder> {
        self.open.values()
    }

    /// The venue has it. What it met there is known by its instrument, with the scale of its sizes.
    #[inline]
    pub(super) fn accept(
        &mut self,
        order: OrderNo,
        meet: impl FnOnce(InstrumentId) -> Option<(Arrival, Scale)>,
    ) {
        let Some(open) = self.open.get_mut(order) else { return };
        let Some((at, scale)) = meet(open.instrument) else { return };
        if open.accepted.is_some() {
            return;
        }
        self.accepted += 1;
        self.qty_accepted += exact(open.qty, scale);
        open.accepted = Some(at.ts);
        open.mid_arrival = at.mid;
        open.touch_arrival = at.touch;
        open.queue = at.queue;
        if let Some(queue) = at.queue {
            self.queue_count += 1;
            self.queue_ahead += queue.ahead.to_f64(scale);
            if !queue.level.is_zero() {
                self.queue_ratio_count += 1;
                self.queue_ratio += queue.ahead.mantissa() as f64 / queue.level.mantissa() as f64;
            }
        }
    }

    pub(super) fn amended(&mut self, order: OrderNo, qty: Option<Qty>, scale: Scale) {
        if let (Some(open), Some(qty)) = (self.open.get_mut(order), qty) {
            self.qty_accepted += exact(qty.mantissa() - open.qty, scale);
            open.qty = qty.mantissa();
        }
    }

    /// Takes a fill in; forgets the order once it is whole.
    #[inline]
    pub(super) fn fill(
        &mut self,
        order: OrderNo,
        ts: Ts,
        qty: i64,
        liquidity: Liquidity,
        scale: Scale,
    ) {
        let Some(open) = self.open.get_mut(order) else { return };
        self.qty_filled += exact(qty, scale);
        // A weight in a mean of durations.
        let size = qty as f64 / scale.unit() as f64;
        let waited = open.accepted.map(|accepted| ts.since(accepted).max(0));
        if let Some(waited) = waited {
            let of_its_kind = match liquidity {
                Liquidity::Maker => 1,
                Liquidity::Taker => 2,
            };
            for at in [0, of_its_kind] {
                self.waited[at].0 += size * waited as f64;
                self.waited[at].1 += size;
            }
        }
        if open.filled == 0 {
            self.filled_any += 1;
            if let Some(waited) = waited {
                match liquidity {
                    Liquidity::Maker => self.first_fill_maker.add(waited.unsigned_abs()),
                    Liquidity::Taker => self.first_fill_taker.add(waited.unsigned_abs()),
                }
            }
        }
        open.filled += qty;
        if open.filled >= open.qty {
            self.filled_whole += 1;
            self.open.remove(order);
        }
    }

    /// Forgets an order that ended, and returns it.
    pub(super) fn end(&mut self, order: OrderNo) -> Option<OpenOrder> {
        self.open.remove(order).copied()
    }

    /// How long orders waited for their first fill, whether that rested or took.
    pub(super) fn first_fill(&self) -> Quantiles {
        self.first_fill_maker.joined(&self.first_fill_taker)
    }

    fn per_accepted(&self, count: u64) -> Figure {
        ratio(count as f64, self.accepted as f64, Absent::NoOrders)
    }

    pub(super) fn fill_ratio_qty(&self) -> Figure {
        ratio(self.qty_filled as f64, self.qty_accepted as f64, Absent::NoOrders)
    }

    pub(super) fn fill_ratio_orders(&self) -> Figure {
        self.per_accepted(self.filled_any)
    }

    pub(super) fn fill_ratio_complete(&self) -> Figure {
        self.per_accepted(self.filled_whole)
    }

    pub(super) fn reject_ratio(&self) -> Figure {
        ratio(self.rejected as f64, self.submitted as f64, Absent::NoOrders)
    }

    pub(super) fn cancel_ratio(&self) -> Figure {
        self.per_accepted(self.cancelled)
    }

    pub(super) fn order_to_trade(&self, fills: u64) -> Figure {
        let messages = self.submitted + self.amends + self.cancels;
        ratio(messages as f64, fills as f64, Absent::NoFills)
    }

    pub(super) fn queue_ahead_mean(&self) -> Figure {
        ratio(self.queue_ahead, self.queue_count as f64, Absent::Unknown)
    }

    pub(super) fn queue_ratio_mean(&self) -> Figure {
        ratio(self.queue_ratio, self.queue_ratio_count as f64, Absent::Unknown)
    }

    /// Of all fills, or of one kind.
    pub(super) fn waited(&self, liquidity: Option<Liquidity>) -> Figure {
        let at = match liquidity {
            None => 0,
            Some(Liquidity::Maker) => 1,
            Some(Liquidity::Taker) => 2,
        };
        ratio(self.waited[at].0, self.waited[at].1, Absent::NoFills)
    }
}

/// The moment an order reaches the venue.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arrival {
    pub(super) ts: Ts,
    pub(super) mid: Option<DoublePx>,
    pub(super) touch: Option<Touch>,
    pub(super) queue: Option<Queue>,
}

impl OpenOrder {
    #[inline]
    pub(super) fn new(
        instrument: InstrumentId,
        side: Side,
        qty: Qty,
        decided: Ts,
        mid: Option<DoublePx>,
    ) -> Self {
        Self {
            instrument,
            side,
            qty: qty.mantissa(),
            filled: 0,
            decided,
            mid_decision: mid,
            accepted: None,
            mid_arrival: None,
            touch_arrival: None,
            queue: None,
        }
    }
}
