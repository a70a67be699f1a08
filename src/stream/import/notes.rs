//! What an import wants to tell besides records: what it left out, and how it read what was unclear.
//!
//! Invariant: a note is said once, with the number of times that it applied. One handle serves all
//! inputs of a command.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// A handle; clones share the notes.
#[derive(Clone, Debug, Default)]
pub struct Notes(Arc<Mutex<BTreeMap<String, u64>>>);

impl Notes {
    /// Notes something that happened to so many records; zero is a note without a count.
    pub fn add(&self, note: impl Into<String>, records: u64) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *all.entry(note.into()).or_default() += records;
    }

    /// All notes in the order of their words, with their counts.
    pub fn all(&self) -> Vec<(String, u64)> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter().map(|(note, records)| (note.clone(), *records)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_count_together() {
        let notes = Notes::default();
        let clone = notes.clone();
        clone.add("left out", 2);
        notes.add("left out", 3);
        notes.add("times in ms", 0);
        let all = [("left out".to_owned(), 5), ("times in ms".to_owned(), 0)];
        assert_eq!((notes.all(), clone.all()), (all.to_vec(), all.to_vec()));
    }
}
