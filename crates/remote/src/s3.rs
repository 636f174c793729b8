//! S3 and what speaks like it: finding objects. Requests are signed by `rusty-s3`, which does no
//! input and output; the signature is in the URL, so URLs are shown nowhere.

use crate::access::Access;
use crate::cache::Listed;
use crate::digest::Check;
use crate::error::RemoteError;
use crate::fetch::{Found, Origin, RemoteFile};
use crate::http::{Again, Http};
use crate::hub::host_folder;
use crate::name::{Glob, S3Name, before_glob, is_glob, is_storable};
use crate::refusal::Refusal;
use reqwest::header::{CONTENT_LENGTH, ETAG};
use reqwest::{Method, Response, Url};
use rusty_s3::actions::ListObjectsV2;
use rusty_s3::{Bucket, Credentials, S3Action, UrlStyle};
use std::time::Duration;

/// How long a signed request may be used; it is signed anew for each attempt.
const SIGNED_FOR: Duration = Duration::from_secs(3600);

/// Where a bucket's region is told, in every answer about it.
const REGION: &str = "x-amz-bucket-region";

/// One bucket.
pub(crate) struct Store {
    /// None is AWS.
    endpoint: Option<Url>,
    name: String,
    bucket: Bucket,
    credentials: Option<Credentials>,
}

impl Store {
    pub(crate) fn new(access: &Access, bucket: &str, shown: &str) -> Result<Self, RemoteError> {
        let endpoint = access.s3_endpoint.clone();
        let made = make_bucket(endpoint.as_ref(), bucket, &access.s3_region, shown)?;
        let credentials = access.s3_credentials.clone();
        Ok(Self { endpoint, name: bucket.to_owned(), bucket: made, credentials })
    }

    /// Where requests go.
    pub(crate) fn server(&self) -> &Url {
        self.bucket.base_url()
    }

    /// What a name stands for; `shown` is the name as given.
    pub(crate) async fn list(
        &mut self,
        http: &Http,
        name: &S3Name,
        shown: &str,
    ) -> Result<Found, RemoteError> {
        let key = &name.key;
        if is_glob(key) {
            let glob = Glob::new(shown, key)?;
            let mut files = self.listing(http, shown, before_glob(key), "").await?;
            files
                .retain(|file| matches!(&file.origin, Origin::S3 { key, .. } if glob.matches(key)));
            return Ok(Found { is_folder: false, files });
        }
        if !key.is_empty() && !key.ends_with('/') {
            // Many public buckets let anybody read an object, and nobody list them.
            if let Some(file) = self.one(http, key, shown).await? {
                return Ok(Found { is_folder: false, files: vec![file] });
            }
        }
        let folder = match key.trim_end_matches('/') {
            "" => String::new(),
            folder => format!("{folder}/"),
        };
        let files = self.listing(http, shown, &folder, &folder).await?;
        Ok(Found { is_folder: true, files })
    }

    /// The signed address of an object, for a while.
    pub(crate) fn get(&self, key: &str) -> Url {
        self.bucket.get_object(self.credentials.as_ref(), key).sign(SIGNED_FOR)
    }

    /// What to do about a refusal.
    pub(crate) fn hint(&self, refusal: &Refusal) -> String {
        match (&refusal.code[..], refusal.status, self.credentials.is_some()) {
            ("NoSuchBucket", ..) => "there is no such bucket".to_owned(),
            ("RequestTimeTooSkewed", ..) => "set the clock of this machine".to_owned(),
            ("ExpiredToken", ..) => "AWS_SESSION_TOKEN has expired, set a new one".to_owned(),
            (_, 404, _) => "check the bucket and the key".to_owned(),
            (_, _, false) => {
                "it was asked for without keys; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
                    .to_owned()
            }
            ("", ..) => "the keys in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY may not read it, or it is not there".to_owned(),
            (code, ..) => format!(
                "S3 says {code}: check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_REGION, and what they may read"
            ),
        }
    }

    /// The object of exactly this key, if there is one that may be read.
    async fn one(
        &mut self,
        http: &Http,
        key: &str,
        shown: &str,
    ) -> Result<Option<RemoteFile>, RemoteError> {
        let response = self
            .ask(http, shown, Method::HEAD, |store| {
                store.bucket.head_object(store.credentials.as_ref(), key).sign(SIGNED_FOR)
            })
            .await?;
        match response.status().as_u16() {
            200..=299 => {}
            // Without the permission to list, what is not there is forbidden.
            403 | 404 => return Ok(None),
            _ => return Err(http.refused(shown, response, |refusal| self.hint(refusal)).await),
        }
        let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
        let size = header(CONTENT_LENGTH).and_then(|length| length.parse().ok());
        let etag = header(ETAG).map(str::to_owned);
        self.file(shown, key, "", size, etag).map(Some)
    }

    /// All objects whose key begins with `prefix`, page after page; paths are told below `folder`.
    async fn listing(
        &mut self,
        http: &Http,
        shown: &str,
        prefix: &str,
        folder: &str,
    ) -> Result<Vec<RemoteFile>, RemoteError> {
        let mut files = Vec::new();
        let mut token: Option<String> = None;
        loop {
            let response = self
                .ask(http, shown, Method::GET, |store| {
                    let mut list = store.bucket.list_objects_v2(store.credentials.as_ref());
                    list.with_prefix(prefix);
                    if let Some(token) = &token {
                        list.with_continuation_token(token.as_str());
                    }
                    list.sign(SIGNED_FOR)
                })
                .await?;
            let text = http.text(shown, response, |refusal| self.hint(refusal)).await?;
            let page = ListObjectsV2::parse_response(&text)
                .map_err(|error| answer(shown, error.to_string()))?;
            // A key that ends in a slash is what consoles make to show an empty folder.
            for object in page.contents.into_iter().filter(|object| !object.key.ends_with('/')) {
                files.push(self.file(shown, &object.key, folder, object.size, object.etag)?);
            }
            if page.next_continuation_token.is_none() {
                return Ok(files);
            }
            if page.next_continuation_token == token {
                return Err(answer(shown, "its pages go round in a circle".to_owned()));
            }
            token = page.next_continuation_token;
        }
    }

    /// Asks, and once more in the region that the answer names if that is another.
    async fn ask(
        &mut self,
        http: &Http,
        shown: &str,
        method: Method,
        url: impl Fn(&Self) -> Url,
    ) -> Result<Response, RemoteError> {
        for last in [false, true] {
            let call = || http.client.request(method.clone(), url(self));
            let response = http.send(shown, Again::Always, call).await?;
            let region = response.headers().get(REGION).and_then(|value| value.to_str().ok());
            match region.map(str::to_owned) {
                Some(region)
                    if !last
                        && !response.status().is_success()
                        && region != self.bucket.region() =>
                {
                    self.bucket = make_bucket(self.endpoint.as_ref(), &self.name, &region, shown)?;
                }
                _ => return Ok(response),
            }
        }
        unreachable!("the last round returns")
    }

    fn file(
        &self,
        shown: &str,
        key: &str,
        folder: &str,
        size: Option<u64>,
        etag: Option<String>,
    ) -> Result<RemoteFile, RemoteError> {
        if !is_storable(key) {
            let detail = format!("no file here can be called `{}`", key.escape_debug());
            return Err(answer(shown, detail));
        }
        let lacks = |what: &str| answer(shown, format!("`{key}` has no {what}"));
        let size = size.ok_or_else(|| lacks("size"))?;
        let etag = etag.ok_or_else(|| lacks("ETag"))?;
        let etag = if etag.contains('"') { etag } else { format!("\"{etag}\"") };
        let version: String =
            etag.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
        if version.is_empty() {
            return Err(lacks("ETag"));
        }
        let host = host_folder(self.endpoint.as_ref().unwrap_or(&aws(self.bucket.region())));
        Ok(RemoteFile {
            listed: Listed {
                path: key.strip_prefix(folder).unwrap_or(key).to_owned(),
                cached: format!("s3/{host}/{}/{version}/{key}", self.name),
                size,
            },
            what: format!("s3://{}/{key}", self.name),
            // The ETag is a digest of the content for some objects and not for others; the
            // request asks for exactly this version instead.
            check: Check::Size,
            origin: Origin::S3 { key: key.to_owned(), etag },
        })
    }
}

/// AWS in a region.
fn aws(region: &str) -> Url {
    let domain = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
    let url = format!("https://s3.{region}.{domain}");
    url.parse().unwrap_or_else(|_| Url::parse("https://s3.amazonaws.com").expect("it is one"))
}

fn make_bucket(
    endpoint: Option<&Url>,
    name: &str,
    region: &str,
    shown: &str,
) -> Result<Bucket, RemoteError> {
    // A name with dots or capitals is no host name that a certificate covers.
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let style = if endpoint.is_none() && name.bytes().all(plain) {
        UrlStyle::VirtualHost
    } else {
        UrlStyle::Path
    };
    let server = endpoint.cloned().unwrap_or_else(|| aws(region));
    Bucket::new(server, style, name.to_owned(), region.to_owned())
        .map_err(|error| RemoteError::Name { name: shown.to_owned(), detail: error.to_string() })
}

fn answer(what: &str, detail: String) -> RemoteError {
    RemoteError::Answer { what: what.to_owned(), detail }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_addressed_as_their_server_wants() {
        fn check(endpoint: Option<&str>, name: &str, region: &str, expected: &str) {
            let endpoint = endpoint.map(|url| url.parse().unwrap());
            let bucket = make_bucket(endpoint.as_ref(), name, region, "").unwrap();
            assert_eq!(bucket.base_url().as_str(), expected);
        }
        check(None, "data", "eu-west-1", "https://data.s3.eu-west-1.amazonaws.com/");
        check(None, "my.data", "eu-west-1", "https://s3.eu-west-1.amazonaws.com/my.data/");
        check(None, "data", "cn-north-1", "https://data.s3.cn-north-1.amazonaws.com.cn/");
        check(Some("http://127.0.0.1:9000"), "data", "us-east-1", "http://127.0.0.1:9000/data/");
    }
}
