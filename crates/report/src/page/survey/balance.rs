//! The margins before and after weighting: a love plot a population.

use super::everyone;
use crate::format::{per_cent, signed};
use crate::page::{Figure, distinct};
use crate::plots::love::{Category, Love, Variable};
use crate::populations::EVERYONE;
use crate::table::{Cell, Fold, Table};
use polyculture_core::results::{BalanceRow, SurveySummary};

/// Lines that all plots together may have: six populations with twenty categories each.
const MOST_LINES: usize = 120;
/// Lines that one plot may have. Where there are more categories, the furthest from the population are shown.
const MOST_CATEGORIES: usize = 40;

/// Plots of as many populations as are legible, the largest first where not all are, and the rest in a fold.
pub(super) fn figures(survey: &SurveySummary) -> (Vec<Figure>, Option<Fold>) {
    let all = distinct(survey.balance.iter().map(|row| row.population.as_str()));
    let mut largest = all.clone();
    largest.sort_by_key(|population| std::cmp::Reverse(size(survey, population)));
    let mut left = MOST_LINES;
    let mut drawn = Vec::new();
    for population in largest {
        let lines = rows(survey, population).len().min(MOST_CATEGORIES);
        if drawn.is_empty() || lines <= left {
            left = left.saturating_sub(lines);
            drawn.push(population);
        }
    }
    let (drawn, rest): (Vec<&str>, Vec<&str>) =
        all.into_iter().partition(|population| drawn.contains(population));
    let figures = drawn.iter().enumerate();
    let figures =
        figures.map(|(i, population)| figure(survey, population, &format!("balance-{i}")));
    let rest = rest.into_iter().map(|population| table(population, &rows(survey, population)));
    (figures.collect(), Fold::of("Margins of the other populations", rest.collect()))
}

/// The range of all differences, and at least ±0.2.
fn range(survey: &SurveySummary) -> (f64, f64) {
    let all = survey.balance.iter().flat_map(|row| [row.difference_before, row.difference_after]);
    let finite = all.filter(|difference| difference.is_finite());
    finite.fold((-0.2, 0.2), |(low, high), x| (x.min(low), x.max(high)))
}

fn size(survey: &SurveySummary, population: &str) -> usize {
    let row = survey.people.iter().find(|row| row.population == population);
    let all = everyone(survey).filter(|_| population == EVERYONE);
    row.or(all).map_or(0, |row| row.n)
}

fn rows<'a>(survey: &'a SurveySummary, population: &str) -> Vec<&'a BalanceRow> {
    survey.balance.iter().filter(|row| row.population == population).collect()
}

fn figure(survey: &SurveySummary, population: &str, id: &str) -> Figure {
    let rows = rows(survey, population);
    let mut shown = rows.clone();
    if shown.len() > MOST_CATEGORIES {
        shown.sort_by(|a, b| b.difference_before.abs().total_cmp(&a.difference_before.abs()));
        shown.truncate(MOST_CATEGORIES);
    }
    let mut note = match survey.people.iter().find(|row| row.population == population) {
        Some(row) => format!("n = {} people.", crate::format::count(row.n)),
        None => String::new(),
    };
    if shown.len() < rows.len() {
        note += &format!(
            " The {} of {} categories that were furthest off; all are in the table.",
            shown.len(),
            rows.len()
        );
    }
    // In the order of the file, whichever are shown.
    let shown = || rows.iter().filter(|row| shown.iter().any(|other| std::ptr::eq(**row, *other)));
    let variables =
        distinct(shown().map(|row| row.variable.as_str())).into_iter().map(|variable| {
            let of = shown().filter(|row| row.variable == variable);
            let categories = of.map(|row| Category {
                name: row.category.clone(),
                before: row.difference_before,
                after: row.difference_after,
            });
            Variable { name: variable.to_owned(), categories: categories.collect() }
        });
    let plot = Love {
        title: format!("Margins, {population}"),
        variables: variables.collect(),
        others: range(survey),
    };
    Figure {
        svg: plot.svg(id),
        title: population.to_owned(),
        note,
        table: table(population, &rows),
    }
}

fn table(population: &str, rows: &[&BalanceRow]) -> Table {
    let columns = [
        "Variable",
        "Category",
        "Population",
        "Respondents before",
        "Respondents after",
        "Difference before",
        "Difference after",
    ];
    let mut table =
        Table::new(format!("Margins before and after weighting, {population}"), &columns);
    for row in rows {
        let shares = [row.target, row.before, row.after].map(|x| Cell::Count(per_cent(x, 1)));
        let differences =
            [row.difference_before, row.difference_after].map(|x| Cell::Count(signed(x, 3)));
        let cells = shares.into_iter().chain(differences).collect();
        table.row(&[&row.variable, &row.category], cells);
    }
    table
}
