//! What is made of a dataset: answers to questions, one Parquet file, splits, training files, reports.

use super::*;
use serde_json::Value;
use std::fs;

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut text = HEADER.to_owned();
    for i in 0..40 {
        let letter = ["a", "b", "c", "d"][i % 4];
        text.push_str(&format!(
            "{i},{},prompt {},one,two {i},three words here,four,response_{letter}\n",
            i % 7,
            i / 2
        ));
    }
    fs::write(folder.path().join("ca.csv"), text).unwrap();
    folder
}

fn run(folder: &Path, args: &[&str]) -> String {
    let output = polyculture(folder, &[&["dataset"], args].concat());
    expect_code(&output, 0);
    stdout(&output)
}

#[test]
fn questions_have_answers_in_every_format_of_rows() {
    let folder = folder();
    let sql = "SELECT id, count(*) AS n FROM candidates WHERE is_chosen GROUP BY id ORDER BY id";
    let csv = run(folder.path(), &["query", sql, "ca.csv", "--rows", "csv"]);
    assert_eq!(csv, "id,n\na,10\nb,10\nc,10\nd,10\n");
    let json: Value =
        serde_json::from_str(&run(folder.path(), &["query", sql, "ca.csv", "--json"])).unwrap();
    assert_eq!(json[3], serde_json::json!({"id": "d", "n": 10}));
    assert!(run(folder.path(), &["query", sql, "ca.csv"]).contains("| d  | 10 |"));
    // Parquet goes into a file, and is a dataset like any other if it has the shape.
    let all = "SELECT * FROM comparisons WHERE conversation_hash % 2 = 0 AND chosen_idx < 2";
    let args = ["query", all, "ca.csv", "--rows", "parquet", "--out", "some.parquet"];
    assert_eq!(run(folder.path(), &args), "");
    let n = "SELECT count(*) AS n, max(chosen_idx) AS last FROM comparisons";
    let from_parquet = run(folder.path(), &["query", n, "some.parquet", "--json"]);
    let rows: Value = serde_json::from_str(&from_parquet).unwrap();
    assert!(rows[0]["n"].as_u64().unwrap() > 0 && rows[0]["last"] == 1, "{rows}");
}

#[test]
fn lists_stand_in_cells_of_csv_as_json() {
    let folder = folder();
    let sql = "SELECT conversation_id, chosen, candidate_words FROM comparisons WHERE conversation_id = '1'";
    let csv = run(folder.path(), &["query", sql, "ca.csv", "--rows", "csv"]);
    assert_eq!(csv.lines().nth(1), Some("1,\"[\"\"b\"\"]\",\"[1,2,3,1]\""));
}

#[test]
fn splits_share_nothing_and_keep_all() {
    let folder = folder();
    let args = ["split", "ca.csv", "--ratios", "train=0.5,test=0.5", "--out", "splits", "--json"];
    let report: Value = serde_json::from_str(&run(folder.path(), &args)).unwrap();
    let sizes = report["report"]["splits"].as_array().unwrap();
    let n: u64 = sizes.iter().map(|split| split["n_comparisons"].as_u64().unwrap()).sum();
    assert_eq!(n, 40);
    let files = ["splits/train.jsonl", "splits/test.jsonl"];
    let prompts = |file: &str| {
        let sql = "SELECT DISTINCT prompt FROM comparisons ORDER BY 1";
        run(folder.path(), &["query", sql, file, "--rows", "csv"])
    };
    let (train, test) = (prompts(files[0]), prompts(files[1]));
    assert!(train.lines().skip(1).all(|prompt| !test.contains(&format!("{prompt}\n"))));
}

#[test]
fn training_files_are_written_and_previewed() {
    let folder = folder();
    let args =
        ["convert", "ca.csv", "--to", "trl-preference", "--pairs", "closest", "--out", "dpo.jsonl"];
    assert!(run(folder.path(), &args).starts_with("dpo.jsonl: 40 rows of 40 comparisons"));
    let first = fs::read_to_string(folder.path().join("dpo.jsonl")).unwrap();
    let first: Value = serde_json::from_str(first.lines().next().unwrap()).unwrap();
    assert_eq!(first["prompt"][0]["content"], "prompt 0");
    assert_eq!(first["chosen"][0], serde_json::json!({"role": "assistant", "content": "one"}));
    let args = [
        "convert",
        "ca.csv",
        "--to",
        "trl-preference",
        "--preview",
        "1",
        "--tokenizer",
        "embedded/basil",
        "--max-length",
        "12",
        "--json",
    ];
    let preview: Value = serde_json::from_str(&run(folder.path(), &args)).unwrap();
    let chosen = &preview[0]["sequences"][0];
    assert_eq!(chosen["part"], "chosen");
    assert!(chosen["n_prompt_tokens"].as_u64().unwrap() > 3, "{chosen}");
}

#[test]
fn the_report_is_one_page_that_runs_nothing() {
    let folder = folder();
    let output = polyculture(folder.path(), &["dataset", "stats", "ca.csv", "--report", "ca.html"]);
    expect_code(&output, 0);
    let html = fs::read_to_string(folder.path().join("ca.html")).unwrap();
    assert!(html.contains("default-src 'none'") && html.contains("What is in ca.csv"), "{html}");
    assert!(html.contains("Which candidate was chosen") && !html.contains("NaN"));
}
