//! A pipeline into the catalog of a folder.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::Arc;

use qt_model::time::Ts;
use qt_stream::catalog::{Appender, CatalogWriter, WriterLock};
use qt_stream::error::WriteError;
use qt_stream::wal::{Folder, LoadError, LoadOptions, Loaded, Loader};

use super::counters::Counters;
use super::pipeline::{Clock, Pipeline, Settings, Store};
use super::writer::Acknowledged;

#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error(transparent)]
    Catalog(#[from] WriteError),
    #[error("opening the log: {0}")]
    Log(#[from] io::Error),
}

/// A catalog taken for recording.
#[derive(Debug)]
pub struct Target {
    pub lock: WriterLock,
    pub appender: Appender,
}

impl Target {
    /// Takes the catalog. One process does so at a time.
    pub fn take(
        root: &Path,
        provenance: &BTreeMap<String, String>,
        row_group_records: usize,
    ) -> Result<Self, WriteError> {
        let lock = CatalogWriter::lock(root)?;
        let appender = Appender::new(&lock, root, provenance, row_group_records);
        Ok(Self { lock, appender })
    }

    /// Brings what an earlier session left in the log into the catalog.
    pub fn recover(&self, root: &Path, now: Ts) -> Result<Loaded, LoadError> {
        let folder = Folder::of(root);
        Loader::open(&folder, LoadOptions::default(), now)?.round(&self.appender, now, true)
    }

    pub fn start(
        &self,
        root: &Path,
        settings: &Settings,
        clock: &Clock,
        counters: &Arc<Counters>,
        acks: impl FnMut(Acknowledged) + Send + 'static,
    ) -> Result<Pipeline, OpenError> {
        let store = Store::new(Box::new(self.appender.clone()));
        Ok(Pipeline::start(root, settings, store, clock, counters, acks)?)
    }
}
