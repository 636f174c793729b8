//! Input that is broken: each time an error with file, line and what is wrong, and no half file.

use super::*;
use std::fs;
use std::io::Write;

/// Runs `dataset ARGS` on a file with these bytes; what is said, and the exit code.
fn refused(name: &str, bytes: &[u8], args: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(name), bytes).unwrap();
    let args: Vec<&str> = args.iter().map(|arg| if *arg == "FILE" { name } else { arg }).collect();
    let output = polyculture(folder.path(), &[&["dataset"], args.as_slice()].concat());
    expect_code(&output, 2);
    let left: Vec<_> =
        fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(left, [name], "only the source is there afterwards");
    stderr(&output)
}

fn rows(n: usize) -> String {
    let mut text = HEADER.to_owned();
    for i in 0..n {
        text.push_str(&format!("{i},7,hi {i},\"a, {i}\nb\",b,c,d,response_a\n"));
    }
    text
}

#[test]
fn a_broken_quote_far_down_is_named_with_its_line() {
    let mut text = rows(70_000);
    text.push_str("70000,7,hi,\"a \"quoted\" word\",b,c,d,response_a\n");
    let import = ["import", "FILE", "--out", "out.parquet"];
    for args in [&["stats", "FILE"][..], &["lint", "FILE"], &import] {
        let message = refused("ca.csv", text.as_bytes(), args);
        // Each row takes two lines, and the header one.
        assert!(message.contains("`ca.csv`, line 140002"), "{message}");
        assert!(message.contains("`first_turn_response_a`"), "{message}");
    }
}

#[test]
fn a_file_that_is_cut_off_is_an_error() {
    // Where the file breaks off as it is looked at, and where only as it is read.
    for (n, expected) in [(200, "`ca.csv.gz`: incomplete"), (40_000, "`ca.csv.gz` to its end")] {
        let mut gzip = flate(rows(n).as_bytes());
        gzip.truncate(gzip.len() / 2);
        let message = refused("ca.csv.gz", &gzip, &["stats", "FILE"]);
        assert!(message.contains(&format!("could not read {expected}")), "{message}");
    }
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("ca.csv"), rows(20)).unwrap();
    let args = ["dataset", "import", "ca.csv", "--out", "whole.parquet"];
    expect_code(&polyculture(folder.path(), &args), 0);
    let whole = fs::read(folder.path().join("whole.parquet")).unwrap();
    let message = refused("cut.parquet", &whole[..whole.len() - 100], &["stats", "FILE"]);
    assert!(message.contains("`cut.parquet`") && message.contains("Parquet"), "{message}");
    let message = refused(
        "cut.json",
        b"[{\"chosen\": \"a\",\n \"rejected\": \"b\"},\n{\"ch",
        &["stats", "FILE"],
    );
    assert!(message.contains("line 3"), "{message}");
}

fn flate(bytes: &[u8]) -> Vec<u8> {
    let mut child = Command::new("gzip")
        .arg("-c")
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("`gzip` is on every system");
    let mut input = child.stdin.take().unwrap();
    let bytes = bytes.to_vec();
    let writer = std::thread::spawn(move || input.write_all(&bytes).unwrap());
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    output.stdout
}

#[test]
fn what_is_no_dataset_is_said() {
    fn check(name: &str, bytes: &[u8], expected: &str) {
        let message = refused(name, bytes, &["stats", "FILE"]);
        assert!(message.contains(expected), "{message}");
    }
    check("empty.csv", b"", "`empty.csv` is empty");
    check("blank.jsonl", b"\n \n", "`blank.jsonl` is empty");
    check("odd.csv", b"x,y\n1,2\n", "is of no known format; it has the columns `x`, `y`");
    check("file.xlsx", b"PK", "has a name that says nothing of what is in it");
    check("wide.csv", b"\xff\xfea\0,\0b\0\n\0", "UTF-16");
    check("none.parquet", b"PAR1", "the Parquet file is broken");
    let renamed = HEADER.replace("first_turn_preferred_response", "first_turn_prefered_response");
    check("ca.csv", renamed.as_bytes(), "is it `first_turn_prefered_response`?");
}

#[test]
fn a_folder_without_data_and_a_missing_one_are_said() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("nothing")).unwrap();
    let output = polyculture(folder.path(), &["dataset", "stats", "nothing"]);
    expect_code(&output, 2);
    assert!(stderr(&output).contains("is a directory without a file that could be read"));
}

#[test]
fn a_full_disk_is_the_world_s_fault_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("ca.csv"), rows(10)).unwrap();
    let args = ["dataset", "import", "ca.csv", "--out", "/dev/full/out.parquet"];
    let output = polyculture(folder.path(), &args);
    expect_code(&output, 3);
    assert!(stderr(&output).contains("could not write `/dev/full/out.parquet`"));
}

#[test]
fn ids_past_2_to_the_53_keep_their_digits() {
    let folder = tempfile::tempdir().unwrap();
    let row = HEADER.to_owned() + "9007199254740993,9223372036854775807,hi,a,b,c,d,response_a\n";
    fs::write(folder.path().join("ca.csv"), row).unwrap();
    let sql = "SELECT conversation_id, annotator_id FROM comparisons";
    let output = polyculture(folder.path(), &["dataset", "query", sql, "ca.csv", "--rows", "csv"]);
    expect_code(&output, 0);
    assert_eq!(
        stdout(&output),
        "conversation_id,annotator_id\n9007199254740993,9223372036854775807\n"
    );
}

#[test]
fn a_question_that_is_none_is_wrong_use() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("ca.csv"), rows(3)).unwrap();
    fn check(folder: &Path, sql: &str, expected: &str) {
        let output = polyculture(folder, &["dataset", "query", sql, "ca.csv"]);
        expect_code(&output, 2);
        assert!(stderr(&output).contains(expected), "{}", stderr(&output));
    }
    check(folder.path(), "SELECT nothing FROM comparisons", "nothing");
    check(folder.path(), "DROP TABLE comparisons", "DDL");
    check(folder.path(), "SELEC 1", "SELEC");
}
