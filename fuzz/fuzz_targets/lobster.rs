//! LOBSTER messages.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| qt_fuzz::read_import("lobster", "AAPL_2012-06-21_34200000_57600000_message_10.csv", data));
