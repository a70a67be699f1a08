//! The commands. Adding one is a file beside this one, its `mod` line in `lib.rs`, and its line in
//! [`commands!`] below; help, manuals, completions and `docs/cli.md` follow.
//!
//! The file defines `Name`, a `clap::Args` struct whose doc comment is the help text, and
//! `run(args: Name, context: &mut Context) -> anyhow::Result<Outcome>`:
//!
//! ```text
//! commands! {
//!     replay::Replay, // `qt replay`, in replay.rs or replay/mod.rs
//! }
//! ```

use std::ffi::OsString;

use clap::{ColorChoice, CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::context::Context;
use crate::global::GlobalArgs;
use crate::outcome::Outcome;
use crate::settings::SETTINGS;

macro_rules! commands {
    ($($module:ident::$name:ident),* $(,)?) => {
        #[derive(Debug, Subcommand)]
        pub(crate) enum Command {
            $($name(crate::$module::$name),)*
        }

        impl Command {
            pub(crate) fn run(self, context: &mut Context) -> anyhow::Result<Outcome> {
                match self {
                    $(Self::$name(args) => crate::$module::run(args, context),)*
                }
            }
        }
    };
}

// In this order in `qt help`.
commands! {
    record::Record,
    venue_sim::VenueSim,
    replay::Replay,
    bars::Bars,
    features::Features,
    backtest::Backtest,
    synth::Synth,
    catalog::Catalog,
    store::Store,
    check::Check,
    runs::Runs,
    report::Report,
    diff::Diff,
    explain::Explain,
    parity::Parity,
    demo::Demo,
    schema::Schema,
    config::Config,
    completions::Completions,
    man::Man,
    drill::Drill,
}

/// Composable commands for quantitative trading
///
/// Every command is a filter: records come in on standard input or from files, records go out on
/// standard output, and everything else is said on standard error. Join commands with pipes.
#[derive(Debug, Parser)]
#[command(name = "qt", version, arg_required_else_help = true, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: GlobalArgs,
    #[command(subcommand)]
    pub(crate) command: Command,
}

impl Cli {
    /// Parses a command line. Help and version are errors too, as clap has it.
    pub(crate) fn parse_from(args: Vec<OsString>) -> Result<Self, clap::Error> {
        let command = definition().color(colour_of_help(&args));
        Self::from_arg_matches(&command.try_get_matches_from(args)?)
    }
}

/// The command line as clap sees it, with what the table of settings knows about its flags.
pub(crate) fn definition() -> clap::Command {
    with_settings(Cli::command())
}

fn with_settings(command: clap::Command) -> clap::Command {
    let command = command.mut_args(|arg| {
        let flag = arg.get_long();
        let setting = SETTINGS.iter().find(|it| flag.is_some() && it.flag == flag);
        match (setting, arg.get_help()) {
            (Some(it), Some(help)) => {
                let help = format!("{help} [default: {}] [env: {}]", it.default, it.env);
                arg.help(help)
            }
            _ => arg,
        }
    });
    command.mut_subcommands(with_settings)
}

// `--color` decides about help as well, but clap prints help before it has read all flags.
fn colour_of_help(args: &[OsString]) -> ColorChoice {
    let mut choice = ColorChoice::Auto;
    for (at, arg) in args.iter().enumerate() {
        let given = match arg.to_str() {
            Some("--") => break,
            Some("--color") => args.get(at + 1).and_then(|value| value.to_str()),
            Some(arg) => arg.strip_prefix("--color="),
            None => None,
        };
        choice = match given {
            Some("always") => ColorChoice::Always,
            Some("never") => ColorChoice::Never,
            Some("auto") => ColorChoice::Auto,
            _ => choice,
        };
    }
    choice
}
