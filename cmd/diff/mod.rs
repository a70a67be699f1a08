//! `qt diff`: where two runs part.

pub(crate) mod compare;

use std::sync::Arc;

use clap::Args;
use qt_model::ids::AccountId;
use qt_model::instrument::Instruments;
use qt_model::record::{self, Batch, Head, Kind};
use qt_model::time::Ts;
use qt_model::words::{DiffKind, RunStatus};
use qt_stream::frame::Header;
use qt_stream::runs::RunReader;
use qt_stream::write::{Format, StreamWriter};

use crate::context::Context;
use crate::failure::Failure;
use crate::outcome::Outcome;
use crate::runs::folder;

use compare::Difference;

/// Compare two runs
///
/// Looks at what they were given, then for the first different decision, order, fill and closed
/// trade of the main lanes, then at where the profit came from and at all metrics. Exit code 0: the
/// runs are equal; 1: they differ. With --json, `diff` records.
#[derive(Debug, Args)]
pub(crate) struct Diff {
    /// One run
    #[arg(value_name = "A")]
    a: String,
    /// The other
    #[arg(value_name = "B")]
    b: String,
}

pub(crate) fn run(args: Diff, context: &mut Context) -> anyhow::Result<Outcome> {
    let (a, b) = (open(&args.a, context)?, open(&args.b, context)?);
    let mut found = compare::inputs(&a, &b);
    for (kind, entity) in [
        (Kind::Decision, "decision"),
        (Kind::Order, "order"),
        (Kind::Fill, "fill"),
        (Kind::RoundTrip, "round_trip"),
    ] {
        found.extend(compare::stream(&a, &b, kind, entity)?);
    }
    found.extend(compare::metrics(&a, &b)?);
    if context.json() {
        context.print(records(&found, end_of(&a))?)?;
    } else {
        context.print(text(&found))?;
    }
    Ok(if found.is_empty() { Outcome::Done } else { Outcome::No })
}

fn open(name: &str, context: &Context) -> anyhow::Result<RunReader> {
    let run = RunReader::open(&folder(name, context)?)?;
    let status = run.manifest().status;
    if matches!(status, RunStatus::Running | RunStatus::Crashed) {
        let message = format!("run {name} is {status}: its streams are not whole");
        return Err(Failure::usage(message).into());
    }
    Ok(run)
}

/// What came to differ first, then the rest, entity by entity.
fn text(found: &[Difference]) -> String {
    if found.is_empty() {
        return "the runs are equal\n".to_owned();
    }
    let mut out = String::new();
    let mut entity = "";
    for it in found {
        if it.entity != entity {
            out.push_str(&format!("{}{}\n", if entity.is_empty() { "" } else { "\n" }, it.entity));
            entity = it.entity;
        }
        let field = it.field.as_deref().map(|field| format!(" {field}")).unwrap_or_default();
        let side = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
        let (a, b) = (side(&it.a), side(&it.b));
        out.push_str(&format!("  {}{field}: {a} | {b}\n", it.key));
    }
    out
}

/// All differences are known once the runs are: at the end of the first.
fn end_of(run: &RunReader) -> Ts {
    let last = run.manifest().output.last_event.as_ref();
    last.and_then(|text| text.parse().ok()).unwrap_or_default()
}

fn records(found: &[Difference], end: Ts) -> anyhow::Result<Vec<u8>> {
    let table = Arc::new(Instruments::default());
    let header = Header::new(Arc::clone(&table)).with_kinds([Kind::Diff]);
    let mut writer = StreamWriter::new(Vec::new(), Format::Ndjson, &header, 1)?;
    let mut batch = Batch::new(table);
    for (at, it) in (1..).zip(found) {
        let kind = match (&it.a, &it.b) {
            (Some(_), None) => DiffKind::Missing,
            (None, Some(_)) => DiffKind::Unexpected,
            (Some(_), Some(_)) | (None, None) => DiffKind::Mismatch,
        };
        batch.push_row(
            record::Diff {
                head: Head::new(it.ts.unwrap_or(end), end, at, None),
                entity: it.entity.to_owned(),
                kind,
                key: it.key.clone(),
                field: it.field.clone(),
                ours: it.a.clone(),
                theirs: it.b.clone(),
                account: None::<AccountId>,
            },
            &[],
        );
    }
    writer.write(&batch)?;
    let (bytes, _) = writer.finish(Default::default())?;
    Ok(bytes)
}
