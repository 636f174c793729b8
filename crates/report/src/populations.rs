//! Populations by the way they are written: `everyone`, a country, or a group such as `age: 18-34`.

use crate::plots::dots::{DotLine, DotRow, Shape};
use polyculture_core::Estimate;

pub(crate) const EVERYONE: &str = "everyone";

/// A group's variable and category.
pub(crate) fn group(name: &str) -> Option<(&str, &str)> {
    name.split_once(": ")
}

/// Neither everyone nor a group.
pub(crate) fn is_country(name: &str) -> bool {
    name != EVERYONE && group(name).is_none()
}

/// A row a variable, and in it a line a category: what is found, and a lesser figure beside it.
pub(crate) fn group_rows<'a>(
    found: impl Iterator<Item = (&'a str, Estimate, Option<f64>)>,
) -> Vec<DotRow> {
    let mut rows: Vec<DotRow> = Vec::new();
    for (population, estimate, beside) in found {
        let Some((variable, category)) = group(population) else { continue };
        let lesser = beside.into_iter().collect();
        let line = DotLine { lesser, ..DotLine::named(category, Shape::Circle, estimate) };
        match rows.iter_mut().find(|row| row.name == variable) {
            Some(row) => row.lines.push(line),
            None => rows.push(DotRow { name: variable.to_owned(), lines: vec![line] }),
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_population_is_told_by_its_name() {
        assert_eq!(group("age: 18-34"), Some(("age", "18-34")));
        assert!(is_country("France") && !is_country(EVERYONE) && !is_country("age: 18-34"));
    }

    #[test]
    fn categories_stand_under_their_variable() {
        let one = Estimate { value: 0.5, low: 0.4, high: 0.6, level: 0.95, n: 9, n_clusters: 9 };
        let found = ["age: old", "gender: women", "France", "age: young"];
        let rows = group_rows(found.into_iter().map(|name| (name, one, None)));
        let names: Vec<&str> = rows.iter().map(|row| row.name.as_str()).collect();
        assert_eq!((names, rows[0].lines.len()), (vec!["age", "gender"], 2));
    }
}
