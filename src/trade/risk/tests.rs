use qt_model::ids::InstrumentId;
use qt_model::instrument::{Instrument, Instruments, Symbol};
use qt_model::order::NewOrder;
use qt_model::units::{Px, Qty, Scale};

use super::*;

fn instrument() -> InstrumentId {
    let symbol = Symbol::new("x:A").unwrap();
    let instrument = Instrument::new(symbol, Scale::ZERO, Scale::ZERO);
    Instruments::default().declare(instrument).unwrap()
}

fn check(exposure: (i64, i64, i64), side: Side, qty: i64, expected: Result<(), &str>) {
    let instrument = instrument();
    let stack = Stack::new(vec![
        AnyRule::MaxPosition(MaxPosition { instrument, limit: 10 }),
        AnyRule::MaxOrderQty(MaxOrderQty { instrument, limit: 8 }),
    ]);
    let (position, open_buys, open_sells) = exposure;
    let exposure = Exposure { position, open_buys, open_sells };
    let new = NewOrder::limit(instrument, side, Qty::new(qty).unwrap(), Px::new(1));
    let judged = stack.judge(new, &exposure).map(|approved| assert_eq!(*approved, new));
    assert_eq!(judged.map_err(|refusal| refusal.rule), expected, "{exposure:?} {side} {qty}");
}

#[test]
fn limits_hold_with_open_orders_and_let_reductions_pass() {
    check((0, 0, 0), Side::Buy, 8, Ok(()));
    check((0, 0, 0), Side::Buy, 9, Err("max_order_qty"));
    check((5, 0, 0), Side::Buy, 6, Err("max_position"));
    check((5, 3, 0), Side::Buy, 2, Ok(()));
    check((5, 3, 0), Side::Buy, 3, Err("max_position"));
    check((-5, 0, 3), Side::Sell, 3, Err("max_position"));
    // A reduction passes, however large the position has become; a turn does not.
    check((100, 0, 0), Side::Sell, 100, Ok(()));
    check((100, 0, 1), Side::Sell, 100, Err("max_order_qty"));
    check((-12, 0, 0), Side::Buy, 12, Ok(()));
    check((i64::MAX, i64::MAX, 0), Side::Buy, 1, Err("max_position"));
}

#[test]
fn a_halt_lets_only_reductions_pass() {
    let mut stack = Stack::default();
    stack.halt(true);
    let sell = NewOrder::market(instrument(), Side::Sell, Qty::new(3).unwrap());
    let long = Exposure { position: 3, ..Exposure::default() };
    assert!(stack.judge(sell, &long).is_ok());
    assert_eq!(stack.judge(sell, &Exposure::default()).unwrap_err().rule, "halted");
}
