//! From a number that an expression gave to a price or a size that an instrument allows.
//!
//! The one door from doubles to money. A price goes to the tick that asks less of the market: a buy
//! downwards, a sell upwards; a size goes down to the lot. A number within a billionth of a step
//! counts as that step, so that a sum of decimals lands where it would on paper.

use qt_model::instrument::Instrument;
use qt_model::units::{Px, Qty, Scale};
use qt_model::words::Side;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

/// The steps of an instrument, in units of its scales.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Steps {
    px_scale: Scale,
    qty_scale: Scale,
    tick: i64,
    lot: i64,
}

impl Steps {
    pub fn of(instrument: &Instrument) -> Self {
        let units = |step: Option<Decimal>, scale: Scale| {
            let units = step.and_then(|step| step.checked_mul(Decimal::from(scale.unit())));
            units.and_then(|units| units.to_i64()).filter(|units| *units > 0).unwrap_or(1)
        };
        let terms = &instrument.terms;
        Self {
            px_scale: instrument.px_scale,
            qty_scale: instrument.qty_scale,
            tick: units(terms.tick, instrument.px_scale),
            lot: units(terms.lot, instrument.qty_scale),
        }
    }

    /// The smallest step of a price.
    pub fn tick(&self) -> f64 {
        Px::new(self.tick).to_f64(self.px_scale)
    }

    /// The same in units of the instrument's scale.
    pub fn tick_units(&self) -> i64 {
        self.tick
    }

    /// The smallest step of a size.
    pub fn lot(&self) -> f64 {
        self.lot as f64 / self.qty_scale.unit() as f64
    }

    /// The price for an order of that side; `None` where the number is no price or has more
    /// digits than a double holds.
    pub fn px(&self, side: Side, number: f64) -> Option<Px> {
        let steps = number * self.px_scale.unit() as f64 / self.tick as f64;
        let steps = match side {
            Side::Buy => down(steps)?,
            Side::Sell => -down(-steps)?,
        };
        steps.checked_mul(self.tick).map(Px::new)
    }

    /// A distance in units of price, at least one tick.
    pub fn distance(&self, number: f64) -> Option<i64> {
        let steps = down(number * self.px_scale.unit() as f64 / self.tick as f64)?;
        steps.max(1).checked_mul(self.tick)
    }

    /// The size, down to the lot; zero where not one lot is left.
    pub fn qty(&self, number: f64) -> Option<Qty> {
        let lots = down(number * self.qty_scale.unit() as f64 / self.lot as f64)?;
        Qty::new(lots.max(0).checked_mul(self.lot)?).ok()
    }

    /// The size that a file states, down to the lot.
    pub fn exact(&self, number: Decimal) -> Option<Qty> {
        let units = number.checked_mul(Decimal::from(self.qty_scale.unit()))?;
        let lots = units.to_i64()?.checked_div(self.lot)?;
        Qty::new(lots.max(0) * self.lot).ok()
    }
}

/// The largest whole number not above, with a little room for the last bits of a double.
fn down(steps: f64) -> Option<i64> {
    /// Above this a double no longer tells a billionth of a step.
    const MOST: f64 = 1e15;
    let nearest = libm::rint(steps);
    let is_near = (steps - nearest).abs() <= 1e-9 * nearest.abs().max(1.0);
    let whole = if is_near { nearest } else { libm::floor(steps) };
    (whole.abs() < MOST).then_some(whole as i64)
}

#[cfg(test)]
mod tests {
    use qt_model::instrument::{Symbol, Terms};

    use super::*;

    #[test]
    fn prices_go_to_the_modest_tick_and_sizes_down() {
        let scale = |digits| Scale::new(digits).unwrap();
        let mut instrument = Instrument::new(Symbol::new("x:A").unwrap(), scale(2), scale(3));
        let decimal = |text: &str| Some(text.parse().unwrap());
        instrument.terms =
            Terms { tick: decimal("0.05"), lot: decimal("0.01"), ..Terms::default() };
        let steps = Steps::of(&instrument);
        let px = |side, number| steps.px(side, number).map(Px::mantissa);
        assert_eq!(px(Side::Buy, 100.07), Some(10_005));
        assert_eq!(px(Side::Sell, 100.07), Some(10_010));
        // 0.1 + 0.2 is a little more than 0.3, and means it.
        assert_eq!(px(Side::Sell, 100.0 + (0.1 + 0.2)), Some(10_030));
        assert_eq!(px(Side::Buy, 100.15), Some(10_015));
        assert_eq!(px(Side::Buy, -0.07), Some(-10));
        assert_eq!(px(Side::Buy, f64::NAN), None);
        assert_eq!(px(Side::Buy, 1e18), None);
        let qty = |number| steps.qty(number).map(Qty::mantissa);
        assert_eq!((qty(0.019), qty(0.02), qty(0.009)), (Some(10), Some(20), Some(0)));
        assert_eq!((qty(-1.0), qty(f64::INFINITY)), (Some(0), None));
        assert_eq!(steps.exact("0.019".parse().unwrap()), Qty::new(10).ok());
    }
}
