//! Files that lie on the Hugging Face Hub or in S3, and a folder that goes there.

use crate::args::HowArgs;
use crate::failure::Failure;
use polyculture_remote::{Access, Event, FetchOptions, OnEvent, RemoteError, is_remote};
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// The names of files, with those that lie elsewhere fetched into the cache.
pub(super) fn here(files: &[String], how: &HowArgs) -> Result<Vec<String>, Failure> {
    if !files.iter().any(|name| is_remote(name)) {
        return Ok(files.to_vec());
    }
    let mut options = FetchOptions::new(cache(how)?, Access::from_env().map_err(failure)?);
    options.offline = how.offline;
    options.keep = is_data;
    options.on_event = told();
    in_runtime(async {
        let mut found = Vec::new();
        for name in files {
            if is_remote(name) {
                let paths = polyculture_remote::fetch(name, &options).await?;
                found.extend(paths.into_iter().map(|path| path.display().to_string()));
            } else {
                found.push(name.clone());
            }
        }
        Ok(found)
    })
}

/// Of a folder, what the readers take.
fn is_data(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let name = [".gz", ".zst"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
    !name.starts_with('.')
        && [".csv", ".tsv", ".jsonl", ".ndjson", ".parquet"].iter().any(|end| name.ends_with(end))
}

fn cache(how: &HowArgs) -> Result<PathBuf, Failure> {
    if let Some(cache) = &how.cache {
        return Ok(cache.clone());
    }
    let base = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
    let base = base.or_else(home).ok_or_else(|| {
        Failure::wrong_use("there is no home folder for fetched files; name one with --cache")
    })?;
    Ok(base.join("polyculture"))
}

/// Progress on standard error, a line every few seconds.
pub(super) fn told() -> OnEvent {
    const EVERY: Duration = Duration::from_secs(5);
    let last = Mutex::new(Instant::now());
    OnEvent::new(move |event| match event {
        Event::Progress { files_done, files, bytes_done, bytes } => {
            let mut last = last.lock().unwrap_or_else(|e| e.into_inner());
            if last.elapsed() >= EVERY {
                *last = Instant::now();
                let [done, all] = [bytes_done, bytes].map(|n| n / 1_000_000);
                eprintln!("{files_done} of {files} files, {done} of {all} MB");
            }
        }
        Event::Waiting { why, wait } => eprintln!("{why}; again in {} s", wait.as_secs()),
        _ => {}
    })
}

pub(super) fn in_runtime<T>(
    work: impl Future<Output = Result<T, RemoteError>>,
) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::world(anyhow::Error::new(error)))?;
    runtime.block_on(work).map_err(failure)
}

pub(super) fn failure(error: RemoteError) -> Failure {
    if error.is_usage() { super::chain(error) } else { Failure::world(anyhow::Error::new(error)) }
}
