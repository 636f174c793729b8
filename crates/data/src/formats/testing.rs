//! What tests of readers share: files that are written, read and shown in one line a comparison.

use crate::{Choice, Comparison, Dataset, Findings, OpenError, OpenOptions, ReadError, Rule};
use datafusion::arrow::json::ReaderBuilder;
use datafusion::arrow::json::reader::infer_json_schema;
use parquet::arrow::ArrowWriter;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

/// What a comparison says, in one line.
fn shown(c: &Comparison<'_>) -> String {
    let history: Vec<String> =
        c.history.iter().map(|m| format!("{}: {}", m.role.as_str(), m.text)).collect();
    let candidates: Vec<String> = c
        .candidates
        .iter()
        .map(|c| {
            let model = c.model.as_ref().map_or(String::new(), |m| format!("@{m}"));
            let score = c.score.map_or(String::new(), |s| format!("#{s}"));
            format!("{}={}{model}{score}", c.id, c.text.as_deref().unwrap_or("-"))
        })
        .collect();
    let ids = |chosen: &[usize]| {
        let ids: Vec<&str> = chosen.iter().map(|i| c.candidates[*i].id.as_ref()).collect();
        ids.join(if matches!(c.choice, Choice::Ranking(_)) { ">" } else { "+" })
    };
    let choice = match &c.choice {
        Choice::None | Choice::Tie | Choice::Scores => c.choice.kind().to_owned(),
        choice => ids(choice.chosen()),
    };
    format!(
        "{}. [{}] {} ({}) {choice}{}",
        c.turn,
        history.join(" | "),
        c.prompt,
        candidates.join(" "),
        c.explanation.as_ref().map_or(String::new(), |e| format!(" because {e}")),
    )
}

/// What reading files gave.
pub(super) struct Read {
    /// Each comparison in one line.
    pub(super) comparisons: Vec<String>,
    /// Conversation, annotator, language and line of each.
    pub(super) ids: Vec<String>,
    /// The extra columns of each, with the names of those that say something.
    pub(super) extra: Vec<String>,
    pub(super) findings: Findings,
    pub(super) format: &'static str,
}

impl Read {
    pub(super) fn found(&self) -> Vec<(Rule, u64)> {
        self.findings.iter().map(|(rule, n, _)| (rule, n)).collect()
    }
}

/// Writes files, opens the folder, and reads all.
pub(super) fn read(
    files: &[(&str, impl AsRef<[u8]>)],
    options: &OpenOptions,
) -> Result<Read, OpenError> {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        fs::write(folder.path().join(name), text).expect("written");
    }
    read_path(folder.path(), options)
}

/// Reads what lies under a path.
pub(super) fn read_path(path: &Path, options: &OpenOptions) -> Result<Read, OpenError> {
    let options = OpenOptions { n_threads: Some(1), ..options.clone() };
    let dataset = Dataset::open(&[path.display().to_string()], &options)?;
    let read = Mutex::new((Vec::new(), Vec::new(), Vec::new()));
    let each = |(): &mut (), c: &Comparison<'_>| {
        let mut read = read.lock().expect("no panic");
        read.0.push(shown(c));
        let annotator = c.annotator_id.as_deref().unwrap_or("-");
        let language = c.language.as_deref().unwrap_or("-");
        read.1.push(format!("{} {annotator} {language} {}", c.conversation_id, c.line));
        assert_eq!(c.extra.len(), dataset.extra_columns().len());
        let extra = dataset.extra_columns().iter().zip(&c.extra);
        let extra = extra.filter_map(|(column, value)| {
            Some(format!("{}:{}={}", column.name, column.role.id(), value.as_ref()?))
        });
        read.2.push(extra.collect::<Vec<_>>().join(" "));
    };
    let scan = dataset.fold(|| (), each, |_, ()| Ok::<_, ReadError>(()))?;
    let format = dataset.format().id();
    let (comparisons, ids, extra) = read.into_inner().expect("no panic");
    Ok(Read { comparisons, ids, extra, findings: scan.findings, format })
}

/// A file of the folder of real data beside the repository, if it is there.
pub(super) fn shared(file: &str) -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let folder = std::env::var_os("POLYCULTURE_SHARED").map_or(beside, PathBuf::from);
    let path = folder.join(file);
    if path.is_file() {
        return Some(path);
    }
    eprintln!(
        "NOT TESTED on real data: `{}` is not there; POLYCULTURE_SHARED names its folder",
        path.display()
    );
    None
}

/// Lines of JSON as a Parquet file.
pub(super) fn parquet(text: &str) -> Vec<u8> {
    let (schema, _) = infer_json_schema(text.as_bytes(), None).expect("a schema");
    let reader = ReaderBuilder::new(Arc::new(schema.clone())).build(text.as_bytes());
    let mut writer =
        ArrowWriter::try_new(Vec::new(), Arc::new(schema), None).expect("a Parquet file");
    for batch in reader.expect("readable") {
        writer.write(&batch.expect("rows")).expect("written");
    }
    writer.into_inner().expect("written")
}

/// Reads one file of a format that is recognised, and compares.
pub(super) fn check(
    format: &str,
    name: &str,
    text: impl AsRef<[u8]>,
    expected: &[&str],
    findings: &[(Rule, u64)],
) -> Read {
    let read = read(&[(name, text)], &OpenOptions::default()).expect("readable");
    assert_eq!(read.format, format);
    assert_eq!(read.comparisons, expected);
    assert_eq!(read.found(), findings);
    read
}
