//! The records of a file one by one, whatever it holds them in: for files that are read whole.

use super::fields::{Fields, as_object};
use super::{Output, Record, Sample};
use crate::csv::{Blocks, Cell, RecordReader, Records};
use crate::dataset::{Chunk, OpenError, ReadError, objects};
use crate::finding::{Finding, Findings, Rule};
use crate::head::Head;
use crate::input::{Container, Input};
use crate::json_array::ArrayBlocks;
use crate::parquet_rows;
use serde_json::{Map, Value};

/// Takes all records of a file, whatever it holds them in.
pub(crate) fn for_each(
    input: &Input,
    findings: &mut Findings,
    each: &mut dyn FnMut(Fields<'_>, &[String], &mut Output<'_>),
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
                Ok(object) => each(Fields { object: &object, line }, &sample.columns, out),
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
    each: &mut dyn FnMut(Fields<'_>, &[String], &mut Output<'_>),
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
        each(Fields { object, line }, columns, out);
    }
    Ok(())
}
