//! Results in, one self-contained HTML page out: figures with their intervals and n, plots that
//! need no script, and how the run was made.
//!
//! The page loads nothing: a content security policy in it forbids scripts and requests, so that
//! what a model said can do nothing but be read.

mod format;
mod names;
mod page;
mod people;
mod plots;
mod populations;
mod table;

use askama::Template;
use polyculture_core::Results;
use polyculture_core::results::{DatasetSummary, Made};

/// Why a page could not be made.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The results could not be written into the page as JSON.
    #[error("results cannot be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// A template could not be filled.
    #[error("report page cannot be filled: {0}")]
    Template(#[from] askama::Error),
}

/// The page that shows `results`: one HTML document that needs no other file.
///
/// It also holds the results as JSON (in the element with the id `results`), without the single
/// people's places: the page shows people in bins and means only.
///
/// # Errors
/// If the results cannot be written as JSON, or a template cannot be filled.
pub fn html(results: &Results) -> Result<String, ReportError> {
    let json = page::embedded_json(results)?;
    Ok(page::Page::new(results, json).render()?)
}

/// The page of a preference dataset by itself, in the same manner as [`html`].
///
/// # Errors
/// If the summary cannot be written as JSON, or the template cannot be filled.
pub fn dataset_html(dataset: &DatasetSummary, made: &Made) -> Result<String, ReportError> {
    let json = page::safe_json(dataset)?;
    Ok(page::dataset::DatasetPage::new(dataset, made, json).render()?)
}
