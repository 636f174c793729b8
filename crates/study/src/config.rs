//! study.toml: what a study is made of. The commented file with every default is
//! `data/default-study.toml`; a test holds it against the defaults here.

use crate::sample::Strategy;
use crate::survey::import::{Codes, Columns};
use polyculture_core::{ModelId, ValueFrame};
use polyculture_llm::Models;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// The commented file that `init` writes.
pub const DEFAULT: &str = include_str!("../data/default-study.toml");

/// A study's settings.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// What holds for all stages.
    pub study: StudySection,
    /// Endpoints by name.
    pub models: Models,
    /// How candidates are drawn.
    pub sample: SampleSection,
    /// Who judges them.
    pub judge: JudgeSection,
    /// Who the people are.
    pub survey: SurveySection,
    /// How figures are made.
    pub evaluate: EvaluateSection,
}

/// `[study]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StudySection {
    /// What a reader sees first.
    pub name: String,
    /// The root of all chance.
    pub seed: u64,
    /// `inglehart-welzel`, `hofstede`, or a file.
    pub frame: String,
    /// The items: `instrument` for those in the binary, or a file.
    pub instrument: String,
    /// The most that calls may cost together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget: Option<f64>,
}

/// `[sample]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SampleSection {
    /// Who is asked.
    pub models: Vec<ModelId>,
    /// What is asked: `instrument`, `seedlings`, or a file.
    pub prompts: String,
    /// The language of the prompts, a BCP 47 tag.
    pub language: String,
    /// How sets are drawn.
    pub strategies: Vec<Strategy>,
    /// Candidates in a set.
    pub k: usize,
    /// Sets for each strategy, model and prompt.
    pub sets_per_prompt: usize,
    /// Only the first so many prompts of each axis; 0 takes all.
    pub limit: usize,
    /// The longest response, in tokens.
    pub max_tokens: u32,
    /// How often an unusable reply is asked for again.
    pub retries: u32,
    /// Sets that are drawn at once.
    pub concurrency: usize,
    /// A file with another wording of the NC prompt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nc_template: Option<PathBuf>,
}

/// `[judge]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct JudgeSection {
    /// Who judges.
    pub model: ModelId,
    /// Responses that are judged at once.
    pub concurrency: usize,
}

/// `[survey]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SurveySection {
    /// People of each country in the synthetic panel, where there is no survey.
    pub people_per_country: usize,
    /// Who may not have read.
    pub careless: CarelessSection,
    /// Within how much of a model's place on every axis a person counts as covered.
    pub cover_radius: f64,
    /// What the columns of answers from elsewhere are called.
    pub columns: Columns,
    /// What their codes stand for, by column.
    #[serde(skip_serializing_if = "Codes::is_empty")]
    pub codes: Codes,
}

/// `[survey.careless]`
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CarelessSection {
    /// Fewer seconds for half of the answers are too fast.
    pub seconds: f64,
    /// As large a share of the choices at one place, of ten or more, is straight-lining.
    pub one_place: f64,
    /// Whether answers of the careless are left out.
    pub drop: bool,
}

impl Default for CarelessSection {
    fn default() -> Self {
        Self { seconds: 4.0, one_place: 0.9, drop: false }
    }
}

/// `[evaluate]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EvaluateSection {
    /// Level of the intervals.
    pub level: f64,
    /// Bootstrap resamples.
    pub resamples: usize,
}

impl Default for StudySection {
    fn default() -> Self {
        Self {
            name: "a study".into(),
            seed: 1,
            frame: ValueFrame::BUILT_IN[0].into(),
            instrument: "instrument".into(),
            budget: None,
        }
    }
}

impl Default for SampleSection {
    fn default() -> Self {
        let temperatures = [0.3, 0.7, 1.0, 1.5].map(Strategy::Temperature);
        let others = [Strategy::ManyModels(1.0), Strategy::Nc(1.0)];
        Self {
            models: Vec::new(),
            prompts: "instrument".into(),
            language: "en".into(),
            strategies: temperatures.into_iter().chain(others).collect(),
            k: 4,
            sets_per_prompt: 1,
            limit: 0,
            max_tokens: 400,
            retries: 3,
            concurrency: 64,
            nc_template: None,
        }
    }
}

impl Default for JudgeSection {
    fn default() -> Self {
        Self {
            model: ModelId::new(crate::judge::embedded::NAME).expect("a good name"),
            concurrency: 64,
        }
    }
}

impl Default for SurveySection {
    fn default() -> Self {
        Self {
            people_per_country: 500,
            careless: CarelessSection::default(),
            cover_radius: 0.125,
            columns: Columns::default(),
            codes: Codes::new(),
        }
    }
}

impl Default for EvaluateSection {
    fn default() -> Self {
        Self { level: 0.95, resamples: 2000 }
    }
}

/// Why a study.toml cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file itself.
    #[error("{}: {source}; `polyculture init` makes a study", .path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// What stands in it.
    #[error("{}:{line}: {message}", .path.display())]
    Line {
        /// Which file.
        path: PathBuf,
        /// Which line, counted from 1.
        line: usize,
        /// What is wrong with it.
        message: String,
    },
}

impl Config {
    /// Reads a study.toml.
    ///
    /// # Errors
    /// If there is none, or a line is no setting; an unknown key comes with the nearest known one.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::File { path: path.to_owned(), source })?;
        let config = Self::parse(&text, path)?;
        Ok(config.beside(path.parent().unwrap_or(Path::new(""))))
    }

    /// Takes the files that are named as lying beside study.toml, wherever the program was started.
    fn beside(mut self, folder: &Path) -> Self {
        let files: [(&mut String, &[&str]); 3] = [
            (&mut self.study.frame, &ValueFrame::BUILT_IN),
            (&mut self.study.instrument, &["instrument"]),
            (&mut self.sample.prompts, &["instrument", "seedlings"]),
        ];
        for (name, built_in) in files {
            if !built_in.contains(&name.as_str()) {
                *name = folder.join(&*name).display().to_string();
            }
        }
        self.sample.nc_template = self.sample.nc_template.map(|file| folder.join(file));
        self
    }

    /// Reads a study.toml's text; `path` is for messages.
    ///
    /// # Errors
    /// If a line is no setting.
    pub fn parse(text: &str, path: &Path) -> Result<Self, ConfigError> {
        toml::from_str(text).map_err(|error| {
            let start = error.span().map_or(0, |span| span.start.min(text.len()));
            let line = 1 + text.as_bytes()[..start].iter().filter(|b| **b == b'\n').count();
            ConfigError::Line { path: path.to_owned(), line, message: explain(error.message()) }
        })
    }
}

/// Turns serde's words into ours, and an unknown key into a suggestion.
fn explain(message: &str) -> String {
    let Some(rest) = message.strip_prefix("unknown field `") else {
        return message.trim_end().to_owned();
    };
    let mut quoted = rest.split('`').step_by(2);
    let key = quoted.next().unwrap_or_default();
    let known: Vec<&str> = quoted.filter(|name| !name.is_empty()).collect();
    let nearest = known
        .iter()
        .map(|name| (strsim::damerau_levenshtein(key, name), name))
        .filter(|(distance, name)| *distance <= 1 + name.len() / 3)
        .min();
    match nearest {
        Some((_, name)) => format!("unknown key `{key}`; did you mean `{name}`?"),
        None => format!("unknown key `{key}`; there are {}", quote(&known)),
    }
}

fn quote(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commented_file_holds_the_defaults() {
        let parsed = Config::parse(DEFAULT, Path::new("default-study.toml")).unwrap();
        assert_eq!(parsed, Config::default());
        // What is commented out is known as well.
        let all: String = DEFAULT
            .lines()
            .map(|line| match line.strip_prefix("# ") {
                Some(rest) if rest.contains(" = ") || rest.starts_with('[') => format!("{rest}\n"),
                _ => format!("{line}\n"),
            })
            .collect();
        Config::parse(&all, Path::new("default-study.toml")).unwrap();
    }

    #[test]
    fn files_lie_beside_the_study() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("study.toml");
        let text = "[sample]\nprompts = \"p.jsonl\"\nnc_template = \"nc.txt\"\n";
        std::fs::write(&path, text).unwrap();
        let config = Config::read(&path).unwrap();
        assert_eq!(Path::new(&config.sample.prompts), folder.path().join("p.jsonl"));
        assert_eq!(config.sample.nc_template, Some(folder.path().join("nc.txt")));
        assert_eq!(config.study.instrument, "instrument");
        assert_eq!(config.study.frame, "inglehart-welzel");
    }

    #[test]
    fn a_wrong_setting_is_named_with_its_line() {
        fn check(text: &str, expected: &str) {
            let error = Config::parse(text, Path::new("study.toml")).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{error}");
        }
        check(
            "[sample]\nmodles = []\n",
            "study.toml:2: unknown key `modles`; did you mean `models`?",
        );
        check("[sampel]\n", "study.toml:1: unknown key `sampel`; did you mean `sample`?");
        check(
            "[evaluate]\ncolour = 1\n",
            "study.toml:2: unknown key `colour`; there are `level`, `resamples`",
        );
        check("[sample]\nk = \"four\"\n", "study.toml:2: invalid type: string \"four\"");
        check(
            "[sample]\n\nmodels = [\"gpt-4o\"]\n",
            "study.toml:3: model `gpt-4o` names no provider",
        );
        check("[sample]\nstrategies = [\"hot\"]\n", "study.toml:2: strategy `hot` is unknown");
        check("[sample\n", "study.toml:1: ");
    }
}
