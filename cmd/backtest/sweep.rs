//! `--sweep`: which values the parameters of a sweep take.

use qt_trade::metrics::SplitMix64;

/// One parameter with its values.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Axis {
    name: String,
    values: Vec<f64>,
}

/// A part of the points: those whose number leaves this rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Shard {
    part: usize,
    of: usize,
}

/// More points than anybody waits for.
const MOST: usize = 1_000_000;

impl Axis {
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn values(&self) -> &[f64] {
        &self.values
    }

    /// `fast=5..50:5`, ends included, or a list `fast=5,10,50`.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let expected = || {
            format!(
                "expected NAME=FROM..TO:STEP or NAME=A,B,C with numbers, such as fast=5..50:5; \
                 found `{text}`"
            )
        };
        let (name, values) = text.split_once('=').ok_or_else(expected)?;
        let number = |text: &str| {
            text.trim().parse().ok().filter(|value: &f64| value.is_finite()).ok_or_else(expected)
        };
        let values = match values.split_once("..") {
            Some((from, rest)) => {
                let (to, step) = rest.split_once(':').unwrap_or((rest, "1"));
                range(number(from)?, number(to)?, number(step)?).ok_or_else(expected)?
            }
            None => values.split(',').map(number).collect::<Result<_, _>>()?,
        };
        Ok(Self { name: name.trim().to_owned(), values })
    }
}

/// Each value is counted from the first, so that steps do not add up their rounding.
fn range(from: f64, to: f64, step: f64) -> Option<Vec<f64>> {
    let count = (to - from) / step;
    if !(count >= 0.0 && count < MOST as f64) {
        return None;
    }
    // A last step that falls short by rounding alone counts.
    let last = (count + 1e-9).floor() as usize;
    Some((0..=last).map(|at| tidy(from + at as f64 * step)).collect())
}

/// Takes off the digits that binary fractions add: 0.30000000000000004 was meant to be 0.3.
fn tidy(value: f64) -> f64 {
    format!("{value:.12}").parse().unwrap_or(value)
}

impl Shard {
    /// `1/4` is the first of four.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let numbers = text.split_once('/').and_then(|(part, of)| {
            Some((part.trim().parse::<usize>().ok()?, of.trim().parse::<usize>().ok()?))
        });
        match numbers {
            Some((part, of)) if (1..=of).contains(&part) => Ok(Self { part: part - 1, of }),
            _ => Err(format!("expected PART/OF from 1 on, such as 1/4; found `{text}`")),
        }
    }

    pub(super) fn has(self, number: usize) -> bool {
        number % self.of == self.part
    }

    pub(super) fn parts(self) -> usize {
        self.of
    }

    /// All parts of so many points that have any.
    pub(super) fn all(self, points: usize) -> impl Iterator<Item = Self> {
        (0..self.of.min(points)).map(move |part| Self { part, ..self })
    }
}

impl std::fmt::Display for Shard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.part + 1, self.of)
    }
}

/// How many points there are.
pub(super) fn count(axes: &[Axis], random: Option<usize>) -> Option<usize> {
    let product = || axes.iter().try_fold(1_usize, |all, axis| all.checked_mul(axis.values.len()));
    match random {
        Some(count) => Some(count),
        None => product().filter(|count| *count <= MOST),
    }
}

/// All combinations, the last axis fastest; or so many at random, each drawn by its own number.
pub(super) fn points(
    axes: &[Axis],
    random: Option<usize>,
    seed: u64,
) -> impl Iterator<Item = Vec<(String, f64)>> + '_ {
    let count = count(axes, random).unwrap_or(0);
    (0..count).map(move |number| {
        let mut rest = number;
        // Each point has its own stream, so that a shard draws what the whole would.
        let mut words =
            SplitMix64::new(seed ^ (number as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let mut point: Vec<_> = axes
            .iter()
            .rev()
            .map(|axis| {
                let length = axis.values.len();
                let at = match random {
                    Some(_) => (words.next_u64() % length as u64) as usize,
                    None => rest % length,
                };
                rest /= length;
                (axis.name.clone(), axis.values[at])
            })
            .collect();
        point.reverse();
        point
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_are_ranges_or_lists() {
        let values = |text: &str| Axis::parse(text).map(|axis| axis.values);
        assert_eq!(values("a=1..3"), Ok(vec![1.0, 2.0, 3.0]));
        assert_eq!(values("a=0.1..0.3:0.1"), Ok(vec![0.1, 0.2, 0.3]));
        assert_eq!(values("a=5..12:5"), Ok(vec![5.0, 10.0]));
        assert_eq!(values("a = 3,1"), Ok(vec![3.0, 1.0]));
        for text in
            ["", "a", "a=", "a=1..x", "a=3..1", "a=1..2:0", "a=1..2:-1", "a=0..1:1e-9", "a=NaN"]
        {
            assert!(values(text).is_err(), "{text}");
        }
    }

    #[test]
    fn points_are_all_combinations_and_shards_part_them() {
        let axes = [Axis::parse("a=1..2").unwrap(), Axis::parse("b=5,6,7").unwrap()];
        let all: Vec<_> = points(&axes, None, 0).collect();
        assert_eq!(all.len(), 6);
        let point = |a: f64, b: f64| vec![("a".to_owned(), a), ("b".to_owned(), b)];
        assert_eq!(
            (&all[0], &all[1], &all[3]),
            (&point(1.0, 5.0), &point(1.0, 6.0), &point(2.0, 5.0))
        );
        let shards: Vec<_> = (1..=3).map(|it| Shard::parse(&format!("{it}/3")).unwrap()).collect();
        for number in 0..20 {
            assert_eq!(shards.iter().filter(|shard| shard.has(number)).count(), 1);
        }
        assert!(Shard::parse("0/3").is_err() && Shard::parse("4/3").is_err());
        let drawn: Vec<_> = points(&axes, Some(9), 7).collect();
        assert_eq!(drawn, points(&axes, Some(9), 7).collect::<Vec<_>>());
        assert_eq!(drawn[..4], points(&axes, Some(4), 7).collect::<Vec<_>>()[..]);
    }
}
