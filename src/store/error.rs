//! What can go wrong between here and a database, each variant a different decision for the caller.

use clickhouse::error::Error;

/// Talking to the store failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Nobody answers.
    #[error("{store} does not answer: {message}")]
    Unreachable { store: String, message: String },
    /// It did not answer in time. What was asked may still happen.
    #[error("{store} did not answer within {seconds} s")]
    Late { store: String, seconds: u64 },
    /// It does not let us in, or not do this.
    #[error("{store} refuses: {message}")]
    Refused { store: String, message: String },
    /// There is no such database, or no table in it.
    #[error("{store} has no {what}")]
    Missing { store: String, what: String },
    /// A table is not the one that this program knows.
    #[error("{store}: table `{table}`: {message}")]
    Schema { store: String, table: String, message: String },
    /// The server has no room.
    #[error("{store} has no room: {message}")]
    Full { store: String, message: String },
    /// An answer that breaks off, or makes no sense.
    #[error("{store}: the answer {message}")]
    Answer { store: String, message: String },
    /// Records that the store has from before, under another name.
    #[error("{store} has {kind} records of {symbol} from {first} on already")]
    Exists { store: String, kind: &'static str, symbol: String, first: String },
    /// Whatever else the server says.
    #[error("{store}: {message}")]
    Server { store: String, message: String },
}

/// Codes of the server that mean something to us.
const REFUSED: [u32; 6] = [192, 193, 194, 497, 516, 164];
const MISSING_DATABASE: u32 = 81;
const MISSING_TABLE: u32 = 60;
const FULL: [u32; 2] = [243, 1001];

impl StoreError {
    /// What an error of the client means.
    pub(crate) fn of(store: &str, error: &Error) -> Self {
        let store = store.to_owned();
        if let Error::BadResponse(text) = error {
            return Self::of_answer(store, text);
        }
        if is_cut(error) {
            return Self::Answer { store, message: format!("breaks off: {}", innermost(error)) };
        }
        if matches!(error, Error::Network(_)) {
            return Self::Unreachable { store, message: innermost(error) };
        }
        Self::Answer { store, message: format!("makes no sense: {error}") }
    }

    fn of_answer(store: String, text: &str) -> Self {
        let code = text.strip_prefix("Code: ").and_then(|rest| {
            let digits = rest.split(|c: char| !c.is_ascii_digit()).next()?;
            digits.parse::<u32>().ok()
        });
        let message = plain(text);
        match code {
            Some(code) if REFUSED.contains(&code) => Self::Refused { store, message },
            Some(MISSING_DATABASE) => Self::Missing { store, what: "such database".to_owned() },
            Some(MISSING_TABLE) => Self::Missing { store, what: message },
            // 1001 is whatever the C++ library threw; that of a full disk names it.
            Some(243) => Self::Full { store, message },
            Some(code) if FULL.contains(&code) && text.contains("No space left") => {
                Self::Full { store, message }
            }
            Some(_) | None if text.contains("No space left on device") => {
                Self::Full { store, message }
            }
            Some(_) | None => Self::Server { store, message },
        }
    }

    /// What the user can do about it, where there is something.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Unreachable { .. } => {
                Some("is the server running, and is `clickhouse_url` its HTTP port, such as 8123?")
            }
            Self::Refused { .. } => {
                Some("QT_CLICKHOUSE_USER and QT_CLICKHOUSE_PASSWORD say who enters")
            }
            Self::Missing { .. } => Some("`qt store create` makes the database and its tables"),
            Self::Schema { .. } => Some(
                "a table of another version is left alone; name another database, or rename the table",
            ),
            Self::Full { .. } => Some("free room on the disk of the server; nothing is lost here"),
            Self::Exists { .. } => {
                Some("the same import again is recognised; another one of the same time is not")
            }
            Self::Late { .. } | Self::Answer { .. } | Self::Server { .. } => None,
        }
    }

    /// Whether the same may work a little later.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Unreachable { .. }
            | Self::Late { .. }
            | Self::Full { .. }
            | Self::Answer { .. }
            | Self::Server { .. } => true,
            Self::Refused { .. }
            | Self::Missing { .. }
            | Self::Schema { .. }
            | Self::Exists { .. } => false,
        }
    }
}

/// An answer that began and did not end.
fn is_cut(error: &Error) -> bool {
    let mut cause: Option<&dyn std::error::Error> = Some(error);
    while let Some(at) = cause {
        let text = at.to_string();
        if text.contains("end of file before message length reached")
            || text.contains("unexpected EOF during chunk")
            || text.contains("error reading a body")
        {
            return true;
        }
        cause = at.source();
    }
    false
}

/// The cause at the bottom says most.
fn innermost(error: &Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}

/// The sentence of an exception: one line, without code, version and trace.
fn plain(text: &str) -> String {
    let text = text.split_once("DB::Exception: ").map_or(text, |(_, rest)| rest);
    let text = text.split(" (version ").next().unwrap_or(text);
    let line: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(400) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_codes_of_the_server_have_names_here() {
        let check = |text: &str, expected: &str| {
            let error = StoreError::of("s", &Error::BadResponse(text.to_owned()));
            assert_eq!(error.to_string(), expected, "{text}");
        };
        check(
            "Code: 516. DB::Exception: x: Authentication failed. (AUTHENTICATION_FAILED) (version 1)",
            "s refuses: x: Authentication failed. (AUTHENTICATION_FAILED)",
        );
        check("Code: 81. DB::Exception: Database q does not exist.", "s has no such database");
        check(
            "Code: 60. DB::Exception: Table q.trade does not exist.",
            "s has no Table q.trade does not exist.",
        );
        check(
            "Code: 243. DB::Exception: Cannot reserve 1.00 MiB,\n not enough space",
            "s has no room: Cannot reserve 1.00 MiB, not enough space",
        );
        check(
            "Code: 1001. DB::Exception: std::exception: No space left on device",
            "s has no room: std::exception: No space left on device",
        );
        check("Code: 62. DB::Exception: Syntax error", "s: Syntax error");
        check("502 Bad Gateway", "s: 502 Bad Gateway");
    }
}
