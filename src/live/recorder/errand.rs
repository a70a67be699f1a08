//! Work that may take its time, on a thread of its own: an insert, or a round of the loader.
//!
//! Both may be left to themselves when time is up: what they have in hand is in memory here, or in
//! the log, and a database that takes it after all knows it when it comes again.

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
    Inserted { sealed: Arc<Sealed>, files: u64, took: Duration },
    Failed { sealed: Arc<Sealed>, error: WriteError },
    Loaded(Result<Loaded, LoadError>),
}

/// One that is under way.
#[derive(Debug)]
pub(super) struct Errand {
    thread: JoinHandle<Done>,
    carries: Option<Arc<Sealed>>,
}

/// Rounds of the loader follow each other while there is something to load, for so long.
const LOADING: Duration = Duration::from_secs(5);

/// How often somebody who waits looks whether it is over.
const LOOK: Duration = Duration::from_millis(2);

type Store = Arc<dyn Insert + Send + Sync>;

impl Errand {
    pub(super) fn insert(sealed: Arc<Sealed>, store: Store, inbox: &Arc<Inbox>) -> Self {
        Self::spawn(Some(Arc::clone(&sealed)), inbox, move || {
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
        Self::spawn(None, inbox, move || {
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

    /// Loads all there is, however new.
    pub(super) fn drain(loader: Arc<Loader>, store: Store, now: Ts, inbox: &Arc<Inbox>) -> Self {
        Self::spawn(None, inbox, move || Done::Loaded(loader.round(&*store, now, true)))
    }

    fn spawn(
        carries: Option<Arc<Sealed>>,
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
        Self { thread: thread.expect("the system has a thread for us"), carries }
    }

    /// The rows that it carries.
    pub(super) fn rows(&self) -> usize {
        self.carries.as_ref().map_or(0, |sealed| sealed.batch.len())
    }

    pub(super) fn is_over(&self) -> bool {
        self.thread.is_finished()
    }

    /// Waits for it, but no longer; whether it is over.
    pub(super) fn is_over_by(&self, deadline: Instant) -> bool {
        while !self.is_over() && Instant::now() < deadline {
            thread::sleep(LOOK);
        }
        self.is_over()
    }

    /// Leaves it to itself. What it carries is ours again.
    pub(super) fn leave(self) -> Option<Arc<Sealed>> {
        self.carries
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
