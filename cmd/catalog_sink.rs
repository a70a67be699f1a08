//! Records into the catalog, from whatever source a command has.

use std::path::PathBuf;

use qt_model::record::Batch;
use qt_stream::catalog::{CatalogWriter, WriterOptions, Written};
use qt_stream::error::WriteError;
use qt_stream::frame::Header;

use crate::context::Context;
use crate::failure::Failure;
use crate::write_args::WriteArgs;

/// The catalog of the settings, open for writing.
#[derive(Debug)]
pub(crate) struct CatalogSink {
    writer: CatalogWriter,
    root: PathBuf,
}

impl CatalogSink {
    pub(crate) fn open(
        header: &Header,
        write: &WriteArgs,
        context: &Context,
    ) -> anyhow::Result<Self> {
        let settings = context.settings()?;
        let root = settings.data();
        let options = WriterOptions {
            row_group_records: settings.catalog_row_group_records() as usize,
            replace: write.force,
            ..WriterOptions::default()
        };
        let writer = CatalogWriter::open(&root, header, options).map_err(raise)?;
        Ok(Self { writer, root })
    }

    pub(crate) fn write(&mut self, batch: &Batch) -> anyhow::Result<()> {
        self.writer.write(batch).map_err(raise)
    }

    pub(crate) fn finish(self, context: &Context) -> anyhow::Result<Written> {
        let written = self.writer.finish().map_err(raise)?;
        let Written { rows, files } = written;
        context.note(format_args!("{rows} records in {files} files under {}", self.root.display()));
        Ok(written)
    }
}

/// Says what helps where the catalog refuses.
pub(crate) fn raise(error: WriteError) -> anyhow::Error {
    match error {
        WriteError::Io(source) => anyhow::Error::new(source).context("writing the catalog"),
        exists @ WriteError::Exists { .. } => {
            Failure::usage(exists.to_string()).with_hint("`--force` replaces what is there").into()
        }
        busy @ WriteError::Busy { .. } => Failure::usage(busy.to_string()).into(),
        unfit @ WriteError::Unfit(_) => anyhow::Error::new(unfit).context("writing the catalog"),
    }
}
