//! The shares of splits, as a person writes them: `train=0.8,validation=0.1,test=0.1`.

use serde::{Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// Splits and their shares, which add up to 1.
#[derive(Debug, Clone, PartialEq)]
pub struct Ratios {
    parts: Vec<(String, f64)>,
}

/// A text that gives no shares.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ParseRatiosError {
    /// A part is no name with a number.
    #[error("`{0}` is no share of a split; write for example train=0.8,validation=0.1,test=0.1")]
    Part(String),
    /// Names become names of files.
    #[error("`{0}` is no name for a split: letters, digits, `-` and `_` are")]
    Name(String),
    /// A name is there twice.
    #[error("the split `{0}` is named twice")]
    Twice(String),
    /// A share is no positive number.
    #[error("`{0}` is no share: it must be a number above 0")]
    Share(String),
    /// More than can be kept apart.
    #[error("{0} splits are more than {max}", max = Ratios::MAX)]
    TooMany(usize),
}

impl Ratios {
    /// The most splits that there can be.
    pub const MAX: usize = 64;

    /// Names and shares, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, f64)> {
        self.parts.iter().map(|(name, share)| (name.as_str(), *share))
    }

    /// Where in the order the split of that name is.
    #[must_use]
    pub fn position(&self, name: &str) -> Option<usize> {
        self.parts.iter().position(|(known, _)| known == name)
    }

    /// The split that the share `at` of all (from 0 to below 1) falls into; `without` takes no part.
    pub(crate) fn split_at(&self, at: f64, without: Option<usize>) -> usize {
        let taking = || self.parts.iter().enumerate().filter(|(i, _)| Some(*i) != without);
        let all: f64 = taking().map(|(_, (_, share))| share).sum();
        let mut upper = 0.0;
        for (i, (_, share)) in taking() {
            upper += share / all;
            if at < upper {
                return i;
            }
        }
        // The sum of the shares can fall short of 1 by a rounding.
        taking().next_back().map_or(0, |(i, _)| i)
    }
}

impl Default for Ratios {
    fn default() -> Self {
        "train=0.8,validation=0.1,test=0.1".parse().expect("shares of splits")
    }
}

impl FromStr for Ratios {
    type Err = ParseRatiosError;

    /// Shares are brought to a sum of 1: `train=8,test=2` will do.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts: Vec<(String, f64)> = Vec::new();
        for part in text.split(',') {
            let (name, share) =
                part.split_once('=').ok_or_else(|| ParseRatiosError::Part(part.to_owned()))?;
            let (name, share) = (name.trim(), share.trim());
            let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
            if name.is_empty() || !name.chars().all(allowed) {
                return Err(ParseRatiosError::Name(name.to_owned()));
            }
            if parts.iter().any(|(known, _)| known == name) {
                return Err(ParseRatiosError::Twice(name.to_owned()));
            }
            let number = share.parse().ok().filter(|n: &f64| n.is_finite() && *n > 0.0);
            let number = number.ok_or_else(|| ParseRatiosError::Share(share.to_owned()))?;
            parts.push((name.to_owned(), number));
        }
        if parts.len() > Self::MAX {
            return Err(ParseRatiosError::TooMany(parts.len()));
        }
        let all: f64 = parts.iter().map(|(_, share)| share).sum();
        parts.iter_mut().for_each(|(_, share)| *share /= all);
        Ok(Self { parts })
    }
}

impl fmt::Display for Ratios {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts: Vec<String> =
            self.iter().map(|(name, share)| format!("{name}={share}")).collect();
        f.write_str(&parts.join(","))
    }
}

impl Serialize for Ratios {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_add_up_to_one() {
        fn check(text: &str, expected: Result<&str, ParseRatiosError>) {
            let shown = text.parse::<Ratios>().map(|ratios| ratios.to_string());
            assert_eq!(shown, expected.map(str::to_owned), "{text}");
        }
        check("train=0.5, test=0.5", Ok("train=0.5,test=0.5"));
        check("train=3,test=1", Ok("train=0.75,test=0.25"));
        check("all=1", Ok("all=1"));
        check("train", Err(ParseRatiosError::Part("train".to_owned())));
        check("", Err(ParseRatiosError::Part(String::new())));
        check("a/b=1", Err(ParseRatiosError::Name("a/b".to_owned())));
        check("a=1,a=2", Err(ParseRatiosError::Twice("a".to_owned())));
        check("a=1,b=0", Err(ParseRatiosError::Share("0".to_owned())));
        check("a=1,b=nan", Err(ParseRatiosError::Share("nan".to_owned())));
    }

    #[test]
    fn a_place_falls_into_one_split() {
        let ratios = Ratios::default();
        let at = |at| ratios.split_at(at, None);
        assert_eq!([at(0.0), at(0.79), at(0.81), at(0.91), at(0.999_999_999)], [0, 0, 1, 2, 2]);
        let at = |at| ratios.split_at(at, Some(2));
        assert_eq!([at(0.0), at(0.88), at(0.89), at(0.999_999_999)], [0, 0, 1, 1]);
    }
}
