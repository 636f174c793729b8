//! Fetching and pushing against servers on this machine that check what they are sent: a Hub with
//! its CDN, and an S3. They cut connections, ask to wait, and tell lies.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod fake_hub;
mod fake_s3;
mod fetch_hub;
mod fetch_s3;
mod push_hub;
mod server;

use polyculture_remote::{Access, FetchOptions, RetryPolicy};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The variables of an environment.
fn access(variables: &[(&str, &str)]) -> Access {
    let lookup = |asked: &str| {
        let found = variables.iter().find(|(variable, _)| *variable == asked);
        found.map(|(_, value)| (*value).to_owned())
    };
    Access::from_variables(lookup).unwrap()
}

/// No patience, so that tests are quick.
fn quick() -> RetryPolicy {
    RetryPolicy {
        attempts: 4,
        first_wait: Duration::from_millis(5),
        longest_wait: Duration::from_secs(2),
    }
}

fn options(cache: &Path, access: Access) -> FetchOptions {
    FetchOptions { retry: quick(), ..FetchOptions::new(cache, access) }
}

/// Paths without what stands before the version, and the content of each.
fn contents(files: &[PathBuf], cache: &Path) -> Vec<(String, Vec<u8>)> {
    let mut contents = Vec::new();
    for file in files {
        let path = file.strip_prefix(cache).unwrap().to_str().unwrap().to_owned();
        contents.push((path, std::fs::read(file).unwrap()));
    }
    contents
}

/// A content that differs everywhere.
fn noise(seed: u64, len: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    std::iter::repeat_with(next).take(len).collect()
}

/// All files in a folder and below it.
fn walk(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(walk(&path));
        } else {
            files.push(path);
        }
    }
    files
}
