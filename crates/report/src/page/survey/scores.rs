//! Where people stand on each axis: countries and everyone, then groups.

use crate::format::{Unit, n_range};
use crate::names;
use crate::page::{Figure, distinct};
use crate::plots::dots::{DotLine, DotRow, Dots, Shape};
use crate::populations::{group, group_rows};
use crate::table::{Cell, Table};
use polyculture_core::results::{ScoreRow, SurveySummary};
use polyculture_core::{AxisId, Results};

/// A panel an axis for countries, then a panel an axis for groups.
pub(super) fn figures(results: &Results, survey: &SurveySummary) -> Vec<Figure> {
    let axes = distinct(survey.scores.iter().map(|row| &row.axis));
    let of = |axis: &AxisId, groups: bool| -> Vec<&ScoreRow> {
        let rows = survey.scores.iter().filter(|row| row.axis == *axis);
        rows.filter(|row| group(&row.population).is_some() == groups).collect()
    };
    let mut figures = Vec::new();
    for groups in [false, true] {
        for (i, axis) in axes.iter().enumerate() {
            let rows = of(axis, groups);
            if !rows.is_empty() {
                figures.push(figure(results, axis, &rows, groups, i));
            }
        }
    }
    figures
}

fn figure(results: &Results, axis: &AxisId, rows: &[&ScoreRow], groups: bool, i: usize) -> Figure {
    let name = names::axis(&results.frame, axis);
    let title = if groups { format!("{name}, by group") } else { name };
    let beside = rows.iter().any(|row| row.without_default.is_some());
    let plot = Dots {
        title: title.clone(),
        unit: Unit::Place,
        always: (0.5, 0.5),
        reference: Some(0.5),
        rows: if groups {
            group_rows(rows.iter().map(|row| {
                let without = row.without_default.map(|estimate| estimate.value);
                (row.population.as_str(), row.mean, without)
            }))
        } else {
            rows.iter().map(|row| country(row, beside)).collect()
        },
    };
    let poles = results.frame.axis(axis).map_or_else(String::new, |axis| {
        format!("0 is {}, 1 is {}. ", names::plain(&axis.low.name), names::plain(&axis.high.name))
    });
    let ring = if groups && beside { " Rings: without default choices." } else { "" };
    let n = n_range(rows.iter().map(|row| &row.mean));
    let note = format!("{poles}Dashed: balanced. {n} people.{ring}");
    let kind = if groups { "groups" } else { "countries" };
    let svg = plot.svg(&format!("score-{kind}-{i}"));
    Figure { svg, note, table: table(&title, rows), title }
}

fn country(row: &ScoreRow, beside: bool) -> DotRow {
    let lines = if beside {
        let all = DotLine::named("all choices", Shape::Circle, row.mean);
        let without = row.without_default;
        let without = without.map(|at| DotLine::named("no default ones", Shape::Square, at));
        std::iter::once(all).chain(without).collect()
    } else {
        vec![DotLine::only(row.mean)]
    };
    DotRow { name: row.population.clone(), lines }
}

fn table(title: &str, rows: &[&ScoreRow]) -> Table {
    let columns = [
        "People",
        "Mean score",
        "Without default choices",
        "Choices that were the default response",
        "People with such a choice",
    ];
    let mut table = Table::new(title, &columns);
    for row in rows {
        table.row(
            &[&row.population],
            vec![
                Cell::figure(&row.mean, Unit::Place),
                Cell::maybe(row.without_default.as_ref(), Unit::Place),
                Cell::maybe(row.default_share.as_ref(), Unit::Share),
                Cell::maybe(row.people_with_default.as_ref(), Unit::Share),
            ],
        );
    }
    table
}
