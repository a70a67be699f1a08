//! What a batch of the stream is, as the driver takes it, and the features of its records.
//!
//! Absent on purpose: any difference in what comes of it. Columns are read where nobody looks at single
//! records; where somebody does, a row is made of the record at hand.

use std::sync::Arc;

use qt_market::features::{Marks, Rows};
use qt_model::ids::InstrumentId;
use qt_model::instrument::Instruments;
use qt_model::record::{Batch, ColumnTable, Kind, Record};
use qt_model::time::Ts;
use qt_trade::core::Front;

use super::times::are_sound;

/// See the module. A copy shares the records.
#[derive(Clone, Debug)]
pub enum Records {
    Rows(Arc<Batch>),
    Columns(ColumnTable),
}

impl From<Arc<Batch>> for Records {
    fn from(batch: Arc<Batch>) -> Self {
        Self::Rows(batch)
    }
}

impl From<ColumnTable> for Records {
    fn from(table: ColumnTable) -> Self {
        Self::Columns(table)
    }
}

impl Records {
    pub fn len(&self) -> usize {
        match self {
            Self::Rows(batch) => batch.len(),
            Self::Columns(table) => table.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn instruments(&self) -> &Arc<Instruments> {
        match self {
            Self::Rows(batch) => batch.instruments(),
            Self::Columns(table) => table.instruments(),
        }
    }

    pub(super) fn count(&self, kind: Kind) -> usize {
        match self {
            Self::Rows(batch) => batch.count(kind),
            Self::Columns(table) if kind == table.kind() => table.len(),
            Self::Columns(_) => 0,
        }
    }

    /// When the stream says that we received a record.
    #[inline]
    pub fn ts_recv(&self, at: usize) -> Ts {
        match self {
            Self::Rows(batch) => batch.slots()[at].ts_recv,
            Self::Columns(table) => Ts::from_nanos(table.ts_recv()[at]),
        }
    }

    /// The same records as rows.
    pub fn to_batch(&self) -> Arc<Batch> {
        match self {
            Self::Rows(batch) => Arc::clone(batch),
            Self::Columns(table) => Arc::new(table.to_batch()),
        }
    }

    #[inline]
    pub(super) fn kind(&self, at: usize) -> Kind {
        match self {
            Self::Rows(batch) => batch.slots()[at].kind,
            Self::Columns(table) => table.kind(),
        }
    }

    #[inline]
    pub(super) fn instrument(&self, at: usize) -> Option<InstrumentId> {
        match self {
            Self::Rows(batch) => batch.head(at).instrument,
            Self::Columns(table) => Some(table.instrument()),
        }
    }

    /// Shows a record.
    #[inline]
    pub(super) fn with<R>(&self, at: usize, look: impl FnOnce(&Record<'_>) -> R) -> R {
        match self {
            Self::Rows(batch) => look(&batch.get(at)),
            Self::Columns(table) => table.with(at, look),
        }
    }

    /// The same records, as rows where a stretch of them could not be told from its columns: crossed
    /// prices have no middle, and times that go back no order.
    pub(super) fn sound(self) -> Self {
        match self {
            Self::Columns(table) if !are_sound(table.ts_recv(), table.prices()) => {
                Self::Rows(Arc::new(table.to_batch()))
            }
            sound @ (Self::Rows(_) | Self::Columns(_)) => sound,
        }
    }
}

/// Features of the records of a batch, where they are computed here.
#[derive(Clone, Copy, Debug)]
pub(super) enum Signals<'a> {
    Rows(Rows<'a>),
    /// A column a feature.
    Columns(&'a [Vec<f64>], Marks<'a>),
}

impl Signals<'_> {
    /// Whether a record caused a row.
    #[inline]
    pub(super) fn has_row(&self, at: usize) -> bool {
        match self {
            Self::Rows(rows) => rows.of(at).is_some(),
            Self::Columns(_, marks) => marks.row_of(at).is_some(),
        }
    }

    /// Lets the front take the row of a record, which is there.
    pub(super) fn show(&self, at: usize, instrument: InstrumentId, now: Ts, front: &mut Front) {
        match self {
            Self::Rows(rows) => {
                let row = rows.of(at).expect("the record caused a row");
                front.features(instrument, now, row.values.iter().copied());
            }
            Self::Columns(columns, marks) => {
                let row = marks.row_of(at).expect("the record caused a row");
                front.features(instrument, now, columns.iter().map(|column| column[row]));
            }
        }
    }
}
