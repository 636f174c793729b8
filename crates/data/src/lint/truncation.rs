//! What would be cut off if texts were cut to a length in tokens.

use crate::comparison::Comparison;
use crate::facts::hash;
use crate::finding::{Finding, Findings, Rule};
use serde::Serialize;
use std::collections::{BTreeMap, HashMap};

/// Counts tokens; the port to whatever tokenizer will cut the texts.
pub trait TokenCounter: Sync {
    /// Tokens of a text that stands alone; what a template for chats puts around it is not in it.
    fn count(&self, text: &str) -> usize;
}

/// Whether candidates were chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// Chosen.
    Chosen,
    /// Not chosen where another one was.
    Rejected,
}

/// How many candidates of a turn lose text at the end, when history, prompt and candidate are cut to the longest length.
///
/// What a template for chats adds is not counted, so that these are lower bounds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Truncation {
    /// The turn, from 1.
    pub turn: u32,
    /// Of which candidates.
    pub side: Side,
    /// Candidates with text.
    pub n: u64,
    /// Those that are cut.
    pub n_cut: u64,
    /// Those of which nothing is left: history and prompt alone are as long as the longest length.
    pub n_gone: u64,
    /// Tokens of the longest, with history and prompt.
    pub longest: u64,
    /// Tokens of all, with history and prompt.
    pub tokens: u64,
}

/// Counts by turn and side.
#[derive(Debug, Default)]
pub(super) struct Truncations {
    rows: BTreeMap<(u32, Side), Truncation>,
    /// Token counts of the last conversation's texts, which stand in the history of its later turns.
    counted: HashMap<u64, u64>,
    conversation: String,
}

impl Truncations {
    /// Counts the chosen and the others of a comparison, and reports [`Rule::Truncated`] once if any is cut.
    pub(super) fn look(
        &mut self,
        comparison: &Comparison<'_>,
        counter: &dyn TokenCounter,
        longest: usize,
        findings: &mut Findings,
    ) {
        let chosen = comparison.choice.chosen();
        if chosen.is_empty() {
            return;
        }
        if self.conversation != comparison.conversation_id {
            comparison.conversation_id.as_ref().clone_into(&mut self.conversation);
            self.counted.clear();
        }
        // Of a ranking the first is chosen.
        let chosen = comparison.choice.best().map_or(chosen.to_vec(), |best| vec![best]);
        let longest = longest as u64;
        let history: u64 = comparison.history.iter().map(|m| self.count(&m.text, counter)).sum();
        let before = history + self.count(&comparison.prompt, counter);
        let mut first_cut = None;
        for (i, candidate) in comparison.candidates.iter().enumerate() {
            let Some(text) = candidate.text.as_deref() else {
                continue;
            };
            let tokens = before + self.count(text, counter);
            let side = if chosen.contains(&i) { Side::Chosen } else { Side::Rejected };
            let row = self.row(comparison.turn, side);
            row.n += 1;
            row.tokens += tokens;
            row.longest = row.longest.max(tokens);
            row.n_gone += u64::from(before >= longest);
            if tokens > longest {
                row.n_cut += 1;
                first_cut.get_or_insert((&candidate.id, tokens));
            }
        }
        if let Some((id, tokens)) = first_cut {
            findings.push_with(Rule::Truncated, || {
                let column = format!("turn {}, candidate {id}", comparison.turn);
                let value = format!(
                    "{tokens} tokens, {before} of them before the candidate; {longest} fit"
                );
                Finding::new(Rule::Truncated, comparison.line, Some(&column), &value)
            });
        }
    }

    fn count(&mut self, text: &str, counter: &dyn TokenCounter) -> u64 {
        *self.counted.entry(hash(text)).or_insert_with(|| counter.count(text) as u64)
    }

    fn row(&mut self, turn: u32, side: Side) -> &mut Truncation {
        let empty = Truncation { turn, side, n: 0, n_cut: 0, n_gone: 0, longest: 0, tokens: 0 };
        self.rows.entry((turn, side)).or_insert(empty)
    }

    pub(super) fn merge(&mut self, later: Truncations) {
        for ((turn, side), row) in later.rows {
            let mine = self.row(turn, side);
            mine.n += row.n;
            mine.n_cut += row.n_cut;
            mine.n_gone += row.n_gone;
            mine.longest = mine.longest.max(row.longest);
            mine.tokens += row.tokens;
        }
    }

    pub(super) fn finish(self) -> Vec<Truncation> {
        self.rows.into_values().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::comparison::{Message, Role};
    use crate::lint::testing::Case;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// A token is a word.
    #[derive(Default)]
    struct Words(AtomicUsize);

    impl TokenCounter for Words {
        fn count(&self, text: &str) -> usize {
            self.0.fetch_add(1, Ordering::Relaxed);
            text.split_whitespace().count()
        }
    }

    #[test]
    fn what_is_cut_is_counted_by_turn_and_side() {
        let words = Words::default();
        let (mut truncations, mut findings) = (Truncations::default(), Findings::default());
        let first =
            Case::new("one two", &["three four", "three four five", ""]).chosen(0).comparison();
        let message = |role, text| Message { role, text: std::borrow::Cow::Borrowed(text) };
        let mut second = Case::new("three", &["four five", "four"]).chosen(1).comparison();
        second.turn = 2;
        second.history =
            vec![message(Role::User, "one two"), message(Role::Assistant, "three four")];
        let mut block = Truncations::default();
        for comparison in [&first, &second, &Case::new("one", &["two"]).comparison()] {
            block.look(comparison, &words, 4, &mut findings);
        }
        truncations.merge(block);
        let found: Vec<_> = truncations
            .finish()
            .iter()
            .map(|t| (t.turn, t.side, t.n, t.n_cut, t.n_gone, t.longest))
            .collect();
        assert_eq!(
            found,
            [
                (1, Side::Chosen, 1, 0, 0, 4),
                (1, Side::Rejected, 1, 1, 0, 5),
                (2, Side::Chosen, 1, 1, 1, 6),
                (2, Side::Rejected, 1, 1, 1, 7),
            ]
        );
        let values: Vec<&str> =
            findings.iter().flat_map(|(_, _, e)| e).map(|e| &*e.value).collect();
        assert_eq!(
            values,
            [
                "5 tokens, 2 of them before the candidate; 4 fit",
                "7 tokens, 5 of them before the candidate; 4 fit",
            ]
        );
        // The history of the second turn was counted in the first.
        assert_eq!(words.0.load(Ordering::Relaxed), 6);
    }
}
