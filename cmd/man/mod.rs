//! `qt man`: manual pages and the Markdown reference, from the definitions of the commands.
//!
//! Invariant: the text depends on the definitions alone, not on the machine, the day, the terminal or
//! the version, so that it can be committed and compared.

mod markdown;
mod page;

use std::path::PathBuf;

use clap::{Args, Command};

use crate::context::Context;
use crate::failure::Failure;
use crate::outcome::Outcome;
use crate::registry;
use crate::write_args::WriteArgs;

/// Print or write the manual pages
///
/// Without flags it prints the page of COMMAND, or of `qt` itself, for `man -l -`.
#[derive(Debug, Args)]
pub(crate) struct Man {
    /// Command, such as `config show`
    #[arg(value_name = "COMMAND")]
    command: Vec<String>,
    /// Write every page to this directory
    #[arg(long, value_name = "DIR", conflicts_with_all = ["command", "markdown"])]
    to: Option<PathBuf>,
    /// Print the reference of all commands as Markdown
    #[arg(long, conflicts_with = "command")]
    markdown: bool,
    #[command(flatten)]
    write: WriteArgs,
}

pub(crate) fn run(args: Man, context: &mut Context) -> anyhow::Result<Outcome> {
    let root = built();
    if let Some(directory) = &args.to {
        let pages: Vec<_> = all(&root).into_iter().map(page::file).collect();
        // Refuse before the first page, not after half of them.
        for (name, _) in &pages {
            args.write.check(&directory.join(name))?;
        }
        for (name, text) in &pages {
            args.write.write(context, &directory.join(name), text.as_bytes())?;
        }
    } else if args.markdown {
        context.print(markdown::reference(&all(&root)))?;
    } else {
        context.print(page::file(find(&root, &args.command)?).1)?;
    }
    Ok(Outcome::Done)
}

/// The definitions with inherited flags and full names filled in.
fn built() -> Command {
    let mut root = registry::definition().disable_help_subcommand(true).disable_version_flag(true);
    root.build();
    root
}

/// A command and all below it, depth first, as `qt help` orders them.
fn all(command: &Command) -> Vec<&Command> {
    let shown = command.get_subcommands().filter(|sub| !sub.is_hide_set());
    std::iter::once(command).chain(shown.flat_map(all)).collect()
}

fn find<'a>(root: &'a Command, words: &[String]) -> anyhow::Result<&'a Command> {
    let mut command = root;
    for word in words {
        let Some(sub) = command.find_subcommand(word) else {
            return Err(no_such(command, word).into());
        };
        command = sub;
    }
    Ok(command)
}

fn no_such(command: &Command, word: &str) -> Failure {
    let failure = Failure::usage(format!("`{}` has no command `{word}`", full_name(command)));
    let shown = command.get_subcommands().filter(|sub| !sub.is_hide_set());
    let nearest = shown
        .map(|sub| (strsim::damerau_levenshtein(sub.get_name(), word), sub))
        .min_by_key(|(distance, _)| *distance);
    match nearest {
        Some((distance, sub)) if distance <= word.len().div_ceil(2) => {
            failure.with_hint(format!("did you mean `{}`?", full_name(sub)))
        }
        _ => failure,
    }
}

/// `qt config show`.
fn full_name(command: &Command) -> &str {
    command.get_bin_name().unwrap_or_else(|| command.get_name())
}

/// `qt-config-show`.
fn page_name(command: &Command) -> &str {
    command.get_display_name().unwrap_or_else(|| command.get_name())
}
