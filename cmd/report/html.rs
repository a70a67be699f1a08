//! One page that holds everything: style and pictures are inside, nothing comes from elsewhere.

use qt_trade::metrics::{FAMILIES, definition};

use super::charts::{self, WINDOW, grid};
use super::data::Data;
use super::format::{amount, escape, metric, percent, short, spoken};
use super::keys::{self, Key};

/// The style of the page, which begins with the colours, and that of pictures.
pub(super) const STYLE: &str = include_str!("page.css");
pub(super) const PICTURES: &str = include_str!("picture.css");

pub(super) fn page(data: &Data) -> String {
    let mut page = Page::default();
    let title = format!("{} · {}", data.manifest.input.strategy.id, data.manifest.run_id);
    page.head(data);
    page.assumptions(data);
    page.cards(data);
    page.band(data);
    page.pictures(data);
    page.parameters(data);
    page.metrics(data);
    page.foot(data);
    document(&escape(&title), &page.text)
}

/// A whole page around a body; both are markup already.
pub(super) fn document(title: &str, body: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <link rel=\"icon\" href=\"data:,\">\n\
         <title>{title}</title>\n<style>\n{STYLE}{PICTURES}</style>\n</head>\n<body>\n{body}</body>\n</html>\n"
    )
}

#[derive(Default)]
struct Page {
    text: String,
}

impl Page {
    fn add(&mut self, text: &str) {
        self.text.push_str(text);
        self.text.push('\n');
    }

    fn head(&mut self, data: &Data) {
        let manifest = &data.manifest;
        let strategy = &manifest.input.strategy;
        let version = if strategy.version.is_empty() {
            String::new()
        } else {
            format!(" {}", strategy.version)
        };
        self.add(&format!("<h1>{}{}</h1>", escape(&strategy.id), escape(&version)));
        let (from, to) = (data.first.to_string(), data.last.to_string());
        let kind = qt_model::words::Word::word(manifest.kind);
        self.add(&format!(
            "<div class=\"sub\">{kind}, {} UTC to {} UTC, {} records · {}</div>",
            from[..19].replace('T', " "),
            to[..19].replace('T', " "),
            manifest.output.events,
            qt_model::words::Word::word(manifest.status)
        ));
    }

    fn assumptions(&mut self, data: &Data) {
        let (manifest, input) = (&data.manifest, &data.manifest.input);
        let mut rows: Vec<(String, String)> = Vec::new();
        let told = manifest.assumptions.iter().map(|it| (it.name.clone(), it.value.clone()));
        rows.extend(told);
        let mut row = |name: &str, value: String| {
            if !value.is_empty() && !rows.iter().any(|(known, _)| known == name) {
                rows.push((name.to_owned(), value));
            }
        };
        row("latency", input.latency.clone());
        row("fees", input.fees.clone());
        let covered =
            input.coverage.map(|share| format!(", {} of the time covered", percent(share)));
        row(
            "data",
            format!(
                "{}{}",
                input.grade.as_deref().map(|it| format!("graded {it}")).unwrap_or_default(),
                covered.unwrap_or_default()
            ),
        );
        let per_year =
            data.number("periods_per_year").map(|it| format!("{} periods a year", short(it)));
        row("annualisation", per_year.unwrap_or_default());
        let trials = manifest.output.trials.map(|count| format!("{count} of this family so far"));
        row("trials", trials.unwrap_or_default());
        self.add("<div class=\"box\"><h2>Assumed</h2><dl>");
        for (name, value) in rows {
            self.add(&format!("<dt>{}</dt><dd>{}</dd>", escape(&name), escape(&value)));
        }
        self.add("</dl>");
        for warning in &manifest.warnings {
            self.add(&format!("<p class=\"note warn\">{}</p>", escape(warning)));
        }
        for (reason, count) in &manifest.output.drops {
            self.add(&format!(
                "<p class=\"note warn\">{count} records dropped: {}</p>",
                escape(reason)
            ));
        }
        self.add("</div>");
    }

    fn cards(&mut self, data: &Data) {
        self.add("<div class=\"cards\">");
        for (name, value) in cards(data) {
            self.add(&format!(
                "<div class=\"card\"><span>{}</span><b>{}</b></div>",
                escape(&name),
                escape(&value)
            ));
        }
        self.add("</div>");
    }

    /// The fill models side by side.
    fn band(&mut self, data: &Data) {
        const COLUMNS: [&str; 6] =
            ["pnl_total", "sharpe", "max_drawdown", "trades", "fills", "maker_share"];
        let band = &data.manifest.output.band;
        if band.len() < 2 {
            return;
        }
        // A figure that only one model has compares with nothing.
        let is_shared =
            |name: &&str| band.iter().filter(|row| row.values.contains_key(*name)).count() > 1;
        let columns: Vec<&str> = COLUMNS.iter().copied().filter(is_shared).collect();
        self.add("<section><h2>The band of fill models</h2><table class=\"band\"><tr><th></th>");
        for name in &columns {
            self.add(&format!("<th>{}</th>", spoken(name)));
        }
        self.add("</tr>");
        for row in band {
            self.add(&format!("<tr><td>{}</td>", escape(&row.lane)));
            for name in &columns {
                let value = row.values.get(*name).and_then(|text| text.parse::<f64>().ok());
                let text = value.map_or("n/a".to_owned(), |value| match *name {
                    "max_drawdown" | "maker_share" => percent(value),
                    _ => short(value),
                });
                self.add(&format!("<td>{text}</td>"));
            }
            self.add("</tr>");
        }
        self.add("</table></section>");
    }

    fn picture(&mut self, title: &str, picture: Option<String>, note: &str) {
        if let Some(picture) = picture {
            let note = if note.is_empty() {
                String::new()
            } else {
                format!("<p class=\"note\">{note}</p>")
            };
            self.add(&format!("<section><h2>{title}</h2>\n{picture}{note}</section>"));
        }
    }

    fn pictures(&mut self, data: &Data) {
        let many = "Shaded: between the lowest and the highest fill model.";
        let lines: Vec<Key> = keys::equity(data).into_iter().filter(|key| key.is_line).collect();
        let note = format!("{many} {}", marks(&lines));
        self.picture("Equity", charts::equity(data), if data.lanes.len() > 1 { &note } else { "" });
        self.picture("Drawdown", charts::underwater(data), "");
        self.picture("Net exposure", charts::exposure(data), "");
        self.picture("Where the profit came from", charts::profit(data), &sum(data));
        self.picture("Returns by month", charts::months(data), "");
        self.picture("Profit by weekday and hour", charts::hours(data), "UTC.");
        self.add("<div class=\"two\">");
        let step = data.lanes.first().map(|(_, curve)| grid(curve)).unwrap_or_default();
        self.picture(
            "Distribution of returns",
            charts::histogram(data),
            &format!("Each of one {step}."),
        );
        let note = format!(
            "Mean over deviation of the last {WINDOW} returns of one {step}, not annualised."
        );
        self.picture("Rolling Sharpe", charts::rolling(data), &note);
        let note = format!(
            "bps of notional, by horizon; whiskers are 1.96 standard errors. {}",
            marks(&keys::markouts(data))
        );
        self.picture("Markouts", charts::markouts(data), &note);
        let note = format!(
            "bps by the share of its level that was ahead of a fill when its order came to rest; an \
             order that joins the end of a level has all of it ahead. {}",
            marks(&keys::by_queue(data))
        );
        self.picture("Markouts by place in the queue", charts::by_queue(data), &note);
        let (there, back) = (data.latency.there.seen, data.latency.back.seen);
        let note = format!(
            "Blue: {there} new orders on their way to the venue; green: {back} reports on their way \
             back. The axis is logarithmic."
        );
        self.picture("Latency", charts::latency(data), &note);
        let note = "Across: worst profit while open; up: best. bps of what the opening was worth.";
        self.picture("Excursions of trades", charts::excursions(data), note);
        self.add("</div>");
        let fills = &data.fills;
        let shown =
            format!("{} of {} fills over the mid before each.", fills.kept.len(), fills.seen);
        self.picture("Fills on price", charts::fills(data), &shown);
    }

    fn parameters(&mut self, data: &Data) {
        let input = &data.manifest.input;
        self.add("<section><h2>Data and parameters</h2><dl>");
        for dataset in &input.datasets {
            let symbols = dataset.symbols.join(", ");
            let text = format!(
                "{}: {} records of {symbols}, {}",
                dataset.name, dataset.records, dataset.digest
            );
            self.add(&format!("<dt>data</dt><dd>{}</dd>", escape(&text)));
        }
        for (name, value) in &input.strategy.params {
            self.add(&format!("<dt>{}</dt><dd>{}</dd>", escape(name), escape(value)));
        }
        if let Some(seed) = input.seed {
            self.add(&format!("<dt>seed</dt><dd>{seed}</dd>"));
        }
        self.add("</dl></section>");
    }

    fn metrics(&mut self, data: &Data) {
        for family in FAMILIES {
            let of_family =
                |name: &str| definition(name).is_some_and(|(it, _)| it.name == family.name);
            let rows: Vec<_> = data.metrics.iter().filter(|row| of_family(&row.name)).collect();
            if rows.is_empty() {
                continue;
            }
            self.add(&format!("<section><h2>{}</h2><table>", escape(&capital(family.name))));
            for row in rows {
                let class = if row.value.is_some() { "n" } else { "n absent" };
                let formula =
                    definition(&row.name).map_or("", |(_, definition)| definition.formula);
                self.add(&format!(
                    "<tr><td>{}</td><td class=\"{class}\">{}</td><td class=\"note\">{}</td></tr>",
                    escape(&row.name),
                    escape(&metric(row)),
                    escape(formula)
                ));
            }
            self.add("</table></section>");
        }
    }

    fn foot(&mut self, data: &Data) {
        let manifest = &data.manifest;
        let (run, content) = (escape(&manifest.run_id), escape(&manifest.content_sha256));
        let (version, config) =
            (escape(&manifest.input.code.version), escape(&manifest.input.config_sha256));
        self.add(&format!(
            "<footer>run {run}<br>content {content}<br>config {config}<br>qt {version}</footer>"
        ));
    }
}

/// What is looked at first: a name and a value each.
pub(super) fn cards(data: &Data) -> Vec<(String, String)> {
    // Of a short run the ratio of a period says more than that of a year.
    let is_short = data.number("short_sample") == Some(1.0);
    let sharpe = if is_short { "sharpe_period" } else { "sharpe" };
    let names = [
        "pnl_total",
        "total_return",
        sharpe,
        "max_drawdown",
        "trades",
        "win_rate",
        "fills",
        "net_fees",
    ];
    let rows = names.iter().filter_map(|name| data.metric(name));
    rows.map(|row| {
        let is_money = definition(&row.name).is_some_and(|(_, it)| it.unit == "currency");
        let value = match row.value {
            Some(value) if is_money => amount(value),
            Some(_) => metric(row),
            None => "n/a".to_owned(),
        };
        (spoken(&row.name), value)
    })
    .collect()
}

/// The sum in words, exact.
fn sum(data: &Data) -> String {
    let Some((_, total)) = data.profit.last() else { return String::new() };
    let parts = data.profit[..data.profit.len() - 1].iter();
    let parts: Vec<String> =
        parts.map(|(name, amount)| format!("{name} {}", amount.normalize())).collect();
    escape(&format!("Exactly: {} = {}", parts.join(" + ").replace("+ -", "− "), total.normalize()))
}

/// What the colours of lines stand for.
fn marks(keys: &[Key]) -> String {
    let mark = |key: &Key| {
        let (class, name) = (&key.class, escape(&key.name));
        format!(
            "<span class=\"key\"><svg viewBox=\"0 0 14 4\"><line class=\"{class}\" x2=\"14\" y1=\"2\" y2=\"2\"/></svg>{name}</span>"
        )
    };
    keys.iter().map(mark).collect()
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}
