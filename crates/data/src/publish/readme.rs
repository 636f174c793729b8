//! The dataset card: what the hub reads of a dataset, then what people read.

use super::datasheet::datasheet;
use super::features;
use super::statements::{Gaps, Published};
use super::yaml::{Yaml, document};
use crate::formats::Format;

/// The mark of what a person must still write.
pub(super) const MARK: &str = "TODO-BY-A-PERSON";

/// The text of `README.md`.
pub(super) fn readme(published: &Published<'_>, gaps: &mut Gaps) -> String {
    let (front, open) = front_matter(published, gaps);
    let mut out = format!("---\n{front}");
    for (field, what) in open {
        out.push_str(&format!("# {MARK} card.{field}: {what}\n"));
    }
    out.push_str("---\n\n");
    out.push_str(&datasheet(published, gaps));
    out
}

type Open = Vec<(&'static str, &'static str)>;

/// The YAML, and what is missing in it.
fn front_matter(published: &Published<'_>, gaps: &mut Gaps) -> (String, Open) {
    let card = published.card;
    let mut entries: Vec<(String, Yaml)> = Vec::new();
    let mut open = Open::new();
    let mut put = |key: &str, value: Yaml| entries.push((key.to_owned(), value));
    let mut ask = |gaps: &mut Gaps, field, question| {
        gaps.ask(field, None, question);
        open.push((field, question));
    };
    match &card.title {
        Some(title) => put("pretty_name", Yaml::text(title)),
        None => ask(gaps, "title", "What is the dataset called?"),
    }
    let (languages, unknown) = published.languages();
    if languages.is_empty() || !unknown.is_empty() {
        ask(gaps, "language", "Which languages are in it, as ISO 639 codes?");
    }
    let multilinguality = if languages.len() > 1 { "multilingual" } else { "monolingual" };
    if !languages.is_empty() {
        put("language", Yaml::texts(&languages));
    }
    match &card.license {
        Some(license) => put("license", Yaml::text(license)),
        None => ask(
            gaps,
            "license",
            "Under which licence may it be used, as an id of the hub such as cc-by-4.0?",
        ),
    }
    let known = creators(published.source);
    let several = |chosen: &[String], known: Option<&'static str>| match (chosen, known) {
        ([], None) => None,
        ([], Some(known)) => Some(Yaml::texts([known])),
        (chosen, _) => Some(Yaml::texts(chosen)),
    };
    match several(&card.annotations_creators, known.map(|(annotations, _)| annotations)) {
        Some(creators) => put("annotations_creators", creators),
        None => ask(
            gaps,
            "annotations_creators",
            "Who made the choices: crowdsourced, expert-generated, machine-generated, found?",
        ),
    }
    match several(&card.language_creators, known.map(|(_, language)| language)) {
        Some(creators) => put("language_creators", creators),
        None => ask(
            gaps,
            "language_creators",
            "Who wrote the prompts and answers: crowdsourced, expert-generated, machine-generated, found?",
        ),
    }
    if !languages.is_empty() {
        put("multilinguality", Yaml::texts([multilinguality]));
    }
    put("size_categories", Yaml::texts([size_category(published.rows())]));
    match several(&card.source_datasets, None) {
        Some(sources) => put("source_datasets", sources),
        None => ask(
            gaps,
            "source_datasets",
            "Is it original, or made from another dataset (extended|NAME)?",
        ),
    }
    let tasks = if card.task_categories.is_empty() {
        Yaml::texts(["text-generation", "reinforcement-learning"])
    } else {
        Yaml::texts(&card.task_categories)
    };
    put("task_categories", tasks);
    let tags = ["preference", "human-feedback", "comparisons", "croissant", "polyculture"];
    let tags = tags.into_iter().chain(card.tags.iter().map(String::as_str));
    put("tags", Yaml::texts(tags));
    let splits = &published.report.splits;
    let files = splits.iter().map(|split| {
        let path = format!("data/{}-*", split.name);
        Yaml::map([("split", Yaml::text(&split.name)), ("path", Yaml::text(&path))])
    });
    let config = Yaml::map([
        ("config_name", Yaml::text("default")),
        ("data_files", Yaml::List(files.collect())),
    ]);
    put("configs", Yaml::List(vec![config]));
    let sizes = splits.iter().map(|split| {
        Yaml::map([
            ("name", Yaml::text(&split.name)),
            ("num_bytes", Yaml::Number(split.memory_bytes)),
            ("num_examples", Yaml::Number(split.rows)),
        ])
    });
    let info = Yaml::map([
        ("features", features::yaml(&published.features)),
        ("splits", Yaml::List(sizes.collect())),
        ("download_size", Yaml::Number(splits.iter().map(|s| s.file_bytes()).sum())),
        ("dataset_size", Yaml::Number(splits.iter().map(|s| s.memory_bytes).sum())),
    ]);
    put("dataset_info", info);
    (document(&entries), open)
}

/// Who chose and who wrote, where the format of the source says so.
fn creators(source: Format) -> Option<(&'static str, &'static str)> {
    match source {
        Format::CommunityAlignment | Format::Prism | Format::CollectiveAlignment => {
            Some(("crowdsourced", "machine-generated"))
        }
        Format::ChatbotArena => Some(("crowdsourced", "machine-generated")),
        Format::UltraFeedback => Some(("machine-generated", "machine-generated")),
        _ => None,
    }
}

/// The category of the hub for so many rows.
fn size_category(rows: u64) -> &'static str {
    const CATEGORIES: [(u64, &str); 9] = [
        (1_000, "n<1K"),
        (10_000, "1K<n<10K"),
        (100_000, "10K<n<100K"),
        (1_000_000, "100K<n<1M"),
        (10_000_000, "1M<n<10M"),
        (100_000_000, "10M<n<100M"),
        (1_000_000_000, "100M<n<1B"),
        (10_000_000_000, "1B<n<10B"),
        (100_000_000_000, "10B<n<100B"),
    ];
    let fits = CATEGORIES.iter().find(|(below, _)| rows < *below);
    fits.map_or("100B<n<1T", |(_, category)| category)
}

#[cfg(test)]
mod tests {
    use super::size_category;

    #[test]
    fn rows_have_the_category_of_the_hub() {
        assert_eq!(
            [0, 999, 1000, 233_319].map(size_category),
            ["n<1K", "n<1K", "1K<n<10K", "100K<n<1M"]
        );
    }
}
