//! What waits for the writing thread: bounded in rows, the log before the catalog.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use qt_model::record::{Batch, Kind};

/// Rows of one table, numbered among all rows of the table in this session.
#[derive(Debug)]
pub(super) struct Portion {
    pub(super) kind: Kind,
    pub(super) first: u64,
    pub(super) batch: Batch,
}

#[derive(Debug)]
pub(super) enum Job {
    Direct(Portion),
    Wal(Portion),
}

/// What comes out.
#[derive(Debug)]
pub(super) enum Next {
    Job(Box<Job>),
    /// Nothing came in that time.
    Quiet,
    /// Nothing will come any more.
    Closed,
}

#[derive(Debug)]
pub(super) struct Inbox {
    state: Mutex<State>,
    bell: Condvar,
    direct_rows_max: usize,
    wal_rows_max: usize,
}

#[derive(Debug, Default)]
struct State {
    direct: VecDeque<Portion>,
    direct_rows: usize,
    wal: VecDeque<Portion>,
    wal_rows: usize,
    is_closed: bool,
}

impl Inbox {
    pub(super) fn new(direct_rows_max: usize, wal_rows_max: usize) -> Self {
        let (state, bell) = (Mutex::default(), Condvar::new());
        Self { state, bell, direct_rows_max, wal_rows_max }
    }

    /// Puts rows in, unless there is no room. An empty side takes anything.
    pub(super) fn offer(&self, job: Box<Job>) -> Result<(), Box<Job>> {
        let mut state = self.lock();
        match *job {
            Job::Direct(portion) => {
                let rows = state.direct_rows + portion.batch.len();
                if state.direct_rows > 0 && rows > self.direct_rows_max || state.is_closed {
                    return Err(Box::new(Job::Direct(portion)));
                }
                state.direct_rows = rows;
                state.direct.push_back(portion);
            }
            Job::Wal(portion) => {
                let rows = state.wal_rows + portion.batch.len();
                if state.wal_rows > 0 && rows > self.wal_rows_max || state.is_closed {
                    return Err(Box::new(Job::Wal(portion)));
                }
                state.wal_rows = rows;
                state.wal.push_back(portion);
            }
        }
        self.bell.notify_all();
        Ok(())
    }

    /// The next portion; of the direct ones only if the taker has room for them.
    pub(super) fn take(&self, wait: Duration, takes_direct: bool) -> Next {
        let mut state = self.lock();
        for waited in [false, true] {
            if let Some(portion) = state.wal.pop_front() {
                state.wal_rows -= portion.batch.len();
                return Next::Job(Box::new(Job::Wal(portion)));
            }
            if takes_direct && let Some(portion) = state.direct.pop_front() {
                state.direct_rows -= portion.batch.len();
                return Next::Job(Box::new(Job::Direct(portion)));
            }
            if state.is_closed && state.direct.is_empty() {
                return Next::Closed;
            }
            if !waited {
                let woken = self.bell.wait_timeout(state, wait);
                state = woken.unwrap_or_else(PoisonError::into_inner).0;
            }
        }
        Next::Quiet
    }

    /// Wakes the taker, who has something else to look at.
    pub(super) fn ring(&self) {
        self.bell.notify_all();
    }

    pub(super) fn close(&self) {
        self.lock().is_closed = true;
        self.bell.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
