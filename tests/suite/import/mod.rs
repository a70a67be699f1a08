//! Files of vendors, read by the importers and compared with figures that others computed.
//!
//! The data is not ours to ship: it is found at `QT_TEST_DATA`, else beside the working tree, and
//! without it these tests say that they were skipped. `compare` lists what is not compared and why.

#![expect(clippy::unwrap_used, reason = "helpers of tests may stop where they stand, like tests")]

mod bad;
mod bars;
mod book;
mod command;
mod compare;
mod crosses;
mod databento;
mod figures;
mod fx;
mod lean;
mod markets;
mod matrix;
mod orders;
mod quirks;

use std::path::{Path, PathBuf};

use qt_model::record::{Batch, Source};
use qt_stream::error::ReadError;
use qt_stream::import::{Hints, IMPORTERS, Importer, Likeness, Member, Meter, Notes, members};
use qt_stream::read::Options;
use serde_json::Value;

/// A path in the data; `None`, with a word about it, where the data is absent.
pub(crate) fn data(path: &str) -> Option<PathBuf> {
    let named = std::env::var_os("QT_TEST_DATA").map(PathBuf::from);
    let root =
        named.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data"));
    if !root.is_dir() {
        eprintln!("skipped: no data at {}; QT_TEST_DATA says where it is", root.display());
        return None;
    }
    Some(root.join(path))
}

/// The figures that were computed elsewhere, of files below a folder.
fn expected(folder: &str) -> Option<Vec<(String, Value)>> {
    let text = std::fs::read(data("expected.json")?).unwrap();
    let all: Value = serde_json::from_slice(&text).unwrap();
    let files = all["files"].as_object().unwrap();
    let within = files.iter().filter(|(path, _)| path.starts_with(folder));
    Some(within.map(|(path, figures)| (path.clone(), figures.clone())).collect())
}

/// A file as the command imports it.
struct Import {
    batch: Batch,
    notes: Vec<(String, u64)>,
    format: &'static str,
}

fn best(member: &Member) -> &'static dyn Importer {
    let likeness = |it: &&'static dyn Importer| it.recognise(&member.look());
    let best = IMPORTERS.iter().copied().max_by_key(|it| likeness(it)).unwrap();
    assert_ne!(likeness(&best), Likeness::No, "{} is of no format", member.name());
    let ties = IMPORTERS.iter().filter(|it| likeness(it) == likeness(&best)).count();
    assert_eq!(ties, 1, "{} is of several formats", member.name());
    best
}

fn read(member: &Member, hints: &Hints) -> Result<Import, ReadError> {
    let format = match &hints.map {
        Some(_) => *IMPORTERS.iter().find(|it| it.about().name == "map").unwrap(),
        None => best(member),
    };
    let (options, notes, meter) = (Options::default(), Notes::default(), Meter::default());
    format.survey(member.open(&options, &Notes::default(), &meter)?, hints, &options)?;
    let mut source = format.open(member.open(&options, &notes, &meter)?, hints, &options)?;
    let (mut all, mut batch) = (Batch::default(), Batch::default());
    while source.next(&mut batch)? {
        all.set_instruments(std::sync::Arc::clone(batch.instruments()));
        all.push_range(&batch, 0, batch.len());
    }
    Ok(Import { batch: all, notes: notes.all(), format: format.about().name })
}

/// All members of a file of the data.
fn import(path: &str, hints: &Hints) -> Option<Vec<(String, Import)>> {
    let path = data(path)?;
    let all = members(&path).unwrap();
    let name = |member: &Member| member.name().rsplit('/').next().unwrap().to_owned();
    let read = |member: &Member| read(member, hints).unwrap_or_else(|error| panic!("{error}"));
    Some(all.iter().map(|member| (name(member), read(member))).collect())
}

/// The only member of a file.
fn one(path: &str, hints: &Hints) -> Option<Import> {
    Some(import(path, hints)?.remove(0).1)
}

/// A day of orders one by one.
pub(crate) fn lobster_day() -> Option<Batch> {
    let path = "lobster/AAPL_2012-06-21_34200000_57600000_message_10.csv";
    one(path, &Hints::default()).map(|import| import.batch)
}

#[test]
fn every_file_is_of_one_format_or_of_none_of_ours() {
    for (folder, format) in [
        ("tardis-csv", "tardis"),
        ("databento-dbn", "databento"),
        ("itch50", "itch"),
        ("dukascopy-bi5", "dukascopy"),
        ("lean", "lean"),
        ("histdata", "histdata"),
        ("truefx", "truefx"),
        ("fxcm", "fxcm"),
        ("bars", "bars"),
    ] {
        let Some(files) = expected(folder) else { return };
        assert!(!files.is_empty(), "{folder}");
        for (path, _) in files {
            for member in members(&data(&path).unwrap()).unwrap() {
                assert_eq!(best(&member).about().name, format, "{path}");
            }
        }
    }
    // What is for other importers, or needs a map, is not taken for something else.
    for folder in ["broker-payloads", "hftbacktest-raw", "cryptofeed-ws", "kraken-rest"] {
        for (path, _) in expected(folder).unwrap() {
            let Ok(members) = members(&data(&path).unwrap()) else { continue };
            for member in members {
                let claims =
                    IMPORTERS.iter().filter(|it| it.recognise(&member.look()) != Likeness::No);
                let claims: Vec<_> = claims.map(|it| it.about().name).collect();
                assert!(claims.is_empty(), "{path}: {claims:?}");
            }
        }
    }
}
