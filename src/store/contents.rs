//! What is in the store: series by day, and what is older than it is kept.

use qt_model::instrument::Symbol;
use qt_model::record::Kind;
use qt_model::time::{Date, Ts};

use crate::error::StoreError;
use crate::store::Store;
use crate::tables::literal;

/// The records of a kind and symbol on a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Day {
    pub kind: Kind,
    pub symbol: Option<Symbol>,
    pub date: Date,
    pub rows: u64,
    pub first: Ts,
    pub last: Ts,
}

/// What a table keeps, and what is past that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expiry {
    pub kind: Kind,
    pub kept_days: i32,
    pub rows: u64,
    pub bytes: u64,
    /// Rows that are due to go and are still there.
    pub expired: u64,
    /// Whether the table itself says how long it keeps them.
    pub has_ttl: bool,
}

impl Store {
    /// What the store has of some kinds from `from` to `to`, in the order of kinds, symbols and days.
    pub fn days(&self, kinds: &[Kind], from: Ts, to: Ts) -> Result<Vec<Day>, StoreError> {
        if kinds.is_empty() {
            return Ok(Vec::new());
        }
        let of_kind = |kind: &Kind| {
            let table = self.table(*kind);
            format!(
                "SELECT {} AS kind, toString(sym) AS s, toString(toDate(ts_recv)) AS d, count(), \
                 toUnixTimestamp64Nano(min(ts_recv)), toUnixTimestamp64Nano(max(ts_recv)) FROM \
                 {}{}{} GROUP BY sym, d",
                literal(kind.name()),
                self.place(table.name),
                if table.is_replacing() { " FINAL" } else { "" },
                within(from, to)
            )
        };
        let all: Vec<String> = kinds.iter().map(of_kind).collect();
        let rows = self.client.rows(&all.join(" UNION ALL "))?;
        let day = |row: &Vec<String>| match row.as_slice() {
            [kind, symbol, date, rows, first, last] => Some(Day {
                kind: Kind::from_name(kind)
                    .or((kind == Kind::Other.name()).then_some(Kind::Other))?,
                symbol: if symbol.is_empty() { None } else { Some(Symbol::new(symbol).ok()?) },
                date: Date::parse(date).ok()?,
                rows: rows.parse().ok()?,
                first: Ts::from_nanos(first.parse().ok()?),
                last: Ts::from_nanos(last.parse().ok()?),
            }),
            _ => None,
        };
        let days: Option<Vec<Day>> = rows.iter().map(day).collect();
        let mut days =
            days.ok_or_else(|| self.client.misread("makes no sense where days are listed"))?;
        days.sort_by(|a, b| (a.kind, &a.symbol, a.date).cmp(&(b.kind, &b.symbol, b.date)));
        Ok(days)
    }

    /// What each table keeps.
    pub fn expiry(&self) -> Result<Vec<Expiry>, StoreError> {
        let sizes = self.client.rows(&format!(
            "SELECT name, ifNull(total_rows, 0), ifNull(total_bytes, 0), position(engine_full, ' \
             TTL ') > 0 FROM system.tables WHERE database = {}",
            literal(&self.database)
        ))?;
        let mut all = Vec::new();
        for row in sizes {
            let [name, rows, bytes, ttl] = row.as_slice() else {
                return Err(self.client.misread("makes no sense where tables are listed"));
            };
            let Some(table) = self.tables.iter().find(|table| table.name == name) else { continue };
            let kept_days = (self.kept_days)(table.kind);
            let mut expiry = Expiry {
                kind: table.kind,
                kept_days,
                rows: rows.parse().unwrap_or(0),
                bytes: bytes.parse().unwrap_or(0),
                expired: 0,
                has_ttl: ttl == "1",
            };
            if expiry.rows > 0 {
                let expired = self.client.rows(&format!(
                    "SELECT count() FROM {} WHERE loaded_at + toIntervalDay({kept_days}) < now()",
                    self.place(name)
                ))?;
                let count = expired.first().and_then(|row| row.first()?.parse().ok());
                expiry.expired = count.unwrap_or(0);
            }
            all.push(expiry);
        }
        all.sort_by_key(|expiry| expiry.kind);
        Ok(all)
    }

    /// Makes a table keep records for so long, and lets go now of what is older.
    pub fn expire(&self, kind: Kind) -> Result<(), StoreError> {
        let (place, days) = (self.place(kind.name()), (self.kept_days)(kind));
        let ttl = format!("loaded_at + toIntervalDay({days})");
        self.client.execute(&format!(
            "ALTER TABLE {place} MODIFY TTL {ttl} SETTINGS materialize_ttl_after_modify = 0"
        ))?;
        self.client
            .execute(&format!("ALTER TABLE {place} MATERIALIZE TTL SETTINGS mutations_sync = 1"))
    }
}

/// The condition on a range of time, which may be everything.
pub(crate) fn within(from: Ts, to: Ts) -> String {
    let bound = |ts: Ts, sign: &str, open: Ts| {
        let instant = format!("ts_recv {sign} fromUnixTimestamp64Nano({}, 'UTC')", ts.nanos());
        (ts != open).then_some(instant)
    };
    let bounds: Vec<String> =
        [bound(from, ">=", Ts::MIN), bound(to, "<", Ts::MAX)].into_iter().flatten().collect();
    if bounds.is_empty() { String::new() } else { format!(" WHERE {}", bounds.join(" AND ")) }
}
