//! Names in the place of ids: the same id has the same pseudonym as long as the key is the same, and nobody
//! without the key can tell which id it was, not even by trying all ids that there are.

use serde::Serialize;
use std::fmt;
use std::path::{Path, PathBuf};

/// The variable that holds the key.
const VARIABLE: &str = "POLYCULTURE_PSEUDONYM_KEY";
/// What a derived key is for, so that the same secret used elsewhere gives another key.
const CONTEXT: &str = "polyculture 2026-01 pseudonyms of annotators and conversations";
/// Shorter secrets can be guessed.
const SHORTEST: usize = 16;
/// Digits of a pseudonym: 80 bits, so that among a million ids two share one with a chance of one in a trillion.
const DIGITS: usize = 20;

/// The key of pseudonyms. It is neither shown nor written anywhere.
#[derive(Clone, PartialEq, Eq)]
pub struct PseudonymKey {
    key: [u8; 32],
    source: KeySource,
}

/// Where the key of pseudonyms came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeySource {
    /// A file that only its owner can read.
    File,
    /// The environment.
    Environment,
    /// Nowhere: it was drawn for this one time, and is gone. Another run gives other pseudonyms.
    Random,
}

/// Why a key of pseudonyms cannot be used. Names where it stands, never what it is.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file cannot be read.
    #[error("could not read the key of pseudonyms in `{}`", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Others could read it, too.
    #[error("the key of pseudonyms in `{}` can be read by others (mode {mode:o}); run `chmod 600` on it", .path.display())]
    Mode {
        /// The file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// Too short to be safe.
    #[error(
        "the key of pseudonyms in `{place}` is shorter than {SHORTEST} characters; `openssl rand -hex 32` makes a good one"
    )]
    Short {
        /// The variable or the file.
        place: String,
    },
    /// The system gives no random numbers.
    #[error("the system gives no random numbers for a key of pseudonyms: {0}")]
    Random(String),
}

impl PseudonymKey {
    /// The key in a file of mode 600; white space around it is dropped.
    ///
    /// # Errors
    /// When it cannot be read, others can read it, or it is too short.
    pub fn from_file(path: &Path) -> Result<Self, KeyError> {
        let failed = |source| KeyError::File { path: path.to_owned(), source };
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::metadata(path).map_err(failed)?.permissions().mode() & 0o777;
            if mode & 0o077 != 0 {
                return Err(KeyError::Mode { path: path.to_owned(), mode });
            }
        }
        let secret = std::fs::read_to_string(path).map_err(failed)?;
        Self::derive(&secret, KeySource::File, &path.display().to_string())
    }

    /// The key in the variable `POLYCULTURE_PSEUDONYM_KEY`; nothing if it is not set.
    ///
    /// # Errors
    /// When it is too short.
    pub fn from_env() -> Result<Option<Self>, KeyError> {
        let secret = std::env::var(VARIABLE).ok().filter(|secret| !secret.is_empty());
        secret.map(|secret| Self::derive(&secret, KeySource::Environment, VARIABLE)).transpose()
    }

    /// A key for this one time.
    ///
    /// # Errors
    /// When the system gives no random numbers.
    pub fn random() -> Result<Self, KeyError> {
        let mut key = [0; 32];
        getrandom::fill(&mut key).map_err(|error| KeyError::Random(error.to_string()))?;
        Ok(Self { key, source: KeySource::Random })
    }

    fn derive(secret: &str, source: KeySource, place: &str) -> Result<Self, KeyError> {
        let secret = secret.trim();
        if secret.len() < SHORTEST {
            return Err(KeyError::Short { place: place.to_owned() });
        }
        Ok(Self { key: blake3::derive_key(CONTEXT, secret.as_bytes()), source })
    }

    /// Where it came from.
    #[must_use]
    pub fn source(&self) -> KeySource {
        self.source
    }

    /// The pseudonym of an annotator: `a` and twenty digits.
    pub(super) fn annotator(&self, id: &str) -> String {
        self.pseudonym('a', id)
    }

    /// The pseudonym of a conversation: `c` and twenty digits.
    pub(super) fn conversation(&self, id: &str) -> String {
        self.pseudonym('c', id)
    }

    fn pseudonym(&self, kind: char, id: &str) -> String {
        // The kind is hashed too: an annotator and a conversation of one id are not linked.
        let mut hasher = blake3::Hasher::new_keyed(&self.key);
        hasher.update(&[kind as u8, 0x1f]).update(id.as_bytes());
        let mut pseudonym = String::from(kind);
        pseudonym.push_str(&hasher.finalize().to_hex()[..DIGITS]);
        pseudonym
    }
}

impl fmt::Debug for PseudonymKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PseudonymKey({:?})", self.source)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(secret: &str) -> PseudonymKey {
        PseudonymKey::derive(secret, KeySource::Environment, "test").unwrap()
    }

    #[test]
    fn one_key_gives_one_pseudonym_and_another_key_another() {
        let (a, b) = (key("a secret of good length"), key("another secret, as long"));
        assert_eq!(a.annotator("1"), a.annotator("1"));
        assert_ne!(a.annotator("1"), b.annotator("1"));
        assert_ne!(a.annotator("1"), a.annotator("2"));
        assert_ne!(a.annotator("1")[1..], a.conversation("1")[1..]);
        // Stable over versions: what was published once can be added to.
        assert_eq!(
            a.annotator("61575132632095"),
            key(" a secret of good length\n").annotator("61575132632095")
        );
        assert_eq!(a.annotator("1").len(), 21);
        assert_ne!(
            PseudonymKey::random().unwrap().annotator("1"),
            PseudonymKey::random().unwrap().annotator("1")
        );
    }

    #[test]
    fn the_key_is_not_shown() {
        let key = key("a secret of good length");
        assert_eq!(format!("{key:?}"), "PseudonymKey(Environment)");
        let short = PseudonymKey::derive("hunter2", KeySource::File, "key.txt").unwrap_err();
        assert!(!short.to_string().contains("hunter2"));
        assert!(short.to_string().contains("key.txt"));
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_can_read_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        std::fs::write(&path, "a secret of good length").unwrap();
        let set = |mode| {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        };
        set(0o644);
        assert!(matches!(PseudonymKey::from_file(&path), Err(KeyError::Mode { mode: 0o644, .. })));
        set(0o600);
        assert_eq!(PseudonymKey::from_file(&path).unwrap().source(), KeySource::File);
        let missing = PseudonymKey::from_file(&folder.path().join("none"));
        assert!(matches!(missing, Err(KeyError::File { .. })));
    }
}
