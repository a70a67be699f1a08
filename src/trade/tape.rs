//! What a strategy was told beside the market, as records, and back.
//!
//! A session is its market records and these, each with the count of market records before it.
//! Invariant: what is read back is what was told, to the last digit; the instrument of a report is
//! that of its order, without which a price has no scale. Absent on purpose: files, and what was asked
//! for, which follows.

use qt_model::ids::InstrumentId;
use qt_model::order::{
    Amendment, Cash, CashFlow, CashReason, Closure, Currency, Execution as Fill, FillNo, OrderNo,
    Report, ReportKind,
};
use qt_model::record::{Head, InputRow, Kind, Record};
use qt_model::step::{Execution, Input, Operator, TimerId};
use qt_model::time::Ts;
use qt_model::words::{InputKind, Word};

/// A row that tells nothing that can be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("input {seq}, `{}`: {expected} is missing or cannot be", what.word())]
pub struct TapeError {
    pub seq: u64,
    pub what: InputKind,
    pub expected: &'static str,
}

/// Numbers the inputs of a session, and counts the market's records between them.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tape {
    market: u64,
    inputs: u64,
}

impl Tape {
    /// The row of an input; `None` for a record of the market, which is its own.
    #[inline]
    pub fn row(
        &mut self,
        now: Ts,
        input: &Input<'_>,
        instrument_of: impl FnOnce(OrderNo) -> Option<InstrumentId>,
    ) -> Option<InputRow> {
        if let Input::Market(record) = input {
            self.market += u64::from(is_counted(record));
            return None;
        }
        self.inputs += 1;
        let mut row = blank(Head::new(now, now, self.inputs, None), self.market);
        match input {
            Input::Market(_) => {}
            Input::Execution(Execution::Report(told)) => {
                row.head.instrument = instrument_of(told.order);
                row.head.ts_event = told.ts_event;
                row.order = Some(told.order.0);
                report(&mut row, told);
            }
            Input::Execution(Execution::Cash(flow)) => {
                row.head.instrument = flow.instrument;
                row.head.ts_event = flow.ts_event;
                row.what = cash_kind(flow.reason);
                money(&mut row, flow.cash);
            }
            Input::Execution(Execution::Closure(closure)) => {
                row.head.instrument = Some(closure.instrument);
                row.head.ts_event = closure.ts_event;
                row.what = InputKind::Closure;
                row.side = Some(closure.side);
                fill(&mut row, &closure.execution);
            }
            Input::Timer(timer) => {
                row.what = InputKind::Timer;
                row.timer = Some(u64::from(timer.0));
            }
            Input::Operator(operator) => {
                row.what = match operator {
                    Operator::Halt => InputKind::Halt,
                    Operator::Resume => InputKind::Resume,
                    Operator::Flatten => InputKind::Flatten,
                    Operator::Stop => InputKind::Stop,
                };
            }
        }
        Some(row)
    }
}

/// Whether a record counts as one of the market. Rows of features stand behind the records they came
/// from in some streams and not in others, which are the same session.
#[inline]
pub fn is_counted(record: &Record<'_>) -> bool {
    record.kind() != Kind::Feature
}

fn blank(head: Head, after: u64) -> InputRow {
    InputRow {
        head,
        after,
        what: InputKind::Unknown,
        order: None,
        refusal: None,
        ending: None,
        fill: None,
        side: None,
        px: None,
        qty: None,
        liquidity: None,
        amount: None,
        currency: None,
        timer: None,
    }
}

fn report(row: &mut InputRow, report: &Report) {
    row.what = match report.what {
        ReportKind::Acknowledged => InputKind::Acknowledged,
        ReportKind::Rejected(reason) => {
            row.refusal = Some(reason);
            InputKind::Rejected
        }
        ReportKind::Filled(execution) => {
            fill(row, &execution);
            InputKind::Filled
        }
        ReportKind::Triggered => InputKind::Triggered,
        ReportKind::Amended(change) => {
            (row.px, row.qty) = (change.px, change.qty);
            InputKind::Amended
        }
        ReportKind::AmendRefused(reason) => {
            row.refusal = Some(reason);
            InputKind::AmendRefused
        }
        ReportKind::CancelRefused(reason) => {
            row.refusal = Some(reason);
            InputKind::CancelRefused
        }
        ReportKind::Cancelled(reason) => {
            row.ending = Some(reason);
            InputKind::Cancelled
        }
        ReportKind::Expired => InputKind::Expired,
        ReportKind::Unknown => InputKind::Unknown,
    };
}

fn fill(row: &mut InputRow, fill: &Fill) {
    row.fill = Some(fill.fill.0);
    row.px = Some(fill.px);
    row.qty = Some(fill.qty);
    row.liquidity = Some(fill.liquidity);
    money(row, fill.fee);
}

fn money(row: &mut InputRow, cash: Cash) {
    row.amount = Some(cash.amount);
    row.currency = Some(cash.currency.to_string());
}

fn cash_kind(reason: CashReason) -> InputKind {
    match reason {
        CashReason::Funding => InputKind::Funding,
        CashReason::Borrow => InputKind::Borrow,
        CashReason::Dividend => InputKind::Dividend,
        CashReason::Deposit => InputKind::Deposit,
        CashReason::Withdrawal => InputKind::Withdrawal,
        CashReason::Liquidation => InputKind::Liquidation,
        CashReason::Settlement => InputKind::Settlement,
    }
}

/// The input that a row tells.
pub fn input(row: &InputRow) -> Result<Input<'static>, TapeError> {
    Reader { row }.input()
}

struct Reader<'a> {
    row: &'a InputRow,
}

impl Reader<'_> {
    fn wants<T>(&self, value: Option<T>, expected: &'static str) -> Result<T, TapeError> {
        let Head { seq, .. } = self.row.head;
        value.ok_or(TapeError { seq, what: self.row.what, expected })
    }

    fn input(&self) -> Result<Input<'static>, TapeError> {
        let row = self.row;
        let refusal = || self.wants(row.refusal, "refusal");
        let what = match row.what {
            InputKind::Acknowledged => ReportKind::Acknowledged,
            InputKind::Rejected => ReportKind::Rejected(refusal()?),
            InputKind::Filled => ReportKind::Filled(self.fill()?),
            InputKind::Triggered => ReportKind::Triggered,
            InputKind::Amended => ReportKind::Amended(Amendment { px: row.px, qty: row.qty }),
            InputKind::AmendRefused => ReportKind::AmendRefused(refusal()?),
            InputKind::CancelRefused => ReportKind::CancelRefused(refusal()?),
            InputKind::Cancelled => ReportKind::Cancelled(self.wants(row.ending, "ending")?),
            InputKind::Expired => ReportKind::Expired,
            InputKind::Unknown => ReportKind::Unknown,
            InputKind::Closure => return self.closure(),
            InputKind::Funding => return self.cash(CashReason::Funding),
            InputKind::Borrow => return self.cash(CashReason::Borrow),
            InputKind::Dividend => return self.cash(CashReason::Dividend),
            InputKind::Deposit => return self.cash(CashReason::Deposit),
            InputKind::Withdrawal => return self.cash(CashReason::Withdrawal),
            InputKind::Liquidation => return self.cash(CashReason::Liquidation),
            InputKind::Settlement => return self.cash(CashReason::Settlement),
            InputKind::Timer => {
                let timer = row.timer.and_then(|timer| u32::try_from(timer).ok());
                return Ok(Input::Timer(TimerId(self.wants(timer, "timer")?)));
            }
            InputKind::Halt => return Ok(Input::Operator(Operator::Halt)),
            InputKind::Resume => return Ok(Input::Operator(Operator::Resume)),
            InputKind::Flatten => return Ok(Input::Operator(Operator::Flatten)),
            InputKind::Stop => return Ok(Input::Operator(Operator::Stop)),
        };
        let order = OrderNo(self.wants(row.order, "order")?);
        let report = Report { order, ts_event: row.head.ts_event, what };
        Ok(Input::Execution(Execution::Report(report)))
    }

    fn money(&self) -> Result<Cash, TapeError> {
        let currency = row_currency(self.row);
        let amount = self.wants(self.row.amount, "amount")?;
        Ok(Cash { amount, currency: self.wants(currency, "currency")? })
    }

    fn fill(&self) -> Result<Fill, TapeError> {
        let row = self.row;
        Ok(Fill {
            fill: FillNo(self.wants(row.fill, "fill")?),
            px: self.wants(row.px, "px")?,
            qty: self.wants(row.qty, "qty")?,
            liquidity: self.wants(row.liquidity, "liquidity")?,
            fee: self.money()?,
        })
    }

    fn cash(&self, reason: CashReason) -> Result<Input<'static>, TapeError> {
        let Head { instrument, ts_event, .. } = self.row.head;
        let flow = CashFlow { instrument, ts_event, reason, cash: self.money()? };
        Ok(Input::Execution(Execution::Cash(flow)))
    }

    fn closure(&self) -> Result<Input<'static>, TapeError> {
        let instrument = self.wants(self.row.head.instrument, "sym")?;
        let side = self.wants(self.row.side, "side")?;
        let (ts_event, execution) = (self.row.head.ts_event, self.fill()?);
        let closure = Closure { instrument, ts_event, side, execution };
        Ok(Input::Execution(Execution::Closure(closure)))
    }
}

fn row_currency(row: &InputRow) -> Option<Currency> {
    Currency::new(row.currency.as_deref()?).ok()
}

#[cfg(test)]
mod tests {
    use qt_model::instrument::{Instrument, Instruments, Symbol};
    use qt_model::record::{Batch, Quote};
    use qt_model::units::{Px, Qty, Scale};
    use qt_model::words::{CancelReason, Liquidity, RejectReason, Side};
    use rust_decimal::Decimal;

    use super::*;

    fn every_input(instrument: InstrumentId) -> Vec<Input<'static>> {
        let ts_event = Ts::from_nanos(5);
        let cash = Cash { amount: Decimal::new(-125, 3), currency: Currency::new("USDT").unwrap() };
        let (px, qty) = (Px::new(-7), Qty::new(3).unwrap());
        let fill = Fill { fill: FillNo(9), px, qty, liquidity: Liquidity::Taker, fee: cash };
        let reports = [
            ReportKind::Acknowledged,
            ReportKind::Rejected(RejectReason::OffTick),
            ReportKind::Filled(fill),
            ReportKind::Triggered,
            ReportKind::Amended(Amendment { px: Some(px), qty: None }),
            ReportKind::AmendRefused(RejectReason::Ended),
            ReportKind::CancelRefused(RejectReason::UnknownOrder),
            ReportKind::Cancelled(CancelReason::Group),
            ReportKind::Expired,
            ReportKind::Unknown,
        ];
        let reasons = [
            CashReason::Funding,
            CashReason::Borrow,
            CashReason::Dividend,
            CashReason::Deposit,
            CashReason::Withdrawal,
            CashReason::Liquidation,
            CashReason::Settlement,
        ];
        let operators = [Operator::Halt, Operator::Resume, Operator::Flatten, Operator::Stop];
        let reports = reports.map(|what| {
            Input::Execution(Execution::Report(Report { order: OrderNo(4), ts_event, what }))
        });
        let instrument_of = [Some(instrument), None];
        let flows = reasons.into_iter().zip(instrument_of.into_iter().cycle());
        let flows = flows.map(|(reason, instrument)| {
            Input::Execution(Execution::Cash(CashFlow { instrument, ts_event, reason, cash }))
        });
        let closure = Closure { instrument, ts_event, side: Side::Sell, execution: fill };
        let operators = operators.map(Input::Operator);
        let others =
            [Input::Timer(TimerId(u32::MAX)), Input::Execution(Execution::Closure(closure))];
        reports.into_iter().chain(flows).chain(operators).chain(others).collect()
    }

    fn instruments() -> (Instruments, InstrumentId) {
        let mut table = Instruments::default();
        let symbol = Symbol::new("x:A").unwrap();
        let id = table.declare(Instrument::new(symbol, Scale::ZERO, Scale::ZERO)).unwrap();
        (table, id)
    }

    #[test]
    fn every_input_comes_back_as_it_was_told() {
        let (_, instrument) = instruments();
        let (mut tape, mut kinds) = (Tape::default(), Vec::new());
        for told in every_input(instrument) {
            let row = tape.row(Ts::from_nanos(8), &told, |_| Some(instrument)).unwrap();
            assert_eq!((row.head.ts_recv, row.after), (Ts::from_nanos(8), 0));
            assert_eq!(format!("{:?}", input(&row).unwrap()), format!("{told:?}"));
            kinds.push(row.what);
        }
        kinds.sort_unstable();
        assert_eq!(kinds, InputKind::ALL, "each kind was among them");
    }

    #[test]
    fn the_market_is_counted_and_stays_where_it_is() {
        let (table, instrument) = instruments();
        let mut batch = Batch::new(table.into());
        let head = Head::new(Ts::default(), Ts::default(), 1, Some(instrument));
        let quote =
            Quote { head, bid_px: None, bid_qty: None, ask_px: None, ask_qty: None, id: None };
        batch.push_row(quote, &[]);
        let mut tape = Tape::default();
        let mut row = |input: &Input<'_>| tape.row(Ts::default(), input, |_| None);
        assert_eq!(row(&Input::Market(batch.get(0))), None);
        let timer = row(&Input::Timer(TimerId(1))).unwrap();
        assert_eq!((timer.after, timer.head.seq), (1, 1));
        assert_eq!(row(&Input::Operator(Operator::Stop)).unwrap().head.seq, 2);
    }

    #[test]
    fn a_row_without_what_it_needs_is_an_error() {
        let (_, instrument) = instruments();
        let mut tape = Tape::default();
        for told in every_input(instrument) {
            let row = tape.row(Ts::default(), &told, |_| Some(instrument)).unwrap();
            let mut bare = blank(row.head, 0);
            bare.what = row.what;
            let is_operator = matches!(told, Input::Operator(_));
            assert_eq!(input(&bare).is_ok(), is_operator, "{:?}", row.what);
        }
    }
}
