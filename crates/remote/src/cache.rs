//! The cache folder: where files lie in it, and what each name stood for when it was last resolved.
//!
//! Files lie by place and version (`hf/HOST/OWNER/NAME/COMMIT/PATH`, `s3/HOST/BUCKET/ETAG/KEY`), so
//! that a version is never overwritten by another. `names/` holds one listing for each name that was
//! asked for: without a network it says which files a folder or a glob stands for, and that all are there.

use crate::error::RemoteError;
use crate::name::is_storable;
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

const FORMAT: &str = "polyculture.remote-listing/1";

/// So that no two writers share a temporary file.
static WRITES: AtomicU64 = AtomicU64::new(0);

/// What a name stands for.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Listing {
    format: String,
    /// As it was given.
    name: String,
    /// Whether it is a folder: then the caller's filter picks from the files.
    pub(crate) is_folder: bool,
    pub(crate) files: Vec<Listed>,
}

/// A file of a listing.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Listed {
    /// Below the folder or the bucket that it is in, with `/`.
    pub(crate) path: String,
    /// Below the cache folder, with `/`.
    pub(crate) cached: String,
    pub(crate) size: u64,
}

impl Listing {
    pub(crate) fn new(name: &str, is_folder: bool, files: Vec<Listed>) -> Self {
        Self { format: FORMAT.to_owned(), name: name.to_owned(), is_folder, files }
    }

    /// Reads what `name` at `server` stood for; nothing if that is not known.
    pub(crate) fn read(cache: &Path, server: &str, name: &str) -> Option<Self> {
        let text = fs::read_to_string(path(cache, server, name)).ok()?;
        let listing: Self = serde_json::from_str(&text).ok()?;
        let ours = listing.format == FORMAT && listing.name == name;
        (ours && listing.files.iter().all(|file| is_storable(&file.cached))).then_some(listing)
    }

    /// Writes it, so that a reader sees the old one or the new one.
    pub(crate) fn write(&self, cache: &Path, server: &str) -> Result<(), RemoteError> {
        let path = path(cache, server, &self.name);
        let (process, write) = (std::process::id(), WRITES.fetch_add(1, Ordering::Relaxed));
        let temporary = path.with_extension(format!("{process}-{write}.part"));
        let text = serde_json::to_string_pretty(self).expect("it has only texts and numbers");
        let folder = path.parent().expect("it lies in `names`");
        fs::create_dir_all(folder).map_err(RemoteError::io(folder))?;
        fs::write(&temporary, text).map_err(RemoteError::io(&temporary))?;
        fs::rename(&temporary, &path).map_err(RemoteError::io(&path))
    }
}

impl Listed {
    pub(crate) fn place(&self, cache: &Path) -> PathBuf {
        // With the separators of this system.
        self.cached.split('/').fold(cache.to_owned(), |path, part| path.join(part))
    }

    /// Whether the whole file is in its place.
    pub(crate) fn is_here(&self, cache: &Path) -> bool {
        fs::metadata(self.place(cache)).is_ok_and(|file| file.is_file() && file.len() == self.size)
    }
}

fn path(cache: &Path, server: &str, name: &str) -> PathBuf {
    let digest = crate::digest::sha256(&format!("{server}\n{name}"));
    cache.join("names").join(format!("{}.json", &digest[..32]))
}
