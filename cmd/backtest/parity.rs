//! A run that was kept, stepped again: its market and what its strategy was told, through the core that
//! a live session steps, without a venue.
//!
//! Memory holds a batch of the market and one of the inputs. What comes out is written as the rows of
//! a run in a folder of its own, so that whoever compares two runs can compare these.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use qt_model::instrument::Instruments;
use qt_model::record::{Batch, InputRow, Kind, Source};
use qt_model::step::{Execution, Input, TimerId};
use qt_model::time::Ts;
use qt_model::words::RunStatus;
use qt_sim::driver::{Feed, Observer, Ours};
use qt_stream::parquet_file::ParquetReader;
use qt_stream::runs::{RunReader, RunWriter};
use qt_trade::core::{Core, Effect, Strategy};
use qt_trade::outbox::{Outbox, Output};
use qt_trade::tape;

use super::lanes::Alone;
use super::record::Data;
use super::variant::Kept;
use super::verify::simulation;
use super::watch::Watch;
use super::{Prepared, prepare};
use crate::context::Context;
use crate::failure::Failure;
use crate::select_args::now;

/// What was stepped.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Stepped {
    /// Records of the market.
    pub(crate) records: u64,
    /// What the strategy was told beside them.
    pub(crate) inputs: u64,
    /// The first timer that went off once and not again, or the other way round.
    pub(crate) stray_timer: Option<(Ts, TimerId)>,
}

/// Steps a run again; its rows lie in `folder` then, which must not be there yet.
pub(crate) fn step_again(
    run: &RunReader,
    input: &[PathBuf],
    folder: &Path,
    context: &Context,
) -> anyhow::Result<Stepped> {
    let kept = run.manifest();
    let (simulate, file) = simulation(kept, input, context)?;
    let Prepared { common, variants, mut opened, first } = prepare(&simulate, file, context)?;
    let Alone { core, faults, feed } = Alone::new(&common, &variants[0])?;
    let instruments = &common.market.instruments;
    let mut watch = Watch::new(core.desk().ledger());
    watch.record(Kept::All, &common.file.definition.name, instruments);
    let mut inputs = Inputs::open(run, Arc::clone(instruments))?;
    let writer = RunWriter::create_at(folder, kept.clone(), &["again"])?;
    let mut session = Session {
        core,
        feed,
        watch,
        writer,
        out: Outbox::default(),
        rows: Batch::new(Arc::clone(instruments)),
        timers: BTreeSet::new(),
        stepped: Stepped::default(),
    };
    let mut data = Data::default();
    session.start(first.ts_recv(0));
    let mut next = Some(first);
    while let Some(records) = next {
        data.read(&records);
        session.market(&records.to_batch(), &mut inputs)?;
        if let Some(fault) = faults.iter().find_map(qt_live::process::Fault::get) {
            return Err(fault.into());
        }
        session.write()?;
        opened.take_back(records);
        next = opened.next()?;
    }
    let kept_data = kept.input.datasets.first().map(|it| it.digest.clone()).unwrap_or_default();
    if data.digest() != kept_data {
        let message = format!("{}: the records are not those of the run", kept.run_id);
        return Err(Failure::usage(message).with_hint("give them with --input").into());
    }
    session.rest(&mut inputs)?;
    session.finish()
}

/// The inputs of a run, one after the other, with the instruments of the market.
struct Inputs {
    reader: ParquetReader,
    instruments: Arc<Instruments>,
    batch: Batch,
    at: usize,
}

impl Inputs {
    fn open(run: &RunReader, instruments: Arc<Instruments>) -> anyhow::Result<Self> {
        let Some((reader, table)) = run.source(0, Kind::InputRow)? else {
            let message = format!("{}: it kept no inputs", run.manifest().run_id);
            let hint =
                "runs keep them from this version on; a run without orders and timers has none";
            return Err(Failure::usage(message).with_hint(hint).into());
        };
        Ok(Self { reader, instruments, batch: Batch::new(table), at: 0 })
    }

    /// The next input, if it comes before that many records of the market.
    fn before(&mut self, records: u64) -> anyhow::Result<Option<(Ts, Input<'static>)>> {
        if self.at == self.batch.len() {
            self.at = 0;
            if !self.reader.next(&mut self.batch)? {
                return Ok(None);
            }
        }
        let Some(row) = self.batch.rows::<InputRow>().get(self.at) else { return Ok(None) };
        if row.after > records {
            return Ok(None);
        }
        self.at += 1;
        let mut row = row.clone();
        if let Some(instrument) = row.head.instrument {
            let terms = self.batch.instruments().get(instrument);
            let ours = self.instruments.find(terms.symbol.as_str());
            let ours = ours.filter(|id| self.instruments.get(*id).px_scale == terms.px_scale);
            row.head.instrument =
                Some(ours.with_context(|| format!("{} is not in the input", terms.symbol))?);
        }
        Ok(Some((row.head.ts_recv, tape::input(&row)?)))
    }
}

struct Session {
    core: Core<Box<dyn Strategy>>,
    feed: Feed,
    watch: Watch,
    writer: RunWriter,
    out: Outbox,
    rows: Batch,
    timers: BTreeSet<(Ts, TimerId)>,
    stepped: Stepped,
}

impl Session {
    fn start(&mut self, now: Ts) {
        self.core.start(now, &mut self.out);
        self.asked(now);
    }

    /// Steps a batch of the market, and what comes between its records.
    fn market(&mut self, batch: &Batch, inputs: &mut Inputs) -> anyhow::Result<()> {
        for record in batch.iter() {
            let now = self.feed.receive(record.head().ts_recv);
            if tape::is_counted(&record) {
                while let Some((at, input)) = inputs.before(self.stepped.records)? {
                    self.told(at, &input)?;
                }
                self.overdue(now);
                self.stepped.records += 1;
            }
            let input = Input::Market(record);
            let effect = self.core.take(now, &input, &mut self.out);
            self.valued(now, &effect);
            self.asked(now);
            self.core.derive(now, &input, &mut self.out);
            self.asked(now);
        }
        Ok(())
    }

    /// Steps what came after the last record.
    fn rest(&mut self, inputs: &mut Inputs) -> anyhow::Result<()> {
        while let Some((at, input)) = inputs.before(u64::MAX)? {
            self.told(at, &input)?;
        }
        Ok(())
    }

    fn told(&mut self, now: Ts, input: &Input<'_>) -> anyhow::Result<()> {
        self.stepped.inputs += 1;
        if let Input::Timer(timer) = input {
            self.went_off(now, *timer);
        }
        let effect = self.core.take(now, input, &mut self.out);
        let ours = ours(&self.core);
        if let Input::Execution(execution) = input {
            match execution {
                Execution::Report(report) => {
                    let did = self.core.desk().change().filter(|_| effect.refused.is_none());
                    self.watch.reported(now, report, did, ours);
                }
                Execution::Cash(flow) => self.watch.paid(now, flow, ours),
                Execution::Closure(closure) => self.watch.closed(now, closure, ours),
            }
        }
        self.valued(now, &effect);
        self.asked(now);
        if self.watch.is_full() { self.write() } else { Ok(()) }
    }

    fn valued(&mut self, now: Ts, effect: &Effect) {
        if effect.is_revalued {
            self.watch.valued(now, ours(&self.core));
        }
    }

    fn asked(&mut self, now: Ts) {
        let Self { core, watch, out, timers, .. } = self;
        for output in out.drain() {
            watch.asked(now, &output, core.front(), ours(core));
            if let Output::Timer { id, at } = output {
                timers.insert((at.max(now), id));
            }
        }
    }

    /// A timer that went off has to have been set.
    fn went_off(&mut self, now: Ts, timer: TimerId) {
        let due = self.timers.iter().find(|(at, id)| *id == timer && *at <= now).copied();
        let is_set = due.is_some_and(|due| self.timers.remove(&due));
        if !is_set {
            self.stepped.stray_timer.get_or_insert((now, timer));
        }
    }

    /// A timer that was due before a record has to have gone off.
    fn overdue(&mut self, now: Ts) {
        if let Some((at, timer)) = self.timers.first().filter(|(at, _)| *at < now) {
            self.stepped.stray_timer.get_or_insert((*at, *timer));
        }
    }

    fn write(&mut self) -> anyhow::Result<()> {
        self.rows.clear();
        self.watch.drain(&mut self.rows);
        Ok(self.writer.write(0, &self.rows)?)
    }

    fn finish(mut self) -> anyhow::Result<Stepped> {
        self.write()?;
        self.writer.finish(RunStatus::Done, now())?;
        Ok(self.stepped)
    }
}

fn ours(core: &Core<Box<dyn Strategy>>) -> Ours<'_> {
    Ours { ledger: core.desk().ledger(), orders: core.desk().orders() }
}
