//! A dataset folder to the Hub: the repository is made if there is none, large files go up through
//! LFS, and one commit has it all.

mod folder;
mod lfs;
mod wire;

use crate::access::Access;
use crate::error::RemoteError;
use crate::event::{Meter, OnEvent};
use crate::http::{Again, Http};
use crate::hub::Hub;
use crate::name;
use crate::retry::RetryPolicy;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use folder::LocalFile;
use reqwest::header::CONTENT_TYPE;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use wire::{Committed, Preuploaded, Repository, UploadMode};

/// How many files one question to the Hub is about.
const BATCH: usize = 256;

/// How long the Hub may take for a commit.
const COMMIT_TIMEOUT: Duration = Duration::from_secs(600);

/// How a folder is pushed.
#[derive(Debug, Clone)]
pub struct PushOptions {
    /// The branch; it must be there, as `main` is.
    pub revision: String,
    /// The first line of the commit.
    pub message: String,
    /// Whether it must be private. A new repository is made so; a public one that is there is an error.
    pub private: bool,
    /// Where the Hub is, and its token, which must be set.
    pub access: Access,
    /// How often and how patiently a failed call is made again.
    pub retry: RetryPolicy,
    /// Who is told how far it is.
    pub on_event: OnEvent,
}

impl PushOptions {
    /// To `main`, private, nobody told.
    #[must_use]
    pub fn new(access: Access) -> Self {
        Self {
            revision: "main".to_owned(),
            message: "Upload dataset with polyculture".to_owned(),
            private: true,
            access,
            retry: RetryPolicy::default(),
            on_event: OnEvent::default(),
        }
    }
}

/// What a push did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pushed {
    /// The dataset's page.
    pub page: String,
    /// The commit; none if the Hub had every file as it is.
    pub commit: Option<String>,
    /// Whether the repository was made for it.
    pub created: bool,
    /// How many files the commit has.
    pub files: usize,
    /// How many files the Hub had as they are.
    pub unchanged: usize,
    /// Files that the repository's `.gitignore` leaves out, by their path in the folder.
    pub ignored: Vec<String>,
}

/// Pushes all files of `folder` to the dataset `OWNER/NAME`, in one commit. Hidden files stay here;
/// files that are only on the Hub stay there.
///
/// # Errors
/// If the folder cannot be read or has a symbolic link, the token is not set or may not write, the
/// dataset is public and a private one was asked for, or the network fails for good. There is no
/// commit then; what was uploaded is not uploaded again.
pub async fn push(
    folder: &Path,
    repository: &str,
    options: &PushOptions,
) -> Result<Pushed, RemoteError> {
    let wrong = |detail| RemoteError::Name { name: repository.to_owned(), detail };
    name::repository(repository).map_err(wrong)?;
    if options.access.hub_token.is_none() {
        return Err(RemoteError::Setting {
            variable: "HF_TOKEN",
            detail: "it is not set, and pushing needs a token that may write (https://huggingface.co/settings/tokens)".to_owned(),
        });
    }
    let root = folder.to_owned();
    let read = tokio::task::spawn_blocking(move || folder::read(&root));
    let files = read.await.expect("it does not panic")?;

    let access = &options.access;
    let pusher = Pusher {
        hub: Hub::new(access, repository),
        http: Http::new(access, &access.hub_endpoint, options.retry, &options.on_event)?,
        repository,
        options,
    };
    let created = pusher.ensure_repository().await?;
    let planned = pusher.plan(files).await?;
    let page = pusher.hub.url(&["datasets", repository], None).to_string();
    let Plan { files, unchanged, ignored } = planned;
    if files.is_empty() {
        return Ok(Pushed { page, commit: None, created, files: 0, unchanged, ignored });
    }
    let bytes = files.iter().map(|(file, _)| file.size).sum();
    let meter = Arc::new(Meter::new(options.on_event.clone(), files.len(), bytes));
    let large: Vec<&LocalFile> = of_mode(&files, UploadMode::Lfs).collect();
    lfs::upload(&pusher, &large, &meter).await?;
    let commit = pusher.commit(&files, &meter).await?;
    Ok(Pushed { page, commit: Some(commit), created, files: files.len(), unchanged, ignored })
}

/// What is to be done.
struct Plan {
    files: Vec<(LocalFile, UploadMode)>,
    unchanged: usize,
    ignored: Vec<String>,
}

fn of_mode(
    files: &[(LocalFile, UploadMode)],
    mode: UploadMode,
) -> impl Iterator<Item = &LocalFile> {
    files.iter().filter(move |(_, found)| *found == mode).map(|(file, _)| file)
}

/// What the steps of a push share.
struct Pusher<'a> {
    hub: Hub,
    http: Http,
    repository: &'a str,
    options: &'a PushOptions,
}

impl Pusher<'_> {
    /// Makes the repository if it is not there, and tells whether it did.
    async fn ensure_repository(&self) -> Result<bool, RemoteError> {
        if let Some(found) = self.repository().await? {
            return self.check_private(&found).map(|()| false);
        }
        let (owner, name) = self.repository.split_once('/').expect("it was checked");
        let private = self.options.private;
        let body =
            json!({"type": "dataset", "name": name, "organization": owner, "private": private});
        let url = self.hub.url(&["api/repos/create"], None);
        let call = || self.hub.call(&self.http.client, Method::POST, url.clone()).json(&body);
        let response = self.http.send(self.repository, Again::IfNotDone, call).await?;
        // Another run may have made it just now.
        let created = response.status() != StatusCode::CONFLICT;
        if created {
            self.http.text(self.repository, response, |refusal| self.hub.hint(refusal)).await?;
        }
        // Looked at again: what was meant to be private is not put into what is not.
        match self.repository().await? {
            Some(found) => self.check_private(&found).map(|()| created),
            None => Err(RemoteError::Missing {
                what: self.repository.to_owned(),
                hint: "it was made, and the Hub does not show it; check what the account of HF_TOKEN may see".to_owned(),
            }),
        }
    }

    async fn repository(&self) -> Result<Option<Repository>, RemoteError> {
        let url = self.hub.url(&["api/datasets", self.repository], None);
        let call = || self.hub.call(&self.http.client, Method::GET, url.clone());
        let response = self.http.send(self.repository, Again::Always, call).await?;
        if response.status() == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        let found = self.http.json(self.repository, response, |refusal| self.hub.hint(refusal));
        found.await.map(Some)
    }

    fn check_private(&self, found: &Repository) -> Result<(), RemoteError> {
        if self.options.private && !found.private {
            return Err(RemoteError::Public { repository: self.repository.to_owned() });
        }
        Ok(())
    }

    /// Asks how each file goes up, and leaves out what need not.
    async fn plan(&self, files: Vec<LocalFile>) -> Result<Plan, RemoteError> {
        let mut plan = Plan { files: Vec::new(), unchanged: 0, ignored: Vec::new() };
        let parts = ["api/datasets", self.repository, "preupload"];
        let url = self.hub.url(&parts, Some(&self.options.revision));
        let mut files = files.into_iter();
        loop {
            let batch: Vec<LocalFile> = files.by_ref().take(BATCH).collect();
            if batch.is_empty() {
                return Ok(plan);
            }
            let asked: Vec<Value> = batch
                .iter()
                .map(|file| {
                    let sample = STANDARD.encode(&file.sample);
                    json!({"path": file.path, "sample": sample, "size": file.size})
                })
                .collect();
            let body = json!({"files": asked});
            let call = || self.hub.call(&self.http.client, Method::POST, url.clone()).json(&body);
            let response = self.http.send(self.repository, Again::Always, call).await?;
            let answer: Preuploaded =
                self.http.json(self.repository, response, |refusal| self.hub.hint(refusal)).await?;
            for file in batch {
                let told = answer.files.iter().find(|told| told.path == file.path);
                let told = told.ok_or_else(|| RemoteError::Answer {
                    what: file.path.clone(),
                    detail: "the Hub does not say how it goes up".to_owned(),
                })?;
                let known = told.oid.as_deref();
                if told.should_ignore {
                    plan.ignored.push(file.path);
                } else if known.is_some()
                    && (known == file.git_id.as_deref() || known == Some(&file.sha256))
                {
                    plan.unchanged += 1;
                } else {
                    // What is behind LFS takes no empty files.
                    let mode = if file.size == 0 { UploadMode::Regular } else { told.upload_mode };
                    plan.files.push((file, mode));
                }
            }
        }
    }

    /// One commit of all files. Those that go up in it are small, by the Hub's own judgement, so
    /// that its text is made in memory.
    async fn commit(
        &self,
        files: &[(LocalFile, UploadMode)],
        meter: &Meter,
    ) -> Result<String, RemoteError> {
        let header = json!({"summary": self.options.message, "description": ""});
        let mut lines = vec![json!({"key": "header", "value": header})];
        for (file, mode) in files {
            lines.push(match mode {
                UploadMode::Lfs => json!({"key": "lfsFile", "value": {
                    "path": file.path, "algo": "sha256", "oid": file.sha256, "size": file.size,
                }}),
                UploadMode::Regular => {
                    let content = tokio::fs::read(&file.place).await;
                    let content = content.map_err(RemoteError::io(&file.place))?;
                    if content.len() as u64 != file.size {
                        return Err(lfs::changed(file));
                    }
                    json!({"key": "file", "value": {
                        "content": STANDARD.encode(content), "path": file.path, "encoding": "base64",
                    }})
                }
            });
        }
        let body: String = lines.iter().map(|line| format!("{line}\n")).collect();
        let parts = ["api/datasets", self.repository, "commit"];
        let url = self.hub.url(&parts, Some(&self.options.revision));
        let call = || {
            let call = self.hub.call(&self.http.uploader, Method::POST, url.clone());
            let call = call.timeout(COMMIT_TIMEOUT).header(CONTENT_TYPE, "application/x-ndjson");
            call.body(body.clone())
        };
        // A commit whose answer is lost may be there: it is not made twice.
        let response = self.http.send(self.repository, Again::IfNotDone, call).await?;
        let done: Committed =
            self.http.json(self.repository, response, |refusal| self.hub.hint(refusal)).await?;
        for file in of_mode(files, UploadMode::Regular) {
            meter.moved(file.size);
            meter.file_done();
        }
        Ok(done.commit_oid)
    }
}
