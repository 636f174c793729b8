//! People and models on one axis: a histogram, and the models below it.

use super::label::width;
use super::scale::Scale;
use super::svg::{Anchor, Shape, Svg};
use crate::format::short;
use crate::people::middle;
use polyculture_core::{Axis, Estimate};

const WIDTH: f64 = 400.0;
const MARGIN: f64 = 16.0;
const BARS: f64 = 84.0;
const LINE: f64 = 17.0;

/// What stands on the strip.
pub(crate) struct Strip<'a> {
    pub(crate) title: String,
    pub(crate) description: String,
    pub(crate) axis: &'a Axis,
    /// Shares of people in bins, the first centred on 0 and the last on 1.
    pub(crate) histogram: Vec<f64>,
    pub(crate) models: Vec<(String, Estimate)>,
}

impl Strip<'_> {
    /// The plot as SVG.
    pub(crate) fn svg(&self, id: &str) -> String {
        let bottom = BARS + 8.0 + self.models.len() as f64 * LINE;
        let mut svg = Svg::new(WIDTH, bottom + 22.0);
        let x = Scale::new((0.0, 1.0), (MARGIN, WIDTH - MARGIN));
        for place in [0.0, 0.5, 1.0] {
            svg.line("grid", (x.at(place), 4.0), (x.at(place), bottom));
        }
        let values = self.models.iter().map(|(_, at)| at.value).filter(|v| v.is_finite());
        if let Some(least) = values.reduce(f64::min) {
            svg.rect("corner", x.at(least), 4.0, x.at(1.0) - x.at(least), bottom - 4.0);
            svg.line("corner-edge", (x.at(least), 4.0), (x.at(least), bottom));
        }
        let most = self.histogram.iter().copied().fold(0.0, f64::max);
        let bins = self.histogram.len();
        let bar = (x.at(1.0) - x.at(0.0)) / bins.saturating_sub(1).max(1) as f64;
        for (i, share) in self.histogram.iter().enumerate().filter(|(_, share)| **share > 0.0) {
            let middle = x.at(middle(i, bins));
            let height = share / most * (BARS - 10.0);
            svg.rect("people", middle - bar * 0.42, BARS - height, bar * 0.84, height);
        }
        svg.line("zero", (x.at(0.0), BARS), (x.at(1.0), BARS));
        for (i, (name, at)) in self.models.iter().enumerate() {
            draw_model(&mut svg, &x, BARS + 8.0 + (i as f64 + 0.5) * LINE, name, at);
        }
        let low = format!("← {}", short(&self.axis.low.name, 26));
        let high = format!("{} →", short(&self.axis.high.name, 26));
        svg.text("pole", (MARGIN - 8.0, bottom + 16.0), Anchor::Start, &low);
        svg.text("pole", (WIDTH - MARGIN + 8.0, bottom + 16.0), Anchor::End, &high);
        svg.finish(id, &self.title, &self.description)
    }
}

fn draw_model(svg: &mut Svg, x: &Scale, y: f64, name: &str, at: &Estimate) {
    let (low, high) = (x.at(at.low), x.at(at.high));
    svg.line("cross model", (low, y), (high, y));
    svg.mark(Shape::Diamond, "point model", x.at(at.value), y, 4.2);
    let name = short(name, 26);
    let right = high.max(x.at(at.value)) + 8.0;
    if right + width(&name) < WIDTH {
        svg.text("label model", (right, y + 4.0), Anchor::Start, &name);
    } else {
        svg.text("label model", (low.min(x.at(at.value)) - 8.0, y + 4.0), Anchor::End, &name);
    }
}
