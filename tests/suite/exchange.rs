//! The simulated venue over a real day, against a plain account of who stood before us.

#![expect(clippy::unwrap_used, reason = "helpers of tests may stop where they stand, like tests")]

use std::collections::BTreeSet;

use qt_model::ids::InstrumentId;
use qt_model::order::{NewOrder, OrderNo, Report, ReportKind};
use qt_model::record::{Batch, Mbo, Record};
use qt_model::step::Execution;
use qt_model::units::{Px, Qty};
use qt_model::words::{MboAction, Side};
use qt_sim::exchange::{Exchange, FillModel, Market, VenueConfig, Venues};
use qt_trade::risk::{Exposure, Stack};

use crate::import::lobster_day;

/// An order of one share at a best price, as a plain account has it.
struct Ours {
    side: Side,
    px: Px,
    /// The orders that stood at the price when ours came.
    ahead: BTreeSet<u64>,
}

impl Ours {
    /// Whether an execution of another means that ours would have come first.
    fn is_filled_by(&self, row: &Mbo, known: &BTreeSet<u64>) -> bool {
        let px = row.px.unwrap();
        let is_worse = match self.side {
            Side::Buy => px < self.px,
            Side::Sell => px > self.px,
        };
        let is_after = px == self.px && !self.ahead.contains(&row.order_id);
        row.action == MboAction::Fill
            && row.side == Some(self.side)
            && (is_worse || is_after && known.contains(&row.order_id))
    }
}

/// Places one order after so many records and says by which record it was filled.
fn quick(batch: &Batch, id: InstrumentId, after: usize, side: Side) -> (Option<Px>, Option<usize>) {
    let fills: FillModel = "queue=exact".parse().unwrap();
    let venues = Venues::from(VenueConfig { fills, ..VenueConfig::default() });
    let mut market = Market::new(batch.instruments());
    let mut exchange = Exchange::new(&venues, batch.instruments()).unwrap();
    let (mut out, mut placed) = (Vec::new(), None);
    for (at, record) in batch.iter().enumerate().filter(|(_, record)| is_of_book(record)) {
        let ts = record.head().ts_event;
        market.apply(&record);
        exchange.market(ts, &market, &record, &mut out);
        let is_fill = |execution: &Execution| {
            matches!(execution, Execution::Report(Report { what: ReportKind::Filled(_), .. }))
        };
        if out.iter().any(is_fill) {
            return (placed, Some(at));
        }
        if at == after {
            let Some(best) = market.top(id).of(side) else { return (None, None) };
            placed = Some(best.px);
            let new = NewOrder::limit(id, side, Qty::new(1).unwrap(), best.px);
            let new = Stack::default().judge(new, &Exposure::default()).unwrap();
            exchange.submit(ts, OrderNo(1), new, &market, &mut out);
        }
    }
    (placed, None)
}

/// The day has sizes by price as well; here the orders alone count.
fn is_of_book(record: &Record<'_>) -> bool {
    matches!(record, Record::Mbo(_))
}

/// The same by hand: who is ahead, and who is executed.
fn by_hand(batch: &Batch, after: usize, side: Side, px: Px) -> Option<usize> {
    let mut resting: Vec<(u64, Side, Px, i64)> = Vec::new();
    let mut ours: Option<Ours> = None;
    for (at, record) in batch.iter().enumerate() {
        let Record::Mbo(view) = record else { continue };
        let row = view.row;
        let known = resting.iter().map(|(id, ..)| *id).collect();
        if ours.as_ref().is_some_and(|ours| ours.is_filled_by(row, &known)) {
            return Some(at);
        }
        match row.action {
            MboAction::Add => resting.push((
                row.order_id,
                row.side.unwrap(),
                row.px.unwrap(),
                row.qty.unwrap().mantissa(),
            )),
            MboAction::Cancel => {
                for order in resting.iter_mut().filter(|order| order.0 == row.order_id) {
                    order.3 -= row.qty.unwrap().mantissa();
                }
                resting.retain(|order| order.3 > 0);
            }
            MboAction::Modify | MboAction::Fill | MboAction::Trade | MboAction::Clear => {}
        }
        let reaches = |order: &(u64, Side, Px, i64)| match side {
            Side::Buy => order.1 == Side::Sell && order.2 <= px,
            Side::Sell => order.1 == Side::Buy && order.2 >= px,
        };
        if ours.is_some() && !row.more && resting.iter().any(reaches) {
            return Some(at);
        }
        if at == after {
            let at_px = resting.iter().filter(|order| order.1 == side && order.2 == px);
            ours = Some(Ours { side, px, ahead: at_px.map(|order| order.0).collect() });
        }
    }
    None
}

#[test]
fn an_exact_queue_fills_when_those_before_us_are_gone() {
    let Some(batch) = lobster_day() else { return };
    let (id, _) = batch.instruments().by_symbol().next().unwrap();
    let of_book: Vec<_> = (0..batch.len()).filter(|at| is_of_book(&batch.get(*at))).collect();
    let (mut placed, mut filled) = (0, 0);
    for after in of_book.into_iter().step_by(17) {
        for side in [Side::Buy, Side::Sell] {
            let (px, found) = quick(&batch, id, after, side);
            let Some(px) = px else { continue };
            assert_eq!(found, by_hand(&batch, after, side, px), "{side} {px:?} after {after}");
            placed += 1;
            filled += usize::from(found.is_some());
        }
    }
    assert!(placed > 80 && filled > 20, "{filled} of {placed}");
}
