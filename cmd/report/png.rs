//! Pictures to pixels, for places that show no pages: chats, tickets, slides.
//!
//! The pictures are those of the page, drawn with its light colours and a font that comes along, so
//! that a machine without any draws the same. Absent on purpose: the tables, which are for reading.

use std::fmt::Write as _;

use anyhow::Context as _;
use qt_stream::runs::Manifest;
use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree};

use super::charts;
use super::data::Data;
use super::format::escape;
use super::html::{PICTURES, STYLE, cards};
use super::keys::{self, Key};
use super::svg::WIDTH;

const MARGIN: f64 = 24.0;
const GAP: f64 = 24.0;
/// Pixels a unit: sharp on screens of today.
const SCALE: f32 = 2.0;
/// How many letters of a note fit into a line.
const LETTERS: usize = 150;
const CARDS: usize = 4;
/// About as wide is a letter of a key.
const LETTER: f64 = 5.9;
const FONT: &str = "Ubuntu";

/// A report as one picture.
pub(super) fn report(data: &Data) -> anyhow::Result<Vec<u8>> {
    let mut sheet = Sheet::new(&data.manifest, &span(data));
    sheet.cards(&cards(data));
    let wide = [
        ("Equity, within the band of fill models", charts::equity(data), keys::equity(data)),
        ("Drawdown", charts::underwater(data), Vec::new()),
        ("Net exposure", charts::exposure(data), Vec::new()),
        ("Where the profit came from", charts::profit(data), Vec::new()),
        ("Returns by month", charts::months(data), Vec::new()),
        ("Profit by weekday and hour, UTC", charts::hours(data), Vec::new()),
        ("Fills on price", charts::fills(data), keys::fills()),
    ];
    for (title, picture, keys) in wide {
        if let Some(picture) = picture {
            sheet.picture(&Panel { title, picture, keys })?;
        }
    }
    let halves = [
        ("Distribution of returns", charts::histogram(data), keys::returns()),
        ("Rolling Sharpe", charts::rolling(data), Vec::new()),
        ("Markouts, bps by horizon", charts::markouts(data), keys::markouts(data)),
        ("Markouts, bps by share of the level ahead", charts::by_queue(data), keys::by_queue(data)),
        ("Latency", charts::latency(data), keys::latency()),
        ("Best over worst profit of trades, bps", charts::excursions(data), keys::excursions()),
    ];
    let panel = |(title, picture, keys): (_, Option<String>, _)| {
        Some(Panel { title, picture: picture?, keys })
    };
    let halves: Vec<Panel<'_>> = halves.into_iter().filter_map(panel).collect();
    for pair in halves.chunks(2) {
        sheet.pair(pair)?;
    }
    sheet.draw()
}

/// The picture of a sweep, with what its choice is worth.
pub(super) fn sweep(
    manifest: &Manifest,
    (title, span): (&str, &str),
    picture: &str,
    judged: &[String],
) -> anyhow::Result<Vec<u8>> {
    let mut sheet = Sheet::new(manifest, span);
    sheet.picture(&Panel { title, picture: picture.to_owned(), keys: Vec::new() })?;
    judged.iter().for_each(|said| sheet.note(said));
    sheet.draw()
}

fn span(data: &Data) -> String {
    let [from, to] = [data.first, data.last].map(|ts| ts.to_string()[..19].replace('T', " "));
    format!("{from} UTC to {to} UTC, {} records", data.manifest.output.events)
}

/// A picture with what stands above it.
struct Panel<'a> {
    title: &'a str,
    picture: String,
    keys: Vec<Key>,
}

impl Panel<'_> {
    /// How much of it lies above the picture.
    fn head(&self) -> f64 {
        if self.keys.is_empty() { 34.0 } else { 52.0 }
    }
}

/// What is put below each other on one sheet.
struct Sheet {
    body: String,
    /// Where the next thing begins.
    y: f64,
}

impl Sheet {
    /// A sheet with the name of the run and what it assumed.
    fn new(manifest: &Manifest, span: &str) -> Self {
        let mut sheet = Self { body: String::new(), y: MARGIN };
        sheet.line("title", 22.0, &manifest.input.strategy.id);
        sheet.line("sub", 16.0, &format!("{span} · run {}", manifest.run_id));
        sheet.y += 6.0;
        for it in &manifest.assumptions {
            sheet.note(&format!("{}: {}", it.name, it.value));
        }
        manifest.warnings.iter().for_each(|warning| sheet.note(warning));
        sheet
    }

    fn text(&mut self, class: &str, (x, y): (f64, f64), text: &str) {
        let text = escape(text);
        let _ = writeln!(self.body, r#"<text class="{class}" x="{x}" y="{y}">{text}</text>"#);
    }

    fn line(&mut self, class: &str, height: f64, text: &str) {
        self.y += height;
        self.text(class, (MARGIN, self.y), text);
    }

    /// A sentence, over as many lines as it takes.
    fn note(&mut self, text: &str) {
        let mut line = String::new();
        for word in text.split(' ') {
            if !line.is_empty() && line.chars().count() + word.chars().count() > LETTERS {
                self.line("sub", 16.0, &line);
                line = "   ".to_owned();
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        self.line("sub", 16.0, &line);
    }

    fn cards(&mut self, cards: &[(String, String)]) {
        let width = (WIDTH + GAP / 2.0) / CARDS as f64;
        self.y += 14.0;
        for row in cards.chunks(CARDS) {
            for (at, (name, value)) in row.iter().enumerate() {
                let (x, y, inner) = (MARGIN + width * at as f64, self.y, width - GAP / 2.0);
                let _ = writeln!(
                    self.body,
                    r#"<rect class="card" x="{x}" y="{y}" width="{inner}" height="50" rx="6"/>"#
                );
                self.text("sub", (x + 12.0, y + 18.0), name);
                self.text("value", (x + 12.0, y + 39.0), value);
            }
            self.y += 60.0;
        }
    }

    /// The title of a panel and what its colours stand for.
    fn heading(&mut self, (x, y): (f64, f64), panel: &Panel<'_>) {
        self.text("heading", (x, y + 26.0), panel.title);
        let (mut x, y) = (x, y + 46.0);
        for Key { class, is_line, name } in &panel.keys {
            let (right, middle, top) = (x + 14.0, y - 4.0, y - 9.0);
            let _ = match is_line {
                true => writeln!(
                    self.body,
                    r#"<line class="{class}" x1="{x}" x2="{right}" y1="{middle}" y2="{middle}"/>"#
                ),
                false => writeln!(
                    self.body,
                    r#"<rect class="{class}" x="{x}" y="{top}" width="14" height="9"/>"#
                ),
            };
            self.text("sub", (x + 20.0, y), name);
            x += 36.0 + LETTER * name.chars().count() as f64;
        }
    }

    fn picture(&mut self, panel: &Panel<'_>) -> anyhow::Result<()> {
        self.heading((MARGIN, self.y), panel);
        self.y += panel.head();
        self.y += self.place((MARGIN, self.y), WIDTH, &panel.picture)?;
        Ok(())
    }

    /// Two pictures side by side, or one that is as small.
    fn pair(&mut self, pair: &[Panel<'_>]) -> anyhow::Result<()> {
        let width = (WIDTH - GAP) / 2.0;
        let head = pair.iter().map(Panel::head).fold(0.0, f64::max);
        let mut lowest = 0.0_f64;
        for (at, panel) in pair.iter().enumerate() {
            let x = MARGIN + (width + GAP) * at as f64;
            self.heading((x, self.y), panel);
            lowest = lowest.max(self.place((x, self.y + head), width, &panel.picture)?);
        }
        self.y += head + lowest;
        Ok(())
    }

    /// Puts a picture there, so wide; says how high it is.
    fn place(&mut self, (x, y): (f64, f64), width: f64, picture: &str) -> anyhow::Result<f64> {
        let rest = picture.strip_prefix("<svg ").context("a picture begins as one")?;
        let (_, shape) = rest.split_once("viewBox=\"0 0 ").context("a picture has a shape")?;
        let (shape, _) = shape.split_once('"').context("a shape ends")?;
        let (across, down) = shape.split_once(' ').context("a shape has two sides")?;
        let height = down.parse::<f64>()? * width / across.parse::<f64>()?;
        let _ =
            writeln!(self.body, r#"<svg x="{x}" y="{y}" width="{width}" height="{height}" {rest}"#);
        Ok(height)
    }

    fn draw(self) -> anyhow::Result<Vec<u8>> {
        let (width, height) = (WIDTH + 2.0 * MARGIN, self.y + MARGIN);
        let style = light(&format!(
            "{PICTURES} text {{ font-family: {FONT}; fill: var(--ink); font-size: 12px; }}
             .title {{ font-size: 22px; }} .heading {{ font-size: 15px; }}
             .value {{ font-size: 17px; }} .sub {{ fill: var(--soft); }}
             .card {{ fill: none; stroke: var(--rule); }} .sheet {{ fill: var(--bg); }}"
        ));
        let text = format!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}"><style>{style}</style><rect class="sheet" width="100%" height="100%"/>{}</svg>"#,
            self.body
        );
        let mut options = Options { font_family: FONT.to_owned(), ..Options::default() };
        options.fontdb_mut().load_font_data(epaint_default_fonts::UBUNTU_LIGHT.to_vec());
        let tree = Tree::from_str(&text, &options).context("drawing the report")?;
        let size = tree.size().to_int_size().scale_by(SCALE).context("a picture this large")?;
        let mut pixels =
            Pixmap::new(size.width(), size.height()).context("a picture this large")?;
        resvg::render(&tree, Transform::from_scale(SCALE, SCALE), &mut pixels.as_mut());
        pixels.encode_png().context("writing the picture")
    }
}

/// A style with the colours of the page by day in place of their names.
fn light(style: &str) -> String {
    let colours = STYLE.split_once('{').and_then(|(_, rest)| rest.split_once('}'));
    let colours = colours.map_or("", |(colours, _)| colours);
    let mut style = style.to_owned();
    for pair in colours.split(';') {
        if let Some((name, value)) = pair.split_once(':') {
            style = style.replace(&format!("var({})", name.trim()), value.trim());
        }
    }
    style
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_colour_has_a_value() {
        let style = light(PICTURES);
        assert!(!style.contains("var("), "{style}");
        assert!(style.contains("#1f6feb"), "{style}");
    }
}
