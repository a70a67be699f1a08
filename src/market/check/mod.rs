//! Rules about market data: what is missing, impossible, doubtful or merely odd in a stream.
//!
//! A [`Checker`] sees records in stream order and sums up what it finds, a line for each rule,
//! instrument and kind, so that memory grows with the number of instruments and never with the
//! stream. Whether a finding fails a gate is a matter of its severity, which a [`Limits`] sets.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "market records are looked at; other kinds pass"
)]

mod clock;
mod days;
mod market;
mod pace;
mod presence;
mod rule;
mod tally;

#[cfg(test)]
mod tests;

use std::ops::Range;
use std::sync::Arc;

use qt_model::ids::InstrumentId;
use qt_model::instrument::{Instruments, Symbol};
use qt_model::record::{Batch, Finding, Head, Kind, Record};
use qt_model::time::Ts;
use qt_model::words::{Grade, Severity};

pub use days::Day;
pub use rule::{Limit, Limits, Rule, Threshold, Unit};
pub use tally::Tally;

use crate::calendar::Calendar;
use days::Days;
use market::Market;
use tally::Tallies;

/// Chooses how an instrument is held to the rules.
pub type LimitsOf = Box<dyn Fn(&Symbol) -> Arc<Limits> + Send>;

/// Holds records against the rules.
pub struct Checker {
    limits_of: LimitsOf,
    common: Arc<Limits>,
    calendar: Calendar,
    markets: Vec<Option<Box<Market>>>,
    /// The days of each venue, and for each instrument the place of its venue among them.
    days: Vec<(String, Days)>,
    venues: Vec<Option<usize>>,
    /// Findings about no instrument.
    common_tallies: Tallies,
    last_recv: Option<Ts>,
    records: u64,
}

impl std::fmt::Debug for Checker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Checker").field("records", &self.records).finish_non_exhaustive()
    }
}

/// What was found, and in how much.
#[derive(Debug, Default)]
pub struct Report {
    pub records: u64,
    /// By symbol, rule and kind; findings about no instrument come first.
    pub findings: Vec<Found>,
    /// By venue and date.
    pub days: Vec<Day>,
}

/// One line of a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub rule: Rule,
    pub severity: Severity,
    /// Whether it is more than the rules let pass.
    pub exceeds: bool,
    pub instrument: Option<InstrumentId>,
    pub symbol: Option<Symbol>,
    pub kind: Kind,
    pub tally: Tally,
    /// What else there is to say.
    pub detail: Option<String>,
}

impl Checker {
    pub fn new(calendar: Calendar, common: Arc<Limits>, limits_of: LimitsOf) -> Self {
        Self {
            limits_of,
            common,
            calendar,
            markets: Vec::new(),
            days: Vec::new(),
            venues: Vec::new(),
            common_tallies: Tallies::default(),
            last_recv: None,
            records: 0,
        }
    }

    /// Looks at the records of a batch, in stream order.
    pub fn batch(&mut self, batch: &Batch) {
        self.range(batch, 0..batch.len());
    }

    /// Looks at some neighbours of a batch.
    pub fn range(&mut self, batch: &Batch, places: Range<usize>) {
        self.records += places.len() as u64;
        let (instruments, slots) = (batch.instruments(), batch.slots());
        let mut at = places.start;
        while at < places.end {
            match self.run(batch, &slots[at..places.end]) {
                0 => {
                    self.record(&batch.get(at), instruments);
                    at += 1;
                }
                followed => at += followed,
            }
        }
    }

    fn record(&mut self, record: &Record<'_>, instruments: &Instruments) {
        let (head, kind) = (record.head(), record.kind());
        let last = self.last_recv.replace(head.ts_recv);
        let back = match last {
            Some(last) if head.ts_recv < last => last.since(head.ts_recv),
            _ => 0,
        };
        let Some(id) = head.instrument else { return self.nobody(record, back) };
        let at = id.index();
        if self.markets.len() <= at {
            self.markets.resize_with(instruments.len().max(at + 1), || None);
            self.venues.resize(self.markets.len(), None);
        }
        let venue = match self.venues[at] {
            Some(venue) => venue,
            None => self.meet(id, instruments),
        };
        let market = self.markets[at].get_or_insert_with(|| {
            let instrument = instruments.get(id);
            Box::new(Market::new(instrument, (self.limits_of)(&instrument.symbol)))
        });
        if back > 0 {
            market.tallies.note(Rule::OrderRecv, kind, head.ts_recv, back);
        }
        market.record(record, &self.calendar);
        match record {
            Record::Gap(view) => self.days[venue].1.gap(view.row),
            _ if kind.is_market() => self.days[venue].1.see(head.ts_recv, &self.calendar),
            _ => {}
        }
    }

    /// The place of an instrument's venue.
    #[cold]
    fn meet(&mut self, id: InstrumentId, instruments: &Instruments) -> usize {
        let name = instruments.get(id).symbol.venue();
        let known = self.days.iter().position(|(venue, _)| venue == name);
        let place = known.unwrap_or_else(|| {
            self.days.push((name.to_owned(), Days::default()));
            self.days.len() - 1
        });
        self.venues[id.index()] = Some(place);
        place
    }

    #[cold]
    fn nobody(&mut self, record: &Record<'_>, back: i64) {
        let (head, kind) = (record.head(), record.kind());
        if back > 0 {
            self.common_tallies.note(Rule::OrderRecv, kind, head.ts_recv, back);
        }
        match record {
            // A break that names no instrument concerns them all.
            Record::Gap(view) => {
                for market in self.markets.iter_mut().flatten() {
                    market.forget();
                }
                for (_, days) in &mut self.days {
                    days.gap(view.row);
                }
                self.common_tallies.note(
                    market::gap_rule(view.row),
                    kind,
                    head.ts_recv,
                    market::missing(view.row),
                );
            }
            Record::Other(_) => {
                self.common_tallies.note(Rule::UnknownKind, kind, head.ts_recv, 0);
            }
            _ => {}
        }
    }

    /// A finding that only the reader of a stream can make.
    pub fn note(&mut self, rule: Rule, kind: Kind, ts: Ts, measure: i64) {
        self.common_tallies.note(rule, kind, ts, measure);
    }

    pub fn records(&self) -> u64 {
        self.records
    }

    /// Ends the check. `span` is the stretch that was asked for, if one was.
    pub fn finish(mut self, span: Option<(Ts, Ts)>, instruments: &Instruments) -> Report {
        let mut findings = Vec::new();
        gather(&self.common_tallies, &self.common, None, &mut findings);
        for (id, instrument) in instruments.by_symbol() {
            let Some(Some(market)) = self.markets.get_mut(id.index()) else { continue };
            market.finish(&self.calendar, span);
            let who = Some((id, &instrument.symbol));
            gather(&market.tallies, &market.limits, who, &mut findings);
        }
        self.days.sort_by(|a, b| a.0.cmp(&b.0));
        let graded = self.days.iter().flat_map(|(venue, days)| days.grades(venue, &self.calendar));
        let days: Vec<Day> = graded.collect();
        findings.extend(days.iter().filter_map(|day| grade_found(day, &self.common)));
        Report { records: self.records, findings, days }
    }
}

fn gather(
    tallies: &Tallies,
    limits: &Limits,
    who: Option<(InstrumentId, &Symbol)>,
    findings: &mut Vec<Found>,
) {
    for (rule, kind, tally) in tallies.iter() {
        let limit = limits.get(rule);
        let Some(severity) = limit.severity else { continue };
        let exceeds = tally.count > limit.allow;
        let (instrument, symbol) = (who.map(|(id, _)| id), who.map(|(_, symbol)| symbol.clone()));
        let tally = *tally;
        let detail = None;
        findings.push(Found { rule, severity, exceeds, instrument, symbol, kind, tally, detail });
    }
}

/// What is to be said of a day that is not good.
fn grade_found(day: &Day, limits: &Limits) -> Option<Found> {
    let rule = match day.grade.graded.grade {
        Grade::Good => return None,
        Grade::Partial => Rule::GradePartial,
        Grade::Degraded => Rule::GradeDegraded,
        Grade::Bad => Rule::GradeBad,
    };
    let limit = limits.get(rule);
    let reasons: Vec<String> = day.grade.graded.reasons.iter().map(ToString::to_string).collect();
    let (first, last) = (day.date.start(), day.date.plus_days(1).start());
    Some(Found {
        rule,
        severity: limit.severity?,
        exceeds: limit.allow == 0,
        instrument: None,
        symbol: None,
        kind: Kind::Other,
        tally: Tally { count: 1, first, last, worst: 0, worst_at: first },
        detail: Some(format!("{} on {}, {}", day.venue, day.date, reasons.join(", "))),
    })
}

impl Report {
    /// Whether a gate that opens below that severity stays shut.
    pub fn violates(&self, gate: Severity) -> bool {
        self.findings.iter().any(|found| found.exceeds && found.severity >= gate)
    }
}

impl Found {
    /// The finding as a record of the stream.
    pub fn row(&self, place: Option<&str>) -> Finding {
        let Tally { count, first, last, .. } = self.tally;
        Finding {
            head: Head::new(last, last, 0, self.instrument),
            rule: self.rule.name().to_owned(),
            severity: self.severity,
            from: Some(first),
            to: Some(last),
            count: Some(count),
            place: place.map(str::to_owned),
            message: self.message(),
        }
    }

    /// What was found, in words, with the worst of it.
    pub fn message(&self) -> String {
        let Tally { count, worst, worst_at, .. } = self.tally;
        let doc = self.rule.doc().trim_end_matches('.');
        let times = if count == 1 { "once".to_owned() } else { format!("{count} times") };
        let kind = if self.kind == Kind::Other { "any" } else { self.kind.name() };
        let mut text = format!("{doc} ({kind}): {times}");
        if worst > 0 && self.rule.unit() != Unit::None {
            let measure = self.rule.unit().show(worst);
            text.push_str(&format!(", at worst {measure} at {worst_at}"));
        }
        if let Some(detail) = &self.detail {
            text.push_str(&format!(": {detail}"));
        }
        if !self.exceeds {
            text.push_str(", as many as are allowed");
        }
        text
    }
}

impl Unit {
    /// A measure as people read it.
    pub fn show(self, measure: i64) -> String {
        match self {
            Self::None => String::new(),
            Self::Nanos => duration(measure),
            Self::Ppm => format!("{}.{:02} %", measure / 10_000, measure % 10_000 / 100),
            Self::Times => format!("{measure} times the average"),
            Self::Records => format!("{measure} missing"),
        }
    }
}

/// A stretch of time in its largest fitting unit, with a thousandth of it.
fn duration(nanos: i64) -> String {
    let units = [
        (3_600_000_000_000, "h"),
        (60_000_000_000, "min"),
        (1_000_000_000, "s"),
        (1_000_000, "ms"),
        (1_000, "µs"),
    ];
    for (unit, name) in units {
        if nanos >= unit {
            let thousandths = i128::from(nanos) * 1_000 / i128::from(unit);
            let (whole, rest) = (thousandths / 1_000, thousandths % 1_000);
            let rest = format!(".{rest:03}");
            return format!("{whole}{} {name}", rest.trim_end_matches('0').trim_end_matches('.'));
        }
    }
    format!("{nanos} ns")
}
