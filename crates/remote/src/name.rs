//! Names of remote things, parsed once.

use crate::error::RemoteError;

const HUB: &str = "hf://";
const S3: &str = "s3://";

/// Whether `name` is one that [`fetch`](crate::fetch()) takes, rather than a path of this machine.
///
/// ```
/// assert!(polyculture_remote::is_remote("hf://datasets/OWNER/NAME/data"));
/// assert!(polyculture_remote::is_remote("s3://bucket/key.csv"));
/// assert!(!polyculture_remote::is_remote("data/train.csv"));
/// ```
#[must_use]
pub fn is_remote(name: &str) -> bool {
    name.starts_with(HUB) || name.starts_with(S3)
}

/// What a name stands for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Name {
    Hub(HubName),
    S3(S3Name),
}

/// `hf://datasets/OWNER/NAME[@REVISION]/PATH`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct HubName {
    /// `OWNER/NAME`.
    pub(crate) repository: String,
    /// A branch, a tag or a commit.
    pub(crate) revision: String,
    /// A file, a folder or a glob; empty for the whole.
    pub(crate) path: String,
}

/// `s3://BUCKET/KEY`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct S3Name {
    pub(crate) bucket: String,
    /// A key, a prefix or a glob; empty for the whole.
    pub(crate) key: String,
}

impl Name {
    pub(crate) fn parse(name: &str) -> Result<Self, RemoteError> {
        let parsed = if let Some(rest) = name.strip_prefix(HUB) {
            HubName::parse(rest).map(Self::Hub)
        } else if let Some(rest) = name.strip_prefix(S3) {
            S3Name::parse(rest).map(Self::S3)
        } else {
            Err("it begins with neither `hf://` nor `s3://`".to_owned())
        };
        parsed.map_err(|detail| RemoteError::Name { name: name.to_owned(), detail })
    }

    /// Whether it can never stand for anything else.
    pub(crate) fn is_fixed(&self) -> bool {
        matches!(self, Self::Hub(HubName { revision, .. }) if revision.len() == 40
            && revision.bytes().all(|byte| byte.is_ascii_hexdigit()))
    }
}

impl HubName {
    fn parse(rest: &str) -> Result<Self, String> {
        let form = || "the form is `hf://datasets/OWNER/NAME[@REVISION]/PATH`".to_owned();
        let rest = rest.strip_prefix("datasets/").ok_or_else(form)?;
        let (owner, rest) = rest.split_once('/').ok_or_else(form)?;
        let end = rest.find(['/', '@']).unwrap_or(rest.len());
        let (name, rest) = rest.split_at(end);
        let repository = repository(&format!("{owner}/{name}"))?;
        let (revision, path) = match rest.strip_prefix('@') {
            None => ("main", rest.strip_prefix('/').unwrap_or(rest)),
            Some(rest) => split_revision(rest),
        };
        let revision = match revision {
            "~parquet" => "refs/convert/parquet".to_owned(),
            revision => revision.replace("%2F", "/").replace("%2f", "/"),
        };
        if revision.is_empty() || !is_safe(&revision) {
            return Err(format!("`{revision}` is no revision"));
        }
        let path = path.trim_end_matches('/');
        if !path.is_empty() && !is_safe(path) {
            return Err(format!("`{path}` is no path inside a dataset"));
        }
        Ok(Self { repository, revision, path: path.to_owned() })
    }
}

/// A revision and the path behind it. The Hub's own branches have slashes in their names.
fn split_revision(rest: &str) -> (&str, &str) {
    let own = rest.starts_with("refs/convert/") || rest.starts_with("refs/pr/");
    let mut slashes = rest.match_indices('/').map(|(at, _)| at);
    match slashes.nth(if own { 2 } else { 0 }) {
        Some(at) => (&rest[..at], &rest[at + 1..]),
        None => (rest, ""),
    }
}

/// `OWNER/NAME`, checked.
pub(crate) fn repository(text: &str) -> Result<String, String> {
    let is_word = |word: &str| {
        !word.is_empty()
            && !word.starts_with('.')
            && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
    };
    match text.split_once('/') {
        Some((owner, name)) if is_word(owner) && is_word(name) => Ok(text.to_owned()),
        _ => Err(format!("`{text}` is not of the form OWNER/NAME")),
    }
}

impl S3Name {
    fn parse(rest: &str) -> Result<Self, String> {
        let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if bucket.is_empty() || bucket.starts_with('.') || !bucket.bytes().all(fits) {
            return Err(format!("`{bucket}` is no bucket; the form is `s3://BUCKET/KEY`"));
        }
        let inner = key.strip_suffix('/').unwrap_or(key);
        if !inner.is_empty() && !is_safe(inner) {
            return Err(format!(
                "the key `{key}` has an empty part, `.` or `..`, which no file here can be called"
            ));
        }
        Ok(Self { bucket: bucket.to_owned(), key: key.to_owned() })
    }
}

/// Whether a path with `/` names something below a folder.
pub(crate) fn is_safe(path: &str) -> bool {
    path.split('/').all(|part| {
        !matches!(part, "" | "." | "..") && !part.contains(|c: char| c.is_control() || c == '\\')
    })
}

/// Whether a file of this machine can be called like that.
pub(crate) fn is_storable(path: &str) -> bool {
    is_safe(path) && !(cfg!(windows) && path.contains([':', '<', '>', '"', '|', '?', '*']))
}

/// Whether it has to be matched rather than looked up.
pub(crate) fn is_glob(path: &str) -> bool {
    path.contains(['*', '?', '['])
}

/// What stands before a glob's first wild character.
pub(crate) fn before_glob(glob: &str) -> &str {
    &glob[..glob.find(['*', '?', '[']).unwrap_or(glob.len())]
}

/// A glob in which `*` stays inside a folder and `**` does not.
pub(crate) struct Glob(glob::Pattern);

impl Glob {
    pub(crate) fn new(name: &str, glob: &str) -> Result<Self, RemoteError> {
        let wrong = |error: glob::PatternError| RemoteError::Name {
            name: name.to_owned(),
            detail: error.to_string(),
        };
        glob::Pattern::new(glob).map(Self).map_err(wrong)
    }

    pub(crate) fn matches(&self, path: &str) -> bool {
        let options = glob::MatchOptions {
            case_sensitive: true,
            require_literal_separator: true,
            require_literal_leading_dot: true,
        };
        self.0.matches_with(path, options)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_parsed() {
        fn hub(name: &str, expected: [&str; 3]) {
            let [repository, revision, path] = expected.map(str::to_owned);
            let expected = Name::Hub(HubName { repository, revision, path });
            assert_eq!(Name::parse(name).unwrap(), expected, "{name}");
        }
        hub("hf://datasets/o/n/a/b.csv", ["o/n", "main", "a/b.csv"]);
        hub("hf://datasets/o/n", ["o/n", "main", ""]);
        hub("hf://datasets/o/n/", ["o/n", "main", ""]);
        hub("hf://datasets/o/n@v1.0/data/", ["o/n", "v1.0", "data"]);
        hub("hf://datasets/o/n@v1.0", ["o/n", "v1.0", ""]);
        hub(
            "hf://datasets/o/n@refs/convert/parquet/d/0.parquet",
            ["o/n", "refs/convert/parquet", "d/0.parquet"],
        );
        hub("hf://datasets/o/n@refs%2Fpr%2F1/a@b", ["o/n", "refs/pr/1", "a@b"]);
        hub(
            "hf://datasets/o/n@~parquet/**/*.parquet",
            ["o/n", "refs/convert/parquet", "**/*.parquet"],
        );

        fn s3(name: &str, expected: [&str; 2]) {
            let [bucket, key] = expected.map(str::to_owned);
            assert_eq!(Name::parse(name).unwrap(), Name::S3(S3Name { bucket, key }), "{name}");
        }
        s3("s3://b/a/b.csv", ["b", "a/b.csv"]);
        s3("s3://b/a/", ["b", "a/"]);
        s3("s3://b", ["b", ""]);
    }

    #[test]
    fn what_is_no_name_is_refused() {
        fn check(name: &str) {
            let error = Name::parse(name).unwrap_err();
            assert!(error.is_usage() && error.to_string().contains(name), "{error}");
        }
        check("data/train.csv");
        check("hf://o/n/a.csv");
        check("hf://datasets/o");
        check("hf://datasets/../n/a");
        check("hf://datasets/o/n/../../a");
        check("hf://datasets/o/n//a");
        check("hf://datasets/o/n@/a");
        check("hf://datasets/o/n/a\\b");
        check("s3:///a");
        check("s3://b//a");
        check("s3://b/../a");
        check("s3://b?x/a");
    }

    #[test]
    fn a_commit_is_fixed_and_a_branch_is_not() {
        let commit = format!("hf://datasets/o/n@{}/a", "0a".repeat(20));
        assert!(Name::parse(&commit).unwrap().is_fixed());
        assert!(!Name::parse("hf://datasets/o/n/a").unwrap().is_fixed());
        assert!(!Name::parse("s3://b/a").unwrap().is_fixed());
    }

    #[test]
    fn a_star_stays_in_its_folder() {
        fn check(glob: &str, path: &str, expected: bool) {
            assert_eq!(Glob::new("", glob).unwrap().matches(path), expected, "{glob} {path}");
        }
        check("data/*.csv", "data/a.csv", true);
        check("data/*.csv", "data/x/a.csv", false);
        check("data/**/*.csv", "data/x/a.csv", true);
        check("data/**/*.csv", "data/a.csv", true);
        check("*", ".gitattributes", false);
        check("year=202[45]/*", "year=2025/a.csv", true);
    }
}
