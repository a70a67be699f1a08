//! The probability of backtest overfitting, by combinatorially symmetric cross-validation.
//!
//! Trials are columns of period returns. Each half of the blocks takes a turn at choosing the best
//! trial; overfitting is when the choice does no better than the median on the other half.

use libm::log;

use super::crossval::choices;
use super::returns::{Returns, Terms};

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OverfitError {
    #[error("expected an even number of blocks from 2 to 16, found {0}")]
    Blocks(usize),
    #[error("expected at least two trials of equal length, found {trials} of {lengths}")]
    Shape { trials: usize, lengths: &'static str },
    #[error("{periods} periods do not divide into {blocks} blocks of two or more")]
    Periods { periods: usize, blocks: usize },
}

/// What cross-validation found.
#[derive(Clone, Debug, PartialEq)]
pub struct Overfit {
    /// The share of splits whose choice falls to the worse half.
    pub probability: f64,
    /// One a split, in the order of combinations.
    pub logits: Vec<f64>,
}

/// `trials[m][t]` is the return of trial `m` in period `t`. Periods beyond equal blocks are refused.
pub fn overfit(trials: &[Vec<f64>], blocks: usize) -> Result<Overfit, OverfitError> {
    if !(2..=16).contains(&blocks) || !blocks.is_multiple_of(2) {
        return Err(OverfitError::Blocks(blocks));
    }
    let periods = trials.first().map_or(0, Vec::len);
    if trials.len() < 2 || trials.iter().any(|trial| trial.len() != periods) {
        let lengths = if trials.len() < 2 { "any length" } else { "different lengths" };
        return Err(OverfitError::Shape { trials: trials.len(), lengths });
    }
    if !periods.is_multiple_of(blocks) || periods / blocks < 2 {
        return Err(OverfitError::Periods { periods, blocks });
    }
    let logits: Vec<f64> =
        choices(blocks, blocks / 2).map(|chosen| logit(trials, &chosen, blocks)).collect();
    let low = logits.iter().filter(|logit| **logit <= 0.0).count();
    Ok(Overfit { probability: low as f64 / logits.len() as f64, logits })
}

fn logit(trials: &[Vec<f64>], chosen: &[usize], blocks: usize) -> f64 {
    let ratio = |trial: &Vec<f64>, inside: bool| {
        let length = trial.len() / blocks;
        let taken = trial.chunks(length).enumerate();
        let taken = taken.filter(|(block, _)| chosen.contains(block) == inside);
        let series: Vec<f64> = taken.flat_map(|(_, chunk)| chunk.iter().copied()).collect();
        // A trial without variance earned nothing for its risk.
        Returns::new(&series, Terms::DAILY).sharpe_period().unwrap_or(0.0)
    };
    let inside = trials.iter().map(|trial| ratio(trial, true));
    let best = inside.enumerate().fold((0, f64::NEG_INFINITY), |best, (at, ratio)| {
        if ratio > best.1 { (at, ratio) } else { best }
    });
    let outside: Vec<f64> = trials.iter().map(|trial| ratio(trial, false)).collect();
    let rank = outside.iter().filter(|ratio| **ratio <= outside[best.0]).count();
    let place = rank as f64 / (trials.len() + 1) as f64;
    log(place / (1.0 - place))
}
