//! A dataset as a table that queries run on: read anew for each query, only the columns that it asks for.

use crate::dataset::{Dataset, ReadError};
use crate::finding::Findings;
use crate::schema::{self, Builder, Column};
use async_trait::async_trait;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::{Session, TableProvider};
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::execution::{SendableRecordBatchStream, SessionStateBuilder, TaskContext};
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::stream::RecordBatchReceiverStreamBuilder;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};
use datafusion::prelude::{ParquetReadOptions, SessionConfig, SessionContext};
use std::path::Path;
use std::sync::{Arc, Mutex};

/// The name of the table of comparisons in queries.
pub(crate) const COMPARISONS: &str = "comparisons";

/// Tables that wait for whoever reads them.
const AHEAD: usize = 4;

/// Bytes that queries may hold in memory; beyond that they write to disk.
const MEMORY: usize = 384 << 20;

/// Threads for queries.
pub(crate) fn runtime() -> tokio::runtime::Runtime {
    let threads = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    threads.expect("the system gives threads")
}

/// A context for queries, with the settings that suit tables of texts.
pub(crate) fn context() -> SessionContext {
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let config = SessionConfig::new().with_target_partitions(threads).with_information_schema(true);
    let memory = Arc::new(FairSpillPool::new(MEMORY));
    let runtime = RuntimeEnvBuilder::new().with_memory_pool(memory).build_arc();
    let state = SessionStateBuilder::new()
        .with_default_features()
        .with_config(config)
        .with_runtime_env(runtime.expect("no folder or cache is asked for"))
        .build();
    SessionContext::new_with_state(state)
}

/// Makes the table `comparisons` of a dataset. What is wrong with records that are read is found in what is
/// given back.
///
/// # Errors
/// When a Parquet file cannot be opened.
pub(crate) async fn register(
    context: &SessionContext,
    dataset: &Arc<Dataset>,
) -> Result<Arc<Mutex<Findings>>> {
    let findings = Arc::default();
    if let Some(paths) = dataset.own_parquet() {
        register_own(context, &paths).await?;
    } else {
        let schema = schema::schema(dataset.extra_columns());
        let table = ComparisonTable {
            dataset: Arc::clone(dataset),
            schema,
            findings: Arc::clone(&findings),
        };
        context.register_table(COMPARISONS, Arc::new(table))?;
    }
    Ok(findings)
}

/// Makes the table `comparisons` of Parquet files of this program's own shape.
///
/// # Errors
/// When one of them cannot be opened.
pub(crate) async fn register_own(context: &SessionContext, paths: &[&Path]) -> Result<()> {
    let paths: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
    let options = ParquetReadOptions::default();
    let table = context.read_parquet(paths, options).await?;
    context.register_table(COMPARISONS, table.into_view())?;
    Ok(())
}

#[derive(Debug)]
struct ComparisonTable {
    dataset: Arc<Dataset>,
    schema: SchemaRef,
    findings: Arc<Mutex<Findings>>,
}

#[async_trait]
impl TableProvider for ComparisonTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        _state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let all = || (0..self.schema.fields().len()).collect();
        let projection: Vec<usize> = projection.cloned().unwrap_or_else(all);
        let schema = Arc::new(self.schema.project(&projection)?);
        let part = Part {
            dataset: Arc::clone(&self.dataset),
            full: Arc::clone(&self.schema),
            schema: Arc::clone(&schema),
            projection,
            findings: Arc::clone(&self.findings),
        };
        let plan =
            StreamingTableExec::try_new(schema, vec![Arc::new(part)], None, [], false, limit)?;
        Ok(Arc::new(plan))
    }
}

/// One pass over the dataset, on threads of its own.
#[derive(Debug)]
struct Part {
    dataset: Arc<Dataset>,
    full: SchemaRef,
    schema: SchemaRef,
    projection: Vec<usize>,
    findings: Arc<Mutex<Findings>>,
}

impl PartitionStream for Part {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _context: Arc<TaskContext>) -> SendableRecordBatchStream {
        let mut stream = RecordBatchReceiverStreamBuilder::new(Arc::clone(&self.schema), AHEAD);
        let to_reader = stream.tx();
        let (dataset, full) = (Arc::clone(&self.dataset), Arc::clone(&self.full));
        let projection = self.projection.clone();
        let findings = Arc::clone(&self.findings);
        stream.spawn_blocking(move || {
            let passed = dataset.batches(&full, &projection, |batch| {
                to_reader.blocking_send(Ok(batch)).map_err(|_| Stop::NobodyReads)
            });
            match passed {
                Ok(scan) => {
                    *findings.lock().unwrap_or_else(|e| e.into_inner()) = scan.findings;
                    Ok(())
                }
                Err(Stop::NobodyReads) => Ok(()),
                Err(Stop::Read(error)) => Err(DataFusionError::External(Box::new(error))),
            }
        });
        stream.build()
    }
}

/// Why a pass ended early.
enum Stop {
    /// The query has what it needs.
    NobodyReads,
    Read(ReadError),
}

impl From<ReadError> for Stop {
    fn from(error: ReadError) -> Self {
        Stop::Read(error)
    }
}

impl Dataset {
    /// The dataset as tables of at most some thousand rows, in order, with the columns at `projection` of
    /// its [`schema::schema`].
    ///
    /// # Errors
    /// When a file cannot be read to its end, or with what `each` fails with.
    pub(crate) fn batches<E: From<ReadError>>(
        &self,
        full: &SchemaRef,
        projection: &[usize],
        mut each: impl FnMut(RecordBatch) -> std::result::Result<(), E>,
    ) -> std::result::Result<crate::Scan, E> {
        self.fold(
            || Builder::new(full, projection),
            Builder::push,
            |_, mut builder| if builder.len() == 0 { Ok(()) } else { each(builder.finish()) },
        )
    }
}

/// The narrow columns of a table with this schema, and the extra ones.
pub(crate) fn narrow(full: &SchemaRef) -> Vec<usize> {
    let is_narrow = |i: &usize| {
        schema::COLUMNS.get(*i).is_none_or(|(column, ..): &(Column, _, _)| column.is_narrow())
    };
    (0..full.fields().len()).filter(is_narrow).collect()
}
