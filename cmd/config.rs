//! `qt config`: what is configured, by whom, and whether a file is sound.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};

use crate::context::Context;
use crate::failure::FailureExt;
use crate::outcome::Outcome;
use crate::settings::{Settings, check_files};

/// Show and check the configuration
///
/// Settings come from flags, then `QT_*` environment variables, then the nearest `qt.toml` in this
/// directory or above it (or the file of `--config`), then `qt/config.toml` in `$XDG_CONFIG_HOME` or
/// `~/.config`, then defaults. Strings in files may use `${NAME}` and `${NAME:-default}` for
/// environment variables.
#[derive(Debug, Args)]
pub(crate) struct Config {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    Show(Show),
    Check(Check),
}

/// Print the effective configuration
///
/// The text is a valid `qt.toml`. Its SHA-256 names the configuration in the manifests of runs:
/// `qt config show | sha256sum` gives the same digest as `--json`.
#[derive(Debug, Args)]
struct Show {
    /// Say behind each setting where it comes from
    #[arg(long)]
    origin: bool,
}

/// Check configuration files
///
/// Prints every error of every file, each with its line and column, and exits with 2 if there is one.
/// Reads nothing but these files and the environment variables they name.
#[derive(Debug, Args)]
struct Check {
    /// Files to check
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
}

pub(crate) fn run(args: Config, context: &mut Context) -> anyhow::Result<Outcome> {
    match args.action {
        Action::Show(args) => show(&args, context),
        Action::Check(args) => check(&args, context),
    }
}

fn show(args: &Show, context: &Context) -> anyhow::Result<Outcome> {
    let settings = context.settings()?;
    let text = match (context.json(), args.origin) {
        (true, _) => format!("{:#}\n", as_json(settings)),
        (false, true) => settings.to_toml_with_origins(context.paint()),
        (false, false) => settings.to_toml(),
    };
    context.print(text)?;
    Ok(Outcome::Done)
}

fn as_json(settings: &Settings) -> Value {
    let mut entries = Map::new();
    for (setting, value, origin) in settings.iter() {
        let entry = json!({"value": value.json(), "origin": origin.to_string()});
        entries.insert(setting.key.to_owned(), entry);
    }
    json!({"sha256": settings.sha256(), "settings": entries})
}

fn check(args: &Check, context: &Context) -> anyhow::Result<Outcome> {
    if let Some(problems) = check_files(&args.files) {
        return Err(problems).hint("`qt man config` explains every setting");
    }
    context.note(match args.files.len() {
        1 => "the file is sound".to_owned(),
        count => format!("all {count} files are sound"),
    });
    Ok(Outcome::Done)
}
