//! One file, streamed to disk: begun where the last attempt stopped, checked, and renamed into place
//! when it is whole.

use crate::digest::{Running, read_through};
use crate::error::RemoteError;
use crate::event::Meter;
use crate::fetch::{RemoteFile, Source};
use crate::http::Http;
use reqwest::Response;
use reqwest::header::{ACCEPT_ENCODING, CONTENT_RANGE, RANGE};
use std::fs::{self, File, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// An attempt that brought this much was worth it: it does not count against the retries.
const WORTHWHILE: u64 = 1 << 20;

/// Brings a file to its place.
pub(crate) async fn download(
    http: &Http,
    source: &Source<'_>,
    file: &RemoteFile,
    place: &Path,
    meter: &Meter,
) -> Result<(), RemoteError> {
    let Some(mut part) = Part::open(file, place).await? else {
        // Another process brought it meanwhile.
        meter.moved(file.listed.size);
        return Ok(());
    };
    meter.moved(part.len);
    let mut attempt = 1;
    let mut anew = part.len == 0;
    loop {
        let before = part.len;
        match part.bring(http, source, file, meter).await {
            Ok(()) => match part.problem(file)? {
                None => break,
                Some(detail) => {
                    meter.lost(part.len);
                    part.restart(file)?;
                    // The beginning may be of another attempt, long ago; a whole one is not.
                    if anew {
                        return Err(RemoteError::Corrupt { what: file.what.clone(), detail });
                    }
                    anew = true;
                }
            },
            Err(error) => {
                attempt = if part.len >= before + WORTHWHILE { 1 } else { attempt };
                http.rest(error, attempt, &file.what).await?;
                attempt += 1;
            }
        }
    }
    part.into_place(place)
}

/// The part of a file that is here, next to its place. One process at a time holds it.
struct Part {
    path: PathBuf,
    file: File,
    len: u64,
    digest: Option<Running>,
}

impl Part {
    /// Opens what an earlier attempt left, or begins. Nothing if the file is in its place after all.
    async fn open(remote: &RemoteFile, place: &Path) -> Result<Option<Self>, RemoteError> {
        let folder = place.parent().expect("it lies below the cache folder").to_owned();
        let name = place.file_name().expect("it has a name").to_string_lossy().into_owned();
        let path = folder.join(format!(".{name}.part"));
        let (place, size) = (place.to_owned(), remote.listed.size);
        let mut running = remote.check.start(size);
        let work = move || {
            fs::create_dir_all(&folder).map_err(RemoteError::io(&folder))?;
            let mut options = OpenOptions::new();
            options.read(true).write(true).create(true).truncate(false);
            let mut file = options.open(&path).map_err(RemoteError::io(&path))?;
            file.lock().map_err(RemoteError::io(&path))?;
            if fs::metadata(&place).is_ok_and(|found| found.is_file() && found.len() == size) {
                // Ours alone if it is still there: who had it before renamed it away.
                let _ = fs::remove_file(&path);
                return Ok(None);
            }
            let mut len = file.metadata().map_err(RemoteError::io(&path))?.len();
            if len > size {
                file.set_len(0).map_err(RemoteError::io(&path))?;
                len = 0;
            }
            read_through(&mut file, |bytes| running.update(bytes))
                .map_err(RemoteError::io(&path))?;
            Ok(Some(Self { path, file, len, digest: Some(running) }))
        };
        tokio::task::spawn_blocking(work).await.expect("it does not panic")
    }

    /// Throws away what is here.
    fn restart(&mut self, remote: &RemoteFile) -> Result<(), RemoteError> {
        self.file.set_len(0).map_err(RemoteError::io(&self.path))?;
        self.file.seek(SeekFrom::Start(0)).map_err(RemoteError::io(&self.path))?;
        self.len = 0;
        self.digest = Some(remote.check.start(remote.listed.size));
        Ok(())
    }

    /// Brings the rest, in one attempt.
    async fn bring(
        &mut self,
        http: &Http,
        source: &Source<'_>,
        remote: &RemoteFile,
        meter: &Meter,
    ) -> Result<(), RemoteError> {
        let (what, size) = (&remote.what, remote.listed.size);
        if self.len == size {
            return Ok(());
        }
        // A compressed answer has other offsets.
        let mut call = source.get(http, &remote.origin).header(ACCEPT_ENCODING, "identity");
        if self.len > 0 {
            call = call.header(RANGE, format!("bytes={}-", self.len));
        }
        let mut response = http.once(what, call).await?;
        let corrupt = |detail: String| RemoteError::Corrupt { what: what.clone(), detail };
        match response.status().as_u16() {
            206 if starts_at(&response, self.len, size) => {}
            206 | 416 => {
                // It cannot go on from there.
                meter.lost(self.len);
                self.restart(remote)?;
                return Err(RemoteError::Cut {
                    what: what.clone(),
                    detail: "the server cannot go on in the middle".to_owned(),
                });
            }
            200 => {
                meter.lost(self.len);
                self.restart(remote)?;
            }
            412 => return Err(corrupt("it was changed while it was being fetched".to_owned())),
            _ => return Err(http.refused(what, response, |refusal| source.hint(refusal)).await),
        }
        while let Some(chunk) =
            response.chunk().await.map_err(|error| http.transport(what, error))?
        {
            let bytes = chunk.len() as u64;
            if self.len + bytes > size {
                meter.lost(self.len);
                self.restart(remote)?;
                return Err(corrupt(format!("more came than the {size} bytes that it has")));
            }
            // A piece is some kilobytes, and goes to the page cache: not worth another thread.
            self.file.write_all(&chunk).map_err(RemoteError::io(&self.path))?;
            self.digest.as_mut().expect("it is taken at the end").update(&chunk);
            self.len += bytes;
            meter.moved(bytes);
        }
        if self.len < size {
            let detail = format!("{} of {size} bytes came", self.len);
            return Err(RemoteError::Cut { what: what.clone(), detail });
        }
        Ok(())
    }

    /// What is wrong with the whole, if anything.
    fn problem(&mut self, remote: &RemoteFile) -> Result<Option<String>, RemoteError> {
        let found = self.file.metadata().map_err(RemoteError::io(&self.path))?.len();
        if found != remote.listed.size {
            return Ok(Some(format!("{found} bytes are on disk, of {}", remote.listed.size)));
        }
        Ok(self.digest.take().and_then(Running::problem))
    }

    fn into_place(self, place: &Path) -> Result<(), RemoteError> {
        // What is in place is never looked at again: it must not be lost with the power.
        self.file.sync_data().map_err(RemoteError::io(&self.path))?;
        fs::rename(&self.path, place).map_err(RemoteError::io(place))
    }
}

/// Whether a partial answer is the part that was asked for, of the file that was meant.
fn starts_at(response: &Response, start: u64, size: u64) -> bool {
    let range = response.headers().get(CONTENT_RANGE).and_then(|value| value.to_str().ok());
    let read = |range: &str| {
        let (from_to, total) = range.strip_prefix("bytes ")?.split_once('/')?;
        let from: u64 = from_to.split_once('-')?.0.parse().ok()?;
        Some(from == start && (total == "*" || total.parse() == Ok(size)))
    };
    range.and_then(read).unwrap_or(false)
}
