//! Whole folders, looked at with this program's own reader: what is there, and above all what is not.

use super::*;
use crate::schema::Column;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::file::reader::{FileReader, SerializedFileReader};
use serde_json::{Value, json};
use std::fs::{self, File};
use std::path::PathBuf;

const SECRET: &str = "a secret of good length";

/// Twelve annotators with two comparisons each: ten are from Italy, two from France; texts hold personal data.
fn rows() -> Vec<Value> {
    let row = |i: usize| {
        let annotator = i / 2;
        let country = if annotator < 10 { "italy" } else { "france" };
        let age = ["18-34", "46-54", "55+"][if annotator < 5 { 0 } else { annotator % 2 + 1 }];
        json!({
            "conversation_id": format!("conversation-{i}"), "turn": 1, "history": [],
            "prompt": format!("Question {i} of ann@mail.uni.br"),
            "candidates": [{ "id": "a", "text": format!("Yes {i}, call +39 06 6982 1234") }, { "id": "b", "text": format!("No {i}") }],
            "choice": "one", "chosen": [if i.is_multiple_of(3) { "a" } else { "b" }],
            "explanation": "I like it", "annotator_id": format!("person-{annotator}"), "language": "it",
            "line": i + 1, "wave": "1", "annotator_country": country, "annotator_age": age,
            "worker_mail": format!("w{annotator}@mail.uni.br"),
        })
    };
    (0..24).map(row).collect()
}

struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn dataset(&self, text: &str) -> Dataset {
        let path = self.path("source.jsonl");
        fs::write(&path, text).unwrap();
        Dataset::open(&[path.display().to_string()], &OpenOptions::default()).unwrap()
    }

    fn publish(&self, toml: &str, name: &str) -> PublishReport {
        let text: Vec<String> = rows().iter().map(Value::to_string).collect();
        let options = PublishOptions { max_shard_rows: 10, ..options(toml) };
        publish(&[("train", &self.dataset(&text.join("\n")))], &options, &self.path(name)).unwrap()
    }

    /// All bytes of all files, Parquet read back.
    fn all(&self, name: &str) -> String {
        let mut all = String::new();
        for file in ["README.md", "croissant.json", "CITATION.cff"] {
            all.push_str(&fs::read_to_string(self.path(name).join(file)).unwrap());
        }
        for row in self.rows(name) {
            all.push_str(&row.to_string());
        }
        all
    }

    fn rows(&self, name: &str) -> Vec<Value> {
        let files = fs::read_dir(self.path(name).join("data")).unwrap();
        let mut files: Vec<PathBuf> = files.map(|file| file.unwrap().path()).collect();
        files.sort();
        let mut rows = Vec::new();
        for file in files {
            let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(file).unwrap());
            for batch in reader.unwrap().build().unwrap() {
                let lines = crate::parquet_rows::as_lines(&batch.unwrap(), 1).unwrap();
                let lines = String::from_utf8(lines.bytes).unwrap();
                rows.extend(lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()));
            }
        }
        rows
    }
}

fn options(toml: &str) -> PublishOptions {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    fs::write(&path, SECRET).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    }
    PublishOptions {
        declaration: Declaration::from_toml(toml).unwrap(),
        key: Some(PseudonymKey::from_file(&path).unwrap()),
        ..PublishOptions::default()
    }
}

const ALL_PUBLIC: &str = "[columns]\nannotator_country = 'public'\nannotator_age = 'public'\n";

#[test]
fn nothing_private_is_in_any_file() {
    let place = Place::new();
    let report = place.publish("", "out");
    let all = place.all("out");
    for private in [
        "person-",
        "conversation-",
        "italy",
        "worker_mail",
        "uni.br",
        "6982",
        SECRET,
        "annotator_age",
    ] {
        assert!(!all.contains(private), "{private}");
    }
    assert!(all.contains("[mail]") && all.contains("[phone]") && all.contains("\"wave\""));
    let bytes = fs::read(place.path("out/data/train-00000-of-00003.parquet")).unwrap();
    let bytes = String::from_utf8_lossy(&bytes);
    assert!(!bytes.contains("source.jsonl") && !bytes.contains("worker_mail"));
    let replaced: Vec<_> =
        report.scrubbed.iter().map(|s| (s.column.as_str(), s.kind, s.replaced)).collect();
    assert_eq!(replaced, [("prompt", "mail", 24), ("candidates", "phone", 24)]);
    assert_eq!(report.pseudonyms, Some(KeySource::File));
}

#[test]
fn pseudonyms_link_what_belongs_together_and_stay_the_same() {
    let place = Place::new();
    place.publish("", "out");
    place.publish("", "again");
    let rows = place.rows("out");
    assert_eq!(rows, place.rows("again"));
    let of = |row: usize, column: &str| rows[row][column].to_string();
    assert_eq!(of(0, "annotator_id"), of(1, "annotator_id"));
    assert_ne!(of(0, "annotator_id"), of(2, "annotator_id"));
    assert_ne!(of(0, "conversation_id"), of(1, "conversation_id"));
    // The hash beside it is that of the pseudonym: the source's id cannot be tried out on it.
    let id = rows[0]["conversation_id"].as_str().unwrap();
    assert_eq!(rows[0]["conversation_hash"], json!(crate::facts::hash(id)));
    assert!(rows[0].get(Column::Line.name()).is_none());
}

#[test]
fn small_cells_are_suppressed_and_counted() {
    let place = Place::new();
    let toml = format!("{ALL_PUBLIC}[privacy]\nimportance = ['annotator_country']");
    let report = place.publish(&toml, "out");
    // Five young Italians, three and two older ones, two French: the older Italians lose their age, the French all.
    let suppressed: Vec<_> =
        report.suppressed.iter().map(|s| (s.column.as_str(), s.people)).collect();
    assert_eq!(suppressed, [("annotator_country", 2), ("annotator_age", 7)]);
    let all = place.all("out");
    assert!(!all.contains("france") && !all.contains("55+") && all.contains("italy"));
    let readme = fs::read_to_string(place.path("out/README.md")).unwrap();
    assert!(
        readme.contains("annotator_country, in annotators: italy 10, not said or left out 2."),
        "{readme}"
    );

    let report = place.publish(&format!("{ALL_PUBLIC}[privacy]\nmin_cell = 1"), "open");
    assert!(report.suppressed.is_empty());
    assert!(place.all("open").contains("france"));
}

#[test]
fn shards_are_numbered_and_have_an_index_of_pages() {
    let place = Place::new();
    let report = place.publish("", "out");
    let shards: Vec<_> =
        report.splits[0].shards.iter().map(|s| (s.path.as_str(), s.rows)).collect();
    let path = |i: usize| format!("data/train-0000{i}-of-00003.parquet");
    assert_eq!(shards, [(&*path(0), 10), (&*path(1), 10), (&*path(2), 4)]);
    let file = File::open(place.path("out").join(path(0))).unwrap();
    let reader = SerializedFileReader::new(file).unwrap();
    for column in reader.metadata().row_group(0).columns() {
        let name = column.column_path().string();
        assert!(column.offset_index_offset().is_some(), "{name}");
        // The writer has none for lists in which there is nothing at all.
        let has_values =
            ["source", "model", "score", "role", "content"].iter().all(|end| !name.ends_with(end));
        assert!(column.column_index_offset().is_some() || !has_values, "{name}");
    }
    assert_eq!(report.splits[0].shards[0].sha256.len(), 64);
}

#[test]
fn the_card_says_what_is_known_and_asks_for_the_rest() {
    let place = Place::new();
    let toml = "[card]\ntitle = 'Questions: all of them'\nlicense = 'cc-by-4.0'\nauthors = [{ name = 'Example Institute' }]\nuses = 'Research.'";
    let report = place.publish(toml, "out");
    let readme = fs::read_to_string(place.path("out/README.md")).unwrap();
    let front = readme.split("---\n").nth(1).unwrap();
    let expected = "\
pretty_name: \"Questions: all of them\"
language:
- it
license: cc-by-4.0
multilinguality:
- monolingual
size_categories:
- n<1K
task_categories:
- text-generation
- reinforcement-learning
tags:
- preference
- human-feedback
- comparisons
- croissant
- polyculture
configs:
- config_name: default
  data_files:
  - split: train
    path: data/train-*
dataset_info:
  features:
  - name: conversation_id
    dtype: string
";
    assert!(front.starts_with(expected), "{front}");
    assert!(front.contains("  splits:\n  - name: train\n    num_bytes: "));
    assert!(front.contains("# TODO-BY-A-PERSON card.annotations_creators"));
    assert!(readme.contains("**What can the dataset be used for?** Research.\n"));
    assert!(
        readme.contains("| known: Krippendorff") || !readme.contains("Agreement beyond chance")
    );
    let fields: Vec<&str> = report.gaps.iter().map(|gap| gap.field).collect();
    assert!(
        fields.contains(&"consent") && !fields.contains(&"uses") && !fields.contains(&"authors")
    );
    let citation = fs::read_to_string(place.path("out/CITATION.cff")).unwrap();
    let author = "title: \"Questions: all of them\"\nauthors:\n- name: Example Institute\nlicense: CC-BY-4.0\n";
    assert!(citation.contains(author), "{citation}");
}

#[test]
fn a_source_that_ends_in_the_middle_leaves_no_folder() {
    let place = Place::new();
    let mut text = "chosen,rejected\n".to_owned();
    for i in 0..100 {
        text.push_str(&format!(
            "\"\n\nHuman: q{i}\n\nAssistant: a\",\"\n\nHuman: q{i}\n\nAssistant: b\"\n"
        ));
    }
    text.push_str("\"never closed");
    let path = place.path("source.csv");
    fs::write(&path, text).unwrap();
    let dataset = Dataset::open(&[path.display().to_string()], &OpenOptions::default()).unwrap();
    let error = publish(&[("train", &dataset)], &options(""), &place.path("out")).unwrap_err();
    assert!(matches!(error, PublishError::Read(_)), "{error}");
    let left: Vec<_> =
        fs::read_dir(place.folder.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(left, ["source.csv"]);
}

#[test]
fn splits_go_together_or_not_at_all() {
    let place = Place::new();
    let text: Vec<String> = rows().iter().map(Value::to_string).collect();
    let dataset = place.dataset(&text.join("\n"));
    let check = |splits: &[(&str, &Dataset)], expected: &str| {
        let error = publish(splits, &options(""), &place.path("out")).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
        assert!(!place.path("out").exists());
    };
    check(&[], "no split");
    check(&[("a b", &dataset)], "`a b` is no name");
    check(&[("train", &dataset), ("train", &dataset)], "two splits `train`");
    let report =
        publish(&[("train", &dataset), ("test", &dataset)], &options(""), &place.path("out"))
            .unwrap();
    assert_eq!(report.splits.len(), 2);
    assert!(place.path("out/data/test-00000-of-00001.parquet").is_file());
    let again = publish(&[("train", &dataset)], &options(""), &place.path("out")).unwrap_err();
    assert!(matches!(again, PublishError::Exists(_)));
    let force = PublishOptions { force: true, ..options("") };
    publish(&[("train", &dataset)], &force, &place.path("out")).unwrap();
    assert!(!place.path("out/data/test-00000-of-00001.parquet").exists());
}
