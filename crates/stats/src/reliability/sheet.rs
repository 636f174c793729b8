//! The answers that count, checked once and laid out flat.

use super::{Answers, ReliabilityError};
use crate::weights::check_weights;

/// People with a weight and enough answers.
pub(super) struct Sheet {
    /// Answers of one person after the other, each person's in the order of the items.
    answers: Vec<(usize, f64)>,
    /// `[n_people + 1]`; where in `answers` each person begins.
    starts: Vec<usize>,
    /// `[n_people]`, above 0.
    pub(super) weights: Vec<f64>,
    /// People who are not here.
    pub(super) n_left_out: usize,
}

impl Sheet {
    /// Checks everything, and keeps people with a weight and at least `n_answers` answers.
    pub(super) fn new(
        people: &[Answers],
        n_answers: usize,
        n_items: Option<usize>,
    ) -> Result<Self, ReliabilityError> {
        check_weights(&people.iter().map(|person| person.weight).collect::<Vec<_>>())?;
        let mut sheet =
            Self { answers: Vec::new(), starts: vec![0], weights: Vec::new(), n_left_out: 0 };
        for (person, Answers { scores, weight }) in people.iter().enumerate() {
            let start = sheet.answers.len();
            sheet.answers.extend_from_slice(scores);
            let added = &mut sheet.answers[start..];
            added.sort_unstable_by_key(|(item, _)| *item);
            if let Some(&(item, _)) = added.iter().find(|(_, score)| !score.is_finite()) {
                return Err(ReliabilityError::NotFinite { person, item });
            }
            if let Some(pair) = added.windows(2).find(|pair| pair[0].0 == pair[1].0) {
                return Err(ReliabilityError::AnsweredTwice { person, item: pair[0].0 });
            }
            if let (Some(&(item, _)), Some(n_items)) = (added.last(), n_items)
                && item >= n_items
            {
                return Err(ReliabilityError::UnknownItem { person, item, n_items });
            }
            if *weight == 0.0 || scores.len() < n_answers {
                sheet.answers.truncate(start);
                sheet.n_left_out += 1;
                continue;
            }
            sheet.starts.push(sheet.answers.len());
            sheet.weights.push(*weight);
        }
        if sheet.len() < 3 {
            return Err(ReliabilityError::TooFewPeople { n: sheet.len(), n_answers });
        }
        Ok(sheet)
    }

    /// People.
    pub(super) fn len(&self) -> usize {
        self.weights.len()
    }

    pub(super) fn n_answers(&self) -> usize {
        self.answers.len()
    }

    pub(super) fn answers(&self, person: usize) -> &[(usize, f64)] {
        &self.answers[self.starts[person]..self.starts[person + 1]]
    }

    /// The weighted mean number of answers.
    pub(super) fn mean_answers(&self) -> f64 {
        let of_person = self.starts.windows(2).map(|ends| (ends[1] - ends[0]) as f64);
        let sum: f64 = of_person.zip(&self.weights).map(|(n, weight)| n * weight).sum();
        sum / self.weights.iter().sum::<f64>()
    }

    /// Takes from each score the mean of its column: covariances stay what they are, and sums of products lose no digits. Gives the
    /// variance up to which there is none but that of rounding.
    pub(super) fn centre(&mut self, n_columns: usize, column: impl Fn(usize) -> usize) -> f64 {
        let mut sums = vec![(0.0, 0.0); n_columns];
        let mut largest = 0.0_f64;
        for (ends, weight) in self.starts.windows(2).zip(&self.weights) {
            for (item, score) in &self.answers[ends[0]..ends[1]] {
                let (sum, total) = &mut sums[column(*item)];
                *sum += weight * score;
                *total += weight;
                largest = largest.max(score.abs());
            }
        }
        let (mut squares, mut total) = (0.0, 0.0);
        for (ends, weight) in self.starts.windows(2).zip(&self.weights) {
            for (item, score) in &mut self.answers[ends[0]..ends[1]] {
                let (sum, weights) = sums[column(*item)];
                *score -= sum / weights;
                squares += weight * *score * *score;
                total += weight;
            }
        }
        (1e-12 * squares / total).max((1e-12 * largest).powi(2))
    }
}
