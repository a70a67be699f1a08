//! Binance: the public dumps, with or without the line of names that younger files have.
//!
//! Dumps have no receive time: records carry the venue's time in both clocks. The instrument stands
//! in the name of the file, the market in its folder; a name such as `BTCUSDT-trades-2024-01-01.csv`
//! tells apart what looks alike.

mod depth;
mod tables;

use qt_model::time::Ts;

use super::rows::{self, Begin, Decode, Out, Row};
use super::{About, Hints, ImportInput, Imported, Importer, Likeness, Look};
use crate::error::{Problem, ReadError};
use crate::read::Options;
use depth::Changes;
use tables::{Layout, Rows};

#[derive(Debug)]
pub(super) struct Binance;

static ABOUT: About = About {
    name: "binance",
    what: "Binance public dumps: trades, aggTrades, bookTicker, bookDepth, klines, T_DEPTH",
    example: "qt record import data/futures/um/daily/BTCUSDT-trades-2024-01-01.zip",
};

impl Importer for Binance {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn recognise(&self, look: &Look<'_>) -> Likeness {
        let parts = look.parts();
        let mut fields = rows::Fields::default();
        let Ok(first) = fields.cut(look.first_line(), b',') else { return Likeness::No };
        if depth::is_header(&first) || Layout::of_header(&first).is_some() {
            return Likeness::Certain;
        }
        let name = Name::of(&parts);
        match (Layout::of_row(&first), name.and_then(|name| name.layout())) {
            (Some(found), Some(named)) if found == named => Likeness::Certain,
            // Twelve columns with two times are no accident; the others might be.
            (Some(Layout::Klines), _) => Likeness::Likely,
            _ => Likeness::No,
        }
    }

    fn survey(
        &self,
        input: ImportInput,
        hints: &Hints,
        options: &Options,
    ) -> Result<Option<Ts>, ReadError> {
        rows::survey(Dump::new(&input), input, hints, options)
    }

    fn open(
        &self,
        input: ImportInput,
        hints: &Hints,
        options: &Options,
    ) -> Result<Imported, ReadError> {
        let dump = Dump::new(&input);
        rows::open(move || dump.clone(), input, hints, options)
    }
}

/// What the name of a dump says: `ADABTC-1m-2021-11-27`, in capitals where the venue has them.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Name {
    symbol: String,
    what: String,
}

impl Name {
    fn of(parts: &[String]) -> Option<Self> {
        let name = parts.last()?.split('.').next()?;
        let mut words = name.split('-');
        let (symbol, what) = (words.next()?, words.next()?);
        let is_year =
            |word: &str| word.len() == 4 && word.bytes().all(|byte| byte.is_ascii_digit());
        words.next().filter(|word| is_year(word))?;
        Some(Self { symbol: symbol.to_uppercase(), what: what.to_owned() })
    }

    fn layout(&self) -> Option<Layout> {
        Some(match self.what.as_str() {
            "trades" => Layout::Trades,
            "aggtrades" => Layout::AggTrades,
            "bookticker" => Layout::BookTicker,
            "bookdepth" => Layout::BookDepth,
            interval => {
                let (number, unit) = interval.split_at(interval.len().checked_sub(1)?);
                let unit = if unit == "o" { "m" } else { unit };
                let is_number = number.trim_end_matches('m').bytes().all(|it| it.is_ascii_digit());
                (is_number && "smhdw".contains(unit)).then_some(Layout::Klines)?
            }
        })
    }
}

/// A dump of any layout.
#[derive(Clone, Debug)]
struct Dump {
    venue: &'static str,
    symbol: Option<String>,
    named: Option<Layout>,
    path: Option<std::path::PathBuf>,
    of: Of,
}

#[derive(Clone, Debug)]
enum Of {
    Nothing,
    Table(Rows),
    Depth(Changes),
}

impl Dump {
    fn new(input: &ImportInput) -> Self {
        let parts = Look { start: b"", path: input.path.as_deref() }.parts();
        let name = Name::of(&parts);
        let has = |folder: &str| parts.iter().any(|part| part == folder);
        let venue = match (has("um"), has("cm")) {
            (true, _) => "binance-usdm",
            (_, true) => "binance-coinm",
            (false, false) => "binance",
        };
        let named = name.as_ref().and_then(Name::layout);
        let symbol = name.map(|name| name.symbol);
        Self { venue, symbol, named, path: input.path.clone(), of: Of::Nothing }
    }
}

impl Decode for Dump {
    fn begin(&mut self, first: &Row<'_>, out: &mut Out) -> Result<Begin, Problem> {
        if depth::is_header(first) {
            let is_decoding = out.is_decoding();
            self.of = Of::Depth(Changes::new(self.path.as_deref().filter(|_| is_decoding)));
            return Ok(Begin::Names);
        }
        let symbol = out.hints.symbol.clone().or(self.symbol.clone()).ok_or_else(|| {
            let message = "the instrument stands in the name of the file, such as \
                           BTCUSDT-trades-2024-01-01.csv; pass --symbol";
            Problem::Row { message: message.to_owned() }
        })?;
        let which = out.instrument(self.venue, &symbol)?;
        let (layout, begin) = if let Some(layout) = Layout::of_header(first) {
            (layout, Begin::Names)
        } else {
            if let Some(named) =
                self.named.filter(|_| first.get(0).first().is_some_and(u8::is_ascii_alphabetic))
            {
                return Err(named.lacks(first));
            }
            let layout = Layout::of_row(first).or(self.named).ok_or_else(|| {
                let expected = "columns of trades, aggTrades, bookTicker, bookDepth or klines";
                Problem::field("first line", expected, &first.get(0)[..first.get(0).len().min(40)])
            })?;
            (layout, Begin::Row)
        };
        let names = (begin == Begin::Names).then_some(first);
        self.of = Of::Table(Rows::new(layout, which, names, first.len())?);
        Ok(begin)
    }

    fn row(&mut self, row: &Row<'_>, out: &mut Out) -> Result<(), Problem> {
        match &mut self.of {
            Of::Table(rows) => rows.row(row, out),
            Of::Depth(changes) => changes.row(row, out),
            Of::Nothing => Ok(()),
        }
    }

    fn end(&mut self, out: &mut Out) -> Result<(), Problem> {
        match &mut self.of {
            Of::Depth(changes) => changes.flush(out),
            Of::Nothing | Of::Table(_) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
