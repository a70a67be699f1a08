//! The instruments of a synthetic venue: four with known manners, and any others by name.
//!
//! The four are chosen to hurt a sloppy reader: prices at 1e-11, sizes beyond ten billion, a tick
//! of a quarter. Of any other symbol, all manners follow from its text.

use qt_model::instrument::{Instrument, Symbol, SymbolError, Terms};
use qt_model::time::{Date, Ts};
use qt_model::units::Scale;
use qt_model::words::{InstrumentClass, Payoff};
use rust_decimal::Decimal;

use super::rhythm::Rhythm;
use crate::dice::{hash, mix};

/// An instrument and how its market behaves.
#[derive(Clone, Debug)]
pub struct Spec {
    pub(super) instrument: Instrument,
    /// Mantissas per tick and per lot.
    pub(super) tick: i64,
    pub(super) lot: i64,
    pub(super) open_ticks: i64,
    /// The median order, in lots.
    pub(super) typical_lots: i64,
    pub(super) actions_per_s: f64,
    pub(super) daily_volatility_bps: u32,
    pub(super) rhythm: Rhythm,
}

/// A line of the list of known instruments.
struct Known {
    symbol: &'static str,
    scales: (u8, u8),
    tick: i64,
    open_ticks: i64,
    typical_lots: i64,
    actions_per_s: f64,
    daily_volatility_bps: u32,
    rhythm: Rhythm,
}

const KNOWN: [Known; 4] = [
    // 61 820.00 in cents; orders of 0.02 coins.
    Known {
        symbol: "sim:BTCUSDT",
        scales: (2, 5),
        tick: 1,
        open_ticks: 6_182_000,
        typical_lots: 2_000,
        actions_per_s: 40.0,
        daily_volatility_bps: 250,
        rhythm: Rhythm::Continuous,
    },
    // 2 635.12 in cents; orders of 0.3 coins.
    Known {
        symbol: "sim:ETHUSDT",
        scales: (2, 4),
        tick: 1,
        open_ticks: 263_512,
        typical_lots: 3_000,
        actions_per_s: 28.0,
        daily_volatility_bps: 320,
        rhythm: Rhythm::Continuous,
    },
    // 0.00000845 in steps of 1e-11; orders of a billion and a half, worth a few thousand.
    Known {
        symbol: "sim:PEPEUSDT",
        scales: (11, 0),
        tick: 1,
        open_ticks: 845_000,
        typical_lots: 1_500_000_000,
        actions_per_s: 14.0,
        daily_volatility_bps: 550,
        rhythm: Rhythm::Continuous,
    },
    // 5 300.00 in quarters; orders of six contracts.
    Known {
        symbol: "sim:ESZ4",
        scales: (2, 0),
        tick: 25,
        open_ticks: 21_200,
        typical_lots: 6,
        actions_per_s: 45.0,
        daily_volatility_bps: 110,
        rhythm: Rhythm::Session,
    },
];

impl Spec {
    /// The four instruments with known manners.
    pub fn known() -> Vec<Self> {
        KNOWN.iter().map(Self::from_known).collect()
    }

    /// The instrument of that symbol: one of the known ones, or one made from its name.
    pub fn named(symbol: &str) -> Result<Self, SymbolError> {
        if let Some(known) = KNOWN.iter().find(|known| known.symbol == symbol) {
            return Ok(Self::from_known(known));
        }
        Ok(Self::from_name(Symbol::new(symbol)?))
    }

    /// That many instruments, `sim:S00001` and on.
    pub fn many(count: usize) -> Vec<Self> {
        (1..=count).map(|number| Self::from_name(symbol(&format!("sim:S{number:05}")))).collect()
    }

    /// The same instrument at another pace: actions per second in the long run. An action makes
    /// about 1.6 records.
    #[must_use]
    pub fn at_pace(mut self, actions_per_s: f64) -> Self {
        self.actions_per_s = actions_per_s;
        self
    }

    pub fn instrument(&self) -> &Instrument {
        &self.instrument
    }

    fn from_known(known: &Known) -> Self {
        let (px, qty) = known.scales;
        let mut spec = Self {
            instrument: Instrument::new(symbol(known.symbol), scale(px), scale(qty)),
            tick: known.tick,
            lot: 1,
            open_ticks: known.open_ticks,
            typical_lots: known.typical_lots,
            actions_per_s: known.actions_per_s,
            daily_volatility_bps: known.daily_volatility_bps,
            rhythm: known.rhythm,
        };
        spec.instrument.terms = spec.terms();
        if known.rhythm == Rhythm::Session {
            spec.instrument.terms = spec.terms_of_future();
        }
        spec
    }

    /// All manners drawn from the text of the symbol.
    fn from_name(symbol: Symbol) -> Self {
        let seed = mix(hash(symbol.as_str()));
        // Independent numbers below a bound, one per use.
        let draw = |use_: u64, bound: u64| (mix(seed ^ use_) >> 16) % bound;
        let (px, qty) = (draw(1, 9) as u8, draw(2, 7) as u8);
        let tick = if px > 0 { [1, 1, 1, 2, 5][draw(3, 5) as usize] } else { 1 };
        let open_ticks = 4_000_u64 << draw(4, 8);
        let typical_lots = 8_u64 << draw(5, 10);
        let mut spec = Self {
            instrument: Instrument::new(symbol, scale(px), scale(qty)),
            tick,
            lot: 1,
            open_ticks: (open_ticks + draw(6, open_ticks)).cast_signed(),
            typical_lots: (typical_lots + draw(7, typical_lots)).cast_signed(),
            actions_per_s: (1_u64 << draw(8, 5)) as f64 * (1.0 + draw(9, 100) as f64 / 100.0),
            daily_volatility_bps: 120 + draw(10, 480) as u32,
            rhythm: Rhythm::Continuous,
        };
        spec.instrument.terms = spec.terms();
        spec
    }

    fn terms(&self) -> Terms {
        let decimal = |units, scale: Scale| Decimal::new(units, u32::from(scale.digits()));
        let name = self.instrument.symbol.name();
        let pair = ["USDT", "USDC", "USD", "EUR", "BTC"].into_iter().find_map(|quote| {
            name.strip_suffix(quote).filter(|base| !base.is_empty()).map(|base| (base, quote))
        });
        Terms {
            class: Some(InstrumentClass::Spot),
            tick: Some(decimal(self.tick, self.instrument.px_scale)),
            lot: Some(decimal(self.lot, self.instrument.qty_scale)),
            base: pair.map(|(base, _)| base.into()),
            quote: pair.map(|(_, quote)| quote.into()),
            ..Terms::default()
        }
    }

    fn terms_of_future(&self) -> Terms {
        // The third Friday of December, half past nine in New York.
        let day = Date::new(2024, 12, 20).expect("a day of the calendar");
        let expiry = Ts::from_nanos(day.start().nanos() + (14 * 60 + 30) * 60 * 1_000_000_000);
        Terms {
            class: Some(InstrumentClass::Future),
            payoff: Some(Payoff::Linear),
            multiplier: Some(Decimal::from(50)),
            quote: Some("USD".into()),
            settle: Some("USD".into()),
            root: Some("ES".into()),
            expiry: Some(expiry),
            ..self.terms()
        }
    }
}

fn symbol(text: &str) -> Symbol {
    Symbol::new(text).expect("a symbol of our own making is well formed")
}

fn scale(digits: u8) -> Scale {
    Scale::new(digits).expect("a scale of our own making is in range")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_makes_one_instrument() {
        let show = |text: &str| format!("{:?}", Spec::named(text).unwrap());
        assert_eq!(show("sim:AAA"), show("sim:AAA"));
        assert_ne!(show("sim:AAA"), show("sim:BBB").replace("BBB", "AAA"));
        assert_eq!(show("sim:S00007"), format!("{:?}", Spec::many(9)[6]));
        assert!(Spec::named("AAA").is_err());
    }

    #[test]
    fn the_known_ones_state_their_terms() {
        let specs = Spec::known();
        let terms = |at: usize| &specs[at].instrument().terms;
        assert_eq!(terms(0).base.as_deref(), Some("BTC"));
        assert_eq!(terms(2).tick, Some(Decimal::new(1, 11)));
        assert_eq!(terms(3).tick, Some(Decimal::new(25, 2)));
        assert_eq!(terms(3).expiry.unwrap().to_string(), "2024-12-20T14:30:00.000000000Z");
    }
}
