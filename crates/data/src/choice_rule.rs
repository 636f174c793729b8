//! How scores become a choice.

use crate::comparison::Choice;
use std::str::FromStr;

/// How the scores of candidates become a choice.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum ChoiceRule {
    /// What the file itself marks as chosen; without such a mark, as [`ChoiceRule::Highest`].
    #[default]
    Marked,
    /// The highest score is chosen; several, if they share it.
    Highest,
    /// The highest score is chosen if it leads by at least so much; otherwise it is a tie.
    Margin(f64),
    /// Scores stay scores.
    Scores,
}

/// A text that is no rule.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` is no rule for scores; there are marked, highest, margin=N and scores")]
pub struct ParseChoiceRuleError(String);

impl FromStr for ChoiceRule {
    type Err = ParseChoiceRuleError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let unknown = || ParseChoiceRuleError(text.to_owned());
        Ok(match text {
            "marked" => Self::Marked,
            "highest" => Self::Highest,
            "scores" => Self::Scores,
            _ => {
                let margin = text.strip_prefix("margin=").and_then(|n| n.parse().ok());
                Self::Margin(
                    margin.filter(|n: &f64| n.is_finite() && *n >= 0.0).ok_or_else(unknown)?,
                )
            }
        })
    }
}

impl ChoiceRule {
    /// The choice among candidates with these scores, of which the file marks some as chosen. Candidates
    /// without a score are never chosen; with no score at all and no mark there is no choice.
    #[must_use]
    pub fn choose(self, scores: &[Option<f64>], marked: &[usize]) -> Choice {
        let among = |positions: Vec<usize>| match positions.as_slice() {
            [] => Choice::None,
            [one] => Choice::One(*one),
            _ => Choice::Several(positions),
        };
        if self == Self::Marked && !marked.is_empty() {
            return among(marked.to_vec());
        }
        let scored = || scores.iter().enumerate().filter_map(|(i, score)| Some((i, (*score)?)));
        let Some(best) = scored().map(|(_, score)| score).max_by(f64::total_cmp) else {
            return Choice::None;
        };
        let margin = match self {
            Self::Scores => return Choice::Scores,
            Self::Margin(margin) => margin,
            Self::Marked | Self::Highest => 0.0,
        };
        let highest: Vec<usize> =
            scored().filter(|(_, score)| *score == best).map(|(i, _)| i).collect();
        let second = scored().filter(|(i, _)| *i != highest[0]).map(|(_, score)| score);
        match second.max_by(f64::total_cmp) {
            Some(second) if best - second < margin => Choice::Tie,
            _ => among(highest),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_become_choices_by_the_rule() {
        fn check(rule: &str, scores: &[Option<f64>], marked: &[usize], expected: Choice) {
            let rule: ChoiceRule = rule.parse().expect("a rule");
            assert_eq!(rule.choose(scores, marked), expected, "{rule:?} {scores:?}");
        }
        let scores = [Some(80.0), Some(85.0), None, Some(85.0)];
        check("marked", &scores, &[0], Choice::One(0));
        check("marked", &scores, &[], Choice::Several(vec![1, 3]));
        check("highest", &scores, &[0], Choice::Several(vec![1, 3]));
        check("highest", &scores[..3], &[0], Choice::One(1));
        check("margin=5", &scores[..3], &[], Choice::One(1));
        check("margin=6", &scores[..3], &[], Choice::Tie);
        check("margin=1", &scores, &[], Choice::Tie);
        check("scores", &scores, &[0], Choice::Scores);
        check("highest", &[None, None], &[], Choice::None);
        check("margin=6", &[Some(1.0), None], &[], Choice::One(0));
    }

    #[test]
    fn what_is_no_rule_is_named() {
        let error = "best".parse::<ChoiceRule>().expect_err("no rule");
        assert!(error.to_string().starts_with("`best` is no rule for scores"));
        assert!("margin=-1".parse::<ChoiceRule>().is_err());
    }
}
