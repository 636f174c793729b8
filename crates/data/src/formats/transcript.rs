//! Conversations that share a beginning and then part: what comes before, and the answers to choose between.

use crate::comparison::{Message, Role};
use std::borrow::Cow;

/// Two conversations as one comparison.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Split<'a> {
    /// What both have before the last message of a person that both have.
    pub(super) history: Vec<Message<'a>>,
    /// That message; empty if they share none.
    pub(super) prompt: Cow<'a, str>,
    /// What follows it in each, the whole rest.
    pub(super) answers: [Option<Cow<'a, str>>; 2],
    /// They part before their last answers.
    pub(super) is_early: bool,
}

impl<'a> Split<'a> {
    /// The part that both have, and what follows. In the text of a rest that holds more than one answer,
    /// messages of the person are marked as `person`.
    pub(super) fn new(
        mut first: Vec<Message<'a>>,
        mut second: Vec<Message<'a>>,
        person: &str,
    ) -> Self {
        // Where one is missing, the other says what was asked.
        if first.is_empty() {
            first = before_answer(&second).to_vec();
        } else if second.is_empty() {
            second = before_answer(&first).to_vec();
        }
        let is_early = before_answer(&first) != before_answer(&second);
        let longest = before_answer(&first).len().min(before_answer(&second).len());
        let pairs = first.iter().zip(&second).take(longest);
        let n_shared = pairs.take_while(|(a, b)| a == b).count();
        let (start, prompt_at) = start_of_rest(&first[..n_shared]);
        let answers = [rest(first.split_off(start), person), rest(second.split_off(start), person)];
        let prompt =
            prompt_at.map_or(Cow::Borrowed(""), |_| first.pop().unwrap_or_else(nothing).text);
        Self { history: first, prompt, answers, is_early }
    }
}

fn nothing<'a>() -> Message<'a> {
    Message { role: Role::User, text: Cow::Borrowed("") }
}

/// Where the rest begins, and where the prompt stands.
fn start_of_rest(shared: &[Message<'_>]) -> (usize, Option<usize>) {
    match shared.iter().rposition(|message| message.role == Role::User) {
        Some(at) => (at + 1, Some(at)),
        None => (shared.iter().take_while(|message| message.role == Role::System).count(), None),
    }
}

/// The messages before a last answer.
fn before_answer<'m, 'a>(messages: &'m [Message<'a>]) -> &'m [Message<'a>] {
    match messages {
        [before @ .., Message { role: Role::Assistant, .. }] => before,
        all => all,
    }
}

/// Messages as one text.
pub(super) fn rest<'a>(mut messages: Vec<Message<'a>>, person: &str) -> Option<Cow<'a, str>> {
    if let [Message { role: Role::Assistant, .. }] = messages.as_slice() {
        return messages.pop().map(|message| message.text).filter(|text| !text.is_empty());
    }
    let mut text = String::new();
    for (i, message) in messages.iter().enumerate() {
        if i > 0 || message.role != Role::Assistant {
            let name = match message.role {
                Role::System => "System",
                Role::User => person,
                Role::Assistant => "Assistant",
            };
            text.push_str(if i > 0 { "\n\n" } else { "" });
            text.push_str(name);
            text.push_str(": ");
        }
        text.push_str(&message.text);
    }
    (!text.is_empty()).then_some(Cow::Owned(text))
}

/// The history and the prompt of messages that end in the message of a person.
pub(super) fn prompt_of<'a>(mut messages: Vec<Message<'a>>) -> (Vec<Message<'a>>, Cow<'a, str>) {
    match messages.last() {
        Some(last) if last.role == Role::User => {
            let prompt = messages.pop().unwrap_or_else(nothing).text;
            (messages, prompt)
        }
        _ => (messages, Cow::Borrowed("")),
    }
}

/// A text with the marks of its speakers, such as `\n\nHuman: ...\n\nAssistant: ...`, as messages. What
/// stands before the first mark sets the scene.
pub(super) fn marked<'a>(text: &'a str) -> Vec<Message<'a>> {
    const MARKS: [(&str, Role); 2] = [("Human:", Role::User), ("Assistant:", Role::Assistant)];
    let mut messages = Vec::new();
    let (mut role, mut start) = (Role::System, 0);
    let mut push = |role, text: &'a str| {
        let text = text.trim();
        if role != Role::System || !text.is_empty() {
            messages.push(Message { role, text: Cow::Borrowed(text) });
        }
    };
    let bytes = text.as_bytes();
    let is_break = |at: &usize| bytes.get(at + 1) == Some(&b'\n');
    let breaks = memchr::memchr_iter(b'\n', bytes).filter(is_break).map(|at| (at, at + 2));
    for (at, after) in std::iter::once((0, 0)).chain(breaks) {
        let found = MARKS.iter().find(|(mark, _)| text[after..].starts_with(mark));
        if let Some((mark, next)) = found.filter(|_| at >= start) {
            push(role, &text[start..at]);
            (role, start) = (*next, after + mark.len());
        }
    }
    push(role, &text[start..]);
    messages
}

/// Whether a text is one with the marks of its speakers.
pub(super) fn is_marked(text: &str) -> bool {
    let start = text.trim_start();
    start.starts_with("Human:") && text.contains("\n\nAssistant:")
}

/// An answer, cleaned.
pub(super) fn cleaned<'a>(
    answer: Option<Cow<'a, str>>,
    line: u64,
    column: &str,
    out: &mut super::Output<'_>,
) -> Option<Cow<'a, str>> {
    super::clean(answer?, line, column, out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(first: &str, second: &str, expected: (&[&str], &str, [&str; 2], bool)) {
        let split = Split::new(marked(first), marked(second), "Human");
        let history: Vec<&str> = split.history.iter().map(|m| m.text.as_ref()).collect();
        let answers = split.answers.each_ref().map(|a| a.as_deref().unwrap_or("-"));
        assert_eq!((&history[..], &*split.prompt, answers, split.is_early), expected, "{first}");
    }

    #[test]
    fn conversations_part_where_they_differ() {
        let start = "\n\nHuman: one\n\nAssistant: two\n\nHuman: three";
        check(
            &format!("{start}\n\nAssistant: yes"),
            &format!("{start}\n\nAssistant: no"),
            (&["one", "two"], "three", ["yes", "no"], false),
        );
        check(
            &format!("{start}\n\nAssistant: yes"),
            &format!("{start}\n\nAssistant: yes"),
            (&["one", "two"], "three", ["yes", "yes"], false),
        );
        check(
            "\n\nHuman: hi\n\nAssistant: yes\n\nHuman: so?\n\nAssistant: well",
            "\n\nHuman: hi\n\nAssistant: no",
            (&[], "hi", ["yes\n\nHuman: so?\n\nAssistant: well", "no"], true),
        );
        check(
            "\n\nHuman: hi\n\nAssistant: yes\n\nHuman: so?\n\nAssistant: well",
            "\n\nHuman: hi\n\nAssistant: yes\n\nHuman: oh\n\nAssistant: well",
            (
                &[],
                "hi",
                ["yes\n\nHuman: so?\n\nAssistant: well", "yes\n\nHuman: oh\n\nAssistant: well"],
                true,
            ),
        );
        check(
            "\n\nHuman: hi\n\nAssistant:",
            "\n\nHuman: hi\n\nAssistant: a\n\nb Human: c",
            (&[], "hi", ["-", "a\n\nb Human: c"], false),
        );
        check(
            "\n\nHuman: a\n\nAssistant: b",
            "\n\nHuman: c\n\nAssistant: b",
            (&[], "", ["Human: a\n\nAssistant: b", "Human: c\n\nAssistant: b"], true),
        );
    }

    #[test]
    fn what_stands_before_the_first_mark_sets_the_scene() {
        let messages = marked("Be kind.\n\nHuman: hi\n\n\n\nAssistant:\n\nHuman: oh");
        let shown: Vec<_> = messages.iter().map(|m| (m.role, &*m.text)).collect();
        let expected = [
            (Role::System, "Be kind."),
            (Role::User, "hi"),
            (Role::Assistant, ""),
            (Role::User, "oh"),
        ];
        assert_eq!(shown, expected);
        assert!(is_marked("\n\nHuman: a\n\nAssistant: b") && !is_marked("Human: a"));
        assert_eq!(super::super::fields::turn(&messages), 3);
    }
}
