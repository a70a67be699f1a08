//! Folder names, and what they say.

use std::path::{Path, PathBuf};

use qt_model::instrument::Symbol;
use qt_model::record::Kind;
use qt_model::time::Date;

/// One folder of files: a kind of record of a symbol on a day.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Partition {
    pub kind: Kind,
    /// `None` for records without an instrument.
    pub symbol: Option<Symbol>,
    pub date: Date,
}

/// The folder name of records without an instrument.
const NOBODY: &str = "_";

impl Partition {
    /// The folder below the root of the catalog.
    pub fn folder(&self) -> PathBuf {
        let (venue, name) = match &self.symbol {
            Some(symbol) => (escape(symbol.venue()), escape(symbol.name())),
            None => (NOBODY.to_owned(), NOBODY.to_owned()),
        };
        PathBuf::from(self.kind.name())
            .join(format!("venue={venue}"))
            .join(format!("symbol={name}"))
            .join(format!("date={}", self.date))
    }
}

/// Reads a folder name back; `None` for folders that are not ours.
pub fn parse_folder(folder: &Path) -> Option<Partition> {
    let mut parts = folder.iter().map(|part| part.to_str());
    let mut next = || parts.next().flatten();
    let kind = Kind::from_name(next()?)?;
    let venue = unescape(next()?.strip_prefix("venue=")?)?;
    let name = unescape(next()?.strip_prefix("symbol=")?)?;
    let date = Date::parse(next()?.strip_prefix("date=")?).ok()?;
    let symbol = match (venue.as_str(), name.as_str()) {
        (NOBODY, NOBODY) => None,
        _ => Some(Symbol::new(&format!("{venue}:{name}")).ok()?),
    };
    Some(Partition { kind, symbol, date })
}

/// Letters, digits and a few signs as they are; all else as `%XX`, as in a URL.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (at, byte) in text.bytes().enumerate() {
        let is_plain = byte.is_ascii_alphanumeric() || b"-+".contains(&byte);
        // A leading dot would hide the folder, a lone underscore means nobody.
        let is_plain = is_plain || at > 0 && b"._".contains(&byte);
        if is_plain {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

fn unescape(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        if byte != b'%' {
            bytes.push(byte);
            rest = after;
            continue;
        }
        let hex = std::str::from_utf8(after.get(..2)?).ok()?;
        bytes.push(u8::from_str_radix(hex, 16).ok()?);
        rest = &after[2..];
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_read_back_and_stay_inside_the_catalog() {
        for symbol in ["binance:BTCUSDT", "kraken:XBT/USD", "a:..", "a:_", "_:_x", "ö:é=%", "a:b:c"]
        {
            let partition = Partition {
                kind: Kind::Trade,
                symbol: Some(Symbol::new(symbol).unwrap()),
                date: Date::new(2024, 8, 8).unwrap(),
            };
            let folder = partition.folder();
            assert_eq!(folder.iter().count(), 4, "{}", folder.display());
            assert_eq!(parse_folder(&folder), Some(partition));
        }
        let nobody =
            Partition { kind: Kind::Gap, symbol: None, date: Date::new(2024, 8, 8).unwrap() };
        assert_eq!(nobody.folder(), Path::new("gap/venue=_/symbol=_/date=2024-08-08"));
        assert_eq!(parse_folder(&nobody.folder()), Some(nobody));
        assert_eq!(parse_folder(Path::new("raw/venue=x/symbol=y/date=2024-08-08")), None);
    }
}
