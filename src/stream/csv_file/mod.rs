//! CSV: the flat tables of the columns, several kinds told apart by the column `k`.
//!
//! For spreadsheets. It carries no frame, so it can neither prove that it is whole nor declare
//! scales: those come from the digits as written, which are all of them.

mod bytes;
mod read;
mod scales;
mod write;

#[cfg(test)]
mod tests;

pub use read::CsvReader;
pub use write::CsvWriter;
pub(crate) use write::from_csv;
