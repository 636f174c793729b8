//! The Hugging Face Hub's public HTTP API, as far as reading a dataset goes.

use crate::access::{Access, Secret};
use crate::cache::Listed;
use crate::digest::Check;
use crate::error::RemoteError;
use crate::fetch::{Found, Origin, RemoteFile};
use crate::http::{Again, Http};
use crate::name::{Glob, HubName, before_glob, is_glob, is_storable};
use crate::refusal::Refusal;
use reqwest::header::{HeaderMap, LINK};
use reqwest::{Client, Method, RequestBuilder, Url};
use serde::Deserialize;
use serde_json::json;

/// One dataset of the Hub.
pub(crate) struct Hub {
    endpoint: Url,
    token: Option<Secret>,
    /// `OWNER/NAME`.
    repository: String,
}

#[derive(Deserialize)]
struct Revision {
    sha: String,
}

#[derive(Deserialize)]
struct Entry {
    #[serde(rename = "type")]
    kind: String,
    path: String,
    #[serde(default)]
    size: u64,
    /// The git id: of the content, or of the LFS pointer to it.
    oid: Option<String>,
    lfs: Option<Lfs>,
}

#[derive(Deserialize)]
struct Lfs {
    oid: String,
    size: u64,
}

impl Hub {
    pub(crate) fn new(access: &Access, repository: &str) -> Self {
        Self {
            endpoint: access.hub_endpoint.clone(),
            token: access.hub_token.clone(),
            repository: repository.to_owned(),
        }
    }

    pub(crate) fn endpoint(&self) -> &Url {
        &self.endpoint
    }

    /// The address of these path segments; a `/` inside the last one does not part it.
    pub(crate) fn url(&self, parts: &[&str], last: Option<&str>) -> Url {
        let mut url = self.endpoint.clone();
        {
            let mut path = url.path_segments_mut().expect("http URLs have paths");
            path.pop_if_empty();
            path.extend(parts.iter().flat_map(|part| part.split('/')));
            path.extend(last);
        }
        url
    }

    /// A call. The token goes with it to the Hub's own host, and to no other.
    pub(crate) fn call(&self, client: &Client, method: Method, url: Url) -> RequestBuilder {
        let own = url.origin() == self.endpoint.origin();
        let call = client.request(method, url);
        match &self.token {
            Some(token) if own => call.bearer_auth(token.expose()),
            _ => call,
        }
    }

    /// What to do about a refusal.
    pub(crate) fn hint(&self, refusal: &Refusal) -> String {
        let page = self.url(&["datasets", &self.repository], None);
        let tokens = self.url(&["settings/tokens"], None);
        match (&refusal.code[..], refusal.status, self.token.is_some()) {
            ("GatedRepo", _, true) => {
                format!("accept its conditions at {page} with the account of HF_TOKEN")
            }
            ("GatedRepo", _, false) => format!(
                "accept its conditions at {page}, then set HF_TOKEN to a token of that account ({tokens})"
            ),
            ("RevisionNotFound", ..) => "check the revision, there is none of this name".to_owned(),
            ("EntryNotFound", ..) => "check the path, it is not in this revision".to_owned(),
            (_, 401, true) => {
                format!("check the name, and HF_TOKEN: new tokens are made at {tokens}")
            }
            (_, 403, true) => {
                format!("the token in HF_TOKEN may not do this; see what it may at {tokens}")
            }
            (_, _, true) => {
                "check the name, and that the account of HF_TOKEN may see it".to_owned()
            }
            (_, _, false) => format!(
                "check the name; if it is private or has conditions, set HF_TOKEN ({tokens})"
            ),
        }
    }

    /// What a name stands for; `shown` is the name as given.
    pub(crate) async fn list(
        &self,
        http: &Http,
        name: &HubName,
        shown: &str,
    ) -> Result<Found, RemoteError> {
        let api = ["api/datasets", &self.repository];
        let url = self.url(&[api[0], api[1], "revision"], Some(&name.revision));
        let response = http
            .send(shown, Again::Always, || self.call(&http.client, Method::GET, url.clone()))
            .await?;
        let Revision { sha } = http.json(shown, response, |refusal| self.hint(refusal)).await?;
        if !is_storable(&sha) || sha.contains('/') {
            return Err(answer(shown, format!("`{sha}` is no commit")));
        }

        let path = &name.path;
        let (folder, is_folder, entries) = if is_glob(path) {
            let glob = Glob::new(shown, path)?;
            let folder = before_glob(path).rsplit_once('/').map_or("", |(folder, _)| folder);
            let deep =
                path[folder.len()..].trim_start_matches('/').contains('/') || path.contains("**");
            let mut entries = self.tree(http, shown, &sha, folder, deep).await?;
            entries.retain(|entry| glob.matches(&entry.path));
            (folder, false, entries)
        } else if path.is_empty() {
            ("", true, self.tree(http, shown, &sha, "", true).await?)
        } else {
            let url = self.url(&[api[0], api[1], "paths-info", &sha], None);
            let body = json!({"paths": [path]});
            let call = || self.call(&http.client, Method::POST, url.clone()).json(&body);
            let response = http.send(shown, Again::Always, call).await?;
            let entries: Vec<Entry> =
                http.json(shown, response, |refusal| self.hint(refusal)).await?;
            match entries.iter().find(|entry| entry.path == *path) {
                Some(entry) if entry.kind == "directory" => {
                    (path.as_str(), true, self.tree(http, shown, &sha, path, true).await?)
                }
                _ => ("", false, entries),
            }
        };
        let mut files = Vec::new();
        for entry in entries.into_iter().filter(|entry| entry.kind == "file") {
            files.push(self.file(shown, &sha, folder, entry)?);
        }
        Ok(Found { is_folder, files })
    }

    /// All that lies in a folder, page after page.
    async fn tree(
        &self,
        http: &Http,
        shown: &str,
        sha: &str,
        folder: &str,
        recursive: bool,
    ) -> Result<Vec<Entry>, RemoteError> {
        let mut parts = vec!["api/datasets", &self.repository, "tree", sha];
        parts.extend((!folder.is_empty()).then_some(folder));
        let mut url = self.url(&parts, None);
        if recursive {
            url.query_pairs_mut().append_pair("recursive", "true");
        }
        let mut entries = Vec::new();
        let mut seen = Vec::new();
        loop {
            let call = || self.call(&http.client, Method::GET, url.clone());
            let response = http.send(shown, Again::Always, call).await?;
            let next = next_page(response.headers(), &url);
            let page: Vec<Entry> = http.json(shown, response, |refusal| self.hint(refusal)).await?;
            entries.extend(page);
            let Some(next) = next else { return Ok(entries) };
            seen.push(std::mem::replace(&mut url, next));
            if seen.contains(&url) {
                return Err(answer(shown, "its pages go round in a circle".to_owned()));
            }
        }
    }

    fn file(
        &self,
        shown: &str,
        sha: &str,
        folder: &str,
        entry: Entry,
    ) -> Result<RemoteFile, RemoteError> {
        let inner = entry.path.strip_prefix(folder).unwrap_or(&entry.path).trim_start_matches('/');
        if !is_storable(&entry.path) || inner.is_empty() {
            let detail = format!("no file here can be called `{}`", entry.path.escape_debug());
            return Err(answer(shown, detail));
        }
        let hexadecimal =
            |id: &String, length| id.len() == length && id.bytes().all(|b| b.is_ascii_hexdigit());
        let check = match (&entry.lfs, entry.oid) {
            (Some(lfs), _) => Check::Sha256(lfs.oid.trim_start_matches("sha256:").to_owned()),
            (None, Some(oid)) if hexadecimal(&oid, 40) => Check::GitBlob(oid),
            _ => Check::Size,
        };
        let host = host_folder(&self.endpoint);
        let url = self.url(&["datasets", &self.repository, "resolve", sha, &entry.path], None);
        Ok(RemoteFile {
            listed: Listed {
                path: inner.to_owned(),
                cached: format!("hf/{host}/{}/{sha}/{}", self.repository, entry.path),
                size: entry.lfs.map_or(entry.size, |lfs| lfs.size),
            },
            what: format!("hf://datasets/{}/{}", self.repository, entry.path),
            check,
            origin: Origin::Hub(url),
        })
    }
}

/// A server's name as a folder's.
pub(crate) fn host_folder(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']).replace(':', "_");
    url.port().map_or(host.clone(), |port| format!("{host}_{port}"))
}

/// The page that a `Link` header calls the next.
fn next_page(headers: &HeaderMap, base: &Url) -> Option<Url> {
    let links = headers.get_all(LINK).iter().filter_map(|value| value.to_str().ok());
    let next = links.flat_map(|links| links.split(", <")).find_map(|link| {
        let (target, parameters) = link.trim_start_matches('<').split_once('>')?;
        let is_next = parameters.split(';').any(|parameter| {
            let parameter = parameter.trim().trim_end_matches(',');
            matches!(parameter, "rel=\"next\"" | "rel=next")
        });
        is_next.then(|| target.to_owned())
    })?;
    base.join(&next).ok()
}

fn answer(what: &str, detail: String) -> RemoteError {
    RemoteError::Answer { what: what.to_owned(), detail }
}
