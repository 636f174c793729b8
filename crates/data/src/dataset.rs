//! A preference dataset: its files, its format, and one pass over its comparisons on all cores.

use crate::choice_rule::ChoiceRule;
use crate::comparison::Comparison;
use crate::csv::{Block, BlockError, Blocks, Cell, RecordReader, Records};
use crate::finding::{Finding, Findings, Rule};
use crate::formats::{ExtraColumn, Format, FormatError, Output, Parser, Part, Record, Source};
use crate::head::Head;
use crate::input::{self, Container, Input, InputError};
use crate::json_array::ArrayBlocks;
use crate::mapping::Mapping;
use crate::{parallel, parquet_rows};
use datafusion::arrow::array::RecordBatch;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::io;
use std::num::NonZero;

/// How to open a dataset.
#[derive(Debug, Clone, Default)]
pub struct OpenOptions {
    /// The format, where the files should not be looked at.
    pub format: Option<Format>,
    /// Threads that read; all cores if nothing is said.
    pub n_threads: Option<usize>,
    /// How scores become choices, where a format has scores.
    pub choice_rule: ChoiceRule,
    /// What the columns mean, for files of no known format.
    pub mapping: Option<Mapping>,
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
    /// The file is not UTF-8.
    #[error("`{file}` is {encoding}; convert it to UTF-8, for example with `iconv -t UTF-8`")]
    Encoding {
        /// The file.
        file: String,
        /// What it is.
        encoding: &'static str,
    },
    /// The file's name does not say how its records stand in it.
    #[error(
        "`{0}` has a name that says nothing of what is in it (.csv, .tsv, .jsonl, .json, .parquet, also .gz or .zst)"
    )]
    Extension(String),
    /// What is in the file is of no known format.
    #[error("`{file}` is of no known format; it has the columns {}; --mapping says what they mean", list(.columns))]
    Unknown {
        /// The file.
        file: String,
        /// Its columns.
        columns: Vec<String>,
    },
    /// A column is missing.
    #[error("`{file}` has no column `{column}`, which {}{}", if *format == "own" { "the mapping names".to_owned() } else { format!("{format} files have") }, nearest.as_ref().map_or(String::new(), |n| format!("; is it `{n}`?")))]
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
    /// Only files that go with others are there.
    #[error("`{file}` goes with the main file of a {format} dataset, which is not there{}", main.map_or(String::new(), |main| format!("; give `{main}` too")))]
    NoMain {
        /// The file.
        file: String,
        /// The format.
        format: &'static str,
        /// What the main file is called.
        main: Option<&'static str>,
    },
    /// The format is that of a mapping, and there is none.
    #[error("files of the format own need a mapping that says what their columns mean")]
    NoMapping,
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
    /// A document ends too early.
    #[error("`{file}` ends inside the element that begins on line {line}: the file is cut off")]
    Unclosed {
        /// The file.
        file: String,
        /// The line on which the element begins.
        line: u64,
    },
    /// A Parquet file is broken.
    #[error("`{file}`, after row {row}: the Parquet file is broken: {message}")]
    Parquet {
        /// The file.
        file: String,
        /// Rows that could be read.
        row: u64,
        /// What is wrong.
        message: String,
    },
}

/// What a pass over a dataset found beside its comparisons.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scan {
    /// Records of the files: rows, or lines.
    pub n_records: u64,
    /// The columns of the files, with the number of records in which each is empty or missing.
    pub missing: Vec<(String, u64)>,
    /// What was wrong with the records.
    pub findings: Findings,
}

impl Scan {
    /// Adds what a pass over another source found.
    pub(crate) fn merge(&mut self, other: Scan) {
        self.n_records += other.n_records;
        self.findings.merge(other.findings);
        for (column, n) in other.missing {
            match self.missing.iter_mut().find(|(known, _)| *known == column) {
                Some((_, sum)) => *sum += n,
                None => self.missing.push((column, n)),
            }
        }
    }
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
        let mut heads = Vec::new();
        for name in names {
            for input in input::find(name)? {
                heads.push((Head::read(&input)?, input));
            }
        }
        let Some((first, input)) = heads.first() else {
            return Err(OpenError::Empty(names.join(" ")));
        };
        let recognised = || {
            let of_any = |format: &Format| {
                heads.iter().any(|(head, _)| format.recognises(&head.sample) == Some(Part::Main))
            };
            let of_side = |format: &Format| {
                heads.iter().any(|(head, _)| format.recognises(&head.sample).is_some())
            };
            let mut all = Format::ALL.iter().copied();
            all.find(of_any).or_else(|| Format::ALL.iter().copied().find(of_side))
        };
        let mapped = options.mapping.as_ref().map(|_| Format::Own);
        let Some(format) = options.format.or(mapped).or_else(recognised) else {
            let columns = first.sample.columns.clone();
            return Err(OpenError::Unknown { file: input.name.clone(), columns });
        };
        let (mut mains, mut seconds, mut sides) = (Vec::new(), Vec::new(), Vec::new());
        let n_files = heads.len();
        let any = input.name.clone();
        let is_main = |(head, _): &(Head, Input)| {
            matches!(format.recognises(&head.sample), Some(Part::Main | Part::Second))
        };
        let main = heads.iter().find(|file| is_main(file)).map(|(_, input)| input.name.clone());
        for (head, input) in heads {
            // A file that nobody recognises is read as the format that was asked for, if it stands alone.
            match format.recognises(&head.sample) {
                Some(Part::Main) => mains.push((head, input)),
                Some(Part::Second) => seconds.push((head, input)),
                Some(Part::Side) => sides.push(input),
                Some(Part::Spare) => {}
                None => match &main {
                    Some(main) if n_files > 1 => {
                        return Err(OpenError::Differs { file: input.name, first: main.clone() });
                    }
                    _ => mains.push((head, input)),
                },
            }
        }
        if mains.is_empty() {
            mains = seconds;
        }
        if mains.is_empty() {
            return Err(OpenError::NoMain {
                file: any,
                format: format.id(),
                main: format.main_file(),
            });
        }
        Self::from_parts(format, mains, &sides, options)
    }

    fn from_parts(
        format: Format,
        mains: Vec<(Head, Input)>,
        sides: &[Input],
        options: &OpenOptions,
    ) -> Result<Self, OpenError> {
        let (first, input) = &mains[0];
        let is_table = matches!(first.container, Container::Csv(_));
        for (head, other) in &mains[1..] {
            let same_columns = !is_table || head.sample.columns == first.sample.columns;
            if head.container != first.container || !same_columns {
                return Err(OpenError::Differs {
                    file: other.name.clone(),
                    first: input.name.clone(),
                });
            }
        }
        let sample = first.sample.clone();
        let parser = format.parser(&Source { sample: &sample, sides, options });
        let parser = parser.map_err(|error| match error {
            FormatError::Column(column) => OpenError::Column {
                file: input.name.clone(),
                nearest: nearest(&column, &sample.columns),
                column,
                format: format.id(),
            },
            FormatError::Side(error) => *error,
            FormatError::NoMapping => OpenError::NoMapping,
        })?;
        let cores = || std::thread::available_parallelism().map_or(1, NonZero::get);
        Ok(Self {
            container: first.container,
            columns: sample.columns,
            inputs: mains.into_iter().map(|(_, input)| input).collect(),
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
    pub fn extra_columns(&self) -> &[ExtraColumn] {
        self.parser.extra_columns()
    }

    /// The files, as they were named or found.
    pub fn files(&self) -> impl Iterator<Item = &str> {
        self.inputs.iter().map(|input| input.name.as_str())
    }

    /// The paths of the files, if they are Parquet of this program's own shape: plans run on them directly.
    pub(crate) fn own_parquet(&self) -> Option<Vec<&std::path::Path>> {
        let own = self.format == Format::Polyculture && self.container == Container::Parquet;
        own.then(|| self.inputs.iter().map(|input| input.path.as_path()).collect())
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
        let missing = self.columns.iter().map(|column| (column.clone(), 0)).collect();
        let findings = self.parser.findings();
        let mut scan = Scan { missing, findings, ..Scan::default() };
        for input in &self.inputs {
            let file = input.name.as_str();
            let work = |chunk: Result<Chunk, BlockError>| {
                let mut counted = Counted {
                    findings: Findings::default(),
                    n_records: 0,
                    missing: vec![0; self.columns.len()],
                };
                let mut value = new();
                let chunk = chunk.map_err(|error| error.in_file(file))?;
                let mut emit = |comparison: &Comparison<'_>| each(&mut value, comparison);
                self.read_chunk(chunk, file, &mut counted, &mut emit)?;
                Ok((value, counted))
            };
            let merge = |read: Result<(T, Counted), ReadError>| {
                let (value, mut counted) = read?;
                counted.findings.set_file(file);
                scan.n_records += counted.n_records;
                scan.findings.merge(counted.findings);
                for ((_, sum), n) in scan.missing.iter_mut().zip(counted.missing) {
                    *sum += n;
                }
                done(file, value)
            };
            let chunks = self
                .chunks(input)
                .map_err(|source| ReadError::Io { file: file.to_owned(), source })?;
            parallel::in_order(chunks, self.n_threads, work, merge)?;
        }
        Ok(scan)
    }

    /// The parts of a file, in order.
    fn chunks(
        &self,
        input: &Input,
    ) -> io::Result<Box<dyn Iterator<Item = Result<Chunk, BlockError>> + Send>> {
        let text = |block: Result<Block, BlockError>| block.map(Chunk::Text);
        Ok(match self.container {
            Container::Parquet => Box::new(parquet_rows::batches(&input.path)?),
            Container::JsonArray => Box::new(ArrayBlocks::new(input.open()?).map(text)),
            Container::JsonLines => Box::new(Blocks::new(input.open()?, Records::Lines).map(text)),
            Container::Csv(_) => Box::new(Blocks::new(input.open()?, Records::Quoted).map(text)),
        })
    }

    fn read_chunk(
        &self,
        chunk: Chunk,
        file: &str,
        counted: &mut Counted,
        emit: &mut dyn FnMut(&Comparison<'_>),
    ) -> Result<(), ReadError> {
        let block = match chunk {
            Chunk::Text(block) => block,
            Chunk::Table { batch, first_row } if self.format == Format::Polyculture => {
                let extra = self.parser.extra_columns();
                counted.n_records += parquet_rows::comparisons(&batch, extra, first_row, emit);
                return Ok(());
            }
            Chunk::Table { batch, first_row } => parquet_rows::as_lines(&batch, first_row)
                .map_err(|message| ReadError::Parquet {
                    file: file.to_owned(),
                    row: first_row - 1,
                    message,
                })?,
        };
        match self.container {
            Container::Csv(delimiter) => self.read_rows(&block, delimiter, file, counted, emit),
            _ => {
                self.read_objects(&block, counted, emit);
                Ok(())
            }
        }
    }

    fn read_objects(
        &self,
        block: &Block,
        counted: &mut Counted,
        emit: &mut dyn FnMut(&Comparison<'_>),
    ) {
        let Counted { findings, n_records, missing } = counted;
        let mut out = Output { emit, findings };
        for (object, line) in objects(block) {
            *n_records += 1;
            let object = match object {
                Ok(object) => object,
                Err(what) => {
                    out.findings.push(Finding::new(Rule::UnreadableRecord, line, None, &what));
                    continue;
                }
            };
            for (column, n) in self.columns.iter().zip(&mut *missing) {
                let nothing = match object.get(column) {
                    None | Some(Value::Null) => true,
                    Some(Value::String(text)) => text.trim().is_empty(),
                    Some(_) => false,
                };
                *n += u64::from(nothing);
            }
            self.parser.parse(Record::Object(&object), line, &mut out);
        }
    }

    fn read_rows(
        &self,
        block: &Block,
        delimiter: u8,
        file: &str,
        counted: &mut Counted,
        emit: &mut dyn FnMut(&Comparison<'_>),
    ) -> Result<(), ReadError> {
        let Counted { findings, n_records, missing } = counted;
        let mut out = Output { emit, findings };
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
            for (cell, n) in cells.iter().zip(&mut *missing) {
                *n += u64::from(cell.is_blank());
            }
            self.parser.parse(Record::Row(&cells), line, &mut out);
        }
        Ok(())
    }
}

/// A part of a file, for one thread.
pub(crate) enum Chunk {
    Text(Block),
    Table { batch: RecordBatch, first_row: u64 },
}

impl BlockError {
    pub(crate) fn in_file(self, file: &str) -> ReadError {
        let file = file.to_owned();
        match self {
            BlockError::Io(source) => ReadError::Io { file, source },
            BlockError::TooLong(line) => ReadError::TooLong { file, line },
            BlockError::Unclosed(line) => ReadError::Unclosed { file, line },
            BlockError::Parquet { row, message } => ReadError::Parquet { file, row, message },
        }
    }
}

/// What is found in a chunk beside its comparisons.
struct Counted {
    findings: Findings,
    n_records: u64,
    missing: Vec<u64>,
}

/// The objects of a block of lines, with their lines.
pub(crate) fn objects(
    block: &Block,
) -> impl Iterator<Item = (Result<Map<String, Value>, String>, u64)> + '_ {
    let line_of = move |i: usize| match &block.lines {
        Some(lines) => lines.get(i).copied().unwrap_or(block.first_line),
        None => block.first_line + i as u64,
    };
    let lines = block.bytes.split(|b| *b == b'\n').enumerate();
    lines.filter(|(_, line)| !line.trim_ascii().is_empty()).map(move |(i, line)| {
        let object = match serde_json::from_slice::<Value>(line) {
            Ok(Value::Object(object)) => Ok(object),
            Ok(_) => Err("the record is no JSON object".to_owned()),
            Err(error) => Err(format!("{error}")),
        };
        (object, line_of(i))
    })
}

fn nearest(column: &str, columns: &[String]) -> Option<String> {
    columns
        .iter()
        .map(|c| (strsim::jaro_winkler(column, c), c))
        .filter(|(similarity, _)| *similarity > 0.85)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, c)| c.clone())
}
