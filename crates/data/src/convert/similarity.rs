//! How alike two texts are: the Jaccard index of their word trigrams.

use xxhash_rust::xxh3::xxh3_64;

/// Words, or characters, in a shingle.
const N: usize = 3;

/// The shingles of a text, each once.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Shingles {
    hashes: Vec<u64>,
}

/// The shingles of texts that are to be compared, lower-cased and with white space folded: trigrams of words; of
/// characters, if one of the texts has fewer than three words (short answers, scripts without spaces) and yet says something.
pub(super) fn shingles(folded: &[&str]) -> Vec<Shingles> {
    let has_few = |text: &&str| !text.is_empty() && text.split(' ').nth(N - 1).is_none();
    let by_characters = folded.iter().any(has_few);
    folded.iter().map(|text| if by_characters { characters(text) } else { words(text) }).collect()
}

fn words(folded: &str) -> Shingles {
    let starts: Vec<usize> = std::iter::once(0)
        .chain(folded.bytes().enumerate().filter(|(_, byte)| *byte == b' ').map(|(i, _)| i + 1))
        .collect();
    // The end of each word is just before the space that the next begins after.
    let end = |word: usize| starts.get(word + 1).map_or(folded.len(), |next| next - 1);
    let last = starts.len().saturating_sub(N - 1);
    Shingles::new((0..last).map(|i| &folded[starts[i]..end(i + N - 1)]))
}

fn characters(folded: &str) -> Shingles {
    let starts: Vec<usize> = folded.char_indices().map(|(i, _)| i).chain([folded.len()]).collect();
    if starts.len() <= N {
        return Shingles::new([folded]);
    }
    Shingles::new(starts.windows(N + 1).map(|window| &folded[window[0]..window[N]]))
}

impl Shingles {
    fn new<'t>(parts: impl IntoIterator<Item = &'t str>) -> Self {
        let mut hashes: Vec<u64> = parts.into_iter().map(|part| xxh3_64(part.as_bytes())).collect();
        hashes.sort_unstable();
        hashes.dedup();
        Self { hashes }
    }

    /// The share of all shingles that both have, from 0 to 1.
    pub(super) fn similarity(&self, other: &Self) -> f64 {
        let (mut i, mut j, mut n_both) = (0, 0, 0usize);
        while let (Some(a), Some(b)) = (self.hashes.get(i), other.hashes.get(j)) {
            n_both += usize::from(a == b);
            i += usize::from(a <= b);
            j += usize::from(b <= a);
        }
        let n_all = self.hashes.len() + other.hashes.len() - n_both;
        if n_all == 0 { 1.0 } else { n_both as f64 / n_all as f64 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_as_alike_as_their_trigrams() {
        fn check(a: &str, b: &str, expected: f64) {
            let shingles = shingles(&[a, b]);
            let similarity = shingles[0].similarity(&shingles[1]);
            assert!((similarity - expected).abs() < 1e-12, "{a} / {b}: {similarity}");
            assert_eq!(similarity, shingles[1].similarity(&shingles[0]));
        }
        check("one two three", "one two three", 1.0);
        check("one two three four", "one two three five", 1.0 / 3.0);
        check("a b c d", "w x y z", 0.0);
        // Character by character: "yes", "es.", "s. " and so on.
        check("yes", "yes.", 0.5);
        check("नमस्ते", "नमस्ते", 1.0);
        check("", "", 1.0);
        check("", "one two three", 0.0);
        check("", "one", 0.0);
    }
}
