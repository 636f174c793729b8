//! Chapter: the survey, who answered, what weighting did, where people stand, and how far to trust it.

mod balance;
mod items;
mod scores;

use super::Figure;
use crate::format::{Unit, count, n_range, per_cent, plain, surveys_in};
use crate::names;
use crate::plots::dots::{DotLine, DotRow, Dots};
use crate::populations::EVERYONE;
use crate::table::{Cell, Fold, Table};
use polyculture_core::Results;
use polyculture_core::results::{PeopleRow, SurveySummary};

/// The chapter.
pub(crate) struct SurveyChapter {
    /// A number in large type, and what it counts.
    pub(crate) counts: Vec<(String, String)>,
    pub(crate) people: Option<Table>,
    pub(crate) balance: Vec<Figure>,
    /// Margins that are not drawn.
    pub(crate) balance_rest: Option<Fold>,
    pub(crate) scores: Vec<Figure>,
    pub(crate) reliability: Vec<Table>,
    pub(crate) order: Option<Figure>,
    pub(crate) careless: Option<Table>,
    pub(crate) items: Vec<Figure>,
    pub(crate) items_by_country: Vec<Fold>,
}

pub(super) fn chapter(results: &Results) -> Option<SurveyChapter> {
    let survey = results.survey.as_ref()?;
    let (balance, balance_rest) = balance::figures(survey);
    Some(SurveyChapter {
        counts: counts(survey),
        people: people(survey).if_any(),
        balance,
        balance_rest,
        scores: scores::figures(results, survey),
        reliability: reliability(results, survey),
        order: order(survey),
        careless: careless(survey).if_any(),
        items: items::figures(results, survey),
        items_by_country: items::by_country(results, survey),
    })
}

/// The row of everyone, or of the only population.
pub(super) fn everyone(survey: &SurveySummary) -> Option<&PeopleRow> {
    match survey.people.as_slice() {
        [only] => Some(only),
        rows => rows.iter().find(|row| row.population == EVERYONE),
    }
}

fn counts(survey: &SurveySummary) -> Vec<(String, String)> {
    let Some(row) = everyone(survey) else { return Vec::new() };
    let effective = format!(
        "equally weighted people would be worth as much (effective n, at a design effect of {})",
        plain(row.design_effect, 2)
    );
    vec![
        (count(row.n), "people answered".into()),
        (count(row.n_answers), "of their answers could be used".into()),
        (plain_count(row.effective_n), effective),
    ]
}

fn plain_count(x: f64) -> String {
    if x.is_finite() { count(x.max(0.0).round() as usize) } else { plain(x, 0) }
}

fn people(survey: &SurveySummary) -> Table {
    let columns =
        ["People", "Respondents", "Answers", "Effective n", "Design effect", "What weighting did"];
    let mut table = Table::new("Who answered", &columns);
    for row in &survey.people {
        table.row(
            &[&row.population],
            vec![
                Cell::count(row.n),
                Cell::count(row.n_answers),
                Cell::Count(plain_count(row.effective_n)),
                Cell::Count(plain(row.design_effect, 2)),
                Cell::Words(row.weighting.clone()),
            ],
        );
    }
    table
}

/// How well the items of an axis measure one thing: a table an axis.
fn reliability(results: &Results, survey: &SurveySummary) -> Vec<Table> {
    let axes = super::distinct(survey.reliability.iter().map(|row| &row.axis));
    let tables = axes.into_iter().map(|axis| {
        let columns = ["People", "Split-half, stepped up", "Cronbach’s alpha"];
        let mut table = Table::new(names::axis(&results.frame, axis), &columns);
        for row in survey.reliability.iter().filter(|row| row.axis == *axis) {
            let alpha = Cell::maybe(row.alpha.as_ref(), Unit::Place);
            table.row(&[&row.population], vec![Cell::figure(&row.split_half, Unit::Place), alpha]);
        }
        table
    });
    tables.collect()
}

/// How often the option at each place is chosen, beside what it would be if the order did not matter.
fn order(survey: &SurveySummary) -> Option<Figure> {
    let title = "Share of the choices by place";
    let first = survey.order.first()?;
    let expected_alike =
        survey.order.iter().all(|row| (row.expected - first.expected).abs() < 1e-9);
    let mut plot = Dots {
        title: title.to_owned(),
        unit: Unit::Share,
        always: (first.expected, first.expected),
        reference: (expected_alike && first.expected.is_finite()).then_some(first.expected),
        rows: Vec::new(),
    };
    let columns = ["Place", "Share of the choices", "If the order did not matter"];
    let mut table = Table::new(title, &columns);
    for row in &survey.order {
        let name = format!("place {}", row.place);
        let lesser = if expected_alike { vec![] } else { vec![row.expected] };
        let line = DotLine { lesser, ..DotLine::only(row.share) };
        plot.rows.push(DotRow { name: name.clone(), lines: vec![line] });
        let expected = Cell::Count(per_cent(row.expected, 1));
        table.row(&[&name], vec![Cell::figure(&row.share, Unit::Share), expected]);
    }
    let sign = if expected_alike { "Dashed" } else { "Rings" };
    let n = n_range(survey.order.iter().map(|row| &row.share));
    let note =
        format!("{n} choices. {sign}: if the order did not matter. {}", chance(first.p_value));
    Some(Figure { svg: plot.svg("survey-order"), title: title.to_owned(), note, table })
}

/// What a p-value says, in words.
fn chance(p: f64) -> String {
    if !p.is_finite() {
        return "Whether chance alone could do this was not tested.".into();
    }
    let written = if p < 0.001 { "< 0.001".into() } else { format!("= {}", plain(p, 3)) };
    format!(
        "Chance alone would make differences at least as large in {} (p {written}).",
        surveys_in(p)
    )
}

fn careless(survey: &SurveySummary) -> Table {
    let columns = ["Rule", "Share of the respondents", "Their answers", "What it means"];
    let mut table = Table::new("Respondents who may not have read", &columns);
    for row in &survey.careless {
        let done = if row.dropped { "left out" } else { "kept" };
        table.row(
            &[&row.rule],
            vec![
                Cell::figure(&row.share, Unit::Share),
                Cell::Count(done.into()),
                Cell::Words(row.description.clone()),
            ],
        );
    }
    table
}
