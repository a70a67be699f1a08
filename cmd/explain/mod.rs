//! `qt explain`: why one fill happened.

mod story;

use clap::Args;
use qt_stream::runs::RunReader;

use crate::context::Context;
use crate::failure::Failure;
use crate::outcome::Outcome;
use crate::runs::folder;

/// Explain a fill of a run
///
/// Tells its order from the decision to the fill: what the strategy decided and what it saw, how long
/// the order was on its way, the queue when it came to rest and how that moved, the price against the
/// mids around it, and what became of the same order under the other fill models.
#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// The run
    #[arg(value_name = "RUN")]
    run: String,
    /// The fill
    #[arg(long, value_name = "ID")]
    fill: String,
}

pub(crate) fn run(args: Explain, context: &mut Context) -> anyhow::Result<Outcome> {
    let run = RunReader::open(&folder(&args.run, context)?)?;
    let Some(story) = story::Story::read(&run, &args.fill)? else {
        let failure = Failure::usage(format!("the run has no fill `{}`", args.fill));
        return Err(failure.with_hint("the stream of fills names them: fills.parquet").into());
    };
    context.print(if context.json() { story.json() } else { story.text() })?;
    Ok(Outcome::Done)
}
