//! Scales for instruments that nobody declared, from the digits of the first records.

use std::collections::BTreeMap;

use qt_model::decimal;
use qt_model::record::{FieldType, Kind};
use qt_model::units::Scale;
use serde_json::value::RawValue;

use super::object::{self, Object};

/// Scales for a symbol that nobody declared. A stream with a header writes all digits of a scale;
/// else, what the record needs, and room for eight decimals where three digits before the point
/// stay free.
pub(super) fn guess(object: &Object<'_>, has_header: bool) -> (Scale, Scale) {
    let (mut px, mut qty) = (Need::default(), Need::default());
    needs(object, &mut px, &mut qty);
    if has_header { (px.scale(), qty.scale()) } else { (px.roomy(), qty.roomy()) }
}

/// The digits that numbers were seen to need on both sides of the point.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Need {
    decimals: u8,
    whole: u8,
    is_known: bool,
}

impl Need {
    pub(crate) fn see(&mut self, text: &str) {
        let text = text.trim_matches('"');
        if let Some(decimals) = decimal::decimals_written(text.as_bytes()) {
            self.is_known = true;
            self.decimals = self.decimals.max(decimals);
            let whole = text.trim_start_matches('-').bytes().take_while(u8::is_ascii_digit).count();
            self.whole = self.whole.max(whole.min(18) as u8);
        }
    }

    /// Takes in the decimals that an `instrument` record declares.
    pub(crate) fn see_scale(&mut self, text: Option<&str>) {
        let declared = text.and_then(|text| text.parse().ok()).filter(|digits| *digits <= 18);
        if let Some(digits) = declared {
            self.is_known = true;
            self.decimals = self.decimals.max(digits);
        }
    }

    /// The scale that holds what was seen; with room where nothing was.
    pub(crate) fn scale(self) -> Scale {
        if self.is_known { Scale::new(self.decimals).unwrap_or(Scale::MAX) } else { self.roomy() }
    }

    /// The scale for what was seen, with room for later records.
    pub(crate) fn roomy(self) -> Scale {
        let room = 15_u8.saturating_sub(self.whole);
        Scale::new(self.decimals.max(room.min(8))).unwrap_or(Scale::MAX)
    }
}

/// Notes what the prices and sizes of a record need.
fn needs(object: &Object<'_>, px: &mut Need, qty: &mut Need) {
    let Some(kind) = object.get("k").and_then(object::string).and_then(|k| Kind::from_name(&k))
    else {
        return;
    };
    if kind == Kind::InstrumentRow {
        px.see_scale(object.get("px_scale"));
        qty.see_scale(object.get("qty_scale"));
        return;
    }
    for field in kind.fields() {
        let need = match field.ty {
            FieldType::Px => &mut *px,
            FieldType::Qty => &mut *qty,
            _ => continue,
        };
        if let Some(text) = object.get(field.name) {
            need.see(text);
        }
    }
    for side in ["bids", "asks"] {
        let pairs = object.get(side).and_then(|text| pairs(text).ok()).unwrap_or_default();
        for [price, size] in pairs {
            px.see(price.get());
            qty.see(size.get());
        }
    }
}

pub(super) type Pair<'a> = [&'a RawValue; 2];

pub(super) fn pairs(text: &str) -> Result<Vec<Pair<'_>>, serde_json::Error> {
    serde_json::from_str(text)
}

/// The digits that each symbol of the window needs, in order of appearance. The last line may be
/// cut, and is left out if so.
pub(crate) fn scales_needed(window: &[u8]) -> Vec<(String, Need, Need)> {
    let mut found: Vec<(String, Need, Need)> = Vec::new();
    let mut places = BTreeMap::new();
    for line in window.split(|byte| *byte == b'\n') {
        let Ok(object) = Object::parse(line) else { continue };
        let Some(symbol) = object.get("sym").and_then(object::string) else { continue };
        let at = *places.entry(symbol.clone().into_owned()).or_insert_with(|| {
            found.push((symbol.into_owned(), Need::default(), Need::default()));
            found.len() - 1
        });
        let (_, px, qty) = &mut found[at];
        needs(&object, px, qty);
    }
    found
}
