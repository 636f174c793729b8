//! Tables of any kind, row by row: for what is no preference data, and comes in the same files.

use crate::dataset::OpenError;
use crate::finding::Findings;
use crate::formats::records::for_each;
use crate::input;
use serde_json::{Map, Value};

/// A row of a table: its cells by column. Cells of CSV are texts, those without text are left out.
#[derive(Debug, Clone, Copy)]
pub struct TableRow<'a> {
    /// The file, as it was named or found.
    pub file: &'a str,
    /// The line on which it begins, from 1; the row, in Parquet.
    pub line: u64,
    /// The columns of the file: of its first 200 records, in JSON.
    pub columns: &'a [String],
    /// Its cells.
    pub cells: &'a Map<String, Value>,
}

/// Reads the rows of CSV, TSV, JSON Lines, JSON or Parquet files, compressed or not; `names` are files, directories or
/// patterns. What was wrong with rows that could not be read is given back.
///
/// # Errors
/// When a file is missing, or cannot be read to its end.
pub fn rows(names: &[String], mut each: impl FnMut(TableRow<'_>)) -> Result<Findings, OpenError> {
    let mut all = Findings::default();
    for name in names {
        for input in input::find(name)? {
            let mut findings = Findings::default();
            for_each(&input, &mut findings, &mut |fields, columns, _| {
                let (line, cells) = (fields.line, fields.object);
                each(TableRow { file: &input.name, line, columns, cells });
            })?;
            findings.set_file(&input.name);
            all.merge(findings);
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_the_same_from_every_kind_of_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let files = [
            ("a.csv", "id,word\n1,\"two\nlines\"\n2,\n3,x,y\n4,z\n"),
            ("b.tsv", "id\tword\n1\ttwo\n"),
            ("c.jsonl", "{\"id\": 1, \"word\": \"two\"}\n{\n"),
            ("d.json", "[{\"id\": 1},\n {\"id\": 2}]"),
        ];
        let found = files.map(|(name, text)| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).expect("written");
            let mut lines = Vec::new();
            let findings = rows(&[path.display().to_string()], |row| {
                lines.push((row.line, row.cells.len()));
            });
            (lines, findings.expect("readable").iter().map(|(_, n, _)| n).sum::<u64>())
        });
        assert_eq!(found[0], (vec![(2, 2), (4, 1), (6, 2)], 1));
        assert_eq!(found[1], (vec![(2, 2)], 0));
        assert_eq!(found[2], (vec![(1, 2)], 1));
        assert_eq!(found[3], (vec![(1, 1), (2, 1)], 0));
        assert!(rows(&["no-such-file.csv".to_owned()], |_| ()).is_err());
    }
}
