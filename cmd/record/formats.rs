//! `qt record formats`: what can be imported.

use clap::Args;
use qt_stream::import::{self, Importer};

use crate::context::Context;
use crate::listing::{Cell, Table};
use crate::outcome::Outcome;

/// List the formats that can be imported
#[derive(Debug, Args)]
pub(crate) struct Formats {}

/// Every format of every room, in the order to show.
pub(super) fn all() -> impl Iterator<Item = &'static dyn Importer> {
    import::IMPORTERS.iter().chain(qt_venue::IMPORTERS).copied()
}

pub(super) fn run(_: &Formats, context: &mut Context) -> anyhow::Result<Outcome> {
    let mut table = Table::new(&["format", "what", "example"]);
    for importer in all() {
        let about = importer.about();
        table.row([
            Cell::Text(about.name.to_owned()),
            Cell::Text(about.what.to_owned()),
            Cell::Text(about.example.to_owned()),
        ]);
    }
    table.print(context)
}
