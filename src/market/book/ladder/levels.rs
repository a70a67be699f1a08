//! The levels of a side, one after the other from the best on.

use qt_model::units::Px;

use super::super::Resting;
use super::{Ladder, WORD, highest};

/// See the module.
#[derive(Clone, Debug)]
pub(in super::super) struct Levels<'a> {
    ladder: &'a Ladder,
    /// The word of the window at hand, what is left in it, and which words are still to come.
    word: usize,
    places: u64,
    words: u64,
    /// How many levels of the tail are still to come.
    tail: usize,
}

impl<'a> Levels<'a> {
    #[inline]
    pub(super) fn new(ladder: &'a Ladder) -> Self {
        Self { ladder, word: 0, places: 0, words: ladder.words, tail: ladder.tail.len() }
    }
}

impl Iterator for Levels<'_> {
    type Item = Resting;

    #[inline]
    fn next(&mut self) -> Option<Resting> {
        if self.places == 0 {
            let Some(word) = highest(self.words) else {
                self.tail = self.tail.checked_sub(1)?;
                let (key, qty) = self.ladder.tail[self.tail];
                return Some(Resting { px: Px::new(key ^ self.ladder.flip), qty });
            };
            self.words &= !(1 << word);
            (self.word, self.places) = (word, self.ladder.places[word]);
        }
        let bit = highest(self.places)?;
        self.places &= !(1 << bit);
        Some(self.ladder.resting(self.word * WORD + bit))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let words = (0..WORD).filter(|word| self.words >> word & 1 == 1);
        let ahead: u32 = words.map(|word| self.ladder.places[word].count_ones()).sum();
        let left = (self.places.count_ones() + ahead) as usize + self.tail;
        (left, Some(left))
    }
}

impl ExactSizeIterator for Levels<'_> {}
