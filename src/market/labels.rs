//! Labels: what came of a moment, for models to learn from.
//!
//! A label stands behind the row of features that it belongs to, and is known only later, so the
//! stream waits: records are held until what they ask for has happened. Features were computed
//! before, and never see a label. Invariants: what comes out does not depend on batches; a label
//! whose horizon runs past the data has no value. Memory is that of a horizon.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "quotes, depth, prints and rows say something here; all other kinds pass"
)]

use std::collections::VecDeque;
use std::sync::Arc;

use qt_model::ids::InstrumentId;
use qt_model::record::{Batch, Head, Label, Record};
use qt_model::time::{Ts, duration_ns};
use qt_model::units::Px;

use crate::aggressor::Classifier;
use crate::features::{BookFrom, Books, Turn};

/// What a label says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// 1 if the middle of bid and ask is higher than now, else 0.
    Direction,
    /// The log return of the middle.
    Return,
    /// For rows that a print caused: how far the middle went the way of its aggressor, from the
    /// price of the print on.
    Markout,
}

/// An outcome so much later: `dir_10s`, `fwd_30s`, `markout_5s`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelSpec {
    pub name: String,
    pub outcome: Outcome,
    pub horizon_ns: i64,
}

/// A text names no label.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no label: expected dir_10s, fwd_30s or markout_5s, with any length of time")]
pub struct LabelError(pub String);

impl LabelSpec {
    pub fn parse(text: &str) -> Result<Self, LabelError> {
        let error = || LabelError(text.chars().take(60).collect());
        let (name, horizon) = text.split_once('_').ok_or_else(error)?;
        let outcome = match name {
            "dir" => Outcome::Direction,
            "fwd" => Outcome::Return,
            "markout" => Outcome::Markout,
            _ => return Err(error()),
        };
        let horizon_ns = duration_ns(horizon).filter(|nanos| *nanos > 0).ok_or_else(error)?;
        Ok(Self { name: text.to_owned(), outcome, horizon_ns })
    }
}

/// Puts labels behind the rows of features of a stream.
#[derive(Debug)]
pub struct Labels {
    specs: Vec<LabelSpec>,
    book: BookFrom,
    /// Leave all out but features and labels.
    only: bool,
    lanes: Vec<Option<Box<Lane>>>,
    held: VecDeque<Held>,
    /// The number of the first batch held.
    first: u64,
    spare: Vec<Held>,
}

/// A batch that waits.
#[derive(Debug, Default)]
struct Held {
    batch: Batch,
    labels: Vec<Asked>,
    /// Labels without an answer yet.
    open: usize,
}

/// A label of the row at a place of its batch.
#[derive(Clone, Copy, Debug)]
struct Asked {
    at: usize,
    spec: usize,
    value: Option<f64>,
}

/// One instrument.
#[derive(Debug)]
struct Lane {
    unit: f64,
    book: Books,
    classifier: Classifier,
    /// Twice the middle, exactly.
    mid_x2: Option<i128>,
    /// The venue's clock, which does not step back here.
    now: Ts,
    /// The print that came last, if nothing of the book came behind it: price and direction.
    print: Option<(Px, i8)>,
    /// For each label, the rows that wait for it.
    waiting: Vec<VecDeque<Waiting>>,
}

#[derive(Clone, Copy, Debug)]
struct Waiting {
    due: Ts,
    batch: u64,
    label: usize,
    from: From,
}

/// What a later middle is compared with.
#[derive(Clone, Copy, Debug)]
enum From {
    Mid(i128),
    Print(Px, i8),
}

impl Labels {
    pub fn new(specs: Vec<LabelSpec>, book: BookFrom, only: bool) -> Self {
        let (lanes, held, spare) = (Vec::new(), VecDeque::new(), Vec::new());
        Self { specs, book, only, lanes, held, first: 0, spare }
    }

    /// Takes a batch with its rows of features; appends what is known by now.
    pub fn batch(&mut self, batch: &Batch, out: &mut Batch) {
        let mut held = self.spare.pop().unwrap_or_default();
        held.batch.set_instruments(Arc::clone(batch.instruments()));
        held.batch.push_range(batch, 0, batch.len());
        self.held.push_back(held);
        for (at, record) in batch.iter().enumerate() {
            let Some(id) = record.head().instrument else {
                if let Record::Gap(_) = record {
                    self.lanes.iter_mut().flatten().for_each(|lane| lane.book.gap());
                }
                continue;
            };
            match record {
                Record::Quote(view) if self.book == BookFrom::Quotes => {
                    let best = view.row.bid_px.zip(view.row.ask_px);
                    self.mid(id, batch, record.head(), best);
                }
                Record::Depth(view) => {
                    let turn = self.lane(id, batch).book.depth(view.row, view.levels);
                    self.turn(turn, id, batch, record.head());
                }
                Record::Mbo(view) => {
                    let turn = self.lane(id, batch).book.order(view.row);
                    self.turn(turn, id, batch, record.head());
                }
                Record::Gap(_) => self.lane(id, batch).book.gap(),
                Record::Trade(view) => {
                    let lane = self.lane(id, batch);
                    let found = lane.classifier.trade(view.row.px, view.row.side);
                    lane.now = lane.now.max(view.row.head.ts_event);
                    lane.print = Some((view.row.px, found.direction));
                }
                Record::Feature(_) => self.ask(id, batch, at),
                _ => {}
            }
        }
        self.write_known(out);
    }

    /// Ends the stream: what is not known by now is not known.
    pub fn finish(&mut self, out: &mut Batch) {
        self.held.iter_mut().for_each(|held| held.open = 0);
        self.lanes.clear();
        self.write_known(out);
    }

    fn lane(&mut self, id: InstrumentId, batch: &Batch) -> &mut Lane {
        let at = id.index();
        if self.lanes.len() <= at {
            self.lanes.resize_with(at + 1, || None);
        }
        let (labels, from) = (self.specs.len(), self.book);
        self.lanes[at].get_or_insert_with(|| {
            Box::new(Lane {
                unit: batch.instruments().get(id).px_scale.unit() as f64,
                book: Books::new(from),
                classifier: Classifier::default(),
                mid_x2: None,
                now: Ts::MIN,
                print: None,
                waiting: vec![VecDeque::new(); labels],
            })
        })
    }

    fn turn(&mut self, turn: Turn, id: InstrumentId, batch: &Batch, head: &Head) {
        if turn != Turn::Nothing {
            let book = self.lane(id, batch).book.prices();
            let best = book.best_bid().zip(book.best_ask());
            self.mid(id, batch, head, best.map(|(bid, ask)| (bid.px, ask.px)));
        }
    }

    /// A new middle answers the rows that have waited long enough. A crossed book has none.
    fn mid(&mut self, id: InstrumentId, batch: &Batch, head: &Head, best: Option<(Px, Px)>) {
        let lane = self.lane(id, batch);
        let Some((bid, ask)) = best.filter(|(bid, ask)| bid <= ask) else { return };
        lane.classifier.quote(bid, ask);
        let mid_x2 = i128::from(bid.mantissa()) + i128::from(ask.mantissa());
        lane.mid_x2 = Some(mid_x2);
        lane.print = None;
        lane.now = lane.now.max(head.ts_event);
        let (now, unit) = (lane.now, lane.unit);
        let Self { lanes, held, specs, first, .. } = self;
        let Some(lane) = &mut lanes[id.index()] else { return };
        for (spec, waiting) in specs.iter().zip(&mut lane.waiting) {
            while let Some(row) = waiting.front().filter(|row| row.due <= now).copied() {
                waiting.pop_front();
                let held = &mut held[(row.batch - *first) as usize];
                held.labels[row.label].value = value(spec.outcome, row.from, mid_x2, unit);
                held.open -= 1;
            }
        }
    }

    /// A row of features asks for all labels that it can have.
    fn ask(&mut self, id: InstrumentId, batch: &Batch, at: usize) {
        self.lane(id, batch);
        let number = self.first + self.held.len() as u64 - 1;
        let Self { lanes, held, specs, .. } = self;
        let (Some(lane), Some(held)) = (&mut lanes[id.index()], held.back_mut()) else { return };
        for (spec_at, (spec, waiting)) in specs.iter().zip(&mut lane.waiting).enumerate() {
            let from = match spec.outcome {
                Outcome::Direction | Outcome::Return => lane.mid_x2.map(From::Mid),
                Outcome::Markout => lane.print.map(|(px, direction)| From::Print(px, direction)),
            };
            let due = lane.now.checked_add_nanos(spec.horizon_ns);
            let Some((from, due)) = from.zip(due) else { continue };
            waiting.push_back(Waiting { due, batch: number, label: held.labels.len(), from });
            held.labels.push(Asked { at, spec: spec_at, value: None });
            held.open += 1;
        }
    }

    /// Writes the batches at the front that wait for nothing.
    fn write_known(&mut self, out: &mut Batch) {
        while self.held.front().is_some_and(|held| held.open == 0) {
            let Some(mut held) = self.held.pop_front() else { return };
            self.first += 1;
            self.write(&held, out);
            held.batch.clear();
            held.labels.clear();
            self.spare.push(held);
        }
    }

    fn write(&self, held: &Held, out: &mut Batch) {
        if out.instruments().len() < held.batch.instruments().len() {
            out.set_instruments(Arc::clone(held.batch.instruments()));
        }
        let mut labels = held.labels.iter().peekable();
        for (at, record) in held.batch.iter().enumerate() {
            if !self.only || !record.kind().is_market() {
                out.push(record);
            }
            while let Some(asked) = labels.next_if(|asked| asked.at == at) {
                let spec = &self.specs[asked.spec];
                let label = Label {
                    head: *record.head(),
                    name: spec.name.clone(),
                    value: asked.value,
                    horizon_ns: u64::try_from(spec.horizon_ns).ok(),
                };
                out.push_row(label, &[]);
            }
        }
    }
}

fn value(outcome: Outcome, from: From, later_x2: i128, unit: f64) -> Option<f64> {
    let value = match (outcome, from) {
        (Outcome::Direction, From::Mid(mid_x2)) => f64::from(u8::from(later_x2 > mid_x2)),
        (Outcome::Return, From::Mid(mid_x2)) if mid_x2 > 0 && later_x2 > 0 => {
            libm::log(later_x2 as f64 / mid_x2 as f64)
        }
        (Outcome::Markout, From::Print(px, direction)) => {
            let moved_x2 = later_x2 - 2 * i128::from(px.mantissa());
            f64::from(direction) * moved_x2 as f64 / (2.0 * unit)
        }
        _ => return None,
    };
    Some(value)
}
