//! Purged cross-validation of many trials: what the choice of the best is worth on data that it was
//! not chosen on.
//!
//! Periods are cut into groups; each choice of test groups is a split. A split trains on all other
//! periods but those so close to a test group that a position could reach over: some before it are
//! purged, and some behind it are under an embargo. With one test group this is k-fold
//! cross-validation; with more it is combinatorial, and the tested groups join into several paths,
//! each of which covers all data once.

use super::returns::{Returns, Terms};
use super::value::Figure;

/// How periods are cut.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Folds {
    pub groups: usize,
    /// How many groups a split tests.
    pub test: usize,
    /// Periods before a test group that do not train.
    pub purge: usize,
    /// The share of all periods that does not train behind a test group.
    pub embargo: f64,
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum FoldsError {
    #[error(
        "expected 2 to 16 groups with fewer of them tested than there are, found {test} of {groups}"
    )]
    Groups { groups: usize, test: usize },
    #[error("{periods} periods do not make {groups} groups of two or more")]
    Periods { periods: usize, groups: usize },
    #[error("expected trials of equal length, and at least one")]
    Shape,
    #[error(
        "a split of {periods} periods in {groups} groups trains on {left} of them: purge and \
             embargo leave too few"
    )]
    Nothing { periods: usize, groups: usize, left: usize },
}

/// One split: the trial that was best in training, and what became of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Split {
    pub groups: Vec<usize>,
    /// How many periods it trained on.
    pub trained: usize,
    /// The place of the best trial; the first of equals.
    pub best: usize,
    pub train_sharpe: f64,
    pub test_sharpe: Figure,
}

/// What cross-validation found.
#[derive(Clone, Debug, PartialEq)]
pub struct Validated {
    pub splits: Vec<Split>,
    /// The returns of each path, all periods in their order.
    pub paths: Vec<Vec<f64>>,
}

impl Folds {
    /// Validates `trials[m][t]`, the return of trial `m` in period `t`.
    pub fn validate(&self, trials: &[&[f64]]) -> Result<Validated, FoldsError> {
        let Self { groups, test, .. } = *self;
        if !(2..=16).contains(&groups) || !(1..groups).contains(&test) {
            return Err(FoldsError::Groups { groups, test });
        }
        let periods = trials.first().ok_or(FoldsError::Shape)?.len();
        if trials.iter().any(|trial| trial.len() != periods) {
            return Err(FoldsError::Shape);
        }
        if periods / groups < 2 {
            return Err(FoldsError::Periods { periods, groups });
        }
        let splits = choices(groups, test).map(|chosen| self.split(trials, periods, chosen));
        let splits = splits.collect::<Result<Vec<_>, _>>()?;
        let paths = self.paths(trials, periods, &splits);
        Ok(Validated { splits, paths })
    }

    /// The periods of a group. The first groups are one longer where periods do not divide.
    fn group(&self, periods: usize, group: usize) -> std::ops::Range<usize> {
        let (length, rest) = (periods / self.groups, periods % self.groups);
        let start = |group: usize| group * length + group.min(rest);
        start(group)..start(group + 1)
    }

    /// Whether a period trains while those groups are tested.
    fn trains(&self, periods: usize, chosen: &[usize], period: usize) -> bool {
        let embargo = (self.embargo * periods as f64).ceil() as usize;
        chosen.iter().all(|group| {
            let tested = self.group(periods, *group);
            period + self.purge < tested.start || period >= tested.end + embargo
        })
    }

    fn split(
        &self,
        trials: &[&[f64]],
        periods: usize,
        groups: Vec<usize>,
    ) -> Result<Split, FoldsError> {
        let train: Vec<usize> =
            (0..periods).filter(|at| self.trains(periods, &groups, *at)).collect();
        if train.len() < 2 {
            let left = train.len();
            return Err(FoldsError::Nothing { periods, groups: self.groups, left });
        }
        let ratio = |trial: &[f64], at: &[usize]| {
            let series: Vec<f64> = at.iter().map(|at| trial[*at]).collect();
            Returns::new(&series, Terms::DAILY).sharpe_period()
        };
        // A trial without variance earned nothing for its risk.
        let ratios = trials.iter().map(|trial| ratio(trial, &train).unwrap_or(0.0)).enumerate();
        let (best, train_sharpe) =
            ratios.fold(
                (0, f64::NEG_INFINITY),
                |best, (at, ratio)| {
                    if ratio > best.1 { (at, ratio) } else { best }
                },
            );
        let tested: Vec<usize> =
            groups.iter().flat_map(|group| self.group(periods, *group)).collect();
        let test_sharpe = ratio(trials[best], &tested);
        Ok(Split { groups, trained: train.len(), best, train_sharpe, test_sharpe })
    }

    /// The n-th path takes each group from the n-th split that tests it.
    fn paths(&self, trials: &[&[f64]], periods: usize, splits: &[Split]) -> Vec<Vec<f64>> {
        let testing = |group: usize| splits.iter().filter(move |it| it.groups.contains(&group));
        (0..testing(0).count())
            .map(|path| {
                let group = |group: usize| {
                    let split = testing(group).nth(path).expect("each group is tested as often");
                    trials[split.best][self.group(periods, group)].iter().copied()
                };
                (0..self.groups).flat_map(group).collect()
            })
            .collect()
    }
}

impl Validated {
    /// The ratio of each path, by period.
    pub fn sharpes(&self) -> Vec<Figure> {
        let ratio = |path: &Vec<f64>| Returns::new(path, Terms::DAILY).sharpe_period();
        self.paths.iter().map(ratio).collect()
    }
}

/// Every choice of so many of the first numbers, in lexicographic order.
pub(super) fn choices(all: usize, take: usize) -> impl Iterator<Item = Vec<usize>> {
    let mut sets: Vec<Vec<usize>> = (0_u32..1 << all)
        .filter(|set| set.count_ones() as usize == take)
        .map(|set| (0..all).filter(|at| set >> at & 1 == 1).collect())
        .collect();
    sets.sort();
    sets.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folds(groups: usize, test: usize, purge: usize, embargo: f64) -> Folds {
        Folds { groups, test, purge, embargo }
    }

    #[test]
    fn groups_cover_all_periods_once() {
        let lengths = |periods| -> Vec<usize> {
            let folds = folds(4, 1, 0, 0.0);
            (0..4).map(|group| folds.group(periods, group).len()).collect()
        };
        assert_eq!((lengths(8), lengths(11)), (vec![2, 2, 2, 2], vec![3, 3, 3, 2]));
        assert_eq!(folds(4, 1, 0, 0.0).group(11, 3), 9..11);
    }

    #[test]
    fn what_could_reach_over_does_not_train() {
        let train = |folds: Folds, chosen: &[usize]| -> Vec<usize> {
            (0..10).filter(|at| folds.trains(10, chosen, *at)).collect()
        };
        assert_eq!(train(folds(5, 1, 0, 0.0), &[2]), [0, 1, 2, 3, 6, 7, 8, 9]);
        assert_eq!(train(folds(5, 1, 1, 0.0), &[2]), [0, 1, 2, 6, 7, 8, 9]);
        // A twentieth of ten periods is one, rounded up.
        assert_eq!(train(folds(5, 1, 1, 0.05), &[2]), [0, 1, 2, 7, 8, 9]);
        assert_eq!(train(folds(5, 2, 1, 0.05), &[0, 3]), [3, 4, 9]);
    }

    #[test]
    fn combinations_and_paths_are_as_many_as_the_formula_says() {
        let trial: Vec<f64> = (0..30).map(|at| f64::from(at % 7) - 2.0).collect();
        let check = |groups: usize, test: usize, splits: usize, paths: usize| {
            let found = folds(groups, test, 0, 0.0).validate(&[&trial]).unwrap();
            assert_eq!((found.splits.len(), found.paths.len()), (splits, paths));
            // One trial alone: each path is its series.
            assert!(found.paths.iter().all(|path| *path == trial));
        };
        check(5, 1, 5, 1);
        check(6, 2, 15, 5);
        check(6, 3, 20, 10);
    }

    /// A trial that shone in one group alone is chosen where that group trains, and fails in it.
    #[test]
    fn the_choice_never_sees_what_it_is_judged_on() {
        let steady: Vec<f64> = (0..12).map(|at| 0.01 + 0.001 * f64::from(at % 2)).collect();
        let mut lucky = vec![0.0; 12];
        (lucky[4], lucky[5]) = (9.0, 9.5);
        let found = folds(6, 1, 0, 0.0).validate(&[&lucky, &steady]).unwrap();
        assert!(found.splits.iter().all(|split| split.best == 1), "{found:?}");
        assert_eq!(found.paths[..], [steady]);
        let alone = folds(6, 1, 0, 0.0).validate(&[&lucky]).unwrap();
        let without = alone.splits[2].train_sharpe;
        assert!(without.abs() < 1e-12, "{without}: without its group it earned nothing");
    }

    #[test]
    fn what_cannot_be_cut_is_an_error() {
        let trial = [0.1; 6];
        let error = |folds: Folds| folds.validate(&[&trial]).unwrap_err();
        assert_eq!(error(folds(1, 1, 0, 0.0)), FoldsError::Groups { groups: 1, test: 1 });
        assert_eq!(error(folds(3, 3, 0, 0.0)), FoldsError::Groups { groups: 3, test: 3 });
        assert_eq!(error(folds(4, 1, 0, 0.0)), FoldsError::Periods { periods: 6, groups: 4 });
        assert!(matches!(error(folds(2, 1, 2, 0.5)), FoldsError::Nothing { left: 0, .. }));
        assert_eq!(folds(2, 1, 0, 0.0).validate(&[]), Err(FoldsError::Shape));
        assert_eq!(folds(2, 1, 0, 0.0).validate(&[&trial, &trial[1..]]), Err(FoldsError::Shape));
    }
}
