//! `qt drill`: end in every way a command can end, on purpose.
//!
//! Hidden from help. For our own tests, and for whoever writes a supervisor around `qt` and wants to
//! see each exit code once before relying on it.

use std::io::{self, BufRead, BufReader, Write};
use std::thread;
use std::time::Duration;

use anyhow::bail;
use clap::{Args, ValueEnum};

use crate::context::Context;
use crate::failure::{Failure, FailureExt};
use crate::outcome::{Exit, Outcome};
use crate::stream_args::StreamArgs;

/// Rehearse how commands end
#[derive(Debug, Args)]
#[command(hide = true)]
pub(crate) struct Drill {
    /// Way to end
    end: End,
    #[command(flatten)]
    stream: StreamArgs,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum End {
    Done,
    No,
    Usage,
    Input,
    Outside,
    Incomplete,
    /// Panic in the main thread
    Bug,
    /// Panic in a thread that nobody joins
    BugInThread,
    /// Print a line, wait for a signal, drain, print another
    Wait,
    /// Ignore the first signal
    Stubborn,
    /// Copy standard input to standard output until either ends or a signal comes
    Copy,
    /// The same, a line at a time
    CopyLines,
    /// Write to standard output and leave the rest to luck
    Unflushed,
    /// Say what the stream flags and settings come to
    Flags,
}

pub(crate) fn run(args: Drill, context: &mut Context) -> anyhow::Result<Outcome> {
    match args.end {
        End::Done => Ok(Outcome::Done),
        End::No => Ok(Outcome::No),
        End::Incomplete => Ok(Outcome::Incomplete),
        End::Usage => Err(Failure::usage("a drill of wrong usage").with_hint("none needed").into()),
        End::Input => Err(anyhow::anyhow!("a drill of bad input")).exit(Exit::Input),
        End::Outside => bail!("a drill of trouble outside"),
        End::Bug => panic!("a drill"),
        End::BugInThread => {
            thread::spawn(|| panic!("a drill")).join().ok();
            Ok(Outcome::Done)
        }
        End::Wait => wait(context),
        End::Stubborn => stubborn(context),
        End::Copy => copy(context),
        End::CopyLines => copy_lines(context),
        End::Unflushed => {
            context.stdout()?.write_all(b"unflushed\n")?;
            Ok(Outcome::Done)
        }
        End::Flags => flags(&args.stream, context),
    }
}

const NAP: Duration = Duration::from_millis(5);

fn wait(context: &Context) -> anyhow::Result<Outcome> {
    let mut progress = context.progress("waiting", None);
    context.print("ready\n")?;
    while !context.shutdown().requested() {
        thread::sleep(NAP);
        progress.tick(1);
    }
    progress.finish();
    context.print("drained\n")?;
    Ok(Outcome::Done)
}

fn stubborn(context: &Context) -> anyhow::Result<Outcome> {
    context.print("ready\n")?;
    while !context.shutdown().requested() {
        thread::sleep(NAP);
    }
    context.print("asked\n")?;
    loop {
        thread::sleep(NAP);
    }
}

fn copy(context: &Context) -> anyhow::Result<Outcome> {
    let mut stdout = context.stdout()?;
    io::copy(&mut context.stdin()?, &mut stdout)?;
    stdout.flush()?;
    Ok(Outcome::Done)
}

fn copy_lines(context: &Context) -> anyhow::Result<Outcome> {
    for line in BufReader::new(context.stdin()?).lines() {
        context.print(line? + "\n")?;
    }
    Ok(Outcome::Done)
}

fn flags(args: &StreamArgs, context: &Context) -> anyhow::Result<Outcome> {
    let settings = context.settings()?;
    let lines = [
        format!("input {:?}", args.read.input),
        format!("output {:?}", args.to.format(settings)),
        format!("file {:?}", args.to.out()),
        format!("bad records {:?}", args.read.bad.bad_record(settings)?),
        format!("ordering {:?}", args.read.ordering(settings)),
        format!("truncated {}, verify {}", args.read.allow_truncated, args.read.verify),
        format!("limit {:?}", args.limit),
        format!("data {:?}", settings.data()),
        format!("threads {}", settings.threads()),
        format!("batch {}", settings.stream_batch_records()),
        format!("row group {}", settings.catalog_row_group_records()),
        format!("speed {}", settings.replay_speed()),
    ];
    context.print(lines.map(|line| line + "\n").concat())?;
    Ok(Outcome::Done)
}
