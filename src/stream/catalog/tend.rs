//! Tending the catalog: grades, and what has become too old.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::layout::Partition;
use super::lock::WriterLock;
use super::meta::{Meta, sha256_of};
use super::scan::{Catalog, visible};

impl Catalog {
    /// Writes the grade of a partition into its note; `false` if there is no note, or it says so
    /// already.
    pub fn set_grade(
        &self,
        _lock: &WriterLock,
        partition: &Partition,
        grade: &str,
    ) -> io::Result<bool> {
        let folder = self.root().join(partition.folder());
        let Some(mut meta) = Meta::read(&folder)? else { return Ok(false) };
        if meta.grade.as_deref() == Some(grade) {
            return Ok(false);
        }
        meta.grade = Some(grade.to_owned());
        meta.write(&folder)?;
        Ok(true)
    }

    /// Removes a partition, all of it. Returns its bytes.
    pub fn remove(&self, _lock: &WriterLock, partition: &Partition) -> io::Result<u64> {
        let folder = self.root().join(partition.folder());
        let bytes = self.bytes(partition)?;
        // Another name first, which no reader takes for a partition: gone in one step.
        let doomed = folder.with_file_name(format!(".gone-{}", partition.date));
        fs::rename(&folder, &doomed)?;
        fs::remove_dir_all(&doomed)?;
        Ok(bytes)
    }

    /// The bytes of the files of a partition.
    pub fn bytes(&self, partition: &Partition) -> io::Result<u64> {
        let folder = self.root().join(partition.folder());
        let mut bytes = 0;
        for entry in fs::read_dir(folder)? {
            bytes += entry?.metadata()?.len();
        }
        Ok(bytes)
    }

    /// The files of a partition that count.
    pub fn files(&self, partition: &Partition) -> io::Result<Vec<PathBuf>> {
        visible(&self.root().join(partition.folder()))
    }

    /// What is wrong with one file by the note of its partition, in words.
    pub fn check_hash(&self, partition: &Partition, path: &Path) -> io::Result<Option<String>> {
        let meta = Meta::read(&self.root().join(partition.folder()))?;
        let name = path.file_name().unwrap_or_default();
        let noted = meta.and_then(|meta| meta.files.into_iter().find(|it| *it.name == *name));
        let Some(noted) = noted else { return Ok(None) };
        let found = sha256_of(path)?;
        let is_same = found == noted.sha256;
        let message = || format!("its SHA-256 is {found}, meta.json says {}", noted.sha256);
        Ok((!is_same).then(message))
    }

    /// Compares the files of a partition with what its note says of them: what is wrong, in words.
    pub fn check_hashes(&self, partition: &Partition) -> io::Result<Vec<(PathBuf, String)>> {
        let folder = self.root().join(partition.folder());
        let Some(meta) = Meta::read(&folder)? else {
            return Ok(vec![(folder, "there is no meta.json".to_owned())]);
        };
        let mut wrong = Vec::new();
        let counted = visible(&folder)?;
        for file in &meta.files {
            let path = folder.join(&file.name);
            if !counted.contains(&path) {
                wrong.push((path, "meta.json names it, and it is not there".to_owned()));
                continue;
            }
            wrong.extend(self.check_hash(partition, &path)?.map(|message| (path, message)));
        }
        let is_listed = |path: &Path| meta.files.iter().any(|file| folder.join(&file.name) == path);
        for path in counted {
            if !is_listed(&path) {
                wrong.push((path, "meta.json does not name it".to_owned()));
            }
        }
        Ok(wrong)
    }
}
