//! The worth of the whole while one instrument is held: a straight line over its mark.
//!
//! Invariant: at every mark it gives what the ledger would say with that mark, to the last unit.
//! Absent on purpose: several instruments, several currencies, and payoffs that are no line; whoever
//! has those asks the ledger mark by mark.

use qt_model::ids::InstrumentId;

use super::{Amount, DoublePx, Exposed, Ledger};

/// See the module.
#[derive(Clone, Copy, Debug)]
pub struct Line {
    /// The place of the instrument.
    place: usize,
    /// The mark in force.
    pub mark: DoublePx,
    /// Equity at a mark of zero.
    base: Amount,
    /// What a unit of the doubled price adds.
    slope: i64,
}

impl Line {
    /// Whether that is the instrument that is held.
    #[inline]
    pub fn is_of(&self, instrument: InstrumentId) -> bool {
        instrument.index() == self.place
    }

    /// Equity, and what is at stake.
    #[inline]
    pub fn at(&self, mark: DoublePx) -> (Amount, Exposed) {
        let (equity, net) = self.net_at(mark);
        let gross = if net < Amount::ZERO { -net } else { net };
        (equity, Exposed { gross, net })
    }

    fn net_at(&self, mark: DoublePx) -> (Amount, Amount) {
        let net = Amount::from_units(i128::from(self.slope) * i128::from(mark.units()));
        (self.base + net, net)
    }

    /// The same in words, where they hold all that lies between two marks.
    pub fn words(&self, low: DoublePx, high: DoublePx) -> Option<Words> {
        let fits = |mark| {
            let (equity, net) = self.net_at(mark);
            Words::word(equity).and(Words::word(net)).is_some()
        };
        let base = Words::word(self.base)?;
        (fits(low) && fits(high)).then_some(Words { base, slope: self.slope })
    }
}

/// A line between two marks. Each worth there has at most 62 bits, so that differences fit too.
#[derive(Clone, Copy, Debug)]
pub struct Words {
    base: i64,
    slope: i64,
}

impl Words {
    /// An amount as a word, where it is short enough.
    #[inline]
    pub fn word(amount: Amount) -> Option<i64> {
        let word = i64::try_from(amount.units()).ok()?;
        (word.unsigned_abs() < 1 << 62).then_some(word)
    }

    #[inline]
    pub fn equity(&self, mark: DoublePx) -> i64 {
        self.base + self.net(mark)
    }

    /// What is held with its sign.
    #[inline]
    pub fn net(&self, mark: DoublePx) -> i64 {
        self.slope * mark.units()
    }
}

impl Ledger {
    /// How the worth of the whole follows from the mark of what is held, where that is a line.
    pub fn line(&self) -> Option<Line> {
        let mut held = self.held();
        let (place, holding) = held.next()?;
        if held.next().is_some() || self.wallets.len() > 1 {
            return None;
        }
        let (qty, mark) = (holding.position.qty(), holding.mark?);
        let slope = holding.contract.slope(qty)?;
        let base = self.equity() - holding.contract.worth(mark, qty);
        Some(Line { place, mark, base, slope })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;
    use qt_model::instrument::{Instrument, Instruments, Symbol};
    use qt_model::order::{Cash, Currency, Execution, FillNo};
    use qt_model::units::{Px, Qty, Scale};
    use qt_model::words::{Liquidity, Payoff, Side};
    use rust_decimal::Decimal;

    use super::*;
    use crate::ledger::{LedgerOptions, Matching};

    fn ledger(payoff: Option<Payoff>) -> (Ledger, InstrumentId, InstrumentId) {
        let mut table = Instruments::default();
        let mut declare = |symbol: &str| {
            let scale = |digits| Scale::new(digits).unwrap();
            let symbol = Symbol::new(symbol).unwrap();
            let mut instrument = Instrument::new(symbol, scale(2), scale(3));
            instrument.terms.payoff = payoff;
            table.declare(instrument).unwrap()
        };
        let (first, second) = (declare("x:A"), declare("x:B"));
        let initial = vec![Cash::new(Decimal::new(1_000, 0), usd())];
        let options = LedgerOptions { currency: usd(), matching: Matching::Average, initial };
        (Ledger::new(&options, &Arc::new(table)).unwrap(), first, second)
    }

    fn usd() -> Currency {
        Currency::new("USD").unwrap()
    }

    fn fill(ledger: &mut Ledger, id: InstrumentId, qty: i64, px: i64) {
        let side = if qty > 0 { Side::Buy } else { Side::Sell };
        let (px, size) = (Px::new(px), Qty::new(qty.abs()).unwrap());
        let fee = Cash::new(Decimal::new(7, 4), usd());
        let fill = FillNo(1);
        let liquidity = Liquidity::Taker;
        ledger.fill(id, side, &Execution { fill, px, qty: size, liquidity, fee });
    }

    proptest! {
        #[test]
        fn a_line_says_what_the_ledger_says(
            fills in prop::collection::vec((-5_000_i64..5_000, 1_i64..1_000_000), 1..6),
            marks in prop::collection::vec(-1_000_000_i64..4_000_000, 1..20),
        ) {
            let (mut ledger, id, _) = ledger(None);
            fills.iter().filter(|(qty, _)| *qty != 0).for_each(|(qty, px)| fill(&mut ledger, id, *qty, *px));
            let line = ledger.line();
            prop_assert_eq!(line.is_some(), !ledger.is_flat());
            for mark in marks {
                let mark = DoublePx::mid(Px::new(mark), Px::new(0));
                ledger.mark(id, mark);
                if let Some(line) = line {
                    prop_assert_eq!(line.at(mark), (ledger.equity(), ledger.exposure()));
                }
            }
        }
    }

    #[test]
    fn what_is_no_line_has_none() {
        let (mut two, first, second) = ledger(None);
        fill(&mut two, first, 1_000, 10_000);
        assert!(two.line().is_some());
        fill(&mut two, second, -1_000, 10_000);
        assert!(two.line().is_none());
        let (mut inverse, first, _) = ledger(Some(Payoff::Inverse));
        fill(&mut inverse, first, 1_000, 10_000);
        assert!(inverse.line().is_none());
    }
}
