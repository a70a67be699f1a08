//! The terms of instruments from Binance's `exchangeInfo`.

use qt_model::instrument::Terms;
use qt_model::words::{InstrumentClass, Payoff};
use rust_decimal::Decimal;

use super::market::Market;
use crate::desk::Desk;
use crate::epoch;
use crate::frame::DecodeError;
use crate::json::{Object, Value};
use crate::listing::Stated;

/// Contracts without an end carry a date in the year 2100.
const NEVER_MS: u64 = 4_000_000_000_000;

/// Remembers every instrument of the answer; those in use are announced again.
pub(super) fn read(info: &Object<'_>, market: Market, desk: &mut Desk) -> Result<(), DecodeError> {
    let symbols = info.need("symbols")?.array()?;
    let stated: Result<Vec<_>, _> = symbols.map(|symbol| one(symbol, market)).collect();
    for (name, stated) in stated? {
        desk.listing.state(&name, stated)?;
        if let Some(listed) = desk.listing.find(name.as_bytes()) {
            desk.announce(listed);
        }
    }
    Ok(())
}

fn one(symbol: Value<'_, '_>, market: Market) -> Result<(String, Stated), DecodeError> {
    let symbol = symbol.object()?;
    let name = symbol.need("symbol")?.text()?.into_owned();
    let tick = filter(&symbol, "PRICE_FILTER", "tickSize")?;
    let lot = filter(&symbol, "LOT_SIZE", "stepSize")?;
    let decimals = |step: Option<Decimal>| {
        step.map(|step| step.normalize().scale()).and_then(|scale| u8::try_from(scale).ok())
    };
    let written = |key: &str| {
        let precision = symbol.get(key).map(|precision| precision.u64()).transpose()?;
        Ok::<_, DecodeError>(precision.and_then(|precision| u8::try_from(precision).ok()))
    };
    // Futures may quote between the ticks that orders keep to; their precision is what is written.
    let stated = Stated {
        px_decimals: decimals(tick).max(written("pricePrecision")?),
        qty_decimals: decimals(lot).max(written("quantityPrecision")?),
        terms: terms(&symbol, market, &name, tick, lot)?,
    };
    Ok((name, stated))
}

fn terms(
    symbol: &Object<'_>,
    market: Market,
    name: &str,
    tick: Option<Decimal>,
    lot: Option<Decimal>,
) -> Result<Terms, DecodeError> {
    let text = |key: &str| -> Result<Option<Box<str>>, DecodeError> {
        let text = symbol.get(key).map(|value| value.text()).transpose()?;
        Ok(text.filter(|text| !text.is_empty()).map(|text| text.as_ref().into()))
    };
    let class = match (market, text("contractType")?.as_deref()) {
        (Market::Spot, _) => InstrumentClass::Spot,
        (_, Some("PERPETUAL" | "PERPETUAL_DELIVERING")) => InstrumentClass::Perpetual,
        (_, Some(_)) => InstrumentClass::Future,
        (_, None) => market.terms(name).class.unwrap_or(InstrumentClass::Perpetual),
    };
    let delivery = symbol.get("deliveryDate").map(|date| date.u64()).transpose()?;
    let expiry = delivery.filter(|_| class == InstrumentClass::Future);
    let payoff = match market {
        Market::Spot => None,
        Market::UsdM => Some(Payoff::Linear),
        Market::CoinM => Some(Payoff::Inverse),
    };
    let size = symbol.get("contractSize").map(|size| size.money()).transpose()?;
    Ok(Terms {
        class: Some(class),
        payoff,
        tick,
        lot,
        multiplier: size,
        base: text("baseAsset")?,
        quote: text("quoteAsset")?,
        settle: text("marginAsset")?,
        root: text("pair")?,
        expiry: expiry.filter(|ms| *ms > 0 && *ms < NEVER_MS).and_then(epoch::from_count),
    })
}

/// A number of one of the filters, where the symbol has that filter.
fn filter(symbol: &Object<'_>, kind: &str, key: &str) -> Result<Option<Decimal>, DecodeError> {
    let Some(filters) = symbol.get("filters") else { return Ok(None) };
    for filter in filters.array()? {
        let filter = filter.object()?;
        if filter.need("filterType")?.text()? == kind {
            let step = filter.need(key)?.money()?;
            // Zero switches a filter off.
            return Ok(Some(step).filter(|step| !step.is_zero()));
        }
    }
    Ok(None)
}
