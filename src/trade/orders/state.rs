//! Which state of an order may follow which.

use qt_model::words::OrderStatus::{self, *};

/// Everything that may follow a state, beside `Failed`, which [`is_legal`] knows.
const fn successors(from: OrderStatus) -> &'static [OrderStatus] {
    match from {
        Draft => &[Pending, Cancelled],
        Pending => &[Submitting, Rejected, Cancelled],
        Submitting => &[Submitted, Acknowledged, Rejected, Unknown],
        // A venue may tell of a fill before it acknowledges.
        Submitted => &[
            Acknowledged,
            PartiallyFilled,
            Filled,
            Rejected,
            Cancelled,
            Expired,
            PendingCancel,
            Unknown,
        ],
        Acknowledged => {
            &[PartiallyFilled, Filled, Cancelled, Expired, Rejected, PendingCancel, PendingReplace]
        }
        PartiallyFilled => &[
            PartiallyFilled,
            Filled,
            Cancelled,
            Expired,
            PendingCancel,
            PendingReplace,
            PartialFillTimeout,
        ],
        PendingCancel => &[Cancelled, Filled, PartiallyFilled, Acknowledged, Unknown],
        PendingReplace => &[Acknowledged, PartiallyFilled, Filled, Cancelled],
        // Whatever the venue reports.
        Unknown => &[
            Acknowledged,
            PartiallyFilled,
            Filled,
            Cancelled,
            Rejected,
            Expired,
            PendingCancel,
            PendingReplace,
        ],
        Filled | Cancelled | Rejected | Expired | Failed | PartialFillTimeout => &[],
    }
}

/// The same as a bit a state: it is asked at each report.
const FOLLOWS: [u16; OrderStatus::ALL.len()] = {
    let mut table = [0; OrderStatus::ALL.len()];
    let mut from = 0;
    while from < table.len() {
        let states = successors(OrderStatus::ALL[from]);
        let mut at = 0;
        while at < states.len() {
            table[OrderStatus::ALL[from] as usize] |= 1 << states[at] as u32;
            at += 1;
        }
        from += 1;
    }
    table
};

/// Whether an order that may stand at a venue could be in that state.
const fn may_exist(status: OrderStatus) -> bool {
    !matches!(status, Draft | Pending | Submitting)
}

/// Whether an order has ended.
pub const fn is_terminal(status: OrderStatus) -> bool {
    matches!(status, Filled | Cancelled | Rejected | Expired | Failed | PartialFillTimeout)
}

/// Whether one state may follow another.
pub fn is_legal(from: OrderStatus, to: OrderStatus) -> bool {
    // An order fails while it cannot stand at a venue, or once it is proven absent there.
    let fails = to == Failed && !is_terminal(from) && (!may_exist(from) || from == Unknown);
    fails || FOLLOWS[from as usize] >> (to as u32) & 1 != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pair_of_states_is_allowed_or_refused_by_the_table() {
        let count =
            |from: OrderStatus| OrderStatus::ALL.iter().filter(|to| is_legal(from, **to)).count();
        let counts: Vec<_> = OrderStatus::ALL.iter().map(|from| count(*from)).collect();
        assert_eq!(counts, [3, 4, 5, 8, 7, 7, 5, 4, 9, 0, 0, 0, 0, 0, 0]);
    }

    #[test]
    fn an_order_that_may_stand_at_the_venue_does_not_fail() {
        for from in [Submitted, Acknowledged, PartiallyFilled, PendingCancel, PendingReplace] {
            assert!(!is_legal(from, Failed), "{from}");
        }
        assert!(is_legal(Submitting, Failed) && is_legal(Unknown, Failed));
    }

    #[test]
    fn nothing_follows_an_end() {
        let ends = OrderStatus::ALL.iter().filter(|status| is_terminal(**status));
        assert!(ends.clone().count() == 6);
        for end in ends {
            assert!(OrderStatus::ALL.iter().all(|to| !is_legal(*end, *to)), "{end}");
        }
    }
}
