//! The registry of record kinds: one line each, in the order that breaks ties in a stream.
//!
//! From the lines below come `Kind`, the borrowed view `Record` and the tables of a `Batch`. To add
//! a kind: its struct in one of the files beside this, and its line here.

use super::batch::{Batch, Slot};
use super::field::{Field, Value};
use super::{Depth, Head, Level, Row, SymbolRule};

macro_rules! kinds {
    ($($variant:ident $table:ident,)*) => {
        /// The kinds a batch holds. At one `ts_recv` and venue, the earlier kind comes first.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Kind { $($variant),* }

        impl Kind {
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => <super::$variant as Row>::NAME),* }
            }

            pub const fn doc(self) -> &'static str {
                match self { $(Self::$variant => <super::$variant as Row>::DOC),* }
            }

            /// The fields of its own, without those of the head.
            pub const fn fields(self) -> &'static [Field] {
                match self { $(Self::$variant => <super::$variant as Row>::FIELDS),* }
            }

            pub const fn symbol_rule(self) -> SymbolRule {
                match self { $(Self::$variant => <super::$variant as Row>::SYMBOL),* }
            }
        }

        /// One record, borrowed from its batch.
        #[derive(Clone, Copy, Debug, PartialEq)]
        pub enum Record<'a> { $($variant(View<'a, super::$variant>)),* }

        impl<'a> Record<'a> {
            #[inline]
            pub fn kind(&self) -> Kind {
                match self { $(Self::$variant(_) => Kind::$variant),* }
            }

            #[inline]
            pub fn head(&self) -> &'a Head {
                // Most of a day is depth: one comparison, and no jump.
                if let Self::Depth(view) = self {
                    return &view.row.head;
                }
                match self { $(Self::$variant(view) => view.row.head()),* }
            }

            /// The levels of a depth record; empty for every other kind.
            #[inline]
            pub fn levels(&self) -> &'a [Level] {
                match self { $(Self::$variant(view) => view.levels),* }
            }

            /// The value of the field at that position of `Kind::fields`.
            pub fn value(&self, field: usize) -> Value<'a> {
                match self { $(Self::$variant(view) => view.row.value(field)),* }
            }
        }

        /// One table per kind.
        #[derive(Clone, Debug, Default)]
        pub(super) struct Tables { $(pub(super) $table: Vec<super::$variant>),* }

        impl Tables {
            pub(super) fn clear(&mut self) {
                $(self.$table.clear();)*
            }

            #[inline]
            pub(super) fn get<'a>(&'a self, slot: Slot, levels: &'a [Level]) -> Record<'a> {
                let index = slot.index as usize;
                match slot.kind {
                    $(Kind::$variant => Record::$variant(View { row: &self.$table[index], levels })),*
                }
            }

            #[inline]
            pub(super) fn len_of(&self, kind: Kind) -> usize {
                match kind { $(Kind::$variant => self.$table.len()),* }
            }

            #[inline]
            pub(super) fn head(&self, kind: Kind, index: usize) -> &Head {
                match kind { $(Kind::$variant => self.$table[index].head()),* }
            }

            /// Appends the slots of the rows of a kind from that one on.
            pub(super) fn slots_from(&self, kind: Kind, first: usize, order: &mut Vec<Slot>) {
                match kind {
                    $(Kind::$variant => {
                        let rows = (first as u32..).zip(&self.$table[first..]);
                        order.extend(rows.map(|(index, row)| {
                            Slot { ts_recv: row.head().ts_recv, kind, index }
                        }));
                    })*
                }
            }

            pub(super) fn set_seq(&mut self, slot: Slot, seq: u64) {
                let index = slot.index as usize;
                match slot.kind { $(Kind::$variant => self.$table[index].head_mut().seq = seq),* }
            }
        }

        impl Batch {
            /// Appends copies of records `from..to` of another batch with the same instruments.
            pub fn push_range(&mut self, other: &Self, from: usize, to: usize) {
                let mut rest = &other.slots()[from..to];
                while let Some(first) = rest.first() {
                    // Neighbours of one kind lie side by side in its table as well.
                    let run = rest.iter().take_while(|slot| slot.kind == first.kind).count();
                    let (run, after) = rest.split_at(run);
                    match first.kind {
                        $(Kind::$variant => self.push_rows::<super::$variant>(other, run),)*
                    }
                    rest = after;
                }
            }

            /// Appends a copy of a record of another batch with the same instruments.
            #[inline]
            pub fn push(&mut self, record: Record<'_>) {
                match record { $(Record::$variant(view) => self.push_row(view.row.clone(), view.levels)),* }
            }

            /// Appends a record made of the values of its fields. On a misfit: the position of
            /// the field that does not take its value.
            pub fn push_values(
                &mut self, kind: Kind, head: Head, values: &mut [Value<'_>], levels: &[Level],
            ) -> Result<(), usize> {
                match kind {
                    $(Kind::$variant => {
                        let row = <super::$variant as Row>::from_values(head, values)?;
                        self.push_row(row, levels);
                    })*
                }
                Ok(())
            }

            /// Like `push_values`, without a place in the order; not for depth records.
            pub fn extend_values(
                &mut self, kind: Kind, head: Head, values: &mut [Value<'_>],
            ) -> Result<(), usize> {
                match kind {
                    $(Kind::$variant => {
                        self.extend_rows([<super::$variant as Row>::from_values(head, values)?]);
                    })*
                }
                Ok(())
            }
        }

        $(impl Table for super::$variant {
            const KIND: Kind = Kind::$variant;

            #[inline]
            fn of(batch: &Batch) -> &[Self] {
                &batch.tables.$table
            }

            #[inline]
            fn of_mut(batch: &mut Batch) -> &mut Vec<Self> {
                &mut batch.tables.$table
            }
        })*
    };
}

/// A row with what belongs to it elsewhere in the batch.
#[derive(Debug, PartialEq)]
pub struct View<'a, T> {
    pub row: &'a T,
    /// The levels of a depth record; empty for every other kind.
    pub levels: &'a [Level],
}

// Not derived: a view is two pointers and copies whether or not its row does.
impl<T> Clone for View<'_, T> {
    #[inline]
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for View<'_, T> {}

impl<T> std::ops::Deref for View<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        self.row
    }
}

/// A row type that has a table in each batch.
pub trait Table: Row {
    const KIND: Kind;

    fn of(batch: &Batch) -> &[Self];

    #[doc(hidden)]
    fn of_mut(batch: &mut Batch) -> &mut Vec<Self>;
}

kinds! {
    Gap gaps,
    InstrumentRow instruments,
    Status statuses,
    Funding fundings,
    Mark marks,
    Trade trades,
    Mbo mbos,
    Depth depths,
    Quote quotes,
    Bar bars,
    Feature features,
    Label labels,
    InputRow inputs,
    Decision decisions,
    Intent intents,
    Verdict verdicts,
    Order orders,
    Fill fills,
    FillQuality fill_qualities,
    RoundTrip round_trips,
    Position positions,
    Account accounts,
    Breach breaches,
    Enforcement enforcements,
    Lockout lockouts,
    Run runs,
    Equity equities,
    Metric metrics,
    Finding findings,
    Diff diffs,
    Audit audits,
    Health healths,
    Other others,
}

impl Kind {
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| *kind != Self::Other && kind.name() == name)
    }

    /// Position in `ALL`.
    #[inline]
    pub const fn index(self) -> usize {
        self as usize
    }

    /// What the market said, as opposed to what was derived from it.
    pub const fn is_market(self) -> bool {
        (self as u8) <= (Self::Bar as u8)
    }
}

impl PartialEq for Depth {
    fn eq(&self, other: &Self) -> bool {
        self.head == other.head
            && self.action == other.action
            && self.first_id == other.first_id
            && self.last_id == other.last_id
            && self.prev_id == other.prev_id
    }
}
