//! Fetching from S3.

use crate::fake_s3::{Bucket, KEY, SECRET, SESSION, etag};
use crate::server::{Fault, Server};
use crate::{access, contents, noise, options};
use polyculture_remote::{Access, FetchOptions, RemoteError, fetch};
use tempfile::tempdir;

fn bucket() -> Bucket {
    Bucket::new(&[
        ("data/a b+c.csv", b"x,y\n1,2\n"),
        ("data/folder/", b""),
        ("data/train.csv", &noise(4, 200_000)),
        ("data/train.csv.bak", b"old"),
        ("data/year=2024/0.parquet", &noise(5, 1000)),
        ("data/year=2025/0.parquet", &noise(6, 2000)),
        ("top.csv", b"x\n"),
    ])
}

fn signed(server: &Server) -> Access {
    access(&[
        ("AWS_ENDPOINT_URL", &server.url),
        ("AWS_ACCESS_KEY_ID", KEY),
        ("AWS_SECRET_ACCESS_KEY", SECRET),
        ("AWS_SESSION_TOKEN", SESSION),
    ])
}

#[tokio::test]
async fn a_key_a_prefix_and_globs_stand_for_their_objects() {
    let bucket = bucket();
    let objects = bucket.objects.clone();
    let server = bucket.start().await;
    let folder = tempdir().unwrap();
    let options = options(folder.path(), signed(&server));
    let host = server.url.trim_start_matches("http://").replace(':', "_");

    let check = async |name: &str, expected: &[&str]| {
        let found = fetch(name, &options).await.unwrap();
        let expected: Vec<_> = expected
            .iter()
            .map(|key| {
                let version = etag(&objects[*key]).replace('"', "");
                (format!("s3/{host}/bucket/{version}/{key}"), objects[*key].clone())
            })
            .collect();
        assert!(contents(&found, folder.path()) == expected, "{name}: {found:?}");
    };
    check("s3://bucket/data/train.csv", &["data/train.csv"]).await;
    check("s3://bucket/data/a b+c.csv", &["data/a b+c.csv"]).await;
    let years = ["data/year=2024/0.parquet", "data/year=2025/0.parquet"];
    check("s3://bucket/data/year=2024", &years[..1]).await;
    check("s3://bucket/data/year=202[45]/*.parquet", &years).await;
    check("s3://bucket/**/*.parquet", &years).await;
    check("s3://bucket/data/*.csv", &["data/a b+c.csv", "data/train.csv"]).await;
    let all: Vec<&str> =
        objects.keys().map(String::as_str).filter(|key| !key.ends_with('/')).collect();
    check("s3://bucket", &all).await;
    check("s3://bucket/data/", &all[..5]).await;

    let offline = FetchOptions { offline: true, ..options.clone() };
    let asked = server.count();
    assert_eq!(fetch("s3://bucket/data/", &offline).await.unwrap().len(), 5);
    assert_eq!(server.count(), asked);
}

#[tokio::test]
async fn without_keys_it_is_asked_anonymously() {
    let anonymous = |server: &Server| access(&[("AWS_ENDPOINT_URL", &server.url)]);
    let folder = tempdir().unwrap();
    // As many public buckets are: anybody may read, and nobody may list.
    let public = Bucket { public: true, unlisted: true, ..bucket() }.start().await;
    let found = options(folder.path(), anonymous(&public));
    assert_eq!(fetch("s3://bucket/top.csv", &found).await.unwrap().len(), 1);
    assert!(public.log().iter().all(|asked| asked.query.is_empty()));
    let error = fetch("s3://bucket/data/", &found).await.unwrap_err();
    assert!(error.is_access(), "{error}");

    let private = bucket().start().await;
    let refused = options(folder.path(), anonymous(&private));
    let error = fetch("s3://bucket/top.csv", &refused).await.unwrap_err().to_string();
    assert!(error.contains("set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"), "{error}");
}

#[tokio::test]
async fn refusals_say_what_to_do_and_no_secret() {
    let server = bucket().start().await;
    let folder = tempdir().unwrap();
    let check = async |name: &str, secret: &str, expected: &str| {
        let access = access(&[
            ("AWS_ENDPOINT_URL", &server.url),
            ("AWS_ACCESS_KEY_ID", KEY),
            ("AWS_SECRET_ACCESS_KEY", secret),
            ("AWS_SESSION_TOKEN", SESSION),
        ]);
        let error = fetch(name, &options(folder.path(), access)).await.unwrap_err();
        let text = error.to_string();
        assert!(text.contains(expected), "{text}");
        assert!(!text.contains(KEY) && !text.contains(secret) && !text.contains("X-Amz"), "{text}");
    };
    check("s3://bucket/top.csv", "wrong-0123456789", "S3 says SignatureDoesNotMatch").await;
    check("s3://bucket/none.csv", SECRET, "no file is of this name").await;
    check("s3://other/none.csv", SECRET, "there is no such bucket").await;
}

#[tokio::test]
async fn the_region_that_the_bucket_names_is_taken() {
    let server = Bucket { region: "eu-west-1".to_owned(), ..bucket() }.start().await;
    let folder = tempdir().unwrap();
    let options = options(folder.path(), signed(&server));
    fetch("s3://bucket/data/", &options).await.unwrap();
    fetch("s3://bucket/top.csv", &options).await.unwrap();
}

#[tokio::test]
async fn a_download_goes_on_where_it_stopped_and_never_mixes_versions() {
    let bucket = bucket();
    let (content, faults) = (bucket.objects["data/train.csv"].clone(), bucket.faults.clone());
    let server = bucket.start().await;
    let folder = tempdir().unwrap();
    let found = options(folder.path(), signed(&server));
    faults.push(Fault::Status(503, "retry-after", "0"));
    faults.push(Fault::Cut(70_000));
    let files = fetch("s3://bucket/data/train.csv", &found).await.unwrap();
    assert!(std::fs::read(&files[0]).unwrap() == content);
    let reads = server.log().into_iter().filter(|asked| asked.method == "GET");
    assert_eq!(reads.map(|asked| asked.start()).collect::<Vec<_>>(), [0, 0, 70_000]);

    let moving = Bucket { moving: true, ..self::bucket() }.start().await;
    let options = options(folder.path(), signed(&moving));
    let error = fetch("s3://bucket/top.csv", &options).await.unwrap_err();
    assert!(matches!(error, RemoteError::Corrupt { .. }), "{error}");
    assert!(error.to_string().contains("changed while it was being fetched"), "{error}");
}
