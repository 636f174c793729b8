//! Bars of parts that make a whole, row by row. The last part ends at the right edge of every bar, so that
//! rows in its order show one line.

use super::label::room;
use super::svg::{Anchor, Svg};
use crate::format::{Unit, per_cent, short};
use polyculture_core::Estimate;

const WIDTH: f64 = 400.0;
const LINE: f64 = 17.0;
const BAR: f64 = 11.0;
const MOST_LETTERS: usize = 24;

/// The plot.
pub(crate) struct Bars {
    pub(crate) title: String,
    /// What the parts are, with the class that gives each its colour.
    pub(crate) parts: [(String, &'static str); 4],
    pub(crate) rows: Vec<BarRow>,
}

/// A bar.
pub(crate) struct BarRow {
    pub(crate) name: String,
    pub(crate) shares: [Estimate; 4],
}

impl Bars {
    /// The plot as SVG.
    pub(crate) fn svg(&self, id: &str) -> String {
        let names = self.rows.iter().map(|row| room(&short(&row.name, MOST_LETTERS)));
        let left = 8.0 + names.fold(0.0, f64::max);
        let texts = self.rows.iter().map(|row| room(&last(row)));
        let right = WIDTH - 8.0 - texts.fold(0.0, f64::max);
        let bottom = self.rows.len() as f64 * LINE;
        let mut svg = Svg::new(WIDTH, bottom + 2.0);
        for (i, row) in self.rows.iter().enumerate() {
            let y = i as f64 * LINE + LINE / 2.0;
            svg.text("sub", (2.0, y + 4.0), Anchor::Start, &short(&row.name, MOST_LETTERS));
            self.draw(&mut svg, row, y, (left, right));
            svg.text("value", (WIDTH - 2.0, y + 4.0), Anchor::End, &last(row));
        }
        for place in [0.25, 0.5, 0.75] {
            let x = left + place * (right - left);
            svg.line("over", (x, 0.0), (x, bottom));
        }
        svg.finish(id, &self.title, &self.description())
    }

    fn draw(&self, svg: &mut Svg, row: &BarRow, y: f64, (left, right): (f64, f64)) {
        let parts = row.shares.map(|share| if share.value > 0.0 { share.value } else { 0.0 });
        let all: f64 = parts.iter().sum();
        let mut x = left;
        for ((_, class), part) in self.parts.iter().zip(parts) {
            let length = part / all * (right - left);
            svg.rect(&format!("part {class}"), x, y - BAR / 2.0, length, BAR);
            x += length;
        }
        let Estimate { low, high, .. } = row.shares[3];
        let at = |share: f64| right - share.clamp(0.0, 1.0) * (right - left);
        svg.line("whisker", (at(high), y), (at(low), y));
    }

    fn description(&self) -> String {
        let rows = self.rows.iter().map(|row| {
            let parts = self.parts.iter().zip(&row.shares);
            let parts = parts.map(|((name, _), share)| {
                format!("{name} {}", Unit::Share.write(share).with_interval())
            });
            format!("{}: {}", row.name, parts.collect::<Vec<_>>().join(", "))
        });
        format!("Stacked bars. {}.", rows.collect::<Vec<_>>().join("; "))
    }
}

/// The last part's share. Its interval is the line on the bar; in figures it would take half of the bar's room.
fn last(row: &BarRow) -> String {
    per_cent(row.shares[3].value, 0)
}
