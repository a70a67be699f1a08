//! Mids, and worths along a line, that are told apart come to the figures of those told in their turn.

use std::ops::Range;

use proptest::prelude::*;
use qt_model::ids::InstrumentId;
use qt_model::instrument::{Instrument, Instruments, Symbol};
use qt_model::order::{Cash, Currency, Execution, FillNo, OrderNo};
use qt_model::time::Ts;
use qt_model::units::{Px, Qty, Scale};
use qt_model::words::{Liquidity, Side};
use rust_decimal::Decimal;

use crate::ledger::{DoublePx, Ledger, LedgerOptions, Matching};
use crate::metrics::{
    Extremes, FillContext, Money, Options, Path, Quoted, Sample, Statistics, Touch, Worth,
};

/// Something that is told: after so long, a mid or a mark.
type Told = (i64, bool, i64);

/// What is bought at the beginning of a stretch, and what comes to pass in it.
type Stretch = (i64, Vec<Told>);

/// An account with so much money and its figures.
struct Account {
    id: InstrumentId,
    currency: Currency,
    ledger: Ledger,
    statistics: Statistics,
    extremes: Extremes,
    fills: u64,
}

impl Account {
    fn new(initial: i64, digits: u8) -> Self {
        let mut table = Instruments::default();
        let scale = Scale::new(digits).unwrap();
        let instrument = Instrument::new(Symbol::new("x:A").unwrap(), scale, Scale::ZERO);
        let id = table.declare(instrument).unwrap();
        let currency = Currency::new("USD").unwrap();
        let initial = vec![Cash::new(Decimal::new(initial, 2), currency)];
        let options = LedgerOptions { currency, matching: Matching::Average, initial };
        let ledger = Ledger::new(&options, &table).unwrap();
        let sample = Sample::every(1_000_000_000).unwrap();
        let options = Options { sample, rows: true, ..Options::new(currency) };
        let equity = Money::of_ledger(ledger.equity(), ledger.home().precision);
        let statistics = Statistics::new(&table, options, Ts::default(), equity).unwrap();
        let extremes = Extremes::new(ledger.equity());
        Self { id, currency, ledger, statistics, extremes, fills: 0 }
    }

    fn worth(&self) -> Worth {
        let money = |amount| Money::of_ledger(amount, self.ledger.home().precision);
        let exposed = self.ledger.exposure();
        let (gross, net) = (money(exposed.gross), money(exposed.net));
        Worth { equity: money(self.ledger.equity()), gross, net }
    }

    fn fill(&mut self, at: Ts, units: i64) {
        self.fills += 1;
        let side = if units < 0 { Side::Sell } else { Side::Buy };
        let fee = Cash::new(Decimal::new(1, 2), self.currency);
        let (px, qty) = (Px::new(500), Qty::new(units.abs()).unwrap());
        let liquidity = Liquidity::Taker;
        let execution = Execution { fill: FillNo(self.fills), px, qty, liquidity, fee };
        self.ledger.fill(self.id, side, &execution);
        let (order, traded) = (OrderNo(self.fills), (self.id, side));
        self.statistics.fill(at, order, traded, &execution, &FillContext::default());
        self.valued(at);
    }

    fn valued(&mut self, at: Ts) {
        self.statistics.equity(at, self.worth());
        self.extremes.observe(self.ledger.equity());
    }
}

/// How an account is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum How {
    InTurn,
    /// First mids, then marks.
    Apart,
    /// The same as columns.
    Columns,
}

fn figures((initial, digits): (i64, u8), stretches: &[Stretch], how: How) -> String {
    let mut account = Account::new(initial, digits);
    let (mut now, id) = (0_i64, account.id);
    for (units, told) in stretches {
        if *units != 0 {
            account.fill(Ts::from_nanos(now), *units);
        }
        let line = account.ledger.line();
        let (since, mut mids, mut marks) = (account.statistics.now(), Vec::new(), Vec::new());
        for (after, is_mid, value) in told {
            now += after;
            let at = Ts::from_nanos(now);
            let touch = Touch { bid: Px::new(*value), ask: Px::new(value + 2) };
            let mark = DoublePx::mid(touch.bid, touch.ask);
            match (is_mid, line.filter(|_| how != How::InTurn)) {
                (true, Some(_)) => mids.push((at, touch)),
                (true, None) => account.statistics.mid(at, id, Some(touch)),
                (false, Some(_)) => marks.push((at, mark)),
                (false, None) => {
                    if account.ledger.mark(id, mark) {
                        account.valued(at);
                    }
                }
            }
        }
        let Account { statistics, ledger, extremes, .. } = &mut account;
        if how == How::Columns {
            statistics.mids(id, Columns::of(&mids).view());
        } else {
            mids.into_iter().for_each(|(at, touch)| statistics.mid(at, id, Some(touch)));
        }
        let Some(line) = line else { continue };
        let (mut last, mut path) = (line.mark, Path::default());
        if how == How::Columns {
            // Half of a doubled price is not always a price: bid and ask add up to it.
            let touch = |(at, mark): &(Ts, DoublePx)| {
                let bid = mark.units().div_euclid(2);
                (*at, Touch { bid: Px::new(bid), ask: Px::new(mark.units() - bid) })
            };
            let touches: Vec<_> = marks.iter().map(touch).collect();
            path.quotes(&mut last, Columns::of(&touches).view());
            marks.drain(..).for_each(|(_, mark)| {
                ledger.mark(id, mark);
            });
        }
        for (at, mark) in marks {
            if std::mem::replace(&mut last, mark) != mark {
                path.push(at, mark);
            }
            ledger.mark(id, mark);
        }
        statistics.along(since, (&line, ledger.home().precision), &path);
        extremes.along(&line, &path);
    }
    let end = Ts::from_nanos(now + 3_000_000_000);
    let figures = account.statistics.finish(end);
    let told = format!("{:?} {:?}", account.extremes, account.ledger.equity());
    format!(
        "{told} {:?} {:?} {:?}",
        figures.values(),
        figures.fill_qualities(),
        figures.round_trips()
    )
}

/// Best prices as columns.
struct Columns([Vec<i64>; 3]);

impl Columns {
    fn of(touches: &[(Ts, Touch)]) -> Self {
        let column = |of: fn(&(Ts, Touch)) -> i64| touches.iter().map(of).collect();
        Self([
            column(|(at, _)| at.nanos()),
            column(|(_, touch)| touch.bid.mantissa()),
            column(|(_, touch)| touch.ask.mantissa()),
        ])
    }

    fn view(&self) -> Quoted<'_> {
        let [at, bid, ask] = &self.0;
        Quoted { at, bid, ask }
    }
}

/// Mids and marks, each so long after the one before.
fn told(count: Range<usize>) -> impl Strategy<Value = Vec<Told>> {
    let after = prop_oneof![Just(0_i64), 0_i64..700_000_000];
    let value = prop_oneof![-50_i64..2_000, 400_i64..600, 500_i64..502];
    prop::collection::vec((after, any::<bool>(), value), count)
}

proptest! {
    #[test]
    fn told_apart_is_told_in_turn(
        initial in prop_oneof![Just(90_000_i64), Just(2_000), Just(100_000_000_000_000_000)],
        digits in prop_oneof![Just(0_u8), Just(11)],
        stretches in prop::collection::vec(
            // Longer ones than what is looked at as one.
            (-4_i64..5, prop_oneof![5 => told(0..24), 1 => told(300..900)]),
            1..8,
        ),
    ) {
        let account = (initial, digits);
        let in_turn = figures(account, &stretches, How::InTurn);
        prop_assert_eq!(&figures(account, &stretches, How::Apart), &in_turn);
        prop_assert_eq!(&figures(account, &stretches, How::Columns), &in_turn);
    }
}
