use super::*;

#[test]
fn names_say_instrument_and_day() {
    let said = Said::of(Path::new("x/AAPL_2012-06-21_34200000_57600000_message_10.csv"));
    assert_eq!(said.symbol.as_deref(), Some("AAPL"));
    assert_eq!(said.date, Date::new(2012, 6, 21));
    let said = Said::of(Path::new("messages.csv"));
    assert_eq!((said.symbol, said.date), (None, None));
}

#[test]
fn a_message_is_known_by_its_shape() {
    for (line, is_message) in [
        ("34200.004241176,1,16113575,18,5853300,1", true),
        ("34200.004241176,8,16113575,18,5853300,1", false),
        ("34200,1,16113575,18,5853300,1", false),
        ("34200.004241176,1,16113575,18,5853300", false),
        ("34200.004241176,1,16113575,18,5853300,1,0", false),
        ("1637971200000,0.1,0.2,0.3,0.4,1", false),
    ] {
        assert_eq!(messages::is_message(line.as_bytes()), is_message, "{line}");
    }
}
