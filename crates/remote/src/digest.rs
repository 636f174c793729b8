//! Checks of what came against what was announced.

use ring::digest::{Context, SHA1_FOR_LEGACY_USE_ONLY, SHA256};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

/// What must be true of a file's content, beside its size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Check {
    /// Its SHA-256, in lower-case hexadecimal: what LFS names.
    Sha256(String),
    /// The id that git gives it: SHA-1 of a header and the content.
    GitBlob(String),
    /// Nothing but its size is known.
    Size,
}

/// A digest that is being made.
pub(crate) struct Running {
    context: Option<Context>,
    expected: String,
}

impl Check {
    /// Begins to check a file of `size` bytes.
    pub(crate) fn start(&self, size: u64) -> Running {
        let (context, expected) = match self {
            Self::Sha256(expected) => (Some(Context::new(&SHA256)), expected.as_str()),
            Self::GitBlob(expected) => (Some(git_blob(size)), expected.as_str()),
            Self::Size => (None, ""),
        };
        Running { context, expected: expected.to_owned() }
    }
}

impl Running {
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        if let Some(context) = &mut self.context {
            context.update(bytes);
        }
    }

    /// What is wrong with all that came, if anything.
    pub(crate) fn problem(self) -> Option<String> {
        let found = hex(self.context?.finish().as_ref());
        (found != self.expected)
            .then(|| format!("its digest is {found}, and should be {}", self.expected))
    }
}

/// Reads a file from its beginning to its end, piece by piece.
pub(crate) fn read_through(file: &mut File, mut each: impl FnMut(&[u8])) -> io::Result<()> {
    file.seek(SeekFrom::Start(0))?;
    let mut buffer = vec![0; 1 << 18];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(()),
            n => each(&buffer[..n]),
        }
    }
}

/// Larger files are behind LFS in any case, and SHA-1 is slow here.
const GIT_ID_UP_TO: u64 = 64 << 20;

/// SHA-256 of a file of `size` bytes, and its git id if it is not too large for one, in one reading.
pub(crate) fn ids(file: &mut File, size: u64) -> io::Result<(String, Option<String>)> {
    let mut sha256 = Context::new(&SHA256);
    let mut git = (size <= GIT_ID_UP_TO).then(|| git_blob(size));
    read_through(file, |bytes| {
        sha256.update(bytes);
        if let Some(git) = &mut git {
            git.update(bytes);
        }
    })?;
    Ok((hex(sha256.finish().as_ref()), git.map(|git| hex(git.finish().as_ref()))))
}

/// SHA-256 of a short text, in hexadecimal.
pub(crate) fn sha256(text: &str) -> String {
    hex(ring::digest::digest(&SHA256, text.as_bytes()).as_ref())
}

fn git_blob(size: u64) -> Context {
    let mut context = Context::new(&SHA1_FOR_LEGACY_USE_ONLY);
    context.update(format!("blob {size}\0").as_bytes());
    context
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    // From `printf 'hello\n' | sha256sum` and `printf 'hello\n' | git hash-object --stdin`.
    const SHA: &str = "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03";
    const GIT: &str = "ce013625030ba8dba906f756967f9e9ca394464a";

    #[test]
    fn ids_are_those_of_sha256sum_and_git() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"hello\n").unwrap();
        assert_eq!(ids(&mut file, 6).unwrap(), (SHA.to_owned(), Some(GIT.to_owned())));
    }

    #[test]
    fn a_wrong_content_is_found() {
        fn check(check: &Check, content: &[u8], good: bool) {
            let mut running = check.start(content.len() as u64);
            running.update(content);
            assert_eq!(running.problem().is_none(), good);
        }
        check(&Check::Sha256(SHA.to_owned()), b"hello\n", true);
        check(&Check::Sha256(SHA.to_owned()), b"hallo\n", false);
        check(&Check::GitBlob(GIT.to_owned()), b"hello\n", true);
        check(&Check::GitBlob(GIT.to_owned()), b"hallo\n", false);
        check(&Check::Size, b"anything", true);
    }
}
