//! A session, its capture, and the pipeline: one recorder at work.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, TrySendError};
use std::thread;
use std::time::{Duration, Instant};

use qt_model::time::Ts;
use qt_stream::raw::RawWriter;
use qt_stream::wal::DiskPolicy;
use qt_venue::session::{Clock as SessionClock, Feed, FeedKind, Heard, Limits, Session, asking};

use super::capture::Capture;
use super::counters::{Counters, QUEUED_FRAMES_MAX};
use super::ledger::{HURRY_PERCENT, Ledger};
use super::open::{OpenError, ResumeError, Target};
use super::pipeline::{Clock, Settings};
use super::sinks::{Gauges, Sinks};
use super::writer::Acknowledged;

/// Messages that are decoded between two looks at the clock.
const BITE: usize = 512;

const SYNC_EVERY: Duration = Duration::from_millis(500);

/// What to record, and how.
#[derive(Debug)]
pub struct Recorder {
    pub feed: Feed,
    pub limits: Limits,
    pub settings: Settings,
    /// Whether messages are kept as they came.
    pub raw: bool,
}

#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(transparent)]
    Resume(#[from] ResumeError),
    #[error("the records there are go up to {last}, and this machine says that it is {now}")]
    Clock { last: Ts, now: Ts },
    #[error("recording: {0}")]
    Recording(io::Error),
    #[error("talking to {venue}: {error}")]
    Session { venue: &'static str, error: io::Error },
}

impl Recorder {
    /// Records until asked to stop, then writes all that is at hand.
    pub fn run(
        self,
        root: &Path,
        target: &Target,
        gauges: &Gauges,
        clock: &Clock,
        acks: impl FnMut(Acknowledged) + Send + 'static,
        should_stop: impl Fn() -> bool + Sync,
    ) -> Result<(), RunError> {
        let venue = self.feed.market.venue();
        let counters = &gauges.counters;
        let numbers = target.numbers(venue, clock())?;
        let now = clock();
        let last = numbers.last.unwrap_or(Ts::MIN);
        if last.since(now) > 1_000_000_000 {
            return Err(RunError::Clock { last, now });
        }
        let sinks = target.start(&self.settings, clock, gauges, acks)?;
        let ledger = Ledger::open(root, venue, QUEUED_FRAMES_MAX as u64, counters, now);
        let ledger = ledger.map_err(RunError::Recording)?;
        let (sender, queue) = mpsc::sync_channel(QUEUED_FRAMES_MAX);
        let (asker, asked) = asking();
        let counted = Arc::clone(counters);
        // Once full, the queue has to drain by half before messages are let in again: one long hole
        // costs one gap and one new book, a thousand short ones cost a thousand.
        let is_shedding = AtomicBool::new(false);
        let hear = move |heard: Heard| {
            let is_message = matches!(heard, Heard::Message { .. } | Heard::Lost { .. });
            let is_drained =
                counted.queued_frames.load(Ordering::Relaxed) <= QUEUED_FRAMES_MAX as u64 / 2;
            if is_message && is_shedding.load(Ordering::Relaxed) && !is_drained {
                return Err(heard);
            }
            // Counted before it can be taken, so that the count never falls below what is taken off it.
            Counters::add(&counted.queued_frames, 1);
            let sent = sender.try_send(heard);
            if sent.is_err() {
                counted.queued_frames.fetch_sub(1, Ordering::Relaxed);
            }
            is_shedding.store(matches!(sent, Err(TrySendError::Full(_))), Ordering::Relaxed);
            match sent {
                Err(TrySendError::Full(heard)) => Err(heard),
                // One who hangs up is on his way out; nobody minds.
                Ok(()) | Err(TrySendError::Disconnected(_)) => Ok(()),
            }
        };
        let session = Session {
            feed: self.feed,
            limits: self.limits,
            clock: SessionClock::behind(last),
            hear: Arc::new(hear),
        };
        let raw = self.raw.then(|| RawWriter::new(root, venue));
        let wants_books = session.feed.kinds.contains(&FeedKind::Depth);
        let lines = session.lines();
        // Where records may be dropped for want of room, messages as they came may be as well.
        let raw = (raw, self.settings.policy != DiskPolicy::Halt);
        let capture =
            Capture::new(session.feed.market, lines, wants_books, numbers, raw, asker, counters);
        let mut work = Work { capture, sinks, ledger, gauges: gauges.clone() };
        let has_failed = AtomicBool::new(false);
        let (worked, talked) = thread::scope(|scope| {
            let stop = || should_stop() || has_failed.load(Ordering::Relaxed);
            let talking = scope.spawn(move || session.run(asked, stop));
            let worked = work.run(&queue, clock);
            has_failed.store(true, Ordering::Relaxed);
            // A session that waits for room in the queue would wait for ever.
            drop(queue);
            let talked = talking.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            (worked, talked)
        });
        let finished = worked.and_then(|()| work.finish(clock)).map_err(RunError::Recording);
        finished?;
        // The last window of the ledger is written by now. A database that is not there is told next time.
        if gauges.probe.as_ref().is_some_and(|probe| probe.is_reachable())
            && let Err(error) = target.tell_grades()
        {
            tracing::warn!("telling the grades of days: {error}");
        }
        talked.map_err(|error| RunError::Session { venue, error })
    }
}

struct Work {
    capture: Capture,
    sinks: Sinks,
    ledger: Ledger,
    gauges: Gauges,
}

impl Work {
    /// Works until the session is over and all it heard is taken in.
    fn run(&mut self, queue: &mpsc::Receiver<Heard>, clock: &Clock) -> io::Result<()> {
        let counters = Arc::clone(&self.gauges.counters);
        let mut synced = Instant::now();
        loop {
            let mut taken = 0;
            if !self.sinks.has_room(2 * BITE) {
                // Messages wait in the queue. Where it overflows the loss leaves a gap record, and
                // depth begins anew; rows that gave way here would leave a hole that nobody sees.
                self.sinks.tick(clock())?;
                self.ledger.tick(clock())?;
                thread::sleep(Duration::from_millis(1));
                continue;
            }
            match queue.recv_timeout(Duration::from_millis(50)) {
                Ok(heard) => {
                    taken += 1;
                    self.capture.hear(heard, &mut self.ledger)?;
                    while taken < BITE
                        && let Ok(heard) = queue.try_recv()
                    {
                        taken += 1;
                        self.capture.hear(heard, &mut self.ledger)?;
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
            }
            let now = clock();
            let waiting = counters.queued_frames.load(Ordering::Relaxed);
            Counters::peak(&counters.queued_frames_peak, waiting);
            self.ledger.tick(now)?;
            counters.queued_frames.fetch_sub(taken as u64, Ordering::Relaxed);
            let sinks = &mut self.sinks;
            self.capture.take(|batch| sinks.push(batch, now))?;
            self.sinks.tick(now)?;
            // In a hurry the queue comes first: messages become durable less often.
            let is_hurried = waiting * 100 >= QUEUED_FRAMES_MAX as u64 * HURRY_PERCENT;
            let pause = if is_hurried { 4 * SYNC_EVERY } else { SYNC_EVERY };
            if synced.elapsed() >= pause {
                self.capture.sync()?;
                self.gauges.condition.look(&counters.snapshot(), now);
                synced = Instant::now();
            }
        }
    }

    fn finish(self, clock: &Clock) -> io::Result<()> {
        let Self { mut capture, mut sinks, ledger, .. } = self;
        capture.take(|batch| sinks.push(batch, clock()))?;
        capture.close()?;
        sinks.finish(clock)?;
        ledger.finish(clock())
    }
}
