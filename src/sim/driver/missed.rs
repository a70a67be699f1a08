//! What a lane that slept has to hear of: what was shown, and what positions are marked at.
//!
//! Both lists hold things one by one, and stretches of records that lie as columns: those are not copied,
//! their places are noted. Invariant: told in turn, it is what a lane that never slept is told, but for
//! repetitions of what it knows.

use std::ops::Range;

use qt_model::ids::InstrumentId;
use qt_model::record::Kind;
use qt_model::time::Ts;
use qt_trade::ledger::DoublePx;
use qt_trade::metrics::{Quoted, Touch};

use super::records::Records;
use super::window::Chunk;

/// The best prices that a venue shows.
#[derive(Clone, Copy, Debug)]
pub struct Shown {
    pub at: Ts,
    pub instrument: InstrumentId,
    pub touch: Option<Touch>,
}

/// What a position is valued at.
#[derive(Clone, Copy, Debug)]
pub struct Marked {
    pub now: Ts,
    pub mark: DoublePx,
    pub instrument: InstrumentId,
    /// How much was shown before it, counted from the beginning of the batch; of a stretch, its time
    /// tells.
    behind: Option<usize>,
}

/// One thing of what was missed.
#[derive(Clone, Copy, Debug)]
pub enum Heard {
    Shown(Shown),
    Marked(Marked),
}

/// A run of one list.
#[derive(Clone, Copy, Debug)]
pub enum Part<'a, T> {
    Each(&'a [T]),
    /// Prices of an instrument. What is held of it is valued at their middles; of a bar both are its
    /// close.
    Prices(InstrumentId, Quoted<'a>),
}

/// Places of records of the batch at hand, behind so many things of the list.
#[derive(Clone, Copy, Debug)]
struct Span {
    behind: usize,
    from: usize,
    to: usize,
}

/// One of the lists as it grows.
#[derive(Debug)]
pub(super) struct Notes<T> {
    each: Vec<T>,
    spans: Vec<Span>,
    /// How much all of it is.
    count: usize,
}

impl<T> Default for Notes<T> {
    fn default() -> Self {
        Self { each: Vec::new(), spans: Vec::new(), count: 0 }
    }
}

/// How far somebody has heard a list: things, stretches, and how much both are.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Read {
    each: usize,
    spans: usize,
    count: usize,
}

impl<T> Notes<T> {
    pub(super) fn clear(&mut self) {
        self.each.clear();
        self.spans.clear();
        self.count = 0;
    }

    pub(super) fn push(&mut self, one: T) {
        self.each.push(one);
        self.count += 1;
    }

    pub(super) fn stretch(&mut self, places: Range<usize>) {
        self.count += places.len();
        self.spans.push(Span { behind: self.each.len(), from: places.start, to: places.end });
    }

    pub(super) fn read(&self) -> Read {
        Read { each: self.each.len(), spans: self.spans.len(), count: self.count }
    }

    pub(super) fn since(&self, read: Read) -> Rest<'_, T> {
        Rest { each: &self.each[read.each..], spans: &self.spans[read.spans..], read }
    }
}

impl Notes<Marked> {
    /// Notes a mark behind so much that was shown.
    pub(super) fn mark(&mut self, now: Ts, instrument: InstrumentId, mark: DoublePx, shown: Read) {
        self.push(Marked { now, mark, instrument, behind: Some(shown.count) });
    }
}

/// What is left of a list.
#[derive(Debug)]
pub(super) struct Rest<'a, T> {
    each: &'a [T],
    spans: &'a [Span],
    read: Read,
}

impl<T> Clone for Rest<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Rest<'_, T> {}

impl<'a, T> Rest<'a, T> {
    fn is_empty(&self) -> bool {
        self.each.is_empty() && self.spans.is_empty()
    }

    fn parts(
        self,
        of: Option<InstrumentId>,
        quoted: Quoted<'a>,
    ) -> impl Iterator<Item = Part<'a, T>> {
        let (mut at, mut spans) = (0, self.spans.iter().peekable());
        std::iter::from_fn(move || {
            let end = spans.peek().map_or(self.each.len(), |span| span.behind - self.read.each);
            if at < end {
                let each = &self.each[at..end];
                at = end;
                return Some(Part::Each(each));
            }
            let span = spans.next()?;
            let of = of.expect("stretches are of a batch of columns");
            Some(Part::Prices(of, quoted.slice(span.from..span.to)))
        })
    }
}

/// The columns of the batch at hand.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct AtHand<'a> {
    pub(super) instrument: Option<InstrumentId>,
    /// From when on the venue shows prices, and from when on we do.
    pub(super) there: Quoted<'a>,
    pub(super) here: Quoted<'a>,
}

impl<'a> AtHand<'a> {
    pub(super) fn of(chunk: &'a Chunk) -> Option<Self> {
        let Records::Columns(table) = &chunk.records else { return None };
        let (bid, ask) = table.prices();
        // A venue shows no prices with a bar.
        let there = match table.kind() == Kind::Quote {
            true => Quoted { at: table.ts_event(), bid, ask },
            false => Quoted::default(),
        };
        let here = Quoted { at: chunk.times(table), bid, ask };
        Some(Self { instrument: Some(table.instrument()), there, here })
    }
}

/// What a lane has to hear of, sooner or later: two lists, as most who hear go through one of them at a
/// time. See the module.
#[derive(Clone, Copy, Debug)]
pub struct Missed<'a> {
    pub(super) shown: Rest<'a, Shown>,
    pub(super) marked: Rest<'a, Marked>,
    pub(super) at_hand: AtHand<'a>,
}

impl<'a> Missed<'a> {
    pub(super) fn is_empty(&self) -> bool {
        self.shown.is_empty() && self.marked.is_empty()
    }

    pub fn shown(self) -> impl Iterator<Item = Part<'a, Shown>> {
        self.shown.parts(self.at_hand.instrument, self.at_hand.there)
    }

    pub fn marked(self) -> impl Iterator<Item = Part<'a, Marked>> {
        self.marked.parts(self.at_hand.instrument, self.at_hand.here)
    }

    /// The last mark of an instrument.
    pub(super) fn last_mark(self, is_of: impl Fn(InstrumentId) -> bool) -> Option<Marked> {
        let last = |part: Part<'a, Marked>| {
            (0..part.len()).rev().map(|at| part.get(at)).find(|marked| is_of(marked.instrument))
        };
        self.marked().fold(None, |before, part| last(part).or(before))
    }

    /// All of it in its order.
    pub fn in_turn(self) -> impl Iterator<Item = Heard> + 'a {
        let each = |part: Part<'a, Shown>| (0..part.len()).map(move |at| part.get(at));
        let mut shown = self.shown().flat_map(each).peekable();
        let each = |part: Part<'a, Marked>| (0..part.len()).map(move |at| part.get(at));
        let mut marked = self.marked().flat_map(each).peekable();
        let mut told = self.shown.read.count;
        std::iter::from_fn(move || {
            let next = shown.peek().map(|shown| shown.at);
            let is_next = |marked: &Marked| match (marked.behind, next) {
                (Some(behind), _) => behind <= told,
                (None, Some(at)) => at > marked.now,
                (None, None) => true,
            };
            if let Some(marked) = marked.next_if(is_next) {
                return Some(Heard::Marked(marked));
            }
            told += 1;
            let shown = shown.next().map(Heard::Shown);
            shown.or_else(|| marked.next().map(Heard::Marked))
        })
    }
}

impl<T> Part<'_, T> {
    fn len(&self) -> usize {
        match self {
            Self::Each(each) => each.len(),
            Self::Prices(_, quoted) => quoted.len(),
        }
    }
}

impl Part<'_, Shown> {
    fn get(&self, at: usize) -> Shown {
        match self {
            Self::Each(each) => each[at],
            Self::Prices(instrument, quoted) => {
                let (at, touch) = quoted.get(at);
                Shown { at, instrument: *instrument, touch: Some(touch) }
            }
        }
    }
}

impl Part<'_, Marked> {
    fn get(&self, at: usize) -> Marked {
        match self {
            Self::Each(each) => each[at],
            Self::Prices(instrument, quoted) => {
                let (now, touch) = quoted.get(at);
                let mark = DoublePx::mid(touch.bid, touch.ask);
                Marked { now, mark, instrument: *instrument, behind: None }
            }
        }
    }
}
