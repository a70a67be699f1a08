//! What a lane of a merge reads: a file or a pipe, or a series of a store.

use std::io;
use std::sync::Arc;

use qt_model::record::{Batch, Source};
use qt_store::Series;
use qt_stream::braid::Strand;
use qt_stream::error::ReadError;
use qt_stream::input::AnyReader;
use qt_stream::place::Place;
use qt_stream::universe::Universe;

use super::source::Rules;

#[derive(Debug)]
pub(crate) enum Reader {
    Input(AnyReader),
    Store(Box<StoreLane>),
}

/// A series with the instruments of all that is read together.
#[derive(Debug)]
pub(crate) struct StoreLane {
    name: Arc<str>,
    series: Series,
    /// Asked once the first record is due: by then all inputs have declared theirs.
    universe: Option<Universe>,
}

impl StoreLane {
    pub(super) fn new(name: &str, series: Series, rules: &Rules) -> Self {
        Self { name: name.into(), series, universe: Some(rules.options.universe.clone()) }
    }

    fn next(&mut self, batch: &mut Batch) -> Result<bool, ReadError> {
        if let Some(universe) = self.universe.take() {
            self.series.set_instruments(universe.snapshot());
        }
        self.series.next(batch).map_err(|error| ReadError::Io {
            place: Place::whole(&self.name),
            cause: io::Error::other(error),
        })
    }
}

impl Source<Batch> for Reader {
    type Error = ReadError;

    fn next(&mut self, batch: &mut Batch) -> Result<bool, ReadError> {
        match self {
            Self::Input(reader) => reader.next(batch),
            Self::Store(lane) => lane.next(batch),
        }
    }
}

impl Source<Strand> for Reader {
    type Error = ReadError;

    fn next(&mut self, strand: &mut Strand) -> Result<bool, ReadError> {
        match self {
            Self::Input(reader) => reader.next(strand),
            Self::Store(lane) => {
                let mut batch = Batch::default();
                let more = lane.next(&mut batch)?;
                *strand = Strand::of_rows(batch);
                Ok(more)
            }
        }
    }
}
