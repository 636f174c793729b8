//! Small cells: combinations of what tells people apart that too few people share.

use super::columns::{Columns, Identifying};
use super::report::Suppressed;
use crate::comparison::Comparison;
use crate::dataset::{Dataset, ReadError};
use crate::facts::hash;
use std::collections::{BTreeSet, HashMap};

/// What people say of themselves: for each column the values that one person has in it, as hashes. One who has
/// several is told apart by all of them together.
type Profile = Vec<BTreeSet<u64>>;

/// For each person what is not published of them, by their hash: one place per identifying column.
#[derive(Debug, Default)]
pub(super) struct Suppression {
    hidden: HashMap<u64, Vec<bool>>,
    /// What was suppressed, by column.
    pub(super) counts: Vec<Suppressed>,
}

/// Who the unit is: the annotator, or the conversation where annotators are unknown.
fn person(comparison: &Comparison<'_>) -> u64 {
    hash(comparison.annotator_id.as_deref().unwrap_or(&comparison.conversation_id))
}

fn value<'c>(comparison: &'c Comparison<'_>, column: Identifying) -> Option<&'c str> {
    let value = match column {
        Identifying::Extra(i) => comparison.extra.get(i)?,
        Identifying::Language => &comparison.language,
    };
    value.as_deref()
}

impl Suppression {
    /// Reads the datasets once and decides what is not published: as long as a combination is shared by fewer than
    /// `min_cell` people, the value of the least important column that it still has is given up.
    ///
    /// # Errors
    /// When a dataset cannot be read to its end.
    pub(super) fn decide(
        datasets: &[&Dataset],
        columns: &Columns,
        min_cell: u64,
    ) -> Result<Self, ReadError> {
        let identifying = &columns.identifying;
        if identifying.is_empty() || min_cell < 2 {
            return Ok(Self::default());
        }
        let mut people: HashMap<u64, Profile> = HashMap::new();
        for dataset in datasets {
            let each = |people: &mut HashMap<u64, Profile>, comparison: &Comparison<'_>| {
                let profile = people
                    .entry(person(comparison))
                    .or_insert_with(|| vec![BTreeSet::new(); identifying.len()]);
                for ((column, _), values) in identifying.iter().zip(profile) {
                    values.extend(value(comparison, *column).map(hash));
                }
            };
            dataset.fold(HashMap::new, each, |_, block| {
                for (person, profile) in block {
                    let known = people
                        .entry(person)
                        .or_insert_with(|| vec![BTreeSet::new(); identifying.len()]);
                    for (known, values) in known.iter_mut().zip(profile) {
                        known.extend(values);
                    }
                }
                Ok::<_, ReadError>(())
            })?;
        }
        let (hidden, n_hidden) = suppress(people, identifying.len(), min_cell);
        let counts = identifying.iter().zip(n_hidden);
        let counts = counts.map(|((_, name), n)| Suppressed { column: name.clone(), people: n });
        Ok(Self { hidden, counts: counts.collect() })
    }

    /// Takes out of a comparison what is not published of its annotator.
    pub(super) fn apply(&self, comparison: &mut Comparison<'_>, columns: &Columns, person: u64) {
        let Some(hidden) = self.hidden.get(&person) else { return };
        for ((column, _), hidden) in columns.identifying.iter().zip(hidden) {
            if !*hidden {
                continue;
            }
            match column {
                Identifying::Extra(i) => {
                    if let Some(value) = comparison.extra.get_mut(*i) {
                        *value = None;
                    }
                }
                Identifying::Language => comparison.language = None,
            }
        }
    }

    /// Who the comparison is of. To be asked before ids are replaced.
    pub(super) fn person(comparison: &Comparison<'_>) -> u64 {
        person(comparison)
    }
}

/// What is hidden of whom, and of how many people in each column.
fn suppress(
    mut people: HashMap<u64, Profile>,
    n_columns: usize,
    min_cell: u64,
) -> (HashMap<u64, Vec<bool>>, Vec<u64>) {
    let mut hidden: HashMap<u64, Vec<bool>> = HashMap::new();
    let mut n_hidden = vec![0; n_columns];
    for column in (0..n_columns).rev() {
        let mut cells: HashMap<&Profile, u64> = HashMap::new();
        for profile in people.values() {
            *cells.entry(profile).or_default() += 1;
        }
        let small = people.iter().filter(|(_, profile)| cells[profile] < min_cell);
        let small: Vec<u64> =
            small.filter(|(_, profile)| !profile[column].is_empty()).map(|(id, _)| *id).collect();
        for id in small {
            if let Some(profile) = people.get_mut(&id) {
                profile[column].clear();
            }
            hidden.entry(id).or_insert_with(|| vec![false; n_columns])[column] = true;
            n_hidden[column] += 1;
        }
    }
    (hidden, n_hidden)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// People with these values, of which `min_cell` must share what is published.
    fn check(people: &[(&str, &str)], min_cell: u64, expected: &[(&str, &str)]) {
        let set = |text: &str| text.split('+').filter(|v| !v.is_empty()).map(hash).collect();
        let profiles =
            people.iter().enumerate().map(|(i, (a, b))| (i as u64, vec![set(a), set(b)]));
        let (hidden, counts) = suppress(profiles.collect(), 2, min_cell);
        let found: Vec<(&str, &str)> = people
            .iter()
            .enumerate()
            .map(|(i, (a, b))| {
                let hides = |c: usize| hidden.get(&(i as u64)).is_some_and(|h| h[c]);
                (if hides(0) { "" } else { *a }, if hides(1) { "" } else { *b })
            })
            .collect();
        assert_eq!(found, expected);
        assert_eq!(
            counts.iter().sum::<u64>(),
            hidden.values().flatten().filter(|h| **h).count() as u64
        );
    }

    #[test]
    fn the_least_important_value_of_a_small_cell_goes_first() {
        check(
            &[("it", "x"), ("it", "x"), ("it", "y"), ("it", ""), ("fr", "x")],
            2,
            &[("it", "x"), ("it", "x"), ("it", ""), ("it", ""), ("", "")],
        );
        check(&[("it", "x"), ("it", "y")], 1, &[("it", "x"), ("it", "y")]);
        check(&[("it", "x"), ("it", "y")], 2, &[("it", ""), ("it", "")]);
        // Who has two values is told apart by both.
        check(
            &[("it+fr", "x"), ("it", "x"), ("it", "x"), ("fr", "x"), ("fr", "x")],
            2,
            &[("", ""), ("it", "x"), ("it", "x"), ("fr", "x"), ("fr", "x")],
        );
    }

    proptest::proptest! {
        #[test]
        fn whatever_is_left_is_shared_by_enough(
            people in proptest::collection::vec((0u64..4, 0u64..3, 0u64..5), 0..60),
            min_cell in 1u64..8,
        ) {
            let one = |value: u64| if value == 0 { BTreeSet::new() } else { BTreeSet::from([value]) };
            let profiles: HashMap<u64, Profile> = (0u64..)
                .zip(&people)
                .map(|(i, (a, b, c))| (i, vec![one(*a), one(*b), one(*c)]))
                .collect();
            let (hidden, _) = suppress(profiles.clone(), 3, min_cell);
            let mut cells: HashMap<Profile, u64> = HashMap::new();
            for (id, mut profile) in profiles {
                for (values, hides) in profile.iter_mut().zip(hidden.get(&id).into_iter().flatten()) {
                    if *hides {
                        values.clear();
                    }
                }
                *cells.entry(profile).or_default() += 1;
            }
            for (profile, n) in cells {
                proptest::prop_assert!(n >= min_cell || profile.iter().all(BTreeSet::is_empty));
            }
        }
    }
}
