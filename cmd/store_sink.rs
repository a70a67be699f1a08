//! Records into the store, from whatever source a command has.

use qt_model::record::Batch;
use qt_store::{Bulk, Inserted};

use crate::context::Context;
use crate::store_access as access;

/// The store of the settings, open for writing.
#[derive(Debug)]
pub(crate) struct StoreSink {
    bulk: Bulk,
    name: String,
}

impl StoreSink {
    pub(crate) fn open(context: &Context) -> anyhow::Result<Self> {
        let store = access::needed(context.settings()?)?;
        let name = store.name().to_owned();
        Ok(Self { bulk: Bulk::open(&store)?, name })
    }

    pub(crate) fn write(&mut self, batch: &Batch) -> anyhow::Result<()> {
        Ok(self.bulk.write(batch)?)
    }

    pub(crate) fn finish(self, context: &Context) -> anyhow::Result<()> {
        let Inserted { rows, blocks, repeats } = self.bulk.finish()?;
        context.note(format_args!("{rows} records in {blocks} blocks to {}", self.name));
        if repeats > 0 {
            context.note(format_args!("{repeats} blocks were there already and were left out"));
        }
        Ok(())
    }
}
