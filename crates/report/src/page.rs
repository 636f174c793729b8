//! The page as its template sees it: every chapter turned into words, tables and plots.

mod countries;
mod coverage;
pub(crate) mod dataset;
mod diversity;
mod examples;
mod figures;
mod gain;
mod headline;
mod judges;
mod made;
mod models;
mod plane;
mod shares;
mod survey;

use crate::format::Unit;
use crate::table::{Cell, Table};
use askama::Template;
use polyculture_core::Results;

/// The whole page.
#[derive(Template)]
#[template(path = "report.html")]
pub(crate) struct Page<'a> {
    results: &'a Results,
    synthetic: Option<&'a str>,
    /// The intervals' level, such as `95 %`.
    level: String,
    headlines: Vec<headline::Headline>,
    survey: Option<survey::SurveyChapter>,
    plane: Option<plane::PlaneChapter>,
    coverage: Vec<Figure>,
    gains: Vec<Figure>,
    diversity: Vec<Figure>,
    shares: shares::ShareChapter,
    models: Option<models::ModelsChapter>,
    judges: Vec<judges::JudgeCard>,
    examples: Vec<examples::PromptCard>,
    dataset: Option<dataset::DatasetChapter>,
    tables: Vec<Table>,
    made: made::MadeChapter,
    json: String,
}

/// A plot with its caption and a table of what it shows.
pub(crate) struct Figure {
    title: String,
    note: String,
    /// SVG, escaped where it was drawn.
    svg: String,
    table: Table,
}

impl<'a> Page<'a> {
    pub(crate) fn new(results: &'a Results, json: String) -> Self {
        Self {
            results,
            synthetic: results.synthetic.as_deref(),
            level: levels(results),
            headlines: headline::headlines(results),
            survey: survey::chapter(results),
            plane: plane::chapter(results),
            coverage: coverage::figures(results),
            gains: gain::figures(results),
            diversity: diversity::figures(results),
            shares: shares::chapter(results),
            models: models::chapter(results),
            judges: judges::cards(results),
            examples: examples::cards(results),
            dataset: results.dataset.as_ref().map(dataset::chapter),
            tables: figures::tables(results),
            made: made::chapter(&results.made),
            json,
        }
    }
}

/// The results as JSON that is safe inside a `script` element: no `<`, `>` or `&` is left, and
/// single people are left out.
pub(crate) fn embedded_json(results: &Results) -> Result<String, serde_json::Error> {
    let mut results = results.clone();
    if let Some(plane) = &mut results.plane {
        plane.people.clear();
    }
    safe_json(&results)
}

/// JSON that is safe inside a `script` element.
pub(crate) fn safe_json(value: &impl serde::Serialize) -> Result<String, serde_json::Error> {
    let json = serde_json::to_string(value)?;
    Ok(json.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026"))
}

/// The levels of the intervals on the page: `95 %`, or `90 % and 95 %` where they differ.
fn levels(results: &Results) -> String {
    let coverage = results.coverage.iter().map(|row| &row.coverage);
    let gains = results.gains.iter().map(|row| &row.gain);
    let diversity = results.diversity.iter().filter_map(|row| row.vendi.as_ref());
    let shares = results.shares.iter().map(|row| &row.share);
    let judges = results.judges.iter().map(|row| &row.accuracy);
    let models = results.plane.iter().flat_map(|p| &p.models).flat_map(|model| &model.at);
    let scores = results.survey.iter().flat_map(|survey| &survey.scores).map(|row| &row.mean);
    let items = results.survey.iter().flat_map(|survey| &survey.items).flat_map(|row| &row.shares);
    let all = coverage.chain(gains).chain(diversity).chain(shares).chain(judges).chain(models);
    let all = all.chain(scores).chain(items);
    let written = distinct(all.map(|estimate| Unit::Share.tick(estimate.level)));
    if written.is_empty() { Unit::Share.tick(0.95) } else { written.join(" and ") }
}

/// The different items of `items`, in the order in which they first appear.
fn distinct<T: PartialEq>(items: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut seen = Vec::new();
    for item in items {
        if !seen.contains(&item) {
            seen.push(item);
        }
    }
    seen
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_of_appearance_is_kept() {
        assert_eq!(distinct(["b", "a", "b", "c", "a"]), ["b", "a", "c"]);
    }
}
