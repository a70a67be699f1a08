//! What an account is worth while that is a line over one mark: many worths, each in loops over words.
//!
//! Invariant: what comes of it is what comes of worths told one by one, to the last bit. What is exact
//! may be summed in words; doubles are summed in the same order. Absent on purpose: worths beyond a
//! word, and positions nobody could lend on: those do go one by one.

use qt_market::features::wide;
use qt_model::time::Ts;

use super::exposure::Worth;
use super::quoted::Quoted;
use crate::ledger::{Amount, DoublePx, Line, Money, Precision, Words};

/// Marks that follow each other, each with its instant, and between what prices they lie.
#[derive(Debug, Default)]
pub struct Path {
    /// Nanoseconds.
    at: Vec<i64>,
    marks: Vec<DoublePx>,
    low: DoublePx,
    high: DoublePx,
}

/// Some of the marks of a path, and the prices between which they lie.
#[derive(Clone, Copy, Debug)]
pub(super) struct Marks<'a> {
    pub(super) at: &'a [i64],
    pub(super) marks: &'a [DoublePx],
    low: DoublePx,
    high: DoublePx,
}

impl<'a> Marks<'a> {
    #[inline]
    pub(super) fn iter(self) -> impl Iterator<Item = (Ts, DoublePx)> + 'a {
        self.at.iter().zip(self.marks).map(|(at, mark)| (Ts::from_nanos(*at), *mark))
    }

    pub(super) fn first(self) -> Option<(Ts, DoublePx)> {
        Some((Ts::from_nanos(*self.at.first()?), *self.marks.first()?))
    }

    pub(super) fn last(self) -> Option<(Ts, DoublePx)> {
        Some((Ts::from_nanos(*self.at.last()?), *self.marks.last()?))
    }

    /// All but the first, if there is one.
    pub(super) fn rest(self) -> Self {
        let (at, marks) = (self.at.get(1..), self.marks.get(1..));
        Self { at: at.unwrap_or(&[]), marks: marks.unwrap_or(&[]), ..self }
    }

    /// All of them in their order, a block at a time.
    pub(super) fn blocks(self) -> impl Iterator<Item = Self> {
        let blocks = self.at.chunks(BLOCK).zip(self.marks.chunks(BLOCK));
        blocks.map(move |(at, marks)| {
            let is_whole = at.len() == self.at.len();
            let (low, high) = if is_whole { (self.low, self.high) } else { ends(marks) };
            Self { at, marks, low, high }
        })
    }

    /// The lowest and the highest equity of all.
    #[inline]
    pub(super) fn equities(self, words: Words) -> (i64, i64) {
        let (one, other) = (words.equity(self.low), words.equity(self.high));
        (one.min(other), one.max(other))
    }
}

/// How many marks are looked at as one before they are looked at one by one.
const BLOCK: usize = 256;

/// The lowest and the highest of marks, of which there is one at least.
fn ends(marks: &[DoublePx]) -> (DoublePx, DoublePx) {
    wide(
        #[inline(always)]
        || {
            let (mut low, mut high) = (marks[0], marks[0]);
            for mark in marks {
                (low, high) = (low.min(*mark), high.max(*mark));
            }
            (low, high)
        },
    )
}

impl Path {
    /// Forgets the marks and keeps the memory.
    pub fn clear(&mut self) {
        self.at.clear();
        self.marks.clear();
    }

    /// Adds the mark from an instant on, which is not before the last one.
    #[inline]
    pub fn push(&mut self, ts: Ts, mark: DoublePx) {
        let (low, high) = if self.marks.is_empty() { (mark, mark) } else { (self.low, self.high) };
        (self.low, self.high) = (low.min(mark), high.max(mark));
        self.at.push(ts.nanos());
        self.marks.push(mark);
    }

    /// Adds the middles of best prices, but for those that are as the one before, the first of which is
    /// `last`.
    pub fn quotes(&mut self, last: &mut DoublePx, quoted: Quoted<'_>) {
        // Each is laid down, and the next one upon it where it was no news: a loop without a branch.
        let (begun, mut count, mut before) = (self.at.len(), 0, *last);
        self.at.resize(begun + quoted.len(), 0);
        self.marks.resize(begun + quoted.len(), DoublePx::default());
        let (at, marks) = (&mut self.at[begun..], &mut self.marks[begun..]);
        for (ts, mid) in quoted.at.iter().zip(quoted.mids()) {
            (at[count], marks[count]) = (*ts, mid);
            count += usize::from(mid != before);
            before = mid;
        }
        *last = before;
        self.at.truncate(begun + count);
        self.marks.truncate(begun + count);
        if count > 0 {
            let (low, high) = ends(&self.marks[begun..]);
            let is_first = begun == 0;
            self.low = if is_first { low } else { low.min(self.low) };
            self.high = if is_first { high } else { high.max(self.high) };
        }
    }

    pub(super) fn marks(&self) -> Marks<'_> {
        Marks { at: &self.at, marks: &self.marks, low: self.low, high: self.high }
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

    pub(super) fn sign(&self) -> f64 {
        if self.is_long { 1.0 } else { -1.0 }
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
            path.marks.iter().for_each(|mark| {
                self.observe(line.at(*mark).0);
            });
            return;
        };
        for block in path.marks().blocks() {
            let (low, high) = block.equities(words);
            if high <= peak {
                // Whoever stays below the peak falls deepest at the bottom.
                fall = fall.max(peak - low);
                continue;
            }
            for mark in block.marks {
                let equity = words.equity(*mark);
                peak = peak.max(equity);
                fall = fall.max(peak - equity);
            }
        }
        let amount = |word: i64| Amount::from_units(i128::from(word));
        (self.peak, self.fall) = (amount(peak), amount(fall));
    }
}
