//! A love plot: how far the respondents were from the population before weighting, and are after it.

use super::label::room;
use super::scale::{Scale, domain};
use super::svg::{Anchor, Shape, Svg};
use crate::format::{Unit, short, signed};

const WIDTH: f64 = 400.0;
const HEAD: f64 = 19.0;
const LINE: f64 = 17.0;
const GAP: f64 = 6.0;
/// Up to here a difference counts as small, by a common rule of thumb.
pub(crate) const BAND: f64 = 0.1;
const MOST_LETTERS: usize = 24;

/// The plot.
pub(crate) struct Love {
    pub(crate) title: String,
    pub(crate) variables: Vec<Variable>,
    /// What the scale holds beside the plot's own differences: other plots', so that all can be compared.
    pub(crate) others: (f64, f64),
}

/// A variable and its categories.
pub(crate) struct Variable {
    pub(crate) name: String,
    pub(crate) categories: Vec<Category>,
}

/// A category's standardised differences.
pub(crate) struct Category {
    pub(crate) name: String,
    pub(crate) before: f64,
    pub(crate) after: f64,
}

impl Love {
    /// The plot as SVG.
    pub(crate) fn svg(&self, id: &str) -> String {
        let categories = || self.variables.iter().flat_map(|variable| &variable.categories);
        let names = categories().map(|category| room(&short(&category.name, MOST_LETTERS)));
        let left = 24.0 + names.fold(0.0, f64::max);
        let ends = categories().flat_map(|category| [category.before, category.after]);
        let scale = Scale::new(domain(ends, self.others), (left, 290.0));
        let bottom =
            self.variables.len() as f64 * (HEAD + GAP) + categories().count() as f64 * LINE;
        let mut svg = Svg::new(WIDTH, bottom + 20.0);

        svg.rect("band", scale.at(-BAND), 0.0, scale.at(BAND) - scale.at(-BAND), bottom);
        for tick in scale.ticks_with_room(sign) {
            let x = scale.at(tick);
            let class = if tick.abs() < 1e-9 { "zero" } else { "grid" };
            svg.line(class, (x, 0.0), (x, bottom));
            svg.text("tick", (x, bottom + 14.0), Anchor::Middle, &sign(tick));
        }
        let mut y = 0.0;
        for variable in &self.variables {
            svg.text("name", (2.0, y + HEAD - 5.0), Anchor::Start, &short(&variable.name, 40));
            y += HEAD;
            for category in &variable.categories {
                draw(&mut svg, category, &scale, y + LINE / 2.0);
                y += LINE;
            }
            y += GAP;
        }
        svg.finish(id, &self.title, &self.description())
    }

    fn description(&self) -> String {
        let mut parts = Vec::new();
        for variable in &self.variables {
            for category in &variable.categories {
                parts.push(format!(
                    "{}, {}: {} before and {} after",
                    variable.name,
                    category.name,
                    signed(category.before, 2),
                    signed(category.after, 2)
                ));
            }
        }
        format!("Standardised differences from the population. {}.", parts.join("; "))
    }
}

fn sign(tick: f64) -> String {
    let plus = if tick > 1e-9 { "+" } else { "" };
    format!("{plus}{}", Unit::Place.tick(tick))
}

fn draw(svg: &mut Svg, category: &Category, scale: &Scale, y: f64) {
    // The scale would put what is infinite on its edge.
    let at = |x: f64| if x.is_finite() { scale.at(x) } else { f64::NAN };
    let (before, after) = (at(category.before), at(category.after));
    svg.text("sub", (12.0, y + 4.0), Anchor::Start, &short(&category.name, MOST_LETTERS));
    svg.line("shift", (before, y), (after, y));
    svg.circle("before", before, y, 3.8);
    svg.mark(Shape::Circle, "after", after, y, 3.8);
    let text = format!("{} → {}", signed(category.before, 2), signed(category.after, 2));
    svg.text("value", (WIDTH - 2.0, y + 4.0), Anchor::End, &text);
}
