//! Files as people have them: one or several, compressed or not, found by name or pattern.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

/// One file of a dataset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Input {
    pub(crate) path: PathBuf,
    /// As it was named, for messages.
    pub(crate) name: String,
}

/// Why nothing could be found under a name.
#[derive(Debug, thiserror::Error)]
pub enum InputError {
    /// Nothing is there.
    #[error("`{0}` does not exist")]
    Missing(String),
    /// A pattern that matches no file.
    #[error("no file matches `{0}`")]
    NoMatch(String),
    /// A pattern that is none.
    #[error("`{0}` is no pattern: {1}")]
    Pattern(String, String),
    /// A directory without anything to read.
    #[error(
        "`{0}` is a directory without a file that could be read (.csv, .tsv, .jsonl, .json, .parquet, also .gz or .zst)"
    )]
    EmptyDirectory(String),
    /// The file or directory could not be looked at.
    #[error("could not read `{0}`")]
    Io(String, #[source] io::Error),
}

/// The files that `name` means: a file, all data files in a directory, or those that match a pattern.
pub(crate) fn find(name: &str) -> Result<Vec<Input>, InputError> {
    let path = Path::new(name);
    if path.is_dir() {
        return directory(path, name);
    }
    if path.exists() {
        return Ok(vec![Input { path: path.to_owned(), name: name.to_owned() }]);
    }
    if !name.contains(['*', '?', '[']) {
        return Err(InputError::Missing(name.to_owned()));
    }
    let matches =
        glob::glob(name).map_err(|e| InputError::Pattern(name.to_owned(), e.to_string()))?;
    let mut inputs = Vec::new();
    for path in matches {
        let path = path.map_err(|e| InputError::Io(name.to_owned(), e.into()))?;
        if path.is_file() {
            inputs.push(Input { name: path.display().to_string(), path });
        }
    }
    if inputs.is_empty() { Err(InputError::NoMatch(name.to_owned())) } else { Ok(inputs) }
}

fn directory(path: &Path, name: &str) -> Result<Vec<Input>, InputError> {
    let failed = |e| InputError::Io(name.to_owned(), e);
    let mut inputs = Vec::new();
    for entry in path.read_dir().map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let is_data = Container::of(&path).is_some() && !is_description(&path);
        if path.is_file() && is_data {
            inputs.push(Input { name: path.display().to_string(), path });
        }
    }
    inputs.sort_by(|a, b| a.path.cmp(&b.path));
    if inputs.is_empty() { Err(InputError::EmptyDirectory(name.to_owned())) } else { Ok(inputs) }
}

/// Files that stand beside the data in folders of the Hub and say what it is.
fn is_description(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str());
    name.is_some_and(|name| {
        ["dataset_info.json", "dataset_infos.json", "croissant.json", "state.json"].contains(&name)
    })
}

/// How records stand in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Container {
    /// Cells between commas, or another byte.
    Csv(u8),
    /// One JSON object a line.
    JsonLines,
    /// One JSON array of objects.
    JsonArray,
    /// Parquet.
    Parquet,
}

impl Container {
    /// What the file's name says, whatever compression is on top.
    pub(crate) fn of(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?.to_ascii_lowercase();
        let name = [".gz", ".zst"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(&name);
        match name.rsplit_once('.')?.1 {
            "csv" => Some(Self::Csv(b',')),
            "tsv" => Some(Self::Csv(b'\t')),
            // An array of objects is told from lines when the file is looked at.
            "jsonl" | "ndjson" | "json" => Some(Self::JsonLines),
            "parquet" => Some(Self::Parquet),
            _ => None,
        }
    }
}

impl Input {
    /// The file's bytes, decompressed if its first bytes say so.
    pub(crate) fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        let mut file = File::open(&self.path)?;
        let mut magic = [0; 4];
        let n = read_full(&mut file, &mut magic)?;
        let whole = io::Cursor::new(magic).take(n as u64).chain(file);
        Ok(match &magic[..n] {
            [0x1f, 0x8b, ..] => {
                // Several members after one another are one stream, as `cat a.gz b.gz` makes them.
                Box::new(flate2::bufread::MultiGzDecoder::new(BufReader::new(whole)))
            }
            [0x28, 0xb5, 0x2f, 0xfd] => Box::new(zstd::stream::read::Decoder::new(whole)?),
            _ => Box::new(whole),
        })
    }

    /// The first `n` bytes, decompressed.
    pub(crate) fn head(&self, n: usize) -> io::Result<Vec<u8>> {
        let mut head = Vec::new();
        self.open()?.take(n as u64).read_to_end(&mut head)?;
        Ok(head)
    }
}

fn read_full(file: &mut File, buffer: &mut [u8]) -> io::Result<usize> {
    let mut n = 0;
    while n < buffer.len() {
        match file.read(&mut buffer[n..]) {
            Ok(0) => break,
            Ok(more) => n += more,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(n)
}
