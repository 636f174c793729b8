//! Steps that climb: what is reached with one, two, three … of something, beside what no choice could pass.

use super::label::room;
use super::scale::{Scale, domain};
use super::svg::{Anchor, Shape, Svg};
use crate::format::{Unit, per_cent, short};
use polyculture_core::Estimate;

const WIDTH: f64 = 400.0;
const LINE: f64 = 19.0;
const MOST_LETTERS: usize = 24;

/// The plot: steps from above to below, shares from left to right.
pub(crate) struct Steps {
    pub(crate) title: String,
    pub(crate) steps: Vec<Step>,
}

/// A step.
pub(crate) struct Step {
    pub(crate) name: String,
    pub(crate) share: Estimate,
    pub(crate) bound: f64,
}

impl Steps {
    /// The plot as SVG.
    pub(crate) fn svg(&self, id: &str) -> String {
        let names: Vec<String> = (self.steps.iter().enumerate())
            .map(|(i, step)| {
                format!("{}{}", if i == 0 { "" } else { "+ " }, short(&step.name, MOST_LETTERS))
            })
            .collect();
        let left = 10.0 + names.iter().map(|name| room(name)).fold(0.0, f64::max);
        let texts = self.steps.iter().map(|step| room(&text(step)));
        let right = WIDTH - 10.0 - texts.fold(0.0, f64::max);
        let ends = self.steps.iter().flat_map(|step| [step.share.high, step.bound]);
        let scale = Scale::new(domain(ends, (0.0, 0.0)), (left, right));
        let bottom = self.steps.len() as f64 * LINE;
        let mut svg = Svg::new(WIDTH, bottom + 20.0);
        for tick in scale.ticks_with_room(|tick| Unit::Share.tick(tick)) {
            let x = scale.at(tick);
            svg.line(if tick == 0.0 { "zero" } else { "grid" }, (x, 0.0), (x, bottom));
            svg.text("tick", (x, bottom + 14.0), Anchor::Middle, &Unit::Share.tick(tick));
        }
        stairs(&mut svg, "bound", &scale, self.steps.iter().map(|step| step.bound));
        stairs(&mut svg, "stair", &scale, self.steps.iter().map(|step| step.share.value));
        for (i, (step, name)) in self.steps.iter().zip(&names).enumerate() {
            let y = (i as f64 + 0.5) * LINE;
            svg.text("sub", (2.0, y + 4.0), Anchor::Start, name);
            svg.line("whisker", (scale.at(step.share.low), y), (scale.at(step.share.high), y));
            svg.mark(Shape::Circle, "dot", scale.at(step.share.value), y, 4.0);
            svg.text("value", (WIDTH - 2.0, y + 4.0), Anchor::End, &text(step));
        }
        svg.finish(id, &self.title, &self.description())
    }

    fn description(&self) -> String {
        let steps = self.steps.iter().enumerate().map(|(i, step)| {
            format!(
                "{}, with {}: {}, and {} at most",
                i + 1,
                step.name,
                text(step),
                per_cent(step.bound, 1)
            )
        });
        format!("Shares of people covered. {}.", steps.collect::<Vec<_>>().join("; "))
    }
}

/// From each step's middle height to the next, and over.
fn stairs(svg: &mut Svg, class: &str, scale: &Scale, shares: impl Iterator<Item = f64>) {
    let mut before = scale.at(0.0);
    for (i, share) in shares.enumerate() {
        let (y, x) = (i as f64 * LINE, scale.at(share));
        svg.line(class, (before, y), (x, y));
        svg.line(class, (x, y), (x, y + LINE));
        before = x;
    }
}

fn text(step: &Step) -> String {
    Unit::Share.write(&step.share).with_interval()
}
