//! Names of the files, and the order that they say.

use std::fmt;

use qt_model::record::Kind;
use qt_model::time::Ts;

/// `<table>_<ns>_<number>.jsonl`. Files sort by time, then number, whatever their table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WalName {
    pub ts: Ts,
    pub number: u64,
    pub table: Kind,
}

pub(super) const ENDING: &str = ".jsonl";

impl WalName {
    pub fn parse(name: &str) -> Option<Self> {
        let mut parts = name.strip_suffix(ENDING)?.rsplitn(3, '_');
        let (number, ts, table) = (parts.next()?, parts.next()?, parts.next()?);
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(number) || !digits(ts) {
            return None;
        }
        let table = if table == Kind::Other.name() { Kind::Other } else { Kind::from_name(table)? };
        Some(Self { ts: Ts::from_nanos(ts.parse().ok()?), number: number.parse().ok()?, table })
    }

    pub(super) fn key(&self) -> (Ts, u64) {
        (self.ts, self.number)
    }
}

impl fmt::Display for WalName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { ts, number, table } = self;
        write!(f, "{}_{}_{number}{ENDING}", table.name(), ts.nanos())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back_and_others_are_not_ours() {
        for name in ["trade_1723075200000000000_7.jsonl", "fill_5_0.jsonl", "other_1_1.jsonl"] {
            assert_eq!(WalName::parse(name).map(|name| name.to_string()).as_deref(), Some(name));
        }
        for name in ["", "trade_1_2", "trade_1.jsonl", "gold_1_2.jsonl", "trade_x_2.jsonl"] {
            assert_eq!(WalName::parse(name), None, "{name}");
        }
        assert_eq!(WalName::parse("trade_99999999999999999999_1.jsonl"), None);
        assert_eq!(WalName::parse("trade_+1_1.jsonl"), None);
    }
}
