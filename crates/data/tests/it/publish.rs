//! Published folders, opened by the hub's library and by the reader of Croissant files, from the package index.
//!
//! `publish_opens.py` makes its own virtual environment; where it cannot, this test fails and says so.

use polyculture_data::{Dataset, Declaration, OpenOptions, PublishOptions, publish};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;

const DECLARATION: &str = "
[columns]
annotator_country = 'public'
on = 'public'

[card]
title = 'Free days: what people do'
description = 'Choices between answers.'
license = 'cc-by-4.0'
version = '1.0.0'
url = 'https://example.org/free-days'
citation = '@misc{free-days, title = {Free days}}'
authors = [{ name = 'Example Institute' }]
timeframe = ['2025-03-01', '2025-04-30']
limitations = 'Small.'
";

/// Comparisons with all that makes trouble: no history, no text, no score, names that YAML takes for something else.
fn source(n: usize) -> String {
    let row = |i: usize| {
        let history = match i % 2 {
            0 => json!([]),
            _ => {
                json!([{ "role": "user", "content": "Hello" }, { "role": "assistant", "content": "नमस्ते" }])
            }
        };
        let none: Option<&str> = None;
        let row = json!({
            "conversation_id": format!("c{}", i / 2), "turn": i % 2 + 1, "history": history, "prompt": format!("Prompt {}", i % 7),
            "candidates": [
                { "id": "a", "text": "Rest.", "source": "nc", "model": none, "score": 0.5 },
                { "id": "b", "text": if i.is_multiple_of(5) { none } else { Some("Work.") }, "source": none, "model": "m", "score": none },
            ],
            "choice": "one", "chosen": [if i.is_multiple_of(3) { "a" } else { "b" }],
            "explanation": if i.is_multiple_of(4) { Some("It fits \"me\".\nReally.") } else { none },
            "annotator_id": format!("p{}", i % 20), "language": if i.is_multiple_of(2) { "no" } else { "en" }, "line": i / 2 + 1,
            "annotator_country": if i % 20 < 12 { "italy" } else { "brazil" }, "on": "yes: #1",
        });
        format!("{row}\n")
    };
    (0..n).map(row).collect()
}

#[test]
fn what_is_published_is_opened_by_what_people_open_it_with() {
    let place = tempfile::tempdir().expect("a folder");
    let dataset = |name: &str, n: usize| {
        let path = place.path().join(name);
        std::fs::write(&path, source(n)).expect("written");
        Dataset::open(&[path.display().to_string()], &OpenOptions::default()).expect("a dataset")
    };
    let (train, test) = (dataset("train.jsonl", 2500), dataset("test.jsonl", 40));
    let options = PublishOptions {
        declaration: Declaration::from_toml(DECLARATION).expect("a declaration"),
        date: Some("2026-03-01".to_owned()),
        max_shard_rows: 1000,
        ..PublishOptions::default()
    };
    let splits = [("train", &train), ("test", &test)];
    let said = place.path().join("with-card");
    let report = publish(&splits, &options, &said).expect("published");
    assert_eq!(report.splits[0].shards.len(), 3);
    // Without a card it opens all the same: gaps are gaps, not errors.
    let silent = place.path().join("without-card");
    publish(&splits[1..], &PublishOptions::default(), &silent).expect("published");

    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python/publish_opens.py");
    let opened = Command::new("python3")
        .arg(script)
        .args([&said, &silent])
        .output()
        .expect("the test needs `python3` on the path");
    assert!(
        opened.status.success(),
        "the folders did not open (it needs Python 3.11 with `venv`, and a package index or the packages of \
         tests/python/publish_requirements.txt in `POLYCULTURE_PUBLISH_VENV`):\n{}",
        String::from_utf8_lossy(&opened.stderr)
    );
    let opened: Value = serde_json::from_slice(&opened.stdout).expect("JSON");
    let of = |folder: &Path| &opened[folder.display().to_string()];

    let found = of(&said);
    let datasets = &found["datasets"];
    assert_eq!(datasets["rows"], json!({ "train": 2500, "test": 40 }));
    assert_eq!(datasets["features_agree"], true, "{datasets}");
    assert_eq!(datasets["streamed"], true);
    for split in ["train", "test"] {
        let bytes = |key: &str| datasets[key][split].as_f64().expect("bytes");
        let ratio = bytes("bytes_said") / bytes("bytes_found");
        assert!((0.95..1.05).contains(&ratio), "{datasets}");
    }
    let first = &datasets["first"];
    assert_eq!(first["candidates"][1]["text"], Value::Null);
    assert_eq!(
        (&first["on"], &first["language"], &first["chosen"]),
        (&json!("yes: #1"), &json!("no"), &json!(["a"]))
    );

    let croissant = &found["croissant"];
    assert_eq!(croissant["complaints"], json!([]));
    assert_eq!(croissant["version"], "http://mlcommons.org/croissant/1.1");
    assert_eq!(croissant["digests_agree"], true);
    let demographics = croissant["demographics"][0].as_str().expect("a sentence");
    assert_eq!(demographics, "annotator_country, in annotators: italy 12, brazil 8.");
    let record = &croissant["records"][0];
    assert_eq!(record["comparisons/candidates"][0]["comparisons/candidates/text"], "Rest.");
    assert_eq!(record["comparisons/split"], "test");
    assert_eq!(found["card"]["license"], "cc-by-4.0");
    assert_eq!(found["card"]["citation"]["authors"][0]["name"], "Example Institute");

    assert_eq!(of(&silent)["datasets"]["rows"], json!({ "test": 40 }));
    assert_eq!(of(&silent)["croissant"]["digests_agree"], true);
}
