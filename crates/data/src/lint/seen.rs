//! What remains of a comparison once its texts are gone: enough for the rules that look across the dataset.

use super::style::{Mark, Marks};
use super::texts::Texts;
use crate::comparison::Comparison;
use crate::facts::hash;

/// Sets of more candidates than this have no figures by position.
const MOST_CANDIDATES: usize = 16;
/// Conversations are gathered into this many clusters where nobody says who chose: many enough for any interval, few enough for any file.
const N_GROUPS: u64 = 4096;

/// Where a record stands: the number of the file, and the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Place {
    pub(super) file: u32,
    pub(super) line: u64,
}

/// A comparison without its texts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen {
    /// The number of who chose, within the block.
    pub(super) person: Option<u32>,
    pub(super) conversation: u64,
    /// The identity of the prompt and its candidates, if there are texts.
    pub(super) comparison: Option<u64>,
    pub(super) line: u64,
    pub(super) pick: Option<Pick>,
}

/// Choices that are alike as far as positions go: of as many candidates, in the first turn or later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Stratum {
    pub(super) is_later: bool,
    pub(super) n_candidates: u8,
}

/// One candidate, preferred to all others of its set.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Pick {
    pub(super) stratum: Stratum,
    /// The position of the chosen candidate, from 0.
    pub(super) chosen: u8,
    /// Whether positions are those that people saw. In files of chosen and rejected the chosen comes first because it was
    /// chosen.
    pub(super) has_places: bool,
    /// Only if the chosen candidate and another one have texts.
    pub(super) texts: Option<Contrast>,
}

/// The text of the chosen candidate beside those of the others.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Contrast {
    /// Whether no other text has more words.
    pub(super) is_longest: bool,
    /// The share of texts that are as long as the longest.
    pub(super) share_longest: f64,
    pub(super) chosen_words: f64,
    /// Mean of the others.
    pub(super) rejected_words: f64,
    pub(super) chosen_marks: Marks,
    /// The share of the others that have each mark, in the order of [`Mark::ALL`].
    pub(super) rejected_marks: [f64; 4],
}

impl Seen {
    pub(super) fn of(comparison: &Comparison<'_>, texts: &Texts, person: Option<u32>) -> Self {
        Self {
            person,
            conversation: hash(&comparison.conversation_id),
            comparison: texts.comparison_hash(),
            line: comparison.line,
            pick: Pick::of(comparison, texts),
        }
    }

    /// The cluster whose observations go together: who chose, or else the conversation. `person` is the number within the dataset.
    pub(super) fn cluster(&self, person: Option<u32>) -> usize {
        person.map_or((self.conversation % N_GROUPS) as usize, |person| {
            N_GROUPS as usize + person as usize
        })
    }
}

impl Pick {
    fn of(comparison: &Comparison<'_>, texts: &Texts) -> Option<Self> {
        let candidates = &comparison.candidates;
        let best = comparison.choice.best()?;
        if !(2..=MOST_CANDIDATES).contains(&candidates.len()) || best >= candidates.len() {
            return None;
        }
        let stratum =
            Stratum { is_later: comparison.turn > 1, n_candidates: candidates.len() as u8 };
        Some(Self {
            stratum,
            chosen: best as u8,
            has_places: candidates[best].id != "chosen",
            texts: Contrast::of(comparison, texts, best),
        })
    }
}

impl Contrast {
    fn of(comparison: &Comparison<'_>, texts: &Texts, best: usize) -> Option<Self> {
        let words = texts.words();
        let with_text =
            || comparison.candidates.iter().enumerate().filter(|(_, c)| c.text.is_some());
        let n_texts = with_text().count();
        if n_texts < 2 || comparison.candidates[best].text.is_none() {
            return None;
        }
        let longest = words.iter().copied().max().unwrap_or_default();
        let n_rejected = (n_texts - 1) as f64;
        let mut contrast = Self {
            is_longest: words[best] == longest,
            share_longest: with_text().filter(|(i, _)| words[*i] == longest).count() as f64
                / n_texts as f64,
            chosen_words: f64::from(words[best]),
            rejected_words: 0.0,
            chosen_marks: Marks::default(),
            rejected_marks: [0.0; 4],
        };
        for (i, candidate) in with_text() {
            let marks = Marks::of(candidate.text());
            if i == best {
                contrast.chosen_marks = marks;
                continue;
            }
            contrast.rejected_words += f64::from(words[i]) / n_rejected;
            for (share, mark) in contrast.rejected_marks.iter_mut().zip(Mark::ALL) {
                *share += f64::from(u8::from(marks.has(mark))) / n_rejected;
            }
        }
        Some(contrast)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::Case;

    fn pick(candidates: &[&str], chosen: usize) -> Option<Pick> {
        let comparison = Case::new("p", candidates).chosen(chosen).comparison();
        let mut texts = Texts::default();
        texts.read(&comparison);
        Seen::of(&comparison, &texts, None).pick
    }

    #[test]
    fn the_chosen_is_held_against_the_others() {
        let found = pick(&["one two", "- x\n- y", "# z", ""], 1).expect("a pick");
        assert_eq!(found.stratum, Stratum { is_later: false, n_candidates: 4 });
        let contrast = found.texts.expect("texts");
        assert!(contrast.is_longest && contrast.chosen_marks.has(Mark::List));
        assert_eq!((contrast.chosen_words, contrast.rejected_words), (4.0, 2.0));
        assert_eq!(contrast.share_longest, 1.0 / 3.0);
        assert_eq!(contrast.rejected_marks, [0.0, 0.5, 0.0, 0.0]);
    }

    #[test]
    fn without_texts_there_is_a_position_only() {
        assert_eq!(pick(&["", "x", "y"], 0).expect("a pick").texts, None);
        assert_eq!(pick(&["x", ""], 0).expect("a pick").texts, None);
        assert_eq!(pick(&["x"], 0), None);
    }
}
