//! What can go wrong with files that lie elsewhere. Messages say what to do; no secret is in them.

use std::path::PathBuf;
use std::time::Duration;

/// Why a file was not fetched or pushed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RemoteError {
    /// Not the name of something remote.
    #[error("`{name}` is not a name that can be fetched: {detail}")]
    Name {
        /// The name as given.
        name: String,
        /// What is wrong with it.
        detail: String,
    },
    /// A variable of the environment holds what cannot be used, or is not set and must be.
    #[error("`{variable}` cannot be used: {detail}")]
    Setting {
        /// Which variable.
        variable: &'static str,
        /// What is wrong. Never the value.
        detail: String,
    },
    /// Not in the cache, and the network must not be asked.
    #[error("`{name}` is not in the cache, or not all of it; fetch it once without --offline")]
    Offline {
        /// The name as given.
        name: String,
    },
    /// No connection.
    #[error(
        "cannot reach `{host}`: {detail}; is there a network? What was fetched before can be used with --offline"
    )]
    Unreachable {
        /// The server.
        host: String,
        /// What the system says.
        detail: String,
    },
    /// The connection broke, or nothing came for too long.
    #[error(
        "`{what}`: the connection broke off: {detail}; run it again, and it goes on from there"
    )]
    Cut {
        /// Of which file or call.
        what: String,
        /// What the client says.
        detail: String,
    },
    /// The server has too much to do, or fails.
    #[error("`{what}`: the server is busy or failing (HTTP {status}{}); try again later", .retry_after.map(|wait| format!(", asks to wait {} s", wait.as_secs())).unwrap_or_default())]
    Busy {
        /// Of which file or call.
        what: String,
        /// What it answered.
        status: u16,
        /// How long it asks to wait.
        retry_after: Option<Duration>,
    },
    /// The server knows it and does not give it, or does not know who asks.
    #[error("`{what}`: access denied (HTTP {status}); {hint}")]
    Denied {
        /// Of which file or call.
        what: String,
        /// 401 or 403.
        status: u16,
        /// What to do.
        hint: String,
    },
    /// Not there, or hidden from who asks.
    #[error("`{what}` is not there, or is private; {hint}")]
    Missing {
        /// Which file or repository.
        what: String,
        /// What to do.
        hint: String,
    },
    /// Any other refusal.
    #[error("`{what}`: HTTP {status}: {excerpt}")]
    Refused {
        /// Of which file or call.
        what: String,
        /// What the server answered.
        status: u16,
        /// The beginning of its explanation.
        excerpt: String,
    },
    /// An answer that the protocol does not have.
    #[error("`{what}`: the server's answer is not understood: {detail}")]
    Answer {
        /// Of which file or call.
        what: String,
        /// What is wrong in it.
        detail: String,
    },
    /// What came is not what was announced.
    #[error("`{what}`: {detail}; it was not kept, run it again")]
    Corrupt {
        /// Which file.
        what: String,
        /// What differs.
        detail: String,
    },
    /// A private dataset would have become public.
    #[error(
        "`{repository}` is public, and a private one was asked for; nothing was uploaded. Make it private in its settings, or push without asking for a private one"
    )]
    Public {
        /// `OWNER/NAME`.
        repository: String,
    },
    /// The disk refuses.
    #[error("{}: {source}", .path.display())]
    Io {
        /// Which file or folder.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// No HTTP client could be made; on a bare machine there are no root certificates.
    #[error("cannot set up HTTP: {detail}")]
    Client {
        /// What the client says.
        detail: String,
    },
}

impl RemoteError {
    /// Whether the same call may succeed later without anything being changed.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::Cut { .. } | Self::Busy { .. })
    }

    /// Whether a token, a key or somebody's permission is what is lacking.
    #[must_use]
    pub fn is_access(&self) -> bool {
        matches!(self, Self::Denied { .. } | Self::Missing { .. })
    }

    /// Whether the caller's input is wrong, rather than the outside world.
    #[must_use]
    pub fn is_usage(&self) -> bool {
        matches!(self, Self::Name { .. } | Self::Setting { .. })
    }

    pub(crate) fn io(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { path, source }
    }
}
