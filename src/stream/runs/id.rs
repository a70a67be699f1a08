//! Names of runs: UUIDs of version 7, which sort by the time at which they were made.

use qt_model::ids::RunId;
use qt_model::time::Ts;

/// The name of a run that begins now. Both come from the caller, so that a test can tell the name.
pub fn run_id(now: Ts, random: [u8; 10]) -> RunId {
    let millis = now.nanos().div_euclid(1_000_000).max(0).unsigned_abs();
    let mut bytes = [0; 16];
    bytes[..6].copy_from_slice(&millis.to_be_bytes()[2..]);
    bytes[6..].copy_from_slice(&random);
    bytes[6] = 0x70 | bytes[6] & 0x0f;
    bytes[8] = 0x80 | bytes[8] & 0x3f;
    let mut text = String::with_capacity(36);
    for (at, byte) in bytes.iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        text.push_str(&format!("{byte:02x}"));
    }
    RunId::from(text.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_its_time_version_and_variant() {
        // The example of RFC 9562.
        let now: Ts = "2022-02-22T19:22:22Z".parse().unwrap();
        let random = [0x0c, 0xc3, 0x18, 0xc4, 0xdc, 0x0c, 0x0c, 0x07, 0x39, 0x8f];
        assert_eq!(run_id(now, random).as_str(), "017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
        assert!(run_id(now, [255; 10]) < run_id(Ts::from_nanos(now.nanos() + 1_000_000), [0; 10]));
    }
}
