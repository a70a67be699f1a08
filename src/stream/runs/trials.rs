//! The ledger of trials: every run of a strategy's family, so that luck can be told from skill.
//!
//! `trials.ndjson` beside the runs is only ever appended to, a line at a time and synced. Equal
//! configurations on equal data are one trial, however often they ran. A last line that a crash cut
//! is as if it had not been written.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::error::RunError;
use crate::line_log;

const NAME: &str = "trials.ndjson";

/// One line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    pub family: String,
    /// Of configuration and data: see `Manifest::trial_digest`.
    pub digest: String,
    /// The Sharpe ratio of one period; absent where there is none.
    pub sharpe_period: Option<f64>,
    /// How many periods.
    pub periods: u64,
}

/// The ledger below a root of runs.
#[derive(Clone, Debug)]
pub struct Trials {
    path: PathBuf,
}

impl Trials {
    pub fn of(root: &Path) -> Self {
        Self { path: root.join(NAME) }
    }

    /// Appends trials that are safe on disk when this returns.
    pub fn append(&self, trials: &[Trial]) -> Result<(), RunError> {
        let io = |cause| RunError::Io { path: self.path.clone(), cause };
        if let Some(parent) = self.path.parent() {
            fs::create_dir_all(parent).map_err(io)?;
        }
        let mut text = String::new();
        for trial in trials {
            let line = serde_json::to_string(trial).map_err(|error| io(error.into()))?;
            text.push_str(&line);
            text.push('\n');
        }
        line_log::append(&self.path, text.as_bytes()).map_err(io)
    }

    /// The trials of a family, the latest of each configuration and data, by their digests.
    pub fn family(&self, family: &str) -> Result<Vec<Trial>, RunError> {
        let text = match fs::read_to_string(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(RunError::io(&self.path)(error)),
        };
        let lines = text.lines().filter_map(|line| serde_json::from_str::<Trial>(line).ok());
        let of_family = lines.filter(|trial| trial.family == family);
        let latest: BTreeMap<String, Trial> =
            of_family.map(|trial| (trial.digest.clone(), trial)).collect();
        Ok(latest.into_values().collect())
    }
}
