//! The `qt` binary: all commands, and the strategies that come along.

use std::process::ExitCode;

fn main() -> ExitCode {
    qt::main(&[])
}
