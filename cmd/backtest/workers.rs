//! Lanes on as many threads as there are: one thread reads, all others simulate.
//!
//! Each batch is decoded once and shared. Variants are dealt out in turn; what becomes of each does not
//! depend on which thread it runs on, so the results are those of one thread.

use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::JoinHandle;

use qt_live::process::ProcessError;
use qt_model::record::Batch;
use qt_sim::driver::Driven;

use super::lanes::{Common, Lanes, Ran};
use super::variant::Variant;

/// Batches that wait for a thread.
const WAITING: usize = 4;

/// See the module.
#[derive(Debug)]
pub(super) enum Workers {
    Here(Box<Lanes>),
    Threads(Vec<Worker>),
}

#[derive(Debug)]
pub(super) struct Worker {
    batches: SyncSender<Arc<Batch>>,
    thread: JoinHandle<(Vec<Ran>, Driven, Option<ProcessError>)>,
}

impl Workers {
    pub(super) fn new(
        common: &Common,
        variants: Vec<Variant>,
        threads: usize,
    ) -> anyhow::Result<Self> {
        let count = threads.min(variants.len()).max(1);
        let mut dealt: Vec<Vec<Variant>> = vec![Vec::new(); count];
        for (at, variant) in variants.into_iter().enumerate() {
            dealt[at % count].push(variant);
        }
        let mut lanes = dealt.into_iter().map(|variants| Lanes::new(common, variants));
        if count == 1 {
            let lanes = lanes.next().expect("one share was dealt")?;
            return Ok(Self::Here(Box::new(lanes)));
        }
        let lanes: Vec<Lanes> = lanes.collect::<anyhow::Result<_>>()?;
        Ok(Self::Threads(lanes.into_iter().map(Worker::spawn).collect()))
    }

    /// Takes a batch; gives one back that is done with, if no other thread holds it.
    pub(super) fn push(&mut self, batch: Arc<Batch>) -> Option<Arc<Batch>> {
        match self {
            Self::Here(lanes) => lanes.push(batch),
            Self::Threads(workers) => {
                for worker in workers {
                    // A thread that is gone has panicked, which shows when it is joined.
                    let _ = worker.batches.send(Arc::clone(&batch));
                }
                None
            }
        }
    }

    /// What went wrong with a strategy, if anything did.
    pub(super) fn fault(&self) -> Option<ProcessError> {
        match self {
            Self::Here(lanes) => lanes.fault(),
            // Threads say at their end.
            Self::Threads(_) => None,
        }
    }

    /// Hands out what each lane recorded since the last time. Of a sweep, nothing is recorded.
    pub(super) fn drain(
        &mut self,
        rows: &mut Batch,
        take: impl FnMut(usize, &Batch) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        match self {
            Self::Here(lanes) => lanes.drain(rows, take),
            Self::Threads(_) => Ok(()),
        }
    }

    /// The results in the order of the variants.
    pub(super) fn finish(self) -> anyhow::Result<(Vec<Ran>, Driven)> {
        match self {
            Self::Here(lanes) => Ok(lanes.finish()),
            Self::Threads(workers) => {
                let mut all = Vec::new();
                let mut driven = Driven::default();
                for worker in workers {
                    drop(worker.batches);
                    let (results, of, fault) = match worker.thread.join() {
                        Ok(joined) => joined,
                        Err(panic) => std::panic::resume_unwind(panic),
                    };
                    if let Some(fault) = fault {
                        return Err(fault.into());
                    }
                    all.extend(results);
                    driven = of;
                }
                all.sort_by_key(|result| result.variant.number);
                Ok((all, driven))
            }
        }
    }
}

impl Worker {
    fn spawn(mut lanes: Lanes) -> Self {
        let (batches, inbox) = sync_channel::<Arc<Batch>>(WAITING);
        let thread = std::thread::spawn(move || {
            for batch in inbox {
                lanes.push(batch);
                if lanes.fault().is_some() {
                    break;
                }
            }
            let fault = lanes.fault();
            let (results, driven) = lanes.finish();
            (results, driven, fault)
        });
        Self { batches, thread }
    }
}
