//! One stream out: to standard output, or to a file that appears whole or not at all.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use qt_model::record::Batch;
use qt_stream::annotated::Annotated;
use qt_stream::braid::Braid;
use qt_stream::error::WriteError;
use qt_stream::frame::{End, Header};
use qt_stream::wide::WideColumns;
use qt_stream::write::{Format, StreamWriter};
use tempfile::NamedTempFile;

use crate::choice::OutputFormat;
use crate::context::Context;
use crate::output::Stdout;
use crate::stream_args::OutputArgs;
use crate::write_args::WriteArgs;

/// Where a command writes its records.
#[derive(Debug)]
pub(crate) struct Sink {
    writer: StreamWriter<Target>,
    /// What the staged file will be called.
    path: Option<PathBuf>,
}

#[derive(Debug)]
enum Target {
    Stdout(Stdout),
    File(BufWriter<NamedTempFile>),
}

impl Sink {
    pub(crate) fn open(
        args: &OutputArgs,
        write: &WriteArgs,
        header: &Header,
        context: &Context,
    ) -> anyhow::Result<Self> {
        Self::open_as(args, write, header, None, context)
    }

    /// The same, as a wide table where columns are given.
    pub(crate) fn open_as(
        args: &OutputArgs,
        write: &WriteArgs,
        header: &Header,
        columns: Option<WideColumns>,
        context: &Context,
    ) -> anyhow::Result<Self> {
        let settings = context.settings()?;
        let format = match args.format(settings) {
            OutputFormat::Ndjson => Format::Ndjson,
            OutputFormat::Arrow => Format::Arrow,
            OutputFormat::Parquet => Format::Parquet,
            OutputFormat::Csv => Format::Csv,
            OutputFormat::Table => Format::Table,
        };
        let (target, path) = match args.out() {
            None => (Target::Stdout(context.stdout()?), None),
            Some(path) => {
                write.check(path)?;
                let staged = stage(path).with_context(|| format!("writing {}", path.display()))?;
                (Target::File(BufWriter::with_capacity(1 << 16, staged)), Some(path.to_owned()))
            }
        };
        let rows = settings.catalog_row_group_records() as usize;
        let writer = match columns {
            Some(columns) => StreamWriter::wide(target, format, columns, header, rows),
            None => StreamWriter::new(target, format, header, rows),
        };
        let writer = writer.map_err(unwrap_io)?;
        Ok(Self { writer, path })
    }

    pub(crate) fn write(&mut self, batch: &Batch) -> anyhow::Result<()> {
        self.writer.write(batch).map_err(unwrap_io)
    }

    pub(crate) fn write_braid(&mut self, braid: &Braid) -> anyhow::Result<()> {
        self.writer.write_braid(braid).map_err(unwrap_io)
    }

    /// Whether annotated batches need not become records first.
    pub(crate) fn takes_annotated(&self) -> bool {
        self.writer.takes_annotated()
    }

    pub(crate) fn write_annotated(
        &mut self,
        annotated: &Annotated<'_>,
        columns: Option<&Braid>,
    ) -> anyhow::Result<()> {
        self.writer.write_annotated(annotated, columns).map_err(unwrap_io)
    }

    pub(crate) fn flush(&mut self) -> anyhow::Result<()> {
        self.writer.flush().map_err(unwrap_io)
    }

    /// Closes the stream and gives a file its name.
    pub(crate) fn finish(self, closing: End) -> anyhow::Result<End> {
        let (target, end) = self.writer.finish(closing).map_err(unwrap_io)?;
        match (target, self.path) {
            (Target::File(staged), Some(path)) => {
                publish(staged, &path).with_context(|| format!("writing {}", path.display()))?;
            }
            (Target::Stdout(_) | Target::File(_), _) => {}
        }
        Ok(end)
    }
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."))
}

fn stage(path: &Path) -> io::Result<NamedTempFile> {
    tempfile::Builder::new()
        .prefix(".staged-")
        .permissions(crate::write_args::shared())
        .tempfile_in(folder_of(path))
}

fn publish(staged: BufWriter<NamedTempFile>, path: &Path) -> io::Result<()> {
    let staged = staged.into_inner().map_err(io::IntoInnerError::into_error)?;
    staged.as_file().sync_all()?;
    staged.persist(path).map_err(|error| error.error)?;
    File::open(folder_of(path))?.sync_all()
}

/// Brings the error of the outside to the surface, where a closed pipe is recognised.
fn unwrap_io(error: WriteError) -> anyhow::Error {
    match error {
        WriteError::Io(source) => source.into(),
        other @ (WriteError::Unfit(_) | WriteError::Exists { .. } | WriteError::Busy { .. }) => {
            other.into()
        }
    }
}

impl Write for Target {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Stdout(out) => out.write(bytes),
            Self::File(out) => out.write(bytes),
        }
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Stdout(out) => out.write_all(bytes),
            Self::File(out) => out.write_all(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Stdout(out) => out.flush(),
            Self::File(out) => out.flush(),
        }
    }
}
