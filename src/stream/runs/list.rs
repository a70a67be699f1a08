//! Finding runs: all of them, or the one that a name stands for.
//!
//! The manifests are the truth. `index.ndjson` beside them remembers what they said, by size and
//! time of change; it can be deleted at any time and is made again.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use qt_model::words::{RunStatus, Word};
use serde::{Deserialize, Serialize};

use super::error::RunError;
use super::manifest::{self, Dataset, Manifest, write_json};
use super::reader::status;

const INDEX: &str = "index.ndjson";

/// What a list says of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Found {
    pub run_id: String,
    pub kind: String,
    pub status: String,
    pub strategy: String,
    pub started: String,
    pub ended: Option<String>,
    pub ended_reason: Option<String>,
    pub grade: Option<String>,
    pub config_sha256: String,
    /// Figures of the main lane, as text.
    pub values: BTreeMap<String, String>,
    /// Below the root.
    pub path: String,
    /// Size and time of change of the manifest that said so.
    stamp: (u64, u64),
}

/// Every run below `root`, oldest first. What cannot be read is left out and named in the second
/// list.
pub fn list(root: &Path) -> Result<(Vec<Found>, Vec<RunError>), RunError> {
    let known = read_index(root);
    let (mut runs, mut troubles) = (Vec::new(), Vec::new());
    for folder in folders(root)? {
        match look(root, &folder, &known) {
            Ok(found) => runs.extend(found),
            Err(error) => troubles.push(error),
        }
    }
    runs.sort_by(|a, b| (&a.started, &a.run_id).cmp(&(&b.started, &b.run_id)));
    let remembered: Vec<&Found> = runs.iter().filter(|run| run.is_over()).collect();
    if remembered.len() != known.len()
        || remembered.iter().any(|run| known.get(&run.path) != Some(run))
    {
        // Only a memory: a list must not fail because it cannot be written.
        let lines = remembered.iter().map(|run| manifest::canonical(run) + "\n");
        let _ = write_json(&root.join(INDEX), &lines.collect::<String>());
    }
    Ok((runs, troubles))
}

/// What the runs below `root` were made from, and the manifests that do not say.
pub fn datasets(root: &Path) -> Result<(Vec<Dataset>, Vec<RunError>), RunError> {
    let (mut datasets, mut troubles) = (Vec::new(), Vec::new());
    for folder in folders(root)? {
        if !folder.join(manifest::NAME).is_file() {
            continue;
        }
        match Manifest::read(&folder) {
            Ok(manifest) => datasets.extend(manifest.input.datasets),
            Err(error) => troubles.push(error),
        }
    }
    Ok((datasets, troubles))
}

/// The folder that a name stands for: a path, a run's name, or a beginning or ending that only one has.
pub fn find(root: &Path, name: &str) -> Result<PathBuf, RunError> {
    if Path::new(name).join(manifest::NAME).is_file() {
        return Ok(PathBuf::from(name));
    }
    let (runs, _) = list(root)?;
    let fits = |run: &&Found| {
        !name.is_empty() && (run.run_id.starts_with(name) || run.run_id.ends_with(name))
    };
    let found: Vec<&Found> = runs.iter().filter(fits).collect();
    let (root, name) = (root.to_owned(), name.to_owned());
    match found.as_slice() {
        [run] => Ok(root.join(&run.path)),
        [] => Err(RunError::NotFound { root, name }),
        several => Err(RunError::Ambiguous { root, name, count: several.len() }),
    }
}

impl Found {
    fn is_over(&self) -> bool {
        self.status != RunStatus::Running.word() && self.status != RunStatus::Crashed.word()
    }
}

fn look(
    root: &Path,
    folder: &Path,
    known: &BTreeMap<String, Found>,
) -> Result<Option<Found>, RunError> {
    let path = folder.join(manifest::NAME);
    let Ok(metadata) = fs::metadata(&path) else { return Ok(None) };
    let changed = metadata.modified().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok());
    let stamp = (metadata.len(), changed.map_or(0, |at| at.as_nanos() as u64));
    let below = folder.strip_prefix(root).unwrap_or(folder).to_string_lossy().into_owned();
    if let Some(found) = known.get(&below).filter(|found| found.stamp == stamp) {
        return Ok(Some(found.clone()));
    }
    let manifest = Manifest::read(folder)?;
    let status = status(folder, manifest.status);
    let main = manifest.output.lanes.first();
    let band = manifest.output.band.iter().find(|row| Some(&row.lane) == main);
    Ok(Some(Found {
        run_id: manifest.run_id,
        kind: manifest.kind.word().to_owned(),
        status: status.word().to_owned(),
        strategy: manifest.input.strategy.id,
        started: manifest.started,
        ended: manifest.ended,
        ended_reason: manifest.ended_reason,
        grade: manifest.input.grade,
        config_sha256: manifest.input.config_sha256,
        values: band.map(|row| row.values.clone()).unwrap_or_default(),
        path: below,
        stamp,
    }))
}

/// `root/<kind>/<date>/<run>`, wherever something lies.
fn folders(root: &Path) -> Result<Vec<PathBuf>, RunError> {
    let mut level = vec![root.to_owned()];
    for _ in 0..3 {
        let mut next = Vec::new();
        for folder in level {
            next.extend(below(&folder)?);
        }
        level = next;
    }
    Ok(level)
}

fn below(folder: &Path) -> Result<Vec<PathBuf>, RunError> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(RunError::io(folder)(error)),
    };
    let paths = entries.filter_map(Result::ok).map(|entry| entry.path());
    let mut paths: Vec<PathBuf> = paths.filter(|path| path.is_dir()).collect();
    paths.sort();
    Ok(paths)
}

fn read_index(root: &Path) -> BTreeMap<String, Found> {
    let text = fs::read_to_string(root.join(INDEX)).unwrap_or_default();
    let lines = text.lines().filter_map(|line| serde_json::from_str::<Found>(line).ok());
    lines.map(|found| (found.path.clone(), found)).collect()
}
