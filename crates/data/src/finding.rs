//! What is found to be wrong with a dataset: rules, counts, and examples with their lines.

use serde::{Deserialize, Deserializer, Serialize};
use std::collections::BTreeMap;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Good to know.
    Note,
    /// Can bend results.
    Warning,
    /// Wrong in itself, or breaks what uses the data.
    Error,
}

macro_rules! rules {
    ($($(#[$doc:meta])* $name:ident $id:literal $severity:ident $text:literal;)*) => {
        /// What can be found.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Rule { $($(#[$doc])* #[doc = $text] $name,)* }

        impl Rule {
            /// All rules.
            pub const ALL: &'static [Rule] = &[$(Rule::$name,)*];

            /// The name of the rule in reports, and where rules are chosen.
            #[must_use]
            pub fn id(self) -> &'static str {
                match self { $(Rule::$name => $id,)* }
            }

            /// How bad a finding of this rule is.
            #[must_use]
            pub fn severity(self) -> Severity {
                match self { $(Rule::$name => Severity::$severity,)* }
            }

            /// What is wrong, in a sentence.
            #[must_use]
            pub fn description(self) -> &'static str {
                match self { $(Rule::$name => $text,)* }
            }
        }
    };
}

rules! {
    UnreadableRecord "unreadable-record" Error "The record is not what its format says.";
    EmptyPrompt "empty-prompt" Error "There are candidates, but no prompt that they answer.";
    MissingCandidate "missing-candidate" Warning "A candidate of the set has no text.";
    ChoiceWithoutText "choice-without-text" Error "The chosen candidate has no text.";
    ChosenEqualsRejected "chosen-equals-rejected" Error "A candidate that was not chosen says the same as the chosen one.";
    DuplicateCandidates "duplicate-candidates" Warning "Two candidates of a set say the same.";
    UnknownChoice "unknown-choice" Error "The choice names no candidate.";
    NoChoice "no-choice" Note "Candidates were shown and nobody chose.";
    Sentinel "sentinel" Warning "A stand-in such as `nan`, `none` or `EMPTY STRING` takes the place of text.";
    EndOfText "end-of-text-token" Warning "A text ends in a token that marks the end of texts.";
    TypeMismatch "type-mismatch" Error "A value is of another type than belongs there, such as a list in the place of a text.";
    EarlyDivergence "early-divergence" Warning "The conversations part before their last answers; each stands as the whole rest of its own.";
    AsymmetricHistory "asymmetric-history" Error "The chosen and the rejected answer follow different system prompts or histories.";
    UnknownAnnotator "unknown-annotator" Warning "The file that describes the annotators lacks this one, or has them twice.";
    TurnGap "turn-gap" Error "A later turn is there, an earlier one is not.";
    AnnotatedTwice "annotated-twice" Warning "One annotator chose twice from the same comparison.";
    TwoLanguages "two-languages" Note "An annotator works in two languages.";
    ContradictoryDemographics "contradictory-demographics" Warning "An annotator is said to be two things of one kind.";
    OtherLanguage "other-language" Warning "A text is in another language than its conversation.";
    NearDuplicatePrompt "near-duplicate-prompt" Note "A first prompt is nearly, but not quite, that of another conversation.";
    PositionSkew "position-skew" Warning "Candidates are chosen by their position in the list.";
    LengthSkew "length-skew" Note "Longer candidates, or shorter ones, are chosen more often.";
    FormatSkew "format-skew" Note "Candidates with a mark of formatting are chosen more, or less, often.";
    Truncated "truncated" Warning "Candidates lose text when they are cut to the longest length.";
    PersonalData "personal-data" Warning "What looks like personal data stands in a text.";
    OnePosition "one-position-annotator" Warning "An annotator chooses one position nearly always.";
    ChanceAgreement "chance-agreement-annotator" Warning "An annotator agrees with others no more than chance would.";
    LeakedComparison "leaked-comparison" Error "A comparison stands in more than one split.";
    LeakedConversation "leaked-conversation" Error "A conversation stands in more than one split.";
    LeakedPrompt "leaked-prompt" Warning "A prompt stands in more than one split.";
    LeakedAnnotator "leaked-annotator" Note "An annotator chose in more than one split.";
}

impl Serialize for Rule {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.id())
    }
}

impl<'de> Deserialize<'de> for Rule {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let id = String::deserialize(deserializer)?;
        let rule = Rule::ALL.iter().copied().find(|rule| rule.id() == id);
        rule.ok_or_else(|| serde::de::Error::custom(format_args!("`{id}` is no rule")))
    }
}

/// One thing that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// What is wrong.
    pub rule: Rule,
    /// The file, as it was named.
    pub file: String,
    /// The line on which the record begins, from 1.
    pub line: u64,
    /// The column or field, where it is one.
    pub column: Option<String>,
    /// What stands there, shortened; or what was found in words.
    pub value: String,
}

impl Finding {
    /// A finding in the record at `line`; the file is filled in by the reader.
    pub fn new(rule: Rule, line: u64, column: Option<&str>, value: &str) -> Self {
        Self {
            rule,
            file: String::new(),
            line,
            column: column.map(str::to_owned),
            value: shorten(value),
        }
    }
}

/// `text` on one line, at most 80 characters.
pub(crate) fn shorten(text: &str) -> String {
    const LONGEST: usize = 80;
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

/// All that was found: for each rule the count and the first examples. Merging in file order keeps the
/// examples those that come first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Findings {
    by_rule: BTreeMap<Rule, (u64, Vec<Finding>)>,
}

impl Findings {
    /// Examples kept for each rule.
    pub const N_EXAMPLES: usize = 5;

    /// Counts a finding, and keeps it if it is among the first.
    pub fn push(&mut self, finding: Finding) {
        let (n, examples) = self.by_rule.entry(finding.rule).or_default();
        *n += 1;
        if examples.len() < Self::N_EXAMPLES {
            examples.push(finding);
        }
    }

    /// Counts a finding that has examples already or needs none: cheap where the value is costly to write.
    pub fn push_with(&mut self, rule: Rule, finding: impl FnOnce() -> Finding) {
        let (n, examples) = self.by_rule.entry(rule).or_default();
        *n += 1;
        if examples.len() < Self::N_EXAMPLES {
            examples.push(finding());
        }
    }

    /// Adds what was found later in the files.
    pub fn merge(&mut self, later: Findings) {
        for (rule, (n, examples)) in later.by_rule {
            let mine = self.by_rule.entry(rule).or_default();
            mine.0 += n;
            let room = Self::N_EXAMPLES.saturating_sub(mine.1.len());
            mine.1.extend(examples.into_iter().take(room));
        }
    }

    /// Names the file of all findings that have none yet.
    pub(crate) fn set_file(&mut self, file: &str) {
        for finding in self.by_rule.values_mut().flat_map(|(_, examples)| examples) {
            if finding.file.is_empty() {
                file.clone_into(&mut finding.file);
            }
        }
    }

    /// How often a rule was broken.
    #[must_use]
    pub fn count(&self, rule: Rule) -> u64 {
        self.by_rule.get(&rule).map_or(0, |(n, _)| *n)
    }

    /// Rules with their counts and first examples, the worst rules first.
    pub fn iter(&self) -> impl Iterator<Item = (Rule, u64, &[Finding])> {
        let mut all: Vec<_> = self
            .by_rule
            .iter()
            .map(|(rule, (n, examples))| (*rule, *n, examples.as_slice()))
            .collect();
        all.sort_by_key(|(rule, ..)| std::cmp::Reverse(rule.severity()));
        all.into_iter()
    }

    /// Whether nothing was found.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_rule.is_empty()
    }

    /// The worst severity found.
    #[must_use]
    pub fn worst(&self) -> Option<Severity> {
        self.by_rule.keys().map(|rule| rule.severity()).max()
    }
}
