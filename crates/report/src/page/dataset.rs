//! Chapter: a preference dataset, what is in it, how far people agree, and what is wrong with it.

use super::{Figure, distinct};
use crate::format::{Unit, count, n_range};
use crate::plots::dots::{DotLine, DotRow, Dots, Shape};
use crate::table::{Cell, Table};
use polyculture_core::Estimate;
use polyculture_core::results::{DatasetSummary, GroupRow, Made};

/// A column with more values than this has a table and no plot.
const MOST_ROWS: usize = 14;

/// The chapter.
pub(crate) struct DatasetChapter {
    pub(crate) name: String,
    pub(crate) source: String,
    /// A number in large type, and what it counts.
    pub(crate) counts: Vec<(String, String)>,
    pub(crate) figures: Vec<Figure>,
    pub(crate) tables: Vec<Table>,
    pub(crate) findings: Vec<Finding>,
    pub(crate) clusters: String,
}

/// A kind of thing that is wrong.
pub(crate) struct Finding {
    pub(crate) severity: String,
    pub(crate) rule: String,
    pub(crate) n: String,
    pub(crate) description: String,
    pub(crate) places: String,
}

pub(super) fn chapter(dataset: &DatasetSummary) -> DatasetChapter {
    let mut figures = Vec::new();
    figures.extend(choices(dataset));
    for column in columns(dataset) {
        figures.extend(agreement_by(dataset, column));
    }
    figures.extend(longest(dataset));
    let findings = dataset.findings.iter().map(|row| Finding {
        severity: row.severity.clone(),
        rule: row.rule.clone(),
        n: count(row.n as usize),
        description: row.description.clone(),
        places: row.places.join("; "),
    });
    DatasetChapter {
        name: dataset.name.clone(),
        source: dataset.source.clone(),
        counts: dataset.counts.iter().map(|(name, n)| (count(*n as usize), name.clone())).collect(),
        figures,
        tables: [agreement(dataset), groups(dataset)]
            .into_iter()
            .filter(|table| !table.rows.is_empty())
            .collect(),
        findings: findings.collect(),
        clusters: dataset.clusters.clone(),
    }
}

/// The page of a dataset by itself.
#[derive(askama::Template)]
#[template(path = "dataset.html")]
pub(crate) struct DatasetPage<'a> {
    pub(crate) title: String,
    pub(crate) synthetic: Option<&'a str>,
    pub(crate) dataset: DatasetChapter,
    pub(crate) made: super::made::MadeChapter,
    pub(crate) version: &'a str,
    pub(crate) json: String,
}

impl<'a> DatasetPage<'a> {
    pub(crate) fn new(dataset: &DatasetSummary, made: &'a Made, json: String) -> Self {
        Self {
            title: format!("What is in {}", dataset.name),
            synthetic: None,
            dataset: chapter(dataset),
            made: super::made::chapter(made),
            version: &made.version,
            json,
        }
    }
}

fn columns(dataset: &DatasetSummary) -> Vec<&str> {
    distinct(dataset.groups.iter().filter_map(|group| group.column.as_deref()))
}

fn label(group: &GroupRow) -> String {
    match (&group.column, &group.value) {
        (None, _) => "everything".to_owned(),
        (Some(_), Some(value)) => value.clone(),
        (Some(_), None) => "missing".to_owned(),
    }
}

/// A row a turn, and in it a line a candidate.
fn choices(dataset: &DatasetSummary) -> Option<Figure> {
    const SHAPES: [Shape; 4] = [Shape::Circle, Shape::Square, Shape::Diamond, Shape::Triangle];
    let title = "Which candidate was chosen";
    let candidates = distinct(dataset.choices.iter().map(|row| &row.candidate));
    let mut plot = plot(title, Unit::Share, (0.0, 0.0));
    // What each would have if all were chosen alike.
    plot.reference = (!candidates.is_empty()).then(|| 1.0 / candidates.len() as f64);
    let mut table = Table::new(title, &["Turn", "Candidate", "Share of choices"]);
    for turn in distinct(dataset.choices.iter().map(|row| &row.turn)) {
        let rows = dataset.choices.iter().filter(|row| row.turn == *turn);
        let lines = rows.map(|row| {
            let place = candidates.iter().position(|id| **id == row.candidate).unwrap_or(0);
            table.row(&[turn, &row.candidate], vec![Cell::figure(&row.share, Unit::Share)]);
            DotLine::named(&row.candidate, SHAPES[place % SHAPES.len()], row.share)
        });
        plot.rows.push(DotRow { name: turn.clone(), lines: lines.collect() });
    }
    let note = n_range(dataset.choices.iter().map(|row| &row.share));
    let note = format!("{note} choices. Dashed: all chosen alike.");
    (!dataset.choices.is_empty()).then(|| figure(title, note, &plot, "dataset-choices", table))
}

/// How far people agree, by the values of a column.
fn agreement_by(dataset: &DatasetSummary, column: &str) -> Option<Figure> {
    let title = format!("Pairs of people who chose the same, by {column}");
    let pick = |group: &GroupRow| group.agreement;
    let unit = "votes";
    by(dataset, column, &title, pick, unit)
}

/// How often the longest was chosen, by language.
fn longest(dataset: &DatasetSummary) -> Option<Figure> {
    let title = "Comparisons in which no candidate is longer than the chosen one, by language";
    by(dataset, "language", title, |group| group.chosen_longest, "comparisons")
}

fn by(
    dataset: &DatasetSummary,
    column: &str,
    title: &str,
    pick: impl Fn(&GroupRow) -> Option<Estimate>,
    unit: &str,
) -> Option<Figure> {
    let all = dataset.groups.iter().filter(|group| group.column.is_none());
    let of = dataset.groups.iter().filter(|group| group.column.as_deref() == Some(column));
    let rows: Vec<(String, Estimate)> =
        of.filter_map(|group| Some((label(group), pick(group)?))).collect();
    if rows.len() < 2 || rows.len() > MOST_ROWS {
        return None;
    }
    let mut plot = plot(title, Unit::Share, (0.0, 1.0));
    plot.reference = all.filter_map(&pick).map(|estimate| estimate.value).next();
    let mut table = Table::new(title, &["Value", "Share"]);
    for (name, estimate) in &rows {
        table.row(&[name], vec![Cell::figure(estimate, Unit::Share)]);
        let lines = vec![DotLine::only(*estimate)];
        plot.rows.push(DotRow { name: name.clone(), lines });
    }
    let note = n_range(rows.iter().map(|(_, estimate)| estimate));
    let id = format!("dataset-{}", title.len() * 1000 + column.len());
    Some(figure(title, format!("{note} {unit}. Dashed: all together."), &plot, &id, table))
}

fn plot(title: &str, unit: Unit, always: (f64, f64)) -> Dots {
    Dots { title: title.to_owned(), unit, always, reference: None, rows: Vec::new() }
}

fn figure(title: &str, note: String, plot: &Dots, id: &str, table: Table) -> Figure {
    Figure { title: title.to_owned(), note, svg: plot.svg(id), table }
}

fn agreement(dataset: &DatasetSummary) -> Table {
    let title = "How far people agree who chose from the same candidates";
    let mut table = Table::new(title, &["Measure", "Figure"]);
    for row in &dataset.agreement {
        let unit = if row.is_share { Unit::Share } else { Unit::Plain };
        table.row(&[&row.measure], vec![Cell::figure(&row.estimate, unit)]);
    }
    table
}

fn groups(dataset: &DatasetSummary) -> Table {
    let columns = [
        "Column",
        "Value",
        "Comparisons",
        "Annotators",
        "Explained",
        "Longest was chosen",
        "Words, chosen",
        "Words, another",
        "Pairs agree",
    ];
    let mut table = Table::new("By column", &columns);
    for group in &dataset.groups {
        table.row(
            &[group.column.as_deref().unwrap_or("all"), &label(group)],
            vec![
                Cell::count(group.comparisons as usize),
                if group.annotators > 0 {
                    Cell::count(group.annotators as usize)
                } else {
                    Cell::Nothing
                },
                Cell::maybe(group.explained.as_ref(), Unit::Share),
                Cell::maybe(group.chosen_longest.as_ref(), Unit::Share),
                Cell::maybe(group.chosen_words.as_ref(), Unit::Plain),
                Cell::maybe(group.rejected_words.as_ref(), Unit::Plain),
                Cell::maybe(group.agreement.as_ref(), Unit::Share),
            ],
        );
    }
    table
}
