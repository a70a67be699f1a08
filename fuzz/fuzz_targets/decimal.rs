//! Decimal texts: what is read is written back as the same number.
#![no_main]

use libfuzzer_sys::fuzz_target;
use qt_model::decimal::{parse, parse_money, write};
use qt_model::units::Scale;

fuzz_target!(|data: &[u8]| {
    let Some((digits, text)) = data.split_first() else { return };
    let scale = Scale::new(digits % 19).expect("at most eighteen");
    if let Ok(mantissa) = parse(text, scale) {
        let mut written = Vec::new();
        write(mantissa, scale, &mut written);
        assert_eq!(parse(&written, scale), Ok(mantissa));
        assert!(
            parse(text, Scale::MAX)
                .is_ok_and(|wide| wide.unsigned_abs() >= mantissa.unsigned_abs())
                || parse(text, Scale::MAX).is_err()
        );
    }
    if let Some(money) = parse_money(text) {
        assert_eq!(parse_money(money.to_string().as_bytes()), Some(money));
    }
});
