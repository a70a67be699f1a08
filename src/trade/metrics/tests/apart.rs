//! Mids and worths that are told apart come to the figures of those told in their turn.

use proptest::prelude::*;
use qt_model::instrument::{Instrument, Instruments, Symbol};
use qt_model::order::{Cash, Currency, Execution, FillNo, OrderNo};
use qt_model::time::Ts;
use qt_model::units::{Px, Qty, Scale};
use qt_model::words::{Liquidity, Side};
use rust_decimal::Decimal;

use crate::metrics::{FillContext, Money, Options, Sample, Statistics, Touch, Worth};

/// Something that is told: after so long, a mid or a worth.
type Told = (i64, bool, i64);

fn figures(stretches: &[Vec<Told>], is_apart: bool) -> String {
    let mut table = Instruments::default();
    let instrument = Instrument::new(Symbol::new("x:A").unwrap(), Scale::ZERO, Scale::ZERO);
    let id = table.declare(instrument).unwrap();
    let currency = Currency::new("USD").unwrap();
    let sample = Sample::every(1_000_000_000).unwrap();
    let options = Options { sample, rows: true, ..Options::new(currency) };
    let money = |units: i64| Money::exact(Decimal::new(units, 2)).unwrap();
    let mut statistics = Statistics::new(&table, options, Ts::default(), money(90_000)).unwrap();
    let (mut now, mut fill) = (0_i64, 0);
    for told in stretches {
        let (since, mut mids, mut worths) = (statistics.now(), Vec::new(), Vec::new());
        for (after, is_mid, value) in told {
            now += after;
            let at = Ts::from_nanos(now);
            let touch = Touch { bid: Px::new(*value), ask: Px::new(value + 2) };
            let net = money(value * 3);
            let worth = Worth { equity: money(90_000 + value), gross: net.abs(), net };
            match (is_mid, is_apart) {
                (true, true) => mids.push((at, touch)),
                (true, false) => statistics.mid(at, id, Some(touch)),
                (false, true) => worths.push((at, worth)),
                (false, false) => statistics.equity(at, worth),
            }
        }
        mids.into_iter().for_each(|(at, touch)| statistics.mid(at, id, Some(touch)));
        statistics.equities(since, worths.into_iter());
        assert_eq!(statistics.now(), since.max(Ts::from_nanos(now)));
        fill += 1;
        let side = if fill % 3 == 0 { Side::Sell } else { Side::Buy };
        let fee = Cash::new(Decimal::new(1, 2), currency);
        let (px, qty, liquidity) = (Px::new(500), Qty::new(2).unwrap(), Liquidity::Taker);
        let execution = Execution { fill: FillNo(fill), px, qty, liquidity, fee };
        let (at, context) = (Ts::from_nanos(now), FillContext::default());
        statistics.fill(at, OrderNo(fill), (id, side), &execution, &context);
    }
    let end = Ts::from_nanos(now + 3_000_000_000);
    let figures = statistics.finish(end);
    format!("{:?} {:?} {:?}", figures.values(), figures.fill_qualities(), figures.round_trips())
}

proptest! {
    #[test]
    fn told_apart_is_told_in_turn(
        stretches in prop::collection::vec(
            prop::collection::vec((0_i64..700_000_000, any::<bool>(), -2_000_i64..2_000), 0..12),
            1..8,
        ),
    ) {
        prop_assert_eq!(figures(&stretches, true), figures(&stretches, false));
    }
}
