//! Files that have their name only when they are whole: a full disk or a killed run leaves no half file.

use flate2::write::GzEncoder;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// Why a file could not be written.
#[derive(Debug, thiserror::Error)]
#[error("could not write `{}`", .path.display())]
pub struct WriteError {
    /// The file.
    pub path: PathBuf,
    /// Why.
    #[source]
    pub source: io::Error,
}

/// A file under way: it stands under another name in the same folder until [`WholeFile::finish`], and is
/// gone if that never comes.
pub(crate) struct WholeFile {
    path: PathBuf,
    sink: Sink,
}

type Buffered = BufWriter<NamedTempFile>;

enum Sink {
    Plain(Buffered),
    Gzip(GzEncoder<Buffered>),
    Zstd(zstd::stream::write::Encoder<'static, Buffered>),
}

/// Whether a file of that name is compressed.
pub(crate) fn is_compressed(path: &Path) -> bool {
    has_ending(path, "gz") || has_ending(path, "zst")
}

fn has_ending(path: &Path, ending: &str) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case(ending))
}

impl WholeFile {
    /// Begins a file, compressed if its name ends in `.gz` or `.zst`.
    ///
    /// # Errors
    /// When the folder is not there or may not be written to.
    pub(crate) fn create(path: &Path) -> Result<Self, WriteError> {
        let begin = || {
            let file = BufWriter::with_capacity(1 << 18, temporary(folder_of(path))?);
            Ok(if has_ending(path, "gz") {
                Sink::Gzip(GzEncoder::new(file, flate2::Compression::default()))
            } else if has_ending(path, "zst") {
                let mut encoder = zstd::stream::write::Encoder::new(file, 0)?;
                encoder.include_checksum(true)?;
                Sink::Zstd(encoder)
            } else {
                Sink::Plain(file)
            })
        };
        let sink = begin().map_err(|source| WriteError { path: path.to_owned(), source })?;
        Ok(Self { path: path.to_owned(), sink })
    }

    /// The name that the file will have.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Appends bytes.
    ///
    /// # Errors
    /// When the disk is full or broken.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), WriteError> {
        let written = match &mut self.sink {
            Sink::Plain(file) => file.write_all(bytes),
            Sink::Gzip(file) => file.write_all(bytes),
            Sink::Zstd(file) => file.write_all(bytes),
        };
        written.map_err(|source| WriteError { path: self.path.clone(), source })
    }

    /// Gives the file its name, in place of what had it before.
    ///
    /// # Errors
    /// When the disk is full or broken; what had the name before then still has it.
    pub(crate) fn finish(self) -> Result<(), WriteError> {
        let Self { path, sink } = self;
        let finish = || {
            let file = match sink {
                Sink::Plain(file) => file,
                Sink::Gzip(encoder) => encoder.finish()?,
                Sink::Zstd(encoder) => encoder.finish()?,
            };
            let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
            file.as_file().sync_all()?;
            file.persist(&path).map_err(|error| error.error)?;
            Ok(())
        };
        finish().map_err(|source| WriteError { path: path.clone(), source })
    }
}

/// Writes a short file, whole or not at all.
///
/// # Errors
/// As [`WholeFile`].
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), WriteError> {
    let mut file = WholeFile::create(path)?;
    file.write(bytes)?;
    file.finish()
}

/// Writes a file through `write`, which has its name only when that has come to its end.
///
/// # Errors
/// What `write` fails with, or `failed` of what the disk does.
pub fn whole_file<T, E>(
    path: &Path,
    failed: impl Fn(io::Error) -> E,
    write: impl FnOnce(&mut (dyn Write + Send)) -> Result<T, E>,
) -> Result<T, E> {
    let mut file = temporary(folder_of(path)).map_err(&failed)?;
    let written = write(&mut file)?;
    file.as_file().sync_all().map_err(&failed)?;
    file.persist(path).map_err(|error| failed(error.error))?;
    Ok(written)
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// A temporary file with the permissions that any new file has: only its owner could read it otherwise.
fn temporary(folder: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".polyculture-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    builder.tempfile_in(folder)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::io::Read;

    fn read(path: &Path) -> String {
        let bytes = fs::read(path).expect("there");
        let mut text = String::new();
        let mut reader: Box<dyn Read> = match path.extension().and_then(|e| e.to_str()) {
            Some("gz") => Box::new(flate2::read::GzDecoder::new(&bytes[..])),
            Some("zst") => Box::new(zstd::stream::read::Decoder::new(&bytes[..]).expect("zstd")),
            _ => Box::new(&bytes[..]),
        };
        reader.read_to_string(&mut text).expect("whole");
        text
    }

    #[test]
    fn a_file_has_its_name_only_when_it_is_whole() {
        let folder = tempfile::tempdir().expect("a folder");
        for name in ["a.jsonl", "a.jsonl.gz", "a.jsonl.zst"] {
            let path = folder.path().join(name);
            fs::write(&path, "before").expect("written");
            let mut file = WholeFile::create(&path).expect("begun");
            file.write(b"half").expect("written");
            drop(file);
            assert_eq!(fs::read(&path).expect("there"), b"before", "{name}");
            let mut file = WholeFile::create(&path).expect("begun");
            file.write(b"whole ").expect("written");
            file.write("été".as_bytes()).expect("written");
            file.finish().expect("finished");
            assert_eq!(read(&path), "whole été", "{name}");
        }
        let left = fs::read_dir(folder.path()).expect("there").count();
        assert_eq!(left, 3, "no temporary file is left");
    }

    #[test]
    fn an_error_names_the_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("no/such/folder/a.jsonl");
        let error = write_whole(&path, b"x").expect_err("no folder");
        assert_eq!(error.path, path);
        assert_eq!(error.source.kind(), io::ErrorKind::NotFound);
    }

    #[cfg(unix)]
    #[test]
    fn others_may_read_it_as_any_other_file() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("a folder");
        let [usual, ours] = ["usual", "ours"].map(|name| folder.path().join(name));
        fs::write(&usual, "x").expect("written");
        write_whole(&ours, b"x").expect("written");
        let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode();
        assert_eq!(mode(&ours), mode(&usual));
    }
}
