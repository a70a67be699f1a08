//! Which instrument a number stands for, and when.

use std::collections::HashMap;
use std::sync::Arc;

use dbn::{Metadata, TsSymbolMap};
use qt_model::ids::InstrumentId;
use qt_model::instrument::{Instrument, Instruments, Symbol};
use qt_model::record::{Head, Kind, Table};
use qt_model::time::Ts;
use qt_model::units::Scale;

use super::super::Hints;
use crate::error::Problem;
use crate::read::Options;
use crate::universe::Universe;

/// Prices are whole billionths.
pub(super) const BILLIONTHS: Scale = match Scale::new(9) {
    Ok(scale) => scale,
    Err(_) => panic!("nine is a scale"),
};

/// An instrument of the file, with what its next record needs.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) id: InstrumentId,
    pub(super) px_scale: Scale,
    pub(super) qty_unit: i64,
    seq: [u64; Kind::ALL.len()],
}

impl Known {
    #[inline]
    pub(super) fn head<T: Table>(&mut self, ts_event: Option<Ts>, ts_recv: Ts) -> Head {
        let next = &mut self.seq[T::KIND.index()];
        *next += 1;
        let has_event_time = ts_event.is_some();
        let ts_event = ts_event.unwrap_or(ts_recv);
        Head { ts_event, ts_recv, seq: *next - 1, instrument: Some(self.id), has_event_time }
    }
}

/// The numbers of a file.
#[derive(Debug)]
pub(super) struct Numbers {
    venue: String,
    hints: Hints,
    universe: Universe,
    pub(super) table: Arc<Instruments>,
    map: TsSymbolMap,
    known: Vec<Known>,
    by_symbol: HashMap<String, usize>,
    /// The answer to the last question: number, day, instrument.
    last: Option<(u32, u64, usize)>,
}

const DAY: u64 = 86_400_000_000_000;

impl Numbers {
    /// Declares all instruments that the metadata names.
    pub(super) fn new(
        metadata: &Metadata,
        hints: &Hints,
        options: &Options,
    ) -> Result<Self, Problem> {
        let dataset = metadata.dataset.split('.').next().unwrap_or_default().to_lowercase();
        let dataset = if dataset.is_empty() { "databento".to_owned() } else { dataset };
        // Live streams and some requests map nothing beforehand; records say it on the way.
        let map = metadata.symbol_map().unwrap_or_default();
        let mut numbers = Self {
            venue: hints.venue.clone().unwrap_or(dataset),
            hints: hints.clone(),
            universe: options.universe.clone(),
            table: options.universe.snapshot(),
            map,
            known: Vec::new(),
            by_symbol: HashMap::new(),
            last: None,
        };
        let mut names: Vec<String> = Vec::new();
        for intervals in numbers.map.inner().values() {
            names.extend(intervals.intervals().iter().map(|interval| interval.symbol.clone()));
        }
        names.sort();
        names.dedup();
        for name in &names {
            let instrument = numbers.instrument(name)?;
            let declared = numbers.universe.declare(instrument);
            declared.map_err(|source| Problem::Table { source })?;
        }
        numbers.table = numbers.universe.snapshot();
        Ok(numbers)
    }

    fn instrument(&self, name: &str) -> Result<Instrument, Problem> {
        let name = self.hints.symbol.as_deref().unwrap_or(name);
        let symbol = Symbol::new(&format!("{}:{}", self.venue, name.replace(' ', "_")));
        let symbol = symbol.map_err(|source| Problem::Symbol { source })?;
        let px_scale = self.hints.px_scale.unwrap_or(BILLIONTHS);
        Ok(Instrument::new(symbol, px_scale, self.hints.qty_scale.unwrap_or(Scale::ZERO)))
    }

    /// The instrument of a number at a time. Numbers change hands from day to day.
    #[inline]
    pub(super) fn find(&mut self, number: u32, ts: Ts) -> Result<&mut Known, Problem> {
        let ts = ts.nanos().cast_unsigned();
        if let Some((last, day, at)) = self.last
            && (last, day) == (number, ts / DAY)
        {
            return Ok(&mut self.known[at]);
        }
        let at = self.look_up(number, ts)?;
        self.last = Some((number, ts / DAY, at));
        Ok(&mut self.known[at])
    }

    #[cold]
    fn look_up(&mut self, number: u32, ts: u64) -> Result<usize, Problem> {
        let name = self.map.get_for_ts(ts, number).cloned();
        // A number that nobody names is still an instrument.
        let name = name.unwrap_or_else(|| number.to_string());
        if let Some(at) = self.by_symbol.get(&name) {
            return Ok(*at);
        }
        let instrument = self.instrument(&name)?;
        let symbol = instrument.symbol.clone();
        if self.table.find(symbol.as_str()).is_none() {
            self.universe.join(instrument).map_err(|source| Problem::Table { source })?;
        }
        self.table = self.universe.snapshot();
        let id = self.table.find(symbol.as_str()).expect("the instrument was just declared");
        let known = self.table.get(id);
        let qty_unit = known.qty_scale.unit();
        self.known.push(Known {
            id,
            px_scale: known.px_scale,
            qty_unit,
            seq: [0; Kind::ALL.len()],
        });
        self.by_symbol.insert(name, self.known.len() - 1);
        Ok(self.known.len() - 1)
    }

    /// Takes what a record says about a number, from its time on.
    pub(super) fn map(&mut self, number: u32, from: u64, to: u64, name: &str) {
        self.last = None;
        // What ends before it begins maps nothing.
        let _ = self.map.insert(number, from, to, name);
    }

    /// Whether somebody said what a number stands for.
    pub(super) fn is_named(&self, number: u32, ts: u64) -> bool {
        self.map.get_for_ts(ts, number).is_some()
    }
}
