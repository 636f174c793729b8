//! The datasheet (Gebru et al. 2021, Datasheets for Datasets), under its headings: what the data say is said, what only a
//! person can say is taken from the card or asked for.

use super::declaration::Visibility;
use super::readme::MARK;
use super::report::ColumnDecision;
use super::statements::{Gaps, Published, count};
use crate::schema::{COLUMNS, FORMAT};
use std::fmt::Write;

struct Sheet<'g> {
    out: String,
    gaps: &'g mut Gaps,
}

impl Sheet<'_> {
    fn heading(&mut self, heading: &str) {
        let _ = write!(self.out, "## {heading}\n\n");
    }

    /// A question that the data answer.
    fn said(&mut self, question: &str, answer: &[String]) {
        if !answer.is_empty() {
            let _ = write!(
                self.out,
                "**{question}** {}\n\n",
                answer.iter().map(|a| escape(a)).collect::<Vec<_>>().join(" ")
            );
        }
    }

    /// The same as a list.
    fn listed(&mut self, question: &str, answers: &[String]) {
        if !answers.is_empty() {
            let _ = write!(self.out, "**{question}**\n\n");
            for answer in answers {
                let _ = writeln!(self.out, "- {}", escape(answer));
            }
            self.out.push('\n');
        }
    }

    /// A question that only a person can answer: in their words, which may be Markdown.
    fn person(&mut self, field: &'static str, answer: Option<&String>, question: &'static str) {
        let _ = match self.gaps.ask(field, answer.map(String::as_str), question) {
            Some(answer) => write!(self.out, "**{question}** {answer}\n\n"),
            None => write!(self.out, "**{question}** `{MARK}` (`card.{field}`)\n\n"),
        };
    }
}

/// The text below the YAML.
pub(super) fn datasheet(published: &Published<'_>, gaps: &mut Gaps) -> String {
    let card = published.card;
    let mut sheet = Sheet { out: format!("# {}\n\n", escape(published.title())), gaps };
    sheet.person("description", card.description.as_ref(), "What is it?");
    usage(&mut sheet, published);
    sheet.heading("Motivation");
    sheet.person(
        "motivation",
        card.motivation.as_ref(),
        "For what purpose was the dataset created?",
    );
    let authors = card.authors.iter().map(|author| match &author.affiliation {
        Some(affiliation) => format!("{} ({affiliation})", author.name),
        None => author.name.clone(),
    });
    let authors = authors.collect::<Vec<_>>().join(", ");
    sheet.person("authors", Some(&authors), "Who created the dataset?");
    sheet.person("funding", card.funding.as_ref(), "Who funded it?");
    composition(&mut sheet, published);
    sheet.heading("Collection process");
    sheet.said("What do the data show of it?", &[published.protocol()]);
    sheet.person(
        "collection",
        card.collection.as_ref(),
        "How was the data collected, and who was involved?",
    );
    let timeframe = card.timeframe.join(" to ");
    sheet.person("timeframe", Some(&timeframe), "Over what time was it collected?");
    sheet.person(
        "annotation_protocol",
        card.annotation_protocol.as_ref(),
        "What were annotators told to do?",
    );
    sheet.person("annotation_platform", card.annotation_platform.as_ref(), "On which platform?");
    sheet.person("compensation", card.compensation.as_ref(), "How were annotators paid?");
    sheet.person(
        "consent",
        card.consent.as_ref(),
        "Did they consent to the collection and to this use, and can they revoke it?",
    );
    sheet.person("ethics_review", card.ethics_review.as_ref(), "Was there an ethical review?");
    sheet.heading("Preprocessing, cleaning, labelling");
    let format = format!(
        "Read from files of the format `{}` into the shape `{FORMAT}`, one row per comparison.",
        published.source.id()
    );
    let mut steps = vec![format];
    steps.extend(published.privacy());
    sheet.listed("What was done here?", &steps);
    sheet.person("preprocessing", card.preprocessing.as_ref(), "What was done before that?");
    sheet.heading("Uses");
    sheet.person("uses", card.uses.as_ref(), "What can the dataset be used for?");
    sheet.person("out_of_scope", card.out_of_scope.as_ref(), "What should it not be used for?");
    sheet.person("biases", card.biases.as_ref(), "Which biases are known?");
    sheet.person("limitations", card.limitations.as_ref(), "What are its limitations?");
    sheet.person(
        "social_impact",
        card.social_impact.as_ref(),
        "What may it do to people and society?",
    );
    sheet.heading("Distribution");
    sheet.person("license", card.license.as_ref(), "Under which licence?");
    sheet.person("distribution", card.distribution.as_ref(), "How and to whom is it distributed?");
    sheet.heading("Maintenance");
    sheet.person(
        "maintenance",
        card.maintenance.as_ref(),
        "Who maintains it, and how are errors corrected?",
    );
    sheet.person("contact", card.contact.as_ref(), "Who can be asked?");
    sheet.out.push_str("## Citation\n\n");
    let citation = card.citation.as_ref().map(|c| format!("\n\n```bibtex\n{}\n```", c.trim()));
    sheet.person("citation", citation.as_ref(), "How is it cited?");
    sheet.out.trim_end().to_owned() + "\n"
}

fn usage(sheet: &mut Sheet<'_>, published: &Published<'_>) {
    let split = published.report.splits.first().map_or("train", |split| split.name.as_str());
    let _ = write!(
        sheet.out,
        "```python\nfrom datasets import load_dataset\n\ncomparisons = load_dataset(\"path/to/this/folder\", split=\"{split}\")\n```\n\n"
    );
    sheet.out.push_str("| split | comparisons | files | bytes |\n|---|---:|---:|---:|\n");
    for split in &published.report.splits {
        let _ = writeln!(
            sheet.out,
            "| {} | {} | {} | {} |",
            split.name,
            count(split.rows),
            split.shards.len(),
            count(split.file_bytes())
        );
    }
    sheet.out.push('\n');
}

fn composition(sheet: &mut Sheet<'_>, published: &Published<'_>) {
    sheet.heading("Composition");
    sheet.listed("What is in it?", &published.composition());
    sheet.said("How often was the same judged?", &[published.annotations_per_item()]);
    let figures = published.figures();
    if !figures.is_empty() {
        sheet.out.push_str("| figure | value [interval] | n | definition |\n|---|---|---:|---|\n");
        for figure in figures {
            let _ = writeln!(
                sheet.out,
                "| {} | {} | {} | {} |",
                figure.name,
                figure.value,
                count(figure.n as u64),
                figure.definition
            );
        }
        let _ = write!(sheet.out, "\n{}\n\n", published.method());
    }
    sheet.listed("Who are the annotators?", &published.demographics());
    sheet.out.push_str("**Columns**\n\n| column | type | what it says |\n|---|---|---|\n");
    for (field, (name, feature)) in published.schema.fields().iter().zip(&published.features) {
        let known = COLUMNS.iter().find(|(_, own, _)| own == name);
        let what = known.map_or_else(
            || format!("Came along from the source ({}).", role(published, name)),
            |(.., what)| (*what).to_owned(),
        );
        let nullable = if field.is_nullable() { ", may be empty" } else { "" };
        let _ = writeln!(
            sheet.out,
            "| `{}` | {}{nullable} | {what} |",
            escape(name),
            feature.in_words()
        );
    }
    sheet.out.push('\n');
    sheet.listed("Is anything missing?", &published.missing());
    sheet.listed("What did the reader find wrong in the source?", &published.findings());
    sheet.person(
        "personal_information",
        published.card.personal_information.as_ref(),
        "Can people be recognised, and is anything sensitive or offensive in it?",
    );
}

fn role<'p>(published: &'p Published<'_>, name: &str) -> &'p str {
    let is_it = |c: &&ColumnDecision| c.name == name && c.visibility == Visibility::Public;
    published.report.columns.iter().find(is_it).map_or("other", |c| c.role)
}

/// Text of the data, in Markdown: it may neither begin a tag, a link or a picture, nor leave its cell or line.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '|' | '*' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            // Marks such as `[mail]` and intervals stay readable: without a bracket after it no link begins.
            '(' if out.ends_with(']') => out.push_str("\\("),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::escape;

    #[test]
    fn what_the_data_say_stays_text() {
        assert_eq!(escape("<img src=x>|a\nb"), "&lt;img src=x&gt;\\|a b");
        assert_eq!(escape("![x](http://example.org)"), "![x]\\(http://example.org)");
        assert_eq!(escape("12.0 % [10 to 14]"), "12.0 % [10 to 14]");
    }
}
