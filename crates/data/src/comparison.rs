//! The one shape that every preference dataset is read into.

use std::borrow::Cow;

/// Who wrote a message of a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Set the scene before the conversation.
    System,
    /// The person.
    User,
    /// The model.
    Assistant,
}

impl Role {
    /// The name of the role in chat messages.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Role::System => "system",
            Role::User => "user",
            Role::Assistant => "assistant",
        }
    }

    /// The role of that name, in the words of any tool.
    #[must_use]
    pub fn from_id(id: &str) -> Self {
        match id.to_ascii_lowercase().as_str() {
            "system" | "developer" => Role::System,
            "assistant" | "model" | "gpt" | "chatbot" | "bot" => Role::Assistant,
            _ => Role::User,
        }
    }
}

/// A message of a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message<'a> {
    /// Who wrote it.
    pub role: Role,
    /// What they wrote.
    pub text: Cow<'a, str>,
}

/// One of the answers to choose between.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate<'a> {
    /// Its id among the candidates of the comparison, such as `a`.
    pub id: Cow<'a, str>,
    /// What it says; nothing where the file has nothing.
    pub text: Option<Cow<'a, str>>,
    /// Where it comes from, such as `default` or `nc`, when known.
    pub source: Option<Cow<'a, str>>,
    /// The model that wrote it, when known.
    pub model: Option<Cow<'a, str>>,
    /// The score that a person or a judge gave it, on the dataset's own scale.
    pub score: Option<f64>,
}

impl<'a> Candidate<'a> {
    /// A candidate of which only the text is known.
    pub fn new(id: impl Into<Cow<'a, str>>, text: Option<Cow<'a, str>>) -> Self {
        Self { id: id.into(), text, source: None, model: None, score: None }
    }

    /// The text, empty where there is none.
    #[must_use]
    pub fn text(&self) -> &str {
        self.text.as_deref().unwrap_or_default()
    }
}

/// What was chosen. Numbers are positions among the candidates, from 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// Nobody chose.
    None,
    /// One candidate.
    One(usize),
    /// Several candidates alike.
    Several(Vec<usize>),
    /// Candidates from best to worst.
    Ranking(Vec<usize>),
    /// All are equally good, or equally bad.
    Tie,
    /// Only scores were given: they stand with the candidates.
    Scores,
}

impl Choice {
    /// The name of the kind of choice, as it stands in files.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Choice::None => "none",
            Choice::One(_) => "one",
            Choice::Several(_) => "several",
            Choice::Ranking(_) => "ranking",
            Choice::Tie => "tie",
            Choice::Scores => "scores",
        }
    }

    /// The choice of that kind and these positions; none if they do not go together.
    #[must_use]
    pub fn from_kind(kind: &str, chosen: Vec<usize>) -> Self {
        match (kind, chosen.as_slice()) {
            ("one", [one]) => Choice::One(*one),
            ("several", [_, ..]) => Choice::Several(chosen),
            ("ranking", [_, ..]) => Choice::Ranking(chosen),
            ("tie", _) => Choice::Tie,
            ("scores", _) => Choice::Scores,
            _ => Choice::None,
        }
    }

    /// The positions of what was chosen, best first where there is an order.
    #[must_use]
    pub fn chosen(&self) -> &[usize] {
        match self {
            Choice::One(chosen) => std::slice::from_ref(chosen),
            Choice::Several(chosen) | Choice::Ranking(chosen) => chosen,
            Choice::None | Choice::Tie | Choice::Scores => &[],
        }
    }

    /// The one candidate that was preferred to all others, if there is one.
    #[must_use]
    pub fn best(&self) -> Option<usize> {
        match self {
            Choice::One(best) => Some(*best),
            Choice::Ranking(order) => order.first().copied(),
            Choice::None | Choice::Several(_) | Choice::Tie | Choice::Scores => None,
        }
    }
}

/// One occasion on which somebody was shown several answers.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison<'a> {
    /// The conversation that it is part of.
    pub conversation_id: Cow<'a, str>,
    /// Its place in the conversation, from 1.
    pub turn: u32,
    /// What was said before, along the path of the chosen answers.
    pub history: Vec<Message<'a>>,
    /// The message that the candidates answer.
    pub prompt: Cow<'a, str>,
    /// The answers, in the order in which the file has them.
    pub candidates: Vec<Candidate<'a>>,
    /// What was chosen.
    pub choice: Choice,
    /// Why, in the words of who chose.
    pub explanation: Option<Cow<'a, str>>,
    /// Who chose.
    pub annotator_id: Option<Cow<'a, str>>,
    /// The language of the conversation, as the file names it.
    pub language: Option<Cow<'a, str>>,
    /// Whatever else the file says, in the order of [`Dataset::extra_columns`](crate::Dataset::extra_columns).
    pub extra: Vec<Option<Cow<'a, str>>>,
    /// The line of the file on which its record begins, from 1; the row, for files without lines.
    pub line: u64,
}

impl Comparison<'_> {
    /// Whether there are candidates, and each has a text.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        !self.candidates.is_empty() && self.candidates.iter().all(|c| c.text.is_some())
    }
}
