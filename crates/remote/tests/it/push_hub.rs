//! Pushing to the Hub.

use crate::fake_hub::{COMMIT, TOKEN, git_id, sha256};
use crate::server::{Asked, Fault, Faults, Server, answer, with};
use crate::{access, noise, quick};
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use polyculture_remote::{PushOptions, Pushed, RemoteError, push};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use tempfile::{TempDir, tempdir};

/// Objects larger than this go up in parts of this size.
const PART: usize = 100_000;

/// What a Hub takes in.
#[derive(Default)]
struct Taken {
    /// Whether the repository is there, and private.
    repository: Option<bool>,
    /// By SHA-256.
    objects: BTreeMap<String, Vec<u8>>,
    parts: BTreeMap<u64, Vec<u8>>,
    verified: Vec<String>,
    /// The last commit's files, by path.
    committed: BTreeMap<String, Vec<u8>>,
    commits: usize,
    faults: Faults,
    /// Whether what is made private becomes public.
    careless: bool,
}

type Shared = Arc<Mutex<Taken>>;

async fn start(taken: Taken) -> (Server, Shared) {
    let taken = Arc::new(Mutex::new(taken));
    let shared = taken.clone();
    let server = Server::start(move |asked| shared.lock().unwrap().answer(asked)).await;
    (server, taken)
}

impl Taken {
    fn answer(&mut self, asked: &Asked) -> Response {
        let own = !asked.path.starts_with("/store/") && !asked.path.starts_with("/complete/");
        let token = asked.header("authorization");
        assert_eq!(token, own.then(|| format!("Bearer {TOKEN}")).as_deref(), "{}", asked.path);
        let base = format!("http://{}", asked.header("host").unwrap());
        match (&asked.method[..], &asked.path[..]) {
            ("GET", "/api/datasets/o/n") => match self.repository {
                Some(private) => answer(200, json!({"id": "o/n", "private": private}).to_string()),
                None => with(404, "x-error-code", "RepoNotFound", "{}"),
            },
            ("POST", "/api/repos/create") => {
                let body = asked.json();
                assert_eq!((&body["type"], &body["name"]), (&json!("dataset"), &json!("n")));
                assert_eq!(body["organization"], "o");
                self.repository = Some(body["private"] == true && !self.careless);
                answer(200, json!({"url": "x"}).to_string())
            }
            ("POST", "/api/datasets/o/n/preupload/main") => self.preupload(&asked.json()),
            ("POST", "/datasets/o/n.git/info/lfs/objects/batch") => {
                assert_eq!(asked.header("accept"), Some("application/vnd.git-lfs+json"));
                self.batch(&asked.json(), &base)
            }
            ("PUT", path) if path.starts_with("/store/part/") => {
                let number = path.rsplit('/').next().unwrap().parse().unwrap();
                self.parts.insert(number, asked.body.to_vec());
                with(200, "etag", &format!("\"part-{number}\""), "")
            }
            ("PUT", path) if path.starts_with("/store/") => {
                if let Some(Fault::Status(status, header, value)) = self.faults.next() {
                    return with(status, header, value, "");
                }
                assert_eq!(
                    asked.header("content-length"),
                    Some(asked.body.len().to_string().as_str())
                );
                self.keep(path.trim_start_matches("/store/"), asked.body.to_vec())
            }
            ("POST", path) if path.starts_with("/complete/") => {
                let body = asked.json();
                let etags = body["parts"].as_array().unwrap().iter();
                let expected = self
                    .parts
                    .keys()
                    .map(|n| json!({"partNumber": n, "etag": format!("\"part-{n}\"")}));
                assert!(etags.cloned().eq(expected), "{body}");
                let whole = std::mem::take(&mut self.parts).into_values().flatten().collect();
                self.keep(path.trim_start_matches("/complete/"), whole)
            }
            ("POST", "/verify") => {
                let body = asked.json();
                let oid = body["oid"].as_str().unwrap();
                assert_eq!(self.objects[oid].len() as u64, body["size"].as_u64().unwrap());
                self.verified.push(oid.to_owned());
                answer(200, "{}")
            }
            ("POST", "/api/datasets/o/n/commit/main") => {
                assert_eq!(asked.header("content-type"), Some("application/x-ndjson"));
                self.commit(std::str::from_utf8(&asked.body).unwrap())
            }
            (method, path) => panic!("{method} {path}"),
        }
    }

    fn preupload(&self, body: &Value) -> Response {
        let told = body["files"].as_array().unwrap().iter().map(|file| {
            let path = file["path"].as_str().unwrap();
            let sample = STANDARD.decode(file["sample"].as_str().unwrap()).unwrap();
            assert_eq!(sample.len() as u64, file["size"].as_u64().unwrap().min(512));
            let lfs = path.ends_with(".parquet");
            let oid = self.committed.get(path).map(|content| match lfs {
                true => sha256(content),
                false => git_id(content),
            });
            json!({
                "path": path, "uploadMode": if lfs { "lfs" } else { "regular" },
                "shouldIgnore": path.ends_with(".tmp"), "oid": oid,
            })
        });
        answer(200, json!({"files": told.collect::<Vec<_>>()}).to_string())
    }

    fn batch(&self, body: &Value, base: &str) -> Response {
        assert_eq!((&body["operation"], &body["hash_algo"]), (&json!("upload"), &json!("sha256")));
        let objects = body["objects"].as_array().unwrap().iter().map(|object| {
            let (oid, size) = (object["oid"].as_str().unwrap(), object["size"].as_u64().unwrap());
            if self.objects.contains_key(oid) {
                return json!({"oid": oid, "size": size});
            }
            let verify = json!({"href": format!("{base}/verify")});
            let mut header = json!({"x-amz-marker": "yes"});
            let mut href = format!("{base}/store/{oid}");
            if size as usize > PART {
                header = json!({"chunk_size": PART.to_string()});
                for number in 1..=size.div_ceil(PART as u64) {
                    header[number.to_string()] = json!(format!("{base}/store/part/{number}"));
                }
                href = format!("{base}/complete/{oid}");
            }
            let upload = json!({"href": href, "header": header});
            json!({"oid": oid, "size": size, "actions": {"upload": upload, "verify": verify}})
        });
        answer(
            200,
            json!({"transfer": "basic", "objects": objects.collect::<Vec<_>>()}).to_string(),
        )
    }

    fn keep(&mut self, oid: &str, content: Vec<u8>) -> Response {
        assert_eq!(sha256(&content), oid);
        self.objects.insert(oid.to_owned(), content);
        answer(200, "")
    }

    fn commit(&mut self, text: &str) -> Response {
        let lines: Vec<Value> =
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(
            lines[0],
            json!({"key": "header", "value": {"summary": "First", "description": ""}})
        );
        for line in &lines[1..] {
            let value = &line["value"];
            let content = match line["key"].as_str().unwrap() {
                "file" => STANDARD.decode(value["content"].as_str().unwrap()).unwrap(),
                _ => self.objects[value["oid"].as_str().unwrap()].clone(),
            };
            self.committed.insert(value["path"].as_str().unwrap().to_owned(), content);
        }
        self.commits += 1;
        answer(200, json!({"success": true, "commitOid": COMMIT, "commitUrl": "x"}).to_string())
    }
}

fn folder(files: &[(&str, &[u8])]) -> TempDir {
    let folder = tempdir().unwrap();
    for (path, content) in files {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }
    folder
}

fn options(server: &Server) -> PushOptions {
    let access = access(&[("HF_ENDPOINT", &server.url), ("HF_TOKEN", TOKEN)]);
    PushOptions { message: "First".to_owned(), retry: quick(), ..PushOptions::new(access) }
}

async fn pushed(folder: &Path, server: &Server) -> Pushed {
    push(folder, "o/n", &options(server)).await.unwrap()
}

#[tokio::test]
async fn a_folder_goes_up_in_one_commit() {
    let faults = Faults::default();
    faults.push(Fault::Status(500, "x", "y"));
    let (server, taken) = start(Taken { faults, ..Taken::default() }).await;
    let large = noise(7, 2 * PART + 12_345);
    let files: [(&str, &[u8]); 6] = [
        ("README.md", b"# Card\n"),
        ("data/empty.parquet", b""),
        ("data/large.parquet", &large),
        ("data/small.parquet", &noise(8, 600)),
        ("data/twin.parquet", &noise(8, 600)),
        ("data/umlaut \u{e4}.csv", "x\n\u{e4}\n".as_bytes()),
    ];
    let local = folder(&files);
    std::fs::write(local.path().join(".hidden"), "no").unwrap();
    std::fs::write(local.path().join("left.tmp"), "no").unwrap();

    let done = pushed(local.path(), &server).await;
    let expected = Pushed {
        page: format!("{}/datasets/o/n", server.url),
        commit: Some(COMMIT.to_owned()),
        created: true,
        files: 6,
        unchanged: 0,
        ignored: vec!["left.tmp".to_owned()],
    };
    assert_eq!(done, expected);
    {
        let taken = taken.lock().unwrap();
        let wanted = files.iter().map(|(path, content)| ((*path).to_owned(), content.to_vec()));
        assert!(taken.committed == wanted.collect());
        assert_eq!((taken.commits, taken.verified.len(), taken.repository), (1, 2, Some(true)));
    }

    // Again: nothing to do. With one file changed: that one alone.
    let again = pushed(local.path(), &server).await;
    assert_eq!((again.commit, again.created, again.unchanged), (None, false, 6));
    std::fs::write(local.path().join("data/new.parquet"), &large).unwrap();
    let asked = server.count();
    let more = pushed(local.path(), &server).await;
    assert_eq!((more.files, more.unchanged), (1, 6));
    // Its content is there under another name.
    let uploads = server.log().split_off(asked).into_iter().filter(|asked| asked.method == "PUT");
    assert_eq!(uploads.count(), 0);
    assert_eq!(taken.lock().unwrap().commits, 2);
}

#[tokio::test]
async fn nothing_private_goes_into_what_is_public() {
    let public = Taken { repository: Some(false), ..Taken::default() };
    let careless = Taken { careless: true, ..Taken::default() };
    for taken in [public, careless] {
        let (server, taken) = start(taken).await;
        let local = folder(&[("a.csv", b"x\n")]);
        let error = push(local.path(), "o/n", &options(&server)).await.unwrap_err();
        assert!(matches!(error, RemoteError::Public { .. }), "{error}");
        assert!(server.log().iter().all(|asked| !asked.path.contains("preupload")));
        let open = PushOptions { private: false, ..options(&server) };
        push(local.path(), "o/n", &open).await.unwrap();
        assert_eq!(taken.lock().unwrap().commits, 1);
    }
}

#[tokio::test]
async fn what_cannot_be_pushed_is_said_before_anything_is() {
    let (server, _taken) = start(Taken::default()).await;
    let local = folder(&[("a.csv", b"x\n")]);
    let check = async |path: &Path, repository: &str, options: &PushOptions, expected: &str| {
        let error = push(path, repository, options).await.unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    };
    let none = PushOptions::new(access(&[("HF_ENDPOINT", &server.url)]));
    check(local.path(), "o/n", &none, "`HF_TOKEN` cannot be used: it is not set").await;
    let options = options(&server);
    check(local.path(), "n", &options, "not of the form OWNER/NAME").await;
    check(&local.path().join("none"), "o/n", &options, "No such file").await;
    let empty = tempdir().unwrap();
    check(empty.path(), "o/n", &options, "there is no file in it").await;
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("/etc/hostname", local.path().join("link.csv")).unwrap();
        check(local.path(), "o/n", &options, "neither a file nor a folder").await;
    }
    assert_eq!(server.count(), 0);
}

#[tokio::test]
async fn a_refused_token_is_said_and_not_shown() {
    let server =
        Server::start(|_| with(403, "x-error-code", "", format!("{{\"error\":\"{TOKEN}\"}}")))
            .await;
    let local = folder(&[("a.csv", b"x\n")]);
    let error = push(local.path(), "o/n", &options(&server)).await.unwrap_err();
    let text = error.to_string();
    assert!(
        error.is_access() && text.contains("may not do this") && !text.contains(TOKEN),
        "{text}"
    );

    let server = Server::start(|_| with(400, "x", "y", format!("bad token {TOKEN}"))).await;
    let text = push(local.path(), "o/n", &options(&server)).await.unwrap_err().to_string();
    assert!(text.contains("HTTP 400: bad token [redacted]"), "{text}");
}
