//! What looks like personal data: mail addresses, numbers of phones, cards and accounts, addresses.
//!
//! Nobody can tell from its form alone whether a number is anybody's, and models make such things up: these are places to look at.
//! What is set aside for examples (`example.com`, 555 numbers, test cards, private networks) is left out. Texts without an `@` or a digit,
//! which most are, cost one look at their bytes.

mod numbers;
mod streets;

use crate::comparison::Comparison;
use crate::finding::{Finding, Findings, Rule};
use memchr::memchr_iter;
use serde::Serialize;
use std::collections::BTreeMap;

/// A kind of personal data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum PersonalKind {
    /// A mail address.
    Mail,
    /// A phone number: with `+` and 8 to 15 digits, or grouped as in the United States, France, India, Italy (mobile) or Brazil.
    Phone,
    /// A payment card: 13 to 19 digits of a known issuer that pass Luhn's check.
    Card,
    /// A bank account: an IBAN of the length of its country whose checksum is right.
    Iban,
    /// An IPv4 address of the public Internet.
    Ip,
    /// A house number beside the name of a street, in English, French, Italian, Portuguese or Spanish.
    Address,
}

/// How often a kind was found in texts of one sort.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct PersonalData {
    /// `prompt`, `candidate` or `explanation`.
    pub text: &'static str,
    /// What was found.
    pub kind: PersonalKind,
    /// How often.
    pub n: u64,
}

/// Counts by sort of text and kind.
#[derive(Debug, Default)]
pub(super) struct Personal {
    counts: BTreeMap<(&'static str, PersonalKind), u64>,
}

impl Personal {
    /// Reports [`Rule::PersonalData`] for each place in the texts of a comparison; the value is masked.
    pub(super) fn look(&mut self, comparison: &Comparison<'_>, findings: &mut Findings) {
        let mut check = |sort: &'static str, id: &str, text: &str| {
            scan(text, &mut |kind, value| {
                *self.counts.entry((sort, kind)).or_default() += 1;
                findings.push_with(Rule::PersonalData, || {
                    let space = if id.is_empty() { "" } else { " " };
                    let column = format!("turn {}, {sort}{space}{id}", comparison.turn);
                    let value = format!("{kind:?}: {}", mask(value)).to_lowercase();
                    Finding::new(Rule::PersonalData, comparison.line, Some(&column), &value)
                });
            });
        };
        check("prompt", "", &comparison.prompt);
        for candidate in &comparison.candidates {
            check("candidate", &candidate.id, candidate.text());
        }
        check("explanation", "", comparison.explanation.as_deref().unwrap_or_default());
    }

    pub(super) fn merge(&mut self, later: Personal) {
        for (key, n) in later.counts {
            *self.counts.entry(key).or_default() += n;
        }
    }

    pub(super) fn finish(self) -> Vec<PersonalData> {
        self.counts.into_iter().map(|((text, kind), n)| PersonalData { text, kind, n }).collect()
    }
}

/// Hands on what looks like personal data in a text, each a part of it.
pub(crate) fn scan(text: &str, found: &mut dyn FnMut(PersonalKind, &str)) {
    let mut end = 0;
    for at in memchr_iter(b'@', text.as_bytes()) {
        if let Some((from, to)) = mail(text.as_bytes(), at).filter(|(from, _)| *from >= end) {
            end = to;
            found(PersonalKind::Mail, &text[from..to]);
        }
    }
    numbers::scan(text, found);
}

/// Where the mail address around an `@` begins and ends.
fn mail(bytes: &[u8], at: usize) -> Option<(usize, usize)> {
    let is_local = |b: &u8| b.is_ascii_alphanumeric() || b"._%+-".contains(b);
    let is_domain = |b: &u8| b.is_ascii_alphanumeric() || b".-".contains(b);
    let from = at - bytes[..at].iter().rev().take(64).take_while(|b| is_local(b)).count();
    let mut to = at + 1 + bytes[at + 1..].iter().take(253).take_while(|b| is_domain(b)).count();
    while matches!(bytes[to - 1], b'.' | b'-') {
        to -= 1;
    }
    let domain = std::str::from_utf8(&bytes[at + 1..to]).ok()?.to_ascii_lowercase();
    let (name, top) = domain.rsplit_once('.')?;
    let is_name =
        !name.is_empty() && top.len() >= 2 && top.bytes().all(|b| b.is_ascii_alphabetic());
    // Set aside by RFC 2606.
    let is_example = matches!(top, "example" | "test" | "invalid" | "localhost")
        || (name == "example" || name.ends_with(".example"))
            && matches!(top, "com" | "org" | "net");
    let has_local = from < at && bytes[from] != b'.';
    (is_name && has_local && !is_example).then_some((from, to))
}

/// The first letter or digit, and dots for all others: never the whole value.
fn mask(value: &str) -> String {
    let mut is_first = true;
    value
        .chars()
        .map(|c| if c.is_alphanumeric() && !std::mem::take(&mut is_first) { '•' } else { c })
        .collect()
}

#[cfg(test)]
mod tests;
