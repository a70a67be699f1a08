//! What a finished run says: all parts, and the metrics made of them.

use qt_model::decimal::kept;
use qt_model::record::{FillQuality, Head, Metric, RoundTrip};
use qt_model::time::Ts;

use super::attribution::Attribution;
use super::bootstrap::Bootstrap;
use super::drawdown::{Drawdowns, Episode};
use super::execution::Fills;
use super::exposure::Exposed;
use super::inference::{Measured, Trials};
use super::latency::Latencies;
use super::options::Options;
use super::orders::Orders;
use super::registry::{Of, definitions};
use super::returns::{Against, Returns, Terms};
use super::sampler::Sampled;
use super::statistics::Flows;
use super::tail::Sorted;
use super::trade_summary::TradeSummary;
use super::value::{Absent, Figure, Value};
use crate::ledger::Money;

/// Everything that was measured.
#[derive(Clone, Debug)]
pub struct Figures {
    pub(super) options: Options,
    pub(super) terms: Terms,
    pub(super) sampled: Sampled,
    pub(super) drawdown_event: Drawdowns,
    pub(super) exposed: Exposed,
    pub(super) first_equity: Money,
    pub(super) last_equity: Money,
    pub(super) orders: Orders,
    pub(super) fills: Fills,
    pub(super) trades: TradeSummary,
    pub(super) flows: Flows,
    pub(super) latencies: Latencies,
    pub(super) attribution: Attribution,
    pub(super) fill_qualities: Vec<FillQuality>,
    pub(super) round_trips: Vec<RoundTrip>,
}

/// The parts that take work to make, made once for all metrics.
#[derive(Debug)]
pub(super) struct Made<'a> {
    pub(super) figures: &'a Figures,
    /// Absent where equity came to zero.
    pub(super) returns: Result<Returns<'a>, Absent>,
    pub(super) sorted: Sorted,
    pub(super) against: Against,
    pub(super) measured: Result<Measured, Absent>,
    pub(super) bootstrap: Result<Bootstrap, Absent>,
}

impl Made<'_> {
    /// A figure of the returns, if there are any that mean something.
    pub(super) fn of(&self, figure: impl Fn(&Returns<'_>) -> Figure) -> Value {
        self.returns.as_ref().map_err(|reason| *reason).and_then(figure).into()
    }
}

impl Figures {
    fn made(&self) -> Made<'_> {
        let returns = self.series();
        let known = || returns.as_ref().map_err(|reason| *reason);
        let against = match (known(), &self.sampled.benchmark) {
            (Err(reason), _) => Against::absent(reason),
            (Ok(_), None) => Against::absent(Absent::NoBenchmark),
            (Ok(returns), Some(benchmark)) => Against::new(returns, benchmark),
        };
        let plan = self.options.bootstrap.ok_or(Absent::NotAsked);
        let bootstrap = known().and_then(|returns| Bootstrap::run(&plan?, returns));
        let measured = known().and_then(Measured::of);
        let sorted = Sorted::new(known().map_or(&[][..], Returns::series).iter().copied());
        Made { figures: self, against, measured, bootstrap, sorted, returns }
    }

    /// Every metric with its name, in the order of the registry.
    pub fn values(&self) -> Vec<(String, Value)> {
        let made = self.made();
        let mut values = Vec::new();
        for definition in definitions() {
            match definition.of {
                Of::One(of) => values.push((definition.name.to_owned(), of(&made))),
                Of::Each(of) => {
                    for (at, horizon) in self.options.horizons.iter().enumerate() {
                        let name = definition.name.replace("{h}", &horizon.to_string());
                        values.push((name, of(&made, at)));
                    }
                }
            }
        }
        values
    }

    /// Every metric as a record, stamped with the end of the run.
    pub fn metrics(&self, end: Ts) -> Vec<Metric> {
        let record = |(at, (name, value)): (usize, (String, Value))| Metric {
            head: Head::new(end, end, at as u64 + 1, None),
            name,
            value: value.to_f64(),
            exact: value.exact().map(kept),
            reason: value.reason().map(|reason| reason.word().to_owned()),
        };
        self.values().into_iter().enumerate().map(record).collect()
    }

    /// Says how many trials there were of the strategy's family, this one included.
    pub fn set_trials(&mut self, trials: Trials) {
        self.options.trials = Some(trials);
    }

    /// The returns of the periods.
    pub fn returns(&self) -> &[f64] {
        &self.sampled.returns
    }

    /// The Sharpe ratio of one period and the count behind it: what the ledger of trials keeps.
    pub fn sharpe_period(&self) -> (Figure, usize) {
        (self.series().and_then(|returns| returns.sharpe_period()), self.sampled.returns.len())
    }

    fn series(&self) -> Result<Returns<'_>, Absent> {
        if self.sampled.is_broken {
            return Err(Absent::EquityNonpositive);
        }
        Ok(Returns::new(&self.sampled.returns, self.terms))
    }

    /// The deepest drawdowns of the sampled equity.
    pub fn deepest(&self) -> &[Episode] {
        &self.sampled.drawdown.deepest
    }

    pub fn attribution(&self) -> &Attribution {
        &self.attribution
    }

    /// Fills that were still waiting for their horizons at the end, and those nobody drained.
    pub fn fill_qualities(&self) -> &[FillQuality] {
        &self.fill_qualities
    }

    /// Closed trades that nobody drained.
    pub fn round_trips(&self) -> &[RoundTrip] {
        &self.round_trips
    }

    /// What the account gained, less what came from outside; of the amounts as they are kept.
    pub(super) fn pnl_total(&self) -> Money {
        self.last_equity.kept() - self.first_equity.kept() - self.flows.external.kept()
    }

    /// The same as the sum of its parts, as they are kept: who adds up what a run says comes to the
    /// last digit of it.
    pub(super) fn pnl_attributed(&self) -> Money {
        let Attribution { spread, adverse, inventory, .. } = self.attribution;
        let cash = self.flows.funding + self.flows.borrow + self.flows.dividends;
        let by_prices = [spread, adverse, inventory].map(Money::kept).into_iter().sum::<Money>();
        by_prices - self.fills.net_fees().kept() + cash.kept()
    }

    /// The longest span of the grid, in nanoseconds.
    pub(super) fn sampled_ns(&self) -> i64 {
        self.sampled.last.since(self.sampled.first)
    }

    /// A drawdown figure, unless equity broke.
    pub(super) fn drawdown(&self, of: impl Fn(&Drawdowns) -> Figure) -> Value {
        if self.sampled.returns.is_empty() {
            return Value::Absent(Absent::None);
        }
        of(&self.sampled.drawdown).into()
    }
}
