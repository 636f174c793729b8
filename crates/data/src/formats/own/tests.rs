//! Files as people have them, read by mappings.

use super::super::testing::{Read, read};
use crate::{ChoiceRule, Format, Mapping, OpenError, OpenOptions, Rule};

fn open(mapping: &str, name: &str, text: &str, rule: ChoiceRule) -> Result<Read, OpenError> {
    let mapping = Mapping::from_toml(mapping).expect("a mapping");
    let options =
        OpenOptions { mapping: Some(mapping), choice_rule: rule, ..OpenOptions::default() };
    read(&[(name, text)], &options)
}

fn check(
    mapping: &str,
    name: &str,
    text: &str,
    expected: &[&str],
    findings: &[(Rule, u64)],
) -> Read {
    let read = open(mapping, name, text, ChoiceRule::Marked).expect("readable");
    assert_eq!(read.format, "own");
    assert_eq!(read.comparisons, expected);
    assert_eq!(read.found(), findings);
    read
}

const TWO: &str = "prompt = 'q'\ncandidates = ['one', { id = 'B', text = 'two' }]\n";

#[test]
fn tables_and_objects_are_read_alike() {
    let mapping = format!(
        "{TWO}annotator = 'who'\nlanguage = 'lang'\nconversation = 'conv'\nturn = 'n'\nfirst_turn = 0\n\
         explanation = 'why'\n[choice]\ncolumn = 'best'\ntie = ['both']\nnone = ['None']\n\
         values = {{ first = 'one' }}\n[extra]\nland = 'country'\n"
    );
    let rows = [
        ["9007199254740993", "0", "Tea?", "Yes", "No", "first", "warm", "p1", "en", "it", "5"],
        ["c2", "1", "So?", "Ja", "Nein", "b", "", "p2", "de", "", ""],
        ["c3", "0", "x", "1", "2", "both", "", "p2", "", "", ""],
        ["c4", "0", "x", "1", "2", "None", "", "p2", "", "", ""],
        ["c5", "0", "x", "1", "2", "response_c", "", "p2", "", "", ""],
        ["", "0", "x", "1", "2", "one", "", "p2", "", "", ""],
    ];
    let header = ["conv", "n", "q", "one", "two", "best", "why", "who", "lang", "land", "rest"];
    let csv: Vec<String> = [&header].into_iter().chain(&rows).map(|row| row.join(",")).collect();
    let objects = rows.map(|row| {
        let pairs = header.iter().zip(row).map(|(k, v)| ((*k).to_owned(), v.into()));
        serde_json::Value::Object(pairs.collect()).to_string()
    });
    let expected = [
        "1. [] Tea? (one=Yes B=No) one because warm",
        "2. [] So? (one=Ja B=Nein) B",
        "1. [] x (one=1 B=2) tie",
        "1. [] x (one=1 B=2) none",
        "1. [] x (one=1 B=2) none",
    ];
    let findings = [(Rule::UnreadableRecord, 1), (Rule::UnknownChoice, 1), (Rule::NoChoice, 1)];
    for (name, text) in [("own.csv", csv.join("\n")), ("own.jsonl", objects.join("\n"))] {
        let read = check(&mapping, name, &text, &expected, &findings);
        let first_line = if name == "own.csv" { 2 } else { 1 };
        assert_eq!(read.ids[0], format!("9007199254740993 p1 en {first_line}"));
        assert_eq!(read.extra[0], "land:country=it rest:other=5");
    }
}

#[test]
fn choices_are_named_in_many_ways() {
    let one = |names: &str, value: &str, chosen: &str, findings: &[(Rule, u64)]| {
        let mapping = format!("{TWO}[choice]\ncolumn = 'best'\nnames = '{names}'");
        let text =
            format!("{{\"q\": \"x\", \"one\": \"Yes\", \"two\": \"No\", \"best\": {value}}}");
        let expected = format!("1. [] x (one=Yes B=No) {chosen}");
        check(&mapping, "own.jsonl", &text, &[&expected], findings);
    };
    for value in ["\"B\"", "\"b\"", "\"two\"", "\"response_b\"", "\"Model B\"", "\" No \""] {
        one("any", value, "B", &[]);
    }
    one("from-0", "1", "B", &[]);
    one("from-1", "\"1.0\"", "one", &[]);
    one("from-1", "3", "none", &[(Rule::UnknownChoice, 1)]);
    one("text", "\"Yes\"", "one", &[]);
    one("any", "[\"a\", \"b\"]", "one+B", &[]);
    one("any", "null", "none", &[(Rule::NoChoice, 1)]);
}

#[test]
fn candidates_may_stand_in_one_column() {
    let mapping = "prompt = 'q'\n[candidate_list]\ncolumn = 'answers'\ntext = 'says'\nmodel = 'by'\n\
        score = 'stars'\n";
    let text = r#"{"q": "x", "answers": [{"says": "Yes", "by": "m1", "stars": 4}, {"says": "No", "by": "m2", "stars": "4.5"}]}
{"q": "x", "answers": ["Yes", "No"]}
{"q": "x", "answers": {"left": "Yes", "right": ["No"]}}
{"q": "x", "answers": 3}"#;
    let scored = "1. [] x (a=Yes@m1#4 b=No@m2#4.5)";
    let rest = ["1. [] x (a=Yes b=No) none", "1. [] x (left=Yes right=-) none", "1. [] x () none"];
    let findings = [(Rule::TypeMismatch, 2), (Rule::MissingCandidate, 2), (Rule::NoChoice, 3)];
    let first = format!("{scored} b");
    let expected: Vec<&str> = [first.as_str()].into_iter().chain(rest).collect();
    check(mapping, "own.jsonl", text, &expected, &findings);
    let read = open(mapping, "own.jsonl", text, ChoiceRule::Margin(1.0)).expect("readable");
    assert_eq!(read.comparisons[0], format!("{scored} tie"));
}

#[test]
fn rankings_and_ranks_are_read() {
    let mapping = format!("{TWO}[ranking]\ncolumn = 'order'");
    let row = |order: &str| format!(r#"{{"q": "x", "one": "Yes", "two": "No", "order": {order}}}"#);
    let text = ["\"B>one\"", "[\"one\", \"B\"]", "\"one = B\"", "\"B>C\""].map(row).join("\n");
    check(
        &mapping,
        "own.jsonl",
        &text,
        &["B>one", "one>B", "tie", "none"]
            .map(|c| format!("1. [] x (one=Yes B=No) {c}"))
            .each_ref()
            .map(String::as_str),
        &[(Rule::UnknownChoice, 1)],
    );
    let mapping = "prompt = 'q'\n[[candidates]]\ntext = 'a'\nrank = 'ra'\n[[candidates]]\ntext = 'b'\nrank = 'rb'";
    check(mapping, "own.csv", "q,a,ra,b,rb\nx,Yes,2,No,1\n", &["1. [] x (a=Yes b=No) b>a"], &[]);
}

#[test]
fn histories_come_as_messages_or_texts() {
    let pair = "[pair]\nchosen = 'good'\nrejected = 'bad'";
    let mapping = format!("prompt = 'q'\nsystem = 'sys'\nhistory = 'before'\n{pair}");
    let text = r#"{"sys": "Be kind.", "before": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}], "q": "Tea?", "good": "Yes", "bad": "No"}
{"sys": null, "before": "Human: Hi\n\nAssistant: Hello", "q": [{"role": "user", "content": "Tea?"}], "good": [{"role": "assistant", "content": "Yes"}], "bad": [{"role": "assistant", "content": "No"}]}"#;
    let rest = "user: Hi | assistant: Hello] Tea? (chosen=Yes rejected=No) chosen";
    check(
        &mapping,
        "own.jsonl",
        text,
        &[&format!("2. [system: Be kind. | {rest}"), &format!("2. [{rest}")],
        &[],
    );
    let nested = "prompt = 'meta.q'\ndrop_other = true\n[pair]\nchosen = 'good'\nrejected = 'bad'\n[extra]\n'meta.land' = 'country'";
    let text = r#"{"meta": {"q": "Tea?", "land": "it"}, "good": "Yes", "bad": "No"}"#;
    let read =
        check(nested, "own.jsonl", text, &["1. [] Tea? (chosen=Yes rejected=No) chosen"], &[]);
    assert_eq!(read.extra, ["meta.land:country=it"]);
}

#[test]
fn a_column_that_is_absent_is_named_with_the_nearest() {
    let error = open(TWO, "own.csv", "q,one,twoo\nx,y,z\n", ChoiceRule::Marked).err();
    let Some(OpenError::Column { column, nearest, format, .. }) = &error else {
        panic!("{:?}", error.map(|e| e.to_string()));
    };
    assert_eq!((column.as_str(), nearest.as_deref(), *format), ("two", Some("twoo"), "own"));
    let message = error.map(|e| e.to_string()).unwrap_or_default();
    assert!(message.contains("which the mapping names; is it `twoo`?"), "{message}");
    let options = OpenOptions { format: Some(Format::Own), ..OpenOptions::default() };
    let error = read(&[("own.csv", "q\nx\n")], &options).err();
    assert!(matches!(error, Some(OpenError::NoMapping)));
}
