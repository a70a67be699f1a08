//! The phases of a market as its venue tells them, and what traded in its auctions.
//!
//! A venue may say which auction it holds, or only that there is one. Then the first since it was
//! closed is the opening one; a later one is the closing auction if the market closes behind it, which
//! nobody knows before. Absent on purpose: hours of trading, which a calendar knows.

use qt_model::units::{Px, Qty};
use qt_model::words::TradingStatus;

use super::auctions::Auction;

/// What an auction executed: its last price, and the size of all its prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Uncrossed {
    pub(super) px: Px,
    pub(super) units: i64,
}

/// An auction that is over, or that did not come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Over {
    pub(super) auction: Auction,
    /// `None`: nothing traded.
    pub(super) uncrossed: Option<Uncrossed>,
    /// Whether it turned out only now which auction it was: nobody has been filled yet.
    pub(super) is_late: bool,
}

/// See the module.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Phases {
    status: Option<TradingStatus>,
    /// Whether it has traded since it was closed.
    has_opened: bool,
    uncrossed: Option<Uncrossed>,
    over: Option<Over>,
}

impl Phases {
    #[inline]
    pub(super) fn status(&self) -> Option<TradingStatus> {
        self.status
    }

    /// What the last word of the venue ended.
    pub(super) fn over(&self) -> Option<Over> {
        self.over
    }

    /// The auction that runs, where it is known which.
    pub(super) fn running(&self) -> Option<Auction> {
        match self.status? {
            TradingStatus::OpeningAuction => Some(Auction::Opening),
            TradingStatus::ClosingAuction => Some(Auction::Closing),
            TradingStatus::Auction if !self.has_opened => Some(Auction::Opening),
            TradingStatus::Auction
            | TradingStatus::PreOpen
            | TradingStatus::Open
            | TradingStatus::Halted
            | TradingStatus::Closed
            | TradingStatus::Delisted => None,
        }
    }

    pub(super) fn tell(&mut self, status: TradingStatus) {
        let before = self.status;
        self.over = None;
        if before == Some(status) {
            return;
        }
        self.over = self.ended_by(status);
        self.uncrossed = None;
        self.status = Some(status);
        match status {
            TradingStatus::Open => self.has_opened = true,
            TradingStatus::Closed | TradingStatus::Delisted => self.has_opened = false,
            // Venues lead a market that was halted back the same way.
            TradingStatus::PreOpen => self.has_opened &= before == Some(TradingStatus::Halted),
            TradingStatus::Auction
            | TradingStatus::OpeningAuction
            | TradingStatus::ClosingAuction
            | TradingStatus::Halted => {}
        }
    }

    fn ended_by(&self, status: TradingStatus) -> Option<Over> {
        let uncrossed = self.uncrossed;
        if let Some(auction) = self.running() {
            return Some(Over { auction, uncrossed, is_late: false });
        }
        let auction = match status {
            TradingStatus::Open if !self.has_opened && self.status.is_some() => Auction::Opening,
            TradingStatus::Closed => Auction::Closing,
            TradingStatus::Open
            | TradingStatus::PreOpen
            | TradingStatus::Auction
            | TradingStatus::OpeningAuction
            | TradingStatus::ClosingAuction
            | TradingStatus::Halted
            | TradingStatus::Delisted => return None,
        };
        Some(Over { auction, uncrossed, is_late: true })
    }

    /// Something traded.
    #[inline]
    pub(super) fn print(&mut self, px: Px, qty: Qty) {
        if let Some(
            TradingStatus::Auction | TradingStatus::OpeningAuction | TradingStatus::ClosingAuction,
        ) = self.status
        {
            let before = self.uncrossed.map_or(0, |uncrossed| uncrossed.units);
            let units = before.saturating_add(qty.mantissa());
            self.uncrossed = Some(Uncrossed { px, units });
        }
    }
}

#[cfg(test)]
mod tests {
    use TradingStatus::{
        Auction as Some_, Closed, ClosingAuction, Halted, Open, OpeningAuction, PreOpen,
    };

    use super::*;

    /// What each status ends: `o` opening, `c` closing, capital where something traded in it.
    fn check(statuses: &[TradingStatus], expected: &str) {
        let mut phases = Phases::default();
        let mut ended = String::new();
        for status in statuses {
            phases.tell(*status);
            let over = phases.over();
            let traded = over.is_some_and(|over| over.uncrossed.is_some());
            ended.push(match over.map(|over| over.auction) {
                Some(Auction::Opening) if traded => 'O',
                Some(Auction::Opening) => 'o',
                Some(Auction::Closing) if traded => 'C',
                Some(Auction::Closing) => 'c',
                None => '-',
            });
            phases.print(Px::new(100), Qty::new(5).unwrap());
        }
        assert_eq!(ended, expected, "{statuses:?}");
    }

    #[test]
    fn auctions_are_told_apart_by_what_comes_before_and_behind() {
        check(&[PreOpen, OpeningAuction, Open, ClosingAuction, Closed], "--O-C");
        check(&[PreOpen, Some_, Open, Some_, Closed], "--O-C");
        // An auction in the middle of the day is neither.
        check(&[Open, Some_, Open, Halted, PreOpen, Some_, Open, Closed], "-------c");
        check(&[Closed, PreOpen, Open, Closed], "c-oc");
        // Nobody says that the market was not open before.
        check(&[Open, Open, OpeningAuction, Open, ClosingAuction, Open], "---O-C");
    }

    #[test]
    fn the_prints_of_an_auction_add_up() {
        let mut phases = Phases::default();
        let print = |phases: &mut Phases| phases.print(Px::new(7), Qty::new(3).unwrap());
        print(&mut phases);
        phases.tell(ClosingAuction);
        print(&mut phases);
        print(&mut phases);
        assert_eq!(phases.running(), Some(Auction::Closing));
        phases.tell(Closed);
        let uncrossed = Some(Uncrossed { px: Px::new(7), units: 6 });
        assert_eq!(
            phases.over(),
            Some(Over { auction: Auction::Closing, uncrossed, is_late: false })
        );
    }
}
