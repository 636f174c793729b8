//! Chapter: people and models side by side.

use super::Figure;
use super::countries::{self, Models, Multiples};
use super::shares::headline_share;
use super::survey::everyone;
use crate::format::{Unit, count};
use crate::names;
use crate::people::{self, Cells, Group};
use crate::plots::plane::{PlanePlot, Size};
use crate::plots::strip::Strip;
use crate::populations::EVERYONE;
use crate::table::{Cell, Table};
use polyculture_core::results::{ModelPoint, Person};
use polyculture_core::{Axis, Results};

/// Where there are more models than this, plots number them: their names would cover each other.
const MOST_NAMES: usize = 6;

/// The chapter.
pub(crate) struct PlaneChapter {
    pub(crate) population: String,
    pub(crate) n_people: String,
    /// The plane of the first two axes, where there are two.
    pub(crate) plane: Option<Figure>,
    /// Each axis by itself, where there is one or more than two.
    pub(crate) strips: Vec<Figure>,
    /// A plane a country, where there are two axes.
    pub(crate) countries: Option<Multiples>,
    /// The countries on each axis, where there is one or more than two.
    pub(crate) ridges: Vec<Figure>,
    /// The models by number, where plots number them.
    pub(crate) legend: Vec<String>,
}

/// People and models from wherever the results hold them: people one by one, or as a survey's densities.
struct View<'a> {
    results: &'a Results,
    axes: &'a [Axis],
    people: &'a [Person],
    models: &'a [ModelPoint],
    groups: Vec<Group>,
    population: String,
    n_people: usize,
}

impl<'a> View<'a> {
    fn of(results: &'a Results) -> Option<Self> {
        let plane = results.plane.as_ref();
        let survey = results.survey.as_ref();
        if plane.is_none() && survey.is_none_or(|survey| survey.densities.is_empty()) {
            return None;
        }
        let axes = &results.frame.axes[..];
        let people = plane.map_or(&[][..], |plane| &plane.people);
        // The survey's means are the ones that its chapter shows.
        let surveyed = survey.map(|survey| people::surveyed_groups(survey, axes));
        let surveyed = surveyed.filter(|groups| !groups.is_empty());
        let n_surveyed = survey.and_then(everyone).map_or(0, |row| row.n);
        Some(Self {
            results,
            axes,
            people,
            models: plane.map_or(&[][..], |plane| &plane.models),
            groups: surveyed.unwrap_or_else(|| people::groups(people, axes.len())),
            population: plane
                .map_or_else(|| "the survey’s respondents".into(), |p| p.population.clone()),
            n_people: if people.is_empty() { n_surveyed } else { people.len() },
        })
    }

    /// Everyone's cells on the first two axes, the second to the right.
    fn cells(&self) -> Cells {
        let survey = self.results.survey.as_ref().filter(|_| self.people.is_empty());
        match (survey, self.axes) {
            (Some(survey), [y, x, ..]) => {
                people::surveyed_cells(survey, EVERYONE, &x.id, &y.id).unwrap_or_default()
            }
            _ => people::cells(self.people, 1, 0),
        }
    }

    /// Everyone's bins on an axis.
    fn bins(&self, k: usize) -> Vec<f64> {
        let survey = self.results.survey.as_ref().filter(|_| self.people.is_empty());
        let surveyed = survey.map(|survey| {
            people::surveyed_bins(survey, EVERYONE, &self.axes[k].id).unwrap_or_default()
        });
        surveyed.unwrap_or_else(|| people::histogram(self.people, k))
    }

    fn names(&self) -> Vec<String> {
        names::models(self.models.iter().map(|point| &point.model))
    }

    /// What the models are called on plots.
    fn labels(&self) -> Vec<String> {
        if self.models.len() > MOST_NAMES {
            return (1..=self.models.len()).map(|number| number.to_string()).collect();
        }
        self.names()
    }
}

pub(super) fn chapter(results: &Results) -> Option<PlaneChapter> {
    let view = View::of(results)?;
    let axes = view.axes;
    let labels = view.labels();
    let models = Models { points: view.models, labels: &labels };
    let alone = || axes.iter().enumerate().filter(|_| axes.len() != 2);
    Some(PlaneChapter {
        plane: plane_figure(&view, &labels),
        strips: alone().map(|(k, axis)| strip_figure(&view, k, axis)).collect(),
        countries: countries::planes(results, &models, merged(&view, axes)),
        ridges: alone()
            .filter_map(|(k, axis)| {
                let table = merged(&view, std::slice::from_ref(axis));
                countries::ridges(results, &models, k, axis, table)
            })
            .collect(),
        legend: if view.models.len() > MOST_NAMES { view.names() } else { Vec::new() },
        n_people: count(view.n_people),
        population: view.population,
    })
}

/// Where groups and models stand, as tables.
pub(super) fn tables(results: &Results) -> Vec<Table> {
    View::of(results).map_or_else(Vec::new, |view| {
        vec![groups_table(&view, view.axes), models_table(&view, view.axes)]
    })
}

/// The first axis runs upwards and the second to the right, as on the World Values Survey's map. Where there are more
/// axes and nobody to show on these two together, there is none: the axes by themselves show more.
fn plane_figure(view: &View<'_>, labels: &[String]) -> Option<Figure> {
    let results = view.results;
    let [y, x, rest @ ..] = view.axes else { return None };
    let cells = view.cells();
    let nobody = cells.filled().next().is_none();
    if nobody && !rest.is_empty() {
        return None;
    }
    let people = if nobody {
        String::new()
    } else {
        format!("{} people as dots that grow with their share, ", count(view.n_people))
    };
    let title = format!(
        "{} and {}",
        names::axis(&results.frame, &y.id),
        names::axis(&results.frame, &x.id)
    );
    let models = labels.iter().zip(view.models);
    // The share is over all axes: on two of several, no area of the plane shows it.
    let share = headline_share(results).filter(|_| view.axes.len() == 2);
    let share = share.map(|row| Unit::Share.write(&row.share));
    let plot = PlanePlot {
        title: title.clone(),
        description: format!(
            "{people}the means of {} groups as squares, and {} models as diamonds, each mean with its \
             interval. From left to right: {} to {}; from below to above: {} to {}. The table below holds \
             the means.",
            view.groups.len(),
            view.models.len(),
            x.low.name,
            x.high.name,
            y.low.name,
            y.high.name
        ),
        size: Size::Whole,
        x,
        y,
        cells,
        groups: &view.groups,
        axes: (1, 0),
        models: models
            .filter_map(|(name, point)| {
                Some((name.clone(), [*point.at.get(1)?, *point.at.first()?]))
            })
            .collect(),
        corner: share.map(|share| format!("shaded: {} of people (O1)", share.with_interval())),
    };
    Some(Figure {
        svg: plot.svg("plane"),
        title,
        note: format!("Population: {}.", view.population),
        table: merged(view, &view.axes[..2]),
    })
}

fn strip_figure(view: &View<'_>, k: usize, axis: &Axis) -> Figure {
    let title = names::axis(&view.results.frame, &axis.id);
    let models = view.names().into_iter().zip(view.models);
    let plot = Strip {
        title: title.clone(),
        description: format!(
            "A histogram of {} people from {} to {}, and {} models with their intervals below it. The \
             table below holds the means.",
            count(view.n_people),
            axis.low.name,
            axis.high.name,
            view.models.len()
        ),
        axis,
        histogram: view.bins(k),
        models: models.filter_map(|(name, point)| Some((name, *point.at.get(k)?))).collect(),
    };
    Figure {
        svg: plot.svg(&format!("strip-{k}")),
        title,
        note: format!("Population: {}.", view.population),
        table: merged(view, std::slice::from_ref(axis)),
    }
}

/// Groups and models in one table, for a plot that shows both.
fn merged(view: &View<'_>, axes: &[Axis]) -> Table {
    let mut table = groups_table(view, axes);
    table.rows.extend(models_table(view, axes).rows);
    table.caption = "Mean places of groups of people and of models".into();
    table.columns[0] = "Group or model".into();
    table
}

fn groups_table(view: &View<'_>, axes: &[Axis]) -> Table {
    let mut table = places_table("Mean places of people, by group (weighted)", "Group", axes, view);
    for group in &view.groups {
        table.row(&[&group.name], places(view, axes, &group.at));
    }
    table
}

fn models_table(view: &View<'_>, axes: &[Axis]) -> Table {
    let mut table = places_table("Mean places of models", "Model", axes, view);
    for point in view.models {
        table.row(&[point.model.as_str()], places(view, axes, &point.at));
    }
    table
}

fn places_table(caption: &str, first: &str, axes: &[Axis], view: &View<'_>) -> Table {
    let mut table = Table::new(caption, &[first]);
    table.columns.extend(axes.iter().map(|axis| names::axis(&view.results.frame, &axis.id)));
    table
}

fn places(view: &View<'_>, axes: &[Axis], at: &[polyculture_core::Estimate]) -> Vec<Cell> {
    let position = |axis: &Axis| view.axes.iter().position(|other| other.id == axis.id);
    axes.iter()
        .map(|axis| Cell::maybe(position(axis).and_then(|k| at.get(k)), Unit::Place))
        .collect()
}
