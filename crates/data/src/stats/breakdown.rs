//! A dataset by the values of one column, each figure with an interval over annotators.

use super::answer::{Answer, ask, quoted};
use super::{Counts, Group};
use datafusion::error::Result;
use datafusion::prelude::SessionContext;
use polyculture_stats::interval::Estimate;
use polyculture_stats::ratio::{clustered_ratio, clustered_share};
use polyculture_stats::votes::{VoteAgreement, agreement};
use std::collections::HashMap;

/// A column with more values than this breaks nothing down.
const MOST_VALUES: usize = 60;
/// Positions of candidates that are told apart.
const MOST_POSITIONS: usize = 16;
const LEVEL: f64 = 0.95;

/// What the plans must know beforehand.
pub(super) struct Shape {
    pub(super) rows: u64,
    pub(super) conversations: u64,
    /// The most candidates of a comparison, at most [`MOST_POSITIONS`].
    pub(super) n_positions: usize,
    pub(super) last_turn: u64,
    has_annotators: bool,
    /// The ids of candidates by position, where all comparisons have the same.
    ids: Vec<String>,
}

impl Shape {
    pub(super) async fn of(context: &SessionContext) -> Result<Self> {
        let sql = "SELECT coalesce(sum(CAST(begins_record AS INT)), 0), count(DISTINCT conversation_hash), \
                   max(n_candidates), max(turn), count(annotator_id) FROM comparisons";
        let answer = ask(context, sql).await?;
        let one = |column| answer.counts(column).first().copied().unwrap_or(0);
        let n_positions = (one(2) as usize).min(MOST_POSITIONS);
        let sql = "SELECT chosen_idx, min(chosen[1]), max(chosen[1]) FROM comparisons \
                   WHERE chosen_idx IS NOT NULL GROUP BY 1";
        let chosen = ask(context, sql).await?;
        let (first, last) = (chosen.texts(1), chosen.texts(2));
        let mut ids: Vec<String> = (1..=n_positions).map(|i| i.to_string()).collect();
        for (i, position) in chosen.counts(0).into_iter().enumerate() {
            if let (Some(id), true) = (&first[i], first[i] == last[i])
                && let Some(slot) = ids.get_mut(position as usize)
            {
                slot.clone_from(id);
            }
        }
        Ok(Self {
            rows: one(0),
            conversations: one(1),
            n_positions,
            last_turn: one(3),
            has_annotators: one(4) > 0,
            ids,
        })
    }

    /// What the intervals are clustered by.
    pub(super) fn clusters(&self) -> &'static str {
        if self.has_annotators { "annotators" } else { "conversations" }
    }

    fn cluster_column(&self) -> &'static str {
        if self.has_annotators { "annotator_id" } else { "conversation_hash" }
    }

    /// Votes for each position, to be selected.
    pub(super) fn votes(&self) -> String {
        let votes = (0..self.n_positions).map(|i| format!("sum(CAST(chosen_idx = {i} AS INT))"));
        votes.collect::<Vec<_>>().join(", ")
    }
}

/// The sums of one value, or of one value and one cluster.
#[derive(Clone)]
struct Sums(Vec<f64>);

/// What is summed, in the order of the columns after value and cluster.
#[derive(Clone, Copy)]
enum Sum {
    Rows,
    Shown,
    Complete,
    Comparisons,
    CompleteComparisons,
    Explanations,
    ExplanationWords,
    Measured,
    Longest,
    Shortest,
    Chosen,
    ChosenWords,
    Rejected,
    RejectedWords,
}

const SUMS: [&str; 14] = [
    "sum(CAST(begins_record AS INT))",
    "count(*)",
    "sum(CAST(n_texts = n_candidates AS INT))",
    "sum(CAST(choice <> 'none' AS INT))",
    "sum(CAST(choice <> 'none' AND n_texts = n_candidates AS INT))",
    "count(explanation_words)",
    "sum(explanation_words)",
    "count(chosen_is_longest)",
    "sum(CAST(chosen_is_longest AS INT))",
    "sum(CAST(chosen_is_shortest AS INT))",
    "count(chosen_words)",
    "sum(chosen_words)",
    "sum(n_rejected)",
    "sum(rejected_words)",
];

impl Sums {
    fn get(&self, sum: Sum) -> f64 {
        self.0[sum as usize]
    }

    fn count(&self, sum: Sum) -> u64 {
        self.get(sum) as u64
    }
}

/// The groups of a column; nothing if it has too many values. The column `NULL` makes one group of all.
pub(super) async fn breakdown(
    context: &SessionContext,
    shape: &Shape,
    column: &str,
) -> Result<Option<Vec<Group>>> {
    let name = quoted(column);
    let votes = shape.votes();
    let comma = if votes.is_empty() { "" } else { ", " };
    let is_all = column == "NULL";
    if !is_all {
        let sql = format!(
            "SELECT count(*) FROM (SELECT {name} FROM comparisons GROUP BY 1 LIMIT {})",
            MOST_VALUES + 2
        );
        if ask(context, &sql).await?.counts(0)[0] as usize > MOST_VALUES {
            return Ok(None);
        }
    }
    let cluster = shape.cluster_column();
    let (value, keys) = if is_all {
        ("NULL", cluster.to_owned())
    } else {
        (name.as_str(), format!("{name}, {cluster}"))
    };
    let sums = SUMS.join(", ");
    let sql =
        format!("SELECT {value}, {cluster}, {sums}{comma}{votes} FROM comparisons GROUP BY {keys}");
    let answer = ask(context, &sql).await?;
    let mut by_value = gather(&answer, shape);
    let mut agreements = agreements(context, shape, value, is_all).await?;
    let turns = column == "turn";
    by_value.sort_by(|a, b| {
        let size = |clusters: &Clusters| clusters.total().count(Sum::Shown);
        let number = |value: &Option<String>| value.as_ref().and_then(|v| v.parse::<u64>().ok());
        let by_size = || size(&b.1).cmp(&size(&a.1)).then_with(|| a.0.cmp(&b.0));
        if turns { number(&a.0).cmp(&number(&b.0)) } else { by_size() }
    });
    let groups = by_value.into_iter().map(|(value, clusters)| {
        let agreement = agreements.remove(&value);
        clusters.group(value, shape, agreement)
    });
    Ok(Some(groups.collect()))
}

/// The clusters of one value, each with its sums.
struct Clusters {
    sums: Vec<Sums>,
    n_known: u64,
}

fn gather(answer: &Answer, shape: &Shape) -> Vec<(Option<String>, Clusters)> {
    let (values, clusters) = (answer.texts(0), answer.texts(1));
    let n_columns = SUMS.len() + shape.n_positions;
    let columns: Vec<Vec<u64>> = (0..n_columns).map(|i| answer.counts(i + 2)).collect();
    let mut by_value: HashMap<Option<String>, Clusters> = HashMap::new();
    for (row, value) in values.into_iter().enumerate() {
        let of = by_value.entry(value).or_insert(Clusters { sums: Vec::new(), n_known: 0 });
        of.n_known += u64::from(clusters[row].is_some());
        of.sums.push(Sums(columns.iter().map(|column| column[row] as f64).collect()));
    }
    for clusters in by_value.values_mut() {
        // Sums of floats depend on their order, and plans give rows in any.
        clusters.sums.sort_unstable_by(|a, b| {
            let unequal = a.0.iter().zip(&b.0).map(|(a, b)| a.total_cmp(b)).find(|o| o.is_ne());
            unequal.unwrap_or(std::cmp::Ordering::Equal)
        });
    }
    by_value.into_iter().collect()
}

impl Clusters {
    fn total(&self) -> Sums {
        let mut total = vec![0.0; self.sums.first().map_or(0, |s| s.0.len())];
        for sums in &self.sums {
            for (total, sum) in total.iter_mut().zip(&sums.0) {
                *total += sum;
            }
        }
        Sums(total)
    }

    fn share(&self, of: usize, among: impl Fn(&Sums) -> f64) -> Option<Estimate> {
        let pairs: Vec<_> = self.sums.iter().map(|s| (s.0[of], among(s))).collect();
        clustered_share(&pairs, LEVEL).ok()
    }

    fn mean(&self, of: Sum, among: Sum) -> Option<Estimate> {
        let pairs: Vec<_> = self.sums.iter().map(|s| (s.get(of), s.get(among))).collect();
        clustered_ratio(&pairs, LEVEL).ok()
    }

    fn group(
        &self,
        value: Option<String>,
        shape: &Shape,
        agreement: Option<VoteAgreement>,
    ) -> Group {
        let total = self.total();
        let votes = |sums: &Sums| sums.0[SUMS.len()..].iter().sum::<f64>();
        let choices = shape.ids.iter().enumerate();
        let choices: Vec<_> =
            choices.map(|(i, id)| (id.clone(), total.0[SUMS.len() + i] as u64)).collect();
        let choice_shares = shape
            .ids
            .iter()
            .enumerate()
            .filter_map(|(i, id)| Some((id.clone(), self.share(SUMS.len() + i, votes)?)));
        let among = |sum: Sum| move |sums: &Sums| sums.get(sum);
        Group {
            value,
            rows: total.count(Sum::Rows),
            turns_shown: total.count(Sum::Shown),
            complete: total.count(Sum::Complete),
            comparisons: total.count(Sum::Comparisons),
            complete_comparisons: total.count(Sum::CompleteComparisons),
            annotators: if shape.has_annotators { self.n_known } else { 0 },
            explanations: total.count(Sum::Explanations),
            choices: Counts(choices),
            choice_shares: choice_shares.collect(),
            // Somebody may explain why they did not choose: the share is over what was shown then.
            explained: self.share(Sum::Explanations as usize, |sums| {
                sums.get(Sum::Comparisons).max(sums.get(Sum::Explanations))
            }),
            explanation_words: self.mean(Sum::ExplanationWords, Sum::Explanations),
            chosen_longest: self.share(Sum::Longest as usize, among(Sum::Measured)),
            chosen_shortest: self.share(Sum::Shortest as usize, among(Sum::Measured)),
            chosen_words: self.mean(Sum::ChosenWords, Sum::Chosen),
            rejected_words: self.mean(Sum::RejectedWords, Sum::Rejected),
            agreement,
        }
    }
}

/// How far those agree who chose from the same candidates, by value.
async fn agreements(
    context: &SessionContext,
    shape: &Shape,
    value: &str,
    is_all: bool,
) -> Result<HashMap<Option<String>, VoteAgreement>> {
    let mut found = HashMap::new();
    if shape.n_positions == 0 {
        return Ok(found);
    }
    let keys =
        if is_all { "comparison_hash".to_owned() } else { format!("{value}, comparison_hash") };
    let sql = format!(
        "SELECT {value}, {} FROM comparisons WHERE chosen_idx IS NOT NULL GROUP BY {keys} HAVING count(*) > 1",
        shape.votes()
    );
    let answer = ask(context, &sql).await?;
    let columns: Vec<Vec<u64>> = (0..shape.n_positions).map(|i| answer.counts(i + 1)).collect();
    let mut items: HashMap<Option<String>, Vec<Vec<u32>>> = HashMap::new();
    for (row, value) in answer.texts(0).into_iter().enumerate() {
        let votes = columns.iter().map(|column| column[row] as u32).collect();
        items.entry(value).or_default().push(votes);
    }
    for (value, mut items) in items {
        // The same figures whatever order the plan gave.
        items.sort_unstable();
        if let Ok(agreement) = agreement(&items, LEVEL) {
            found.insert(value, agreement);
        }
    }
    Ok(found)
}
