//! How a session ends: within its time, with every row in the store or in the log.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use qt_model::time::Ts;

use super::super::counters::Counters;
use super::super::errand::Errand;
use super::super::inbox::Inbox;
use super::super::pipeline::Clock;
use super::{Place, Writer};

impl Writer {
    /// Writes all that is at hand: to the store while there is time, then to the log.
    pub(super) fn finish(&mut self, clock: &Clock, inbox: &Arc<Inbox>) -> io::Result<()> {
        let deadline = Instant::now() + self.options.finish;
        let now = clock();
        self.log(now, |wal| wal.flush_all(now))?;
        self.seal();
        loop {
            // Loading comes last: its turn is when nothing else is left.
            self.state.load_at = Ts::MAX;
            self.settle(clock, deadline)?;
            if self.state.sealed.is_empty() || Instant::now() >= deadline {
                break;
            }
            self.begin(clock(), inbox);
            if self.state.errand.is_none() {
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        let now = clock();
        while let Some(sealed) = self.state.sealed.pop_front() {
            let left = self.state.sealed.len();
            self.spill(sealed, now)?;
            if self.state.sealed.len() > left {
                return Err(io::Error::other("neither the store nor the log takes the last rows"));
            }
        }
        if self.place == Place::Catalog || Instant::now() < deadline {
            let (store, loader) = (Arc::clone(&self.store), Arc::clone(&self.loader));
            self.state.errand = Some(Errand::drain(loader, store, now, inbox));
            self.settle(clock, deadline)?;
        }
        Counters::set(&self.counters.unacknowledged_rows, 0);
        Ok(())
    }

    /// Waits for what is on its way: only then it is known what the log has to take. The disk of a
    /// catalog is waited for; a database that does not answer in time is left to itself, since what
    /// it may take yet it will know when it comes again from the log.
    fn settle(&mut self, clock: &Clock, deadline: Instant) -> io::Result<()> {
        let Some(errand) = self.state.errand.take() else { return Ok(()) };
        if self.place == Place::Catalog || errand.is_over_by(deadline) {
            return self.conclude(errand.done(), clock());
        }
        let seconds = self.options.finish.as_secs();
        tracing::warn!(
            "the store has not answered for {seconds} s: what it has not taken stays in the log"
        );
        Counters::add(&self.counters.insert_failures, 1);
        if let Some(sealed) = errand.leave() {
            self.state.sealed.push_front(sealed);
        }
        Ok(())
    }
}
