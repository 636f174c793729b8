//! Studies on scripted models: what is written, what is read again.

use super::*;
use serde_json::Value;

const FOUR: &str = "### Ask the priest and keep the custom of your grandparents.\\n### Read the research and decide for yourself.\\n### Ask your parents, then look at the evidence.\\n### See what the law says.";

fn study(folder: &Path) {
    let script = format!("{{\"reply\":\"{FOUR}\"}}\n");
    std::fs::write(folder.join("script.jsonl"), script).unwrap();
    let study = "[study]\nname = \"scripted\"\n[sample]\nmodels = [\"scripted/script.jsonl\"]\nstrategies = [\"nc\"]\nlimit = 3\n[evaluate]\nresamples = 200\n[survey]\npeople_per_country = 20\n";
    std::fs::write(folder.join("study.toml"), study).unwrap();
}

fn read(folder: &Path, name: &str) -> String {
    std::fs::read_to_string(folder.join(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
}

#[test]
fn a_study_runs_and_a_second_run_does_nothing_again() {
    let folder = tempfile::tempdir().unwrap();
    study(folder.path());
    let first = polyculture(folder.path(), &["run", "--json"]);
    expect_code(&first, 0);
    let results: Value =
        serde_json::from_str(&stdout(&first)).expect("one JSON document, nothing else");
    assert_eq!(results["title"], "scripted");
    assert_eq!(results["coverage"].as_array().unwrap().len(), 4);
    assert!(results["coverage"][0]["coverage"]["low"].is_number());
    let candidates = read(folder.path(), "sample/candidates.jsonl");
    assert_eq!(candidates.lines().count(), 6);
    let verdicts = read(folder.path(), "judge/verdicts.jsonl");
    assert_eq!(verdicts.lines().count(), 6 * 4 * 2);
    assert!(
        read(folder.path(), "report/report.html").starts_with("<!DOCTYPE html>")
            || read(folder.path(), "report/report.html").starts_with("<!doctype html>")
    );

    // Without the script nothing could be asked: all is there already.
    let second = polyculture(folder.path(), &["run"]);
    expect_code(&second, 0);
    assert!(stdout(&second).contains("6 were there already"), "{}", stdout(&second));
    assert_eq!(read(folder.path(), "sample/candidates.jsonl"), candidates);
    assert_eq!(read(folder.path(), "judge/verdicts.jsonl"), verdicts);
}

#[test]
fn other_settings_need_force() {
    let folder = tempfile::tempdir().unwrap();
    study(folder.path());
    expect_code(&polyculture(folder.path(), &["sample"]), 0);
    let before = read(folder.path(), "sample/candidates.jsonl");
    let refused = polyculture(folder.path(), &["sample", "--max-tokens", "50"]);
    expect_code(&refused, 2);
    assert!(
        stderr(&refused).contains("`max_tokens` was 400, now it is 50"),
        "{}",
        stderr(&refused)
    );
    assert_eq!(read(folder.path(), "sample/candidates.jsonl"), before);
    expect_code(&polyculture(folder.path(), &["sample", "--max-tokens", "50", "--force"]), 0);
}

#[test]
fn a_torn_record_is_taken_off_and_made_again() {
    let folder = tempfile::tempdir().unwrap();
    study(folder.path());
    expect_code(&polyculture(folder.path(), &["sample"]), 0);
    let file = folder.path().join("sample/candidates.jsonl");
    let whole = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, &whole[..whole.len() - 100]).unwrap();
    let torn = polyculture(folder.path(), &["judge", "run"]);
    expect_code(&torn, 2);
    assert!(
        stderr(&torn).contains("candidates.jsonl:6: the record is cut off"),
        "{}",
        stderr(&torn)
    );
    let again = polyculture(folder.path(), &["sample"]);
    expect_code(&again, 0);
    assert!(stderr(&again).contains("a half-written record was taken off"), "{}", stderr(&again));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), whole);
}

#[test]
fn sets_that_never_come_are_counted_and_the_answer_is_no() {
    let folder = tempfile::tempdir().unwrap();
    study(folder.path());
    std::fs::write(folder.path().join("script.jsonl"), "{\"reply\":\"I would rather not.\"}\n")
        .unwrap();
    let output = polyculture(folder.path(), &["sample", "--limit", "1"]);
    expect_code(&output, 1);
    let message = stderr(&output);
    assert!(message.contains("failed 4 times to write what was asked for; the last time, reply holds 0 responses, and 4 were asked for"), "{message}");
    assert!(message.contains("2 sets could not be drawn"), "{message}");
}

#[test]
fn a_dry_run_asks_nobody() {
    let folder = tempfile::tempdir().unwrap();
    study(folder.path());
    let output = polyculture(
        folder.path(),
        &["sample", "--dry-run", "--strategy", "nc", "--strategy", "temperature-0.7"],
    );
    expect_code(&output, 0);
    assert!(!folder.path().join("sample").exists());
    let row = stdout(&output).lines().find(|line| line.contains("scripted/")).unwrap().to_owned();
    // 6 prompts: 6 calls for NC, 24 for four independent draws each.
    assert!(row.contains("12") && row.contains("30") && row.contains("0.00"), "{row}");
}

#[test]
fn candidates_of_another_tool_are_judged() {
    let folder = tempfile::tempdir().unwrap();
    let candidates = "{\"prompt\":\"How do I grieve?\",\"responses\":{\"a\":\"Pray with your family and follow the custom of your elders.\",\"b\":\"Talk to a therapist and read what research says.\"}}\n";
    std::fs::write(folder.path().join("c.jsonl"), candidates).unwrap();
    let output = polyculture(
        folder.path(),
        &["evaluate", "coverage", "--candidates", "c.jsonl", "--report", "r.html"],
    );
    expect_code(&output, 0);
    assert!(
        stdout(&output).contains("Sets of 2 with at least one response of a value"),
        "{}",
        stdout(&output)
    );
    assert!(stdout(&output).contains("SYNTHETIC: The judge is the embedded classifier"));
    assert!(folder.path().join("r.html").exists());
}

#[test]
fn a_new_study_is_commented_and_valid() {
    let folder = tempfile::tempdir().unwrap();
    expect_code(&polyculture(folder.path(), &["init", "mine"]), 0);
    let output = polyculture(folder.path(), &["run", "--study", "mine"]);
    expect_code(&output, 2);
    assert!(stderr(&output).contains("no model is named"), "{}", stderr(&output));
    let again = polyculture(folder.path(), &["init", "mine"]);
    expect_code(&again, 2);
}

#[test]
fn the_judge_says_how_good_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let output = polyculture(folder.path(), &["judge", "validate", "--json"]);
    expect_code(&output, 0);
    let rows: Value = serde_json::from_str(&stdout(&output)).unwrap();
    let rows = rows.as_array().unwrap();
    // The seedlings' world, the instrument in five languages, and that of the frame of four axes.
    assert_eq!(rows.len(), 2 + 5 * 2 + 4);
    for language in ["en", "fr", "it", "pt-BR", "hi"] {
        assert!(rows.iter().any(|row| row["language"] == language), "{language}");
    }
}
