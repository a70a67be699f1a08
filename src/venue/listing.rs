//! The instruments of one venue as its messages name them, and the scales that their numbers get.
//!
//! A scale has to be known at the first number of an instrument and cannot change after it. What
//! the user said counts first, then what the venue said of its instrument, then what its first
//! message shows: see [`Sighting`]. A digit that does not fit later is an error that names the flag.

use std::collections::HashMap;
use std::sync::Arc;

use qt_model::decimal::{self, DecimalError};
use qt_model::ids::InstrumentId;
use qt_model::instrument::{Instrument, Instruments, Symbol, Terms};
use qt_model::units::{Px, Qty, Scale};
use qt_stream::universe::Universe;

use crate::frame::DecodeError;

/// Scales that the user asked for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Scales {
    pub px: Option<Scale>,
    pub qty: Option<Scale>,
}

/// How a venue writes its numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    /// With all decimals of the instrument, zeros at the end and all.
    Padded,
    /// With decimals that the instrument may not have: zeros say nothing.
    Filled,
    /// As short as they can be, so that the first ones may lack decimals.
    Short,
    /// As short as they can be, of instruments that all have eight decimals.
    Fine,
    /// In whole numbers.
    Whole,
}

/// How a venue writes prices and sizes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Styles {
    pub px: Style,
    pub qty: Style,
}

/// What a venue says of an instrument before its first number.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stated {
    pub px_decimals: Option<u8>,
    pub qty_decimals: Option<u8>,
    pub terms: Terms,
}

/// An instrument in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Listed {
    pub id: InstrumentId,
    pub px: Scale,
    pub qty: Scale,
    /// Its place among the instruments of this listing, counted from zero.
    pub slot: usize,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Listing {
    universe: Universe,
    table: Arc<Instruments>,
    venue: &'static str,
    styles: Styles,
    asked: Scales,
    listed: HashMap<Box<[u8]>, Listed>,
    /// The one asked for last: messages of one instrument come in runs.
    recent: Option<(Vec<u8>, Listed)>,
    stated: HashMap<Box<str>, Stated>,
}

impl Listing {
    pub(crate) fn new(
        venue: &'static str,
        styles: Styles,
        universe: &Universe,
        asked: Scales,
    ) -> Self {
        Self {
            universe: universe.clone(),
            table: universe.snapshot(),
            venue,
            styles,
            asked,
            listed: HashMap::new(),
            recent: None,
            stated: HashMap::new(),
        }
    }

    pub(crate) fn table(&self) -> &Arc<Instruments> {
        &self.table
    }

    /// An instrument that is in use already.
    #[inline]
    pub(crate) fn find(&mut self, name: &[u8]) -> Option<Listed> {
        if let Some((recent, listed)) = &self.recent
            && *recent == name
        {
            return Some(*listed);
        }
        let found = *self.listed.get(name)?;
        let (recent, listed) = self.recent.get_or_insert((Vec::new(), found));
        recent.clear();
        recent.extend_from_slice(name);
        *listed = found;
        Some(found)
    }

    /// The only instrument in use, where there is but one.
    pub(crate) fn only(&self) -> Option<String> {
        let mut names = self.listed.keys();
        let name = names.next().filter(|_| names.next().is_none())?;
        Some(String::from_utf8_lossy(name).into_owned())
    }

    /// Whether the venue said what the instrument is.
    pub(crate) fn is_stated(&self, name: &str) -> bool {
        self.stated.contains_key(name)
    }

    /// Remembers what the venue says of an instrument. One that is in use keeps its scales.
    pub(crate) fn state(&mut self, name: &str, stated: Stated) -> Result<(), DecodeError> {
        if let Some(listed) = self.listed.get(name.as_bytes()) {
            let symbol = self.table.get(listed.id).symbol.clone();
            let mut known = Instrument::new(symbol, listed.px, listed.qty);
            known.terms = stated.terms.clone();
            self.join(known)?;
        }
        self.stated.insert(name.into(), stated);
        Ok(())
    }

    /// Takes an instrument into use; `true` if it is a new one. What its first message shows is looked
    /// at only then.
    pub(crate) fn list<'a>(
        &mut self,
        name: &str,
        terms: impl FnOnce() -> Terms,
        sighting: impl FnOnce() -> Sighting<'a>,
    ) -> Result<(Listed, bool), DecodeError> {
        if let Some(listed) = self.find(name.as_bytes()) {
            return Ok((listed, false));
        }
        let sighting = sighting();
        let symbol = Symbol::new(&format!("{}:{name}", self.venue))
            .map_err(|error| DecodeError::Refused(error.to_string()))?;
        let (px, qty, terms) = match self.stated.get(name) {
            Some(stated) => (stated.px_decimals, stated.qty_decimals, stated.terms.clone()),
            None => (None, None, terms()),
        };
        let known = self.universe.snapshot().find(symbol.as_str());
        let known = known.map(|id| self.universe.snapshot().get(id).clone());
        let mut instrument = Instrument::new(
            symbol,
            self.asked.px.unwrap_or_else(|| sighting.px_scale(self.styles.px, px)),
            self.asked.qty.unwrap_or_else(|| sighting.qty_scale(self.styles.qty, qty)),
        );
        instrument.terms = terms;
        if let Some(known) = known {
            // Another input declared it: its scales are in use.
            (instrument.px_scale, instrument.qty_scale) = (known.px_scale, known.qty_scale);
        }
        let (px, qty) = (instrument.px_scale, instrument.qty_scale);
        let id = self.join(instrument)?;
        let listed = Listed { id, px, qty, slot: self.listed.len() };
        self.listed.insert(name.as_bytes().into(), listed);
        Ok((listed, true))
    }

    fn join(&mut self, instrument: Instrument) -> Result<InstrumentId, DecodeError> {
        let id = self.universe.join(instrument).map_err(|e| DecodeError::Refused(e.to_string()))?;
        self.table = self.universe.snapshot();
        Ok(id)
    }
}

impl Listed {
    pub(crate) fn px(&self, field: &str, text: &str) -> Result<Px, DecodeError> {
        let parsed = decimal::parse(text.as_bytes(), self.px);
        parsed.map(Px::new).map_err(|error| misfit(field, text, error, "--px-scale"))
    }

    pub(crate) fn qty(&self, field: &str, text: &str) -> Result<Qty, DecodeError> {
        let parsed = decimal::parse(text.as_bytes(), self.qty);
        let mantissa = parsed.map_err(|error| misfit(field, text, error, "--qty-scale"))?;
        Qty::new(mantissa).map_err(|_| DecodeError::Field {
            field: field.to_owned(),
            expected: "a size, which is never negative",
            found: text.to_owned(),
        })
    }
}

/// Says which flag gives the number its room.
fn misfit(field: &str, text: &str, error: DecimalError, flag: &str) -> DecodeError {
    let found: String = text.chars().take(60).collect();
    let advice = match error {
        DecimalError::NotANumber => String::new(),
        DecimalError::DoesNotFit { .. } => match decimal::decimals_of(text.as_bytes()) {
            Some(decimals) => format!("; pass {flag} {decimals}"),
            None => String::new(),
        },
        DecimalError::Overflow { scale } => {
            format!("; pass {flag} with less than {scale}, as far as its decimals allow")
        }
    };
    DecodeError::Refused(format!("field `{field}`: {error}, found `{found}`{advice}"))
}

/// What the numbers of one message show of their instrument.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sighting<'a> {
    first_px: Option<&'a str>,
    px_decimals: u8,
    px_needs: u8,
    px_digits: u8,
    qty_decimals: u8,
    /// Without zeros at the end.
    qty_needs: u8,
    qty_digits: u8,
}

/// Digits before the point that stay free for what comes later.
const SPARE_DIGITS: u8 = 3;

/// No level is worth a billion: what a price leaves for the digits of a size.
const MONEY_DIGITS: i32 = 9;

/// Prices step by no less than this part of themselves, as powers of ten.
const SHORT_PX_DIGITS: i32 = 9;

const SHORT_QTY_DECIMALS: u8 = 8;

impl<'a> Sighting<'a> {
    pub(crate) fn of(px: &'a str, qty: &'a str) -> Self {
        Self::of_all([(px, qty)])
    }

    pub(crate) fn of_all(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut sighting = Self::default();
        for (px, qty) in pairs {
            sighting.px(px);
            sighting.qty(qty);
        }
        sighting
    }

    pub(crate) fn px(&mut self, text: &'a str) {
        self.first_px.get_or_insert(text);
        self.px_decimals = self.px_decimals.max(decimals(text));
        self.px_needs = self.px_needs.max(needs(text));
        self.px_digits = self.px_digits.max(digits(text));
    }

    pub(crate) fn qty(&mut self, text: &'a str) {
        self.qty_decimals = self.qty_decimals.max(decimals(text));
        self.qty_needs = self.qty_needs.max(needs(text));
        self.qty_digits = self.qty_digits.max(digits(text));
    }

    fn px_scale(&self, style: Style, stated: Option<u8>) -> Scale {
        let wish = match style {
            Style::Padded | Style::Filled | Style::Fine => self.px_decimals,
            Style::Whole => 0,
            // A price of 0.00001306 steps far below the fourth decimal, one of 61820 does not.
            Style::Short => {
                let most = i32::from(Scale::MAX.digits());
                let wish = (SHORT_PX_DIGITS - self.magnitude()).clamp(0, most);
                self.px_decimals.max(u8::try_from(wish).unwrap_or(0))
            }
        };
        fitting(beside(style, stated, wish), self.px_needs, self.px_digits, style)
    }

    fn qty_scale(&self, style: Style, stated: Option<u8>) -> Scale {
        // Tiny prices go with huge sizes, also where the first sizes are small.
        let by_price = (MONEY_DIGITS - self.magnitude() + 1).clamp(0, 15);
        let by_price = Scale::MAX.digits() - u8::try_from(by_price).unwrap_or(15);
        let wish = match style {
            Style::Padded => self.qty_decimals,
            Style::Filled => self.qty_decimals.min(by_price).max(self.qty_needs),
            Style::Short => SHORT_QTY_DECIMALS.min(by_price).max(self.qty_needs),
            Style::Fine => self.qty_decimals.max(SHORT_QTY_DECIMALS),
            Style::Whole => 0,
        };
        fitting(beside(style, stated, wish), self.qty_needs, self.qty_digits, style)
    }

    /// The power of ten of the first price: 4 for 61820.99, -5 for 0.00001306.
    fn magnitude(&self) -> i32 {
        let text = self.first_px.unwrap_or("1").trim_start_matches('-');
        if text.bytes().any(|byte| matches!(byte, b'e' | b'E')) {
            return -i32::from(decimals(text));
        }
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let whole = whole.trim_start_matches('0');
        if !whole.is_empty() {
            return i32::try_from(whole.len()).unwrap_or(18) - 1;
        }
        let zeros = fraction.bytes().take_while(|byte| *byte == b'0').count();
        if zeros == fraction.len() { 0 } else { -i32::try_from(zeros).unwrap_or(18) - 1 }
    }
}

/// What the venue states of its instrument counts. But where it fills up its numbers with zeros, a
/// book may hold orders from before the tick and the lot of today, with decimals that those lack.
fn beside(style: Style, stated: Option<u8>, wish: u8) -> u8 {
    match stated {
        Some(stated) if style == Style::Filled => stated.max(wish),
        Some(stated) => stated,
        None => wish,
    }
}

/// The scale wished for, as far as it leaves room for the whole digits and a few more. Decimals that
/// were seen come before digits that may follow.
fn fitting(wish: u8, needs: u8, whole_digits: u8, style: Style) -> Scale {
    // Where every decimal is of the instrument, decimals are the likelier need.
    let spare = if matches!(style, Style::Padded | Style::Fine) { 1 } else { SPARE_DIGITS };
    let room = |spare: u8| Scale::MAX.digits().saturating_sub(whole_digits.saturating_add(spare));
    Scale::new(wish.min(room(spare).max(needs.min(room(0))))).unwrap_or(Scale::ZERO)
}

/// Decimals without zeros at the end.
fn needs(text: &str) -> u8 {
    decimal::decimals_of(text.as_bytes()).unwrap_or(0)
}

fn decimals(text: &str) -> u8 {
    decimal::decimals_written(text.as_bytes()).unwrap_or(0)
}

/// Digits before the point.
fn digits(text: &str) -> u8 {
    let whole = text.trim_start_matches('-').split(['.', 'e', 'E']).next().unwrap_or_default();
    u8::try_from(whole.trim_start_matches('0').len()).unwrap_or(Scale::MAX.digits())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scales(style: Style, px: &str, qty: &str) -> (u8, u8) {
        let sighting = Sighting::of(px, qty);
        (sighting.px_scale(style, None).digits(), sighting.qty_scale(style, None).digits())
    }

    #[test]
    fn the_first_message_shows_how_wide_the_numbers_are() {
        assert_eq!(scales(Style::Filled, "61837.63000000", "3.78826000"), (8, 8));
        assert_eq!(scales(Style::Padded, "61800.20", "2.507"), (2, 3));
        assert_eq!(scales(Style::Whole, "2682", "159"), (0, 0));
        // A price of 1e-5 goes with sizes of 1e14: eight decimals would leave them no room.
        assert_eq!(scales(Style::Filled, "0.00000872", "5.00000000"), (8, 3));
        assert_eq!(scales(Style::Filled, "0.00000872", "5.00001000"), (8, 5));
        assert_eq!(scales(Style::Padded, "0.043070", "5794.00000000"), (6, 8));
        assert_eq!(scales(Style::Short, "0.00001306", "660.5"), (14, 3));
        assert_eq!(scales(Style::Short, "30236.1", "0.18050747"), (5, 8));
        assert_eq!(scales(Style::Short, "1.1e-7", "1"), (14, 3));
        assert_eq!(scales(Style::Padded, "1600000000.00", "0.00001"), (2, 5));
        assert_eq!(scales(Style::Fine, "0.7", "123456789.5"), (1, 8));
        assert_eq!(scales(Style::Short, "0.7", "1234567890.12345678"), (10, 8));
    }

    #[test]
    fn what_is_asked_or_stated_counts_before_what_is_seen() {
        let universe = Universe::default();
        let styles = Styles { px: Style::Padded, qty: Style::Padded };
        let asked = Scales { px: Scale::new(1).ok(), qty: None };
        let mut listing = Listing::new("x", styles, &universe, asked);
        let stated = Stated { px_decimals: Some(4), qty_decimals: Some(3), ..Stated::default() };
        listing.state("A", stated).unwrap();
        let sighting = Sighting::of("1.00000000", "1.00000000");
        let (listed, is_new) = listing.list("A", Terms::default, || sighting).unwrap();
        assert_eq!((listed.px.digits(), listed.qty.digits(), is_new), (1, 3, true));
        assert_eq!(sighting.qty_scale(Style::Filled, Some(3)).digits(), 8);
        assert!(!listing.list("A", Terms::default, || sighting).unwrap().1);
        assert_eq!(listing.only().as_deref(), Some("A"));
        let (listed, _) = listing.list("B", Terms::default, || sighting).unwrap();
        assert_eq!((listed.px.digits(), listed.qty.digits(), listed.slot), (1, 8, 1));
        assert_eq!(listing.only(), None);
        assert!(listing.list("A B", Terms::default, || sighting).is_err());
    }

    #[test]
    fn a_digit_that_does_not_fit_names_the_flag() {
        let universe = Universe::default();
        let styles = Styles { px: Style::Padded, qty: Style::Padded };
        let mut listing = Listing::new("x", styles, &universe, Scales::default());
        let sighting = Sighting::of("1.00", "1.0");
        let (listed, _) = listing.list("A", Terms::default, || sighting).unwrap();
        let said = listed.px("p", "1.2345").unwrap_err().to_string();
        assert!(said.ends_with("found `1.2345`; pass --px-scale 4"), "{said}");
        let said = listed.qty("q", "1234567890123456789").unwrap_err().to_string();
        assert!(said.contains("pass --qty-scale with less than 1"), "{said}");
        assert!(listed.qty("q", "-1").is_err());
        assert!(listed.px("p", "NaN").unwrap_err().to_string().contains("expected a decimal"));
    }
}
