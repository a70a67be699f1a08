//! Quotes and bars that are plain: the next rows of a list, which carry no flag. Most are, so some are
//! taken at once.

use qt_model::record::{BarColumns, Head, Quote, QuoteColumns};
use qt_model::time::Ts;
use qt_model::units::{Px, Qty};

use super::columns::{Columns, bits};
use super::deep::Deep;
use super::tops::{Best, RUN, Run, Top};
use super::touch::Touches;
use super::{BookFrom, Clocks, Feed};
use crate::features::base::Base;
use crate::features::wide::wide;

impl Feed {
    /// Whether quotes may be plain from here on.
    fn are_plain(&self, clocks: Clocks, columns: &Columns) -> bool {
        let wants = columns.wants(Touches::WANTED | Deep::WANTED);
        self.from == BookFrom::Quotes
            && clocks.book
            && !wants
            && self.pending == 0
            && self.last_recv != Ts::MIN
    }

    /// Takes quotes that are plain: the next rows, which carry no flag. How many they were; what
    /// follows them wants a closer look, or there is no more room in the run.
    #[inline]
    pub(in super::super) fn plain(
        &mut self,
        rows: &[Quote],
        idle_max: i64,
        clocks: Clocks,
        columns: &mut Columns,
    ) -> usize {
        let Some(first) = rows.first().filter(|_| self.are_plain(clocks, columns)) else {
            return 0;
        };
        let (id, began) = (first.head.instrument, *self.began.get_or_insert(first.head.ts_event));
        let (mut last, mut now) = (self.last_recv, self.now);
        let (count, is_full) = self.tops.extend(columns.rows(), |at| {
            let row = rows.get(at)?;
            let Head { ts_event, ts_recv, instrument, .. } = row.head;
            let best = Best::of_quote(row).filter(Best::is_sound)?;
            let idle = ts_recv.nanos().saturating_sub(last.nanos());
            if instrument != id || idle < 0 || idle > idle_max {
                return None;
            }
            (last, now) = (ts_recv, now.max(ts_event.since(began)));
            Some(Top { best, ts: ts_event, now })
        });
        columns.open_all(count);
        (self.last_recv, self.now) = (last, now);
        if is_full {
            self.flush(columns);
        }
        count
    }

    /// The same of columns.
    pub(in super::super) fn plain_columns(
        &mut self,
        quotes: &QuoteColumns<'_>,
        idle_max: i64,
        clocks: Clocks,
        columns: &mut Columns,
    ) -> usize {
        if !self.are_plain(clocks, columns) {
            return 0;
        }
        let cells = quotes.slice(0..quotes.len().min(RUN));
        let count = plain_first(&cells, self.last_recv.nanos(), idle_max);
        let cells = *cells.slice(0..count).cells();
        let Some(last_recv) = cells.ts_recv.last() else { return 0 };
        // What waits came before.
        self.flush(columns);
        let began = self.began.get_or_insert(Ts::from_nanos(cells.ts_event[0])).nanos();
        let mut nows = [0; RUN];
        let nows = &mut nows[..count];
        if columns.wants(TIMES) {
            for (event, now) in cells.ts_event.iter().zip(nows.iter_mut()) {
                self.now = self.now.max(event.saturating_sub(began));
                *now = self.now;
            }
        } else {
            let latest = wide(
                #[inline(always)]
                || cells.ts_event.iter().copied().fold(i64::MIN, i64::max),
            );
            self.now = self.now.max(latest.saturating_sub(began));
        }
        let run = Run {
            bid: cells.bid_px,
            ask: cells.ask_px,
            bid_qty: cells.bid_qty,
            ask_qty: cells.ask_qty,
            ts: cells.ts_event,
            now: nows,
        };
        let row = columns.rows();
        columns.open_all(count);
        let best = self.tops.take(&run, row, columns);
        self.classifier.quote(best.bid.0, best.ask.0);
        self.last_recv = Ts::from_nanos(*last_recv);
        count
    }

    /// The same of columns of bars.
    pub(in super::super) fn plain_bars(
        &mut self,
        bars: &BarColumns<'_>,
        idle_max: i64,
        clocks: Clocks,
        columns: &mut Columns,
    ) -> usize {
        if !clocks.bar || self.pending != 0 || self.last_recv == Ts::MIN {
            return 0;
        }
        let count = first_in_time(bars.cells().ts_recv, self.last_recv.nanos(), idle_max);
        let cells = *bars.slice(0..count).cells();
        let Some(last_recv) = cells.ts_recv.last() else { return 0 };
        // What waits came before.
        self.flush(columns);
        let began = self.began.get_or_insert(Ts::from_nanos(cells.ts_event[0])).nanos();
        let row = columns.rows();
        columns.open_all(count);
        let mut now = self.now;
        let nows = cells.ts_event.iter().map(|event| {
            now = now.max(event.saturating_sub(began));
            now
        });
        if columns.wants(bits(&[Base::Now])) {
            columns.extend(Base::Now, row, nows.map(|now| now as f64));
        } else {
            nows.for_each(drop);
        }
        self.now = now;
        for (base, prices) in [
            (Base::Open, cells.open),
            (Base::High, cells.high),
            (Base::Low, cells.low),
            (Base::Close, cells.close),
        ] {
            columns.extend(base, row, prices.iter().map(|px| Px::new(*px).to_f64(self.px)));
        }
        let size = |mantissa: &i64| Qty::new(*mantissa).unwrap_or_default().to_f64(self.qty);
        columns.extend(Base::Volume, row, cells.volume.iter().map(size));
        self.last_recv = Ts::from_nanos(*last_recv);
        count
    }
}

/// Columns that say when an event was.
const TIMES: u64 = bits(&[Base::Now, Base::BookTime]);

/// How many of the first quotes are sound, come in order, and each soon enough behind the last.
fn plain_first(quotes: &QuoteColumns<'_>, last: i64, idle_max: i64) -> usize {
    let (Ok(idle_max), cells) = (u64::try_from(idle_max), quotes.cells()) else { return 0 };
    let recv = cells.ts_recv;
    let Some(first) = recv.first() else { return 0 };
    let follows = |before: i64, now: i64| follows(before, now, idle_max);
    let is_sound = |(bid, ask): (&i64, &i64)| bid <= ask;
    let prices = || cells.bid_px.iter().zip(cells.ask_px);
    let steps = || recv.iter().zip(recv.iter().skip(1));
    let are_plain = wide(
        #[inline(always)]
        || {
            let sound = prices().fold(true, |all, pair| all & is_sound(pair));
            steps().fold(sound, |all, (before, now)| all & follows(*before, *now))
        },
    );
    let begins = follows(last, *first);
    if are_plain && begins {
        return recv.len();
    }
    // Somewhere it ends; where, is seen one by one.
    let befores = std::iter::once(&last).chain(recv);
    let each = befores.zip(recv).zip(prices());
    each.take_while(|((before, now), pair)| follows(**before, **now) && is_sound(*pair)).count()
}

/// How many of the first records were received in order, each soon enough behind the last.
fn first_in_time(recv: &[i64], last: i64, idle_max: i64) -> usize {
    let Ok(idle_max) = u64::try_from(idle_max) else { return 0 };
    let befores = std::iter::once(&last).chain(recv);
    befores.zip(recv).take_while(|(before, now)| follows(**before, **now, idle_max)).count()
}

/// Whether one time comes behind another, and soon enough. A difference that does not fit its type is
/// beyond any bound as well.
#[inline(always)]
fn follows(before: i64, now: i64, idle_max: u64) -> bool {
    (now >= before) & (now.wrapping_sub(before).cast_unsigned() <= idle_max)
}
