//! Where decoded numbers become records: the instruments of a venue, the numbering of each source,
//! and the count of what was left out.

use qt_model::instrument::Terms;
use qt_model::record::{Batch, Head, InstrumentRow, Kind};
use qt_model::time::Ts;
use qt_stream::universe::Universe;

use crate::frame::DecodeError;
use crate::listing::{Listed, Listing, Scales, Sighting, Styles};
use crate::tally::Tally;

/// How many kinds of records decoders make, as `Kind` lists them: `gap` to `bar`.
const KINDS: usize = Kind::Bar.index() + 1;

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
    pub(crate) fn list(
        &mut self,
        name: &str,
        terms: impl FnOnce() -> Terms,
        sighting: &Sighting<'_>,
    ) -> Result<Listed, DecodeError> {
        let (listed, is_new) = self.listing.list(name, terms, sighting)?;
        if is_new {
            self.next_seq.push([0; KINDS]);
            self.announced.push(listed);
        }
        Ok(listed)
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
                head: self.head(Kind::InstrumentRow, listed, None, ts_recv),
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

    /// The head of the next record of that kind.
    #[inline]
    pub(crate) fn head(
        &mut self,
        kind: Kind,
        listed: Listed,
        ts_event: Option<Ts>,
        ts_recv: Ts,
    ) -> Head {
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
