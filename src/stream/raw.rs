//! Messages of venues as they came, in zstd, so that they can be decoded again.
//!
//! `raw/venue=<v>/date=<YYYY-MM-DD>/<hhmmss>-<ns>.zst`: a line for each message, our time in
//! nanoseconds, a space, the message. A file is a row of zstd frames; each sync ends one and makes
//! it durable, so that a crash costs what came since and nothing before. A file is never written to
//! again once its session is over.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use qt_model::time::{Date, Ts};

use crate::crash;

/// A file is closed when it is so long.
const FILE_BYTES: u64 = 256 << 20;

/// Speed matters more here than the last tenth of size.
const LEVEL: i32 = 1;

/// Writes the messages of one venue.
pub struct RawWriter {
    folder: PathBuf,
    open: Option<Open>,
    /// Bytes on disk, of this session.
    written: u64,
    line: Vec<u8>,
}

struct Open {
    date: Date,
    encoder: zstd::stream::write::Encoder<'static, File>,
    bytes: u64,
    is_dirty: bool,
}

impl std::fmt::Debug for RawWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RawWriter").field("folder", &self.folder).finish_non_exhaustive()
    }
}

impl RawWriter {
    /// Below the catalog at `root`.
    pub fn new(root: &Path, venue: &str) -> Self {
        let folder = root.join("raw").join(format!("venue={venue}"));
        Self { folder, open: None, written: 0, line: Vec::new() }
    }

    /// Adds a message. A line feed in it, which JSON allows between its parts, becomes a space.
    pub fn write(&mut self, ts: Ts, message: &[u8]) -> io::Result<()> {
        self.line.clear();
        write!(self.line, "{} ", ts.nanos())?;
        self.line.extend_from_slice(message);
        let text = self.line.iter_mut().filter(|byte| matches!(**byte, b'\n' | b'\r'));
        text.for_each(|byte| *byte = b' ');
        self.line.push(b'\n');
        let date = ts.date();
        let is_spent = |open: &Open| open.date != date || open.bytes >= FILE_BYTES;
        if self.open.as_ref().is_some_and(is_spent) {
            self.close()?;
        }
        let open = match &mut self.open {
            Some(open) => open,
            none => none.insert(create(&self.folder, ts)?),
        };
        open.encoder.write_all(&self.line)?;
        open.is_dirty = true;
        Ok(())
    }

    /// Makes all that was written durable.
    pub fn sync(&mut self) -> io::Result<()> {
        let Some(open) = self.open.take() else { return Ok(()) };
        if !open.is_dirty {
            self.open = Some(open);
            return Ok(());
        }
        let file = open.encoder.finish()?;
        file.sync_data()?;
        crash::point("raw.sync");
        let bytes = file.metadata()?.len();
        self.written += bytes - open.bytes;
        let encoder = zstd::stream::write::Encoder::new(file, LEVEL)?;
        self.open = Some(Open { date: open.date, encoder, bytes, is_dirty: false });
        Ok(())
    }

    /// Ends the file at hand.
    pub fn close(&mut self) -> io::Result<()> {
        self.sync()?;
        // Nothing was written to the last frame, so leaving it away leaves nothing half done.
        self.open = None;
        Ok(())
    }

    pub fn written_bytes(&self) -> u64 {
        self.written
    }
}

fn create(folder: &Path, ts: Ts) -> io::Result<Open> {
    let date = ts.date();
    let folder = folder.join(format!("date={date}"));
    fs::create_dir_all(&folder)?;
    let text = ts.to_string();
    let time: String = text[11..19].chars().filter(char::is_ascii_digit).collect();
    let path = folder.join(format!("{time}-{}.zst", ts.nanos()));
    let file = File::options().write(true).create_new(true).open(&path)?;
    for level in folder.ancestors().take(3) {
        File::open(level)?.sync_all()?;
    }
    let encoder = zstd::stream::write::Encoder::new(file, LEVEL)?;
    Ok(Open { date, encoder, bytes: 0, is_dirty: false })
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    fn files(root: &Path) -> Vec<PathBuf> {
        let mut all = Vec::new();
        for day in fs::read_dir(root.join("raw/venue=v")).unwrap() {
            all.extend(fs::read_dir(day.unwrap().path()).unwrap().map(|it| it.unwrap().path()));
        }
        all.sort();
        all
    }

    fn text(path: &Path) -> String {
        let mut text = String::new();
        let mut decoder = zstd::stream::read::Decoder::new(File::open(path).unwrap()).unwrap();
        // A frame that was cut gives what it has.
        let _ = decoder.read_to_string(&mut text);
        text
    }

    #[test]
    fn messages_come_back_as_they_came_and_each_day_has_its_files() {
        let root = tempfile::tempdir().unwrap();
        let mut raw = RawWriter::new(root.path(), "v");
        let day = Date::new(2024, 8, 8).unwrap();
        let late = Ts::from_nanos(day.plus_days(1).start().nanos() - 1);
        raw.write(day.start(), b"{\"a\":\n1}").unwrap();
        raw.sync().unwrap();
        raw.write(late, b"two").unwrap();
        raw.write(day.plus_days(1).start(), b"three").unwrap();
        raw.close().unwrap();
        let files = files(root.path());
        assert_eq!(files.len(), 2);
        assert_eq!(
            text(&files[0]),
            format!("{} {{\"a\": 1}}\n{} two\n", day.start().nanos(), late.nanos())
        );
        assert!(text(&files[1]).ends_with(" three\n"));
        assert!(raw.written_bytes() > 0);
    }

    #[test]
    fn what_was_synced_survives_a_cut_behind_it() {
        let root = tempfile::tempdir().unwrap();
        let mut raw = RawWriter::new(root.path(), "v");
        let start = Date::new(2024, 8, 8).unwrap().start();
        raw.write(start, b"safe").unwrap();
        raw.sync().unwrap();
        let path = files(root.path()).remove(0);
        let safe = fs::metadata(&path).unwrap().len();
        for at in 0..10_000_i64 {
            raw.write(Ts::from_nanos(start.nanos() + at), format!("{}", at * 7919).as_bytes())
                .unwrap();
        }
        raw.close().unwrap();
        let whole = fs::read(&path).unwrap();
        for cut in [safe, safe + 1, safe + 100, whole.len() as u64 - 1] {
            fs::write(&path, &whole[..usize::try_from(cut).unwrap()]).unwrap();
            assert!(text(&path).starts_with(&format!("{} safe\n", start.nanos())), "{cut}");
        }
    }
}
