//! Batches of one kind to a Parquet file.

use std::collections::HashMap;
use std::io::Write;

use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::metadata::{KeyValue, SortingColumn};
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterVersion};
use parquet::schema::types::ColumnPath;
use qt_model::record::{Batch, Kind, Record};
use qt_model::time::Ts;

use super::{END_KEY, HEADER_KEY, SPAN_KEY};
use crate::columns::RowWriter;
use crate::error::WriteError;
use crate::frame::{End, Header};

/// How many records a row group holds unless configured.
pub const ROW_GROUP_RECORDS: usize = 131_072;

/// Writes one file. Records gather until they fill a row group.
pub struct ParquetWriter<W: Write + Send> {
    kind: Kind,
    rows: RowWriter,
    writer: ArrowWriter<W>,
    gathered: Batch,
    row_group_records: usize,
    span: Option<(Ts, Ts)>,
}

impl<W: Write + Send> std::fmt::Debug for ParquetWriter<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ParquetWriter").field("kind", &self.kind).finish_non_exhaustive()
    }
}

impl<W: Write + Send> ParquetWriter<W> {
    /// `header` names the one kind and the instruments of the file.
    pub fn new(
        out: W,
        kind: Kind,
        header: &Header,
        row_group_records: usize,
    ) -> Result<Self, WriteError> {
        let rows = RowWriter::new(kind, &header.instruments, false, HashMap::new());
        let properties = properties(&rows, header);
        // Without the Arrow schema inside, every reader goes by the plain types of Parquet.
        let options =
            ArrowWriterOptions::new().with_properties(properties).with_skip_arrow_metadata(true);
        let schema = std::sync::Arc::clone(rows.schema());
        let writer = ArrowWriter::try_new_with_options(out, schema, options).map_err(unfit)?;
        let gathered = Batch::new(std::sync::Arc::clone(&header.instruments));
        Ok(Self { kind, rows, writer, gathered, row_group_records, span: None })
    }

    pub fn write(&mut self, batch: &Batch) -> Result<(), WriteError> {
        for record in batch.iter() {
            self.push(batch, record)?;
        }
        Ok(())
    }

    /// Takes one record of a batch.
    #[inline]
    pub fn push(&mut self, batch: &Batch, record: Record<'_>) -> Result<(), WriteError> {
        if record.kind() != self.kind {
            return Err(WriteError::misplaced(&record, self.kind, "a Parquet file"));
        }
        if self.gathered.instruments().len() < batch.instruments().len() {
            self.gathered.set_instruments(std::sync::Arc::clone(batch.instruments()));
        }
        let at = record.head().ts_recv;
        let (first, last) = self.span.unwrap_or((at, at));
        self.span = Some((first.min(at), last.max(at)));
        self.gathered.push(record);
        if self.gathered.len() >= self.row_group_records {
            self.flush()?;
        }
        Ok(())
    }

    /// Records that wait for their row group to fill.
    pub fn pending(&self) -> usize {
        self.gathered.len()
    }

    /// Closes the row group at hand.
    pub fn flush(&mut self) -> Result<(), WriteError> {
        if self.gathered.is_empty() {
            return Ok(());
        }
        let table = self.rows.table(&self.gathered, &[])?;
        self.writer.write(&table).map_err(unfit)?;
        self.writer.flush().map_err(unfit)?;
        self.gathered.clear();
        Ok(())
    }

    /// Writes the footer and hands the file back.
    pub fn finish(mut self, end: &End) -> Result<W, WriteError> {
        self.flush()?;
        let mut note = |key: &str, value: String| {
            self.writer.append_key_value_metadata(KeyValue::new(key.to_owned(), value));
        };
        note(END_KEY, end.to_json());
        if let Some((first, last)) = self.span {
            note(SPAN_KEY, format!("{}/{}", first.nanos(), last.nanos()));
        }
        self.writer.into_inner().map_err(unfit)
    }
}

fn properties(rows: &RowWriter, header: &Header) -> WriterProperties {
    let level = ZstdLevel::try_new(3).expect("three is a level of zstd");
    let mut builder = WriterProperties::builder()
        .set_writer_version(WriterVersion::PARQUET_1_0)
        .set_compression(Compression::ZSTD(level))
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_max_row_group_row_count(None)
        .set_created_by(format!("qt {}", header.qt))
        .set_key_value_metadata(Some(vec![KeyValue::new(HEADER_KEY.to_owned(), header.to_json())]));
    let mut sorting = Vec::new();
    for (at, field) in rows.schema().fields().iter().enumerate() {
        use arrow::datatypes::DataType;
        let path = ColumnPath::from(field.name().as_str());
        // Times and numbers rise by small steps and prices wander: their differences are short.
        // Sizes have no such neighbourhood and few distinct values near each other.
        let is_delta = matches!(field.data_type(), DataType::Timestamp(..) | DataType::UInt64)
            || field.name().ends_with("px")
            || field.name() == "level";
        let is_wide = matches!(field.data_type(), DataType::Decimal128(..));
        if is_wide {
            // The least and the largest of a chunk would hold on to all of it until the file ends.
            builder = builder.set_column_statistics_enabled(path, EnabledStatistics::None);
        } else if is_delta {
            builder = builder
                .set_column_dictionary_enabled(path.clone(), false)
                .set_column_encoding(path, Encoding::DELTA_BINARY_PACKED);
        }
        if field.name() == "ts_recv" || field.name() == "seq" {
            sorting.push(SortingColumn {
                column_idx: (at as u32).cast_signed(),
                descending: false,
                nulls_first: false,
            });
        }
    }
    builder.set_sorting_columns(Some(sorting)).build()
}

pub(crate) fn unfit(error: parquet::errors::ParquetError) -> WriteError {
    match error {
        parquet::errors::ParquetError::External(source) => match source.downcast() {
            Ok(io) => WriteError::Io(*io),
            Err(source) => WriteError::Unfit(source.to_string()),
        },
        other => WriteError::Unfit(other.to_string()),
    }
}
