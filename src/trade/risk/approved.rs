//! A value that the rule stack let pass.

use std::ops::Deref;

/// Only the stack makes one; whoever holds one can read it and cannot change it.
///
/// There is no road around the stack: this does not compile.
///
/// ```compile_fail
/// let unjudged = qt_trade::risk::Approved::new(1);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Approved<T>(T);

impl<T> Approved<T> {
    /// To be called by the stack alone.
    pub(super) fn new(value: T) -> Self {
        Self(value)
    }
}

impl<T> Deref for Approved<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}
