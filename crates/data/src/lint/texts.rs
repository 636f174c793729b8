//! The texts of a comparison, folded once for all rules that ask whether two texts are the same.

use crate::comparison::Comparison;
use crate::identity::fold_bytes;
use xxhash_rust::xxh3::xxh3_64;

/// Between the texts of a comparison when its identity is made; as in [`crate::facts`].
const SEPARATOR: u8 = 0x1f;

/// The folded texts of a comparison, in room that is used again.
#[derive(Debug, Default)]
pub(super) struct Texts {
    folded: Vec<u8>,
    /// Where the prompt and then each candidate ends.
    ends: Vec<usize>,
    words: Vec<u32>,
}

impl Texts {
    /// Takes the texts of the next comparison.
    pub(super) fn read(&mut self, comparison: &Comparison<'_>) {
        self.folded.clear();
        self.ends.clear();
        self.words.clear();
        fold_bytes(&comparison.prompt, &mut self.folded);
        self.ends.push(self.folded.len());
        for candidate in &comparison.candidates {
            self.folded.push(SEPARATOR);
            self.words.push(fold_bytes(candidate.text(), &mut self.folded));
            self.ends.push(self.folded.len());
        }
    }

    pub(super) fn prompt(&self) -> &str {
        std::str::from_utf8(&self.folded[..self.ends[0]]).expect("whole texts are folded")
    }

    /// In UTF-8.
    pub(super) fn candidate(&self, i: usize) -> &[u8] {
        &self.folded[self.ends[i] + 1..self.ends[i + 1]]
    }

    /// Words of each candidate.
    pub(super) fn words(&self) -> &[u32] {
        &self.words
    }

    /// The identity of the prompt; nothing if it is empty.
    pub(super) fn prompt_hash(&self) -> Option<u64> {
        let prompt = &self.folded[..self.ends[0]];
        (!prompt.is_empty()).then(|| xxh3_64(prompt))
    }

    /// The identity of the prompt and its candidates; nothing if there are no texts.
    pub(super) fn comparison_hash(&self) -> Option<u64> {
        (self.folded.len() > self.words.len()).then(|| xxh3_64(&self.folded))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{Facts, Scratch};
    use crate::lint::testing::Case;

    #[test]
    fn identities_are_those_of_the_statistics() {
        let mut texts = Texts::default();
        for (prompt, candidates) in [("Hi  THERE", ["a b", "C"]), ("", ["x", ""]), ("p", ["", ""])]
        {
            let comparison = Case::new(prompt, &candidates).comparison();
            texts.read(&comparison);
            let facts = Facts::of(&comparison, &mut Scratch::default());
            assert_eq!(texts.prompt_hash(), facts.prompt_hash);
            assert_eq!(texts.comparison_hash(), Some(facts.comparison_hash));
        }
        texts.read(&Case::new("", &["", ""]).comparison());
        assert_eq!(texts.comparison_hash(), None);
    }

    #[test]
    fn texts_are_told_apart() {
        let mut texts = Texts::default();
        texts.read(&Case::new("Hi  THERE", &["a  B", "", "Ç"]).comparison());
        assert_eq!(texts.prompt(), "hi there");
        assert_eq!([0, 1, 2].map(|i| texts.candidate(i)), ["a b", "", "ç"].map(str::as_bytes));
        assert_eq!(texts.words(), [2, 0, 1]);
    }
}
