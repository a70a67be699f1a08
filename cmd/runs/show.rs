//! `qt runs show`: the manifest for people, or as it is for machines.

use clap::Args;
use qt_model::words::Word;
use qt_stream::runs::{Manifest, RunReader};

use crate::context::Context;
use crate::outcome::Outcome;

#[derive(Debug, Args)]
pub(super) struct Show {
    /// The run
    #[arg(value_name = "RUN")]
    run: String,
}

pub(super) fn run(args: &Show, context: &Context) -> anyhow::Result<Outcome> {
    let run = RunReader::open(&super::folder(&args.run, context)?)?;
    if context.json() {
        let line = serde_json::to_value(run.manifest())?.to_string();
        context.print(line + "\n")?;
        return Ok(Outcome::Done);
    }
    context.print(text(run.manifest()))?;
    Ok(Outcome::Done)
}

/// Pairs of a name and a value, a line each.
fn text(manifest: &Manifest) -> String {
    let mut rows: Vec<(String, String)> = Vec::new();
    let mut row = |name: &str, value: &str| {
        if !value.is_empty() {
            rows.push((name.to_owned(), value.to_owned()));
        }
    };
    let (input, output) = (&manifest.input, &manifest.output);
    row("run", &manifest.run_id);
    row("kind", manifest.kind.word());
    let reason = manifest.ended_reason.as_ref().map(|reason| format!(" ({reason})"));
    row("status", &format!("{}{}", manifest.status, reason.unwrap_or_default()));
    row("started", &manifest.started);
    row("ended", manifest.ended.as_deref().unwrap_or_default());
    row("strategy", &format!("{} {}", input.strategy.id, input.strategy.version));
    for (name, value) in &input.strategy.params {
        row(&format!("  {name}"), value);
    }
    for dataset in &input.datasets {
        row("data", &format!("{} ({} records, {})", dataset.name, dataset.records, dataset.digest));
    }
    row("grade", input.grade.as_deref().unwrap_or_default());
    row("seed", &input.seed.map(|seed| seed.to_string()).unwrap_or_default());
    row("config", &input.config_sha256);
    row("code", &format!("qt {}", input.code.version));
    for it in &manifest.assumptions {
        row(&format!("assumed: {}", it.name), &it.value);
    }
    for file in &output.files {
        row(&file.path, &format!("{} records, {}", file.records, file.digest));
    }
    for warning in &manifest.warnings {
        row("warning", warning);
    }
    row("content", &manifest.content_sha256);
    let width = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    rows.iter().map(|(name, value)| format!("{name:<width$}  {}\n", value.trim_end())).collect()
}
