//! What decoders write to: records, or the decimals that they will need.

use std::collections::BTreeMap;
use std::sync::Arc;

use qt_model::decimal::{self, DecimalError};
use qt_model::ids::InstrumentId;
use qt_model::instrument::{Instrument, Instruments, Symbol};
use qt_model::record::{Batch, Head, InstrumentRow, Kind, Level, Other, Table};
use qt_model::time::Ts;
use qt_model::units::{Px, Qty, Scale};
use rust_decimal::Decimal;

use super::super::{Hints, ImportInput, Notes};
use super::cells::misread;
use crate::error::{Problem, excerpt};
use crate::read::Options;
use crate::universe::Universe;

/// The way from a decoder to a batch.
#[derive(Debug)]
pub(in crate::import) struct Out {
    pub(in crate::import) hints: Hints,
    pub(in crate::import) notes: Notes,
    universe: Universe,
    table: Arc<Instruments>,
    known: BTreeMap<Box<str>, usize>,
    instruments: Vec<Seen>,
    last: Option<(Box<str>, usize)>,
    latency_ns: i64,
    batch: Batch,
    /// While measuring: the first time that any record was received.
    measured: Option<Option<Ts>>,
    /// Counts the decimals of a number, while measuring.
    decimals: fn(&[u8]) -> Option<u8>,
}

/// An instrument of this input.
#[derive(Debug)]
struct Seen {
    symbol: Symbol,
    id: Option<InstrumentId>,
    px_scale: Scale,
    qty_scale: Scale,
    /// What follows from its data so far, while measuring.
    px_digits: u8,
    qty_digits: u8,
    /// Whether it has to be declared by a record, being met too late for a header.
    is_late: bool,
    /// The next number of each kind.
    seq: Vec<u64>,
}

/// A handle on an instrument of this input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::import) struct Which(usize);

impl Out {
    pub(super) fn new(input: &ImportInput, hints: &Hints, options: &Options) -> Self {
        Self {
            hints: hints.clone(),
            notes: input.notes.clone(),
            universe: options.universe.clone(),
            table: options.universe.snapshot(),
            known: BTreeMap::new(),
            instruments: Vec::new(),
            last: None,
            latency_ns: options.feed_latency_ns,
            batch: Batch::default(),
            measured: None,
            decimals: decimal::decimals_of,
        }
    }

    /// Measures instead of making records.
    pub(super) fn measuring(mut self) -> Self {
        self.measured = Some(None);
        // What is measured twice should be said once.
        self.notes = Notes::default();
        self
    }

    /// Like `measuring`, where only a part can be seen: zeros behind a point count as digits that
    /// the rest may use.
    pub(super) fn measuring_a_part(self) -> Self {
        Self { decimals: decimal::decimals_written, ..self.measuring() }
    }

    /// Declares what was measured; the first time of all.
    pub(super) fn declare(self) -> Result<Option<Ts>, Problem> {
        for seen in self.instruments {
            let scale = |hint: Option<Scale>, digits: u8| {
                hint.map_or_else(|| Scale::new(digits), Ok).expect("digits were measured in range")
            };
            let px_scale = scale(self.hints.px_scale, seen.px_digits);
            let qty_scale = scale(self.hints.qty_scale, seen.qty_digits);
            let instrument = Instrument::new(seen.symbol, px_scale, qty_scale);
            self.universe.declare(instrument).map_err(|source| Problem::Table { source })?;
        }
        Ok(self.measured.flatten())
    }

    /// The instrument of that venue and name, after what the user says about both.
    pub(in crate::import) fn instrument(
        &mut self,
        venue: &str,
        name: &str,
    ) -> Result<Which, Problem> {
        match self.hints.symbol.clone() {
            Some(name) => self.instrument_as(venue, &name),
            None => self.instrument_as(venue, name),
        }
    }

    /// Like `instrument`, for a name that was made of what the user says.
    pub(in crate::import) fn instrument_as(
        &mut self,
        venue: &str,
        name: &str,
    ) -> Result<Which, Problem> {
        let venue = self.hints.venue.as_deref().unwrap_or(venue);
        let is = |text: &str| {
            text.len() == venue.len() + name.len() + 1
                && text.starts_with(venue)
                && text.ends_with(name)
        };
        if let Some((_, at)) = self.last.as_ref().filter(|(text, _)| is(text)) {
            return Ok(Which(*at));
        }
        let text = format!("{venue}:{name}");
        let at = match self.known.get(text.as_str()) {
            Some(at) => *at,
            None => self.meet(&text)?,
        };
        self.last = Some((text.into(), at));
        Ok(Which(at))
    }

    fn meet(&mut self, text: &str) -> Result<usize, Problem> {
        let symbol = Symbol::new(text).map_err(|source| Problem::Symbol { source })?;
        let mut seen = Seen {
            symbol,
            id: None,
            px_scale: Scale::ZERO,
            qty_scale: Scale::ZERO,
            px_digits: 0,
            qty_digits: 0,
            is_late: false,
            seq: vec![0; Kind::ALL.len()],
        };
        if self.measured.is_none() {
            self.resolve(&mut seen)?;
        }
        self.known.insert(text.into(), self.instruments.len());
        self.instruments.push(seen);
        Ok(self.instruments.len() - 1)
    }

    /// Gives an instrument its id and scales: those declared, else those that leave most room.
    fn resolve(&mut self, seen: &mut Seen) -> Result<(), Problem> {
        const ROOMY: u8 = 8;
        self.table = self.universe.snapshot();
        if self.table.find(seen.symbol.as_str()).is_none() {
            let roomy = Scale::new(ROOMY).expect("eight is a scale");
            let px = self.hints.px_scale.unwrap_or(roomy);
            let qty = self.hints.qty_scale.unwrap_or(roomy);
            let instrument = Instrument::new(seen.symbol.clone(), px, qty);
            self.universe.join(instrument).map_err(|source| Problem::Table { source })?;
            self.table = self.universe.snapshot();
            seen.is_late = true;
        }
        seen.id = self.table.find(seen.symbol.as_str());
        let known = self.table.get(seen.id.expect("it was declared just now"));
        (seen.px_scale, seen.qty_scale) = (known.px_scale, known.qty_scale);
        Ok(())
    }

    #[inline]
    pub(in crate::import) fn px(
        &mut self,
        which: Which,
        field: &str,
        text: &[u8],
    ) -> Result<Px, Problem> {
        let seen = &mut self.instruments[which.0];
        if self.measured.is_some() {
            seen.px_digits = seen.px_digits.max((self.decimals)(text).unwrap_or(0));
            return Ok(Px::new(0));
        }
        let scale = seen.px_scale;
        match decimal::parse(text, scale) {
            Ok(mantissa) => Ok(Px::new(mantissa)),
            Err(source) => self.rounded(field, source, text, scale, "--px-scale").map(Px::new),
        }
    }

    #[inline]
    pub(in crate::import) fn qty(
        &mut self,
        which: Which,
        field: &str,
        text: &[u8],
    ) -> Result<Qty, Problem> {
        let seen = &mut self.instruments[which.0];
        if self.measured.is_some() {
            seen.qty_digits = seen.qty_digits.max((self.decimals)(text).unwrap_or(0));
            return Ok(Qty::ZERO);
        }
        let scale = seen.qty_scale;
        let mantissa = match decimal::parse(text, scale) {
            Ok(mantissa) => mantissa,
            Err(source) => self.rounded(field, source, text, scale, "--qty-scale")?,
        };
        Qty::new(mantissa).map_err(|_| misread(field, "a size that is not below zero", text))
    }

    /// A number with more decimals than its scale, where the user allows to round it.
    #[cold]
    fn rounded(
        &self,
        field: &str,
        source: DecimalError,
        text: &[u8],
        scale: Scale,
        flag: &str,
    ) -> Result<i64, Problem> {
        let is_finer = matches!(source, DecimalError::DoesNotFit { .. });
        let money = decimal::parse_money(text).filter(|_| self.hints.round && is_finer);
        let rounded = money.map(|money| money.round_dp(u32::from(scale.digits())).to_string());
        let mantissa = rounded.and_then(|text| decimal::parse(text.as_bytes(), scale).ok());
        if mantissa.is_some() {
            self.notes.add("numbers were rounded to the scale of their instrument", 1);
        }
        mantissa.ok_or_else(|| number(field, source, text, flag))
    }

    /// A whole number at a decimal scale of the format, such as ten-thousandths, as a price.
    pub(in crate::import) fn px_of(
        &mut self,
        which: Which,
        field: &str,
        value: i64,
        scale: Scale,
    ) -> Result<Px, Problem> {
        let seen = &mut self.instruments[which.0];
        if self.measured.is_some() {
            seen.px_digits = seen.px_digits.max(scale.digits());
            return Ok(Px::new(0));
        }
        scale.rescale(value, seen.px_scale).map(Px::new).ok_or_else(|| {
            let source = DecimalError::DoesNotFit { scale: seen.px_scale.digits() };
            number(field, source, value.to_string().as_bytes(), "--px-scale")
        })
    }

    /// An amount of money or a rate.
    pub(in crate::import) fn money(&self, field: &str, text: &[u8]) -> Result<Decimal, Problem> {
        decimal::parse_money(text).ok_or_else(|| misread(field, "a decimal number", text))
    }

    /// The next head of a kind. Without a receive time of its own a record takes its event time
    /// and the declared latency of the feed.
    pub(in crate::import) fn head<T: Table>(
        &mut self,
        which: Which,
        ts_event: Ts,
        ts_recv: Option<Ts>,
    ) -> Head {
        let late = ts_event.checked_add_nanos(self.latency_ns).unwrap_or(ts_event);
        let seen = &mut self.instruments[which.0];
        let next = &mut seen.seq[T::KIND.index()];
        let seq = *next;
        *next += 1;
        Head::new(ts_event, ts_recv.unwrap_or(late), seq, seen.id)
    }

    /// A record of a kind that has no type here: its members as JSON, each behind a comma.
    pub(in crate::import) fn other(&mut self, which: Which, kind: &str, ts: Ts, members: &str) {
        let head = self.head::<Other>(which, ts, None);
        let Head { ts_event, ts_recv, seq, .. } = head;
        let symbol = &self.instruments[which.0].symbol;
        let json = format!(
            r#"{{"k":"{kind}","ts_event":"{ts_event}","ts_recv":"{ts_recv}","sym":"{symbol}"{members},"seq":{seq}}}"#
        );
        self.push(which, Other { head, kind: kind.to_owned(), json }, &[]);
    }

    #[inline]
    pub(in crate::import) fn push<T: Table>(&mut self, which: Which, row: T, levels: &[Level]) {
        let ts_recv = row.head().ts_recv;
        if let Some(first) = &mut self.measured {
            *first = Some(first.map_or(ts_recv, |first| first.min(ts_recv)));
            return;
        }
        if self.instruments[which.0].is_late {
            self.introduce(which, ts_recv);
        }
        self.batch.push_row(row, levels);
    }

    /// Writes the terms of an instrument that no header can know.
    #[cold]
    fn introduce(&mut self, which: Which, ts_recv: Ts) {
        self.instruments[which.0].is_late = false;
        let mut head = self.head::<InstrumentRow>(which, ts_recv, Some(ts_recv));
        head.has_event_time = false;
        let id = self.instruments[which.0].id.expect("a late instrument was declared");
        let instrument = self.table.get(id).clone();
        self.batch.push_row(InstrumentRow::of(&instrument, head), &[]);
    }

    /// Whether records are made, and not only measured.
    pub(in crate::import) fn is_decoding(&self) -> bool {
        self.measured.is_none()
    }

    pub(super) fn len(&self) -> usize {
        self.batch.len()
    }

    /// Hands out what was made.
    pub(super) fn take(&mut self, batch: &mut Batch) {
        self.batch.set_instruments(Arc::clone(&self.table));
        std::mem::swap(batch, &mut self.batch);
        self.batch.clear();
    }
}

#[cold]
fn number(field: &str, source: DecimalError, found: &[u8], flag: &str) -> Problem {
    match source {
        DecimalError::DoesNotFit { scale } => {
            let found = excerpt(found);
            let message = format!(
                "field `{field}`: more than the {scale} decimals of its instrument, found {found}; \
                 pass {flag} with as many as there are, or --round"
            );
            Problem::Row { message }
        }
        DecimalError::NotANumber if found.iter().any(|byte| b",' _".contains(byte)) => {
            let found = excerpt(found);
            let message = format!(
                "field `{field}`: expected a decimal number, found {found}; where digits are in \
                 groups, or the decimals behind a comma, `--map` says so"
            );
            Problem::Row { message }
        }
        DecimalError::Overflow { scale } => {
            let found = excerpt(found);
            let message = format!(
                "field `{field}`: more than 18 digits at {scale} decimals, found {found}; other rows \
                 have so many decimals: pass {flag} with fewer, and --round to round those"
            );
            Problem::Row { message }
        }
        source @ DecimalError::NotANumber => {
            Problem::Number { field: field.to_owned(), source, found: excerpt(found) }
        }
    }
}
