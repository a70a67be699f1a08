//! Panics in other people's decoders, turned into values.
//!
//! The Arrow and Parquet crates return errors for most damaged files and panic for some: an index
//! out of bounds deep in an encoding, a capacity that overflows. A file may hold anything, so that
//! is an answer about the input and not a bug of ours. Only calls of their decoders are wrapped,
//! and a decoder that panicked is never used again. Absent on purpose: our own code, whose panics
//! are bugs and must stay loud.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

thread_local! {
    static IS_CONTAINED: Cell<bool> = const { Cell::new(false) };
}

/// Whether this thread runs a decoder whose panics are caught: a panic hook says nothing then.
pub fn is_contained() -> bool {
    IS_CONTAINED.get()
}

/// Runs a decoder; `Err` holds the message of its panic.
pub(crate) fn contained<T>(decode: impl FnOnce() -> T) -> Result<T, String> {
    let before = IS_CONTAINED.replace(true);
    // The caller drops what the decoder leaves behind, so nothing half-changed is seen.
    let result = catch_unwind(AssertUnwindSafe(decode));
    IS_CONTAINED.set(before);
    result.map_err(|payload| {
        let text = payload.downcast_ref::<String>().map(String::as_str);
        text.or_else(|| payload.downcast_ref::<&str>().copied()).unwrap_or("no message").to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_its_message_and_the_mark_is_taken_off() {
        assert_eq!(contained(is_contained), Ok(true));
        assert_eq!(contained(|| panic!("at {}", 7)), Err::<(), _>("at 7".to_owned()));
        assert!(!is_contained());
    }
}
