//! A split as Parquet files of a size that browsers and streaming readers like: small row groups, and an index of
//! pages, so that a reader fetches only the pages that it needs.

use super::prepare::{Found, Preparation};
use super::report::{PublishError, PublishedSplit, Shard};
use super::{Compression, PublishOptions};
use crate::dataset::{Dataset, Scan};
use crate::schema::{self, Builder};
use datafusion::arrow::array::{Array, RecordBatch};
use datafusion::arrow::datatypes::SchemaRef;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression as Codec, ZstdLevel};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Rows of a row group.
const ROW_GROUP_ROWS: usize = 2000;
/// Bytes of a row group, packed: few enough to be fetched at once.
const ROW_GROUP_BYTES: usize = 16 << 20;
/// Bytes of a page before it is packed.
const PAGE_BYTES: usize = 256 << 10;

/// A split that was written, and what was found on the way.
pub(super) struct Written {
    pub(super) split: PublishedSplit,
    /// The schema of its table.
    pub(super) schema: SchemaRef,
    /// Values that are missing, by column.
    pub(super) missing: Vec<u64>,
    pub(super) found: Found,
    pub(super) scan: Scan,
}

/// Writes a split to `data` in `folder`.
///
/// # Errors
/// When the dataset cannot be read to its end, or a file not be written.
pub(super) fn write_split(
    name: &str,
    dataset: &Dataset,
    preparation: &Preparation,
    options: &PublishOptions,
    folder: &Path,
) -> Result<Written, PublishError> {
    let full = schema::schema(dataset.extra_columns());
    let projection = &preparation.columns.projection;
    let table = SchemaRef::new(full.project(projection).expect("the columns are there"));
    let n_extra = dataset.extra_columns().len();
    let mut found = Found::new(n_extra);
    let mut shards = Shards::new(name, &table, options, folder);
    let scan = dataset.fold(
        || (Builder::new(&full, projection), Found::new(n_extra)),
        |(builder, found), comparison| builder.push(&preparation.apply(comparison, found)),
        |_, (mut builder, block)| {
            found.merge(&block);
            if builder.len() == 0 { Ok(()) } else { shards.write(&builder.finish()) }
        },
    )?;
    let missing = std::mem::take(&mut shards.missing);
    let split = shards.finish()?;
    Ok(Written { split, schema: table, missing, found, scan })
}

struct Shards<'o> {
    name: &'o str,
    table: SchemaRef,
    options: &'o PublishOptions,
    folder: &'o Path,
    open: Option<(ArrowWriter<File>, u64)>,
    /// Rows of those that are done.
    rows: Vec<u64>,
    memory_bytes: u64,
    missing: Vec<u64>,
}

impl<'o> Shards<'o> {
    fn new(
        name: &'o str,
        table: &SchemaRef,
        options: &'o PublishOptions,
        folder: &'o Path,
    ) -> Self {
        Self {
            name,
            table: SchemaRef::clone(table),
            options,
            folder,
            open: None,
            rows: Vec::new(),
            memory_bytes: 0,
            missing: vec![0; table.fields().len()],
        }
    }

    /// The name of a shard before it is known how many there are.
    fn temporary(&self, i: usize) -> PathBuf {
        self.folder.join("data").join(format!("{}-{i:05}.parquet.part", self.name))
    }

    fn write(&mut self, batch: &RecordBatch) -> Result<(), PublishError> {
        for (missing, column) in self.missing.iter_mut().zip(batch.columns()) {
            *missing += column.null_count() as u64;
        }
        let memory = |column: &datafusion::arrow::array::ArrayRef| {
            column.to_data().get_slice_memory_size().unwrap_or_default() as u64
        };
        self.memory_bytes += batch.columns().iter().map(memory).sum::<u64>();
        let mut start = 0;
        while start < batch.num_rows() {
            let path = self.temporary(self.rows.len());
            let failed = |source| PublishError::Write { path: path.clone(), source };
            if self.open.is_none() {
                let file = File::create(&path).map_err(failed)?;
                let table = SchemaRef::clone(&self.table);
                let writer = ArrowWriter::try_new(file, table, Some(settings(self.options)));
                self.open = Some((writer.map_err(|e| failed(e.into()))?, 0));
            }
            let (writer, rows) = self.open.as_mut().expect("it was opened above");
            // Small steps, so that a shard ends soon after it is full.
            let room = self.options.max_shard_rows.max(1).saturating_sub(*rows);
            let step = (batch.num_rows() - start).min(ROW_GROUP_ROWS).min(room as usize);
            writer.write(&batch.slice(start, step)).map_err(|e| failed(e.into()))?;
            start += step;
            *rows += step as u64;
            let bytes = (writer.bytes_written() + writer.in_progress_size()) as u64;
            if *rows >= self.options.max_shard_rows || bytes >= self.options.max_shard_bytes {
                self.close()?;
            }
        }
        Ok(())
    }

    fn close(&mut self) -> Result<(), PublishError> {
        let Some((mut writer, rows)) = self.open.take() else { return Ok(()) };
        let path = self.temporary(self.rows.len());
        let failed = |source| PublishError::Write { path: path.clone(), source };
        let format = (schema::FORMAT_KEY.to_owned(), schema::FORMAT.to_owned());
        writer.append_key_value_metadata(KeyValue::new(format.0, format.1));
        writer.finish().map_err(|e| failed(e.into()))?;
        writer.inner().sync_all().map_err(failed)?;
        self.rows.push(rows);
        Ok(())
    }

    /// Gives the shards their names.
    fn finish(mut self) -> Result<PublishedSplit, PublishError> {
        self.close()?;
        if self.rows.is_empty() {
            // A split without rows is a table without rows.
            let path = self.temporary(0);
            let failed = |source| PublishError::Write { path: path.clone(), source };
            let file = File::create(&path).map_err(failed)?;
            let table = SchemaRef::clone(&self.table);
            let writer = ArrowWriter::try_new(file, table, Some(settings(self.options)));
            self.open = Some((writer.map_err(|e| failed(e.into()))?, 0));
            self.close()?;
        }
        let n = self.rows.len();
        let mut shards = Vec::with_capacity(n);
        for (i, rows) in self.rows.iter().enumerate() {
            let path = format!("data/{}-{i:05}-of-{n:05}.parquet", self.name);
            let whole = self.folder.join(&path);
            let failed = |source| PublishError::Write { path: whole.clone(), source };
            std::fs::rename(self.temporary(i), &whole).map_err(failed)?;
            let (bytes, sha256) = digest(&whole).map_err(failed)?;
            shards.push(Shard { path, rows: *rows, bytes, sha256 });
        }
        let rows = self.rows.iter().sum();
        let memory_bytes = self.memory_bytes;
        Ok(PublishedSplit { name: self.name.to_owned(), rows, memory_bytes, shards })
    }
}

fn settings(options: &PublishOptions) -> WriterProperties {
    let codec = match options.compression {
        Compression::Zstd => Codec::ZSTD(ZstdLevel::try_new(3).expect("a level of zstd")),
        Compression::Snappy => Codec::SNAPPY,
    };
    WriterProperties::builder()
        .set_compression(codec)
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .set_max_row_group_bytes(Some(ROW_GROUP_BYTES))
        .set_data_page_size_limit(PAGE_BYTES)
        // Texts seldom repeat, and a writer that looks at every value cuts pages where they are full.
        .set_write_batch_size(64)
        .set_statistics_enabled(EnabledStatistics::Page)
        .set_offset_index_disabled(false)
        .build()
}

/// The size and the SHA-256 of a file.
fn digest(path: &Path) -> io::Result<(u64, String)> {
    let mut file = File::open(path)?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    let mut bytes = 0;
    loop {
        match file.read(&mut buffer)? {
            0 => break,
            n => {
                hasher.update(&buffer[..n]);
                bytes += n as u64;
            }
        }
    }
    let mut digits = String::with_capacity(64);
    for byte in hasher.finalize() {
        let _ = write!(digits, "{byte:02x}");
    }
    Ok((bytes, digits))
}
