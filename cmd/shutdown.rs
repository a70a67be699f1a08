//! SIGINT and SIGTERM: the first asks to stop, the second aborts.
//!
//! A loop checks [`Shutdown::requested`] between records, drains, flushes, writes its `end` record
//! and returns; the exit code then is 130 or 143 whatever the command answered. [`Stdin`] ends when a
//! stop is requested, so that a loop that waits for input wakes up. An input cut short in this way is
//! not a truncated stream: ask `requested` first.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use rustix::event::{PollFd, PollFlags, poll};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::{flag, low_level};

use crate::outcome::Exit;

/// A cheap handle on "were we asked to stop?". Clone it into threads.
#[derive(Clone, Debug)]
pub(crate) struct Shutdown {
    /// The signal that came first to mind, 0 for none.
    signal: Arc<AtomicUsize>,
    /// Readable once a signal came, and from then on.
    wake: Arc<UnixStream>,
}

impl Shutdown {
    /// Registers the handlers. Actions of one signal run in the order of registration, so the abort
    /// looks at `armed` before the same signal sets it.
    pub(crate) fn install() -> io::Result<Self> {
        let (wake, ring) = UnixStream::pair()?;
        let (signal, armed) = (Arc::<AtomicUsize>::default(), Arc::<AtomicBool>::default());
        for (number, exit) in [(SIGINT, Exit::Interrupted), (SIGTERM, Exit::Terminated)] {
            let id = usize::try_from(number).expect("signal numbers are positive");
            flag::register_conditional_shutdown(number, exit.code().into(), Arc::clone(&armed))?;
            flag::register(number, Arc::clone(&armed))?;
            flag::register_usize(number, Arc::clone(&signal), id)?;
            low_level::pipe::register(number, ring.try_clone()?)?;
        }
        Ok(Self { signal, wake: Arc::new(wake) })
    }

    /// True once a signal asked us to stop. One relaxed load, fit for every record.
    pub(crate) fn requested(&self) -> bool {
        self.signal.load(Ordering::Relaxed) != 0
    }

    /// The exit code of the signal that asked us to stop.
    pub(crate) fn exit(&self) -> Option<Exit> {
        match i32::try_from(self.signal.load(Ordering::Relaxed)) {
            Ok(SIGINT) => Some(Exit::Interrupted),
            Ok(SIGTERM) => Some(Exit::Terminated),
            _ => None,
        }
    }

    /// Standard input that ends when a stop is requested. Unbuffered: read large pieces.
    pub(crate) fn stdin(&self) -> io::Result<Stdin> {
        Ok(Stdin {
            input: File::from(io::stdin().as_fd().try_clone_to_owned()?),
            wake: Arc::clone(&self.wake),
        })
    }
}

/// Standard input, with an early end on a signal.
#[derive(Debug)]
pub(crate) struct Stdin {
    input: File,
    wake: Arc<UnixStream>,
}

impl Read for Stdin {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut fds =
            [PollFd::new(&self.wake, PollFlags::IN), PollFd::new(&self.input, PollFlags::IN)];
        // An interrupted wait is reported as such, and every caller of `read` tries again.
        poll(&mut fds, None)?;
        if !fds[0].revents().is_empty() {
            return Ok(0);
        }
        self.input.read(buffer)
    }
}
