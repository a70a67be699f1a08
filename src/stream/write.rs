//! Writing a stream in any encoding, with its digest and its end.

use std::io::Write;

use qt_model::record::{Batch, Kind};

use crate::annotated::Annotated;
use crate::arrow_ipc::ArrowWriter;
use crate::braid::Braid;
use crate::csv_file::CsvWriter;
use crate::digest::Digest;
use crate::error::WriteError;
use crate::frame::{End, Header};
use crate::json::encode::Encoder;
use crate::parquet_file::ParquetWriter;
use crate::text_table::TableWriter;
use crate::wide::{WideColumns, WideFormat, WideWriter};

/// An encoding to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Ndjson,
    Arrow,
    Parquet,
    Csv,
    Table,
}

/// Writes one stream: header, batches, end.
#[derive(Debug)]
pub struct StreamWriter<W: Write + Send> {
    encoding: Encoding<W>,
    digest: Digest,
}

#[derive(Debug)]
enum Encoding<W: Write + Send> {
    Ndjson { out: W, encoder: Box<Encoder> },
    Arrow(Box<ArrowWriter<W>>),
    Parquet(Box<ParquetWriter<W>>),
    Csv(Box<CsvWriter<W>>),
    Table(TableWriter<W>),
    Wide(Box<WideWriter<W>>),
}

impl<W: Write + Send> StreamWriter<W> {
    pub fn new(
        mut out: W,
        format: Format,
        header: &Header,
        row_group_records: usize,
    ) -> Result<Self, WriteError> {
        let encoding = match format {
            Format::Ndjson => {
                writeln!(out, "{}", header.to_json())?;
                Encoding::Ndjson { out, encoder: Box::default() }
            }
            Format::Arrow => Encoding::Arrow(Box::new(ArrowWriter::new(out, header.clone()))),
            Format::Parquet => {
                let kind = header.only_kind().ok_or_else(|| {
                    let message = "a Parquet file holds one kind of record; choose it with --kinds";
                    WriteError::Unfit(message.to_owned())
                })?;
                let writer = ParquetWriter::new(out, kind, header, row_group_records)?;
                Encoding::Parquet(Box::new(writer))
            }
            Format::Csv => {
                let known = |name: &String| Kind::from_name(name);
                let kinds =
                    header.kinds.as_ref().map(|kinds| kinds.iter().filter_map(known).collect());
                Encoding::Csv(Box::new(CsvWriter::new(out, kinds)))
            }
            Format::Table => Encoding::Table(TableWriter::new(out, header.only_kind())),
        };
        Ok(Self { encoding, digest: Digest::default() })
    }

    /// A table of features instead of a stream.
    pub fn wide(
        out: W,
        format: Format,
        columns: WideColumns,
        header: &Header,
        row_group_records: usize,
    ) -> Result<Self, WriteError> {
        let format = match format {
            Format::Parquet => WideFormat::Parquet,
            Format::Csv => WideFormat::Csv,
            Format::Ndjson | Format::Arrow | Format::Table => {
                let message = "a wide table is Parquet or CSV; `-o parquet` or `-o csv` says which";
                return Err(WriteError::Unfit(message.to_owned()));
            }
        };
        let writer = WideWriter::new(out, format, columns, header, row_group_records)?;
        Ok(Self { encoding: Encoding::Wide(Box::new(writer)), digest: Digest::default() })
    }

    pub fn write(&mut self, batch: &Batch) -> Result<(), WriteError> {
        self.digest.update(batch);
        match &mut self.encoding {
            Encoding::Ndjson { out, encoder } => Ok(out.write_all(encoder.lines(batch))?),
            Encoding::Arrow(writer) => writer.write(batch),
            Encoding::Parquet(writer) => writer.write(batch),
            Encoding::Csv(writer) => writer.write(batch),
            Encoding::Table(writer) => writer.write(batch),
            Encoding::Wide(writer) => writer.write(batch),
        }
    }

    /// The same of a braid. Only Arrow has a use for columns.
    pub fn write_braid(&mut self, braid: &Braid) -> Result<(), WriteError> {
        let Encoding::Arrow(writer) = &mut self.encoding else {
            return self.write(&braid.to_batch());
        };
        self.digest.braid(braid);
        writer.write_braid(braid)
    }

    /// Whether annotated batches need not become records first.
    pub fn takes_annotated(&self) -> bool {
        matches!(self.encoding, Encoding::Arrow(_) | Encoding::Ndjson { .. })
    }

    /// The same of a batch with rows of features behind its records. Arrow takes the records from
    /// columns, where they came as such.
    pub fn write_annotated(
        &mut self,
        annotated: &Annotated<'_>,
        columns: Option<&Braid>,
    ) -> Result<(), WriteError> {
        match &mut self.encoding {
            Encoding::Arrow(writer) if writer.takes(annotated) => {
                self.digest.annotated(annotated);
                writer.write_annotated(annotated, columns)
            }
            Encoding::Ndjson { out, encoder } => {
                self.digest.annotated(annotated);
                Ok(out.write_all(encoder.annotated(annotated))?)
            }
            Encoding::Arrow(_)
            | Encoding::Parquet(_)
            | Encoding::Csv(_)
            | Encoding::Table(_)
            | Encoding::Wide(_) => {
                let mut records = Batch::default();
                annotated.records(&mut records);
                self.write(&records)
            }
        }
    }

    /// Hands on what is buffered: before a wait, so that the next stage need not wait too.
    pub fn flush(&mut self) -> Result<(), WriteError> {
        match &mut self.encoding {
            Encoding::Ndjson { out, .. } => Ok(out.flush()?),
            Encoding::Arrow(writer) => writer.flush(),
            // A row group is the least that Parquet can hand on.
            Encoding::Parquet(_) | Encoding::Wide(_) => Ok(()),
            Encoding::Csv(writer) => writer.flush(),
            Encoding::Table(writer) => writer.flush(),
        }
    }

    pub fn records(&self) -> u64 {
        self.digest.records()
    }

    /// Closes the stream. Of `closing`, count and digest are filled in here.
    pub fn finish(self, closing: End) -> Result<(W, End), WriteError> {
        let (records, digest) = (self.digest.records(), self.digest.text());
        let end = End { records, digest, ..closing };
        let out = match self.encoding {
            Encoding::Ndjson { mut out, .. } => {
                writeln!(out, "{}", end.to_json())?;
                out.flush()?;
                out
            }
            Encoding::Arrow(writer) => writer.finish(&end)?,
            Encoding::Parquet(writer) => writer.finish(&end)?,
            Encoding::Csv(writer) => writer.finish()?,
            Encoding::Table(writer) => writer.finish()?,
            Encoding::Wide(writer) => writer.finish()?,
        };
        Ok((out, end))
    }
}
