//! Tables as the templates draw them: a caption, column heads, and rows that begin with heads.

use crate::format::{Unit, count, n_of};
use polyculture_core::Estimate;

/// A table.
pub(crate) struct Table {
    pub(crate) caption: String,
    /// Heads of all columns.
    pub(crate) columns: Vec<String>,
    pub(crate) rows: Vec<Row>,
}

/// A row: what it is about, then what was found.
pub(crate) struct Row {
    pub(crate) heads: Vec<String>,
    pub(crate) cells: Vec<Cell>,
}

/// A cell of a table.
pub(crate) enum Cell {
    /// A number without an interval: a count.
    Count(String),
    /// A figure with its interval and what it rests on.
    Figure { value: String, interval: String, n: String },
    /// A sentence, which may take several lines.
    Words(String),
    /// Nothing was measured.
    Nothing,
}

/// Tables behind a line to click.
pub(crate) struct Fold {
    pub(crate) summary: String,
    pub(crate) tables: Vec<Table>,
}

impl Fold {
    /// The tables that have rows, if any do.
    pub(crate) fn of(summary: &str, tables: Vec<Table>) -> Option<Self> {
        let tables: Vec<Table> = tables.into_iter().filter_map(Table::if_any).collect();
        (!tables.is_empty()).then(|| Self { summary: summary.to_owned(), tables })
    }
}

impl Cell {
    pub(crate) fn figure(estimate: &Estimate, unit: Unit) -> Self {
        let written = unit.write(estimate);
        Cell::Figure { value: written.value, interval: written.interval, n: n_of(estimate) }
    }

    pub(crate) fn maybe(estimate: Option<&Estimate>, unit: Unit) -> Self {
        estimate.map_or(Cell::Nothing, |estimate| Cell::figure(estimate, unit))
    }

    pub(crate) fn count(n: usize) -> Self {
        Cell::Count(count(n))
    }
}

impl Table {
    pub(crate) fn new(caption: impl Into<String>, columns: &[&str]) -> Self {
        let columns = columns.iter().map(|column| (*column).to_owned()).collect();
        Self { caption: caption.into(), columns, rows: Vec::new() }
    }

    /// The table, if it has rows.
    pub(crate) fn if_any(self) -> Option<Self> {
        (!self.rows.is_empty()).then_some(self)
    }

    pub(crate) fn row(&mut self, heads: &[&str], cells: Vec<Cell>) {
        let heads = heads.iter().map(|head| (*head).to_owned()).collect();
        self.rows.push(Row { heads, cells });
    }
}
