//! JSON Lines: one record a line, each with its format's name and version, appended and never
//! rewritten, so that a killed run loses at most the record it was writing.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

/// A record that knows the name and version of its shape.
pub trait Format: Serialize + DeserializeOwned {
    /// Such as `polyculture.candidates/1`.
    const FORMAT: &'static str;
}

/// Why a JSON Lines file could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum JsonlError {
    /// The file itself.
    #[error("{}: {source}", .path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A line that is no record.
    #[error("{}:{line}: {message}", .path.display())]
    Line {
        /// Which file.
        path: PathBuf,
        /// Which line, counted from 1.
        line: usize,
        /// What is wrong with it.
        message: String,
    },
    /// The file ends in the middle of a record.
    #[error("{}:{line}: the record is cut off: `{start}`; run the stage again to finish it, or delete the line", .path.display())]
    CutOff {
        /// Which file.
        path: PathBuf,
        /// Which line, counted from 1.
        line: usize,
        /// How the line begins.
        start: String,
    },
}

impl JsonlError {
    /// Whether the system failed (a full disk, a broken device) rather than what was named or
    /// written.
    #[must_use]
    pub fn is_world(&self) -> bool {
        match self {
            JsonlError::File { source, .. } => is_system_failure(source),
            JsonlError::Line { .. } | JsonlError::CutOff { .. } => false,
        }
    }
}

/// Whether an error of the file system is the system's own, not that of a wrong name.
#[must_use]
pub fn is_system_failure(error: &std::io::Error) -> bool {
    use std::io::ErrorKind;
    !matches!(
        error.kind(),
        ErrorKind::NotFound
            | ErrorKind::IsADirectory
            | ErrorKind::NotADirectory
            | ErrorKind::InvalidInput
    )
}

/// A record and the line that it stands on, counted from 1.
#[derive(Debug, Clone, PartialEq)]
pub struct Row<T> {
    /// The line's number.
    pub line: usize,
    /// What it says.
    pub record: T,
}

/// Reads a file record by record, in constant memory. Lines without `"format"` are taken as they
/// are: another tool may have written them.
///
/// # Errors
/// If the file cannot be opened; each line that is no record is an item of its own, and reading
/// can go on after it.
pub fn rows<T: Format>(
    path: &Path,
) -> Result<impl Iterator<Item = Result<Row<T>, JsonlError>> + use<T>, JsonlError> {
    let file = File::open(path).map_err(|source| file_error(path, source))?;
    let path = path.to_owned();
    let mut reader = BufReader::new(file);
    let mut line = 0;
    let mut bytes = Vec::new();
    Ok(std::iter::from_fn(move || {
        loop {
            bytes.clear();
            line += 1;
            match reader.read_until(b'\n', &mut bytes) {
                Err(source) => return Some(Err(file_error(&path, source))),
                Ok(0) => return None,
                Ok(_) => {}
            }
            let finished = bytes.ends_with(b"\n");
            if bytes.trim_ascii().is_empty() {
                continue;
            }
            return Some(match parse::<T>(&bytes) {
                Ok(record) => Ok(Row { line, record }),
                Err(LineError::Syntax(_)) if !finished => {
                    Err(JsonlError::CutOff { path: path.clone(), line, start: start(&bytes) })
                }
                Err(LineError::Syntax(message) | LineError::Shape(message)) => {
                    Err(JsonlError::Line { path: path.clone(), line, message })
                }
            });
        }
    }))
}

/// Reads a whole file.
///
/// # Errors
/// The first line that is no record.
pub fn read<T: Format>(path: &Path) -> Result<Vec<T>, JsonlError> {
    rows(path)?.map(|row| row.map(|row| row.record)).collect()
}

/// Appends records to a file.
#[derive(Debug)]
pub struct JsonlWriter<T> {
    path: PathBuf,
    file: File,
    shape: PhantomData<fn(&T)>,
}

/// What [`JsonlWriter::resume`] found.
#[derive(Debug)]
pub struct Resumed<T> {
    /// The writer, at the end of the file.
    pub writer: JsonlWriter<T>,
    /// The records that are already there.
    pub records: Vec<T>,
    /// The half-written record that an earlier, killed run left at the end, and that was taken off.
    pub cut_off: Option<String>,
}

impl<T: Format> JsonlWriter<T> {
    /// Starts a file anew.
    ///
    /// # Errors
    /// If it or its folder cannot be made.
    pub fn create(path: &Path) -> Result<Self, JsonlError> {
        make_parent(path)?;
        let file = File::create(path).map_err(|source| file_error(path, source))?;
        Ok(Self { path: path.to_owned(), file, shape: PhantomData })
    }

    /// Opens a file to go on with it, or makes it. A half-written last record is taken off.
    ///
    /// # Errors
    /// If the file cannot be opened, or a line before the last is no record: then nothing is changed.
    pub fn resume(path: &Path) -> Result<Resumed<T>, JsonlError> {
        make_parent(path)?;
        let mut file = OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .open(path)
            .map_err(|source| file_error(path, source))?;
        let mut records = Vec::new();
        let mut cut_off = None;
        for row in rows::<T>(path)? {
            match row {
                Ok(row) => records.push(row.record),
                Err(JsonlError::CutOff { start, .. }) => cut_off = Some(start),
                Err(error) => return Err(error),
            }
        }
        mend_end(&mut file, cut_off.is_some()).map_err(|source| file_error(path, source))?;
        let writer = Self { path: path.to_owned(), file, shape: PhantomData };
        Ok(Resumed { writer, records, cut_off })
    }

    /// Appends one record, with one write of one whole line.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn append(&mut self, record: &T) -> Result<(), JsonlError> {
        let mut line = serde_json::to_vec(&Line { format: T::FORMAT, record })
            .map_err(|source| file_error(&self.path, source.into()))?;
        line.push(b'\n');
        self.file.write_all(&line).map_err(|source| file_error(&self.path, source))
    }
}

/// Writes a file of records whole: what had the name before has it until the last one is written.
///
/// # Errors
/// If the file cannot be written.
pub fn write<T: Format>(path: &Path, records: &[T]) -> Result<(), JsonlError> {
    make_parent(path)?;
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let new = path.with_file_name(name);
    let write = || {
        let mut file = std::io::BufWriter::with_capacity(1 << 16, File::create(&new)?);
        for record in records {
            serde_json::to_writer(&mut file, &Line { format: T::FORMAT, record })?;
            file.write_all(b"\n")?;
        }
        file.into_inner().map_err(std::io::IntoInnerError::into_error)?.sync_all()?;
        std::fs::rename(&new, path)
    };
    write().map_err(|source| file_error(path, source))
}

#[derive(Serialize)]
struct Line<'a, T> {
    format: &'static str,
    #[serde(flatten)]
    record: &'a T,
}

enum LineError {
    /// No JSON: perhaps only the beginning of it.
    Syntax(String),
    /// JSON of another shape.
    Shape(String),
}

fn parse<T: Format>(bytes: &[u8]) -> Result<T, LineError> {
    #[derive(Deserialize)]
    struct Tag {
        format: Option<String>,
    }
    let text = std::str::from_utf8(bytes.trim_ascii_end())
        .map_err(|e| LineError::Syntax(format!("the line is not UTF-8: {e}")))?;
    match serde_json::from_str::<Tag>(text) {
        Ok(Tag { format: Some(format) }) if format != T::FORMAT => {
            return Err(LineError::Shape(format!(
                "format is `{format}`, and `{}` is needed here",
                T::FORMAT
            )));
        }
        Ok(_) => {}
        Err(error) => return Err(line_error(&error)),
    }
    serde_json::from_str(text).map_err(|error| line_error(&error))
}

fn line_error(error: &serde_json::Error) -> LineError {
    // serde_json counts lines in the record, which is always one: only the column says something.
    let message = error.to_string();
    let message = match message.rsplit_once(" at line ") {
        Some((what, place)) => match place.split_once("column ") {
            Some((_, column)) if column != "0" => format!("{what} (column {column})"),
            _ => what.to_owned(),
        },
        None => message,
    };
    if error.is_data() { LineError::Shape(message) } else { LineError::Syntax(message) }
}

fn start(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).chars().take(60).collect()
}

/// Takes a half-written last line off, or ends a whole one that has no line break yet.
fn mend_end(file: &mut File, cut_off: bool) -> std::io::Result<()> {
    let length = file.metadata()?.len();
    if length == 0 {
        return Ok(());
    }
    let mut last = [0u8];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    if last == *b"\n" {
        return Ok(());
    }
    if !cut_off {
        return file.write_all(b"\n");
    }
    let mut keep = length;
    while keep > 0 {
        file.seek(SeekFrom::Start(keep - 1))?;
        file.read_exact(&mut last)?;
        if last == *b"\n" {
            break;
        }
        keep -= 1;
    }
    file.set_len(keep)
}

fn make_parent(path: &Path) -> Result<(), JsonlError> {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => {
            std::fs::create_dir_all(folder).map_err(|source| file_error(folder, source))
        }
        _ => Ok(()),
    }
}

fn file_error(path: &Path, source: std::io::Error) -> JsonlError {
    JsonlError::File { path: path.to_owned(), source }
}

#[cfg(test)]
mod tests;
