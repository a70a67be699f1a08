//! Two runs side by side.
//!
//! Streams are read in step, so that memory holds a batch of each. Of a stream the first record that
//! differs is told, field by field, and how far each goes on; what lies behind it follows from it.

use qt_model::instrument::Instruments;
use qt_model::record::{Batch, FieldType, Kind, Record, Source, Value};
use qt_model::time::Ts;
use qt_stream::error::ReadError;
use qt_stream::parquet_file::ParquetReader;
use qt_stream::runs::{MetricRow, RunReader};

/// One place where two runs differ.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Difference {
    pub(crate) entity: &'static str,
    /// When, of something that has a time.
    pub(crate) ts: Option<Ts>,
    pub(crate) key: String,
    pub(crate) field: Option<String>,
    pub(crate) a: Option<String>,
    pub(crate) b: Option<String>,
}

impl Difference {
    fn of(entity: &'static str, key: &str, a: Option<String>, b: Option<String>) -> Self {
        Self { entity, ts: None, key: key.to_owned(), field: None, a, b }
    }
}

/// What the runs were given.
pub(crate) fn inputs(a: &RunReader, b: &RunReader) -> Vec<Difference> {
    let rows = |run: &RunReader| -> Vec<(String, String)> {
        let input = &run.manifest().input;
        let mut rows = vec![
            ("strategy".to_owned(), input.strategy.id.clone()),
            ("version".to_owned(), input.strategy.version.clone()),
            ("source".to_owned(), input.strategy.source_sha256.clone()),
            ("config".to_owned(), input.config_sha256.clone()),
            ("seed".to_owned(), input.seed.map(|seed| seed.to_string()).unwrap_or_default()),
            ("latency".to_owned(), input.latency.clone()),
            ("fees".to_owned(), input.fees.clone()),
            ("code".to_owned(), format!("{} {:?}", input.code.version, input.code.commit)),
        ];
        rows.extend(
            input
                .strategy
                .params
                .iter()
                .map(|(name, value)| (format!("param {name}"), value.clone())),
        );
        let data = input.datasets.iter().map(|it| (format!("data {}", it.name), it.digest.clone()));
        rows.extend(data);
        rows
    };
    let (a, b) = (rows(a), rows(b));
    pairs(&a, &b)
        .filter(|(_, a, b)| a != b)
        .map(|(key, a, b)| Difference::of("input", key, a.cloned(), b.cloned()))
        .collect()
}

/// Values by name: those of the first list in its order, then those only the second has.
fn pairs<'a, T>(
    a: &'a [(String, T)],
    b: &'a [(String, T)],
) -> impl Iterator<Item = (&'a str, Option<&'a T>, Option<&'a T>)> {
    let find = |list: &'a [(String, T)], name: &str| {
        list.iter().find(|(known, _)| known == name).map(|(_, it)| it)
    };
    let first = a.iter().map(move |(name, value)| (name.as_str(), Some(value), find(b, name)));
    let rest = b.iter().filter(move |(name, _)| find(a, name).is_none());
    first.chain(rest.map(|(name, value)| (name.as_str(), None, Some(value))))
}

/// The first record of a kind that differs.
pub(crate) fn stream(
    a: &RunReader,
    b: &RunReader,
    kind: Kind,
    entity: &'static str,
) -> anyhow::Result<Vec<Difference>> {
    let (mut a, mut b) = (Cursor::open(a, kind)?, Cursor::open(b, kind)?);
    let mut place = 0_u64;
    loop {
        let is_there = (a.advance()?, b.advance()?);
        place += 1;
        let key = format!("#{place}");
        let difference = match is_there {
            (false, false) => return Ok(Vec::new()),
            (true, false) => vec![Difference {
                ts: Some(a.ts()),
                ..Difference::of(entity, &key, Some(a.describe()), None)
            }],
            (false, true) => vec![Difference {
                ts: Some(b.ts()),
                ..Difference::of(entity, &key, None, Some(b.describe()))
            }],
            (true, true) => fields(entity, &key, &a, &b),
        };
        if difference.is_empty() {
            continue;
        }
        let (mut counts, mut found) = ([place - 1; 2], difference);
        for (count, (cursor, was_there)) in
            counts.iter_mut().zip([(&mut a, is_there.0), (&mut b, is_there.1)])
        {
            *count += u64::from(was_there) + cursor.remaining()?;
        }
        if counts[0] != counts[1] {
            let count = |count: u64| Some(count.to_string());
            found.push(Difference::of(entity, "count", count(counts[0]), count(counts[1])));
        }
        return Ok(found);
    }
}

/// The fields in which two records differ.
fn fields(entity: &'static str, key: &str, a: &Cursor, b: &Cursor) -> Vec<Difference> {
    let (a_row, b_row) = (a.record(), b.record());
    let mut found = Vec::new();
    let mut push = |field: &str, a_text: String, b_text: String| {
        if a_text != b_text {
            found.push(Difference {
                entity,
                ts: Some(a_row.head().ts_recv),
                key: key.to_owned(),
                field: Some(field.to_owned()),
                a: Some(a_text),
                b: Some(b_text),
            });
        }
    };
    push("ts_event", a_row.head().ts_event.to_string(), b_row.head().ts_event.to_string());
    push("ts_recv", a_row.head().ts_recv.to_string(), b_row.head().ts_recv.to_string());
    push("sym", a.symbol(), b.symbol());
    for (at, field) in a_row.kind().fields().iter().enumerate() {
        push(field.name, a.value(at, field.ty), b.value(at, field.ty));
    }
    found
}

/// A stream read record by record.
struct Cursor {
    reader: Option<ParquetReader>,
    batch: Batch,
    at: usize,
}

impl Cursor {
    fn open(run: &RunReader, kind: Kind) -> anyhow::Result<Self> {
        let source = run.source(0, kind)?;
        let (reader, table) =
            source.map_or((None, Default::default()), |(reader, table)| (Some(reader), table));
        Ok(Self { reader, batch: Batch::new(table), at: 0 })
    }

    /// Moves to the next record, if there is one.
    fn advance(&mut self) -> Result<bool, ReadError> {
        self.at += 1;
        if self.at < self.batch.len() {
            return Ok(true);
        }
        self.at = 0;
        match &mut self.reader {
            Some(reader) => Ok(reader.next(&mut self.batch)? && !self.batch.is_empty()),
            None => Ok(false),
        }
    }

    /// How many follow the record at hand.
    fn remaining(&mut self) -> Result<u64, ReadError> {
        let mut count = 0;
        if self.batch.is_empty() {
            return Ok(0);
        }
        while self.advance()? {
            count += 1;
        }
        Ok(count)
    }

    fn record(&self) -> Record<'_> {
        self.batch.get(self.at)
    }

    fn ts(&self) -> Ts {
        self.record().head().ts_recv
    }

    fn instruments(&self) -> &Instruments {
        self.batch.instruments()
    }

    fn symbol(&self) -> String {
        let id = self.record().head().instrument;
        id.map_or_else(|| "-".to_owned(), |id| self.instruments().get(id).symbol.to_string())
    }

    fn value(&self, field: usize, ty: FieldType) -> String {
        let scale = self.record().head().instrument.map(|id| {
            let terms = self.instruments().get(id);
            if matches!(ty, FieldType::Px) { terms.px_scale } else { terms.qty_scale }
        });
        let scale = scale.unwrap_or_default();
        match (self.record().value(field), ty) {
            (Value::Absent, _) => "-".to_owned(),
            (Value::Bool(value), _) => value.to_string(),
            (Value::U64(value), _) => value.to_string(),
            (Value::F64(value), _) => value.to_string(),
            (Value::Ts(value), _) => value.to_string(),
            (Value::Px(value), _) => value.to_decimal(scale).to_string(),
            (Value::Qty(value), _) => value.to_decimal(scale).to_string(),
            (Value::Decimal(value), _) => value.normalize().to_string(),
            (Value::Text(value), _) => value.into_owned(),
            (Value::Word(at), FieldType::Word(words)) => words[at].to_owned(),
            (Value::Word(at), _) => at.to_string(),
            (Value::F64List(values), _) => format!("{values:?}"),
        }
    }

    /// The record in one line.
    fn describe(&self) -> String {
        let fields = self.record().kind().fields();
        let values =
            fields.iter().enumerate().map(|(at, field)| (field.name, self.value(at, field.ty)));
        let shown =
            values.filter(|(_, value)| value != "-").map(|(name, value)| format!("{name}={value}"));
        format!("{} {} {}", self.ts(), self.symbol(), shown.collect::<Vec<_>>().join(" "))
    }
}

/// Where the profit came from, then every other metric of the main lanes.
pub(crate) fn metrics(a: &RunReader, b: &RunReader) -> anyhow::Result<Vec<Difference>> {
    let rows = |run: &RunReader| -> anyhow::Result<Vec<(String, String)>> {
        let text = |row: &MetricRow| match (row.exact, row.value, &row.reason) {
            (Some(exact), _, _) => exact.normalize().to_string(),
            (None, Some(value), _) => value.to_string(),
            (None, None, reason) => format!("n/a ({})", reason.as_deref().unwrap_or("unknown")),
        };
        Ok(run.metrics(0)?.iter().map(|row| (row.name.clone(), text(row))).collect())
    };
    let (a, b) = (rows(a)?, rows(b)?);
    let mut found: Vec<Difference> = pairs(&a, &b)
        .filter(|(_, a, b)| a != b)
        .map(|(name, a, b)| {
            let entity = if name.starts_with("pnl_") { "attribution" } else { "metric" };
            Difference::of(entity, name, a.cloned(), b.cloned())
        })
        .collect();
    // Attribution first; the order among each is that of the registry.
    found.sort_by_key(|it| it.entity);
    Ok(found)
}
