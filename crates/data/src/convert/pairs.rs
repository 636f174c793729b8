//! Which candidates of a comparison stand against each other.

use super::left_out::Reason;
use super::similarity::{Shingles, shingles};
use crate::comparison::{Candidate, Choice, Comparison};
use crate::identity::fold;
use polyculture_core::Seed;
use serde::Serialize;

/// Which rejected candidates a chosen one is set against, where there are several.
///
/// A choice puts candidates into levels: the chosen before the others; each of a ranking by itself; scores from
/// the highest down. Candidates without a text, and those that say the same as the chosen one, take no part.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PairRule {
    /// Every candidate against each of every lower level.
    #[default]
    All,
    /// Each of the highest level against one of the others at random; the seed and the comparison decide.
    Random,
    /// Each of the highest level against the most similar text (word trigrams in common): the hardest pair.
    Closest,
    /// Each of the highest level against the nearest score.
    ClosestScore,
    /// Each of the highest level against the last: of a ranking, or the lowest score.
    BestWorst,
}

impl PairRule {
    const NAMES: [(PairRule, &'static str); 5] = [
        (PairRule::All, "all"),
        (PairRule::Random, "random"),
        (PairRule::Closest, "closest"),
        (PairRule::ClosestScore, "closest-score"),
        (PairRule::BestWorst, "best-worst"),
    ];

    /// All rules with their names on the command line.
    pub fn all() -> impl Iterator<Item = (PairRule, &'static str)> {
        Self::NAMES.into_iter()
    }

    /// The rule of that name.
    #[must_use]
    pub fn from_id(id: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(_, known)| *known == id).map(|(rule, _)| *rule)
    }
}

/// Candidates with texts, from best to worst.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Levels {
    levels: Vec<Vec<usize>>,
}

/// Chosen and rejected candidates by position, and how many pairs say the same on both sides.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Pairs {
    pub(super) pairs: Vec<(usize, usize)>,
    pub(super) n_equal: u64,
}

impl Levels {
    /// The levels of a comparison.
    ///
    /// # Errors
    /// When nothing was preferred, or what was has no text.
    pub(super) fn of(comparison: &Comparison<'_>) -> Result<Self, Reason> {
        let candidates = &comparison.candidates;
        let mut levels = match &comparison.choice {
            Choice::None => return Err(Reason::NoChoice),
            Choice::Tie => return Err(Reason::Tie),
            Choice::One(_) | Choice::Several(_) => {
                let chosen = comparison.choice.chosen().to_vec();
                let others = (0..candidates.len()).filter(|i| !chosen.contains(i)).collect();
                vec![chosen, others]
            }
            Choice::Ranking(order) => order.iter().map(|i| vec![*i]).collect(),
            Choice::Scores => by_score(comparison)?,
        };
        let has_text =
            |i: &usize| candidates[*i].text.as_ref().is_some_and(|t| !t.trim().is_empty());
        levels.iter_mut().for_each(|level| level.retain(has_text));
        if levels.first().is_none_or(Vec::is_empty) {
            return Err(Reason::ChoiceWithoutText);
        }
        levels.retain(|level| !level.is_empty());
        Ok(Self { levels })
    }

    /// What was preferred to all others.
    pub(super) fn highest(&self) -> &[usize] {
        &self.levels[0]
    }

    /// The pairs that a rule makes.
    ///
    /// # Errors
    /// When nothing was rejected, all pairs say the same on both sides, or the rule asks for what is not there.
    pub(super) fn pairs(
        &self,
        comparison: &Comparison<'_>,
        rule: PairRule,
        only_highest: bool,
        seed: Seed,
    ) -> Result<Pairs, Reason> {
        let n_better = match rule {
            PairRule::All if !only_highest => self.levels.len() - 1,
            _ => 1,
        };
        if self.levels.len() < 2 {
            return Err(Reason::NothingRejected);
        }
        let mut pairs = Pairs::default();
        let mut shingled = None;
        for (i, better) in self.levels[..n_better].iter().enumerate() {
            for chosen in better {
                let lower = self.levels[i + 1..].iter().flatten();
                let text = |i: usize| comparison.candidates[i].text();
                let is_equal = |other: &&usize| says_the_same(text(**other), text(*chosen));
                pairs.n_equal += lower.clone().filter(is_equal).count() as u64;
                let against: Vec<usize> = lower.filter(|other| !is_equal(other)).copied().collect();
                if against.is_empty() {
                    continue;
                }
                let pick = match rule {
                    PairRule::All => {
                        pairs.pairs.extend(against.iter().map(|rejected| (*chosen, *rejected)));
                        continue;
                    }
                    PairRule::Random => random(comparison, *chosen, &against, seed),
                    PairRule::Closest => closest(comparison, *chosen, &against, &mut shingled),
                    PairRule::ClosestScore => closest_score(comparison, *chosen, &against)?,
                    PairRule::BestWorst => self.worst(comparison, &against)?,
                };
                pairs.pairs.push((*chosen, pick));
            }
        }
        if pairs.pairs.is_empty() { Err(Reason::EqualTexts) } else { Ok(pairs) }
    }

    /// The last of a ranking or of scores; among candidates that were simply not chosen, the lowest score.
    fn worst(&self, comparison: &Comparison<'_>, against: &[usize]) -> Result<usize, Reason> {
        let score = |i: usize| comparison.candidates[i].score;
        let is_ordered = !matches!(comparison.choice, Choice::One(_) | Choice::Several(_));
        match against {
            [only] => Ok(*only),
            _ if is_ordered => {
                let is_last = |i: &&usize| self.levels.last().is_some_and(|last| last.contains(i));
                // Equal texts can have taken the whole last level.
                Ok(against.iter().find(is_last).or(against.last()).copied().unwrap_or(against[0]))
            }
            _ if against.iter().all(|i| score(*i).is_some()) => {
                Ok(first_least(against, |i| score(i).unwrap_or(f64::INFINITY)))
            }
            _ => Err(Reason::NoOrder),
        }
    }
}

/// Whether two texts are the same, lower-cased and with white space folded: [`fold`] of both, as far as they are alike.
fn says_the_same(a: &str, b: &str) -> bool {
    let lower = |word: &str| word.chars().flat_map(char::to_lowercase).collect::<Vec<_>>();
    let (mut a, mut b) = (a.split_whitespace(), b.split_whitespace());
    loop {
        match (a.next(), b.next()) {
            (None, None) => return true,
            (Some(a), Some(b)) if a == b || lower(a) == lower(b) => {}
            _ => return false,
        }
    }
}

fn closest(
    comparison: &Comparison<'_>,
    chosen: usize,
    against: &[usize],
    shingled: &mut Option<Vec<Shingles>>,
) -> usize {
    let shingles = shingled.get_or_insert_with(|| {
        let folded: Vec<String> = comparison.candidates.iter().map(folded).collect();
        let texts: Vec<&str> = folded.iter().map(String::as_str).collect();
        shingles(&texts)
    });
    let similarity = |i: usize| shingles[i].similarity(&shingles[chosen]);
    first_least(against, |i| -similarity(i))
}

fn folded(candidate: &Candidate<'_>) -> String {
    let mut folded = String::new();
    fold(candidate.text(), &mut folded);
    folded
}

/// The candidates by their scores, the highest first; those without one have no place.
fn by_score(comparison: &Comparison<'_>) -> Result<Vec<Vec<usize>>, Reason> {
    let scores = comparison.candidates.iter().enumerate();
    let mut scored: Vec<(usize, f64)> =
        scores.filter_map(|(i, c)| Some((i, c.score.filter(|s| !s.is_nan())?))).collect();
    scored.sort_by(|a, b| b.1.total_cmp(&a.1));
    let levels: Vec<Vec<usize>> = scored
        .chunk_by(|a, b| a.1 == b.1)
        .map(|same| same.iter().map(|(i, _)| *i).collect())
        .collect();
    match levels.len() {
        0 => Err(Reason::NoChoice),
        1 if scored.len() > 1 => Err(Reason::Tie),
        _ => Ok(levels),
    }
}

fn random(comparison: &Comparison<'_>, chosen: usize, against: &[usize], seed: Seed) -> usize {
    let key = key(comparison, &[&comparison.candidates[chosen].id]);
    against[(seed.stream("convert", key).get() % against.len() as u64) as usize]
}

/// What a comparison's chance is named after: the same wherever its row stands.
pub(super) fn key(comparison: &Comparison<'_>, rest: &[&str]) -> String {
    let annotator = comparison.annotator_id.as_deref().unwrap_or_default();
    let turn = comparison.turn.to_string();
    let mut parts = vec![comparison.conversation_id.as_ref(), &turn, annotator];
    parts.extend(rest);
    parts.join("\u{1f}")
}

fn closest_score(
    comparison: &Comparison<'_>,
    chosen: usize,
    against: &[usize],
) -> Result<usize, Reason> {
    let score = |i: usize| comparison.candidates[i].score.filter(|score| !score.is_nan());
    let of_chosen = score(chosen).ok_or(Reason::NoScores)?;
    let scored: Vec<usize> = against.iter().copied().filter(|i| score(*i).is_some()).collect();
    if scored.is_empty() {
        return Err(Reason::NoScores);
    }
    Ok(first_least(&scored, |i| (score(i).unwrap_or(f64::INFINITY) - of_chosen).abs()))
}

/// The first of those for which `of` is least. There is at least one.
fn first_least(among: &[usize], of: impl Fn(usize) -> f64) -> usize {
    let least = among.iter().copied().min_by(|a, b| of(*a).total_cmp(&of(*b)));
    least.expect("there is something to choose from")
}

#[cfg(test)]
mod tests;
