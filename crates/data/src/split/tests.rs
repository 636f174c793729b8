//! The laws of splits, on made-up data of every shape.

use super::*;
use crate::dataset::OpenOptions;
use crate::finding::Rule;
use crate::lint::{LeakageOptions, leakage};
use proptest::prelude::*;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use tempfile::TempDir;

/// A comparison, as far as splits look at it.
#[derive(Debug, Clone, PartialEq)]
struct Shown {
    conversation: u32,
    turn: u32,
    first_prompt: u32,
    annotator: u32,
    language: &'static str,
    country: &'static str,
}

impl Shown {
    fn line(&self) -> String {
        let asked = |i: u32| {
            // The same prompt in another case and with other white space.
            if self.conversation.is_multiple_of(2) {
                format!("Prompt  {i}")
            } else {
                format!("prompt {i} ")
            }
        };
        let said = |role: &str, content: String| json!({"role": role, "content": content});
        let (history, prompt) = if self.turn == 1 {
            (vec![], asked(self.first_prompt))
        } else {
            let before =
                [said("user", asked(self.first_prompt)), said("assistant", "Well.".to_owned())];
            (before.to_vec(), format!("later {}", self.conversation % 5))
        };
        let candidate =
            |id: &str| json!({"id": id, "text": id, "source": null, "model": null, "score": null});
        json!({
            "format": crate::schema::FORMAT, "conversation_id": format!("c{}", self.conversation), "turn": self.turn,
            "history": history, "prompt": prompt, "candidates": [candidate("a"), candidate("b")],
            "choice": "one", "chosen": ["a"], "explanation": null, "annotator_id": format!("p{}", self.annotator),
            "language": self.language, "line": 1, "annotator_country": self.country,
        })
        .to_string()
    }
}

/// A dataset of them, in files that live as long as the folder.
fn dataset(rows: &[Shown]) -> (TempDir, Dataset) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("rows.jsonl");
    let lines: Vec<String> = rows.iter().map(Shown::line).collect();
    fs::write(&path, lines.join("\n")).expect("written");
    let dataset = Dataset::open(&[path.display().to_string()], &OpenOptions::default());
    (folder, dataset.expect("a dataset"))
}

const LANGUAGES: [&str; 3] = ["en", "hi", "pt"];
const COUNTRIES: [&str; 3] = ["india", "brazil", "united states"];

/// Rows in which a conversation may begin in several ways and have several annotators.
fn any_rows() -> impl Strategy<Value = Vec<Shown>> {
    let row = (0..40u32, 1..4u32, 0..25u32, 0..12u32, 0..3usize, 0..3usize);
    let row =
        row.prop_map(|(conversation, turn, first_prompt, annotator, language, country)| Shown {
            conversation,
            turn,
            first_prompt,
            annotator,
            language: LANGUAGES[language],
            country: COUNTRIES[country],
        });
    proptest::collection::vec(row, 1..80)
}

/// Rows as collections have them: one beginning, one annotator and one language for each conversation.
fn tidy_rows(n: u32) -> Vec<Shown> {
    let row = |i: u32| {
        let conversation = i / 2;
        let annotator = conversation * 7 % 31;
        Shown {
            conversation,
            turn: i % 2 + 1,
            first_prompt: (conversation * conversation + 3) % 97,
            annotator,
            language: LANGUAGES[(conversation * conversation + 3) as usize % 97 % 3],
            country: COUNTRIES[annotator as usize % 3],
        }
    };
    (0..n).map(row).collect()
}

fn any_options() -> impl Strategy<Value = SplitOptions> {
    let hold_out = (0..5usize, any::<bool>()).prop_map(|(kind, keep_shared_prompts)| {
        let who = match kind {
            0 => HeldOut::Annotators(3),
            1 => HeldOut::AnnotatorShare(0.3),
            2 => {
                HeldOut::Values { column: None, values: COUNTRIES.map(str::to_owned)[..1].to_vec() }
            }
            _ => return None,
        };
        Some(HoldOut { who, keep_shared_prompts })
    });
    (any::<u64>(), any::<(bool, bool, bool)>(), hold_out).prop_map(
        |(seed, (annotators, all_prompts, stratify), hold_out)| SplitOptions {
            ratios: "train=0.6,validation=0.2,test=0.2".parse().expect("shares"),
            seed: Seed::new(seed),
            links: Links { annotators, all_prompts },
            stratify: if stratify { vec!["language".to_owned()] } else { Vec::new() },
            hold_out,
        },
    )
}

/// The split of every conversation.
fn splits(plan: &SplitPlan) -> BTreeMap<u32, Option<usize>> {
    (0..400).map(|i| (i, plan.split_of(&format!("c{i}")))).collect()
}

fn plan_of(dataset: &Dataset, options: &SplitOptions) -> Option<SplitPlan> {
    match plan(dataset, options) {
        Ok(plan) => Some(plan),
        // Few rows can have no such value.
        Err(SplitError::NothingHeldOut { .. }) => None,
        Err(error) => panic!("{error}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn nothing_straddles_a_split(rows in any_rows(), options in any_options()) {
        let (_folder, dataset) = dataset(&rows);
        let Some(plan) = plan_of(&dataset, &options) else { return Ok(()) };
        let found = plan.check(&dataset).expect("readable");
        prop_assert!(found.is_clean(), "{found:?}");
        // By hand, too: the checker shares its hashes with the plan.
        let mut of_prompt: BTreeMap<u32, BTreeSet<usize>> = BTreeMap::new();
        for row in &rows {
            if let Some(split) = plan.split_of(&format!("c{}", row.conversation)) {
                of_prompt.entry(row.first_prompt).or_default().insert(split);
            }
        }
        let keeps_shared = options.hold_out.as_ref().is_some_and(|held| held.keep_shared_prompts);
        prop_assert!(keeps_shared || of_prompt.values().all(|splits| splits.len() == 1));
        let report = plan.report();
        let n_placed: u64 = report.splits.iter().map(|split| split.n_comparisons).sum();
        prop_assert_eq!(n_placed + report.left_out.n_comparisons, rows.len() as u64);
        if options.hold_out.is_none() {
            prop_assert_eq!(report.left_out.n_comparisons, 0);
        }
    }

    #[test]
    fn the_order_of_rows_does_not_matter(
        (rows, shuffled) in any_rows().prop_flat_map(|rows| (Just(rows.clone()), Just(rows).prop_shuffle())),
        options in any_options(),
    ) {
        let (_folder, one) = dataset(&rows);
        let (_folder, other) = dataset(&shuffled);
        let (Some(one), Some(other)) = (plan_of(&one, &options), plan_of(&other, &options)) else { return Ok(()) };
        prop_assert_eq!(splits(&one), splits(&other));
        prop_assert_eq!(one.report(), other.report());
    }

    #[test]
    fn data_that_grows_keeps_its_split(n in 1..300u32, more in 1..100u32, seed in any::<u64>()) {
        let (_folder, before) = dataset(&tidy_rows(n));
        let (_folder, after) = dataset(&tidy_rows(n + more));
        let options = SplitOptions { seed: Seed::new(seed), ..SplitOptions::default() };
        let [before, after] = [before, after].map(|data| splits(&plan(&data, &options).expect("a plan")));
        for (conversation, split) in before.iter().filter(|(_, split)| split.is_some()) {
            prop_assert_eq!(&after[conversation], split);
        }
    }

    #[test]
    fn shares_hold_within_each_stratum(n in 50..400u32, seed in any::<u64>()) {
        let (_folder, data) = dataset(&tidy_rows(n));
        let options = SplitOptions {
            seed: Seed::new(seed),
            stratify: vec!["language".to_owned()],
            ..SplitOptions::default()
        };
        let plan = plan(&data, &options).expect("a plan");
        let mut of_prompt: BTreeMap<u32, u64> = BTreeMap::new();
        tidy_rows(n).iter().for_each(|row| *of_prompt.entry(row.first_prompt).or_default() += 1);
        let largest = *of_prompt.values().max().expect("a prompt") as f64;
        for stratum in &plan.report().strata {
            let all: u64 = stratum.n_comparisons.iter().sum();
            for (n, (name, share)) in stratum.n_comparisons.iter().zip(options.ratios.iter()) {
                // A component at either cut can fall on either side.
                let off = (*n as f64 - share * all as f64).abs();
                prop_assert!(off <= 2.0 * largest, "{name} in {}: {off} of {all}", stratum.stratum);
            }
        }
    }
}

#[test]
fn shares_hold_on_average_and_another_seed_splits_otherwise() {
    let (_folder, data) = dataset(&tidy_rows(800));
    let mut n_test = 0;
    let mut seen = BTreeSet::new();
    for seed in 0..40 {
        let options = SplitOptions { seed: Seed::new(seed), ..SplitOptions::default() };
        let plan = plan(&data, &options).expect("a plan");
        n_test += plan.report().splits[2].n_comparisons;
        seen.insert(splits(&plan).into_values().collect::<Vec<_>>());
    }
    let share = n_test as f64 / (40.0 * 800.0);
    assert!((0.08..0.12).contains(&share), "{share}");
    assert_eq!(seen.len(), 40);
}

#[test]
fn held_out_annotators_are_only_in_test() {
    let rows = tidy_rows(400);
    let (_folder, data) = dataset(&rows);
    for keep_shared_prompts in [false, true] {
        let hold_out = HoldOut { who: HeldOut::Annotators(5), keep_shared_prompts };
        let options = SplitOptions { hold_out: Some(hold_out), ..SplitOptions::default() };
        let plan = plan(&data, &options).expect("a plan");
        let mut of_annotator: BTreeMap<u32, BTreeSet<usize>> = BTreeMap::new();
        for row in &rows {
            if let Some(split) = plan.split_of(&format!("c{}", row.conversation)) {
                of_annotator.entry(row.annotator).or_default().insert(split);
            }
        }
        let in_test: Vec<_> = of_annotator.values().filter(|splits| splits.contains(&2)).collect();
        assert!(in_test.len() == 5 && in_test.iter().all(|splits| splits.len() == 1));
        let report = plan.report();
        assert_eq!(report.splits[2].n_annotators, 5);
        assert_eq!(report.left_out.n_comparisons == 0, keep_shared_prompts);
        assert!(report.splits.iter().all(|split| split.wanted_share.is_none()));
        assert!(plan.check(&data).expect("readable").is_clean());
    }
}

#[test]
fn a_country_is_held_out_by_its_column() {
    let rows = tidy_rows(400);
    let (_folder, data) = dataset(&rows);
    let held = |column: Option<&str>, value: &str| SplitOptions {
        hold_out: Some(HoldOut {
            who: HeldOut::Values {
                column: column.map(str::to_owned),
                values: vec![value.to_owned()],
            },
            keep_shared_prompts: false,
        }),
        ..SplitOptions::default()
    };
    let by_country = plan(&data, &held(None, "Brazil")).expect("a plan");
    for row in &rows {
        let split = by_country.split_of(&format!("c{}", row.conversation));
        assert_eq!(split == Some(2), row.country == "brazil");
    }
    let by_name = plan(&data, &held(Some("annotator_country"), "brazil")).expect("a plan");
    assert_eq!(splits(&by_country), splits(&by_name));
    let error = plan(&data, &held(None, "france")).expect_err("nobody");
    assert_eq!(
        error.to_string(),
        "nothing is held out: no comparison has `france` in column `annotator_country`"
    );
    let error =
        plan(&data, &held(Some("annotator_cuntry"), "x")).expect_err("no column").to_string();
    assert!(error.contains("did you mean `annotator_country`?"), "{error}");
    let options =
        SplitOptions { ratios: "a=1,b=1".parse().expect("shares"), ..held(None, "brazil") };
    assert!(matches!(plan(&data, &options), Err(SplitError::NoTest)));
}

#[test]
fn links_that_tie_everything_together_are_warned_about() {
    let (_folder, data) = dataset(&tidy_rows(400));
    let links = Links { annotators: true, all_prompts: true };
    let plan = plan(&data, &SplitOptions { links, ..SplitOptions::default() }).expect("a plan");
    let report = plan.report();
    assert!(report.largest_component_share > 0.9, "{report:?}");
    assert!(matches!(report.warnings[0], SplitWarning::LargeComponent(share) if share > 0.9));
    assert!(report.warnings.iter().any(|warning| matches!(warning, SplitWarning::Empty(_))));
}

#[test]
fn split_files_hold_everything_once_and_leak_nothing() {
    let rows = tidy_rows(300);
    let (_data, data) = dataset(&rows);
    let plan = plan(&data, &SplitOptions::default()).expect("a plan");
    let folder = tempfile::tempdir().expect("a folder");
    for extension in ["jsonl", "jsonl.zst"] {
        let folder = folder.path().join(extension);
        let written = write_splits(&data, &plan, &folder, extension).expect("written");
        let n: u64 = written.iter().map(|split| split.n_comparisons).sum();
        assert_eq!(n, 300);
        let open = |path: &std::path::Path| {
            Dataset::open(&[path.display().to_string()], &OpenOptions::default())
                .expect("a dataset")
        };
        let opened: Vec<Dataset> = written.iter().map(|split| open(&split.path)).collect();
        let parts: Vec<(&str, &Dataset)> =
            written.iter().map(|s| s.name.as_str()).zip(&opened).collect();
        let found = leakage(&parts, LeakageOptions::default()).expect("readable");
        // Later prompts stand in several conversations, and nobody asked to keep those apart.
        assert_eq!(found.count(Rule::LeakedConversation), 0, "{found:?}");
        let all = open(&folder).fold(|| (), |(), _| (), |_, ()| Ok::<_, ReadError>(()));
        assert_eq!(all.expect("readable").n_records, 300, "the folder is a dataset");
        assert!(folder.join("split.manifest").exists());
    }
}

#[test]
fn a_leak_is_named() {
    let rows = tidy_rows(40);
    let (_data, data) = dataset(&[rows.clone(), vec![rows[0].clone()]].concat());
    let names = ["train".to_owned(), "test".to_owned()];
    let scope = leaks::Scope { links: Links::default(), prompts: true, apart_from: None };
    // The repeated row comes last, and is the only one of its conversation in the other split.
    let n = std::sync::atomic::AtomicUsize::new(0);
    let split_of = |_: &crate::comparison::Comparison<'_>| {
        Some(usize::from(n.fetch_add(1, std::sync::atomic::Ordering::Relaxed) >= rows.len()))
    };
    let found = leaks::find_leaks(&names, &data, scope, split_of).expect("readable");
    assert!(!found.is_clean());
    assert_eq!(found.n_leaks[&LeakKind::Conversation], 1);
    assert_eq!(
        found.examples[0],
        Leak {
            kind: LeakKind::Conversation,
            value: "c0".to_owned(),
            splits: vec!["train".to_owned(), "test".to_owned()]
        }
    );
}
