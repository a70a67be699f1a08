//! Lanes on as many threads as there are: one thread reads, all others simulate.
//!
//! Each batch is decoded once and shared. Variants are dealt out in turn; what becomes of each does not
//! depend on which thread it runs on, so the results are those of one thread.

use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::JoinHandle;

use qt_live::process::ProcessError;
use qt_model::record::Batch;
use qt_sim::driver::{Driven, Records};

use super::lanes::{Common, Lanes, Ran};
use super::spill::Keeper;
use super::variant::Variant;

/// Batches that wait for a thread.
const WAITING: usize = 4;

/// Lanes that go through a batch together. Each lives on some kilobytes: those of more would not
/// stay in a cache from one record to the next, which costs more than reading the market anew.
const TOGETHER: usize = 64;

/// Variants in parts that go through each batch one after the other.
#[derive(Debug)]
pub(super) struct Parts(Vec<Lanes>);

impl Parts {
    fn new(common: &Common, variants: Vec<Variant>) -> anyhow::Result<Self> {
        let (mut parts, mut variants) = (Vec::new(), variants.into_iter().peekable());
        while variants.peek().is_some() {
            parts.push(Lanes::new(common, variants.by_ref().take(TOGETHER).collect())?);
        }
        Ok(Self(parts))
    }

    /// Takes a batch; gives one back that all parts are done with.
    fn push(&mut self, records: &Records) -> Option<Records> {
        // All hold on to a batch for as long.
        self.0.iter_mut().fold(None, |_, lanes| lanes.push(records.clone()))
    }

    fn fault(&self) -> Option<ProcessError> {
        self.0.iter().find_map(Lanes::fault)
    }

    fn finish(self) -> (Vec<Ran>, Driven) {
        let (mut all, mut driven) = (Vec::new(), Driven::default());
        for lanes in self.0 {
            let (results, of) = lanes.finish();
            all.extend(results);
            driven = of;
        }
        (all, driven)
    }
}

/// See the module.
#[derive(Debug)]
pub(super) enum Workers {
    Here(Parts),
    Threads(Vec<Worker>),
}

#[derive(Debug)]
pub(super) struct Worker {
    batches: SyncSender<Records>,
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
        let mut parts = dealt.into_iter().map(|variants| Parts::new(common, variants));
        if count == 1 {
            return Ok(Self::Here(parts.next().expect("one share was dealt")?));
        }
        let parts: Vec<Parts> = parts.collect::<anyhow::Result<_>>()?;
        Ok(Self::Threads(parts.into_iter().map(Worker::spawn).collect()))
    }

    /// Takes a batch; gives one back that is done with, if no other thread holds it.
    pub(super) fn push(&mut self, records: Records) -> Option<Records> {
        match self {
            Self::Here(parts) => {
                let spare = parts.push(&records);
                drop(records);
                spare
            }
            Self::Threads(workers) => {
                for worker in workers {
                    // A thread that is gone has panicked, which shows when it is joined.
                    let _ = worker.batches.send(records.clone());
                }
                None
            }
        }
    }

    /// What went wrong with a strategy, if anything did.
    pub(super) fn fault(&self) -> Option<ProcessError> {
        match self {
            Self::Here(parts) => parts.fault(),
            // Threads say at their end.
            Self::Threads(_) => None,
        }
    }

    /// Lets the rows of all lanes go there while they run. Of a sweep, nothing is recorded.
    pub(super) fn spill_to(&mut self, keeper: &Keeper) {
        if let Self::Here(Parts(parts)) = self
            && let [lanes] = &mut parts[..]
        {
            lanes.spill_to(keeper);
        }
    }

    /// Hands out what each lane recorded since the last time. Of a sweep, nothing is recorded.
    pub(super) fn drain(
        &mut self,
        rows: &mut Batch,
        mut take: impl FnMut(usize, &Batch) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        match self {
            Self::Here(parts) => parts.0.iter_mut().enumerate().try_for_each(|(part, lanes)| {
                lanes.drain(rows, |at, rows| take(part * TOGETHER + at, rows))
            }),
            Self::Threads(_) => Ok(()),
        }
    }

    /// The results in the order of the variants.
    pub(super) fn finish(self) -> anyhow::Result<(Vec<Ran>, Driven)> {
        match self {
            Self::Here(parts) => Ok(parts.finish()),
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
    fn spawn(mut parts: Parts) -> Self {
        let (batches, inbox) = sync_channel::<Records>(WAITING);
        let thread = std::thread::spawn(move || {
            for records in inbox {
                parts.push(&records);
                drop(records);
                if parts.fault().is_some() {
                    break;
                }
            }
            let fault = parts.fault();
            let (results, driven) = parts.finish();
            (results, driven, fault)
        });
        Self { batches, thread }
    }
}
