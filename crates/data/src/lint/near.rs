//! First prompts that are nearly, but not quite, the same: MinHash signatures, and bands of them to find pairs.
//!
//! Broder 1997 (On the resemblance and containment of documents): the chance that two sets have the same minimum under a random hash
//! is their Jaccard similarity. Here one hash deals the pieces out into bins, each bin keeps its minimum, and empty bins borrow
//! from others (Shrivastava 2017, Optimal densification for fast and accurate minwise hashing).

use super::seen::Place;
use super::texts::Texts;
use crate::comparison::Comparison;
use crate::finding::{Finding, Findings, Rule, shorten};
use serde::Serialize;
use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use xxhash_rust::xxh3::xxh3_64;

/// Letters of a piece.
const PIECE: usize = 5;
/// Bins of a signature: the standard error of a similarity of .8 is .05.
const BINS: usize = 64;
/// Pairs are looked for among prompts that share one of these bands of bins: a pair of similarity .8 is met with a chance of .985, one of
/// .9 with one of .9999.
const BANDS: usize = 8;
const BAND: usize = 4;
/// The share of equal bins from which on a pair is reported.
const NEAR: f64 = 0.8;
/// Different prompts that are kept, at some 350 bytes each; later ones are held against these only.
const MOST_PROMPTS: usize = 250_000;

/// First prompts that are nearly the same as an earlier one.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct NearDuplicates {
    /// Different first prompts.
    pub n_prompts: u64,
    /// Those that are nearly the same as an earlier one of another conversation.
    pub n_near: u64,
    /// The estimated share of 5-letter pieces in common from which on two prompts are nearly the same.
    pub similarity: f64,
    /// Prompts after the first 250,000 different ones: they were held against those, but not against each other.
    pub n_beyond_cap: u64,
}

type Signature = [u16; BINS];

/// A first prompt.
#[derive(Debug)]
pub(super) struct Prompt {
    hash: u64,
    conversation: u64,
    line: u64,
    signature: Box<Signature>,
    beginning: String,
}

/// The different first prompts of a block.
#[derive(Debug, Default)]
pub(super) struct BlockPrompts {
    seen: HashSet<u64>,
    prompts: Vec<Prompt>,
    letters: Vec<u32>,
}

impl BlockPrompts {
    pub(super) fn look(&mut self, comparison: &Comparison<'_>, texts: &Texts) {
        let Some(hash) = texts.prompt_hash().filter(|_| comparison.turn <= 1) else {
            return;
        };
        if self.seen.insert(hash) {
            self.prompts.push(Prompt {
                hash,
                conversation: crate::facts::hash(&comparison.conversation_id),
                line: comparison.line,
                signature: Box::new(signature(texts.prompt(), &mut self.letters)),
                beginning: beginning(&comparison.prompt),
            });
        }
    }
}

/// What can be shown of a text: looks at its beginning only.
pub(super) fn beginning(text: &str) -> String {
    shorten(&text[..text.floor_char_boundary(400)])
}

/// The different first prompts of a dataset.
#[derive(Debug, Default)]
pub(super) struct Near {
    known: HashSet<u64>,
    kept: Vec<Kept>,
    /// The first prompt of each band.
    bands: HashMap<u64, u32>,
    n_near: u64,
    n_beyond_cap: u64,
}

#[derive(Debug)]
struct Kept {
    place: Place,
    conversation: u64,
    signature: Box<Signature>,
}

impl Near {
    /// Adds the prompts of a block, and reports [`Rule::NearDuplicatePrompt`].
    pub(super) fn merge(
        &mut self,
        block: BlockPrompts,
        file: u32,
        files: &[String],
        findings: &mut Findings,
    ) {
        for prompt in block.prompts {
            if !self.known.insert(prompt.hash) {
                continue;
            }
            let place = Place { file, line: prompt.line };
            let is_kept = self.kept.len() < MOST_PROMPTS;
            let number = self.kept.len() as u32;
            let mut nearest: Option<(f64, u32)> = None;
            for band in bands(&prompt.signature) {
                let other = match self.bands.entry(band) {
                    Entry::Occupied(other) => *other.get(),
                    Entry::Vacant(room) => {
                        if is_kept {
                            room.insert(number);
                        }
                        continue;
                    }
                };
                // Two bands of one prompt may be alike.
                let Some(kept) = self.kept.get(other as usize) else {
                    continue;
                };
                let similarity = similarity(&kept.signature, &prompt.signature);
                if kept.conversation != prompt.conversation
                    && similarity >= NEAR
                    && nearest.is_none_or(|(s, _)| similarity > s)
                {
                    nearest = Some((similarity, other));
                }
            }
            if let Some((similarity, other)) = nearest {
                self.n_near += 1;
                let earlier = self.kept[other as usize].place;
                findings.push_with(Rule::NearDuplicatePrompt, || {
                    let value = format!(
                        "{:.0} % like that of line {}{}: {}",
                        100.0 * similarity,
                        earlier.line,
                        if earlier.file == file {
                            String::new()
                        } else {
                            format!(" of {}", files[earlier.file as usize])
                        },
                        prompt.beginning
                    );
                    let file = files[file as usize].clone();
                    Finding {
                        file,
                        ..Finding::new(
                            Rule::NearDuplicatePrompt,
                            place.line,
                            Some("prompt"),
                            &value,
                        )
                    }
                });
            }
            if is_kept {
                let Prompt { conversation, signature, .. } = prompt;
                self.kept.push(Kept { place, conversation, signature });
            } else {
                self.n_beyond_cap += 1;
            }
        }
    }

    pub(super) fn finish(&self) -> NearDuplicates {
        NearDuplicates {
            n_prompts: self.known.len() as u64,
            n_near: self.n_near,
            similarity: NEAR,
            n_beyond_cap: self.n_beyond_cap,
        }
    }
}

/// The signature of a folded text: of its pieces of five letters or digits, marks and white space left out.
fn signature(folded: &str, letters: &mut Vec<u32>) -> Signature {
    letters.clear();
    letters.extend(folded.chars().filter(|c| is_letter(*c)).map(u32::from));
    if letters.is_empty() {
        letters.extend(folded.chars().map(u32::from));
    }
    let mut smallest = [u32::MAX; BINS];
    for piece in letters.windows(PIECE.min(letters.len())) {
        let hash = mix(piece
            .iter()
            .fold(0, |hash: u64, c| hash.wrapping_mul(0x0001_0000_01b3) ^ u64::from(*c)));
        let bin = &mut smallest[(hash >> 58) as usize];
        // The lower half; the largest number marks an empty bin.
        *bin = (*bin).min((hash as u32).min(u32::MAX - 1));
    }
    let mut signature = [0; BINS];
    for (bin, value) in signature.iter_mut().enumerate() {
        let mut from = bin;
        let mut attempt = 0;
        while smallest[from] == u32::MAX {
            attempt += 1;
            from = (mix(((bin as u64) << 32) | attempt) >> 58) as usize;
        }
        // Of a minimum the lower bits still look like chance.
        *value = smallest[from] as u16;
    }
    signature
}

fn is_letter(c: char) -> bool {
    // Vowel signs and the like belong to words; the marks of other scripts than these are left in.
    if c.is_ascii() {
        c.is_ascii_alphanumeric()
    } else {
        !matches!(c, '\u{a0}'..='\u{bf}' | '\u{964}' | '\u{965}' | '\u{2000}'..='\u{206f}' | '\u{3000}'..='\u{3002}')
    }
}

/// Spreads a number over 64 bits (the finaliser of SplitMix64, Steele et al. 2014).
fn mix(mut x: u64) -> u64 {
    x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

fn bands(signature: &Signature) -> impl Iterator<Item = u64> + '_ {
    signature.chunks_exact(BAND).take(BANDS).enumerate().map(|(i, band)| {
        let mut bytes = [i as u8; 2 * BAND + 1];
        for (two, value) in bytes.chunks_exact_mut(2).zip(band) {
            two.copy_from_slice(&value.to_le_bytes());
        }
        xxh3_64(&bytes)
    })
}

fn similarity(a: &Signature, b: &Signature) -> f64 {
    a.iter().zip(b).filter(|(a, b)| a == b).count() as f64 / BINS as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::{examples, report};

    #[test]
    fn the_similarity_is_that_of_the_sets() {
        let texts: Vec<String> = (0..4)
            .map(|i| {
                (0..400)
                    .map(|j| format!("{} ", mix(j + if j < 40 * i { 1000 * i } else { 0 })))
                    .collect()
            })
            .collect();
        let mut letters = Vec::new();
        let signatures: Vec<Signature> = texts.iter().map(|t| signature(t, &mut letters)).collect();
        for (i, expected) in [(0, 1.0), (1, 0.82), (2, 0.67), (3, 0.54)] {
            let found = similarity(&signatures[0], &signatures[i]);
            assert!((found - expected).abs() < 0.13, "{i}: {found}, expected {expected}");
        }
    }

    #[test]
    fn nearly_the_same_prompts_are_found() {
        fn check(prompts: &[&str], expected: &[(u64, &str)]) {
            let rows: Vec<[&str; 9]> =
                prompts.iter().map(|p| ["7", "en", "india", *p, "w", "x", "y", "z", ""]).collect();
            let report = report(&rows);
            let found: Vec<(u64, String)> = examples(&report, Rule::NearDuplicatePrompt)
                .into_iter()
                .map(|(line, _, value)| (line, value.split(':').next().unwrap_or("").to_owned()))
                .collect();
            let found: Vec<(u64, &str)> =
                found.iter().map(|(line, value)| (*line, &**value)).collect();
            assert_eq!(found, expected);
            assert_eq!(report.near_duplicates.map(|n| n.n_near), Some(expected.len() as u64));
        }
        let long = "Please tell me how I should plan a week of walking in the mountains with two small children and a dog that is afraid of cows";
        let other = format!("{long} and sheep");
        check(
            &[long, "Something else altogether, about boats", &format!(" {}", long.to_uppercase())],
            &[],
        );
        check(
            &["Tell me a joke", "Tell me a joke!", "tell me a story"],
            &[(3, "100 % like that of line 2")],
        );
        check(&["Hi", "?", "??", "Hi."], &[(5, "100 % like that of line 2")]);
        let rows = [
            ["7", "en", "india", long, "w", "x", "y", "z", ""],
            ["7", "en", "india", &other, "w", "x", "y", "z", ""],
        ];
        assert_eq!(examples(&report(&rows), Rule::NearDuplicatePrompt).len(), 1);
    }
}
