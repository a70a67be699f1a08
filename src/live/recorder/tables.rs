//! The registry of tables: one per kind of record, with its class and its road.

use qt_model::record::Kind;

/// What gives way first when there is no room, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Class {
    Latency = 10,
    Profit = 20,
    Runs = 30,
    Logs = 50,
    Market = 100,
    Orders = 105,
    Fills = 110,
}

impl Class {
    /// What is never dropped: without room it goes to the log.
    pub const fn is_protected(self) -> bool {
        matches!(self, Self::Orders | Self::Fills)
    }
}

/// The road into the catalog.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Straight into parts; to the log where that fails.
    Direct,
    /// To the log, from where a loader makes parts.
    WalFirst,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Table {
    pub class: Class,
    pub mode: Mode,
}

/// The table of a kind. A new kind is a new line here, or nothing compiles.
pub const fn table(kind: Kind) -> Table {
    let (class, mode) = match kind {
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
        | Kind::Other => (Class::Market, Mode::Direct),
        Kind::Feature | Kind::Label | Kind::Finding | Kind::Diff => (Class::Logs, Mode::Direct),
        Kind::Verdict | Kind::Breach | Kind::Enforcement | Kind::Lockout | Kind::Audit => {
            (Class::Logs, Mode::WalFirst)
        }
        Kind::Decision | Kind::Intent | Kind::Order => (Class::Orders, Mode::WalFirst),
        Kind::Fill => (Class::Fills, Mode::WalFirst),
        Kind::InputRow | Kind::FillQuality | Kind::RoundTrip => (Class::Runs, Mode::Direct),
        Kind::Position | Kind::Account | Kind::Equity => (Class::Profit, Mode::Direct),
        Kind::Run | Kind::Metric => (Class::Runs, Mode::Direct),
        Kind::Health => (Class::Latency, Mode::Direct),
    };
    Table { class, mode }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_must_not_be_lost_goes_to_the_log_first() {
        for kind in Kind::ALL {
            let table = table(*kind);
            if table.class.is_protected() {
                assert_eq!(table.mode, Mode::WalFirst, "{}", kind.name());
            }
            if kind.is_market() {
                assert_eq!(table.mode, Mode::Direct, "{}", kind.name());
            }
        }
    }
}
