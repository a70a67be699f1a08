//! `qt schema`: what each kind of record looks like, for people and for other programs.

use std::path::PathBuf;

use clap::Args;
use qt_stream::schemas::{self, Described};

use crate::context::Context;
use crate::failure::Failure;
use crate::outcome::Outcome;
use crate::write_args::WriteArgs;

/// Print the schemas of records
///
/// Without KIND it lists all kinds. With KIND it prints the JSON Schema of its lines in NDJSON.
#[derive(Debug, Args)]
pub(crate) struct Schema {
    /// Kind of record, such as `trade`; `stream` and `end` frame a stream
    #[arg(value_name = "KIND")]
    kind: Option<String>,
    /// Print the columns of this kind in Arrow, Parquet and CSV
    #[arg(long, value_name = "KIND", conflicts_with = "kind")]
    arrow: Option<String>,
    /// Print all kinds and their columns as Markdown
    #[arg(long, conflicts_with_all = ["kind", "arrow"])]
    markdown: bool,
    /// Write every JSON Schema to this directory
    #[arg(long, value_name = "DIR", conflicts_with_all = ["kind", "arrow", "markdown"])]
    to: Option<PathBuf>,
    #[command(flatten)]
    write: WriteArgs,
}

pub(crate) fn run(args: Schema, context: &mut Context) -> anyhow::Result<Outcome> {
    if let Some(directory) = &args.to {
        let files: Vec<_> = schemas::all()
            .into_iter()
            .map(|of| (directory.join(format!("{}.json", of.name)), schemas::json_schema(of)))
            .collect();
        // Refuse before the first file, not after half of them.
        for (path, _) in &files {
            args.write.check(path)?;
        }
        for (path, text) in &files {
            args.write.write(context, path, text.as_bytes())?;
        }
    } else if args.markdown {
        context.print(schemas::markdown())?;
    } else if let Some(name) = &args.arrow {
        context.print(columns(find(name)?, context.json())?)?;
    } else if let Some(name) = &args.kind {
        context.print(schemas::json_schema(find(name)?))?;
    } else {
        context.print(list(context.json()))?;
    }
    Ok(Outcome::Done)
}

fn list(as_json: bool) -> String {
    let line = |of: Described| match as_json {
        true => format!("{}\n", serde_json::json!({ "kind": of.name, "doc": of.doc })),
        false => format!("{:<12} {}\n", of.name, of.doc),
    };
    schemas::all().into_iter().map(line).collect()
}

fn columns(of: Described, as_json: bool) -> Result<String, Failure> {
    let Some(kind) = of.kind else {
        let failure = Failure::usage(format!("`{}` has no columns", of.name));
        return Err(failure.with_hint("it travels as a line of JSON in every encoding"));
    };
    let line = |column: schemas::Column| match as_json {
        true => format!(
            "{}\n",
            serde_json::json!({
                "name": column.name, "type": column.ty, "nullable": column.is_nullable,
            })
        ),
        false => {
            let null = if column.is_nullable { "" } else { " not null" };
            format!("{:<16} {}{null}\n", column.name, column.ty)
        }
    };
    Ok(schemas::columns(kind).into_iter().map(line).collect())
}

fn find(name: &str) -> Result<Described, Failure> {
    let all = schemas::all();
    if let Some(found) = all.iter().find(|of| of.name == name) {
        return Ok(*found);
    }
    let failure = Failure::usage(format!("there is no kind of record `{name}`"));
    let distance = |of: &&Described| strsim::damerau_levenshtein(of.name, name);
    Err(match all.iter().min_by_key(distance) {
        Some(nearest) if distance(&nearest) <= name.len().div_ceil(2) => {
            failure.with_hint(format!("did you mean `{}`?", nearest.name))
        }
        _ => failure.with_hint("`qt schema` lists them"),
    })
}
