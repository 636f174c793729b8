//! `CITATION.cff`: how the dataset is cited, in the Citation File Format 1.2.0.

use super::croissant::spdx;
use super::readme::MARK;
use super::statements::{Gaps, Published};
use super::yaml::{Yaml, document};

/// The file.
pub(super) fn citation(published: &Published<'_>, gaps: &mut Gaps) -> String {
    let card = published.card;
    let mut entries: Vec<(String, Yaml)> = Vec::new();
    let mut put = |key: &str, value: Yaml| entries.push((key.to_owned(), value));
    put("cff-version", Yaml::text("1.2.0"));
    put("message", Yaml::text("If you use this dataset, please cite it as below."));
    put("type", Yaml::text("dataset"));
    put("title", Yaml::text(published.title()));
    let author = |author: &super::declaration::Author| {
        let mut entry = vec![("name".to_owned(), Yaml::text(&author.name))];
        if let Some(affiliation) = &author.affiliation {
            entry.push(("affiliation".to_owned(), Yaml::text(affiliation)));
        }
        if let Some(orcid) = &author.orcid {
            entry.push(("orcid".to_owned(), Yaml::text(&orcid_url(orcid))));
        }
        Yaml::Map(entry)
    };
    let mut authors: Vec<Yaml> = card.authors.iter().map(author).collect();
    if authors.is_empty() {
        // The format has no file without authors.
        gaps.ask("authors", None, "Who created the dataset?");
        authors.push(Yaml::map([("name", Yaml::text(&format!("{MARK} card.authors")))]));
    }
    put("authors", Yaml::List(authors));
    if let Some(description) = &card.description {
        put("abstract", Yaml::text(description));
    }
    if let Some(license) = card.license.as_deref().and_then(spdx) {
        put("license", Yaml::text(license));
    }
    if let Some(version) = &card.version {
        put("version", Yaml::text(version));
    }
    if let Some(date) = published.date {
        put("date-released", Yaml::text(date));
    }
    if let Some(url) = &card.url {
        put("url", Yaml::text(url));
    }
    document(&entries)
}

/// An ORCID as the URL that it is.
pub(super) fn orcid_url(orcid: &str) -> String {
    let number = orcid.rsplit('/').next().unwrap_or(orcid);
    format!("https://orcid.org/{number}")
}
