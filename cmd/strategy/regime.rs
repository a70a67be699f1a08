//! `[regime]`: votes of features that an analysis weighed, behind the gates of a preset.

use qt_market::features::{Expr, parse, set};
use qt_model::ids::InstrumentId;
use qt_trade::regime::{Feature, Inputs, PRESETS, Preset, Regime, preset, select};
use toml::de::DeTable;

use crate::toml_table::TomlTable;
use crate::toml_text::TomlText;

/// What the table says.
#[derive(Clone, Debug)]
pub(crate) struct RegimeTerms {
    preset: Preset,
    /// The features that count, with their expressions.
    chosen: Vec<(Feature, Expr)>,
}

/// The features that tell the state of the market, as `core15` has them.
const STATE: [&str; 3] = ["regime_volatility", "regime_trend", "regime_spread"];

impl RegimeTerms {
    pub(super) fn read<'a>(text: &mut TomlText<'a>, table: DeTable<'a>) -> Option<Self> {
        let lists = table.iter().find(|(key, _)| key.get_ref() == "features");
        let rows = lists.and_then(|(_, value)| value.get_ref().as_array().cloned());
        let at = lists.map_or(0, |(_, value)| value.span().start);
        let mut table = TomlTable::new(text, "regime.", table);
        table.know("features");
        let names = PRESETS.map(|preset| preset.name).join(", ");
        let chosen = table
            .value("preset", &format!("one of {names}"), |value| preset(value.as_str()?).copied());
        let mut preset = chosen.unwrap_or(PRESETS[0]);
        if let Some(aware) = table.flag("direction_aware") {
            preset.gate.direction_aware = aware;
        }
        preset.gate.score_min = table.number("score_min").unwrap_or(preset.gate.score_min);
        if let Some(cooldown) = table.duration("cooldown") {
            preset.gate.cooldown_ms = cooldown / 1_000_000;
        }
        preset.base = table.number("base_qty").unwrap_or(preset.base);
        preset.most = table.number("max_qty").unwrap_or(preset.most);
        table.finish();
        let tables = rows.iter().flatten().filter_map(|row| row.get_ref().as_table().cloned());
        let read: Vec<_> = tables.map(|table| feature(text, table)).collect();
        let features = read.into_iter().collect::<Option<Vec<_>>>()?;
        let known: Vec<Feature> = features.iter().map(|(feature, _)| feature.clone()).collect();
        match select(&known, preset.alpha_min, preset.top) {
            Ok(places) => {
                let chosen = places.into_iter().map(|at| features[at].clone()).collect();
                Some(Self { preset, chosen })
            }
            Err(error) => {
                text.complain(at, "regime.features", error.to_string());
                None
            }
        }
    }

    /// All expressions: of the features, then of the state.
    pub(crate) fn expressions(&self) -> Vec<Expr> {
        let core = set("core15").expect("the set is one of ours");
        let state = STATE.map(|name| {
            let text = core.features.iter().find(|(known, _)| *known == name);
            let (_, text) = text.expect("the set tells the state");
            parse(text).expect("the expressions of a set are sound")
        });
        self.chosen.iter().map(|(_, expr)| expr.clone()).chain(state).collect()
    }

    /// The strategy, with the places of its expressions in the rows to come.
    pub(crate) fn strategy(&self, places: &[usize], traded: Vec<InstrumentId>) -> Regime {
        let (features, state) = places.split_at(self.chosen.len());
        let [volatility, trend, spread] = state else { panic!("the state has three places") };
        let inputs = Inputs {
            features: features.to_vec(),
            volatility: *volatility,
            trend: *trend,
            spread: *spread,
        };
        let features = self.chosen.iter().map(|(feature, _)| feature.clone()).collect();
        Regime::new(self.preset, features, inputs, traded)
    }
}

fn feature<'a>(text: &mut TomlText<'a>, table: DeTable<'a>) -> Option<(Feature, Expr)> {
    let mut table = TomlTable::new(text, "regime.features.", table);
    let expr = table.text("expr", "an expression in quotes");
    let alpha = table.number("alpha");
    let correlation = table.number("correlation");
    let is_momentum = table.flag("momentum").unwrap_or(false);
    let parsed = expr.as_ref().and_then(|(source, at)| match parse(source) {
        Ok(parsed) => Some(parsed),
        Err(error) => {
            table.complain(at + 1 + error.span.start, "expr", error.pointing_into(source));
            None
        }
    });
    if expr.is_none() || alpha.is_none() || correlation.is_none() {
        table.complain(0, "expr", "a feature needs `expr`, `alpha` and `correlation`");
    }
    table.finish();
    let (name, _) = expr?;
    Some((Feature { name, alpha: alpha?, correlation: correlation?, is_momentum }, parsed?))
}
