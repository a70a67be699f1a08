//! The simulated venue: what an exchange would have answered to our orders.
//!
//! [`Market`] is what venues show in public, kept once for all lanes of a run; an [`Exchange`] is
//! one lane's side of it: our orders, their places in the queues, accounts. Both live in event
//! time; whoever drives them carries messages to and fro and adds latencies.
//!
//! Invariants: nothing fills before it arrives, beyond its size or beyond its limit; every fill has
//! a price that the market showed or our own limit; reports come in the order in which things
//! happened. What is assumed stands in `docs/simulation.md`. Absent on purpose: an effect of our
//! orders on what others do, except that what we take stays taken until the venue shows another size.

mod account;
mod admission;
mod auctions;
mod bars;
mod booking;
mod closeout;
mod config;
mod due;
mod fees;
mod fills;
mod intake;
mod latency;
mod links;
mod maker;
mod market;
mod orders;
mod phases;
mod pit;
mod queue;
mod stops;
mod taker;
mod terms;
#[cfg(test)]
mod tests;
mod texts;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use qt_model::ids::InstrumentId;
use qt_model::instrument::Instruments;
use qt_model::order::OrderNo;
use qt_model::record::Record;
use qt_model::step::Execution;
use qt_model::time::Ts;
use qt_model::units::Qty;
use qt_trade::ledger::{Ledger, LedgerError, LedgerOptions, Matching};
use rust_decimal::Decimal;

pub use booking::FillFacts;
pub use config::{
    AccountKind, BarRules, MarginTerms, PostOnly, SelfTrade, Slippage, VenueConfig, Venues,
};
pub use fees::{Fees, PaidIn, Tier, Window};
pub use fills::{Cross, FillModel, Preset, QueueModel, Share};
pub use latency::{Delay, Latency, LatencyConfig, Operation, Recording, Steps, StepsError};
pub use market::{Announced, Basis, LastBar, Market, News, Offer, Print, Public, Top};
pub use orders::{Arrival, Resting, Standing};
pub use queue::Place;
pub use texts::TextError;

use account::Reserved;
use booking::Event;
use due::Due;
use fees::Volume;
use links::Group;
use orders::Orders;
use pit::Pit;
use terms::Terms;

/// Why an exchange cannot be set up.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error("fee tiers of {venue}: expected one that begins at zero, and rising volumes")]
    Tiers { venue: Box<str> },
    #[error("{what} of {found} at {venue}: expected {expected}")]
    Value { venue: Box<str>, what: &'static str, found: Decimal, expected: &'static str },
}

/// How many orders that have ended are remembered, for orders that hang on them.
const ENDED_KEPT: usize = 4_096;

/// One lane's side of all venues. See the module.
#[derive(Clone, Debug)]
pub struct Exchange {
    terms: Vec<Terms>,
    venues: Vec<Venue>,
    pits: Vec<Pit>,
    orders: Orders,
    /// The latest instant that anything happened.
    now: Ts,
    last_fill: u64,
    highest: OrderNo,
    /// The orders that ended last, with what was filled of them.
    ended: VecDeque<(OrderNo, Qty)>,
    /// Orders that wait for another, by that one.
    children: BTreeMap<OrderNo, Vec<OrderNo>>,
    /// By first order.
    groups: BTreeMap<OrderNo, Group>,
    dues: BTreeSet<(Ts, Due)>,
    /// While the open of a bar is played: when it opened.
    in_bar: Option<Ts>,
    /// What happened and has consequences that are still to be drawn.
    events: VecDeque<Event>,
    /// For lists of orders that change while they are gone through.
    scratch: Vec<u32>,
    /// What a fill was like, where anybody asked for it.
    facts: Option<Vec<FillFacts>>,
}

/// One venue with our account there.
#[derive(Clone, Debug)]
struct Venue {
    config: Arc<VenueConfig>,
    ledger: Ledger,
    volume: Volume,
    reserved: Reserved,
    /// What is held, in the order in which it was bought or sold.
    holding: Vec<InstrumentId>,
}

impl Exchange {
    pub fn new(venues: &Venues, instruments: &Instruments) -> Result<Self, ConfigError> {
        let (names, terms) = terms::terms_of(instruments);
        let venue = |name: &str| Venue::new(name, Arc::clone(venues.of(name)), instruments);
        let mut exchange = Self {
            pits: terms.iter().map(|_| Pit::default()).collect(),
            venues: names.iter().map(|name| venue(name)).collect::<Result<_, _>>()?,
            terms,
            orders: Orders::default(),
            now: Ts::MIN,
            last_fill: 0,
            highest: OrderNo(0),
            ended: VecDeque::new(),
            children: BTreeMap::new(),
            groups: BTreeMap::new(),
            dues: BTreeSet::new(),
            in_bar: None,
            events: VecDeque::new(),
            scratch: Vec::new(),
            facts: None,
        };
        exchange.expect_settlements(instruments);
        Ok(exchange)
    }

    /// From here on keeps [`FillFacts`], which must be forgotten now and then.
    pub fn keep_facts(&mut self) {
        self.facts.get_or_insert_default();
    }

    /// What the fills since the facts were last forgotten were like, in their order.
    pub fn facts(&self) -> &[FillFacts] {
        self.facts.as_deref().unwrap_or_default()
    }

    pub fn forget_facts(&mut self) {
        self.facts.iter_mut().for_each(Vec::clear);
    }

    /// Whether records of that instrument can concern us at all.
    #[inline]
    pub fn rests_in(&self, instrument: InstrumentId) -> bool {
        self.pits.get(instrument.index()).is_some_and(|pit| !pit.is_idle())
    }

    /// Whether nothing stands that a record could fill, and nothing is held that the venue watches.
    /// Then only messages, dues, and news of an instrument's funding and status concern us.
    pub fn is_quiet(&self) -> bool {
        self.is_empty() && self.pits.iter().all(|pit| !pit.is_working() && !pit.is_watched)
    }

    /// An order that stands.
    pub fn resting(&self, order: OrderNo) -> Option<&Resting> {
        self.orders.find(order).map(|slot| self.orders.get(slot))
    }

    /// How many orders stand.
    pub fn len(&self) -> usize {
        self.orders.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Our account at the venue of an instrument.
    pub fn ledger(&self, instrument: InstrumentId) -> &Ledger {
        &self.venues[self.terms[instrument.index()].venue].ledger
    }

    /// Whether a record that the market has applied can do anything to us. Where it cannot,
    /// [`Self::market`] need not be called.
    #[inline]
    pub fn is_concerned(&self, market: &Market, record: &Record<'_>) -> bool {
        let Some(instrument) = record.head().instrument else { return false };
        if let Record::Depth(view) = record {
            return self.is_met(market, instrument, view.row, view.levels);
        }
        if let Record::Trade(view) = record {
            return self.is_hit(market, instrument, view.row);
        }
        self.rests_in(instrument)
    }

    /// Hears a record that the market has applied.
    pub fn market(
        &mut self,
        at: Ts,
        market: &Market,
        record: &Record<'_>,
        out: &mut Vec<Execution>,
    ) {
        let Some(instrument) = record.head().instrument else { return };
        if !self.rests_in(instrument) {
            return;
        }
        self.now = self.now.max(at);
        let turn = &mut Turn { market, out };
        if let Record::Funding(view) = record {
            self.funding(turn, instrument, view.row);
        } else if let Record::Status(view) = record {
            self.status(turn, instrument, view.row.status);
        } else if !self.pits[instrument.index()].is_working() {
            // A position alone has nothing to be filled.
        } else if let Record::Depth(view) = record {
            self.depth(turn, instrument, view.row, view.levels);
        } else if let Record::Trade(view) = record {
            self.printed(turn, instrument, view.row);
            self.trade(turn, instrument, view.row);
        } else if let Record::Quote(_) = record {
            self.quote(turn, instrument);
        } else if let Record::Mbo(view) = record {
            self.others_order(turn, instrument, view.row);
        } else if let Record::Bar(view) = record {
            self.bar(turn, instrument, view.row);
        }
        let pit = &self.pits[instrument.index()];
        if pit.has_stops() && pit.is_working() && market.of(instrument).is_open() {
            self.check_stops(turn, instrument);
        }
        if !self.events.is_empty() {
            self.settle(turn);
        }
        if self.pits[instrument.index()].is_watched {
            self.revalue(turn, instrument);
            self.settle(turn);
        }
    }
}

impl Venue {
    fn new(
        name: &str,
        config: Arc<VenueConfig>,
        instruments: &Instruments,
    ) -> Result<Self, ConfigError> {
        config.check(name)?;
        let options = LedgerOptions {
            currency: config.currency,
            matching: Matching::Average,
            initial: config.balances.clone(),
        };
        let ledger = Ledger::new(&options, instruments)?;
        let (volume, reserved, holding) = (Volume::default(), Vec::new(), Vec::new());
        Ok(Self { config, ledger, volume, reserved, holding })
    }
}

/// What one call of the driver works with.
struct Turn<'a> {
    market: &'a Market,
    out: &'a mut Vec<Execution>,
}
