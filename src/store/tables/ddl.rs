//! The statements that make a database and its tables.

use qt_model::record::Kind;

use super::{Table, VERSION, quoted};

/// The table of the instruments that records name.
pub const INSTRUMENTS: &str = "_instruments";

/// The table of what was inserted: a hash for each batch.
pub const LEDGER: &str = "_wal_dedup";

/// The table of grades: how far the records of a venue can be trusted on a day.
pub const GRADES: &str = "_grades";

/// The view of one-minute bars.
const BARS: &str = "ohlcv_1m";

/// How long a batch is remembered, in days.
const REMEMBERED_DAYS: u32 = 30;

/// Batches of a table that the server itself remembers by their names.
const TOKENS: u32 = 10_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    Records,
    Instruments,
}

pub fn create_database(database: &str) -> String {
    format!("CREATE DATABASE IF NOT EXISTS {}", quoted(database))
}

/// What a table says of itself, and how its version is found in it.
pub(crate) fn comment(name: &str) -> String {
    format!("qt: {name}, schema {VERSION}")
}

/// The version in the comment of a table.
pub(crate) fn version_of(comment: &str) -> Option<u32> {
    comment.strip_prefix("qt: ")?.rsplit_once("schema ")?.1.parse().ok()
}

impl Table {
    /// The order of the rows on disk, which is the one in which a series is read. What belongs to a
    /// strategy lies together; a fill is one fill, however often it was reported.
    pub fn order(&self) -> &'static str {
        match self.kind {
            _ if self.purpose == Purpose::Instruments => "sym",
            Kind::Fill => "ifNull(strategy, ''), sym, ts_event, fill_id",
            Kind::Decision | Kind::Intent => "strategy, sym, ts_recv, seq",
            Kind::Order | Kind::Position => "ifNull(strategy, ''), sym, ts_recv, seq",
            Kind::Gap
            | Kind::InstrumentRow
            | Kind::Status
            | Kind::Funding
            | Kind::Mark
            | Kind::Trade
            | Kind::Mbo
            | Kind::Depth
            | Kind::Quote
            | Kind::Bar
            | Kind::Other
            | Kind::Feature
            | Kind::Label
            | Kind::Finding
            | Kind::Diff
            | Kind::Verdict
            | Kind::Breach
            | Kind::Enforcement
            | Kind::Lockout
            | Kind::Audit
            | Kind::InputRow
            | Kind::FillQuality
            | Kind::RoundTrip
            | Kind::Account
            | Kind::Equity
            | Kind::Run
            | Kind::Metric
            | Kind::Health => "sym, ts_recv, seq",
        }
    }

    /// Whether rows that are equal by the order are one row.
    pub fn is_replacing(&self) -> bool {
        self.purpose == Purpose::Records && self.kind == Kind::Fill
    }

    /// The statement that makes the table. Records are kept for so many days.
    pub fn create(&self, database: &str, kept_days: i32) -> String {
        let name = format!("{}.{}", quoted(database), quoted(self.name));
        let mut lines: Vec<String> = self
            .columns
            .iter()
            .map(|column| {
                let (name, form) = (quoted(&column.name), column.form);
                format!("    {name} {} {}", form.stored(), form.codec())
            })
            .collect();
        lines.push("    `loaded_at` DateTime('UTC') DEFAULT now() CODEC(Delta(4), ZSTD(1))".into());
        lines.extend(self.aliases.iter().map(|alias| {
            format!("    {} {} ALIAS {}", quoted(&alias.name), alias.ty, alias.expression)
        }));
        let engine = if self.is_replacing() { "ReplacingMergeTree" } else { "MergeTree" };
        let ageing = match self.purpose {
            Purpose::Records => format!(
                "\nPARTITION BY toYYYYMMDD(ts_recv)\nORDER BY ({})\nTTL loaded_at + \
                 toIntervalDay({kept_days})",
                self.order()
            ),
            Purpose::Instruments => format!("\nORDER BY ({})", self.order()),
        };
        format!(
            "CREATE TABLE IF NOT EXISTS {name}\n(\n{}\n)\nENGINE = {engine}{ageing}\nSETTINGS \
             non_replicated_deduplication_window = {TOKENS}, ttl_only_drop_parts = 1\nCOMMENT '{}'",
            lines.join(",\n"),
            comment(self.name)
        )
    }
}

/// The statement that makes the view of one-minute bars. Trades are added up when they are asked for:
/// no bar is wrong for having been made before a late trade came, or from a batch that came twice.
pub fn create_bars(database: &str) -> String {
    let (database, bars, trades) = (quoted(database), quoted(BARS), quoted(Kind::Trade.name()));
    let order = "(ts_event, ts_recv, seq)";
    format!(
        "CREATE VIEW IF NOT EXISTS {database}.{bars} AS\nSELECT\n    sym,\n    \
         toStartOfMinute(ts_event) AS minute,\n    argMin(px, {order}) AS open,\n    max(px) AS \
         high,\n    min(px) AS low,\n    argMax(px, {order}) AS close,\n    sum(qty) AS \
         volume,\n    count() AS trades\nFROM {database}.{trades}\nWHERE px_scaled > 0\nGROUP BY \
         sym, minute"
    )
}

/// The statement that makes the table of batches.
pub fn create_ledger(database: &str) -> String {
    format!(
        "CREATE TABLE IF NOT EXISTS {}.{}\n(\n    `table` LowCardinality(String),\n    `hash` \
         String,\n    `rows` UInt64,\n    `is_done` Bool,\n    `ts` DateTime('UTC') DEFAULT \
         now()\n)\nENGINE = MergeTree\nORDER BY (table, hash)\nTTL ts + \
         toIntervalDay({REMEMBERED_DAYS})\nSETTINGS non_replicated_deduplication_window = \
         {TOKENS}\nCOMMENT '{}'",
        quoted(database),
        quoted(LEDGER),
        comment(LEDGER)
    )
}

/// The statement that makes the table of grades, of which the last on a day counts.
pub fn create_grades(database: &str) -> String {
    format!(
        "CREATE TABLE IF NOT EXISTS {}.{}\n(\n    `venue` LowCardinality(String),\n    `date` \
         Date,\n    `grade` LowCardinality(String),\n    `said_at` DateTime64(9, 'UTC') DEFAULT \
         now64(9)\n)\nENGINE = ReplacingMergeTree(said_at)\nORDER BY (venue, date)\nCOMMENT '{}'",
        quoted(database),
        quoted(GRADES),
        comment(GRADES)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_trades_is_readable_by_anybody() {
        let expected = "\
CREATE TABLE IF NOT EXISTS `q`.`trade`
(
    `ts_event` DateTime64(9, 'UTC') CODEC(Delta(8), ZSTD(1)),
    `has_event_time` Bool CODEC(ZSTD(1)),
    `ts_recv` DateTime64(9, 'UTC') CODEC(Delta(8), ZSTD(1)),
    `sym` LowCardinality(String) CODEC(ZSTD(1)),
    `px_scaled` Int64 CODEC(Delta(8), ZSTD(1)),
    `qty_scaled` Int64 CODEC(Delta(8), ZSTD(1)),
    `side` LowCardinality(Nullable(String)) CODEC(ZSTD(1)),
    `id` Nullable(UInt64) CODEC(ZSTD(1)),
    `seq` UInt64 CODEC(Delta(8), ZSTD(1)),
    `px_scale` UInt8 CODEC(ZSTD(1)),
    `qty_scale` UInt8 CODEC(ZSTD(1)),
    `loaded_at` DateTime('UTC') DEFAULT now() CODEC(Delta(4), ZSTD(1)),
    `px` Decimal(38, 18) ALIAS toDecimal128(px_scaled, 18) / intExp10(px_scale),
    `qty` Decimal(38, 18) ALIAS toDecimal128(qty_scaled, 18) / intExp10(qty_scale)
)
ENGINE = MergeTree
PARTITION BY toYYYYMMDD(ts_recv)
ORDER BY (sym, ts_recv, seq)
TTL loaded_at + toIntervalDay(183)
SETTINGS non_replicated_deduplication_window = 10000, ttl_only_drop_parts = 1
COMMENT 'qt: trade, schema 1'";
        assert_eq!(Table::of(Kind::Trade).create("q", 183), expected);
    }

    #[test]
    fn a_version_is_found_in_a_comment() {
        assert_eq!(version_of(&comment("trade")), Some(VERSION));
        assert_eq!(version_of("qt: trade, schema 12"), Some(12));
        assert_eq!(version_of("my table"), None);
    }
}
