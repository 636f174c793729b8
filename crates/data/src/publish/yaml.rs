//! YAML as the hub's own tools write it: what a dataset card begins with.

use std::fmt::Write;

/// A value of YAML.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Yaml {
    Text(String),
    Number(u64),
    List(Vec<Yaml>),
    Map(Vec<(String, Yaml)>),
}

impl Yaml {
    pub(super) fn text(text: &str) -> Self {
        Yaml::Text(text.to_owned())
    }

    pub(super) fn texts<T: AsRef<str>>(texts: impl IntoIterator<Item = T>) -> Self {
        Yaml::List(texts.into_iter().map(|text| Yaml::text(text.as_ref())).collect())
    }

    /// A map of these entries, in order.
    pub(super) fn map<const N: usize>(entries: [(&str, Yaml); N]) -> Self {
        Yaml::Map(entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
    }
}

/// The document of a map, in the order of its entries.
pub(super) fn document(entries: &[(String, Yaml)]) -> String {
    let mut out = String::new();
    write_map(&mut out, entries, 0);
    out
}

fn write_map(out: &mut String, entries: &[(String, Yaml)], indent: usize) {
    for (key, value) in entries {
        let _ = write!(out, "{:indent$}{}:", "", scalar(key));
        match value {
            Yaml::Text(text) => {
                let _ = writeln!(out, " {}", scalar(text));
            }
            Yaml::Number(n) => {
                let _ = writeln!(out, " {n}");
            }
            Yaml::List(items) if items.is_empty() => out.push_str(" []\n"),
            Yaml::Map(entries) if entries.is_empty() => out.push_str(" {}\n"),
            Yaml::List(items) => {
                out.push('\n');
                write_list(out, items, indent);
            }
            Yaml::Map(entries) => {
                out.push('\n');
                write_map(out, entries, indent + 2);
            }
        }
    }
}

fn write_list(out: &mut String, items: &[Yaml], indent: usize) {
    for item in items {
        let mut inner = String::new();
        match item {
            Yaml::Text(text) => inner = format!("{}\n", scalar(text)),
            Yaml::Number(n) => inner = format!("{n}\n"),
            Yaml::List(items) if items.is_empty() => inner.push_str("[]\n"),
            Yaml::Map(entries) if entries.is_empty() => inner.push_str("{}\n"),
            Yaml::List(items) => write_list(&mut inner, items, indent + 2),
            Yaml::Map(entries) => write_map(&mut inner, entries, indent + 2),
        }
        let _ = write!(out, "{:indent$}- {}", "", inner.trim_start_matches(' '));
    }
}

/// A text as it stands in YAML: plain where no parser can take it for anything else, otherwise in double quotes.
fn scalar(text: &str) -> String {
    // What YAML 1.1 reads as a truth value or as nothing: Norwegian's code is the famous one.
    const RESERVED: [&str; 9] = ["true", "false", "yes", "no", "on", "off", "y", "n", "null"];
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./*<+ ".contains(c);
    let is_plain = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(plain)
        && !text.ends_with(' ')
        && !RESERVED.iter().any(|word| word.eq_ignore_ascii_case(text));
    if is_plain {
        return text.to_owned();
    }
    let mut out = String::from('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() || matches!(c, '\u{feff}' | '\u{2028}' | '\u{2029}') => {
                let _ = write!(out, "\\u{:04x}", c as u32);
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_plain_only_where_nobody_can_misread_them() {
        fn check(text: &str, expected: &str) {
            assert_eq!(scalar(text), expected);
        }
        check("text-generation", "text-generation");
        check("data/train-*", "data/train-*");
        check("n<1K", "n<1K");
        check("1K<n<10K", "\"1K<n<10K\"");
        check("no", "\"no\"");
        check("No", "\"No\"");
        check("nob", "nob");
        check("2025-01-01", "\"2025-01-01\"");
        check("a: b", "\"a: b\"");
        check("a #b", "\"a #b\"");
        check("", "\"\"");
        check("say \"hi\"\\\n", "\"say \\\"hi\\\"\\\\\\n\"");
        check("\u{7f}\u{2028}", "\"\\u007f\\u2028\"");
        check("भाषा", "\"भाषा\"");
    }

    #[test]
    fn nesting_is_laid_out_as_the_hub_does() {
        let split = |name: &str| {
            Yaml::map([
                ("split", Yaml::text(name)),
                ("path", Yaml::texts([format!("data/{name}-*")])),
            ])
        };
        let config = Yaml::map([
            ("config_name", Yaml::text("default")),
            ("data_files", Yaml::List(vec![split("train"), split("test")])),
        ]);
        let entries = vec![
            ("configs".to_owned(), Yaml::List(vec![config])),
            ("n".to_owned(), Yaml::Number(3)),
            ("tags".to_owned(), Yaml::List(Vec::new())),
            ("info".to_owned(), Yaml::map([("a", Yaml::map([("b", Yaml::Number(1))]))])),
        ];
        let expected = "\
configs:
- config_name: default
  data_files:
  - split: train
    path:
    - data/train-*
  - split: test
    path:
    - data/test-*
\"n\": 3
tags: []
info:
  a:
    b: 1
";
        assert_eq!(document(&entries), expected);
    }
}
