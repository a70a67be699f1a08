//! Texts of instants: what is read is written back as the same instant.
#![no_main]

use libfuzzer_sys::fuzz_target;
use qt_model::time::{TEXT_LEN, Ts, TsWriter};

fuzz_target!(|data: &[u8]| {
    if let Ok(ts) = Ts::parse(data) {
        assert_eq!(Ts::parse(&ts.text()), Ok(ts));
        let mut text = [0; TEXT_LEN];
        TsWriter::default().put(ts, &mut text);
        assert_eq!(text, ts.text());
    }
});
