//! What a model will see of a dataset: after its chat template, in its tokens, and cut to a length as TRL cuts.

use super::render::{as_text, prompt_messages};
use super::select::{Row, Selector};
use super::target::{Style, Target};
use super::{ConvertError, ConvertOptions, Stop, prepare};
use crate::comparison::{Candidate, Choice, Comparison, Message, Role};
use crate::dataset::Dataset;
use serde::Serialize;
use std::borrow::Cow;

/// A model's chat template and tokenizer.
pub trait ChatFormat: Sync {
    /// The messages as one text, with the beginning of an answer at its end if `add_generation_prompt`.
    ///
    /// # Errors
    /// Why the template refuses them.
    fn render(
        &self,
        messages: &[(Role, &str)],
        add_generation_prompt: bool,
    ) -> Result<String, String>;

    /// The tokens of a text, with no further ones before or after.
    ///
    /// # Errors
    /// Why there are none.
    fn encode(&self, text: &str) -> Result<Vec<u32>, String>;

    /// The text of tokens, special ones too.
    ///
    /// # Errors
    /// Why there is none.
    fn decode(&self, ids: &[u32]) -> Result<String, String>;
}

/// Which end of a sequence that is too long stays. Names as in TRL, which is about to drop `keep_end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TruncationMode {
    /// The start stays, the end of the answer goes.
    #[default]
    KeepStart,
    /// The end stays, the start of the conversation goes.
    KeepEnd,
}

impl TruncationMode {
    /// The mode of that name.
    #[must_use]
    pub fn from_id(id: &str) -> Option<Self> {
        match id {
            "keep_start" | "keep-start" => Some(Self::KeepStart),
            "keep_end" | "keep-end" => Some(Self::KeepEnd),
            _ => None,
        }
    }
}

/// How to preview.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct PreviewOptions {
    /// Rows to show: the first.
    pub n_rows: usize,
    /// Tokens of prompt and answer together; nothing is cut if nothing is said.
    pub max_length: Option<usize>,
    /// Which end stays.
    pub truncation: TruncationMode,
}

/// What a model will see of one row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Preview {
    /// The conversation.
    pub conversation_id: String,
    /// Its turn, from 1.
    pub turn: u32,
    /// The line of the source.
    pub line: u64,
    /// Whether TRL drops the row: its prompt alone fills the length, and the start is kept.
    pub is_dropped: bool,
    /// Tokens at the end of the prompt, by itself, that are not those of prompt and answer together: the
    /// answer begins earlier than it should, because the template or a merge of tokens crosses the border.
    pub n_prompt_tokens_moved: usize,
    /// Prompt and answer, once for each answer of the row.
    pub sequences: Vec<PreviewSequence>,
}

/// One sequence of tokens that a model is given. `cut_start`, `prompt`, `answer` and `cut_end` together are all of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PreviewSequence {
    /// `chosen`, `rejected`, `completion`, `prompt` or `text`, as the column is called.
    pub part: &'static str,
    /// What is cut off at the start.
    pub cut_start: String,
    /// What stays of the prompt.
    pub prompt: String,
    /// What stays of the answer.
    pub answer: String,
    /// What is cut off at the end.
    pub cut_end: String,
    /// Tokens of the prompt, before anything is cut.
    pub n_prompt_tokens: usize,
    /// Tokens of the answer, before anything is cut.
    pub n_answer_tokens: usize,
    /// Tokens of the prompt that are cut off.
    pub n_prompt_tokens_cut: usize,
    /// Tokens of the answer that are cut off.
    pub n_answer_tokens_cut: usize,
}

/// Shows what a model will see of the first rows of a conversion, cut to a length as TRL 1.16 cuts: prompt and answer
/// as one sequence, from the end or from the start. Plain texts are tokenised as they are; trainers
/// append the mark of the end to them.
///
/// # Errors
/// When the dataset cannot be read, a column is not there, or the template refuses a conversation.
pub fn preview(
    dataset: &Dataset,
    options: &ConvertOptions,
    format: &dyn ChatFormat,
    how: &PreviewOptions,
) -> Result<Vec<Preview>, ConvertError> {
    let (selector, _) = prepare(dataset, options)?;
    let mut taken: Vec<(Comparison<'static>, Row)> = Vec::new();
    let read = dataset.fold(
        Vec::new,
        |block: &mut Vec<_>, comparison| {
            if block.len() < how.n_rows {
                block.extend(rows(&selector, comparison));
            }
        },
        |_, block| {
            taken.extend(block.into_iter().take(how.n_rows - taken.len()));
            if taken.len() == how.n_rows { Err(Stop::Limit) } else { Ok(()) }
        },
    );
    match read {
        Ok(_) | Err(Stop::Limit) => {}
        Err(Stop::Failed(error)) => return Err(error),
    }
    let shown = taken.iter().map(|(comparison, row)| {
        let shown = Previewer { format, options, how }.preview(comparison, *row);
        shown.map_err(|message| ConvertError::ChatFormat { line: comparison.line, message })
    });
    shown.collect()
}

fn rows(selector: &Selector<'_>, comparison: &Comparison<'_>) -> Vec<(Comparison<'static>, Row)> {
    let Ok(comparison) = selector.select(comparison) else {
        return Vec::new();
    };
    let rows = selector.rows(&comparison).map(|rows| rows.rows).unwrap_or_default();
    rows.into_iter().map(|row| (owned(&comparison), row)).collect()
}

struct Previewer<'p> {
    format: &'p dyn ChatFormat,
    options: &'p ConvertOptions,
    how: &'p PreviewOptions,
}

impl Previewer<'_> {
    fn preview(&self, c: &Comparison<'_>, row: Row) -> Result<Preview, String> {
        let text = |i: usize| c.candidates[i].text();
        let is_text = self.options.target == Target::TrlLanguageModelling;
        let answers: Vec<(&'static str, &str)> = match row {
            Row::Pair { chosen, rejected } => {
                vec![("chosen", text(chosen)), ("rejected", text(rejected))]
            }
            Row::Chosen(i) => vec![(if is_text { "text" } else { "completion" }, text(i))],
            Row::Labelled { answer, .. } => vec![("completion", text(answer))],
            Row::Prompt | Row::Comparison => Vec::new(),
        };
        let prompt = self.tokens(c, None)?;
        let whole: Vec<Vec<u32>> =
            answers.iter().map(|(_, text)| self.tokens(c, Some(text))).collect::<Result<_, _>>()?;
        // As in TRL: the answer begins where a sequence stops being the prompt's, the earliest for all answers.
        let common = |ids: &Vec<u32>| ids.iter().zip(&prompt).take_while(|(a, b)| a == b).count();
        let n_prompt = whole.iter().map(common).min().unwrap_or(prompt.len());
        let keeps_start = self.how.truncation == TruncationMode::KeepStart;
        let fills = self.how.max_length.is_some_and(|max| n_prompt >= max);
        let parts = answers.iter().map(|(part, _)| *part).zip(&whole);
        let mut sequences: Vec<PreviewSequence> = parts
            .map(|(part, ids)| self.sequence(part, ids, n_prompt))
            .collect::<Result<_, _>>()?;
        if sequences.is_empty() {
            sequences.push(self.sequence("prompt", &prompt, prompt.len())?);
        }
        Ok(Preview {
            conversation_id: c.conversation_id.clone().into_owned(),
            turn: c.turn,
            line: c.line,
            is_dropped: fills && keeps_start && !whole.is_empty() && !is_text,
            n_prompt_tokens_moved: prompt.len() - n_prompt,
            sequences,
        })
    }

    /// The tokens of the prompt, or of the prompt and an answer.
    fn tokens(&self, c: &Comparison<'_>, answer: Option<&str>) -> Result<Vec<u32>, String> {
        let text = if self.options.style == Style::Standard && self.options.target.is_trl() {
            match answer {
                None => c.prompt.to_string(),
                Some(answer) if self.options.target == Target::TrlLanguageModelling => {
                    as_text(c, answer)
                }
                Some(answer) => format!("{}{answer}", c.prompt),
            }
        } else {
            let mut messages: Vec<(Role, &str)> = prompt_messages(c).collect();
            messages.extend(answer.map(|answer| (Role::Assistant, answer)));
            self.format.render(&messages, answer.is_none())?
        };
        self.format.encode(&text)
    }

    /// A sequence, cut to the length.
    fn sequence(
        &self,
        part: &'static str,
        ids: &[u32],
        n_prompt: usize,
    ) -> Result<PreviewSequence, String> {
        let n_kept = self.how.max_length.unwrap_or(usize::MAX).min(ids.len());
        let kept = match self.how.truncation {
            TruncationMode::KeepStart => 0..n_kept,
            TruncationMode::KeepEnd => ids.len() - n_kept..ids.len(),
        };
        let border = n_prompt.clamp(kept.start, kept.end);
        let decode = |ids: &[u32]| {
            if ids.is_empty() { Ok(String::new()) } else { self.format.decode(ids) }
        };
        let n_answer = ids.len() - n_prompt;
        Ok(PreviewSequence {
            part,
            cut_start: decode(&ids[..kept.start])?,
            prompt: decode(&ids[kept.start..border])?,
            answer: decode(&ids[border..kept.end])?,
            cut_end: decode(&ids[kept.end..])?,
            n_prompt_tokens: n_prompt,
            n_answer_tokens: n_answer,
            n_prompt_tokens_cut: n_prompt - (border - kept.start),
            n_answer_tokens_cut: n_answer - (kept.end - border),
        })
    }
}

/// The comparison as far as a row needs it, beyond the life of the file's bytes.
fn owned(c: &Comparison<'_>) -> Comparison<'static> {
    let own = |text: &Cow<'_, str>| Cow::Owned(text.to_string());
    Comparison {
        conversation_id: own(&c.conversation_id),
        turn: c.turn,
        history: (c.history.iter())
            .map(|message| Message { role: message.role, text: own(&message.text) })
            .collect(),
        prompt: own(&c.prompt),
        candidates: (c.candidates.iter())
            .map(|candidate| Candidate::new(own(&candidate.id), candidate.text.as_ref().map(own)))
            .collect(),
        choice: Choice::None,
        explanation: None,
        annotator_id: None,
        language: None,
        extra: Vec::new(),
        line: c.line,
    }
}

#[cfg(test)]
mod tests;
