//! What a report says, gathered from a run in one pass over each stream and in bounded memory.

use qt_model::ids::InstrumentId;
use qt_model::record::{Kind, Record};
use qt_model::time::Ts;
use qt_model::words::{Liquidity, Side};
use qt_stream::parquet_file::describe;
use qt_stream::read::Options;
use qt_stream::runs::{Manifest, MetricRow, RunReader};
use rust_decimal::Decimal;

use super::curve::Curve;
use super::latency::Latency;
use crate::failure::FailureExt;
use crate::outcome::Exit;

/// At most so many dots of a kind on a page.
const DOTS: usize = 1200;

#[derive(Debug)]
pub(super) struct Data {
    pub(super) manifest: Manifest,
    pub(super) metrics: Vec<MetricRow>,
    /// One a lane that has equity, the main one first.
    pub(super) lanes: Vec<(String, Curve)>,
    pub(super) fills: Thinned<FillDot>,
    pub(super) trips: Thinned<TripDot>,
    pub(super) markouts: Vec<Group>,
    /// Markouts of fills that rested, by the share of their level that was ahead of them, in tenths.
    pub(super) by_queue: Vec<Vec<Point>>,
    pub(super) latency: Latency,
    pub(super) horizons: Vec<String>,
    pub(super) profit: Vec<(&'static str, Decimal)>,
    pub(super) first: Ts,
    pub(super) last: Ts,
}

/// A list that drops every other entry once it is full: even in time, and the same each time.
#[derive(Debug)]
pub(super) struct Thinned<T> {
    pub(super) kept: Vec<T>,
    every: u64,
    pub(super) seen: u64,
}

impl<T> Thinned<T> {
    fn new() -> Self {
        Self { kept: Vec::new(), every: 1, seen: 0 }
    }

    fn push(&mut self, entry: T) {
        if self.seen.is_multiple_of(self.every) {
            self.kept.push(entry);
        }
        self.seen += 1;
        if self.kept.len() >= 2 * DOTS {
            let mut at = 0;
            self.kept.retain(|_| {
                at += 1;
                at % 2 == 1
            });
            self.every *= 2;
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub(super) struct FillDot {
    pub(super) ts: Ts,
    pub(super) px: f64,
    pub(super) mid: Option<f64>,
    pub(super) side: Side,
    pub(super) of: InstrumentId,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct TripDot {
    pub(super) mae_bps: f64,
    pub(super) mfe_bps: f64,
    pub(super) net: f64,
}

/// Markouts of some fills, by horizon.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) name: &'static str,
    pub(super) points: Vec<Point>,
}

/// A mean weighted by notional, with what its error takes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Point {
    count: u64,
    weight: f64,
    sum: f64,
    squares: f64,
    weight_squares: f64,
}

impl Point {
    fn add(&mut self, value: f64, weight: f64) {
        self.count += 1;
        self.weight += weight;
        self.sum += weight * value;
        self.squares += weight * value * value;
        self.weight_squares += weight * weight;
    }

    pub(super) fn mean(&self) -> Option<f64> {
        (self.weight > 0.0).then(|| self.sum / self.weight)
    }

    /// Of the weighted mean; none for a single fill.
    pub(super) fn standard_error(&self) -> Option<f64> {
        let mean = self.mean().filter(|_| self.count > 1)?;
        let variance = (self.squares / self.weight - mean * mean).max(0.0);
        let effective = self.weight * self.weight / self.weight_squares;
        Some((variance / (effective - 1.0).max(1.0)).sqrt())
    }
}

const GROUPS: [&str; 5] = ["all", "buys", "sells", "makers", "takers"];

impl Data {
    pub(super) fn gather(run: &RunReader) -> anyhow::Result<Self> {
        let manifest = run.manifest().clone();
        let (first, last) = span(run, &manifest)?;
        let horizons = manifest.output.horizons.clone();
        let metrics = run.metrics(0)?;
        let profit = profit(&metrics)?;
        let mut data = Self {
            metrics,
            lanes: Vec::new(),
            fills: Thinned::new(),
            trips: Thinned::new(),
            markouts: GROUPS
                .iter()
                .map(|name| Group { name, points: vec![Point::default(); horizons.len()] })
                .collect(),
            by_queue: vec![vec![Point::default(); horizons.len()]; 10],
            latency: Latency::default(),
            horizons,
            profit,
            first,
            last,
            manifest,
        };
        for (at, lane) in run.lanes().iter().enumerate() {
            if run.path(at, Kind::Equity).is_some() {
                data.lanes.push((lane.clone(), curve(run, at, (first, last))?));
            }
        }
        data.gather_fills(run)?;
        data.gather_trips(run)?;
        data.latency = Latency::gather(run)?;
        Ok(data)
    }

    fn gather_fills(&mut self, run: &RunReader) -> anyhow::Result<()> {
        run.each(0, Kind::FillQuality, |batch, record| {
            let Record::FillQuality(fill) = record else { return };
            let Some(id) = fill.head.instrument else { return };
            let terms = batch.instruments().get(id);
            let px = fill.px.to_f64(terms.px_scale);
            let mid = fill.mid_before.and_then(to_f64);
            self.fills.push(FillDot { ts: fill.head.ts_recv, px, mid, side: fill.side, of: id });
            let weight = px.abs() * fill.qty.to_f64(terms.qty_scale);
            let is_in = [
                true,
                fill.side == Side::Buy,
                fill.side == Side::Sell,
                fill.liquidity == Liquidity::Maker,
                fill.liquidity == Liquidity::Taker,
            ];
            let entered = fill.queue_ahead_entry.zip(fill.level_qty_entry);
            if let Some((ahead, level)) = entered {
                // An order that opens its level has nothing ahead.
                let level = i128::from(level.mantissa()).max(1);
                let tenth = (i128::from(ahead.mantissa()) * 10 / level).clamp(0, 9) as usize;
                for (point, value) in self.by_queue[tenth].iter_mut().zip(&fill.markout_bps) {
                    value.iter().for_each(|value| point.add(*value, weight));
                }
            }
            for (group, _) in self.markouts.iter_mut().zip(is_in).filter(|(_, is_in)| *is_in) {
                for (point, value) in group.points.iter_mut().zip(&fill.markout_bps) {
                    value.iter().for_each(|value| point.add(*value, weight));
                }
            }
        })?;
        Ok(())
    }

    fn gather_trips(&mut self, run: &RunReader) -> anyhow::Result<()> {
        run.each(0, Kind::RoundTrip, |_, record| {
            let Record::RoundTrip(trip) = record else { return };
            let notional = to_f64(trip.entry_notional).filter(|notional| *notional > 0.0);
            let (Some(notional), Some(mae), Some(mfe)) =
                (notional, trip.mae.and_then(to_f64), trip.mfe.and_then(to_f64))
            else {
                return;
            };
            let bps = |amount: f64| amount / notional * 1e4;
            let net = to_f64(trip.net).unwrap_or_default();
            self.trips.push(TripDot { mae_bps: bps(mae), mfe_bps: bps(mfe), net });
        })?;
        Ok(())
    }

    pub(super) fn metric(&self, name: &str) -> Option<&MetricRow> {
        self.metrics.iter().find(|row| row.name == name)
    }

    pub(super) fn number(&self, name: &str) -> Option<f64> {
        self.metric(name)?.value
    }
}

fn to_f64(amount: Decimal) -> Option<f64> {
    rust_decimal::prelude::ToPrimitive::to_f64(&amount)
}

/// From the manifest, else from the equity itself.
fn span(run: &RunReader, manifest: &Manifest) -> anyhow::Result<(Ts, Ts)> {
    let parse = |text: &Option<String>| text.as_ref().and_then(|text| text.parse().ok());
    let told = parse(&manifest.output.first_event).zip(parse(&manifest.output.last_event));
    if let Some(told) = told {
        return Ok(told);
    }
    let Some(path) = run.path(0, Kind::Equity) else { return Ok((Ts::default(), Ts::default())) };
    Ok(describe(&path, &Options::default())?.span.unwrap_or_default())
}

fn curve(run: &RunReader, lane: usize, (first, last): (Ts, Ts)) -> anyhow::Result<Curve> {
    let mut curve = Curve::new(first, last);
    run.each(lane, Kind::Equity, |_, record| {
        let Record::Equity(row) = record else { return };
        if let Some(equity) = to_f64(row.equity) {
            curve.observe(row.head.ts_recv, equity, row.net_exposure.and_then(to_f64));
        }
    })?;
    Ok(curve)
}

/// The parts of a profit, in the order of the page.
const PARTS: [(&str, &str); 6] = [
    ("pnl_spread", "spread"),
    ("pnl_adverse", "adverse selection"),
    ("pnl_inventory", "inventory"),
    ("pnl_fees", "fees"),
    ("pnl_funding", "funding"),
    ("pnl_unattributed", "unattributed"),
];

/// Parts and total, which add up to the last digit or are not shown as a sum.
fn profit(metrics: &[MetricRow]) -> anyhow::Result<Vec<(&'static str, Decimal)>> {
    let exact = |name: &str| metrics.iter().find(|row| row.name == name)?.exact;
    let Some(total) = exact("pnl_total") else { return Ok(Vec::new()) };
    let parts = PARTS.iter().map(|(name, label)| Some((*label, exact(name)?)));
    let Some(mut parts) = parts.collect::<Option<Vec<_>>>() else { return Ok(Vec::new()) };
    let sum: Decimal = parts.iter().map(|(_, amount)| *amount).sum();
    if sum != total {
        let message =
            format!("metrics.json: the parts of the profit add up to {sum}, not to {total}");
        return Err(anyhow::anyhow!(message)).exit(Exit::Input);
    }
    parts.retain(|(label, amount)| *label != "unattributed" || !amount.is_zero());
    parts.push(("total", total));
    Ok(parts)
}
