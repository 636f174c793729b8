//! What was chosen from each item.

use crate::format::{Unit, n_range};
use crate::names;
use crate::page::{Figure, distinct};
use crate::plots::bars::{BarRow, Bars};
use crate::populations::EVERYONE;
use crate::table::{Cell, Fold, Table};
use polyculture_core::results::{ItemRow, SurveySummary};
use polyculture_core::{AxisId, Results};

/// What everyone chose: a panel an axis, the items with the largest share of the high response first.
pub(super) fn figures(results: &Results, survey: &SurveySummary) -> Vec<Figure> {
    let rows = sorted(survey, whole(survey));
    let panels = axes(survey).into_iter().enumerate();
    panels
        .map(|(i, axis)| {
            let rows: Vec<&ItemRow> =
                rows.iter().copied().filter(|row| row.axis == *axis).collect();
            figure(results, axis, &rows, &format!("items-{i}"))
        })
        .collect()
}

/// The same of each country, as tables: a fold a country.
pub(super) fn by_country(results: &Results, survey: &SurveySummary) -> Vec<Fold> {
    let whole = whole(survey);
    let populations = distinct(survey.items.iter().map(|row| row.population.as_str()));
    let rest = populations.into_iter().filter(|population| Some(*population) != whole);
    rest.filter_map(|population| {
        let rows = sorted(survey, Some(population));
        let tables = axes(survey).into_iter().map(|axis| {
            let rows = rows.iter().copied().filter(|row| row.axis == *axis);
            let axis_name = names::axis(&results.frame, axis);
            table(results, axis, &format!("{population}: {axis_name}"), rows)
        });
        Fold::of(&format!("Choices by item: {population}"), tables.collect())
    })
    .collect()
}

/// The axes in the order in which their items were asked.
fn axes(survey: &SurveySummary) -> Vec<&AxisId> {
    distinct(survey.items.iter().map(|row| &row.axis))
}

/// The population that stands for all.
fn whole(survey: &SurveySummary) -> Option<&str> {
    let mut populations = survey.items.iter().map(|row| row.population.as_str());
    let first = populations.clone().next();
    populations.find(|population| *population == EVERYONE).or(first)
}

/// A population's items, axis by axis, the largest share of the high response first.
fn sorted<'a>(survey: &'a SurveySummary, population: Option<&str>) -> Vec<&'a ItemRow> {
    let of = survey.items.iter().filter(|row| Some(row.population.as_str()) == population);
    let mut rows: Vec<&ItemRow> = of.collect();
    rows.sort_by(|a, b| b.shares[2].value.total_cmp(&a.shares[2].value));
    rows
}

fn figure(results: &Results, axis: &AxisId, rows: &[&ItemRow], id: &str) -> Figure {
    let title = names::axis(&results.frame, axis);
    let [low, balanced, high, default] = options(results, axis);
    let plot = Bars {
        title: format!("Choices by item. {title}"),
        parts: [
            (default, "default"),
            (low.clone(), "low"),
            (balanced, "balanced"),
            (high.clone(), "high"),
        ],
        rows: rows.iter().map(|row| bar(row, rows)).collect(),
    };
    let n = n_range(rows.iter().map(|row| &row.shares[2]));
    let note = format!(
        "{n} choices an item. From left to right: the default response, {low}, balanced, {high}; the \
         figure is the share of {high}."
    );
    let table = table(results, axis, &format!("Choices by item: {title}"), rows.iter().copied());
    Figure { svg: plot.svg(id), title, note, table }
}

/// The default response first: so the high one ends every bar at the same edge.
fn bar(row: &ItemRow, all: &[&ItemRow]) -> BarRow {
    let [low, balanced, high, default] = row.shares;
    let topics = all.iter().filter(|other| other.topic == row.topic).count();
    let name = match (row.topic.trim(), topics) {
        ("", _) => row.item.to_string(),
        (topic, 1) => topic.to_owned(),
        (topic, _) => format!("{topic} ({})", row.item),
    };
    BarRow { name, shares: [default, low, balanced, high] }
}

/// What the four options are called.
fn options(results: &Results, axis: &AxisId) -> [String; 4] {
    let axis = results.frame.axis(axis);
    let pole = |name: Option<&String>, else_: &str| {
        name.map_or_else(|| else_.to_owned(), |name| names::plain(name))
    };
    [
        pole(axis.map(|axis| &axis.low.name), "low"),
        "balanced".into(),
        pole(axis.map(|axis| &axis.high.name), "high"),
        "default".into(),
    ]
}

fn table<'a>(
    results: &Results,
    axis: &AxisId,
    caption: &str,
    rows: impl Iterator<Item = &'a ItemRow>,
) -> Table {
    let [low, balanced, high, default] = options(results, axis);
    let columns = ["Topic", "Item", &low, &balanced, &high, &default];
    let mut table = Table::new(caption, &columns);
    for row in rows {
        let cells = row.shares.iter().map(|share| Cell::figure(share, Unit::Share)).collect();
        table.row(&[&row.topic, row.item.as_str()], cells);
    }
    table
}
