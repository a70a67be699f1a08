//! Loops over columns, with as many lanes as the machine has.
//!
//! A program is built for any machine of its kind; here a loop is built a second and a third time,
//! for wider registers, and the machine that runs it chooses. Sums and products are the same in
//! every lane and are never contracted, so the bits are those of the plain loop.

use std::sync::LazyLock;

use pulp::Arch;

static MACHINE: LazyLock<Arch> = LazyLock::new(Arch::new);

/// Runs a loop. All that it calls has to be inlined, or else it is as narrow as any other.
#[inline(always)]
pub fn wide<R>(run: impl FnOnce() -> R) -> R {
    MACHINE.dispatch(run)
}

/// Whether such a loop multiplies and adds in one step, which rounds once. Where it does not, that
/// would be a call for each number.
#[inline]
pub(super) fn is_fused() -> bool {
    !matches!(*MACHINE, Arch::Scalar)
}
