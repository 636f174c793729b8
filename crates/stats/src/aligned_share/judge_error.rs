//! The judge's error, taken out of the models' class shares and carried into the interval.
//!
//! Method: Rogan and Gladen's estimator (1978, Am. J. Epidemiol. 107, 71-76) for K classes. With `C[t][v]` the share of verdict v
//! among validated texts that truly stand at t, and q the shares of the verdicts on a model's answers, the true shares
//! solve `C' pi = q`. Shares below 0 are set to 0 and the rest is scaled to a sum of 1: where the solution is a
//! distribution it stays as it is, elsewhere the estimate is pulled to the edge and is biased towards the middle of the space.
//!
//! Assumes that the judge errs with the same probabilities on the validated texts and on every model's answers.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use crate::agreement::Confusion;

const N_CLASSES: usize = 3;

/// Why the judge's error cannot be taken out.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum CorrectionError {
    /// Only the mean scores of the models are known.
    #[error("correct mean scores for the judge's error: counts per class are needed")]
    NoClasses,
    /// Not one table for each axis.
    #[error("correct `{expected}` axes by `{found}` tables: one an axis is needed")]
    Tables {
        /// Tables given.
        found: usize,
        /// Axes.
        expected: usize,
    },
    /// A table that is not 3 x 3 (the places 0, .5 and 1).
    #[error("read the table of axis `{0}`: not 3 true classes by 3 verdicts")]
    Classes(usize),
    /// The validation holds no scored text of a true class.
    #[error(
        "tell how the judge places texts of class `{class}` on axis `{axis}`: none was validated"
    )]
    NoText {
        /// The axis.
        axis: usize,
        /// The true class: 0, 1, 2 for the places 0, .5, 1.
        class: usize,
    },
    /// The verdicts do not tell the true classes apart.
    #[error("undo the judge's error on axis `{0}`: its verdicts do not tell the classes apart")]
    Singular(usize),
}

/// Validation tables of the judge, one an axis: texts by true class and verdict.
#[derive(Debug, Clone)]
pub(super) struct JudgeError(Vec<[[u32; N_CLASSES]; N_CLASSES]>);

/// The inverse of `C'` of one axis.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Correction([[f64; N_CLASSES]; N_CLASSES]);

impl JudgeError {
    pub(super) fn new(tables: &[Confusion], n_axes: usize) -> Result<Self, CorrectionError> {
        if tables.len() != n_axes {
            return Err(CorrectionError::Tables { found: tables.len(), expected: n_axes });
        }
        let counts = tables.iter().enumerate().map(|(axis, table)| {
            if table.counts.len() != N_CLASSES
                || table.counts.iter().any(|row| row.len() != N_CLASSES)
            {
                return Err(CorrectionError::Classes(axis));
            }
            let mut counts = [[0; N_CLASSES]; N_CLASSES];
            for (class, (to, from)) in counts.iter_mut().zip(&table.counts).enumerate() {
                if from.iter().sum::<usize>() == 0 {
                    return Err(CorrectionError::NoText { axis, class });
                }
                for (to, from) in to.iter_mut().zip(from) {
                    *to = u32::try_from(*from)
                        .expect("more than 4 billion validated texts do not fit in memory");
                }
            }
            Ok(counts)
        });
        let made = Self(counts.collect::<Result<_, _>>()?);
        if let Some(axis) = made.0.iter().position(|table| Correction::new(table).is_none()) {
            return Err(CorrectionError::Singular(axis));
        }
        Ok(made)
    }

    /// The correction of each axis; `None` if one of them does not exist.
    pub(super) fn corrections(&self) -> impl Iterator<Item = Option<Correction>> {
        self.0.iter().map(Correction::new)
    }

    /// Draws as many texts of each true class as were validated, with replacement.
    pub(super) fn draw(&self, rng: &mut ChaCha8Rng, drawn: &mut Self) {
        for (from, to) in self.0.iter().flatten().zip(drawn.0.iter_mut().flatten()) {
            *to = [0; N_CLASSES];
            let n: u32 = from.iter().sum();
            for _ in 0..n {
                let at = rng.random_range(0..n);
                let verdict = usize::from(at >= from[0]) + usize::from(at >= from[0] + from[1]);
                to[verdict] += 1;
            }
        }
    }
}

impl Correction {
    fn new(counts: &[[u32; N_CLASSES]; N_CLASSES]) -> Option<Self> {
        let c = counts.map(|row| {
            let n = f64::from(row.iter().sum::<u32>());
            row.map(|count| f64::from(count) / n)
        });
        // Rows of cofactors are columns of the adjugate: divided by the determinant they are the inverse's transpose, which
        // is the inverse of the transpose.
        let cofactor = |row: usize, column: usize| {
            let (i, j) = ((row + 1) % 3, (row + 2) % 3);
            let (k, l) = ((column + 1) % 3, (column + 2) % 3);
            c[i][k] * c[j][l] - c[i][l] * c[j][k]
        };
        let determinant: f64 = (0..3).map(|column| c[0][column] * cofactor(0, column)).sum();
        if determinant.abs() < 1e-9 {
            return None;
        }
        let mut inverse = [[0.0; N_CLASSES]; N_CLASSES];
        for (row, values) in inverse.iter_mut().enumerate() {
            for (column, value) in values.iter_mut().enumerate() {
                *value = cofactor(row, column) / determinant;
            }
        }
        Some(Self(inverse))
    }

    /// The true class shares behind those of the verdicts.
    pub(super) fn apply(&self, observed: [f64; N_CLASSES]) -> [f64; N_CLASSES] {
        let solved = self.0.map(|row| {
            let share: f64 = row.iter().zip(observed).map(|(a, q)| a * q).sum();
            share.max(0.0)
        });
        let total: f64 = solved.iter().sum();
        solved.map(|share| share / total)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::check_close;
    use rand_chacha::rand_core::SeedableRng;

    fn table(counts: [[usize; 3]; 3]) -> Confusion {
        Confusion { counts: counts.map(|row| row.to_vec()).to_vec(), unscored: vec![0; 3] }
    }

    fn corrected(counts: [[usize; 3]; 3], observed: [f64; 3]) -> [f64; 3] {
        let judge = JudgeError::new(&[table(counts)], 1).unwrap();
        judge.corrections().next().unwrap().unwrap().apply(observed)
    }

    #[test]
    fn with_two_classes_it_is_rogan_and_gladen() {
        // Nothing stands in the middle, where the judge never errs.
        let found = corrected([[858, 0, 142], [0, 9, 0], [142, 0, 858]], [0.4, 0.0, 0.6]);
        check_close(found[2], 0.6396648, 1e-7);
        check_close(found[2], (0.6 + 0.858 - 1.0) / (0.858 + 0.858 - 1.0), 1e-12);
        check_close(found.iter().sum(), 1.0, 1e-12);
    }

    #[test]
    fn the_correction_undoes_the_error() {
        let counts = [[70, 20, 10], [15, 60, 25], [5, 15, 80]];
        let truth = [0.2, 0.5, 0.3];
        let judged =
            [0, 1, 2].map(|v| (0..3).map(|t| truth[t] * counts[t][v] as f64 / 100.0).sum());
        for (found, truth) in corrected(counts, judged).into_iter().zip(truth) {
            check_close(found, truth, 1e-12);
        }
        // Fewer verdicts of a class than its false ones: no true text of it.
        let found = corrected(counts, [0.0, 0.3, 0.7]);
        assert!(found[0] == 0.0 && (found.iter().sum::<f64>() - 1.0).abs() < 1e-12, "{found:?}");
    }

    #[test]
    fn tables_that_say_nothing_are_errors() {
        let check = |tables: &[Confusion], n_axes, expected| {
            assert_eq!(JudgeError::new(tables, n_axes).unwrap_err(), expected);
        };
        let good = table([[8, 1, 1], [1, 8, 1], [1, 1, 8]]);
        check(std::slice::from_ref(&good), 2, CorrectionError::Tables { found: 1, expected: 2 });
        let empty = table([[8, 1, 1], [0, 0, 0], [1, 1, 8]]);
        check(&[good, empty], 2, CorrectionError::NoText { axis: 1, class: 1 });
        check(&[table([[2, 3, 5], [4, 6, 10], [1, 1, 8]])], 1, CorrectionError::Singular(0));
        let two = Confusion { counts: vec![vec![1, 0], vec![0, 1]], unscored: vec![0; 2] };
        check(&[two], 1, CorrectionError::Classes(0));
    }

    #[test]
    fn a_draw_keeps_the_number_of_texts_of_each_class() {
        let judge = JudgeError::new(&[table([[7, 2, 1], [0, 3, 0], [10, 20, 70]])], 1).unwrap();
        let mut drawn = judge.clone();
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        let mut mean = [0.0; 3];
        for _ in 0..2_000 {
            judge.draw(&mut rng, &mut drawn);
            assert_eq!(drawn.0[0].map(|row| row.iter().sum::<u32>()), [10, 3, 100]);
            assert_eq!(drawn.0[0][1], [0, 3, 0]);
            for (mean, count) in mean.iter_mut().zip(drawn.0[0][2]) {
                *mean += f64::from(count) / 2_000.0;
            }
        }
        for (mean, expected) in mean.into_iter().zip([10.0, 20.0, 70.0]) {
            check_close(mean, expected, 0.5);
        }
    }
}
