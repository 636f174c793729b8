//! A question in SQL, and its answer as rows.

use datafusion::arrow::array::{AsArray, RecordBatch};
use datafusion::arrow::compute::{cast, concat_batches};
use datafusion::arrow::datatypes::{DataType, Float64Type, Int64Type};
use datafusion::error::Result;
use datafusion::prelude::SessionContext;
use std::sync::Arc;

/// The rows of an answer.
pub(super) struct Answer {
    table: RecordBatch,
}

/// Asks in SQL.
pub(super) async fn ask(context: &SessionContext, sql: &str) -> Result<Answer> {
    let frame = context.sql(sql).await?;
    let schema = Arc::new(frame.schema().as_arrow().clone());
    let batches = frame.collect().await?;
    // Plans may know more of nullability than the frame does.
    let schema = batches.first().map_or(schema, RecordBatch::schema);
    Ok(Answer { table: concat_batches(&schema, &batches)? })
}

/// A name between quotes.
pub(super) fn quoted(column: &str) -> String {
    if column == "NULL" {
        "NULL".to_owned()
    } else {
        format!("\"{}\"", column.replace('"', "\"\""))
    }
}

impl Answer {
    pub(super) fn len(&self) -> usize {
        self.table.num_rows()
    }

    /// A column of whole numbers; nothing counts as 0.
    pub(super) fn counts(&self, column: usize) -> Vec<u64> {
        let array = cast(self.table.column(column), &DataType::Int64).expect("a column of numbers");
        let array = array.as_primitive::<Int64Type>();
        array.iter().map(|n| n.map_or(0, |n| n.max(0) as u64)).collect()
    }

    /// A column of numbers.
    pub(super) fn numbers(&self, column: usize) -> Vec<Option<f64>> {
        let array =
            cast(self.table.column(column), &DataType::Float64).expect("a column of numbers");
        array.as_primitive::<Float64Type>().iter().collect()
    }

    /// A column as text.
    pub(super) fn texts(&self, column: usize) -> Vec<Option<String>> {
        let array = cast(self.table.column(column), &DataType::Utf8).expect("all have a text");
        array.as_string::<i32>().iter().map(|text| text.map(str::to_owned)).collect()
    }
}
