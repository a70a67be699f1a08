//! What the streams of a run tell of one fill.
//!
//! Each stream is read once. What a run did not keep is left out, never guessed: orders carry the number
//! of their decision, and in runs where they do not a decision belongs to an order by its time,
//! instrument and side, and the page says so.

use qt_model::ids::InstrumentId;
use qt_model::instrument::Instruments;
use qt_model::record::{Batch, Decision, Fill, FillQuality, Kind, Order, Record};
use qt_model::units::{Px, Qty};
use qt_model::words::Word;
use qt_stream::runs::{RunError, RunReader};
use serde_json::{Map, Value};

/// One line: a heading, what it is about, and the value.
type Line = (&'static str, String, String);

#[derive(Debug)]
pub(super) struct Story {
    lines: Vec<Line>,
}

/// A fill with what names its units.
struct Found {
    fill: Fill,
    symbol: String,
    scales: (qt_model::units::Scale, qt_model::units::Scale),
}

impl Found {
    fn px(&self, px: Px) -> String {
        px.to_decimal(self.scales.0).to_string()
    }

    fn qty(&self, qty: Qty) -> String {
        qty.to_decimal(self.scales.1).to_string()
    }
}

impl Story {
    pub(super) fn read(run: &RunReader, id: &str) -> Result<Option<Self>, RunError> {
        let Some(found) = fill(run, id)? else { return Ok(None) };
        let quality = quality(run, id)?;
        let orders = orders(run, 0, &found)?;
        let mut story = Self { lines: Vec::new() };
        story.decision(run, &found, quality.as_ref(), &orders)?;
        story.order(&found, quality.as_ref(), &orders);
        if let Some(quality) = &quality {
            story.queue(&found, quality);
        }
        story.fill(&found);
        if let Some(quality) = &quality {
            story.prices(run, &found, quality);
        }
        for lane in 1..run.lanes().len() {
            story.lane(run, lane, &found, &orders)?;
        }
        Ok(Some(story))
    }

    fn add(&mut self, heading: &'static str, name: &str, value: impl Into<String>) {
        self.lines.push((heading, name.to_owned(), value.into()));
    }

    /// The decision that the order carries; in runs without traces, the last one before it was sent.
    fn decision(
        &mut self,
        run: &RunReader,
        found: &Found,
        quality: Option<&FillQuality>,
        orders: &[Order],
    ) -> Result<(), RunError> {
        const HEADING: &str = "decision";
        let sent = quality.and_then(|it| it.decided).or(orders.first().map(|it| it.head.ts_recv));
        let Some(sent) = sent else { return Ok(()) };
        let mut last: Option<Decision> = None;
        let trace = orders.first().and_then(|order| order.trace_id.as_ref());
        run.each(0, Kind::Decision, |batch, record| {
            let Record::Decision(decision) = record else { return };
            if trace.is_some() {
                if decision.trace_id.as_ref() == trace {
                    last = Some(decision.row.clone());
                }
                return;
            }
            let is_ours = decision.head.ts_recv <= sent
                && decision.head.instrument.is_none_or(|id| symbol(batch, id) == found.symbol)
                && decision.side.is_none_or(|side| side == found.fill.side);
            if is_ours {
                last = Some(decision.row.clone());
            }
        })?;
        if let Some(decision) = last {
            if trace.is_some() {
                self.add(HEADING, "id", decision.decision_id.as_str());
            }
            self.add(HEADING, "when", decision.head.ts_recv.to_string());
            self.add(HEADING, "action", decision.action.word());
            self.add(HEADING, "reason", decision.reason.unwrap_or_default());
            self.add(
                HEADING,
                "found by",
                match trace {
                    Some(_) => "its trace, which order and fill carry",
                    None => "the last one before the order, of its instrument and side",
                },
            );
        }
        if let Some(mid) = quality.and_then(|it| it.mid_decision) {
            self.add(HEADING, "mid it saw", mid.to_string());
        }
        Ok(())
    }

    fn order(&mut self, found: &Found, quality: Option<&FillQuality>, orders: &[Order]) {
        const HEADING: &str = "order";
        if let Some(first) = orders.first() {
            self.add(HEADING, "id", first.order_id.as_str());
            self.add(HEADING, "type", format!("{} {}", first.order_type, first.time_in_force));
            self.add(HEADING, "asked for", asked(found, first));
        }
        for order in orders {
            let reason = order.reason.as_ref().map(|it| format!(" ({it})")).unwrap_or_default();
            let event = order.head.ts_event;
            self.add(
                HEADING,
                &event.to_string(),
                format!("{}{reason}, filled {}", order.status, found.qty(order.filled_qty)),
            );
        }
        if let Some((decided, accepted)) = quality.and_then(|it| it.decided.zip(it.accepted)) {
            self.add(HEADING, "on its way", nanos(accepted.since(decided)));
        }
    }

    fn queue(&mut self, found: &Found, quality: &FillQuality) {
        const HEADING: &str = "queue";
        let mut add = |name: &str, qty: Option<Qty>| {
            if let Some(qty) = qty {
                self.add(HEADING, name, found.qty(qty));
            }
        };
        add("ahead when it came to rest", quality.queue_ahead_entry);
        add("size of the level then", quality.level_qty_entry);
        add("left by trades", quality.queue_traded);
        add("left by cancels", quality.queue_cancelled);
        add("ahead at the fill", quality.queue_ahead_fill);
    }

    fn fill(&mut self, found: &Found) {
        const HEADING: &str = "fill";
        let fill = &found.fill;
        self.add(HEADING, "when", fill.head.ts_event.to_string());
        self.add(
            HEADING,
            "what",
            format!(
                "{} {} {} at {}",
                fill.side,
                found.qty(fill.qty),
                found.symbol,
                found.px(fill.px)
            ),
        );
        if let Some(liquidity) = fill.liquidity {
            let meaning = match liquidity {
                qt_model::words::Liquidity::Maker => "maker: it rested, and the market came to it",
                qt_model::words::Liquidity::Taker => "taker: it met what rested",
            };
            self.add(HEADING, "as", meaning);
        }
        if let Some(fee) = fill.fee {
            let currency = fill.fee_currency.as_deref().unwrap_or_default();
            self.add(HEADING, "fee", format!("{} {currency}", fee.normalize()));
        }
    }

    fn prices(&mut self, run: &RunReader, found: &Found, quality: &FillQuality) {
        const HEADING: &str = "price";
        let mids = [("mid at arrival", quality.mid_arrival), ("mid before", quality.mid_before)];
        for (name, mid) in mids {
            if let Some(mid) = mid {
                self.add(HEADING, name, mid.to_string());
            }
        }
        if let Some(touch) = quality.touch_arrival {
            self.add(HEADING, "other side at arrival", found.px(touch));
        }
        for (horizon, markout) in run.manifest().output.horizons.iter().zip(&quality.markout_bps) {
            let text = markout.map_or("past the end, or no mid".to_owned(), |bps| {
                format!("{bps:+.4} bps for us")
            });
            self.add(HEADING, &format!("after {horizon}"), text);
        }
    }

    /// What became of the same order in another lane, where that lane kept its orders.
    fn lane(
        &mut self,
        run: &RunReader,
        lane: usize,
        found: &Found,
        ours: &[Order],
    ) -> Result<(), RunError> {
        const HEADING: &str = "other fill models";
        let name = run.lanes()[lane].clone();
        if run.path(lane, Kind::Order).is_none() {
            self.add(HEADING, &name, "kept no orders");
            return Ok(());
        }
        let theirs = orders(run, lane, found)?;
        let is_same = match (ours.first(), theirs.first()) {
            (Some(a), Some(b)) => {
                (a.head.ts_recv, a.side, a.px, a.qty) == (b.head.ts_recv, b.side, b.px, b.qty)
            }
            _ => false,
        };
        let text = match theirs.last().filter(|_| is_same) {
            None => "had parted before: it sent another order, or none".to_owned(),
            Some(last) => {
                let event = last.head.ts_event;
                format!(
                    "{} of {} filled, {} at {event}",
                    found.qty(last.filled_qty),
                    found.qty(last.qty),
                    last.status
                )
            }
        };
        self.add(HEADING, &name, text);
        Ok(())
    }

    pub(super) fn text(&self) -> String {
        let width = self.lines.iter().map(|(_, name, _)| name.chars().count()).max().unwrap_or(0);
        let (mut out, mut last) = (String::new(), "");
        for (heading, name, value) in &self.lines {
            if *heading != last {
                out.push_str(&format!("{}{heading}\n", if last.is_empty() { "" } else { "\n" }));
                last = heading;
            }
            out.push_str(format!("  {name:<width$}  {value}").trim_end());
            out.push('\n');
        }
        out
    }

    pub(super) fn json(&self) -> String {
        let mut all = Map::new();
        for (heading, name, value) in &self.lines {
            let part = all.entry(*heading).or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(part) = part {
                part.insert(name.clone(), value.as_str().into());
            }
        }
        Value::Object(all).to_string() + "\n"
    }
}

fn symbol(batch: &Batch, id: InstrumentId) -> String {
    batch.instruments().get(id).symbol.to_string()
}

fn fill(run: &RunReader, id: &str) -> Result<Option<Found>, RunError> {
    let mut found = None;
    run.each(0, Kind::Fill, |batch, record| {
        let Record::Fill(fill) = record else { return };
        let Some(instrument) = fill.head.instrument else { return };
        if fill.fill_id.as_str() == id {
            let table: &Instruments = batch.instruments();
            let terms = table.get(instrument);
            let scales = (terms.px_scale, terms.qty_scale);
            found =
                Some(Found { fill: fill.row.clone(), symbol: terms.symbol.to_string(), scales });
        }
    })?;
    Ok(found)
}

fn quality(run: &RunReader, id: &str) -> Result<Option<FillQuality>, RunError> {
    let mut found = None;
    run.each(0, Kind::FillQuality, |_, record| {
        if let Record::FillQuality(row) = record
            && row.fill_id.as_str() == id
        {
            found = Some(row.row.clone());
        }
    })?;
    Ok(found)
}

/// The states of the fill's order, in order.
fn orders(run: &RunReader, lane: usize, found: &Found) -> Result<Vec<Order>, RunError> {
    let mut rows = Vec::new();
    let Some(id) = &found.fill.order_id else { return Ok(rows) };
    run.each(lane, Kind::Order, |_, record| {
        if let Record::Order(order) = record
            && order.order_id == *id
        {
            rows.push(order.row.clone());
        }
    })?;
    Ok(rows)
}

fn asked(found: &Found, order: &Order) -> String {
    let px = order.px.map(|px| format!(" at {}", found.px(px))).unwrap_or_default();
    format!("{} {}{px}", order.side, found.qty(order.qty))
}

fn nanos(nanos: i64) -> String {
    match nanos {
        nanos if nanos.abs() < 1_000 => format!("{nanos} ns"),
        nanos if nanos.abs() < 1_000_000 => format!("{} µs", nanos as f64 / 1e3),
        nanos if nanos.abs() < 1_000_000_000 => format!("{} ms", nanos as f64 / 1e6),
        nanos => format!("{} s", nanos as f64 / 1e9),
    }
}
