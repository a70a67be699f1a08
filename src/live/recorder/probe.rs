//! Whether the database answers: asked every half a minute, on a thread of its own, which also tells
//! it the grades of the days that are recorded.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use qt_store::Store;

use super::judgement::Judgement;

/// How often it is asked while it answers, and while it does not.
const EVERY: Duration = Duration::from_secs(30);
const AGAIN: Duration = Duration::from_secs(5);

/// What the last question came to.
#[derive(Debug, Default)]
pub struct Probe {
    /// 1 while it answers.
    reachable: AtomicU64,
    took_ns: AtomicU64,
    failures: AtomicU64,
}

impl Probe {
    pub fn is_reachable(&self) -> bool {
        self.reachable.load(Ordering::Relaxed) != 0
    }

    /// Each value with its name.
    pub fn values(&self) -> [(&'static str, u64); 3] {
        let read = |value: &AtomicU64| value.load(Ordering::Relaxed);
        [
            ("store_reachable", read(&self.reachable)),
            ("store_probe_ns", read(&self.took_ns)),
            ("store_probe_failures", read(&self.failures)),
        ]
    }

    fn ask(&self, store: &Store) {
        let started = Instant::now();
        let answer = store.probe();
        let took = u64::try_from(started.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.took_ns.store(took, Ordering::Relaxed);
        self.reachable.store(u64::from(answer.is_ok()), Ordering::Relaxed);
        if let Err(error) = answer {
            self.failures.fetch_add(1, Ordering::Relaxed);
            tracing::warn!("{error}");
        }
    }
}

/// Asks until it is dropped.
#[derive(Debug)]
pub(super) struct Probing {
    stop: Option<mpsc::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Probing {
    pub(super) fn start(
        store: &Arc<Store>,
        probe: &Arc<Probe>,
        mut judgement: Judgement,
    ) -> std::io::Result<Self> {
        let (stop, stopped) = mpsc::channel();
        let (store, probe) = (Arc::clone(store), Arc::clone(probe));
        let thread = thread::Builder::new().name("probe".to_owned()).spawn(move || {
            loop {
                probe.ask(&store);
                if probe.is_reachable()
                    && let Err(error) = judgement.tell(&store)
                {
                    tracing::warn!("telling the grades of days: {error}");
                }
                let wait = if probe.is_reachable() { EVERY } else { AGAIN };
                match stopped.recv_timeout(wait) {
                    Err(RecvTimeoutError::Timeout) => {}
                    Ok(()) | Err(RecvTimeoutError::Disconnected) => return,
                }
            }
        })?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Probing {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // What it had to say is in the probe.
            let _ = thread.join();
        }
    }
}
