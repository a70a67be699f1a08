//! Crosses of ITCH: a print within an auction that the statuses around it name.

use qt_model::record::Record;
use qt_stream::import::{Hints, members};

use super::read;

/// A message behind its length: type, number of the stock, nanoseconds after midnight, the rest.
fn message(kind: u8, ns: u64, rest: &[u8]) -> Vec<u8> {
    let mut body = vec![kind, 0, 7, 0, 0];
    body.extend_from_slice(&ns.to_be_bytes()[2..]);
    body.extend_from_slice(rest);
    let length = u16::try_from(body.len()).unwrap();
    [&length.to_be_bytes()[..], &body].concat()
}

fn state(ns: u64, letter: u8) -> Vec<u8> {
    message(b'H', ns, &[b"ACME    ", &[letter][..], b" ", b"    "].concat())
}

fn cross(ns: u64, shares: u64, px: u32, letter: u8) -> Vec<u8> {
    let (shares, px) = (shares.to_be_bytes(), px.to_be_bytes());
    let rest = [&shares[..], b"ACME    ", &px, &9_u64.to_be_bytes(), &[letter]].concat();
    message(b'Q', ns, &rest)
}

/// What an import says of a stock, in short.
fn check(messages: &[Vec<u8>], expected: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("01302019.NASDAQ_ITCH50");
    std::fs::write(&path, messages.concat()).unwrap();
    let import = read(&members(&path).unwrap()[0], &Hints::default()).unwrap();
    let line = |record: Record<'_>| {
        if let Record::Status(view) = record {
            return Some(view.row.status.to_string());
        }
        let Record::Trade(view) = record else { return None };
        Some(format!("{}@{}", view.row.qty.mantissa(), view.row.px.mantissa()))
    };
    let found: Vec<String> = import.batch.iter().filter_map(line).collect();
    assert_eq!(found, expected);
}

#[test]
fn a_cross_is_an_auction_until_the_next_instant() {
    check(
        &[
            state(1, b'T'),
            cross(100, 5_000, 1_000_000, b'O'),
            cross(200, 0, 0, b'C'),
            state(300, b'H'),
            state(400, b'Q'),
            cross(500, 70, 990_000, b'H'),
            state(501, b'T'),
            cross(600, 900, 1_010_000, b'C'),
            state(601, b'T'),
            message(b'S', 700, b"C"),
        ],
        &[
            "open",
            "opening_auction",
            "5000@1000000",
            "open",
            "halted",
            "pre_open",
            "auction",
            "70@990000",
            "pre_open",
            "open",
            "closing_auction",
            "900@1010000",
            "open",
            "open",
        ],
    );
}
