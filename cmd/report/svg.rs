//! Pictures as SVG text: axes, lines, bands, bars, dots, heatmaps.
//!
//! Colours are classes, which the page's style sheet fills in for light, dark and paper.

use std::fmt::Write as _;

use qt_model::time::{DAY_NANOS, Ts};

use super::format::{Steps, escape, short, tick};

pub(super) const WIDTH: f64 = 860.0;

/// A plot area with linear axes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    width: f64,
    height: f64,
    x: (f64, f64),
    y: (f64, f64),
}

const LEFT: f64 = 64.0;
const RIGHT: f64 = 10.0;
const TOP: f64 = 8.0;
const BOTTOM: f64 = 24.0;

/// A picture in the making.
#[derive(Debug)]
pub(super) struct Picture {
    pub(super) frame: Frame,
    body: String,
    title: String,
}

fn widened((low, high): (f64, f64)) -> (f64, f64) {
    if !(low.is_finite() && high.is_finite()) {
        return (0.0, 1.0);
    }
    let room = (high - low) * 0.04;
    if high > low { (low - room, high + room) } else { (low - 1.0, high + 1.0) }
}

/// The least and the largest.
pub(super) fn range(values: impl IntoIterator<Item = f64>) -> (f64, f64) {
    values.into_iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
        (low.min(value), high.max(value))
    })
}

impl Picture {
    pub(super) fn new(
        title: &str,
        (width, height): (f64, f64),
        x: (f64, f64),
        y: (f64, f64),
    ) -> Self {
        let x = if x.1 > x.0 { x } else { widened(x) };
        let frame = Frame { width, height, x, y: widened(y) };
        Self { frame, body: String::new(), title: title.to_owned() }
    }

    pub(super) fn x(&self, value: f64) -> f64 {
        let Frame { width, x, .. } = self.frame;
        LEFT + (value - x.0) / (x.1 - x.0) * (width - LEFT - RIGHT)
    }

    pub(super) fn y(&self, value: f64) -> f64 {
        let Frame { height, y, .. } = self.frame;
        height - BOTTOM - (value - y.0) / (y.1 - y.0) * (height - TOP - BOTTOM)
    }

    pub(super) fn add(&mut self, text: std::fmt::Arguments<'_>) {
        let _ = self.body.write_fmt(text);
        self.body.push('\n');
    }

    /// Lines across with their values beside them.
    pub(super) fn y_axis(&mut self, label: impl Fn(f64, Steps) -> String) {
        let (right, left) = (self.frame.width - RIGHT, LEFT);
        let (ticks, steps) = ticks(self.frame.y, 5);
        for tick in ticks {
            let y = self.y(tick);
            let class = if tick == 0.0 { "zero" } else { "grid" };
            self.add(format_args!(
                r#"<line class="{class}" x1="{left}" x2="{right:.1}" y1="{y:.1}" y2="{y:.1}"/>"#
            ));
            let text = escape(&label(tick, steps));
            let (x, y) = (LEFT - 6.0, y + 3.5);
            self.add(format_args!(
                r#"<text class="tick" x="{x:.1}" y="{y:.1}" text-anchor="end">{text}</text>"#
            ));
        }
    }

    fn x_label(&mut self, x: f64, text: &str) {
        let y = self.frame.height - 7.0;
        // The outermost labels stay inside the picture.
        let x = x.clamp(LEFT + 14.0, self.frame.width - 26.0);
        let text = escape(text);
        self.add(format_args!(
            r#"<text class="tick" x="{x:.1}" y="{y:.1}" text-anchor="middle">{text}</text>"#
        ));
    }

    pub(super) fn x_axis(&mut self, label: impl Fn(f64, Steps) -> String) {
        let (ticks, steps) = ticks(self.frame.x, 6);
        for tick in ticks {
            let x = self.x(tick);
            self.x_label(x, &label(tick, steps));
        }
    }

    /// One label under a place of the axis.
    pub(super) fn x_tick(&mut self, value: f64, text: &str) {
        let x = self.x(value);
        self.x_label(x, text);
    }

    /// An axis of nanoseconds.
    pub(super) fn time_axis(&mut self) {
        // Seconds: from one to four weeks.
        const STEPS: [i64; 19] = [
            1, 5, 10, 30, 60, 120, 300, 600, 900, 1800, 3600, 10_800, 21_600, 43_200, 86_400,
            172_800, 604_800, 1_209_600, 2_419_200,
        ];
        let (from, to) = (self.frame.x.0 as i64, self.frame.x.1 as i64);
        let wanted = (to - from) / if self.frame.width > 500.0 { 6 } else { 3 };
        let step = STEPS.iter().map(|seconds| seconds * 1_000_000_000).find(|step| *step >= wanted);
        let step = step.unwrap_or_else(|| (wanted / (28 * DAY_NANOS) + 1) * 28 * DAY_NANOS);
        let mut at = (from.div_euclid(step) + 1) * step;
        while at <= to {
            let text = Ts::from_nanos(at).to_string();
            let label = match step {
                step if step >= DAY_NANOS => text[..10].to_owned(),
                step if step >= 60_000_000_000 => format!("{} {}", &text[5..10], &text[11..16]),
                _ => text[11..19].to_owned(),
            };
            let x = self.x(at as f64);
            self.x_label(x, &label);
            at += step;
        }
    }

    pub(super) fn line(&mut self, class: &str, points: impl IntoIterator<Item = (f64, f64)>) {
        let path = self.path(points);
        self.add(format_args!(r#"<path class="{class}" d="{path}"/>"#));
    }

    fn path(&self, points: impl IntoIterator<Item = (f64, f64)>) -> String {
        let mut path = String::new();
        for (at, (x, y)) in points.into_iter().enumerate() {
            let pen = if at == 0 { 'M' } else { 'L' };
            let _ = write!(path, "{pen}{:.1} {:.1}", self.x(x), self.y(y));
        }
        path
    }

    /// The area between a line and a level.
    pub(super) fn area(&mut self, class: &str, points: &[(f64, f64)], level: f64) {
        if let (Some(first), Some(last)) = (points.first(), points.last()) {
            let path = self.path(points.iter().copied());
            let (base, from, to) = (self.y(level), self.x(first.0), self.x(last.0));
            self.add(format_args!(
                r#"<path class="{class}" d="{path}L{to:.1} {base:.1}L{from:.1} {base:.1}Z"/>"#
            ));
        }
    }

    /// The area between two lines.
    pub(super) fn between(&mut self, class: &str, low: &[(f64, f64)], high: &[(f64, f64)]) {
        let there = self.path(high.iter().copied());
        let back = self.path(low.iter().rev().copied()).replace('M', "L");
        self.add(format_args!(r#"<path class="{class}" d="{there}{back}Z"/>"#));
    }

    pub(super) fn bar(
        &mut self,
        class: &str,
        (x0, x1): (f64, f64),
        (y0, y1): (f64, f64),
        hint: &str,
    ) {
        let (left, right) = (self.x(x0) + 0.5, self.x(x1) - 0.5);
        let (a, b) = (self.y(y0), self.y(y1));
        let (top, height, width) = (a.min(b), (a - b).abs(), (right - left).max(0.5));
        let hint = escape(hint);
        self.add(format_args!(
            r#"<rect class="{class}" x="{left:.1}" y="{top:.1}" width="{width:.1}" height="{height:.1}"><title>{hint}</title></rect>"#
        ));
    }

    pub(super) fn dot(&mut self, class: &str, x: f64, y: f64) {
        let (x, y) = (self.x(x), self.y(y));
        self.add(format_args!(r#"<circle class="{class}" cx="{x:.1}" cy="{y:.1}" r="2"/>"#));
    }

    /// A triangle that points up or down.
    pub(super) fn arrow(&mut self, class: &str, x: f64, y: f64, is_up: bool) {
        let (x, y) = (self.x(x), self.y(y));
        let h = if is_up { 5.0 } else { -5.0 };
        self.add(format_args!(r#"<path class="{class}" d="M{x:.1} {y:.1}l-3 {h}l6 0Z"/>"#));
    }

    pub(super) fn finish(self) -> String {
        let Frame { width, height, .. } = self.frame;
        let title = escape(&self.title);
        format!(
            "<svg viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"{title}\">\n{}</svg>\n",
            self.body
        )
    }
}

/// About so many round values inside a range, and how far apart they are.
fn ticks((low, high): (f64, f64), count: u32) -> (Vec<f64>, Steps) {
    let raw = (high - low) / f64::from(count);
    let magnitude = 10_f64.powf(raw.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].iter().map(|it| it * magnitude).find(|step| *step >= raw);
    let step = step.unwrap_or(raw);
    let first = (low / step).ceil() as i64;
    let last = (high / step).floor() as i64;
    let ticks = (first..=last).map(|at| if at == 0 { 0.0 } else { at as f64 * step });
    let ticks: Vec<f64> = ticks.collect();
    let most = ticks.iter().fold(0.0_f64, |most, tick| most.max(tick.abs()));
    (ticks, Steps { step, most })
}

/// Cells coloured by value: rows and columns with names, absent ones left empty.
pub(super) fn heatmap(
    title: &str,
    columns: &[String],
    rows: &[(String, Vec<Option<f64>>)],
    label: impl Fn(f64) -> String,
) -> String {
    let cell = (WIDTH - LEFT - RIGHT) / columns.len().max(1) as f64;
    let high = 22.0;
    let height = TOP + high * rows.len() as f64 + BOTTOM;
    let most =
        rows.iter().flat_map(|(_, cells)| cells).flatten().fold(0.0_f64, |m, v| m.max(v.abs()));
    let mut body = String::new();
    for (at, (name, cells)) in rows.iter().enumerate() {
        let y = TOP + high * at as f64;
        let _ = writeln!(
            body,
            r#"<text class="tick" x="{:.1}" y="{:.1}" text-anchor="end">{}</text>"#,
            LEFT - 6.0,
            y + 15.0,
            escape(name)
        );
        for (column, value) in cells.iter().enumerate() {
            let Some(value) = value else { continue };
            let class = if *value >= 0.0 { "gain" } else { "loss" };
            let strength = if most > 0.0 { 0.08 + 0.84 * value.abs() / most } else { 0.08 };
            let (x, hint) = (LEFT + cell * column as f64, escape(&label(*value)));
            let (inner, tall) = (cell - 2.0, high - 2.0);
            let _ = writeln!(
                body,
                r#"<rect class="{class}" x="{x:.1}" y="{y:.1}" width="{inner:.1}" height="{tall}" rx="2" fill-opacity="{strength:.2}"><title>{hint}</title></rect>"#
            );
            if cell > 44.0 {
                let _ = writeln!(
                    body,
                    r#"<text class="cell" x="{:.1}" y="{:.1}" text-anchor="middle">{hint}</text>"#,
                    x + inner / 2.0,
                    y + 14.5
                );
            }
        }
    }
    for (column, name) in columns.iter().enumerate() {
        let x = LEFT + cell * (column as f64 + 0.5) - 1.0;
        let _ = writeln!(
            body,
            r#"<text class="tick" x="{x:.1}" y="{:.1}" text-anchor="middle">{}</text>"#,
            height - 8.0,
            escape(name)
        );
    }
    let title = escape(title);
    format!(
        "<svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"{title}\">\n{body}</svg>\n"
    )
}

/// Amounts side by side, each beginning where the one before ends; the last stands on zero.
pub(super) fn waterfall(title: &str, parts: &[(&str, f64)]) -> String {
    let mut level = 0.0;
    let mut bars = Vec::new();
    for (at, (name, amount)) in parts.iter().enumerate() {
        let is_total = at + 1 == parts.len();
        let from = if is_total { 0.0 } else { level };
        bars.push((*name, from, from + amount));
        level = from + amount;
    }
    let edges = bars.iter().flat_map(|(_, from, to)| [*from, *to]).chain([0.0]);
    let mut picture = Picture::new(title, (WIDTH, 220.0), (0.0, parts.len() as f64), range(edges));
    picture.y_axis(tick);
    for (at, (name, from, to)) in bars.iter().enumerate() {
        let class = if to >= from { "gain" } else { "loss" };
        let hint = format!("{name}: {}", short(to - from));
        let at = at as f64;
        picture.bar(class, (at + 0.15, at + 0.85), (*from, *to), &hint);
        let x = picture.x(at + 0.5);
        picture.x_label(x, &hint);
    }
    picture.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_inside() {
        for (low, high) in [(0.0, 1.0), (-3.2, 7.9), (1e9, 1e9 + 3.0), (-1e-6, 2e-6)] {
            let (found, _) = ticks((low, high), 5);
            assert!((2..=8).contains(&found.len()), "{low} {high}: {found:?}");
            assert!(found.iter().all(|tick| (low..=high).contains(tick)), "{found:?}");
        }
    }

    #[test]
    fn a_picture_without_values_is_still_one() {
        let mut picture = Picture::new("a<b", (100.0, 50.0), range([]), range([]));
        picture.y_axis(tick);
        picture.time_axis();
        let text = picture.finish();
        assert!(
            text.contains("a&lt;b") && !text.contains("NaN") && !text.contains("inf"),
            "{text}"
        );
    }
}
