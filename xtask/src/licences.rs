//! Licences of everything that is linked in: permissive ones only, so that the binary may be given
//! on under MIT or Apache-2.0.

use serde_json::Value;

const ALLOWED: [&str; 14] = [
    "MIT",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-1-Clause",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "ISC",
    "Zlib",
    "Unicode-3.0",
    "CC0-1.0",
    "0BSD",
    "Unlicense",
    "CDLA-Permissive-2.0",
];

/// Crates that must not come in, and why.
const BANNED: [(&str, &str); 3] = [
    ("openssl-sys", "TLS is rustls, so that one binary runs everywhere"),
    ("aws-lc-sys", "rustls uses ring: aws-lc takes minutes to build"),
    ("onig_sys", "tokenizers use fancy-regex: no C library"),
];

/// Every package whose licence is not allowed, and every banned one.
pub(crate) fn check(metadata: &Value) -> Vec<String> {
    let mut problems = Vec::new();
    for package in metadata["packages"].as_array().into_iter().flatten() {
        let name = package["name"].as_str().unwrap_or_default();
        if let Some((_, why)) = BANNED.iter().find(|(banned, _)| *banned == name) {
            problems.push(format!("`{name}` is banned: {why}"));
        }
        let licence = package["license"].as_str().unwrap_or("none named");
        if !is_allowed(licence) {
            problems.push(format!("`{name}` has licence `{licence}`, which is not allowed"));
        }
    }
    problems
}

/// An expression is allowed if one of its OR branches has only allowed AND parts.
fn is_allowed(expression: &str) -> bool {
    let allowed = |part: &str| ALLOWED.contains(&part.trim().trim_matches(['(', ')']));
    let plain = expression.replace('/', " OR ");
    if plain.contains('(') {
        // Every AND part must have an allowed branch: stricter than the grammar, never laxer.
        return plain.split(" AND ").all(|part| part.split(" OR ").any(allowed));
    }
    plain.split(" OR ").any(|branch| branch.split(" AND ").all(allowed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_are_read() {
        fn check(expression: &str, expected: bool) {
            assert_eq!(is_allowed(expression), expected, "{expression}");
        }
        check("MIT OR Apache-2.0", true);
        check("MIT/Apache-2.0", true);
        check("(MIT OR Apache-2.0) AND Unicode-3.0", true);
        check("GPL-3.0", false);
        check("MIT OR GPL-3.0", true);
        check("MIT AND GPL-3.0", false);
        check("GPL-3.0 AND (MIT OR Apache-2.0)", false);
        check("none named", false);
    }
}
