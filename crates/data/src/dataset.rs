//! A preference dataset: its files, its format, and one pass over its comparisons on all cores.

use crate::comparison::Comparison;
use crate::csv::{Block, BlockError, Blocks, Cell, RecordReader, Records};
use crate::finding::{Finding, Findings, Rule};
use crate::formats::{Format, Output, Parser, Record, Sample};
use crate::input::{self, Container, Input, InputError};
use crate::parallel;
use serde_json::{Map, Value};
use std::io;
use std::num::NonZero;

/// Bytes of a file that are looked at to tell its format.
const HEAD: usize = 16 << 20;

/// How to open a dataset.
#[derive(Debug, Clone, Default)]
pub struct OpenOptions {
    /// The format, where the files should not be looked at.
    pub format: Option<Format>,
    /// Threads that read; all cores if nothing is said.
    pub n_threads: Option<usize>,
}

/// Why files could not be opened as a dataset.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The files are not there.
    #[error(transparent)]
    Input(#[from] InputError),
    /// A file could not be read.
    #[error("could not read `{file}`")]
    Io {
        /// The file.
        file: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file without a record.
    #[error("`{0}` is empty")]
    Empty(String),
    /// The file's name does not say how its records stand in it.
    #[error(
        "`{0}` has a name that says nothing of what is in it (.csv, .tsv, .jsonl, also .gz or .zst)"
    )]
    Extension(String),
    /// What is in the file is of no known format.
    #[error("`{file}` is of no known format; it has the columns {}", list(.columns))]
    Unknown {
        /// The file.
        file: String,
        /// Its columns.
        columns: Vec<String>,
    },
    /// A column is missing.
    #[error("`{file}` has no column `{column}`, which {format} files have{}", nearest.as_ref().map_or(String::new(), |n| format!("; is it `{n}`?")))]
    Column {
        /// The file.
        file: String,
        /// The column.
        column: String,
        /// The format.
        format: &'static str,
        /// The column of the file with the most similar name.
        nearest: Option<String>,
    },
    /// Another file of the dataset has other columns.
    #[error("`{file}` has other columns than `{first}`")]
    Differs {
        /// The file.
        file: String,
        /// The first file.
        first: String,
    },
    /// The first record is none.
    #[error(transparent)]
    Record(#[from] ReadError),
}

fn list(columns: &[String]) -> String {
    let shown: Vec<String> = columns.iter().take(12).map(|c| format!("`{c}`")).collect();
    let more = columns.len().saturating_sub(12);
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    shown.join(", ") + &rest
}

/// Why reading a dataset stopped.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// A file could not be read, or not to its end.
    #[error("could not read `{file}` to its end")]
    Io {
        /// The file.
        file: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A cell's quotes do not pair up.
    #[error(
        "`{file}`, line {line}: the quotes of column `{column}` are broken before `{after}`; a quote inside a quoted cell is written twice"
    )]
    Quotes {
        /// The file.
        file: String,
        /// The line on which the cell begins.
        line: u64,
        /// Its column.
        column: String,
        /// What follows the quote.
        after: String,
    },
    /// A record does not end.
    #[error(
        "`{file}`, line {line}: the record that begins here has no end within 64 MB; is a quote left open?"
    )]
    TooLong {
        /// The file.
        file: String,
        /// The line on which the record begins.
        line: u64,
    },
}

/// What a pass over a dataset found beside its comparisons.
#[derive(Debug, Default)]
pub struct Scan {
    /// Records of the files: rows, or lines.
    pub n_records: u64,
    /// What was wrong with them.
    pub findings: Findings,
}

/// Files of one format, looked at but not yet read.
pub struct Dataset {
    inputs: Vec<Input>,
    container: Container,
    columns: Vec<String>,
    format: Format,
    parser: Box<dyn Parser>,
    n_threads: usize,
}

impl std::fmt::Debug for Dataset {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dataset")
            .field("format", &self.format)
            .field("inputs", &self.inputs)
            .finish()
    }
}

impl Dataset {
    /// Finds the files that `names` mean (files, directories, patterns), and what format they are of.
    ///
    /// # Errors
    /// When a file is missing, empty, of no known format, lacks a column, or differs from the first.
    pub fn open(names: &[String], options: &OpenOptions) -> Result<Self, OpenError> {
        let mut inputs = Vec::new();
        for name in names {
            inputs.extend(input::find(name)?);
        }
        let mut opened: Option<Self> = None;
        for input in &inputs {
            let head = Head::read(input)?;
            match &opened {
                None => opened = Some(Self::from_head(head, input, options)?),
                Some(first)
                    if first.columns != head.columns && first.container != Container::JsonLines =>
                {
                    return Err(OpenError::Differs {
                        file: input.name.clone(),
                        first: inputs[0].name.clone(),
                    });
                }
                Some(_) => {}
            }
        }
        let mut dataset = opened.ok_or_else(|| OpenError::Empty(names.join(" ")))?;
        dataset.inputs = inputs;
        Ok(dataset)
    }

    fn from_head(head: Head, input: &Input, options: &OpenOptions) -> Result<Self, OpenError> {
        let sample = Sample { columns: head.columns };
        let recognised = || Format::ALL.iter().copied().find(|format| format.recognises(&sample));
        let Some(format) = options.format.or_else(recognised) else {
            return Err(OpenError::Unknown { file: input.name.clone(), columns: sample.columns });
        };
        let parser = format.parser(&sample).map_err(|error| OpenError::Column {
            file: input.name.clone(),
            nearest: nearest(&error.column, &sample.columns),
            column: error.column,
            format: format.id(),
        })?;
        let cores = || std::thread::available_parallelism().map_or(1, NonZero::get);
        Ok(Self {
            inputs: Vec::new(),
            container: head.container,
            columns: sample.columns,
            format,
            parser,
            n_threads: options.n_threads.unwrap_or_else(cores),
        })
    }

    /// The format of the files.
    #[must_use]
    pub fn format(&self) -> Format {
        self.format
    }

    /// The columns that come along with each comparison, in the order of [`Comparison::extra`].
    #[must_use]
    pub fn extra_columns(&self) -> &[String] {
        self.parser.extra_columns()
    }

    /// The files, as they were named or found.
    pub fn files(&self) -> impl Iterator<Item = &str> {
        self.inputs.iter().map(|input| input.name.as_str())
    }

    /// Reads all files. Each block of records is folded by one thread: it starts from `new` and goes through
    /// `each` comparison in order; `done` gets the file's name and the result, in the order of the files, on the calling thread.
    /// Memory stays flat as long as what `done` keeps does.
    ///
    /// # Errors
    /// When a file cannot be read to its end or its quotes are broken, or with what `done` fails with.
    pub fn fold<T: Send, E: From<ReadError>>(
        &self,
        new: impl Fn() -> T + Sync,
        each: impl Fn(&mut T, &Comparison<'_>) + Sync,
        mut done: impl FnMut(&str, T) -> Result<(), E>,
    ) -> Result<Scan, E> {
        let mut scan = Scan::default();
        for input in &self.inputs {
            let opened = input
                .open()
                .map_err(|source| ReadError::Io { file: input.name.clone(), source })?;
            let records = match self.container {
                Container::Csv(_) => Records::Quoted,
                Container::JsonLines => Records::Lines,
            };
            let work = |block: Result<Block, BlockError>| {
                let mut result =
                    Folded { value: new(), findings: Findings::default(), n_records: 0 };
                let block = block.map_err(|error| match error {
                    BlockError::Io(source) => ReadError::Io { file: input.name.clone(), source },
                    BlockError::TooLong(line) => {
                        ReadError::TooLong { file: input.name.clone(), line }
                    }
                })?;
                self.fold_block(&block, &input.name, &each, &mut result)?;
                Ok(result)
            };
            parallel::in_order(
                Blocks::new(opened, records),
                self.n_threads,
                work,
                |result: Result<Folded<T>, ReadError>| {
                    let mut result = result?;
                    result.findings.set_file(&input.name);
                    scan.n_records += result.n_records;
                    scan.findings.merge(result.findings);
                    done(&input.name, result.value)
                },
            )?;
        }
        Ok(scan)
    }

    fn fold_block<T>(
        &self,
        block: &Block,
        file: &str,
        each: &impl Fn(&mut T, &Comparison<'_>),
        result: &mut Folded<T>,
    ) -> Result<(), ReadError> {
        let Folded { value, findings, n_records } = result;
        let mut emit = |comparison: &Comparison<'_>| each(value, comparison);
        let mut out = Output { emit: &mut emit, findings };
        let Container::Csv(delimiter) = self.container else {
            for (object, line) in objects(block) {
                *n_records += 1;
                match object {
                    Ok(object) => self.parser.parse(Record::Object(&object), line, &mut out),
                    Err(what) => {
                        let finding = Finding::new(Rule::UnreadableRecord, line, None, &what);
                        out.findings.push(finding);
                    }
                }
            }
            return Ok(());
        };
        let mut records = RecordReader::new(block, delimiter);
        let mut cells: Vec<Cell<'_>> = Vec::new();
        let mut is_header = block.first_line == 1;
        while let Some(line) = records.next(&mut cells) {
            let line = line.map_err(|broken| ReadError::Quotes {
                file: file.to_owned(),
                line: broken.line,
                column: self
                    .columns
                    .get(broken.cell)
                    .cloned()
                    .unwrap_or_else(|| format!("number {}", broken.cell + 1)),
                after: crate::finding::shorten(&broken.after),
            })?;
            if std::mem::take(&mut is_header) {
                continue;
            }
            *n_records += 1;
            if cells.len() != self.columns.len() {
                let value = format!("{} cells, the header has {}", cells.len(), self.columns.len());
                out.findings.push(Finding::new(Rule::UnreadableRecord, line, None, &value));
                continue;
            }
            self.parser.parse(Record::Row(&cells), line, &mut out);
        }
        Ok(())
    }
}

struct Folded<T> {
    value: T,
    findings: Findings,
    n_records: u64,
}

/// The objects of a block of lines, with their lines.
fn objects(block: &Block) -> impl Iterator<Item = (Result<Map<String, Value>, String>, u64)> + '_ {
    let lines = block.bytes.split(|b| *b == b'\n').zip(block.first_line..);
    lines.filter(|(line, _)| !line.trim_ascii().is_empty()).map(|(line, number)| {
        let object = match serde_json::from_slice::<Value>(line) {
            Ok(Value::Object(object)) => Ok(object),
            Ok(_) => Err("the line is no JSON object".to_owned()),
            Err(error) => Err(format!("{error}")),
        };
        (object, number)
    })
}

/// How a file begins.
struct Head {
    container: Container,
    columns: Vec<String>,
}

impl Head {
    fn read(input: &Input) -> Result<Self, OpenError> {
        let container =
            Container::of(&input.path).ok_or_else(|| OpenError::Extension(input.name.clone()))?;
        let io = |source| OpenError::Io { file: input.name.clone(), source };
        let empty = || OpenError::Empty(input.name.clone());
        let mut bytes = input.head(1 << 16).map_err(io)?;
        if bytes.trim_ascii().is_empty() {
            return Err(empty());
        }
        // Objects can be long: the first line must be whole.
        if !bytes.contains(&b'\n') {
            bytes = input.head(HEAD).map_err(io)?;
        }
        if bytes.starts_with("\u{feff}".as_bytes()) {
            bytes.drain(..3);
        }
        let block = Block { bytes, first_line: 1 };
        if let Container::Csv(delimiter) = container {
            let mut cells = Vec::new();
            let header = RecordReader::new(&block, delimiter).next(&mut cells).ok_or_else(empty)?;
            header.map_err(|broken| ReadError::Quotes {
                file: input.name.clone(),
                line: broken.line,
                column: format!("number {}", broken.cell + 1),
                after: broken.after,
            })?;
            let columns = cells.iter().map(|c| c.text().unwrap_or_default().trim().to_owned());
            return Ok(Self { container, columns: columns.collect() });
        }
        let first = objects(&block).find_map(|(object, _)| object.ok());
        let columns = first.iter().flat_map(Map::keys).cloned().collect();
        Ok(Self { container, columns })
    }
}

fn nearest(column: &str, columns: &[String]) -> Option<String> {
    columns
        .iter()
        .map(|c| (strsim::jaro_winkler(column, c), c))
        .filter(|(similarity, _)| *similarity > 0.85)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, c)| c.clone())
}
