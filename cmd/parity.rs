//! `qt parity`: a run's inputs, stepped again, ask for the same.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;
use qt_model::record::{Fill, Kind, Record};
use qt_model::time::Ts;
use qt_model::words::{RunStatus, Word};
use qt_stream::runs::RunReader;
use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

use crate::backtest::parity::{Stepped, step_again};
use crate::context::Context;
use crate::diff::compare::{Difference, stream};
use crate::failure::Failure;
use crate::outcome::Outcome;

/// Step a run again and compare
///
/// Takes the market that the run had and what its strategy was told beside it (reports, money, timers,
/// operators), steps the core through them without a venue, and compares decisions, orders, fills and
/// equity with those that were kept, record by record. Exit code 0: all are the same; 1: the first
/// difference is shown, with what was held on either side; 2: the run cannot be stepped again.
#[derive(Debug, Args)]
pub(crate) struct Parity {
    /// Run: its name, a beginning or ending of it, or its folder
    #[arg(value_name = "RUN")]
    run: String,
    /// Read the records from these files in place of the input that the run had
    #[arg(short, long, value_name = "FILE", num_args = 1..)]
    input: Vec<PathBuf>,
}

const STREAMS: [(Kind, &str); 4] = [
    (Kind::Decision, "decisions"),
    (Kind::Order, "orders"),
    (Kind::Fill, "fills"),
    (Kind::Equity, "equity"),
];

pub(crate) fn run(args: Parity, context: &mut Context) -> anyhow::Result<Outcome> {
    let kept = RunReader::open(&crate::runs::folder(&args.run, context)?)?;
    let status = kept.manifest().status;
    if matches!(status, RunStatus::Running | RunStatus::Crashed) {
        let message = format!("run {} is {status}: its streams are not whole", args.run);
        return Err(Failure::usage(message).into());
    }
    let folder = tempfile::tempdir()?;
    let place = folder.path().join("again");
    let stepped = step_again(&kept, &args.input, &place, context)?;
    let again = RunReader::open(&place)?;
    let compared = STREAMS.map(|(kind, name)| Ok((kind, name, stream(&kept, &again, kind, name)?)));
    let compared = compared.into_iter().collect::<anyhow::Result<Vec<_>>>()?;
    let found = Found { kept: &kept, again: &again, stepped, compared };
    context.print(if context.json() { found.json()? } else { found.text()? })?;
    Ok(if found.is_same() { Outcome::Done } else { Outcome::No })
}

/// What came of both.
struct Found<'a> {
    kept: &'a RunReader,
    again: &'a RunReader,
    stepped: Stepped,
    compared: Vec<(Kind, &'static str, Vec<Difference>)>,
}

/// Records and digest of a stream.
fn written(run: &RunReader, kind: Kind) -> (u64, String) {
    let lane = &run.lanes()[0];
    let files = run.manifest().output.files.iter();
    let mut ours = files.filter(|file| file.lane == *lane && file.kind == kind.name());
    ours.next().map_or((0, "-".to_owned()), |file| (file.records, file.digest.clone()))
}

impl Found<'_> {
    fn is_same(&self) -> bool {
        self.stepped.stray_timer.is_none() && self.compared.iter().all(|(.., it)| it.is_empty())
    }

    /// The first difference by the clock of the strategy, with the name of its stream.
    fn first(&self) -> Option<(Ts, &'static str, &[Difference])> {
        let differing = self.compared.iter().filter_map(|(_, name, found)| {
            Some((found.iter().find_map(|it| it.ts)?, *name, &found[..]))
        });
        differing.min_by_key(|(ts, ..)| *ts)
    }

    fn text(&self) -> anyhow::Result<String> {
        let Stepped { records, inputs, stray_timer } = self.stepped;
        let mut out = format!("stepped again: {records} records, {inputs} inputs\n");
        for (kind, name, found) in &self.compared {
            let ((kept, digest), (again, other)) =
                (written(self.kept, *kind), written(self.again, *kind));
            out.push_str(&match found.is_empty() {
                true => format!("{name}: {kept}, the same, {digest}\n"),
                false => format!("{name}: {kept} {digest} | {again} {other}\n"),
            });
        }
        if let Some((at, timer)) = stray_timer {
            out.push_str(&format!("timer {} at {at}: set or gone off on one side only\n", timer.0));
        }
        let Some((ts, name, found)) = self.first() else { return Ok(out) };
        out.push_str(&format!("\nfirst difference: {name} {} at {ts}\n", found[0].key));
        for it in found {
            let side = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
            let field = it.field.as_deref().unwrap_or(&it.key);
            out.push_str(&format!("  {field}: {} | {}\n", side(&it.a), side(&it.b)));
        }
        let (kept, again) = (State::before(self.kept, ts)?, State::before(self.again, ts)?);
        out.push_str(&format!("before it: {}\n", last_input(self.kept, ts)?));
        out.push_str(&format!("  kept:  {kept}\n  again: {again}\n"));
        Ok(out)
    }

    fn json(&self) -> anyhow::Result<String> {
        let streams = self.compared.iter().map(|(kind, name, found)| {
            let (kept, again) = (written(self.kept, *kind), written(self.again, *kind));
            let side =
                |(records, digest): (u64, String)| json!({"records": records, "digest": digest});
            let mut row =
                json!({"same": found.is_empty(), "kept": side(kept), "again": side(again)});
            if let Some(first) = found.first() {
                row["first"] = json!({
                    "key": first.key,
                    "ts": first.ts.map(|ts| ts.to_string()),
                    "fields": found.iter().map(|it| json!({
                        "field": it.field, "kept": it.a, "again": it.b,
                    })).collect::<Vec<_>>(),
                });
            }
            ((*name).to_owned(), row)
        });
        let Stepped { records, inputs, stray_timer } = self.stepped;
        let mut all: Map<String, Value> = streams.collect();
        all.insert("same".to_owned(), self.is_same().into());
        all.insert("records".to_owned(), records.into());
        all.insert("inputs".to_owned(), inputs.into());
        let timer = stray_timer.map(|(at, timer)| json!({"at": at.to_string(), "timer": timer.0}));
        all.insert("stray_timer".to_owned(), timer.into());
        if let Some((ts, name, _)) = self.first() {
            all.insert("first".to_owned(), json!({"stream": name, "ts": ts.to_string()}));
        }
        Ok(Value::Object(all).to_string() + "\n")
    }
}

/// What one side held before an instant.
#[derive(Debug, Default)]
struct State {
    positions: BTreeMap<String, Decimal>,
    equity: Option<Decimal>,
}

impl State {
    fn before(run: &RunReader, ts: Ts) -> anyhow::Result<Self> {
        let mut state = Self::default();
        run.each(0, Kind::Fill, |batch, record| {
            let Record::Fill(fill) = record else { return };
            let Fill { head, side, qty, .. } = fill.row;
            if let Some(instrument) = head.instrument.filter(|_| head.ts_recv < ts) {
                let terms = batch.instruments().get(instrument);
                let qty = qty.to_decimal(terms.qty_scale) * Decimal::from(side.sign());
                *state.positions.entry(terms.symbol.to_string()).or_default() += qty;
            }
        })?;
        run.each(0, Kind::Equity, |_, record| {
            if let Record::Equity(row) = record
                && row.head.ts_recv < ts
            {
                state.equity = Some(row.equity);
            }
        })?;
        Ok(state)
    }
}

impl std::fmt::Display for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.equity {
            Some(equity) => write!(f, "equity {}", equity.normalize())?,
            None => write!(f, "no equity yet")?,
        }
        let held = self.positions.iter().filter(|(_, qty)| !qty.is_zero());
        held.into_iter().try_for_each(|(symbol, qty)| write!(f, ", {symbol} {}", qty.normalize()))
    }
}

/// What the strategy was told last, beside the market.
fn last_input(run: &RunReader, ts: Ts) -> anyhow::Result<String> {
    let mut last = None;
    run.each(0, Kind::InputRow, |_, record| {
        if let Record::InputRow(row) = record
            && row.head.ts_recv <= ts
        {
            last = Some((row.head.ts_recv, row.what, row.order, row.timer, row.after));
        }
    })?;
    let Some((at, what, order, timer, after)) = last else {
        return Ok("nothing but the market".to_owned());
    };
    let order = order.map(|order| format!(" order {order}")).unwrap_or_default();
    let timer = timer.map(|timer| format!(" {timer}")).unwrap_or_default();
    Ok(format!("{}{order}{timer} at {at}, after {after} records of the market", what.word()))
}
