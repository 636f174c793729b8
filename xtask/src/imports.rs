//! The import table of ARCHITECTURE.md, checked: who may import whom, and who alone uses what.

use serde_json::Value;

/// Our crates, and which of ours each may import.
const IMPORTS: [(&str, &[&str]); 10] = [
    ("polyculture-core", &[]),
    ("polyculture-stats", &[]),
    ("polyculture-engine", &[]),
    ("polyculture-seedlings", &[]),
    ("polyculture-data", &["polyculture-core", "polyculture-stats"]),
    ("polyculture-llm", &["polyculture-core", "polyculture-engine", "polyculture-seedlings"]),
    ("polyculture-remote", &[]),
    (
        "polyculture-study",
        &[
            "polyculture-core",
            "polyculture-stats",
            "polyculture-llm",
            "polyculture-engine",
            "polyculture-seedlings",
        ],
    ),
    ("polyculture-report", &["polyculture-core"]),
    (
        "polyculture",
        &[
            "polyculture-core",
            "polyculture-stats",
            "polyculture-data",
            "polyculture-engine",
            "polyculture-seedlings",
            "polyculture-llm",
            "polyculture-remote",
            "polyculture-study",
            "polyculture-report",
        ],
    ),
];

/// Outside crates that only these of ours may use: the border to a world of its own.
const ONLY: [(&str, &[&str]); 14] = [
    ("datafusion", &["polyculture-data"]),
    ("parquet", &["polyculture-data"]),
    ("candle-core", &["polyculture-engine"]),
    ("gemm", &["polyculture-engine"]),
    ("tokenizers", &["polyculture-engine"]),
    ("safetensors", &["polyculture-engine"]),
    ("minijinja", &["polyculture-engine"]),
    ("reqwest", &["polyculture-llm", "polyculture-remote"]),
    ("rustls", &["polyculture-llm", "polyculture-remote"]),
    ("rusty-s3", &["polyculture-remote"]),
    ("redb", &["polyculture-llm"]),
    ("statrs", &["polyculture-stats"]),
    ("askama", &["polyculture-report"]),
    ("anyhow", &["polyculture"]),
];

/// Every import that the table does not have.
pub(crate) fn check(metadata: &Value) -> Vec<String> {
    let mut problems = Vec::new();
    let ours = |name: &str| name == "polyculture" || name.starts_with("polyculture-");
    let packages = metadata["packages"].as_array().into_iter().flatten();
    for package in packages.filter(|package| package["source"].is_null()) {
        let name = package["name"].as_str().unwrap_or_default();
        let allowed = IMPORTS.iter().find(|(known, _)| *known == name).map(|(_, allowed)| *allowed);
        if name != "xtask" && allowed.is_none() {
            problems
                .push(format!("crate `{name}` is not in the import table of xtask/src/imports.rs"));
        }
        let dependencies = package["dependencies"].as_array().into_iter().flatten();
        for dependency in dependencies.filter(|dependency| dependency["kind"].is_null()) {
            let used = dependency["name"].as_str().unwrap_or_default();
            if name != "xtask" && ours(used) && !allowed.unwrap_or_default().contains(&used) {
                problems.push(format!(
                    "`{name}` imports `{used}`, and the import table does not have that"
                ));
            }
            // Chores may use what they need.
            let only = ONLY.iter().find(|(outside, _)| *outside == used);
            if let Some((_, users)) =
                only.filter(|(_, users)| name != "xtask" && !users.contains(&name))
            {
                problems
                    .push(format!("`{name}` uses `{used}`, which only {} may", users.join(", ")));
            }
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_forbidden_import_is_found() {
        fn check_one(name: &str, used: &str, expected: &[&str]) {
            let dependency = json!({"name": used, "kind": null});
            let metadata =
                json!({"packages": [{"name": name, "source": null, "dependencies": [dependency]}]});
            assert_eq!(check(&metadata), expected);
        }
        check_one("polyculture-llm", "polyculture-core", &[]);
        check_one(
            "polyculture-core",
            "polyculture-llm",
            &[
                "`polyculture-core` imports `polyculture-llm`, and the import table does not have that",
            ],
        );
        check_one(
            "polyculture-report",
            "reqwest",
            &[
                "`polyculture-report` uses `reqwest`, which only polyculture-llm, polyculture-remote may",
            ],
        );
        check_one(
            "polyculture-new",
            "serde",
            &["crate `polyculture-new` is not in the import table of xtask/src/imports.rs"],
        );
    }
}
