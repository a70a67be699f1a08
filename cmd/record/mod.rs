//! `qt record`: market data into the catalog.
//!
//! An action is one file beside this one and one line in [`actions!`] below. The file defines
//! `Name`, a `clap::Args` struct whose doc comment is the help text, and
//! `run(args: &Name, context: &mut Context) -> anyhow::Result<Outcome>`.

// What `import` and `run` stand on.
mod flow;
mod inputs;
mod live;
mod recognise;

// One line per action, as below.
pub(crate) mod compact;
mod dlq;
mod export;
mod formats;
mod import;
mod retention;
mod run;
mod status;
mod verify;

use clap::{Args, Subcommand};

use crate::context::Context;
use crate::outcome::Outcome;

/// Capture and import market data
#[derive(Debug, Args)]
pub(crate) struct Record {
    #[command(subcommand)]
    action: Action,
}

macro_rules! actions {
    ($($module:ident::$name:ident),* $(,)?) => {
        #[derive(Debug, Subcommand)]
        enum Action {
            $($name(Box<$module::$name>),)*
        }

        pub(crate) fn run(args: Record, context: &mut Context) -> anyhow::Result<Outcome> {
            match args.action {
                $(Action::$name(args) => $module::run(&args, context),)*
            }
        }
    };
}

// In this order in the help.
actions! {
    run::Run,
    status::Status,
    import::Import,
    formats::Formats,
    compact::Compact,
    retention::Retention,
    dlq::Dlq,
    verify::Verify,
    export::Export,
}
