//! `qt completions`: shell scripts generated from the same definitions as the help.

use clap::Args;
use clap_complete::Shell;

use crate::context::Context;
use crate::outcome::Outcome;
use crate::registry;

/// Print a completion script for a shell
///
/// For bash: `qt completions bash > ~/.local/share/bash-completion/completions/qt`. For zsh: put it as
/// `_qt` into a directory of `$fpath`. For fish: `~/.config/fish/completions/qt.fish`.
#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// Shell to write for
    shell: Shell,
}

pub(crate) fn run(args: Completions, context: &mut Context) -> anyhow::Result<Outcome> {
    // The generator panics if it cannot write, so it writes to memory.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut registry::definition(), "qt", &mut script);
    context.print(script)?;
    Ok(Outcome::Done)
}
