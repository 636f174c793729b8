//! A JSON document that is one array of objects, told apart into its elements without reading it whole.

use crate::csv::{Block, BlockError, LONGEST_RECORD};
use std::io::Read;

const BLOCK: usize = 4 << 20;

/// Reads blocks of whole elements of an array, each on one line of its block.
pub(crate) struct ArrayBlocks<R> {
    input: R,
    line: u64,
    depth: u32,
    in_string: bool,
    escaped: bool,
    carried: Vec<u8>,
    carried_line: u64,
    done: bool,
}

impl<R: Read> ArrayBlocks<R> {
    pub(crate) fn new(input: R) -> Self {
        Self {
            input,
            line: 1,
            depth: 0,
            in_string: false,
            escaped: false,
            carried: Vec::new(),
            carried_line: 1,
            done: false,
        }
    }

    /// The elements that are whole in what there is to read: for the beginning of a file.
    pub(crate) fn first_elements(&mut self) -> Block {
        let (mut bytes, mut lines, mut input) = (Vec::new(), Vec::new(), Vec::new());
        // What cannot be read is noticed when the file is read whole.
        let _ = self.input.read_to_end(&mut input);
        for byte in input {
            self.step(byte, &mut bytes, &mut lines);
        }
        Block { bytes, first_line: 1, lines: Some(lines) }
    }

    /// Reads until a block is full: line breaks stand between elements only, since those inside are blanks
    /// to JSON.
    fn read(&mut self) -> Result<Option<Block>, BlockError> {
        let (mut bytes, mut lines) = (Vec::new(), Vec::new());
        let mut input = vec![0; 1 << 16];
        while bytes.len() < BLOCK {
            let n = self.input.read(&mut input).map_err(BlockError::Io)?;
            if n == 0 {
                self.done = true;
                if self.depth > 0 || !self.carried.is_empty() {
                    return Err(BlockError::Unclosed(self.carried_line));
                }
                break;
            }
            for &byte in &input[..n] {
                self.step(byte, &mut bytes, &mut lines);
            }
            if self.carried.len() > LONGEST_RECORD {
                self.done = true;
                return Err(BlockError::TooLong(self.carried_line));
            }
        }
        let first_line = lines.first().copied().unwrap_or(1);
        Ok((!bytes.is_empty()).then_some(Block { bytes, first_line, lines: Some(lines) }))
    }

    fn step(&mut self, byte: u8, bytes: &mut Vec<u8>, lines: &mut Vec<u64>) {
        let outside = self.depth <= 1 && !self.in_string;
        match byte {
            b'\n' => self.line += 1,
            _ if self.in_string && std::mem::take(&mut self.escaped) => {}
            _ if self.in_string => {
                self.escaped = byte == b'\\';
                self.in_string = byte != b'"';
            }
            b'"' => self.in_string = true,
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
        // The array's own brackets, the commas between elements, and blanks around them.
        let between = outside
            && (byte.is_ascii_whitespace() || byte == b',' || self.depth == 0 || {
                byte == b'[' && self.depth == 1
            });
        if !between {
            if self.carried.is_empty() {
                self.carried_line = self.line;
            }
            self.carried.push(if byte == b'\n' || byte == b'\r' { b' ' } else { byte });
        } else if !self.carried.is_empty() {
            bytes.append(&mut self.carried);
            bytes.push(b'\n');
            lines.push(self.carried_line);
        }
    }
}

impl<R: Read> Iterator for ArrayBlocks<R> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_told_apart_with_their_lines() {
        let text = "\n[\n {\"a\": [1,\n2]},\r\n{\"b\": \"x],{\\\"\"}, 3\n]\n";
        let block = ArrayBlocks::new(text.as_bytes()).next().expect("a block").expect("reads");
        let elements = String::from_utf8(block.bytes).expect("UTF-8");
        assert_eq!(elements, "{\"a\": [1, 2]}\n{\"b\": \"x],{\\\"\"}\n3\n");
        assert_eq!(block.lines, Some(vec![3, 5, 5]));
    }

    #[test]
    fn a_document_that_breaks_off_is_named_with_the_line_of_its_last_element() {
        let mut blocks = ArrayBlocks::new("[{\"a\": 1},\n{\"b\"".as_bytes());
        assert!(matches!(blocks.next(), Some(Err(BlockError::Unclosed(2)))));
        assert!(blocks.next().is_none());
    }
}
