//! A comparison as it may be seen: pseudonyms for ids, no value that tells too few people apart, no personal data in texts.

use super::columns::Columns;
use super::pseudonym::PseudonymKey;
use super::report::Scrubbed;
use super::scrub::{KINDS, PersonalCounts, scrub};
use super::suppress::Suppression;
use crate::comparison::Comparison;
use crate::formats::ExtraColumn;
use crate::schema::{Column, extra_name};
use std::borrow::Cow;

/// All that is decided before the first comparison is written.
#[derive(Debug)]
pub(super) struct Preparation {
    pub(super) columns: Columns,
    pub(super) suppression: Suppression,
    /// Nothing, where ids stay.
    pub(super) key: Option<PseudonymKey>,
    pub(super) scrubs: bool,
}

/// What was found in texts: prompt, history, candidates, explanation, and each column that comes along.
#[derive(Debug, Clone)]
pub(super) struct Found(Vec<PersonalCounts>);

const TEXTS: [Column; 4] =
    [Column::Prompt, Column::History, Column::Candidates, Column::Explanation];

impl Found {
    pub(super) fn new(n_extra: usize) -> Self {
        Self(vec![PersonalCounts::default(); TEXTS.len() + n_extra])
    }

    pub(super) fn merge(&mut self, other: &Found) {
        for (mine, other) in self.0.iter_mut().flatten().zip(other.0.iter().flatten()) {
            *mine += other;
        }
    }

    /// What was found, by column and kind.
    pub(super) fn report(&self, extra: &[ExtraColumn]) -> Vec<Scrubbed> {
        let names = TEXTS.iter().map(|column| column.name().to_owned());
        let names = names.chain(extra.iter().map(|column| extra_name(&column.name)));
        let of_column = |(name, counts): (String, &PersonalCounts)| {
            let found = KINDS.iter().zip(*counts).filter(|(_, n)| *n > 0);
            let found =
                found.map(|((_, kind, _), n)| Scrubbed { column: name.clone(), kind, replaced: n });
            found.collect::<Vec<_>>()
        };
        names.zip(&self.0).flat_map(of_column).collect()
    }
}

impl Preparation {
    /// The comparison as it may be seen. Columns that are not published at all are left as they are: nobody writes them.
    pub(super) fn apply<'a>(
        &self,
        comparison: &Comparison<'a>,
        found: &mut Found,
    ) -> Comparison<'a> {
        let mut seen = comparison.clone();
        let person = Suppression::person(comparison);
        self.suppression.apply(&mut seen, &self.columns, person);
        if self.columns.hides_explanations {
            seen.explanation = None;
        }
        if self.columns.hides_annotators {
            seen.annotator_id = None;
        }
        if self.columns.hides_languages {
            seen.language = None;
        }
        if let Some(key) = &self.key {
            seen.conversation_id = Cow::Owned(key.conversation(&comparison.conversation_id));
            seen.annotator_id = seen.annotator_id.map(|id| Cow::Owned(key.annotator(&id)));
        }
        if self.scrubs {
            self.scrub_texts(&mut seen, found);
        }
        seen
    }

    fn scrub_texts(&self, comparison: &mut Comparison<'_>, found: &mut Found) {
        let [prompt, history, candidates, explanation, extra @ ..] = found.0.as_mut_slice() else {
            return;
        };
        replace(&mut comparison.prompt, prompt);
        for message in &mut comparison.history {
            replace(&mut message.text, history);
        }
        for text in comparison.candidates.iter_mut().filter_map(|c| c.text.as_mut()) {
            replace(text, candidates);
        }
        if let Some(text) = &mut comparison.explanation {
            replace(text, explanation);
        }
        let extra = comparison.extra.iter_mut().zip(extra).zip(&self.columns.shows_extra);
        for ((value, counts), _) in extra.filter(|(_, shown)| **shown) {
            if let Some(value) = value {
                replace(value, counts);
            }
        }
    }
}

fn replace(text: &mut Cow<'_, str>, counts: &mut PersonalCounts) {
    if let Cow::Owned(scrubbed) = scrub(text, counts) {
        *text = Cow::Owned(scrubbed);
    }
}
