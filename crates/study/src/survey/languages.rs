//! Is the instrument the same in every language? What a program can tell of it: the script, the length against the first
//! language, words left as they were, poles of equal length. Whether a translation is good, people must say.

use polyculture_core::{AxisId, Instrument, Item, ValueFrame};
use serde::Serialize;
use std::collections::{HashMap, HashSet};

/// What was found in one language on one axis.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LanguageCheck {
    /// The language.
    pub language: String,
    /// The axis.
    pub axis: AxisId,
    /// Its items.
    pub n_items: usize,
    /// Items of the first language that are missing.
    pub missing: Vec<String>,
    /// Share of letters in the script that most of the language's letters are in.
    pub script_share: f64,
    /// That script.
    pub script: String,
    /// Characters of a text for each of its original: the mean, the smallest and the largest.
    pub length_ratio: [f64; 3],
    /// Share of the words of a text that stand in its original too: names and numbers, or words left untranslated.
    pub same_words: f64,
    /// Mean words of the low responses for each of the high ones.
    pub pole_ratio: f64,
}

/// Compares every language with the first one of the instrument.
#[must_use]
pub fn check_languages(instrument: &Instrument, frame: &ValueFrame) -> Vec<LanguageCheck> {
    let mut rows = Vec::new();
    let Some(first) = instrument.languages().first().copied() else { return rows };
    let originals: HashMap<_, &Item> = of(instrument, first).map(|item| (&item.id, item)).collect();
    for language in instrument.languages() {
        for axis in &frame.axes {
            let items: Vec<&Item> =
                of(instrument, language).filter(|item| item.axis == axis.id).collect();
            let there: HashSet<_> = items.iter().map(|item| &item.id).collect();
            let missing = of(instrument, first)
                .filter(|item| item.axis == axis.id && !there.contains(&item.id));
            let pairs: Vec<(&str, &str)> = items
                .iter()
                .filter_map(|item| Some((item, originals.get(&item.id)?)))
                .flat_map(|(item, original)| texts(item).into_iter().zip(texts(original)))
                .collect();
            let (script, script_share) = script(items.iter().flat_map(|item| texts(item)));
            let ratios = pairs.iter().map(|(text, original)| {
                text.chars().count() as f64 / original.chars().count().max(1) as f64
            });
            let words = |pole: fn(&Item) -> &str| {
                items.iter().map(|item| pole(item).split_whitespace().count() as f64).sum::<f64>()
            };
            rows.push(LanguageCheck {
                language: language.to_owned(),
                axis: axis.id.clone(),
                n_items: items.len(),
                missing: missing.map(|item| item.id.to_string()).collect(),
                script_share,
                script: script.to_owned(),
                length_ratio: [
                    ratios.clone().sum::<f64>() / pairs.len().max(1) as f64,
                    ratios.clone().fold(f64::INFINITY, f64::min),
                    ratios.fold(0.0, f64::max),
                ],
                same_words: same_words(&pairs),
                pole_ratio: words(|i| &i.responses.low) / words(|i| &i.responses.high),
            });
        }
    }
    rows
}

impl LanguageCheck {
    /// What looks wrong, in words; nothing where all is well. `is_first`: it is compared with itself.
    #[must_use]
    pub fn problems(&self, is_first: bool) -> Vec<String> {
        let mut problems = Vec::new();
        if !self.missing.is_empty() {
            problems.push(format!("{} items are missing", self.missing.len()));
        }
        if self.script_share < 0.99 {
            problems.push(format!(
                "{:.1} % of letters are in another script than {}",
                100.0 * (1.0 - self.script_share),
                self.script
            ));
        }
        let [_, least, most] = self.length_ratio;
        if least < 0.7 || most > 1.45 {
            problems
                .push(format!("texts are {least:.2} to {most:.2} times as long as the original"));
        }
        if !is_first && self.same_words > 0.08 {
            problems.push(format!(
                "{:.1} % of words stand in the original too",
                100.0 * self.same_words
            ));
        }
        if (self.pole_ratio - 1.0).abs() > 0.05 {
            problems.push(format!(
                "the low responses have {:.2} times the words of the high ones",
                self.pole_ratio
            ));
        }
        problems
    }
}

fn of<'i>(instrument: &'i Instrument, language: &str) -> impl Iterator<Item = &'i Item> {
    instrument.items().iter().filter(move |item| item.language == language)
}

fn texts(item: &Item) -> [&str; 4] {
    let responses = &item.responses;
    [&item.prompt, &responses.low, &responses.balanced, &responses.high]
}

/// Words of four letters or more that a text shares with its original. Shorter ones agree by chance between related languages.
fn same_words(pairs: &[(&str, &str)]) -> f64 {
    let (mut same, mut all) = (0, 0);
    for (text, original) in pairs {
        let known: HashSet<String> = long_words(original).collect();
        for word in long_words(text) {
            all += 1;
            same += usize::from(known.contains(&word));
        }
    }
    same as f64 / f64::max(f64::from(all), 1.0)
}

fn long_words(text: &str) -> impl Iterator<Item = String> + '_ {
    text.split(|c: char| !c.is_alphabetic())
        .filter(|word| word.chars().count() >= 4)
        .map(str::to_lowercase)
}

/// The script that most letters are in, and their share of it.
fn script<'t>(texts: impl Iterator<Item = &'t str>) -> (&'static str, f64) {
    let mut counts: HashMap<&'static str, usize> = HashMap::new();
    for c in texts.flat_map(str::chars).filter(|c| c.is_alphabetic()) {
        *counts.entry(script_of(c)).or_default() += 1;
    }
    let all: usize = counts.values().sum();
    let most = counts.into_iter().max_by_key(|(name, n)| (*n, *name));
    most.map_or(("none", 1.0), |(name, n)| (name, n as f64 / all as f64))
}

fn script_of(c: char) -> &'static str {
    match c {
        'A'..='Z'
        | 'a'..='z'
        | '\u{aa}'
        | '\u{ba}'
        | '\u{c0}'..='\u{24f}'
        | '\u{1e00}'..='\u{1eff}' => "Latin",
        '\u{370}'..='\u{3ff}' | '\u{1f00}'..='\u{1fff}' => "Greek",
        '\u{400}'..='\u{52f}' => "Cyrillic",
        '\u{590}'..='\u{5ff}' => "Hebrew",
        '\u{600}'..='\u{6ff}' | '\u{750}'..='\u{77f}' => "Arabic",
        '\u{900}'..='\u{97f}' => "Devanagari",
        '\u{980}'..='\u{9ff}' => "Bengali",
        '\u{b80}'..='\u{bff}' => "Tamil",
        '\u{c00}'..='\u{c7f}' => "Telugu",
        '\u{e00}'..='\u{e7f}' => "Thai",
        '\u{3040}'..='\u{30ff}' => "Kana",
        '\u{3400}'..='\u{9fff}' => "Han",
        '\u{ac00}'..='\u{d7af}' => "Hangul",
        _ => "another script",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_translations_hold() {
        for id in ValueFrame::BUILT_IN {
            let frame = ValueFrame::built_in(id).unwrap();
            for row in check_languages(&Instrument::built_in(&frame).unwrap(), &frame) {
                let problems = row.problems(row.language == "en");
                assert!(problems.is_empty(), "{} {}: {problems:?}", row.language, row.axis);
            }
        }
    }

    #[test]
    fn what_is_left_untranslated_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("i.jsonl");
        let item = |language: &str, id: &str, text: &str| {
            format!(
                r#"{{"id":"{id}","axis":"traditional-secular","language":"{language}","topic":"t","prompt":"{text}","responses":{{"low":"{text} low","balanced":"{text} between","high":"{text} high"}}}}"#
            )
        };
        let lines = [
            item("en", "a", "Where would you celebrate?"),
            item("en", "b", "Whom should one believe?"),
            item("hi", "a", "Where would you celebrate?"),
        ];
        std::fs::write(&path, lines.join("\n")).unwrap();
        let frame = ValueFrame::inglehart_welzel();
        let instrument = Instrument::read(&path, &frame).unwrap();
        let rows = check_languages(&instrument, &frame);
        let hindi = rows.iter().find(|row| row.language == "hi").unwrap();
        assert_eq!(hindi.missing, ["b"]);
        assert_eq!((hindi.script.as_str(), hindi.same_words), ("Latin", 1.0));
        let problems = hindi.problems(false).join("; ");
        assert!(problems.contains("1 items are missing") && problems.contains("100.0 % of words"));
    }
}
