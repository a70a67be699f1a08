use proptest::prelude::*;
use qt_model::instrument::{Instrument, Instruments, Symbol};
use qt_model::order::{Cash, Currency, FillNo};
use qt_model::units::{Px, Scale};
use qt_model::words::{CancelReason, Liquidity, RejectReason};
use rust_decimal::Decimal;

use super::*;

fn instrument() -> InstrumentId {
    let symbol = Symbol::new("x:A").unwrap();
    let instrument = Instrument::new(symbol, Scale::ZERO, Scale::ZERO);
    Instruments::default().declare(instrument).unwrap()
}

fn qty(units: i64) -> Qty {
    Qty::new(units).unwrap()
}

fn filled(units: i64) -> ReportKind {
    ReportKind::Filled(Execution {
        fill: FillNo(1),
        px: Px::new(5),
        qty: qty(units),
        liquidity: Liquidity::Maker,
        fee: Cash { amount: Decimal::ZERO, currency: Currency::new("USD").unwrap() },
    })
}

/// What a report changes, by value.
fn take(table: &mut OrderTable, report: &Report) -> Result<Change, Refused> {
    let mut change = None;
    table.report(report, &mut change).map(|()| change.expect("what was taken changed something"))
}

/// One order of ten, and the states that a list of reports leads through.
fn states(steps: &[ReportKind]) -> (OrderTable, Vec<&'static str>) {
    use qt_model::words::Word;
    let mut table = OrderTable::default();
    let order = table.submit(
        NewOrder::limit(instrument(), Side::Buy, qty(10), Px::new(5)),
        Ts::default(),
        None,
    );
    let state = |what: &ReportKind| {
        let report = Report { order, ts_event: Ts::default(), what: *what };
        match take(&mut table, &report) {
            Ok(change) if change.is_late => "late",
            Ok(change) => change.entry.status.word(),
            Err(Refused::Unknown) => "unknown order",
            Err(Refused::Impossible { .. }) => "impossible",
            Err(Refused::Overfilled) => "overfilled",
            Err(Refused::Crossed) => "crossed",
        }
    };
    let states = steps.iter().map(state).collect();
    (table, states)
}

#[test]
fn reports_lead_through_the_states_in_any_order_that_venues_send() {
    use ReportKind::*;
    let cancelled = Cancelled(CancelReason::Requested);
    let check = |steps: &[ReportKind], expected: &[&str]| assert_eq!(states(steps).1, expected);
    check(&[Acknowledged, filled(4), filled(6)], &["acknowledged", "partially_filled", "filled"]);
    check(&[filled(10), Acknowledged], &["filled", "impossible"]);
    check(&[filled(4), Acknowledged], &["partially_filled", "partially_filled"]);
    check(&[Rejected(RejectReason::OffTick), filled(1)], &["rejected", "late"]);
    check(&[Acknowledged, cancelled, filled(3)], &["acknowledged", "cancelled", "late"]);
    check(&[Acknowledged, filled(11)], &["acknowledged", "overfilled"]);
    check(&[Unknown, Acknowledged, Expired], &["unknown", "acknowledged", "expired"]);
    check(&[Unknown, filled(10)], &["unknown", "filled"]);
    check(&[Expired, Expired], &["expired", "impossible"]);
}

#[test]
fn a_cancel_that_crosses_a_fill_stays_under_way() {
    let (mut table, _) = states(&[ReportKind::Acknowledged]);
    let order = OrderNo(1);
    assert!(table.cancel(order));
    assert!(!table.cancel(order), "one request is enough");
    let mut report = |what| take(&mut table, &Report { order, ts_event: Ts::default(), what });
    let change = report(filled(3)).unwrap();
    assert_eq!(change.entry.status, OrderStatus::PartiallyFilled);
    assert!(change.entry.is_cancelling && !change.entry.is_free());
    let change = report(ReportKind::Cancelled(CancelReason::Requested)).unwrap();
    assert_eq!((change.entry.status, change.entry.filled), (OrderStatus::Cancelled, qty(3)));
    assert_eq!(table.exposure(instrument(), 3).open_buys, 0);
}

#[test]
fn answers_that_cross_the_end_of_an_order_are_no_mistakes() {
    let (mut table, _) = states(&[ReportKind::Acknowledged]);
    let order = OrderNo(1);
    assert!(table.amend(order, Amendment { px: Some(Px::new(6)), qty: None }));
    assert!(table.cancel(order));
    let mut report = |what| take(&mut table, &Report { order, ts_event: Ts::default(), what });
    assert_eq!(report(filled(10)).unwrap().entry.status, OrderStatus::Filled);
    let (no_cancel, no_amend) = (
        ReportKind::CancelRefused(RejectReason::Ended),
        ReportKind::AmendRefused(RejectReason::Ended),
    );
    assert_eq!(report(no_amend).unwrap_err(), Refused::Crossed);
    assert_eq!(report(no_cancel).unwrap_err(), Refused::Crossed);
    // Each request has one answer.
    assert!(matches!(report(no_cancel), Err(Refused::Impossible { .. })));
    assert!(matches!(report(no_amend), Err(Refused::Impossible { .. })));
    assert_eq!(table.refused(), 2);
}

#[test]
fn an_order_can_end_by_itself_while_a_request_is_under_way() {
    let ends = [ReportKind::Expired, ReportKind::Rejected(RejectReason::NotTrading)];
    for end in ends {
        let (mut table, _) = states(&[]);
        let order = OrderNo(1);
        assert!(table.cancel(order));
        let change =
            take(&mut table, &Report { order, ts_event: Ts::default(), what: end }).unwrap();
        // As if the cancel had been refused before.
        assert_eq!(change.previous, OrderStatus::Acknowledged);
        assert!(!change.entry.is_live() && table.live().is_empty());
        assert_eq!(table.exposure(instrument(), 0).open_buys, 0);
    }
    let (mut table, _) = states(&[ReportKind::Acknowledged, filled(4)]);
    let order = OrderNo(1);
    assert!(table.amend(order, Amendment { px: Some(Px::new(6)), qty: None }));
    let report = Report { order, ts_event: Ts::default(), what: ReportKind::Expired };
    let change = take(&mut table, &report).unwrap();
    assert_eq!(change.previous, OrderStatus::PartiallyFilled);
    assert_eq!(change.entry.status, OrderStatus::Expired);
}

#[test]
fn an_amendment_changes_size_and_price_once_the_venue_says_so() {
    let (mut table, _) = states(&[ReportKind::Acknowledged, filled(4)]);
    let order = OrderNo(1);
    let change = Amendment { px: Some(Px::new(6)), qty: Some(qty(7)) };
    assert!(table.amend(order, change));
    assert_eq!(table.get(order).unwrap().status, OrderStatus::PendingReplace);
    assert!(!table.amend(order, change), "one change at a time");
    let report = |what| Report { order, ts_event: Ts::default(), what };
    let entry = take(&mut table, &report(ReportKind::Amended(change))).unwrap().entry;
    assert_eq!((entry.new.limit_px(), entry.leaves()), (Some(Px::new(6)), qty(3)));
    assert_eq!(table.exposure(instrument(), 4).open_buys, 3);
    assert!(table.amend(order, Amendment { px: None, qty: Some(qty(5)) }));
    let entry =
        take(&mut table, &report(ReportKind::AmendRefused(RejectReason::Other))).unwrap().entry;
    assert_eq!((entry.status, entry.leaves()), (OrderStatus::PartiallyFilled, qty(3)));
}

proptest! {
    /// Whatever venues send, counts stay sound.
    #[test]
    fn no_message_breaks_the_table(steps in prop::collection::vec((0_u8..9, 1_i64..6, 1_u64..4), 1..80)) {
        let mut table = OrderTable::default();
        let id = instrument();
        for (what, units, order) in steps {
            let order = OrderNo(order);
            let report = |what| Report { order, ts_event: Ts::default(), what };
            match what {
                0 => { table.submit(NewOrder::limit(id, Side::Buy, qty(units), Px::new(1)), Ts::default(), None); }
                1 => { table.cancel(order); }
                2 => { table.amend(order, Amendment { px: None, qty: Some(qty(units)) }); }
                3 => { let _ = take(&mut table, &report(ReportKind::Acknowledged)); }
                4 => { let _ = take(&mut table, &report(filled(units))); }
                5 => { let _ = take(&mut table, &report(ReportKind::Cancelled(CancelReason::Venue))); }
                6 => { let _ = take(&mut table, &report(ReportKind::Unknown)); }
                7 => {
                    let change = Amendment { px: None, qty: Some(qty(units)) };
                    let _ = take(&mut table, &report(ReportKind::Amended(change)));
                }
                _ => { let _ = take(&mut table, &report(ReportKind::CancelRefused(RejectReason::Ended))); }
            }
            let leaves: i64 = table.live().iter().map(|entry| entry.leaves().mantissa()).sum();
            prop_assert_eq!(table.exposure(id, 0).open_buys, leaves);
            for entry in table.live() {
                prop_assert!(entry.filled <= entry.new.qty && entry.is_live());
            }
        }
    }
}
