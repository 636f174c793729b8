//! When two texts are the same: lower-cased, white space folded.

/// Appends `text` to `out` in lower case, every run of white space one space, none at the ends. Gives the
/// number of words: runs of what is no white space.
pub fn fold(text: &str, out: &mut String) -> u32 {
    let mut bytes = std::mem::take(out).into_bytes();
    let n_words = fold_bytes(text, &mut bytes);
    *out = String::from_utf8(bytes).expect("whole characters are pushed");
    n_words
}

/// [`fold`] for those who need no string.
pub(crate) fn fold_bytes(text: &str, out: &mut Vec<u8>) -> u32 {
    let input = text.as_bytes();
    let mut folded = Folded { start: out.len(), len: out.len(), blank: true, n_words: 0 };
    // Room for every byte, so that the loop over ASCII writes without asking; zeros beyond are cut off.
    out.resize(folded.start + input.len() + 1, 0);
    let mut at = 0;
    while at < input.len() {
        at += folded.ascii(&input[at..], out);
        let Some(c) = text[at..].chars().next() else { break };
        folded.char(c, input.len() - at, out);
        at += c.len_utf8();
    }
    let ends_blank = folded.blank && folded.len > folded.start;
    out.truncate(folded.len - usize::from(ends_blank));
    folded.n_words
}

/// Words of a text: runs of what is no white space.
#[must_use]
pub fn words(text: &str) -> u32 {
    text.split_whitespace().count() as u32
}

/// What each ASCII byte becomes: lower case, and a blank for all white space.
const FOLDED: [u8; 128] = {
    let mut table = [0; 128];
    let mut byte = 0;
    while byte < 128 {
        // Vertical tab is white space, the separators 1c to 1f are not, as for `char::is_whitespace`.
        table[byte] = match byte as u8 {
            b' ' | b'\t'..=b'\r' => b' ',
            other => other.to_ascii_lowercase(),
        };
        byte += 1;
    }
    table
};

struct Folded {
    start: usize,
    /// Where the next byte goes.
    len: usize,
    /// Whether a blank was the last, or nothing.
    blank: bool,
    n_words: u32,
}

impl Folded {
    /// Takes bytes up to the first that is not ASCII, and says how many. It does not branch on what they
    /// are: a blank after a blank is written, too, and then written over.
    fn ascii(&mut self, input: &[u8], out: &mut [u8]) -> usize {
        let Self { mut len, mut blank, mut n_words, .. } = *self;
        let mut n = 0;
        for &byte in input {
            let Some(&folded) = FOLDED.get(usize::from(byte)) else { break };
            let is_blank = folded == b' ';
            out[len] = folded;
            len += usize::from(!(is_blank && blank));
            n_words += u32::from(!is_blank && blank);
            blank = is_blank;
            n += 1;
        }
        (self.len, self.blank, self.n_words) = (len, blank, n_words);
        n
    }

    /// Takes a character beyond ASCII, with so many bytes of the text from it on.
    fn char(&mut self, c: char, n_left: usize, out: &mut Vec<u8>) {
        // The scripts of India have neither case nor blanks.
        if matches!(c, '\u{900}'..='\u{dff}') {
            self.n_words += u32::from(self.blank);
            self.blank = false;
            c.encode_utf8(&mut out[self.len..]);
            self.len += c.len_utf8();
            return;
        }
        if c.is_whitespace() {
            if !self.blank {
                out[self.len] = b' ';
                self.len += 1;
            }
            self.blank = true;
            return;
        }
        self.n_words += u32::from(self.blank);
        self.blank = false;
        for lower in c.to_lowercase() {
            // A few letters are longer in lower case.
            let needed = self.len + lower.len_utf8() + n_left;
            if out.len() < needed {
                out.resize(needed, 0);
            }
            lower.encode_utf8(&mut out[self.len..]);
            self.len += lower.len_utf8();
        }
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

    #[test]
    fn words_are_counted_on_the_way() {
        let long =
            "A sentence of many  words, longer than what is looked at at once: twelve.\n".repeat(3);
        for text in ["", " ", "one", " two\nwords ", "नमस्ते  दुनिया", "x\u{a0}y", long.as_str()]
        {
            assert_eq!(fold(text, &mut "before".to_owned()), words(text), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn folding_is_what_the_standard_library_would_do(text in r"[aZéÉ İΣ\t\n\u{2003}\u{1f600}]{0,90}") {
            let lower: String = text.chars().flat_map(char::to_lowercase).collect();
            let expected = lower.split_whitespace().collect::<Vec<_>>().join(" ");
            proptest::prop_assert_eq!(folded(&text), expected);
        }
    }
}
