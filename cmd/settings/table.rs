//! Every setting, once. Parsing, environment names, `qt config show`, manuals and error messages are
//! all read from this table.

use clap::ValueEnum;
use qt_store::Address;
use tracing_subscriber::EnvFilter;

use super::value::Value;

/// One line of the configuration.
#[derive(Debug)]
pub(crate) struct Setting {
    /// Dotted: `stream.format` is `format` in the table `[stream]`.
    pub(crate) key: &'static str,
    pub(crate) kind: Kind,
    pub(crate) default: &'static str,
    pub(crate) env: &'static str,
    /// The long flag that overrides it for one run, if there is one.
    pub(crate) flag: Option<&'static str>,
    pub(crate) doc: &'static str,
}

/// In this order in `qt config show`; top-level keys first, as TOML demands.
pub(crate) const SETTINGS: &[Setting] = &[
    Setting {
        key: "data",
        kind: Kind::Path,
        default: "./data",
        env: "QT_DATA",
        flag: Some("data"),
        doc: "Catalog directory. In a file it is relative to the folder of that file.",
    },
    Setting {
        key: "runs",
        kind: Kind::Path,
        default: "./runs",
        env: "QT_RUNS",
        flag: None,
        doc: "Directory of runs. In a file it is relative to the folder of that file.",
    },
    Setting {
        key: "threads",
        kind: Kind::AutoCount { max: 1024 },
        default: "auto",
        env: "QT_THREADS",
        flag: Some("threads"),
        doc: "Worker threads; `auto` takes one per processor. Results never depend on it.",
    },
    Setting {
        key: "color",
        kind: Kind::Choice(&["auto", "always", "never"]),
        default: "auto",
        env: "QT_COLOR",
        flag: Some("color"),
        doc: "When to use colour; `auto` asks the terminal, `NO_COLOR` and `CLICOLOR_FORCE`.",
    },
    Setting {
        key: "progress",
        kind: Kind::Choice(&["auto", "always", "never"]),
        default: "auto",
        env: "QT_PROGRESS",
        flag: Some("progress"),
        doc: "When to show progress on standard error; `auto` asks the terminal.",
    },
    Setting {
        key: "log",
        kind: Kind::Filter,
        default: "warn",
        env: "QT_LOG",
        flag: None,
        doc: "What to log to standard error, such as `info` or `warn,qt_stream=debug`.",
    },
    Setting {
        key: "clickhouse_url",
        kind: Kind::Database,
        default: "",
        env: "QT_CLICKHOUSE_URL",
        flag: None,
        doc: "Database for records, such as http://localhost:8123/qt; none where it is empty.",
    },
    Setting {
        key: "ca_file",
        kind: Kind::Optional,
        default: "",
        env: "QT_CA_FILE",
        flag: None,
        doc: "Certificates in PEM to trust beside those of the public web; none where it is empty.",
    },
    Setting {
        key: "stream.format",
        kind: Kind::Choice(&["ndjson", "arrow"]),
        default: "ndjson",
        env: "QT_STREAM",
        flag: Some("output"),
        doc: "Encoding of streams on standard output.",
    },
    Setting {
        key: "stream.batch_records",
        kind: Kind::Count { min: 1, max: 1 << 20 },
        default: "8192",
        env: "QT_STREAM_BATCH_RECORDS",
        flag: None,
        doc: "Records in one Arrow batch. Results never depend on it.",
    },
    Setting {
        key: "stream.on_error",
        kind: Kind::Choice(&["fail", "skip"]),
        default: "fail",
        env: "QT_STREAM_ON_ERROR",
        flag: Some("on-error"),
        doc: "What to do with a record that cannot be read.",
    },
    Setting {
        key: "stream.ordering",
        kind: Kind::Choice(&["strict", "warn"]),
        default: "strict",
        env: "QT_STREAM_ORDERING",
        flag: Some("ordering"),
        doc: "What to do with records out of order: end with an error, or count them.",
    },
    Setting {
        key: "replay.speed",
        kind: Kind::Speed,
        default: "max",
        env: "QT_REPLAY_SPEED",
        flag: Some("speed"),
        doc: "Pace of `qt replay`: `max`, `realtime`, or a multiple such as `10x`.",
    },
    Setting {
        key: "catalog.row_group_records",
        kind: Kind::Count { min: 1024, max: 1 << 24 },
        default: "131072",
        env: "QT_CATALOG_ROW_GROUP_RECORDS",
        flag: None,
        doc: "Records in one row group of a Parquet file in the catalog.",
    },
];

/// What a setting may hold.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Path,
    /// A path, or nothing.
    Optional,
    Count {
        min: u32,
        max: u32,
    },
    /// `auto`, or a count from 1.
    AutoCount {
        max: u32,
    },
    Choice(&'static [&'static str]),
    /// A filter of the `tracing` family.
    Filter,
    /// `max`, `realtime`, or a positive decimal and `x`.
    Speed,
    /// The address of a database, or nothing.
    Database,
}

impl Kind {
    /// Reads a value as the environment, a flag or a quoted string in a file give it.
    pub(crate) fn parse(self, text: &str) -> Option<Value> {
        let count = |min, max| {
            let count: u32 = text.parse().ok()?;
            (min..=max).contains(&count).then_some(Value::Count(count))
        };
        let valid = match self {
            Self::Count { min, max } => return count(min, max),
            Self::AutoCount { max } if text != "auto" => return count(1, max),
            Self::AutoCount { .. } => true,
            Self::Path => !text.is_empty(),
            Self::Optional => true,
            Self::Choice(names) => names.contains(&text),
            Self::Filter => !text.is_empty() && EnvFilter::try_new(text).is_ok(),
            Self::Speed => is_speed(text),
            Self::Database => text.is_empty() || Address::parse(text).is_ok(),
        };
        valid.then(|| Value::Text(text.to_owned()))
    }

    /// True if a bare number in a file is a value of this kind.
    pub(crate) fn takes_numbers(self) -> bool {
        matches!(self, Self::Count { .. } | Self::AutoCount { .. })
    }

    /// True if a quoted string in a file is a value of this kind.
    pub(crate) fn takes_text(self) -> bool {
        !matches!(self, Self::Count { .. })
    }

    /// The message for a value of another kind; `found` as it would be written in TOML.
    pub(crate) fn misfit(self, found: &str) -> String {
        if matches!(self, Self::Database) {
            // What was found may hold a password, which nobody should see.
            let address = Address::parse(found.trim_matches('"'));
            return address.err().unwrap_or_else(|| format!("expected {}", self.expected()));
        }
        let mut message = format!("expected {}, found {found}", self.expected());
        if let Self::Choice(names) = self
            && let Some(near) = nearest_choice(names, found.trim_matches('"'))
        {
            message.push_str(&format!("; did you mean \"{near}\"?"));
        }
        message
    }

    /// Completes "expected …".
    pub(crate) fn expected(self) -> String {
        match self {
            Self::Path | Self::Optional => "a path".to_owned(),
            Self::Count { min, max } => format!("a number from {min} to {max}"),
            Self::AutoCount { max } => format!("\"auto\" or a number from 1 to {max}"),
            Self::Choice(names) => format!("\"{}\"", names.join("\" or \"")),
            Self::Filter => "a log filter such as \"info\" or \"warn,qt_stream=debug\"".to_owned(),
            Self::Speed => "\"max\", \"realtime\" or a multiple such as \"10x\"".to_owned(),
            Self::Database => "the address of a database, in quotes".to_owned(),
        }
    }
}

fn nearest_choice(names: &[&'static str], found: &str) -> Option<&'static str> {
    let distance = |name: &&str| strsim::damerau_levenshtein(name, found);
    names.iter().copied().min_by_key(distance).filter(|near| distance(near) <= 2)
}

fn is_speed(text: &str) -> bool {
    let is_multiple = |text: &str| {
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let shaped = !whole.is_empty() && !fraction.is_empty() && digits(whole) && digits(fraction);
        shaped && text.bytes().any(|byte| (b'1'..=b'9').contains(&byte))
    };
    text == "max" || text == "realtime" || text.strip_suffix('x').is_some_and(is_multiple)
}

/// The variant of an enum that a [`Kind::Choice`] has checked.
pub(super) fn chosen<T: ValueEnum>(name: &str) -> T {
    T::from_str(name, false).expect("the table lists only names of this type")
}

/// Place of a key in the table.
pub(super) fn find(key: &str) -> Option<usize> {
    SETTINGS.iter().position(|setting| setting.key == key)
}

/// True for the name of a table, such as `stream`.
pub(super) fn is_section(name: &str) -> bool {
    sections().any(|section| section == name)
}

fn sections() -> impl Iterator<Item = &'static str> {
    SETTINGS.iter().filter_map(|setting| Some(setting.key.split_once('.')?.0))
}

/// The known name that the user most likely meant.
pub(super) fn nearest(name: &str) -> Option<&'static str> {
    let leaf = |key: &'static str| key.rsplit('.').next().unwrap_or(key);
    // A key put into the wrong table is nearer than any misspelling.
    let distance = |known: &'static str| {
        if leaf(known) == name.rsplit('.').next().unwrap_or(name) {
            return 0;
        }
        strsim::damerau_levenshtein(name, known)
    };
    let known = SETTINGS.iter().map(|setting| setting.key).chain(sections());
    let near = known.map(|known| (distance(known), known)).min_by_key(|(distance, _)| *distance);
    near.filter(|(distance, _)| *distance <= name.len().div_ceil(3)).map(|(_, known)| known)
}
