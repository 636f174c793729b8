//! The annotators of a dataset that describes them in a file of their own: read whole, joined by id.

use super::fields::{Fields, as_object};
use super::{ColumnRole, ExtraColumn, FormatError, Output, Record, Sample};
use crate::csv::{Blocks, Cell, RecordReader, Records};
use crate::dataset::{Chunk, OpenError, ReadError, objects};
use crate::finding::{Finding, Findings, Rule};
use crate::head::Head;
use crate::input::{Container, Input};
use crate::json_array::ArrayBlocks;
use crate::parquet_rows;
use serde_json::{Map, Value};
use std::collections::HashMap;

/// What is known about annotators.
#[derive(Debug, Default)]
pub(super) struct People {
    /// What is known about them.
    pub(super) columns: Vec<ExtraColumn>,
    /// What was wrong in the files.
    pub(super) findings: Findings,
    rows: HashMap<String, Vec<Option<String>>>,
    /// There is a file that describes them.
    described: bool,
}

/// A column's name, its role and what it says about one annotator.
pub(super) type Said = (String, ColumnRole, Option<String>);

impl People {
    /// Reads the files; `describe` says what a record knows about its annotator.
    ///
    /// # Errors
    /// When a file cannot be read to its end.
    pub(super) fn read(
        sides: &[Input],
        id_column: &str,
        describe: impl Fn(Fields<'_>) -> Vec<Said>,
    ) -> Result<Self, FormatError> {
        let mut people = Self { described: !sides.is_empty(), ..Self::default() };
        for side in sides {
            let mut findings = Findings::default();
            let mut each = |fields: Fields<'_>, out: &mut Output<'_>| {
                let Some(id) = fields.id(id_column, out) else {
                    out.find(Rule::UnreadableRecord, fields.line, id_column, "no id");
                    return;
                };
                if people.rows.contains_key(id.as_ref()) {
                    out.find(Rule::UnknownAnnotator, fields.line, id_column, &id);
                    return;
                }
                let row = people.row(describe(fields));
                people.rows.insert(id.into_owned(), row);
            };
            for_each(side, &mut findings, &mut each).map_err(|e| FormatError::Side(Box::new(e)))?;
            findings.set_file(&side.name);
            people.findings.merge(findings);
        }
        Ok(people)
    }

    fn row(&mut self, said: Vec<Said>) -> Vec<Option<String>> {
        let mut row = vec![None; self.columns.len()];
        for (name, role, value) in said {
            let at = self.columns.iter().position(|c| c.name == name).unwrap_or_else(|| {
                self.columns.push(ExtraColumn { name, role });
                self.columns.len() - 1
            });
            row.resize(row.len().max(at + 1), None);
            row[at] = value;
        }
        row
    }

    /// What is known about an annotator, in the order of the columns. Who is missing is reported, if
    /// anybody is described.
    pub(super) fn of<'p>(
        &'p self,
        id: Option<&str>,
        line: u64,
        column: &str,
        out: &mut Output<'_>,
    ) -> impl Iterator<Item = Option<&'p str>> + use<'p> {
        let row = id.and_then(|id| self.rows.get(id));
        if let (None, Some(id), true) = (row, id, self.described) {
            out.find(Rule::UnknownAnnotator, line, column, id);
        }
        (0..self.columns.len()).map(move |i| row.and_then(|row| row.get(i)?.as_deref()))
    }
}

/// Takes all records of a file, whatever it holds them in.
fn for_each(
    input: &Input,
    findings: &mut Findings,
    each: &mut dyn FnMut(Fields<'_>, &mut Output<'_>),
) -> Result<(), OpenError> {
    let Head { container, sample } = Head::read(input)?;
    let file = input.name.as_str();
    let io = |source| ReadError::Io { file: file.to_owned(), source };
    let mut out = Output { emit: &mut |_| {}, findings };
    let mut take = |chunk: Chunk, out: &mut Output<'_>| -> Result<(), ReadError> {
        let block = match chunk {
            Chunk::Text(block) => block,
            Chunk::Table { batch, first_row } => parquet_rows::as_lines(&batch, first_row)
                .map_err(|message| ReadError::Parquet {
                    file: file.to_owned(),
                    row: first_row - 1,
                    message,
                })?,
        };
        if let Container::Csv(delimiter) = container {
            return take_rows(
                RecordReader::new(&block, delimiter),
                block.first_line == 1,
                &sample,
                file,
                each,
                out,
            );
        }
        for (object, line) in objects(&block) {
            match object {
                Ok(object) => each(Fields { object: &object, line }, out),
                Err(what) => {
                    out.findings.push(Finding::new(Rule::UnreadableRecord, line, None, &what))
                }
            }
        }
        Ok(())
    };
    match container {
        Container::Parquet => {
            for chunk in parquet_rows::batches(&input.path).map_err(io)? {
                take(chunk.map_err(|e| e.in_file(file))?, &mut out)?;
            }
        }
        Container::JsonArray => {
            for block in ArrayBlocks::new(input.open().map_err(io)?) {
                take(Chunk::Text(block.map_err(|e| e.in_file(file))?), &mut out)?;
            }
        }
        Container::Csv(_) | Container::JsonLines => {
            let is_csv = container != Container::JsonLines;
            let records = if is_csv { Records::Quoted } else { Records::Lines };
            for block in Blocks::new(input.open().map_err(io)?, records) {
                take(Chunk::Text(block.map_err(|e| e.in_file(file))?), &mut out)?;
            }
        }
    }
    Ok(())
}

fn take_rows(
    mut records: RecordReader<'_>,
    mut is_header: bool,
    sample: &Sample,
    file: &str,
    each: &mut dyn FnMut(Fields<'_>, &mut Output<'_>),
    out: &mut Output<'_>,
) -> Result<(), ReadError> {
    let columns = &sample.columns;
    let mut cells: Vec<Cell<'_>> = Vec::new();
    while let Some(line) = records.next(&mut cells) {
        let line = line.map_err(|broken| ReadError::Quotes {
            file: file.to_owned(),
            line: broken.line,
            column: columns.get(broken.cell).cloned().unwrap_or_default(),
            after: crate::finding::shorten(&broken.after),
        })?;
        if std::mem::take(&mut is_header) {
            continue;
        }
        if cells.len() != columns.len() {
            let what = format!("{} cells, the header has {}", cells.len(), columns.len());
            out.findings.push(Finding::new(Rule::UnreadableRecord, line, None, &what));
            continue;
        }
        let object = as_object(Record::Row(&cells), columns, line, out, Value::is_object);
        let object: &Map<String, Value> = &object;
        each(Fields { object, line }, out);
    }
    Ok(())
}
