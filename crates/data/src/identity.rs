//! When two texts are the same: lower-cased, white space folded.

/// Appends `text` to `out` in lower case, every run of white space one space, none at the ends.
pub fn fold(text: &str, out: &mut String) {
    let mut pending = false;
    let start = out.len();
    let mut rest = text;
    while !rest.is_empty() {
        let n_ascii = rest.bytes().position(|b| !b.is_ascii()).unwrap_or(rest.len());
        for byte in rest.as_bytes()[..n_ascii].iter().copied() {
            // Vertical tab and the separators 1c to 1f: white space for Unicode is only the first.
            if matches!(byte, b' ' | b'\t'..=b'\r') {
                pending = true;
                continue;
            }
            if std::mem::take(&mut pending) && out.len() > start {
                out.push(' ');
            }
            out.push(char::from(byte.to_ascii_lowercase()));
        }
        let mut chars = rest[n_ascii..].char_indices();
        let mut n_other = 0;
        for (at, c) in chars.by_ref() {
            n_other = at;
            if c.is_ascii() {
                break;
            }
            n_other = at + c.len_utf8();
            if c.is_whitespace() {
                pending = true;
                continue;
            }
            if std::mem::take(&mut pending) && out.len() > start {
                out.push(' ');
            }
            out.extend(c.to_lowercase());
        }
        rest = &rest[n_ascii + n_other..];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folded(text: &str) -> String {
        let mut out = String::new();
        fold(text, &mut out);
        out
    }

    #[test]
    fn case_and_white_space_do_not_count() {
        assert_eq!(folded("  How\t\nARE  you? "), "how are you?");
        assert_eq!(folded("ÇA  va\u{a0}\u{2003}Été"), "ça va été");
        assert_eq!(folded(" \n"), "");
        assert_eq!(folded("नमस्ते  दुनिया"), "नमस्ते दुनिया");
    }

    proptest::proptest! {
        #[test]
        fn folding_is_what_the_standard_library_would_do(text in r"[aZéÉ İΣ\t\n\u{2003}\u{1f600}]{0,20}") {
            let lower: String = text.chars().flat_map(char::to_lowercase).collect();
            let expected = lower.split_whitespace().collect::<Vec<_>>().join(" ");
            proptest::prop_assert_eq!(folded(&text), expected);
        }
    }
}
