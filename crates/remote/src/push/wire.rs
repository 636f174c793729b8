//! The shapes of the Hub's answers to a push.

use serde::Deserialize;
use serde_json::{Map, Value};

/// A repository, as far as it matters here.
#[derive(Deserialize)]
pub(super) struct Repository {
    pub(super) private: bool,
}

/// How files go up.
#[derive(Deserialize)]
pub(super) struct Preuploaded {
    pub(super) files: Vec<Told>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Told {
    pub(super) path: String,
    pub(super) upload_mode: UploadMode,
    #[serde(default)]
    pub(super) should_ignore: bool,
    /// The id of what the Hub has at this path.
    pub(super) oid: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum UploadMode {
    /// In the commit itself.
    Regular,
    /// Before it, through LFS.
    Lfs,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Committed {
    pub(super) commit_oid: String,
}

/// The answer to an LFS batch.
#[derive(Deserialize)]
pub(super) struct Batch {
    pub(super) transfer: Option<String>,
    pub(super) objects: Vec<Object>,
}

#[derive(Deserialize)]
pub(super) struct Object {
    pub(super) oid: String,
    /// None if the Hub has it already.
    pub(super) actions: Option<Actions>,
    pub(super) error: Option<ObjectError>,
}

#[derive(Deserialize)]
pub(super) struct ObjectError {
    pub(super) code: u16,
    pub(super) message: String,
}

#[derive(Deserialize)]
pub(super) struct Actions {
    pub(super) upload: Option<Action>,
    pub(super) verify: Option<Action>,
}

#[derive(Deserialize)]
pub(super) struct Action {
    pub(super) href: String,
    /// Headers to send; or, if it has a `chunk_size`, the addresses of the parts by their number.
    #[serde(default)]
    pub(super) header: Map<String, Value>,
}
