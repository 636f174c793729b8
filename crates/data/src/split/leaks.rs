//! What stands on both sides of a split, found by reading the data itself.

use super::Links;
use super::collect::{Hasher, Keys, prompts};
use crate::comparison::Comparison;
use crate::dataset::{Dataset, ReadError};
use crate::finding::shorten;
use serde::Serialize;
use std::collections::{BTreeMap, HashMap};

/// What can stand on both sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LeakKind {
    /// A conversation.
    Conversation,
    /// A prompt: the first of conversations, or any where all were to be kept apart.
    Prompt,
    /// An annotator.
    Annotator,
}

/// Something that stands in several splits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Leak {
    /// What it is.
    pub kind: LeakKind,
    /// The id or the text, shortened.
    pub value: String,
    /// The splits that it stands in.
    pub splits: Vec<String>,
}

/// What stands in several splits.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct LeakReport {
    /// How many different things of each kind were looked at.
    pub n_checked: BTreeMap<LeakKind, u64>,
    /// How many of them stand in several splits.
    pub n_leaks: BTreeMap<LeakKind, u64>,
    /// The first of them, by kind and text.
    pub examples: Vec<Leak>,
}

impl LeakReport {
    /// Examples that are kept.
    pub const N_EXAMPLES: usize = 20;

    /// Whether there is no leak.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.n_leaks.values().all(|n| *n == 0)
    }
}

/// What is to be kept apart.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scope {
    pub(super) links: Links,
    /// Prompts must not stand in several splits.
    pub(super) prompts: bool,
    /// Annotators of this split must stand in no other one, whatever the links.
    pub(super) apart_from: Option<usize>,
}

impl Scope {
    fn looks_at(self, kind: LeakKind) -> bool {
        match kind {
            LeakKind::Conversation => true,
            LeakKind::Prompt => self.prompts,
            LeakKind::Annotator => self.links.annotators || self.apart_from.is_some(),
        }
    }

    fn is_leak(self, kind: LeakKind, splits: u64) -> bool {
        let several = splits.count_ones() > 1;
        match self.apart_from {
            Some(apart) if kind == LeakKind::Annotator && !self.links.annotators => {
                several && splits >> apart & 1 == 1
            }
            _ => several,
        }
    }
}

/// The splits, as bits, in which each thing stands.
type Seen = HashMap<(LeakKind, u64), u64>;

/// Looks for conversations and prompts (annotators, prompts of all turns) that stand in more than one split; what
/// stands in several files that were split elsewhere, [`leakage`](crate::leakage) tells.
pub(super) fn find_leaks(
    names: &[String],
    dataset: &Dataset,
    scope: Scope,
    split_of: impl Fn(&Comparison<'_>) -> Option<usize> + Sync,
) -> Result<LeakReport, ReadError> {
    assert!(names.len() <= 64, "as many splits as a number has bits");
    let mut seen = Seen::new();
    let look = |(found, hasher, keys): &mut (Seen, Hasher, Keys), c: &Comparison<'_>| {
        let Some(split) = split_of(c) else {
            return;
        };
        hasher.keys(c, scope.links.all_prompts, keys);
        let mut see = |kind, hash| {
            if scope.looks_at(kind) {
                *found.entry((kind, hash)).or_default() |= 1 << split;
            }
        };
        see(LeakKind::Conversation, keys.conversation);
        keys.prompts.iter().for_each(|prompt| see(LeakKind::Prompt, *prompt));
        keys.annotator.iter().for_each(|annotator| see(LeakKind::Annotator, *annotator));
    };
    dataset.fold(Default::default, look, |_, (found, ..)| {
        for (thing, splits) in found {
            *seen.entry(thing).or_default() |= splits;
        }
        Ok::<_, ReadError>(())
    })?;
    let mut report = LeakReport::default();
    for (kind, _) in seen.keys() {
        *report.n_checked.entry(*kind).or_default() += 1;
        report.n_leaks.entry(*kind).or_default();
    }
    seen.retain(|(kind, _), splits| scope.is_leak(*kind, *splits));
    for (kind, _) in seen.keys() {
        *report.n_leaks.entry(*kind).or_default() += 1;
    }
    if !seen.is_empty() {
        report.examples = examples(names, dataset, scope, &seen)?;
    }
    Ok(report)
}

/// The texts of the first leaks, which a pass that keeps only hashes cannot tell.
fn examples(
    names: &[String],
    dataset: &Dataset,
    scope: Scope,
    leaking: &Seen,
) -> Result<Vec<Leak>, ReadError> {
    // Keys are shown in the order of their hashes: of many leaks the same few, whatever the order of rows.
    let mut wanted: Vec<_> = leaking.keys().copied().collect();
    wanted.sort_unstable();
    wanted.truncate(LeakReport::N_EXAMPLES);
    let mut texts: BTreeMap<(LeakKind, u64), String> = BTreeMap::new();
    let look = |(found, hasher, keys): &mut (Vec<_>, Hasher, Keys), c: &Comparison<'_>| {
        let mut see = |kind, hash, text: &str| {
            if wanted.binary_search(&(kind, hash)).is_ok() {
                found.push(((kind, hash), shorten(text)));
            }
        };
        hasher.keys(c, scope.links.all_prompts, keys);
        see(LeakKind::Conversation, keys.conversation, &c.conversation_id);
        if let Some((annotator, id)) = keys.annotator.zip(c.annotator_id.as_deref()) {
            see(LeakKind::Annotator, annotator, id);
        }
        for text in prompts(c, scope.links.all_prompts) {
            if let Some(hash) = hasher.prompt(text) {
                see(LeakKind::Prompt, hash, text);
            }
        }
    };
    dataset.fold(Default::default, look, |_, (found, ..)| {
        for (thing, text) in found {
            texts.entry(thing).or_insert(text);
        }
        Ok::<_, ReadError>(())
    })?;
    let in_splits = |splits: u64| {
        let all = names.iter().enumerate().filter(move |(i, _)| splits >> i & 1 == 1);
        all.map(|(_, name)| name.clone()).collect()
    };
    let leak = |(thing, value): ((LeakKind, u64), String)| Leak {
        kind: thing.0,
        value,
        splits: in_splits(leaking[&thing]),
    };
    let mut leaks: Vec<Leak> = texts.into_iter().map(leak).collect();
    leaks.sort();
    Ok(leaks)
}
