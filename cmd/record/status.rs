//! `qt record status`: whether the recording is well.

use anyhow::Context as _;
use clap::Args;
use qt_live::recorder::tend;
use serde_json::json;

use crate::context::Context;
use crate::outcome::Outcome;
use crate::select_args::now;
use crate::store_access as access;

/// Say whether the recording of a catalog is well
///
/// Looks at the log, the dead letters and the last window of the quality ledger, and asks the database
/// of `clickhouse_url` whether it is there. Exit code 1 if
/// anything is degraded.
#[derive(Debug, Args)]
pub(crate) struct Status {}

pub(crate) fn run(_: &Status, context: &mut Context) -> anyhow::Result<Outcome> {
    let root = context.settings()?.data();
    let now = now();
    let mut found =
        tend::condition(&root, now).with_context(|| format!("reading {}", root.display()))?;
    let store = access::configured(context.settings()?)?;
    let answer = store.map(|store| store.probe());
    if let Some(Err(error)) = &answer {
        found.complaints.push(error.to_string());
    }
    let reachable = answer.map(|answer| answer.is_ok());
    if context.json() {
        let tiers: serde_json::Map<_, _> = found
            .tiers
            .iter()
            .map(|(whose, tier, stat)| {
                let oldest = stat.oldest.map(|ts| ts.to_string());
                let stat = json!({"files": stat.files, "bytes": stat.bytes, "oldest": oldest});
                (format!("{whose}{}", tier.name()), stat)
            })
            .collect();
        let line = json!({
            "recording": found.is_recording, "degraded": !found.complaints.is_empty(),
            "complaints": found.complaints, "tiers": tiers, "window": found.window,
            "store_reachable": reachable,
        });
        context.print(format!("{line}\n"))?;
    } else {
        let mut text = format!("recording  {}\n", if found.is_recording { "yes" } else { "no" });
        if let Some(reachable) = reachable {
            let word = if reachable { "answers" } else { "does not answer" };
            text.push_str(&format!("clickhouse {word}\n"));
        }
        for (whose, tier, stat) in &found.tiers {
            let oldest = stat.oldest.map_or("-".to_owned(), |ts| ts.to_string());
            text.push_str(&format!(
                "{:<9}  {} files, {} bytes, oldest {oldest}\n",
                format!("{whose}{}", tier.name()),
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
