//! Batches to CSV.

use std::io::Write;

use qt_model::record::{Batch, Kind, Level, Record, Value};
use qt_model::words::Word;

use crate::error::WriteError;
use crate::json::encode;
use crate::json::general::Scales;

/// Writes one table for all kinds it was told of.
pub struct CsvWriter<W: Write> {
    out: csv::Writer<W>,
    kinds: Vec<Kind>,
    columns: Vec<&'static str>,
    has_begun: bool,
    cells: Vec<Vec<u8>>,
}

impl<W: Write> std::fmt::Debug for CsvWriter<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CsvWriter").field("columns", &self.columns).finish_non_exhaustive()
    }
}

impl<W: Write> CsvWriter<W> {
    /// `kinds` are those that may occur; none given, those of the first batch decide.
    pub fn new(out: W, kinds: Option<Vec<Kind>>) -> Self {
        let kinds = kinds.unwrap_or_default();
        let out = csv::WriterBuilder::new().from_writer(out);
        Self { out, kinds, columns: Vec::new(), has_begun: false, cells: Vec::new() }
    }

    fn begin(&mut self, batch: Option<&Batch>) -> Result<(), WriteError> {
        if self.has_begun {
            return Ok(());
        }
        self.has_begun = true;
        if self.kinds.is_empty()
            && let Some(batch) = batch
        {
            self.kinds = Kind::ALL.iter().copied().filter(|kind| batch.count(*kind) > 0).collect();
        }
        self.columns = vec!["k", "ts_event", "ts_recv", "sym"];
        for kind in &self.kinds {
            let own = kind.fields().iter().map(|field| field.name);
            let level = ["level", "side", "px", "qty"].into_iter().filter(|_| *kind == Kind::Depth);
            for name in own.chain(level) {
                if !self.columns.contains(&name) {
                    self.columns.push(name);
                }
            }
        }
        self.columns.push("seq");
        self.cells = vec![Vec::new(); self.columns.len()];
        self.out.write_record(&self.columns).map_err(from_csv)
    }

    pub fn write(&mut self, batch: &Batch) -> Result<(), WriteError> {
        self.begin(Some(batch))?;
        for record in batch.iter() {
            if !self.kinds.contains(&record.kind()) {
                let kind = crate::error::name_of(&record);
                return Err(WriteError::Unfit(format!(
                    "a record of kind `{kind}` came after the columns were fixed; name the kinds with --kinds"
                )));
            }
            self.record(batch, &record)?;
        }
        Ok(())
    }

    fn record(&mut self, batch: &Batch, record: &Record<'_>) -> Result<(), WriteError> {
        self.cells.iter_mut().for_each(Vec::clear);
        let head = record.head();
        let instrument = head.instrument.map(|id| batch.instruments().get(id));
        let scales = instrument.map_or_else(Scales::default, |instrument| Scales {
            px: instrument.px_scale,
            qty: instrument.qty_scale,
        });
        self.set("k", record.kind().name().as_bytes());
        if head.has_event_time {
            self.set("ts_event", &head.ts_event.text());
        }
        self.set("ts_recv", &head.ts_recv.text());
        if let Some(instrument) = instrument {
            self.set("sym", instrument.symbol.as_str().as_bytes());
        }
        self.set("seq", head.seq.to_string().as_bytes());
        for (at, field) in record.kind().fields().iter().enumerate() {
            match record.value(at) {
                Value::Absent => {}
                Value::Text(text) => self.set(field.name, text.as_bytes()),
                value => {
                    let mut text = Vec::new();
                    encode::value(field, &value, scales, &mut text);
                    self.set(field.name, unquoted(&text));
                }
            }
        }
        match record.kind() {
            Kind::Depth => self.levels(record.levels(), scales),
            _ => self.row(),
        }
    }

    fn levels(&mut self, levels: &[Level], scales: Scales) -> Result<(), WriteError> {
        if levels.is_empty() {
            self.set("level", b"0");
            return self.row();
        }
        for (number, level) in levels.iter().enumerate() {
            self.set("level", number.to_string().as_bytes());
            self.set("side", level.side.word().as_bytes());
            let mut text = Vec::new();
            qt_model::decimal::write(level.px.mantissa(), scales.px, &mut text);
            self.set("px", &text);
            text.clear();
            qt_model::decimal::write(level.qty.mantissa(), scales.qty, &mut text);
            self.set("qty", &text);
            self.row()?;
        }
        Ok(())
    }

    fn set(&mut self, name: &str, text: &[u8]) {
        if let Some(at) = self.columns.iter().position(|column| *column == name) {
            self.cells[at].clear();
            self.cells[at].extend_from_slice(text);
        }
    }

    fn row(&mut self) -> Result<(), WriteError> {
        self.out.write_record(&self.cells).map_err(from_csv)
    }

    pub fn flush(&mut self) -> Result<(), WriteError> {
        Ok(self.out.flush()?)
    }

    pub fn finish(mut self) -> Result<W, WriteError> {
        self.begin(None)?;
        self.out.flush()?;
        self.out.into_inner().map_err(|error| WriteError::Io(error.into_error()))
    }
}

fn unquoted(text: &[u8]) -> &[u8] {
    text.strip_prefix(b"\"").and_then(|text| text.strip_suffix(b"\"")).unwrap_or(text)
}

pub(crate) fn from_csv(error: csv::Error) -> WriteError {
    match error.into_kind() {
        csv::ErrorKind::Io(source) => WriteError::Io(source),
        other => WriteError::Unfit(format!("{other:?}")),
    }
}
