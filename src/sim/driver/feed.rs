//! The delay between a stream and a strategy, where one is added to what the data says.

use qt_model::time::Ts;

use crate::exchange::{Latency, Operation};

/// When the records of a stream are received. In their order all the same, as over one wire.
#[derive(Clone, Debug)]
pub struct Feed {
    latency: Option<Latency>,
    received: u64,
    last: i64,
}

impl Feed {
    /// Without a latency, records are received when the stream says.
    pub fn new(latency: Option<Latency>) -> Self {
        Self { latency, received: 0, last: i64::MIN }
    }

    #[inline]
    pub(super) fn is_delayed(&self) -> bool {
        self.latency.is_some()
    }

    /// When the last record was received that was delayed.
    pub(super) fn last(&self) -> i64 {
        self.last
    }

    /// When the next record of the stream is received.
    #[inline]
    pub fn receive(&mut self, ts_recv: Ts) -> Ts {
        let Some(latency) = &self.latency else { return ts_recv };
        let delay = latency.draw(Operation::Feed, ts_recv, self.received).max(0);
        self.received += 1;
        self.last = self.last.max(ts_recv.nanos().saturating_add(delay));
        Ts::from_nanos(self.last)
    }
}
