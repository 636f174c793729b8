//! Files that lie elsewhere, as if they lay here: datasets on the Hugging Face Hub and objects in S3
//! are fetched into a cache folder, and a dataset folder is pushed to the Hub.
//!
//! | name | what it is |
//! |---|---|
//! | `hf://datasets/OWNER/NAME/data/train.parquet` | a file of a dataset, at `main` |
//! | `hf://datasets/OWNER/NAME@v1.0/data` | a folder, at a branch, a tag or a commit |
//! | `hf://datasets/OWNER/NAME@~parquet/default/*/*.parquet` | a glob; `~parquet` is the Hub's own conversion |
//! | `s3://bucket/key.csv`, `s3://bucket/prefix/`, `s3://bucket/year=*/*.parquet` | the same in S3, MinIO and the like |
//!
//! Everything is streamed to disk and checked: by its size, by the LFS digest or the git id that the
//! Hub names, by the ETag in S3. A file is renamed into place when it is whole, and what is in place
//! is not fetched again. A download that broke off goes on where it stopped.
//!
//! ```no_run
//! # async fn example() -> Result<(), polyculture_remote::RemoteError> {
//! use polyculture_remote::{Access, FetchOptions, fetch};
//!
//! let options = FetchOptions::new("cache", Access::from_env()?);
//! let files = fetch("hf://datasets/facebook/community-alignment-dataset/data/*.parquet", &options).await?;
//! # Ok(())
//! # }
//! ```

mod access;
mod cache;
mod digest;
mod download;
mod error;
mod event;
mod fetch;
mod http;
mod hub;
mod name;
mod push;
mod refusal;
mod retry;
mod s3;

pub use access::Access;
pub use error::RemoteError;
pub use event::{Event, OnEvent};
pub use fetch::{FetchOptions, fetch};
pub use name::is_remote;
pub use push::{PushOptions, Pushed, push};
pub use retry::RetryPolicy;
