//! The files of a folder that is to be pushed, with the ids that the Hub knows them by.

use crate::digest;
use crate::error::RemoteError;
use crate::name::is_safe;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// What the Hub guesses a file's kind from, in bytes.
const SAMPLE: u64 = 512;

/// A file, as it was when it was read.
pub(super) struct LocalFile {
    /// Below the folder, with `/`.
    pub(super) path: String,
    pub(super) place: PathBuf,
    pub(super) size: u64,
    pub(super) sha256: String,
    /// None if it is too large to be anywhere but behind LFS.
    pub(super) git_id: Option<String>,
    /// Its beginning.
    pub(super) sample: Vec<u8>,
}

/// All files of a folder and of those in it, in the order of their paths, without hidden ones.
pub(super) fn read(folder: &Path) -> Result<Vec<LocalFile>, RemoteError> {
    let mut files = Vec::new();
    walk(folder, "", &mut files)?;
    files.sort();
    if files.is_empty() {
        let nothing = io::Error::new(io::ErrorKind::NotFound, "there is no file in it to push");
        return Err(RemoteError::io(folder)(nothing));
    }
    files.into_iter().map(|(path, place)| measure(path, place)).collect()
}

fn walk(folder: &Path, above: &str, files: &mut Vec<(String, PathBuf)>) -> Result<(), RemoteError> {
    for entry in fs::read_dir(folder).map_err(RemoteError::io(folder))? {
        let entry = entry.map_err(RemoteError::io(folder))?;
        let place = entry.path();
        let kind = entry.file_type().map_err(RemoteError::io(&place))?;
        let refuse =
            |why: &str| RemoteError::io(&place)(io::Error::new(io::ErrorKind::InvalidInput, why));
        let name = entry.file_name();
        let name = name.to_str().ok_or_else(|| refuse("its name is not UTF-8"))?;
        if name.starts_with('.') {
            continue;
        }
        if !is_safe(name) {
            return Err(refuse("its name has a character that the Hub does not take"));
        }
        let path = format!("{above}{name}");
        if kind.is_dir() {
            walk(&place, &format!("{path}/"), files)?;
        } else if kind.is_file() {
            files.push((path, place));
        } else {
            // What a link leads to may not be meant to be published.
            return Err(refuse("it is neither a file nor a folder; put a copy in its place"));
        }
    }
    Ok(())
}

fn measure(path: String, place: PathBuf) -> Result<LocalFile, RemoteError> {
    let read = || {
        let mut file = File::open(&place)?;
        let size = file.metadata()?.len();
        let mut sample = Vec::new();
        file.by_ref().take(SAMPLE).read_to_end(&mut sample)?;
        let (sha256, git_id) = digest::ids(&mut file, size)?;
        Ok((size, sample, sha256, git_id))
    };
    let (size, sample, sha256, git_id) = read().map_err(RemoteError::io(&place))?;
    Ok(LocalFile { path, place, size, sha256, git_id, sample })
}
