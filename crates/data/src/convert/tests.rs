//! What each target makes of a small dataset with everything in it.

use super::*;
use crate::dataset::OpenOptions;
use serde_json::{Value, json};
use std::fs;
use std::io::Read;

/// Twelve made-up comparisons in five languages, with every kind of choice and every reason to be left out.
pub(super) fn fixture() -> Dataset {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/convert/comparisons.jsonl");
    Dataset::open(&[path.to_owned()], &OpenOptions::default()).expect("a dataset")
}

fn run(options: &ConvertOptions) -> (Vec<Value>, ConvertReport) {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("out.jsonl");
    let report = convert(&fixture(), options, &out).expect("converted");
    let text = fs::read_to_string(out).expect("there");
    let rows: Vec<Value> =
        text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(rows.len() as u64, report.n_rows);
    let n_left_out: u64 = report.left_out.values().sum();
    assert_eq!(report.n_comparisons, report.n_used + n_left_out, "all are accounted for");
    (rows, report)
}

fn left_out(report: &ConvertReport) -> Vec<(&'static str, u64)> {
    report.left_out.iter().map(|(reason, n)| (reason.id(), *n)).collect()
}

#[test]
fn what_cannot_be_a_pair_is_counted() {
    let (rows, report) = run(&ConvertOptions::new(Target::TrlPreference));
    assert_eq!(report.n_comparisons, 12);
    // c1: 3 and 2, c3 and c4: 3 each, c6: 1, c7: 1, c11: 1.
    assert_eq!(rows.len(), 14);
    assert_eq!(
        left_out(&report),
        [
            ("no-prompt", 1),
            ("no-choice", 1),
            ("tie", 1),
            ("choice-without-text", 1),
            ("nothing-rejected", 1)
        ]
    );
    assert_eq!(report.rows_left_out, BTreeMap::from([(Reason::EqualTexts, 1)]));
    assert_eq!(report.scan.map(|scan| scan.n_records), Some(12));
    assert_eq!(
        rows[0],
        json!({
            "prompt": [{"role": "user", "content": "How should I spend a free day?"}],
            "chosen": [{"role": "assistant", "content": "Start the book you want to write."}],
            "rejected": [{"role": "assistant", "content": "Visit your family and help them."}],
        })
    );
    assert_eq!(rows[3]["prompt"].as_array().map(Vec::len), Some(3), "with its history");
    let (rows, report) = run(&ConvertOptions {
        style: Style::Standard,
        ..ConvertOptions::new(Target::TrlPreference)
    });
    assert_eq!(report.left_out[&Reason::HasHistory], 2);
    assert_eq!(rows.len(), 11);
    assert_eq!(rows[0]["rejected"], "Visit your family and help them.");
}

#[test]
fn every_target_has_its_own_keys() {
    fn check(target: Target, style: Style, conversation: &str, expected: Value) {
        let (rows, _) = run(&ConvertOptions {
            style,
            filter: Filter {
                columns: vec![("conversation_id".to_owned(), vec![conversation.to_owned()])],
                turns: Some(if conversation == "c1" { 2..=2 } else { 1..=1 }),
                ..Filter::default()
            },
            limit: Some(1),
            ..ConvertOptions::new(target)
        });
        assert_eq!(rows, [expected], "{target:?}");
    }
    let message = |role: &str, content: &str| json!({"role": role, "content": content});
    let question = "How should I spend a free day?";
    let (first, later) = ("Start the book you want to write.", "And in the evening?");
    let prompt = [message("user", question), message("assistant", first), message("user", later)];
    let answer = message("assistant", "Cook together.");
    let mut all = prompt.to_vec();
    all.push(answer.clone());
    let chat = Style::Conversational;
    check(
        Target::TrlPromptCompletion,
        chat,
        "c1",
        json!({"prompt": prompt, "completion": [answer]}),
    );
    check(Target::TrlLanguageModelling, chat, "c1", json!({"messages": all}));
    check(
        Target::TrlPromptOnly,
        chat,
        "c1",
        json!({
            "prompt": prompt, "candidates": ["Cook together.", "Write on.", "Sleep early."],
            "candidate_ids": ["a", "b", "c"], "candidate_chosen": [true, false, false],
            "conversation_id": "c1", "turn": 2,
        }),
    );
    check(
        Target::TrlUnpaired,
        chat,
        "c1",
        json!({"prompt": prompt, "completion": [answer], "label": true}),
    );
    let mut weighted = all.clone();
    weighted[1]["weight"] = 0.into();
    check(Target::OpenaiSft, chat, "c1", json!({"messages": weighted}));
    let rejected = message("assistant", "Write on.");
    check(
        Target::OpenaiDpo,
        chat,
        "c1",
        json!({
            "input": {"messages": prompt}, "preferred_output": [answer], "non_preferred_output": [rejected],
        }),
    );
    check(Target::LlamaFactorySft, chat, "c1", json!({"messages": all}));
    check(
        Target::LlamaFactoryDpo,
        chat,
        "c1",
        json!({"messages": prompt, "chosen": answer, "rejected": rejected}),
    );
    check(Target::LlamaFactoryKto, chat, "c1", json!({"messages": all, "kto_tag": true}));
    check(
        Target::LlamaFactoryDpo,
        Style::Standard,
        "c1",
        json!({
            "instruction": later, "input": "", "system": "", "history": [[question, first]],
            "chosen": "Cook together.", "rejected": "Write on.",
        }),
    );
    check(
        Target::LlamaFactorySft,
        Style::Standard,
        "c7",
        json!({
            "instruction": "What is \"freedom\"?\n\nBe brief.", "input": "", "system": "Answer in one line.",
            "history": [], "output": "Order\tfirst.",
        }),
    );
    let marked: Vec<Value> = all
        .iter()
        .enumerate()
        .map(|(i, message)| {
            let mut message = message.clone();
            message["train"] = (i == 3).into();
            message
        })
        .collect();
    check(Target::AxolotlSft, chat, "c1", json!({"messages": marked}));
    check(
        Target::AxolotlDpo,
        chat,
        "c1",
        json!({"messages": prompt, "chosen": answer, "rejected": rejected}),
    );
    check(
        Target::TrlLanguageModelling,
        Style::Standard,
        "c4",
        json!({"text": "Qu'est-ce qu'un bon ami ?\n\nQuelqu'un qui dit la vérité 🙂"}),
    );
}

#[test]
fn filters_ask_for_groups_sources_turns_and_people() {
    fn check(filter: Filter, n_rows: usize, reason: Reason, n_left_out: u64) {
        let (rows, report) = run(&ConvertOptions {
            filter,
            pairs: PairRule::Random,
            ..ConvertOptions::new(Target::TrlPreference)
        });
        assert_eq!((rows.len(), report.left_out[&reason]), (n_rows, n_left_out), "{reason:?}");
    }
    let some = |values: &[&str]| values.iter().map(|v| (*v).to_owned()).collect::<Vec<_>>();
    let all = Filter::default;
    check(Filter { languages: some(&["FR", "it"]), ..all() }, 2, Reason::OtherLanguage, 10);
    let columns = vec![("annotator_country".to_owned(), some(&["France", "italy"]))];
    check(Filter { columns, ..all() }, 2, Reason::OtherValue, 10);
    check(Filter { annotators: some(&["p4"]), ..all() }, 1, Reason::OtherAnnotator, 11);
    check(Filter { turns: Some(2..=9), ..all() }, 1, Reason::OtherTurn, 11);
    check(Filter { complete_only: true, ..all() }, 6, Reason::Incomplete, 2);
    check(Filter { sources: some(&["NC"]), ..all() }, 1, Reason::OtherSource, 11);
    check(Filter { sources: some(&["default"]), ..all() }, 0, Reason::OtherSource, 12);
    let (rows, _) = run(&ConvertOptions {
        filter: Filter { sources: some(&["nc"]), ..all() },
        ..ConvertOptions::new(Target::TrlPreference)
    });
    assert_eq!(rows.len(), 2, "the default answer is as if it had not been there");
}

#[test]
fn weights_and_columns_come_along() {
    let mut options = ConvertOptions {
        weight: Some("sampling_weight".to_owned()),
        carry: vec!["annotator_country".to_owned(), "language".to_owned()],
        ..ConvertOptions::new(Target::TrlPreference)
    };
    let (rows, report) = run(&options);
    assert_eq!(report.left_out[&Reason::NoWeight], 1);
    let shown =
        |row: &Value| format!("{} {} {}", row["weight"], row["annotator_country"], row["language"]);
    assert_eq!(shown(&rows[0]), r#"1.0 "india" "en""#);
    assert_eq!(shown(rows.last().expect("rows")), r#"1.0 "india" """#);
    options.target = Target::OpenaiDpo;
    let out = Path::new("never.jsonl");
    let error = convert(&fixture(), &options, out).expect_err("refused");
    assert!(matches!(error, ConvertError::NoFurtherColumns(Target::OpenaiDpo)));
    options.target = Target::TrlPreference;
    options.carry = vec!["anotator_country".to_owned()];
    let error = convert(&fixture(), &options, out).expect_err("refused").to_string();
    assert!(error.contains("did you mean `annotator_country`?"), "{error}");
}

#[test]
fn rows_are_limited_in_all_and_by_comparison() {
    let mut options = ConvertOptions::new(Target::TrlPreference);
    options.limit = Some(4);
    let (rows, report) = run(&options);
    assert_eq!((rows.len(), report.n_comparisons, report.n_used), (4, 2, 2));
    assert!(report.is_limited && report.scan.is_none());
    options.limit = Some(14);
    assert_eq!(run(&options).0.len(), 14);
    options.limit = None;
    options.max_rows_per_comparison = Some(1);
    let (rows, report) = run(&options);
    assert_eq!(rows.len(), 7);
    assert_eq!(report.rows_left_out[&Reason::TooMany], 7);
    options.target = Target::TrlUnpaired;
    options.max_rows_per_comparison = None;
    let (rows, _) = run(&options);
    let n_chosen = rows.iter().filter(|row| row["label"] == true).count();
    assert_eq!((rows.len(), n_chosen), (4 + 3 + 3 + 3 + 2 + 2 + 2, 7));
}

#[test]
fn a_list_of_datasets_is_added_to_and_never_overwritten() {
    let folder = tempfile::tempdir().expect("a folder");
    let info = folder.path().join("dataset_info.json");
    let out = folder.path().join("people.jsonl");
    fs::write(&info, r#"{"other": {"file_name": "x.json"}, "people": {"file_name": "old"}}"#)
        .expect("written");
    let mut options = ConvertOptions::new(Target::LlamaFactoryDpo);
    let report = convert(&fixture(), &options, &out).expect("converted");
    assert_eq!(report.files, [out.clone(), info.clone()]);
    options.style = Style::Standard;
    options.name = Some("people_alpaca".to_owned());
    convert(&fixture(), &options, &folder.path().join("alpaca.jsonl")).expect("converted");
    let all: Value = serde_json::from_slice(&fs::read(&info).expect("there")).expect("JSON");
    assert_eq!(all["other"], json!({"file_name": "x.json"}));
    assert_eq!(
        all["people"],
        json!({
            "file_name": "people.jsonl", "ranking": true, "formatting": "sharegpt",
            "tags": {
                "role_tag": "role", "content_tag": "content", "user_tag": "user",
                "assistant_tag": "assistant", "system_tag": "system",
            },
            "columns": {"messages": "messages", "chosen": "chosen", "rejected": "rejected"},
        })
    );
    assert_eq!(
        all["people_alpaca"],
        json!({
            "file_name": "alpaca.jsonl", "ranking": true, "formatting": "alpaca",
            "columns": {
                "prompt": "instruction", "query": "input", "system": "system", "history": "history",
                "chosen": "chosen", "rejected": "rejected",
            },
        })
    );
    fs::write(&info, "[]").expect("written");
    fs::remove_file(&out).expect("there");
    let error = convert(&fixture(), &options, &out).expect_err("no list");
    assert!(matches!(error, ConvertError::DatasetInfo(_)), "{error}");
    assert!(!out.exists() && fs::read(&info).expect("there") == b"[]", "nothing is touched");
    let error = convert(&fixture(), &options, &folder.path().join("a.jsonl.gz"));
    assert!(matches!(error, Err(ConvertError::Compressed(_))));
}

#[test]
fn a_fragment_tells_axolotl_how_to_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("people.jsonl.zst");
    let report =
        convert(&fixture(), &ConvertOptions::new(Target::AxolotlDpo), &out).expect("converted");
    let yaml = fs::read_to_string(&report.files[1]).expect("there");
    assert_eq!(report.files[1], folder.path().join("people.axolotl.yaml"));
    let place = out.display().to_string();
    let expected = format!(
        "# For your Axolotl configuration.\nchat_template: tokenizer_default\nrl: dpo\ndatasets:\n  - path: \"{place}\"\n    \
         ds_type: json\n    split: train\n    type: chat_template.default\n    field_messages: messages\n    \
         field_chosen: chosen\n    field_rejected: rejected\n    message_property_mappings:\n      role: role\n      content: content\n"
    );
    assert_eq!(yaml, expected);
    let bytes = fs::read(&out).expect("there");
    let mut text = String::new();
    zstd::stream::read::Decoder::new(&bytes[..])
        .expect("zstd")
        .read_to_string(&mut text)
        .expect("whole");
    assert_eq!(text.lines().count(), 14);
}
