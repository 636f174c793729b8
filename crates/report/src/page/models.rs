//! Chapter: model by model, how far each stands from people, what it adds, and how few would do.

use super::shares::HEADLINE;
use super::{Figure, distinct};
use crate::format::{Unit, n_range, per_cent, plain};
use crate::names;
use crate::plots::dots::{DotLine, DotRow, Dots, Shape};
use crate::plots::steps::{Step, Steps};
use crate::populations::{EVERYONE, group};
use crate::table::{Cell, Fold, Table};
use polyculture_core::results::{AddedRow, DistanceRow, SurveySummary};
use polyculture_core::{Estimate, ModelId, Results};

/// The chapter.
pub(crate) struct ModelsChapter {
    /// Distances from countries and everyone.
    pub(crate) heat: Option<HeatTable>,
    /// Distances from groups, a table a variable.
    pub(crate) heat_by_group: Vec<HeatTable>,
    /// Differences axis by axis.
    pub(crate) differences: Option<Fold>,
    pub(crate) added: Option<Figure>,
    pub(crate) cover: Option<Figure>,
}

/// A table whose cells are the darker, the larger their figure is.
pub(crate) struct HeatTable {
    pub(crate) caption: String,
    /// A population, and the number of people that its figures rest on.
    pub(crate) columns: Vec<(String, String)>,
    pub(crate) rows: Vec<(String, Vec<Option<HeatCell>>)>,
}

/// A figure with its interval, and how dark it is: 0 to 4.
pub(crate) struct HeatCell {
    pub(crate) value: String,
    pub(crate) interval: String,
    pub(crate) level: usize,
}

pub(super) fn chapter(results: &Results) -> Option<ModelsChapter> {
    let survey = results.survey.as_ref()?;
    let rows = &survey.distances;
    if rows.is_empty() && survey.added.is_empty() && survey.cover.is_empty() {
        return None;
    }
    let models = nearest_first(rows);
    let populations = distinct(rows.iter().map(|row| row.population.as_str()));
    let (groups, mut countries): (Vec<&str>, Vec<&str>) =
        populations.into_iter().partition(|population| group(population).is_some());
    countries.sort_by_key(|population| *population != EVERYONE);
    let variables = distinct(groups.iter().filter_map(|name| Some(group(name)?.0)));
    let by_group = variables.into_iter().map(|variable| {
        let of = groups.iter().filter(|name| group(name).is_some_and(|(of, _)| of == variable));
        let of: Vec<&str> = of.copied().collect();
        heat(&format!("Distance from the mean of people, by {variable}"), rows, &models, &of)
    });
    let heat = heat("Distance from the mean of people", rows, &models, &countries);
    Some(ModelsChapter {
        heat: (!heat.rows.is_empty() && !heat.columns.is_empty()).then_some(heat),
        heat_by_group: by_group.collect(),
        differences: differences(results, rows, &models),
        added: added(survey),
        cover: cover(survey),
    })
}

/// The models from the one that is nearest to everyone, or to the first population.
fn nearest_first(rows: &[DistanceRow]) -> Vec<&ModelId> {
    let first = rows.first().map(|row| row.population.as_str());
    let whole = rows.iter().map(|row| row.population.as_str()).find(|name| *name == EVERYONE);
    let whole = whole.or(first);
    let distance = |model: &ModelId| {
        let mut of = rows.iter().filter(|row| row.model == *model);
        of.find(|row| Some(row.population.as_str()) == whole)
            .map_or(f64::INFINITY, |row| row.distance.value)
    };
    let mut models = distinct(rows.iter().map(|row| &row.model));
    models.sort_by(|a, b| distance(a).total_cmp(&distance(b)));
    models
}

fn heat(
    caption: &str,
    rows: &[DistanceRow],
    models: &[&ModelId],
    populations: &[&str],
) -> HeatTable {
    let find = |model: &ModelId, population: &str| {
        rows.iter().find(|row| row.model == *model && row.population == population)
    };
    // All distances shade alike, so that tables can be held against each other.
    let values = || rows.iter().map(|row| row.distance.value).filter(|value| value.is_finite());
    let least = values().fold(f64::INFINITY, f64::min);
    let most = values().fold(f64::NEG_INFINITY, f64::max);
    let cell = |distance: &Estimate| {
        let written = Unit::Place.write(distance);
        let part = (distance.value - least) / (most - least);
        let level =
            if part.is_finite() { (part * 5.0).floor().clamp(0.0, 4.0) as usize } else { 0 };
        HeatCell { value: written.value, interval: written.interval, level }
    };
    let names = names::models(models.iter().copied());
    HeatTable {
        caption: caption.to_owned(),
        columns: populations
            .iter()
            .map(|population| {
                let of = rows.iter().filter(|row| row.population == *population);
                let name = group(population).map_or(*population, |(_, category)| category);
                (name.to_owned(), n_range(of.map(|row| &row.distance)))
            })
            .collect(),
        rows: models
            .iter()
            .zip(names)
            .map(|(model, name)| {
                let found = populations.iter().map(|population| find(model, population));
                (name, found.map(|row| row.map(|row| cell(&row.distance))).collect())
            })
            .collect(),
    }
}

fn differences(results: &Results, rows: &[DistanceRow], models: &[&ModelId]) -> Option<Fold> {
    let caption = "Distance, and the model’s place minus the people’s mean on each axis";
    let mut table = Table::new(caption, &["Model", "People", "Distance"]);
    table
        .columns
        .extend(results.frame.axes.iter().map(|axis| names::axis(&results.frame, &axis.id)));
    for model in models {
        for row in rows.iter().filter(|row| row.model == **model) {
            let axes = (0..results.frame.axes.len())
                .map(|axis| Cell::maybe(row.difference.get(axis), Unit::Place));
            let distance = Cell::figure(&row.distance, Unit::Place);
            let cells = std::iter::once(distance).chain(axes).collect();
            table.row(&[row.model.as_str(), &row.population], cells);
        }
    }
    Fold::of("Axis by axis, with n", vec![table])
}

/// What each model adds, for everyone in reading O1, or in the first; all else is in the table.
fn added(survey: &SurveySummary) -> Option<Figure> {
    let headline = survey.added.iter().find(|row| row.reading == HEADLINE);
    let first = headline.or(survey.added.first())?;
    let shown = |row: &&AddedRow| row.reading == first.reading;
    let whole = survey.added.iter().filter(shown).find(|row| row.population == EVERYONE);
    let whole = whole.unwrap_or(first);
    let of = survey.added.iter().filter(shown).filter(|row| row.population == whole.population);
    let mut rows: Vec<&AddedRow> = of.collect();
    rows.sort_by(|a, b| b.added.value.total_cmp(&a.added.value));
    let title = format!("What each model adds, reading {}", first.reading);
    let names = names::models(rows.iter().map(|row| &row.model));
    let lines = rows
        .iter()
        .zip(names)
        .map(|(row, name)| DotLine::named(&name, Shape::Circle, row.added))
        .collect();
    let plot = Dots {
        title: title.clone(),
        unit: Unit::Points,
        always: (0.0, 0.01),
        reference: None,
        rows: vec![DotRow { name: String::new(), lines }],
    };
    let mut table = Table::new(title.clone(), &["Model", "Reading", "People", "Added"]);
    for row in &survey.added {
        let cells = vec![Cell::figure(&row.added, Unit::Points)];
        table.row(&[row.model.as_str(), &row.reading, &row.population], cells);
    }
    let note = format!(
        "People: {}, {}. The share with all models minus the share without this one.",
        names::plain(&whole.population),
        n_range(rows.iter().map(|row| &row.added))
    );
    Some(Figure { svg: plot.svg("added"), title, note, table })
}

/// How many people the first, the first two, the first three … models cover.
fn cover(survey: &SurveySummary) -> Option<Figure> {
    if survey.cover.is_empty() {
        return None;
    }
    let title = "People covered by few models";
    let names = names::models(survey.cover.iter().map(|row| &row.model));
    let steps = survey.cover.iter().zip(&names).map(|(row, name)| Step {
        name: name.clone(),
        share: row.share,
        bound: row.bound,
    });
    let plot = Steps { title: title.to_owned(), steps: steps.collect() };
    let columns = ["Models", "Taken at this step", "People covered", "At most, with as many"];
    let mut table = Table::new(title, &columns);
    for (i, row) in survey.cover.iter().enumerate() {
        let cells =
            vec![Cell::figure(&row.share, Unit::Share), Cell::Count(per_cent(row.bound, 1))];
        table.row(&[&(i + 1).to_string(), row.model.as_str()], cells);
    }
    let reach = match survey.cover_radius {
        radius if radius.is_finite() => {
            format!(
                "A model covers the people who stand within {} of it on every axis. ",
                plain(radius, 2)
            )
        }
        _ => String::new(),
    };
    let note = format!(
        "{reach}{} people. Dashed: no set of as many models covers more.",
        n_range(survey.cover.iter().map(|row| &row.share))
    );
    Some(Figure { svg: plot.svg("cover"), title: title.to_owned(), note, table })
}
