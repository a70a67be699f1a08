//! Files that cannot be read any more: out of the way of readers, kept for whoever looks into them.
//!
//! Invariants: a file is moved and never copied or changed; the list tells where it lay, where it lies
//! and what was wrong with it. Absent on purpose: mending, and a way back that looks at nothing.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use qt_model::time::Ts;
use serde::{Deserialize, Serialize};

use super::layout::Partition;
use super::lock::WriterLock;
use super::meta::Meta;
use super::scan::Catalog;
use crate::line_log;

/// Below the root of the catalog, beside what else is known of its quality.
const FOLDER: &str = "quality/quarantine";

const LIST: &str = "list.jsonl";

/// A line of the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quarantined {
    /// Where the file lay, and where it lies: below the root.
    pub was: PathBuf,
    pub path: PathBuf,
    /// What was found wrong with it.
    pub reason: String,
    /// By the wall clock.
    pub at: String,
}

impl Catalog {
    /// Moves a file of a partition out of it. The note of the partition forgets it afterwards: should a
    /// crash come between, the note names a file that is gone, and nothing is lost.
    pub fn quarantine(
        &self,
        _lock: &WriterLock,
        partition: &Partition,
        file: &Path,
        reason: &str,
        now: Ts,
    ) -> io::Result<Quarantined> {
        let name = file.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_string_lossy();
        let was = partition.folder().join(&*name);
        let path = self.free_place(&Path::new(FOLDER).join(&was))?;
        let (from, to) = (self.root().join(&was), self.root().join(&path));
        let (old, new) = (folder_of(&from), folder_of(&to));
        fs::create_dir_all(new)?;
        fs::rename(&from, &to)?;
        File::open(new)?.sync_all()?;
        File::open(old)?.sync_all()?;
        let line = Quarantined { was, path, reason: reason.to_owned(), at: now.to_string() };
        self.list_quarantined(&line)?;
        if let Some(mut meta) = Meta::read(old)? {
            let rows = meta.files.iter().filter(|it| it.name == name).map(|it| it.rows);
            meta.rows = meta.rows.saturating_sub(rows.sum());
            meta.files.retain(|it| it.name != name);
            meta.write(old)?;
        }
        Ok(line)
    }

    /// All files that were ever moved out of the way and still lie there.
    pub fn quarantined(&self) -> io::Result<Vec<Quarantined>> {
        let list = self.root().join(FOLDER).join(LIST);
        let text = match fs::read_to_string(&list) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let read = |line: &str| {
            serde_json::from_str::<Quarantined>(line)
                .map_err(|error| io::Error::other(format!("{}: {error}", list.display())))
        };
        let mut all = text.lines().map(read).collect::<io::Result<Vec<_>>>()?;
        all.retain(|it| self.root().join(&it.path).is_file());
        Ok(all)
    }

    /// The place itself, or one numbered, if a file of that name was moved there before.
    fn free_place(&self, wanted: &Path) -> io::Result<PathBuf> {
        let taken = |place: &Path| self.root().join(place).try_exists();
        let (mut place, mut number) = (wanted.to_owned(), 0);
        while taken(&place)? {
            number += 1;
            place = wanted.with_extension(format!("{number}.parquet"));
        }
        Ok(place)
    }

    fn list_quarantined(&self, line: &Quarantined) -> io::Result<()> {
        let mut text = serde_json::to_vec(line)?;
        text.push(b'\n');
        line_log::append(&self.root().join(FOLDER).join(LIST), &text)
    }
}

fn folder_of(path: &Path) -> &Path {
    path.parent().expect("a file of the catalog lies in a folder")
}

#[cfg(test)]
mod tests {
    use qt_model::record::Kind;
    use qt_model::time::Date;

    use super::*;
    use crate::catalog::CatalogWriter;

    #[test]
    fn a_file_is_moved_and_listed_and_never_written_over() {
        let root = tempfile::tempdir().unwrap();
        let lock = CatalogWriter::lock(root.path()).unwrap();
        let catalog = Catalog::new(root.path());
        assert_eq!(catalog.quarantined().unwrap(), []);
        let date = Date::new(2024, 8, 8).unwrap();
        let partition = Partition { kind: Kind::Trade, symbol: None, date };
        let folder = root.path().join(partition.folder());
        fs::create_dir_all(&folder).unwrap();
        let mut places = Vec::new();
        for text in ["one", "two"] {
            let file = folder.join("part-000000-0000.parquet");
            fs::write(&file, text).unwrap();
            let now = Ts::from_nanos(0);
            let line = catalog.quarantine(&lock, &partition, &file, "it is torn", now).unwrap();
            assert!(!file.exists());
            assert_eq!(fs::read_to_string(root.path().join(&line.path)).unwrap(), text);
            places.push(line);
        }
        assert_ne!(places[0].path, places[1].path);
        assert_eq!(catalog.quarantined().unwrap(), places);
        fs::remove_file(root.path().join(&places[0].path)).unwrap();
        assert_eq!(catalog.quarantined().unwrap(), places[1..]);
    }
}
