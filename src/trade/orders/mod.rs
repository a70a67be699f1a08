//! The table of our orders: what state each is in, and what is filled of it.
//!
//! Invariants: only legal transitions happen ([`state`]); an impossible one is counted and changes
//! nothing; a fill is always booked, since money moved, even for an order that has ended; filled
//! never passes the size. Ended orders are remembered for a while, for fills that come late, in a
//! ring of fixed length. Absent on purpose: names at venues, durability.

mod numbered;
pub mod state;
#[cfg(test)]
mod tests;

use qt_model::ids::InstrumentId;
use qt_model::order::{Amendment, Execution, NewOrder, OrderNo, Report, ReportKind};
use qt_model::time::Ts;
use qt_model::units::{Notional, Qty};
use qt_model::words::{OrderStatus, Side};

use crate::outbox::DecisionNo;
use crate::risk::Exposure;

pub use numbered::Numbered;
use state::{is_legal, is_terminal};

/// One order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    pub order: OrderNo,
    /// As it stands now, amendments included.
    pub new: NewOrder,
    pub status: OrderStatus,
    pub filled: Qty,
    /// The sum of price times size of its fills.
    pub notional: Notional,
    pub submitted: Ts,
    /// What it follows from, where its strategy said so.
    pub decision: Option<DecisionNo>,
    /// A cancel is on its way, whatever the state.
    pub is_cancelling: bool,
    /// An amendment is on its way.
    pub amending: Option<Amendment>,
}

impl Entry {
    /// What may still be filled.
    pub fn leaves(&self) -> Qty {
        self.new.qty.checked_sub(self.filled).unwrap_or(Qty::ZERO)
    }

    pub fn is_live(&self) -> bool {
        !is_terminal(self.status)
    }

    /// Whether a request to cancel or amend it can be sent.
    pub fn is_free(&self) -> bool {
        self.is_live() && !self.is_cancelling && self.amending.is_none()
    }
}

/// What a report changed. Whoever takes reports owns one and lends it: an entry is large.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    pub entry: Entry,
    pub previous: OrderStatus,
    pub fill: Option<Execution>,
    /// The order had ended before this fill.
    pub is_late: bool,
}

impl Change {
    /// Begins in the place of the change before, where there was one.
    #[inline]
    fn begin<'a>(place: &'a mut Option<Self>, entry: &Entry) -> &'a mut Self {
        match place {
            Some(change) => {
                change.entry = *entry;
                (change.previous, change.fill, change.is_late) = (entry.status, None, false);
                change
            }
            None => {
                let previous = entry.status;
                place.insert(Self { entry: *entry, previous, fill: None, is_late: false })
            }
        }
    }
}

/// Why a report changed nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// No order of ours, or one that ended long ago.
    Unknown,
    /// No state may follow so.
    Impossible { from: OrderStatus, to: OrderStatus },
    /// More filled than the order's size.
    Overfilled,
    /// The answer to a request that crossed the end of its order: nothing is wrong.
    Crossed,
}

/// How many ended orders are remembered.
const REMEMBERED: usize = 256;

/// See the module.
#[derive(Clone, Debug, Default)]
pub struct OrderTable {
    next: u64,
    /// Orders that have not ended, by number: the oldest first. There are few.
    live: Vec<Entry>,
    /// A ring that begins at `oldest` once it is full.
    ended: Vec<Entry>,
    oldest: usize,
    /// By instrument.
    open: Vec<Open>,
    refused: u64,
    late_fills: u64,
}

/// What live orders of one instrument may still fill.
#[derive(Clone, Copy, Debug, Default)]
struct Open {
    buys: i64,
    sells: i64,
}

impl OrderTable {
    /// Enters a new order that is about to be sent.
    #[inline]
    pub fn submit(&mut self, new: NewOrder, now: Ts, decision: Option<DecisionNo>) -> OrderNo {
        self.next += 1;
        let order = OrderNo(self.next);
        self.live.push(Entry {
            order,
            new,
            status: OrderStatus::Submitted,
            filled: Qty::ZERO,
            notional: Notional::ZERO,
            submitted: now,
            decision,
            is_cancelling: false,
            amending: None,
        });
        self.open_up(&new, new.qty.mantissa());
        order
    }

    /// The number that the next order gets.
    pub fn next(&self) -> OrderNo {
        OrderNo(self.next + 1)
    }

    /// Most often there is one, or the newest is asked for.
    #[inline]
    fn place(&self, order: OrderNo) -> Option<usize> {
        let last = self.live.len().checked_sub(1)?;
        if self.live[last].order == order { Some(last) } else { self.search(order) }
    }

    #[inline(never)]
    fn search(&self, order: OrderNo) -> Option<usize> {
        self.live.binary_search_by_key(&order, |entry| entry.order).ok()
    }

    pub fn get(&self, order: OrderNo) -> Option<&Entry> {
        match self.place(order) {
            Some(at) => Some(&self.live[at]),
            None => self.ended.iter().rev().find(|entry| entry.order == order),
        }
    }

    /// Orders that have not ended, the oldest first.
    pub fn live(&self) -> &[Entry] {
        &self.live
    }

    pub fn live_of(&self, instrument: InstrumentId) -> impl Iterator<Item = &Entry> {
        self.live.iter().filter(move |entry| entry.new.instrument == instrument)
    }

    /// The position's exposure with what open orders could add.
    #[inline]
    pub fn exposure(&self, instrument: InstrumentId, position: i64) -> Exposure {
        let open = self.open.get(instrument.index()).copied().unwrap_or_default();
        Exposure { position, open_buys: open.buys, open_sells: open.sells }
    }

    /// Notes that a cancel leaves; `false` where there is nothing to cancel.
    pub fn cancel(&mut self, order: OrderNo) -> bool {
        let Some(at) = self.place(order) else { return false };
        let entry = &mut self.live[at];
        if entry.is_cancelling {
            return false;
        }
        entry.is_cancelling = true;
        if is_legal(entry.status, OrderStatus::PendingCancel) {
            entry.status = OrderStatus::PendingCancel;
        }
        true
    }

    /// Notes that an amendment leaves; `false` where the order cannot take one now.
    pub fn amend(&mut self, order: OrderNo, change: Amendment) -> bool {
        let Some(at) = self.place(order).filter(|at| self.live[*at].is_free()) else {
            return false;
        };
        let entry = &mut self.live[at];
        entry.amending = Some(change);
        if is_legal(entry.status, OrderStatus::PendingReplace) {
            entry.status = OrderStatus::PendingReplace;
        }
        true
    }

    /// Takes what the venue says of an order, and puts into a place what it changed. One that is
    /// refused changes nothing of an order that stands.
    #[inline]
    pub fn report(&mut self, report: &Report, into: &mut Option<Change>) -> Result<(), Refused> {
        let result = match self.place(report.order) {
            Some(at) => self.report_live(at, &report.what, into),
            None => self.report_ended(report, into),
        };
        self.refused += u64::from(result.is_err_and(|refused| refused != Refused::Crossed));
        result
    }

    #[inline]
    fn report_live(
        &mut self,
        at: usize,
        what: &ReportKind,
        into: &mut Option<Change>,
    ) -> Result<(), Refused> {
        let before = &self.live[at];
        let change = Change::begin(into, before);
        let entry = &mut change.entry;
        if let ReportKind::Filled(execution) = what {
            add(entry, execution)?;
            change.fill = Some(*execution);
        }
        settle(entry, what);
        let to = target(entry, what);
        if to != before.status && !is_legal(before.status, to) {
            change.previous = by_itself(before, to)?;
        }
        entry.status = to;
        let open = if entry.is_live() { entry.leaves().mantissa() } else { 0 };
        let by = open - before.leaves().mantissa();
        if entry.is_live() {
            self.live[at] = *entry;
        } else {
            // Most often the only one ends, or the newest: then nothing has to move.
            if at + 1 < self.live.len() {
                self.live.copy_within(at + 1.., at);
            }
            self.live.pop();
            self.remember(&change.entry);
        }
        self.open_up(&change.entry.new, by);
        Ok(())
    }

    /// Keeps an order that has ended, in the place of the one that ended first once there are enough.
    fn remember(&mut self, entry: &Entry) {
        if self.ended.len() < REMEMBERED {
            self.ended.push(*entry);
        } else {
            self.ended[self.oldest] = *entry;
            self.oldest = (self.oldest + 1) % REMEMBERED;
        }
    }

    /// Of an order that has ended, only a fill still counts.
    #[cold]
    fn report_ended(&mut self, report: &Report, into: &mut Option<Change>) -> Result<(), Refused> {
        let entry = self.ended.iter_mut().find(|entry| entry.order == report.order);
        let entry = entry.ok_or(Refused::Unknown)?;
        let ReportKind::Filled(execution) = report.what else {
            let is_awaited = match report.what {
                ReportKind::CancelRefused(_) => std::mem::take(&mut entry.is_cancelling),
                ReportKind::AmendRefused(_) => entry.amending.take().is_some(),
                ReportKind::Acknowledged
                | ReportKind::Rejected(_)
                | ReportKind::Filled(_)
                | ReportKind::Triggered
                | ReportKind::Amended(_)
                | ReportKind::Cancelled(_)
                | ReportKind::Expired
                | ReportKind::Unknown => false,
            };
            if is_awaited {
                return Err(Refused::Crossed);
            }
            let to = target(entry, &report.what);
            return Err(Refused::Impossible { from: entry.status, to });
        };
        add(entry, &execution)?;
        self.late_fills += 1;
        let change = Change::begin(into, entry);
        (change.fill, change.is_late) = (Some(execution), true);
        Ok(())
    }

    /// Counts what an order may still fill; one that may only reduce adds to no exposure.
    #[inline]
    fn open_up(&mut self, new: &NewOrder, by: i64) {
        let NewOrder { instrument, side, reduce_only, .. } = *new;
        if reduce_only || by == 0 {
            return;
        }
        if self.open.len() <= instrument.index() {
            self.open.resize(instrument.index() + 1, Open::default());
        }
        let open = &mut self.open[instrument.index()];
        let open = match side {
            Side::Buy => &mut open.buys,
            Side::Sell => &mut open.sells,
        };
        *open = open.saturating_add(by);
        assert!(*open >= 0, "open orders of {instrument:?} add up to {open}");
    }

    /// Reports that were refused: impossible, or of orders that nobody knows.
    pub fn refused(&self) -> u64 {
        self.refused
    }

    /// Fills of orders that had ended.
    pub fn late_fills(&self) -> u64 {
        self.late_fills
    }
}

fn add(entry: &mut Entry, execution: &Execution) -> Result<(), Refused> {
    let filled = entry.filled.checked_add(execution.qty).filter(|filled| *filled <= entry.new.qty);
    let notional = entry.notional.checked_add(execution.px * execution.qty);
    (entry.filled, entry.notional) = filled.zip(notional).ok_or(Refused::Overfilled)?;
    Ok(())
}

/// Takes from an entry what a report ends: a pending request, a changed size or price.
fn settle(entry: &mut Entry, what: &ReportKind) {
    match what {
        ReportKind::Amended(change) => {
            entry.new.qty = change.qty.unwrap_or(entry.new.qty).max(entry.filled);
            if let Some(px) = change.px {
                entry.new.pricing = reprice(entry.new.pricing, px);
            }
            entry.amending = None;
        }
        ReportKind::AmendRefused(_) => entry.amending = None,
        ReportKind::CancelRefused(_) => entry.is_cancelling = false,
        ReportKind::Acknowledged
        | ReportKind::Rejected(_)
        | ReportKind::Filled(_)
        | ReportKind::Triggered
        | ReportKind::Cancelled(_)
        | ReportKind::Expired
        | ReportKind::Unknown => {}
    }
}

fn reprice(pricing: qt_model::order::Pricing, px: qt_model::units::Px) -> qt_model::order::Pricing {
    use qt_model::order::Pricing::{Limit, Market, Stop, StopLimit, TrailingStop};
    match pricing {
        Limit { .. } => Limit { px },
        StopLimit { trigger, .. } => StopLimit { trigger, px },
        Stop { .. } => Stop { trigger: px },
        Market | TrailingStop { .. } => pricing,
    }
}

/// The state that an entry is in after a report.
fn target(entry: &Entry, what: &ReportKind) -> OrderStatus {
    let is_waiting = is_requested(entry.status);
    match what {
        ReportKind::Acknowledged if is_waiting => entry.status,
        ReportKind::Acknowledged | ReportKind::AmendRefused(_) | ReportKind::Amended(_)
            if entry.is_cancelling && entry.status == OrderStatus::PendingCancel =>
        {
            entry.status
        }
        ReportKind::Acknowledged
        | ReportKind::Amended(_)
        | ReportKind::AmendRefused(_)
        | ReportKind::CancelRefused(_) => standing(entry),
        ReportKind::Filled(_) if entry.filled == entry.new.qty => OrderStatus::Filled,
        ReportKind::Filled(_) => OrderStatus::PartiallyFilled,
        ReportKind::Triggered => entry.status,
        ReportKind::Rejected(_) => OrderStatus::Rejected,
        ReportKind::Cancelled(_) => OrderStatus::Cancelled,
        ReportKind::Expired => OrderStatus::Expired,
        ReportKind::Unknown => OrderStatus::Unknown,
    }
}

/// The state before one that may not follow what an order is in. It may have ended by itself, which leaves
/// nothing to request: it stands again, then ends.
#[cold]
fn by_itself(before: &Entry, to: OrderStatus) -> Result<OrderStatus, Refused> {
    let stood = is_requested(before.status).then(|| standing(before));
    let stood = stood.filter(|stood| to == *stood || is_legal(*stood, to));
    stood.ok_or(Refused::Impossible { from: before.status, to })
}

/// Whether a cancel or an amendment is under way.
fn is_requested(status: OrderStatus) -> bool {
    matches!(status, OrderStatus::PendingCancel | OrderStatus::PendingReplace)
}

/// The state of an order that stands and waits for nothing.
fn standing(entry: &Entry) -> OrderStatus {
    if !entry.filled.is_zero() && entry.filled == entry.new.qty {
        OrderStatus::Filled
    } else if entry.filled.is_zero() {
        OrderStatus::Acknowledged
    } else {
        OrderStatus::PartiallyFilled
    }
}
