//! What all reports say alike of a finding.

use qt_market::check::Found;
use qt_model::words::Severity;

/// Whether it fails the gate.
pub(super) fn fails(found: &Found, gate: Severity) -> bool {
    found.exceeds && found.severity >= gate
}

/// Whom it is about.
pub(super) fn subject(found: &Found) -> String {
    found.symbol.as_ref().map_or("-".to_owned(), ToString::to_string)
}
