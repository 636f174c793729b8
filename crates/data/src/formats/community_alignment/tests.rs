//! What real files of the format have in them, in small.

use crate::{Choice, Comparison, Dataset, Findings, OpenError, OpenOptions, ReadError, Rule};
use std::fs;
use std::io::Write;
use std::sync::Mutex;

const HEADER: &str = "conversation_id,annotator_id,wave,assigned_lang,\
    first_turn_prompt,first_turn_response_a,first_turn_response_b,first_turn_response_c,first_turn_response_d,\
    first_turn_preferred_response,first_turn_feedback,\
    second_turn_prompt,second_turn_response_a,second_turn_response_b,second_turn_response_c,\
    second_turn_response_d,second_turn_preferred_response,second_turn_feedback";

/// What a comparison says, in one line.
fn shown(c: &Comparison<'_>) -> String {
    let history: Vec<String> =
        c.history.iter().map(|m| format!("{}: {}", m.role.as_str(), m.text)).collect();
    let candidates: Vec<&str> =
        c.candidates.iter().map(|c| c.text.as_deref().unwrap_or("-")).collect();
    let chosen = c.choice.best().map_or("-", |best| &c.candidates[best].id);
    format!(
        "{}/{} [{}] {} ({}) {chosen} {}",
        c.conversation_id,
        c.turn,
        history.join(" | "),
        c.prompt,
        candidates.join(" "),
        c.explanation.as_deref().unwrap_or("-")
    )
}

fn read(name: &str, text: impl AsRef<[u8]>) -> (Vec<String>, Findings) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(name);
    fs::write(&path, text).expect("written");
    let dataset =
        Dataset::open(&[path.display().to_string()], &OpenOptions::default()).expect("a dataset");
    let comparisons = Mutex::new(Vec::new());
    let scan = dataset
        .fold(
            || (),
            |(), c| comparisons.lock().expect("no panic").push(shown(c)),
            |_, ()| Ok::<_, ReadError>(()),
        )
        .expect("readable");
    (comparisons.into_inner().expect("no panic"), scan.findings)
}

fn check(rows: &str, expected: &[&str], findings: &[(Rule, u64)]) {
    let (comparisons, found) = read("ca.csv", format!("{HEADER}\n{rows}\n"));
    assert_eq!(comparisons, expected);
    let found: Vec<(Rule, u64)> = found.iter().map(|(rule, n, _)| (rule, n)).collect();
    assert_eq!(found, findings);
}

#[test]
fn the_history_follows_the_chosen_path() {
    check(
        "1,7,1,en,hi,a1,b1,\"c1, \"\"so\"\"\",d1,response_c,because,more?,a2,b2,c2,d2,response_a,",
        &[
            "1/1 [] hi (a1 b1 c1, \"so\" d1) c because",
            "1/2 [user: hi | assistant: c1, \"so\"] more? (a2 b2 c2 d2) a -",
        ],
        &[],
    );
}

#[test]
fn nothing_is_dropped_in_silence() {
    check(
        "1,7,1,en,hi,a1,EMPTY STRING,c1,d1<|end_of_text|>,response_b,,,,,,,,",
        &["1/1 [] hi (a1 - c1 d1) b -"],
        &[
            (Rule::ChoiceWithoutText, 1),
            (Rule::MissingCandidate, 1),
            (Rule::Sentinel, 1),
            (Rule::EndOfText, 1),
        ],
    );
    check(
        "2,7,1,en,hi,a1,b1,c1,d1,nan,,,,,,,,\n3,7,1,en,hi,a1,b1,c1,d1,response_e,,,,,,,,",
        &["2/1 [] hi (a1 b1 c1 d1) - -", "3/1 [] hi (a1 b1 c1 d1) - -"],
        &[(Rule::UnknownChoice, 1), (Rule::Sentinel, 1), (Rule::NoChoice, 1)],
    );
    check(
        "4,7,1,en,,,,,,,,late,a2,b2,c2,d2,response_d,\n5,7,1,en,hi",
        &["4/2 [] late (a2 b2 c2 d2) d -"],
        &[(Rule::UnreadableRecord, 1), (Rule::TurnGap, 1)],
    );
}

#[test]
fn candidates_of_the_first_version_are_unpacked() {
    let text = "conversation_id,annotator_id,first_turn_prompt,first_turn_responses,first_turn_preferred_response\n\
        1,7,hi,\"# Response A: \nx\n\n# Response B: \ny # Response\n# Response D: \nz\",response_d\n";
    let (comparisons, findings) = read("full.csv", text);
    assert_eq!(comparisons, ["1/1 [] hi (x y # Response z) d -"]);
    assert!(findings.is_empty());
}

#[test]
fn json_lines_and_compressed_files_are_read_alike_and_long_ids_stay_whole() {
    let object = r#"{"conversation_id": 9007199254740993, "annotator_id": 7, "first_turn_prompt": "hi",
        "first_turn_response_a": "x", "first_turn_response_b": "y", "first_turn_response_c": "z",
        "first_turn_response_d": "w", "first_turn_preferred_response": "response_a"}"#;
    let line = object.replace('\n', " ");
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(line.as_bytes()).expect("written");
    let gzip = gzip.finish().expect("written");
    let zstd = zstd::encode_all(line.as_bytes(), 1).expect("written");
    for (name, bytes) in
        [("ca.jsonl", line.as_bytes()), ("ca.jsonl.gz", &gzip[..]), ("ca.jsonl.zst", &zstd[..])]
    {
        assert_eq!(read(name, bytes).0, ["9007199254740993/1 [] hi (x y z w) a -"], "{name}");
    }
}

#[test]
fn a_truncated_archive_is_an_error_and_not_a_short_dataset() {
    let rows = (0..20_000).map(|i| format!("{i},7,1,en,hi{i},a,b,c,d,response_a,,,,,,,,\n"));
    let text = format!("{HEADER}\n{}", rows.collect::<String>());
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(text.as_bytes()).expect("written");
    let gzip = gzip.finish().expect("written");
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("ca.csv.gz");
    fs::write(&path, &gzip[..gzip.len() / 2]).expect("written");
    let dataset = Dataset::open(&[path.display().to_string()], &OpenOptions::default());
    let read = crate::lint(&dataset.expect("the head is whole"), &crate::LintOptions::default());
    assert!(matches!(read, Err(ReadError::Io { .. })), "{read:?}");
}

#[test]
fn what_says_the_same_is_found() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("ca.csv");
    let rows = "1,7,1,en,hi,Yes,\"yes \n\",no,d,response_a,,,,,,,,\n2,7,1,en,hi,a,no, NO,d,response_a,,,,,,,,\n";
    fs::write(&path, format!("{HEADER}\n{rows}")).expect("written");
    let dataset = Dataset::open(&[path.display().to_string()], &OpenOptions::default());
    let report = crate::lint(&dataset.expect("a dataset"), &crate::LintOptions::default())
        .expect("readable");
    let found: Vec<_> =
        report.findings.iter().map(|(rule, n, examples)| (rule, n, examples[0].line)).collect();
    assert_eq!(found, [(Rule::ChosenEqualsRejected, 1, 2), (Rule::DuplicateCandidates, 1, 4)]);
    assert_eq!((report.n_records, report.n_turns), (2, 2));
}

#[test]
fn a_renamed_column_is_named_with_the_nearest() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("ca.csv");
    fs::write(
        &path,
        HEADER.replace("first_turn_preferred_response", "first_turn_prefered_response"),
    )
    .expect("written");
    let error = Dataset::open(&[path.display().to_string()], &OpenOptions::default());
    let Err(OpenError::Column { column, nearest, .. }) = error else {
        panic!("{error:?}");
    };
    assert_eq!(column, "first_turn_preferred_response");
    assert_eq!(nearest.as_deref(), Some("first_turn_prefered_response"));
}

#[test]
fn a_choice_of_one_has_one_best() {
    assert_eq!(Choice::One(2).best(), Some(2));
    assert_eq!(Choice::One(2).chosen(), [2]);
    assert_eq!(Choice::Several(vec![0, 1]).best(), None);
}
