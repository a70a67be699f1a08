//! A header and what follows it.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| qt_fuzz::read_bytes(
    &[b"{\"k\":\"stream\",\"schema\":1", data].concat()
));
