//! Files of vendors that are text: the first byte names the format.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| qt_fuzz::read_vendor(data));
