//! `--cv`: the points of a sweep, cross-validated over the periods of their returns.
//!
//! All points run over all data in one pass, and no thread or shard shows in the result: splits are cut
//! from the returns afterwards. The probability of overfitting stands beside them, over as many blocks
//! as the periods allow.

use std::fmt::Write as _;

use qt_trade::metrics::{Figure, Folds, Split, Validated, overfit};
use serde_json::{Value, json};

use super::lanes::Ran;

/// `6` for six folds, `6/2` for all choices of two of six groups.
pub(super) fn groups(text: &str) -> Result<(usize, usize), String> {
    let (groups, test) = text.split_once('/').unwrap_or((text, "1"));
    let numbers = groups.trim().parse().ok().zip(test.trim().parse().ok());
    numbers
        .filter(|(groups, test)| (2..=16).contains(groups) && (1..*groups).contains(test))
        .ok_or_else(|| {
            format!(
                "expected GROUPS or GROUPS/TEST, 2 to 16 groups with fewer tested, such as 5 or \
                 6/2; found `{text}`"
            )
        })
}

/// `0.01`, or `1%`.
pub(super) fn embargo(text: &str) -> Result<f64, String> {
    let (digits, unit) = text.strip_suffix('%').map_or((text, 1.0), |digits| (digits, 0.01));
    let share = digits.trim().parse().ok().map(|number: f64| number * unit);
    let expected =
        || format!("expected a share of all periods, such as 0.01 or 1%; found `{text}`");
    share.filter(|share| (0.0..1.0).contains(share)).ok_or_else(expected)
}

/// What came of it, or why nothing did.
#[derive(Clone, Debug)]
pub(super) struct CrossValidation {
    folds: Folds,
    periods: usize,
    found: Result<Validated, String>,
    overfit: Result<(f64, usize), String>,
}

impl CrossValidation {
    pub(super) fn new(folds: Folds, results: &[Ran]) -> Self {
        let returns: Vec<&[f64]> = results
            .iter()
            .map(|result| result.figures.as_ref().map_or(&[][..], |figures| figures.returns()))
            .collect();
        let periods = returns.iter().map(|returns| returns.len()).min().unwrap_or(0);
        let returns: Vec<&[f64]> = returns.iter().map(|returns| &returns[..periods]).collect();
        let found = folds.validate(&returns).map_err(|error| error.to_string());
        Self { folds, periods, found, overfit: probability(&returns, periods) }
    }

    pub(super) fn text(&self) -> String {
        let Folds { groups, test, purge, embargo } = self.folds;
        let mut text = format!(
            "cross-validated: {test} of {groups} groups tested, {} periods, purge {purge}, embargo \
             {:.4}\n",
            self.periods, embargo
        );
        match &self.found {
            Err(reason) => {
                let _ = writeln!(text, "  n/a: {reason}; a shorter --sample gives more periods");
            }
            Ok(found) => lines(found, &mut text),
        }
        let _ = match &self.overfit {
            Ok((share, blocks)) => {
                writeln!(text, "  probability of overfitting {share:.4}, of {blocks} blocks")
            }
            Err(reason) => writeln!(text, "  probability of overfitting n/a: {reason}"),
        };
        text
    }

    pub(super) fn json(&self) -> Value {
        let found = self.found.as_ref().map(|found| {
            let splits: Vec<Value> = found.splits.iter().map(split_json).collect();
            let paths: Vec<Option<f64>> = found.sharpes().iter().map(|it| it.ok()).collect();
            json!({ "splits": splits, "path_sharpes": paths })
        });
        let overfit = self.overfit.as_ref();
        let overfit =
            overfit.map(|(share, blocks)| json!({ "probability": share, "blocks": blocks }));
        let mut cross = json!({
            "groups": self.folds.groups,
            "test": self.folds.test,
            "purge": self.folds.purge,
            "embargo": self.folds.embargo,
            "periods": self.periods,
        });
        say(&mut cross, "found", found);
        say(&mut cross, "overfit", overfit);
        json!({ "cross_validation": cross })
    }
}

fn split_json(split: &Split) -> Value {
    let mut text = json!({
        "groups": split.groups.iter().map(|group| group + 1).collect::<Vec<_>>(),
        "trained": split.trained,
        "point": split.best + 1,
        "train_sharpe": split.train_sharpe,
    });
    say(&mut text, "test_sharpe", split.test_sharpe.map(Value::from));
    text
}

/// Adds what has a value, or null and why.
fn say(object: &mut Value, name: &str, value: Result<Value, impl ToString>) {
    if let Err(reason) = &value {
        object[format!("{name}_reason")] = reason.to_string().into();
    }
    object[name] = value.unwrap_or_default();
}

fn lines(found: &Validated, text: &mut String) {
    let shown = |figure: &Figure| match figure {
        Ok(value) => format!("{value:>9.4}"),
        Err(absent) => format!("n/a ({absent})"),
    };
    for split in &found.splits {
        let groups: Vec<String> = split.groups.iter().map(|it| (it + 1).to_string()).collect();
        let _ = writeln!(
            text,
            "  groups {:<8} point {:>5}, sharpe {:>9.4} in training on {} periods, {} in test",
            groups.join("+"),
            split.best + 1,
            split.train_sharpe,
            split.trained,
            shown(&split.test_sharpe)
        );
    }
    let mut known: Vec<f64> = found.sharpes().into_iter().flatten().collect();
    known.sort_by(f64::total_cmp);
    if let (Some(low), Some(high)) = (known.first(), known.last()) {
        let middle = known[known.len() / 2];
        let _ = writeln!(
            text,
            "  sharpe of {} paths: {low:.4} to {high:.4}, middle {middle:.4}, by period",
            known.len()
        );
    }
}

/// Over the most blocks, up to sixteen, of two periods or more; the first periods are left out where
/// they do not divide.
fn probability(returns: &[&[f64]], periods: usize) -> Result<(f64, usize), String> {
    let blocks = (periods / 2).min(16) / 2 * 2;
    if blocks < 2 {
        return Err(format!("{periods} periods are too few"));
    }
    let from = periods % blocks;
    let trials: Vec<Vec<f64>> = returns.iter().map(|trial| trial[from..].to_vec()).collect();
    let found = overfit(&trials, blocks).map_err(|error| error.to_string())?;
    Ok((found.probability, blocks))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_and_shares_are_read() {
        assert_eq!((groups("5"), groups("6/2")), (Ok((5, 1)), Ok((6, 2))));
        for text in ["", "1", "17", "3/3", "3/0", "a", "4/b"] {
            assert!(groups(text).is_err(), "{text}");
        }
        assert_eq!((embargo("0.01"), embargo("1%"), embargo("0")), (Ok(0.01), Ok(0.01), Ok(0.0)));
        for text in ["", "x", "1", "-0.1", "200%"] {
            assert!(embargo(text).is_err(), "{text}");
        }
    }
}
