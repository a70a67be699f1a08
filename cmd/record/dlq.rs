//! `qt record dlq`: records that did not make it.

use anyhow::Context as _;
use clap::{Args, Subcommand};
use qt_live::recorder::{database_root, plausible};
use qt_model::record::Kind;
use qt_stream::catalog::CatalogWriter;
use qt_stream::wal::{Bounds, DeadLetters, Folder, WalName, WalWriter};

use crate::catalog_sink::raise;
use crate::context::Context;
use crate::failure::Failure;
use crate::listing::{Cell, Table};
use crate::outcome::Outcome;
use crate::select_args::now;

/// Show dead letters, try them again, or throw them away
#[derive(Debug, Args)]
pub(crate) struct Dlq {
    /// Letters of the log of the database, in place of those of the catalog's
    #[arg(long)]
    clickhouse: bool,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List each letter with its reason
    List(Chosen),
    /// Try letters again: those that can be read go to the log, and from there to the catalog
    Replay(Chosen),
    /// Throw letters away
    Purge(Purge),
}

#[derive(Debug, Args)]
struct Chosen {
    /// Only letters of this table
    #[arg(long, value_name = "KIND")]
    table: Option<String>,
}

#[derive(Debug, Args)]
struct Purge {
    #[command(flatten)]
    chosen: Chosen,
    /// Throw away; without it nothing is touched
    #[arg(long)]
    apply: bool,
}

pub(crate) fn run(args: &Dlq, context: &mut Context) -> anyhow::Result<Outcome> {
    let root = context.settings()?.data();
    let folder = match args.clickhouse {
        true => Folder::of(&database_root(&root)),
        false => Folder::of(&root),
    };
    let dead = DeadLetters::of(&folder);
    match &args.action {
        Action::List(chosen) => list(&dead, &chosen.files(&dead)?, context),
        Action::Replay(chosen) => {
            let _lock = CatalogWriter::lock(&root).map_err(raise)?;
            let mut wal = WalWriter::open(&folder, Bounds::default()).context("opening the log")?;
            let (mut replayed, mut left) = (0, 0);
            for name in chosen.files(&dead)? {
                let now = now();
                let accept = |head: &qt_model::record::Head| plausible(head, now);
                let done = dead.replay(&name, &mut wal, now, &accept).context(name.to_string())?;
                replayed += done.written.map_or(0, |file| file.rows);
                left += done.left.len();
            }
            context.note(format_args!(
                "{replayed} letters went to the log, {left} are left; the next recorder or `qt \
                 record compact` brings them into the catalog"
            ));
            Ok(if left > 0 { Outcome::No } else { Outcome::Done })
        }
        Action::Purge(purge) => {
            let files = purge.chosen.files(&dead)?;
            if !purge.apply {
                let count = files.len();
                context.note(format_args!("would throw away {count} files; --apply does it"));
                return Ok(Outcome::Done);
            }
            let _lock = CatalogWriter::lock(&root).map_err(raise)?;
            for name in &files {
                dead.purge(name).context(name.to_string())?;
            }
            context.note(format_args!("threw away {} files", files.len()));
            Ok(Outcome::Done)
        }
    }
}

impl Chosen {
    fn files(&self, dead: &DeadLetters) -> anyhow::Result<Vec<WalName>> {
        let mut files = dead.files().context("reading the dead letters")?;
        if let Some(table) = &self.table {
            let kind = Kind::from_name(table).ok_or_else(|| {
                Failure::usage(format!("--table {table}: no such kind of record"))
                    .with_hint("`qt schema` lists all")
            })?;
            files.retain(|name| name.table == kind);
        }
        Ok(files)
    }
}

fn list(dead: &DeadLetters, files: &[WalName], context: &Context) -> anyhow::Result<Outcome> {
    let mut table = Table::new(&["file", "line", "reason", "text"]);
    for name in files {
        for letter in dead.read(name).context(name.to_string())? {
            table.row([
                Cell::Text(name.to_string()),
                Cell::Number(letter.line),
                Cell::Text(letter.reason),
                Cell::Text(letter.text.or(letter.hex).unwrap_or_default()),
            ]);
        }
    }
    table.print(context)
}
