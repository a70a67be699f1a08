//! Work that may take its time, on a thread of its own: an insert, or a round of the loader.

use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use qt_model::record::{Batch, Kind};
use qt_model::time::Ts;
use qt_stream::crash;
use qt_stream::error::WriteError;
use qt_stream::wal::{Insert, LoadError, Loaded, Loader};

use super::inbox::Inbox;

/// Direct rows of a table, about to become parts.
#[derive(Debug)]
pub(super) struct Sealed {
    pub(super) kind: Kind,
    pub(super) name: String,
    pub(super) batch: Batch,
    pub(super) ranges: Vec<(u64, u64)>,
}

/// What an errand came to.
pub(super) enum Done {
    Inserted { sealed: Sealed, files: u64, took: Duration },
    Failed { sealed: Sealed, error: WriteError },
    Loaded(Result<Loaded, LoadError>),
}

/// One that is under way.
#[derive(Debug)]
pub(super) struct Errand {
    thread: JoinHandle<Done>,
    rows: usize,
}

/// Rounds of the loader follow each other while there is something to load, for so long.
const LOADING: Duration = Duration::from_secs(5);

type Store = Arc<dyn Insert + Send + Sync>;

impl Errand {
    pub(super) fn insert(sealed: Sealed, store: Store, inbox: &Arc<Inbox>) -> Self {
        let rows = sealed.batch.len();
        Self::spawn(rows, inbox, move || {
            let started = Instant::now();
            match store.insert(&sealed.batch, &sealed.name) {
                Ok(files) => {
                    crash::point("store.cut");
                    Done::Inserted { sealed, files, took: started.elapsed() }
                }
                Err(error) => Done::Failed { sealed, error },
            }
        })
    }

    pub(super) fn load(loader: Arc<Loader>, store: Store, now: Ts, inbox: &Arc<Inbox>) -> Self {
        Self::spawn(0, inbox, move || {
            let (started, mut all) = (Instant::now(), Loaded::default());
            loop {
                match loader.round(&*store, now, false) {
                    Ok(round) => {
                        let is_last = round.files == 0 || started.elapsed() >= LOADING;
                        all.add(round);
                        if is_last {
                            return Done::Loaded(Ok(all));
                        }
                    }
                    Err(error) => return Done::Loaded(Err(error)),
                }
            }
        })
    }

    fn spawn(
        rows: usize,
        inbox: &Arc<Inbox>,
        work: impl FnOnce() -> Done + Send + 'static,
    ) -> Self {
        let inbox = Arc::clone(inbox);
        let run = move || {
            let done = work();
            inbox.ring();
            done
        };
        let thread = thread::Builder::new().name("errand".to_owned()).spawn(run);
        // Without a thread nothing can be written any more, which is no state to go on in.
        Self { thread: thread.expect("the system has a thread for us"), rows }
    }

    /// The rows that it carries.
    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    pub(super) fn is_over(&self) -> bool {
        self.thread.is_finished()
    }

    /// Waits for it.
    pub(super) fn done(self) -> Done {
        self.thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}

/// A store that is a database. A batch is known there by its content, so its name says nothing, and
/// what failed half way may be inserted again as a whole.
#[derive(Debug)]
pub(super) struct Database(pub(super) Arc<qt_store::Store>);

impl Insert for Database {
    fn insert(&self, batch: &Batch, _name: &str) -> Result<u64, WriteError> {
        let inserted = self.0.insert(batch);
        inserted.map(|it| it.blocks).map_err(|error| WriteError::Io(io::Error::other(error)))
    }

    fn missing(&self, batch: &Batch, _name: &str) -> Result<Batch, WriteError> {
        Ok(batch.clone())
    }
}
