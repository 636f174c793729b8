//! What stands in more than one of the splits of a dataset.

use super::near::beginning;
use super::seen::Place;
use super::texts::Texts;
use crate::comparison::Comparison;
use crate::dataset::{Dataset, ReadError};
use crate::facts::hash;
use crate::finding::{Finding, Findings, Rule};
use std::collections::HashMap;

/// What to look for beside prompts, comparisons and conversations.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LeakageOptions {
    /// Annotators of more than one split, too: no error where people are not to be held apart.
    pub annotators: bool,
}

/// What stands in more than one of the named splits: [`Rule::LeakedComparison`] and [`Rule::LeakedConversation`], errors;
/// [`Rule::LeakedPrompt`], a warning; and if asked [`Rule::LeakedAnnotator`], a note. Texts are the same if they are when
/// [folded](crate::fold()).
///
/// Each thing counts once for each later split that it stands in; the example is its first line there. Findings of the files themselves
/// come from [`lint`](super::lint()). Keeps 32 bytes or so for each different thing.
///
/// # Errors
/// When a file cannot be read to its end.
pub fn leakage(
    splits: &[(&str, &Dataset)],
    options: LeakageOptions,
) -> Result<Findings, ReadError> {
    let mut findings = Findings::default();
    let mut known: HashMap<Thing, (u32, Place)> = HashMap::new();
    let mut files: Vec<String> = Vec::new();
    for (number, (_, dataset)) in splits.iter().enumerate() {
        let number = number as u32;
        // What came earlier does not change while a split is read, so that all threads look at it.
        let mut new: HashMap<Thing, Place> = HashMap::new();
        let earlier = &known;
        let names: Vec<&str> = splits.iter().map(|(name, _)| *name).collect();
        dataset.fold(
            Block::default,
            |block, comparison| block.look(comparison, options, earlier, &names),
            |file, block| {
                if files.last().is_none_or(|last| last != file) {
                    files.push(file.to_owned());
                }
                let file_number = files.len() as u32 - 1;
                for (thing, line, finding) in block.things {
                    let place = Place { file: file_number, line };
                    if new.insert(thing, place).is_some() {
                        continue;
                    }
                    if let Some(finding) = finding {
                        findings.push(Finding { file: file.to_owned(), ..finding });
                    }
                }
                Ok::<_, ReadError>(())
            },
        )?;
        for (thing, place) in new {
            known.entry(thing).or_insert((number, place));
        }
    }
    Ok(findings)
}

/// A thing that should stand in one split only, by its identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Thing {
    rule: Rule,
    hash: u64,
}

#[derive(Default)]
struct Block {
    texts: Texts,
    seen: std::collections::HashSet<Thing>,
    /// Things with their lines, and what is to be said if they stood in an earlier split.
    things: Vec<(Thing, u64, Option<Finding>)>,
}

impl Block {
    fn look(
        &mut self,
        comparison: &Comparison<'_>,
        options: LeakageOptions,
        earlier: &HashMap<Thing, (u32, Place)>,
        names: &[&str],
    ) {
        self.texts.read(comparison);
        let annotator = comparison.annotator_id.as_deref().filter(|_| options.annotators);
        let things = [
            (Rule::LeakedPrompt, self.texts.prompt_hash(), &*comparison.prompt),
            (Rule::LeakedComparison, self.texts.comparison_hash(), &*comparison.prompt),
            (
                Rule::LeakedConversation,
                Some(hash(&comparison.conversation_id)),
                &*comparison.conversation_id,
            ),
            (Rule::LeakedAnnotator, annotator.map(hash), annotator.unwrap_or_default()),
        ];
        for (rule, hash, text) in things {
            let Some(thing) = hash.map(|hash| Thing { rule, hash }) else {
                continue;
            };
            if !self.seen.insert(thing) {
                continue;
            }
            let finding = earlier.get(&thing).map(|(split, place)| {
                let value = format!(
                    "also in {}, line {}: {}",
                    names[*split as usize],
                    place.line,
                    beginning(text)
                );
                Finding::new(rule, comparison.line, None, &value)
            });
            self.things.push((thing, comparison.line, finding));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::dataset;

    /// Splits of annotator, prompt and first candidate.
    fn check(splits: &[&[[&str; 3]]], annotators: bool, expected: &[(Rule, u64, &str)]) {
        let opened: Vec<_> = splits
            .iter()
            .map(|rows| {
                let rows: Vec<_> = rows
                    .iter()
                    .map(|[who, p, w]| [*who, "en", "india", *p, *w, "x", "y", "z", ""])
                    .collect();
                dataset(&rows)
            })
            .collect();
        let named: Vec<(&str, &Dataset)> =
            ["train", "test", "more"].into_iter().zip(opened.iter().map(|(_, d)| d)).collect();
        let found = leakage(&named, LeakageOptions { annotators }).expect("readable");
        let shown: Vec<(Rule, u64, String)> = found
            .iter()
            .filter(|(rule, ..)| *rule != Rule::LeakedConversation)
            .map(|(rule, n, e)| (rule, n, format!("{}: {}", e[0].line, e[0].value)))
            .collect();
        let shown: Vec<(Rule, u64, &str)> = shown.iter().map(|(r, n, v)| (*r, *n, &**v)).collect();
        assert_eq!(shown, expected);
        // The rows of every file are numbered from the same number on.
        let most = splits.iter().skip(1).map(|rows| rows.len() as u64).sum::<u64>();
        assert!(found.count(Rule::LeakedConversation) <= most);
        assert_eq!(found.count(Rule::LeakedConversation) > 0, splits.len() > 1);
    }

    #[test]
    fn what_stands_in_two_splits_is_found() {
        check(&[&[["7", "p", "w"], ["7", "p", "w"]]], true, &[]);
        check(&[&[["7", "p", "w"]], &[["7", "q", "w"]]], false, &[]);
        check(
            &[&[["7", "p", "w"]], &[["8", "P ", "other"]]],
            true,
            &[(Rule::LeakedPrompt, 1, "2: also in train, line 2: P")],
        );
        check(
            &[&[["7", "p", "w"]], &[["8", "q", "w"], ["7", " p", "W"], ["7", "p", "w"]]],
            true,
            &[
                (Rule::LeakedComparison, 1, "3: also in train, line 2: p"),
                (Rule::LeakedPrompt, 1, "3: also in train, line 2: p"),
                (Rule::LeakedAnnotator, 1, "3: also in train, line 2: 7"),
            ],
        );
        check(
            &[&[["7", "p", "w"]], &[["8", "q", "w"]], &[["8", "q", "v"], ["9", "p", "v"]]],
            false,
            &[(Rule::LeakedPrompt, 2, "2: also in test, line 2: q")],
        );
    }
}
