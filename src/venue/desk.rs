//! Where decoded numbers become records: the instruments of a venue, the numbering of each source,
//! and the count of what was left out.

use qt_model::instrument::Terms;
use qt_model::record::{Batch, Depth, Gap, Head, InstrumentRow, Kind, Level, Quote, Trade};
use qt_model::time::Ts;
use qt_model::units::{Px, Qty};
use qt_model::words::{DepthAction, GapReason, Side};
use qt_stream::universe::Universe;

use crate::frame::DecodeError;
use crate::listing::{Listed, Listing, Scales, Sighting, Styles};
use crate::tally::Tally;

/// How many kinds of records decoders make, as `Kind` lists them: `gap` to `bar`.
const KINDS: usize = Kind::Bar.index() + 1;

/// Which instrument a record is about, and when it was said and heard.
#[derive(Clone, Copy, Debug)]
pub(crate) struct About {
    pub listed: Listed,
    /// The venue's clock, where it tells.
    pub ts_event: Option<Ts>,
    pub ts_recv: Ts,
}

/// The update numbers of a depth record.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Ids {
    pub first: Option<u64>,
    pub last: Option<u64>,
    pub prev: Option<u64>,
}

/// The best bid and ask; an absent side has no size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Touch {
    pub bid: Option<(Px, Qty)>,
    pub ask: Option<(Px, Qty)>,
    pub id: Option<u64>,
}

/// One print.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Print {
    pub px: Px,
    pub qty: Qty,
    /// The side of the aggressor.
    pub side: Option<Side>,
    pub id: Option<u64>,
}

impl Touch {
    /// A side without size is an empty one.
    pub(crate) fn new(bid: (Px, Qty), ask: (Px, Qty), id: Option<u64>) -> Self {
        let resting = |side: (Px, Qty)| (!side.1.is_zero()).then_some(side);
        Self { bid: resting(bid), ask: resting(ask), id }
    }
}

#[derive(Debug)]
pub(crate) struct Desk {
    pub listing: Listing,
    pub tally: Tally,
    /// The next number of each source, by slot and kind.
    next_seq: Vec<[u64; KINDS]>,
    /// Instruments taken into use whose `instrument` record is still to be written.
    announced: Vec<Listed>,
}

impl Desk {
    pub(crate) fn new(
        venue: &'static str,
        styles: Styles,
        universe: &Universe,
        asked: Scales,
    ) -> Self {
        Self {
            listing: Listing::new(venue, styles, universe, asked),
            tally: Tally::default(),
            next_seq: Vec::new(),
            announced: Vec::new(),
        }
    }

    /// The instrument of that name, taken into use if it is not yet.
    pub(crate) fn list<'a>(
        &mut self,
        name: &str,
        terms: impl FnOnce() -> Terms,
        sighting: impl FnOnce() -> Sighting<'a>,
    ) -> Result<Listed, DecodeError> {
        let (listed, is_new) = self.listing.list(name, terms, sighting)?;
        if is_new {
            self.next_seq.push([0; KINDS]);
            self.announced.push(listed);
        }
        Ok(listed)
    }

    /// Counts a message that makes no record.
    pub(crate) fn leave(&mut self, reason: &'static str) -> Result<(), DecodeError> {
        self.tally.add(reason);
        Ok(())
    }

    /// Says again what is known of an instrument in use.
    pub(crate) fn announce(&mut self, listed: Listed) {
        self.announced.push(listed);
    }

    /// Must come before the records of a message: gives the batch the instruments that they name,
    /// and writes what is known of the new ones.
    #[inline]
    pub(crate) fn open(&mut self, ts_recv: Ts, batch: &mut Batch) {
        if batch.instruments().len() < self.listing.table().len() || !self.announced.is_empty() {
            batch.set_instruments(self.listing.table().clone());
            self.write_announced(ts_recv, batch);
        }
    }

    fn write_announced(&mut self, ts_recv: Ts, batch: &mut Batch) {
        let mut announced = std::mem::take(&mut self.announced);
        let table = self.listing.table().clone();
        announced.sort_by(|a, b| table.compare(a.id, b.id));
        for listed in announced {
            let instrument = table.get(listed.id);
            let terms = instrument.terms.clone();
            let owned = |text: Option<Box<str>>| text.map(String::from);
            let row = InstrumentRow {
                head: self.head(Kind::InstrumentRow, About { listed, ts_event: None, ts_recv }),
                px_scale: u64::from(listed.px.digits()),
                qty_scale: u64::from(listed.qty.digits()),
                class: terms.class,
                payoff: terms.payoff,
                tick: terms.tick,
                lot: terms.lot,
                multiplier: terms.multiplier,
                base: owned(terms.base),
                quote: owned(terms.quote),
                settle: owned(terms.settle),
                root: owned(terms.root),
                expiry: terms.expiry,
            };
            batch.push_row(row, &[]);
        }
    }

    pub(crate) fn depth(
        &mut self,
        about: About,
        action: DepthAction,
        ids: Ids,
        levels: &[Level],
        batch: &mut Batch,
    ) {
        let Ids { first: first_id, last: last_id, prev: prev_id } = ids;
        let head = self.head(Kind::Depth, about);
        batch.push_row(Depth { head, action, first_id, last_id, prev_id }, levels);
    }

    #[inline]
    pub(crate) fn trade(&mut self, about: About, print: Print, batch: &mut Batch) {
        let Print { px, qty, side, id } = print;
        let head = self.head(Kind::Trade, about);
        batch.push_row(Trade { head, px, qty, side, id }, &[]);
    }

    #[inline]
    pub(crate) fn quote(&mut self, about: About, touch: Touch, batch: &mut Batch) {
        let Touch { bid, ask, id } = touch;
        let row = Quote {
            head: self.head(Kind::Quote, about),
            bid_px: bid.map(|(px, _)| px),
            bid_qty: bid.map(|(_, qty)| qty),
            ask_px: ask.map(|(px, _)| px),
            ask_qty: ask.map(|(_, qty)| qty),
            id,
        };
        batch.push_row(row, &[]);
    }

    /// Records are missing from `from` to the moment of reception.
    pub(crate) fn gap(
        &mut self,
        about: About,
        from: Ts,
        reason: GapReason,
        missing: Option<u64>,
        batch: &mut Batch,
    ) {
        let head = self.head(Kind::Gap, About { ts_event: None, ..about });
        batch.push_row(Gap { head, from, to: about.ts_recv, reason, missing }, &[]);
    }

    /// The head of the next record of that kind.
    #[inline]
    pub(crate) fn head(&mut self, kind: Kind, about: About) -> Head {
        let About { listed, ts_event, ts_recv } = about;
        let next = &mut self.next_seq[listed.slot][kind.index()];
        let seq = *next;
        *next += 1;
        Head {
            ts_event: ts_event.unwrap_or(ts_recv),
            ts_recv,
            seq,
            instrument: Some(listed.id),
            has_event_time: ts_event.is_some(),
        }
    }
}
