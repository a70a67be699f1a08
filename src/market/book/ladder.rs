//! One side of a price book: a dense window of sizes at the touch, and a sorted tail behind it.
//!
//! Prices stand on a grid, whose step is what all that were seen have as a common divisor. The
//! window holds the sizes of neighbouring prices of the grid and one bit a price that says whether
//! anything rests there. A change near the touch is then a product, a store and some bits, and
//! asks no question whose answer the market draws anew each time.
//!
//! Invariants: every level of the window is better than all of the tail; if there is a level, the
//! window has one; the keys of the tail ascend strictly; no level holds zero; all prices are on the
//! grid. The window moves when the best price leaves it, and doubles when many changes miss it.
//! Absent on purpose: any promise for a best price that jumps further than the window and back, over
//! and over: each jump moves the levels of the window.

mod grid;
mod levels;

use qt_model::record::Level;
use qt_model::units::{Px, Qty};

use super::Resting;
use grid::Grid;

pub(super) use levels::Levels;

/// How many prices the window holds at first, and at most: a bit for each of its words is one word.
const LEAST: usize = 256;
const MOST: usize = 4_096;

const WORD: usize = 64;

/// See the module. Levels are kept by key: of two, the better has the higher.
#[derive(Clone)]
pub(super) struct Ladder {
    /// What turns a price into its key and back: nothing for bids; all bits for asks, since the
    /// complement reverses the order without the one value that negation cannot turn.
    flip: i64,
    grid: Grid,
    /// The key of the first place of the window.
    low: i64,
    sizes: Vec<Qty>,
    /// One bit a place where something rests.
    places: Vec<u64>,
    /// One bit a word of `places` that has a bit.
    words: u64,
    tail: Vec<(i64, Qty)>,
    /// Changes that missed the window since it was last laid.
    misses: usize,
}

impl std::fmt::Debug for Ladder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl Ladder {
    pub(super) fn of_bids() -> Self {
        Self::flipped(0)
    }

    pub(super) fn of_asks() -> Self {
        Self::flipped(!0)
    }

    fn flipped(flip: i64) -> Self {
        let (sizes, places, tail) = (Vec::new(), Vec::new(), Vec::new());
        Self { flip, grid: Grid::NEW, low: 0, sizes, places, words: 0, tail, misses: 0 }
    }

    pub(super) fn clear(&mut self) {
        self.places.fill(0);
        self.words = 0;
        self.tail.clear();
    }

    /// Takes these levels and no others; the later of two at one price counts.
    pub(super) fn fill<'a>(&mut self, levels: impl Iterator<Item = &'a Level>) {
        self.clear();
        let flip = self.flip;
        self.tail.extend(levels.map(|level| (level.px.mantissa() ^ flip, level.qty)));
        if !self.tail.is_sorted_by(|a, b| a.0 < b.0) {
            // Stable, so that the later of two stays behind the earlier.
            self.tail.sort_by_key(|level| level.0);
            self.tail.dedup_by(|later, earlier| {
                let is_same = later.0 == earlier.0;
                if is_same {
                    earlier.1 = later.1;
                }
                is_same
            });
        }
        self.tail.retain(|level| !level.1.is_zero());
        if !self.tail.is_empty() {
            self.grid = Grid::of(self.tail.iter().map(|(key, _)| key ^ flip));
            self.settle();
        }
    }

    /// Sets what rests at a price; whether anything rested there before.
    #[inline]
    pub(super) fn set(&mut self, px: Px, qty: Qty) -> bool {
        let key = px.mantissa() ^ self.flip;
        let place = self.grid.steps(self.low, key);
        let Some(size) = self.sizes.get_mut(place) else { return self.set_far(key, qty) };
        *size = qty;
        let (word, bit) = (place / WORD, place % WORD);
        let before = self.places[word];
        let after = before & !(1 << bit) | u64::from(!qty.is_zero()) << bit;
        self.places[word] = after;
        self.words = self.words & !(1 << word) | u64::from(after != 0) << word;
        if self.words == 0 && !self.tail.is_empty() {
            self.settle();
        }
        before >> bit & 1 == 1
    }

    #[inline]
    pub(super) fn best(&self) -> Option<Resting> {
        let word = highest(self.words)?;
        let place = word * WORD + highest(self.places[word])?;
        Some(self.resting(place))
    }

    pub(super) fn worst(&self) -> Option<Resting> {
        if let Some((key, qty)) = self.tail.first() {
            return Some(Resting { px: Px::new(key ^ self.flip), qty: *qty });
        }
        let word = lowest(self.words)?;
        let place = word * WORD + lowest(self.places[word])?;
        Some(self.resting(place))
    }

    pub(super) fn at(&self, px: Px) -> Option<Qty> {
        let key = px.mantissa() ^ self.flip;
        let place = self.grid.steps(self.low, key);
        if let Some(size) = self.sizes.get(place) {
            return Some(*size).filter(|_| self.places[place / WORD] >> (place % WORD) & 1 == 1);
        }
        let found = self.tail.binary_search_by_key(&key, |level| level.0).ok()?;
        Some(self.tail[found].1)
    }

    /// From the best on.
    pub(super) fn iter(&self) -> Levels<'_> {
        Levels::new(self)
    }

    /// How many prices the window holds; none before the first level.
    #[cfg(test)]
    pub(super) fn window(&self) -> usize {
        self.sizes.len()
    }

    pub(super) fn keep_best(&mut self, count: usize) {
        let beyond = self.iter().len().saturating_sub(count);
        let of_tail = beyond.min(self.tail.len());
        self.tail.drain(..of_tail);
        for _ in of_tail..beyond {
            let worst = self.worst().expect("there are more levels than shall be kept");
            self.set(worst.px, Qty::ZERO);
        }
    }

    /// What rests at a place of the window.
    #[inline]
    fn resting(&self, place: usize) -> Resting {
        let key = self.grid.up(self.low, place);
        Resting { px: Px::new(key ^ self.flip), qty: self.sizes[place] }
    }

    /// Sets what rests outside of the window, or between the prices of the grid.
    #[cold]
    fn set_far(&mut self, key: i64, qty: Qty) -> bool {
        if qty.is_zero() {
            let found = self.tail.binary_search_by_key(&key, |level| level.0);
            return found.map(|at| self.tail.remove(at)).is_ok_and(|_| self.miss());
        }
        if !self.grid.holds(key ^ self.flip) || key > self.low {
            // Nothing rests there: the grid gets a smaller step, or the window moves up.
            self.spill();
            self.grid.admit(key ^ self.flip);
            let found = self.put(key, qty);
            self.settle();
            return found;
        }
        let found = self.put(key, qty);
        // Behind the window: has the touch sunk within it, or is the window too short?
        let highest_word = highest(self.words).map_or(0, |word| word * WORD);
        if self.words == 0 || highest_word < self.sizes.len() / 4 {
            self.spill();
            self.settle();
        } else {
            self.miss();
        }
        found
    }

    /// Puts a level into the tail; whether there was one at its key.
    fn put(&mut self, key: i64, qty: Qty) -> bool {
        match self.tail.binary_search_by_key(&key, |level| level.0) {
            Ok(at) => {
                self.tail[at].1 = qty;
                true
            }
            Err(at) => {
                self.tail.insert(at, (key, qty));
                false
            }
        }
    }

    /// Counts a change that missed the window, and doubles it once they are many. Always `true`.
    fn miss(&mut self) -> bool {
        self.misses += 1;
        if self.misses > self.sizes.len() && self.sizes.len() < MOST {
            self.spill();
            self.resize(2 * self.sizes.len());
            self.settle();
        }
        true
    }

    fn resize(&mut self, len: usize) {
        self.sizes.resize(len, Qty::ZERO);
        self.places.resize(len / WORD, 0);
    }

    /// Moves the levels of the window behind those of the tail, which they are all better than.
    fn spill(&mut self) {
        while let Some(word) = lowest(self.words) {
            while let Some(bit) = lowest(self.places[word]) {
                let place = word * WORD + bit;
                self.tail.push((self.grid.up(self.low, place), self.sizes[place]));
                self.places[word] &= self.places[word] - 1;
            }
            self.words &= self.words - 1;
        }
    }

    /// Lays the empty window around the best level of the tail, and takes in what it covers.
    fn settle(&mut self) {
        let Some((best, _)) = self.tail.last().copied() else { return };
        if self.sizes.is_empty() {
            self.resize(LEAST);
        }
        self.misses = 0;
        self.low = self.grid.low(best, self.sizes.len());
        while let Some((key, qty)) = self.tail.pop_if(|(key, _)| *key >= self.low) {
            let place = self.grid.steps(self.low, key);
            self.sizes[place] = qty;
            self.places[place / WORD] |= 1 << (place % WORD);
            self.words |= 1 << (place / WORD);
        }
    }
}

#[inline]
fn highest(bits: u64) -> Option<usize> {
    bits.checked_ilog2().map(|bit| bit as usize)
}

#[inline]
fn lowest(bits: u64) -> Option<usize> {
    (bits != 0).then(|| bits.trailing_zeros() as usize)
}
