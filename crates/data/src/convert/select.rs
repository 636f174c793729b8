//! Which comparisons are converted, and which rows come of each.

use super::ConvertOptions;
use super::column::{ColumnAt, UnknownColumn};
use super::left_out::Reason;
use super::pairs::{Levels, key};
use super::target::{Shape, Style, Target};
use crate::comparison::{Choice, Comparison, Role};
use crate::formats::ExtraColumn;
use serde::Serialize;
use std::borrow::Cow;
use std::ops::RangeInclusive;

/// Which comparisons are converted. Empty lists ask for nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Filter {
    /// Languages, in any case.
    pub languages: Vec<String>,
    /// Columns, each with the values that it may have, in any case: a group of annotators, say.
    pub columns: Vec<(String, Vec<String>)>,
    /// Sources of candidates, such as `nc`: other candidates are as if they had not been there.
    pub sources: Vec<String>,
    /// Turns, from 1.
    pub turns: Option<RangeInclusive<u32>>,
    /// Ids of annotators.
    pub annotators: Vec<String>,
    /// Only comparisons in which every candidate has a text.
    pub complete_only: bool,
}

/// What one row says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Row {
    Pair { chosen: usize, rejected: usize },
    Chosen(usize),
    Labelled { answer: usize, is_chosen: bool },
    Prompt,
    Comparison,
}

/// The rows of a comparison.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Rows {
    pub(super) rows: Vec<Row>,
    pub(super) weight: Option<f64>,
    pub(super) pairs_left_out: Vec<(Reason, u64)>,
}

/// The options, with columns found and cases folded.
#[derive(Debug)]
pub(super) struct Selector<'o> {
    options: &'o ConvertOptions,
    languages: Vec<String>,
    columns: Vec<(ColumnAt, Vec<String>)>,
    weight: Option<ColumnAt>,
}

impl<'o> Selector<'o> {
    pub(super) fn new(
        options: &'o ConvertOptions,
        extra: &[ExtraColumn],
    ) -> Result<Self, UnknownColumn> {
        let lower = |values: &[String]| values.iter().map(|value| value.to_lowercase()).collect();
        let find = |(name, values): &(String, Vec<String>)| {
            Ok((ColumnAt::find(name, extra)?, lower(values)))
        };
        Ok(Self {
            languages: lower(&options.filter.languages),
            columns: options.filter.columns.iter().map(find).collect::<Result<_, _>>()?,
            weight: options.weight.as_deref().map(|w| ColumnAt::find(w, extra)).transpose()?,
            options,
        })
    }

    /// The comparison as far as it is asked for.
    ///
    /// # Errors
    /// Why it is not.
    pub(super) fn select<'c, 'a>(
        &self,
        comparison: &'c Comparison<'a>,
    ) -> Result<Cow<'c, Comparison<'a>>, Reason> {
        let filter = &self.options.filter;
        let is_among = |value: Option<&str>, values: &[String]| {
            value.is_some_and(|value| values.contains(&value.to_lowercase()))
        };
        if filter.turns.as_ref().is_some_and(|turns| !turns.contains(&comparison.turn)) {
            return Err(Reason::OtherTurn);
        }
        let language = comparison.language.as_deref();
        if !self.languages.is_empty() && !is_among(language, &self.languages) {
            return Err(Reason::OtherLanguage);
        }
        let annotator = comparison.annotator_id.as_deref();
        let is_asked = |id: &str| filter.annotators.iter().any(|asked| asked == id);
        if !filter.annotators.is_empty() && !annotator.is_some_and(is_asked) {
            return Err(Reason::OtherAnnotator);
        }
        for (column, values) in &self.columns {
            if !is_among(column.value(comparison).as_deref(), values) {
                return Err(Reason::OtherValue);
            }
        }
        let comparison = if filter.sources.is_empty() {
            Cow::Borrowed(comparison)
        } else {
            Cow::Owned(restrict(comparison, &filter.sources)?)
        };
        if filter.complete_only && !comparison.is_complete() {
            return Err(Reason::Incomplete);
        }
        Ok(comparison)
    }

    /// What is made of a comparison.
    ///
    /// # Errors
    /// Why nothing is.
    pub(super) fn rows(&self, comparison: &Comparison<'_>) -> Result<Rows, Reason> {
        let shape = self.options.target.shape();
        if shape == Shape::Comparison {
            let rows = vec![Row::Comparison];
            return Ok(Rows { rows, weight: None, pairs_left_out: Vec::new() });
        }
        if comparison.prompt.trim().is_empty() {
            return Err(Reason::NoPrompt);
        }
        history_fits(comparison, self.options.target, self.options.style)?;
        let weight = match self.weight {
            None => None,
            Some(column) => {
                let number = column.value(comparison).and_then(|value| value.trim().parse().ok());
                let is_weight = |weight: &f64| weight.is_finite() && *weight >= 0.0;
                Some(number.filter(is_weight).ok_or(Reason::NoWeight)?)
            }
        };
        let mut pairs_left_out = Vec::new();
        let mut rows = match shape {
            Shape::Comparison => Vec::new(),
            Shape::Prompt => {
                if comparison.candidates.iter().all(|c| c.text.is_none()) {
                    return Err(Reason::NoCandidates);
                }
                vec![Row::Prompt]
            }
            Shape::Chosen => {
                let levels = Levels::of(comparison)?;
                levels.highest().iter().map(|i| Row::Chosen(*i)).collect()
            }
            Shape::Pair => self
                .pairs(comparison, false, &mut pairs_left_out)?
                .into_iter()
                .map(|(chosen, rejected)| Row::Pair { chosen, rejected })
                .collect(),
            Shape::Labelled => {
                let pairs = self.pairs(comparison, true, &mut pairs_left_out)?;
                let is_chosen = |i: usize| pairs.iter().any(|(chosen, _)| *chosen == i);
                let is_rejected = |i: usize| pairs.iter().any(|(_, rejected)| *rejected == i);
                (0..comparison.candidates.len())
                    .filter(|i| is_chosen(*i) || is_rejected(*i))
                    .map(|i| Row::Labelled { answer: i, is_chosen: is_chosen(i) })
                    .collect()
            }
        };
        if let Some(max) = self.options.max_rows_per_comparison.filter(|max| *max < rows.len()) {
            pairs_left_out.push((Reason::TooMany, (rows.len() - max) as u64));
            self.keep_some(comparison, &mut rows, max);
        }
        Ok(Rows { rows, weight, pairs_left_out })
    }

    fn pairs(
        &self,
        comparison: &Comparison<'_>,
        only_highest: bool,
        left_out: &mut Vec<(Reason, u64)>,
    ) -> Result<Vec<(usize, usize)>, Reason> {
        let ConvertOptions { pairs: rule, seed, .. } = *self.options;
        let pairs = Levels::of(comparison)?.pairs(comparison, rule, only_highest, seed)?;
        if pairs.n_equal > 0 {
            left_out.push((Reason::EqualTexts, pairs.n_equal));
        }
        Ok(pairs.pairs)
    }

    /// Keeps `max` rows at random, in their order: the first would always be those of the first candidates.
    fn keep_some(&self, comparison: &Comparison<'_>, rows: &mut Vec<Row>, max: usize) {
        let id = |i: usize| comparison.candidates[i].id.as_ref();
        let chance = |row: &Row| {
            let key = match row {
                Row::Pair { chosen, rejected } => key(comparison, &[id(*chosen), id(*rejected)]),
                Row::Chosen(i) | Row::Labelled { answer: i, .. } => key(comparison, &[id(*i)]),
                Row::Prompt | Row::Comparison => String::new(),
            };
            self.options.seed.stream("convert-max", key).get()
        };
        let mut order: Vec<(u64, usize)> =
            rows.iter().enumerate().map(|(i, row)| (chance(row), i)).collect();
        order.sort_unstable();
        let mut kept: Vec<usize> = order[..max].iter().map(|(_, i)| *i).collect();
        kept.sort_unstable();
        *rows = kept.into_iter().map(|i| rows[i]).collect();
    }
}

/// Whether the target can hold what was said before.
fn history_fits(c: &Comparison<'_>, target: Target, style: Style) -> Result<(), Reason> {
    if target.is_trl() && style == Style::Standard && !c.history.is_empty() {
        return Err(Reason::HasHistory);
    }
    if target.is_llama_factory() {
        let turns: Vec<Role> =
            c.history.iter().map(|m| m.role).skip_while(|role| *role == Role::System).collect();
        let n_system = c.history.len() - turns.len();
        let takes_turns = turns.chunks(2).all(|turn| turn == [Role::User, Role::Assistant]);
        if n_system > 1 || !takes_turns {
            return Err(Reason::NoAlternation);
        }
    }
    Ok(())
}

/// The comparison with candidates of these sources alone.
fn restrict<'a>(comparison: &Comparison<'a>, sources: &[String]) -> Result<Comparison<'a>, Reason> {
    let is_asked = |source: &str| sources.iter().any(|asked| asked.eq_ignore_ascii_case(source));
    let mut to = vec![None; comparison.candidates.len()];
    let mut kept = Vec::new();
    for (i, candidate) in comparison.candidates.iter().enumerate() {
        if candidate.source.as_deref().is_some_and(is_asked) {
            to[i] = Some(kept.len());
            kept.push(candidate.clone());
        }
    }
    let among = |chosen: &[usize]| chosen.iter().filter_map(|i| to[*i]).collect::<Vec<_>>();
    let choice = match &comparison.choice {
        Choice::One(best) => to[*best].map(Choice::One),
        Choice::Several(chosen) => {
            Some(among(chosen)).filter(|c| !c.is_empty()).map(Choice::Several)
        }
        Choice::Ranking(order) => Some(among(order)).filter(|c| !c.is_empty()).map(Choice::Ranking),
        other => (!kept.is_empty()).then(|| other.clone()),
    };
    let choice = choice.ok_or(Reason::OtherSource)?;
    Ok(Comparison { candidates: kept, choice, ..comparison.clone() })
}
