//! Panics: a message that asks for a report, and exit code 70.
//!
//! The hook only prints and remembers. The stack still unwinds, so that guards run and temporary
//! files go; `main` asks [`happened`] at the end, which also catches threads that nobody joined.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::io::{self, Write};
use std::panic::{self, PanicHookInfo};
use std::sync::atomic::{AtomicBool, Ordering};

static HAPPENED: AtomicBool = AtomicBool::new(false);

pub(crate) fn install_hook() {
    panic::set_hook(Box::new(|info| {
        // A decoder met damaged bytes; its caller says so, with the place.
        if qt_stream::contain::is_contained() {
            return;
        }
        HAPPENED.store(true, Ordering::SeqCst);
        // A closed standard error must not turn one panic into two.
        let _ = report(info, &mut io::stderr().lock());
    }));
}

/// True once any thread has panicked.
pub(crate) fn happened() -> bool {
    HAPPENED.load(Ordering::SeqCst)
}

fn report(info: &PanicHookInfo<'_>, out: &mut dyn Write) -> io::Result<()> {
    let message = info.payload_as_str().unwrap_or("no message");
    write!(out, "qt: bug: {message}")?;
    if let Some(place) = info.location() {
        write!(out, " (at {}:{}:{})", place.file(), place.line(), place.column())?;
    }
    writeln!(out)?;
    let trace = Backtrace::capture();
    if trace.status() == BacktraceStatus::Captured {
        write!(out, "{trace}")?;
    }
    writeln!(
        out,
        "hint: this is a fault in qt {}, not in what you did; please report it with the command \
         line and these lines (RUST_BACKTRACE=1 adds more)",
        env!("CARGO_PKG_VERSION")
    )
}
