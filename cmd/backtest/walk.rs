//! `--walk-forward`: the best point of a stretch, judged on the stretch behind it.
//!
//! All points run over all data in one pass; windows are cut from their returns. A position that is open
//! where windows meet belongs to both, as it would for somebody who goes on with the same point.

use std::fmt::Write as _;

use serde_json::json;

use super::lanes::Ran;

/// Lengths in periods of the sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Windows {
    train: usize,
    test: usize,
}

/// One window.
#[derive(Clone, Debug, PartialEq)]
struct Fold {
    /// The first period of training.
    from: usize,
    /// The point with the best Sharpe ratio in training; the first of equals.
    best: usize,
    train_sharpe: f64,
    test_return: f64,
    test_sharpe: Option<f64>,
}

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct Walk {
    windows: Windows,
    folds: Vec<Fold>,
    periods: usize,
}

impl Windows {
    /// `20/5`: train on twenty periods, test on the next five.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let numbers = text.split_once('/').and_then(|(train, test)| {
            Some((train.trim().parse::<usize>().ok()?, test.trim().parse::<usize>().ok()?))
        });
        match numbers {
            Some((train, test)) if train >= 2 && test >= 1 => Ok(Self { train, test }),
            _ => Err(format!(
                "expected TRAIN/TEST in periods of --sample, at least 2/1, such as 20/5; \
                 found `{text}`"
            )),
        }
    }
}

impl Walk {
    pub(super) fn new(windows: Windows, results: &[Ran]) -> Self {
        let returns: Vec<&[f64]> = results
            .iter()
            .map(|result| result.figures.as_ref().map_or(&[][..], |figures| figures.returns()))
            .collect();
        let periods = returns.iter().map(|returns| returns.len()).min().unwrap_or(0);
        let starts = (0..).map(|at| at * windows.test);
        let starts = starts.take_while(|from| from + windows.train + windows.test <= periods);
        let fold = |from| fold(windows, &returns, from);
        Self { windows, folds: starts.filter_map(fold).collect(), periods }
    }

    pub(super) fn text(&self) -> String {
        let Windows { train, test } = self.windows;
        let mut text = String::new();
        if self.folds.is_empty() {
            let periods = self.periods;
            let _ = writeln!(
                text,
                "no window: {periods} periods, and a window needs {train} + {test}; \
                 a shorter --sample gives more"
            );
            return text;
        }
        let _ = writeln!(text, "walked forward: train {train}, test {test} periods");
        for fold in &self.folds {
            let Fold { from, best, train_sharpe, test_return, .. } = fold;
            let _ = writeln!(
                text,
                "  periods {:>5} to {:>5}: point {:>5}, sharpe {train_sharpe:>9.4} in training, \
                 return {test_return:>10.6} after",
                from + 1,
                from + train + test,
                best + 1
            );
        }
        let _ = writeln!(text, "  together {:.6}", self.total());
        text
    }

    /// What the chosen points returned, compounded.
    fn total(&self) -> f64 {
        self.folds.iter().fold(1.0, |all, fold| all * (1.0 + fold.test_return)) - 1.0
    }

    pub(super) fn json(&self) -> serde_json::Value {
        let fold = |fold: &Fold| {
            json!({
                "from": fold.from + 1,
                "point": fold.best + 1,
                "train_sharpe": fold.train_sharpe,
                "test_return": fold.test_return,
                "test_sharpe": fold.test_sharpe,
            })
        };
        let folds: Vec<_> = self.folds.iter().map(fold).collect();
        json!({ "walk_forward": {
            "train": self.windows.train,
            "test": self.windows.test,
            "folds": folds,
            "total_return": self.total(),
        } })
    }
}

fn fold(windows: Windows, returns: &[&[f64]], from: usize) -> Option<Fold> {
    let split = from + windows.train;
    let trained = returns
        .iter()
        .enumerate()
        .filter_map(|(at, returns)| sharpe(&returns[from..split]).map(|sharpe| (at, sharpe)));
    let best = trained.fold(None, |best: Option<(usize, f64)>, (at, sharpe)| match best {
        Some((_, known)) if known >= sharpe => best,
        _ => Some((at, sharpe)),
    });
    let (best, train_sharpe) = best?;
    let test = &returns[best][split..split + windows.test];
    let test_return = test.iter().fold(1.0, |all, value| all * (1.0 + value)) - 1.0;
    Some(Fold { from, best, train_sharpe, test_return, test_sharpe: sharpe(test) })
}

/// Of one period; `None` without variance.
fn sharpe(returns: &[f64]) -> Option<f64> {
    let count = returns.len() as f64;
    let mean = returns.iter().sum::<f64>() / count;
    let squares: f64 = returns.iter().map(|value| (value - mean) * (value - mean)).sum();
    let deviation = (squares / (count - 1.0)).sqrt();
    (returns.len() > 1 && deviation > 1e-15 * mean.abs()).then(|| mean / deviation)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_of_a_stretch_is_judged_behind_it() {
        let steady = [0.01, 0.02, 0.01, -0.05, 0.01, 0.02];
        let late = [0.0, 0.0, 0.01, 0.03, 0.02, 0.03];
        let windows = Windows { train: 3, test: 1 };
        let fold = |from| fold(windows, &[&steady, &late], from).unwrap();
        assert_eq!((fold(0).best, fold(0).test_return), (0, 1.0 - 0.05 - 1.0));
        assert_eq!(fold(2).best, 1);
        assert_eq!(sharpe(&[0.5]), None);
        assert_eq!(sharpe(&[0.5, 0.5]), None);
    }

    #[test]
    fn windows_are_two_numbers() {
        assert_eq!(Windows::parse("20/5"), Ok(Windows { train: 20, test: 5 }));
        for text in ["", "20", "1/1", "5/0", "a/b"] {
            assert!(Windows::parse(text).is_err(), "{text}");
        }
    }
}
