//! What was decided: the split of every conversation, and how large the splits are.

use super::collect::{Collected, NOBODY};
use super::leaks::{LeakReport, Scope, find_leaks};
use super::{HeldOut, SplitOptions, TEST};
use crate::dataset::{Dataset, ReadError};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// Stands for a conversation that is in no split.
pub(super) const LEFT_OUT: u8 = u8::MAX;

/// The split of every conversation of a dataset: nine bytes each.
#[derive(Debug, Clone)]
pub struct SplitPlan {
    names: Vec<String>,
    /// Hashes of the conversations' ids, sorted.
    conversations: Vec<u64>,
    /// Positions among the names, or [`LEFT_OUT`].
    splits: Vec<u8>,
    options: SplitOptions,
    report: SplitReport,
}

/// How large the splits are.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SplitReport {
    /// Comparisons that were split.
    pub n_comparisons: u64,
    /// Groups of conversations that cannot be taken apart.
    pub n_components: u64,
    /// The share of the comparisons that the largest of them holds.
    pub largest_component_share: f64,
    /// The splits, in order.
    pub splits: Vec<SplitSize>,
    /// The strata by name, where the split is stratified.
    pub strata: Vec<StratumSize>,
    /// What is in no split.
    pub left_out: LeftOutOfSplits,
    /// What to know before these splits are used.
    pub warnings: Vec<SplitWarning>,
}

/// How large a split is.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SplitSize {
    /// Its name.
    pub name: String,
    /// The share of the comparisons that was asked for; nothing where what is held out decides.
    pub wanted_share: Option<f64>,
    /// The share of the comparisons in splits.
    pub share: f64,
    /// Comparisons.
    pub n_comparisons: u64,
    /// Conversations.
    pub n_conversations: u64,
    /// Different annotators.
    pub n_annotators: u64,
}

/// How a stratum is spread over the splits.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StratumSize {
    /// The value, or values with ` / ` between them; empty where there is none.
    pub stratum: String,
    /// Comparisons in each split, in the order of the splits.
    pub n_comparisons: Vec<u64>,
}

/// What is in no split, because others are held out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct LeftOutOfSplits {
    /// Conversations.
    pub n_conversations: u64,
    /// Comparisons.
    pub n_comparisons: u64,
}

/// What to know before splits are used.
#[derive(Debug, Clone, PartialEq, Serialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum SplitWarning {
    /// So much belongs together that shares cannot hold.
    #[error("one component holds {:.0} % of the comparisons: fewer links would split it, or shares cannot hold", 100.0 * .0)]
    LargeComponent(f64),
    /// A split got nothing.
    #[error("the split `{0}` is empty")]
    Empty(String),
}

/// From which share on a component is worth a warning.
const LARGE: f64 = 0.2;

/// Sums over components.
pub(super) struct Sizes {
    pub(super) n_components: u64,
    pub(super) n_largest: u64,
    pub(super) n_comparisons: u64,
}

impl SplitPlan {
    pub(super) fn new(
        collected: &Collected,
        of_conversation: Vec<u8>,
        sizes: Sizes,
        options: &SplitOptions,
    ) -> Self {
        let names: Vec<String> = options.ratios.iter().map(|(name, _)| name.to_owned()).collect();
        let report = report(collected, &of_conversation, &sizes, options);
        let mut pairs: Vec<(u64, u8)> =
            collected.conversations.iter().copied().zip(of_conversation).collect();
        pairs.sort_unstable();
        let (conversations, splits) = pairs.into_iter().unzip();
        Self { names, conversations, splits, options: options.clone(), report }
    }

    /// The names of the splits, in order.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// How large the splits are.
    #[must_use]
    pub fn report(&self) -> &SplitReport {
        &self.report
    }

    /// What the split was made by.
    #[must_use]
    pub fn options(&self) -> &SplitOptions {
        &self.options
    }

    /// The position of the split that a conversation is in; nothing if it is left out or unknown.
    #[must_use]
    pub fn split_of(&self, conversation_id: &str) -> Option<usize> {
        let hash = crate::facts::hash(conversation_id);
        let at = self.conversations.binary_search(&hash).ok()?;
        Some(self.splits[at]).filter(|split| *split != LEFT_OUT).map(usize::from)
    }

    /// Reads the dataset again and looks for whatever stands in more than one split and must not: the proof that
    /// the plan has no leak, made without what the plan was made with.
    ///
    /// # Errors
    /// When a file cannot be read to its end.
    pub fn check(&self, dataset: &Dataset) -> Result<LeakReport, ReadError> {
        let hold_out = self.options.hold_out.as_ref();
        let by_annotator = |hold_out: &super::HoldOut| {
            matches!(hold_out.who, HeldOut::Annotators(_) | HeldOut::AnnotatorShare(_))
        };
        let test = || self.names.iter().position(|name| name == TEST);
        let scope = Scope {
            links: self.options.links,
            prompts: !hold_out.is_some_and(|hold_out| hold_out.keep_shared_prompts),
            apart_from: hold_out.filter(|hold_out| by_annotator(hold_out)).and_then(|_| test()),
        };
        find_leaks(&self.names, dataset, scope, |comparison| {
            self.split_of(&comparison.conversation_id)
        })
    }
}

fn report(
    collected: &Collected,
    of_conversation: &[u8],
    sizes: &Sizes,
    options: &SplitOptions,
) -> SplitReport {
    let n_splits = options.ratios.iter().count();
    let mut n_comparisons = vec![0u64; n_splits];
    let mut strata: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
    let mut annotators = BTreeSet::new();
    let mut left_out = LeftOutOfSplits::default();
    for row in &collected.rows {
        let split = of_conversation[row.conversation as usize];
        let n = u64::from(row.n_comparisons);
        if split == LEFT_OUT {
            left_out.n_comparisons += n;
            continue;
        }
        n_comparisons[usize::from(split)] += n;
        if row.annotator != NOBODY {
            annotators.insert((split, row.annotator));
        }
        if !options.stratify.is_empty() {
            let of_stratum = strata.entry(&collected.strata[row.stratum as usize]);
            of_stratum.or_insert_with(|| vec![0; n_splits])[usize::from(split)] += n;
        }
    }
    let count = |split: u8| of_conversation.iter().filter(|s| **s == split).count() as u64;
    left_out.n_conversations = count(LEFT_OUT);
    let all: u64 = n_comparisons.iter().sum();
    let ratio = |part: u64, whole: u64| if whole == 0 { 0.0 } else { part as f64 / whole as f64 };
    let splits: Vec<SplitSize> = options
        .ratios
        .iter()
        .zip(&n_comparisons)
        .enumerate()
        .map(|(i, ((name, share), n))| SplitSize {
            name: name.to_owned(),
            wanted_share: options.hold_out.is_none().then_some(share),
            share: ratio(*n, all),
            n_comparisons: *n,
            n_conversations: count(i as u8),
            n_annotators: annotators.range((i as u8, 0)..=(i as u8, u32::MAX)).count() as u64,
        })
        .collect();
    let largest_component_share = ratio(sizes.n_largest, sizes.n_comparisons);
    let mut warnings = Vec::new();
    if largest_component_share > LARGE {
        warnings.push(SplitWarning::LargeComponent(largest_component_share));
    }
    let empty = splits.iter().filter(|split| split.n_comparisons == 0);
    warnings.extend(empty.map(|split| SplitWarning::Empty(split.name.clone())));
    let strata = strata
        .into_iter()
        .map(|(stratum, n_comparisons)| StratumSize { stratum: stratum.to_owned(), n_comparisons });
    SplitReport {
        n_comparisons: sizes.n_comparisons,
        n_components: sizes.n_components,
        largest_component_share,
        splits,
        strata: strata.collect(),
        left_out,
        warnings,
    }
}
