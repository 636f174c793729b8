//! Expected numbers of the tests, written by the scripts in `testdata` from other implementations.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use proptest::test_runner::{Config, RngSeed};
use serde_json::Value;

use crate::coverage::ScoredSet;

/// One section of `testdata/oracles.json`.
pub(crate) fn oracle(section: &str) -> Value {
    let mut all: Value = serde_json::from_str(include_str!("../testdata/oracles.json")).unwrap();
    all[section].take()
}

/// One section of `testdata/design.json`.
pub(crate) fn design_oracle(section: &str) -> Value {
    let mut all: Value = serde_json::from_str(include_str!("../testdata/design.json")).unwrap();
    all[section].take()
}

/// Reads a part of a section as the type that the test needs.
pub(crate) fn read<T: serde::de::DeserializeOwned>(value: &Value) -> T {
    serde_json::from_value(value.clone()).unwrap()
}

/// Candidate sets seen from one class.
pub(crate) fn read_sets(value: &Value) -> Vec<ScoredSet> {
    let sets = value.as_array().unwrap();
    sets.iter().map(|set| ScoredSet::new(read(&set["cluster"]), read(&set["slots"]))).collect()
}

#[track_caller]
pub(crate) fn check_close(found: f64, expected: f64, tolerance: f64) {
    assert!(
        (found - expected).abs() <= tolerance,
        "found {found}, expected {expected} within {tolerance}"
    );
}

/// As [`check_close`], the tolerance being relative for numbers beyond 1.
#[track_caller]
pub(crate) fn check_relative(found: f64, expected: f64, tolerance: f64) {
    check_close(found, expected, tolerance * expected.abs().max(1.0));
}

/// A table by columns: of `testdata/design.json`, or a CSV file of the shared folder.
pub(crate) struct Table(HashMap<String, Vec<Value>>);

impl Table {
    /// The columns of a JSON object.
    pub(crate) fn of(value: &Value) -> Self {
        Self(read(value))
    }

    /// The schools of California that R's survey package comes with. They lie in a folder `shared` beside the repository, or where
    /// `POLYCULTURE_SHARED` says; nothing, and a note, where there is none.
    pub(crate) fn schools(file: &str) -> Option<Self> {
        let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
        let folder = std::env::var_os("POLYCULTURE_SHARED").map_or(beside, PathBuf::from);
        let path = folder.join("data/survey").join(file).with_extension("csv");
        let Ok(text) = std::fs::read_to_string(&path) else {
            eprintln!("NOT TESTED: `{}` is not there", path.display());
            return None;
        };
        let mut lines = text.lines();
        let names: Vec<&str> = lines.next().unwrap().split(',').collect();
        let mut columns = vec![Vec::new(); names.len()];
        for line in lines {
            let fields = fields(line);
            assert_eq!(fields.len(), names.len(), "{line}");
            for (column, field) in columns.iter_mut().zip(fields) {
                column.push(match field.parse::<f64>() {
                    _ if field == "NA" => Value::Null,
                    Ok(number) => number.into(),
                    Err(_) => field.into(),
                });
            }
        }
        Some(Self(names.iter().map(ToString::to_string).zip(columns).collect()))
    }

    /// The rows for which `keep` of a column is true.
    pub(crate) fn filter(&self, column: &str, keep: impl Fn(&Value) -> bool) -> Self {
        let kept: Vec<bool> = self.0[column].iter().map(keep).collect();
        let filter = |values: &Vec<Value>| {
            values
                .iter()
                .zip(&kept)
                .filter(|(_, kept)| **kept)
                .map(|(value, _)| value.clone())
                .collect()
        };
        Self(self.0.iter().map(|(name, values)| (name.clone(), filter(values))).collect())
    }

    /// Puts the rows in the order of a column of numbers.
    pub(crate) fn sort_by(&mut self, column: &str) {
        let keys: Vec<f64> = self.0[column].iter().map(|key| key.as_f64().unwrap()).collect();
        let mut order: Vec<usize> = (0..keys.len()).collect();
        order.sort_by(|a, b| keys[*a].total_cmp(&keys[*b]));
        for values in self.0.values_mut() {
            *values = order.iter().map(|i| values[*i].clone()).collect();
        }
    }

    pub(crate) fn column(&self, name: &str) -> &[Value] {
        &self.0[name]
    }

    pub(crate) fn numbers(&self, name: &str) -> Vec<Option<f64>> {
        self.0[name].iter().map(Value::as_f64).collect()
    }

    /// A number for each different value, in order of appearance; none for what is missing. With the values.
    pub(crate) fn codes(&self, name: &str) -> (Vec<Option<u32>>, Vec<String>) {
        let mut levels: Vec<String> = Vec::new();
        let code = |value: &Value| {
            if value.is_null() {
                return None;
            }
            let text = value.as_str().map_or_else(|| value.to_string(), Into::into);
            let known = levels.iter().position(|level| *level == text);
            Some(known.unwrap_or_else(|| {
                levels.push(text);
                levels.len() - 1
            }) as u32)
        };
        (self.0[name].iter().map(code).collect(), levels)
    }
}

/// The fields of a line of CSV, without the quotes of those that have some.
fn fields(line: &str) -> Vec<&str> {
    let (mut fields, mut start, mut quoted) = (Vec::new(), 0, false);
    for (i, byte) in line.bytes().enumerate() {
        quoted ^= byte == b'"';
        if byte == b',' && !quoted {
            fields.push(line[start..i].trim_matches('"'));
            start = i + 1;
        }
    }
    fields.push(line[start..].trim_matches('"'));
    fields
}

/// Property tests from a fixed seed: a run is a fact about the code and not about the clock.
pub(crate) fn seeded() -> Config {
    Config { rng_seed: RngSeed::Fixed(0), failure_persistence: None, ..Config::default() }
}
