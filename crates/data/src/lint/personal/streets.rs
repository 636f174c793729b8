//! House numbers: a number of few digits beside the name of a street.

/// Words that stand after the name: `12 Long Lane`.
const AFTER: [&str; 12] = [
    "street",
    "st",
    "avenue",
    "ave",
    "road",
    "rd",
    "boulevard",
    "blvd",
    "lane",
    "ln",
    "drive",
    "marg",
];
/// Words that stand before the name, with the number before them: `12 rue du Bac`.
const NUMBER_FIRST: [&str; 7] = ["rue", "avenue", "boulevard", "bd", "impasse", "chemin", "quai"];
/// Words that stand before the name, with the number after it: `Via Roma 12`.
const NUMBER_LAST: [&str; 13] = [
    "rua", "via", "viale", "piazza", "corso", "largo", "avenida", "av", "travessa", "alameda",
    "calle", "paseo", "rue",
];
/// Small words within names.
const SMALL: [&str; 17] = [
    "de", "da", "do", "dos", "das", "del", "della", "dei", "di", "du", "des", "la", "le", "les",
    "el", "san", "santa",
];
/// Words of a name, the kind of street with it.
const MOST_WORDS: usize = 5;
/// Digits of a house number.
const MOST_DIGITS: usize = 5;

/// Where the address begins and ends that a number is part of, if it looks like one. The number's first group of digits may follow a
/// street, its last may come before one.
pub(super) fn around(
    text: &str,
    first: (usize, usize),
    last: (usize, usize),
) -> Option<(usize, usize)> {
    if last.1 - last.0 <= MOST_DIGITS
        && let Some(end) = following(text, last.1)
    {
        return Some((last.0, end));
    }
    if first.1 - first.0 <= MOST_DIGITS
        && let Some(start) = preceding(text, first.0)
    {
        return Some((start, first.1));
    }
    None
}

/// The end of a name that follows a house number.
fn following(text: &str, end: usize) -> Option<usize> {
    let rest = &text[end..];
    // What most numbers are not followed by is seen at once: a space and a letter.
    let spaced = rest.strip_prefix(',').unwrap_or(rest).strip_prefix(' ')?;
    if !spaced.starts_with(char::is_alphabetic) {
        return None;
    }
    let mut at = text.len() - spaced.len();
    for n_names in 0..MOST_WORDS {
        let word = word(&text[at..]);
        let end = at + word.len();
        if n_names == 0 && is_one_of(word, &NUMBER_FIRST) {
            let name = text[end..].strip_prefix(' ')?;
            let name_word = self::word(name);
            let is_name = is_capitalised(name_word) || is_one_of(name_word, &SMALL);
            return (is_name && !name_word.is_empty()).then_some(end + 1 + name_word.len());
        }
        if n_names > 0 && is_one_of(word, &AFTER) {
            return Some(end);
        }
        if !is_capitalised(word) {
            return None;
        }
        at = end + text[end..].strip_prefix(' ').map(|_| 1)?;
    }
    None
}

/// The start of a name that a house number follows.
fn preceding(text: &str, start: usize) -> Option<usize> {
    let rest = text[..start].strip_suffix(' ')?;
    let rest = ["n.", "nº", "n°"]
        .into_iter()
        .find_map(|n| rest.strip_suffix(n))
        .unwrap_or(rest)
        .trim_end_matches(' ');
    let mut rest = rest.strip_suffix(',').unwrap_or(rest);
    let mut n_names = 0;
    for _ in 0..MOST_WORDS {
        let word = last_word(rest);
        let before = &rest[..rest.len() - word.len()];
        if n_names > 0 && is_one_of(word, &NUMBER_LAST) && !before.ends_with(char::is_alphanumeric)
        {
            return Some(before.len());
        }
        if is_capitalised(word) {
            n_names += 1;
        } else if !is_one_of(word, &SMALL) {
            return None;
        }
        let before = before.strip_suffix(' ')?;
        rest = before.strip_suffix('.').unwrap_or(before);
    }
    None
}

fn is_in_word(c: char) -> bool {
    c.is_alphabetic() || matches!(c, '\'' | '\u{2019}' | '-')
}

fn word(text: &str) -> &str {
    &text[..text.find(|c| !is_in_word(c)).unwrap_or(text.len())]
}

fn last_word(text: &str) -> &str {
    let before = text.char_indices().rev().take_while(|(_, c)| is_in_word(*c)).last();
    before.map_or("", |(start, _)| &text[start..])
}

fn is_capitalised(word: &str) -> bool {
    word.starts_with(char::is_uppercase)
}

fn is_one_of(word: &str, words: &[&str]) -> bool {
    words.iter().any(|known| known.eq_ignore_ascii_case(word))
}
