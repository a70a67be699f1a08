//! Instruments and the table that gives each its small id.
//!
//! Invariants: a table only grows, so an id taken from it stays good in every later copy; no two
//! instruments have one symbol; a scale never changes once the table is shared. Order that shows
//! comes from the symbols, never from the ids.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;

use rust_decimal::Decimal;

use crate::ids::InstrumentId;
use crate::time::Ts;
use crate::units::Scale;
use crate::words::{InstrumentClass, Payoff};

/// `venue:NAME`, such as `binance:BTCUSDT`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Symbol {
    text: Box<str>,
    venue_len: usize,
}

/// Why a text is not a symbol.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a symbol: expected venue:NAME without spaces, quotes or control characters")]
pub struct SymbolError(pub String);

impl Symbol {
    pub fn new(text: &str) -> Result<Self, SymbolError> {
        let error = || SymbolError(text.chars().take(80).collect());
        let (venue, name) = text.split_once(':').ok_or_else(error)?;
        // Plain enough to stand in JSON as it is; a path still has to escape the slash.
        let plain = |c: char| !c.is_control() && !c.is_whitespace() && c != '"' && c != '\\';
        let fits = |part: &str| !part.is_empty() && part.chars().all(plain);
        if fits(venue) && fits(name) && text.len() <= 120 {
            Ok(Self { text: text.into(), venue_len: venue.len() })
        } else {
            Err(error())
        }
    }

    pub fn as_str(&self) -> &str {
        &self.text
    }

    pub fn venue(&self) -> &str {
        &self.text[..self.venue_len]
    }

    pub fn name(&self) -> &str {
        &self.text[self.venue_len + 1..]
    }
}

impl fmt::Display for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// What is known of one tradable thing. Only the symbol and the scales are always known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instrument {
    pub symbol: Symbol,
    pub px_scale: Scale,
    pub qty_scale: Scale,
    pub terms: Terms,
}

/// The terms of trade, as far as the source states them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    pub class: Option<InstrumentClass>,
    pub payoff: Option<Payoff>,
    pub tick: Option<Decimal>,
    pub lot: Option<Decimal>,
    pub multiplier: Option<Decimal>,
    pub base: Option<Box<str>>,
    pub quote: Option<Box<str>>,
    pub settle: Option<Box<str>>,
    pub root: Option<Box<str>>,
    pub expiry: Option<Ts>,
}

impl Instrument {
    pub fn new(symbol: Symbol, px_scale: Scale, qty_scale: Scale) -> Self {
        Self { symbol, px_scale, qty_scale, terms: Terms::default() }
    }
}

/// Two sources state one instrument at scales that cannot both be kept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TableError {
    #[error("{symbol} is in use at px_scale {px}, qty_scale {qty}; a wider scale arrives too late")]
    Widened { symbol: Symbol, px: u8, qty: u8 },
    #[error("more than four billion instruments")]
    Full,
}

/// All instruments of a stream, by id and by symbol.
#[derive(Clone, Debug, Default)]
pub struct Instruments {
    list: Vec<Instrument>,
    by_symbol: BTreeMap<Box<str>, InstrumentId>,
}

impl Instruments {
    pub fn len(&self) -> usize {
        self.list.len()
    }

    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    #[inline]
    pub fn get(&self, id: InstrumentId) -> &Instrument {
        &self.list[id.index()]
    }

    pub fn find(&self, symbol: &str) -> Option<InstrumentId> {
        self.by_symbol.get(symbol).copied()
    }

    /// By id, in the order of arrival.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Instrument> {
        self.list.iter()
    }

    /// In the order of the symbols: the order to show.
    pub fn by_symbol(&self) -> impl Iterator<Item = (InstrumentId, &Instrument)> {
        self.by_symbol.values().map(|id| (*id, self.get(*id)))
    }

    /// Adds an instrument, or refines the one of that symbol: scales take the wider value and
    /// terms fill in. For the time before any record is decoded.
    pub fn declare(&mut self, instrument: Instrument) -> Result<InstrumentId, TableError> {
        let Some(id) = self.find(instrument.symbol.as_str()) else { return self.push(instrument) };
        let known = &mut self.list[id.index()];
        known.px_scale = known.px_scale.max(instrument.px_scale);
        known.qty_scale = known.qty_scale.max(instrument.qty_scale);
        known.terms.fill_from(instrument.terms);
        Ok(id)
    }

    /// Like `declare`, for a table already in use: a known instrument keeps its scales, and a
    /// wider one is refused.
    pub fn join(&mut self, instrument: Instrument) -> Result<InstrumentId, TableError> {
        let Some(id) = self.find(instrument.symbol.as_str()) else { return self.push(instrument) };
        let known = &mut self.list[id.index()];
        if instrument.px_scale > known.px_scale || instrument.qty_scale > known.qty_scale {
            let (px, qty) = (known.px_scale.digits(), known.qty_scale.digits());
            return Err(TableError::Widened { symbol: instrument.symbol, px, qty });
        }
        known.terms.fill_from(instrument.terms);
        Ok(id)
    }

    fn push(&mut self, instrument: Instrument) -> Result<InstrumentId, TableError> {
        let id = InstrumentId::from_index(self.list.len()).ok_or(TableError::Full)?;
        self.by_symbol.insert(instrument.symbol.as_str().into(), id);
        self.list.push(instrument);
        Ok(id)
    }

    /// Venue first, then name, whatever the ids.
    pub fn compare(&self, a: InstrumentId, b: InstrumentId) -> Ordering {
        let (a, b) = (&self.get(a).symbol, &self.get(b).symbol);
        a.venue().cmp(b.venue()).then_with(|| a.name().cmp(b.name()))
    }
}

impl Terms {
    fn fill_from(&mut self, other: Self) {
        fn fill<T>(known: &mut Option<T>, new: Option<T>) {
            if known.is_none() {
                *known = new;
            }
        }
        fill(&mut self.class, other.class);
        fill(&mut self.payoff, other.payoff);
        fill(&mut self.tick, other.tick);
        fill(&mut self.lot, other.lot);
        fill(&mut self.multiplier, other.multiplier);
        fill(&mut self.base, other.base);
        fill(&mut self.quote, other.quote);
        fill(&mut self.settle, other.settle);
        fill(&mut self.root, other.root);
        fill(&mut self.expiry, other.expiry);
    }
}

impl Terms {
    /// Whether the contract has expired by then.
    pub fn has_ended(&self, now: Ts) -> bool {
        self.expiry.is_some_and(|expiry| now >= expiry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instrument(symbol: &str, px: u8, qty: u8) -> Instrument {
        let scale = |digits| Scale::new(digits).unwrap();
        Instrument::new(Symbol::new(symbol).unwrap(), scale(px), scale(qty))
    }

    #[test]
    fn symbols_name_a_venue_and_stand_in_json_as_they_are() {
        assert_eq!(Symbol::new("binance:BTCUSDT").unwrap().venue(), "binance");
        assert_eq!(Symbol::new("cme:ES:H4").unwrap().name(), "ES:H4");
        for text in ["", "BTCUSDT", ":X", "x:", "a:b c", "a:b\"", "a:b\\", "a:\n"] {
            assert!(Symbol::new(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_table_widens_before_use_and_refuses_after() {
        let mut table = Instruments::default();
        let id = table.declare(instrument("a:X", 2, 3)).unwrap();
        assert_eq!(table.declare(instrument("a:X", 4, 1)), Ok(id));
        assert_eq!(table.get(id).px_scale.digits(), 4);
        assert_eq!(table.get(id).qty_scale.digits(), 3);
        assert_eq!(table.join(instrument("a:X", 2, 2)), Ok(id));
        assert!(table.join(instrument("a:X", 5, 2)).is_err());
    }

    #[test]
    fn venues_come_before_names() {
        let mut table = Instruments::default();
        let b = table.declare(instrument("b:A", 0, 0)).unwrap();
        let a = table.declare(instrument("a:Z", 0, 0)).unwrap();
        assert_eq!(table.compare(a, b), Ordering::Less);
    }
}
