//! What venues showed and we have yet to receive: the best prices of books that are kept once.
//!
//! Records of one instrument happen in the order of the stream, in which they are received as well. So
//! the book that we see behind a record is the one that the venue had behind it, and of the two only the
//! venue's is kept: where its best prices change, the new ones are noted, and the front takes
//! them when it receives that record. Invariant: the front is what one with books of its own would be.
//! Absent on purpose: levels beside the best. For who looks at them the front keeps its books.

use std::collections::VecDeque;

use qt_model::ids::InstrumentId;
use qt_model::record::{Record, View};
use qt_model::words::DepthAction;
use qt_trade::core::{Front, Top};

use crate::exchange::{Market, News};

/// What is best in a book behind a record.
#[derive(Clone, Copy, Debug)]
struct Noted {
    /// The record's place in the stream.
    place: u64,
    instrument: InstrumentId,
    top: Top,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Lag {
    /// In the order of the stream, from the first that was not received.
    noted: VecDeque<Noted>,
}

impl Lag {
    /// A record of depth happened, which the market has applied.
    #[inline]
    pub(super) fn note(&mut self, place: u64, record: &Record<'_>, news: News, market: &Market) {
        if let Record::Depth(View { row, .. }) = record
            && let Some(instrument) = row.head.instrument
        {
            self.note_depth(place, (instrument, row.action), news, market);
        }
    }

    /// The same where its kind is known.
    #[inline]
    pub(super) fn note_depth(
        &mut self,
        place: u64,
        (instrument, action): (InstrumentId, DepthAction),
        news: News,
        market: &Market,
    ) {
        // A first snapshot may tell of a book what quotes had told before: news for us alone.
        if news == News::Top || action == DepthAction::Snapshot {
            self.insert(Noted { place, instrument, top: market.of(instrument).best() });
        }
    }

    /// Streams are nearly in event order already: one moves back over a few.
    #[inline]
    fn insert(&mut self, noted: Noted) {
        let mut here = self.noted.len();
        self.noted.push_back(noted);
        while here > 0 && self.noted[here - 1].place > noted.place {
            self.noted.swap(here, here - 1);
            here -= 1;
        }
    }

    /// Whether something became best with a record that is received now.
    #[inline]
    pub(super) fn is_noted(&self, place: u64) -> bool {
        self.noted.front().is_some_and(|noted| noted.place == place)
    }

    /// What became best with a record that is received now: each has its turn, in their order.
    #[inline]
    fn take(&mut self, place: u64) -> Option<(InstrumentId, Top)> {
        let noted = self.noted.front().filter(|noted| noted.place == place)?;
        let best = (noted.instrument, noted.top);
        self.noted.pop_front();
        Some(best)
    }

    /// Lets the front take in a record that is received.
    #[inline]
    pub(super) fn receive(&mut self, place: u64, record: &Record<'_>, front: &mut Front) {
        if let (Record::Depth(view), true) = (record, front.is_shown()) {
            front.show(view.row.head.ts_recv, self.take(place));
        } else {
            front.market(record);
        }
    }
}
