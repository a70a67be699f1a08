//! What the path of a Lean file says.

use qt_model::time::Date;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Spot {
    pub(super) asset: Asset,
    pub(super) market: String,
    pub(super) symbol: String,
    pub(super) of: Of,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asset {
    Equity,
    Forex,
    Crypto,
    CryptoFuture,
    Future,
    Cfd,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Of {
    Ticks {
        kind: Kind,
        date: Date,
    },
    /// Bars within a day, whose times count from its midnight.
    Bars {
        kind: Kind,
        date: Date,
        step_ns: i64,
    },
    /// Bars of many days, whose times are whole. What they are of, their columns tell.
    Days {
        step_ns: i64,
    },
    Factors,
    Mapping,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Trade,
    Quote,
    OpenInterest,
}

const SECOND: i64 = 1_000_000_000;

impl Spot {
    /// Takes the parts of a path in small letters. Archives count as folders.
    pub(super) fn of(parts: &[String]) -> Option<Self> {
        let (at, asset) = parts.iter().enumerate().rev().find_map(|(at, part)| {
            let asset = match part.as_str() {
                "equity" => Asset::Equity,
                "forex" => Asset::Forex,
                "crypto" => Asset::Crypto,
                "cryptofuture" => Asset::CryptoFuture,
                "future" => Asset::Future,
                "cfd" => Asset::Cfd,
                _ => return None,
            };
            Some((at, asset))
        })?;
        let market = parts.get(at + 1)?.clone();
        let (folder, rest) = (parts.get(at + 2)?, parts.get(at + 3..)?);
        let (symbol, of) = match (folder.as_str(), rest) {
            ("factor_files", [name]) => (name.strip_suffix(".csv")?.to_owned(), Of::Factors),
            ("map_files", [name]) => (name.strip_suffix(".csv")?.to_owned(), Of::Mapping),
            ("hour" | "daily", [archive, ..]) => {
                let hours = if folder == "hour" { 1 } else { 24 };
                let stem = archive.strip_suffix(".zip").or(archive.strip_suffix(".csv"))?;
                let symbol = stem.split('_').next()?.to_owned();
                (symbol, Of::Days { step_ns: hours * 3_600 * SECOND })
            }
            ("tick" | "second" | "minute", [symbol, archive, ..]) => {
                let stem = archive.strip_suffix(".zip").or(archive.strip_suffix(".csv"))?;
                let date = day(stem.split('_').next()?)?;
                let kind = match stem.rsplit('_').next()? {
                    "trade" => Kind::Trade,
                    "quote" => Kind::Quote,
                    "openinterest" => Kind::OpenInterest,
                    _ => return None,
                };
                let of = match folder.as_str() {
                    "tick" => Of::Ticks { kind, date },
                    "second" => Of::Bars { kind, date, step_ns: SECOND },
                    _ => Of::Bars { kind, date, step_ns: 60 * SECOND },
                };
                (symbol.clone(), of)
            }
            _ => return None,
        };
        let symbol = symbol.to_uppercase() + &contract(asset, parts.last()?);
        Some(Self { asset, market, symbol, of })
    }

    /// The zone that the times of a folder are in, where that is known.
    pub(super) fn zone(&self) -> Option<&'static str> {
        match (self.asset, self.market.as_str()) {
            (Asset::Equity, "usa") => Some("America/New_York"),
            // The broker's clock knows no summer.
            (Asset::Forex | Asset::Cfd, "fxcm") => Some("-05:00"),
            (Asset::Forex | Asset::Cfd, "oanda") => Some("UTC"),
            (Asset::Crypto | Asset::CryptoFuture | Asset::Future, _) => Some("UTC"),
            (Asset::Equity | Asset::Forex | Asset::Cfd, _) => None,
        }
    }
}

/// What a member of an archive adds to the symbol: the month of a contract, or that it has none.
fn contract(asset: Asset, member: &str) -> String {
    let last = member.strip_suffix(".csv").and_then(|stem| stem.rsplit('_').next()).unwrap_or("");
    let is_month = matches!(last.len(), 6 | 8) && last.bytes().all(|byte| byte.is_ascii_digit());
    match asset {
        Asset::Future | Asset::CryptoFuture if is_month => format!("_{last}"),
        Asset::CryptoFuture if last == "perp" => "_PERP".to_owned(),
        Asset::Equity
        | Asset::Forex
        | Asset::Crypto
        | Asset::CryptoFuture
        | Asset::Future
        | Asset::Cfd => String::new(),
    }
}

/// `20131007`.
pub(super) fn day(text: &str) -> Option<Date> {
    if text.len() != 8 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Date::new(text[..4].parse().ok()?, text[4..6].parse().ok()?, text[6..].parse().ok()?)
}
