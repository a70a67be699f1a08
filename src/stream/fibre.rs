//! The records of one table, as columns or as rows: what strands and braids show parts of.

use std::sync::Arc;

use qt_model::instrument::Instruments;
use qt_model::record::{Batch, Key, Kind, Sequence};

use crate::columns::Plain;

/// See the module. Copies share what they show.
#[derive(Clone, Debug)]
pub(crate) enum Fibre {
    Columns(Arc<Plain>),
    Rows(Arc<Batch>),
}

impl Fibre {
    pub(crate) fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Columns(a), Self::Columns(b)) => Arc::ptr_eq(a, b),
            (Self::Rows(a), Self::Rows(b)) => Arc::ptr_eq(a, b),
            _ => false,
        }
    }

    pub(crate) fn instruments(&self) -> &Arc<Instruments> {
        match self {
            Self::Columns(plain) => plain.instruments(),
            Self::Rows(batch) => batch.instruments(),
        }
    }

    #[inline]
    pub(crate) fn kind(&self, at: usize) -> Kind {
        match self {
            Self::Columns(plain) => plain.kind(),
            Self::Rows(batch) => batch.slots()[at].kind,
        }
    }

    pub(crate) fn key(&self, at: usize) -> Key {
        match self {
            Self::Columns(plain) => plain.key(at),
            Self::Rows(batch) => batch.key(at),
        }
    }
}
