//! Dukascopy files.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| qt_fuzz::read_import("dukascopy", "EURUSD/2019/01/04/00h_ticks.bi5", data));
