//! What closed trades come to. All of it uses profit after fees and funding.

use libm::sqrt;

use super::quantiles::Quantiles;
use super::trades::Trade;
use super::value::{Absent, Figure, ratio};
use crate::ledger::Money;

/// Counts and sums over closed trades.
#[derive(Clone, Debug, Default)]
pub(super) struct TradeSummary {
    pub wins: u64,
    pub losses: u64,
    pub breakeven: u64,
    pub won: Money,
    /// Zero or negative.
    pub lost: Money,
    pub gross: Money,
    pub fees: Money,
    pub funding: Money,
    pub largest_win: Money,
    pub largest_loss: Money,
    pub wins_in_a_row: u64,
    pub losses_in_a_row: u64,
    streak: i64,
    mean: f64,
    squares: f64,
    pub holding_ns: Quantiles,
    mae: Adverse,
    mfe: Adverse,
}

/// Sums of worst or best profits.
#[derive(Clone, Copy, Debug, Default)]
struct Adverse {
    sum: Money,
    bps_sum: f64,
    count: u64,
    bps_count: u64,
}

impl Adverse {
    /// `notional` in units of money.
    fn add(&mut self, amount: Money, notional: f64) {
        self.sum += amount;
        self.count += 1;
        if notional > 0.0 {
            self.bps_sum += amount.units() as f64 / notional * 1e4;
            self.bps_count += 1;
        }
    }
}

impl TradeSummary {
    pub(super) fn add(&mut self, trade: &Trade) {
        let net = trade.net();
        match net.signum() {
            1 => {
                self.wins += 1;
                self.won += net;
                self.streak = self.streak.max(0) + 1;
                self.wins_in_a_row = self.wins_in_a_row.max(self.streak.unsigned_abs());
            }
            -1 => {
                self.losses += 1;
                self.lost += net;
                self.streak = self.streak.min(0) - 1;
                self.losses_in_a_row = self.losses_in_a_row.max(self.streak.unsigned_abs());
            }
            _ => {
                self.breakeven += 1;
                self.streak = 0;
            }
        }
        self.largest_win = self.largest_win.max(net);
        self.largest_loss = self.largest_loss.min(net);
        self.gross += trade.gross;
        self.fees += trade.fees;
        self.funding += trade.funding;
        let value = net.to_f64();
        let step = value - self.mean;
        self.mean += step / self.count() as f64;
        self.squares += step * (value - self.mean);
        self.holding_ns.add(trade.closed.since(trade.opened).max(0).unsigned_abs());
        if let Some((worst, best)) = trade.excursion {
            let notional = trade.entry_notional.abs().units() as f64;
            self.mae.add(worst, notional);
            self.mfe.add(best, notional);
        }
    }

    pub(super) fn count(&self) -> u64 {
        self.wins + self.losses + self.breakeven
    }

    pub(super) fn net(&self) -> Money {
        self.won + self.lost
    }

    pub(super) fn win_rate(&self) -> Figure {
        ratio(self.wins as f64, (self.wins + self.losses) as f64, Absent::NoneDecided)
    }

    pub(super) fn profit_factor(&self) -> Figure {
        if self.lost.is_zero() { Err(Absent::NoLosses) } else { Ok(-self.won.per(self.lost)) }
    }

    pub(super) fn avg_win(&self) -> Figure {
        ratio(self.won.to_f64(), self.wins as f64, Absent::NoWins)
    }

    pub(super) fn avg_loss(&self) -> Figure {
        ratio(self.lost.to_f64(), self.losses as f64, Absent::NoLosses)
    }

    pub(super) fn payoff_ratio(&self) -> Figure {
        Ok(self.avg_win()? / -self.avg_loss()?)
    }

    pub(super) fn expectancy(&self) -> Figure {
        ratio(self.net().to_f64(), self.count() as f64, Absent::NoTrades)
    }

    pub(super) fn expectancy_r(&self) -> Figure {
        Ok(self.expectancy()? / -self.avg_loss()?)
    }

    pub(super) fn sqn(&self) -> Figure {
        if self.count() < 2 {
            return Err(Absent::LessThanTwo);
        }
        let count = self.count() as f64;
        let deviation = sqrt(self.squares / (count - 1.0));
        if deviation <= 1e-15 * self.mean.abs() {
            return Err(Absent::ZeroVariance);
        }
        Ok(sqrt(count) * (self.net().to_f64() / count) / deviation)
    }

    pub(super) fn kelly(&self) -> Figure {
        let rate = self.win_rate()?;
        Ok(rate - (1.0 - rate) / self.payoff_ratio()?)
    }

    pub(super) fn largest_win(&self) -> Result<Money, Absent> {
        if self.wins == 0 { Err(Absent::NoWins) } else { Ok(self.largest_win) }
    }

    pub(super) fn largest_loss(&self) -> Result<Money, Absent> {
        if self.losses == 0 { Err(Absent::NoLosses) } else { Ok(self.largest_loss) }
    }

    pub(super) fn mae_mean(&self) -> Figure {
        ratio(self.mae.sum.to_f64(), self.mae.count as f64, Absent::NoTrades)
    }

    pub(super) fn mfe_mean(&self) -> Figure {
        ratio(self.mfe.sum.to_f64(), self.mfe.count as f64, Absent::NoTrades)
    }

    pub(super) fn mae_mean_bps(&self) -> Figure {
        ratio(self.mae.bps_sum, self.mae.bps_count as f64, Absent::NoTrades)
    }

    pub(super) fn mfe_mean_bps(&self) -> Figure {
        ratio(self.mfe.bps_sum, self.mfe.bps_count as f64, Absent::NoTrades)
    }
}
