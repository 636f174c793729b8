//! `dataset`: what a person and a script read about a dataset.

mod broken;
mod forms;
mod real;

use super::*;

const HEADER: &str = "conversation_id,annotator_id,first_turn_prompt,first_turn_response_a,\
    first_turn_response_b,first_turn_response_c,first_turn_response_d,first_turn_preferred_response\n";

fn lint(rows: &str, args: &[&str]) -> std::process::Output {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("ca.csv"), format!("{HEADER}{rows}")).unwrap();
    polyculture(folder.path(), &[&["dataset", "lint", "ca.csv", "--no-language"], args].concat())
}

#[test]
fn a_sound_dataset_is_a_yes() {
    let output = lint("1,7,hi,a,b,c,d,response_a\n", &[]);
    expect_code(&output, 0);
    let expected =
        "community-alignment: 1 records, 1 turns with candidates\nnothing was found to be wrong\n";
    assert!(stdout(&output).starts_with(expected), "{}", stdout(&output));
}

#[test]
fn an_error_in_the_data_is_a_no_with_its_line() {
    let rows = "1,7,hi,a,b,c,d,response_a\n2,7,hi,a,A,c,d,response_b\n";
    let output = lint(rows, &["--json"]);
    expect_code(&output, 1);
    let report: serde_json::Value = serde_json::from_str(&stdout(&output)).unwrap();
    let finding = &report["findings"][0];
    assert_eq!((&report["n_records"], &report["n_turns"]), (&2.into(), &2.into()));
    assert_eq!(finding["rule"], "chosen-equals-rejected");
    assert_eq!((&finding["count"], &finding["examples"][0]["line"]), (&1.into(), &3.into()));
    assert!(stdout(&lint(rows, &[])).contains("ca.csv:3, turn 1"));
}

#[test]
fn a_file_that_cannot_be_read_is_wrong_use_with_line_and_column() {
    let output = lint("1,7,hi,a,b,\"c\" c\",d,response_a\n", &[]);
    expect_code(&output, 2);
    let message = stderr(&output);
    assert!(
        message.contains("`ca.csv`, line 2: the quotes of column `first_turn_response_c`"),
        "{message}"
    );
    let output = polyculture(std::env::temp_dir().as_path(), &["dataset", "lint", "nowhere.csv"]);
    expect_code(&output, 2);
    assert!(stderr(&output).contains("`nowhere.csv` does not exist"));
}
