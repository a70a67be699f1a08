//! The rules: a line each. Configuration, listings and reports read this table.

use qt_model::words::Severity;

/// What a threshold or the measure of a finding counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Nothing: the rule only counts.
    None,
    Nanos,
    /// Millionths of a whole.
    Ppm,
    /// How many times as large.
    Times,
    Records,
}

/// A threshold of a rule: its key in a rules file, and its value unless one says otherwise.
#[derive(Clone, Copy, Debug)]
pub struct Threshold {
    pub key: &'static str,
    pub default: i64,
    pub unit: Unit,
}

const SECOND: i64 = 1_000_000_000;

const fn limit(key: &'static str, default: i64, unit: Unit) -> Option<Threshold> {
    Some(Threshold { key, default, unit })
}

macro_rules! rules {
    ($($(#[doc = $doc:literal])+ $rule:ident $name:literal $severity:ident $unit:ident $threshold:expr;)*) => {
        /// Something that can be wrong, or odd, about market data.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Rule { $($(#[doc = $doc])+ $rule,)* }

        impl Rule {
            pub const ALL: &'static [Self] = &[$(Self::$rule),*];

            pub fn name(self) -> &'static str {
                match self { $(Self::$rule => $name,)* }
            }

            /// What it means, in a sentence.
            pub fn doc(self) -> &'static str {
                match self { $(Self::$rule => concat!($($doc),+).trim_ascii(),)* }
            }

            /// How bad it is unless a rules file says otherwise.
            pub fn severity(self) -> Severity {
                match self { $(Self::$rule => Severity::$severity,)* }
            }

            /// What the measure of a finding counts.
            pub fn unit(self) -> Unit {
                match self { $(Self::$rule => Unit::$unit,)* }
            }

            pub fn threshold(self) -> Option<Threshold> {
                match self { $(Self::$rule => $threshold,)* }
            }
        }
    };
}

rules! {
    /// Records cannot be read, such as a letter in a numeric column.
    Unreadable "unreadable" Error None None;
    /// The schema changes: other scales for an instrument that is known, or another version.
    Schema "schema" Error None None;
    /// Records of a kind that this version does not know.
    UnknownKind "unknown-kind" Warning None None;
    /// A record was received before the one in front of it.
    OrderRecv "order-recv" Error Nanos None;
    /// The venue's clock runs backwards within one kind; venues with several streams do that.
    OrderEvent "order-event" Info Nanos None;
    /// A time before the year 2000, or an event further ahead of its reception than the bound.
    TimeRange "time-range" Error Nanos limit("ahead", 5 * SECOND, Unit::Nanos);
    /// Events carry a later time than their reception: the receiver's clock is behind.
    ClockBehind "clock-behind" Warning Nanos None;
    /// The quickest message of an hour came later, or earlier, than that of the hour before: a clock drifts.
    ClockDrift "clock-drift" Warning Nanos limit("max", SECOND / 10, Unit::Nanos);
    /// Messages were long under way.
    Latency "latency" Warning Nanos limit("max", 10 * SECOND, Unit::Nanos);
    /// The same record, or a trade of the same number, stands twice.
    Duplicate "duplicate" Error None None;
    /// Numbers that rise by one elsewhere leave something out.
    Sequence "sequence" Error Records None;
    /// A recorder noticed that data is missing and said so.
    Gap "gap" Error Records None;
    /// A checksum of the venue failed, or a frame was damaged.
    Checksum "checksum" Error Records None;
    /// Changes of a book without a snapshot before them: there is no book to change.
    NoSnapshot "no-snapshot" Warning None None;
    /// The best bid is above the best ask while the market is open.
    Crossed "crossed" Error Ppm None;
    /// The same outside of open trading, where orders wait for an auction.
    CrossedPreOpen "crossed-pre-open" Info Ppm None;
    /// The best bid equals the best ask.
    Locked "locked" Info None None;
    /// The book that the changes make is crossed while the market is open.
    CrossedBook "crossed-book" Error Ppm None;
    /// A quote has one side only.
    OneSided "one-sided" Info None None;
    /// A quote has no side at all.
    EmptyQuote "empty-quote" Info None None;
    /// The spread is too large a part of the price.
    Spread "spread" Warning Ppm limit("max", 50_000, Unit::Ppm);
    /// A price of zero.
    ZeroPrice "zero-price" Error None None;
    /// A price below zero, which spreads and rates may have.
    NegativePrice "negative-price" Warning None None;
    /// A print of no size, which some venues use for corrections and indications.
    ZeroSize "zero-size" Info None None;
    /// A print is many times the average of those before it.
    Size "size" Warning Times limit("times", 100_000, Unit::Times);
    /// A price that is no multiple of the tick.
    Tick "tick" Error None None;
    /// The price moves far from one print to the next.
    Jump "jump" Warning Ppm limit("max", 100_000, Unit::Ppm);
    /// Nothing of an instrument for too long while its market is open.
    Silence "silence" Error Nanos limit("after", 900 * SECOND, Unit::Nanos);
    /// One kind of an instrument stops, or quotes stop to change, while the rest goes on.
    Stale "stale" Warning Nanos limit("after", 3_600 * SECOND, Unit::Nanos);
    /// Too small a part of the open hours has data.
    Coverage "coverage" Error Ppm limit("min", 950_000, Unit::Ppm);
    /// A day loses too much, or its venue is away for too long.
    GradeBad "grade-bad" Error None None;
    /// A day has stretches that cannot be trusted.
    GradeDegraded "grade-degraded" Warning None None;
    /// Only a part of a day is there.
    GradePartial "grade-partial" Info None None;
    /// A bar whose prices contradict each other, or that ends before it begins.
    Bar "bar" Error None None;
    /// Bars of fixed length leave intervals out, as many sources do where nothing traded.
    BarMissing "bar-missing" Info Records None;
}

impl Rule {
    pub const COUNT: usize = Self::ALL.len();

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|rule| rule.name() == name)
    }

    pub(super) const fn index(self) -> usize {
        self as usize
    }
}

/// How one rule is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// `None`: the rule is off.
    pub severity: Option<Severity>,
    /// So many are let pass: fewer or as many are worth a note only.
    pub allow: u64,
    pub threshold: i64,
}

/// How all rules are held for an instrument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits([Limit; Rule::COUNT]);

impl Default for Limits {
    fn default() -> Self {
        let mut limits = [Limit { severity: None, allow: 0, threshold: 0 }; Rule::COUNT];
        for rule in Rule::ALL {
            let threshold = rule.threshold().map_or(0, |threshold| threshold.default);
            limits[rule.index()] = Limit { severity: Some(rule.severity()), allow: 0, threshold };
        }
        Self(limits)
    }
}

impl Limits {
    #[inline]
    pub fn get(&self, rule: Rule) -> &Limit {
        &self.0[rule.index()]
    }

    pub fn get_mut(&mut self, rule: Rule) -> &mut Limit {
        &mut self.0[rule.index()]
    }

    #[inline]
    pub(super) fn threshold(&self, rule: Rule) -> i64 {
        self.0[rule.index()].threshold
    }
}
