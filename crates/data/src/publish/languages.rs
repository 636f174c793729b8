//! The codes by which the hub knows languages, from the names that datasets give them.

/// Codes of ISO 639-1, or -3 where there is no shorter one, and names.
const LANGUAGES: [(&str, &str); 64] = [
    ("af", "afrikaans"),
    ("am", "amharic"),
    ("ar", "arabic"),
    ("az", "azerbaijani"),
    ("bg", "bulgarian"),
    ("bn", "bengali"),
    ("ca", "catalan"),
    ("cs", "czech"),
    ("cy", "welsh"),
    ("da", "danish"),
    ("de", "german"),
    ("el", "greek"),
    ("en", "english"),
    ("es", "spanish"),
    ("et", "estonian"),
    ("eu", "basque"),
    ("fa", "persian"),
    ("fi", "finnish"),
    ("fil", "filipino"),
    ("fr", "french"),
    ("ga", "irish"),
    ("gl", "galician"),
    ("gu", "gujarati"),
    ("ha", "hausa"),
    ("he", "hebrew"),
    ("hi", "hindi"),
    ("hr", "croatian"),
    ("hu", "hungarian"),
    ("hy", "armenian"),
    ("id", "indonesian"),
    ("ig", "igbo"),
    ("is", "icelandic"),
    ("it", "italian"),
    ("ja", "japanese"),
    ("ka", "georgian"),
    ("kk", "kazakh"),
    ("ko", "korean"),
    ("lt", "lithuanian"),
    ("lv", "latvian"),
    ("ml", "malayalam"),
    ("mr", "marathi"),
    ("ms", "malay"),
    ("ne", "nepali"),
    ("nl", "dutch"),
    ("no", "norwegian"),
    ("pa", "punjabi"),
    ("pl", "polish"),
    ("pt", "portuguese"),
    ("ro", "romanian"),
    ("ru", "russian"),
    ("sk", "slovak"),
    ("sl", "slovenian"),
    ("sr", "serbian"),
    ("sv", "swedish"),
    ("sw", "swahili"),
    ("ta", "tamil"),
    ("te", "telugu"),
    ("th", "thai"),
    ("tr", "turkish"),
    ("uk", "ukrainian"),
    ("ur", "urdu"),
    ("vi", "vietnamese"),
    ("yo", "yoruba"),
    ("zh", "chinese"),
];

/// The code of a language that a dataset names so: `en`, `en-GB`, `English`, `eng` are English.
pub(super) fn code(name: &str) -> Option<String> {
    let name = name.trim().to_ascii_lowercase();
    let known = LANGUAGES.iter().find(|(code, long)| name == *code || name == *long);
    if let Some((code, _)) = known {
        return Some((*code).to_owned());
    }
    let (first, rest) =
        name.split_once(['-', '_']).map_or((name.as_str(), false), |(f, _)| (f, true));
    let is_code = (2..=3).contains(&first.len()) && first.bytes().all(|b| b.is_ascii_lowercase());
    match first {
        "eng" => Some("en".to_owned()),
        _ if rest => code(first),
        // Codes that the table lacks are codes all the same.
        _ if is_code => Some(first.to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_codes_become_codes() {
        fn check(name: &str, expected: Option<&str>) {
            assert_eq!(code(name).as_deref(), expected, "{name}");
        }
        check("hi", Some("hi"));
        check("Portuguese", Some("pt"));
        check("en-GB", Some("en"));
        check("pt_BR", Some("pt"));
        check("eng", Some("en"));
        check("quz", Some("quz"));
        check("Norwegian", Some("no"));
        check("Klingon script", None);
        check("", None);
    }
}
