//! A filter: what every command does that reads one stream and writes another.

use std::collections::VecDeque;
use std::sync::Arc;

use qt_model::instrument::Instruments;
use qt_model::record::{Batch, ColumnTable, Kind};
use qt_stream::annotated::Annotated;
use qt_stream::braid::Braid;
use qt_stream::catalog::Selection;
use qt_stream::error::ReadError;
use qt_stream::frame::{End, Header};
use qt_stream::wide::WideColumns;

use super::{Reading, Rules, Sink, Sources, open_given};
use crate::context::Context;
use crate::outcome::Outcome;
use crate::select_args::SelectArgs;
use crate::stream_args::{ReadArgs, StreamArgs};
use crate::write_args::WriteArgs;

/// What a command makes of a stream.
pub(crate) trait Stage {
    /// What is shown while it works.
    const DOING: &'static str;

    /// Appends what a batch becomes.
    fn batch(&mut self, batch: &Batch, out: &mut Batch) -> anyhow::Result<()>;

    /// A batch with rows of features behind its records, where that is what it becomes; else nothing,
    /// and the batch is not looked at yet.
    fn annotate<'b>(&'b mut self, _: &'b Batch) -> Option<Annotated<'b>> {
        None
    }

    /// Appends what is left when the stream has ended.
    fn finish(&mut self, out: &mut Batch) -> anyhow::Result<()>;

    /// The columns of what comes out, where that is a wide table and not a stream.
    fn columns(&self) -> Option<WideColumns> {
        None
    }

    /// The instruments of what comes out.
    fn instruments(&self, input: Arc<Instruments>) -> anyhow::Result<Arc<Instruments>> {
        Ok(input)
    }
}

/// The kinds that may come as tables.
const TABLES: [Kind; 2] = [Kind::Quote, Kind::Bar];

/// How records come.
#[derive(Debug)]
enum Way {
    Rows(Reading),
    /// As columns, with those that came last.
    Columns(Reading<Braid>, Braid),
}

/// What came next.
#[derive(Debug)]
pub(crate) enum Next {
    /// Records in the batch that was given.
    Rows,
    Table(ColumnTable),
    End,
}

/// An input that is open, with the header of what will come of it.
#[derive(Debug)]
pub(crate) struct Filter {
    way: Way,
    rules: Rules,
    selection: Selection,
    pub(crate) header: Header,
    /// The name of the input, for reports.
    pub(crate) place: String,
    /// Whether the headers of all inputs name the instruments that come.
    pub(crate) is_declared: bool,
    /// Whether every record of the input is wanted.
    is_whole: bool,
    kept: Batch,
    /// Whether what came last was handed out as it was read.
    is_as_read: bool,
    /// Tables that wait, where they are taken.
    tables: Option<VecDeque<ColumnTable>>,
}

impl Filter {
    pub(crate) fn open(
        read: &ReadArgs,
        select: &SelectArgs,
        context: &Context,
    ) -> anyhow::Result<Self> {
        Self::open_for((None, false), read, select, context)
    }

    /// Opens an input in which a kind is passed over, for who takes tables of quotes and bars or not.
    pub(crate) fn open_for(
        (kind, takes_tables): (Option<Kind>, bool),
        read: &ReadArgs,
        select: &SelectArgs,
        context: &Context,
    ) -> anyhow::Result<Self> {
        let selection = select.selection()?;
        let mut rules = Rules::new(read, context)?;
        rules.options.without = kind;
        let mut sources = Sources::default();
        let flags = (read, select, false);
        let given = open_given(&mut sources, flags, &selection, &rules, context)?;
        let header = sources.header(&selection);
        let is_declared = sources.are_declared();
        let is_passed_over = kind.is_some_and(|kind| TABLES.contains(&kind));
        let has_tables = takes_tables && given.is_whole && sources.are_tables_of(&TABLES);
        let tables = (has_tables && !is_passed_over).then(VecDeque::new);
        let way = match sources.are_columns() {
            true => Way::Columns(sources.merge(&rules), Braid::default()),
            false => Way::Rows(sources.merge(&rules)),
        };
        Ok(Self {
            way,
            rules,
            selection,
            header,
            place: given.place,
            is_declared,
            is_whole: given.is_whole,
            kept: Batch::default(),
            is_as_read: false,
            tables,
        })
    }

    /// The instruments of the whole input, in the order in which reading it meets them. It is opened
    /// once more and read through as columns, which costs little; what cannot be read is left to the
    /// reading that counts.
    pub(crate) fn survey(
        read: &ReadArgs,
        select: &SelectArgs,
        context: &Context,
    ) -> anyhow::Result<Arc<Instruments>> {
        let selection = select.selection()?;
        let rules = Rules::new(read, context)?;
        let mut sources = Sources::default();
        open_given(&mut sources, (read, select, false), &selection, &rules, context)?;
        let mut reading: Reading<Braid> = sources.merge(&rules);
        let mut braid = Braid::default();
        while !context.shutdown().requested() && reading.next(&mut braid).unwrap_or(false) {}
        Ok(rules.options.universe.snapshot())
    }

    /// Fills the batch with what comes next of what is selected; `false` at the end.
    pub(crate) fn next(&mut self, batch: &mut Batch) -> anyhow::Result<bool> {
        if let Some(table) = self.tables.as_mut().and_then(VecDeque::pop_front) {
            *batch = table.to_batch();
            return Ok(true);
        }
        let more = match &mut self.way {
            Way::Rows(reading) => reading.next(batch)?,
            Way::Columns(reading, braid) => {
                let more = reading.next(braid)?;
                braid.rows(batch);
                more
            }
        };
        self.leave_out(batch);
        Ok(more)
    }

    /// Leaves out what is not selected.
    fn leave_out(&mut self, batch: &mut Batch) {
        // An encoding may hand out what it was told to pass over.
        let without = self.rules.options.without;
        let has_strangers = without.is_some_and(|kind| batch.count(kind) > 0);
        self.is_as_read = self.is_whole && !has_strangers;
        if self.is_as_read || batch.is_empty() {
            return;
        }
        self.kept.clear();
        self.kept.set_instruments(Arc::clone(batch.instruments()));
        for record in batch.iter() {
            let is_wanted = self.selection.wants_record(&record, batch.instruments());
            if is_wanted && without != Some(record.kind()) {
                self.kept.push(record);
            }
        }
        std::mem::swap(batch, &mut self.kept);
    }

    /// The same, as a table where they come as one and were asked for so.
    pub(crate) fn next_or_table(&mut self, batch: &mut Batch) -> anyhow::Result<Next> {
        if let (Some(tables), Way::Columns(reading, braid)) = (&mut self.tables, &mut self.way) {
            if tables.is_empty() {
                if !reading.next(braid)? {
                    return Ok(Next::End);
                }
                tables.extend(braid.tables().into_iter().flatten());
            }
            if let Some(table) = tables.pop_front() {
                return Ok(Next::Table(table));
            }
            braid.rows(batch);
            return Ok(Next::Rows);
        }
        Ok(if self.next(batch)? { Next::Rows } else { Next::End })
    }

    /// What came last, as columns where it came as such.
    fn columns(&self) -> Option<&Braid> {
        match &self.way {
            Way::Columns(_, braid) if self.is_as_read => Some(braid),
            Way::Columns(..) | Way::Rows(_) => None,
        }
    }

    fn cut(&self) -> Option<ReadError> {
        match &self.way {
            Way::Rows(reading) => reading.cut(),
            Way::Columns(reading, ..) => reading.cut(),
        }
    }

    fn concluded(&self, cut: Option<ReadError>, context: &Context) -> anyhow::Result<Outcome> {
        match &self.way {
            Way::Rows(reading) => reading.conclude(&self.rules, context, cut),
            Way::Columns(reading, ..) => reading.conclude(&self.rules, context, cut),
        }
    }

    /// Says what was left out, let pass or cut off, once everything was read.
    pub(crate) fn conclude(&self, context: &Context) -> anyhow::Result<Outcome> {
        self.concluded(self.cut(), context)
    }

    /// Reads to the end, or until there is a reason to stop, and writes what the stage makes of it.
    pub(crate) fn run<S: Stage>(
        mut self,
        stage: &mut S,
        (stream, write): (&StreamArgs, &WriteArgs),
        context: &Context,
    ) -> anyhow::Result<Outcome> {
        // Streams without a header show their instruments with their first records.
        let mut batch = Batch::default();
        let mut more = self.next(&mut batch)?;
        let mut header = self.header.clone();
        header.instruments = stage.instruments(self.rules.instruments(&self.selection))?;
        let mut sink = Sink::open_as(&stream.to, write, &header, stage.columns(), context)?;
        let mut progress = context.progress(S::DOING, None);
        let mut out = Batch::default();
        let mut left = stream.limit.unwrap_or(u64::MAX);
        let stopped = loop {
            if context.shutdown().requested() {
                break Some("signal".to_owned());
            }
            out.clear();
            let takes = more && sink.takes_annotated();
            match if takes { stage.annotate(&batch) } else { None } {
                Some(annotated) if (annotated.len() as u64) < left => {
                    left -= annotated.len() as u64;
                    sink.write_annotated(&annotated, self.columns())?;
                }
                Some(annotated) => annotated.records(&mut out),
                None if more => stage.batch(&batch, &mut out)?,
                None => stage.finish(&mut out)?,
            }
            let is_cut = out.len() as u64 >= left;
            if out.len() as u64 > left {
                out = first_of(&out, left as usize);
            }
            left -= out.len() as u64;
            sink.write(&out)?;
            if is_cut {
                break Some("limit".to_owned());
            }
            if !more {
                break None;
            }
            progress.tick(batch.len() as u64);
            more = self.next(&mut batch)?;
        };
        progress.finish();
        let cut = self.cut().filter(|_| stopped.is_none());
        let skipped = self.rules.options.tolerance.skipped();
        let stopped = stopped.or(cut.as_ref().map(|_| "truncated input".to_owned()));
        sink.finish(End { skipped, stopped, ..End::default() })?;
        self.concluded(cut, context)
    }
}

pub(crate) fn first_of(batch: &Batch, count: usize) -> Batch {
    let mut first = Batch::new(Arc::clone(batch.instruments()));
    first.push_range(batch, 0, count);
    first
}
