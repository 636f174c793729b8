//! Which marks of formatting a text has, in one pass over its lines.

use memchr::{memchr, memchr_iter, memchr2_iter};

/// What can be told of a text's formatting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Mark {
    /// At least two lines that begin with `-`, `*`, `+`, `•`, or a number of up to three digits with `.` or `)`, and a space.
    List,
    /// A line that begins with one to six `#` and a space.
    Heading,
    /// Text between `**` and `**` on one line.
    Bold,
    /// A line that begins with three backticks, or text between two backticks on one line.
    Code,
}

impl Mark {
    /// All marks.
    pub const ALL: [Mark; 4] = [Mark::List, Mark::Heading, Mark::Bold, Mark::Code];
}

/// A set of marks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Marks(u8);

impl Marks {
    pub(super) fn of(text: &str) -> Self {
        let bytes = text.as_bytes();
        let mut marks = Self::default();
        let mut n_items = 0;
        let mut start = 0;
        for end in memchr_iter(b'\n', bytes).chain([bytes.len()]) {
            let line = bytes[start..end].trim_ascii_start();
            start = end + 1;
            match line.first() {
                Some(b'#') if is_heading(line) => marks.add(Mark::Heading),
                Some(b'`') if line.starts_with(b"```") => marks.add(Mark::Code),
                Some(_) if is_item(line) => n_items += 1,
                _ => {}
            }
        }
        if n_items >= 2 {
            marks.add(Mark::List);
        }
        marks.look_for_pairs(bytes);
        marks
    }

    /// Bold and code: what stands between two marks on one line.
    fn look_for_pairs(&mut self, bytes: &[u8]) {
        let mut pairs_end = 0;
        for at in memchr2_iter(b'*', b'`', bytes) {
            if at < pairs_end {
                continue;
            }
            let (mark, opening): (Mark, &[u8]) =
                if bytes[at] == b'`' { (Mark::Code, b"`") } else { (Mark::Bold, b"**") };
            let rest = &bytes[at..];
            if self.has(mark) || !rest.starts_with(opening) {
                continue;
            }
            let inner = &rest[opening.len()..];
            let inner = &inner[..memchr(b'\n', inner).unwrap_or(inner.len())];
            let Some(n) = memchr::memmem::find(inner, opening) else {
                continue;
            };
            if n > 0 && !inner[0].is_ascii_whitespace() {
                self.add(mark);
                pairs_end = at + n + 2 * opening.len();
            }
        }
    }

    fn add(&mut self, mark: Mark) {
        self.0 |= 1 << mark as u8;
    }

    pub(super) fn has(self, mark: Mark) -> bool {
        self.0 & (1 << mark as u8) != 0
    }
}

fn is_heading(line: &[u8]) -> bool {
    let n = line.iter().take_while(|b| **b == b'#').count();
    n <= 6 && line.get(n) == Some(&b' ')
}

fn is_item(line: &[u8]) -> bool {
    let n_digits = line.iter().take(4).take_while(|b| b.is_ascii_digit()).count();
    let after = if let Some(rest) = line.strip_prefix("•".as_bytes()) {
        rest
    } else {
        match (line[0], n_digits, line.get(n_digits)) {
            (b'-' | b'*' | b'+', ..) => &line[1..],
            (_, 1..=3, Some(b'.' | b')')) => &line[n_digits + 1..],
            _ => return false,
        }
    };
    after.first() == Some(&b' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_found() {
        fn check(text: &str, expected: &[Mark]) {
            let marks = Marks::of(text);
            let found: Vec<Mark> = Mark::ALL.into_iter().filter(|m| marks.has(*m)).collect();
            assert_eq!(found, expected, "{text:?}");
        }
        use Mark::{Bold, Code, Heading, List};
        check("", &[]);
        check("Plain words - with a dash, 3 * 4 ** 5\n and #1", &[]);
        check("Two:\n- one\n- two", &[List]);
        check("1. one\n  2) two", &[List]);
        check("• one\n• two", &[List]);
        check("- one alone", &[]);
        check("1234. no\n1234. no\n-no\n-no", &[]);
        check("# Title\ntext", &[Heading]);
        check("####### seven\n#hashtag", &[]);
        check("A **bold** word", &[Bold]);
        check("* **One**: x\n* **Two**: y", &[List, Bold]);
        check("not ** bold ** here, nor **\n**", &[]);
        check("```rust\nfn f() {}\n```", &[Code]);
        check("call `f` twice", &[Code]);
        check("a lone ` tick\nand ` another", &[]);
    }
}
