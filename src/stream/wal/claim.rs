//! Which files a loader has taken together: written before the first part, removed after the last
//! file is archived. After a crash the same files are taken again, so that the same parts result.

use std::fs;
use std::io;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::folder::{Folder, publish};
use super::manifest::LoadedFile;
use super::name::WalName;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Claim {
    pub(super) table: String,
    /// The name of the parts that result.
    pub(super) batch: String,
    pub(super) files: Vec<LoadedFile>,
}

impl Claim {
    pub(super) fn new(table: &str, files: Vec<LoadedFile>) -> Self {
        let mut hash = Sha256::new();
        files.iter().for_each(|file| hash.update(&file.sha256));
        let batch = hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        Self { table: table.to_owned(), batch, files }
    }

    fn file(&self) -> String {
        format!("{}_{}.json", self.table, self.batch)
    }

    pub(super) fn names(&self) -> impl Iterator<Item = WalName> + '_ {
        self.files.iter().filter_map(|file| WalName::parse(&file.name))
    }

    pub(super) fn write(&self, folder: &Folder) -> io::Result<()> {
        publish(&folder.claims(), &self.file(), &serde_json::to_vec(self)?)
    }

    pub(super) fn release(&self, folder: &Folder) -> io::Result<()> {
        fs::remove_file(folder.claims().join(self.file()))
    }

    /// The claims that a crash left.
    pub(super) fn left(folder: &Folder) -> io::Result<Vec<Self>> {
        let mut paths: Vec<_> =
            fs::read_dir(folder.claims())?.map(|it| Ok(it?.path())).collect::<io::Result<_>>()?;
        paths.sort();
        let ours = paths.iter().filter(|path| path.extension().is_some_and(|it| it == "json"));
        ours.map(|path| Ok(serde_json::from_slice(&fs::read(path)?)?)).collect()
    }
}
