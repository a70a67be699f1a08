//! What a metric means, and the reference of all of them.

use qt_stream::runs::MetricRow;
use qt_trade::metrics::{Absent, FAMILIES, definition, definitions};

use super::format::metric;
use crate::failure::Failure;

/// The definition of a metric, with its value and what stands beside it in a run.
pub(super) fn metric_text(name: &str, values: Option<&[MetricRow]>) -> anyhow::Result<String> {
    let Some((family, found)) = definition(name) else {
        let failure = Failure::usage(format!("there is no metric `{name}`"));
        let near =
            definitions().map(|it| (strsim::damerau_levenshtein(it.name, name), it.name)).min();
        // Some are families by another name: a mean and a share of what is asked for.
        let stem = name.trim_end_matches("_k").trim_end_matches("_q");
        let kin: Vec<&str> =
            definitions().map(|it| it.name).filter(|it| it.starts_with(stem)).collect();
        let reach = if kin.is_empty() { 3 } else { 1 };
        let hint = match near.filter(|(distance, _)| *distance <= reach) {
            Some((_, near)) => format!("did you mean `{near}`?"),
            None if !kin.is_empty() => format!("there are {}", kin.join(", ")),
            None => "`qt report --reference` lists them".to_owned(),
        };
        return Err(failure.with_hint(hint).into());
    };
    let mut out = format!("{name}\n  {}\n", found.formula);
    if !found.unit.is_empty() {
        out.push_str(&format!("  unit: {}\n", found.unit));
    }
    out.push_str(&format!("  {}: {}\n", family.name, family.doc));
    let Some(values) = values else { return Ok(out) };
    let of = |name: &str| values.iter().find(|row| row.name == name);
    let shown = |row: &MetricRow| format!("  {} = {}\n", row.name, metric(row));
    out.push('\n');
    out.push_str(&of(name).map_or_else(|| format!("  {name} is not in this run\n"), shown));
    // The other metrics that its formula names are its inputs.
    let words = found.formula.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    let mut seen = vec![name];
    for word in words {
        if let Some(row) = of(word).filter(|_| !seen.contains(&word)) {
            seen.push(word);
            out.push_str(&shown(row));
        }
    }
    for always in ["periods", "periods_per_year"] {
        if family.name == "returns" && !seen.contains(&always) {
            out.push_str(&of(always).map(shown).unwrap_or_default());
        }
    }
    Ok(out)
}

/// The reference page.
pub(super) fn reference() -> String {
    let mut page = String::from(
        "# Metrics: reference\n\n\
         Made by `qt report --reference`; `docs/runs.md` says how to use it. `{h}` stands for a horizon\n\
         such as `1s`. A metric without a value is null in `metrics.json`, with the reason beside it.\n",
    );
    for family in FAMILIES {
        page.push_str(&format!("\n## {}\n\n{}\n\n", family.name, family.doc));
        page.push_str("| metric | unit | definition |\n| --- | --- | --- |\n");
        for it in family.metrics {
            let formula = it.formula.replace('|', "\\|");
            page.push_str(&format!("| `{}` | {} | {formula} |\n", it.name, it.unit));
        }
    }
    page.push_str("\n## Reasons\n\n| reason | meaning |\n| --- | --- |\n");
    for reason in Absent::ALL {
        page.push_str(&format!("| `{}` | {} |\n", reason.word(), reason.meaning()));
    }
    page
}
