//! Splits as files: one of JSON Lines for each, and beside them how they were made.

use super::{SplitError, SplitOptions, SplitPlan, SplitReport};
use crate::convert::own;
use crate::dataset::Dataset;
use crate::write::{WholeFile, write_whole};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// A split that was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WrittenSplit {
    /// Its name.
    pub name: String,
    /// Its file.
    pub path: PathBuf,
    /// Comparisons in it.
    pub n_comparisons: u64,
}

/// How splits were made. Its file has no data file's name, so that the folder can be read as a dataset.
#[derive(Serialize)]
struct Manifest<'p> {
    format: &'static str,
    sources: Vec<&'p str>,
    options: &'p SplitOptions,
    report: &'p SplitReport,
}

/// Writes each split to a file of its name in `folder`, which is made if it is not there, as JSON Lines of this
/// program's own shape; `extension` is `jsonl`, `jsonl.gz` or `jsonl.zst`. `split.manifest` beside them says how
/// they were made, in JSON. Comparisons stay in their order, and files have their names only when all are whole.
///
/// # Errors
/// When the dataset cannot be read to its end, or a file not be written.
pub fn write_splits(
    dataset: &Dataset,
    plan: &SplitPlan,
    folder: &Path,
    extension: &str,
) -> Result<Vec<WrittenSplit>, SplitError> {
    std::fs::create_dir_all(folder)
        .map_err(|source| SplitError::Folder { path: folder.to_owned(), source })?;
    let names = plan.names();
    let mut files = Vec::new();
    for name in names {
        files.push(WholeFile::create(&folder.join(format!("{name}.{extension}")))?);
    }
    let keys: Vec<String> = dataset.extra_columns().iter().map(own::key).collect();
    let mut n_comparisons = vec![0; names.len()];
    dataset.fold(
        || vec![(Vec::new(), 0u64); names.len()],
        |parts, comparison| {
            if let Some(split) = plan.split_of(&comparison.conversation_id) {
                let (lines, n) = &mut parts[split];
                own::write(comparison, &keys, lines);
                *n += 1;
            }
        },
        |_, parts| {
            for (((lines, n), file), sum) in parts.iter().zip(&mut files).zip(&mut n_comparisons) {
                file.write(lines)?;
                *sum += n;
            }
            Ok::<_, SplitError>(())
        },
    )?;
    let mut written = Vec::new();
    for ((file, name), n_comparisons) in files.into_iter().zip(names).zip(n_comparisons) {
        let path = file.path().to_owned();
        file.finish()?;
        written.push(WrittenSplit { name: name.clone(), path, n_comparisons });
    }
    let manifest = Manifest {
        format: "polyculture.split/1",
        sources: dataset.files().collect(),
        options: plan.options(),
        report: plan.report(),
    };
    let mut text = serde_json::to_vec_pretty(&manifest).expect("numbers and texts can be written");
    text.push(b'\n');
    write_whole(&folder.join("split.manifest"), &text)?;
    Ok(written)
}
