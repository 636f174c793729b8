//! `survey import`: reads the answers of any survey tool. One row is one answer; what a row's columns and codes mean,
//! `[survey.columns]` and `[survey.codes]` of study.toml say. What cannot be used is counted with its lines, and never dropped in silence.

use polyculture_core::{Answer, Instrument, PromptId, Respondent, RespondentId, Shown, ValueFrame};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;

/// `[survey.columns]`: what the columns are called.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Columns {
    /// Who answered.
    pub respondent: String,
    /// Where they were sampled.
    pub country: String,
    /// The language that they were asked in.
    pub language: String,
    /// The item.
    pub item: String,
    /// The options from first to last: a JSON list, or words between commas, bars or blanks.
    pub shown: String,
    /// The chosen option: its name, or its place from 1.
    pub chosen: String,
    /// How long it took, in seconds.
    pub seconds: String,
    /// The base weight.
    pub weight: String,
    /// What else is known about people; all other columns, if nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub demographics: Option<Vec<String>>,
}

impl Default for Columns {
    fn default() -> Self {
        Self {
            respondent: "respondent".into(),
            country: "country".into(),
            language: "language".into(),
            item: "item".into(),
            shown: "shown".into(),
            chosen: "chosen".into(),
            seconds: "seconds".into(),
            weight: "weight".into(),
            demographics: None,
        }
    }
}

/// `[survey.codes.COLUMN]`: what the codes in a column stand for; the keys are the file's own column names.
pub type Codes = BTreeMap<String, BTreeMap<String, String>>;

/// What can be wrong with a row or a respondent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Problem {
    /// A cell that must be there is empty.
    Missing,
    /// An item that the instrument does not have.
    UnknownItem,
    /// A language that the instrument is not in.
    UnknownLanguage,
    /// A word that is no option.
    UnknownOption,
    /// The chosen option was not among those shown.
    ChosenNotShown,
    /// An option was shown twice.
    ShownTwice,
    /// The respondent answered the item before, with the same choice.
    AnsweredTwice,
    /// The respondent answered the item before, and chose otherwise.
    ContradictoryAnswers,
    /// A weight that is missing where others have one, negative or not finite.
    BadWeight,
    /// A time that is none.
    BadSeconds,
    /// The respondent is said to be two things of one kind; the first holds.
    ContradictoryRespondent,
}

impl Problem {
    /// What becomes of it, in a sentence.
    #[must_use]
    pub fn description(self) -> &'static str {
        match self {
            Problem::Missing => "A cell that must be there is empty; the row is left out.",
            Problem::UnknownItem => "The instrument has no such item; the row is left out.",
            Problem::UnknownLanguage => {
                "The instrument is not in this language; the row is left out."
            }
            Problem::UnknownOption => "The word is no option; the row is left out.",
            Problem::ChosenNotShown => "The chosen option was not shown; the row is left out.",
            Problem::ShownTwice => "An option was shown twice; the row is left out.",
            Problem::AnsweredTwice => "The same answer stands before; the row is left out.",
            Problem::ContradictoryAnswers => {
                "Another answer to the item stands before; the first holds."
            }
            Problem::BadWeight => {
                "The base weight is missing, negative or no number; the respondent is left out."
            }
            Problem::BadSeconds => {
                "The time is no number of seconds; the answer stands without it."
            }
            Problem::ContradictoryRespondent => {
                "The respondent is said to be something else before; the first holds."
            }
        }
    }

    /// As it is written in reports.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            Problem::Missing => "missing",
            Problem::UnknownItem => "unknown-item",
            Problem::UnknownLanguage => "unknown-language",
            Problem::UnknownOption => "unknown-option",
            Problem::ChosenNotShown => "chosen-not-shown",
            Problem::ShownTwice => "shown-twice",
            Problem::AnsweredTwice => "answered-twice",
            Problem::ContradictoryAnswers => "contradictory-answers",
            Problem::BadWeight => "bad-weight",
            Problem::BadSeconds => "bad-seconds",
            Problem::ContradictoryRespondent => "contradictory-respondent",
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.id())
    }
}

/// Problems of one kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problems {
    /// How many rows have it.
    pub n: u64,
    /// The first of them: file, line, and what stands there.
    pub examples: Vec<(String, u64, String)>,
}

/// How many rows of a problem are shown.
const EXAMPLES: usize = 5;

/// A survey as it was read.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Imported {
    /// Who answered, in the order in which they first appear.
    pub respondents: Vec<Respondent>,
    /// What they chose.
    pub answers: Vec<Answer>,
    /// Rows that were read.
    pub n_rows: u64,
    /// What could not be used.
    pub problems: BTreeMap<Problem, Problems>,
}

/// A survey cannot be read at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// A column that must be there is not.
    #[error(
        "{file} has no column `{column}`{}; [survey.columns] of study.toml says what columns are called; there are {there}",
        .nearest.as_ref().map_or(String::new(), |n| format!(" (is it `{n}`?)"))
    )]
    Column {
        /// The file.
        file: String,
        /// The column.
        column: String,
        /// The column with the most similar name.
        nearest: Option<String>,
        /// All columns.
        there: String,
    },
    /// No row could be used.
    #[error("no row could be used{0}")]
    Nothing(String),
}

/// Takes rows, and knows what they mean.
pub struct Importer<'a> {
    columns: &'a Columns,
    codes: &'a Codes,
    /// The items by id, with their numbers.
    items: HashMap<&'a str, (u16, &'a PromptId)>,
    languages: HashSet<&'a str>,
    imported: Imported,
    /// The number of each respondent.
    known: HashMap<RespondentId, usize>,
    /// What each respondent chose from which items.
    chosen: Vec<Vec<(u16, Shown)>>,
    bad: HashSet<RespondentId>,
    checked: String,
    has_weight: bool,
}

impl<'a> Importer<'a> {
    /// An importer for answers to an instrument.
    #[must_use]
    pub fn new(
        instrument: &'a Instrument,
        frame: &'a ValueFrame,
        columns: &'a Columns,
        codes: &'a Codes,
    ) -> Self {
        let items = instrument.items().iter().filter(|item| frame.axis(&item.axis).is_some());
        Self {
            columns,
            codes,
            items: items
                .enumerate()
                .map(|(i, item)| (item.id.as_str(), (i as u16, &item.id)))
                .collect(),
            languages: instrument.items().iter().map(|item| item.language.as_str()).collect(),
            imported: Imported::default(),
            known: HashMap::new(),
            chosen: Vec::new(),
            bad: HashSet::new(),
            checked: String::new(),
            has_weight: false,
        }
    }

    /// Checks that a file has the columns that must be there.
    fn check(&mut self, file: &str, there: &[String]) -> Result<(), ImportError> {
        let columns = self.columns;
        let mut must = vec![&columns.respondent, &columns.country, &columns.language];
        must.extend([&columns.item, &columns.chosen]);
        must.extend(columns.demographics.iter().flatten());
        self.has_weight |= there.contains(&columns.weight);
        match must.into_iter().find(|column| !there.contains(column)) {
            None => Ok(()),
            Some(column) => {
                let nearest = there
                    .iter()
                    .map(|name| (strsim::jaro_winkler(column, name), name))
                    .filter(|(similarity, _)| *similarity > 0.8)
                    .max_by(|a, b| a.0.total_cmp(&b.0));
                let quoted: Vec<_> = there.iter().map(|name| format!("`{name}`")).collect();
                Err(ImportError::Column {
                    file: file.to_owned(),
                    column: column.clone(),
                    nearest: nearest.map(|(_, name)| name.clone()),
                    there: quoted.join(", "),
                })
            }
        }
    }

    /// Takes one row: its file with its columns, its line, and its cells. The rows of a file come one after the other.
    ///
    /// # Errors
    /// If it is the first row of a file that lacks a column.
    pub fn take(
        &mut self,
        file: &str,
        line: u64,
        cells: &serde_json::Map<String, serde_json::Value>,
        columns: &[String],
    ) -> Result<(), ImportError> {
        if self.checked != file {
            self.check(file, columns)?;
            self.checked = file.to_owned();
        }
        self.imported.n_rows += 1;
        let row = Cells { cells, codes: self.codes };
        if let Err((problem, what)) = self.answer(row, file, line) {
            self.count(problem, file, line, what);
        }
        Ok(())
    }

    fn answer(&mut self, row: Cells<'_>, file: &str, line: u64) -> Result<(), (Problem, String)> {
        let columns = self.columns;
        let must = |column: &str| {
            row.text(column).ok_or_else(|| (Problem::Missing, format!("`{column}` is empty")))
        };
        let id = must(&columns.respondent)?;
        let id = RespondentId::new(id).map_err(|e| (Problem::Missing, e.to_string()))?;
        let country = must(&columns.country)?;
        let language = must(&columns.language)?;
        let item = must(&columns.item)?;
        let chosen = must(&columns.chosen)?;
        if !self.languages.contains(language.as_str()) {
            return Err((Problem::UnknownLanguage, language));
        }
        let Some((item_number, item)) = self.items.get(item.as_str()).copied() else {
            return Err((Problem::UnknownItem, item));
        };
        let shown = row.text(&columns.shown).unwrap_or_default();
        let shown = options(&shown).map_err(|word| (Problem::UnknownOption, word))?;
        if (1..shown.len()).any(|i| shown[..i].contains(&shown[i])) {
            return Err((Problem::ShownTwice, format!("{item}: {}", words(&shown))));
        }
        let chosen = match (chosen.parse::<Shown>(), chosen.parse::<usize>()) {
            (Ok(chosen), _) => chosen,
            (_, Ok(place)) if (1..=shown.len()).contains(&place) => shown[place - 1],
            _ => return Err((Problem::UnknownOption, chosen)),
        };
        if !shown.is_empty() && !shown.contains(&chosen) {
            let what = format!("{item}: `{chosen}` of {}", words(&shown));
            return Err((Problem::ChosenNotShown, what));
        }
        let number = self.respondent(&id, country, language, row, file, line);
        let before = &mut self.chosen[number];
        if let Some((_, before)) = before.iter().find(|(item, _)| *item == item_number) {
            let what = format!("{id}, {item}");
            let same = *before == chosen;
            let problem = if same { Problem::AnsweredTwice } else { Problem::ContradictoryAnswers };
            return Err((problem, what));
        }
        before.push((item_number, chosen));
        let seconds = row.text(&columns.seconds).and_then(|text| {
            let seconds = text.parse::<f64>().ok().filter(|s| s.is_finite() && *s >= 0.0);
            if seconds.is_none() {
                self.count(Problem::BadSeconds, file, line, text);
            }
            seconds
        });
        self.imported.answers.push(Answer {
            respondent: id,
            item: item.clone(),
            shown,
            chosen,
            seconds,
        });
        Ok(())
    }

    /// The number of a respondent, who is taken in if this is the first row.
    fn respondent(
        &mut self,
        id: &RespondentId,
        country: String,
        language: String,
        row: Cells<'_>,
        file: &str,
        line: u64,
    ) -> usize {
        let demographics = self.demographics(row);
        if let Some(number) = self.known.get(id).copied() {
            let known = &self.imported.respondents[number];
            let differs = (known.country != country)
                .then_some(("country", &country))
                .or_else(|| (known.language != language).then_some(("language", &language)))
                .or_else(|| {
                    let other = |(name, value): &(&String, &String)| {
                        known.demographics.get(*name).is_some_and(|before| before != *value)
                    };
                    demographics.iter().find(other).map(|(name, value)| (name.as_str(), value))
                });
            if let Some((what, value)) = differs {
                let what = format!("{id}: {what} is also `{value}`");
                self.count(Problem::ContradictoryRespondent, file, line, what);
            }
            for (name, value) in demographics {
                self.imported.respondents[number].demographics.entry(name).or_insert(value);
            }
            return number;
        }
        let number = self.imported.respondents.len();
        let weight = match row.text(&self.columns.weight) {
            None if self.has_weight => None,
            None => Some(1.0),
            Some(text) => text.parse::<f64>().ok().filter(|w| w.is_finite() && *w >= 0.0),
        };
        if weight.is_none() {
            let said = row.text(&self.columns.weight).unwrap_or_else(|| "nothing".into());
            self.count(Problem::BadWeight, file, line, format!("{id}: {said}"));
            self.bad.insert(id.clone());
        }
        self.known.insert(id.clone(), number);
        self.chosen.push(Vec::new());
        self.imported.respondents.push(Respondent {
            id: id.clone(),
            country,
            language,
            demographics,
            weight: weight.unwrap_or(0.0),
        });
        number
    }

    fn demographics(&self, row: Cells<'_>) -> BTreeMap<String, String> {
        let c = self.columns;
        let of_answers = [
            &c.respondent,
            &c.country,
            &c.language,
            &c.item,
            &c.shown,
            &c.chosen,
            &c.seconds,
            &c.weight,
        ];
        let all = || row.cells.keys().filter(|name| !of_answers.contains(name));
        let named: Vec<&String> = match &c.demographics {
            Some(named) => named.iter().collect(),
            None => all().filter(|name| *name != "format").collect(),
        };
        named.into_iter().filter_map(|name| Some((name.clone(), row.text(name)?))).collect()
    }

    fn count(&mut self, problem: Problem, file: &str, line: u64, what: String) {
        let found = self
            .imported
            .problems
            .entry(problem)
            .or_insert_with(|| Problems { n: 0, examples: Vec::new() });
        found.n += 1;
        if found.examples.len() < EXAMPLES {
            found.examples.push((file.to_owned(), line, what));
        }
    }

    /// All that was taken in, without those respondents who cannot be weighted.
    ///
    /// # Errors
    /// If no row could be used.
    pub fn finish(self) -> Result<Imported, ImportError> {
        let Self { mut imported, bad, .. } = self;
        if !bad.is_empty() {
            imported.respondents.retain(|respondent| !bad.contains(&respondent.id));
            imported.answers.retain(|answer| !bad.contains(&answer.respondent));
        }
        if imported.answers.is_empty() {
            let most = imported.problems.iter().max_by_key(|(_, found)| found.n);
            let why = most.map_or(": there is none".to_owned(), |(problem, found)| {
                let (file, line, what) = &found.examples[0];
                format!("; most often: {} {file}:{line}: {what}", problem.description())
            });
            return Err(ImportError::Nothing(why));
        }
        Ok(imported)
    }
}

/// The cells of a row, codes resolved.
#[derive(Clone, Copy)]
struct Cells<'c> {
    cells: &'c serde_json::Map<String, serde_json::Value>,
    codes: &'c Codes,
}

impl Cells<'_> {
    fn text(&self, column: &str) -> Option<String> {
        let text = match self.cells.get(column)? {
            serde_json::Value::Null => return None,
            serde_json::Value::String(text) => text.trim().to_owned(),
            other => other.to_string(),
        };
        if text.is_empty() {
            return None;
        }
        let meaning = self.codes.get(column).and_then(|codes| codes.get(&text));
        Some(meaning.cloned().unwrap_or(text))
    }
}

/// The options of a list: JSON, or words between commas, semicolons, bars or blanks.
fn options(list: &str) -> Result<Vec<Shown>, String> {
    let words: Vec<String> = match serde_json::from_str(list) {
        Ok(words) => words,
        Err(_) => list
            .split(|c: char| c.is_whitespace() || [',', ';', '|', '/', '>'].contains(&c))
            .filter(|word| !word.is_empty())
            .map(str::to_owned)
            .collect(),
    };
    words.iter().map(|word| word.parse().map_err(|_| word.clone())).collect()
}

fn words(shown: &[Shown]) -> String {
    shown.iter().map(|shown| shown.as_str()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn import(rows: &[Value], columns: &Columns, codes: &Codes) -> Result<Imported, ImportError> {
        let (instrument, frame) = (Instrument::inglehart_welzel(), ValueFrame::inglehart_welzel());
        let mut importer = Importer::new(&instrument, &frame, columns, codes);
        for (i, row) in rows.iter().enumerate() {
            let cells = row.as_object().unwrap();
            let names: Vec<String> = cells.keys().cloned().collect();
            importer.take("s.csv", i as u64 + 2, cells, &names)?;
        }
        importer.finish()
    }

    fn row(respondent: &str, item: &str, chosen: &str) -> Value {
        json!({
            "respondent": respondent, "country": "Italy", "language": "en", "item": item,
            "shown": "high, low, balanced, default", "chosen": chosen, "age": "18-34", "weight": "1.5",
        })
    }

    #[test]
    fn what_cannot_be_used_is_counted_with_its_line() {
        fn with(mut row: Value, column: &str, value: &str) -> Value {
            row[column] = value.into();
            row
        }
        let check = |bad: Value, problem: Problem, what: &str| {
            let rows = [row("r1", "ts-01", "low"), bad];
            let imported = import(&rows, &Columns::default(), &Codes::new()).unwrap();
            let found = &imported.problems[&problem];
            assert_eq!(found.n, 1, "{problem}");
            assert_eq!(found.examples, [("s.csv".to_owned(), 3, what.to_owned())]);
            assert_eq!(imported.problems.len(), 1, "{problem}: {:?}", imported.problems);
            imported
        };
        check(row("r2", "", "low"), Problem::Missing, "`item` is empty");
        check(row("r2", "zz-01", "low"), Problem::UnknownItem, "zz-01");
        check(row("r2", "ts-01", "middle"), Problem::UnknownOption, "middle");
        let not_shown = with(row("r2", "ts-01", "default"), "shown", "low|high");
        check(not_shown, Problem::ChosenNotShown, "ts-01: `default` of low, high");
        let twice = with(row("r2", "ts-01", "low"), "shown", "low low high");
        check(twice, Problem::ShownTwice, "ts-01: low, low, high");
        check(with(row("r2", "ts-01", "low"), "language", "cy"), Problem::UnknownLanguage, "cy");
        check(row("r1", "ts-01", "low"), Problem::AnsweredTwice, "r1, ts-01");
        check(row("r1", "ts-01", "high"), Problem::ContradictoryAnswers, "r1, ts-01");
        let kept = check(
            with(row("r1", "ts-02", "low"), "age", "55+"),
            Problem::ContradictoryRespondent,
            "r1: age is also `55+`",
        );
        assert_eq!(kept.respondents[0].demographics["age"], "18-34");
        assert_eq!(kept.answers.len(), 2, "the answer itself is good");
        let weight =
            check(with(row("r2", "ts-01", "low"), "weight", "-1"), Problem::BadWeight, "r2: -1");
        assert_eq!((weight.respondents.len(), weight.answers.len()), (1, 1));
        check(with(row("r2", "ts-01", "low"), "weight", ""), Problem::BadWeight, "r2: nothing");
        check(with(row("r2", "ts-01", "low"), "seconds", "soon"), Problem::BadSeconds, "soon");
    }

    #[test]
    fn other_peoples_columns_and_codes_are_understood() {
        let columns = Columns {
            respondent: "pid".into(),
            chosen: "answer".into(),
            demographics: Some(vec!["sex".into()]),
            ..Columns::default()
        };
        let codes: Codes = [
            ("sex".into(), [("1".into(), "female".into())].into()),
            ("item".into(), [("Q1".into(), "ts-01".into())].into()),
        ]
        .into();
        let row = json!({
            "pid": 17, "country": "Italy", "language": "en", "item": "Q1", "shown": ["high", "low"],
            "answer": 2, "sex": 1, "noise": "x",
        });
        let imported = import(&[row], &columns, &codes).unwrap();
        assert_eq!(imported.respondents[0].id.as_str(), "17");
        assert_eq!(imported.respondents[0].demographics, [("sex".into(), "female".into())].into());
        assert_eq!(imported.respondents[0].weight, 1.0);
        assert_eq!(imported.answers[0].chosen, Shown::Low, "the second place");
        assert!(imported.problems.is_empty());
    }

    #[test]
    fn a_missing_column_is_named_with_the_nearest() {
        let mut bad = row("r1", "ts-01", "low");
        let item = bad.as_object_mut().unwrap().remove("item").unwrap();
        bad["items"] = item;
        let error = import(&[bad], &Columns::default(), &Codes::new()).unwrap_err().to_string();
        assert!(error.starts_with("s.csv has no column `item` (is it `items`?)"), "{error}");
        let none = import(&[row("r", "zz", "low")], &Columns::default(), &Codes::new());
        let error = none.unwrap_err().to_string();
        assert!(
            error.contains("no row could be used; most often: The instrument has no such item")
        );
    }
}
