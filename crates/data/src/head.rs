//! How a file begins: what it holds its records in, and which columns they have.

use crate::csv::{Block, RecordReader};
use crate::dataset::{OpenError, ReadError, objects};
use crate::formats::Sample;
use crate::input::{Container, Input};
use crate::parquet_rows;
use serde_json::{Map, Value};
use std::collections::HashSet;

/// Bytes of a file that are looked at first, and if they hold no whole record.
const SHORT: usize = 256 << 10;
const LONG: usize = 16 << 20;
/// Records whose keys are gathered.
const N_RECORDS: usize = 200;

/// How a file begins.
pub(crate) struct Head {
    pub(crate) container: Container,
    pub(crate) sample: Sample,
}

impl Head {
    /// Looks at a file.
    ///
    /// # Errors
    /// When it cannot be read, is empty, or its name says nothing.
    pub(crate) fn read(input: &Input) -> Result<Self, OpenError> {
        let container =
            Container::of(&input.path).ok_or_else(|| OpenError::Extension(input.name.clone()))?;
        let io = |source| OpenError::Io { file: input.name.clone(), source };
        let empty = || OpenError::Empty(input.name.clone());
        if container == Container::Parquet {
            let block = parquet_rows::head(&input.path, N_RECORDS).map_err(|message| {
                ReadError::Parquet { file: input.name.clone(), row: 0, message }
            })?;
            return Ok(Self { container, sample: objects_sample(&block.0, block.1) });
        }
        let mut bytes = input.head(SHORT).map_err(io)?;
        if bytes.trim_ascii().is_empty() {
            return Err(empty());
        }
        if bytes.len() == SHORT && !bytes.contains(&b'\n') {
            bytes = input.head(LONG).map_err(io)?;
        }
        if bytes.starts_with("\u{feff}".as_bytes()) {
            bytes.drain(..3);
        }
        if let Some(what) = not_utf8(&bytes) {
            return Err(OpenError::Encoding { file: input.name.clone(), encoding: what });
        }
        if let Container::Csv(delimiter) = container {
            let block = Block { bytes, first_line: 1, lines: None };
            let mut cells = Vec::new();
            let header = RecordReader::new(&block, delimiter).next(&mut cells).ok_or_else(empty)?;
            header.map_err(|broken| ReadError::Quotes {
                file: input.name.clone(),
                line: broken.line,
                column: format!("number {}", broken.cell + 1),
                after: broken.after,
            })?;
            let columns = cells.iter().map(|c| c.text().unwrap_or_default().trim().to_owned());
            let columns: Vec<String> = columns.collect();
            let first = first_row(&block, delimiter, &columns);
            let sample = Sample { columns, first };
            return Ok(Self { container, sample });
        }
        if bytes.trim_ascii_start().starts_with(b"[") {
            let mut blocks = crate::json_array::ArrayBlocks::new(bytes.as_slice());
            let elements = blocks.first_elements();
            let sample = objects_sample(&elements, Vec::new());
            return Ok(Self { container: Container::JsonArray, sample });
        }
        let block = Block { bytes, first_line: 1, lines: None };
        Ok(Self { container, sample: objects_sample(&block, Vec::new()) })
    }
}

/// The cells of the first row of a table, as far as they can be read.
fn first_row(block: &Block, delimiter: u8, columns: &[String]) -> Map<String, Value> {
    let mut cells = Vec::new();
    let mut records = RecordReader::new(block, delimiter);
    let has_row =
        records.next(&mut cells).is_some() && matches!(records.next(&mut cells), Some(Ok(_)));
    if !has_row || cells.len() != columns.len() {
        return Map::new();
    }
    let texts =
        cells.iter().map(|cell| Value::String(cell.text().unwrap_or_default().into_owned()));
    columns.iter().cloned().zip(texts).collect()
}

/// The keys of the first objects, in the order in which they first appear, after those that are known.
fn objects_sample(block: &Block, columns: Vec<String>) -> Sample {
    let mut sample = Sample { columns, ..Sample::default() };
    let mut seen: HashSet<String> = sample.columns.iter().cloned().collect();
    for object in objects(block).filter_map(|(object, _)| object.ok()).take(N_RECORDS) {
        for key in object.keys() {
            if seen.insert(key.clone()) {
                sample.columns.push(key.clone());
            }
        }
        if sample.first.is_empty() {
            sample.first = object;
        }
    }
    sample
}

/// What the bytes are written in, if it is plainly not UTF-8.
fn not_utf8(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0xff, 0xfe, ..] => Some("UTF-16 (little-endian)"),
        [0xfe, 0xff, ..] => Some("UTF-16 (big-endian)"),
        [0, _, 0, _, ..] | [_, 0, _, 0, ..] => Some("UTF-16 without a mark"),
        _ => None,
    }
}
