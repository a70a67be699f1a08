//! Real captures against figures that were computed independently, to the digit.
//!
//! The files are not part of the project. They are looked for in the folder that `QT_TEST_DATA`
//! names, else in `../shared/data` beside the project; without them each test says that it was
//! skipped. What is compared, per file:
//!
//! | figure | compared | why not |
//! | --- | --- | --- |
//! | prints: number, volume, notional, VWAP, side of the taker, first and last | yes | |
//! | bars of one minute by event time, hashed | yes | |
//! | books at instants and at the end: levels, sizes, hash of all levels | yes | |
//! | equality with `bookTicker` at the same update number | at least as many, none that differs | the figures pair neighbours only |
//! | gaps, crossed and locked books, checksums | yes | |
//! | kinds and numbers of lines | as records | what makes no record is counted elsewhere |
//! | deletes of absent levels | no | updates inside a joined snapshot are not seen one by one |
//! | differences of the two clocks | no | a matter of checks, not of an import |

mod account;
mod cryptofeed;
mod quirks;
mod stamped;

use std::path::{Path, PathBuf};

use qt_model::record::{Batch, Source};
use qt_stream::import::{Hints, Likeness, Meter, Notes, members};
use qt_stream::read::Options;
use serde_json::Value;

use super::IMPORTERS;
use account::Account;

/// The folder of captures, if there is one.
fn data() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let folder = std::env::var_os("QT_TEST_DATA").map_or(beside, PathBuf::from);
    if folder.join("expected.json").is_file() {
        return Some(folder);
    }
    println!("skipped: no captures in {}; QT_TEST_DATA names their folder", folder.display());
    None
}

/// The figures of one entry.
fn figures(entry: &str) -> Value {
    let path = data().expect("asked behind `data`").join("expected.json");
    let text = std::fs::read(&path).expect("the figures are a file");
    let all: Value = serde_json::from_slice(&text).expect("the figures are JSON");
    let found = all["files"][entry].clone();
    assert!(found.is_object(), "there are figures for {entry}");
    found
}

/// Imports a file as the command does, and hands each batch to `see`.
fn import(path: &Path, hints: &Hints, see: &mut dyn FnMut(&Batch)) -> Notes {
    let (notes, options) = (Notes::default(), Options::default());
    for member in members(path).expect("the file opens") {
        let (_, importer) = IMPORTERS
            .iter()
            .map(|importer| (importer.recognise(&member.look()), importer))
            .max_by_key(|(likeness, _)| *likeness)
            .filter(|(likeness, _)| *likeness > Likeness::Part)
            .unwrap_or_else(|| panic!("{} is recognised", path.display()));
        let open = || member.open(&options, &notes, &Meter::default()).expect("the file opens");
        importer.survey(open(), hints, &options).expect("the survey reads");
        let input = open();
        let mut source = importer.open(input, hints, &options).expect("the import opens");
        let mut batch = Batch::default();
        while source.next(&mut batch).unwrap_or_else(|error| panic!("{error}")) {
            see(&batch);
        }
    }
    notes
}

/// The account of one file.
fn account(name: &str) -> Option<(Account, Notes)> {
    let path = data()?.join(name);
    let mut account = Account::default();
    let notes = import(&path, &Hints::default(), &mut |batch| account.take(batch));
    Some((account, notes))
}

/// A number of the figures.
fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("{value} is a whole number"))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is a text"))
}

/// How often something was noted.
fn noted(notes: &Notes, note: &str) -> u64 {
    notes.all().into_iter().filter(|(words, _)| words == note).map(|(_, count)| count).sum()
}
