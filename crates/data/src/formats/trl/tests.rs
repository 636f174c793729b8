//! Files for TRL in all their shapes, in small.

use super::super::testing::{check, parquet};
use crate::Rule;

/// A list of messages from `role: text` separated by `|`.
fn list(messages: &str) -> String {
    let messages = messages.split('|').map(|message| {
        let (role, content) = message.split_once(':').expect("a role");
        serde_json::json!({"role": role.trim(), "content": content.trim()})
    });
    serde_json::Value::Array(messages.collect()).to_string()
}

fn check_pair(row: &str, expected: &str, findings: &[(Rule, u64)]) {
    check("trl", "pairs.jsonl", row, &[expected], findings);
}

#[test]
fn texts_and_messages_are_read_with_their_prompt() {
    let tea = "1. [] Tea? (chosen=Yes. rejected=No.) chosen";
    check_pair(r#"{"prompt": "Tea?", "chosen": "Yes.", "rejected": "No."}"#, tea, &[]);
    let (chosen, rejected) = (list("assistant: Yes."), list("assistant: No."));
    let prompt = list("user: Tea?");
    check_pair(
        &format!(r#"{{"prompt": {prompt}, "chosen": {chosen}, "rejected": {rejected}}}"#),
        tea,
        &[],
    );
    let (chosen, rejected) =
        (list("user: Tea? | assistant: Yes."), list("user: Tea? | assistant: No."));
    check_pair(&format!(r#"{{"chosen": {chosen}, "rejected": {rejected}}}"#), tea, &[]);
    check_pair(
        &format!(
            r#"{{"prompt": "Tea?", "prompt_id": "p", "chosen": {chosen}, "rejected": {rejected},
            "messages": {chosen}, "score_chosen": 8.5, "score_rejected": 3}}"#
        )
        .replace('\n', " "),
        "1. [] Tea? (chosen=Yes.#8.5 rejected=No.#3) chosen",
        &[],
    );
    let start = "system: Be kind. | user: Hi | assistant: Hello | user: Tea?";
    let (chosen, rejected) =
        (list(&format!("{start} | assistant: Yes.")), list(&format!("{start} | assistant: No.")));
    check_pair(
        &format!(r#"{{"chosen": {chosen}, "rejected": {rejected}}}"#),
        "2. [system: Be kind. | user: Hi | assistant: Hello] Tea? (chosen=Yes. rejected=No.) chosen",
        &[],
    );
}

#[test]
fn parquet_is_read_as_lines_are() {
    let (chosen, rejected) =
        (list("user: Tea? | assistant: Yes."), list("user: Tea? | assistant: No."));
    let row = format!(
        r#"{{"prompt_id": 9007199254740993, "chosen": {chosen}, "rejected": {rejected}, "score_chosen": 7.0}}"#
    );
    let expected = ["1. [] Tea? (chosen=Yes.#7 rejected=No.) chosen"; 2];
    let file = parquet(&format!("{row}\n{row}\n"));
    let read = check("trl", "train-00000-of-00001.parquet", file, &expected, &[]);
    assert_eq!(read.extra[1], "prompt_id:other=9007199254740993");
    assert!(read.ids[1].ends_with(" 2"), "{}", read.ids[1]);
}

#[test]
fn texts_without_a_prompt_begin_with_it() {
    check_pair(
        r#"{"chosen": "Is tea good? Yes, very.", "rejected": "Is tea good? Yawn."}"#,
        "1. [] Is tea good? (chosen=Yes, very. rejected=Yawn.) chosen",
        &[],
    );
    check_pair(
        r#"{"chosen": "Same old.", "rejected": "Same old."}"#,
        "1. []  (chosen=Same old. rejected=Same old.) chosen",
        &[(Rule::EmptyPrompt, 1)],
    );
}

#[test]
fn what_differs_in_kind_is_reported() {
    let rejected = list("user: Tea? | assistant: No.");
    check_pair(
        &format!(r#"{{"prompt": "Tea?", "chosen": "Yes.", "rejected": {rejected}}}"#),
        "1. [] Tea? (chosen=Yes. rejected=No.) chosen",
        &[(Rule::TypeMismatch, 1)],
    );
    check_pair(
        r#"{"prompt": "Tea?", "chosen": ["Yes."], "rejected": 7}"#,
        "1. [] Tea? (chosen=- rejected=7) chosen",
        &[(Rule::ChoiceWithoutText, 1), (Rule::TypeMismatch, 1), (Rule::MissingCandidate, 1)],
    );
    check_pair(
        r#"{"prompt": "", "chosen": "Yes.", "rejected": null}"#,
        "1. []  (chosen=Yes. rejected=-) chosen",
        &[(Rule::EmptyPrompt, 1), (Rule::MissingCandidate, 1)],
    );
    let (chosen, rejected) = (list("assistant: Yes."), list("assistant: No."));
    check_pair(
        &format!(r#"{{"prompt": "Tea?", "chosen": {chosen}, "rejected": {rejected}}}"#),
        "1. [] Tea? (chosen=Yes. rejected=No.) chosen",
        &[(Rule::TypeMismatch, 2)],
    );
}

#[test]
fn histories_that_differ_are_reported() {
    let chosen = list("system: Be kind. | user: Tea? | assistant: Yes.");
    for rejected in ["user: Tea? | assistant: No.", "system: x | user: Tea? | assistant: No."] {
        check_pair(
            &format!(r#"{{"chosen": {chosen}, "rejected": {}}}"#, list(rejected)),
            "1. [system: Be kind.] Tea? (chosen=Yes. rejected=No.) chosen",
            &[(Rule::AsymmetricHistory, 1)],
        );
    }
    let (chosen, rejected) = (
        list("user: Hi | assistant: Hello | user: Tea? | assistant: Yes."),
        list("user: Hi | assistant: What? | user: Tea? | assistant: No."),
    );
    check_pair(
        &format!(r#"{{"chosen": {chosen}, "rejected": {rejected}}}"#),
        "1. [] Hi (chosen=Hello\n\nUser: Tea?\n\nAssistant: Yes. \
         rejected=What?\n\nUser: Tea?\n\nAssistant: No.) chosen",
        &[(Rule::AsymmetricHistory, 1)],
    );
}

#[test]
fn single_answers_keep_their_label() {
    let text = r#"{"prompt": "Tea?", "completion": "Yes.", "label": true}
{"prompt": "Tea?", "completion": "No.", "label": 0}
{"prompt": [{"role": "user", "content": "Tea?"}], "completion": [{"role": "assistant", "content": "Hm."}], "label": "good"}"#;
    check(
        "trl",
        "labels.jsonl",
        text,
        &[
            "1. [] Tea? (completion=Yes.#1) scores",
            "1. [] Tea? (completion=No.#0) scores",
            "1. [] Tea? (completion=Hm.) none",
        ],
        &[(Rule::TypeMismatch, 1), (Rule::NoChoice, 1)],
    );
}

#[test]
fn tables_hold_texts_or_json() {
    let cell = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
    let (chosen, rejected) =
        (list("user: Tea? | assistant: Yes."), list("user: Tea? | assistant: No."));
    let text = format!(
        "chosen,rejected\n{},{}\n\"[1, 2]\",\"[{{'role': 'user'}}]\"\n",
        cell(&chosen),
        cell(&rejected)
    );
    check(
        "trl",
        "pairs.csv",
        &text,
        &[
            "1. [] Tea? (chosen=Yes. rejected=No.) chosen",
            "1. []  (chosen=[1, 2] rejected=[{'role': 'user'}]) chosen",
        ],
        &[(Rule::EmptyPrompt, 1), (Rule::TypeMismatch, 1)],
    );
}
