//! A file of the log: what is read of it has a place, and the same bytes give the same answer.
#![no_main]

use libfuzzer_sys::fuzz_target;
use qt_stream::universe::Universe;
use qt_stream::wal::read_bytes;

fuzz_target!(|data: &[u8]| {
    let read = || read_bytes("fuzz", data.to_vec(), &Universe::default());
    match (read(), read()) {
        (Ok(first), Ok(second)) => {
            assert_eq!((first.len(), &first.hash, &first.bad), (second.len(), &second.hash, &second.bad));
        }
        (Err(_), Err(_)) => {}
        (first, second) => panic!("{first:?} and {second:?} of the same bytes"),
    }
    // Damage rarely hits the checksum by chance, so a right one is tried as well.
    if let Some(at) = data.iter().position(|byte| *byte == b'\n') {
        let body = &data[at + 1..];
        let lines = body.iter().filter(|byte| **byte == b'\n').count();
        let sum = qt_stream::wal::checksum(body);
        let first = format!(
            r#"{{"k":"stream","schema":1,"instruments":[{{"sym":"a:X","px_scale":2,"qty_scale":2}}],"table":"trade","count":{lines},"crc32":"{sum}"}}"#
        );
        let whole = [first.as_bytes(), b"\n", body].concat();
        if let Ok(file) = read_bytes("fuzz", whole, &Universe::default()) {
            assert!(file.len() + file.bad.len() <= lines + 1, "more records than lines");
        }
    }
});
