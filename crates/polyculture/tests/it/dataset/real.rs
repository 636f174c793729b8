//! Real parts of the field's datasets, and the full-size twin of one. They lie in a folder `shared` beside the
//! repository, or where `POLYCULTURE_SHARED` says; where there is none, these tests say so.

use super::*;
use serde_json::Value;
use std::path::PathBuf;

/// A file of the shared folder; nothing, and a note, where there is none.
fn shared(file: &str) -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let folder = std::env::var_os("POLYCULTURE_SHARED").map_or(beside, PathBuf::from);
    let path = folder.join(file);
    if path.exists() {
        return Some(path);
    }
    eprintln!("NOT TESTED: `{}` is not there", path.display());
    None
}

fn json(args: &[&str], code: i32) -> Value {
    let output = polyculture(std::env::temp_dir().as_path(), args);
    expect_code(&output, code);
    serde_json::from_str(&stdout(&output)).expect("one JSON document")
}

#[test]
fn the_twin_has_exactly_the_published_totals() {
    let Some(tool) = shared("tools/ca_twin.py") else { return };
    let folder = tempfile::tempdir().unwrap();
    let twin = folder.path().join("twin.csv").display().to_string();
    let python = |args: &[&str]| {
        let output = Command::new("python3").arg(&tool).args(args).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    };
    // Short texts: all rows and totals, a twelfth of the size.
    python(&[&twin, "--words", "3"]);
    let totals: Value = serde_json::from_slice(&python(&["--totals"])).unwrap();
    let parquet = folder.path().join("twin.parquet").display().to_string();
    let found = json(&["dataset", "stats", &twin, "--json"], 0);
    let output = polyculture(folder.path(), &["dataset", "import", &twin, "--out", &parquet]);
    expect_code(&output, 0);
    let imported = json(&["dataset", "stats", &parquet, "--json"], 0);
    for (key, expected) in totals.as_object().unwrap() {
        for found in [&found, &imported] {
            check_total(key, &found[key], expected);
        }
    }
}

/// Counts must be equal, whatever the order of names; shares to the last digits.
fn check_total(key: &str, found: &Value, expected: &Value) {
    match (found, expected) {
        (Value::Object(found), Value::Object(expected)) => {
            assert_eq!(found.len(), expected.len(), "{key}: {found:?}");
            for (name, expected) in expected {
                check_total(&format!("{key}.{name}"), &found[name], expected);
            }
        }
        (Value::Array(found), Value::Array(expected)) => {
            assert_eq!(found.len(), expected.len(), "{key}: {found:?}");
            for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
                check_total(&format!("{key}[{i}]"), found, expected);
            }
        }
        _ => {
            let (found, expected) = (found.as_f64(), expected.as_f64());
            let close = found.zip(expected).is_some_and(|(a, b)| (a - b).abs() < 1e-12);
            assert!(close, "{key}: found {found:?}, expected {expected:?}");
        }
    }
}

#[test]
fn entropies_of_published_votes_are_those_published() {
    let Some(votes) = shared("data/community-alignment/comparison_votes_sample.csv") else {
        return;
    };
    let sql = "SELECT r.conversation_id, r.entropy_bits, min(c.choice_entropy_bits) AS published \
               FROM repeated r JOIN comparisons c USING (conversation_id) GROUP BY 1, 2";
    let rows = json(&["dataset", "query", sql, &votes.display().to_string(), "--json"], 0);
    let rows = rows.as_array().unwrap();
    assert_eq!(rows.len(), 62);
    for row in rows {
        let found = row["entropy_bits"].as_f64().unwrap();
        let published: f64 = row["published"].as_str().unwrap().parse().unwrap();
        assert!((found - published).abs() < 1e-9, "{row}");
    }
}

#[test]
fn hh_rlhf_has_its_rows_and_its_early_divergences() {
    let Some(hh) = shared("data/hh-rlhf/harmless-base-test.jsonl.gz") else { return };
    let hh = hh.display().to_string();
    let stats = json(&["dataset", "stats", &hh, "--json"], 0);
    assert_eq!((&stats["rows"], &stats["source"]), (&2312.into(), &"hh-rlhf".into()));
    let lint = json(&["dataset", "lint", &hh, "--no-language", "--json"], 1);
    let count = |rule: &str| {
        let findings = lint["findings"].as_array().unwrap();
        findings.iter().find(|f| f["rule"] == rule).map_or(0, |f| f["count"].as_u64().unwrap())
    };
    assert_eq!(count("early-divergence"), 5);
}

#[test]
fn the_choice_sets_have_their_votes_and_agreement() {
    let Some(sets) = shared("data/community-alignment/choice_sets_50.jsonl") else { return };
    let sets = sets.display().to_string();
    let stats = json(&["dataset", "stats", &sets, "--json"], 0);
    assert_eq!(stats["rows"], 50);
    assert_eq!(stats["comparisons"], 609);
    let agreement = &stats["agreement"]["pairwise"];
    assert_eq!((&agreement["n"], &agreement["n_clusters"]), (&609.into(), &50.into()));
    assert!(agreement["low"].as_f64() < agreement["high"].as_f64());
}
