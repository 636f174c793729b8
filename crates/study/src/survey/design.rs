//! `survey design`: who sees what. Each respondent sees some of the items, as many of each axis; over the respondents of a
//! country every item is seen equally often, to within one, and every order of its options too.
//!
//! Known: a respondent sees 20 of 60 items. Ours: how they are dealt, and the order of the options, which is drawn and kept.

use polyculture_core::{AssignedItem, Assignment, Item, PromptId, RespondentId, Seed, Shown};
use rand::Rng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use std::collections::{BTreeMap, HashMap};

/// Items that a respondent sees, if nothing else is said.
pub const ITEMS_PER_PERSON: usize = 20;

/// A quota: so many people of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quota {
    /// Where they are to be found.
    pub country: String,
    /// The language that they are asked in.
    pub language: String,
    /// What they are, such as age and gender.
    pub demographics: BTreeMap<String, String>,
    /// How many.
    pub n: usize,
}

/// How questionnaires are dealt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dealing {
    /// Items that a respondent sees.
    pub items_per_person: usize,
    /// Whether the default response stands among the options.
    pub with_default: bool,
    /// The root of all chance.
    pub seed: Seed,
}

/// Why a design cannot be drawn.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DesignError {
    /// Nobody is to be asked.
    #[error("the quotas ask for nobody")]
    Nobody,
    /// More items than there are, or none.
    #[error(
        "`{asked}` items a person: there are {available}, of {n_axes} axes, so 1 to {available} are possible"
    )]
    Items {
        /// What was asked for.
        asked: usize,
        /// Items that there are.
        available: usize,
        /// Axes that they probe.
        n_axes: usize,
    },
    /// A language in which items are missing.
    #[error(
        "the instrument has no item in language `{language}`, which {country} is to be asked in; it has {known}"
    )]
    Language {
        /// The language.
        language: String,
        /// Who is to be asked in it.
        country: String,
        /// Languages that there are.
        known: String,
    },
    /// A language with fewer items than another.
    #[error("item `{item}` is missing in language `{language}`")]
    Untranslated {
        /// The item.
        item: PromptId,
        /// The language.
        language: String,
    },
}

/// Deals a questionnaire to every place of the quotas. The items of a country come from decks of their own, so that
/// quotas of one country change nothing in another.
///
/// # Errors
/// If nobody is asked, more items are asked for than there are, or a language lacks items.
pub fn design(
    items: &[Item],
    quotas: &[Quota],
    dealing: &Dealing,
) -> Result<Vec<Assignment>, DesignError> {
    if quotas.iter().all(|quota| quota.n == 0) {
        return Err(DesignError::Nobody);
    }
    let by_axis = by_axis(items);
    let available: usize = by_axis.iter().map(Vec::len).sum();
    if dealing.items_per_person == 0 || dealing.items_per_person > available {
        return Err(DesignError::Items {
            asked: dealing.items_per_person,
            available,
            n_axes: by_axis.len(),
        });
    }
    check_languages(items, quotas)?;
    let mut countries: Vec<&str> = Vec::new();
    for quota in quotas {
        if !countries.contains(&quota.country.as_str()) {
            countries.push(&quota.country);
        }
    }
    let mut assignments = Vec::with_capacity(quotas.iter().map(|quota| quota.n).sum());
    for country in countries {
        let seed = dealing.seed.stream("survey design", country);
        let mut dealer = Dealer::new(&by_axis, dealing, seed);
        let mut number = 0;
        for quota in quotas.iter().filter(|quota| quota.country == country) {
            for _ in 0..quota.n {
                number += 1;
                assignments.push(Assignment {
                    respondent: RespondentId::new(format!("{}-{number:05}", slug(country)))
                        .expect("letters, digits and hyphens"),
                    country: country.to_owned(),
                    language: quota.language.clone(),
                    demographics: quota.demographics.clone(),
                    items: dealer.deal(number - 1),
                });
            }
        }
    }
    Ok(assignments)
}

/// The ids of the items of each axis, in the order of the instrument, whatever languages they are in.
fn by_axis(items: &[Item]) -> Vec<Vec<PromptId>> {
    let mut axes = Vec::new();
    let mut groups: Vec<Vec<PromptId>> = Vec::new();
    let mut seen = std::collections::HashSet::new();
    for item in items.iter().filter(|item| seen.insert(&item.id)) {
        let axis = axes.iter().position(|axis| *axis == &item.axis).unwrap_or_else(|| {
            axes.push(&item.axis);
            groups.push(Vec::new());
            axes.len() - 1
        });
        groups[axis].push(item.id.clone());
    }
    groups
}

fn check_languages(items: &[Item], quotas: &[Quota]) -> Result<(), DesignError> {
    let mut by_language: HashMap<&str, std::collections::HashSet<&PromptId>> = HashMap::new();
    for item in items {
        by_language.entry(&item.language).or_default().insert(&item.id);
    }
    for quota in quotas.iter().filter(|quota| quota.n > 0) {
        let Some(there) = by_language.get(quota.language.as_str()) else {
            let mut known: Vec<_> = by_language.keys().map(|l| format!("`{l}`")).collect();
            known.sort();
            return Err(DesignError::Language {
                language: quota.language.clone(),
                country: quota.country.clone(),
                known: known.join(", "),
            });
        };
        if let Some(missing) = items.iter().find(|item| !there.contains(&item.id)) {
            return Err(DesignError::Untranslated {
                item: missing.id.clone(),
                language: quota.language.clone(),
            });
        }
    }
    Ok(())
}

/// A country's name as part of an id.
fn slug(country: &str) -> String {
    let letters = country.chars().map(|c| if c.is_alphanumeric() { c } else { '-' });
    letters.flat_map(char::to_lowercase).collect()
}

/// Deals the questionnaires of one country.
struct Dealer<'a> {
    by_axis: &'a [Vec<PromptId>],
    decks: Vec<Deck>,
    /// For each item of each axis, a deck of the orders of its options.
    orders: Vec<Vec<Deck>>,
    permutations: Vec<Vec<Shown>>,
    items_per_person: usize,
    rng: ChaCha8Rng,
}

impl<'a> Dealer<'a> {
    fn new(by_axis: &'a [Vec<PromptId>], dealing: &Dealing, seed: Seed) -> Self {
        let options: &[Shown] = if dealing.with_default { &Shown::ALL } else { &Shown::ALL[..3] };
        let permutations = permutations(options);
        Self {
            decks: by_axis.iter().map(|items| Deck::new(items.len())).collect(),
            orders: by_axis
                .iter()
                .map(|items| vec![Deck::new(permutations.len()); items.len()])
                .collect(),
            by_axis,
            permutations,
            items_per_person: dealing.items_per_person,
            rng: ChaCha8Rng::seed_from_u64(seed.get()),
        }
    }

    fn deal(&mut self, number: usize) -> Vec<AssignedItem> {
        let mut dealt: Vec<AssignedItem> = Vec::with_capacity(self.items_per_person);
        for (axis, n) in self.shares(number).into_iter().enumerate() {
            for item in self.decks[axis].deal(n, &mut self.rng) {
                let order = self.orders[axis][item].deal(1, &mut self.rng)[0];
                dealt.push(AssignedItem {
                    item: self.by_axis[axis][item].clone(),
                    shown: self.permutations[order].clone(),
                });
            }
        }
        dealt.shuffle(&mut self.rng);
        dealt
    }

    /// How many items of each axis the respondent with this number sees: as many of each, what is left over to the axes in turn,
    /// and never more than an axis has.
    fn shares(&self, number: usize) -> Vec<usize> {
        let n_axes = self.by_axis.len();
        let mut shares = vec![0; n_axes];
        let mut left = self.items_per_person;
        let mut axis = number;
        while left > 0 {
            let at = axis % n_axes;
            if shares[at] < self.by_axis[at].len() {
                shares[at] += 1;
                left -= 1;
            }
            axis += 1;
        }
        shares
    }
}

/// A deck that is shuffled anew when it is dealt out.
#[derive(Debug, Clone)]
struct Deck {
    cards: Vec<usize>,
    next: usize,
}

impl Deck {
    fn new(n: usize) -> Self {
        Self { cards: (0..n).collect(), next: n }
    }

    /// The next `n` cards, all different.
    fn deal(&mut self, n: usize, rng: &mut impl Rng) -> Vec<usize> {
        let mut hand: Vec<usize> = Vec::with_capacity(n);
        while hand.len() < n {
            if self.next == self.cards.len() {
                self.cards.shuffle(rng);
                self.next = 0;
            }
            // After shuffling in the middle of a hand, a card of the hand may come again: a later one takes its turn.
            let other = (self.next..self.cards.len()).find(|at| !hand.contains(&self.cards[*at]));
            self.cards.swap(self.next, other.expect("a hand is no larger than the deck"));
            hand.push(self.cards[self.next]);
            self.next += 1;
        }
        hand
    }
}

fn permutations(options: &[Shown]) -> Vec<Vec<Shown>> {
    if options.is_empty() {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for (i, first) in options.iter().enumerate() {
        let rest: Vec<Shown> = [&options[..i], &options[i + 1..]].concat();
        for mut order in permutations(&rest) {
            order.insert(0, *first);
            all.push(order);
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use polyculture_core::Instrument;
    use proptest::prelude::*;
    use std::collections::HashSet;

    fn quota(country: &str, language: &str, n: usize) -> Quota {
        Quota {
            country: country.into(),
            language: language.into(),
            demographics: BTreeMap::new(),
            n,
        }
    }

    fn dealing(items_per_person: usize) -> Dealing {
        Dealing { items_per_person, with_default: true, seed: Seed::new(3) }
    }

    #[test]
    fn every_item_and_every_order_is_seen_equally_often() {
        let items = Instrument::inglehart_welzel();
        let made = design(items.items(), &[quota("Italy", "en", 72)], &dealing(20)).unwrap();
        let mut seen: HashMap<&PromptId, usize> = HashMap::new();
        let mut orders: HashMap<(&PromptId, &[Shown]), usize> = HashMap::new();
        for assignment in &made {
            let ids: HashSet<_> = assignment.items.iter().map(|assigned| &assigned.item).collect();
            assert_eq!(ids.len(), 20, "all different");
            assert_eq!(ids.iter().filter(|id| id.as_str().starts_with("ts")).count(), 10);
            for assigned in &assignment.items {
                *seen.entry(&assigned.item).or_default() += 1;
                *orders.entry((&assigned.item, &assigned.shown)).or_default() += 1;
            }
        }
        // 72 people times 10 of 30 items: each 24 times, each time in another of 24 orders.
        assert!(seen.len() == 60 && seen.values().all(|n| *n == 24), "{seen:?}");
        assert!(orders.len() == 60 * 24 && orders.values().all(|n| *n == 1));
    }

    #[test]
    fn a_country_does_not_depend_on_the_others() {
        let items = Instrument::inglehart_welzel();
        let alone = design(items.items(), &[quota("Italy", "en", 5)], &dealing(20)).unwrap();
        let both = [quota("India", "en", 3), quota("Italy", "en", 5)];
        let both = design(items.items(), &both, &dealing(20)).unwrap();
        assert_eq!(both[3..], alone[..]);
        assert_eq!(alone[0].respondent.as_str(), "italy-00001");
    }

    #[test]
    fn what_cannot_be_designed_is_said() {
        let items = Instrument::inglehart_welzel();
        let check = |quotas: &[Quota], n: usize, expected: &str| {
            let error = design(items.items(), quotas, &dealing(n)).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        };
        check(&[quota("Italy", "en", 0)], 20, "ask for nobody");
        check(&[quota("Italy", "en", 1)], 61, "there are 60, of 2 axes");
        check(&[quota("Wales", "cy", 1)], 20, "no item in language `cy`, which Wales");
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, rng_seed: proptest::test_runner::RngSeed::Fixed(1), ..ProptestConfig::default() })]

        #[test]
        fn hands_have_no_pairs_and_decks_run_out_together(
            size in 1usize..12, hands in prop::collection::vec(1usize..12, 1..30), seed in 0u64..1000
        ) {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            let mut deck = Deck::new(size);
            let mut seen = vec![0usize; size];
            for n in hands {
                let hand = deck.deal(n.min(size), &mut rng);
                prop_assert_eq!(hand.iter().collect::<HashSet<_>>().len(), hand.len());
                hand.iter().for_each(|card| seen[*card] += 1);
                let (least, most) = (seen.iter().min().unwrap(), seen.iter().max().unwrap());
                prop_assert!(most - least <= 1, "{:?}", seen);
            }
        }
    }
}
