//! Statistics of a run, market event by market event.

#![expect(clippy::unwrap_used, reason = "helpers of tests may stop where they stand, like tests")]

use allocation_counter::measure;
use qt::model::ids::InstrumentId;
use qt::model::instrument::{Instrument, Instruments, Symbol};
use qt::model::order::{Cash, Currency, Execution, FillNo, OrderNo};
use qt::model::time::Ts;
use qt::model::units::{Px, Qty, Scale};
use qt::model::words::{Liquidity, Side};
use qt::trade::metrics::{FillContext, Money, Options, OrderEvent, Statistics, Touch, Worth};

/// Quotes that move, equity with them, and fills whose horizons pass meanwhile.
fn traded(statistics: &mut Statistics, id: InstrumentId, steps: std::ops::Range<i64>) {
    let usd = Currency::new("USD").unwrap();
    let zero = Money::ZERO;
    for step in steps {
        let ts = Ts::from_nanos(step * 10_000_000);
        let px = 10_000 + step * 7919 % 50;
        statistics.mid(ts, id, Some(Touch { bid: Px::new(px), ask: Px::new(px + 1) }));
        let equity = Money::from_units(i128::from(px) * 10_i128.pow(22));
        statistics.equity(ts, Worth { equity, gross: equity, net: zero });
        if step % 10 == 0 {
            let (no, side) =
                (step.unsigned_abs(), if step % 20 == 0 { Side::Buy } else { Side::Sell });
            let qty = Qty::new(3).unwrap();
            let event = OrderEvent::Submitted { instrument: id, side, qty, decided: ts, mid: None };
            statistics.order(ts, OrderNo(no), &event);
            statistics.order(ts, OrderNo(no), &OrderEvent::Accepted { queue: None });
            let fee = Cash { amount: 0.into(), currency: usd };
            let liquidity = Liquidity::Maker;
            let fill = Execution { fill: FillNo(no), px: Px::new(px), qty, liquidity, fee };
            statistics.fill(ts, OrderNo(no), (id, side), &fill, &FillContext::default());
        }
    }
}

#[test]
fn statistics_without_rows_allocate_nothing_while_a_day_goes_on() {
    let scale = |digits| Scale::new(digits).unwrap();
    let mut table = Instruments::default();
    let symbol = Symbol::new("test:X").unwrap();
    let id = table.declare(Instrument::new(symbol, scale(2), scale(0))).unwrap();
    let mut options = Options::new(Currency::new("USD").unwrap());
    options.rows = false;
    let start = Money::from_units(10_i128.pow(26));
    let mut statistics = Statistics::new(&table, options, Ts::default(), start).unwrap();
    // Beyond the values that quantiles keep as they are, and the longest horizon.
    traded(&mut statistics, id, 1..100_000);
    let info = measure(|| traded(&mut statistics, id, 100_000..200_000));
    assert_eq!(info.count_total, 0, "{info:?}");
}
