//! A Hub with one dataset, and the CDN that its large files lie on.

use crate::server::{Asked, Fault, Faults, Server, answer, decoded, serve, with};
use axum::response::Response;
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use serde_json::{Value, json};
use std::collections::BTreeMap;

pub(crate) const TOKEN: &str = "hf_0123456789abcdef";
pub(crate) const COMMIT: &str = "00112233445566778899aabbccddeeff00112233";

/// Entries on a page of the tree.
const PAGE: usize = 2;

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) fn sha256(content: &[u8]) -> String {
    hex(digest(&SHA256, content).as_ref())
}

pub(crate) fn git_id(content: &[u8]) -> String {
    let header = format!("blob {}\0", content.len());
    let blob = [header.as_bytes(), content].concat();
    hex(digest(&SHA1_FOR_LEGACY_USE_ONLY, &blob).as_ref())
}

/// What the Hub has, and how it behaves.
#[derive(Clone, Default)]
pub(crate) struct Dataset {
    /// By path; those ending in `.parquet` are behind LFS.
    pub(crate) files: BTreeMap<String, Vec<u8>>,
    /// Whether a token is wanted.
    pub(crate) private: bool,
    /// Whether conditions have to be accepted, and have not been.
    pub(crate) gated: bool,
    /// A path that the tree has beside the files.
    pub(crate) evil: Option<String>,
    /// What goes wrong on the CDN.
    pub(crate) faults: Faults,
    /// What goes wrong at the API.
    pub(crate) api_faults: Faults,
}

impl Dataset {
    pub(crate) fn new(files: &[(&str, &[u8])]) -> Self {
        let files = files.iter().map(|(path, content)| ((*path).to_owned(), content.to_vec()));
        Self { files: files.collect(), ..Self::default() }
    }

    /// Starts the Hub and its CDN.
    pub(crate) async fn start(self) -> (Server, Server) {
        let (files, faults) = (self.files.clone(), self.faults.clone());
        let cdn = Server::start(move |asked| {
            let digest = asked.path.trim_start_matches("/blobs/");
            let content = files.values().find(|content| sha256(content) == digest).unwrap();
            assert_eq!(asked.parameter("signature").as_deref(), Some("s3cr3t"));
            serve(asked, content, "\"cdn\"", faults.next())
        })
        .await;
        let cdn_url = cdn.url.clone();
        let hub = Server::start(move |asked| self.answer(asked, &cdn_url)).await;
        (hub, cdn)
    }

    fn answer(&self, asked: &Asked, cdn: &str) -> Response {
        if let Some(Fault::Status(status, header, value)) = self.api_faults.next() {
            return with(status, header, value, "");
        }
        let known = asked.header("authorization") == Some(&format!("Bearer {TOKEN}"));
        if self.private && !known {
            // As the Hub does: it does not tell what is there.
            let body = r#"{"error":"Invalid username or password."}"#;
            return with(401, "x-error-code", "RepoNotFound", body);
        }
        let path = decoded(&asked.path);
        let parts: Vec<&str> = path.splitn(7, '/').collect();
        match &parts[1..] {
            ["api", "datasets", "o", "n", "revision", _] => match asked.path.rsplit_once('/') {
                Some((_, "main" | "refs%2Fconvert%2Fparquet" | COMMIT)) => {
                    answer(200, json!({"id": "o/n", "sha": COMMIT}).to_string())
                }
                _ => with(404, "x-error-code", "RevisionNotFound", "{}"),
            },
            ["api", "datasets", "o", "n", "tree", rest] => self.tree(asked, rest),
            ["api", "datasets", "o", "n", "paths-info", COMMIT] => self.paths_info(asked),
            ["datasets", "o", "n", "resolve", COMMIT, path] => {
                if self.gated {
                    return with(403, "x-error-code", "GatedRepo", "");
                }
                let content = &self.files[*path];
                if path.ends_with(".parquet") {
                    let url = format!("{cdn}/blobs/{}?signature=s3cr3t", sha256(content));
                    return with(302, "location", &url, "");
                }
                serve(asked, content, "\"hub\"", None)
            }
            _ => with(404, "x-error-code", "RepoNotFound", r#"{"error":"Not found"}"#),
        }
    }

    fn entry(path: &str, content: &[u8]) -> Value {
        let size = content.len();
        let mut entry = json!({"type": "file", "path": path, "size": size, "oid": git_id(content)});
        if path.ends_with(".parquet") {
            entry["oid"] = json!("f".repeat(40));
            entry["lfs"] = json!({"oid": sha256(content), "size": size, "pointerSize": 130});
        }
        entry
    }

    /// All entries below a folder, folders too.
    fn below(&self, folder: &str) -> Vec<Value> {
        let mut entries = BTreeMap::new();
        for (path, content) in &self.files {
            let inside = folder.is_empty() || path.starts_with(&format!("{folder}/"));
            if inside {
                entries.insert(path.clone(), Self::entry(path, content));
                for (at, _) in path.match_indices('/').filter(|(at, _)| *at > folder.len()) {
                    let folder =
                        json!({"type": "directory", "path": &path[..at], "oid": "d", "size": 0});
                    entries.insert(path[..at].to_owned(), folder);
                }
            }
        }
        if let Some(path) = &self.evil {
            entries.insert(path.clone(), Self::entry(path, b"evil"));
        }
        entries.into_values().collect()
    }

    fn tree(&self, asked: &Asked, rest: &str) -> Response {
        let folder = rest.strip_prefix(COMMIT).unwrap().trim_start_matches('/');
        let mut entries = self.below(folder);
        if entries.is_empty() {
            return with(404, "x-error-code", "EntryNotFound", "{}");
        }
        if asked.parameter("recursive").is_none() {
            let depth = |path: &str| path.matches('/').count();
            let top = if folder.is_empty() { 0 } else { depth(folder) + 1 };
            entries.retain(|entry| depth(entry["path"].as_str().unwrap()) == top);
        }
        let from: usize = asked.parameter("cursor").map_or(0, |cursor| cursor.parse().unwrap());
        let page: Vec<&Value> = entries.iter().skip(from).take(PAGE).collect();
        let body = json!(page).to_string();
        if from + PAGE >= entries.len() {
            return answer(200, body);
        }
        let host = asked.header("host").unwrap();
        let recursive = asked.parameter("recursive").map(|_| "recursive=true&");
        let next = format!(
            "<http://{host}{}?{}cursor={}>; rel=\"next\"",
            asked.path,
            recursive.unwrap_or_default(),
            from + PAGE
        );
        with(200, "link", &next, body)
    }

    fn paths_info(&self, asked: &Asked) -> Response {
        assert_eq!(asked.method, "POST");
        let body = asked.json();
        let path = body["paths"][0].as_str().unwrap();
        let found = match self.files.get(path) {
            Some(content) => vec![Self::entry(path, content)],
            None if !self.below(path).is_empty() => {
                vec![json!({"type": "directory", "path": path, "oid": "d", "size": 0})]
            }
            None => vec![],
        };
        answer(200, json!(found).to_string())
    }
}
