//! An S3 with one bucket, addressed in the path as MinIO's are. It checks every signature with its
//! own reading of AWS's Signature Version 4.

use crate::fake_hub::{hex, sha256};
use crate::server::{Asked, Faults, Server, answer, decoded, serve, with};
use axum::response::Response;
use ring::hmac;
use std::collections::BTreeMap;

pub(crate) const KEY: &str = "AKIA0123456789";
pub(crate) const SECRET: &str = "secret/0123456789";
pub(crate) const SESSION: &str = "session+token/0123456789==";

/// Keys on a page.
const PAGE: usize = 2;

#[derive(Clone, Default)]
pub(crate) struct Bucket {
    pub(crate) objects: BTreeMap<String, Vec<u8>>,
    /// Whether anybody may read.
    pub(crate) public: bool,
    /// Whether nobody may list.
    pub(crate) unlisted: bool,
    /// The region in which it lies.
    pub(crate) region: String,
    /// What goes wrong when an object is read.
    pub(crate) faults: Faults,
    /// Whether all ETags change after they were listed.
    pub(crate) moving: bool,
}

impl Bucket {
    pub(crate) fn new(objects: &[(&str, &[u8])]) -> Self {
        let objects = objects.iter().map(|(key, content)| ((*key).to_owned(), content.to_vec()));
        Self { objects: objects.collect(), region: "us-east-1".to_owned(), ..Self::default() }
    }

    pub(crate) async fn start(self) -> Server {
        Server::start(move |asked| self.answer(asked)).await
    }

    fn answer(&self, asked: &Asked) -> Response {
        if let Err(code) = self.check_signature(asked) {
            let body = format!("<Error><Code>{code}</Code><Message>No.</Message></Error>");
            return with(403, "x-amz-bucket-region", &self.region, body);
        }
        if !asked.query.is_empty()
            && !asked.query.contains(&format!("%2F{}%2F", self.region))
            && !self.public
        {
            let body = "<Error><Code>AuthorizationQueryParametersError</Code></Error>";
            return with(400, "x-amz-bucket-region", &self.region, body);
        }
        let path = decoded(&asked.path);
        let Some(key) = path.strip_prefix("/bucket/") else {
            return answer(404, "<Error><Code>NoSuchBucket</Code></Error>");
        };
        if key.is_empty() {
            return self.list(asked);
        }
        let Some(content) = self.objects.get(key) else {
            return answer(if self.unlisted { 403 } else { 404 }, "");
        };
        let etag = etag(content);
        if asked.method == "HEAD" {
            return with(200, "etag", &etag, content.clone());
        }
        assert_eq!(asked.header("if-match"), Some(etag.as_str()));
        if self.moving {
            return answer(412, "<Error><Code>PreconditionFailed</Code></Error>");
        }
        serve(asked, content, &etag, self.faults.next())
    }

    fn list(&self, asked: &Asked) -> Response {
        if self.unlisted {
            return answer(403, "<Error><Code>AccessDenied</Code></Error>");
        }
        assert_eq!(asked.parameter("list-type").as_deref(), Some("2"));
        let prefix = asked.parameter("prefix").unwrap_or_default();
        let from: usize = asked
            .parameter("continuation-token")
            .map_or(0, |token| token.strip_prefix("page+/").unwrap().parse().unwrap());
        let keys: Vec<&String> =
            self.objects.keys().filter(|key| key.starts_with(&prefix)).collect();
        let mut body = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>bucket</Name><EncodingType>url</EncodingType><MaxKeys>2</MaxKeys>".to_owned();
        let more = from + PAGE < keys.len();
        body += &format!("<IsTruncated>{more}</IsTruncated>");
        if more {
            body +=
                &format!("<NextContinuationToken>page+/{}</NextContinuationToken>", from + PAGE);
        }
        for key in keys.into_iter().skip(from).take(PAGE) {
            let content = &self.objects[key];
            let shown = key.replace('+', "%2B").replace(' ', "+");
            let (etag, size) = (etag(content).replace('"', "&quot;"), content.len());
            body += &format!(
                "<Contents><Key>{shown}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>{etag}</ETag><Size>{size}</Size><StorageClass>STANDARD</StorageClass></Contents>"
            );
        }
        answer(200, body + "</ListBucketResult>")
    }

    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html>
    fn check_signature(&self, asked: &Asked) -> Result<(), &'static str> {
        let Some(signature) = asked.parameter("X-Amz-Signature") else {
            return if self.public { Ok(()) } else { Err("AccessDenied") };
        };
        let get = |name: &str| asked.parameter(name).ok_or("AuthorizationQueryParametersError");
        let credential = get("X-Amz-Credential")?;
        let (key, scope) = credential.split_once('/').ok_or("InvalidAccessKeyId")?;
        if key != KEY {
            return Err("InvalidAccessKeyId");
        }
        if get("X-Amz-Security-Token")? != SESSION {
            return Err("InvalidToken");
        }
        assert_eq!(get("X-Amz-SignedHeaders")?, "host");
        let mut query: Vec<&str> =
            asked.query.split('&').filter(|pair| !pair.starts_with("X-Amz-Signature=")).collect();
        query.sort_unstable();
        let canonical = format!(
            "{}\n{}\n{}\nhost:{}\n\nhost\nUNSIGNED-PAYLOAD",
            asked.method,
            asked.path,
            query.join("&"),
            asked.header("host").unwrap()
        );
        let text = format!(
            "AWS4-HMAC-SHA256\n{}\n{scope}\n{}",
            get("X-Amz-Date")?,
            sha256(canonical.as_bytes())
        );
        let sign = |key: &[u8], text: &str| {
            hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes()).as_ref().to_vec()
        };
        let secret = format!("AWS4{SECRET}").into_bytes();
        let key = scope.split('/').fold(secret, |key, part| sign(&key, part));
        match hex(&sign(&key, &text)) == signature {
            true => Ok(()),
            false => Err("SignatureDoesNotMatch"),
        }
    }
}

pub(crate) fn etag(content: &[u8]) -> String {
    format!("\"{}-2\"", &sha256(content)[..32])
}
