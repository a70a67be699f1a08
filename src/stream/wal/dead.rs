//! Dead letters: lines of the log that could not be read, and records that were refused.
//!
//! A file begins with the first line of the file it comes from, so that its lines can be read
//! again; each other line tells a line's number, why it is here, and its text.

use std::fs;
use std::io;

use qt_model::record::{Batch, Head, Kind, Source};
use qt_model::time::Ts;
use serde::{Deserialize, Serialize};

use super::entry;
use super::folder::{Folder, Tier, publish};
use super::name::WalName;
use super::write::{WalWriter, Written};
use crate::frame::Header;
use crate::json::encode::Encoder;
use crate::ndjson::NdjsonReader;
use crate::place::At;
use crate::read::Options;
use crate::tolerance::{Refused, Tolerance};

/// One line that is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadLetter {
    pub line: u64,
    pub reason: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The text in digits, where it is no text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hex: Option<String>,
}

/// What became of the letters of one file.
#[derive(Debug, Default)]
pub struct Replayed {
    /// The files of the log that the readable ones went to.
    pub written: Option<Written>,
    pub left: Vec<DeadLetter>,
}

/// The folder of dead letters.
#[derive(Clone, Debug)]
pub struct DeadLetters {
    folder: Folder,
}

impl DeadLetters {
    pub fn of(folder: &Folder) -> Self {
        Self { folder: folder.clone() }
    }

    /// Keeps the bad lines of a file of the log. The same file gives the same letters, so a second
    /// time changes nothing.
    pub(super) fn put(&self, name: &WalName, first: &[u8], bad: &[Refused]) -> io::Result<()> {
        if bad.is_empty() {
            return Ok(());
        }
        let letters: Vec<DeadLetter> = bad.iter().map(letter).collect();
        self.write(name, first, &letters)
    }

    /// Keeps records that were refused before they came to the log, each with the reason.
    pub fn refuse(&self, name: &WalName, batch: &Batch, reasons: &[String]) -> io::Result<()> {
        let mut body = Vec::new();
        Encoder::default().batch(batch, &mut body);
        let first = entry::first_line(name.table, &entry::used(batch), batch.len() as u64, &body);
        let lines = body.split(|byte| *byte == b'\n');
        let letters: Vec<DeadLetter> = lines
            .zip(reasons)
            .zip(2..)
            .map(|((text, reason), line)| DeadLetter {
                line,
                reason: reason.clone(),
                text: Some(String::from_utf8_lossy(text).into_owned()),
                hex: None,
            })
            .collect();
        self.write(name, first.trim_end().as_bytes(), &letters)
    }

    fn write(&self, name: &WalName, first: &[u8], letters: &[DeadLetter]) -> io::Result<()> {
        let mut text = first.to_vec();
        text.push(b'\n');
        for letter in letters {
            serde_json::to_writer(&mut text, letter)?;
            text.push(b'\n');
        }
        publish(&self.folder.path(Tier::DeadLetters), &name.to_string(), &text)
    }

    pub fn files(&self) -> io::Result<Vec<WalName>> {
        self.folder.files(Tier::DeadLetters)
    }

    pub fn read(&self, name: &WalName) -> io::Result<Vec<DeadLetter>> {
        Ok(self.read_file(name)?.1)
    }

    fn read_file(&self, name: &WalName) -> io::Result<(Vec<u8>, Vec<DeadLetter>)> {
        let text = fs::read(self.folder.file(Tier::DeadLetters, name))?;
        let mut lines = text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        let first = lines.next().unwrap_or_default().to_vec();
        let letters = lines.map(serde_json::from_slice).collect::<Result<_, _>>()?;
        Ok((first, letters))
    }

    pub fn purge(&self, name: &WalName) -> io::Result<()> {
        fs::remove_file(self.folder.file(Tier::DeadLetters, name))
    }

    /// Tries the letters of a file again: those that can be read and are accepted go to the log.
    ///
    /// The log comes first: killed in between, the same letters are tried again and give the same
    /// batch, which the loader knows by its hash.
    pub fn replay(
        &self,
        name: &WalName,
        wal: &mut WalWriter,
        now: Ts,
        accept: &dyn Fn(&Head) -> Result<(), String>,
    ) -> io::Result<Replayed> {
        let (first, letters) = self.read_file(name)?;
        let (mut good, mut left) = (Vec::new(), Vec::new());
        for letter in letters {
            match letter.text.as_deref().map(|text| read_again(&first, text, name.table, accept)) {
                Some(Ok(batch)) => good.push(batch),
                Some(Err(reason)) => left.push(DeadLetter { reason, ..letter }),
                None => left.push(letter),
            }
        }
        let mut all = Batch::default();
        for batch in &good {
            all.set_instruments(std::sync::Arc::clone(batch.instruments()));
            all.push_range(batch, 0, batch.len());
        }
        let written = if all.is_empty() { None } else { Some(wal.write(name.table, &all, now)?) };
        match left.as_slice() {
            [] => self.purge(name)?,
            left if written.is_some() => self.write(name, &first, left)?,
            _ => {}
        }
        Ok(Replayed { written, left })
    }
}

fn letter(refused: &Refused) -> DeadLetter {
    let line = if let At::Line(line) = refused.at { line } else { 0 };
    let bytes = refused.text.as_deref().unwrap_or_default();
    let text = std::str::from_utf8(bytes).ok().map(str::to_owned);
    let hex = text.is_none().then(|| bytes.iter().map(|byte| format!("{byte:02x}")).collect());
    DeadLetter { line, reason: refused.problem.clone(), text, hex }
}

/// One line under the first line of its file. All instruments are declared by that line, so ids
/// agree from letter to letter.
fn read_again(
    first: &[u8],
    text: &str,
    table: Kind,
    accept: &dyn Fn(&Head) -> Result<(), String>,
) -> Result<Batch, String> {
    Header::parse(first).map_err(|problem| problem.to_string())?;
    let mut bytes = first.to_vec();
    bytes.push(b'\n');
    bytes.extend_from_slice(text.as_bytes());
    bytes.push(b'\n');
    let tolerance = Tolerance::keep();
    let options =
        Options { tolerance: tolerance.clone(), allow_truncated: true, ..Options::default() };
    let mut batch = Batch::default();
    let mut reader =
        NdjsonReader::open(&"dead letter".into(), Box::new(io::Cursor::new(bytes)), options)
            .map_err(|error| error.to_string())?;
    let more = reader.next(&mut batch).map_err(|error| error.to_string())?;
    if let Some(refused) = tolerance.take_refused().pop() {
        return Err(refused.problem);
    }
    if !more || batch.only_kind() != Some(table) {
        return Err(format!("not a record of table `{}`", table.name()));
    }
    batch.iter().try_for_each(|record| accept(record.head()))?;
    Ok(batch)
}
