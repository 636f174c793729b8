//! What the caller hears while bytes move.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

/// Something to show while it lasts.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// How far it is. Bytes can go back, when a file has to start anew.
    Progress {
        /// Files that are whole, those in the cache included.
        files_done: usize,
        /// All files.
        files: usize,
        /// Bytes that are here (or there, when pushing).
        bytes_done: u64,
        /// All bytes.
        bytes: u64,
    },
    /// A call failed and is made again after a while.
    Waiting {
        /// Why.
        why: String,
        /// How long.
        wait: Duration,
    },
}

/// Whom to tell. Called from several tasks, often: once for each piece that moves.
#[derive(Clone, Default)]
pub struct OnEvent(Option<Arc<Listener>>);

type Listener = dyn Fn(&Event) + Send + Sync;

impl OnEvent {
    /// Tells `listener`.
    pub fn new(listener: impl Fn(&Event) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(listener)))
    }

    pub(crate) fn tell(&self, event: &Event) {
        if let Some(listener) = &self.0 {
            listener(event);
        }
    }
}

impl fmt::Debug for OnEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "OnEvent(listener)" } else { "OnEvent(nobody)" })
    }
}

/// Counts what moved, over all files.
pub(crate) struct Meter {
    on_event: OnEvent,
    files: usize,
    bytes: u64,
    files_done: AtomicUsize,
    bytes_done: AtomicU64,
}

impl Meter {
    pub(crate) fn new(on_event: OnEvent, files: usize, bytes: u64) -> Self {
        Self { on_event, files, bytes, files_done: 0.into(), bytes_done: 0.into() }
    }

    pub(crate) fn moved(&self, bytes: u64) {
        self.bytes_done.fetch_add(bytes, Relaxed);
        self.tell();
    }

    /// Takes back what has to be moved again.
    pub(crate) fn lost(&self, bytes: u64) {
        self.bytes_done.fetch_sub(bytes, Relaxed);
        self.tell();
    }

    pub(crate) fn file_done(&self) {
        self.files_done.fetch_add(1, Relaxed);
        self.tell();
    }

    fn tell(&self) {
        self.on_event.tell(&Event::Progress {
            files_done: self.files_done.load(Relaxed),
            files: self.files,
            bytes_done: self.bytes_done.load(Relaxed),
            bytes: self.bytes,
        });
    }
}
