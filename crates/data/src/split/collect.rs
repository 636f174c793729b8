//! One pass over a dataset that keeps of each conversation what a split is decided by: numbers, no texts.

use super::Links;
use super::forest::Forest;
use crate::comparison::{Comparison, Role};
use crate::convert::column::ColumnAt;
use crate::dataset::{Dataset, ReadError};
use crate::identity::fold_bytes;
use std::collections::HashMap;
use xxhash_rust::xxh3::xxh3_64;

/// Stands for an annotator whom nobody knows.
pub(super) const NOBODY: u32 = u32::MAX;

/// What to look at.
#[derive(Debug, Default)]
pub(super) struct What {
    pub(super) links: Links,
    pub(super) strata: Vec<ColumnAt>,
    /// A column, and the values of it that are held out, in lower case.
    pub(super) held: Option<(ColumnAt, Vec<String>)>,
}

/// Comparisons of one conversation that are alike in all that a split is decided by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Row {
    /// Position of the conversation.
    pub(super) conversation: u32,
    /// Position of the annotator, or [`NOBODY`].
    pub(super) annotator: u32,
    /// Position of the stratum.
    pub(super) stratum: u32,
    /// Whether it has a value that is held out.
    pub(super) is_held: bool,
    pub(super) n_comparisons: u32,
}

/// What was seen.
#[derive(Debug, Default)]
pub(super) struct Collected {
    pub(super) rows: Vec<Row>,
    /// Hashes of the conversations' ids.
    pub(super) conversations: Vec<u64>,
    /// Hashes of the annotators' ids.
    pub(super) annotators: Vec<u64>,
    pub(super) strata: Vec<String>,
    pub(super) forest: Forest,
    /// The thing in the forest that each conversation is.
    pub(super) nodes: Vec<u32>,
    /// What a component's key may be made of: the hash of a prompt, for each thing that is one.
    pub(super) prompts: Vec<Option<u64>>,
}

/// What a comparison is known by. Conversations, prompts and annotators have hashes of their own kinds.
#[derive(Debug, Default, Clone)]
pub(super) struct Keys {
    pub(super) conversation: u64,
    pub(super) prompts: Vec<u64>,
    pub(super) annotator: Option<u64>,
}

/// Hashes the texts that a comparison is known by, with room that is used again.
#[derive(Debug, Default)]
pub(super) struct Hasher {
    text: Vec<u8>,
}

impl Hasher {
    /// The identity of a prompt; nothing if it is empty.
    pub(super) fn prompt(&mut self, text: &str) -> Option<u64> {
        self.text.clear();
        fold_bytes(text, &mut self.text);
        (!self.text.is_empty()).then(|| xxh3_64(&self.text))
    }

    /// What the comparison is known by.
    pub(super) fn keys(&mut self, comparison: &Comparison<'_>, all_prompts: bool, keys: &mut Keys) {
        keys.conversation = crate::facts::hash(&comparison.conversation_id);
        keys.annotator = comparison.annotator_id.as_deref().map(crate::facts::hash);
        keys.prompts.clear();
        for text in prompts(comparison, all_prompts) {
            keys.prompts.extend(self.prompt(text));
        }
    }
}

/// The prompts by which a comparison may leak: the first of its conversation, or all up to its own.
pub(super) fn prompts<'c>(
    comparison: &'c Comparison<'_>,
    all_prompts: bool,
) -> impl Iterator<Item = &'c str> {
    let said = comparison.history.iter().filter(|message| message.role == Role::User);
    let mut all = said.map(|message| message.text.as_ref()).chain([comparison.prompt.as_ref()]);
    // A later turn without its history does not say how the conversation began.
    let first =
        if comparison.turn > 1 && comparison.history.is_empty() { None } else { all.next() };
    first.into_iter().chain(all.filter(move |_| all_prompts))
}

/// Reads the dataset.
pub(super) fn collect(dataset: &Dataset, what: &What) -> Result<Collected, ReadError> {
    let mut collected = Collected::default();
    let mut known = Known::default();
    dataset.fold(
        Block::default,
        |block, comparison| block.push(comparison, what),
        |_, block| {
            collected.merge(block, &mut known, what.links);
            Ok::<_, ReadError>(())
        },
    )?;
    Ok(collected)
}

/// Comparisons of a block of records.
#[derive(Debug, Default)]
struct Block {
    rows: Vec<(Keys, u32, bool)>,
    strata: HashMap<String, u32>,
    hasher: Hasher,
    stratum: String,
}

impl Block {
    fn push(&mut self, comparison: &Comparison<'_>, what: &What) {
        let mut keys = Keys::default();
        self.hasher.keys(comparison, what.links.all_prompts, &mut keys);
        self.stratum.clear();
        for (i, column) in what.strata.iter().enumerate() {
            if i > 0 {
                self.stratum.push_str(" / ");
            }
            self.stratum.push_str(&column.value(comparison).unwrap_or_default());
        }
        let next = self.strata.len() as u32;
        let stratum = match self.strata.get(&self.stratum) {
            Some(stratum) => *stratum,
            None => *self.strata.entry(self.stratum.clone()).or_insert(next),
        };
        let is_held = what.held.as_ref().is_some_and(|(column, values)| {
            let value = column.value(comparison).map(|value| value.to_lowercase());
            value.is_some_and(|value| values.contains(&value))
        });
        self.rows.push((keys, stratum, is_held));
    }
}

/// Positions of what was seen.
#[derive(Debug, Default)]
struct Known {
    conversations: HashMap<u64, u32>,
    annotators: HashMap<u64, u32>,
    prompt_nodes: HashMap<u64, u32>,
    annotator_nodes: HashMap<u64, u32>,
    strata: HashMap<String, u32>,
}

impl Collected {
    fn merge(&mut self, block: Block, known: &mut Known, links: Links) {
        let mut strata = vec![0; block.strata.len()];
        for (stratum, local) in block.strata {
            let next = known.strata.len() as u32;
            strata[local as usize] = *known.strata.entry(stratum).or_insert_with_key(|stratum| {
                self.strata.push(stratum.clone());
                next
            });
        }
        for (keys, stratum, is_held) in block.rows {
            let next = self.conversations.len() as u32;
            let conversation = *known.conversations.entry(keys.conversation).or_insert_with(|| {
                self.conversations.push(keys.conversation);
                self.nodes.push(self.forest.add());
                self.prompts.push(None);
                next
            });
            let node = self.nodes[conversation as usize];
            for prompt in &keys.prompts {
                let of_prompt = *known.prompt_nodes.entry(*prompt).or_insert_with(|| {
                    self.prompts.push(Some(*prompt));
                    self.forest.add()
                });
                self.forest.join(node, of_prompt);
            }
            let annotator = keys.annotator.map_or(NOBODY, |hash| {
                let next = self.annotators.len() as u32;
                *known.annotators.entry(hash).or_insert_with(|| {
                    self.annotators.push(hash);
                    next
                })
            });
            if let Some(hash) = keys.annotator.filter(|_| links.annotators) {
                let of_annotator = *known.annotator_nodes.entry(hash).or_insert_with(|| {
                    self.prompts.push(None);
                    self.forest.add()
                });
                self.forest.join(node, of_annotator);
            }
            let stratum = strata[stratum as usize];
            let row = Row { conversation, annotator, stratum, is_held, n_comparisons: 1 };
            match self.rows.last_mut() {
                Some(last) if Row { n_comparisons: 1, ..*last } == row => last.n_comparisons += 1,
                _ => self.rows.push(row),
            }
        }
    }
}
