//! What to do about a record that cannot be read: fail, skip it, or put it aside.
//!
//! Invariant: a skipped record is counted, always, and its text kept where the user asked for
//! that; nothing is dropped in silence. One handle serves all inputs of a command.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use crate::error::ReadError;
use crate::place::At;

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
    Keep(Vec<Refused>),
}

/// A record that was put aside in memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    pub at: At,
    pub problem: String,
    /// The line as it came, where there is one.
    pub text: Option<Box<[u8]>>,
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

    /// Puts aside unreadable records in memory, for inputs that are small: [`Self::take_refused`].
    pub fn keep() -> Self {
        Self::with(Policy::Keep(Vec::new()))
    }

    /// What was put aside so far.
    pub fn take_refused(&self) -> Vec<Refused> {
        match &mut self.lock().policy {
            Policy::Keep(refused) => std::mem::take(refused),
            Policy::Fail | Policy::Skip | Policy::Quarantine(_) => Vec::new(),
        }
    }

    fn with(policy: Policy) -> Self {
        Self { state: Arc::new(Mutex::new(State { policy, ..State::default() })) }
    }

    /// Whether a record that cannot be read is left out.
    #[cfg(test)]
    pub(crate) fn skips(&self) -> bool {
        !matches!(self.lock().policy, Policy::Fail)
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
    pub fn judge(&self, error: ReadError) -> Result<(), ReadError> {
        let ReadError::Record { place, problem, text } = error else { return Err(error) };
        let mut state = self.lock();
        match &mut state.policy {
            Policy::Fail => return Err(ReadError::Record { place, problem, text }),
            Policy::Skip => {}
            Policy::Keep(refused) => {
                let kept = Refused { at: place.at, problem: problem.to_string(), text };
                refused.push(kept);
                state.skipped += 1;
                return Ok(());
            }
            Policy::Quarantine(file) => {
                let mut line = serde_json::json!({
                    "place": place.to_string(),
                    "problem": problem.to_string(),
                });
                // As it came: what is not text is kept in digits rather than mended.
                match text.as_deref().map(|text| (text, std::str::from_utf8(text))) {
                    Some((_, Ok(text))) => line["text"] = text.into(),
                    Some((bytes, Err(_))) => line["hex"] = hex(bytes).into(),
                    None => {}
                }
                if let Err(source) = writeln!(file, "{line}") {
                    return Err(ReadError::Io { place, cause: source });
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

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        text.push(char::from(b"0123456789abcdef"[usize::from(byte >> 4)]));
        text.push(char::from(b"0123456789abcdef"[usize::from(byte & 15)]));
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Problem;
    use crate::place::Place;

    fn bad(line: u64, text: Option<&[u8]>) -> ReadError {
        let place = Place { input: "a.ndjson".into(), at: At::Line(line) };
        let problem = Box::new(Problem::NoKind);
        ReadError::Record { place, problem, text: text.map(Into::into) }
    }

    #[test]
    fn by_default_the_first_bad_record_is_the_last() {
        let tolerance = Tolerance::fail();
        assert!(matches!(tolerance.judge(bad(1, None)), Err(ReadError::Record { .. })));
        assert_eq!((tolerance.skipped(), tolerance.first()), (0, None));
    }

    #[test]
    fn skipped_records_are_counted_over_all_clones_and_the_first_is_remembered() {
        let tolerance = Tolerance::skip();
        let clone = tolerance.clone();
        tolerance.judge(bad(3, None)).unwrap();
        clone.judge(bad(9, None)).unwrap();
        assert_eq!(tolerance.skipped(), 2);
        let first = "a.ndjson: line 3: a record needs `k`, its kind, first of all";
        assert_eq!(tolerance.first().as_deref(), Some(first));
    }

    #[test]
    fn only_records_are_forgiven() {
        for tolerance in [Tolerance::fail(), Tolerance::skip()] {
            let place = Place::whole(&"a".into());
            let cut = ReadError::Truncated { place, message: String::new() };
            assert!(matches!(tolerance.judge(cut), Err(ReadError::Truncated { .. })));
            assert_eq!(tolerance.skipped(), 0);
        }
    }

    #[test]
    fn quarantined_records_are_kept_as_they_came() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bad.ndjson");
        let tolerance = Tolerance::quarantine(&path).unwrap();
        for (line, text) in [(1, Some(&b"{\"a\"}"[..])), (2, Some(b"\xff{")), (3, None)] {
            tolerance.judge(bad(line, text)).unwrap();
        }
        assert_eq!(tolerance.skipped(), 3);
        let expected = [
            r#"{"place":"a.ndjson: line 1","problem":"a record needs `k`, its kind, first of all","text":"{\"a\"}"}"#,
            r#"{"hex":"ff7b","place":"a.ndjson: line 2","problem":"a record needs `k`, its kind, first of all"}"#,
            r#"{"place":"a.ndjson: line 3","problem":"a record needs `k`, its kind, first of all"}"#,
        ];
        let found = std::fs::read_to_string(&path).unwrap();
        assert_eq!(found.lines().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_quarantine_that_cannot_be_written_is_an_error() {
        let Ok(full) = File::options().append(true).open("/dev/full") else { return };
        let tolerance = Tolerance::with(Policy::Quarantine(full));
        assert!(matches!(tolerance.judge(bad(1, None)), Err(ReadError::Io { .. })));
        assert_eq!(tolerance.skipped(), 0);
    }
}
