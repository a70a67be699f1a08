//! What an account is worth while that is a line over one mark: many worths, each in loops over words.
//!
//! Invariant: what comes of it is what comes of worths told one by one, to the last bit. What is exact
//! may be summed in words; doubles are summed in the same order. Absent on purpose: worths beyond a
//! word, and positions nobody could lend on: those do go one by one.

use qt_model::time::Ts;

use super::exposure::Worth;
use super::quoted::Quoted;
use crate::ledger::{Amount, DoublePx, Line, Money, Precision, Words};

/// Marks that follow each other, each with its instant, and between what prices they lie.
#[derive(Debug, Default)]
pub struct Path {
    marks: Vec<(Ts, DoublePx)>,
    low: DoublePx,
    high: DoublePx,
}

impl Path {
    /// Forgets the marks and keeps the memory.
    pub fn clear(&mut self) {
        self.marks.clear();
    }

    /// Adds the mark from an instant on, which is not before the last one.
    #[inline]
    pub fn push(&mut self, ts: Ts, mark: DoublePx) {
        let (low, high) = if self.marks.is_empty() { (mark, mark) } else { (self.low, self.high) };
        (self.low, self.high) = (low.min(mark), high.max(mark));
        self.marks.push((ts, mark));
    }

    /// Adds the middles of best prices, but for those that are as the one before, the first of which is
    /// `last`.
    pub fn quotes(&mut self, last: &mut DoublePx, quoted: Quoted<'_>) {
        let begun = self.marks.len();
        let is_news = |(_, mid): &(Ts, DoublePx)| std::mem::replace(last, *mid) != *mid;
        let times = quoted.at.iter().map(|at| Ts::from_nanos(*at));
        self.marks.extend(times.zip(quoted.mids()).filter(is_news));
        let Some((_, first)) = self.marks.get(begun) else { return };
        let ends = if begun == 0 { (*first, *first) } else { (self.low, self.high) };
        let wider = |(low, high): (DoublePx, DoublePx), (_, mark): &(Ts, DoublePx)| {
            (low.min(*mark), high.max(*mark))
        };
        (self.low, self.high) = self.marks[begun..].iter().fold(ends, wider);
    }

    pub(super) fn marks(&self) -> &[(Ts, DoublePx)] {
        &self.marks
    }

    /// The line in words, where all that lies on the path fits them: a line has its extremes at the ends.
    pub(super) fn words(&self, line: &Line) -> Option<Words> {
        line.words(self.low, self.high)
    }

    /// The same as steps, where equity stays above zero and the position on its side.
    pub(super) fn steps(&self, line: &Line, precision: Precision) -> Option<Steps> {
        let (words, unit) = self.words(line).zip(Money::unit_of(precision))?;
        let [low, high] = [self.low, self.high].map(|mark| (words.equity(mark), words.net(mark)));
        let is_sound = low.0 > 0 && high.0 > 0 && low.1.signum() * high.1.signum() > 0;
        is_sound.then_some(Steps { words, unit, is_long: low.1 > 0 })
    }
}

/// A line over marks along which equity is above zero and something is held on one side.
#[derive(Clone, Copy, Debug)]
pub(super) struct Steps {
    pub(super) words: Words,
    /// Units of money to one of the words.
    pub(super) unit: i64,
    pub(super) is_long: bool,
}

impl Steps {
    #[inline]
    pub(super) fn money(&self, words: i64) -> Money {
        Money::from_units(i128::from(words) * i128::from(self.unit))
    }

    pub(super) fn worth(&self, mark: DoublePx) -> Worth {
        let (equity, net) = (self.words.equity(mark), self.money(self.words.net(mark)));
        Worth { equity: self.money(equity), gross: net.abs(), net }
    }

    /// The size of words, as a double of units of money: see [`Money::approximate`].
    #[inline]
    pub(super) fn approximate(&self, words: i64) -> f64 {
        Money::approximate_product(words.unsigned_abs(), self.unit.unsigned_abs())
    }
}

/// The highest worth so far, and the deepest fall from one, in money.
#[derive(Clone, Copy, Debug)]
pub struct Extremes {
    peak: Amount,
    fall: Amount,
}

impl Extremes {
    pub fn new(start: Amount) -> Self {
        Self { peak: start, fall: Amount::ZERO }
    }

    /// The deepest fall from a peak; zero or above.
    pub fn fall(&self) -> Amount {
        self.fall
    }

    /// Takes in a worth; says whether it is a new peak or the deepest fall from one.
    #[inline]
    pub fn observe(&mut self, equity: Amount) -> bool {
        let is_peak = equity > self.peak;
        if is_peak {
            self.peak = equity;
        }
        let fall = self.peak - equity;
        let is_deepest = fall > self.fall;
        if is_deepest {
            self.fall = fall;
        }
        is_peak || is_deepest
    }

    /// The same of all worths of a path.
    pub fn along(&mut self, line: &Line, path: &Path) {
        let own = Words::word(self.peak).zip(Words::word(self.fall));
        let Some((words, (mut peak, mut fall))) = path.words(line).zip(own) else {
            path.marks.iter().for_each(|(_, mark)| {
                self.observe(line.at(*mark).0);
            });
            return;
        };
        for (_, mark) in &path.marks {
            let equity = words.equity(*mark);
            peak = peak.max(equity);
            fall = fall.max(peak - equity);
        }
        let amount = |word: i64| Amount::from_units(i128::from(word));
        (self.peak, self.fall) = (amount(peak), amount(fall));
    }
}
