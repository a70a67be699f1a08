//! Positions and money, booked fill by fill.
//!
//! Invariants: everything here follows from the fills and cash flows in their order, and from the
//! marks for what is on paper; equity is the money at the start, plus what was realized, plus what
//! is unrealized, less fees, plus flows, to the last unit. Absent on purpose: orders, and whether
//! the money would have sufficed, which is the venue's to say.

mod amount;
mod contract;
mod line;
mod money;
mod position;
mod rates;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use qt_model::ids::InstrumentId;
use qt_model::instrument::Instruments;
use qt_model::order::{Cash, CashFlow, Currency, CurrencyError, Execution};
use qt_model::words::Side;

pub use amount::{Amount, Precision, Wallet};
pub use contract::{Contract, DoublePx};
pub use line::{Line, Words};
pub use money::Money;
pub use position::{Matching, Position};
use rates::Rates;

/// Why instruments cannot be kept in one ledger.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    #[error("{symbol}: {error}")]
    Currency { symbol: String, error: CurrencyError },
    #[error("{symbol}: price, size and multiplier have more decimals together than a ledger keeps")]
    TooFine { symbol: String },
}

/// How a ledger is kept.
#[derive(Clone, Debug)]
pub struct LedgerOptions {
    /// The currency of equity, and of instruments that name none.
    pub currency: Currency,
    pub matching: Matching,
    /// The money at the start.
    pub initial: Vec<Cash>,
}

/// What a fill did to a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Booked {
    /// The position before and after, in units of size.
    pub before: i64,
    pub after: i64,
    /// Profit taken, before the fee, in the currency that the instrument settles in.
    pub realized: Amount,
}

/// Positions by instrument and money by currency. See the module.
#[derive(Clone, Debug)]
pub struct Ledger {
    matching: Matching,
    holdings: Vec<Holding>,
    wallets: Vec<Wallet>,
    rates: Rates,
    /// Whether there are several currencies and pairs between them.
    has_rates: bool,
}

/// One instrument.
#[derive(Clone, Debug)]
struct Holding {
    contract: Contract,
    wallet: usize,
    position: Position,
    mark: Option<DoublePx>,
    unrealized: Amount,
}

impl Ledger {
    pub fn new(options: &LedgerOptions, instruments: &Instruments) -> Result<Self, LedgerError> {
        let mut ledger = Self {
            matching: options.matching,
            holdings: Vec::new(),
            wallets: Vec::new(),
            rates: Rates::default(),
            has_rates: false,
        };
        let precisions = precisions(options, instruments)?;
        ledger.wallet(options.currency, &precisions);
        for instrument in instruments.iter() {
            let settle = Contract::settle(instrument, options.currency)?;
            let wallet = ledger.wallet(settle, &precisions);
            let contract = Contract::new(instrument, settle, ledger.wallets[wallet].precision)?;
            let position = Position::default();
            let unrealized = Amount::ZERO;
            ledger.holdings.push(Holding { contract, wallet, position, mark: None, unrealized });
        }
        for cash in &options.initial {
            let wallet = ledger.wallet(cash.currency, &precisions);
            let amount = ledger.wallets[wallet].precision.amount(cash.amount);
            ledger.wallets[wallet].booked += amount;
        }
        ledger.rates = Rates::new(options.currency, instruments);
        ledger.has_rates = ledger.wallets.len() > 1 && !ledger.rates.is_empty();
        Ok(ledger)
    }

    /// The place of a currency's wallet, which begins empty if it is new.
    fn wallet(&mut self, currency: Currency, precisions: &BTreeMap<Currency, Precision>) -> usize {
        if let Some(at) = self.wallets.iter().position(|wallet| wallet.currency == currency) {
            return at;
        }
        self.has_rates = !self.wallets.is_empty() && !self.rates.is_empty();
        let precision = precisions.get(&currency).copied().unwrap_or(Precision::LEAST);
        let zero = Amount::ZERO;
        let (booked, unrealized, invested) = (zero, zero, zero);
        self.wallets.push(Wallet { currency, precision, booked, unrealized, invested });
        self.wallets.len() - 1
    }

    /// Books a fill with its fee.
    pub fn fill(&mut self, instrument: InstrumentId, side: Side, fill: &Execution) -> Booked {
        self.fill_at(instrument, side, fill, None)
    }

    /// The same while the instrument is marked at that, if at anything: as if it had been marked before.
    #[inline]
    pub fn fill_at(
        &mut self,
        instrument: InstrumentId,
        side: Side,
        fill: &Execution,
        mark: Option<DoublePx>,
    ) -> Booked {
        let holding = &mut self.holdings[instrument.index()];
        if let Some(mark) = mark {
            holding.mark = Some(mark);
            if self.has_rates {
                self.rates.mark(instrument, mark);
            }
        }
        let before = holding.position.qty();
        let qty = match side {
            Side::Buy => fill.qty.mantissa(),
            Side::Sell => -fill.qty.mantissa(),
        };
        let cost = holding.position.cost();
        let px = DoublePx::of(fill.px);
        let realized = holding.position.fill(&holding.contract, self.matching, px, qty);
        let wallet = &mut self.wallets[holding.wallet];
        wallet.booked += realized;
        if holding.contract.is_paid {
            wallet.invested += holding.position.cost() - cost;
        }
        let mark = *holding.mark.get_or_insert(px);
        let unrealized = holding.position.unrealized(&holding.contract, mark);
        wallet.unrealized += unrealized - holding.unrealized;
        holding.unrealized = unrealized;
        let after = holding.position.qty();
        if !fill.fee.amount.is_zero() {
            self.book(Cash { amount: -fill.fee.amount, ..fill.fee });
        }
        Booked { before, after, realized }
    }

    /// Books cash that moved without a fill.
    pub fn flow(&mut self, flow: &CashFlow) {
        self.book(flow.cash);
    }

    #[inline(never)]
    fn book(&mut self, cash: Cash) {
        if !cash.amount.is_zero() {
            let at = self.wallet(cash.currency, &BTreeMap::new());
            let wallet = &mut self.wallets[at];
            wallet.booked += wallet.precision.amount(cash.amount);
        }
    }

    /// Takes a new mark of an instrument; says whether anything is worth more or less for it.
    #[inline]
    pub fn mark(&mut self, instrument: InstrumentId, mark: DoublePx) -> bool {
        let holding = &mut self.holdings[instrument.index()];
        if holding.mark == Some(mark) {
            return false;
        }
        holding.mark = Some(mark);
        let is_rate = self.has_rates && self.rates.mark(instrument, mark);
        if holding.position.is_flat() {
            return is_rate;
        }
        let unrealized = holding.position.unrealized(&holding.contract, mark);
        self.wallets[holding.wallet].unrealized += unrealized - holding.unrealized;
        holding.unrealized = unrealized;
        true
    }

    /// Whether a mark of the instrument changes what anything is worth.
    #[inline]
    pub fn is_marked(&self, instrument: InstrumentId) -> bool {
        self.has_rates || !self.position(instrument).is_flat()
    }

    /// Whether there are several currencies and pairs between them, whose marks are rates.
    pub fn has_rates(&self) -> bool {
        self.has_rates
    }

    /// The instruments that are held.
    fn held(&self) -> impl Iterator<Item = (usize, &Holding)> {
        let holdings = self.holdings.iter().enumerate();
        holdings.filter(|(_, holding)| !holding.position.is_flat())
    }

    /// Whether nothing is held.
    pub fn is_flat(&self) -> bool {
        self.held().next().is_none()
    }

    #[inline]
    pub fn position(&self, instrument: InstrumentId) -> &Position {
        &self.holdings[instrument.index()].position
    }

    pub fn contract(&self, instrument: InstrumentId) -> &Contract {
        &self.holdings[instrument.index()].contract
    }

    pub fn unrealized(&self, instrument: InstrumentId) -> Amount {
        self.holdings[instrument.index()].unrealized
    }

    /// The precision of the currency that an instrument settles in.
    pub fn precision(&self, instrument: InstrumentId) -> Precision {
        self.wallets[self.holdings[instrument.index()].wallet].precision
    }

    pub fn wallets(&self) -> &[Wallet] {
        &self.wallets
    }

    /// The wallet of the currency of equity.
    #[inline]
    pub fn home(&self) -> &Wallet {
        &self.wallets[0]
    }

    /// All money and positions at their marks, in the currency of equity.
    #[inline]
    pub fn equity(&self) -> Amount {
        if self.wallets.len() == 1 {
            return self.wallets[0].equity();
        }
        let home = self.wallets[0].precision;
        self.wallets.iter().map(|wallet| self.rates.convert(wallet, wallet.equity(), home)).sum()
    }

    /// Profit taken and fees, flows and money at the start, in the currency of equity.
    pub fn booked(&self) -> Amount {
        let home = self.wallets[0].precision;
        self.wallets.iter().map(|wallet| self.rates.convert(wallet, wallet.booked, home)).sum()
    }

    /// Cash of any currency in the one of equity, at the last rate.
    pub fn converted(&self, cash: Cash) -> Amount {
        if cash.amount.is_zero() {
            return Amount::ZERO;
        }
        let home = self.home().precision;
        let wallet = self.wallets.iter().find(|wallet| wallet.currency == cash.currency);
        wallet.map_or(Amount::ZERO, |wallet| {
            self.rates.convert(wallet, wallet.precision.amount(cash.amount), home)
        })
    }

    /// Currencies that hold money and have no rate yet to the currency of equity.
    pub fn unpriced(&self) -> impl Iterator<Item = Currency> + '_ {
        let unpriced =
            |wallet: &&Wallet| !wallet.equity().is_zero() && !self.rates.has(wallet.currency);
        self.wallets[1..].iter().filter(unpriced).map(|wallet| wallet.currency)
    }

    /// What positions are worth at their marks, longs and shorts added up and against each other.
    pub fn exposure(&self) -> Exposed {
        let home = self.wallets[0].precision;
        let mut exposed = Exposed::default();
        for holding in self.holdings.iter().filter(|holding| !holding.position.is_flat()) {
            let Some(mark) = holding.mark else { continue };
            let worth = holding.contract.worth(mark, holding.position.qty());
            // The first wallet is that of the currency of equity.
            let worth = match holding.wallet {
                0 => worth,
                wallet => self.rates.convert(&self.wallets[wallet], worth, home),
            };
            exposed.net += worth;
            exposed.gross += worth.abs();
        }
        exposed
    }
}

/// What is at stake, in the currency of equity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Exposed {
    pub gross: Amount,
    pub net: Amount,
}

/// The precision of each currency: that of the finest instrument settled in it.
fn precisions(
    options: &LedgerOptions,
    instruments: &Instruments,
) -> Result<BTreeMap<Currency, Precision>, LedgerError> {
    let mut precisions = BTreeMap::new();
    for instrument in instruments.iter() {
        let settle = Contract::settle(instrument, options.currency)?;
        let precision = Precision::of(Contract::digits(instrument))
            .ok_or_else(|| LedgerError::TooFine { symbol: instrument.symbol.to_string() })?;
        let known = precisions.entry(settle).or_insert(precision);
        *known = precision.max(*known);
    }
    Ok(precisions)
}
