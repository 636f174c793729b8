//! From a name to files of this machine: resolve, look into the cache, download what is not there.

use crate::access::Access;
use crate::cache::{Listed, Listing};
use crate::digest::Check;
use crate::download::download;
use crate::error::RemoteError;
use crate::event::{Meter, OnEvent};
use crate::http::Http;
use crate::hub::Hub;
use crate::name::{HubName, Name, S3Name};
use crate::refusal::Refusal;
use crate::retry::RetryPolicy;
use crate::s3::Store;
use futures::{StreamExt, TryStreamExt};
use reqwest::{Method, RequestBuilder, Url};
use std::path::PathBuf;

/// How files are fetched.
#[derive(Debug, Clone)]
pub struct FetchOptions {
    /// Where fetched files lie. May be shared by processes, and deleted at any time.
    pub cache: PathBuf,
    /// Whether the network is left alone, and only the cache is looked into.
    pub offline: bool,
    /// Addresses and keys.
    pub access: Access,
    /// Which files of a folder are wanted, by their path below it. Files that are named, or that a
    /// glob matches, are all wanted.
    pub keep: fn(&str) -> bool,
    /// How many files come at a time.
    pub concurrency: usize,
    /// How often and how patiently a failed call is made again.
    pub retry: RetryPolicy,
    /// Who is told how far it is.
    pub on_event: OnEvent,
}

impl FetchOptions {
    /// Online, four files at a time, nobody told; of a folder all but hidden files.
    pub fn new(cache: impl Into<PathBuf>, access: Access) -> Self {
        Self {
            cache: cache.into(),
            offline: false,
            access,
            keep: |path| !path.split('/').any(|part| part.starts_with('.')),
            concurrency: 4,
            retry: RetryPolicy::default(),
            on_event: OnEvent::default(),
        }
    }
}

/// Fetches what `name` stands for, and gives the paths of the files in the cache, in the order of
/// their remote paths. A file that is there already is not fetched again.
///
/// The name is resolved anew each time, for a branch or an object may have moved on; only a Hub name
/// with a commit (`@` and 40 hexadecimal digits) is answered from the cache alone once all of it is there.
///
/// # Errors
/// If the name is none, nothing of that name is there, it may not be read, the network fails for
/// good, or the disk refuses. What was fetched until then stays, and the next call goes on from there.
pub async fn fetch(name: &str, options: &FetchOptions) -> Result<Vec<PathBuf>, RemoteError> {
    let parsed = Name::parse(name)?;
    let mut source = Source::new(name, &parsed, &options.access)?;
    let server = source.server().to_string();
    let wanted = |is_folder: bool, file: &Listed| !is_folder || (options.keep)(&file.path);
    let paths = |listing: &Listing| -> Vec<PathBuf> {
        let wanted = listing.files.iter().filter(|file| wanted(listing.is_folder, file));
        wanted.map(|file| file.place(&options.cache)).collect()
    };

    if options.offline || parsed.is_fixed() {
        let known = Listing::read(&options.cache, &server, name).filter(|listing| {
            let mut files = listing.files.iter();
            files.all(|file| !wanted(listing.is_folder, file) || file.is_here(&options.cache))
        });
        match known {
            Some(listing) if !paths(&listing).is_empty() => return Ok(paths(&listing)),
            _ if options.offline => return Err(RemoteError::Offline { name: name.to_owned() }),
            _ => {}
        }
    }

    let http = Http::new(&options.access, source.server(), options.retry, &options.on_event)?;
    let mut found = source.list(&http, name).await?;
    found.files.sort_by(|a, b| a.listed.path.cmp(&b.listed.path));
    let files = found.files.iter().map(|file| file.listed.clone()).collect();
    let listing = Listing::new(name, found.is_folder, files);
    found.files.retain(|file| wanted(found.is_folder, &file.listed));
    if found.files.is_empty() {
        let hint = match listing.files.len() {
            0 => "no file is of this name, below it, or matched by it".to_owned(),
            n => format!("{n} files lie below it, and none is of a kind that is read"),
        };
        return Err(RemoteError::Missing { what: name.to_owned(), hint });
    }
    listing.write(&options.cache, &server)?;

    let bytes = found.files.iter().map(|file| file.listed.size).sum();
    let meter = Meter::new(options.on_event.clone(), found.files.len(), bytes);
    let downloads = found.files.iter().map(|file| {
        let (http, source, meter) = (&http, &source, &meter);
        async move {
            if file.listed.is_here(&options.cache) {
                meter.moved(file.listed.size);
            } else {
                download(http, source, file, &file.listed.place(&options.cache), meter).await?;
            }
            meter.file_done();
            Ok::<(), RemoteError>(())
        }
    });
    let concurrency = options.concurrency.max(1);
    futures::stream::iter(downloads).buffer_unordered(concurrency).try_collect::<()>().await?;
    Ok(paths(&listing))
}

/// What a name turned out to stand for.
pub(crate) struct Found {
    /// Whether it is a folder, of which the caller may want only some files.
    pub(crate) is_folder: bool,
    pub(crate) files: Vec<RemoteFile>,
}

/// A file that can be downloaded.
pub(crate) struct RemoteFile {
    pub(crate) listed: Listed,
    /// What it is called in messages.
    pub(crate) what: String,
    pub(crate) check: Check,
    pub(crate) origin: Origin,
}

/// Where its bytes are.
pub(crate) enum Origin {
    Hub(Url),
    S3 { key: String, etag: String },
}

/// Where names are resolved.
pub(crate) enum Source<'a> {
    Hub(Hub, &'a HubName),
    S3(Store, &'a S3Name),
}

impl<'a> Source<'a> {
    fn new(shown: &str, name: &'a Name, access: &Access) -> Result<Self, RemoteError> {
        Ok(match name {
            Name::Hub(name) => Self::Hub(Hub::new(access, &name.repository), name),
            Name::S3(name) => Self::S3(Store::new(access, &name.bucket, shown)?, name),
        })
    }

    fn server(&self) -> &Url {
        match self {
            Self::Hub(hub, _) => hub.endpoint(),
            Self::S3(store, _) => store.server(),
        }
    }

    async fn list(&mut self, http: &Http, shown: &str) -> Result<Found, RemoteError> {
        match self {
            Self::Hub(hub, name) => hub.list(http, name, shown).await,
            Self::S3(store, name) => store.list(http, name, shown).await,
        }
    }

    /// A call for a file's bytes.
    pub(crate) fn get(&self, http: &Http, origin: &Origin) -> RequestBuilder {
        match (self, origin) {
            (Self::Hub(hub, _), Origin::Hub(url)) => {
                hub.call(&http.client, Method::GET, url.clone())
            }
            (Self::S3(store, _), Origin::S3 { key, etag }) => {
                http.client.get(store.get(key)).header("if-match", etag)
            }
            _ => unreachable!("a file is fetched from where it was found"),
        }
    }

    /// What to do about a refusal.
    pub(crate) fn hint(&self, refusal: &Refusal) -> String {
        match self {
            Self::Hub(hub, _) => hub.hint(refusal),
            Self::S3(store, _) => store.hint(refusal),
        }
    }
}
