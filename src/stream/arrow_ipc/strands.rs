//! Arrow IPC to strands: tables in which nothing is missing stay columns.

use std::sync::Arc;

use qt_model::record::{Batch, Source};

use super::read::ArrowReader;
use crate::braid::Strand;
use crate::columns::Plain;
use crate::error::ReadError;

impl ArrowReader {
    /// The next table as columns; nothing where the road of rows takes over, for this table or for the
    /// end of the stream.
    fn plain_table(&mut self) -> Result<Option<Plain>, ReadError> {
        let table = match self.first.take() {
            Some(table) => Some(table),
            None => match self.next_table() {
                Ok(table) => table,
                Err(error) => {
                    self.is_done = true;
                    self.forgive(Err(error))?;
                    None
                }
            },
        };
        let Some(table) = table else { return Ok(None) };
        let channel = &mut self.channels[0];
        let rows = channel.rows.as_mut().expect("a plain stream has the reader of its rows");
        let plain = rows.plain(&table, &mut self.symbols);
        // A record is never split over two tables of a stream.
        let plain = plain.filter(|plain| plain.records() > 0 && plain.start(0) == 0);
        if plain.is_none() {
            self.first = Some(table);
            return Ok(None);
        }
        rows.pass_over(table.num_rows());
        channel.read += table.num_rows() as u64;
        Ok(plain)
    }
}

impl Source<Strand> for ArrowReader {
    type Error = ReadError;

    fn next(&mut self, strand: &mut Strand) -> Result<bool, ReadError> {
        let may_be_columns = self.pending.is_none() && !self.is_done;
        let columns = match self.is_plain {
            _ if !may_be_columns => None,
            true => self.plain_table()?.map(|plain| {
                let records = 0..plain.records();
                Strand::columns(&Arc::new(plain), records)
            }),
            false => self.next_weave().map(Strand::woven),
        };
        if let Some(columns) = columns {
            *strand = columns;
            if let Some(digest) = &mut self.digest {
                digest.strand(strand);
            }
            return Ok(true);
        }
        let mut batch = Batch::default();
        let more = self.next(&mut batch)?;
        *strand = Strand::of_rows(batch);
        Ok(more)
    }
}
