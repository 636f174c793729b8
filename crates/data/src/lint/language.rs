//! Texts in another language than the conversation is said to be in.

use crate::comparison::Comparison;
use crate::finding::{Finding, Findings, Rule};
use serde::Serialize;
use std::collections::BTreeMap;
use whatlang::{Lang, detect};

/// Letters that a text must have at its beginning: shorter ones are told apart too badly.
const FEWEST_LETTERS: usize = 60;
/// Characters that are looked at: more cost time and change little.
const MOST_CHARACTERS: usize = 200;
/// The confidence from which on another language is believed, whatlang's own mark of a reliable answer.
const CONFIDENT: f64 = 0.9;

/// Texts of one kind in conversations of one language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LanguageCount {
    /// The language of the conversations, ISO 639-3.
    pub language: &'static str,
    /// `prompt`, `candidate` or `explanation`.
    pub text: &'static str,
    /// Texts long enough to tell.
    pub n_checked: u64,
    /// Those that are in another language, as far as can be told.
    pub n_other: u64,
}

/// Counts of texts by language and kind: checked, and other.
#[derive(Debug, Default)]
pub(super) struct Languages {
    counts: BTreeMap<(&'static str, &'static str), (u64, u64)>,
    /// The last name that was looked up.
    last: Option<(String, Option<Lang>)>,
}

impl Languages {
    /// Reports [`Rule::OtherLanguage`] for each text of a comparison.
    pub(super) fn look(&mut self, comparison: &Comparison<'_>, findings: &mut Findings) {
        let Some(expected) = comparison.language.as_deref().and_then(|name| self.lang(name)) else {
            return;
        };
        let mut check = |kind: &'static str, id: &str, text: &str| {
            let Some((found, confidence)) = tell(text) else {
                return;
            };
            let counts = self.counts.entry((expected.code(), kind)).or_default();
            counts.0 += 1;
            if found == expected || confidence < CONFIDENT {
                return;
            }
            counts.1 += 1;
            findings.push_with(Rule::OtherLanguage, || {
                let column = format!("turn {}, {kind}{id}", comparison.turn);
                let value = format!(
                    "expected {}, found {} ({confidence:.2}): {text}",
                    expected.eng_name(),
                    found.eng_name()
                );
                Finding::new(Rule::OtherLanguage, comparison.line, Some(&column), &value)
            });
        };
        check("prompt", "", &comparison.prompt);
        for candidate in &comparison.candidates {
            check("candidate", &format!(" {}", candidate.id), candidate.text());
        }
        check("explanation", "", comparison.explanation.as_deref().unwrap_or_default());
    }

    fn lang(&mut self, name: &str) -> Option<Lang> {
        if self.last.as_ref().is_none_or(|(last, _)| last != name) {
            self.last = Some((name.to_owned(), lang(name)));
        }
        self.last.as_ref().and_then(|(_, lang)| *lang)
    }

    pub(super) fn merge(&mut self, later: Languages) {
        for (key, (checked, other)) in later.counts {
            let mine = self.counts.entry(key).or_default();
            *mine = (mine.0 + checked, mine.1 + other);
        }
    }

    pub(super) fn finish(self) -> Vec<LanguageCount> {
        let rows = self.counts.into_iter().map(|((language, text), (n_checked, n_other))| {
            LanguageCount { language, text, n_checked, n_other }
        });
        rows.collect()
    }
}

/// The language of a text and whatlang's confidence; nothing if it is too short to tell.
fn tell(text: &str) -> Option<(Lang, f64)> {
    if text.len() < FEWEST_LETTERS {
        return None;
    }
    let end = text.char_indices().nth(MOST_CHARACTERS).map_or(text.len(), |(end, _)| end);
    let beginning = &text[..end];
    if beginning.chars().filter(|c| c.is_alphabetic()).count() < FEWEST_LETTERS {
        return None;
    }
    detect(beginning).map(|info| (info.lang(), info.confidence()))
}

/// Two-letter codes of ISO 639-1, and what else languages are called in files, with the codes of ISO 639-3.
const CODES: &str = "en eng|fr fra|fre fra|es spa|pt por|it ita|de deu|ger deu|hi hin|ru rus|uk ukr|zh cmn|zho cmn|chi cmn|chinese cmn|\
    ja jpn|ko kor|ar ara|he heb|yi yid|pl pol|am amh|jv jav|no nob|nb nob|nor nob|norwegian nob|da dan|sv swe|fi fin|tr tur|nl nld|\
    dut nld|hu hun|cs ces|cze ces|el ell|gre ell|bg bul|be bel|mr mar|kn kan|ro ron|rum ron|sl slv|hr hrv|sr srp|mk mkd|lt lit|lv lav|\
    et est|ta tam|vi vie|ur urd|th tha|gu guj|uz uzb|pa pan|az aze|id ind|te tel|fa pes|fas pes|per pes|farsi pes|ml mal|or ori|my mya|\
    ne nep|si sin|km khm|tk tuk|ak aka|zu zul|sn sna|af afr|la lat|sk slk|ca cat|tl tgl|hy hye|cy cym|eo epo|ka kat|bn ben|castilian spa";

/// The language of a name: a code with or without a region (`pt`, `pt-BR`, `por_Latn`), or an English name (`Portuguese`, `Brazilian
/// Portuguese`). Nothing if it is not one that can be told.
fn lang(name: &str) -> Option<Lang> {
    let name = name.trim().to_ascii_lowercase();
    let parts = || name.split(|c: char| !c.is_alphanumeric()).filter(|part| !part.is_empty());
    let code = |part: &str| {
        let listed = CODES.split('|').filter_map(|pair| pair.trim().split_once(' '));
        let listed = listed.into_iter().find(|(short, _)| *short == part).map(|(_, code)| code);
        Lang::from_code(listed.unwrap_or(part))
    };
    let named = |part: &str| {
        Lang::all().iter().copied().find(|lang| lang.eng_name().eq_ignore_ascii_case(part))
    };
    parts()
        .next()
        .and_then(code)
        .or_else(|| parts().find_map(|part| named(part).or(code(part).filter(|_| part.len() > 3))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::Case;

    const ENGLISH: &str = "A walk in the morning keeps the mind awake, and a good breakfast does the rest of the work for the day.";
    const PORTUGUESE: &str = "Uma caminhada de manhã mantém a mente acordada, e um bom café da manhã faz o resto do trabalho do dia inteiro.";
    const HINDI: &str = "सुबह की सैर मन को जगाए रखती है और अच्छा नाश्ता दिन भर के बाकी काम को आसान बना देता है, ऐसा मेरी दादी कहती थीं।";

    #[test]
    fn names_are_known() {
        for (name, expected) in [
            ("en", "eng"),
            ("pt-BR", "por"),
            ("pt_br", "por"),
            ("por_Latn", "por"),
            ("Portuguese", "por"),
            ("Brazilian Portuguese", "por"),
            ("HI", "hin"),
            ("fra", "fra"),
            ("French (France)", "fra"),
            ("chinese (simplified)", "cmn"),
            ("Italian", "ita"),
        ] {
            assert_eq!(lang(name).map(|l| l.code()), Some(expected), "{name}");
        }
        for name in ["", "xx", "klingon", "other", "unknown"] {
            assert_eq!(lang(name), None, "{name}");
        }
    }

    #[test]
    fn another_language_is_found_where_it_can_be_told() {
        fn check(language: &str, prompt: &str, candidates: &[&str], expected: &[(&str, &str)]) {
            let comparison = Case::new(prompt, candidates).language(language).comparison();
            let (mut languages, mut findings) = (Languages::default(), Findings::default());
            languages.look(&comparison, &mut findings);
            let found: Vec<(&str, &str)> = findings
                .iter()
                .flat_map(|(_, _, e)| e)
                .map(|e| {
                    let what = e.value.split_once(" (").expect("a confidence").0;
                    (e.column.as_deref().unwrap_or(""), what)
                })
                .collect();
            assert_eq!(found, expected);
        }
        check("en", ENGLISH, &[ENGLISH, ENGLISH], &[]);
        check("pt-BR", PORTUGUESE, &[PORTUGUESE], &[]);
        check("hi", HINDI, &[HINDI, "छोटा", "short"], &[]);
        check("nobody knows", ENGLISH, &[PORTUGUESE], &[]);
        check(
            "hi",
            ENGLISH,
            &[HINDI, PORTUGUESE],
            &[
                ("turn 1, prompt", "expected Hindi, found English"),
                ("turn 1, candidate b", "expected Hindi, found Portuguese"),
            ],
        );
    }

    #[test]
    fn texts_are_counted_by_language_and_kind() {
        let mut languages = Languages::default();
        for _ in 0..2 {
            let comparison = Case::new("short", &[ENGLISH, PORTUGUESE]).language("en").comparison();
            let mut block = Languages::default();
            block.look(&comparison, &mut Findings::default());
            languages.merge(block);
        }
        let row = LanguageCount { language: "eng", text: "candidate", n_checked: 4, n_other: 2 };
        assert_eq!(languages.finish(), [row]);
    }
}
