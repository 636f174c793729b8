//! Fetching from the Hub.

use crate::fake_hub::{COMMIT, Dataset, TOKEN};
use crate::server::{Fault, Server, answer, with};
use crate::{access, contents, noise, options, walk};
use polyculture_remote::{Access, Event, FetchOptions, OnEvent, RemoteError, RetryPolicy, fetch};
use serde_json::json;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tempfile::tempdir;

fn dataset() -> Dataset {
    Dataset::new(&[
        (".gitattributes", b"*.parquet filter=lfs"),
        ("README.md", b"# Card\n"),
        ("data/a b+c.csv", b"x,y\n1,2\n"),
        ("data/deep/0.parquet", &noise(1, 300_000)),
        ("data/deep/1.parquet", &noise(2, 1000)),
        ("data/empty.csv", b""),
        ("data/train.parquet", &noise(3, 70_000)),
    ])
}

fn open_access(hub: &Server) -> Access {
    access(&[("HF_ENDPOINT", &hub.url)])
}

#[tokio::test]
async fn a_file_a_folder_and_globs_stand_for_their_files() {
    let dataset = dataset();
    let files = dataset.files.clone();
    let (hub, cdn) = dataset.start().await;
    let folder = tempdir().unwrap();
    let options = options(folder.path(), open_access(&hub));
    let host = hub.url.trim_start_matches("http://").replace(':', "_");

    let check = async |name: &str, expected: &[&str]| {
        let found = fetch(name, &options).await.unwrap();
        let expected: Vec<_> = expected
            .iter()
            .map(|path| (format!("hf/{host}/o/n/{COMMIT}/{path}"), files[*path].clone()))
            .collect();
        assert!(contents(&found, folder.path()) == expected, "{name}: {found:?}");
    };
    check("hf://datasets/o/n/data/train.parquet", &["data/train.parquet"]).await;
    check("hf://datasets/o/n/data/a b+c.csv", &["data/a b+c.csv"]).await;
    check("hf://datasets/o/n/data/deep/", &["data/deep/0.parquet", "data/deep/1.parquet"]).await;
    check("hf://datasets/o/n/data/*.csv", &["data/a b+c.csv", "data/empty.csv"]).await;
    check("hf://datasets/o/n@~parquet/data/*/[0]*", &["data/deep/0.parquet"]).await;
    let parquet = ["data/deep/0.parquet", "data/deep/1.parquet", "data/train.parquet"];
    check("hf://datasets/o/n/**/*.parquet", &parquet).await;
    let visible: Vec<&str> = files.keys().map(String::as_str).skip(1).collect();
    check("hf://datasets/o/n", &visible).await;

    // Each large file came once, whatever it was called.
    assert_eq!(cdn.count(), 3);
    let parts = walk(folder.path())
        .into_iter()
        .filter(|path| path.to_string_lossy().ends_with(".part"))
        .count();
    assert_eq!(parts, 0);

    let csv = FetchOptions { keep: |path| path.ends_with(".csv"), ..options.clone() };
    assert_eq!(fetch("hf://datasets/o/n", &csv).await.unwrap().len(), 2);
}

#[tokio::test]
async fn the_token_goes_to_the_hub_and_nowhere_else() {
    let (hub, cdn) = Dataset { private: true, ..dataset() }.start().await;
    let folder = tempdir().unwrap();
    let name = "hf://datasets/o/n/data/train.parquet";

    let error = fetch(name, &options(folder.path(), open_access(&hub))).await.unwrap_err();
    let text = error.to_string();
    assert!(
        error.is_access() && text.contains("HTTP 401") && text.contains("set HF_TOKEN"),
        "{text}"
    );

    let wrong = access(&[("HF_ENDPOINT", &hub.url), ("HF_TOKEN", "hf_wrong_wrong")]);
    let text = fetch(name, &options(folder.path(), wrong)).await.unwrap_err().to_string();
    assert!(text.contains("check the name, and HF_TOKEN") && !text.contains("hf_wrong"), "{text}");

    let access = access(&[("HF_ENDPOINT", &hub.url), ("HF_TOKEN", TOKEN)]);
    fetch(name, &options(folder.path(), access)).await.unwrap();
    let cdn = cdn.log();
    assert!(cdn.len() == 1 && cdn[0].header("authorization").is_none(), "{cdn:?}");
}

#[tokio::test]
async fn the_token_does_not_follow_a_page_to_another_host() {
    let other = Server::start(|_| answer(200, "[]")).await;
    let next = format!("<{}/api/more>; rel=\"next\"", other.url);
    let hub = Server::start(move |asked| match asked.path.contains("/revision/") {
        true => answer(200, json!({"sha": COMMIT}).to_string()),
        false => with(200, "link", &next, "[]"),
    })
    .await;
    let folder = tempdir().unwrap();
    let access = access(&[("HF_ENDPOINT", &hub.url), ("HF_TOKEN", TOKEN)]);
    let error = fetch("hf://datasets/o/n", &options(folder.path(), access)).await.unwrap_err();
    assert!(matches!(error, RemoteError::Missing { .. }), "{error}");
    assert!(hub.log().iter().all(|asked| asked.header("authorization").is_some()));
    let other = other.log();
    assert!(other.len() == 1 && other[0].header("authorization").is_none(), "{other:?}");
}

#[tokio::test]
async fn refusals_say_what_to_do() {
    let (hub, _cdn) = Dataset { gated: true, ..dataset() }.start().await;
    let folder = tempdir().unwrap();
    let options = options(folder.path(), open_access(&hub));
    let check = async |name: &str, expected: &str| {
        let error = fetch(name, &options).await.unwrap_err();
        assert!(error.is_access() && !error.is_retryable(), "{error}");
        assert!(error.to_string().contains(expected), "{error}");
    };
    let conditions =
        format!("accept its conditions at {}/datasets/o/n, then set HF_TOKEN", hub.url);
    check("hf://datasets/o/n/README.md", &conditions).await;
    check("hf://datasets/o/none/README.md", "if it is private or has conditions, set HF_TOKEN")
        .await;
    check("hf://datasets/o/n@v9/README.md", "check the revision").await;
    check("hf://datasets/o/n/none.csv", "no file is of this name").await;
    check("hf://datasets/o/n/none/*.csv", "check the path").await;
    check("hf://datasets/o/n/data/*.json", "no file is of this name").await;
}

#[tokio::test]
async fn a_download_that_breaks_off_goes_on_where_it_stopped() {
    let dataset = dataset();
    let (content, faults) = (dataset.files["data/deep/0.parquet"].clone(), dataset.faults.clone());
    let (hub, cdn) = dataset.start().await;
    let folder = tempdir().unwrap();
    let name = "hf://datasets/o/n/data/deep/0.parquet";
    let patient = options(folder.path(), open_access(&hub));

    // In one call.
    faults.push(Fault::Cut(100_000));
    faults.push(Fault::Cut(100_000));
    let files = fetch(name, &patient).await.unwrap();
    assert!(std::fs::read(&files[0]).unwrap() == content);
    let starts: Vec<usize> = cdn.log().iter().map(|asked| asked.start()).collect();
    assert_eq!(starts, [0, 100_000, 200_000]);

    // In two.
    std::fs::remove_file(&files[0]).unwrap();
    faults.push(Fault::Cut(123_456));
    let once =
        FetchOptions { retry: RetryPolicy { attempts: 1, ..patient.retry }, ..patient.clone() };
    let error = fetch(name, &once).await.unwrap_err();
    assert!(error.is_retryable() && error.to_string().contains("broke off"), "{error}");
    assert!(!files[0].exists());
    fetch(name, &once).await.unwrap();
    assert!(std::fs::read(&files[0]).unwrap() == content);
    assert_eq!(cdn.log().last().unwrap().start(), 123_456);

    // A server that does not know ranges gives it all again.
    std::fs::remove_file(&files[0]).unwrap();
    faults.push(Fault::Cut(100_000));
    faults.push(Fault::Whole);
    fetch(name, &patient).await.unwrap();
    assert!(std::fs::read(&files[0]).unwrap() == content);

    // One that breaks off each time is left in the end.
    std::fs::remove_file(&files[0]).unwrap();
    (0..4).for_each(|_| faults.push(Fault::Cut(10)));
    assert!(matches!(fetch(name, &patient).await, Err(RemoteError::Cut { .. })));
}

#[tokio::test]
async fn what_is_not_as_announced_is_not_kept() {
    let dataset = dataset();
    let (content, faults) = (dataset.files["data/deep/0.parquet"].clone(), dataset.faults.clone());
    let (hub, cdn) = dataset.start().await;
    let folder = tempdir().unwrap();
    let name = "hf://datasets/o/n/data/deep/0.parquet";
    let options = options(folder.path(), open_access(&hub));

    faults.push(Fault::Lie);
    let error = fetch(name, &options).await.unwrap_err();
    assert!(matches!(error, RemoteError::Corrupt { .. }), "{error}");
    let files = fetch(name, &options).await.unwrap();

    // The rest of a file that was never ours: found out at the end, and fetched anew.
    std::fs::remove_file(&files[0]).unwrap();
    let part = files[0].with_file_name(".0.parquet.part");
    std::fs::write(&part, noise(9, 5000)).unwrap();
    fetch(name, &options).await.unwrap();
    assert!(std::fs::read(&files[0]).unwrap() == content && !part.exists());
    let starts: Vec<usize> = cdn.log().iter().skip(2).map(|asked| asked.start()).collect();
    assert_eq!(starts, [5000, 0]);

    // A part longer than the file.
    std::fs::remove_file(&files[0]).unwrap();
    std::fs::write(&part, noise(9, 400_000)).unwrap();
    fetch(name, &options).await.unwrap();
    assert!(std::fs::read(&files[0]).unwrap() == content);
}

#[tokio::test]
async fn a_path_that_leads_out_of_the_cache_is_refused() {
    for evil in ["../evil", "/etc/evil", "a/../../evil", "a\\b"] {
        let (hub, _cdn) = Dataset { evil: Some(evil.to_owned()), ..dataset() }.start().await;
        let folder = tempdir().unwrap();
        let options = options(folder.path(), open_access(&hub));
        let error = fetch("hf://datasets/o/n", &options).await.unwrap_err();
        assert!(matches!(error, RemoteError::Answer { .. }), "{error}");
        assert_eq!(walk(folder.path()).len(), 0);
    }
}

#[tokio::test]
async fn the_server_is_waited_for_as_it_asks() {
    let dataset = dataset();
    let (faults, api) = (dataset.faults.clone(), dataset.api_faults.clone());
    let (hub, _cdn) = dataset.start().await;
    let folder = tempdir().unwrap();
    let waits = Arc::new(Mutex::new(Vec::new()));
    let written = waits.clone();
    let on_event = OnEvent::new(move |event| {
        if let Event::Waiting { wait, .. } = event {
            written.lock().unwrap().push(*wait);
        }
    });
    let options = FetchOptions { on_event, ..options(folder.path(), open_access(&hub)) };

    let begin = Instant::now();
    faults.push(Fault::Status(429, "retry-after", "1"));
    fetch("hf://datasets/o/n/data/train.parquet", &options).await.unwrap();
    assert!(begin.elapsed() >= Duration::from_secs(1));
    api.push(Fault::Status(429, "ratelimit", "\"api\";r=0;t=1"));
    api.push(Fault::Status(502, "x", "y"));
    fetch("hf://datasets/o/n/data/train.parquet", &options).await.unwrap();
    let waits: Vec<Duration> = waits.lock().unwrap().clone();
    assert_eq!(waits[..2], [Duration::from_secs(1); 2]);
    assert!(waits.len() == 3 && waits[2] < Duration::from_secs(1), "{waits:?}");

    // Longer than we have patience.
    api.push(Fault::Status(429, "retry-after", "3600"));
    let error = fetch("hf://datasets/o/n/README.md", &options).await.unwrap_err();
    assert!(error.is_retryable() && error.to_string().contains("asks to wait 3600 s"), "{error}");
}

#[tokio::test]
async fn what_is_in_the_cache_needs_no_network() {
    let (hub, _cdn) = dataset().start().await;
    let folder = tempdir().unwrap();
    let online = options(folder.path(), open_access(&hub));
    let offline = FetchOptions { offline: true, ..online.clone() };
    let name = "hf://datasets/o/n/data/**/*.parquet";

    let error = fetch(name, &offline).await.unwrap_err();
    assert!(matches!(error, RemoteError::Offline { .. }), "{error}");
    assert!(error.to_string().contains("without --offline"), "{error}");
    let files = fetch(name, &online).await.unwrap();
    let asked = hub.count();
    assert_eq!(fetch(name, &offline).await.unwrap(), files);

    // A commit does not move on.
    let fixed = format!("hf://datasets/o/n@{COMMIT}/data/train.parquet");
    fetch(&fixed, &online).await.unwrap();
    let more = hub.count();
    assert!(more > asked);
    fetch(&fixed, &online).await.unwrap();
    assert_eq!(hub.count(), more);

    // A file that somebody cut off is fetched again.
    let whole = std::fs::read(&files[1]).unwrap();
    std::fs::write(&files[1], &whole[..10]).unwrap();
    assert!(matches!(fetch(name, &offline).await, Err(RemoteError::Offline { .. })));
    fetch(name, &online).await.unwrap();
    assert!(std::fs::read(&files[1]).unwrap() == whole);

    // Two of three files are not an answer.
    let more = hub.count();
    std::fs::remove_file(&files[1]).unwrap();
    assert!(matches!(fetch(name, &offline).await, Err(RemoteError::Offline { .. })));
    assert_eq!(hub.count(), more);
}

#[tokio::test]
async fn no_network_is_called_that() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let folder = tempdir().unwrap();
    let options = options(folder.path(), access(&[("HF_ENDPOINT", &url)]));
    let error = fetch("hf://datasets/o/n/README.md", &options).await.unwrap_err();
    assert!(matches!(error, RemoteError::Unreachable { .. }) && error.is_retryable());
    let text = error.to_string();
    assert!(text.contains("127.0.0.1") && text.contains("--offline"), "{text}");
}

#[tokio::test]
async fn two_who_want_one_file_fetch_it_once() {
    let (hub, cdn) = dataset().start().await;
    let folder = tempdir().unwrap();
    let options = options(folder.path(), open_access(&hub));
    let name = "hf://datasets/o/n/data/deep/0.parquet";
    let (a, b) = tokio::join!(fetch(name, &options), fetch(name, &options));
    assert_eq!(a.unwrap(), b.unwrap());
    assert_eq!(cdn.count(), 1);
}

#[tokio::test]
async fn progress_ends_where_it_should() {
    let dataset = dataset();
    let faults = dataset.faults.clone();
    let total: usize = dataset.files.values().map(Vec::len).sum();
    let hidden = dataset.files[".gitattributes"].len();
    let (hub, _cdn) = dataset.start().await;
    let folder = tempdir().unwrap();
    let last = Arc::new(Mutex::new(None));
    let written = last.clone();
    let on_event = OnEvent::new(move |event| {
        if let Event::Progress { .. } = event {
            *written.lock().unwrap() = Some(event.clone());
        }
    });
    let options = FetchOptions { on_event, ..options(folder.path(), open_access(&hub)) };
    faults.push(Fault::Cut(500));
    faults.push(Fault::Whole);
    fetch("hf://datasets/o/n", &options).await.unwrap();
    let bytes = (total - hidden) as u64;
    let expected = Event::Progress { files_done: 6, files: 6, bytes_done: bytes, bytes };
    assert_eq!(last.lock().unwrap().clone(), Some(expected));
}
