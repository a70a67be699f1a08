//! `qt record status`: whether the recording is well.

use anyhow::Context as _;
use clap::Args;
use qt_live::recorder::tend;
use serde_json::json;

use crate::context::Context;
use crate::outcome::Outcome;
use crate::select_args::now;

/// Say whether the recording of a catalog is well
///
/// Looks at the log, the dead letters and the last window of the quality ledger. Exit code 1 if
/// anything is degraded.
#[derive(Debug, Args)]
pub(crate) struct Status {}

pub(crate) fn run(_: &Status, context: &mut Context) -> anyhow::Result<Outcome> {
    let root = context.settings()?.data();
    let now = now();
    let found =
        tend::condition(&root, now).with_context(|| format!("reading {}", root.display()))?;
    if context.json() {
        let tiers: serde_json::Map<_, _> = found
            .tiers
            .iter()
            .map(|(tier, stat)| {
                let oldest = stat.oldest.map(|ts| ts.to_string());
                let stat = json!({"files": stat.files, "bytes": stat.bytes, "oldest": oldest});
                (tier.name().to_owned(), stat)
            })
            .collect();
        let line = json!({
            "recording": found.is_recording, "degraded": !found.complaints.is_empty(),
            "complaints": found.complaints, "tiers": tiers, "window": found.window,
        });
        context.print(format!("{line}\n"))?;
    } else {
        let mut text = format!("recording  {}\n", if found.is_recording { "yes" } else { "no" });
        for (tier, stat) in &found.tiers {
            let oldest = stat.oldest.map_or("-".to_owned(), |ts| ts.to_string());
            text.push_str(&format!(
                "{:<9}  {} files, {} bytes, oldest {oldest}\n",
                tier.name(),
                stat.files,
                stat.bytes
            ));
        }
        if let Some(window) = &found.window {
            text.push_str(&format!("window     {} from {}\n", window.grade, window.start));
        }
        found.complaints.iter().for_each(|it| text.push_str(&format!("degraded   {it}\n")));
        context.print(text)?;
    }
    Ok(if found.complaints.is_empty() { Outcome::Done } else { Outcome::No })
}
