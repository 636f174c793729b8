//! Where the remote places are and what opens them, read once from the environment.

use crate::error::RemoteError;
use reqwest::Url;
use rusty_s3::Credentials;
use std::fmt;

/// What stands where a secret was.
const REDACTED: &str = "[redacted]";

/// Shorter ones are place-holders, and cutting them out of texts would hurt innocent words.
const SHORTEST: usize = 8;

/// Addresses and keys of the Hub and of S3.
///
/// | variable | what it is |
/// |---|---|
/// | `HF_TOKEN` | a token of the Hub; sent to the Hub's own host and to no other |
/// | `HF_ENDPOINT` | the Hub, if it is not `https://huggingface.co` |
/// | `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN` | keys of S3; without them it is asked anonymously |
/// | `AWS_REGION`, `AWS_DEFAULT_REGION` | the bucket's region; `us-east-1` if neither is set, corrected if S3 names another |
/// | `AWS_ENDPOINT_URL_S3`, `AWS_ENDPOINT_URL` | another server that speaks S3; its buckets are addressed in the path |
///
/// An empty variable counts as not set. `Debug` hides the secrets.
#[derive(Debug, Clone)]
pub struct Access {
    pub(crate) hub_endpoint: Url,
    pub(crate) hub_token: Option<Secret>,
    pub(crate) s3_endpoint: Option<Url>,
    pub(crate) s3_region: String,
    /// Its own `Debug` output hides the secret and the session token.
    pub(crate) s3_credentials: Option<Credentials>,
}

impl Access {
    /// What the environment says.
    ///
    /// # Errors
    /// If a variable holds something that cannot be used.
    pub fn from_env() -> Result<Self, RemoteError> {
        Self::from_variables(|variable| std::env::var(variable).ok())
    }

    /// What `lookup` says, asked for each variable.
    ///
    /// # Errors
    /// If a variable holds something that cannot be used.
    pub fn from_variables(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, RemoteError> {
        let get = |variable| {
            let value = lookup(variable)?.trim().to_owned();
            (!value.is_empty()).then_some(value)
        };
        let first = |variables: [&'static str; 2]| {
            variables.into_iter().find_map(|variable| Some((variable, get(variable)?)))
        };
        let hub = get("HF_ENDPOINT").unwrap_or_else(|| "https://huggingface.co".to_owned());
        let s3 = first(["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"]);
        let secret = |variable: &'static str| {
            get(variable).map(|text| Secret::new(text, variable)).transpose()
        };
        let keys = (get("AWS_ACCESS_KEY_ID"), secret("AWS_SECRET_ACCESS_KEY")?);
        let s3_credentials = match (keys, secret("AWS_SESSION_TOKEN")?) {
            ((Some(key), Some(secret)), None) => Some(Credentials::new(key, secret.0)),
            ((Some(key), Some(secret)), Some(token)) => {
                Some(Credentials::new_with_token(key, secret.0, token.0))
            }
            ((None, None), _) => None,
            _ => {
                return Err(RemoteError::Setting {
                    variable: "AWS_ACCESS_KEY_ID",
                    detail: "it needs AWS_SECRET_ACCESS_KEY beside it, and the other way round"
                        .to_owned(),
                });
            }
        };
        Ok(Self {
            hub_endpoint: endpoint("HF_ENDPOINT", &hub)?,
            hub_token: secret("HF_TOKEN")?,
            s3_endpoint: s3.map(|(variable, url)| endpoint(variable, &url)).transpose()?,
            s3_region: first(["AWS_REGION", "AWS_DEFAULT_REGION"])
                .map_or_else(|| "us-east-1".to_owned(), |(_, region)| region),
            s3_credentials,
        })
    }

    /// `text` without any of the secrets.
    pub(crate) fn redact(&self, text: &str) -> String {
        let s3 = self.s3_credentials.as_ref();
        let secrets = [
            self.hub_token.as_ref().map(Secret::expose),
            s3.map(Credentials::key),
            s3.map(Credentials::secret),
            s3.and_then(Credentials::token),
        ];
        let long = secrets.into_iter().flatten().filter(|secret| secret.len() >= SHORTEST);
        long.fold(text.to_owned(), |text, secret| text.replace(secret, REDACTED))
    }
}

/// The address of a server. Never shown if it cannot be used: it may carry a password.
fn endpoint(variable: &'static str, text: &str) -> Result<Url, RemoteError> {
    let wrong = |detail: &str| RemoteError::Setting { variable, detail: detail.to_owned() };
    let url: Url = text.parse().map_err(|_| wrong("it is not of the form `http(s)://host`"))?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err(wrong("it is not of the form `http(s)://host`"));
    }
    if !url.username().is_empty() || url.password().is_some() || url.query().is_some() {
        return Err(wrong("it carries a user, a password or a query, which are not used"));
    }
    Ok(url)
}

/// A text that is sent and never shown.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(String);

impl Secret {
    fn new(text: String, variable: &'static str) -> Result<Self, RemoteError> {
        if text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Ok(Self(text));
        }
        let detail = "it holds a character that no key has".to_owned();
        Err(RemoteError::Setting { variable, detail })
    }

    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access(variables: &[(&str, &str)]) -> Result<Access, RemoteError> {
        Access::from_variables(|asked| {
            let found = variables.iter().find(|(variable, _)| *variable == asked);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn secrets_are_neither_shown_nor_left_in_texts() {
        let access = access(&[
            ("HF_TOKEN", "hf_0123456789"),
            ("AWS_ACCESS_KEY_ID", "AKIA0123456789"),
            ("AWS_SECRET_ACCESS_KEY", "secret-0123456789"),
            ("AWS_SESSION_TOKEN", "session-0123456789"),
        ])
        .unwrap();
        let shown = format!("{access:?}");
        for secret in ["hf_0123456789", "secret-0123456789", "session-0123456789"] {
            assert!(!shown.contains(secret), "{shown}");
            assert_eq!(access.redact(&format!("<{secret}>")), "<[redacted]>");
        }
    }

    #[test]
    fn what_cannot_be_used_is_named_and_not_shown() {
        fn check(variable: &str, value: &str, expected: &str) {
            let error = access(&[(variable, value)]).unwrap_err().to_string();
            assert_eq!(error, expected);
        }
        check(
            "HF_TOKEN",
            "hf_01 234",
            "`HF_TOKEN` cannot be used: it holds a character that no key has",
        );
        check(
            "HF_ENDPOINT",
            "huggingface.co",
            "`HF_ENDPOINT` cannot be used: it is not of the form `http(s)://host`",
        );
        check(
            "AWS_ENDPOINT_URL",
            "http://me:pass@host",
            "`AWS_ENDPOINT_URL` cannot be used: it carries a user, a password or a query, which are not used",
        );
        check(
            "AWS_ACCESS_KEY_ID",
            "AKIA",
            "`AWS_ACCESS_KEY_ID` cannot be used: it needs AWS_SECRET_ACCESS_KEY beside it, and the other way round",
        );
    }

    #[test]
    fn an_empty_variable_is_not_set() {
        let access = access(&[("HF_TOKEN", " "), ("HF_ENDPOINT", ""), ("AWS_REGION", "")]).unwrap();
        assert_eq!(access.hub_token, None);
        assert_eq!(access.hub_endpoint.as_str(), "https://huggingface.co/");
        assert_eq!(access.s3_region, "us-east-1");
    }
}
