//! `qt report`: what a run came to, for a terminal, a page or a machine.

mod charts;
mod curve;
mod data;
mod explain;
mod format;
mod html;
mod keys;
mod latency;
mod markdown;
mod png;
mod svg;
mod sweep;
mod text;

use std::path::PathBuf;

use clap::Args;
use qt_model::words::{RunKind, RunStatus};
use qt_stream::runs::RunReader;

use crate::context::Context;
use crate::failure::Failure;
use crate::outcome::Outcome;
use crate::runs::folder;
use crate::write_args::WriteArgs;

use data::Data;
use sweep::Sweep;

/// Report on a run
///
/// Prints a summary, assumptions first; of a sweep, how a metric lies over the parameters. `--html` writes one self-contained page, `--png` one image, `--md` prints
/// Markdown, `--json` the metrics as they are. RUN is the name of a run, a part of it that no other
/// run has, or the path of its folder.
#[derive(Debug, Args)]
pub(crate) struct Report {
    /// The run
    #[arg(value_name = "RUN", required_unless_present_any = ["explain", "reference"])]
    run: Option<String>,
    /// Write one page with pictures, which needs nothing else
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Write its pictures and main figures as one image
    #[arg(long, value_name = "FILE", conflicts_with_all = ["html", "md"])]
    png: Option<PathBuf>,
    /// Print Markdown
    #[arg(long, conflicts_with = "html")]
    md: bool,
    /// Of a sweep, the metric that is shown over its parameters
    #[arg(long, value_name = "METRIC")]
    metric: Option<String>,
    /// Print what a metric means, and of a run its value and inputs
    #[arg(long, value_name = "METRIC", conflicts_with_all = ["html", "png", "md"])]
    explain: Option<String>,
    /// Print the reference of all metrics as Markdown
    #[arg(long, conflicts_with_all = ["run", "html", "png", "md", "explain"])]
    reference: bool,
    #[command(flatten)]
    write: WriteArgs,
}

pub(crate) fn run(args: Report, context: &mut Context) -> anyhow::Result<Outcome> {
    if args.reference {
        context.print(explain::reference())?;
        return Ok(Outcome::Done);
    }
    let run = match &args.run {
        Some(name) => Some(RunReader::open(&folder(name, context)?)?),
        None => None,
    };
    if let Some(name) = &args.explain {
        let metrics = run.map(|run| run.metrics(0)).transpose()?;
        context.print(explain::metric_text(name, metrics.as_deref())?)?;
        return Ok(Outcome::Done);
    }
    let run = run.ok_or_else(|| Failure::usage("a report is of a run"))?;
    report(&args, &run, context)
}

fn sweep_report(args: &Report, run: &RunReader, context: &Context) -> anyhow::Result<Outcome> {
    let sweep = Sweep::read(run, args.metric.as_deref())?;
    match (&args.html, &args.png) {
        (Some(path), _) => args.write.write(context, path, sweep.page().as_bytes())?,
        (None, Some(path)) => args.write.write(context, path, &sweep.png()?)?,
        (None, None) if context.json() => context.print(sweep::lines(run)?)?,
        (None, None) if args.md => context.print(sweep.markdown())?,
        (None, None) => context.print(sweep.text())?,
    }
    Ok(Outcome::Done)
}

/// What a metric means.
pub(crate) fn explained(name: &str) -> anyhow::Result<String> {
    explain::metric_text(name, None)
}

fn report(args: &Report, run: &RunReader, context: &Context) -> anyhow::Result<Outcome> {
    let status = run.manifest().status;
    if matches!(status, RunStatus::Running | RunStatus::Crashed) {
        let failure = Failure::no(format!("the run is {status}: its streams are not whole"));
        return Err(failure.with_hint("`qt runs show` tells what it was given").into());
    }
    if let Some(path) = args.html.as_ref().or(args.png.as_ref()) {
        args.write.check(path)?;
    }
    if run.manifest().kind == RunKind::Sweep {
        return sweep_report(args, run, context);
    }
    if args.metric.is_some() {
        let failure = Failure::usage("--metric chooses what is shown of a sweep, and this is none");
        return Err(failure.into());
    }
    let data = Data::gather(run)?;
    match (&args.html, &args.png) {
        (Some(path), _) => args.write.write(context, path, html::page(&data).as_bytes())?,
        (None, Some(path)) => args.write.write(context, path, &png::report(&data)?)?,
        (None, None) if context.json() => {
            context.print(std::fs::read(run.folder().join("metrics.json"))?)?;
        }
        (None, None) if args.md => context.print(markdown::page(&data))?,
        (None, None) => context.print(text::summary(&data, context.paint()))?,
    }
    Ok(Outcome::Done)
}
