//! Prices of a catalog as lines of block characters, one line an instrument.

use std::path::Path;

use qt_model::ids::InstrumentId;
use qt_model::record::{Batch, Kind, Record, Source};
use qt_stream::catalog::{Catalog, Selection};
use qt_stream::parquet_file::{ParquetReader, Span};
use qt_stream::read::Options;

/// How many characters an hour is wide.
const WIDTH: usize = 60;

/// The same, to divide times by.
const COLUMNS: i64 = 60;

const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// The middle of each quote and the size of each trade, minute by minute.
struct Series {
    instrument: InstrumentId,
    mid: [Option<f64>; WIDTH],
    traded: [f64; WIDTH],
}

pub(super) fn draw(data: &Path) -> anyhow::Result<String> {
    let options = Options::default();
    let selection =
        Selection { kinds: Some(vec![Kind::Quote, Kind::Trade]), ..Selection::default() };
    let parts = Catalog::new(data).parts(&selection, &options)?;
    let spans = parts.iter().filter_map(|part| part.description.span);
    let start = spans.clone().map(|(first, _)| first).min().unwrap_or_default();
    let end = spans.map(|(_, last)| last).max().unwrap_or_default();
    let step = (end.since(start) / COLUMNS).max(1);
    let mut all: Vec<Series> = Vec::new();
    let mut batch = Batch::default();
    for part in &parts {
        let mut reader = ParquetReader::new(&part.path, Span::ALL, options.clone());
        while reader.next(&mut batch)? {
            for record in batch.iter() {
                let at = (record.head().ts_recv.since(start) / step).clamp(0, COLUMNS - 1) as usize;
                take(&record, &batch, at, &mut all);
            }
        }
    }
    let table = options.universe.snapshot();
    all.sort_by(|a, b| table.compare(a.instrument, b.instrument));
    Ok(all.iter().map(|series| lines(series, &table)).collect())
}

fn take(record: &Record<'_>, batch: &Batch, at: usize, all: &mut Vec<Series>) {
    let Some(instrument) = record.head().instrument else { return };
    let known =
        all.iter().position(|series| series.instrument == instrument).unwrap_or_else(|| {
            all.push(Series { instrument, mid: [None; WIDTH], traded: [0.0; WIDTH] });
            all.len() - 1
        });
    let terms = batch.instruments().get(instrument);
    if let Record::Quote(quote) = record
        && let (Some(bid), Some(ask)) = (quote.bid_px, quote.ask_px)
    {
        let mid = (bid.to_f64(terms.px_scale) + ask.to_f64(terms.px_scale)) / 2.0;
        all[known].mid[at] = Some(mid);
    }
    if let Record::Trade(trade) = record {
        all[known].traded[at] += trade.qty.to_f64(terms.qty_scale);
    }
}

fn lines(series: &Series, table: &qt_model::instrument::Instruments) -> String {
    let mut last = series.mid.iter().flatten().next().copied().unwrap_or_default();
    let first = last;
    let filled: Vec<f64> = series
        .mid
        .iter()
        .map(|mid| {
            last = mid.unwrap_or(last);
            last
        })
        .collect();
    let change = if first == 0.0 { 0.0 } else { (last / first - 1.0) * 100.0 };
    let name = table.get(series.instrument).symbol.as_str();
    format!(
        "   {name:<14} {}  {change:+.2} %\n   {:<14} {}  traded\n",
        blocks(&filled, filled.iter().copied().fold(f64::INFINITY, f64::min)),
        "",
        blocks(&series.traded, 0.0),
    )
}

fn blocks(values: &[f64], low: f64) -> String {
    let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let height = (high - low).max(f64::MIN_POSITIVE);
    let block =
        |value: &f64| BLOCKS[(((value - low) / height) * 7.0).round().clamp(0.0, 7.0) as usize];
    values.iter().map(block).collect()
}
