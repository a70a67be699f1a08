//! From the value of a feature to a vote.

/// A feature as an analysis knows it.
#[derive(Clone, Debug, PartialEq)]
pub struct Feature {
    pub name: String,
    /// From zero to one: its weight.
    pub alpha: f64,
    /// With what follows; its sign says which way the feature points.
    pub correlation: f64,
    /// Whether it follows moves: such votes turn round where the market reverts.
    pub is_momentum: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    Long,
    Short,
    Neutral,
}

impl Direction {
    #[must_use]
    pub fn turned(self) -> Self {
        match self {
            Self::Long => Self::Short,
            Self::Short => Self::Long,
            Self::Neutral => Self::Neutral,
        }
    }
}

/// One vote.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Signal {
    pub direction: Direction,
    /// From zero to the weight.
    pub strength: f64,
    pub alpha: f64,
    pub is_momentum: bool,
}

/// Why there are no votes to take.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error("no feature has an alpha score of at least {least}; the best has {best}")]
pub struct SignalError {
    pub least: f64,
    pub best: f64,
}

/// The best features of an analysis, by their place in the list; of equals the earlier.
pub fn select(features: &[Feature], least: f64, top: usize) -> Result<Vec<usize>, SignalError> {
    let mut chosen: Vec<usize> =
        (0..features.len()).filter(|at| features[*at].alpha >= least).collect();
    chosen.sort_by(|a, b| features[*b].alpha.total_cmp(&features[*a].alpha).then(a.cmp(b)));
    chosen.truncate(top);
    if chosen.is_empty() {
        let best = features.iter().map(|feature| feature.alpha).fold(0.0, f64::max);
        return Err(SignalError { least, best });
    }
    Ok(chosen)
}

impl Feature {
    /// How far from zero a value has to be.
    pub fn threshold(&self) -> f64 {
        let correlation = self.correlation.abs();
        if correlation < 0.01 { 0.01 } else { (0.001 / correlation).clamp(0.0001, 0.01) }
    }

    /// The vote of a value; `None` where there is no value.
    pub fn signal(&self, value: f64, threshold_scale: f64) -> Option<Signal> {
        let threshold = self.threshold() * threshold_scale;
        let (alpha, is_momentum) = (self.alpha, self.is_momentum);
        if value.is_nan() {
            return None;
        }
        if value.abs() <= threshold {
            let direction = Direction::Neutral;
            return Some(Signal { direction, strength: 0.0, alpha, is_momentum });
        }
        let agrees = (value > 0.0) == (self.correlation >= 0.0);
        let direction = if agrees { Direction::Long } else { Direction::Short };
        let strength = (value.abs() / (10.0 * threshold)).min(1.0) * alpha;
        Some(Signal { direction, strength, alpha, is_momentum })
    }
}
