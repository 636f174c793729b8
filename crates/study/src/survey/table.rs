//! A survey in memory: who answered, with what weight, and what each answer says. Compact, because there may be
//! millions of answers: eight bytes each.

use polyculture_core::jsonl::rows;
use polyculture_core::{
    Answer, Axis, DefaultResponse, Instrument, JsonlError, Position, PromptId, Respondent, Shown,
    SurveyWeight, ValueFrame,
};
use std::collections::HashMap;
use std::path::Path;

/// A survey.
#[derive(Debug, Clone)]
pub struct SurveyTable {
    /// Who answered.
    pub respondents: Vec<Respondent>,
    /// How much each counts.
    pub weights: Vec<f64>,
    /// The items, of which answers carry the number.
    pub items: Vec<SurveyItem>,
    /// Where the answers of each respondent start, `[n_respondents + 1]`.
    starts: Vec<usize>,
    choices: Vec<Choice>,
    /// Answers that chose a default response nobody has placed.
    pub n_unplaced: usize,
}

/// An item that was asked.
#[derive(Debug, Clone, PartialEq)]
pub struct SurveyItem {
    /// Its id.
    pub id: PromptId,
    /// The number of its axis in the frame.
    pub axis: usize,
    /// What it is about.
    pub topic: String,
}

/// One answer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Choice {
    /// The item's number.
    pub item: u16,
    /// What was chosen.
    pub chosen: Shown,
    /// Where the chosen option stands; nothing for a default response that nobody has placed.
    pub position: Option<Position>,
    /// The place at which it was shown, from 0, and how many options there were; nothing where nobody knows.
    pub place: Option<(u8, u8)>,
    /// How long it took.
    pub seconds: Option<f32>,
}

/// Why a survey cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// A file.
    #[error(transparent)]
    Read(#[from] JsonlError),
    /// What a line says does not fit the rest.
    #[error("{path}:{line}: {message}")]
    Line {
        /// The file.
        path: String,
        /// The line.
        line: usize,
        /// What is wrong.
        message: String,
    },
    /// Nobody answered.
    #[error("{0}: there is no answer in it")]
    Empty(String),
}

impl TableError {
    /// Whether the system failed rather than what was named.
    #[must_use]
    pub fn is_world(&self) -> bool {
        matches!(self, TableError::Read(error) if error.is_world())
    }
}

/// The files of a survey.
#[derive(Debug, Clone, Copy)]
pub struct SurveyFiles<'a> {
    /// `respondents.jsonl`
    pub respondents: &'a Path,
    /// `answers.jsonl`
    pub answers: &'a Path,
    /// `weights.jsonl`; where it is not there, the base weights count.
    pub weights: &'a Path,
    /// `defaults.jsonl`; where it is not there, no default response has a place.
    pub defaults: &'a Path,
}

impl SurveyTable {
    /// Reads a survey.
    ///
    /// # Errors
    /// A file that cannot be read; an answer of nobody, to an unknown item, or given twice; a weight that is none.
    pub fn read(
        files: SurveyFiles<'_>,
        instrument: &Instrument,
        frame: &ValueFrame,
    ) -> Result<Self, TableError> {
        let line_error = |path: &Path, line: usize, message: String| TableError::Line {
            path: path.display().to_string(),
            line,
            message,
        };
        let mut respondents: Vec<Respondent> = Vec::new();
        let mut numbers = HashMap::new();
        for row in rows::<Respondent>(files.respondents)? {
            let row = row?;
            let (path, line) = (files.respondents, row.line);
            let weight = row.record.weight;
            if !weight.is_finite() || weight < 0.0 {
                return Err(line_error(path, line, format!("weight `{weight}` is none")));
            }
            if numbers.insert(row.record.id.clone(), respondents.len()).is_some() {
                let message = format!("respondent `{}` stands twice", row.record.id);
                return Err(line_error(path, line, message));
            }
            respondents.push(row.record);
        }
        let mut weights: Vec<f64> = respondents.iter().map(|r| r.weight).collect();
        if files.weights.exists() {
            for row in rows::<SurveyWeight>(files.weights)? {
                let row = row?;
                let Some(number) = numbers.get(&row.record.respondent) else {
                    let message = format!("respondent `{}` is unknown", row.record.respondent);
                    return Err(line_error(files.weights, row.line, message));
                };
                weights[*number] = row.record.weight;
            }
        }
        let mut defaults = Defaults::new();
        if files.defaults.exists() {
            for row in rows::<DefaultResponse>(files.defaults)? {
                let DefaultResponse { item, language, position, .. } = row?.record;
                defaults.insert((item, language), position);
            }
        }
        let items = items(instrument, frame);
        let number_of_item: HashMap<&PromptId, u16> =
            items.iter().enumerate().map(|(i, item)| (&item.id, i as u16)).collect();
        // Answers of one respondent usually stand together; they need not.
        let mut answers: Vec<(u32, Choice)> = Vec::new();
        for row in rows::<Answer>(files.answers)? {
            let row = row?;
            let answer = row.record;
            let Some(number) = numbers.get(&answer.respondent) else {
                let message = format!("respondent `{}` is unknown", answer.respondent);
                return Err(line_error(files.answers, row.line, message));
            };
            let Some(item) = number_of_item.get(&answer.item) else {
                let message = format!("item `{}` is not in the instrument", answer.item);
                return Err(line_error(files.answers, row.line, message));
            };
            if !answer.shown.is_empty() && !answer.shown.contains(&answer.chosen) {
                let message = format!("`{}` was chosen and not shown", answer.chosen);
                return Err(line_error(files.answers, row.line, message));
            }
            let language = &respondents[*number].language;
            let choice = Choice::new(&answer, *item, language, &defaults);
            answers.push((*number as u32, choice));
        }
        if answers.is_empty() {
            return Err(TableError::Empty(files.answers.display().to_string()));
        }
        let table = Self::of(respondents, weights, items, answers);
        table.check_once(files.answers)?;
        Ok(table)
    }

    /// A survey from answers with the numbers of their respondents, in any order.
    #[must_use]
    pub fn of(
        respondents: Vec<Respondent>,
        weights: Vec<f64>,
        items: Vec<SurveyItem>,
        mut answers: Vec<(u32, Choice)>,
    ) -> Self {
        answers.sort_by_key(|(number, _)| *number);
        let mut starts = vec![0; respondents.len() + 1];
        for (number, _) in &answers {
            starts[*number as usize + 1] += 1;
        }
        for i in 0..respondents.len() {
            starts[i + 1] += starts[i];
        }
        let choices: Vec<Choice> = answers.into_iter().map(|(_, choice)| choice).collect();
        Self {
            n_unplaced: choices.iter().filter(|choice| choice.position.is_none()).count(),
            respondents,
            weights,
            items,
            starts,
            choices,
        }
    }

    fn check_once(&self, path: &Path) -> Result<(), TableError> {
        for (i, respondent) in self.respondents.iter().enumerate() {
            let choices = self.choices(i);
            for (at, choice) in choices.iter().enumerate() {
                if choices[..at].iter().any(|before| before.item == choice.item) {
                    let item = &self.items[usize::from(choice.item)].id;
                    return Err(TableError::Line {
                        path: path.display().to_string(),
                        line: 0,
                        message: format!(
                            "respondent `{}` answered item `{item}` twice",
                            respondent.id
                        ),
                    });
                }
            }
        }
        Ok(())
    }

    /// What a respondent chose.
    #[must_use]
    pub fn choices(&self, respondent: usize) -> &[Choice] {
        &self.choices[self.starts[respondent]..self.starts[respondent + 1]]
    }

    /// All answers.
    #[must_use]
    pub fn n_answers(&self) -> usize {
        self.choices.len()
    }

    /// Keeps only respondents of whom `keep` is true.
    #[must_use]
    pub fn filter(&self, keep: &[bool]) -> Self {
        let kept: Vec<usize> = (0..self.respondents.len()).filter(|i| keep[*i]).collect();
        let mut starts = vec![0];
        let mut choices = Vec::new();
        for i in &kept {
            choices.extend_from_slice(self.choices(*i));
            starts.push(choices.len());
        }
        Self {
            respondents: kept.iter().map(|i| self.respondents[*i].clone()).collect(),
            weights: kept.iter().map(|i| self.weights[*i]).collect(),
            items: self.items.clone(),
            n_unplaced: choices.iter().filter(|choice: &&Choice| choice.position.is_none()).count(),
            starts,
            choices,
        }
    }
}

/// Where the default response of an item stands, by language.
pub type Defaults = HashMap<(PromptId, String), Option<Position>>;

impl Choice {
    /// An answer to the item with this number, in a language.
    #[must_use]
    pub fn new(answer: &Answer, item: u16, language: &str, defaults: &Defaults) -> Self {
        let place = answer.shown.iter().position(|shown| *shown == answer.chosen);
        let of_default = || {
            let known = defaults.get(&(answer.item.clone(), language.to_owned()));
            known.copied().flatten()
        };
        Self {
            item,
            chosen: answer.chosen,
            position: answer.chosen.position().or_else(of_default),
            place: place.map(|place| (place as u8, answer.shown.len() as u8)),
            seconds: answer.seconds.map(|seconds| seconds as f32),
        }
    }
}

/// The items of an instrument, each once, whatever languages it is in.
#[must_use]
pub fn items(instrument: &Instrument, frame: &ValueFrame) -> Vec<SurveyItem> {
    let mut seen = std::collections::HashSet::new();
    let axis = |axis: &Axis| frame.axes.iter().position(|known| known.id == axis.id);
    instrument
        .items()
        .iter()
        .filter(|item| seen.insert(&item.id))
        .filter_map(|item| {
            Some(SurveyItem {
                id: item.id.clone(),
                axis: axis(frame.axis(&item.axis)?)?,
                topic: item.topic.clone(),
            })
        })
        .collect()
}
