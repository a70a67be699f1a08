//! Blocks to rows of a batch.

use std::borrow::Cow;

use qt_model::decimal::MONEY_DECIMALS;
use qt_model::ids::InstrumentId;
use qt_model::instrument::Instruments;
use qt_model::record::{Batch, FieldType, Head, Level, Value};
use qt_model::time::Ts;
use qt_model::units::{Px, Qty, Scale};
use qt_model::words::Side;
use rust_decimal::Decimal;

use super::bytes::Bytes;
use super::write::words;
use crate::tables::{Cell, Column, Table, Type};

/// A block in pieces: borrowed from the bytes of an answer.
#[derive(Clone, Debug)]
pub struct Block<'a> {
    rows: usize,
    columns: Vec<Data<'a>>,
}

/// The values of a column.
#[derive(Clone, Debug)]
struct Data<'a> {
    /// For lists, where the elements of each row end.
    ends: Vec<usize>,
    /// A one for each value that is missing.
    nulls: &'a [u8],
    values: Values<'a>,
}

#[derive(Clone, Debug)]
enum Values<'a> {
    Small(&'a [u8]),
    Words(&'a [u8]),
    Wide(&'a [u8]),
    Texts(Vec<&'a str>),
}

impl<'a> Block<'a> {
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// A text of a column of texts.
    pub(super) fn text(&self, column: usize, row: usize) -> &'a str {
        self.columns[column].text(row)
    }

    /// The same block but for one column.
    pub(super) fn without(mut self, column: usize) -> Self {
        self.columns.remove(column);
        self
    }
}

/// Takes an answer apart, which has these columns in this order or is refused.
pub fn blocks<'a>(bytes: &'a [u8], columns: &[Column]) -> Result<Vec<Block<'a>>, String> {
    let mut bytes = Bytes::new(bytes);
    let mut blocks = Vec::new();
    while !bytes.is_empty() {
        let (width, rows) = (bytes.varint()?, bytes.varint()?);
        if width != columns.len() {
            return Err(format!("has {width} columns in place of {}", columns.len()));
        }
        let data: Result<Vec<_>, String> = columns
            .iter()
            .map(|column| {
                let (name, ty) = (bytes.text()?, bytes.text()?);
                let sent = column.form.sent();
                if name != column.name || ty != sent {
                    let wanted = &column.name;
                    return Err(format!("has `{name}` {ty} in place of `{wanted}` {sent}"));
                }
                data(&mut bytes, column, rows)
            })
            .collect();
        blocks.push(Block { rows, columns: data? });
    }
    Ok(blocks)
}

fn data<'a>(bytes: &mut Bytes<'a>, column: &Column, rows: usize) -> Result<Data<'a>, String> {
    let form = column.form;
    let (mut ends, mut count) = (Vec::new(), rows);
    if form.is_list {
        let offsets = bytes.values(rows, 8)?;
        ends = words_of(offsets).map(|end| end as usize).collect();
        if !ends.is_sorted() {
            return Err(format!("has lists of `{}` that end before they begin", column.name));
        }
        count = ends.last().copied().unwrap_or(0);
    }
    let nulls = if form.is_nullable { bytes.take(count)? } else { &[] };
    let values = match form.ty {
        Type::Bool | Type::U8 => Values::Small(bytes.take(count)?),
        Type::U64 | Type::I64 | Type::F64 | Type::Time => Values::Words(bytes.values(count, 8)?),
        Type::Money => Values::Wide(bytes.values(count, 16)?),
        Type::Text | Type::Word => {
            // A text takes a byte at least, so that what is claimed is not believed beyond that.
            let texts = (0..count).map(|_| bytes.text());
            Values::Texts(texts.collect::<Result<_, _>>()?)
        }
    };
    Ok(Data { ends, nulls, values })
}

fn words_of(bytes: &[u8]) -> impl Iterator<Item = u64> + '_ {
    bytes.chunks_exact(8).map(|word| u64::from_le_bytes(word.try_into().expect("eight bytes")))
}

impl<'a> Data<'a> {
    fn is_null(&self, at: usize) -> bool {
        self.nulls.get(at).is_some_and(|null| *null != 0)
    }

    fn small(&self, at: usize) -> u8 {
        let Values::Small(bytes) = &self.values else { self.confused("a byte") };
        bytes[at]
    }

    fn word(&self, at: usize) -> u64 {
        let Values::Words(bytes) = &self.values else { self.confused("a number") };
        u64::from_le_bytes(bytes[8 * at..8 * at + 8].try_into().expect("eight bytes"))
    }

    fn wide(&self, at: usize) -> i128 {
        let Values::Wide(bytes) = &self.values else { self.confused("an amount") };
        i128::from_le_bytes(bytes[16 * at..16 * at + 16].try_into().expect("sixteen bytes"))
    }

    fn text(&self, at: usize) -> &'a str {
        let Values::Texts(texts) = &self.values else { self.confused("a text") };
        texts[at]
    }

    /// The form of a column decides what its values are, and what is asked of them.
    fn confused(&self, asked: &str) -> ! {
        panic!("{asked} is asked of {:?}", self.values)
    }

    /// The elements of a row.
    fn range(&self, row: usize) -> std::ops::Range<usize> {
        let start = if row == 0 { 0 } else { self.ends[row - 1] };
        start..self.ends[row]
    }
}

/// Appends the rows of a block to a batch whose table has all instruments. Where the block has no
/// symbols, all rows are of `instrument`. What does not fit, in words.
pub fn rows(
    table: &Table,
    columns: &[Column],
    block: &Block<'_>,
    instrument: Option<InstrumentId>,
    batch: &mut Batch,
) -> Result<(), String> {
    let mut reader = Reader::new(table, columns, block, instrument);
    for row in 0..block.rows {
        reader.row(row, batch).map_err(|message| format!("has a row that {message}"))?;
    }
    Ok(())
}

/// The columns of a block by what they hold.
struct Reader<'a> {
    table: &'a Table,
    instrument: Option<InstrumentId>,
    event: Option<&'a Data<'a>>,
    has_event: Option<&'a Data<'a>>,
    recv: Option<&'a Data<'a>>,
    symbol: Option<&'a Data<'a>>,
    seq: Option<&'a Data<'a>>,
    px_scale: Option<&'a Data<'a>>,
    qty_scale: Option<&'a Data<'a>>,
    fields: Vec<(usize, &'a Data<'a>)>,
    /// Prices and sizes of each side.
    levels: Vec<(Side, &'a Data<'a>, &'a Data<'a>)>,
    values: Vec<Value<'a>>,
    level_rows: Vec<Level>,
}

/// What a row says of itself: its scales, and those of its instrument here.
#[derive(Clone, Copy, Default)]
struct Scales {
    px: (Scale, Scale),
    qty: (Scale, Scale),
}

impl<'a> Reader<'a> {
    fn new(
        table: &'a Table,
        columns: &[Column],
        block: &'a Block<'a>,
        instrument: Option<InstrumentId>,
    ) -> Self {
        let cells = || columns.iter().map(|column| column.cell).zip(&block.columns);
        let find = |wanted| cells().find(|(cell, _)| *cell == wanted).map(|(_, data)| data);
        let fields = cells().filter_map(|(cell, data)| match cell {
            Cell::Field(field) => Some((field, data)),
            Cell::Event
            | Cell::HasEvent
            | Cell::Recv
            | Cell::Symbol
            | Cell::Seq
            | Cell::PxScale
            | Cell::QtyScale
            | Cell::LevelPx(_)
            | Cell::LevelQty(_) => None,
        });
        let side = |side| Some((side, find(Cell::LevelPx(side))?, find(Cell::LevelQty(side))?));
        Self {
            table,
            instrument,
            event: find(Cell::Event),
            has_event: find(Cell::HasEvent),
            recv: find(Cell::Recv),
            symbol: find(Cell::Symbol),
            seq: find(Cell::Seq),
            px_scale: find(Cell::PxScale),
            qty_scale: find(Cell::QtyScale),
            fields: fields.collect(),
            levels: [Side::Buy, Side::Sell].into_iter().filter_map(side).collect(),
            values: Vec::new(),
            level_rows: Vec::new(),
        }
    }

    fn row(&mut self, row: usize, batch: &mut Batch) -> Result<(), String> {
        let head = self.head(row, batch.instruments())?;
        let scales = self.scales(row, &head, batch.instruments())?;
        self.values.clear();
        for (field, data) in &self.fields {
            self.values.push(value(self.table, *field, data, row, scales)?);
        }
        self.level_rows.clear();
        for at in 0..self.levels.len() {
            self.add_levels(at, row, scales)?;
        }
        let kind = self.table.kind;
        batch
            .push_values(kind, head, &mut self.values, &self.level_rows)
            .map_err(|field| format!("has a `{}` that is not one", kind.fields()[field].name))
    }

    fn head(&self, row: usize, instruments: &Instruments) -> Result<Head, String> {
        let ts = |data: Option<&Data<'_>>| {
            Ts::from_nanos(data.map_or(0, |data| data.word(row).cast_signed()))
        };
        let instrument = match self.symbol.map(|data| data.text(row)) {
            None => self.instrument,
            Some("") => None,
            Some(symbol) => Some(
                instruments
                    .find(symbol)
                    .ok_or_else(|| format!("names {symbol}, of which no terms are known"))?,
            ),
        };
        let seq = self.seq.map_or(0, |data| data.word(row));
        let mut head = Head::new(ts(self.event), ts(self.recv), seq, instrument);
        head.has_event_time = self.has_event.is_none_or(|data| data.small(row) != 0);
        Ok(head)
    }

    fn scales(&self, row: usize, head: &Head, all: &Instruments) -> Result<Scales, String> {
        let own = head.instrument.map(|id| all.get(id));
        let of_row = |data: Option<&Data<'_>>| {
            let digits = data.map_or(0, |data| data.small(row));
            Scale::new(digits).map_err(|error| format!("has a scale: {error}"))
        };
        Ok(Scales {
            px: (of_row(self.px_scale)?, own.map_or(Scale::ZERO, |own| own.px_scale)),
            qty: (of_row(self.qty_scale)?, own.map_or(Scale::ZERO, |own| own.qty_scale)),
        })
    }

    fn add_levels(&mut self, at: usize, row: usize, scales: Scales) -> Result<(), String> {
        let (side, pxs, qtys) = self.levels[at];
        let (at, others) = (pxs.range(row), qtys.range(row));
        if at.len() != others.len() {
            return Err(format!("has {} prices for {} sizes", at.len(), others.len()));
        }
        for (px, qty) in at.zip(others) {
            let px = lifted(pxs.word(px), scales.px)?;
            let qty = sized(lifted(qtys.word(qty), scales.qty)?)?;
            self.level_rows.push(Level { px: Px::new(px), qty, side });
        }
        Ok(())
    }
}

fn value<'a>(
    table: &Table,
    field: usize,
    data: &Data<'a>,
    row: usize,
    scales: Scales,
) -> Result<Value<'a>, String> {
    let ty = table.kind.fields()[field].ty;
    if ty != FieldType::F64List && data.is_null(row) {
        return Ok(Value::Absent);
    }
    Ok(match ty {
        FieldType::Bool => Value::Bool(data.small(row) != 0),
        FieldType::U64 => Value::U64(data.word(row)),
        FieldType::F64 => Value::F64(f64::from_bits(data.word(row))),
        FieldType::Ts => Value::Ts(Ts::from_nanos(data.word(row).cast_signed())),
        FieldType::Px => Value::Px(Px::new(lifted(data.word(row), scales.px)?)),
        FieldType::Qty => Value::Qty(sized(lifted(data.word(row), scales.qty)?)?),
        FieldType::Decimal => Value::Decimal(amount(data.wide(row))?),
        FieldType::Text => Value::Text(Cow::Borrowed(data.text(row))),
        FieldType::Word(_) => {
            let (text, known) = (data.text(row), words(table, field));
            let place = known.iter().position(|word| *word == text);
            Value::Word(place.ok_or_else(|| format!("says `{text}`, which is no word here"))?)
        }
        FieldType::F64List => {
            let element = |at| (!data.is_null(at)).then(|| f64::from_bits(data.word(at)));
            Value::F64List(data.range(row).map(element).collect())
        }
    })
}

/// A whole number at the scale of its row as one at the scale of its instrument here.
fn lifted(word: u64, (from, to): (Scale, Scale)) -> Result<i64, String> {
    let mantissa = word.cast_signed();
    from.rescale(mantissa, to).ok_or_else(|| {
        let (from, to) = (from.digits(), to.digits());
        format!("has {mantissa} at scale {from}, which does not fit scale {to}")
    })
}

fn sized(mantissa: i64) -> Result<Qty, String> {
    Qty::new(mantissa).map_err(|error| format!("has a size: {error}"))
}

/// Amounts have no trailing zeros by themselves, as they come from lines.
fn amount(units: i128) -> Result<Decimal, String> {
    let amount = Decimal::try_from_i128_with_scale(units, u32::from(MONEY_DECIMALS));
    match amount {
        Ok(amount) => Ok(amount.normalize()),
        // More digits than fit, of which the last ones may be zeros.
        Err(_) => {
            let (mut units, mut scale) = (units, u32::from(MONEY_DECIMALS));
            while scale > 0 && units % 10 == 0 {
                (units, scale) = (units / 10, scale - 1);
            }
            Decimal::try_from_i128_with_scale(units, scale)
                .map_err(|_| format!("has an amount of more than 28 digits: {units}e-{scale}"))
        }
    }
}
