//! Faults on request, by counting: the same stream has them at the same places.

/// Every so many messages, one goes wrong. `None` never does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// Depth updates that are left out.
    pub gap_every: Option<u64>,
    /// Depth updates that are sent twice.
    pub duplicate_every: Option<u64>,
    /// Depth updates that are sent behind the next one of their instrument.
    pub reorder_every: Option<u64>,
    /// Messages of any kind behind which all connections are cut.
    pub disconnect_every: Option<u64>,
}

/// What happens to one depth update.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    None,
    Gap,
    Duplicate,
    Reorder,
}

/// Counts, and says what is due.
#[derive(Debug, Default)]
pub(super) struct Injector {
    faults: Faults,
    updates: u64,
    messages: u64,
}

impl Injector {
    pub(super) fn new(faults: Faults) -> Self {
        Self { faults, ..Self::default() }
    }

    pub(super) fn update(&mut self) -> Fault {
        self.updates += 1;
        let due = |every: Option<u64>| is_due(self.updates, every);
        if due(self.faults.gap_every) {
            Fault::Gap
        } else if due(self.faults.duplicate_every) {
            Fault::Duplicate
        } else if due(self.faults.reorder_every) {
            Fault::Reorder
        } else {
            Fault::None
        }
    }

    /// Whether connections are cut behind this message.
    pub(super) fn cuts(&mut self) -> bool {
        self.messages += 1;
        is_due(self.messages, self.faults.disconnect_every)
    }
}

fn is_due(count: u64, every: Option<u64>) -> bool {
    every.is_some_and(|every| every > 0 && count.is_multiple_of(every))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_come_by_counting() {
        let faults = Faults { gap_every: Some(3), duplicate_every: Some(2), ..Faults::default() };
        let mut injector = Injector::new(faults);
        let all: Vec<_> = (0..6).map(|_| injector.update()).collect();
        use Fault::{Duplicate, Gap, None};
        assert_eq!(all, [None, Duplicate, Gap, Duplicate, None, Gap]);
        assert!(!(0..100).any(|_| injector.cuts()));
    }
}
