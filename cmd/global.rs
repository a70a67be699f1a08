//! The flags that every command takes.
//!
//! Only what means the same everywhere is global. `--dry-run` and `--force` are in
//! `write_args` and stream flags in `stream_args`: a command that would ignore them must refuse them.

use std::path::PathBuf;

use clap::Args;

use crate::terminal::When;

#[derive(Debug, Args)]
#[command(next_help_heading = "Global")]
pub(crate) struct GlobalArgs {
    /// Run as if started in this directory
    #[arg(short = 'C', long, global = true, value_name = "DIR")]
    pub(crate) directory: Option<PathBuf>,
    /// Read this file in place of the nearest `qt.toml`
    #[arg(long, global = true, value_name = "FILE", env = "QT_CONFIG", hide_env_values = true)]
    pub(crate) config: Option<PathBuf>,
    /// Catalog directory
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) data: Option<String>,
    /// Worker threads: `auto`, or a number
    #[arg(long, global = true, value_name = "N")]
    pub(crate) threads: Option<String>,
    /// Print JSON in place of text and tables
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Print only warnings and errors on standard error
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Log more to standard error: -v steps, -vv details, -vvv everything
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    /// When to use colour; auto asks the terminal, `NO_COLOR` and `CLICOLOR_FORCE`
    #[arg(long, global = true, value_name = "WHEN", hide_possible_values = true)]
    pub(crate) color: Option<When>,
    /// When to show progress on standard error: auto, always or never
    #[arg(long, global = true, value_name = "WHEN", hide_possible_values = true)]
    pub(crate) progress: Option<When>,
}

impl GlobalArgs {
    /// What the flags say about settings: flag, key and value.
    pub(crate) fn overrides(&self) -> Vec<(&'static str, &'static str, String)> {
        let log = match (self.quiet, self.verbose) {
            (true, _) => Some(("--quiet", "error")),
            (false, 0) => None,
            (false, 1) => Some(("-v", "info")),
            (false, 2) => Some(("-vv", "debug")),
            (false, _) => Some(("-vvv", "trace")),
        };
        let given = [
            self.data.clone().map(|value| ("--data", "data", value)),
            self.threads.clone().map(|value| ("--threads", "threads", value)),
            self.color.map(|when| ("--color", "color", name(when))),
            self.progress.map(|when| ("--progress", "progress", name(when))),
            log.map(|(flag, level)| (flag, "log", level.to_owned())),
        ];
        given.into_iter().flatten().collect()
    }
}

fn name(when: When) -> String {
    match when {
        When::Auto => "auto",
        When::Always => "always",
        When::Never => "never",
    }
    .to_owned()
}
