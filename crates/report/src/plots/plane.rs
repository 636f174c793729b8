//! People and models on the same two axes.

use super::label::{Area, Placed, place, width};
use super::scale::Scale;
use super::svg::{Anchor, Shape, Svg};
use crate::format::short;
use crate::people::{Cells, Group};
use polyculture_core::{Axis, Estimate};

const MARGIN: f64 = 20.0;
/// Room for the names of the poles below the plane.
const FOOT: f64 = 22.0;

/// What stands on the plane. Places are `[x, y]`.
pub(crate) struct PlanePlot<'a> {
    pub(crate) title: String,
    pub(crate) description: String,
    pub(crate) size: Size,
    pub(crate) x: &'a Axis,
    pub(crate) y: &'a Axis,
    /// Where people stand.
    pub(crate) cells: Cells,
    /// Groups' means, with the positions of x and y among the frame's axes.
    pub(crate) groups: &'a [Group],
    pub(crate) axes: (usize, usize),
    /// What each model is called on the plot, and where it stands.
    pub(crate) models: Vec<(String, [Estimate; 2])>,
    /// What is written above the corner that the models span (reading O1), if anything.
    pub(crate) corner: Option<String>,
}

/// How large the plane is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Size {
    /// By itself.
    Whole,
    /// As one of several: the group has its name above, and models lose their intervals.
    Panel,
}

impl Size {
    fn width(self) -> f64 {
        match self {
            Size::Whole => 400.0,
            Size::Panel => 272.0,
        }
    }

    fn mark(self) -> f64 {
        match self {
            Size::Whole => 4.2,
            Size::Panel => 3.2,
        }
    }

    fn letters(self) -> usize {
        match self {
            Size::Whole => 26,
            Size::Panel => 18,
        }
    }
}

impl PlanePlot<'_> {
    /// The plot as SVG.
    pub(crate) fn svg(&self, id: &str) -> String {
        let side = self.size.width();
        let mut svg = Svg::new(side, side + FOOT);
        let x = Scale::new((0.0, 1.0), (MARGIN, side - MARGIN));
        let y = Scale::new((0.0, 1.0), (side - MARGIN, MARGIN));
        self.draw_frame(&mut svg, &x, &y);
        self.draw_corner(&mut svg, &x, &y);
        self.draw_people(&mut svg, &x, &y);

        let groups: Vec<(&str, [Estimate; 2])> = self
            .groups
            .iter()
            .filter_map(|g| {
                Some((g.name.as_str(), [*g.at.get(self.axes.0)?, *g.at.get(self.axes.1)?]))
            })
            .collect();
        let models: Vec<(&str, [Estimate; 2])> =
            self.models.iter().map(|(name, at)| (name.as_str(), *at)).collect();
        let layers: [Layer<'_>; 2] =
            [(Shape::Square, "group", groups), (Shape::Diamond, "model", models)];
        let names = self.place_names(&layers, &x, &y);
        // Crosses and leaders first: a mark is read by its middle, which another's cross would strike out.
        for (shape, class, points) in &layers {
            if self.size == Size::Whole || *shape == Shape::Square {
                points.iter().for_each(|(_, at)| draw_cross(&mut svg, class, at, &x, &y));
            }
        }
        for name in &names {
            if let Some(end) = name.placed.leader {
                svg.line("leader", name.mark, end);
            }
        }
        for (shape, class, points) in &layers {
            for (_, at) in points {
                let (cx, cy) = spot(at, &x, &y);
                svg.mark(*shape, &format!("point {class}"), cx, cy, self.size.mark());
            }
        }
        for Name { class, text, placed, .. } in &names {
            let at = (placed.area.x + 1.0, placed.area.y + placed.area.height - 3.0);
            svg.text(&format!("label {class}"), at, Anchor::Start, text);
        }
        svg.finish(id, &self.title, &self.description)
    }

    fn draw_frame(&self, svg: &mut Svg, x: &Scale, y: &Scale) {
        for place in [0.0, 0.5, 1.0] {
            svg.line("grid", (x.at(place), y.at(0.0)), (x.at(place), y.at(1.0)));
            svg.line("grid", (x.at(0.0), y.at(place)), (x.at(1.0), y.at(place)));
        }
        let name = |text: &str| short(text, self.size.letters());
        let (left, right, foot) = (x.at(0.0), x.at(1.0), y.at(0.0));
        let up = format!("↑ {}", name(&self.y.high.name));
        let down = format!("↓ {}", name(&self.y.low.name));
        svg.text("pole", (left, 13.0), Anchor::Start, &up);
        svg.text("pole", (left, foot + 15.0), Anchor::Start, &down);
        let low = format!("← {}", name(&self.x.low.name));
        let high = format!("{} →", name(&self.x.high.name));
        svg.text("pole", (left, foot + 33.0), Anchor::Start, &low);
        svg.text("pole", (right, foot + 33.0), Anchor::End, &high);
    }

    /// The corner of reading O1: as far as the lowest model on each axis, and beyond.
    fn draw_corner(&self, svg: &mut Svg, x: &Scale, y: &Scale) {
        let least = |axis: usize| {
            let places = self.models.iter().map(|(_, at)| at[axis].value).filter(|v| v.is_finite());
            places.reduce(f64::min)
        };
        let (Some(left), Some(bottom)) = (least(0), least(1)) else { return };
        let (left, bottom) = (x.at(left), y.at(bottom));
        let (right, top) = (x.at(1.0), y.at(1.0));
        svg.rect("corner", left, top, right - left, bottom - top);
        svg.line("corner-edge", (left, top), (left, bottom));
        svg.line("corner-edge", (left, bottom), (right, bottom));
        if let Some(text) = &self.corner {
            svg.text("corner-name", (right, 13.0), Anchor::End, text);
        }
    }

    /// Each cell's share of people as the area of a dot.
    fn draw_people(&self, svg: &mut Svg, x: &Scale, y: &Scale) {
        let most = self.cells.filled().map(|(_, _, share)| share).fold(0.0, f64::max);
        let cell = x.length() / self.cells.bins.saturating_sub(1).max(1) as f64;
        for (across, up, share) in self.cells.filled() {
            let radius = (share / most).sqrt() * cell * 0.5;
            svg.circle("people", x.at(across), y.at(up), radius.max(0.4));
        }
    }

    /// Where names go, the models' first: free of all marks and of each other if there is room.
    fn place_names(&self, layers: &[Layer<'_>], x: &Scale, y: &Scale) -> Vec<Name> {
        let side = self.size.width();
        let bounds = Area::around((side / 2.0, side / 2.0), side / 2.0 - MARGIN + 4.0);
        let spots = layers.iter().flat_map(|(_, _, points)| points).map(|(_, at)| spot(at, x, y));
        let around = self.size.mark() + 0.8;
        let mut taken: Vec<Area> = spots.map(|spot| Area::around(spot, around)).collect();
        let mut names = Vec::new();
        for (shape, class, points) in layers.iter().rev() {
            if self.size == Size::Panel && *shape == Shape::Square {
                continue;
            }
            for (name, at) in points {
                let mark = spot(at, x, y);
                if !(mark.0.is_finite() && mark.1.is_finite()) {
                    continue;
                }
                let text = short(name, self.size.letters());
                let small = self.size == Size::Panel && text.chars().all(|c| c.is_ascii_digit());
                let (class, room) = match small {
                    true => (format!("{class} small"), (width(&text) * 0.8, 10.5)),
                    false => ((*class).to_owned(), (width(&text), 13.0)),
                };
                let placed = place(mark, room, &bounds, &mut taken);
                names.push(Name { class, text, mark, placed });
            }
        }
        names
    }
}

/// Marks of one kind: their shape and class, and what each is called and where it stands.
type Layer<'a> = (Shape, &'static str, Vec<(&'a str, [Estimate; 2])>);

/// A name and where it went.
struct Name {
    class: String,
    text: String,
    mark: (f64, f64),
    placed: Placed,
}

fn spot(at: &[Estimate; 2], x: &Scale, y: &Scale) -> (f64, f64) {
    (x.at(at[0].value), y.at(at[1].value))
}

fn draw_cross(svg: &mut Svg, class: &str, at: &[Estimate; 2], x: &Scale, y: &Scale) {
    let (cx, cy) = spot(at, x, y);
    let cross = format!("cross {class}");
    svg.line(&cross, (x.at(at[0].low), cy), (x.at(at[0].high), cy));
    svg.line(&cross, (cx, y.at(at[1].low)), (cx, y.at(at[1].high)));
}
