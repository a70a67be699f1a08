//! Lines of NDJSON, without a header.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| qt_fuzz::read_bytes(&[b"{\"k\":", data].concat()));
