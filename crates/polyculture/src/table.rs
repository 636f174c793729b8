//! Plain tables for a terminal: columns as wide as their widest cell, numbers to the right.

use polyculture_core::results::ShareRow;
use polyculture_core::{Estimate, Results};

/// Rows of cells under a heading.
pub(crate) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new<S: Into<String>>(heading: impl IntoIterator<Item = S>) -> Self {
        Self { rows: vec![heading.into_iter().map(Into::into).collect()] }
    }

    pub(crate) fn row<S: Into<String>>(&mut self, cells: impl IntoIterator<Item = S>) {
        self.rows.push(cells.into_iter().map(Into::into).collect());
    }

    pub(crate) fn print(&self) {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |column: usize| {
            self.rows.iter().filter_map(|row| row.get(column)).map(|c| c.chars().count()).max()
        };
        let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
        // Columns of words stand to the left, those of numbers to the right.
        let is_number = |cell: &String| {
            cell.is_empty() || cell.starts_with(|c: char| c.is_ascii_digit() || "–-<".contains(c))
        };
        let is_words = |column: usize| {
            !self.rows.iter().skip(1).filter_map(|row| row.get(column)).all(is_number)
        };
        let words: Vec<bool> = (0..columns).map(|column| column == 0 || is_words(column)).collect();
        for (i, row) in self.rows.iter().enumerate() {
            let cells = row.iter().zip(&widths).enumerate().map(|(column, (cell, &width))| {
                if words[column] { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
            });
            println!("  {}", cells.collect::<Vec<_>>().join("  ").trim_end());
            if i == 0 {
                let rule: Vec<String> = widths.iter().map(|width| "─".repeat(*width)).collect();
                println!("  {}", rule.join("  "));
            }
        }
    }
}

/// `66 % [55–76]`, or `28.1 % [27.9–28.3]` where the interval is narrow.
pub(crate) fn percent(estimate: &Estimate) -> String {
    let [value, low, high] = [estimate.value, estimate.low, estimate.high].map(|x| 100.0 * x);
    let digits = usize::from(high - low < 2.0);
    format!("{value:.digits$} % [{low:.digits$}–{high:.digits$}]")
}

/// `1.9 [1.8–2.0]`
pub(crate) fn number(estimate: &Estimate) -> String {
    format!("{:.1} [{:.1}–{:.1}]", estimate.value, estimate.low, estimate.high)
}

/// Coverage of each value by each strategy, the mean over models.
pub(crate) fn coverage(results: &Results) {
    let values: Vec<_> = results.frame.values().map(|(axis, side)| axis.pole(side)).collect();
    let k = results.coverage.iter().map(|row| row.k).min().unwrap_or(0);
    let level = 100.0 * results.coverage.first().map_or(0.95, |row| row.coverage.level);
    let sets: usize = results.coverage.iter().map(|row| row.coverage.n).min().unwrap_or(0);
    println!(
        "Sets of {k} with at least one response of a value [{level:.0} % interval over prompts], n ≥ {sets} sets each"
    );
    let heading = std::iter::once("strategy").chain(values.iter().map(|pole| pole.id.as_str()));
    let mut table = Table::new(heading);
    let mut strategies: Vec<&str> = Vec::new();
    for row in &results.coverage {
        if !strategies.contains(&row.strategy.as_str()) {
            strategies.push(&row.strategy);
        }
    }
    for strategy in strategies {
        let cells = values.iter().map(|pole| {
            let row = results.coverage.iter().find(|row| {
                row.strategy == strategy && row.value == pole.id && row.model.is_none()
            });
            row.map_or_else(|| "–".to_owned(), |row| percent(&row.coverage))
        });
        table.row(std::iter::once(strategy.to_owned()).chain(cells));
    }
    table.print();
}

/// How different the candidates are and what they cost.
pub(crate) fn diversity(results: &Results) {
    println!("How different the candidates of a set are, and what they cost");
    let mut table =
        Table::new(["strategy", "Vendi score", "places", "words", "tokens a set", "failed draws"]);
    for row in &results.diversity {
        table.row([
            row.strategy.clone(),
            row.vendi.as_ref().map_or_else(|| "–".into(), number),
            row.distinct.as_ref().map_or_else(|| "–".into(), number),
            number(&row.words),
            row.tokens.as_ref().map_or_else(|| "–".into(), |t| format!("{:.0}", t.value)),
            percent(&row.failed),
        ]);
    }
    table.print();
}

/// The aligned share: each reading for everyone, with its baselines, then the headline by group.
pub(crate) fn shares(results: &Results) {
    let Some(plane) = &results.plane else { return };
    println!("People that the models' answers speak for ({})", plane.population);
    let everyone = |row: &&ShareRow| row.population == "everyone";
    let of_everyone = || results.shares.iter().filter(everyone);
    let sources = distinct(of_everyone().map(|row| row.source.as_str()));
    let readings = distinct(of_everyone().map(|row| row.reading.as_str()));
    let find = |reading: &str, source: &str, population: &str| {
        let is_it = |row: &&ShareRow| {
            row.reading == reading && row.source == source && row.population == population
        };
        let row = results.shares.iter().find(is_it);
        row.map_or_else(|| "–".to_owned(), |row| percent(&row.share))
    };
    let mut table = Table::new(std::iter::once("reading").chain(sources.iter().copied()));
    for reading in readings {
        let cells = sources.iter().map(|source| find(reading, source, "everyone"));
        table.row(std::iter::once(reading.to_owned()).chain(cells));
    }
    table.print();
    let o1 = || results.shares.iter().filter(|row| row.reading == "O1" && !everyone(row));
    let sources = distinct(o1().map(|row| row.source.as_str()));
    if sources.is_empty() {
        return;
    }
    println!();
    let mut table = Table::new(std::iter::once("O1 by population").chain(sources.iter().copied()));
    for population in distinct(o1().map(|row| row.population.as_str())) {
        let cells = sources.iter().map(|source| find("O1", source, population));
        table.row(std::iter::once(population.to_owned()).chain(cells));
    }
    table.print();
}

/// Each once, in the order in which they first appear.
fn distinct<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut found: Vec<&str> = Vec::new();
    for name in names {
        if !found.contains(&name) {
            found.push(name);
        }
    }
    found
}

/// How good the judge is.
pub(crate) fn judges(results: &[polyculture_core::results::JudgeRow]) {
    if results.is_empty() {
        return;
    }
    println!("How often the judge places a text where it belongs (three places, chance is 33 %)");
    let mut table = Table::new(["tried on", "language", "axis", "accuracy", "texts", "prompts"]);
    for row in results {
        table.row([
            row.data.clone(),
            row.language.clone(),
            row.axis.to_string(),
            percent(&row.accuracy),
            row.accuracy.n.to_string(),
            row.accuracy.n_clusters.to_string(),
        ]);
    }
    table.print();
}
