//! The folder of a sweep: its manifest, its points a line each, and the trials that they are.

use std::fs;
use std::path::PathBuf;

use anyhow::Context as _;
use qt_model::words::{RunKind, RunStatus};
use qt_stream::runs::{Input, Manifest, OutputFile, RunWriter, Trial, run_id};
use serde_json::json;

use super::record::{Data, Place, assumptions, given, random, sha256};
use super::{Executed, Simulate};
use crate::select_args::now;

/// The points of a sweep, with what was judged of them behind.
pub(super) const POINTS: &str = "points.ndjson";
/// Its trials, as the ledger has them.
pub(super) const TRIALS: &str = "trials.ndjson";

/// What is kept of a sweep beside its manifest.
#[derive(Debug)]
pub(super) struct Kept<'a> {
    pub(super) lines: &'a str,
    pub(super) trials: &'a [Trial],
}

impl Kept<'_> {
    /// Writes a sweep with this input; `fill` completes its manifest. Says where.
    pub(super) fn write(
        &self,
        place: &Place,
        input: Input,
        status: RunStatus,
        fill: impl FnOnce(&mut Manifest),
    ) -> anyhow::Result<PathBuf> {
        let started = now();
        let id = run_id(started, random());
        let mut manifest = Manifest::begin(id.as_str(), RunKind::Sweep, started, input);
        manifest.arguments = std::env::args().skip(1).collect();
        let mut writer = match place {
            Place::Root(root) => RunWriter::create(root, manifest, &["points"])?,
            Place::Folder(folder) => RunWriter::create_at(folder, manifest, &["points"])?,
        };
        let folder = writer.folder().to_owned();
        let trials =
            self.trials.iter().map(serde_json::to_string).collect::<Result<Vec<_>, _>>()?;
        let trials: String = trials.iter().map(|line| format!("{line}\n")).collect();
        fill(writer.manifest_mut());
        for (kind, name, text) in
            [("points", POINTS, self.lines), ("trials", TRIALS, trials.as_str())]
        {
            let path = folder.join(name);
            fs::write(&path, text).with_context(|| format!("writing {}", path.display()))?;
            writer.manifest_mut().output.files.push(OutputFile {
                lane: "points".to_owned(),
                kind: kind.to_owned(),
                path: name.to_owned(),
                records: text.lines().count() as u64,
                digest: digest(text),
            });
        }
        writer.finish(status, now())?;
        Ok(folder)
    }
}

pub(super) fn digest(text: &str) -> String {
    format!("sha256:{}", sha256(text))
}

/// Keeps a sweep that has run.
pub(super) fn sweep(
    place: &Place,
    args: &Simulate,
    done: &Executed,
    data: Data,
    kept: &Kept<'_>,
) -> anyhow::Result<PathBuf> {
    let (common, results) = (&done.common, &done.results);
    let mut input = given(common, &results[0].variant);
    let swept: serde_json::Map<_, _> =
        args.sweep.iter().map(|axis| (axis.name().to_owned(), json!(axis.values()))).collect();
    input.strategy.params.retain(|name, _| !swept.contains_key(name));
    input.config["params"] = json!(input.strategy.params);
    input.config["sweep"] = swept.into();
    if let Some(count) = args.random {
        input.config["random"] = json!(count);
    }
    if let Some(shard) = args.shard {
        input.config["shard"] = json!(shard.to_string());
    }
    let points = results.iter().map(|result| result.variant.number + 1).collect();
    set_points(&mut input, points);
    let summary = done.summary();
    let dataset = data.dataset(&summary);
    let status = if done.is_cut { RunStatus::Stopped } else { RunStatus::Done };
    kept.write(place, input, status, |manifest| {
        manifest.input.grade.clone_from(&dataset.grade);
        manifest.output.events = dataset.records;
        manifest.output.first_event.clone_from(&dataset.from);
        manifest.output.last_event.clone_from(&dataset.to);
        manifest.input.datasets.push(dataset);
        manifest.assumptions = assumptions(&summary, &results[..1]);
    })
}

/// Says which points a sweep has.
pub(super) fn set_points(input: &mut Input, points: Vec<usize>) {
    input.config["points"] = json!(points);
    input.config_sha256 = sha256(&input.config.to_string());
}
