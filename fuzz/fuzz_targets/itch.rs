//! ITCH messages.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| qt_fuzz::read_import("itch", "01302019.NASDAQ_ITCH50", data));
