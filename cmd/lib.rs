//! The terminal: parse, run, and say with an exit code how it went.
//!
//! [`main`] is the whole of a program: that of `qt`, and of one with strategies of its own. SIGPIPE stays ignored, as Rust starts every program: a closed pipe is an error value that
//! `context` turns into a quiet end, after the command has cleaned up.

// The frame that every command stands on.
mod bug;
mod catalog_sink;
mod choice;
mod context;
#[cfg(test)]
mod damage;
mod failure;
mod global;
mod hours;
mod listing;
mod outcome;
mod output;
mod problem;
mod progress;
mod registry;
mod select_args;
mod settings;
mod shutdown;
mod store_access;
mod store_sink;
mod strategy;
mod stream_args;
mod streams;
mod terminal;
mod toml_table;
mod toml_text;
mod trust;
mod write_args;

// One line per command, as in the registry.
mod backtest;
mod bars;
mod catalog;
mod check;
mod completions;
mod config;
mod demo;
mod diff;
mod drill;
mod explain;
mod features;
mod man;
mod parity;
mod record;
mod replay;
mod report;
mod runs;
mod schema;
mod store;
mod synth;
mod venue_sim;

use std::env;
use std::panic;
use std::process::ExitCode;

use qt_trade::native::Registration;

use context::Context;
use outcome::Exit;
use registry::Cli;
use terminal::{Talk, When};

pub use strategy::Rehearsal;

/// Runs the command line of this program, with these strategies beside those that come along.
pub fn main(natives: &'static [Registration]) -> ExitCode {
    bug::install_hook();
    let exit = panic::catch_unwind(|| run(natives)).unwrap_or(Exit::Bug);
    if bug::happened() { Exit::Bug.into() } else { exit.into() }
}

fn run(natives: &'static [Registration]) -> Exit {
    let cli = match Cli::parse_from(env::args_os().collect()) {
        Ok(cli) => cli,
        Err(answer) => {
            // Nobody may be reading; that changes nothing about the command line.
            let _ = answer.print();
            return if answer.use_stderr() { Exit::Usage } else { Exit::Done };
        }
    };
    match Context::new(&cli.global, natives) {
        Ok(mut context) => {
            let result = cli.command.run(&mut context);
            context.conclude(result)
        }
        Err(error) => context::report(&error, &Talk::new(cli.global.color.unwrap_or(When::Auto))),
    }
}
