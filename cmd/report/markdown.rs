//! The report as Markdown: for wikis and reviews, without pictures.

use qt_trade::metrics::{FAMILIES, definition};

use super::data::Data;
use super::format::metric;

pub(super) fn page(data: &Data) -> String {
    let manifest = &data.manifest;
    let mut out = format!("# {}\n\n", manifest.input.strategy.id);
    let mut line = |text: String| {
        out.push_str(&text);
        out.push('\n');
    };
    line(format!(
        "Run `{}`, {} to {}, {} records.\n",
        manifest.run_id, data.first, data.last, manifest.output.events
    ));
    line("## Assumed\n".to_owned());
    for it in &manifest.assumptions {
        line(format!("- **{}**: {}", it.name, it.value));
    }
    for warning in &manifest.warnings {
        line(format!("- *{warning}*"));
    }
    if manifest.output.band.len() > 1 {
        line("\n## Fill models\n\n| model | pnl | sharpe | trades | fills |\n| --- | --: | --: | --: | --: |".to_owned());
        for row in &manifest.output.band {
            let value = |name: &str| row.values.get(name).map_or("n/a", String::as_str);
            line(format!(
                "| {} | {} | {} | {} | {} |",
                row.lane,
                value("pnl_total"),
                value("sharpe"),
                value("trades"),
                value("fills")
            ));
        }
    }
    if !data.profit.is_empty() {
        line("\n## Where the profit came from\n\n| part | amount |\n| --- | --: |".to_owned());
        for (name, amount) in &data.profit {
            line(format!("| {name} | {} |", amount.normalize()));
        }
    }
    for family in FAMILIES {
        let of_family = |name: &str| definition(name).is_some_and(|(it, _)| it.name == family.name);
        let rows: Vec<_> = data.metrics.iter().filter(|row| of_family(&row.name)).collect();
        if rows.is_empty() {
            continue;
        }
        line(format!("\n## {}\n\n| metric | value |\n| --- | --: |", family.name));
        for row in rows {
            line(format!("| `{}` | {} |", row.name, metric(row)));
        }
    }
    out
}
