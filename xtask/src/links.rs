//! Links between the documents: every relative one must lead somewhere, and every `cargo xtask`
//! chore and `polyculture` command that a document names must exist.

use anyhow::Result;
use std::path::Path;

const CHORES: [&str; 5] = ["test", "tidy", "seedlings", "judge", "oracles"];
const COMMANDS: [&str; 12] = [
    "demo",
    "init",
    "run",
    "survey",
    "sample",
    "judge",
    "dataset",
    "evaluate",
    "report",
    "doctor",
    "completions",
    "help",
];

/// Every link and command in a tracked Markdown file that leads nowhere.
pub(crate) fn check(root: &Path) -> Result<Vec<String>> {
    let mut problems = Vec::new();
    for file in crate::tidy::tracked(root)?.iter().filter(|file| file.ends_with(".md")) {
        let text = std::fs::read_to_string(root.join(file))?;
        let folder = Path::new(file).parent().unwrap_or(Path::new(""));
        for (i, line) in text.lines().enumerate() {
            for target in targets(line) {
                let path = target.split('#').next().unwrap_or_default();
                let outside = target.contains("://") || target.starts_with("mailto:");
                if !outside && !path.is_empty() && !root.join(folder).join(path).exists() {
                    problems.push(format!("{file}:{}: `{target}` leads nowhere", i + 1));
                }
            }
            for (prefix, known) in [
                ("cargo xtask ", &CHORES[..]),
                ("`polyculture ", &COMMANDS[..]),
                ("    polyculture ", &COMMANDS[..]),
            ] {
                for (at, _) in line.match_indices(prefix) {
                    let rest = &line[at + prefix.len()..];
                    let word: String =
                        rest.chars().take_while(|c| c.is_ascii_lowercase()).collect();
                    if !word.is_empty() && !known.contains(&word.as_str()) {
                        problems.push(format!(
                            "{file}:{}: there is no `{}{word}`",
                            i + 1,
                            prefix.trim_start_matches(['`', ' '])
                        ));
                    }
                }
            }
        }
    }
    Ok(problems)
}

/// The targets of `[text](target)` and `src="target"` in a line.
fn targets(line: &str) -> Vec<&str> {
    let until = |rest: &'static str| move |text: &str| text.find(rest);
    let mut found = Vec::new();
    for (open, close) in [("](", until(")")), ("src=\"", until("\""))] {
        for (at, _) in line.match_indices(open) {
            let rest = &line[at + open.len()..];
            if let Some(end) = close(rest) {
                found.push(rest[..end].split_whitespace().next().unwrap_or_default());
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_found() {
        assert_eq!(
            targets("see [a](b.md#c) and ![d](e.png \"t\") <img src=\"f.png\">"),
            ["b.md#c", "e.png", "f.png"]
        );
    }
}
