//! Sinks into the catalog of a folder, a database, or both.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use qt_model::time::Ts;
use qt_store::{Store as Database, StoreError};
use qt_stream::catalog::{Appender, Catalog, CatalogWriter, WriterLock};
use qt_stream::error::{ReadError, WriteError};
use qt_stream::wal::{Folder, LoadError, LoadOptions, Loaded, Loader};

use super::errand;
use super::judgement::{Judgement, TellError};
use super::pipeline::{Clock, Pipeline, Settings, Store};
use super::probe::Probing;
use super::resume::Numbers;
use super::sinks::{Gauges, Sinks};
use super::writer::{Acknowledged, Place};

#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error(transparent)]
    Catalog(#[from] WriteError),
    #[error("opening the log: {0}")]
    Log(#[from] io::Error),
}

/// Reading where an earlier recording ended failed.
#[derive(Debug, thiserror::Error)]
pub enum ResumeError {
    #[error("finishing what an earlier recorder left: {0}")]
    Recover(#[from] LoadError),
    #[error(transparent)]
    Catalog(#[from] ReadError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Where to record, taken for it.
#[derive(Debug)]
pub struct Target {
    pub lock: WriterLock,
    root: PathBuf,
    catalog: Option<Appender>,
    database: Option<Arc<Database>>,
}

/// Where the log of the database lies, below the root of the catalog.
pub fn database_root(root: &Path) -> PathBuf {
    root.join("clickhouse")
}

/// The loader of the log of a database takes a file at a time: a file is what a batch is known by.
fn one_by_one(load: LoadOptions) -> LoadOptions {
    LoadOptions { files_max: 1, linger_ns: 0, ..load }
}

impl Target {
    /// Takes the catalog. One process does so at a time.
    pub fn take(
        root: &Path,
        provenance: &BTreeMap<String, String>,
        row_group_records: usize,
    ) -> Result<Self, WriteError> {
        let lock = CatalogWriter::lock(root)?;
        let catalog = Some(Appender::new(&lock, root, provenance, row_group_records));
        Ok(Self { lock, root: root.to_owned(), catalog, database: None })
    }

    /// A database beside the catalog, or in its place. The folder is taken all the same: the log
    /// lies there, and messages as they came.
    #[must_use]
    pub fn with_database(mut self, database: Arc<Database>, is_alone: bool) -> Self {
        self.catalog = self.catalog.filter(|_| !is_alone);
        self.database = Some(database);
        self
    }

    /// Brings what an earlier session left in the log into the catalog.
    pub fn recover(&self, now: Ts) -> Result<Loaded, LoadError> {
        let Some(appender) = &self.catalog else { return Ok(Loaded::default()) };
        let folder = Folder::of(&self.root);
        Loader::open(&folder, LoadOptions::default(), now)?.round(appender, now, true)
    }

    /// Brings what the log in front of the database holds to it.
    pub fn load_database(&self, now: Ts) -> Result<Loaded, LoadError> {
        let Some(database) = &self.database else { return Ok(Loaded::default()) };
        let folder = Folder::of(&database_root(&self.root));
        let loader = Loader::open(&folder, one_by_one(LoadOptions::default()), now)?;
        loader.round(&errand::Database(Arc::clone(database)), now, true)
    }

    /// The numbers behind what is there. The catalog knows them; a database alone is asked, after
    /// what its log holds was brought there.
    pub fn numbers(&self, venue: &str, now: Ts) -> Result<Numbers, ResumeError> {
        self.recover(now)?;
        if let (None, Some(database)) = (&self.catalog, &self.database) {
            database.prepare()?;
            self.load_database(now)?;
            return Ok(Numbers::of_ends(database.ends(venue)?));
        }
        Ok(Numbers::of_catalog(&Catalog::new(&self.root), venue)?)
    }

    /// Tells the database the grades of all days that the ledger knows; how many these are.
    pub fn tell_grades(&self) -> Result<usize, TellError> {
        let Some(database) = &self.database else { return Ok(0) };
        Judgement::of(&self.root).tell(database)
    }

    pub fn gauges(&self) -> Gauges {
        let has_both = self.catalog.is_some() && self.database.is_some();
        Gauges {
            second: has_both.then(Arc::default),
            probe: self.database.as_ref().map(|_| Arc::default()),
            ..Gauges::default()
        }
    }

    pub fn start(
        &self,
        settings: &Settings,
        clock: &Clock,
        gauges: &Gauges,
        acks: impl FnMut(Acknowledged) + Send + 'static,
    ) -> Result<Sinks, OpenError> {
        let acks = Arc::new(Mutex::new(acks));
        let note = || {
            let acks = Arc::clone(&acks);
            move |ack| (acks.lock().unwrap_or_else(PoisonError::into_inner))(ack)
        };
        let mut sinks = Vec::new();
        if let Some(appender) = &self.catalog {
            let store = Store::new(Arc::new(appender.clone()));
            let (root, counters) = (&self.root, &gauges.counters);
            sinks.push(Pipeline::start(root, settings, store, clock, counters, note())?);
        }
        let mut probing = None;
        if let Some(database) = &self.database {
            let store = Store {
                place: Place::Store,
                probe: gauges.probe.clone(),
                ..Store::new(Arc::new(errand::Database(Arc::clone(database))))
            };
            let settings = Settings { load: one_by_one(settings.load), ..settings.clone() };
            let (root, first) = (database_root(&self.root), &gauges.counters);
            let counters = gauges.second.as_ref().unwrap_or(first);
            sinks.push(Pipeline::start(&root, &settings, store, clock, counters, note())?);
            let probe = gauges.probe.as_ref();
            let judgement = || Judgement::of(&self.root);
            let start = |probe| Probing::start(database, probe, judgement());
            probing = probe.map(start).transpose()?;
        }
        Ok(Sinks::new(sinks, probing))
    }
}
