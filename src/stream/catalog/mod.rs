//! The catalog: Parquet files in folders that name what is in them.
//!
//! `<kind>/venue=<v>/symbol=<s>/date=<YYYY-MM-DD>/part-*.parquet`, the day by `ts_recv`. Invariants:
//! a file appears whole or not at all (stage, sync, rename); a partition changes from one set of
//! files to another in a single rename, that of its `meta.json`; the same records give the same
//! bytes. Absent on purpose: servers, locks held while reading, anything that must be running.

mod append;
mod layout;
mod lock;
mod meta;
mod partition;
mod quarantine;
mod scan;
mod tend;
mod write;

pub use append::Appender;
pub use layout::{Partition, parse_folder};
pub use lock::WriterLock;
pub(crate) use meta::publish;
pub use meta::{Meta, MetaFile};
pub use partition::Replacement;
pub use quarantine::Quarantined;
pub use scan::{Catalog, Part, PartitionStat, Selection, SymbolPattern};
pub use write::{CatalogWriter, WriterOptions, Written};
