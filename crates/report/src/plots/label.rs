//! Where names stand on a crowded plot: each next to its mark if there is room, else further away
//! with a line to it.

/// A box on the plot.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Area {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) width: f64,
    pub(super) height: f64,
}

/// Where a label went.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Placed {
    pub(super) area: Area,
    /// Where a line from the mark ends, if the label stands away from it.
    pub(super) leader: Option<(f64, f64)>,
}

/// How far from its mark a name may stand.
const RADII: [f64; 10] = [8.0, 16.0, 24.0, 34.0, 46.0, 60.0, 76.0, 94.0, 114.0, 136.0];

/// Directions from a mark, the level ones first: a name is read best beside its mark.
fn directions() -> impl Iterator<Item = (f64, f64)> {
    let tilts = (0..=6).map(|i| (f64::from(i) * 15.0).to_radians());
    tilts.flat_map(|tilt| {
        [(1.0, -1.0), (-1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)]
            .map(|(x, y)| (x * tilt.cos(), y * tilt.sin()))
    })
}

impl Area {
    pub(super) fn around((x, y): (f64, f64), radius: f64) -> Self {
        Self { x: x - radius, y: y - radius, width: 2.0 * radius, height: 2.0 * radius }
    }

    fn overlap(&self, other: &Area) -> f64 {
        let along = |a: f64, la: f64, b: f64, lb: f64| ((a + la).min(b + lb) - a.max(b)).max(0.0);
        along(self.x, self.width, other.x, other.width)
            * along(self.y, self.height, other.y, other.height)
    }

    fn holds(&self, inner: &Area) -> bool {
        self.overlap(inner) >= inner.width * inner.height - 1e-6
    }
}

/// The width of a text, about: 6.1 units a character at the plots' size of text.
pub(super) fn width(text: &str) -> f64 {
    text.chars().count() as f64 * 6.1 + 2.0
}

/// The room that a text takes, about, in the larger text of narrow screens.
pub(super) fn room(text: &str) -> f64 {
    width(text) * 1.09
}

/// A place in `bounds` for a text of this `width` and `height` at `mark`: the nearest that is free of `taken`, or
/// the one that covers least. It is taken from then on.
pub(super) fn place(
    mark: (f64, f64),
    (width, height): (f64, f64),
    bounds: &Area,
    taken: &mut Vec<Area>,
) -> Placed {
    let mut best: Option<(f64, Placed)> = None;
    'search: for radius in RADII {
        for (dx, dy) in directions() {
            let near = (mark.0 + dx * radius, mark.1 + dy * radius);
            let x = if dx > 0.1 {
                near.0
            } else if dx < -0.1 {
                near.0 - width
            } else {
                near.0 - width / 2.0
            };
            let area = Area { x, y: near.1 - height / 2.0, width, height };
            if !bounds.holds(&area) {
                continue;
            }
            let covered: f64 = taken.iter().map(|other| area.overlap(other)).sum();
            let leader = (radius > 10.0).then_some(near);
            if best.as_ref().is_none_or(|(least, _)| covered < *least) {
                best = Some((covered, Placed { area, leader }));
            }
            if covered == 0.0 {
                break 'search;
            }
        }
    }
    let placed = best.map_or_else(
        || {
            let x = mark.0.min(bounds.x + bounds.width - width).max(bounds.x);
            Placed { area: Area { x, y: mark.1 - 20.0, width, height }, leader: None }
        },
        |(_, placed)| placed,
    );
    taken.push(placed.area);
    placed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twenty_names_in_a_corner_do_not_cover_each_other() {
        let bounds = Area { x: 0.0, y: 0.0, width: 400.0, height: 400.0 };
        let marks: Vec<_> =
            (0..20).map(|i| (330.0 + f64::from(i % 5) * 12.0, 40.0 + f64::from(i) * 3.0)).collect();
        let mut taken: Vec<Area> = marks.iter().map(|mark| Area::around(*mark, 4.0)).collect();
        let placed: Vec<Area> =
            marks.iter().map(|mark| place(*mark, (80.0, 13.0), &bounds, &mut taken).area).collect();
        for (i, a) in placed.iter().enumerate() {
            assert!(bounds.holds(a), "{a:?}");
            assert!(placed[..i].iter().all(|b| a.overlap(b) == 0.0), "{i}: {a:?}");
        }
    }

    #[test]
    fn a_lone_name_stands_beside_its_mark() {
        let bounds = Area { x: 0.0, y: 0.0, width: 400.0, height: 400.0 };
        let placed = place((100.0, 100.0), (50.0, 13.0), &bounds, &mut Vec::new());
        assert_eq!(placed.area, Area { x: 108.0, y: 93.5, width: 50.0, height: 13.0 });
        assert_eq!(placed.leader, None);
    }
}
