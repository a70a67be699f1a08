//! Files that others write, as records: what an importer is, and the list of those in this room.
//!
//! An importer is one file beside this one and one line in [`IMPORTERS`]. It streams: what it holds
//! does not grow with the file. Prices and sizes pass as decimal text, never through a float, and
//! a time says its zone and unit or is refused. Captures of a venue's wire are `qt-venue`'s.

mod binance;
mod databento;
mod dukascopy;
mod file;
mod itch;
mod lean;
mod lobster;
mod local;
mod map;
mod notes;
mod plain;
mod roster;
mod rows;
mod sorted;
mod tardis;

use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use qt_model::record::{Batch, Source};
use qt_model::time::{Date, Ts};
use qt_model::units::Scale;

use crate::error::ReadError;
use crate::read::Options;

pub use file::{Member, Meter, Piped, START, members, piped};
pub use notes::Notes;
pub use sorted::Sorted;

/// The importers of this room.
pub const IMPORTERS: &[&dyn Importer] = &[
    &tardis::Tardis,
    &binance::Binance,
    &databento::Databento,
    &lobster::Lobster,
    &itch::Itch,
    &dukascopy::Dukascopy,
    &lean::Lean,
    &plain::HISTDATA,
    &plain::TRUEFX,
    &plain::FXCM,
    &plain::BARS,
    &map::Map,
];

/// What an opened import is.
pub type Imported = Box<dyn Source<Error = ReadError> + Send>;

/// A format of files.
pub trait Importer: fmt::Debug + Sync {
    fn about(&self) -> &'static About;

    /// How surely the input is of this format.
    fn recognise(&self, look: &Look<'_>) -> Likeness;

    /// Looks through a file that will be opened later, declares its instruments at the scales that
    /// they need, and says when its first record was received.
    ///
    /// Asked of every file before the first is imported, since scales in use cannot widen.
    fn survey(
        &self,
        input: ImportInput,
        hints: &Hints,
        options: &Options,
    ) -> Result<Option<Ts>, ReadError> {
        first_time(self.open(input, hints, options)?)
    }

    /// Opens an input. Instruments go to `options.universe`, before their first record.
    fn open(
        &self,
        input: ImportInput,
        hints: &Hints,
        options: &Options,
    ) -> Result<Imported, ReadError>;
}

/// When the first record of a source was received.
pub fn first_time(mut source: Imported) -> Result<Option<Ts>, ReadError> {
    let mut batch = Batch::default();
    while source.next(&mut batch)? {
        if !batch.is_empty() {
            return Ok(batch.slots().iter().map(|slot| slot.ts_recv).min());
        }
    }
    Ok(None)
}

/// What people need to know of a format.
#[derive(Clone, Copy, Debug)]
pub struct About {
    /// The word for `--format`.
    pub name: &'static str,
    pub what: &'static str,
    /// A command line that imports one.
    pub example: &'static str,
}

/// How surely an input is of a format. The surest importer takes it; a tie is the user's to break.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Likeness {
    No,
    /// A part of another file's import, nothing by itself: left out where a folder is imported.
    Part,
    /// The shape fits, as it would fit others.
    Likely,
    /// A mark or a header that no other format has.
    Certain,
}

/// What can be seen of an input before it is opened.
#[derive(Clone, Copy, Debug)]
pub struct Look<'a> {
    /// The first bytes, compression taken off.
    pub start: &'a [u8],
    /// Where it lies, unless it comes through a pipe. Archives count as folders.
    pub path: Option<&'a Path>,
}

impl<'a> Look<'a> {
    /// The first line, without a byte order mark and its end.
    pub fn first_line(&self) -> &'a [u8] {
        self.lines().next().unwrap_or_default()
    }

    /// The lines that can be seen, the last of them perhaps cut.
    pub fn lines(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let text = self.start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(self.start);
        let lines = text.split(|byte| *byte == b'\n');
        lines.map(|line| line.strip_suffix(b"\r").unwrap_or(line))
    }

    /// The last folders and the name of the file, in small letters, the name last.
    pub fn parts(&self) -> Vec<String> {
        let parts = self.path.into_iter().flat_map(Path::iter);
        parts.map(|part| part.to_string_lossy().to_lowercase()).collect()
    }
}

/// An input to import, compression taken off.
pub struct ImportInput {
    /// The name for messages.
    pub name: Arc<str>,
    pub path: Option<PathBuf>,
    pub bytes: Box<dyn Read + Send>,
    /// Where to say what was noticed.
    pub notes: Notes,
    /// Whether it comes out of an archive, which would tell if it was cut.
    pub is_packed: bool,
}

impl ImportInput {
    /// Shows the first bytes and leaves them to be read again.
    fn peek(&mut self) -> Result<Vec<u8>, ReadError> {
        let start = file::first_bytes(&self.name, &mut self.bytes)?;
        let rest = std::mem::replace(&mut self.bytes, Box::new(std::io::empty()));
        self.bytes = Box::new(std::io::Cursor::new(start.clone()).chain(rest));
        Ok(start)
    }
}

impl fmt::Debug for ImportInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ImportInput").field("name", &self.name).finish_non_exhaustive()
    }
}

/// What the user says about an input, where the input itself does not.
#[derive(Clone, Debug, Default)]
pub struct Hints {
    pub venue: Option<String>,
    /// The name of the instrument at its venue.
    pub symbol: Option<String>,
    /// The day of a file whose times are of the day only.
    pub date: Option<Date>,
    pub px_scale: Option<Scale>,
    pub qty_scale: Option<Scale>,
    /// Whether decimals beyond a given scale are rounded, half to even; else they are errors.
    pub round: bool,
    /// The IANA zone of local times.
    pub zone: Option<String>,
    /// A mapping of columns, for the generic importers.
    pub map: Option<PathBuf>,
}
