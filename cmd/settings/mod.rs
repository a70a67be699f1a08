//! The configuration: flags over `QT_*` environment over `qt.toml` over user file over defaults.
//!
//! Invariants: every setting has a value; every value was checked; all problems of all layers are
//! reported together. The canonical text is `qt config show` byte for byte, and its SHA-256 names the
//! configuration in manifests. Absent on purpose: changes after start-up.

mod file;
mod secret;
mod sources;
mod substitute;
mod table;
mod value;

use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::thread;

use sha2::{Digest, Sha256};

use crate::choice::{OnError, Ordering, OutputFormat};
use crate::global::GlobalArgs;
use crate::problem::Problems;
use crate::terminal::{Paint, When};

pub(crate) use secret::Secret;
pub(crate) use sources::{check_files, misspelt_variables};
pub(crate) use table::{SETTINGS, Setting};
pub(crate) use value::{Origin, Value};

/// Values and origins, in the order of [`SETTINGS`].
#[derive(Debug)]
pub(crate) struct Settings(Vec<(Value, Origin)>);

impl Settings {
    /// The effective settings. With problems, these are what the sound parts of the layers say:
    /// enough to report the problems in the right colour.
    pub(crate) fn load(global: &GlobalArgs) -> (Self, Option<Problems>) {
        let (found, problems) = sources::layers(global);
        let mut settings = Self::defaults();
        for found in found {
            settings.0[found.setting] = (found.value, found.origin);
        }
        (settings, Problems::some(problems))
    }

    pub(crate) fn defaults() -> Self {
        let defaults = SETTINGS.iter().map(|setting| {
            let value = setting.kind.parse(setting.default).expect("defaults are valid");
            (value, Origin::Default)
        });
        Self(defaults.collect())
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&'static Setting, &Value, &Origin)> {
        SETTINGS.iter().zip(&self.0).map(|(setting, (value, origin))| (setting, value, origin))
    }

    /// Catalog directory, resolved against the file that names it.
    pub(crate) fn data(&self) -> PathBuf {
        self.path("data")
    }

    /// Directory of runs, resolved likewise.
    pub(crate) fn runs(&self) -> PathBuf {
        self.path("runs")
    }

    fn path(&self, key: &str) -> PathBuf {
        let (value, origin) = self.get(key);
        let path = Path::new(text(value));
        match origin {
            Origin::File { file, .. } => file.parent().unwrap_or(Path::new("")).join(path),
            Origin::Default | Origin::Env(_) | Origin::Flag(_) => path.to_owned(),
        }
    }

    pub(crate) fn threads(&self) -> NonZero<usize> {
        let given = match self.get("threads").0 {
            Value::Count(count) => usize::try_from(count).ok().and_then(NonZero::new),
            Value::Text(_) => thread::available_parallelism().ok(),
        };
        given.unwrap_or(NonZero::<usize>::MIN)
    }

    pub(crate) fn color(&self) -> When {
        table::chosen(self.text("color"))
    }

    pub(crate) fn progress(&self) -> When {
        table::chosen(self.text("progress"))
    }

    pub(crate) fn log(&self) -> &str {
        self.text("log")
    }

    pub(crate) fn stream_format(&self) -> OutputFormat {
        table::chosen(self.text("stream.format"))
    }

    pub(crate) fn stream_batch_records(&self) -> u32 {
        self.count("stream.batch_records")
    }

    pub(crate) fn stream_on_error(&self) -> OnError {
        table::chosen(self.text("stream.on_error"))
    }

    pub(crate) fn stream_ordering(&self) -> Ordering {
        table::chosen(self.text("stream.ordering"))
    }

    /// The address of a database; empty where there is none.
    pub(crate) fn clickhouse_url(&self) -> &str {
        self.text("clickhouse_url")
    }

    /// A file of certificates to trust, resolved against the file that names it.
    pub(crate) fn ca_file(&self) -> Option<PathBuf> {
        (!self.text("ca_file").is_empty()).then(|| self.path("ca_file"))
    }

    /// `max`, `realtime` or a multiple such as `10x`.
    pub(crate) fn replay_speed(&self) -> &str {
        self.text("replay.speed")
    }

    pub(crate) fn catalog_row_group_records(&self) -> u32 {
        self.count("catalog.row_group_records")
    }

    /// The effective configuration as TOML, one setting a line.
    pub(crate) fn to_toml(&self) -> String {
        self.lines(|line, _, _| line.to_owned())
    }

    /// The same, with a comment behind each setting that says where it comes from.
    pub(crate) fn to_toml_with_origins(&self, paint: Paint) -> String {
        self.lines(|line, width, origin| {
            format!("{line:width$}  {}", paint.dim(format_args!("# {origin}")))
        })
    }

    /// Lays out the lines. `print` gets a line, the width of the widest, and the line's origin.
    fn lines(&self, print: impl Fn(&str, usize, &Origin) -> String) -> String {
        let lines: Vec<(String, &Origin)> = self
            .iter()
            .map(|(setting, value, origin)| (format!("{} = {value}", leaf(setting.key)), origin))
            .collect();
        let width = lines.iter().map(|(line, _)| line.chars().count()).max().unwrap_or(0);
        let mut text = String::new();
        let mut section = "";
        for (setting, (line, origin)) in SETTINGS.iter().zip(lines) {
            let its = setting.key.rsplit_once('.').map_or("", |(section, _)| section);
            if its != section {
                text.push_str(&format!("\n[{its}]\n"));
                section = its;
            }
            text.push_str(&print(&line, width, origin));
            text.push('\n');
        }
        text
    }

    /// SHA-256 of the canonical text, in hexadecimal.
    pub(crate) fn sha256(&self) -> String {
        let digest = Sha256::digest(self.to_toml());
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn get(&self, key: &str) -> &(Value, Origin) {
        &self.0[table::find(key).expect("the table has every key that has a getter")]
    }

    fn text(&self, key: &str) -> &str {
        text(&self.get(key).0)
    }

    fn count(&self, key: &str) -> u32 {
        match self.get(key).0 {
            Value::Count(count) => count,
            Value::Text(_) => unreachable!("{key} is a count in the table"),
        }
    }
}

fn text(value: &Value) -> &str {
    match value {
        Value::Text(text) => text,
        Value::Count(_) => unreachable!("the getter asked for text, the table says count"),
    }
}

fn leaf(key: &str) -> &str {
    key.rsplit('.').next().unwrap_or(key)
}
