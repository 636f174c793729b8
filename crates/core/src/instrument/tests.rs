//! The built-in instruments keep their promises, in every language: only the value differs between the curated
//! responses of an item.

use super::*;
use std::collections::{HashMap, HashSet};

/// How the words begin that name a value of the Inglehart-Welzel frame: with them a reader, or a judge, could match words
/// instead of reading.
const NAMES_OF_VALUES: [(&str, &[&str]); 5] = [
    (
        "en",
        &[
            "tradition",
            "secular",
            "rational",
            "survival",
            "survive",
            "self-expression",
            "self-realisation",
            "conservative",
            "progressive",
            "liberal",
        ],
    ),
    (
        "fr",
        &[
            "tradition",
            "sécul",
            "laïque",
            "laïc",
            "rationn",
            "rationa",
            "survie",
            "survivre",
            "conservat",
            "conservatrice",
            "progressist",
            "libéral",
            "libéraux",
        ],
    ),
    (
        "it",
        &[
            "tradizion",
            "secolar",
            "laic",
            "razional",
            "sopravviv",
            "autoespress",
            "autorealizz",
            "conservator",
            "progressist",
            "liberal",
        ],
    ),
    (
        "pt-BR",
        &[
            "tradiç",
            "tradicion",
            "secular",
            "laico",
            "laicidade",
            "racional",
            "sobreviv",
            "autoexpress",
            "autorrealiz",
            "conservador",
            "progressist",
            "liberal",
            "liberais",
        ],
    ),
    (
        "hi",
        &[
            "परंपर",
            "परम्पर",
            "पारंपरिक",
            "पारम्परिक",
            "धर्मनिरपेक्ष",
            "सेक्युलर",
            "तर्कसंगत",
            "तार्किक",
            "विवेकवाद",
            "उत्तरजीवि",
            "आत्म-अभिव्यक्ति",
            "आत्माभिव्यक्ति",
            "आत्मसाक्षात्कार",
            "रूढ़िवाद",
            "प्रगतिशील",
            "उदारवाद",
        ],
    ),
];

fn all() -> impl Iterator<Item = (ValueFrame, Instrument)> {
    ValueFrame::BUILT_IN.iter().flat_map(|id| {
        let frame = ValueFrame::built_in(id).expect("built in");
        let instrument = Instrument::built_in(&frame).expect("built in");
        let languages: Vec<String> =
            instrument.languages().into_iter().map(str::to_owned).collect();
        languages
            .into_iter()
            .map(|language| (frame.clone(), instrument.in_language(&language)))
            .collect::<Vec<_>>()
    })
}

fn words(text: &str) -> impl Iterator<Item = String> + '_ {
    text.split(|c: char| c.is_whitespace() || (c.is_ascii_punctuation() && c != '-'))
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
}

fn n_words(text: &str) -> usize {
    text.split_whitespace().count()
}

fn mean(numbers: impl Iterator<Item = usize>) -> f64 {
    let (sum, n) = numbers.fold((0, 0), |(sum, n), x| (sum + x, n + 1));
    sum as f64 / f64::from(n)
}

#[test]
fn every_axis_has_as_many_prompts_in_every_language() {
    for (frame, instrument) in all() {
        let expected = if frame.id == "hofstede" { 6 } else { 30 };
        for axis in &frame.axes {
            let of_axis = instrument.items().iter().filter(|item| item.axis == axis.id);
            let prompts: HashSet<_> = of_axis.map(|item| &item.prompt).collect();
            assert_eq!(prompts.len(), expected, "{} {}", axis.id, instrument.languages()[0]);
        }
    }
    assert_eq!(Instrument::inglehart_welzel().languages(), ["en", "fr", "it", "pt-BR", "hi"]);
}

#[test]
fn a_translation_asks_what_the_original_asks() {
    let all = Instrument::inglehart_welzel();
    let english: HashMap<_, _> =
        all.in_language("en").items().iter().map(|item| (item.id.clone(), item.clone())).collect();
    for item in all.items() {
        let original = &english[&item.id];
        assert_eq!(item.axis, original.axis, "{}", item.id);
        let pairs = item.leanings().into_iter().zip(original.leanings());
        let texts =
            pairs.map(|(a, b)| (a.text, b.text)).chain([(&*item.prompt, &*original.prompt)]);
        for (text, original) in texts {
            let ratio = text.chars().count() as f64 / original.chars().count() as f64;
            let place = format!("{} in {}: {text}", item.id, item.language);
            assert!((0.7..=1.45).contains(&ratio), "{ratio:.2} {place}");
            assert_eq!(text.split("\n\n").count(), original.split("\n\n").count(), "{place}");
            assert!(item.language == "en" || text != original, "untranslated: {place}");
        }
    }
}

#[test]
fn responses_have_fifty_to_a_hundred_and_twenty_words() {
    for (_, instrument) in all() {
        for item in instrument.items() {
            let lengths = item.leanings().map(|leaning| n_words(leaning.text));
            let [shortest, longest] =
                [lengths.iter().min(), lengths.iter().max()].map(|l| *l.unwrap());
            let place = format!("{} in {}: {lengths:?}", item.id, item.language);
            assert!(shortest >= 50 && longest <= 120, "{place}");
            assert!(longest * 100 <= shortest * 135, "lengths differ too much: {place}");
        }
    }
}

#[test]
fn no_value_is_named() {
    let names: HashMap<_, _> = NAMES_OF_VALUES.into_iter().collect();
    for item in Instrument::inglehart_welzel().items() {
        for text in item.leanings().map(|l| l.text).into_iter().chain([item.prompt.as_str()]) {
            let names = names[item.language.as_str()];
            let named = words(text).find(|word| names.iter().any(|name| word.starts_with(name)));
            assert_eq!(named, None, "{} in {}: `{text}`", item.id, item.language);
        }
    }
}

#[test]
fn the_poles_are_equal_in_length_and_format() {
    for (frame, instrument) in all() {
        for axis in &frame.axes {
            let of_axis = || instrument.items().iter().filter(|item| item.axis == axis.id);
            let low = mean(of_axis().map(|item| n_words(&item.responses.low)));
            let high = mean(of_axis().map(|item| n_words(&item.responses.high)));
            let place = format!("{} in {}", axis.id, instrument.languages()[0]);
            assert!((low / high - 1.0).abs() < 0.05, "{place}: {low:.1} and {high:.1} words");
        }
        for item in instrument.items() {
            let shape = |text: &str| {
                let bullets =
                    text.lines().filter(|l| l.trim_start().starts_with(['-', '*', '#'])).count();
                (text.split("\n\n").count(), bullets)
            };
            let shapes = item.leanings().map(|l| shape(l.text));
            assert!(shapes.iter().all(|s| *s == shapes[0] && s.1 == 0), "{}: {shapes:?}", item.id);
        }
    }
}

#[test]
fn a_bad_item_is_named_with_its_line() {
    fn check(second: &str, expected: &str) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("i.jsonl");
        let good = r#"{"id":"a","axis":"traditional-secular","language":"en","topic":"t","prompt":"p","responses":{"low":"l","balanced":"b","high":"h"}}"#;
        std::fs::write(&path, format!("{good}\n{second}\n")).unwrap();
        let error =
            Instrument::read(&path, &ValueFrame::inglehart_welzel()).unwrap_err().to_string();
        let error = error.replace(&path.display().to_string(), "i.jsonl");
        assert!(error.starts_with(expected), "{error}");
    }
    let item = |id: &str, axis: &str, low: &str| {
        format!(
            r#"{{"id":"{id}","axis":"{axis}","language":"en","topic":"t","prompt":"p","responses":{{"low":"{low}","balanced":"b","high":"h"}}}}"#
        )
    };
    check(
        &item("b", "left-right", "l"),
        "i.jsonl:2: item `b` probes axis `left-right`, and frame `inglehart-welzel` has `traditional-secular`, `survival-self-expression`",
    );
    check(
        &item("a", "traditional-secular", "l"),
        "i.jsonl:2: item `a` stands twice in language `en`",
    );
    check(
        &item("b", "traditional-secular", " "),
        "i.jsonl:2: item `b` has an empty prompt or response",
    );
    check(
        &item("b", "traditional-secular", "l").replace(r#""low":"l","#, ""),
        "i.jsonl:2: missing field `low`",
    );
}
