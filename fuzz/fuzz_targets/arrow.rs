//! A plain Arrow stream.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| qt_fuzz::read_bytes(&[b"\xff\xff\xff\xff", data].concat()));
