//! Which component goes into which split.

use super::collect::{Collected, NOBODY};
use super::plan::{LEFT_OUT, Sizes, SplitPlan};
use super::{HeldOut, HoldOut, SplitError, SplitOptions, TEST};
use polyculture_core::Seed;
use std::collections::{BTreeMap, HashMap};
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// What belongs together, and goes into a split as a whole.
#[derive(Debug)]
struct Component {
    /// The same whatever the order of rows: the smallest prompt hash, or conversation hash if there is no prompt.
    key: u64,
    n_comparisons: u64,
    /// Comparisons by stratum, of conversations that are not held out.
    by_stratum: BTreeMap<u32, u64>,
    has_held: bool,
}

/// How much of a conversation is held out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Held {
    Unseen,
    No,
    Partly,
    Wholly,
}

/// Decides for all conversations.
pub(super) fn assign(
    mut collected: Collected,
    options: &SplitOptions,
) -> Result<SplitPlan, SplitError> {
    let held = held(&collected, options)?;
    let (of_conversation, components) = components(&mut collected, &held);
    let test = options.hold_out.as_ref().and_then(|_| options.ratios.position(TEST));
    let splits = place(&components, &collected.strata, options, test);
    let keep_shared = options.hold_out.as_ref().is_some_and(|held| held.keep_shared_prompts);
    let shares_annotator = shares_annotator(&collected, &held, options.links.annotators);
    let of_conversation: Vec<u8> = of_conversation
        .iter()
        .zip(held.iter().zip(&shares_annotator))
        .map(|(component, (held, shares_annotator))| match held {
            Held::Wholly => test.map_or(LEFT_OUT, |test| test as u8),
            Held::Partly => LEFT_OUT,
            _ if components[*component].has_held && !keep_shared => LEFT_OUT,
            _ if *shares_annotator => LEFT_OUT,
            _ => splits[*component],
        })
        .collect();
    let n_comparisons: u64 = components.iter().map(|c| c.n_comparisons).sum();
    let sizes = Sizes {
        n_components: components.len() as u64,
        n_largest: components.iter().map(|c| c.n_comparisons).max().unwrap_or_default(),
        n_comparisons,
    };
    Ok(SplitPlan::new(&collected, of_conversation, sizes, options))
}

/// What is held out of each conversation.
fn held(collected: &Collected, options: &SplitOptions) -> Result<Vec<Held>, SplitError> {
    let mut held = vec![Held::Unseen; collected.conversations.len()];
    let Some(HoldOut { who, .. }) = &options.hold_out else {
        return Ok(held);
    };
    let is_held = match who {
        HeldOut::Values { .. } => None,
        HeldOut::Annotators(_) | HeldOut::AnnotatorShare(_) if collected.annotators.is_empty() => {
            return Err(SplitError::NoAnnotators);
        }
        HeldOut::Annotators(n) => Some(smallest(&collected.annotators, *n, options.seed)),
        HeldOut::AnnotatorShare(share) => {
            if !(0.0..=1.0).contains(share) {
                return Err(SplitError::Share(*share));
            }
            let seed = options.seed.stream("split", "annotators");
            Some(collected.annotators.iter().map(|hash| unit(*hash, seed) < *share).collect())
        }
    };
    for row in &collected.rows {
        let is_held = match &is_held {
            None => row.is_held,
            Some(is_held) => row.annotator != NOBODY && is_held[row.annotator as usize],
        };
        let of_row = if is_held { Held::Wholly } else { Held::No };
        let so_far = &mut held[row.conversation as usize];
        *so_far = if *so_far == Held::Unseen || *so_far == of_row { of_row } else { Held::Partly };
    }
    Ok(held)
}

/// Which conversations have an annotator of one that is held out, where annotators may not stand on both sides. Without
/// shared prompts their component says so already.
fn shares_annotator(collected: &Collected, held: &[Held], is_asked: bool) -> Vec<bool> {
    let mut shares = vec![false; held.len()];
    if !is_asked {
        return shares;
    }
    let mut is_held = vec![false; collected.annotators.len()];
    let known = || collected.rows.iter().filter(|row| row.annotator != NOBODY);
    for row in known().filter(|row| held[row.conversation as usize] == Held::Wholly) {
        is_held[row.annotator as usize] = true;
    }
    for row in known().filter(|row| is_held[row.annotator as usize]) {
        shares[row.conversation as usize] = true;
    }
    shares
}

/// Which `n` have the smallest hashes.
fn smallest(hashes: &[u64], n: usize, seed: Seed) -> Vec<bool> {
    let seed = seed.stream("split", "annotators");
    let mut order: Vec<usize> = (0..hashes.len()).collect();
    order.sort_by_key(|i| (mixed(hashes[*i], seed), hashes[*i]));
    let mut is_smallest = vec![false; hashes.len()];
    order.into_iter().take(n).for_each(|i| is_smallest[i] = true);
    is_smallest
}

/// The component of each conversation, and the components.
fn components(collected: &mut Collected, held: &[Held]) -> (Vec<usize>, Vec<Component>) {
    let mut positions: HashMap<u32, usize> = HashMap::new();
    let mut components: Vec<Component> = Vec::new();
    let mut of_conversation = Vec::with_capacity(collected.nodes.len());
    for node in &collected.nodes {
        let root = collected.forest.root(*node);
        of_conversation.push(*positions.entry(root).or_insert_with(|| {
            components.push(Component {
                key: u64::MAX,
                n_comparisons: 0,
                by_stratum: BTreeMap::new(),
                has_held: false,
            });
            components.len() - 1
        }));
    }
    let mut has_prompt = vec![false; components.len()];
    for (node, prompt) in collected.prompts.iter().enumerate() {
        if let Some(prompt) = prompt {
            // Every prompt was joined with a conversation.
            let position = positions[&collected.forest.root(node as u32)];
            let component = &mut components[position];
            component.key = component.key.min(*prompt);
            has_prompt[position] = true;
        }
    }
    for (hash, position) in collected.conversations.iter().zip(&of_conversation) {
        if !has_prompt[*position] {
            components[*position].key = components[*position].key.min(*hash);
        }
    }
    for row in &collected.rows {
        let component = &mut components[of_conversation[row.conversation as usize]];
        let n = u64::from(row.n_comparisons);
        component.n_comparisons += n;
        match held[row.conversation as usize] {
            Held::Wholly => component.has_held = true,
            Held::Partly => {}
            Held::Unseen | Held::No => *component.by_stratum.entry(row.stratum).or_default() += n,
        }
    }
    (of_conversation, components)
}

/// The split of each component, as far as nothing in it is held out.
fn place(
    components: &[Component],
    strata: &[String],
    options: &SplitOptions,
    test: Option<usize>,
) -> Vec<u8> {
    let seed = options.seed.stream("split", "components");
    let split_at = |at: f64| options.ratios.split_at(at, test) as u8;
    if options.stratify.is_empty() {
        return components.iter().map(|component| split_at(unit(component.key, seed))).collect();
    }
    let mut splits = vec![LEFT_OUT; components.len()];
    let mut of_stratum: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (i, component) in components.iter().enumerate() {
        // Of strata with equally many, the one whose name comes first.
        let most = component.by_stratum.iter().map(|(stratum, n)| (n, &strata[*stratum as usize]));
        if let Some((_, stratum)) = most.max_by(|a, b| a.0.cmp(b.0).then_with(|| b.1.cmp(a.1))) {
            of_stratum.entry(stratum).or_default().push(i);
        }
    }
    let within = options.seed.stream("split", "within");
    for members in of_stratum.values_mut() {
        members.sort_by_key(|i| (mixed(components[*i].key, seed), components[*i].key));
        let size = |i: usize| components[i].by_stratum.values().sum::<u64>() as f64;
        let all: f64 = members.iter().map(|i| size(*i)).sum();
        let mut before = 0.0;
        for i in members.iter().copied() {
            // A random point of the component's stretch decides: each share holds on average, however few and
            // large the components are.
            let at = (before + unit(components[i].key, within) * size(i)) / all;
            splits[i] = split_at(at);
            before += size(i);
        }
    }
    splits
}

fn mixed(hash: u64, seed: Seed) -> u64 {
    xxh3_64_with_seed(&hash.to_le_bytes(), seed.get())
}

/// A number from 0 to below 1.
fn unit(hash: u64, seed: Seed) -> f64 {
    (mixed(hash, seed) >> 11) as f64 / (1u64 << 53) as f64
}
