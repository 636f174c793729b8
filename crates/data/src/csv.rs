//! CSV at the speed of memory: blocks of whole records found by counting quotes, cells that borrow.
//!
//! The well-kept readers either lose the line of a bad cell or cannot be told apart into blocks for several
//! cores, since a line break may stand inside a quoted cell. Here the parity of the quotes before a line
//! break says whether it ends a record; a cell is only unescaped and checked when somebody reads it.

use memchr::{memchr, memchr_iter, memchr2, memrchr2};
use std::borrow::Cow;
use std::io::{self, Read};

/// Bytes read at once.
const BLOCK: usize = 4 << 20;
/// A record longer than this is taken for a quote that was never closed.
pub(crate) const LONGEST_RECORD: usize = 64 << 20;

/// Whole records, and the line on which the first of them begins.
#[derive(Debug)]
pub(crate) struct Block {
    pub(crate) bytes: Vec<u8>,
    pub(crate) first_line: u64,
    /// The line of the file on which each line of the block begins, where they do not just follow each other.
    pub(crate) lines: Option<Vec<u64>>,
}

/// How a stream is told apart into records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Records {
    /// A record ends at a line break outside quotes.
    Quoted,
    /// A record is a line.
    Lines,
}

/// Why a stream could not be told apart into blocks.
#[derive(Debug)]
pub(crate) enum BlockError {
    Io(io::Error),
    /// The record that begins on this line does not end.
    TooLong(u64),
    /// The document ends inside the element that begins on this line.
    Unclosed(u64),
    /// A Parquet file is broken after this many rows.
    Parquet {
        row: u64,
        message: String,
    },
}

/// Reads blocks of whole records.
pub(crate) struct Blocks<R> {
    input: R,
    records: Records,
    carried: Vec<u8>,
    line: u64,
    done: bool,
}

impl<R: Read> Blocks<R> {
    pub(crate) fn new(input: R, records: Records) -> Self {
        Self { input, records, carried: Vec::new(), line: 1, done: false }
    }

    fn read(&mut self) -> Result<Option<Block>, BlockError> {
        let mut bytes = std::mem::take(&mut self.carried);
        loop {
            let before = bytes.len();
            bytes.reserve_exact(BLOCK);
            let n = (&mut self.input).take(BLOCK as u64).read_to_end(&mut bytes);
            let n = n.map_err(BlockError::Io)?;
            if before == 0 && self.line == 1 && bytes.starts_with("\u{feff}".as_bytes()) {
                bytes.drain(..3);
            }
            if n < BLOCK {
                self.done = true;
                return Ok((!bytes.is_empty()).then(|| self.block(bytes)));
            }
            if let Some(end) = self.last_end(&bytes) {
                self.carried.extend_from_slice(&bytes[end..]);
                bytes.truncate(end);
                return Ok(Some(self.block(bytes)));
            }
            if bytes.len() > LONGEST_RECORD {
                self.done = true;
                return Err(BlockError::TooLong(self.line));
            }
        }
    }

    fn block(&mut self, bytes: Vec<u8>) -> Block {
        let first_line = self.line;
        self.line += memchr_iter(b'\n', &bytes).count() as u64;
        Block { bytes, first_line, lines: None }
    }

    /// Where the last whole record ends.
    fn last_end(&self, bytes: &[u8]) -> Option<usize> {
        if self.records == Records::Lines {
            return memchr::memrchr(b'\n', bytes).map(|at| at + 1);
        }
        let mut inside = memchr_iter(b'"', bytes).count() % 2 == 1;
        let mut end = bytes.len();
        while let Some(at) = memrchr2(b'"', b'\n', &bytes[..end]) {
            if bytes[at] == b'"' {
                inside = !inside;
            } else if !inside {
                return Some(at + 1);
            }
            end = at;
        }
        None
    }
}

impl<R: Read> Iterator for Blocks<R> {
    type Item = Result<Block, BlockError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let read = self.read();
        self.done |= read.is_err();
        read.transpose()
    }
}

/// A cell as it stands in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cell<'a> {
    bytes: &'a [u8],
    /// Quotes inside are doubled.
    escaped: bool,
}

/// A cell that is not UTF-8.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NotUtf8;

impl<'a> Cell<'a> {
    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Whether nothing but white space stands in the cell.
    pub(crate) fn is_blank(&self) -> bool {
        self.bytes.first().is_none_or(u8::is_ascii_whitespace) && self.bytes.trim_ascii().is_empty()
    }

    /// What the cell says.
    pub(crate) fn text(&self) -> Result<Cow<'a, str>, NotUtf8> {
        let text = simdutf8::basic::from_utf8(self.bytes).map_err(|_| NotUtf8)?;
        Ok(if self.escaped { Cow::Owned(text.replace("\"\"", "\"")) } else { Cow::Borrowed(text) })
    }
}

/// A cell with something before or after its quotes: most often a quote that was not doubled.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct BrokenQuotes {
    /// The line on which the cell begins.
    pub(crate) line: u64,
    /// The cell's number, from 0.
    pub(crate) cell: usize,
    /// What follows the quote.
    pub(crate) after: String,
}

/// The records of a block.
#[derive(Debug)]
pub(crate) struct RecordReader<'a> {
    bytes: &'a [u8],
    at: usize,
    line: u64,
    delimiter: u8,
}

impl<'a> RecordReader<'a> {
    pub(crate) fn new(block: &'a Block, delimiter: u8) -> Self {
        Self { bytes: &block.bytes, at: 0, line: block.first_line, delimiter }
    }

    /// Puts the next record's cells in `cells` and gives the line on which it begins; blank lines are no
    /// records.
    pub(crate) fn next(&mut self, cells: &mut Vec<Cell<'a>>) -> Option<Result<u64, BrokenQuotes>> {
        while let Some(byte @ (b'\n' | b'\r')) = self.bytes.get(self.at) {
            self.line += u64::from(*byte == b'\n');
            self.at += 1;
        }
        if self.at >= self.bytes.len() {
            return None;
        }
        cells.clear();
        let start = self.at;
        loop {
            match self.cell() {
                Ok((cell, ends)) => {
                    cells.push(cell);
                    if ends {
                        break;
                    }
                }
                Err(from) => {
                    let line = self.line + newlines(&self.bytes[start..from]);
                    let after = String::from_utf8_lossy(
                        &self.bytes[self.at..self.bytes.len().min(self.at + 20)],
                    )
                    .into_owned();
                    let cell = cells.len();
                    self.at = self.bytes.len();
                    return Some(Err(BrokenQuotes { line, cell, after }));
                }
            }
        }
        let line = self.line;
        self.line += newlines(&self.bytes[start..self.at]);
        Some(Ok(line))
    }

    /// The next cell, and whether it ends its record; where it began, if its quotes are broken.
    fn cell(&mut self) -> Result<(Cell<'a>, bool), usize> {
        let start = self.at;
        if self.bytes.get(start) == Some(&b'"') {
            let mut escaped = false;
            let mut from = start + 1;
            loop {
                let Some(n) = memchr(b'"', &self.bytes[from..]) else {
                    return Err(start);
                };
                let close = from + n;
                if self.bytes.get(close + 1) == Some(&b'"') {
                    escaped = true;
                    from = close + 2;
                    continue;
                }
                self.at = close + 1;
                let cell = Cell { bytes: &self.bytes[start + 1..close], escaped };
                let ends = self.end_of_cell().ok_or(start)?;
                return Ok((cell, ends));
            }
        }
        let rest = &self.bytes[start..];
        let n = memchr2(self.delimiter, b'\n', rest).unwrap_or(rest.len());
        let mut bytes = &rest[..n];
        let ends = rest.get(n) != Some(&self.delimiter);
        if ends {
            bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
        }
        self.at = (start + n + 1).min(self.bytes.len());
        Ok((Cell { bytes, escaped: false }, ends))
    }

    /// Steps over what separates cells: whether it ends the record, nothing if it is something else.
    fn end_of_cell(&mut self) -> Option<bool> {
        let rest = &self.bytes[self.at..];
        let (n, ends) = match rest {
            [] => (0, true),
            [b'\n', ..] => (1, true),
            [b'\r', b'\n', ..] => (2, true),
            [b'\r'] => (1, true),
            [byte, ..] if *byte == self.delimiter => (1, false),
            _ => return None,
        };
        self.at += n;
        Some(ends)
    }
}

fn newlines(bytes: &[u8]) -> u64 {
    memchr_iter(b'\n', bytes).count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records(text: &str) -> Vec<(u64, Vec<String>)> {
        let block = Block { bytes: text.as_bytes().to_vec(), first_line: 1, lines: None };
        let mut reader = RecordReader::new(&block, b',');
        let mut cells = Vec::new();
        let mut out = Vec::new();
        while let Some(line) = reader.next(&mut cells) {
            let texts = cells.iter().map(|c| c.text().expect("UTF-8").into_owned()).collect();
            out.push((line.expect("quotes hold"), texts));
        }
        out
    }

    fn row(line: u64, cells: &[&str]) -> (u64, Vec<String>) {
        (line, cells.iter().map(|c| (*c).to_owned()).collect())
    }

    #[test]
    fn cells_are_read_with_quotes_line_breaks_and_empty_ends() {
        assert_eq!(
            records("a,b\r\n\"x, \"\"y\"\"\n\",\n\n,\"\"\nlast,"),
            [
                row(1, &["a", "b"]),
                row(2, &["x, \"y\"\n", ""]),
                row(5, &["", ""]),
                row(6, &["last", ""])
            ]
        );
    }

    #[test]
    fn a_quote_that_is_not_doubled_is_named_with_its_line() {
        let block =
            Block { bytes: b"a,b\nc,\"x\n\"y\" z\",d\n".to_vec(), first_line: 10, lines: None };
        let mut reader = RecordReader::new(&block, b',');
        let mut cells = Vec::new();
        assert_eq!(reader.next(&mut cells), Some(Ok(10)));
        let error = BrokenQuotes { line: 11, cell: 1, after: "y\" z\",d\n".to_owned() };
        assert_eq!(reader.next(&mut cells), Some(Err(error)));
        assert_eq!(reader.next(&mut cells), None);
    }

    /// Gives a few bytes at a time, as a pipe does.
    struct Drip<'a>(&'a [u8]);

    impl Read for Drip<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let n = self.0.len().min(buffer.len()).min(7);
            buffer[..n].copy_from_slice(&self.0[..n]);
            self.0 = &self.0[n..];
            Ok(n)
        }
    }

    #[test]
    fn blocks_end_where_records_do() {
        let mut text = String::new();
        let mut n_rows = 0;
        while text.len() < 3 * BLOCK {
            n_rows += 1;
            text.push_str(&format!(
                "{n_rows},\"a \"\"quoted\"\"\n, cell {}\"\n",
                "x".repeat(n_rows % 900)
            ));
        }
        let (mut seen, mut n_blocks) = (0, 0);
        for block in Blocks::new(Drip(text.as_bytes()), Records::Quoted) {
            let block = block.expect("reads");
            n_blocks += 1;
            let mut reader = RecordReader::new(&block, b',');
            let mut cells = Vec::new();
            while let Some(line) = reader.next(&mut cells) {
                seen += 1;
                assert_eq!(line.expect("quotes hold"), 2 * seen - 1);
                assert_eq!(cells[0].text().expect("UTF-8"), seen.to_string());
            }
        }
        assert_eq!(seen as usize, n_rows);
        assert!(n_blocks >= 3);
    }
}
