//! The bars of one instrument by one clock.

use qt_model::ids::InstrumentId;
use qt_model::instrument::Instrument;
use qt_model::record::{Bar, Head};
use qt_model::time::Ts;
use qt_model::units::{Notional, Px, Qty};
use rust_decimal::Decimal;

use super::clock::Clock;
use super::every::Every;
use super::{Late, Rules, Tally};
use crate::calendar::Calendar;

/// What a bar is made of: a print, or the price of a quote, which has no size.
#[derive(Clone, Copy, Debug)]
pub(super) struct Print {
    pub(super) ts_event: Ts,
    pub(super) ts_recv: Ts,
    pub(super) px: Px,
    pub(super) qty: Qty,
    /// 1 bought, −1 sold, 0 unknown.
    pub(super) direction: i8,
    /// Whether the venue said so.
    pub(super) has_side: bool,
    pub(super) has_size: bool,
}

/// A sum of sizes went beyond what a record holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TooLarge;

#[derive(Clone, Debug)]
pub(super) struct Series {
    instrument: InstrumentId,
    /// Decimals of price and size, for money.
    scales: (qt_model::units::Scale, qt_model::units::Scale),
    clock: Clock,
    kind: Every,
    step: Decimal,
    bar: Option<Building>,
    /// The session of the last print.
    session: Option<(Ts, Ts)>,
}

/// A bar that has begun.
#[derive(Clone, Copy, Debug)]
struct Building {
    open_ts: Ts,
    /// Where it ends at the latest: its interval, or its session.
    end: Ts,
    last: Ts,
    px: [Px; 4],
    volume: Qty,
    bought: Option<Qty>,
    notional: Notional,
    has_size: bool,
    prints: u64,
}

/// The most empty bars that one hole is filled with.
pub(super) const FILL_MAX: u64 = 100_000;

const WEEK_NANOS: i64 = 7 * qt_model::time::DAY_NANOS;
/// The first Monday: weeks begin there, and 1970 began on a Thursday.
const MONDAY_NANOS: i64 = 4 * qt_model::time::DAY_NANOS;

impl Series {
    pub(super) fn new(id: InstrumentId, instrument: &Instrument, every: Every) -> Option<Self> {
        Some(Self {
            instrument: id,
            scales: (instrument.px_scale, instrument.qty_scale),
            clock: Clock::new(every, instrument)?,
            kind: every,
            step: every.step(),
            bar: None,
            session: None,
        })
    }

    /// Takes a print; bars that it ends go to `done`, without their numbers.
    pub(super) fn print(
        &mut self,
        print: &Print,
        rules: &Rules,
        tally: &mut Tally,
        done: &mut Vec<Bar>,
    ) -> Result<(), TooLarge> {
        if !self.find_session(print.ts_event, &rules.calendar) {
            tally.outside += 1;
            return Ok(());
        }
        if let Some(bar) = self.bar
            && print.ts_event >= bar.end
        {
            self.close(bar.end, print.ts_recv, done);
            if rules.fill_empty {
                self.fill(&bar, print, rules, tally, done);
            }
        }
        let is_late = matches!(self.clock, Clock::Time(_))
            && self.bar.is_some_and(|bar| print.ts_event < bar.open_ts);
        if is_late {
            tally.late += 1;
            if rules.late == Late::Drop {
                return Ok(());
            }
        }
        let bar = match self.bar {
            Some(bar) => bar.with(print)?,
            None => self.begin(print),
        };
        self.bar = Some(bar);
        if self.clock.count(print) {
            self.close(print.ts_event, print.ts_recv, done);
        }
        Ok(())
    }

    /// Ends the stream. `is_wanted`: the bar at hand is written as it stands.
    pub(super) fn finish(&mut self, recv: Ts, is_wanted: bool, done: &mut Vec<Bar>) -> bool {
        let Some(bar) = self.bar else { return false };
        if is_wanted {
            let end = if let Clock::Time(_) = self.clock { bar.end } else { bar.last };
            self.close(end, recv, done);
        }
        true
    }

    /// Whether the market is open; keeps the session, since most prints lie in the last one.
    fn find_session(&mut self, ts: Ts, calendar: &Calendar) -> bool {
        if !self.session.is_some_and(|(open, close)| open <= ts && ts < close) {
            self.session = calendar.session(ts);
        }
        self.session.is_some()
    }

    fn begin(&self, print: &Print) -> Building {
        let session = self.session.expect("a print outside of sessions begins no bar");
        let (open_ts, end) = match self.kind {
            Every::Time(step) => interval(print.ts_event, step, session),
            Every::Ticks(_)
            | Every::Volume(_)
            | Every::Notional(_)
            | Every::Imbalance(_)
            | Every::Run(_) => (print.ts_event, session.1),
        };
        let bought = match (print.has_side, print.direction) {
            (true, 1) => Some(print.qty),
            (true, _) => Some(Qty::ZERO),
            (false, _) => None,
        };
        Building {
            open_ts,
            end,
            last: print.ts_event,
            px: [print.px; 4],
            volume: print.qty,
            bought,
            notional: print.px * print.qty,
            has_size: print.has_size,
            prints: 1,
        }
    }

    fn close(&mut self, end: Ts, recv: Ts, done: &mut Vec<Bar>) {
        let Some(bar) = self.bar.take() else { return };
        self.clock.restart();
        done.push(self.record(&bar, end, recv));
    }

    fn record(&self, bar: &Building, end: Ts, recv: Ts) -> Bar {
        let [open, high, low, close] = bar.px;
        let money = || bar.notional.to_decimal(self.scales.0, self.scales.1);
        Bar {
            head: Head::new(end, recv, 0, Some(self.instrument)),
            clock: self.kind.clock(),
            step: self.step,
            open_ts: bar.open_ts,
            open,
            high,
            low,
            close,
            volume: bar.volume,
            buy_volume: bar.bought,
            notional: bar.has_size.then(money).flatten(),
            trades: Some(bar.prints),
        }
    }

    /// Repeats the close of a bar in each interval up to that of the print which ended it.
    fn fill(
        &self,
        ended: &Building,
        print: &Print,
        rules: &Rules,
        tally: &mut Tally,
        done: &mut Vec<Bar>,
    ) {
        let Clock::Time(step) = self.clock else { return };
        let mut empty = Building {
            px: [ended.px[3]; 4],
            volume: Qty::ZERO,
            bought: ended.bought.map(|_| Qty::ZERO),
            notional: Notional::ZERO,
            prints: 0,
            ..*ended
        };
        for filled in 0.. {
            let session = match rules.calendar.session(empty.end) {
                Some(session) => session,
                // Closed: the next interval begins with the next session.
                None => match rules.calendar.next_session(empty.end) {
                    Some(session) => session,
                    None => return,
                },
            };
            (empty.open_ts, empty.end) = interval(empty.end.max(session.0), step, session);
            if print.ts_event < empty.end {
                return;
            }
            if filled >= FILL_MAX {
                tally.unfilled += 1;
                return;
            }
            done.push(self.record(&empty, empty.end, print.ts_recv));
        }
    }
}

impl Building {
    fn with(mut self, print: &Print) -> Result<Self, TooLarge> {
        let add = |sum: Qty, qty: Qty| {
            let sum = sum.checked_add(qty).ok_or(TooLarge)?;
            if sum.mantissa() > qt_model::decimal::MAX_MANTISSA { Err(TooLarge) } else { Ok(sum) }
        };
        let [_, high, low, close] = &mut self.px;
        *high = (*high).max(print.px);
        *low = (*low).min(print.px);
        *close = print.px;
        self.last = self.last.max(print.ts_event);
        self.volume = add(self.volume, print.qty)?;
        self.bought = match self.bought.filter(|_| print.has_side) {
            Some(bought) if print.direction > 0 => Some(add(bought, print.qty)?),
            bought => bought,
        };
        self.notional = self.notional.checked_add(print.px * print.qty).ok_or(TooLarge)?;
        self.prints += 1;
        Ok(self)
    }
}

/// The interval that holds an instant: counted from the opening of its session, and cut at its
/// close; without sessions from the epoch, and weeks from a Monday.
fn interval(ts: Ts, step: i64, (open, close): (Ts, Ts)) -> (Ts, Ts) {
    let origin = match open {
        Ts::MIN if step % WEEK_NANOS == 0 => MONDAY_NANOS,
        Ts::MIN => 0,
        open => open.nanos(),
    };
    // In 128 bits, since the ends of time lie further apart than 64 bits count.
    let since = i128::from(ts.nanos()) - i128::from(origin);
    let start = since.div_euclid(i128::from(step)) * i128::from(step) + i128::from(origin);
    let nanos = |nanos: i128| {
        let nanos = nanos.clamp(i128::from(i64::MIN), i128::from(i64::MAX));
        Ts::from_nanos(i64::try_from(nanos).expect("it was clamped"))
    };
    (nanos(start).max(open), nanos(start + i128::from(step)).min(close))
}
