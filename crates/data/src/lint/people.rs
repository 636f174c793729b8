//! Who chose: annotators by number, and those of whom the file says two things that exclude each other.

use super::seen::Place;
use crate::comparison::Comparison;
use crate::finding::{Finding, Findings, Rule};
use crate::formats::{ColumnRole, ExtraColumn};
use crate::identity::fold;
use std::collections::HashMap;

/// Answers that say nothing, so that they contradict nothing; folded.
const NO_ANSWERS: [&str; 9] = [
    "",
    "nan",
    "none",
    "null",
    "n/a",
    "unknown",
    "prefer not to say",
    "prefer_not_to_say",
    "prefer not to answer",
];

/// What is said of annotators: the language, and the columns of demographics.
#[derive(Debug, Clone)]
pub(super) struct Attributes {
    /// The name of each column and its place among the extra ones; the language has none.
    columns: Vec<(String, Option<usize>)>,
}

impl Attributes {
    pub(super) fn new(extra: &[ExtraColumn]) -> Self {
        let is_about_people =
            |c: &ExtraColumn| matches!(c.role, ColumnRole::Country | ColumnRole::Demographic);
        let extra = extra.iter().enumerate().filter(|(_, column)| is_about_people(column));
        let extra = extra.map(|(i, column)| (column.name.clone(), Some(i)));
        Self { columns: std::iter::once(("language".to_owned(), None)).chain(extra).collect() }
    }

    fn values<'c>(
        &'c self,
        comparison: &'c Comparison<'_>,
    ) -> impl Iterator<Item = (usize, &'c str)> {
        let value = |place: Option<usize>| match place {
            None => comparison.language.as_deref(),
            Some(i) => comparison.extra.get(i)?.as_deref(),
        };
        let all = self.columns.iter().enumerate();
        all.filter_map(move |(i, (_, place))| value(*place).map(|value| (i, value)))
    }
}

/// The annotators of a block, numbered as they come.
#[derive(Debug, Default)]
pub(super) struct BlockPeople {
    numbers: HashMap<String, u32>,
    people: Vec<BlockPerson>,
}

#[derive(Debug)]
struct BlockPerson {
    line: u64,
    /// Attribute, value as it stands, line.
    values: Vec<(usize, String, u64)>,
}

impl BlockPeople {
    /// The number of the comparison's annotator, if it says who chose.
    pub(super) fn look(
        &mut self,
        comparison: &Comparison<'_>,
        attributes: &Attributes,
    ) -> Option<u32> {
        let id = comparison.annotator_id.as_deref()?;
        let number = match self.numbers.get(id) {
            Some(number) => *number,
            None => {
                let number = self.people.len() as u32;
                self.numbers.insert(id.to_owned(), number);
                self.people.push(BlockPerson { line: comparison.line, values: Vec::new() });
                number
            }
        };
        let person = &mut self.people[number as usize];
        for (attribute, value) in attributes.values(comparison) {
            if !person.values.iter().any(|(a, v, _)| (*a, v.as_str()) == (attribute, value)) {
                person.values.push((attribute, value.to_owned(), comparison.line));
            }
        }
        Some(number)
    }
}

/// An annotator.
#[derive(Debug)]
struct Person {
    id: String,
    first: Place,
    /// Attribute, number of its value, place; a second value of an attribute only once.
    values: Vec<(u32, u32, Place)>,
}

/// The annotators of a dataset: a few words each.
#[derive(Debug)]
pub(super) struct People {
    attributes: Attributes,
    numbers: HashMap<String, u32>,
    people: Vec<Person>,
    /// Folded values, numbered.
    values: HashMap<String, u32>,
    /// Values as they first stood.
    shown: Vec<String>,
}

impl People {
    pub(super) fn new(attributes: Attributes) -> Self {
        Self {
            attributes,
            numbers: HashMap::new(),
            people: Vec::new(),
            values: HashMap::new(),
            shown: Vec::new(),
        }
    }

    /// Adds the annotators of a block, reports [`Rule::TwoLanguages`] and [`Rule::ContradictoryDemographics`] once for each annotator and
    /// column, and gives the numbers that the block's annotators have from now on.
    pub(super) fn merge(
        &mut self,
        block: BlockPeople,
        file: u32,
        files: &[String],
        findings: &mut Findings,
    ) -> Vec<u32> {
        let mut ids: Vec<(String, u32)> = block.numbers.into_iter().collect();
        ids.sort_by_key(|(_, number)| *number);
        let mut renumbered = Vec::with_capacity(ids.len());
        for ((id, _), seen) in ids.into_iter().zip(block.people) {
            let first = Place { file, line: seen.line };
            let number = *self.numbers.entry(id).or_insert_with_key(|id| {
                self.people.push(Person { id: id.clone(), first, values: Vec::new() });
                self.people.len() as u32 - 1
            });
            for (attribute, value, line) in seen.values {
                let place = Place { file, line };
                self.add(number, attribute, &value, place, files, findings);
            }
            renumbered.push(number);
        }
        renumbered
    }

    fn add(
        &mut self,
        number: u32,
        attribute: usize,
        value: &str,
        place: Place,
        files: &[String],
        findings: &mut Findings,
    ) {
        let mut folded = String::new();
        fold(value, &mut folded);
        let folded = folded.replace('\u{2019}', "'");
        if NO_ANSWERS.contains(&folded.as_str()) {
            return;
        }
        let value_number = *self.values.entry(folded).or_insert_with(|| {
            self.shown.push(value.trim().to_owned());
            self.shown.len() as u32 - 1
        });
        let person = &mut self.people[number as usize];
        let mut of_attribute = person.values.iter().filter(|(a, ..)| *a as usize == attribute);
        let first = of_attribute.next().copied();
        if first.is_some_and(|(_, v, _)| v == value_number) || of_attribute.next().is_some() {
            return;
        }
        person.values.push((attribute as u32, value_number, place));
        let Some((_, earlier, earlier_place)) = first else {
            return;
        };
        let rule =
            if attribute == 0 { Rule::TwoLanguages } else { Rule::ContradictoryDemographics };
        findings.push_with(rule, || {
            let (id, first) = (&person.id, &self.shown[earlier as usize]);
            let value = format!("annotator {id}: {value}, on line {} {first}", earlier_place.line);
            let column = Some(self.attributes.columns[attribute].0.as_str());
            let file = files[place.file as usize].clone();
            Finding { file, ..Finding::new(rule, place.line, column, &value) }
        });
    }

    pub(super) fn id(&self, number: u32) -> &str {
        &self.people[number as usize].id
    }

    pub(super) fn first(&self, number: u32) -> Place {
        self.people[number as usize].first
    }
}

#[cfg(test)]
mod tests {
    use crate::finding::Rule;
    use crate::lint::testing::{examples, report};

    /// Rows of annotator, language and country.
    fn check(rows: &[[&str; 3]], expected: &[(Rule, u64, &str)]) {
        let rows: Vec<[&str; 9]> = rows
            .iter()
            .map(|[who, language, country]| {
                [*who, *language, *country, "p", "w", "x", "y", "z", ""]
            })
            .collect();
        let report = report(&rows);
        let mut found = Vec::new();
        for rule in [Rule::ContradictoryDemographics, Rule::TwoLanguages] {
            found.extend(
                examples(&report, rule).into_iter().map(|(line, _, value)| (rule, line, value)),
            );
        }
        let expected: Vec<_> = expected.iter().map(|(r, l, v)| (*r, *l, (*v).to_owned())).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn who_is_said_to_be_two_things_is_found_once() {
        check(&[["7", "en", "india"], ["8", "it", "italy"], ["7", "EN ", "India"]], &[]);
        check(
            &[
                ["7", "en", "india"],
                ["7", "en", "italy"],
                ["7", "en", "brazil"],
                ["7", "en", "italy"],
            ],
            &[(Rule::ContradictoryDemographics, 3, "annotator 7: italy, on line 2 india")],
        );
        check(
            &[["7", "en", "Prefer not to say"], ["7", "hi", "india"], ["7", "hi", ""]],
            &[(Rule::TwoLanguages, 3, "annotator 7: hi, on line 2 en")],
        );
        check(
            &[["7", "en", "Côte d’Ivoire"], ["7", "en", "Côte d'Ivoire"], ["", "it", "italy"]],
            &[],
        );
    }
}
