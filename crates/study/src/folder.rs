//! The study directory: one folder a stage, and in each a manifest that says what made its
//! artefacts, so that work is neither done twice nor mixed with work of other settings.

use polyculture_core::jsonl::is_system_failure;
use polyculture_core::{digest, template::TemplateRef};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A study on disk.
#[derive(Debug, Clone)]
pub struct Folder(PathBuf);

/// What made the artefacts of a stage.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// `polyculture.manifest/1`.
    pub format: String,
    /// The stage.
    pub stage: String,
    /// The program's version.
    pub version: String,
    /// Settings on which every record depends, as they were resolved.
    pub settings: BTreeMap<String, serde_json::Value>,
    /// The prompt texts that were used.
    pub templates: Vec<TemplateRef>,
    /// Digests of the files that were read, by name.
    pub inputs: BTreeMap<String, String>,
}

/// Why a stage's folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// A file.
    #[error("{}: {source}", .path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A manifest that is none.
    #[error("{}: the manifest is not readable ({message}); `--force` makes the stage anew", .path.display())]
    Manifest {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
    /// Artefacts of other settings.
    #[error("{} was made with other settings ({difference}); `--force` makes it anew, or take another study folder", .path.display())]
    OtherSettings {
        /// The stage's folder.
        path: PathBuf,
        /// What differs first.
        difference: String,
    },
}

impl FolderError {
    /// Whether the system failed rather than what was named.
    #[must_use]
    pub fn is_world(&self) -> bool {
        matches!(self, FolderError::File { source, .. } if is_system_failure(source))
    }
}

impl Folder {
    /// A study in this folder.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// The folder itself.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// `study.toml`.
    #[must_use]
    pub fn config(&self) -> PathBuf {
        self.0.join("study.toml")
    }

    /// `sample/candidates.jsonl`.
    #[must_use]
    pub fn candidates(&self) -> PathBuf {
        self.0.join("sample/candidates.jsonl")
    }

    /// A file of `survey/`, such as `answers.jsonl`.
    #[must_use]
    pub fn survey(&self, file: &str) -> PathBuf {
        self.0.join("survey").join(file)
    }

    /// `judge/verdicts.jsonl`.
    #[must_use]
    pub fn verdicts(&self) -> PathBuf {
        self.0.join("judge/verdicts.jsonl")
    }

    /// `evaluate/results.jsonl`.
    #[must_use]
    pub fn results(&self) -> PathBuf {
        self.0.join("evaluate/results.jsonl")
    }

    /// `report/report.html`.
    #[must_use]
    pub fn report(&self) -> PathBuf {
        self.0.join("report/report.html")
    }

    /// `.polyculture`, where replies are kept.
    #[must_use]
    pub fn cache(&self) -> PathBuf {
        self.0.join(".polyculture")
    }
}

/// Makes a stage's artefact ready to be written or gone on with, and writes the manifest.
///
/// An artefact of the same manifest is left as it is. One of other settings is an error, unless
/// `force` says to start anew; one whose inputs changed is started anew.
///
/// # Errors
/// As above, or if the folder cannot be written.
pub fn prepare(artefact: &Path, manifest: &Manifest, force: bool) -> Result<(), FolderError> {
    let folder = artefact.parent().unwrap_or(Path::new("."));
    let path = folder.join("manifest.json");
    let file_error = |source| FolderError::File { path: path.clone(), source };
    let there = match std::fs::read_to_string(&path) {
        Ok(text) => Some(text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => return Err(file_error(error)),
    };
    let mut anew = force;
    if let (Some(text), false) = (there, force) {
        let old: Manifest = serde_json::from_str(&text)
            .map_err(|e| FolderError::Manifest { path: path.clone(), message: e.to_string() })?;
        if let Some(difference) = old.difference(manifest).filter(|_| artefact.exists()) {
            return Err(FolderError::OtherSettings { path: artefact.to_owned(), difference });
        }
        anew = old.inputs != manifest.inputs;
    }
    if anew && artefact.exists() {
        std::fs::remove_file(artefact).map_err(file_error)?;
    }
    std::fs::create_dir_all(folder).map_err(file_error)?;
    let mut text = serde_json::to_string_pretty(manifest).expect("a manifest is always JSON");
    text.push('\n');
    // Put in place whole: a kill leaves the old one or the new one.
    let new = path.with_extension("json.new");
    std::fs::write(&new, text).and_then(|()| std::fs::rename(&new, &path)).map_err(file_error)
}

impl Manifest {
    /// A manifest of this version of the program.
    #[must_use]
    pub fn new(stage: &str) -> Self {
        Self {
            format: "polyculture.manifest/1".into(),
            stage: stage.into(),
            version: env!("CARGO_PKG_VERSION").into(),
            settings: BTreeMap::new(),
            templates: Vec::new(),
            inputs: BTreeMap::new(),
        }
    }

    /// With a setting on which every record depends.
    #[must_use]
    pub fn setting(mut self, name: &str, value: impl Serialize) -> Self {
        let value = serde_json::to_value(value).expect("settings are always JSON");
        self.settings.insert(name.into(), value);
        self
    }

    /// With the digest of a file that is read.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn input(mut self, name: &str, path: &Path) -> Result<Self, FolderError> {
        let bytes = std::fs::read(path)
            .map_err(|source| FolderError::File { path: path.to_owned(), source })?;
        self.inputs.insert(name.into(), digest(&bytes));
        Ok(self)
    }

    /// The first setting or template in which another manifest differs.
    fn difference(&self, now: &Manifest) -> Option<String> {
        let names = self.settings.keys().chain(now.settings.keys());
        for name in names {
            let (old, new) = (self.settings.get(name), now.settings.get(name));
            if old != new {
                let show = |v: Option<&serde_json::Value>| {
                    v.map_or_else(|| "nothing".to_owned(), ToString::to_string)
                };
                return Some(format!("`{name}` was {}, now it is {}", show(old), show(new)));
            }
        }
        (self.templates != now.templates).then(|| "the prompt texts differ".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_is_kept_unless_its_settings_or_inputs_change() {
        fn check(second: Manifest, force: bool, expected: Result<bool, &str>) {
            let folder = tempfile::tempdir().unwrap();
            let artefact = folder.path().join("sample/candidates.jsonl");
            let mut first = Manifest::new("sample").setting("k", 4);
            first.inputs.insert("prompts".into(), "1".into());
            prepare(&artefact, &first, false).unwrap();
            std::fs::write(&artefact, "work").unwrap();
            match (prepare(&artefact, &second, force), expected) {
                (Ok(()), Ok(kept)) => assert_eq!(artefact.exists(), kept),
                (Err(error), Err(expected)) => {
                    assert!(error.to_string().contains(expected), "{error}");
                    assert!(artefact.exists());
                }
                (found, _) => panic!("{found:?}"),
            }
        }
        let manifest = |k: usize, prompts: &str| {
            let mut manifest = Manifest::new("sample").setting("k", k);
            manifest.inputs.insert("prompts".into(), prompts.into());
            manifest
        };
        check(manifest(4, "1"), false, Ok(true));
        check(manifest(4, "1"), true, Ok(false));
        check(manifest(4, "2"), false, Ok(false));
        check(manifest(5, "1"), false, Err("`k` was 4, now it is 5"));
        check(manifest(5, "1"), true, Ok(false));
    }
}
