//! A text table as a source of records.

use std::io::{Cursor, Read};
use std::sync::Arc;

use qt_model::record::{Batch, Source};
use qt_model::time::Ts;

use super::super::{Hints, ImportInput, Imported, Sorted};
use super::out::Out;
use super::row::{Fields, Row};
use crate::error::{Problem, ReadError};
use crate::lines::{LINE_LIMIT, Line, Lines};
use crate::place::{At, Place};
use crate::read::Options;

/// How much of a pipe is looked at before the scales of its instruments are settled.
const PART: u64 = 4 << 20;

/// What the first line of a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::import) enum Begin {
    /// The names of columns.
    Names,
    /// A row like any other.
    Row,
}

/// What the rows of a format mean.
pub(in crate::import) trait Decode: Send {
    /// Between fields.
    fn separator(&self) -> u8 {
        b','
    }

    /// Whether a line is not to be cut at all.
    fn is_whole(&self, _line: &[u8]) -> bool {
        false
    }

    /// What a field is called in the file, where a problem with it has another name.
    fn known_as(&self, _field: &str) -> Option<String> {
        None
    }

    /// Looks at the first line: finds the columns, refuses another format.
    fn begin(&mut self, first: &Row<'_>, out: &mut Out) -> Result<Begin, Problem>;

    fn row(&mut self, row: &Row<'_>, out: &mut Out) -> Result<(), Problem>;

    /// Hands out what waits for a row that will not come.
    fn end(&mut self, _out: &mut Out) -> Result<(), Problem> {
        Ok(())
    }
}

/// Measures a whole file.
pub(in crate::import) fn survey<D: Decode>(
    decode: D,
    input: ImportInput,
    hints: &Hints,
    options: &Options,
) -> Result<Option<Ts>, ReadError> {
    let out = Out::new(&input, hints, options).measuring();
    measure(decode, &input.name, input.bytes, out, options)
}

fn measure<D: Decode>(
    decode: D,
    name: &Arc<str>,
    bytes: Box<dyn Read + Send>,
    out: Out,
    options: &Options,
) -> Result<Option<Ts>, ReadError> {
    let mut table = Table::new(decode, name, bytes, out, options);
    // What cannot be read is said when it is imported.
    loop {
        match table.step(|_| Ok(())) {
            Ok(true) => {}
            Ok(false) | Err(ReadError::Truncated { .. }) => break,
            Err(error) => return Err(error),
        }
    }
    table.out.declare().map_err(|problem| ReadError::Unreadable {
        place: Place::whole(name),
        message: problem.to_string(),
    })
}

/// Opens a table. `decode` makes a decoder, since a pipe is measured at its beginning first.
pub(in crate::import) fn open<D: Decode + 'static>(
    decode: impl Fn() -> D,
    mut input: ImportInput,
    hints: &Hints,
    options: &Options,
) -> Result<Imported, ReadError> {
    let is_measured = hints.px_scale.is_some() && hints.qty_scale.is_some();
    if input.path.is_none() && !is_measured {
        let mut part = Vec::new();
        let read = (&mut input.bytes).take(PART).read_to_end(&mut part);
        read.map_err(|source| ReadError::of_read(Place::whole(&input.name), source))?;
        let out = Out::new(&input, hints, options).measuring_a_part();
        // The last line of a part is cut, as likely as not.
        let end = memchr::memrchr(b'\n', &part).map_or(part.len(), |at| at + 1);
        let whole = Box::new(Cursor::new(part[..end].to_vec()));
        measure(decode(), &input.name, whole, out, options)?;
        input.bytes = Box::new(Cursor::new(part).chain(input.bytes));
    }
    let out = Out::new(&input, hints, options);
    let name = Arc::clone(&input.name);
    let may_be_cut = !input.is_packed;
    let table = Table { may_be_cut, ..Table::new(decode(), &name, input.bytes, out, options) };
    Ok(Box::new(Sorted::new(Box::new(table), &name, options.tolerance.clone())))
}

/// A table that is being read.
struct Table<D> {
    decode: D,
    name: Arc<str>,
    lines: Lines,
    fields: Fields,
    out: Out,
    options: Options,
    /// The columns of the first line, once there was one.
    width: Option<usize>,
    /// Whether nobody else would tell that the file was cut.
    may_be_cut: bool,
    is_over: bool,
}

impl<D: Decode> Table<D> {
    fn new(
        decode: D,
        name: &Arc<str>,
        bytes: Box<dyn Read + Send>,
        out: Out,
        options: &Options,
    ) -> Self {
        Self {
            decode,
            name: Arc::clone(name),
            lines: Lines::new(bytes),
            fields: Fields::default(),
            out,
            options: options.clone(),
            width: None,
            may_be_cut: false,
            is_over: false,
        }
    }

    /// Reads a line; `false` at the end. `judge` decides about a line that cannot be read.
    fn step(
        &mut self,
        judge: impl FnOnce(ReadError) -> Result<(), ReadError>,
    ) -> Result<bool, ReadError> {
        let place = |at| Place { input: Arc::clone(&self.name), at: At::Line(at) };
        let number = self.lines.number() + 1;
        let read = self.lines.next();
        let line = match read.map_err(|source| ReadError::of_read(place(number), source))? {
            None => {
                if !self.is_over {
                    self.is_over = true;
                    let ended = self.decode.end(&mut self.out);
                    ended.or_else(|problem| judge(record(place(number), problem, b"")))?;
                }
                return Ok(false);
            }
            Some(Line::Text(line)) => line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line),
            Some(Line::TooLong) => {
                judge(record(place(number), Problem::TooLong { limit: LINE_LIMIT }, b""))?;
                return Ok(true);
            }
        };
        if line.is_empty() {
            return Ok(true);
        }
        let read = read_line(&mut self.decode, &mut self.fields, line, self.width, &mut self.out);
        let problem = match read {
            Ok(width) => {
                self.width.get_or_insert(width);
                if self.lines.is_open_ended() && self.may_be_cut {
                    let note = "the last line has no end; if the file was cut there, its last \
                                field is short";
                    self.out.notes.add(note, 0);
                }
                return Ok(true);
            }
            Err(problem) => renamed(&self.decode, problem),
        };
        if self.width.is_none() {
            // Without its first line nothing of a table makes sense.
            return Err(ReadError::Unreadable {
                place: place(number),
                message: problem.to_string(),
            });
        }
        let text = line.to_vec();
        if self.lines.is_open_ended() {
            let message = format!("the last line has no end and does not read: {problem}");
            let cut = ReadError::Truncated { place: place(number), message };
            return if self.options.allow_truncated { Ok(false) } else { Err(cut) };
        }
        judge(record(place(number), problem, &text))?;
        Ok(true)
    }
}

/// Reads a line, and returns how many columns it has. A line that has fewer than the first is not
/// one with empty columns at its end: something is missing, and the number before it may be cut.
fn read_line<D: Decode>(
    decode: &mut D,
    fields: &mut Fields,
    line: &[u8],
    width: Option<usize>,
    out: &mut Out,
) -> Result<usize, Problem> {
    let is_whole = decode.is_whole(line);
    let row = match is_whole {
        true => fields.whole(line),
        false => fields.cut(line, decode.separator())?,
    };
    let found = row.len();
    match width {
        Some(expected) if found < expected && !is_whole => {
            return Err(Problem::Columns { expected, found });
        }
        None if decode.begin(&row, out)? == Begin::Names => return Ok(found),
        Some(_) | None => {}
    }
    decode.row(&row, out).map(|()| found)
}

/// A problem under the name that its field has in the file.
#[cold]
fn renamed(decode: &impl Decode, problem: Problem) -> Problem {
    let name = match &problem {
        Problem::Field { field, .. } | Problem::Number { field, .. } => decode.known_as(field),
        _ => None,
    };
    match name {
        Some(name) => problem.of_field(|| name),
        None => problem,
    }
}

fn record(place: Place, problem: Problem, text: &[u8]) -> ReadError {
    ReadError::Record { place, problem: Box::new(problem), text: Some(text.into()) }
}

impl<D: Decode> Source for Table<D> {
    type Error = ReadError;

    fn next(&mut self, batch: &mut Batch) -> Result<bool, ReadError> {
        let tolerance = self.options.tolerance.clone();
        let mut more = Ok(true);
        while self.out.len() < self.options.batch_records && matches!(more, Ok(true)) {
            more = self.step(|error| tolerance.judge(error));
        }
        self.out.take(batch);
        more.map(|_| !batch.is_empty())
    }
}
