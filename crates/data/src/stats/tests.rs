//! A dataset small enough to count by hand, from its source and from what was imported.

use super::*;
use crate::{OpenOptions, import};
use std::path::Path;

const ROWS: &str = "\
conversation_id,annotator_id,wave,assigned_lang,is_pregenerated_first_prompt,annotator_country,\
first_turn_prompt,first_turn_responses,first_turn_response_a,first_turn_response_b,first_turn_response_c,\
first_turn_response_d,first_turn_preferred_response,first_turn_feedback,\
second_turn_prompt,second_turn_responses,second_turn_response_a,second_turn_response_b,second_turn_response_c,\
second_turn_response_d,second_turn_preferred_response,second_turn_feedback
1,7,1,en,True,india,Hi you,,one,two two,three,four,response_a,because it is so,more,,a,b b,c,d,response_b,
2,8,1,en,True,united states,hi  YOU,,One,two two,three,four,response_b,,,,,,,,,
3,9,2,fr,False,france,salut,,un,deux,,quatre,response_d,oui,,,,,,,,
4,9,2,fr,False,france,salut,,un,deux,trois,quatre,,,,,,,,,,
";

fn of(path: &Path) -> DatasetStats {
    let names = [path.display().to_string()];
    let dataset = Dataset::open(&names, &OpenOptions::default()).expect("opens");
    stats(&dataset).expect("can be worked out")
}

fn written() -> (tempfile::TempDir, DatasetStats) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("ca.csv");
    std::fs::write(&path, ROWS).expect("writes");
    let found = of(&path);
    (folder, found)
}

fn counts(pairs: &[(&str, u64)]) -> Counts {
    Counts(pairs.iter().map(|(name, n)| ((*name).to_owned(), *n)).collect())
}

#[test]
fn everything_is_counted_as_by_hand() {
    let (_folder, stats) = written();
    assert_eq!((stats.rows, stats.conversations, stats.annotators), (4, 4, 3));
    assert_eq!((stats.turns_shown, stats.comparisons), (5, 4));
    assert_eq!(stats.comparisons_by_turn, [3, 1]);
    assert_eq!(stats.comparisons_with_all_candidates, 3);
    assert_eq!(stats.comparisons_by_language, counts(&[("en", 3), ("fr", 1)]));
    assert_eq!(stats.non_english_share, Some(0.25));
    assert_eq!(stats.choices_by_turn[0], counts(&[("3", 0), ("a", 1), ("b", 1), ("d", 1)]));
    assert_eq!(stats.explanations_by_turn, [2, 0]);
    assert_eq!(stats.explanation_share, Some(0.5));
    assert_eq!(stats.turn_patterns, counts(&[("10", 3), ("11", 1)]));
    assert_eq!(
        stats.rows_by_wave_and_language,
        CrossCounts(vec![
            ("1".to_owned(), counts(&[("en", 2)])),
            ("2".to_owned(), counts(&[("fr", 2)]))
        ])
    );
    assert_eq!(stats.rows_by_country, counts(&[("france", 2), ("india", 1), ("united states", 1)]));
    assert_eq!((stats.pregenerated_rows, stats.user_initiated_rows), (Some(2), Some(2)));
    assert_eq!(stats.median_conversations_per_annotator, Some(1.0));
    let overlap = &stats.overlap;
    assert_eq!((overlap.first_prompts, overlap.first_prompts_2plus_annotators), (2, 1));
    assert_eq!(overlap.first_prompts_2plus_candidate_sets, 1);
    assert_eq!(overlap.median_annotators_per_repeated_prompt, Some(2.0));
    assert_eq!(overlap.first_turn_comparisons_distinct, 3);
    assert_eq!(overlap.first_turn_comparisons_2plus_annotators, 1);
}

#[test]
fn agreement_lengths_and_gaps_are_those_of_the_rows() {
    let (_folder, stats) = written();
    let agreement = stats.agreement.expect("one comparison has two votes");
    assert_eq!((agreement.pairwise.value, agreement.pairwise.n), (0.0, 2));
    assert_eq!(stats.median_choice_entropy_bits, Some(1.0));
    let census = &stats.census;
    assert_eq!(census.missing_per_column.get("first_turn_response_c"), 1);
    assert_eq!(census.missing_per_column.get("second_turn_prompt"), 3);
    assert_eq!(census.feedback_by_turn["first"]["mean_words"], 2.5);
    assert_eq!(census.candidate_length_mean_words["first"][1], 1.5);
    // Of three complete comparisons the longest was chosen twice, a shortest once.
    let shares = (census.fraction_chosen_longest, census.fraction_chosen_shortest);
    assert_eq!(shares, (Some(2.0 / 3.0), Some(1.0 / 3.0)));
    assert_eq!(census.mean_rejected_response_words, Some((4.0 + 3.0 + 3.0 + 2.0) / 11.0));
    let language = stats.breakdowns.iter().find(|b| b.column == "language").expect("known");
    let english = &language.groups[0];
    assert_eq!((english.value.as_deref(), english.annotators), (Some("en"), 2));
    assert_eq!(english.explained.map(|e| e.value), Some(1.0 / 3.0));
}

#[test]
fn what_was_imported_says_the_same() {
    let (folder, from_source) = written();
    let names = [folder.path().join("ca.csv").display().to_string()];
    let dataset = Dataset::open(&names, &OpenOptions::default()).expect("opens");
    let path = folder.path().join("ca.parquet");
    import(&dataset, &path).expect("imports");
    let mut imported = of(&path);
    assert_eq!(imported.source, "polyculture");
    imported.source = from_source.source;
    imported.files.clone_from(&from_source.files);
    let lines = |stats: &DatasetStats| serde_json::to_string_pretty(stats).expect("is JSON");
    let (imported, from_source) = (lines(&imported), lines(&from_source));
    for (found, expected) in imported.lines().zip(from_source.lines()) {
        assert_eq!(found, expected);
    }
    assert_eq!(imported.len(), from_source.len());
}
