//! All of `qt`, and the strategies of this desk.
//!
//! A strategy is a file here, its `mod` line and its line in the list: `my-desk backtest cross` finds it
//! by its name.

mod cross;

use std::process::ExitCode;

use qt::prelude::Registration;

const STRATEGIES: &[Registration] = &[
    Registration::of::<cross::Cross>(), // `my-desk backtest cross`
];

fn main() -> ExitCode {
    qt::main(STRATEGIES)
}
