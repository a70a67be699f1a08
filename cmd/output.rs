//! Standard output that knows when nobody reads it any more.
//!
//! Invariants: only data goes here, and the first write that failed is remembered, so that a command
//! that drops its writer unflushed on a full disk does not count as a success.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::os::fd::AsFd;
use std::sync::{Arc, OnceLock};

/// Small pieces gather to this; larger ones, such as columns and pages of lines, go out as they lie.
const BUFFER_BYTES: usize = 1 << 14;

/// How much a pipe holds that we write to: the more it does, the less often both sides are woken. Beyond
/// this, what was written leaves the cache before it is read.
#[cfg(target_os = "linux")]
const PIPE_BYTES: usize = 1 << 18;

/// The first write that failed, if one did.
pub(crate) type FirstFailure = Arc<OnceLock<io::Error>>;

/// Buffered, unlocked and `Send`. One at a time, or lines interleave.
#[derive(Debug)]
pub(crate) struct Stdout(BufWriter<Watched>);

impl Stdout {
    pub(crate) fn open(failure: FirstFailure) -> io::Result<Self> {
        // The standard library's own handle would scan for newlines and copy once more.
        let file = File::from(io::stdout().as_fd().try_clone_to_owned()?);
        // Refused where it is no pipe, or the system grants no more: it serves as it is.
        #[cfg(target_os = "linux")]
        let _ = rustix::pipe::fcntl_setpipe_size(&file, PIPE_BYTES);
        Ok(Self(BufWriter::with_capacity(BUFFER_BYTES, Watched { file, failure })))
    }
}

impl Write for Stdout {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[derive(Debug)]
struct Watched {
    file: File,
    failure: FirstFailure,
}

impl Write for Watched {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes).inspect_err(|error| {
            if error.kind() != io::ErrorKind::Interrupted {
                self.failure.get_or_init(|| same(error));
            }
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn same(error: &io::Error) -> io::Error {
    error.raw_os_error().map_or_else(|| error.kind().into(), io::Error::from_raw_os_error)
}
