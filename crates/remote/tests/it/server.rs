//! A server that writes down what it is asked, and answers as a closure says.

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex};

/// A request.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) method: String,
    /// As it was sent.
    pub(crate) path: String,
    /// As it was sent; may be empty.
    pub(crate) query: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Asked {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// A parameter of the query, decoded.
    pub(crate) fn parameter(&self, name: &str) -> Option<String> {
        let pairs = self.query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.filter(|(found, _)| *found == name).map(|(_, value)| decoded(value)).next()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// Where a range begins.
    pub(crate) fn start(&self) -> usize {
        let range = self.header("range").and_then(|range| range.strip_prefix("bytes="));
        range.map_or(0, |range| range.trim_end_matches('-').parse().unwrap())
    }
}

pub(crate) fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        if *first == b'%' {
            let code = std::str::from_utf8(&tail[..2]).unwrap();
            bytes.push(u8::from_str_radix(code, 16).unwrap());
            rest = &tail[2..];
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    String::from_utf8(bytes).unwrap()
}

pub(crate) struct Server {
    /// Without a slash at the end.
    pub(crate) url: String,
    log: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    pub(crate) async fn start(answer: impl Fn(&Asked) -> Response + Send + Sync + 'static) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let log = Arc::new(Mutex::new(Vec::new()));
        let (answer, written) = (Arc::new(answer), log.clone());
        let app = axum::Router::new().fallback(move |request: Request| {
            let (answer, written) = (answer.clone(), written.clone());
            async move {
                let (parts, body) = request.into_parts();
                let asked = Asked {
                    method: parts.method.to_string(),
                    path: parts.uri.path().to_owned(),
                    query: parts.uri.query().unwrap_or_default().to_owned(),
                    headers: parts.headers,
                    body: axum::body::to_bytes(body, usize::MAX).await.unwrap_or_default(),
                };
                written.lock().unwrap().push(asked.clone());
                answer(&asked)
            }
        });
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { url, log }
    }

    /// What was asked so far.
    pub(crate) fn log(&self) -> Vec<Asked> {
        self.log.lock().unwrap().clone()
    }

    pub(crate) fn count(&self) -> usize {
        self.log.lock().unwrap().len()
    }
}

/// What goes wrong with the next request for a file's bytes.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    /// The connection breaks after so many bytes.
    Cut(usize),
    /// A status and a header.
    Status(u16, &'static str, &'static str),
    /// The range is ignored.
    Whole,
    /// Other bytes come.
    Lie,
}

#[derive(Clone, Default)]
pub(crate) struct Faults(Arc<Mutex<VecDeque<Fault>>>);

impl Faults {
    pub(crate) fn push(&self, fault: Fault) {
        self.0.lock().unwrap().push_back(fault);
    }

    pub(crate) fn next(&self) -> Option<Fault> {
        self.0.lock().unwrap().pop_front()
    }
}

pub(crate) fn answer(status: u16, body: impl Into<Body>) -> Response {
    Response::builder().status(status).body(body.into()).unwrap()
}

pub(crate) fn with(status: u16, header: &str, value: &str, body: impl Into<Body>) -> Response {
    Response::builder().status(status).header(header, value).body(body.into()).unwrap()
}

/// A file's bytes, as far as the request and the fault go.
pub(crate) fn serve(asked: &Asked, content: &[u8], etag: &str, fault: Option<Fault>) -> Response {
    let mut content = content.to_vec();
    let total = content.len();
    let mut start = asked.start();
    match fault {
        Some(Fault::Status(status, header, value)) => return with(status, header, value, ""),
        Some(Fault::Lie) => content.iter_mut().for_each(|byte| *byte ^= 1),
        Some(Fault::Whole) => start = 0,
        _ => {}
    }
    let rest = content.split_off(start);
    let mut response = Response::builder()
        .header("content-length", rest.len())
        .header("etag", etag)
        .status(if start > 0 { StatusCode::PARTIAL_CONTENT } else { StatusCode::OK });
    if start > 0 {
        let range = format!("bytes {start}-{}/{total}", total - 1);
        response = response.header("content-range", range);
    }
    let body = match fault {
        Some(Fault::Cut(after)) => {
            let pieces = [Ok(rest[..after].to_vec()), Err(io::Error::other("cut"))];
            // The first piece is on its way before the connection breaks.
            let pieces = futures::stream::unfold(pieces.into_iter(), |mut pieces| async {
                let piece = pieces.next()?;
                if piece.is_err() {
                    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                }
                Some((piece, pieces))
            });
            Body::from_stream(pieces)
        }
        _ => Body::from(rest),
    };
    response.body(body).unwrap()
}
