//! A strategy file, read whole: every mistake at once, each with its line, column and key.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use qt_market::features::ExprError;
use qt_stream::parquet_file::Span;
use qt_trade::native::Registration;
use qt_trade::script::{self, Compiled, Definition, Problem as ScriptProblem, Trigger};
use sha2::{Digest, Sha256};

use super::builtin;
use super::deciders;
use super::params;
use super::regime::RegimeTerms;
use super::sections;
use super::sets::Sets;
use super::terms::{Account, Limits, ProcessTerms};
use super::venue::VenueTable;
use crate::hours::Hours;
use crate::problem::{Place, Problem, Problems};
use crate::toml_table::TomlTable;
use crate::toml_text::TomlText;

/// What a file says.
#[derive(Clone, Debug)]
pub(crate) struct StrategyFile {
    pub(crate) path: PathBuf,
    pub(crate) text: String,
    pub(crate) definition: Definition,
    /// Patterns of symbols; empty: all there are.
    pub(crate) symbols: Vec<String>,
    pub(crate) hours: Option<Hours>,
    pub(crate) limits: Limits,
    pub(crate) account: Account,
    pub(crate) venues: VenueTable,
    /// A program that decides in place of rules.
    pub(crate) process: Option<ProcessTerms>,
    /// Votes behind a gate in place of rules.
    pub(crate) regime: Option<RegimeTerms>,
    /// A type of this program that decides in place of rules.
    pub(crate) native: Option<Registration>,
    /// Where the text of each expression begins.
    places: BTreeMap<String, usize>,
}

impl StrategyFile {
    pub(crate) fn read(path: &Path, natives: &[Registration]) -> anyhow::Result<Self> {
        let text =
            fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
        Self::parse(path, text, natives)
    }

    /// The file at that path; where there is none, the strategy of that name that comes along.
    pub(crate) fn named(path: &Path, natives: &[Registration]) -> anyhow::Result<Self> {
        match builtin::find(path, natives) {
            Some(text) if !path.exists() => {
                Self::parse(&path.with_extension("toml"), text.to_owned(), natives)
            }
            _ => Self::read(path, natives).map_err(|error| builtin::hint(error, path, natives)),
        }
    }

    /// Whether what decides is a program, which may ask for the rows of features in a stream.
    pub(crate) fn may_ask_for_rows(&self) -> bool {
        self.process.is_some() || self.native.is_some()
    }

    pub(crate) fn parse(
        path: &Path,
        text: String,
        natives: &[Registration],
    ) -> anyhow::Result<Self> {
        let mut toml = TomlText::parse(path, &text);
        let stem = path.file_stem().map_or("strategy".into(), |stem| stem.to_string_lossy());
        let mut file = Self {
            path: path.to_owned(),
            text: String::new(),
            definition: Definition::named(&stem),
            symbols: Vec::new(),
            hours: None,
            limits: Limits::default(),
            account: Account::default(),
            venues: VenueTable::default(),
            process: None,
            regime: None,
            native: None,
            places: BTreeMap::new(),
        };
        file.document(&mut toml, natives);
        if let Some(problems) = Problems::some(toml.problems()) {
            return Err(problems.into());
        }
        file.text = text;
        if let Some(hours) = &file.hours {
            file.definition.schedule.open = hours.calendar(Span::ALL)?;
        }
        // With the defaults it must compile, whatever a run chooses.
        file.compile(&BTreeMap::new())?;
        Ok(file)
    }

    fn document(&mut self, toml: &mut TomlText<'_>, natives: &[Registration]) {
        let document = toml.document();
        let mut top = TomlTable::new(toml, "", document);
        if let Some((name, at)) = top.text("name", "a name") {
            if name.is_empty() || name.contains(['/', '\\']) {
                top.complain(at, "name", "expected a name without slashes");
            }
            self.definition.name = name;
        }
        if let Some(symbols) = top.texts("symbols", "a list of symbols or patterns") {
            self.symbols = symbols;
        }
        self.trigger(&mut top);
        let sets = Sets::read(&mut top);
        let tables = ["params", "features", "entry", "exit", "size", "orders", "bracket", "quote"];
        let tables = tables.map(|key| (key, top.table(key)));
        let others = ["schedule", "risk", "account", "venue", "regime", "process"]
            .map(|key| (key, top.table(key)));
        self.native = native(&mut top, natives);
        deciders::check(&mut top);
        top.finish();
        let mut reader = sections::Reader::new(toml, &mut self.definition, &mut self.places);
        for (key, table) in tables.into_iter().filter_map(|(key, table)| Some((key, table?))) {
            match key {
                "params" => params::read(&mut reader, table),
                "features" => reader.features(table),
                "entry" => reader.entry(table),
                "exit" => reader.exit(table),
                "size" => reader.size(table),
                "orders" => reader.orders(table),
                "bracket" => reader.bracket(table),
                _ => reader.quote(table),
            }
        }
        for (key, table) in others.into_iter().filter_map(|(key, table)| Some((key, table?))) {
            match key {
                "schedule" => self.hours = sections::schedule(toml, &mut self.definition, table),
                "risk" => self.limits = Limits::read(toml, table),
                "account" => self.account = Account::read(toml, table),
                "venue" => self.venues = VenueTable::read(toml, table),
                "regime" => self.regime = RegimeTerms::read(toml, table),
                _ => self.process = ProcessTerms::read(toml, table),
            }
        }
        if let Err((at, message)) = sets.explain(&mut self.definition) {
            toml.complain(at, "sets", message);
        }
    }

    /// `on = "quote"` or `every = "100ms"`.
    fn trigger(&mut self, top: &mut TomlTable<'_, '_>) {
        let on = top.value("on", "features, trade, quote, depth or bar", |value| {
            sections::trigger(value.as_str()?)
        });
        let every = top.duration("every").map(Trigger::Every);
        if let (Some(_), Some(_)) = (on, every) {
            top.complain(0, "every", "`on` and `every` exclude each other");
        }
        self.definition.trigger = on.or(every).unwrap_or_default();
    }

    /// Binds parameters; mistakes point into the file.
    pub(crate) fn compile(&self, values: &BTreeMap<String, f64>) -> anyhow::Result<Compiled> {
        script::compile(&self.definition, values)
            .map_err(|problems| compile_problems(self, problems).into())
    }

    /// The folder that the file lies in.
    pub(crate) fn folder(&self) -> Option<&Path> {
        self.path.parent().filter(|folder| !folder.as_os_str().is_empty())
    }

    /// The digest of the text.
    pub(crate) fn sha256(&self) -> String {
        let digest = Sha256::digest(self.text.as_bytes());
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn source(&self, key: &str) -> Option<&str> {
        let definition = &self.definition;
        let features = definition.features.iter().map(|(_, source)| source);
        let sources = features.chain(definition.sources());
        sources.into_iter().find(|source| source.key == key).map(|source| source.text.as_str())
    }
}

/// `native = "NAME"`: one of the types of this program.
fn native(top: &mut TomlTable<'_, '_>, natives: &[Registration]) -> Option<Registration> {
    let (name, at) = top.text("native", "the name of a strategy of this program")?;
    let found = natives.iter().find(|native| native.name == name).copied();
    if found.is_none() {
        let names: Vec<&str> = natives.iter().map(|native| native.name).collect();
        let has = match names[..] {
            [] => "this program has no strategies of its own".to_owned(),
            _ => format!("this program has {}", names.join(", ")),
        };
        top.complain(at, "native", format!("there is no native strategy `{name}`: {has}"));
    }
    found
}

/// Problems of a script as problems of its file.
pub(crate) fn compile_problems(file: &StrategyFile, found: Vec<ScriptProblem>) -> Problems {
    let text = TomlText::parse(&file.path, &file.text);
    let problem = |problem: ScriptProblem| {
        let ScriptProblem { key, span, message } = problem;
        let message = match file.source(&key) {
            Some(source) => ExprError::new(span.clone(), message).pointing_into(source),
            None => message,
        };
        match file.places.get(&key) {
            Some(start) => {
                Problem::in_file(&file.path, text.position(start + span.start), key, message)
            }
            None => Problem { place: Place::Flag("--param"), key, message },
        }
    };
    Problems::some(found.into_iter().map(problem).collect()).expect("a script failed for a reason")
}
