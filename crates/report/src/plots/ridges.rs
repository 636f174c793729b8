//! Populations one above the other on one axis, with the same models marked on each.

use super::label::{Area, place, width};
use super::scale::Scale;
use super::svg::{Anchor, Shape, Svg};
use crate::format::{Unit, short};
use crate::people::middle;
use polyculture_core::{Axis, Estimate};

const WIDTH: f64 = 400.0;
const MARGIN: f64 = 16.0;
const HEAD: f64 = 20.0;
const BARS: f64 = 34.0;
const RUG: f64 = 18.0;
/// Room for the models below: names scattered, or on one line.
const FOOT: f64 = 84.0;
const LINE_FOOT: f64 = 42.0;

/// The plot.
pub(crate) struct Ridges<'a> {
    pub(crate) title: String,
    pub(crate) description: String,
    pub(crate) axis: &'a Axis,
    pub(crate) rows: Vec<Ridge>,
    /// What each model is called on the plot, and where it stands.
    pub(crate) models: Vec<(String, Estimate)>,
}

/// A population.
pub(crate) struct Ridge {
    pub(crate) name: String,
    /// Shares of people in bins, the first centred on 0 and the last on 1.
    pub(crate) bins: Vec<f64>,
    pub(crate) mean: Option<Estimate>,
}

impl Ridges<'_> {
    /// The plot as SVG.
    pub(crate) fn svg(&self, id: &str) -> String {
        let x = Scale::new((0.0, 1.0), (MARGIN, WIDTH - MARGIN));
        let bottom = self.rows.len() as f64 * (HEAD + BARS + RUG);
        let names = self.models.iter().map(|(name, _)| line_width(&short(name, 26)));
        let foot = match names.sum::<f64>() {
            0.0 => 0.0,
            all if all <= WIDTH - 4.0 => LINE_FOOT,
            _ => FOOT,
        };
        let mut svg = Svg::new(WIDTH, bottom + foot + 20.0);
        for place in [0.0, 0.5, 1.0] {
            svg.line("grid", (x.at(place), 4.0), (x.at(place), bottom + foot));
        }
        // A bin's height is its share of people times the number of bins: populations with other bins
        // stay comparable.
        let height = |row: &Ridge, share: f64| share * row.bins.len() as f64;
        let all = self.rows.iter().flat_map(|row| row.bins.iter().map(|share| height(row, *share)));
        let most = all.filter(|height| height.is_finite()).fold(0.0, f64::max);
        for (i, row) in self.rows.iter().enumerate() {
            let top = i as f64 * (HEAD + BARS + RUG);
            let base = top + HEAD + BARS;
            let bar = (x.at(1.0) - x.at(0.0)) / row.bins.len().saturating_sub(1).max(1) as f64;
            for (bin, share) in row.bins.iter().enumerate().filter(|(_, share)| **share > 0.0) {
                let tall = height(row, *share) / most * BARS;
                let left = x.at(middle(bin, row.bins.len())) - bar * 0.42;
                svg.rect("people", left, base - tall, bar * 0.84, tall);
            }
            svg.line("zero", (x.at(0.0), base), (x.at(1.0), base));
            for (_, at) in &self.models {
                svg.mark(Shape::Diamond, "rug", x.at(at.value), base + 6.0, 3.0);
            }
            svg.text("name", (2.0, top + 12.0), Anchor::Start, &short(&row.name, 32));
            if let Some(mean) = &row.mean {
                svg.line("cross group", (x.at(mean.low), base), (x.at(mean.high), base));
                svg.mark(Shape::Square, "point group", x.at(mean.value), base, 4.0);
                let text = Unit::Place.write(mean).with_interval();
                svg.text("value", (WIDTH - 2.0, top + 12.0), Anchor::End, &text);
            }
        }
        self.draw_models(&mut svg, &x, bottom);
        let low = format!("← {}", short(&self.axis.low.name, 26));
        let high = format!("{} →", short(&self.axis.high.name, 26));
        let y = bottom + foot + 14.0;
        svg.text("pole", (MARGIN - 8.0, y), Anchor::Start, &low);
        svg.text("pole", (WIDTH - MARGIN + 8.0, y), Anchor::End, &high);
        svg.finish(id, &self.title, &self.description)
    }

    /// The models once more below, with their intervals and what they are called.
    fn draw_models(&self, svg: &mut Svg, x: &Scale, top: f64) {
        let y = top + 8.0;
        for (_, at) in &self.models {
            svg.line("cross model", (x.at(at.low), y), (x.at(at.high), y));
        }
        let mut names: Vec<(f64, String)> = self
            .models
            .iter()
            .map(|(name, at)| (x.at(at.value), short(name, 26)))
            .filter(|(spot, _)| spot.is_finite())
            .collect();
        names.sort_by(|a, b| a.0.total_cmp(&b.0));
        let wanted: Vec<(f64, f64)> =
            names.iter().map(|(spot, name)| (*spot, line_width(name))).collect();
        match fan(&wanted, (2.0, WIDTH - 2.0)) {
            Some(middles) => {
                for ((spot, name), middle) in names.iter().zip(middles) {
                    svg.line("leader", (*spot, y), (middle, y + 17.0));
                    svg.text(class(name), (middle, y + 27.0), Anchor::Middle, name);
                }
            }
            None => draw_scattered(svg, &names, y),
        }
        for (spot, _) in &names {
            svg.mark(Shape::Diamond, "point model", *spot, y, 4.2);
        }
    }
}

fn is_number(name: &str) -> bool {
    name.chars().all(|c| c.is_ascii_digit())
}

/// Numbers are small: many of them stand close together.
fn class(name: &str) -> &'static str {
    if is_number(name) { "label model small" } else { "label model" }
}

/// What a name takes of a line, with the gap after it.
fn line_width(name: &str) -> f64 {
    width(name) * if is_number(name) { 0.8 } else { 1.0 } + 3.0
}

/// Names that are too long for one line, wherever there is room.
fn draw_scattered(svg: &mut Svg, names: &[(f64, String)], y: f64) {
    let mut taken: Vec<Area> =
        names.iter().map(|(spot, _)| Area::around((*spot, y), 5.0)).collect();
    let bounds = Area { x: 2.0, y: y + 5.0, width: WIDTH - 4.0, height: FOOT - 14.0 };
    for (spot, name) in names {
        let placed = place((*spot, y), (width(name), 12.0), &bounds, &mut taken);
        if let Some(end) = placed.leader {
            svg.line("leader", (*spot, y), end);
        }
        let at = (placed.area.x + 1.0, placed.area.y + placed.area.height - 2.5);
        svg.text(class(name), at, Anchor::Start, name);
    }
}

/// The middles of texts on one line, given where each is wanted, from left to right, and its width: in
/// order, free of each other and in bounds, if they fit.
///
/// Pushed only to the right, texts keep apart, and pushed only to the left they do: so they do halfway between.
fn fan(wanted: &[(f64, f64)], (left, right): (f64, f64)) -> Option<Vec<f64>> {
    let all: f64 = wanted.iter().map(|(_, width)| width).sum();
    if all > right - left {
        return None;
    }
    let apart = |i: usize| (wanted[i].1 + wanted[i + 1].1) / 2.0;
    let mut rightwards: Vec<f64> = wanted.iter().map(|(middle, _)| *middle).collect();
    let mut leftwards = rightwards.clone();
    for i in 1..wanted.len() {
        rightwards[i] = rightwards[i].max(rightwards[i - 1] + apart(i - 1));
    }
    for i in (0..wanted.len().saturating_sub(1)).rev() {
        leftwards[i] = leftwards[i].min(leftwards[i + 1] - apart(i));
    }
    let mut before = 0.0;
    let middles = rightwards.iter().zip(&leftwards).zip(wanted).map(|((a, b), (_, width))| {
        // The least and the most leave room for all texts before and after this one.
        let least = left + before + width / 2.0;
        let most = right - (all - before - width) - width / 2.0;
        before += width;
        ((a + b) / 2.0).clamp(least, most.max(least))
    });
    Some(middles.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_on_a_line_keep_apart() {
        let wanted: Vec<(f64, f64)> = (0..20).map(|i| (380.0 + f64::from(i), 14.0)).collect();
        let middles = fan(&wanted, (0.0, 400.0)).unwrap();
        assert!(middles.windows(2).all(|pair| pair[1] - pair[0] >= 14.0 - 1e-9), "{middles:?}");
        assert!(middles[0] >= 7.0 && middles[19] <= 393.0 + 1e-9, "{middles:?}");
        assert_eq!(fan(&[(50.0, 14.0), (90.0, 14.0)], (0.0, 100.0)).unwrap(), [50.0, 90.0]);
        assert_eq!(fan(&wanted, (0.0, 200.0)), None);
    }
}
