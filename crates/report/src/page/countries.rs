//! People and models country by country: planes side by side where there are two axes, else the countries one
//! above the other on each axis.

use super::Figure;
use super::shares::share_of;
use crate::format::{Unit, count, n_of};
use crate::names;
use crate::people::{self, Group};
use crate::plots::plane::{PlanePlot, Size};
use crate::plots::ridges::{Ridge, Ridges};
use crate::populations::is_country;
use crate::table::Table;
use polyculture_core::results::{ModelPoint, SurveySummary};
use polyculture_core::{Axis, Results};

/// Plots of one kind side by side, with one caption and one table.
pub(crate) struct Multiples {
    pub(crate) title: String,
    pub(crate) note: String,
    pub(crate) panels: Vec<Panel>,
    pub(crate) table: Table,
}

/// One of several plots.
pub(crate) struct Panel {
    pub(crate) name: String,
    pub(crate) note: String,
    /// SVG, escaped where it was drawn.
    pub(crate) svg: String,
}

/// The models as all plots show them.
pub(super) struct Models<'a> {
    pub(super) points: &'a [ModelPoint],
    /// What they are called on plots: their names, or numbers where names would not fit.
    pub(super) labels: &'a [String],
}

/// The countries whose density a survey holds.
fn countries(survey: &SurveySummary) -> Vec<&str> {
    let names = survey.densities.iter().map(|density| density.population.as_str());
    super::distinct(names.filter(|name| is_country(name)))
}

/// A plane a country: the first axis runs upwards and the second to the right, as on the plane of everyone.
pub(super) fn planes(results: &Results, models: &Models<'_>, table: Table) -> Option<Multiples> {
    let survey = results.survey.as_ref()?;
    let [y, x] = results.frame.axes.as_slice() else { return None };
    let panels = countries(survey).into_iter().enumerate().filter_map(|(i, country)| {
        let cells = people::surveyed_cells(survey, country, &x.id, &y.id)?;
        let means = [y, x].map(|axis| people::surveyed_mean(survey, country, axis));
        let group = match means {
            [Some(up), Some(across)] => {
                vec![Group { name: country.to_owned(), at: vec![up, across] }]
            }
            _ => Vec::new(),
        };
        let points = models.points.iter().zip(models.labels);
        let plot = PlanePlot {
            title: format!("People and models: {country}"),
            description: format!(
                "The people as dots that grow with their share, their mean as a square, and {} models as \
                 diamonds, which stand where they stand in every panel. From left to right: {} to {}; from \
                 below to above: {} to {}.",
                models.points.len(),
                x.low.name,
                x.high.name,
                y.low.name,
                y.high.name
            ),
            size: Size::Panel,
            x,
            y,
            cells,
            groups: &group,
            axes: (1, 0),
            models: points
                .filter_map(|(point, label)| {
                    Some((label.clone(), [*point.at.get(1)?, *point.at.first()?]))
                })
                .collect(),
            corner: None,
        };
        Some(Panel {
            name: country.to_owned(),
            note: note(results, survey, country),
            svg: plot.svg(&format!("plane-country-{i}")),
        })
    });
    let panels: Vec<Panel> = panels.collect();
    (!panels.is_empty()).then(|| Multiples {
        title: "Country by country".into(),
        note: "Dots: people. Square: their mean. Diamonds: the models, at the same places in every panel; their \
               intervals are in the plane above and in the table."
            .into(),
        panels,
        table,
    })
}

/// How many people, and how much of them the models' answers speak for.
fn note(results: &Results, survey: &SurveySummary, country: &str) -> String {
    if let Some(row) = share_of(results, country) {
        let share = Unit::Share.write(&row.share).with_interval();
        return format!("O1: {share}, {}", n_of(&row.share));
    }
    let row = survey.people.iter().find(|row| row.population == country);
    row.map_or_else(String::new, |row| format!("n = {}", count(row.n)))
}

/// The countries one above the other on one axis.
pub(super) fn ridges(
    results: &Results,
    models: &Models<'_>,
    k: usize,
    axis: &Axis,
    table: Table,
) -> Option<Figure> {
    let survey = results.survey.as_ref()?;
    let rows = countries(survey).into_iter().filter_map(|country| {
        Some(Ridge {
            name: country.to_owned(),
            bins: people::surveyed_bins(survey, country, &axis.id)?,
            mean: people::surveyed_mean(survey, country, axis),
        })
    });
    let rows: Vec<Ridge> = rows.collect();
    if rows.is_empty() {
        return None;
    }
    let title = names::axis(&results.frame, &axis.id);
    let points = models.points.iter().zip(models.labels);
    let plot = Ridges {
        title: format!("{title}, country by country"),
        description: format!(
            "Histograms of people from {} to {}, a row a country: {}. {} models as diamonds below each, at the \
             same places. The table below holds the means.",
            axis.low.name,
            axis.high.name,
            rows.iter().map(|row| row.name.as_str()).collect::<Vec<_>>().join(", "),
            models.points.len()
        ),
        axis,
        models: points
            .filter_map(|(point, label)| Some((label.clone(), *point.at.get(k)?)))
            .collect(),
        rows,
    };
    let people = survey.people.iter().filter(|row| is_country(&row.population)).map(|row| row.n);
    let note = match (people.clone().min(), people.max()) {
        (Some(least), Some(most)) if least == most => {
            format!("n = {} people a country.", count(most))
        }
        (Some(least), Some(most)) => {
            format!("n = {} to {} people a country.", count(least), count(most))
        }
        _ => String::new(),
    };
    Some(Figure { svg: plot.svg(&format!("ridges-{k}")), title, note, table })
}
