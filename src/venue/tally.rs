//! What a decoder met and did not turn into records, by name: nothing is dropped without a count.

/// Counts by reason, in the order of their names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    counts: Vec<(&'static str, u64)>,
}

impl Tally {
    pub(crate) fn add(&mut self, reason: &'static str) {
        self.add_many(reason, 1);
    }

    pub(crate) fn add_many(&mut self, reason: &'static str, count: u64) {
        if count == 0 {
            return;
        }
        // A checksum is counted with every message, and its reason is nearly always the same text in
        // memory: comparing addresses is enough to find it.
        let same = self.counts.iter().position(|(known, _)| std::ptr::eq(*known, reason));
        match same.map_or_else(|| self.place(reason), Ok) {
            Ok(at) => self.counts[at].1 += count,
            Err(at) => self.counts.insert(at, (reason, count)),
        }
    }

    fn place(&self, reason: &str) -> Result<usize, usize> {
        self.counts.binary_search_by(|(known, _)| (*known).cmp(reason))
    }

    pub fn get(&self, reason: &str) -> u64 {
        self.place(reason).map_or(0, |at| self.counts[at].1)
    }

    pub fn iter(&self) -> impl Iterator<Item = (&'static str, u64)> {
        self.counts.iter().copied()
    }
}

/// Reasons that many venues share.
pub(crate) mod left {
    pub(crate) const CONTROL: &str = "answers to our own requests";
    pub(crate) const OTHER_EVENT: &str = "events of kinds that become no record";
    pub(crate) const HISTORY: &str = "prints from before the subscription, repeated by the venue";
    pub(crate) const NO_BOOK: &str = "changes of a book before its snapshot";
    pub(crate) const CHECKSUM: &str = "checksums that do not fit the book";
    pub(crate) const CHECKED: &str = "checksums that fit the book";
    pub(crate) const GAP: &str = "gaps in the sequence of depth updates";
}
