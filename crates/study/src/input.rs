//! What a study reads that somebody else may have written: prompts and candidate sets, checked
//! before anything is paid for, with every problem named by file and line.

use crate::sample::Prompt;
use polyculture_core::{
    AxisId, CandidateSet, Format, Instrument, Item, JsonlError, PromptId, SetId, ValueFrame, jsonl,
};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::path::Path;

/// How many problems of a file are listed.
const LISTED: usize = 20;

/// A file with problems: all that were found, with their lines.
#[derive(Debug, thiserror::Error)]
#[error("{}", list(.0))]
pub struct InputError(Vec<String>);

fn list(problems: &[String]) -> String {
    let mut text = problems.iter().take(LISTED).cloned().collect::<Vec<_>>().join("\n");
    if problems.len() > LISTED {
        text.push_str(&format!("\n… and {} problems more", problems.len() - LISTED));
    }
    text
}

impl InputError {
    /// One problem, in words.
    #[must_use]
    pub fn from_message(message: String) -> Self {
        Self(vec![message])
    }
}

impl From<JsonlError> for InputError {
    fn from(error: JsonlError) -> Self {
        Self(vec![error.to_string()])
    }
}

/// Reads and checks candidate sets: of this program, or any JSON Lines of prompt and responses.
///
/// # Errors
/// Every line that is no set, every set that is empty, repeats itself, names an axis that the frame
/// does not have, or carries an id that stands before.
pub fn candidates(path: &Path, frame: &ValueFrame) -> Result<Vec<CandidateSet>, InputError> {
    let mut problems = Vec::new();
    let mut sets = Vec::new();
    let mut lines: HashMap<SetId, usize> = HashMap::new();
    for row in jsonl::rows::<CandidateSet>(path)? {
        let row = match row {
            Ok(row) => row,
            Err(error @ JsonlError::File { .. }) => return Err(error.into()),
            Err(error) => {
                problems.push(error.to_string());
                continue;
            }
        };
        let mut problem =
            |what: String| problems.push(format!("{}:{}: {what}", path.display(), row.line));
        if let Err(error) = row.record.check() {
            problem(error.to_string());
        }
        if let Some(axis) = row.record.axis.as_ref().filter(|axis| frame.axis(axis).is_none()) {
            problem(format!("axis `{axis}` is not in frame `{}`", frame.id));
        }
        if let Some(first) = lines.insert(row.record.set_id.clone(), row.line) {
            problem(format!("set `{}` stands on line {first} already", row.record.set_id));
        }
        sets.push(row.record);
    }
    if sets.is_empty() && problems.is_empty() {
        problems.push(format!("{}: there is no candidate set in it", path.display()));
    }
    if problems.is_empty() { Ok(sets) } else { Err(InputError(problems)) }
}

/// A prompt as a file of prompts holds it.
#[derive(Debug, Serialize, Deserialize)]
struct PromptLine {
    #[serde(default, alias = "id")]
    prompt_id: Option<PromptId>,
    prompt: String,
    #[serde(default)]
    axis: Option<AxisId>,
    #[serde(default)]
    language: Option<String>,
}

impl Format for PromptLine {
    const FORMAT: &'static str = "polyculture.prompts/1";
}

/// The prompts that study.toml names, in one language: the built-in instrument of the frame, the seedlings' world, or a file of
/// instrument items or of prompts.
///
/// # Errors
/// Every line that is no prompt; a language that there is no prompt in.
pub fn prompts(name: &str, frame: &ValueFrame, language: &str) -> Result<Vec<Prompt>, InputError> {
    let mut prompts = match name {
        "instrument" => instrument(name, frame)?.items().iter().map(Prompt::from).collect(),
        "seedlings" => seedlings(),
        file => read_prompts(Path::new(file), frame)?,
    };
    let mut known: Vec<String> = prompts.iter().map(|prompt| prompt.language.clone()).collect();
    known.dedup();
    prompts.retain(|prompt| prompt.language == language);
    if prompts.is_empty() {
        known.sort();
        known.dedup();
        let known = known.join("`, `");
        return Err(InputError::from_message(format!(
            "there is no prompt in language `{language}` in {name}; there are prompts in `{known}`"
        )));
    }
    Ok(prompts)
}

/// The instrument that study.toml names: `instrument` for the one in the binary, or a file.
///
/// # Errors
/// If the frame has none in the binary, or the file is none.
pub fn instrument(name: &str, frame: &ValueFrame) -> Result<Instrument, InputError> {
    if name != "instrument" {
        return Instrument::read(Path::new(name), frame)
            .map_err(|error| InputError::from_message(error.to_string()));
    }
    Instrument::built_in(frame).ok_or_else(|| {
        InputError::from_message(format!(
            "frame `{}` has no instrument in the program; name a file of items in [study] instrument of study.toml",
            frame.id
        ))
    })
}

/// The held-out prompts of the seedlings' world, the axes in turn.
fn seedlings() -> Vec<Prompt> {
    polyculture_seedlings::prompts(polyculture_seedlings::Split::HeldOut)
        .into_iter()
        .map(|prompt| Prompt {
            id: PromptId::new(prompt.id).expect("the world's ids are good"),
            text: prompt.text,
            axis: Some(AxisId::new(prompt.axis.id()).expect("the world's axes have good ids")),
            language: "en".into(),
        })
        .collect()
}

fn read_prompts(path: &Path, frame: &ValueFrame) -> Result<Vec<Prompt>, InputError> {
    if jsonl::read::<Item>(path).is_ok() {
        let instrument =
            Instrument::read(path, frame).map_err(|e| InputError::from_message(e.to_string()))?;
        return Ok(instrument.items().iter().map(Prompt::from).collect());
    }
    let mut problems = Vec::new();
    let mut prompts: Vec<Prompt> = Vec::new();
    for row in jsonl::rows::<PromptLine>(path)? {
        let row = match row {
            Ok(row) => row,
            Err(error @ JsonlError::File { .. }) => return Err(error.into()),
            Err(error) => {
                problems.push(error.to_string());
                continue;
            }
        };
        let mut problem =
            |what: String| problems.push(format!("{}:{}: {what}", path.display(), row.line));
        let PromptLine { prompt_id, prompt, axis, language } = row.record;
        if prompt.trim().is_empty() {
            problem("the prompt is empty".into());
        }
        if let Some(axis) = axis.as_ref().filter(|axis| frame.axis(axis).is_none()) {
            problem(format!("axis `{axis}` is not in frame `{}`", frame.id));
        }
        let id = match prompt_id {
            Some(id) => id,
            None => PromptId::new(format!("line-{}", row.line)).expect("a good id"),
        };
        let language = language.unwrap_or_else(|| "en".into());
        if prompts.iter().any(|known| known.id == id && known.language == language) {
            problem(format!("prompt `{id}` stands twice in language `{language}`"));
        }
        prompts.push(Prompt { id, text: prompt, axis, language });
    }
    if prompts.is_empty() && problems.is_empty() {
        problems.push(format!("{}: there is no prompt in it", path.display()));
    }
    if problems.is_empty() { Ok(prompts) } else { Err(InputError(problems)) }
}

/// Only the first `limit` prompts of each axis; 0 takes all.
#[must_use]
pub fn limited(prompts: Vec<Prompt>, limit: usize) -> Vec<Prompt> {
    let mut counts: HashMap<Option<AxisId>, usize> = HashMap::new();
    let mut taken = |prompt: &Prompt| {
        let count = counts.entry(prompt.axis.clone()).or_default();
        *count += 1;
        limit == 0 || *count <= limit
    };
    prompts.into_iter().filter(|prompt| taken(prompt)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<CandidateSet>, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("c.jsonl");
        std::fs::write(&path, text).unwrap();
        candidates(&path, &ValueFrame::inglehart_welzel())
            .map_err(|e| e.to_string().replace(&path.display().to_string(), "c.jsonl"))
    }

    #[test]
    fn every_problem_is_named_with_its_line() {
        let text = concat!(
            r#"{"set_id":"1","prompt":"p","responses":["x","y"]}"#,
            "\n",
            r#"{"set_id":"2","prompt":"p","responses":["x",""]}"#,
            "\n",
            r#"{"set_id":"3","prompt":"p","responses":["x","x"]}"#,
            "\n",
            r#"{"set_id":"1","prompt":"p","responses":["x","y"],"axis":"left-right"}"#,
            "\n",
            "{\"set_id\":\"4\",\"prompt\":\"p\"}\n",
        );
        let expected = "c.jsonl:2: response `b` of set `2` is empty
c.jsonl:3: responses `a` and `b` of set `3` are the same text, `x`; keep one of them
c.jsonl:4: axis `left-right` is not in frame `inglehart-welzel`
c.jsonl:4: set `1` stands on line 1 already
c.jsonl:5: missing field `responses` (column 27)";
        assert_eq!(read(text).unwrap_err(), expected);
    }

    #[test]
    fn an_empty_file_is_no_answer() {
        assert_eq!(read("").unwrap_err(), "c.jsonl: there is no candidate set in it");
    }
}
