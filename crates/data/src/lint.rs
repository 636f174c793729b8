//! What is wrong in a dataset beyond what its reader stumbles on.
//!
//! One pass on all cores: each block of records is looked at by one thread, which reports what can be told from a comparison alone
//! (duplicates, languages, personal data, truncation) and keeps a few numbers of each comparison; these are merged in the order of the
//! files for what can only be told from the whole (annotators, skews, near duplicates).
//!
//! | question | module | kept in memory |
//! |---|---|---|
//! | Do candidates of a set say the same? | `duplicates` | nothing |
//! | Is a text in another language than the conversation? | `language` | nothing |
//! | Is there personal data? | `personal` | nothing |
//! | What would be cut off? | `truncation` | nothing |
//! | Is an annotator said to be two things? | `people` | some values for each annotator |
//! | Did one annotator choose twice? Do annotators agree? | `choices` | 32 bytes for each choice |
//! | Does an annotator choose by position, or at random? | `choosers` | counts for each annotator |
//! | Are positions, longer texts, formats chosen more often? | `positions`, `skews` | sums for each annotator |
//! | Are first prompts nearly the same? | `near` | 350 bytes for each of at most 250,000 different ones |
//! | Does anything stand in two splits? | `leakage` | 32 bytes for each different thing |

mod choices;
mod choosers;
mod duplicates;
mod language;
mod leakage;
mod near;
mod people;
mod personal;
mod positions;
mod seen;
mod skews;
mod style;
#[cfg(test)]
mod testing;
mod texts;
mod truncation;

use crate::comparison::Comparison;
use crate::dataset::{Dataset, ReadError};
use crate::finding::Findings;
pub use choosers::{Behaviour, OddAnnotator};
pub use language::LanguageCount;
pub use leakage::{LeakageOptions, leakage};
pub use near::NearDuplicates;
use people::Attributes;
pub(crate) use personal::scan as scan_personal;
pub use personal::{PersonalData, PersonalKind};
pub use positions::PositionShares;
use seen::{Place, Seen};
use serde::Serialize;
pub use skews::{FormatSkew, LengthSkew};
pub use style::Mark;
pub use truncation::{Side, TokenCounter, Truncation};

/// What to look for.
#[derive(Clone, Copy)]
pub struct LintOptions<'a> {
    /// Whether the language of each text is told: takes several times as long as all the rest.
    pub language: bool,
    /// Whether first prompts that are nearly the same are looked for.
    pub near_duplicates: bool,
    /// Whether personal data is looked for.
    pub personal_data: bool,
    /// What counts tokens, and how many of them fit; nothing is forecast without.
    pub tokens: Option<(&'a dyn TokenCounter, usize)>,
}

impl Default for LintOptions<'_> {
    /// All that needs no tokenizer.
    fn default() -> Self {
        Self { language: true, near_duplicates: true, personal_data: true, tokens: None }
    }
}

impl std::fmt::Debug for LintOptions<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LintOptions")
            .field("language", &self.language)
            .field("near_duplicates", &self.near_duplicates)
            .field("personal_data", &self.personal_data)
            .field("max_length", &self.tokens.map(|(_, max_length)| max_length))
            .finish()
    }
}

/// What was found in a dataset.
#[derive(Debug, Default, Serialize)]
pub struct LintReport {
    /// Records of the files: rows, or lines.
    pub n_records: u64,
    /// Turns in which candidates were shown, chosen from or not.
    pub n_turns: u64,
    /// What is wrong. What concerns the whole dataset has line 0 and no file.
    pub findings: Findings,
    /// How often each position was chosen, first and later turns by number of candidates.
    pub positions: Vec<PositionShares>,
    /// How long the chosen are beside the others; nothing without choices.
    pub length: Option<LengthSkew>,
    /// How the chosen are formatted beside the others.
    pub formats: Vec<FormatSkew>,
    /// Annotators whose choices say little.
    pub odd_annotators: Vec<OddAnnotator>,
    /// First prompts that are nearly the same, if looked for.
    pub near_duplicates: Option<NearDuplicates>,
    /// Texts by language, if looked for.
    pub languages: Vec<LanguageCount>,
    /// Personal data, if looked for.
    pub personal_data: Vec<PersonalData>,
    /// What would be cut off, if it was asked for.
    pub truncation: Vec<Truncation>,
}

/// Reads a dataset whole and says what is wrong in it.
///
/// # Errors
/// When a file cannot be read to its end.
pub fn lint(dataset: &Dataset, options: &LintOptions<'_>) -> Result<LintReport, ReadError> {
    let attributes = Attributes::new(dataset.extra_columns());
    let mut whole = Whole::new(attributes.clone());
    let scan = dataset.fold(
        Block::default,
        |block, comparison| block.look(comparison, options, &attributes),
        |file, block| {
            whole.merge(file, block);
            Ok::<_, ReadError>(())
        },
    )?;
    let mut report = whole.finish(options);
    report.n_records = scan.n_records;
    report.findings.merge(scan.findings);
    Ok(report)
}

/// What a thread keeps of a block of records.
#[derive(Default)]
struct Block {
    n_turns: u64,
    findings: Findings,
    texts: texts::Texts,
    people: people::BlockPeople,
    seen: Vec<Seen>,
    prompts: near::BlockPrompts,
    languages: language::Languages,
    personal: personal::Personal,
    truncations: truncation::Truncations,
}

impl Block {
    fn look(
        &mut self,
        comparison: &Comparison<'_>,
        options: &LintOptions<'_>,
        attributes: &Attributes,
    ) {
        self.n_turns += 1;
        self.texts.read(comparison);
        duplicates::look(comparison, &self.texts, &mut self.findings);
        let person = self.people.look(comparison, attributes);
        self.seen.push(Seen::of(comparison, &self.texts, person));
        if options.near_duplicates {
            self.prompts.look(comparison, &self.texts);
        }
        if options.personal_data {
            self.personal.look(comparison, &mut self.findings);
        }
        if options.language {
            self.languages.look(comparison, &mut self.findings);
        }
        if let Some((counter, longest)) = options.tokens {
            self.truncations.look(comparison, counter, longest, &mut self.findings);
        }
    }
}

/// What is kept of the whole dataset.
struct Whole {
    files: Vec<String>,
    n_turns: u64,
    findings: Findings,
    people: people::People,
    choices: choices::Choices,
    choosers: choosers::Choosers,
    positions: positions::Positions,
    skews: skews::Skews,
    near: near::Near,
    languages: language::Languages,
    personal: personal::Personal,
    truncations: truncation::Truncations,
}

impl Whole {
    fn new(attributes: Attributes) -> Self {
        Self {
            files: Vec::new(),
            n_turns: 0,
            findings: Findings::default(),
            people: people::People::new(attributes),
            choices: choices::Choices::default(),
            choosers: choosers::Choosers::default(),
            positions: positions::Positions::default(),
            skews: skews::Skews::default(),
            near: near::Near::default(),
            languages: language::Languages::default(),
            personal: personal::Personal::default(),
            truncations: truncation::Truncations::default(),
        }
    }

    fn merge(&mut self, file: &str, mut block: Block) {
        if self.files.last().is_none_or(|last| last != file) {
            self.files.push(file.to_owned());
        }
        let file_number = self.files.len() as u32 - 1;
        self.n_turns += block.n_turns;
        block.findings.set_file(file);
        self.findings.merge(block.findings);
        let numbers = self.people.merge(block.people, file_number, &self.files, &mut self.findings);
        for seen in &block.seen {
            self.add(seen, seen.person.map(|person| numbers[person as usize]), file_number);
        }
        self.near.merge(block.prompts, file_number, &self.files, &mut self.findings);
        self.languages.merge(block.languages);
        self.personal.merge(block.personal);
        self.truncations.merge(block.truncations);
    }

    fn add(&mut self, seen: &Seen, person: Option<u32>, file: u32) {
        let cluster = seen.cluster(person);
        if let Some(pick) = &seen.pick {
            if pick.has_places {
                self.positions.add(pick, cluster);
            }
            if let Some(contrast) = &pick.texts {
                self.skews.add(contrast, cluster);
            }
            if let Some(person) = person.filter(|_| pick.has_places) {
                self.choosers.add(pick, person);
            }
        }
        if let (Some(person), Some(comparison)) = (person, seen.comparison) {
            let place = Place { file, line: seen.line };
            let chosen = seen.pick.map(|pick| pick.chosen);
            self.choices.push(choices::Logged { comparison, person, place, chosen });
        }
    }

    fn finish(self, options: &LintOptions<'_>) -> LintReport {
        let Self { mut findings, people, files, .. } = self;
        let agreement = self.choices.finish(&people, &files, &mut findings);
        let odd_annotators = self.choosers.finish(agreement, &people, &files, &mut findings);
        let positions = self.positions.finish(&mut findings);
        let (length, formats) = self.skews.finish(&mut findings);
        LintReport {
            n_records: 0,
            n_turns: self.n_turns,
            findings,
            positions,
            length,
            formats,
            odd_annotators,
            near_duplicates: options.near_duplicates.then(|| self.near.finish()),
            languages: self.languages.finish(),
            personal_data: self.personal.finish(),
            truncation: self.truncations.finish(),
        }
    }
}

/// A p-value in words.
fn p_text(p: f64) -> String {
    if p < 1e-4 { "p < .0001".to_owned() } else { format!("p = {p:.4}") }
}

#[cfg(test)]
mod tests {
    use super::testing::report;

    #[test]
    fn a_report_can_be_written_as_json() {
        let report = report(&[["7", "en", "india", "p", "w", "x", "y", "z", "response_a"]; 3]);
        let json = serde_json::to_value(&report).expect("JSON");
        assert_eq!((&json["n_records"], &json["n_turns"]), (&3.into(), &3.into()));
        assert_eq!(json["findings"]["annotated-twice"][0], 2);
        assert_eq!(json["near_duplicates"]["n_prompts"], 1);
        assert_eq!(json["formats"][0]["mark"], "list");
    }
}
