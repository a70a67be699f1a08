//! A replay under way: what is wanted is handed on when it is due.

use std::sync::Arc;

use qt_market::order::Key;
use qt_model::instrument::Instruments;
use qt_model::record::{Batch, Source};
use qt_stream::braid::Braid;
use qt_stream::error::ReadError;
use qt_stream::frame::End;

use super::cursor::Cursor;
use super::pace::{self, Pace};
use super::{Plan, Replay};
use crate::context::Context;
use crate::outcome::Outcome;
use crate::progress::Progress;
use crate::streams::{Lane, Merged, Reading, Rules, Sink, Sources};

/// Plays what the plan names, as rows or as columns.
pub(super) fn play<O: Handed>(
    args: &Replay,
    (plan, pace): (Plan, Pace),
    (sources, rules): (Sources, Rules),
    context: &Context,
) -> anyhow::Result<Outcome>
where
    Lane: Source<O::Part, Error = ReadError>,
{
    let is_nothing = sources.is_empty();
    let mut header = sources.header(&plan.selection);
    let mut reading: Reading<O> = sources.merge(&rules);
    // Streams without a header show their instruments with their first records.
    let mut first = O::default();
    let more = reading.next(&mut first)?;
    header.instruments = rules.instruments(&plan.selection);
    let sink = Sink::open(&args.stream.to, &args.write, &header, context)?;
    let mut player = Player {
        is_open: plan.is_open(args),
        plan,
        pace,
        sink,
        limit: args.stream.limit.unwrap_or(u64::MAX),
        written: 0,
        behind: false,
        last: None,
        progress: context.progress("replaying", None),
        kept: Batch::default(),
        context,
    };
    let stopped = if more { player.play(first, &mut reading)? } else { None };
    player.finish(&reading, &rules, stopped, is_nothing)
}

/// What is handed on in one go.
pub(super) trait Handed: Merged {
    /// Hands on what of it is wanted; says what stops the replay, if something does.
    fn hand(&mut self, player: &mut Player<'_>) -> anyhow::Result<Option<&'static str>>;
}

impl Handed for Batch {
    fn hand(&mut self, player: &mut Player<'_>) -> anyhow::Result<Option<&'static str>> {
        let is_whole =
            player.is_open && player.pace.is_free() && self.len() as u64 <= player.left();
        if !is_whole {
            return player.sift(self);
        }
        player.hand_on(self)?;
        Ok(None)
    }
}

impl Handed for Braid {
    /// Every record is wanted, up to the limit, and none has to wait.
    fn hand(&mut self, player: &mut Player<'_>) -> anyhow::Result<Option<&'static str>> {
        let is_cut = self.len() as u64 > player.left();
        if is_cut {
            self.truncate(usize::try_from(player.left()).unwrap_or(usize::MAX));
        }
        player.sink.write_braid(self)?;
        player.note(self.len(), self.last_key().map(|key| (key, self.instruments())));
        Ok(is_cut.then_some("limit"))
    }
}

/// See the module.
pub(super) struct Player<'a> {
    plan: Plan,
    pace: Pace,
    sink: Sink,
    limit: u64,
    written: u64,
    /// Whether every record of the inputs is wanted.
    is_open: bool,
    /// Whether the last record lay behind the cursor.
    behind: bool,
    /// The place of the last record written.
    last: Option<Cursor>,
    progress: Progress,
    kept: Batch,
    context: &'a Context,
}

impl Player<'_> {
    /// Plays to the end, the limit or a signal; says which if it is not the end.
    fn play<O: Handed>(
        &mut self,
        mut batch: O,
        reading: &mut Reading<O>,
    ) -> anyhow::Result<Option<&'static str>>
    where
        Lane: Source<O::Part, Error = ReadError>,
    {
        loop {
            if self.context.shutdown().requested() {
                return Ok(Some("signal"));
            }
            if self.left() == 0 {
                return Ok(Some("limit"));
            }
            if let Some(stopped) = batch.hand(self)? {
                return Ok(Some(stopped));
            }
            if !reading.next(&mut batch)? {
                return Ok(None);
            }
        }
    }

    /// How many records may still be written.
    fn left(&self) -> u64 {
        self.limit - self.written
    }

    fn hand_on(&mut self, batch: &Batch) -> anyhow::Result<()> {
        self.sink.write(batch)?;
        let last = batch.len().checked_sub(1).map(|at| Key::of(&batch.get(at)));
        self.note(batch.len(), last.map(|key| (key, Arc::clone(batch.instruments()))));
        Ok(())
    }

    /// Notes what was written, and the place of the last of it.
    fn note(&mut self, records: usize, last: Option<(Key, Arc<Instruments>)>) {
        self.written += records as u64;
        self.progress.tick(records as u64);
        if let Some((key, instruments)) = last {
            self.last = Some(Cursor::at(&key, &instruments));
        }
    }

    /// Picks the wanted records of a batch and hands them on when they are due.
    fn sift(&mut self, batch: &Batch) -> anyhow::Result<Option<&'static str>> {
        let mut kept = std::mem::take(&mut self.kept);
        kept.clear();
        kept.set_instruments(Arc::clone(batch.instruments()));
        let mut stopped = None;
        for record in batch.iter() {
            if self.written + kept.len() as u64 >= self.limit {
                stopped = Some("limit");
                break;
            }
            if !self.is_open && !self.plan.wants(&record, batch, &mut self.behind) {
                continue;
            }
            if let Some(wait) = self.pace.wait(record.head().ts_recv) {
                self.hand_on(&kept)?;
                kept.clear();
                self.sink.flush()?;
                pace::sleep(wait, self.context.shutdown());
                if self.context.shutdown().requested() {
                    stopped = Some("signal");
                    break;
                }
            }
            kept.push(record);
        }
        self.hand_on(&kept)?;
        if !self.pace.is_free() {
            self.sink.flush()?;
        }
        self.kept = kept;
        Ok(stopped)
    }

    fn finish<O: Handed>(
        self,
        reading: &Reading<O>,
        rules: &Rules,
        stopped: Option<&str>,
        is_nothing: bool,
    ) -> anyhow::Result<Outcome>
    where
        Lane: Source<O::Part, Error = ReadError>,
    {
        let Self { sink, last, progress, context, written, .. } = self;
        progress.finish();
        let skipped = rules.options.tolerance.skipped();
        let cut = reading.cut().filter(|_| stopped.is_none());
        let end = End {
            skipped,
            stopped: stopped
                .map(str::to_owned)
                .or(cut.as_ref().map(|_| "truncated input".to_owned())),
            cursor: last.map(|cursor| cursor.text()),
            ..End::default()
        };
        sink.finish(end)?;
        let outcome = reading.conclude(rules, context, cut)?;
        if is_nothing && written == 0 {
            context.warn("nothing matches; `qt catalog ls`, or `qt store ls`, shows what is there");
            return Ok(Outcome::Incomplete);
        }
        Ok(outcome)
    }
}
