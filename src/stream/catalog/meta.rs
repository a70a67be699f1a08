//! `meta.json`: what a partition holds, and which of its files count.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::frame::{ORDER, SCHEMA};

pub(super) const NAME: &str = "meta.json";

/// The version of the rules that decide the order of records.
pub(super) const ORDER_VERSION: u64 = 1;

/// What is known of a partition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meta {
    pub schema: u64,
    pub kind: String,
    pub rows: u64,
    pub first_ts_recv: String,
    pub last_ts_recv: String,
    pub order: Vec<String>,
    pub order_version: u64,
    pub px_scale: Option<u8>,
    pub qty_scale: Option<u8>,
    pub files: Vec<MetaFile>,
    /// Files that were folded into those above. They no longer count, even while they are there.
    #[serde(default)]
    pub sources: Vec<MetaFile>,
    /// How far the day can be trusted, once it was judged.
    #[serde(default)]
    pub grade: Option<String>,
}

/// A file of a partition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MetaFile {
    pub name: String,
    pub rows: u64,
    pub sha256: String,
    /// Where its records came from, in the words of the stream's header.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub provenance: BTreeMap<String, String>,
}

impl Meta {
    pub(super) fn new(kind: &str) -> Self {
        Self {
            schema: SCHEMA,
            kind: kind.to_owned(),
            rows: 0,
            first_ts_recv: String::new(),
            last_ts_recv: String::new(),
            order: ORDER.map(str::to_owned).to_vec(),
            order_version: ORDER_VERSION,
            px_scale: None,
            qty_scale: None,
            files: Vec::new(),
            sources: Vec::new(),
            grade: None,
        }
    }

    /// Reads the note of a folder; `None` where there is none.
    pub(super) fn read(folder: &Path) -> io::Result<Option<Self>> {
        match fs::read(folder.join(NAME)) {
            Ok(bytes) => Ok(Some(serde_json::from_slice(&bytes)?)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Writes the note in one rename: the moment at which a partition changes.
    pub(super) fn write(&self, folder: &Path) -> io::Result<()> {
        let mut text = serde_json::to_vec_pretty(self)?;
        text.push(b'\n');
        let mut staged = tempfile::Builder::new().prefix(".meta-").tempfile_in(folder)?;
        io::Write::write_all(&mut staged, &text)?;
        publish(staged, &folder.join(NAME))
    }
}

/// Syncs a staged file, gives it its name, and makes the name durable.
pub(crate) fn publish(staged: tempfile::NamedTempFile, path: &Path) -> io::Result<()> {
    staged.as_file().sync_all()?;
    staged.persist(path).map_err(|error| error.error)?;
    let folder = path.parent().expect("a published file lies in a folder");
    File::open(folder)?.sync_all()
}

/// The SHA-256 of a file, as other tools print it.
pub(super) fn sha256_of(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer)? {
            0 => break,
            read => hash.update(&buffer[..read]),
        }
    }
    Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}
