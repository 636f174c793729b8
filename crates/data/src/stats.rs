//! What is in a dataset: counts, overlap, agreement, who chose what, as plans over its narrow columns.
//!
//! One pass over the source writes the narrow columns to a file of some bytes a row; everything else is asked of
//! that file by the query engine, which spills what does not fit. An imported dataset is asked directly.
//! Shares and means carry an interval clustered by annotator (by conversation, where annotators are unknown).

mod answer;
mod breakdown;
mod overlap;

use crate::dataset::{Dataset, Scan};
use crate::finding::{Findings, Rule};
use crate::formats::{ColumnRole, ExtraColumn, Format};
use crate::parquet_file::{self, ImportError};
use crate::schema::extra_name;
use crate::table;
use datafusion::error::DataFusionError;
use datafusion::prelude::{ParquetReadOptions, SessionContext};
use futures::StreamExt;
use futures::stream;
use polyculture_stats::interval::Estimate;
use polyculture_stats::votes::VoteAgreement;
use serde::{Serialize, Serializer};

/// Plans that run side by side.
const PLANS_AT_ONCE: usize = 3;

/// Why statistics could not be made.
#[derive(Debug, thiserror::Error)]
pub enum StatsError {
    /// The dataset could not be read, or its narrow columns not be written.
    #[error(transparent)]
    Import(#[from] ImportError),
    /// A plan failed.
    #[error("could not work out the statistics: {}", crate::query::in_words(.0))]
    Plan(#[from] DataFusionError),
}

/// Counts by name, in the order in which they are shown.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Counts(pub Vec<(String, u64)>);

impl Counts {
    /// The count of a name; 0 if it is not there.
    #[must_use]
    pub fn get(&self, name: &str) -> u64 {
        self.0.iter().find(|(known, _)| known == name).map_or(0, |(_, n)| *n)
    }

    /// All counts together.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.0.iter().map(|(_, n)| n).sum()
    }
}

impl Serialize for Counts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, n)| (name, n)))
    }
}

/// Rows of counts by name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CrossCounts(pub Vec<(String, Counts)>);

impl Serialize for CrossCounts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, row)| (name, row)))
    }
}

/// Everything that is known of a dataset. A comparison is a turn in which somebody chose; a turn in which
/// candidates were shown and nobody chose is only shown. What a dataset does not have is left out.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DatasetStats {
    /// The name and version of this shape.
    pub format: &'static str,
    /// The format of the files.
    pub source: &'static str,
    /// The files.
    pub files: Vec<String>,
    /// Records of the files.
    pub rows: u64,
    /// Conversations.
    pub conversations: u64,
    /// Turns in which candidates were shown.
    pub turns_shown: u64,
    /// People who chose or were shown something, where they are known.
    pub annotators: u64,
    /// Turns in which somebody chose.
    pub comparisons: u64,
    /// The same by turn.
    pub comparisons_by_turn: Vec<u64>,
    /// Comparisons whose candidates all have a text.
    pub comparisons_with_all_candidates: u64,
    /// Comparisons by language.
    #[serde(skip_serializing_if = "nothing")]
    pub comparisons_by_language: Counts,
    /// Share of the comparisons of a known language that are not English: a count, not an estimate.
    pub non_english_share: Option<f64>,
    /// Which candidate was preferred, by turn.
    pub choices_by_turn: Vec<Counts>,
    /// Explanations by turn.
    pub explanations_by_turn: Vec<u64>,
    /// Explanations.
    pub explanations: u64,
    /// Explanations to a comparison: a count, not an estimate.
    pub explanation_share: Option<f64>,
    /// Which turns conversations have, as `1` and `0`; nothing where conversations are longer than eight.
    #[serde(skip_serializing_if = "nothing")]
    pub turn_patterns: Counts,
    /// Records by wave and language.
    #[serde(skip_serializing_if = "no_rows")]
    pub rows_by_wave_and_language: CrossCounts,
    /// Records by the annotator's country.
    #[serde(skip_serializing_if = "nothing")]
    pub rows_by_country: Counts,
    /// Records whose first prompt was given.
    pub pregenerated_rows: Option<u64>,
    /// Records whose first prompt was the annotator's own.
    pub user_initiated_rows: Option<u64>,
    /// Median over annotators of their conversations.
    pub median_conversations_per_annotator: Option<f64>,
    /// Who met the same prompts and the same comparisons.
    #[serde(flatten)]
    pub overlap: Overlap,
    /// How far they agree, over all comparisons with two or more votes.
    pub agreement: Option<VoteAgreement>,
    /// Median over those comparisons of the entropy of their votes, in bits.
    pub median_choice_entropy_bits: Option<f64>,
    /// What the published census of Community Alignment has beyond these, under its names.
    pub census: Census,
    /// What the intervals are clustered by.
    pub clusters: &'static str,
    /// All of it together, with intervals.
    pub everything: Option<Group>,
    /// The same by turn, language, and whatever the dataset says of annotators and conversations.
    pub breakdowns: Vec<Breakdown>,
    /// What the reader found in the records.
    #[serde(skip)]
    pub findings: Findings,
    /// Columns by which nothing is broken down, because they have too many values.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub too_many_values: Vec<String>,
}

fn nothing(counts: &Counts) -> bool {
    counts.0.is_empty()
}

fn no_rows(counts: &CrossCounts) -> bool {
    counts.0.is_empty()
}

/// Who met the same prompts and the same comparisons in the first turn of a conversation. A prompt is its text, a
/// comparison the texts of prompt and candidates, lower-cased and white space folded.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Overlap {
    /// Different first prompts.
    pub first_prompts: u64,
    /// Those that two or more annotators met.
    pub first_prompts_2plus_annotators: u64,
    /// Those that ten or more annotators met.
    pub first_prompts_10plus_annotators: u64,
    /// Those with two or more sets of candidates.
    pub first_prompts_2plus_candidate_sets: u64,
    /// Median of the annotators of a prompt that two or more met.
    pub median_annotators_per_repeated_prompt: Option<f64>,
    /// Different first comparisons.
    pub first_turn_comparisons_distinct: u64,
    /// Those that two or more annotators met.
    pub first_turn_comparisons_2plus_annotators: u64,
    /// Those that ten or more annotators met.
    pub first_turn_comparisons_10plus_annotators: u64,
}

/// Figures under the names of the published census of Community Alignment.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[expect(missing_docs, reason = "the names are those of the census")]
pub struct Census {
    pub missing_per_column: Counts,
    #[serde(skip_serializing_if = "nothing")]
    pub annotators_by_wave_membership: Counts,
    #[serde(skip_serializing_if = "no_rows")]
    pub rows_by_wave_prompt_origin: CrossCounts,
    #[serde(skip_serializing_if = "no_rows")]
    pub rows_by_language_prompt_origin: CrossCounts,
    pub turns_with_all_four_candidates: Counts,
    #[serde(skip_serializing_if = "no_rows")]
    pub choice_by_language: CrossCounts,
    #[serde(skip_serializing_if = "no_rows")]
    pub choice_by_wave: CrossCounts,
    #[serde(skip_serializing_if = "no_rows")]
    pub choice_by_prompt_origin: CrossCounts,
    pub feedback_by_turn: serde_json::Map<String, serde_json::Value>,
    pub fraction_chosen_longest: Option<f64>,
    pub fraction_chosen_shortest: Option<f64>,
    pub mean_chosen_response_words: Option<f64>,
    pub mean_rejected_response_words: Option<f64>,
    pub candidate_length_mean_words: serde_json::Map<String, serde_json::Value>,
    pub annotators_with_multiple_assigned_lang: u64,
    pub annotators_with_multiple_countries: u64,
    pub unparsed_preferred_labels: u64,
}

/// A dataset by the values of one column.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Breakdown {
    /// The column: `turn`, `language`, or one that came along.
    pub column: String,
    /// What it says.
    #[serde(serialize_with = "role")]
    pub role: Option<ColumnRole>,
    /// Its values, the most frequent first; turns in order.
    pub groups: Vec<Group>,
}

fn role<S: Serializer>(role: &Option<ColumnRole>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(role.map_or("own", ColumnRole::id))
}

/// The comparisons that have one value of a column.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Group {
    /// The value; nothing where it is missing.
    pub value: Option<String>,
    /// Records that begin in it.
    pub rows: u64,
    /// Turns in which candidates were shown.
    pub turns_shown: u64,
    /// Those whose candidates all have a text.
    pub complete: u64,
    /// Turns in which somebody chose.
    pub comparisons: u64,
    /// Those whose candidates all have a text.
    pub complete_comparisons: u64,
    /// Annotators, where they are known.
    pub annotators: u64,
    /// Explanations.
    pub explanations: u64,
    /// Which candidate was preferred.
    pub choices: Counts,
    /// The share of each candidate among them.
    pub choice_shares: Vec<(String, Estimate)>,
    /// Share of comparisons with an explanation.
    pub explained: Option<Estimate>,
    /// Words of an explanation, the mean.
    pub explanation_words: Option<Estimate>,
    /// Share of complete comparisons in which no candidate has more words than the chosen one.
    pub chosen_longest: Option<Estimate>,
    /// Share of complete comparisons in which no candidate has fewer.
    pub chosen_shortest: Option<Estimate>,
    /// Words of a chosen candidate, the mean.
    pub chosen_words: Option<Estimate>,
    /// Words of another candidate, the mean.
    pub rejected_words: Option<Estimate>,
    /// How far people agree who chose from the same candidates.
    pub agreement: Option<VoteAgreement>,
}

/// Works out what is in a dataset.
///
/// # Errors
/// When the dataset cannot be read to its end, the disk is full, or a plan fails.
pub fn stats(dataset: &Dataset) -> Result<DatasetStats, StatsError> {
    let runtime = table::runtime();
    let context = table::context();
    let extra = dataset.extra_columns();
    if let Some(paths) = dataset.own_parquet() {
        let scan = parquet_file::scans(&paths)?;
        runtime.block_on(table::register_own(&context, &paths))?;
        return runtime.block_on(work(&context, dataset, extra, &scan));
    }
    // The file must live until all is worked out.
    let (file, scan) = parquet_file::facts(dataset)?;
    runtime.block_on(async {
        let path = file.path().display().to_string();
        context.register_parquet(table::COMPARISONS, path, ParquetReadOptions::default()).await?;
        work(&context, dataset, extra, &scan).await
    })
}

async fn work(
    context: &SessionContext,
    dataset: &Dataset,
    extra: &[ExtraColumn],
    scan: &Scan,
) -> Result<DatasetStats, StatsError> {
    let shape = breakdown::Shape::of(context).await?;
    let mut breakdowns = Vec::new();
    let mut too_many_values = Vec::new();
    let own = [("turn", None), ("language", None)].map(|(name, role)| (name.to_owned(), role));
    let along = extra.iter().filter(|c| c.role != ColumnRole::Other);
    let along = along.map(|column| (extra_name(&column.name), Some(column.role)));
    // A few at a time: one plan alone leaves cores idle between its steps.
    let mut found = stream::iter(own.into_iter().chain(along))
        .map(async |(column, role)| {
            let groups = breakdown::breakdown(context, &shape, &column).await?;
            Ok::<_, DataFusionError>((column, role, groups))
        })
        .buffered(PLANS_AT_ONCE);
    while let Some(done) = found.next().await {
        match done? {
            (_, _, Some(groups)) if groups.iter().all(|group| group.value.is_none()) => {}
            (column, role, Some(groups)) => breakdowns.push(Breakdown { column, role, groups }),
            (column, _, None) => too_many_values.push(column),
        }
    }
    drop(found);
    let everything = breakdown::breakdown(context, &shape, "NULL").await?;
    let everything = everything.and_then(|mut groups| groups.pop());
    let votes = overlap::entropies(context, &shape).await?;
    let by = |role: ColumnRole| breakdowns.iter().find(|b| b.role == Some(role));
    let named = |column: &str| breakdowns.iter().find(|b| b.column == column);
    let rows_by = |b: &Breakdown| counts(b, |group| group.rows);
    let (wave, origin) = (by(ColumnRole::Wave), by(ColumnRole::PromptOrigin));
    let language = named("language");
    let cross = |a: Option<&Breakdown>, b: Option<&Breakdown>| {
        a.zip(b).map(|(a, b)| (a.column.clone(), b.column.clone()))
    };
    let rows_by_wave_and_language = match cross(wave, language) {
        Some((a, b)) => overlap::cross_rows(context, &a, &b).await?,
        None => CrossCounts::default(),
    };
    let of_origin = |rows: CrossCounts| CrossCounts(rows.0.into_iter().map(named_origin).collect());
    let rows_by_wave_prompt_origin = match cross(wave, origin) {
        Some((a, b)) => of_origin(overlap::cross_rows(context, &a, &b).await?),
        None => CrossCounts::default(),
    };
    let rows_by_language_prompt_origin = match cross(language, origin) {
        Some((a, b)) => of_origin(overlap::cross_rows(context, &a, &b).await?),
        None => CrossCounts::default(),
    };
    let origins = origin.map(|b| named_origin((String::new(), rows_by(b))).1);
    let choices = |b: Option<&Breakdown>| {
        let groups = b.into_iter().flat_map(|b| &b.groups);
        CrossCounts(groups.map(|g| (label(g), g.choices.clone())).collect())
    };
    let turns = named("turn").map_or(&[][..], |b| b.groups.as_slice());
    let all = everything.as_ref();
    let value = |pick: fn(&Group) -> Option<&Estimate>| all.and_then(pick).map(|e| e.value);
    let comparisons = all.map_or(0, |g| g.comparisons);
    let explanations = all.map_or(0, |g| g.explanations);
    let languages = language.map(|b| counts(b, |g| g.comparisons)).unwrap_or_default();
    let share = |n: u64, of: u64| (of > 0).then(|| n as f64 / of as f64);
    let english = languages.0.iter().filter(|(id, _)| is_english(id)).map(|(_, n)| n).sum::<u64>();
    let multiple = async |column: Option<String>| match column {
        Some(column) => overlap::annotators_with_several(context, &column).await,
        None => Ok(0),
    };
    let countries = by(ColumnRole::Country);
    let several_languages = multiple(language.map(|b| b.column.clone())).await?;
    let several_countries = multiple(countries.map(|b| b.column.clone())).await?;
    let census = Census {
        missing_per_column: Counts(scan.missing.clone()),
        annotators_by_wave_membership: wave
            .map(|b| counts(b, |g| g.annotators))
            .unwrap_or_default(),
        rows_by_wave_prompt_origin,
        rows_by_language_prompt_origin,
        turns_with_all_four_candidates: Counts(
            turns.iter().map(|g| (turn_name(g), g.complete)).collect(),
        ),
        choice_by_language: choices(language),
        choice_by_wave: choices(wave),
        choice_by_prompt_origin: CrossCounts(
            choices(origin).0.into_iter().map(|(id, row)| (origin_name(&id), row)).collect(),
        ),
        feedback_by_turn: overlap::explanation_lengths(context).await?,
        fraction_chosen_longest: value(|g| g.chosen_longest.as_ref()),
        fraction_chosen_shortest: value(|g| g.chosen_shortest.as_ref()),
        mean_chosen_response_words: value(|g| g.chosen_words.as_ref()),
        mean_rejected_response_words: value(|g| g.rejected_words.as_ref()),
        candidate_length_mean_words: overlap::candidate_lengths(context, &shape).await?,
        annotators_with_multiple_assigned_lang: several_languages,
        annotators_with_multiple_countries: several_countries,
        unparsed_preferred_labels: scan.findings.count(Rule::UnknownChoice),
    };
    Ok(DatasetStats {
        format: "polyculture.dataset-stats/1",
        source: dataset.format().id(),
        files: dataset.files().map(str::to_owned).collect(),
        rows: if dataset.format() == Format::Polyculture { shape.rows } else { scan.n_records },
        conversations: shape.conversations,
        turns_shown: all.map_or(0, |g| g.turns_shown),
        annotators: all.map_or(0, |g| g.annotators),
        comparisons,
        comparisons_by_turn: turns.iter().map(|g| g.comparisons).collect(),
        comparisons_with_all_candidates: all.map_or(0, |g| g.complete_comparisons),
        non_english_share: share(languages.total() - english, languages.total()),
        comparisons_by_language: languages,
        choices_by_turn: turns.iter().map(|g| by_name(&g.choices)).collect(),
        explanations_by_turn: turns.iter().map(|g| g.explanations).collect(),
        explanations,
        explanation_share: share(explanations, comparisons),
        turn_patterns: overlap::turn_patterns(context, &shape).await?,
        rows_by_wave_and_language,
        rows_by_country: countries.map(rows_by).unwrap_or_default(),
        pregenerated_rows: origins.as_ref().map(|rows| rows.get("pregenerated")),
        user_initiated_rows: origins.as_ref().map(|rows| rows.get("user_initiated")),
        median_conversations_per_annotator: overlap::median_conversations(context).await?,
        overlap: overlap::overlap(context).await?,
        agreement: all.and_then(|g| g.agreement),
        median_choice_entropy_bits: votes,
        census,
        clusters: shape.clusters(),
        everything,
        breakdowns,
        findings: scan.findings.clone(),
        too_many_values,
    })
}

fn counts(breakdown: &Breakdown, count: impl Fn(&Group) -> u64) -> Counts {
    let named = breakdown.groups.iter().filter(|group| group.value.is_some());
    Counts(named.map(|group| (label(group), count(group))).collect())
}

fn by_name(counts: &Counts) -> Counts {
    let mut sorted = counts.clone();
    sorted.0.sort();
    sorted
}

fn label(group: &Group) -> String {
    group.value.clone().unwrap_or_else(|| "missing".to_owned())
}

fn turn_name(group: &Group) -> String {
    overlap::turn_name(group.value.as_deref().unwrap_or_default())
}

fn is_english(language: &str) -> bool {
    let language = language.to_ascii_lowercase();
    matches!(language.as_str(), "en" | "eng" | "english") || language.starts_with("en-")
}

fn origin_name(value: &str) -> String {
    match value.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "pregenerated" => "pregenerated".to_owned(),
        "false" | "0" | "no" | "user_initiated" => "user_initiated".to_owned(),
        _ => value.to_owned(),
    }
}

fn named_origin((name, row): (String, Counts)) -> (String, Counts) {
    let mut row = Counts(row.0.into_iter().map(|(id, n)| (origin_name(&id), n)).collect());
    row.0.sort();
    (name, row)
}

#[cfg(test)]
mod tests;
