//! SQL over a dataset, whatever it is written in.

use crate::dataset::{Dataset, ReadError};
use crate::finding::Findings;
use crate::table;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::util::pretty::pretty_format_batches_with_options;
use datafusion::arrow::{csv, json};
use datafusion::error::DataFusionError;
use datafusion::execution::context::SQLOptions;
use futures::StreamExt;
use parquet::arrow::ArrowWriter;
use parquet::errors::ParquetError;
use std::io::{self, Write};
use std::str::FromStr;
use std::sync::Arc;

/// How the rows of an answer are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RowFormat {
    /// A table for people.
    #[default]
    Table,
    /// CSV with a header.
    Csv,
    /// One JSON array of objects.
    Json,
    /// One JSON object a line.
    JsonLines,
    /// Parquet.
    Parquet,
}

/// A text that is no format of rows.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` is no format for rows; there are table, csv, json, jsonl and parquet")]
pub struct ParseRowFormatError(String);

impl FromStr for RowFormat {
    type Err = ParseRowFormatError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text {
            "table" => Self::Table,
            "csv" => Self::Csv,
            "json" => Self::Json,
            "jsonl" => Self::JsonLines,
            "parquet" => Self::Parquet,
            _ => return Err(ParseRowFormatError(text.to_owned())),
        })
    }
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// The query is none, or cannot be worked out.
    #[error("{}", in_words(.0))]
    Query(#[from] DataFusionError),
    /// The dataset could not be read to its end.
    #[error(transparent)]
    Read(ReadError),
    /// The answer could not be written.
    #[error("could not write the answer")]
    Write(#[source] io::Error),
}

impl QueryError {
    /// Whether the disk failed rather than the query or the dataset.
    #[must_use]
    pub fn is_world(&self) -> bool {
        matches!(self, QueryError::Write(_))
    }

    fn from_plan(error: DataFusionError) -> Self {
        match error.find_root() {
            DataFusionError::External(_) => {}
            _ => return QueryError::Query(error),
        }
        match find_read_error(error) {
            Ok(error) => QueryError::Read(error),
            Err(error) => QueryError::Query(error),
        }
    }
}

fn find_read_error(error: DataFusionError) -> Result<ReadError, DataFusionError> {
    match error {
        DataFusionError::External(inner) => match inner.downcast::<ReadError>() {
            Ok(error) => Ok(*error),
            Err(inner) => Err(DataFusionError::External(inner)),
        },
        DataFusionError::Context(text, inner) => {
            find_read_error(*inner).map_err(|inner| DataFusionError::Context(text, Box::new(inner)))
        }
        other => Err(other),
    }
}

/// The first line of what the query engine says, without its own names for kinds of errors.
pub(crate) fn in_words(error: &DataFusionError) -> String {
    let text = error.strip_backtrace();
    let text = text.lines().next().unwrap_or_default();
    let kinds = ["Schema error: ", "Error during planning: ", "SQL error: ", "Execution error: "];
    kinds.iter().fold(text, |text, kind| text.strip_prefix(kind).unwrap_or(text)).to_owned()
}

/// Views beside the table of comparisons, and what they are made of.
const VIEWS: [(&str, &str); 2] = [
    (
        "candidates",
        "SELECT conversation_id, turn, annotator_id, language, comparison_hash, prompt, \
         c['id'] AS id, c['text'] AS text, c['source'] AS source, c['model'] AS model, \
         c['score'] AS score, coalesce(array_has(chosen, c['id']), false) AS is_chosen, choice \
         FROM (SELECT *, unnest(candidates) AS c FROM comparisons)",
    ),
    (
        "repeated",
        "SELECT comparison_hash, min(conversation_id) AS conversation_id, min(prompt) AS prompt, \
         CAST(sum(n) AS BIGINT) AS n_votes, array_agg(id ORDER BY id) AS ids, \
         array_agg(n ORDER BY id) AS votes, \
         log(2.0, sum(n)) - sum(n * log(2.0, n)) / sum(n) AS entropy_bits \
         FROM (SELECT comparison_hash, min(conversation_id) AS conversation_id, \
         min(prompt) AS prompt, chosen[1] AS id, CAST(count(*) AS DOUBLE) AS n FROM comparisons \
         WHERE chosen_idx IS NOT NULL GROUP BY comparison_hash, chosen[1]) \
         GROUP BY comparison_hash HAVING sum(n) > 1",
    ),
];

/// What is wrong with the records that a query read, beside its rows.
#[derive(Debug, Default)]
pub struct Queried {
    /// Rows of the answer.
    pub n_rows: u64,
    /// What was found in the records that were read.
    pub findings: Findings,
}

/// Asks a dataset in SQL and writes the answer. There are the tables `comparisons` (a row a comparison), `candidates`
/// (a row a candidate) and `repeated` (a row a comparison with two or more votes, with their entropy).
///
/// # Errors
/// When the query is none, the dataset cannot be read to its end, or the answer not be written.
pub fn query(
    dataset: &Arc<Dataset>,
    sql: &str,
    format: RowFormat,
    out: &mut (dyn Write + Send),
) -> Result<Queried, QueryError> {
    table::runtime().block_on(async {
        let context = table::context();
        let findings = table::register(&context, dataset).await.map_err(QueryError::from_plan)?;
        for (name, view) in VIEWS {
            let view = context.sql(view).await?.into_view();
            context.register_table(name, view)?;
        }
        let only_reads = SQLOptions::new().with_allow_ddl(false).with_allow_dml(false);
        let frame = context.sql_with_options(sql, only_reads).await?;
        let schema = Arc::new(frame.schema().as_arrow().clone());
        let mut rows = Rows::new(format, &schema, out).map_err(QueryError::Write)?;
        let mut stream = frame.execute_stream().await.map_err(QueryError::from_plan)?;
        let mut queried = Queried::default();
        while let Some(batch) = stream.next().await {
            let batch = batch.map_err(QueryError::from_plan)?;
            queried.n_rows += batch.num_rows() as u64;
            rows.write(batch).map_err(QueryError::Write)?;
        }
        rows.finish(&schema).map_err(QueryError::Write)?;
        queried.findings = findings.lock().unwrap_or_else(|e| e.into_inner()).clone();
        Ok(queried)
    })
}

/// Writes rows as they come; a table for people is written at the end, for its columns must be measured.
enum Rows<'w> {
    Table(Vec<RecordBatch>, &'w mut (dyn Write + Send)),
    Csv(Box<csv::Writer<&'w mut (dyn Write + Send)>>),
    Json(json::ArrayWriter<&'w mut (dyn Write + Send)>),
    JsonLines(json::LineDelimitedWriter<&'w mut (dyn Write + Send)>),
    Parquet(Box<ArrowWriter<&'w mut (dyn Write + Send)>>),
}

impl<'w> Rows<'w> {
    fn new(
        format: RowFormat,
        schema: &SchemaRef,
        out: &'w mut (dyn Write + Send),
    ) -> io::Result<Self> {
        Ok(match format {
            RowFormat::Table => Self::Table(Vec::new(), out),
            RowFormat::Csv => Self::Csv(Box::new(csv::Writer::new(out))),
            RowFormat::Json => {
                let writer = json::WriterBuilder::new().with_explicit_nulls(true).build(out);
                Self::Json(writer)
            }
            RowFormat::JsonLines => {
                Self::JsonLines(json::WriterBuilder::new().with_explicit_nulls(true).build(out))
            }
            RowFormat::Parquet => {
                let writer = ArrowWriter::try_new(out, Arc::clone(schema), None);
                Self::Parquet(Box::new(writer.map_err(parquet_error)?))
            }
        })
    }

    fn write(&mut self, batch: RecordBatch) -> io::Result<()> {
        match self {
            Self::Table(batches, _) => batches.push(batch),
            Self::Csv(writer) => writer.write(&flat(&batch)?).map_err(arrow_error)?,
            Self::Json(writer) => writer.write(&batch).map_err(arrow_error)?,
            Self::JsonLines(writer) => writer.write(&batch).map_err(arrow_error)?,
            Self::Parquet(writer) => writer.write(&batch).map_err(parquet_error)?,
        }
        Ok(())
    }

    fn finish(self, schema: &SchemaRef) -> io::Result<()> {
        match self {
            Self::Table(mut batches, out) => {
                if batches.is_empty() {
                    batches.push(RecordBatch::new_empty(Arc::clone(schema)));
                }
                let options = datafusion::arrow::util::display::FormatOptions::default();
                let table = pretty_format_batches_with_options(&batches, &options);
                writeln!(out, "{}", table.map_err(arrow_error)?)
            }
            Self::Csv(mut writer) => {
                // A table without rows has a header, too.
                writer
                    .write(&flat(&RecordBatch::new_empty(Arc::clone(schema)))?)
                    .map_err(arrow_error)
            }
            Self::Json(mut writer) => {
                writer.finish().map_err(arrow_error)?;
                writeln!(writer.into_inner())
            }
            Self::JsonLines(mut writer) => writer.finish().map_err(arrow_error),
            Self::Parquet(writer) => writer.close().map(|_| ()).map_err(parquet_error),
        }
    }
}

/// Lists and structs as JSON, for a cell of CSV has no parts.
fn flat(batch: &RecordBatch) -> io::Result<RecordBatch> {
    use datafusion::arrow::array::{ArrayRef, StringArray};
    use datafusion::arrow::datatypes::{DataType, Field, Schema};
    let mut fields = Vec::new();
    let mut columns: Vec<ArrayRef> = Vec::new();
    for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
        if !field.data_type().is_nested() {
            fields.push(field.as_ref().clone());
            columns.push(Arc::clone(column));
            continue;
        }
        let one = Arc::new(Schema::new(vec![Field::new("cell", field.data_type().clone(), true)]));
        let one = RecordBatch::try_new(one, vec![Arc::clone(column)]).map_err(arrow_error)?;
        let mut lines = json::WriterBuilder::new()
            .with_explicit_nulls(true)
            .build::<_, json::writer::LineDelimited>(Vec::new());
        lines.write(&one).map_err(arrow_error)?;
        lines.finish().map_err(arrow_error)?;
        let lines = lines.into_inner();
        let cells = String::from_utf8_lossy(&lines);
        let cell = |line: &str| {
            let inner = line.strip_prefix("{\"cell\":").and_then(|l| l.strip_suffix('}'));
            inner.filter(|text| *text != "null").map(str::to_owned)
        };
        fields.push(Field::new(field.name(), DataType::Utf8, true));
        columns.push(Arc::new(cells.lines().map(cell).collect::<StringArray>()));
    }
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).map_err(arrow_error)
}

fn arrow_error(error: ArrowError) -> io::Error {
    match error {
        ArrowError::IoError(_, error) => error,
        other => io::Error::other(other),
    }
}

fn parquet_error(error: ParquetError) -> io::Error {
    match error {
        ParquetError::External(inner) => match inner.downcast::<io::Error>() {
            Ok(error) => *error,
            Err(inner) => io::Error::other(inner),
        },
        other => io::Error::other(other),
    }
}
