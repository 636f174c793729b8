//! Dots with whiskers, row by row: figures with their intervals, to compare at a glance.

use super::label::room;
use super::scale::{Scale, domain};
use super::svg::{Anchor, Svg};
use crate::format::{Unit, short};
use polyculture_core::Estimate;

pub(crate) use super::svg::Shape;

const WIDTH: f64 = 400.0;
const HEAD: f64 = 17.0;
const LINE: f64 = 17.0;
const GAP: f64 = 9.0;
/// Of a line's name, the letters that are shown.
const MOST_LETTERS: usize = 24;

/// A plot of dots with whiskers.
pub(crate) struct Dots {
    pub(crate) title: String,
    pub(crate) unit: Unit,
    /// Figures that the scale always holds.
    pub(crate) always: (f64, f64),
    /// A figure to compare with: a dashed line.
    pub(crate) reference: Option<f64>,
    pub(crate) rows: Vec<DotRow>,
}

/// One or more lines under a name, or under none.
pub(crate) struct DotRow {
    pub(crate) name: String,
    pub(crate) lines: Vec<DotLine>,
}

/// A figure, or several unnamed small ones, on one line.
#[derive(Default)]
pub(crate) struct DotLine {
    /// What the figure is, where a row has several.
    pub(crate) name: Option<String>,
    pub(crate) shape: Shape,
    pub(crate) estimate: Option<Estimate>,
    /// Lesser figures on the same line, such as single models'.
    pub(crate) lesser: Vec<f64>,
}

impl DotLine {
    pub(crate) fn only(estimate: Estimate) -> Self {
        Self { estimate: Some(estimate), ..Self::default() }
    }

    pub(crate) fn named(name: &str, shape: Shape, estimate: Estimate) -> Self {
        Self { name: Some(name.to_owned()), shape, ..Self::only(estimate) }
    }

    fn ends(&self) -> impl Iterator<Item = f64> + '_ {
        let main = self.estimate.iter().flat_map(|e| [e.value, e.low, e.high]);
        main.chain(self.lesser.iter().copied())
    }
}

impl Dots {
    /// The plot as SVG.
    pub(crate) fn svg(&self, id: &str) -> String {
        let lines = || self.rows.iter().flat_map(|row| &row.lines);
        let scale = Scale::new(domain(lines().flat_map(DotLine::ends), self.always), self.track());
        let heads: f64 = self.rows.iter().map(head).sum();
        let bottom = heads + self.rows.len() as f64 * GAP + lines().count() as f64 * LINE;
        let mut svg = Svg::new(WIDTH, bottom + 20.0);

        for tick in scale.ticks_with_room(|tick| self.unit.tick(tick)) {
            let x = scale.at(tick);
            let class = if tick.abs() < 1e-9 { "zero" } else { "grid" };
            svg.line(class, (x, 0.0), (x, bottom));
            svg.text("tick", (x, bottom + 14.0), Anchor::Middle, &self.unit.tick(tick));
        }
        if let Some(reference) = self.reference {
            let x = scale.at(reference);
            svg.line("reference", (x, 0.0), (x, bottom));
        }
        let mut y = 0.0;
        for row in &self.rows {
            svg.text("name", (2.0, y + HEAD - 3.0), Anchor::Start, &short(&row.name, 40));
            y += head(row);
            for line in &row.lines {
                self.draw(&mut svg, line, &scale, y);
                y += LINE;
            }
            y += GAP;
        }
        svg.finish(id, &self.title, &self.description())
    }

    /// Where the scale lies: between names and figures where lines have names, else over all the width.
    fn track(&self) -> (f64, f64) {
        let lines = || self.rows.iter().flat_map(|row| &row.lines);
        let names = lines().filter_map(|line| line.name.as_ref());
        let Some(longest) = names.map(|name| room(&short(name, MOST_LETTERS))).reduce(f64::max)
        else {
            return (12.0, 384.0);
        };
        let texts = lines().filter_map(|line| line.estimate.as_ref());
        let texts = texts.map(|estimate| room(&self.unit.write(estimate).with_interval()));
        ((20.0 + longest).max(118.0), (WIDTH - 10.0 - texts.fold(0.0, f64::max)).min(274.0))
    }

    fn draw(&self, svg: &mut Svg, line: &DotLine, scale: &Scale, top: f64) {
        let y = top + LINE / 2.0;
        if let Some(name) = &line.name {
            svg.text("sub", (12.0, y + 4.0), Anchor::Start, &short(name, MOST_LETTERS));
        }
        for lesser in line.lesser.iter().filter(|x| x.is_finite()) {
            svg.circle("lesser", scale.at(*lesser), y, 3.2);
        }
        let Some(estimate) = &line.estimate else { return };
        if estimate.low.is_finite() && estimate.high.is_finite() {
            svg.line("whisker", (scale.at(estimate.low), y), (scale.at(estimate.high), y));
        }
        if estimate.value.is_finite() {
            let class = format!("dot {:?}", line.shape).to_lowercase();
            svg.mark(line.shape, &class, scale.at(estimate.value), y, 4.6);
        }
        let text = self.unit.write(estimate).with_interval();
        let text_y = if line.name.is_some() { y + 4.0 } else { top - 3.0 };
        svg.text("value", (WIDTH - 2.0, text_y), Anchor::End, &text);
    }

    fn description(&self) -> String {
        let mut parts = Vec::new();
        for row in &self.rows {
            for line in &row.lines {
                let Some(estimate) = &line.estimate else { continue };
                let name = line.name.as_ref().map(|name| format!(", {name}")).unwrap_or_default();
                let name = format!("{}{name}", row.name);
                let name = name.trim_start_matches(", ");
                parts.push(format!("{name}: {}", self.unit.write(estimate).with_interval()));
            }
        }
        format!(
            "Dots with interval whiskers. {}. The table below holds the same figures.",
            parts.join("; ")
        )
    }
}

fn head(row: &DotRow) -> f64 {
    if row.name.is_empty() { 0.0 } else { HEAD }
}
