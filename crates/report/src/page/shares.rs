//! Chapter: how much of the population the models' answers speak for.

use super::{Figure, distinct};
use crate::format::{Unit, n_range};
use crate::names;
use crate::plots::dots::{DotLine, DotRow, Dots, Shape};
use crate::populations::{EVERYONE, group, group_rows};
use crate::table::{Cell, Table};
use polyculture_core::Results;
use polyculture_core::results::ShareRow;

pub(super) const HEADLINE: &str = "O1";
const MODELS: &str = "models";

/// The chapter.
pub(crate) struct ShareChapter {
    pub(crate) figures: Vec<Figure>,
    /// Each reading and what it counts.
    pub(crate) definitions: Vec<(String, String)>,
}

pub(super) fn chapter(results: &Results) -> ShareChapter {
    let rows = &results.shares;
    let of = |wanted: fn(&ShareRow) -> bool| -> Vec<&ShareRow> {
        rows.iter().filter(|row| wanted(row)).collect()
    };
    let by_reading = of(|row| row.population == EVERYONE);
    let by_country = of(|row| row.population != EVERYONE && group(&row.population).is_none());
    let by_group = of(|row| group(&row.population).is_some());
    let figures = [
        by_readings(results, &by_reading),
        by_populations(results, &by_country),
        by_groups(results, &by_group),
    ];
    let figures = figures.into_iter().flatten().collect();
    let definitions =
        distinct(rows.iter().map(|row| (row.reading.clone(), row.definition.clone())));
    ShareChapter { figures, definitions }
}

/// The share that the page's first lines name: the models', of everyone, in the first reading.
pub(super) fn headline_share(results: &Results) -> Option<&ShareRow> {
    headline_shares(results).find(|row| row.source == MODELS)
}

/// What stands beside it: the same share for sources that are no models.
pub(super) fn headline_baselines(results: &Results) -> impl Iterator<Item = &ShareRow> {
    headline_shares(results).filter(|row| row.source != MODELS)
}

fn headline_shares(results: &Results) -> impl Iterator<Item = &ShareRow> {
    results.shares.iter().filter(|row| row.reading == HEADLINE && row.population == EVERYONE)
}

/// The models' share of one population, in the first reading.
pub(super) fn share_of<'a>(results: &'a Results, population: &str) -> Option<&'a ShareRow> {
    let mut of = results.shares.iter().filter(|row| row.population == population);
    of.find(|row| row.reading == HEADLINE && row.source == MODELS)
}

fn by_readings(results: &Results, rows: &[&ShareRow]) -> Option<Figure> {
    let title = "Share of everyone, in five readings";
    let note = format!("{} people.", n_range(rows.iter().map(|row| &row.share)));
    let plot = Dots { always: (0.0, 1.0), ..plot(results, title, rows, |row| &row.reading) };
    figure(title, note, plot, "share-reading", rows)
}

/// Country by country in the first reading; the table holds all readings.
fn by_populations(results: &Results, rows: &[&ShareRow]) -> Option<Figure> {
    let title = "Share by country, reading O1";
    let shown: Vec<&ShareRow> = first_reading(rows).collect();
    let mut plot = plot(results, title, &shown, |row| &row.population);
    plot.reference = headline_share(results).map(|row| row.share.value);
    figure(title, note(&plot, &shown), plot, "share-country", rows)
}

/// The models' share of each group in the first reading; the table holds all readings and sources.
fn by_groups(results: &Results, rows: &[&ShareRow]) -> Option<Figure> {
    let title = "Share by group of people, reading O1";
    let shown: Vec<&ShareRow> = first_reading(rows).filter(|row| row.source == MODELS).collect();
    let found = shown.iter().map(|row| (row.population.as_str(), row.share, None));
    let reference = headline_share(results).map(|row| row.share.value);
    let plot = Dots {
        reference,
        rows: group_rows(found),
        ..plot(results, title, &[], |row| &row.reading)
    };
    figure(title, note(&plot, &shown), plot, "share-group", rows)
}

fn first_reading<'a>(rows: &[&'a ShareRow]) -> impl Iterator<Item = &'a ShareRow> {
    rows.iter().copied().filter(|row| row.reading == HEADLINE)
}

fn note(plot: &Dots, shown: &[&ShareRow]) -> String {
    let dashed =
        if plot.reference.is_some() { " Dashed: the models’ share of everyone." } else { "" };
    format!("{} people.{dashed}", n_range(shown.iter().map(|row| &row.share)))
}

/// A row a reading or population, and in it a line a source.
fn plot(results: &Results, title: &str, rows: &[&ShareRow], key: fn(&ShareRow) -> &String) -> Dots {
    let sources = sources(results);
    let mut plot = Dots {
        title: title.to_owned(),
        unit: Unit::Share,
        always: (0.0, 0.0),
        reference: None,
        rows: Vec::new(),
    };
    for name in distinct(rows.iter().map(|row| key(row))) {
        let mut of: Vec<(usize, &&ShareRow)> = rows
            .iter()
            .filter(|row| key(row) == name)
            .map(|row| (sources.iter().position(|source| *source == row.source).unwrap_or(0), row))
            .collect();
        of.sort_by_key(|(source, _)| *source);
        let lines = of.into_iter().map(|(source, row)| {
            DotLine::named(&names::source(&row.source), shape(source), row.share)
        });
        plot.rows.push(DotRow { name: name.clone(), lines: lines.collect() });
    }
    plot
}

/// The plot with all of `rows` as its table, if it shows anything.
fn figure(title: &str, note: String, plot: Dots, id: &str, rows: &[&ShareRow]) -> Option<Figure> {
    (!plot.rows.is_empty()).then(|| Figure {
        svg: plot.svg(id),
        title: title.to_owned(),
        note,
        table: table(title, rows.iter().copied()),
    })
}

/// All of `rows` as a table.
pub(super) fn table<'a>(caption: &str, rows: impl Iterator<Item = &'a ShareRow>) -> Table {
    let mut table = Table::new(caption, &["Reading", "Whose places", "People", "Share"]);
    for row in rows {
        let cells = vec![Cell::figure(&row.share, Unit::Share)];
        table.row(&[&row.reading, &row.source, &row.population], cells);
    }
    table
}

/// All sources, the models' first: a source has the same shape in every plot.
fn sources(results: &Results) -> Vec<&str> {
    let mut sources = distinct(results.shares.iter().map(|row| row.source.as_str()));
    sources.sort_by_key(|source| !source.starts_with(MODELS));
    sources
}

fn shape(source: usize) -> Shape {
    const SHAPES: [Shape; 4] = [Shape::Circle, Shape::Square, Shape::Diamond, Shape::Triangle];
    SHAPES[source % SHAPES.len()]
}
