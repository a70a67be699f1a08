//! The folder of a run: its streams while it runs, and its manifest when it is done.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use qt_model::record::{Batch, Kind};
use qt_model::time::Ts;
use qt_model::words::{RunKind, RunStatus};
use qt_sim::driver::Records;
use qt_stream::digest::Digest;
use qt_stream::runs::{
    Assumption, BandRow, Code, Dataset, Features, Input, Manifest, RunWriter, Strategy, Trial,
    Trials, run_id,
};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::lanes::{Common, Ran};
use super::spill::Keeper;
use super::summary::Summary;
use super::variant::Variant;
use super::workers::Workers;
use crate::select_args::now;

/// Where a run is kept.
#[derive(Clone, Debug)]
pub(super) enum Place {
    /// Below the directory of runs.
    Root(PathBuf),
    /// In a folder that the user named.
    Folder(PathBuf),
}

/// What went in, but for what others computed of it.
#[derive(Debug, Default)]
pub(super) struct Data {
    digest: Digest,
    market: Batch,
    kinds: Vec<Kind>,
}

impl Data {
    pub(super) fn read(&mut self, records: &Records) {
        match records {
            Records::Rows(batch) => self.rows(batch),
            Records::Columns(table) => self.rows(&table.to_batch()),
        }
    }

    fn rows(&mut self, batch: &Batch) {
        for kind in Kind::ALL.iter().filter(|kind| batch.count(**kind) > 0) {
            if *kind != Kind::Feature && !self.kinds.contains(kind) {
                self.kinds.push(*kind);
            }
        }
        if batch.count(Kind::Feature) == 0 {
            self.digest.update(batch);
            return;
        }
        self.market.clear();
        self.market.set_instruments(Arc::clone(batch.instruments()));
        let market = batch.iter().filter(|record| record.kind() != Kind::Feature);
        market.for_each(|record| self.market.push(record));
        self.digest.update(&self.market);
    }

    pub(super) fn digest(&self) -> String {
        self.digest.text()
    }

    pub(super) fn dataset(mut self, summary: &Summary<'_>) -> Dataset {
        let text = |ts: Option<Ts>| ts.map(|ts| ts.to_string());
        self.kinds.sort_unstable();
        Dataset {
            name: "market".to_owned(),
            digest: self.digest.text(),
            records: self.digest.records(),
            kinds: self.kinds.iter().map(|kind| kind.name().to_owned()).collect(),
            symbols: summary.common.market.symbols().iter().map(ToString::to_string).collect(),
            from: text(summary.driven.first),
            to: text(summary.driven.last),
            grade: summary.grade.map(str::to_owned),
        }
    }
}

/// Writes a run as it goes.
#[derive(Debug)]
pub(super) struct Recorder {
    keeper: Keeper,
    folder: PathBuf,
    rows: Batch,
}

impl Recorder {
    pub(super) fn new(
        place: &Place,
        common: &Common,
        variants: &[Variant],
        arguments: Vec<String>,
    ) -> anyhow::Result<Self> {
        let started = now();
        let id = run_id(started, random());
        let mut manifest =
            Manifest::begin(id.as_str(), RunKind::Backtest, started, given(common, &variants[0]));
        manifest.arguments = arguments;
        let lanes: Vec<&str> = variants.iter().map(|variant| variant.fills.name()).collect();
        let writer = match place {
            Place::Root(root) => RunWriter::create(root, manifest, &lanes)?,
            Place::Folder(folder) => RunWriter::create_at(folder, manifest, &lanes)?,
        };
        let rows = Batch::new(Arc::clone(&common.market.instruments));
        let folder = writer.folder().to_owned();
        Ok(Self { keeper: Keeper::new(writer), folder, rows })
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(super) fn keeper(&self) -> &Keeper {
        &self.keeper
    }

    /// Writes what the lanes did since the last time.
    pub(super) fn write(&mut self, workers: &mut Workers) -> anyhow::Result<()> {
        let keeper = &self.keeper;
        workers.drain(&mut self.rows, |lane, rows| Ok(keeper.write(lane, rows)?))
    }

    /// Writes what is left and the manifest.
    pub(super) fn finish(
        mut self,
        data: Data,
        summary: &Summary<'_>,
        status: RunStatus,
    ) -> anyhow::Result<Manifest> {
        let mut writer = self.keeper.into_writer()?;
        for (lane, result) in summary.results.iter().enumerate() {
            writer.write(lane, &result.rows)?;
        }
        if let Some(main) = summary.results.first() {
            // Fills whose horizons the data ends before.
            let waiting = main.figures.iter().flat_map(|figures| figures.fill_qualities());
            waiting.for_each(|row| self.rows.push_row(row.clone(), &[]));
            writer.write(0, &self.rows)?;
        }
        writer.metrics(0, &summary.metrics())?;
        let dataset = data.dataset(summary);
        let manifest = writer.manifest_mut();
        manifest.input.grade = dataset.grade.clone();
        manifest.output.events = dataset.records;
        manifest.output.first_event = dataset.from.clone();
        manifest.output.last_event = dataset.to.clone();
        manifest.input.datasets.push(dataset);
        manifest.output.band = summary.results.iter().map(band_row).collect();
        manifest.output.horizons = ["100ms", "1s", "10s"].map(str::to_owned).to_vec();
        manifest.assumptions = assumptions(summary, summary.results);
        Ok(writer.finish(status, now())?)
    }
}

/// What a run takes for granted, with a sentence for the fill model of each of its lanes.
pub(super) fn assumptions(summary: &Summary<'_>, lanes: &[Ran]) -> Vec<Assumption> {
    let sentences = summary.assumptions().into_iter().map(|line| {
        let (name, value) = line.split_once(": ").unwrap_or(("", &line));
        Assumption { name: name.to_owned(), value: value.to_owned() }
    });
    let models = lanes.iter().map(|result| Assumption {
        name: result.outline.fills.name().to_owned(),
        value: result.outline.fills.assumes().to_owned(),
    });
    sentences.chain(models).collect()
}

/// Metrics that a list of runs shows.
const OF_BAND: [&str; 4] = ["total_return", "sharpe", "trades", "max_drawdown_event"];

fn band_row(result: &Ran) -> BandRow {
    let outline = &result.outline;
    let values = [
        ("pnl_total", outline.profit.to_string()),
        ("max_drawdown_money", outline.max_drawdown.to_string()),
        ("orders", outline.orders.to_string()),
        ("fills", outline.executions.to_string()),
    ];
    let mut values: BTreeMap<String, String> =
        values.map(|(name, value)| (name.to_owned(), value)).into();
    let measured = result.figures.iter().flat_map(|figures| figures.values());
    for (name, value) in measured.filter(|(name, _)| OF_BAND.contains(&name.as_str())) {
        values.extend(value.to_f64().map(|value| (name, value.to_string())));
    }
    BandRow { lane: outline.fills.name().to_owned(), values }
}

/// What a variant is given. The same for the same meaning, however it was asked for.
pub(super) fn given(common: &Common, variant: &Variant) -> Input {
    let file = &common.file;
    let mut config = json!({
        "strategy": file.text,
        "fills": variant.fills.name(),
        "sample": common.sample.nanos(),
        "lookahead_ns": common.lookahead_ns,
        "seed": common.seed,
        "params": variant.compiled.params,
        "venues": file.venues.describe(common.market.currency),
    });
    if let Some(native) = file.native {
        config["native"] = native.source.into();
    }
    let name = &file.definition.name;
    let params =
        variant.compiled.params.iter().map(|(name, value)| (name.clone(), value.to_string()));
    let names: Vec<String> = variant.compiled.features.iter().map(ToString::to_string).collect();
    Input {
        strategy: Strategy {
            id: name.clone(),
            version: String::new(),
            family: name.clone(),
            source_sha256: file.sha256(),
            params: params.collect(),
        },
        datasets: Vec::new(),
        config_sha256: sha256(&config.to_string()),
        config,
        seed: Some(common.seed),
        code: Code { version: env!("CARGO_PKG_VERSION").to_owned(), ..Code::default() },
        features: (!names.is_empty()).then(|| Features { set: "strategy".to_owned(), names }),
        latency: file.venues.latency(common.market.currency),
        fees: file.venues.fees(common.market.currency),
        grade: None,
        coverage: None,
    }
}

pub(super) fn sha256(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Enough chance for a name: nothing that is computed depends on it.
pub(super) fn random() -> [u8; 10] {
    let mut bytes = [0; 10];
    for chunk in bytes.chunks_mut(8) {
        let word = RandomState::new().build_hasher().finish().to_be_bytes();
        chunk.copy_from_slice(&word[..chunk.len()]);
    }
    bytes
}

/// Each variant as a trial of its family.
pub(super) fn trials(common: &Common, results: &[Ran], data: &str) -> Vec<Trial> {
    let trial = |result: &Ran| {
        let (sharpe, periods) = result.figures.as_ref()?.sharpe_period();
        let given = given(common, &result.variant);
        Some(Trial {
            family: given.strategy.family,
            digest: sha256(&format!("{} {data}", given.config_sha256)),
            sharpe_period: sharpe.ok(),
            periods: periods as u64,
        })
    };
    results.iter().filter_map(trial).collect()
}

/// Enters trials in the ledger; returns the ratios of all trials of their family, where they have one.
pub(super) fn note_trials(
    root: &Path,
    family: &str,
    trials: &[Trial],
) -> anyhow::Result<Vec<Option<f64>>> {
    let ledger = Trials::of(root);
    ledger.append(trials)?;
    Ok(ledger.family(family)?.into_iter().map(|trial| trial.sharpe_period).collect())
}
