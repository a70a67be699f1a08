//! Expressions of features: what is understood is planned or refused, and never worse.
#![no_main]

use libfuzzer_sys::fuzz_target;
use qt_market::features::{Plan, parse, parse_list};

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Err(error) = parse(text) {
        assert!(error.pointing_into(text).contains(&error.message), "the place is in the text");
    }
    if let Ok(list) = parse_list(text) {
        let _ = Plan::new(&list);
    }
});
