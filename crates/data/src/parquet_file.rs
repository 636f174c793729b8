//! A dataset written as one Parquet file of the one shape: whole, or not at all.

use crate::dataset::{Dataset, ReadError, Scan};
use crate::schema;
use crate::table::narrow;
use crate::write::whole_file;
use datafusion::arrow::datatypes::SchemaRef;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::reader::{FileReader, SerializedFileReader};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// The key of what the pass over the source found, in the metadata of the file.
pub(crate) const SCAN_KEY: &str = "polyculture.scan";
/// Rows in a row group: some 50 MB of text.
const ROW_GROUP: usize = 8192;

/// Why a dataset could not be imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The source could not be read to its end.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The file could not be written.
    #[error("could not write `{}`", .path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// Writes a dataset to one Parquet file, with all columns of [`schema`](mod@crate::schema). The file has its
/// name only when it is whole.
///
/// # Errors
/// When the source cannot be read to its end, or the file not be written.
pub fn import(dataset: &Dataset, path: &Path) -> Result<Scan, ImportError> {
    let full = schema::schema(dataset.extra_columns());
    let all: Vec<usize> = (0..full.fields().len()).collect();
    let failed = |source| ImportError::Write { path: path.to_owned(), source };
    whole_file(path, failed, |file| write(dataset, &full, &all, file, settings(), path))
}

/// Writes the narrow columns to a file that lives as long as what is given back.
pub(crate) fn facts(dataset: &Dataset) -> Result<(NamedTempFile, Scan), ImportError> {
    let full = schema::schema(dataset.extra_columns());
    let failed = |source| ImportError::Write { path: std::env::temp_dir(), source };
    let mut file = tempfile::Builder::new().suffix(".parquet").tempfile().map_err(failed)?;
    // It lives for seconds: packing it would take longer than it saves.
    let path = file.path().to_owned();
    let settings = WriterProperties::builder().set_max_row_group_row_count(Some(64 << 10)).build();
    let scan = write(dataset, &full, &narrow(&full), file.as_file_mut(), settings, &path)?;
    Ok((file, scan))
}

/// What the passes over the sources found that these files were imported from, together.
pub(crate) fn scans(paths: &[&Path]) -> Result<Scan, ImportError> {
    let mut all = Scan::default();
    for path in paths {
        let failed = |source| ImportError::Write { path: (*path).to_owned(), source };
        let file = File::open(path).map_err(failed)?;
        let reader = SerializedFileReader::new(file).map_err(|e| failed(e.into()))?;
        let pairs = reader.metadata().file_metadata().key_value_metadata();
        let found = pairs.into_iter().flatten().find(|pair| pair.key == SCAN_KEY);
        // Files that were written anew by another tool have lost it.
        if let Some(scan) = found.and_then(|pair| serde_json::from_str(pair.value.as_ref()?).ok()) {
            all.merge(scan);
        }
    }
    Ok(all)
}

fn settings() -> WriterProperties {
    WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(1).expect("a level of zstd")))
        .set_max_row_group_row_count(Some(ROW_GROUP))
        .set_statistics_enabled(EnabledStatistics::Page)
        .build()
}

fn write(
    dataset: &Dataset,
    full: &SchemaRef,
    projection: &[usize],
    file: &mut (dyn io::Write + Send),
    settings: WriterProperties,
    path: &Path,
) -> Result<Scan, ImportError> {
    let failed = |source| ImportError::Write { path: path.to_owned(), source };
    let schema = full.project(projection).expect("the columns are there");
    let mut writer =
        ArrowWriter::try_new(file, schema.into(), Some(settings)).map_err(|e| failed(e.into()))?;
    let scan = dataset.batches(full, projection, |batch| {
        writer.write(&batch).map_err(|error| failed(error.into()))
    })?;
    let found = serde_json::to_string(&scan).map_err(|e| failed(e.into()))?;
    writer.append_key_value_metadata(KeyValue::new(SCAN_KEY.to_owned(), found));
    let format = (schema::FORMAT_KEY.to_owned(), schema::FORMAT.to_owned());
    writer.append_key_value_metadata(KeyValue::new(format.0, format.1));
    writer.close().map_err(|error| failed(error.into()))?;
    Ok(scan)
}
