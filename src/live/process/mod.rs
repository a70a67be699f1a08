//! Strategies in other programs: any language that reads and writes lines.
//!
//! Each message waits for its answer before anything else happens, so the clock that the process
//! sees is the stream's and its decisions are as repeatable as it is. Whatever goes wrong ends the
//! strategy, not the run's books: [`Fault`] says what it was. `docs/process-strategies.md` is the
//! protocol.

mod child;
mod protocol;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use qt_model::decimal;
use qt_model::ids::InstrumentId;
use qt_model::instrument::{Instrument, Instruments};
use qt_model::order::{Amendment, NewOrder, OrderNo, Pricing};
use qt_model::record::{Kind, Record};
use qt_model::step::TimerId;
use qt_model::time::Ts;
use qt_model::units::{Px, Qty, Scale};
use qt_model::words::{DecisionAction, Side, TimeInForce, Word};
use qt_stream::ndjson::Encoder;
use qt_trade::core::{Context, Strategy, Wants};
use qt_trade::orders::Change;
use qt_trade::outbox::Decided;
use serde_json::value::RawValue;

use child::Partner;
use protocol::{
    Action, Amend, Answer, InstrumentLine, Note, OrderLine, Ready, Submit, Timer, ToProcess,
    VERSION,
};

pub use child::ProcessError;

/// A process that is refused so often at one instant does not listen.
const REFUSALS_MAX: u32 = 64;

/// What went wrong first, for whoever started the process.
#[derive(Clone, Debug, Default)]
pub struct Fault(Arc<Mutex<Option<ProcessError>>>);

impl Fault {
    pub fn get(&self) -> Option<ProcessError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, error: ProcessError) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
    }
}

/// How a process is started.
#[derive(Clone, Debug)]
pub struct ProcessOptions {
    pub strategy: String,
    pub command: Vec<String>,
    /// Where it runs; where we do, if absent.
    pub folder: Option<PathBuf>,
    /// The longest that an answer may take, by the wall clock.
    pub limit: Duration,
    pub params: BTreeMap<String, f64>,
    pub seed: u64,
}

/// A strategy in another program.
#[derive(Debug)]
pub struct Process {
    partner: Partner,
    fault: Fault,
    wants: Wants,
    features: Vec<String>,
    /// Where the values of its features stand in the rows to come.
    places: Vec<usize>,
    instruments: Arc<Instruments>,
    encoder: Encoder,
    line: Vec<u8>,
    orders: BTreeMap<String, OrderNo>,
    names: BTreeMap<OrderNo, String>,
    /// Orders that the rules did not let out and the process does not know of yet.
    refused: Vec<(String, InstrumentId)>,
    refusals_in_a_row: u32,
}

impl Process {
    /// Starts the program and waits until it is ready.
    pub fn start(
        options: &ProcessOptions,
        instruments: Arc<Instruments>,
    ) -> Result<Self, ProcessError> {
        let mut partner =
            Partner::start(&options.command, options.folder.as_deref(), options.limit)?;
        let hello = ToProcess::Hello {
            protocol: VERSION,
            strategy: &options.strategy,
            params: &options.params,
            instruments: instruments.by_symbol().map(|(_, it)| described(it)).collect(),
            seed: options.seed,
        };
        let answer = partner.ask(&json(&hello))?;
        let ready: Ready =
            serde_json::from_str(&answer).map_err(|error| partner.nonsense(error, &answer))?;
        if ready.ready != VERSION {
            let reason = format!("it speaks version {}, we speak {VERSION}", ready.ready);
            return Err(partner.nonsense(reason, &answer));
        }
        let kinds = ready.wants.iter().map(|name| {
            Kind::from_name(name)
                .ok_or_else(|| partner.nonsense(format!("no kind `{name}`"), &answer))
        });
        let kinds: Vec<Kind> = kinds.collect::<Result<_, _>>()?;
        let wants = Wants::kinds(&kinds);
        let wants = if ready.features.is_empty() { wants } else { wants.and_features() };
        Ok(Self {
            partner,
            fault: Fault::default(),
            wants,
            features: ready.features,
            places: Vec::new(),
            instruments,
            encoder: Encoder::default(),
            line: Vec::new(),
            orders: BTreeMap::new(),
            names: BTreeMap::new(),
            refused: Vec::new(),
            refusals_in_a_row: 0,
        })
    }

    /// The expressions that it asked for.
    pub fn features(&self) -> &[String] {
        &self.features
    }

    /// Says where the values of its features stand in the rows to come.
    pub fn place(&mut self, places: Vec<usize>) {
        self.places = places;
    }

    pub fn fault(&self) -> Fault {
        self.fault.clone()
    }

    /// Sends a message and does what the answer asks.
    fn talk(&mut self, message: &ToProcess<'_>, context: &mut Context<'_>) {
        if self.fault.get().is_some() {
            return;
        }
        let done = self.partner.ask(&json(message)).and_then(|text| {
            let answer: Answer =
                serde_json::from_str(&text).map_err(|error| self.partner.nonsense(error, &text))?;
            for action in answer.actions {
                Action::parse(action.get())
                    .and_then(|action| self.act(action, context))
                    .map_err(|reason| self.partner.nonsense(reason, &text))?;
            }
            Ok(())
        });
        if let Err(error) = done {
            self.fault.set(error);
        }
        self.tell_refused(context);
    }

    /// Says which orders the rules did not let out; what the process answers is done as well.
    fn tell_refused(&mut self, context: &mut Context<'_>) {
        let Some((id, instrument)) = self.refused.pop() else { return };
        self.refusals_in_a_row += 1;
        if self.refusals_in_a_row > REFUSALS_MAX {
            let reason = "it goes on asking for what the rules refuse";
            self.fault.set(self.partner.nonsense(reason, &id));
            return;
        }
        let instruments = Arc::clone(&self.instruments);
        let line = OrderLine {
            now: context.now().nanos(),
            id: &id,
            sym: instruments.get(instrument).symbol.as_str(),
            status: "rejected",
            filled: "0".to_owned(),
            leaves: "0".to_owned(),
            px: None,
            qty: None,
            position: self.position(instrument, context),
        };
        self.talk(&ToProcess::Order(line), context);
        self.refusals_in_a_row = 0;
    }

    fn act(&mut self, action: Action, context: &mut Context<'_>) -> Result<(), String> {
        match action {
            Action::Submit(submit) => return self.submit(submit, context),
            Action::Amend(Amend { id, qty, px, .. }) => {
                let order = self.known(&id)?;
                let instrument = context.orders().get(order).map(|it| it.new.instrument);
                if let Some(terms) = instrument.map(|it| self.instruments.get(it)) {
                    let px = px.map(|px| price(px.text(), terms.px_scale)).transpose()?;
                    let qty = qty.map(|qty| size(qty.text(), terms)).transpose()?;
                    // What cannot change now stays as it is, which the next report shows.
                    let _ = context.amend(order, Amendment { px, qty });
                }
            }
            Action::Cancel(cancel) => context.cancel(self.known(&cancel.id)?),
            Action::Timer(Timer { id, at, .. }) => context.timer(TimerId(id), Ts::from_nanos(at)),
            Action::Note(Note { sym, text, .. }) => {
                let instrument = sym.map(|sym| self.instrument(&sym)).transpose()?;
                context.decide(Decided {
                    instrument,
                    action: DecisionAction::Hold,
                    side: None,
                    px: None,
                    qty: None,
                    reason: Cow::Owned(text),
                });
            }
        }
        Ok(())
    }

    fn submit(&mut self, submit: Submit, context: &mut Context<'_>) -> Result<(), String> {
        let Submit { id, sym, side, qty, px, trigger, time_in_force, reduce_only, .. } = submit;
        let instrument = self.instrument(&sym)?;
        let terms = self.instruments.get(instrument);
        let side = word::<Side>("side", &side)?;
        let px = px.map(|px| price(px.text(), terms.px_scale)).transpose()?;
        let trigger = trigger.map(|it| price(it.text(), terms.px_scale)).transpose()?;
        let mut new = NewOrder::market(instrument, side, size(qty.text(), terms)?);
        new.pricing = match (px, trigger) {
            (None, None) => Pricing::Market,
            (Some(px), None) => Pricing::Limit { px },
            (None, Some(trigger)) => Pricing::Stop { trigger },
            (Some(px), Some(trigger)) => Pricing::StopLimit { trigger, px },
        };
        if new.pricing != Pricing::Market {
            new.time_in_force = TimeInForce::Gtc;
        }
        if let Some(time) = time_in_force {
            new.time_in_force = word("time_in_force", &time)?;
        }
        new.reduce_only = reduce_only;
        if self.orders.contains_key(&id) {
            return Err(format!("the id `{id}` was used before"));
        }
        match context.submit(new) {
            Ok(order) => {
                self.orders.insert(id.clone(), order);
                self.names.insert(order, id);
            }
            Err(_) => self.refused.push((id, instrument)),
        }
        Ok(())
    }

    fn instrument(&self, sym: &str) -> Result<InstrumentId, String> {
        self.instruments.find(sym).ok_or_else(|| format!("there is no symbol `{sym}`"))
    }

    fn known(&self, id: &str) -> Result<OrderNo, String> {
        self.orders.get(id).copied().ok_or_else(|| format!("there is no order `{id}`"))
    }

    fn position(&self, instrument: InstrumentId, context: &Context<'_>) -> String {
        units(context.position(instrument).qty(), self.instruments.get(instrument).qty_scale)
    }
}

impl Strategy for Process {
    fn wants(&self) -> Wants {
        self.wants
    }

    fn market(&mut self, record: &Record<'_>, context: &mut Context<'_>) {
        let position = match record.head().instrument {
            Some(instrument) => self.position(instrument, context),
            None => "0".to_owned(),
        };
        let mut line = std::mem::take(&mut self.line);
        line.clear();
        self.encoder.record(record, &self.instruments, &mut line);
        let text = std::str::from_utf8(&line).expect("a record is written as text").trim_end();
        let raw: &RawValue = serde_json::from_str(text).expect("a record is written as JSON");
        let now = context.now().nanos();
        self.talk(&ToProcess::Record { now, record: raw, position: &position }, context);
        self.line = line;
    }

    fn features(&mut self, instrument: InstrumentId, context: &mut Context<'_>) {
        let row = context.features(instrument);
        let value = |place: &usize| row.get(*place).copied().filter(|value| value.is_finite());
        let values = self.places.iter().map(value).collect();
        let position = self.position(instrument, context);
        let instruments = Arc::clone(&self.instruments);
        let sym = instruments.get(instrument).symbol.as_str();
        let now = context.now().nanos();
        self.talk(&ToProcess::Features { now, sym, values, position: &position }, context);
    }

    fn order(&mut self, change: &Change, context: &mut Context<'_>) {
        let Some(id) = self.names.get(&change.entry.order).cloned() else { return };
        let instruments = Arc::clone(&self.instruments);
        let instrument = instruments.get(change.entry.new.instrument);
        let qty = |qty: Qty| units(qty.mantissa(), instrument.qty_scale);
        let line = OrderLine {
            now: context.now().nanos(),
            id: &id,
            sym: instrument.symbol.as_str(),
            status: change.entry.status.word(),
            filled: qty(change.entry.filled),
            leaves: qty(change.entry.leaves()),
            px: change.fill.map(|fill| units(fill.px.mantissa(), instrument.px_scale)),
            qty: change.fill.map(|fill| qty(fill.qty)),
            position: self.position(change.entry.new.instrument, context),
        };
        self.talk(&ToProcess::Order(line), context);
        if !change.entry.is_live() {
            self.names.remove(&change.entry.order);
        }
    }

    fn timer(&mut self, timer: TimerId, context: &mut Context<'_>) {
        let now = context.now().nanos();
        self.talk(&ToProcess::Timer { now, id: timer.0 }, context);
    }

    fn stop(&mut self, context: &mut Context<'_>) {
        if self.fault.get().is_none() {
            // It may be gone already; the run is over either way.
            let _ = self.partner.tell(&json(&ToProcess::Stop { now: context.now().nanos() }));
        }
    }
}

fn described(instrument: &Instrument) -> InstrumentLine {
    InstrumentLine {
        sym: instrument.symbol.to_string(),
        px_scale: instrument.px_scale.digits(),
        qty_scale: instrument.qty_scale.digits(),
        tick: instrument.terms.tick.map(|tick| tick.to_string()),
        lot: instrument.terms.lot.map(|lot| lot.to_string()),
    }
}

fn json(message: &ToProcess<'_>) -> Vec<u8> {
    serde_json::to_vec(message).expect("a message has nothing that JSON does not have")
}

fn units(mantissa: i64, scale: Scale) -> String {
    let mut text = Vec::new();
    decimal::write(mantissa, scale, &mut text);
    String::from_utf8(text).expect("digits are text")
}

fn word<W: Word>(field: &str, text: &str) -> Result<W, String> {
    let expected = || format!("{field}: expected one of {}, found `{text}`", W::WORDS.join(", "));
    W::from_word(text).ok_or_else(expected)
}

fn price(text: &str, scale: Scale) -> Result<Px, String> {
    decimal::parse(text.as_bytes(), scale)
        .map(Px::new)
        .map_err(|error| format!("price `{text}`: {error}"))
}

fn size(text: &str, instrument: &Instrument) -> Result<Qty, String> {
    let units = decimal::parse(text.as_bytes(), instrument.qty_scale)
        .map_err(|error| format!("size `{text}`: {error}"))?;
    Qty::new(units).map_err(|error| format!("size `{text}`: {error}"))
}
