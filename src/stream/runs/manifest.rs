//! `manifest.json`: what a run was given, what came out, and under which assumptions.
//!
//! Canonical: members in the order of their names, numbers as they are shortest. What a run was
//! given and what came out have a digest without wall clock, name or place.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use qt_model::instrument::Symbol;
use qt_model::time::Ts;
use qt_model::words::{RunKind, RunStatus, Word};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::error::RunError;
use crate::catalog::{Partition, publish};

pub(super) const NAME: &str = "manifest.json";

/// The version of the manifest. It grows when a reader of the old version would be wrong.
pub(super) const SCHEMA: u64 = 1;

/// All that is kept of a run beside its records.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    pub schema: u64,
    pub run_id: String,
    #[serde(with = "word")]
    pub kind: RunKind,
    #[serde(with = "word")]
    pub status: RunStatus,
    /// Why it ended, where that is worth a word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_reason: Option<String>,
    /// By the wall clock, as text of nine decimals.
    pub started: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<u64>,
    /// The run that this one came from: a sweep, or what is run again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// The command line that gave the run its input, to run it again. Not part of its content: the same
    /// records may come by another way.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub arguments: Vec<String>,
    pub input: Input,
    #[serde(default)]
    pub output: Outputs,
    /// What the result rests on, in the order of importance.
    #[serde(default)]
    pub assumptions: Vec<Assumption>,
    #[serde(default)]
    pub warnings: Vec<String>,
    /// Of `input` and `output` together.
    #[serde(default)]
    pub content_sha256: String,
}

/// What a run was given.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Input {
    pub strategy: Strategy,
    pub datasets: Vec<Dataset>,
    /// The effective configuration, secrets masked.
    pub config: Value,
    pub config_sha256: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    pub code: Code,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub features: Option<Features>,
    /// Models in words, such as `place=constant:1ms`.
    #[serde(default)]
    pub latency: String,
    #[serde(default)]
    pub fees: String,
    /// How far the data can be trusted, and which share of the time it covers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grade: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coverage: Option<f64>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Strategy {
    pub id: String,
    #[serde(default)]
    pub version: String,
    /// What its trials are counted under.
    pub family: String,
    #[serde(default)]
    pub source_sha256: String,
    /// Parameters by name, as text.
    #[serde(default)]
    pub params: BTreeMap<String, String>,
}

/// One input of records.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Dataset {
    pub name: String,
    /// Of the records, as an `end` record has it; else `sha256:` and the digest of the bytes.
    pub digest: String,
    pub records: u64,
    #[serde(default)]
    pub kinds: Vec<String>,
    #[serde(default)]
    pub symbols: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grade: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Code {
    pub version: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    #[serde(default)]
    pub is_dirty: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Features {
    pub set: String,
    pub names: Vec<String>,
}

/// What came out.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Outputs {
    /// Records that went in.
    #[serde(default)]
    pub events: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_event: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_event: Option<String>,
    /// Where a replay would go on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_cursor: Option<String>,
    /// The streams, by lane and name.
    #[serde(default)]
    pub files: Vec<OutputFile>,
    /// The lanes in their order; the first is the main one.
    #[serde(default)]
    pub lanes: Vec<String>,
    /// A row for each fill model, for the band.
    #[serde(default)]
    pub band: Vec<BandRow>,
    /// The state at the end, where it was digested.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state_digest: Option<String>,
    /// Trials of the strategy's family, this run included, when it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trials: Option<u64>,
    /// Refusals by rule.
    #[serde(default)]
    pub refusals: BTreeMap<String, u64>,
    /// Markout horizons, in the order in which `fill_quality` has them.
    #[serde(default)]
    pub horizons: Vec<String>,
    /// Records that could not be used, by reason.
    #[serde(default)]
    pub drops: BTreeMap<String, u64>,
}

/// One stream of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutputFile {
    pub lane: String,
    /// The kind of record.
    pub kind: String,
    /// Below the folder of the run.
    pub path: String,
    pub records: u64,
    pub digest: String,
}

/// Figures of one fill model; the names of metrics with their values.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BandRow {
    pub lane: String,
    /// Values as text, where exact; absent ones are left out.
    pub values: BTreeMap<String, String>,
}

/// A sentence that the result rests on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assumption {
    pub name: String,
    pub value: String,
}

impl Dataset {
    /// Whether records of that partition may be among those of this input. An input that does not
    /// say what it holds may hold anything; records without an instrument concern everybody.
    pub fn refers_to(&self, partition: &Partition) -> bool {
        let kind = partition.kind.name();
        let has_kind = self.kinds.is_empty() || self.kinds.iter().any(|it| it == kind);
        let symbol = partition.symbol.as_ref().map(Symbol::as_str);
        let has_symbol = symbol.is_none_or(|symbol| {
            self.symbols.is_empty() || self.symbols.iter().any(|it| it == symbol)
        });
        let day = |text: &Option<String>| Some(Ts::parse(text.as_ref()?.as_bytes()).ok()?.date());
        let (from, to) = (day(&self.from), day(&self.to));
        let is_within = from.is_none_or(|from| from <= partition.date)
            && to.is_none_or(|to| partition.date <= to);
        has_kind && has_symbol && is_within
    }
}

impl Manifest {
    /// A run that begins. `started` is the wall clock's.
    pub fn begin(run_id: &str, kind: RunKind, started: Ts, input: Input) -> Self {
        Self {
            schema: SCHEMA,
            run_id: run_id.to_owned(),
            kind,
            status: RunStatus::Running,
            ended_reason: None,
            started: started.to_string(),
            ended: None,
            duration_ms: None,
            parent: None,
            arguments: Vec::new(),
            input,
            output: Outputs::default(),
            assumptions: Vec::new(),
            warnings: Vec::new(),
            content_sha256: String::new(),
        }
    }

    /// The digest of what went in and what came out.
    pub fn content(&self) -> String {
        sha256(&canonical(&(&self.input, &self.output)))
    }

    /// The digest of what went in, of configuration and data alone: what makes two trials one.
    pub fn trial_digest(&self) -> String {
        let data: Vec<_> = self.input.datasets.iter().map(|it| (&it.digest, it.records)).collect();
        let Input { config_sha256, seed, latency, fees, .. } = &self.input;
        let Strategy { source_sha256, params, .. } = &self.input.strategy;
        sha256(&canonical(&(config_sha256, seed, latency, fees, source_sha256, params, data)))
    }

    pub(super) fn read(folder: &Path) -> Result<Self, RunError> {
        let path = folder.join(NAME);
        let bytes = fs::read(&path).map_err(RunError::io(&path))?;
        let manifest: Self =
            serde_json::from_slice(&bytes).map_err(|error| RunError::damaged(&path, error))?;
        if manifest.schema > SCHEMA {
            let message = format!("version {} is newer than {SCHEMA}", manifest.schema);
            return Err(RunError::damaged(&path, message));
        }
        Ok(manifest)
    }

    /// Replaces the manifest in one rename.
    pub(super) fn write(&self, folder: &Path) -> Result<(), RunError> {
        write_json(&folder.join(NAME), &canonical_pretty(self))
    }
}

/// Writes a file of text so that it is there whole or not at all.
pub(super) fn write_json(path: &Path, text: &str) -> Result<(), RunError> {
    let folder = path.parent().expect("a file of a run lies in its folder");
    let staged = || {
        let mut staged = tempfile::Builder::new().prefix(".staged-").tempfile_in(folder)?;
        std::io::Write::write_all(&mut staged, text.as_bytes())?;
        publish(staged, path)
    };
    staged().map_err(RunError::io(path))
}

/// Members by name: values of `serde_json` keep them so.
fn sorted<T: Serialize>(value: &T) -> Value {
    serde_json::to_value(value).expect("a manifest is plain JSON")
}

/// One line, members by name.
pub(super) fn canonical<T: Serialize>(value: &T) -> String {
    sorted(value).to_string()
}

fn canonical_pretty<T: Serialize>(value: &T) -> String {
    let text = serde_json::to_string_pretty(&sorted(value)).expect("a value is plain JSON");
    text + "\n"
}

pub(super) fn sha256(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Words of closed lists as JSON text.
mod word {
    use super::{Deserialize, Deserializer, Serializer, Word};

    pub(super) fn serialize<W: Word, S: Serializer>(word: &W, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_str(word.word())
    }

    pub(super) fn deserialize<'de, W: Word, D: Deserializer<'de>>(from: D) -> Result<W, D::Error> {
        let text = String::deserialize(from)?;
        W::from_word(&text).ok_or_else(|| {
            serde::de::Error::custom(format!(
                "expected one of {}, found `{text}`",
                W::WORDS.join(", ")
            ))
        })
    }
}
