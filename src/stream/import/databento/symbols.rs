//! Which instrument a number stands for, and when.

use std::collections::HashMap;
use std::sync::Arc;

use dbn::{Metadata, TsSymbolMap};
use qt_model::instrument::Instruments;
use qt_model::time::Ts;
use qt_model::units::Scale;

use super::super::Hints;
use super::super::roster::{Known, Roster};
use crate::error::Problem;
use crate::read::Options;

/// Prices are whole billionths.
pub(super) const BILLIONTHS: Scale = match Scale::new(9) {
    Ok(scale) => scale,
    Err(_) => panic!("nine is a scale"),
};

/// Prices in billionths, sizes in whole units.
const SCALES: (Scale, Scale) = (BILLIONTHS, Scale::ZERO);

/// The numbers of a file.
#[derive(Debug)]
pub(super) struct Numbers {
    venue: String,
    roster: Roster,
    map: TsSymbolMap,
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
        let venue = if dataset.is_empty() { "databento".to_owned() } else { dataset };
        // Live streams and some requests map nothing beforehand; records say it on the way.
        let map = metadata.symbol_map().unwrap_or_default();
        let mut roster = Roster::new(hints, options);
        let mut names: Vec<&String> = Vec::new();
        for intervals in map.inner().values() {
            names.extend(intervals.intervals().iter().map(|interval| &interval.symbol));
        }
        names.sort();
        names.dedup();
        for name in names {
            roster.declare(&venue, name, SCALES)?;
        }
        Ok(Self { venue, roster, map, by_symbol: HashMap::new(), last: None })
    }

    pub(super) fn table(&self) -> &Arc<Instruments> {
        self.roster.table()
    }

    /// The instrument of a number at a time. Numbers change hands from day to day.
    #[inline]
    pub(super) fn find(&mut self, number: u32, ts: Ts) -> Result<&mut Known, Problem> {
        let ts = ts.nanos().cast_unsigned();
        if let Some((last, day, at)) = self.last
            && (last, day) == (number, ts / DAY)
        {
            return Ok(self.roster.get(at));
        }
        let at = self.look_up(number, ts)?;
        self.last = Some((number, ts / DAY, at));
        Ok(self.roster.get(at))
    }

    fn look_up(&mut self, number: u32, ts: u64) -> Result<usize, Problem> {
        let digits;
        let name = match self.map.get_for_ts(ts, number) {
            Some(name) => name,
            // A number that nobody names is still an instrument.
            None => {
                digits = number.to_string();
                &digits
            }
        };
        if let Some(at) = self.by_symbol.get(name) {
            return Ok(*at);
        }
        let at = self.roster.add(&self.venue, name, SCALES)?;
        self.by_symbol.insert(name.clone(), at);
        Ok(at)
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
