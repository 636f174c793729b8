//! What follows from a comparison's texts: identities and counts of words, in one pass over them.

use crate::comparison::Comparison;
use crate::identity::fold_bytes;
use xxhash_rust::xxh3::xxh3_64;

/// Between the texts of a comparison when its identity is made.
const SEPARATOR: u8 = 0x1f;

/// Room that is used again from comparison to comparison.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    text: Vec<u8>,
    /// Words of each candidate.
    pub(crate) words: Vec<u32>,
}

/// What follows from a comparison's texts.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Facts {
    /// The identity of the prompt; nothing if it is empty.
    pub(crate) prompt_hash: Option<u64>,
    /// The identity of the prompt and its candidates; of the conversation, if there are no texts.
    pub(crate) comparison_hash: u64,
    pub(crate) prompt_words: u32,
    /// The rest only where one candidate was preferred and has a text.
    pub(crate) chosen_words: Option<u32>,
    pub(crate) rejected_words: Option<u32>,
    pub(crate) n_rejected: Option<u32>,
    /// Only where all candidates have texts, too.
    pub(crate) chosen_is_longest: Option<bool>,
    pub(crate) chosen_is_shortest: Option<bool>,
}

/// The 64-bit hash of identities. Two of a million different texts share one with a chance of 3 in 100 million.
pub(crate) fn hash(text: &str) -> u64 {
    xxh3_64(text.as_bytes())
}

impl Facts {
    pub(crate) fn of(comparison: &Comparison<'_>, scratch: &mut Scratch) -> Self {
        let Scratch { text, words } = scratch;
        text.clear();
        words.clear();
        let prompt_words = fold_bytes(&comparison.prompt, text);
        let n_prompt = text.len();
        for candidate in &comparison.candidates {
            text.push(SEPARATOR);
            words.push(fold_bytes(candidate.text(), text));
        }
        let has_texts = text.len() > comparison.candidates.len();
        let mut facts = Self {
            prompt_hash: (n_prompt > 0).then(|| xxh3_64(&text[..n_prompt])),
            comparison_hash: if has_texts {
                xxh3_64(text)
            } else {
                hash(&comparison.conversation_id)
            },
            prompt_words,
            ..Self::default()
        };
        let candidates = &comparison.candidates;
        if let Some(best) = comparison.choice.best().filter(|b| candidates[*b].text.is_some()) {
            let n_texts = candidates.iter().filter(|c| c.text.is_some()).count() as u32;
            let chosen = words[best];
            facts.chosen_words = Some(chosen);
            facts.rejected_words = Some(words.iter().sum::<u32>() - chosen);
            facts.n_rejected = Some(n_texts - 1);
            if n_texts as usize == candidates.len() {
                facts.chosen_is_longest = Some(words.iter().all(|n| *n <= chosen));
                facts.chosen_is_shortest = Some(words.iter().all(|n| *n >= chosen));
            }
        }
        facts
    }
}
