//! The annotators of a dataset that describes them in a file of their own: read whole, joined by id.

use super::fields::Fields;
use super::records::for_each;
use super::{ColumnRole, ExtraColumn, FormatError, Output};
use crate::finding::{Findings, Rule};
use crate::input::Input;
use std::collections::HashMap;

/// What is known about annotators.
#[derive(Debug, Default)]
pub(super) struct People {
    /// What is known about them.
    pub(super) columns: Vec<ExtraColumn>,
    /// What was wrong in the files.
    pub(super) findings: Findings,
    rows: HashMap<String, Vec<Option<String>>>,
    /// There is a file that describes them.
    described: bool,
}

/// A column's name, its role and what it says about one annotator.
pub(super) type Said = (String, ColumnRole, Option<String>);

impl People {
    /// Reads the files; `describe` says what a record knows about its annotator.
    ///
    /// # Errors
    /// When a file cannot be read to its end.
    pub(super) fn read(
        sides: &[Input],
        id_column: &str,
        describe: impl Fn(Fields<'_>) -> Vec<Said>,
    ) -> Result<Self, FormatError> {
        let mut people = Self { described: !sides.is_empty(), ..Self::default() };
        for side in sides {
            let mut findings = Findings::default();
            let mut each = |fields: Fields<'_>, _: &[String], out: &mut Output<'_>| {
                let Some(id) = fields.id(id_column, out) else {
                    out.find(Rule::UnreadableRecord, fields.line, id_column, "no id");
                    return;
                };
                if people.rows.contains_key(id.as_ref()) {
                    out.find(Rule::UnknownAnnotator, fields.line, id_column, &id);
                    return;
                }
                let row = people.row(describe(fields));
                people.rows.insert(id.into_owned(), row);
            };
            for_each(side, &mut findings, &mut each).map_err(|e| FormatError::Side(Box::new(e)))?;
            findings.set_file(&side.name);
            people.findings.merge(findings);
        }
        Ok(people)
    }

    fn row(&mut self, said: Vec<Said>) -> Vec<Option<String>> {
        let mut row = vec![None; self.columns.len()];
        for (name, role, value) in said {
            let at = self.columns.iter().position(|c| c.name == name).unwrap_or_else(|| {
                self.columns.push(ExtraColumn { name, role });
                self.columns.len() - 1
            });
            row.resize(row.len().max(at + 1), None);
            row[at] = value;
        }
        row
    }

    /// What is known about an annotator, in the order of the columns. Who is missing is reported, if
    /// anybody is described.
    pub(super) fn of<'p>(
        &'p self,
        id: Option<&str>,
        line: u64,
        column: &str,
        out: &mut Output<'_>,
    ) -> impl Iterator<Item = Option<&'p str>> + use<'p> {
        let row = id.and_then(|id| self.rows.get(id));
        if let (None, Some(id), true) = (row, id, self.described) {
            out.find(Rule::UnknownAnnotator, line, column, id);
        }
        (0..self.columns.len()).map(move |i| row.and_then(|row| row.get(i)?.as_deref()))
    }
}
