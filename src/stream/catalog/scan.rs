//! Finding the files of a catalog: by folder names first, then by what their footers say.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use qt_model::instrument::{Instruments, Symbol};
use qt_model::record::{Kind, Record};
use qt_model::time::Ts;
use wildmatch::WildMatch;

use super::layout::{Partition, parse_folder};
use super::meta::Meta;
use super::partition::{PART, WHOLE};
use crate::error::{ReadError, WriteError};
use crate::parquet_file::{Description, Span, describe};
use crate::read::Options;

/// A catalog to read from.
#[derive(Clone, Debug)]
pub struct Catalog {
    root: PathBuf,
}

/// Which records are wanted.
#[derive(Clone, Debug)]
pub struct Selection {
    pub span: Span,
    /// `None` is every kind.
    pub kinds: Option<Vec<Kind>>,
    /// Patterns with `*` and `?`; none is every symbol.
    pub symbols: Vec<SymbolPattern>,
}

impl Default for Selection {
    fn default() -> Self {
        Self { span: Span::ALL, kinds: None, symbols: Vec::new() }
    }
}

/// A pattern over symbols. Without a venue it is one over names.
#[derive(Clone, Debug)]
pub enum SymbolPattern {
    Symbol(WildMatch),
    Name(WildMatch),
    Exactly(Symbol),
}

impl SymbolPattern {
    pub fn new(text: &str) -> Self {
        let pattern = WildMatch::new(text);
        if text.contains(':') { Self::Symbol(pattern) } else { Self::Name(pattern) }
    }

    /// The symbol itself, whatever signs it has.
    pub fn exactly(symbol: &Symbol) -> Self {
        Self::Exactly(symbol.clone())
    }

    pub fn matches(&self, symbol: &Symbol) -> bool {
        match self {
            Self::Symbol(pattern) => pattern.matches(symbol.as_str()),
            Self::Name(pattern) => pattern.matches(symbol.name()),
            Self::Exactly(wanted) => symbol == wanted,
        }
    }
}

impl Selection {
    /// One kind and symbol, at any time.
    pub fn only(partition: &Partition) -> Self {
        let exactly = |symbol: &Symbol| SymbolPattern::exactly(symbol);
        let symbols = partition.symbol.iter().map(exactly).collect();
        Self { kinds: Some(vec![partition.kind]), symbols, ..Self::default() }
    }

    pub fn wants_kind(&self, kind: Kind) -> bool {
        self.kinds.as_ref().is_none_or(|kinds| kinds.contains(&kind))
    }

    /// Records without an instrument concern everybody.
    pub fn wants_symbol(&self, symbol: Option<&Symbol>) -> bool {
        let Some(symbol) = symbol else { return true };
        self.symbols.is_empty() || self.symbols.iter().any(|pattern| pattern.matches(symbol))
    }

    pub fn wants_record(&self, record: &Record<'_>, instruments: &Instruments) -> bool {
        let head = record.head();
        let symbol = head.instrument.map(|id| &instruments.get(id).symbol);
        self.span.contains(head.ts_recv)
            && self.wants_kind(record.kind())
            && self.wants_symbol(symbol)
    }

    fn wants(&self, partition: &Partition) -> bool {
        let first = partition.date.start();
        let last = Ts::from_nanos(partition.date.plus_days(1).start().nanos() - 1);
        self.wants_kind(partition.kind)
            && self.wants_symbol(partition.symbol.as_ref())
            && self.span.touches(first, last)
    }
}

/// A file with what it says of itself.
#[derive(Clone, Debug)]
pub struct Part {
    pub path: PathBuf,
    pub partition: Partition,
    pub description: Description,
}

/// A partition in numbers.
#[derive(Clone, Debug)]
pub struct PartitionStat {
    pub partition: Partition,
    pub files: u64,
    pub rows: u64,
    pub bytes: u64,
    pub span: Option<(Ts, Ts)>,
    pub grade: Option<String>,
    pub meta: Option<Meta>,
}

impl Catalog {
    pub fn new(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    pub fn exists(&self) -> bool {
        self.root.is_dir()
    }

    /// The partitions whose names fit the selection, in order.
    pub fn partitions(&self, selection: &Selection) -> io::Result<Vec<Partition>> {
        let mut found = Vec::new();
        for kind in Kind::ALL.iter().copied().filter(|kind| selection.wants_kind(*kind)) {
            let mut folders = vec![PathBuf::from(kind.name())];
            for _ in 0..3 {
                let mut below = Vec::new();
                for folder in folders {
                    below.extend(children(&self.root, &folder)?);
                }
                folders = below;
            }
            found.extend(folders.iter().filter_map(|folder| parse_folder(folder)));
        }
        found.retain(|partition| selection.wants(partition));
        found.sort();
        Ok(found)
    }

    /// The files that may hold records of the selection. Declares their instruments.
    pub fn parts(&self, selection: &Selection, options: &Options) -> Result<Vec<Part>, ReadError> {
        let input = self.root.display().to_string().into();
        let io = |source| ReadError::io(&input, source);
        let mut parts = Vec::new();
        for partition in self.partitions(selection).map_err(io)? {
            for path in visible(&self.root.join(partition.folder())).map_err(io)? {
                let description = describe(&path, options)?;
                let touches = |(first, last)| selection.span.touches(first, last);
                if description.span.is_none_or(touches) {
                    parts.push(Part { path, partition: partition.clone(), description });
                }
            }
        }
        Ok(parts)
    }

    /// What the partitions of a selection hold, without reading a record.
    pub fn stat(&self, selection: &Selection) -> Result<Vec<PartitionStat>, ReadError> {
        let input = self.root.display().to_string().into();
        let io = |source| ReadError::io(&input, source);
        let mut stats = Vec::new();
        for partition in self.partitions(selection).map_err(io)? {
            let folder = self.root.join(partition.folder());
            let meta = Meta::read(&folder).map_err(io)?;
            let grade = meta.as_ref().and_then(|meta| meta.grade.clone());
            let mut stat =
                PartitionStat { partition, files: 0, rows: 0, bytes: 0, span: None, grade, meta };
            for path in visible(&folder).map_err(io)? {
                let description = describe(&path, &Options::default())?;
                stat.files += 1;
                stat.rows += description.end.as_ref().map_or(description.rows, |end| end.records);
                stat.bytes += fs::metadata(&path).map_err(io)?.len();
                stat.span = match (stat.span, description.span) {
                    (Some((a, b)), Some((c, d))) => Some((a.min(c), b.max(d))),
                    (known, found) => known.or(found),
                };
            }
            stats.push(stat);
        }
        Ok(stats)
    }
}

fn children(root: &Path, folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(root.join(folder)) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            found.push(folder.join(entry.file_name()));
        }
    }
    found.sort();
    Ok(found)
}

/// The files of a folder that count: parts that were not folded into another file, and whole
/// files that the note names.
pub(super) fn visible(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let meta = Meta::read(folder)?;
    let listed =
        |name: &str| meta.as_ref().is_some_and(|meta| meta.files.iter().any(|f| f.name == name));
    let folded =
        |name: &str| meta.as_ref().is_some_and(|meta| meta.sources.iter().any(|f| f.name == name));
    let mut found = Vec::new();
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(found),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        let Some(name) = name.to_str().filter(|name| name.ends_with(".parquet")) else { continue };
        let counts = (name.starts_with(PART) && !folded(name)
            || name.starts_with(WHOLE) && listed(name))
            && entry.file_type()?.is_file();
        if counts {
            found.push(entry.path());
        }
    }
    found.sort();
    Ok(found)
}

/// Refuses to add records to a stretch of time that a partition already covers.
pub(super) fn refuse_overlap(
    root: &Path,
    partition: &Partition,
    first: Ts,
) -> Result<(), WriteError> {
    let folder = root.join(partition.folder());
    for path in visible(&folder)? {
        let Ok(description) = describe(&path, &Options::default()) else { continue };
        if description.span.is_some_and(|(_, last)| last >= first) {
            return Err(WriteError::Exists {
                place: path.display().to_string().into(),
                message: "the catalog already has records from that time on",
            });
        }
    }
    Ok(())
}

/// Removes what a crash left: staged files, and files that were folded into another.
pub(super) fn remove_leftovers(root: &Path) -> io::Result<()> {
    for partition in Catalog::new(root).partitions(&Selection::default())? {
        let folder = root.join(partition.folder());
        let counted = visible(&folder)?;
        for entry in fs::read_dir(&folder)? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let is_staged = name.starts_with(".staged-") || name.starts_with(".meta-");
            let is_file_of_ours =
                name.ends_with(".parquet") && (name.starts_with(PART) || name.starts_with(WHOLE));
            if is_staged || is_file_of_ours && !counted.contains(&path) {
                fs::remove_file(&path)?;
            }
        }
    }
    Ok(())
}
