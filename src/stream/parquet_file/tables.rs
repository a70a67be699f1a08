//! The tables of a file, a row group after the other.
//!
//! Invariant: no table reaches from one row group into the next. Each group has dictionaries of its
//! own; a table over two of them would be built from its texts anew, at a multiple of the cost.

use std::collections::VecDeque;

use arrow::array::RecordBatch;
use arrow::error::ArrowError;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};
use parquet::file::statistics::Statistics;

use super::chunks::Chunks;

/// See the module.
#[derive(Debug)]
pub(super) struct Tables {
    pub(super) file: Chunks,
    pub(super) metadata: ArrowReaderMetadata,
    /// The columns that are read.
    pub(super) mask: ProjectionMask,
    pub(super) rows_max: usize,
    /// The row groups that are left.
    pub(super) groups: VecDeque<usize>,
    /// The group at hand.
    pub(super) group: Option<ParquetRecordBatchReader>,
}

impl Tables {
    pub(super) fn next(&mut self) -> Result<Option<RecordBatch>, ArrowError> {
        loop {
            if let Some(table) = self.group.as_mut().and_then(Iterator::next) {
                return table.map(Some);
            }
            let Some(group) = self.groups.pop_front() else { return Ok(None) };
            let (file, metadata) = (self.file.clone(), self.metadata.clone());
            let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata)
                .with_projection(self.mask_of(group))
                .with_row_groups(vec![group])
                .with_batch_size(self.rows_max);
            self.group = Some(builder.build()?);
        }
    }
    /// The columns to read of a group. One without a single value says as much as one that is not
    /// there, and nothing is to be decoded.
    fn mask_of(&self, group: usize) -> ProjectionMask {
        let group = self.metadata.metadata().row_group(group);
        let rows = u64::try_from(group.num_rows()).unwrap_or_default();
        let is_empty = |column: usize| {
            let statistics = group.column(column).statistics();
            rows > 0 && statistics.and_then(Statistics::null_count_opt) == Some(rows)
        };
        let schema = self.metadata.parquet_schema();
        let leaves = (0..group.num_columns()).filter(|column| {
            // The list of a record without values is a value: only plain columns can be left out.
            let is_plain = schema.column(*column).max_rep_level() == 0;
            self.mask.leaf_included(*column) && !(is_plain && is_empty(*column))
        });
        ProjectionMask::leaves(schema, leaves)
    }
}
