//! Parquet files as rows: this program's own directly, those of other tools as objects.

use crate::comparison::{Candidate, Choice, Comparison, Message, Role};
use crate::csv::{Block, BlockError};
use crate::dataset::Chunk;
use crate::formats::ExtraColumn;
use crate::schema::{self, Column};
use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Float64Array, ListArray, RecordBatch, StringArray,
    UInt32Array, UInt64Array,
};
use datafusion::arrow::compute::{cast, concat_batches};
use datafusion::arrow::datatypes::DataType;
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::json::LineDelimitedWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use std::borrow::Cow;
use std::fs::File;
use std::io;
use std::path::Path;

/// Rows that are read at once.
const BATCH: usize = 1024;

/// The rows of a file, some at a time. Rows of one record stay together, where a column says which they are.
///
/// # Errors
/// When the file cannot be opened, or does not begin and end as Parquet does.
pub(crate) fn batches(
    path: &Path,
) -> io::Result<impl Iterator<Item = Result<Chunk, BlockError>> + Send + use<>> {
    let builder = ParquetRecordBatchReaderBuilder::try_new(File::open(path)?)?;
    let mut reader = builder.with_batch_size(BATCH).build()?;
    let mut row = 0;
    let mut open: Option<RecordBatch> = None;
    let mut next = move || -> Result<Option<RecordBatch>, ArrowError> {
        loop {
            let Some(batch) = reader.next() else {
                return Ok(open.take());
            };
            let batch = match open.take() {
                Some(open) => concat_batches(&open.schema(), [&open, &batch?])?,
                None => batch?,
            };
            match last_record(&batch) {
                Some(0) => open = Some(batch),
                Some(at) => {
                    open = Some(batch.slice(at, batch.num_rows() - at));
                    return Ok(Some(batch.slice(0, at)));
                }
                None => return Ok(Some(batch)),
            }
        }
    };
    Ok(std::iter::from_fn(move || match next() {
        Ok(batch) => {
            let batch = batch?;
            let first_row = row + 1;
            row += batch.num_rows() as u64;
            Some(Ok(Chunk::Table { batch, first_row }))
        }
        Err(error) => Some(Err(BlockError::Parquet { row, message: error.to_string() })),
    }))
}

/// The row at which the last record begins, if a column says so.
fn last_record(batch: &RecordBatch) -> Option<usize> {
    let begins = begins(batch)?;
    Some((0..begins.len()).rfind(|row| begins.value(*row)).unwrap_or(0))
}

fn begins(batch: &RecordBatch) -> Option<&BooleanArray> {
    batch.column_by_name(Column::BeginsRecord.name())?.as_boolean_opt()
}

/// The first rows of a file as objects, and all its columns.
///
/// # Errors
/// What is wrong with the file.
pub(crate) fn head(path: &Path, n: usize) -> Result<(Block, Vec<String>), String> {
    let file = File::open(path).map_err(|e| e.to_string())?;
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|e| e.to_string())?;
    let columns = builder.schema().fields().iter().map(|f| f.name().clone()).collect();
    let reader = builder.with_batch_size(n).with_limit(n).build().map_err(|e| e.to_string())?;
    let mut block = Block { bytes: Vec::new(), first_line: 1, lines: None };
    for batch in reader {
        block.bytes.extend(as_lines(&batch.map_err(|e| e.to_string())?, 1)?.bytes);
    }
    Ok((block, columns))
}

/// Rows as lines of JSON: the readers of other tools' formats read both alike.
pub(crate) fn as_lines(batch: &RecordBatch, first_row: u64) -> Result<Block, String> {
    let mut writer = LineDelimitedWriter::new(Vec::new());
    writer.write(batch).map_err(|e| e.to_string())?;
    writer.finish().map_err(|e| e.to_string())?;
    Ok(Block { bytes: writer.into_inner(), first_line: first_row, lines: None })
}

/// The comparisons of a table of this program's own shape; how many records they are of.
pub(crate) fn comparisons(
    batch: &RecordBatch,
    extra: &[ExtraColumn],
    first_row: u64,
    emit: &mut dyn FnMut(&Comparison<'_>),
) -> u64 {
    let table = Table::new(batch, extra);
    let begins = begins(batch);
    let mut n_records = 0;
    let mut line = first_row;
    for row in 0..batch.num_rows() {
        if row == 0 || begins.is_none_or(|begins| begins.value(row)) {
            n_records += 1;
            line = first_row + row as u64;
        }
        emit(&table.comparison(row, line));
    }
    n_records
}

/// The columns of a table, as the shape has them.
struct Table {
    conversation_ids: Option<StringArray>,
    turns: Option<UInt32Array>,
    histories: Option<Lists>,
    prompts: Option<StringArray>,
    candidates: Option<Lists>,
    choices: Option<StringArray>,
    chosen: Option<Lists>,
    explanations: Option<StringArray>,
    annotator_ids: Option<StringArray>,
    languages: Option<StringArray>,
    lines: Option<UInt64Array>,
    extra: Vec<Option<StringArray>>,
}

/// A column of lists, its items taken apart into columns of their own.
struct Lists {
    list: ListArray,
    texts: Vec<Option<StringArray>>,
    numbers: Option<Float64Array>,
}

impl Table {
    fn new(batch: &RecordBatch, extra: &[ExtraColumn]) -> Self {
        // Other tools keep the columns and change their types (large strings, views, dictionaries).
        let column = |name: &str| batch.column_by_name(name);
        let text = |name: &str| as_text(column(name)?);
        let lists = |name: &str, fields: &[&str]| Lists::new(column(name)?, fields);
        Self {
            conversation_ids: text(Column::ConversationId.name()),
            turns: column(Column::Turn.name())
                .and_then(|c| cast(c, &DataType::UInt32).ok())
                .map(|c| c.as_primitive().clone()),
            histories: lists(Column::History.name(), &["role", "content"]),
            prompts: text(Column::Prompt.name()),
            candidates: lists(
                Column::Candidates.name(),
                &["id", "text", "source", "model", "score"],
            ),
            choices: text(Column::Choice.name()),
            chosen: lists(Column::Chosen.name(), &[]),
            explanations: text(Column::Explanation.name()),
            annotator_ids: text(Column::AnnotatorId.name()),
            languages: text(Column::Language.name()),
            lines: column(Column::Line.name())
                .and_then(|c| cast(c, &DataType::UInt64).ok())
                .map(|c| c.as_primitive().clone()),
            extra: extra.iter().map(|c| text(&schema::extra_name(&c.name))).collect(),
        }
    }

    /// The comparison in a row; `line` is where its record begins, if no column says so.
    fn comparison(&self, row: usize, line: u64) -> Comparison<'_> {
        let candidates: Vec<Candidate<'_>> = self
            .candidates
            .iter()
            .flat_map(|lists| {
                lists.items(row).map(|item| Candidate {
                    id: Cow::Borrowed(lists.text(0, item).unwrap_or_default()),
                    text: lists.text(1, item).map(Cow::Borrowed),
                    source: lists.text(2, item).map(Cow::Borrowed),
                    model: lists.text(3, item).map(Cow::Borrowed),
                    score: lists
                        .numbers
                        .as_ref()
                        .filter(|n| n.is_valid(item))
                        .map(|n| n.value(item)),
                })
            })
            .collect();
        let chosen = self.chosen.iter().flat_map(|lists| {
            lists.items(row).filter_map(|item| {
                let id = lists.text(0, item)?;
                candidates.iter().position(|c| c.id == id)
            })
        });
        let choice =
            Choice::from_kind(cell(&self.choices, row).unwrap_or_default(), chosen.collect());
        let history = self.histories.iter().flat_map(|lists| {
            lists.items(row).map(|item| Message {
                role: Role::from_id(lists.text(0, item).unwrap_or_default()),
                text: Cow::Borrowed(lists.text(1, item).unwrap_or_default()),
            })
        });
        let borrowed = |column| cell(column, row).map(Cow::Borrowed);
        Comparison {
            conversation_id: borrowed(&self.conversation_ids).unwrap_or_default(),
            turn: self.turns.as_ref().map_or(1, |turns| turns.value(row)),
            history: history.collect(),
            prompt: borrowed(&self.prompts).unwrap_or_default(),
            choice,
            candidates,
            explanation: borrowed(&self.explanations),
            annotator_id: borrowed(&self.annotator_ids),
            language: borrowed(&self.languages),
            extra: self.extra.iter().map(borrowed).collect(),
            line: self.lines.as_ref().map_or(line, |lines| lines.value(row)),
        }
    }
}

fn cell(column: &Option<StringArray>, row: usize) -> Option<&str> {
    column.as_ref().filter(|c| c.is_valid(row)).map(|c| c.value(row))
}

fn as_text(column: &ArrayRef) -> Option<StringArray> {
    Some(cast(column, &DataType::Utf8).ok()?.as_string().clone())
}

impl Lists {
    fn new(column: &ArrayRef, fields: &[&str]) -> Option<Self> {
        let item = match column.data_type() {
            DataType::List(item) | DataType::LargeList(item) | DataType::ListView(item) => item,
            _ => return None,
        };
        let list: ListArray =
            cast(column, &DataType::List(std::sync::Arc::clone(item))).ok()?.as_list().clone();
        let values = list.values();
        let Some(items) = values.as_struct_opt() else {
            let texts = vec![as_text(values)];
            return Some(Self { list, texts, numbers: None });
        };
        let texts = fields.iter().map(|field| as_text(items.column_by_name(field)?)).collect();
        let numbers = items.column_by_name("score").and_then(|c| cast(c, &DataType::Float64).ok());
        let numbers = numbers.map(|c| c.as_primitive().clone());
        Some(Self { texts, numbers, list })
    }

    fn items(&self, row: usize) -> std::ops::Range<usize> {
        let offsets = self.list.value_offsets();
        offsets[row] as usize..offsets[row + 1] as usize
    }

    fn text(&self, field: usize, item: usize) -> Option<&str> {
        cell(self.texts.get(field)?, item)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::{Dataset, OpenOptions, ReadError};
    use parquet::arrow::ArrowWriter;

    #[test]
    fn a_record_stays_one_record_without_its_line() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name);
        let open = |name: &str| {
            Dataset::open(&[path(name).display().to_string()], &OpenOptions::default())
                .expect("a dataset")
        };
        let records = |name: &str| {
            let mut lines = Vec::new();
            let scan = open(name).fold(
                Vec::new,
                |lines: &mut Vec<u64>, comparison| lines.push(comparison.line),
                |_, found| {
                    lines.extend(found);
                    Ok::<_, ReadError>(())
                },
            );
            lines.dedup();
            (scan.expect("readable").n_records, lines.len(), lines[..3].to_vec())
        };
        // Three turns each: a batch of 1,024 rows ends inside a record.
        let turn = |record: usize, turn: usize| {
            serde_json::json!({
                "conversation_id": format!("c{record}"), "turn": turn, "prompt": "p", "history": [],
                "candidates": [{"id": "a", "text": "A"}, {"id": "b", "text": "B"}],
                "choice": "one", "chosen": ["a"], "line": record + 1,
            })
            .to_string()
        };
        let lines: Vec<String> =
            (0..1500).flat_map(|record| (1..4).map(move |t| turn(record, t))).collect();
        std::fs::write(path("a.jsonl"), lines.join("\n")).expect("written");
        crate::import(&open("a.jsonl"), &path("a.parquet")).expect("imported");
        assert_eq!(records("a.parquet"), (1500, 1500, vec![1, 2, 3]));

        let file = File::open(path("a.parquet")).expect("there");
        let reader = ParquetRecordBatchReaderBuilder::try_new(file).expect("Parquet").build();
        let mut writer = None;
        for batch in reader.expect("Parquet") {
            let mut batch = batch.expect("whole");
            batch.remove_column(batch.schema().index_of("line").expect("there"));
            let writer = writer.get_or_insert_with(|| {
                let file = File::create(path("b.parquet")).expect("begun");
                ArrowWriter::try_new(file, batch.schema(), None).expect("begun")
            });
            writer.write(&batch).expect("written");
        }
        writer.expect("not empty").close().expect("whole");
        assert_eq!(records("b.parquet"), (1500, 1500, vec![1, 4, 7]));
    }
}
