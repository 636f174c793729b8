//! The pairwise judge: a chat model says which of two responses leans more towards a value, the one
//! to be placed or the balanced one of the same prompt, in both orders.

use super::Judge;
use futures::future::{BoxFuture, try_join};
use polyculture_core::template::TemplateError;
use polyculture_core::{
    Axis, AxisId, CandidateSet, Instrument, Outcome, Position, PromptId, Seed, Side, Template,
};
use polyculture_llm::{ChatModel, ChatRequest, Message, ModelError, Params, Problem};
use std::collections::HashMap;
use std::sync::Arc;

/// Places a response against the balanced response of its prompt.
///
/// The paper's judge, as far as it is known: "which response leans more towards value v", mapped to
/// {0, .5, 1}. The template, both orders and the tie are ours.
pub struct PairwiseJudge {
    model: Arc<dyn ChatModel>,
    template: Template,
    /// The balanced responses of a prompt on an axis, by language.
    anchors: HashMap<(PromptId, AxisId), Vec<(String, String)>>,
    seed: Seed,
}

/// Why the judge cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum PairwiseError {
    /// The template.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// A prompt that nothing balanced answers.
    #[error(
        "prompt `{prompt}` has no balanced response on axis `{axis}` to be held against; judge with `embedded/judge`, or name an instrument that has one"
    )]
    NoAnchor {
        /// The prompt.
        prompt: PromptId,
        /// The axis.
        axis: AxisId,
    },
}

/// The longest verdict, in tokens: one word is enough, but a reasoning model thinks first.
const MAX_TOKENS: u32 = 1024;

/// What the judge said of two texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Choice {
    A,
    B,
    Tie,
}

impl PairwiseJudge {
    /// A judge that asks `model`, with the balanced responses of `instrument` as anchors.
    ///
    /// # Errors
    /// If the template lacks a hole that the judge needs.
    pub fn new(
        model: Arc<dyn ChatModel>,
        template: Template,
        instrument: &Instrument,
        seed: Seed,
    ) -> Result<Self, PairwiseError> {
        for hole in ["a", "b", "value"] {
            template.requires(hole)?;
        }
        let mut anchors: HashMap<(PromptId, AxisId), Vec<(String, String)>> = HashMap::new();
        for item in instrument.items() {
            let of_item = anchors.entry((item.id.clone(), item.axis.clone())).or_default();
            of_item.push((item.language.clone(), item.responses.balanced.clone()));
        }
        Ok(Self { model, template, anchors, seed })
    }

    /// The built-in template.
    #[must_use]
    pub fn default_template() -> Template {
        Template::new("judge-pairwise", include_str!("../../prompts/judge-pairwise.txt"))
    }

    /// Whether the judge can place responses to a prompt on an axis.
    ///
    /// # Errors
    /// If it has no balanced response to hold them against.
    pub fn check(&self, prompt: &PromptId, axis: &AxisId) -> Result<(), PairwiseError> {
        if self.anchors.contains_key(&(prompt.clone(), axis.clone())) {
            return Ok(());
        }
        Err(PairwiseError::NoAnchor { prompt: prompt.clone(), axis: axis.clone() })
    }

    /// The balanced response of a set's prompt, in its language; the first one there is, where the set does not say which it is in.
    fn anchor(&self, set: &CandidateSet, axis: &Axis) -> Option<&str> {
        let anchors = self.anchors.get(&(set.prompt_id.clone(), axis.id.clone()))?;
        let is_it =
            |language: &str| set.language.as_deref().is_none_or(|of_set| of_set == language);
        anchors.iter().find(|(language, _)| is_it(language)).map(|(_, text)| text.as_str())
    }

    /// What the model says; nothing if that is empty, so that the response is unscored.
    async fn ask(&self, request: &ChatRequest) -> Result<String, ModelError> {
        match self.model.reply(request).await {
            Ok(reply) => Ok(reply.text),
            Err(error) if matches!(error.problem, Problem::Empty | Problem::TooShort { .. }) => {
                Ok(String::new())
            }
            Err(error) => Err(error),
        }
    }

    fn request(&self, prompt: &str, a: &str, b: &str, axis: &Axis) -> ChatRequest {
        let (value, opposite) = (axis.pole(Side::High), axis.pole(Side::Low));
        let text = self
            .template
            .fill(&[
                ("value", &value.name),
                ("description", &value.description),
                ("opposite", &opposite.name),
                ("opposite_description", &opposite.description),
                ("prompt", prompt),
                ("a", a),
                ("b", b),
            ])
            .expect("the holes are checked when the judge is made or are among these");
        let params = Params {
            temperature: 0.0,
            max_tokens: MAX_TOKENS,
            seed: Some(self.seed.get()),
            ..Params::default()
        };
        ChatRequest::new([Message::user(text)]).with(params)
    }
}

impl Judge for PairwiseJudge {
    fn name(&self) -> &str {
        self.model.id().as_str()
    }

    fn place<'a>(
        &'a self,
        set: &'a CandidateSet,
        response: &'a str,
        axis: &'a Axis,
    ) -> BoxFuture<'a, Result<Outcome, ModelError>> {
        Box::pin(async move {
            let Some(anchor) = self.anchor(set, axis) else {
                return Ok(Outcome::Unscored {
                    unscored: "no balanced response to compare with".into(),
                });
            };
            let first = self.request(&set.prompt, response, anchor, axis);
            let second = self.request(&set.prompt, anchor, response, axis);
            let (first, second) = try_join(self.ask(&first), self.ask(&second)).await?;
            Ok(combine(&first, &second))
        })
    }
}

/// The verdict of both orders: in the first the response is A, in the second it is B.
fn combine(first: &str, second: &str) -> Outcome {
    let scored = |position, flipped| Outcome::Scored { position, flipped };
    match (choice(first), choice(second)) {
        (Some(Choice::A), Some(Choice::B)) => scored(Position::High, false),
        (Some(Choice::B), Some(Choice::A)) => scored(Position::Low, false),
        (Some(Choice::Tie), Some(Choice::Tie)) => scored(Position::Balanced, false),
        (Some(_), Some(_)) => scored(Position::Balanced, true),
        (found, _) => {
            let reply = if found.is_none() { first } else { second };
            let start: String = reply.chars().take(60).collect();
            Outcome::Unscored { unscored: format!("reply is none of A, B and TIE: `{start}`") }
        }
    }
}

/// The one choice that a reply names. A reply that names two, or none, says nothing.
fn choice(reply: &str) -> Option<Choice> {
    let read = |word: &str| match word {
        "A" | "a" => Some(Choice::A),
        "B" | "b" => Some(Choice::B),
        "TIE" | "Tie" | "tie" => Some(Choice::Tie),
        _ => None,
    };
    let words: Vec<&str> =
        reply.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    if let [only] = words.as_slice() {
        return read(only);
    }
    // In a sentence "a" is an article: only capitals count there.
    let mut named = words.into_iter().filter(|w| matches!(*w, "A" | "B" | "TIE" | "Tie")).map(read);
    let first = named.next()??;
    named.all(|other| other == Some(first)).then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_orders_make_one_verdict() {
        fn check(first: &str, second: &str, expected: &str) {
            let found = serde_json::to_string(&combine(first, second)).unwrap();
            assert_eq!(found, expected, "{first} / {second}");
        }
        check("A", "B", r#"{"position":1.0}"#);
        check("B.", "**A**", r#"{"position":0.0}"#);
        check("TIE", "tie", r#"{"position":0.5}"#);
        check("A", "A", r#"{"position":0.5,"flipped":true}"#);
        check("A", "TIE", r#"{"position":0.5,"flipped":true}"#);
        check("Response A leans more, as a whole.", "B", r#"{"position":1.0}"#);
        check(
            "A",
            "I cannot say.",
            r#"{"unscored":"reply is none of A, B and TIE: `I cannot say.`"}"#,
        );
        check("A or B", "B", r#"{"unscored":"reply is none of A, B and TIE: `A or B`"}"#);
        check("", "B", r#"{"unscored":"reply is none of A, B and TIE: ``"}"#);
    }
}
