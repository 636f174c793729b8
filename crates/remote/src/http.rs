//! The HTTP client, and what its failures mean. No error holds a URL: a signed one is a secret.

use crate::access::Access;
use crate::error::RemoteError;
use crate::event::{Event, OnEvent};
use crate::refusal::Refusal;
use crate::retry::RetryPolicy;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder, RequestBuilder, Response, StatusCode, Url};
use serde::de::DeserializeOwned;
use std::error::Error;
use std::net::IpAddr;
use std::sync::Once;
use std::time::{Duration, SystemTime};

/// How long to wait for a connection; a server that is there answers sooner.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a server may say nothing in the middle of an answer.
const SILENCE: Duration = Duration::from_secs(60);

/// How much of an error's explanation is shown, in characters.
const EXCERPT: usize = 300;

/// What is used to make calls.
pub(crate) struct Http {
    /// For all that has a short body.
    pub(crate) client: Client,
    /// For uploads: the silence of a server that is listening is no fault.
    pub(crate) uploader: Client,
    pub(crate) retry: RetryPolicy,
    pub(crate) on_event: OnEvent,
    access: Access,
}

/// Whether a call may be made again after it reached the server.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Again {
    /// It does no harm twice.
    Always,
    /// Only if the server said that it did nothing.
    IfNotDone,
}

impl Http {
    /// Clients for `server`.
    pub(crate) fn new(
        access: &Access,
        server: &Url,
        retry: RetryPolicy,
        on_event: &OnEvent,
    ) -> Result<Self, RemoteError> {
        Ok(Self {
            client: client(server, |builder| builder.read_timeout(SILENCE))?,
            uploader: client(server, |builder| builder)?,
            retry,
            on_event: on_event.clone(),
            access: access.clone(),
        })
    }

    /// Makes a call once. Any status but "too busy" is an answer.
    pub(crate) async fn once(
        &self,
        what: &str,
        call: RequestBuilder,
    ) -> Result<Response, RemoteError> {
        let response = call.send().await.map_err(|error| self.transport(what, error))?;
        let status = response.status();
        if status == StatusCode::TOO_MANY_REQUESTS
            || status == StatusCode::REQUEST_TIMEOUT
            || status.is_server_error()
        {
            let retry_after = retry_after(response.headers());
            return Err(RemoteError::Busy {
                what: what.to_owned(),
                status: status.as_u16(),
                retry_after,
            });
        }
        Ok(response)
    }

    /// Makes a call, again and again where that may help.
    pub(crate) async fn send(
        &self,
        what: &str,
        again: Again,
        call: impl Fn() -> RequestBuilder,
    ) -> Result<Response, RemoteError> {
        let mut attempt = 1;
        loop {
            match self.once(what, call()).await {
                Ok(response) => return Ok(response),
                Err(error) if again == Again::Always || not_done(&error) => {
                    self.rest(error, attempt, what).await?;
                }
                Err(error) => return Err(error),
            }
            attempt += 1;
        }
    }

    /// Waits before the next attempt, or gives the error back if there is to be none.
    pub(crate) async fn rest(
        &self,
        error: RemoteError,
        attempt: u32,
        what: &str,
    ) -> Result<(), RemoteError> {
        let Some(wait) = self.retry.wait(&error, attempt, what) else { return Err(error) };
        self.on_event.tell(&Event::Waiting { why: error.to_string(), wait });
        tokio::time::sleep(wait).await;
        Ok(())
    }

    /// The JSON of a good answer, or the error that another one stands for.
    pub(crate) async fn json<T: DeserializeOwned>(
        &self,
        what: &str,
        response: Response,
        hint: impl FnOnce(&Refusal) -> String,
    ) -> Result<T, RemoteError> {
        let text = self.text(what, response, hint).await?;
        serde_json::from_str(&text).map_err(|error| RemoteError::Answer {
            what: what.to_owned(),
            detail: error.to_string(),
        })
    }

    /// The text of a good answer, or the error that another one stands for.
    pub(crate) async fn text(
        &self,
        what: &str,
        response: Response,
        hint: impl FnOnce(&Refusal) -> String,
    ) -> Result<String, RemoteError> {
        if !response.status().is_success() {
            return Err(self.refused(what, response, hint).await);
        }
        response.text().await.map_err(|error| self.transport(what, error))
    }

    /// What a refusal means; `hint` says what to do about it.
    pub(crate) async fn refused(
        &self,
        what: &str,
        response: Response,
        hint: impl FnOnce(&Refusal) -> String,
    ) -> RemoteError {
        let refusal = Refusal::read(response).await;
        let what = what.to_owned();
        let said = self.excerpt(refusal.said());
        match refusal.status {
            status @ (401 | 403) => {
                let hint = hint(&refusal);
                RemoteError::Denied { what, status, hint: format!("{hint} (it says: {said})") }
            }
            404 => RemoteError::Missing { what, hint: hint(&refusal) },
            status => RemoteError::Refused { what, status, excerpt: said },
        }
    }

    /// What a failure below HTTP means.
    pub(crate) fn transport(&self, what: &str, error: reqwest::Error) -> RemoteError {
        let host = error.url().and_then(Url::host_str).unwrap_or("the server").to_owned();
        let timed_out = error.is_timeout();
        let connecting = error.is_connect();
        let detail = self.access.redact(&deepest(&error.without_url()));
        match connecting {
            true => RemoteError::Unreachable { host, detail },
            false if timed_out => RemoteError::Cut {
                what: what.to_owned(),
                detail: "nothing came for too long".to_owned(),
            },
            false => RemoteError::Cut { what: what.to_owned(), detail },
        }
    }

    /// The beginning of a text on one line. Redacted first, so that no half of a key is left over.
    fn excerpt(&self, text: &str) -> String {
        let line = self.access.redact(text).split_whitespace().collect::<Vec<_>>().join(" ");
        match line.char_indices().nth(EXCERPT) {
            Some((end, _)) => format!("{}…", &line[..end]),
            None => line,
        }
    }
}

/// Whether a failed call surely did nothing.
fn not_done(error: &RemoteError) -> bool {
    match error {
        RemoteError::Unreachable { .. } => true,
        RemoteError::Busy { status, .. } => matches!(status, 429 | 503),
        _ => false,
    }
}

/// A client for a server. One on this machine is reached directly, whatever proxy is set.
fn client(
    server: &Url,
    tuned: impl Fn(ClientBuilder) -> ClientBuilder,
) -> Result<Client, RemoteError> {
    static RING: Once = Once::new();
    // An error means that the program has chosen another provider, which is as good.
    RING.call_once(|| drop(rustls::crypto::ring::default_provider().install_default()));

    let builder = || {
        let builder = Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .redirect(redirects())
            .user_agent(concat!("polyculture/", env!("CARGO_PKG_VERSION")));
        let host = server.host_str().unwrap_or_default().trim_matches(['[', ']']);
        let here = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
        tuned(if here { builder.no_proxy() } else { builder })
    };
    match builder().build() {
        // A bare machine has no root certificates, and this server needs none.
        Err(_) if server.scheme() == "http" => builder().tls_certs_only([]).build(),
        result => result,
    }
    .map_err(|error| RemoteError::Client { detail: deepest(&error.without_url()) })
}

/// The client itself drops the token when a redirect leaves the host; here is what it does not know.
fn redirects() -> Policy {
    Policy::custom(|attempt| {
        let encrypted = attempt.previous().last().is_some_and(|url| url.scheme() == "https");
        if encrypted && attempt.url().scheme() != "https" {
            return attempt.error("a redirect leads from https to http");
        }
        if attempt.previous().len() > 10 {
            return attempt.error("too many redirects");
        }
        attempt.follow()
    })
}

/// How long the server asks to wait: `Retry-After` in seconds or as a date, or what the draft on
/// rate limits has, which the Hub sends: `ratelimit: "api";r=0;t=55`.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let seconds = |text: &str| {
        let seconds = text.trim().parse::<f64>().ok()?;
        Some(Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(Duration::MAX))
    };
    let asked = text(RETRY_AFTER.as_str()).and_then(|value| {
        seconds(value).or_else(|| {
            let date = httpdate::parse_http_date(value.trim()).ok()?;
            Some(date.duration_since(SystemTime::now()).unwrap_or_default())
        })
    });
    asked.or_else(|| {
        let parts = text("ratelimit")?.split(';');
        let mut waits = parts.filter_map(|part| part.trim().strip_prefix("t="));
        waits.next().and_then(seconds)
    })
}

/// The cause at the bottom of an error: "connection refused" rather than "error sending request".
fn deepest(error: &dyn Error) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}
