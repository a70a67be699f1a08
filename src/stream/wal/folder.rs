//! Where the files of the log lie.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use qt_model::time::Ts;

use super::name::WalName;

/// `wal/` below the root of a catalog.
#[derive(Clone, Debug)]
pub struct Folder {
    root: PathBuf,
}

/// What becomes of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tier {
    /// Durable, and not in the catalog.
    Pending,
    /// Lines that could not be read, or records that were refused.
    DeadLetters,
    /// Files that make no sense.
    Corrupt,
    /// In the catalog, and kept for a while.
    Archive,
}

impl Tier {
    pub const ALL: [Self; 4] = [Self::Pending, Self::DeadLetters, Self::Corrupt, Self::Archive];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::DeadLetters => "dlq",
            Self::Corrupt => "corrupt",
            Self::Archive => "archive",
        }
    }
}

/// A tier in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TierStat {
    pub files: u64,
    pub bytes: u64,
    pub oldest: Option<Ts>,
}

/// Files of ours in the making begin so.
pub(super) const STAGED: &str = ".wal-";

impl Folder {
    /// The log of the catalog at that root.
    pub fn of(catalog: &Path) -> Self {
        Self { root: catalog.join("wal") }
    }

    pub fn path(&self, tier: Tier) -> PathBuf {
        match tier {
            Tier::Pending => self.root.clone(),
            Tier::DeadLetters | Tier::Corrupt | Tier::Archive => self.root.join(tier.name()),
        }
    }

    pub(super) fn claims(&self) -> PathBuf {
        self.root.join("claims")
    }

    pub(super) fn manifest(&self) -> PathBuf {
        self.root.join("manifest.jsonl")
    }

    /// Makes the folders, and removes what a crash left half written.
    pub fn prepare(&self) -> io::Result<()> {
        let tiers = Tier::ALL.map(|tier| self.path(tier));
        for folder in tiers.into_iter().chain([self.claims()]) {
            fs::create_dir_all(&folder)?;
            for entry in fs::read_dir(&folder)? {
                let path = entry?.path();
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                if name.starts_with(STAGED) {
                    fs::remove_file(&path)?;
                }
            }
        }
        fs::File::open(&self.root)?.sync_all()
    }

    /// The files of a tier in strict order: by time, then number. None where there is no log.
    pub fn files(&self, tier: Tier) -> io::Result<Vec<WalName>> {
        let mut names: Vec<WalName> = entries(&self.path(tier))?
            .iter()
            .filter_map(|path| WalName::parse(path.file_name()?.to_str()?))
            .collect();
        names.sort_by_key(WalName::key);
        Ok(names)
    }

    pub fn file(&self, tier: Tier, name: &WalName) -> PathBuf {
        self.path(tier).join(name.to_string())
    }

    pub fn stat(&self, tier: Tier) -> io::Result<TierStat> {
        let mut stat = TierStat::default();
        for name in self.files(tier)? {
            // A file may move on while we look.
            let Ok(found) = fs::metadata(self.file(tier, &name)) else { continue };
            stat.files += 1;
            stat.bytes += found.len();
            stat.oldest = Some(stat.oldest.map_or(name.ts, |known| known.min(name.ts)));
        }
        Ok(stat)
    }

    /// Moves a file to another tier, durably.
    pub(super) fn shift(&self, name: &WalName, from: Tier, to: Tier) -> io::Result<()> {
        fs::rename(self.file(from, name), self.file(to, name))?;
        fs::File::open(self.path(to))?.sync_all()?;
        fs::File::open(self.path(from))?.sync_all()
    }
}

fn entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    entries.map(|entry| Ok(entry?.path())).collect()
}

/// Writes a file in one step: stage, sync, rename, sync.
pub(super) fn publish(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    use crate::crash;
    let mut staged = tempfile::Builder::new().prefix(STAGED).tempfile_in(folder)?;
    io::Write::write_all(&mut staged, bytes)?;
    crash::point("wal.write");
    staged.as_file().sync_all()?;
    crash::point("wal.sync");
    staged.persist(folder.join(name)).map_err(|error| error.error)?;
    crash::point("wal.rename");
    fs::File::open(folder)?.sync_all()
}
