//! The only room that knows databases: records in ClickHouse.
//!
//! A kind of record has a table ([`tables`]), batches become blocks of the Native format and blocks
//! become batches again ([`native`]), and a [`Store`] is a database whose tables were compared with
//! what this program writes. Invariants: prices and sizes are the mantissas that they are in memory,
//! each row with its scales; a batch is known by the hash of its rows, so that it can be inserted
//! again after any failure and is there once. Absent on purpose: files, the log before the store and
//! waiting between tries, which are the recorder's; clocks; more than one database.

mod address;
mod bulk;
mod client;
mod contents;
mod error;
mod grades;
mod insert;
pub mod native;
mod series;
mod store;
pub mod tables;

pub use address::{Address, Credentials};
pub use bulk::Bulk;
pub use contents::{Day, Expiry};
pub use error::StoreError;
pub use grades::{Grades, Judged};
pub use insert::Inserted;
pub use series::{Part, Series, Wanted};
pub use store::{Ends, KeptDays, Store};
