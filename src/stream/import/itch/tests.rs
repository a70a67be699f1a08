use super::*;

#[test]
fn the_name_of_a_file_says_its_day() {
    for (name, day) in [
        ("01302019.NASDAQ_ITCH50", "2019-01-30"),
        ("ex20101224.TEST_ITCH_50", "2010-12-24"),
        ("S013019-v50.txt", "2019-01-30"),
    ] {
        assert_eq!(day_of(Path::new(name)).unwrap().to_string(), day, "{name}");
    }
    assert_eq!(day_of(Path::new("itch.bin")), None);
}

#[test]
fn a_frame_is_as_long_as_its_type_says() {
    let mut bytes = vec![0, 12, b'S'];
    assert_eq!(wire::frame(&bytes), wire::Frame::More);
    bytes.resize(14, 0);
    let message = wire::Frame::Message { body: 2, whole: 14, is_counted: true };
    assert_eq!(wire::frame(&bytes), message);
    bytes[1] = 0;
    let message = wire::Frame::Message { body: 2, whole: 14, is_counted: false };
    assert_eq!(wire::frame(&bytes), message);
    for (length, kind) in [(13, b'S'), (12, b'?')] {
        bytes[1] = length;
        bytes[2] = kind;
        assert!(matches!(wire::frame(&bytes), wire::Frame::Wrong { .. }));
    }
}
