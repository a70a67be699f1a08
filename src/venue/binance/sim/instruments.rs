//! Instruments as `exchangeInfo` tells them, and numbers as the market writes them.

use qt_model::decimal;
use qt_model::instrument::Instrument;
use qt_model::units::{Px, Qty, Scale};
use serde_json::{Value, json};

use super::super::Market;

/// What repeats in every message of an instrument.
#[derive(Clone, Debug)]
pub(super) struct Face {
    pub(super) market: Market,
    /// `BTCUSDT`.
    pub(super) name: String,
    /// `btcusdt`.
    pub(super) lower: String,
    px: Scale,
    qty: Scale,
    known: Instrument,
}

/// Spot writes eight decimals, whatever the tick.
const SPOT_DECIMALS: u8 = 8;

impl Face {
    pub(super) fn new(instrument: &Instrument, market: Market) -> Self {
        let name = instrument.symbol.name().to_uppercase();
        Self {
            market,
            lower: name.to_lowercase(),
            name,
            px: instrument.px_scale,
            qty: instrument.qty_scale,
            known: instrument.clone(),
        }
    }

    pub(super) fn px(&self, px: Px, out: &mut Vec<u8>) {
        self.number(px.mantissa(), self.px, out);
    }

    pub(super) fn qty(&self, qty: Qty, out: &mut Vec<u8>) {
        self.number(qty.mantissa(), self.qty, out);
    }

    /// A decimal in quotes.
    fn number(&self, mantissa: i64, scale: Scale, out: &mut Vec<u8>) {
        out.push(b'"');
        decimal::write(mantissa, scale, out);
        if self.market == Market::Spot && scale.digits() < SPOT_DECIMALS {
            if scale.digits() == 0 {
                out.push(b'.');
            }
            out.extend((scale.digits()..SPOT_DECIMALS).map(|_| b'0'));
        }
        out.push(b'"');
    }

    fn text(&self, mantissa: i64, scale: Scale) -> String {
        let mut out = Vec::new();
        self.number(mantissa, scale, &mut out);
        String::from_utf8_lossy(&out[1..out.len() - 1]).into_owned()
    }

    /// One entry of `symbols`.
    pub(super) fn listing(&self) -> Value {
        let step = |stated: Option<rust_decimal::Decimal>, scale: Scale| {
            let stated = stated.and_then(|step| {
                decimal::parse(step.to_string().as_bytes(), scale).ok().filter(|step| *step > 0)
            });
            self.text(stated.unwrap_or(1), scale)
        };
        let tick = step(self.known.terms.tick, self.px);
        let lot = step(self.known.terms.lot, self.qty);
        let price = json!({"filterType": "PRICE_FILTER", "minPrice": tick, "maxPrice": self.most(self.px), "tickSize": tick});
        let size = |kind: &str| json!({"filterType": kind, "minQty": lot, "maxQty": self.most(self.qty), "stepSize": lot});
        let (base, quote) = self.currencies();
        match self.market {
            Market::Spot => json!({
                "symbol": self.name, "status": "TRADING", "baseAsset": base, "baseAssetPrecision": 8,
                "quoteAsset": quote, "quotePrecision": 8, "quoteAssetPrecision": 8,
                "orderTypes": ["LIMIT", "LIMIT_MAKER", "MARKET", "STOP_LOSS", "STOP_LOSS_LIMIT", "TAKE_PROFIT", "TAKE_PROFIT_LIMIT"],
                "icebergAllowed": true, "ocoAllowed": true, "otoAllowed": true,
                "quoteOrderQtyMarketAllowed": true, "allowTrailingStop": true,
                "cancelReplaceAllowed": true, "amendAllowed": true, "isSpotTradingAllowed": true,
                "isMarginTradingAllowed": false,
                "filters": [price, size("LOT_SIZE"), size("MARKET_LOT_SIZE"),
                    {"filterType": "NOTIONAL", "minNotional": "5.00000000", "applyMinToMarket": true,
                     "maxNotional": "9000000.00000000", "applyMaxToMarket": false, "avgPriceMins": 5}],
                "permissions": [], "permissionSets": [["SPOT"]],
                "defaultSelfTradePreventionMode": "EXPIRE_MAKER",
                "allowedSelfTradePreventionModes": ["EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH"],
            }),
            Market::UsdM | Market::CoinM => json!({
                "symbol": self.name, "pair": self.name, "contractType": "PERPETUAL",
                "deliveryDate": 4_133_404_800_000_u64, "onboardDate": 1_569_398_400_000_u64,
                "status": "TRADING", "baseAsset": base, "quoteAsset": quote, "marginAsset": quote,
                "pricePrecision": self.px.digits(), "quantityPrecision": self.qty.digits(),
                "baseAssetPrecision": 8, "quotePrecision": 8, "underlyingType": "COIN",
                "triggerProtect": "0.0500", "liquidationFee": "0.012500", "marketTakeBound": "0.05",
                "filters": [price, size("LOT_SIZE"), size("MARKET_LOT_SIZE"),
                    {"filterType": "MAX_NUM_ORDERS", "limit": 200},
                    {"filterType": "MAX_NUM_ALGO_ORDERS", "limit": 10},
                    {"filterType": "MIN_NOTIONAL", "notional": "5"},
                    {"filterType": "PERCENT_PRICE", "multiplierUp": "1.0500", "multiplierDown": "0.9500", "multiplierDecimal": "4"}],
                "orderTypes": ["LIMIT", "MARKET", "STOP", "STOP_MARKET", "TAKE_PROFIT", "TAKE_PROFIT_MARKET", "TRAILING_STOP_MARKET"],
                "timeInForce": ["GTC", "IOC", "FOK", "GTX", "GTD"],
            }),
        }
    }

    /// A bound that no price or size comes near.
    fn most(&self, scale: Scale) -> String {
        self.text(decimal::MAX_MANTISSA / scale.unit() / 1_000 * scale.unit(), scale)
    }

    fn currencies(&self) -> (String, String) {
        let terms = &self.known.terms;
        if let (Some(base), Some(quote)) = (&terms.base, &terms.quote) {
            return (base.to_string(), quote.to_string());
        }
        let quotes = ["USDT", "USDC", "FDUSD", "BUSD", "TUSD", "USD", "EUR", "BTC", "ETH", "BNB"];
        let split = quotes.iter().find_map(|quote| Some((self.name.strip_suffix(quote)?, *quote)));
        match split {
            Some((base, quote)) if !base.is_empty() => (base.to_owned(), quote.to_owned()),
            _ => (self.name.clone(), "USDT".to_owned()),
        }
    }
}
