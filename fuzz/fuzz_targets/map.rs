//! Tables by a map of their columns: the map, a zero, the table.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| qt_fuzz::read_mapped(data));
