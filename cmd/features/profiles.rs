//! Named sets of parameters in a file, one of them active: what is rolled out, what was before it,
//! and what runs in its shadow.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context as _;
use qt_market::features::{Clusters, Engine, LobSet, Named, Plan, Program, Rows, parse};
use qt_model::record::Batch;
use serde::Deserialize;

use super::members;
use crate::failure::Failure;

/// The file, whose profiles are all sound.
#[derive(Debug)]
pub(super) struct Profiles {
    file: File,
    programs: BTreeMap<String, Program>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    active: String,
    /// What to go back to.
    previous: Option<String>,
    /// What is computed and compared, and never shown.
    shadow: Option<String>,
    profile: BTreeMap<String, Profile>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Profile {
    set: String,
    /// Expressions in the place of those of the set.
    #[serde(default)]
    features: BTreeMap<String, String>,
    clusters: Option<Model>,
    /// How far apart the events are that windows of the `lob` sets reckon with.
    cadence_ms: Option<u32>,
}

/// What `regime_cluster` is made of.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Model {
    #[serde(default = "state_of_market")]
    features: Vec<String>,
    means: Vec<f64>,
    deviations: Vec<f64>,
    centres: Vec<Vec<f64>>,
    radii: Vec<f64>,
    #[serde(default = "least_confidence")]
    confidence_min: f64,
}

fn state_of_market() -> Vec<String> {
    ["volatility_ratio()", "trend_strength()", "spread_ratio()"].map(str::to_owned).to_vec()
}

fn least_confidence() -> f64 {
    0.3
}

impl Profiles {
    pub(super) fn read(path: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
        Self::parse(&text).map_err(|what| {
            Failure::usage(format!("{}: {}", path.display(), what.trim_end())).into()
        })
    }

    fn parse(text: &str) -> Result<Self, String> {
        let file: File = toml::from_str(text).map_err(|error| error.to_string())?;
        let mut programs = BTreeMap::new();
        for (name, profile) in &file.profile {
            let program = profile.program().map_err(|error| format!("profile.{name}: {error}"))?;
            programs.insert(name.clone(), program);
        }
        let roles = [
            ("active", Some(&file.active)),
            ("previous", file.previous.as_ref()),
            ("shadow", file.shadow.as_ref()),
        ];
        for (role, name) in roles {
            if let Some(name) = name.filter(|name| !programs.contains_key(*name)) {
                return Err(format!("{role}: there is no profile `{name}`"));
            }
        }
        Ok(Self { file, programs })
    }

    /// The name of the profile that is asked for, or else active, with its set and what it computes.
    pub(super) fn choose(&self, asked: Option<&str>) -> anyhow::Result<(&str, &str, Program)> {
        let name = asked.unwrap_or(&self.file.active);
        let Some((name, program)) = self.programs.get_key_value(name) else {
            let known: Vec<&str> = self.programs.keys().map(String::as_str).collect();
            let failure = Failure::usage(format!("--profile {name}: there is no such profile"));
            return Err(failure.with_hint(format!("the profiles are {}", known.join(", "))).into());
        };
        Ok((name, &self.file.profile[name].set, program.clone()))
    }

    /// The program that runs in the shadow of another.
    pub(super) fn shadow(&self) -> Option<(&str, Program)> {
        let name = self.file.shadow.as_ref()?;
        Some((name, self.programs[name].clone()))
    }
}

impl Profile {
    fn program(&self) -> Result<Program, String> {
        if Program::lob(&self.set).is_some() {
            if !self.features.is_empty() || self.clusters.is_some() {
                return Err(format!("`{}` has no parameter but `cadence_ms`", self.set));
            }
            let cadence_ms = self.cadence_ms.unwrap_or(LobSet::CADENCE_MS);
            return Program::lob_at(&self.set, cadence_ms).ok_or_else(|| {
                format!("cadence_ms: expected milliseconds from 1 to 5000, found {cadence_ms}")
            });
        }
        if self.cadence_ms.is_some() {
            return Err(format!("cadence_ms: `{}` has no windows that it concerns", self.set));
        }
        let mut list = members(&self.set).map_err(|error| error.to_string())?;
        for (name, text) in &self.features {
            let expr = parse(text).map_err(|error| error.pointing_into(text))?;
            match list.iter_mut().find(|member| member.name == *name) {
                Some(member) => member.expr = expr,
                None => return Err(format!("there is no feature `{name}` in `{}`", self.set)),
            }
        }
        if let Some(model) = &self.clusters {
            let expr = model.clusters().expr().map_err(|error| format!("clusters: {error}"))?;
            list.push(Named { name: "regime_cluster".to_owned(), expr });
        }
        Plan::new(&list).map(Program::new).map_err(|error| error.to_string())
    }
}

impl Model {
    fn clusters(&self) -> Clusters {
        let Self { features, means, deviations, centres, radii, confidence_min } = self.clone();
        Clusters { features, means, deviations, centres, radii, confidence_min }
    }
}

/// Another profile that is computed, compared feature by feature and never shown.
#[derive(Debug)]
pub(super) struct Beside {
    name: String,
    engine: Engine,
    /// The features of both, by name: their places here and there.
    shared: Vec<(String, usize, usize)>,
    rows: u64,
    /// In how many rows each of them differs.
    different: Vec<u64>,
}

impl Beside {
    pub(super) fn new(name: &str, engine: Engine, shown: &Program) -> Self {
        let place = |(at, name): (usize, String)| {
            Some((name.clone(), at, engine.program().place(&name).ok()?))
        };
        let shared: Vec<_> = shown.names().into_iter().enumerate().filter_map(place).collect();
        let different = vec![0; shared.len()];
        Self { name: name.to_owned(), engine, shared, rows: 0, different }
    }

    pub(super) fn compare(&mut self, batch: &Batch, rows: &Rows<'_>) {
        let beside = self.engine.annotate(batch);
        for at in 0..batch.len() {
            let (Some(shown), Some(other)) = (rows.of(at), beside.of(at)) else { continue };
            self.rows += 1;
            for ((_, here, there), different) in self.shared.iter().zip(&mut self.different) {
                let (a, b) = (shown.values[*here], other.values[*there]);
                let is_equal = a.is_nan() && b.is_nan() || a.to_bits() == b.to_bits();
                *different += u64::from(!is_equal);
            }
        }
    }

    /// What is to be said at the end.
    pub(super) fn verdict(&self) -> String {
        let found =
            self.shared.iter().zip(&self.different).filter(|(_, different)| **different > 0);
        let found: Vec<_> =
            found.map(|((name, ..), different)| format!("{name} in {different}")).collect();
        let what = if found.is_empty() { "none differs".to_owned() } else { found.join(", ") };
        let (name, rows, shared) = (&self.name, self.rows, self.shared.len());
        format!(
            "shadow `{name}`: {rows} rows, {shared} features in common; of those differ: {what}"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
        active = "calm"
        previous = "plain"
        shadow = "plain"
        [profile.plain]
        set = "core15"
        [profile.calm]
        set = "core15"
        features = { ema = "ema(mid, 20)" }
        [profile.calm.clusters]
        means = [1.0, 0.0, 1.0]
        deviations = [0.3, 0.2, 0.5]
        centres = [[0.0, 0.0, 0.0], [2.0, 1.0, 0.0]]
        radii = [2.0, 3.0]
        [profile.book]
        set = "lob22"
        [profile.slow]
        set = "lob27"
        cadence_ms = 1000
    "#;

    #[test]
    fn a_profile_is_a_set_with_parameters_of_its_own() {
        let profiles = Profiles::parse(GOOD).unwrap();
        let (name, set, program) = profiles.choose(None).unwrap();
        assert_eq!((name, set), ("calm", "core15"));
        assert_eq!((program.width(), program.name(15)), (16, "regime_cluster"));
        assert_eq!(program.warm_at(program.place("ema").unwrap()), 20);
        let (_, _, plain) = profiles.choose(Some("plain")).unwrap();
        assert_eq!((plain.width(), plain.warm_at(plain.place("ema").unwrap())), (15, 14));
        assert_eq!(profiles.shadow().map(|(name, _)| name), Some("plain"));
        let (_, _, slow) = profiles.choose(Some("slow")).unwrap();
        assert_eq!([13, 22, 25, 26].map(|at| slow.warm_at(at)), [2, 5, 30, 300]);
        assert!(profiles.choose(Some("wild")).is_err());
    }

    #[test]
    fn what_is_wrong_is_said_before_anything_runs() {
        let check = |from: &str, to: &str, expected: &str| {
            assert!(GOOD.contains(from), "{from}");
            let error = Profiles::parse(&GOOD.replacen(from, to, 1)).unwrap_err();
            assert!(error.contains(expected), "{error}");
        };
        check("active = \"calm\"", "active = \"wild\"", "active: there is no profile `wild`");
        check("previous = \"plain\"", "previous = \"old\"", "previous: there is no profile `old`");
        check("active", "actual", "unknown field `actual`");
        check(
            "set = \"core15\"",
            "set = \"core16\"",
            "profile.plain: --set core16: there is no such set",
        );
        check("{ ema =", "{ emu =", "profile.calm: there is no feature `emu` in `core15`");
        check("ema(mid, 20)", "ema(mud, 20)", "`mud`");
        check("radii = [2.0, 3.0]", "radii = [2.0]", "profile.calm: clusters: radii has 1 numbers");
        check(
            "[profile.book]\n",
            "[profile.book]\nfeatures = { x = \"mid\" }\n",
            "`lob22` has no parameter but `cadence_ms`",
        );
        check(
            "cadence_ms = 1000",
            "cadence_ms = 0",
            "expected milliseconds from 1 to 5000, found 0",
        );
        check("set = \"lob27\"", "set = \"core15\"", "cadence_ms: `core15` has no windows");
    }
}
