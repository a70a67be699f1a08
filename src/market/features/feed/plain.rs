//! Quotes and bars that are plain: the next rows of a list, which carry no flag. Most are, so some are
//! taken at once.

use qt_model::record::{BarColumns, Head, Quote, QuoteColumns};
use qt_model::time::Ts;
use qt_model::units::{Px, Qty};

use super::columns::{Columns, bit};
use super::deep::Deep;
use super::quotes::{Cells, Quotes, TIMES};
use super::tops::{Best, Top};
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

    /// How many of the first of some quotes are plain; what follows them wants a closer look.
    pub(in super::super) fn plain_first(
        &self,
        quotes: &QuoteColumns<'_>,
        idle_max: i64,
        clocks: Clocks,
        columns: &Columns,
    ) -> usize {
        match self.are_plain(clocks, columns) {
            true => plain_first(quotes, self.last_recv.nanos(), idle_max),
            false => 0,
        }
    }

    /// Takes plain quotes, all of which are events, while none waits for its columns.
    pub(in super::super) fn quotes<'a>(
        &'a mut self,
        quotes: &QuoteColumns<'a>,
        columns: &Columns,
    ) -> Quotes<'a> {
        let cells = quotes.cells();
        let first = cells.ts_event.first().copied().map_or(Ts::MIN, Ts::from_nanos);
        let began = self.began.get_or_insert(first).nanos();
        let now = &mut self.now;
        self.nows.clear();
        // Nobody else asks how long ago the first event is.
        if columns.wants(TIMES) {
            self.nows.extend(cells.ts_event.iter().map(|event| {
                *now = (*now).max(event.saturating_sub(began));
                *now
            }));
        }
        let cells = Cells {
            bid: cells.bid_px,
            ask: cells.ask_px,
            bid_qty: cells.bid_qty,
            ask_qty: cells.ask_qty,
            ts: cells.ts_event,
            now: &self.nows,
        };
        let taken = self.tops.quotes(cells);
        if let Some(last) = taken.last() {
            self.tops.pass(last);
            let (best, _) = last;
            self.classifier.quote(best.bid.0, best.ask.0);
        }
        self.last_recv =
            quotes.cells().ts_recv.last().copied().map_or(self.last_recv, Ts::from_nanos);
        taken
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
        let rows = columns.rows()..columns.rows() + count;
        columns.open_all(count);
        let now = &mut self.now;
        let nows = cells.ts_event.iter().map(|event| {
            *now = (*now).max(event.saturating_sub(began));
            *now
        });
        if columns.wants(bit(Base::Now)) {
            columns.fill(Base::Now, rows.clone(), |places| {
                places.iter_mut().zip(nows).for_each(|(place, now)| *place = now as f64);
            });
        } else {
            nows.for_each(drop);
        }
        let scale = self.px;
        for (base, prices) in [
            (Base::Open, cells.open),
            (Base::High, cells.high),
            (Base::Low, cells.low),
            (Base::Close, cells.close),
        ] {
            columns.fill(base, rows.clone(), |places| {
                let prices = prices.iter().map(|px| Px::new(*px).to_f64(scale));
                places.iter_mut().zip(prices).for_each(|(place, px)| *place = px);
            });
        }
        let scale = self.qty;
        columns.fill(Base::Volume, rows, |places| {
            let size = |size: &i64| Qty::new(*size).unwrap_or_default().to_f64(scale);
            let sizes = cells.volume.iter().map(size);
            places.iter_mut().zip(sizes).for_each(|(place, size)| *place = size);
        });
        self.last_recv = Ts::from_nanos(*last_recv);
        count
    }
}

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
