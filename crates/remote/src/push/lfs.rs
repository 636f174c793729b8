//! Large files through LFS: the batch says where each goes, in one piece or in parts; what the Hub
//! has already stays here. <https://github.com/git-lfs/git-lfs/blob/main/docs/api/batch.md>

use super::folder::LocalFile;
use super::wire::{Action, Actions, Batch};
use super::{BATCH, Pusher};
use crate::error::RemoteError;
use crate::event::Meter;
use crate::http::Again;
use futures::{Stream, StreamExt, TryStreamExt};
use reqwest::header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE, ETAG, HeaderMap};
use reqwest::{Body, Method, Response, Url};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{self, SeekFrom};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncSeekExt};

const MEDIA_TYPE: &str = "application/vnd.git-lfs+json";

/// How many files go up at a time.
const CONCURRENCY: usize = 4;

/// How much is read at a time, in bytes.
const PIECE: u64 = 1 << 18;

/// The slowest upload that is waited for, in bytes a second.
const SLOWEST: u64 = 20_000;

/// Uploads all that the Hub has not.
pub(super) async fn upload(
    pusher: &Pusher<'_>,
    files: &[&LocalFile],
    meter: &Arc<Meter>,
) -> Result<(), RemoteError> {
    for files in files.chunks(BATCH) {
        // Files of one content are one object.
        let mut objects: BTreeMap<&str, Vec<&LocalFile>> = BTreeMap::new();
        for file in files {
            objects.entry(&file.sha256).or_default().push(file);
        }
        let batch = ask(pusher, &objects).await?;
        let jobs = objects.iter().map(|(oid, files)| {
            let batch = &batch;
            async move {
                let object = batch.objects.iter().find(|object| object.oid == **oid);
                let file = files[0];
                let Some(object) = object else {
                    return Err(answer(file, "the LFS batch does not have it"));
                };
                if let Some(error) = &object.error {
                    return Err(RemoteError::Refused {
                        what: file.path.clone(),
                        status: error.code,
                        excerpt: pusher.options.access.redact(&error.message),
                    });
                }
                match &object.actions {
                    Some(actions) => one(pusher, file, actions, batch, meter).await?,
                    None => meter.moved(file.size),
                }
                meter.file_done();
                for copy in &files[1..] {
                    meter.moved(copy.size);
                    meter.file_done();
                }
                Ok(())
            }
        });
        let jobs: Vec<_> = jobs.collect();
        futures::stream::iter(jobs).buffer_unordered(CONCURRENCY).try_collect::<()>().await?;
    }
    Ok(())
}

async fn ask(
    pusher: &Pusher<'_>,
    objects: &BTreeMap<&str, Vec<&LocalFile>>,
) -> Result<Batch, RemoteError> {
    let listed: Vec<Value> =
        objects.iter().map(|(oid, files)| json!({"oid": oid, "size": files[0].size})).collect();
    let body = json!({
        "operation": "upload",
        "transfers": ["basic", "multipart"],
        "ref": {"name": pusher.options.revision},
        "hash_algo": "sha256",
        "objects": listed,
    });
    let repository = format!("{}.git", pusher.repository);
    let url = pusher.hub.url(&["datasets", &repository, "info/lfs/objects/batch"], None);
    let call = || {
        let call = pusher.hub.call(&pusher.http.client, Method::POST, url.clone());
        call.header(ACCEPT, MEDIA_TYPE).header(CONTENT_TYPE, MEDIA_TYPE).body(body.to_string())
    };
    let response = pusher.http.send(pusher.repository, Again::Always, call).await?;
    pusher.http.json(pusher.repository, response, |refusal| pusher.hub.hint(refusal)).await
}

async fn one(
    pusher: &Pusher<'_>,
    file: &LocalFile,
    actions: &Actions,
    batch: &Batch,
    meter: &Arc<Meter>,
) -> Result<(), RemoteError> {
    match batch.transfer.as_deref() {
        None | Some("basic" | "multipart") => {}
        Some(other) => {
            return Err(answer(
                file,
                &format!("the Hub wants the transfer `{other}`, which was not offered"),
            ));
        }
    }
    match &actions.upload {
        Some(action) if action.header.contains_key("chunk_size") => {
            in_parts(pusher, file, action, meter).await?;
        }
        Some(action) => {
            let url = address(file, &action.href)?;
            let headers = headers(file, action)?;
            put(pusher, file, &url, headers, 0, file.size, meter).await?;
        }
        None => meter.moved(file.size),
    }
    if let Some(verify) = &actions.verify {
        let url = address(file, &verify.href)?;
        let body = json!({"oid": file.sha256, "size": file.size});
        post(pusher, file, &url, &headers(file, verify)?, &body, true).await?;
    }
    Ok(())
}

/// The Hub's own way for what is too large for one call: the parts go to addresses of their own, and
/// their ETags to the address of the whole.
async fn in_parts(
    pusher: &Pusher<'_>,
    file: &LocalFile,
    action: &Action,
    meter: &Arc<Meter>,
) -> Result<(), RemoteError> {
    let number = |value: &Value| value.as_u64().or_else(|| value.as_str()?.parse().ok());
    let size = number(&action.header["chunk_size"]).filter(|size| *size > 0);
    let size = size.ok_or_else(|| answer(file, "its `chunk_size` is no number"))?;
    let numbered = action
        .header
        .iter()
        .filter_map(|(key, url)| Some((key.parse::<u64>().ok()?, url.as_str()?)));
    let addresses: BTreeMap<u64, &str> = numbered.collect();
    let expected = file.size.div_ceil(size);
    if !addresses.keys().copied().eq(1..=expected) {
        let detail = format!("{} parts were offered, and {expected} are needed", addresses.len());
        return Err(answer(file, &detail));
    }
    let mut parts = Vec::new();
    for (number, href) in addresses {
        let start = (number - 1) * size;
        let len = size.min(file.size - start);
        let url = address(file, href)?;
        let response = put(pusher, file, &url, HeaderMap::new(), start, len, meter).await?;
        let etag = response.headers().get(ETAG).and_then(|value| value.to_str().ok());
        let etag = etag.ok_or_else(|| answer(file, "a part that went up has no ETag"))?;
        parts.push(json!({"partNumber": number, "etag": etag}));
    }
    let url = address(file, &action.href)?;
    let body = json!({"oid": file.sha256, "parts": parts});
    // The address is signed.
    post(pusher, file, &url, &HeaderMap::new(), &body, false).await
}

/// Sends a piece of a file, streamed.
async fn put(
    pusher: &Pusher<'_>,
    file: &LocalFile,
    url: &Url,
    headers: HeaderMap,
    start: u64,
    len: u64,
    meter: &Arc<Meter>,
) -> Result<Response, RemoteError> {
    let http = &pusher.http;
    let sent = Arc::new(AtomicU64::new(0));
    let call = || {
        // What an attempt before this one sent has to be sent again.
        meter.lost(sent.swap(0, Relaxed));
        let (meter, sent) = (meter.clone(), sent.clone());
        let pieces = piece(file.place.clone(), start, len).inspect_ok(move |bytes| {
            sent.fetch_add(bytes.len() as u64, Relaxed);
            meter.moved(bytes.len() as u64);
        });
        let call = http.uploader.put(url.clone()).headers(headers.clone());
        let call = call.timeout(Duration::from_secs(60 + len / SLOWEST));
        call.header(CONTENT_LENGTH, len).body(Body::wrap_stream(pieces))
    };
    let response = http.send(&file.path, Again::Always, call).await?;
    if !response.status().is_success() {
        let hint =
            |_: &_| "the address that the Hub gave for it is not accepted; run it again".to_owned();
        return Err(http.refused(&file.path, response, hint).await);
    }
    Ok(response)
}

async fn post(
    pusher: &Pusher<'_>,
    file: &LocalFile,
    url: &Url,
    headers: &HeaderMap,
    body: &Value,
    with_token: bool,
) -> Result<(), RemoteError> {
    let client = &pusher.http.client;
    let call = || {
        let call = match with_token {
            true => pusher.hub.call(client, Method::POST, url.clone()),
            false => client.post(url.clone()),
        };
        let call = call.header(ACCEPT, MEDIA_TYPE).header(CONTENT_TYPE, MEDIA_TYPE);
        call.headers(headers.clone()).body(body.to_string())
    };
    let response = pusher.http.send(&file.path, Again::Always, call).await?;
    pusher.http.text(&file.path, response, |refusal| pusher.hub.hint(refusal)).await.map(drop)
}

/// A piece of a file, in smaller pieces.
fn piece(
    place: PathBuf,
    start: u64,
    len: u64,
) -> impl Stream<Item = io::Result<Vec<u8>>> + Send + 'static {
    let open = async move {
        let mut file = File::open(&place).await?;
        file.seek(SeekFrom::Start(start)).await?;
        Ok::<_, io::Error>((file, len))
    };
    let pieces = |(file, len): (File, u64)| {
        futures::stream::try_unfold((file, len), |(mut file, left)| async move {
            if left == 0 {
                return Ok(None);
            }
            let mut buffer = vec![0; PIECE.min(left) as usize];
            let read = file.read(&mut buffer).await?;
            if read == 0 {
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "it became shorter"));
            }
            buffer.truncate(read);
            Ok(Some((buffer, (file, left - read as u64))))
        })
    };
    futures::stream::once(open).map_ok(pieces).try_flatten()
}

/// The headers that an action asks for.
fn headers(file: &LocalFile, action: &Action) -> Result<HeaderMap, RemoteError> {
    let mut headers = HeaderMap::new();
    for (name, value) in &action.header {
        let parsed = name.parse::<reqwest::header::HeaderName>().ok();
        let value = value.as_str().and_then(|value| value.parse().ok());
        let (Some(name), Some(value)) = (parsed, value) else {
            return Err(answer(file, &format!("`{name}` is no header")));
        };
        headers.insert(name, value);
    }
    Ok(headers)
}

fn address(file: &LocalFile, href: &str) -> Result<Url, RemoteError> {
    let url = Url::parse(href).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    url.ok_or_else(|| answer(file, "the address that the Hub gave for it is none"))
}

fn answer(file: &LocalFile, detail: &str) -> RemoteError {
    RemoteError::Answer { what: file.path.clone(), detail: detail.to_owned() }
}

pub(super) fn changed(file: &LocalFile) -> RemoteError {
    let detail = "it was changed while it was being pushed".to_owned();
    RemoteError::Corrupt { what: file.path.clone(), detail }
}
