//! Bars: prints or quotes summed up, by time, by count, by size, by money, or by direction.
//!
//! Invariants: prices, sizes and money are exact; a print belongs to one bar and is never split;
//! times are those of the venue; a bar stands in the total order, behind the record that ended it;
//! what comes out does not depend on batches. Absent on purpose: any clock but that of the prints.
//! A bar of time ends with the first print behind it, so a late bar is right and not a guess.

mod clock;
mod every;
mod series;
#[cfg(test)]
mod tests;

use std::cmp::Ordering;
use std::sync::Arc;

use qt_model::ids::InstrumentId;
use qt_model::instrument::{Instrument, Instruments, Symbol};
use qt_model::record::{Bar, Batch, Key, Kind, Quote, Record, Trade};
use qt_model::time::Ts;
use qt_model::units::{Px, Qty, Scale};

use crate::aggressor::Classifier;
use crate::calendar::Calendar;
use series::{Print, Series};

pub use every::{Every, EveryError, LEARNED_PRINTS, Measure};

/// What bars are made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Of {
    #[default]
    Trades,
    Bid,
    Ask,
    /// The middle of bid and ask, exact with one decimal more than the instrument has.
    Mid,
}

/// What becomes of a print that is older than the bar at hand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Late {
    /// It counts in the bar at hand.
    #[default]
    Include,
    Drop,
}

/// How bars are made.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    pub every: Vec<Every>,
    pub of: Of,
    pub late: Late,
    /// Repeat the close in intervals of time without a print.
    pub fill_empty: bool,
    /// Write the bars that the end of the stream leaves open.
    pub unfinished: bool,
    /// Leave the records out that bars are made of, and all others.
    pub only: bool,
    /// Prints outside of its sessions count nowhere, and no bar spans two of them.
    pub calendar: Calendar,
}

/// What is worth a word besides the bars.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub bars: u64,
    /// Prints older than the bar at hand.
    pub late: u64,
    /// Prints outside of sessions.
    pub outside: u64,
    /// Prints without a size: corrections and the like.
    pub sizeless: u64,
    /// Holes too long to be filled.
    pub unfilled: u64,
    /// Bars that the end of the stream left open.
    pub unfinished: u64,
}

/// Why no bars can be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BarError {
    #[error("bars of {0} count sizes and directions, which only trades have")]
    NeedsTrades(&'static str),
    #[error(
        "bars of the mid have one decimal more than their instrument, so no other record can stand beside them"
    )]
    MidBesideRecords,
    #[error("a bar of {symbol} cannot take {step}: the instrument has not so many decimals")]
    Step { symbol: Symbol, step: rust_decimal::Decimal },
    #[error("the middle of bid and ask of {symbol} has more digits than a price holds")]
    Mid { symbol: Symbol },
    #[error("the bar of {symbol} that holds {ts} has a size beyond 18 digits")]
    TooLarge { symbol: Symbol, ts: Ts },
}

/// Makes the bars of a stream.
#[derive(Debug)]
pub struct Bars {
    rules: Rules,
    lanes: Vec<Option<Box<Lane>>>,
    /// Bars that have ended and wait for their place in the order.
    waiting: Vec<Bar>,
    /// The instruments as the bars have them.
    instruments: Arc<Instruments>,
    last_recv: Ts,
    tally: Tally,
}

/// One instrument.
#[derive(Debug)]
struct Lane {
    series: Vec<Series>,
    classifier: Classifier,
    /// The number of the next bar.
    seq: u64,
}

impl Bars {
    pub fn new(rules: Rules) -> Result<Self, BarError> {
        if rules.of != Of::Trades
            && let Some(every) = rules.every.iter().find(|every| every.needs_trades())
        {
            return Err(BarError::NeedsTrades(qt_model::words::Word::word(every.clock())));
        }
        if rules.of == Of::Mid && !rules.only {
            return Err(BarError::MidBesideRecords);
        }
        Ok(Self {
            rules,
            lanes: Vec::new(),
            waiting: Vec::new(),
            instruments: Arc::default(),
            last_recv: Ts::MIN,
            tally: Tally::default(),
        })
    }

    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// The instruments of the bars, from those of the records.
    pub fn instruments(&self, input: &Arc<Instruments>) -> Result<Arc<Instruments>, BarError> {
        if self.rules.of != Of::Mid {
            return Ok(Arc::clone(input));
        }
        let mut table = Instruments::default();
        for instrument in input.iter() {
            let symbol = || instrument.symbol.clone();
            let px_scale = Scale::new(instrument.px_scale.digits() + 1)
                .map_err(|_| BarError::Mid { symbol: symbol() })?;
            let wider = Instrument { px_scale, ..instrument.clone() };
            table.declare(wider).map_err(|_| BarError::Mid { symbol: symbol() })?;
        }
        Ok(Arc::new(table))
    }

    /// Appends what a batch comes to: its records, unless left out, and bars in their places.
    pub fn batch(&mut self, batch: &Batch, out: &mut Batch) -> Result<(), BarError> {
        if self.instruments.len() < batch.instruments().len() {
            self.instruments = self.instruments(batch.instruments())?;
        }
        if out.instruments().len() < self.instruments.len() {
            out.set_instruments(Arc::clone(&self.instruments));
        }
        for record in batch.iter() {
            if !self.waiting.is_empty() && record.kind().is_market() {
                self.write_before(Some(Key::of(&record)), out);
            }
            if !self.rules.only {
                out.push(record);
            }
            self.last_recv = self.last_recv.max(record.head().ts_recv);
            if let Some(id) = record.head().instrument {
                self.record(id, &record)?;
            }
        }
        Ok(())
    }

    /// Ends the stream.
    pub fn finish(&mut self, out: &mut Batch) {
        let Self { lanes, waiting, rules, last_recv, tally, .. } = self;
        for lane in lanes.iter_mut().flatten() {
            let first = waiting.len();
            for series in &mut lane.series {
                tally.unfinished += u64::from(series.finish(*last_recv, rules.unfinished, waiting));
            }
            lane.number(&mut waiting[first..]);
        }
        self.write_before(None, out);
    }

    fn record(&mut self, id: InstrumentId, record: &Record<'_>) -> Result<(), BarError> {
        if let Record::Bar(view) = record {
            let lane = self.lane(id)?;
            lane.seq = lane.seq.max(view.row.head.seq.saturating_add(1));
            return Ok(());
        }
        let print = match (record, self.rules.of) {
            (Record::Trade(view), Of::Trades) if view.row.qty.is_zero() => {
                self.tally.sizeless += 1;
                return Ok(());
            }
            (Record::Trade(view), Of::Trades) => self.lane(id)?.of_trade(view.row),
            (Record::Quote(view), Of::Trades) => {
                if let Some((bid, ask)) = view.row.bid_px.zip(view.row.ask_px) {
                    self.lane(id)?.classifier.quote(bid, ask);
                }
                return Ok(());
            }
            (Record::Quote(view), of) => match self.of_quote(view.row, of, id)? {
                Some(print) => print,
                None => return Ok(()),
            },
            _ => return Ok(()),
        };
        self.lane(id)?;
        let Self { lanes, waiting, rules, tally, .. } = self;
        let lane = lanes[id.index()].as_mut().expect("it was just made");
        let first = waiting.len();
        for series in &mut lane.series {
            series.print(&print, rules, tally, waiting).map_err(|_| BarError::TooLarge {
                symbol: self.instruments.get(id).symbol.clone(),
                ts: print.ts_event,
            })?;
        }
        lane.number(&mut waiting[first..]);
        Ok(())
    }

    /// The lane of an instrument.
    fn lane(&mut self, id: InstrumentId) -> Result<&mut Lane, BarError> {
        let at = id.index();
        if self.lanes.len() <= at {
            self.lanes.resize_with(self.instruments.len().max(at + 1), || None);
        }
        if self.lanes[at].is_none() {
            let instrument = self.instruments.get(id);
            let series = |every: &Every| {
                let symbol = || instrument.symbol.clone();
                Series::new(id, instrument, *every)
                    .ok_or_else(|| BarError::Step { symbol: symbol(), step: every.step() })
            };
            let series = self.rules.every.iter().map(series).collect::<Result<_, _>>()?;
            let lane = Lane { series, classifier: Classifier::default(), seq: 0 };
            self.lanes[at] = Some(Box::new(lane));
        }
        Ok(self.lanes[at].as_mut().expect("it was just made"))
    }

    fn of_quote(&self, row: &Quote, of: Of, id: InstrumentId) -> Result<Option<Print>, BarError> {
        let px = match of {
            Of::Trades => None,
            Of::Bid => row.bid_px,
            Of::Ask => row.ask_px,
            Of::Mid => match row.bid_px.zip(row.ask_px) {
                // Half of the sum, at one decimal more: five times the sum.
                Some((bid, ask)) => {
                    let mid = (i128::from(bid.mantissa()) + i128::from(ask.mantissa())) * 5;
                    let symbol = || self.instruments.get(id).symbol.clone();
                    let mid = i64::try_from(mid)
                        .ok()
                        .filter(|mid| mid.unsigned_abs() <= qt_model::decimal::MAX_MANTISSA as u64)
                        .ok_or_else(|| BarError::Mid { symbol: symbol() })?;
                    Some(Px::new(mid))
                }
                None => None,
            },
        };
        Ok(px.map(|px| Print {
            ts_event: row.head.ts_event,
            ts_recv: row.head.ts_recv,
            px,
            qty: Qty::ZERO,
            direction: 0,
            has_side: false,
            has_size: false,
        }))
    }

    /// Writes the bars whose place is before that of a record, or all of them.
    fn write_before(&mut self, key: Option<Key>, out: &mut Batch) {
        let table = &*self.instruments;
        let key_of = |bar: &Bar| Key {
            ts_recv: bar.head.ts_recv,
            kind: Kind::Bar,
            instrument: bar.head.instrument,
            seq: bar.head.seq,
        };
        self.waiting.sort_by(|a, b| key_of(a).compare(&key_of(b), table));
        let is_before =
            |bar: &Bar| key.is_none_or(|key| key_of(bar).compare(&key, table) == Ordering::Less);
        let count = self.waiting.partition_point(is_before);
        self.tally.bars += count as u64;
        for bar in self.waiting.drain(..count) {
            out.push_row(bar, &[]);
        }
    }
}

impl Lane {
    fn of_trade(&mut self, row: &Trade) -> Print {
        Print {
            ts_event: row.head.ts_event,
            ts_recv: row.head.ts_recv,
            px: row.px,
            qty: row.qty,
            direction: self.classifier.trade(row.px, row.side).direction,
            has_side: row.side.is_some(),
            has_size: true,
        }
    }

    /// Gives bars their numbers.
    fn number(&mut self, bars: &mut [Bar]) {
        for bar in bars {
            bar.head.seq = self.seq;
            self.seq += 1;
        }
    }
}
