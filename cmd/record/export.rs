//! `qt record export`: what was recorded, as a stream or a file.

use clap::Args;
use qt_model::record::Batch;
use qt_stream::frame::{End, Header};

use crate::context::Context;
use crate::outcome::Outcome;
use crate::select_args::SelectArgs;
use crate::stream_args::{OutputArgs, ReadArgs};
use crate::streams::{Rules, Sink, Sources};
use crate::write_args::WriteArgs;

/// Write what was recorded to one file or stream
///
/// Takes the selection from the catalog, in order, and writes NDJSON, Arrow, CSV, or Parquet where it
/// is of one kind (`--kinds trade`).
#[derive(Debug, Args)]
pub(crate) struct Export {
    #[command(flatten)]
    select: SelectArgs,
    #[command(flatten)]
    read: ReadArgs,
    #[command(flatten)]
    output: OutputArgs,
    #[command(flatten)]
    write: WriteArgs,
}

pub(crate) fn run(args: &Export, context: &mut Context) -> anyhow::Result<Outcome> {
    let selection = args.select.selection()?;
    let rules = Rules::new(&args.read, context)?;
    let mut sources = Sources::default();
    sources.open_selected(&args.read.input, &selection, &rules, context)?;
    let mut header = Header::new(rules.options.universe.snapshot());
    header.provenance = sources.provenance();
    if let Some(kinds) = &selection.kinds {
        header = header.with_kinds(kinds.iter().copied());
    }
    if args.write.dry_run {
        context.note(format_args!("would write {} files as one", sources.count()));
        return Ok(Outcome::Done);
    }
    let is_nothing = sources.is_empty();
    let mut reading = sources.merge(&rules);
    let mut sink = Sink::open(&args.output, &args.write, &header, context)?;
    let mut batch = Batch::default();
    while !context.shutdown().requested() && reading.next(&mut batch)? {
        sink.write(&batch)?;
    }
    let stopped = context.shutdown().requested().then(|| "signal".to_owned());
    sink.finish(End { stopped, ..End::default() })?;
    if is_nothing {
        context.warn("nothing matches; `qt catalog ls`, or `qt store ls`, shows what is there");
        return Ok(Outcome::Incomplete);
    }
    reading.conclude(&rules, context, reading.cut())
}
