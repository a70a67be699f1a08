//! What to do about a record that cannot be read: fail, skip it, or put it aside.
//!
//! Invariant: a skipped record is counted, always, and its text kept where the user asked for
//! that; nothing is dropped in silence. One handle serves all inputs of a command.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use crate::error::ReadError;

/// A handle; clones share the count.
#[derive(Clone, Debug, Default)]
pub struct Tolerance {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    policy: Policy,
    skipped: u64,
    first: Option<String>,
}

#[derive(Debug, Default)]
enum Policy {
    #[default]
    Fail,
    Skip,
    Quarantine(File),
}

impl Tolerance {
    pub fn fail() -> Self {
        Self::default()
    }

    pub fn skip() -> Self {
        Self::with(Policy::Skip)
    }

    /// Appends each unreadable record to a new file, a line each, with its place and problem.
    pub fn quarantine(path: &Path) -> std::io::Result<Self> {
        let file = File::options().append(true).create(true).open(path)?;
        Ok(Self::with(Policy::Quarantine(file)))
    }

    fn with(policy: Policy) -> Self {
        Self { state: Arc::new(Mutex::new(State { policy, ..State::default() })) }
    }

    /// How many records were skipped so far.
    pub fn skipped(&self) -> u64 {
        self.lock().skipped
    }

    /// The first problem, to show beside the count.
    pub fn first(&self) -> Option<String> {
        self.lock().first.clone()
    }

    /// Decides about an error: `Ok` means go on without the record.
    pub(crate) fn judge(&self, error: ReadError) -> Result<(), ReadError> {
        let ReadError::Record { place, problem, text } = error else { return Err(error) };
        let mut state = self.lock();
        match &mut state.policy {
            Policy::Fail => return Err(ReadError::Record { place, problem, text }),
            Policy::Skip => {}
            Policy::Quarantine(file) => {
                let line = serde_json::json!({
                    "place": place.to_string(),
                    "problem": problem.to_string(),
                    "text": text.as_deref().map(String::from_utf8_lossy),
                });
                if let Err(source) = writeln!(file, "{line}") {
                    return Err(ReadError::Io { place, source });
                }
            }
        }
        state.skipped += 1;
        state.first.get_or_insert_with(|| format!("{place}: {problem}"));
        Ok(())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
