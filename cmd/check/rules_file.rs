//! The rules file: how bad each finding is, from when on, for which symbols, in which hours.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use qt_market::calendar::Calendar;
use qt_market::check::{Checker, Limits, Rule, Threshold, Unit};
use qt_model::decimal;
use qt_model::instrument::Symbol;
use qt_model::time::duration_ns;
use qt_model::units::Scale;
use qt_model::words::{Severity, Word};
use qt_stream::catalog::SymbolPattern;
use qt_stream::parquet_file::Span;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::hours::Hours;
use crate::problem::Problems;
use crate::toml_text::{TomlText, describe};

/// What a rules file says.
#[derive(Clone, Debug, Default)]
pub(super) struct RulesFile {
    pub(super) fail_on: Option<Severity>,
    common: Arc<Limits>,
    hours: Option<Hours>,
    /// Symbols held otherwise; where several patterns fit, later ones say more.
    special: Vec<Special>,
}

#[derive(Clone, Debug)]
struct Special {
    pattern: SymbolPattern,
    changes: Vec<Change>,
}

#[derive(Clone, Copy, Debug)]
enum Change {
    Severity(Rule, Option<Severity>),
    Allow(Rule, u64),
    Threshold(Rule, i64),
}

impl Change {
    fn apply(self, limits: &mut Limits) {
        match self {
            Self::Severity(rule, severity) => limits.get_mut(rule).severity = severity,
            Self::Allow(rule, allow) => limits.get_mut(rule).allow = allow,
            Self::Threshold(rule, threshold) => limits.get_mut(rule).threshold = threshold,
        }
    }
}

impl RulesFile {
    pub(super) fn read(path: &Path) -> anyhow::Result<Self> {
        let text =
            fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
        Self::parse(path, &text)
    }

    fn parse(path: &Path, text: &str) -> anyhow::Result<Self> {
        let mut reader = Reader { text: TomlText::parse(path, text), file: Self::default() };
        let document = reader.text.document();
        reader.document(&document);
        match Problems::some(reader.text.problems()) {
            Some(problems) => Err(problems.into()),
            None => Ok(reader.file),
        }
    }

    /// How findings about no instrument in particular are held.
    pub(super) fn common(&self) -> &Limits {
        &self.common
    }

    pub(super) fn checker(&self, span: Span) -> anyhow::Result<Checker> {
        let calendar = match &self.hours {
            Some(hours) => hours.calendar(span)?,
            None => Calendar::default(),
        };
        let (common, special) = (Arc::clone(&self.common), self.special.clone());
        let limits_of = move |symbol: &Symbol| {
            let mut limits = Arc::clone(&common);
            for special in special.iter().filter(|special| special.pattern.matches(symbol)) {
                let limits = Arc::make_mut(&mut limits);
                special.changes.iter().for_each(|change| change.apply(limits));
            }
            limits
        };
        Ok(Checker::new(calendar, Arc::clone(&self.common), Box::new(limits_of)))
    }
}

struct Reader<'a> {
    text: TomlText<'a>,
    file: RulesFile,
}

const SECTIONS: [&str; 4] = ["fail_on", "calendar", "rules", "symbols"];

impl Reader<'_> {
    fn document(&mut self, document: &DeTable<'_>) {
        for (key, value) in document {
            match key.get_ref().as_ref() {
                "fail_on" => self.file.fail_on = self.severity("fail_on", value).flatten(),
                "calendar" => {
                    if let Some(table) = self.table("calendar", value) {
                        self.file.hours = Hours::read(&mut self.text, "calendar", table);
                    }
                }
                "rules" => {
                    let mut changes = Vec::new();
                    if let Some(table) = self.table("rules", value) {
                        self.rules("rules", table, &mut changes);
                    }
                    let limits = Arc::make_mut(&mut self.file.common);
                    changes.iter().for_each(|change| change.apply(limits));
                }
                "symbols" => self.symbols(value),
                other => {
                    let message = unknown(other, SECTIONS.iter().copied());
                    self.text.complain(key.span().start, other, message);
                }
            }
        }
    }

    fn symbols(&mut self, value: &Spanned<DeValue<'_>>) {
        let Some(patterns) = self.table("symbols", value) else { return };
        for (pattern, value) in patterns {
            let name = format!("symbols.{:?}", pattern.get_ref());
            let Some(table) = self.table(&name, value) else { continue };
            let mut changes = Vec::new();
            self.rules(&name, table, &mut changes);
            let pattern = SymbolPattern::new(pattern.get_ref());
            self.file.special.push(Special { pattern, changes });
        }
    }

    fn rules(&mut self, prefix: &str, table: &DeTable<'_>, changes: &mut Vec<Change>) {
        for (key, value) in table {
            let name = format!("{prefix}.{}", key.get_ref());
            let Some(rule) = Rule::from_name(key.get_ref()) else {
                let message = unknown(key.get_ref(), Rule::ALL.iter().map(|rule| rule.name()));
                self.text.complain(key.span().start, &name, message);
                continue;
            };
            let Some(table) = self.table(&name, value) else { continue };
            for (key, value) in table {
                let name = format!("{name}.{}", key.get_ref());
                let change = match key.get_ref().as_ref() {
                    "severity" => self.severity(&name, value).map(|it| Change::Severity(rule, it)),
                    "allow" => self.allow(&name, value).map(|allow| Change::Allow(rule, allow)),
                    key if rule.threshold().is_some_and(|threshold| threshold.key == key) => {
                        let threshold = rule.threshold().expect("it was just looked at");
                        self.threshold(&name, value, threshold)
                            .map(|value| Change::Threshold(rule, value))
                    }
                    other => {
                        let known = rule.threshold().map(|threshold| threshold.key);
                        let message =
                            unknown(other, ["severity", "allow"].into_iter().chain(known));
                        self.text.complain(key.span().start, &name, message);
                        None
                    }
                };
                changes.extend(change);
            }
        }
    }

    fn table<'t, 'v>(
        &mut self,
        name: &str,
        value: &'t Spanned<DeValue<'v>>,
    ) -> Option<&'t DeTable<'v>> {
        let table = value.get_ref().as_table();
        if table.is_none() {
            let message = format!("expected a table, found {}", describe(value.get_ref()));
            self.text.complain(value.span().start, name, message);
        }
        table
    }

    /// A severity; the inner `None` is `off`.
    fn severity(&mut self, name: &str, value: &Spanned<DeValue<'_>>) -> Option<Option<Severity>> {
        let text = value.get_ref().as_str();
        match text {
            Some("off") if name != "fail_on" => return Some(None),
            Some(text) => {
                if let Some(severity) = Severity::from_word(text) {
                    return Some(Some(severity));
                }
            }
            None => {}
        }
        let words = Severity::WORDS.join("\", \"");
        let off = if name == "fail_on" { "" } else { " or \"off\"" };
        let found = describe(value.get_ref());
        let message = format!("expected \"{words}\"{off}, found {found}");
        self.text.complain(value.span().start, name, message);
        None
    }

    fn allow(&mut self, name: &str, value: &Spanned<DeValue<'_>>) -> Option<u64> {
        let number = value.get_ref().as_integer();
        let count = number.and_then(|it| u64::from_str_radix(it.as_str(), it.radix()).ok());
        if count.is_none() {
            let found = describe(value.get_ref());
            let message = format!("expected how many are let pass, found {found}");
            self.text.complain(value.span().start, name, message);
        }
        count
    }

    fn threshold(
        &mut self,
        name: &str,
        value: &Spanned<DeValue<'_>>,
        threshold: Threshold,
    ) -> Option<i64> {
        let read = match (threshold.unit, value.get_ref()) {
            (Unit::Nanos, DeValue::String(text)) => duration_ns(text),
            (Unit::Ppm, DeValue::String(text)) => text.strip_suffix('%').and_then(|percent| {
                let scale = Scale::new(4).expect("four is a scale");
                decimal::parse(percent.trim().as_bytes(), scale).ok()
            }),
            (Unit::Times | Unit::Records, DeValue::Integer(digits)) => {
                i64::from_str_radix(digits.as_str(), digits.radix()).ok()
            }
            _ => None,
        };
        let read = read.filter(|value| *value >= 0);
        if read.is_none() {
            let expected = match threshold.unit {
                Unit::Nanos => "a length of time such as \"90s\", \"15m\" or \"2h\"",
                Unit::Ppm => "a share such as \"5%\" or \"0.25%\"",
                Unit::Times | Unit::Records | Unit::None => "a number from 0",
            };
            let message = format!("expected {expected}, found {}", describe(value.get_ref()));
            self.text.complain(value.span().start, name, message);
        }
        read
    }
}

/// A threshold as a rules file would have it.
pub(super) fn threshold_text(threshold: Threshold, value: i64) -> String {
    match threshold.unit {
        Unit::Nanos => {
            let units = [(3_600_000_000_000, "h"), (60_000_000_000, "m"), (1_000_000_000, "s")];
            let finer = [(1_000_000, "ms"), (1_000, "us"), (1, "ns")];
            let mut all = units.into_iter().chain(finer);
            let (unit, name) =
                all.find(|(unit, _)| value % unit == 0).expect("every number divides by one");
            format!("\"{}{name}\"", value / unit)
        }
        Unit::Ppm => {
            let percent = format!("{}.{:04}", value / 10_000, value % 10_000);
            format!("\"{}%\"", percent.trim_end_matches('0').trim_end_matches('.'))
        }
        Unit::Times | Unit::Records | Unit::None => value.to_string(),
    }
}

fn unknown<'n>(found: &str, known: impl Iterator<Item = &'n str>) -> String {
    let near = known.map(|name| (strsim::damerau_levenshtein(name, found), name)).min();
    match near.filter(|(distance, _)| *distance <= found.len().div_ceil(3)) {
        Some((_, near)) => format!("unknown key; did you mean `{near}`?"),
        None => "unknown key; `qt check --list` lists the rules".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::damage::damaged;

    const FILE: &str = r#"
fail_on = "warning"

[calendar]
zone = "America/New_York"
open = "09:30"
close = "16:00"
days = ["mon", "fri"]
holidays = ["2024-12-25"]

[rules.silence]
severity = "error"
allow = 3
after = "90s"

[rules.spread]
severity = "off"

[symbols."binance:*".jump]
max = "2.5%"
"#;

    #[test]
    fn damage_is_refused_with_a_place_or_understood() {
        let (mut refused, mut understood) = (0, 0);
        assert!(RulesFile::parse(Path::new("rules.toml"), FILE).is_ok());
        for text in damaged(FILE, 1) {
            match RulesFile::parse(Path::new("rules.toml"), &text) {
                Ok(_) => understood += 1,
                Err(error) => {
                    refused += 1;
                    assert!(format!("{error:#}").contains("rules.toml"), "no place: {error:#}");
                }
            }
        }
        assert!(refused > 100 && understood > 20, "{refused} and {understood}");
    }
}
