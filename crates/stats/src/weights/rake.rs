//! Iterative proportional fitting: weights that meet several margins at once and stay as near to the base as they can.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::{Margin, WeightsError, check_weights};

/// When raking ends.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RakeSettings {
    /// Margins hold when no category is off by more than this part of its target.
    pub tolerance: f64,
    /// Rounds over all margins before giving up.
    pub max_iterations: usize,
    /// Return weights that miss the margins, with `converged` false, instead of an error.
    pub allow_unconverged: bool,
}

impl Default for RakeSettings {
    fn default() -> Self {
        Self { tolerance: 1e-9, max_iterations: 1000, allow_unconverged: false }
    }
}

/// Raked weights and how well they fit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Raked {
    /// One a respondent.
    pub weights: Vec<f64>,
    /// Rounds over all margins.
    pub iterations: usize,
    /// Whether every margin holds within the tolerance.
    pub converged: bool,
    /// How far each margin is off, in the order given.
    pub margins: Vec<MarginFit>,
}

/// How far weights are from a margin.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MarginFit {
    /// The margin's name.
    pub margin: String,
    /// The category that is off most.
    pub category: String,
    /// Its weight.
    pub found: f64,
    /// The weight that it should have.
    pub target: f64,
    /// `|found / target - 1|`, the largest of the margin.
    pub deviation: f64,
}

/// Weights that meet all margins: `w_i = base_i prod_k f_k[category of i in k]`.
///
/// Formula: iterative proportional fitting, `w_i *= T_kc / sum of w in category c of margin k`, margins in turn until
/// all hold (Deming and Stephan 1940, Ann. Math. Stat. 11, 427-444). Where such weights exist, they are the ones with the
/// least relative entropy `sum w log(w/base)`, whatever the order of the margins (Ireland and Kullback 1968, Biometrika 55, 179-188).
///
/// Scale: if a margin is given as totals, the weights add up to it (several must agree within 1e-6); if none is, to
/// the sum of the base weights. Who has a base weight of 0 keeps it. Respondents are first gathered in the cells of the cross-table,
/// so that an iteration costs as much as there are cells taken, and no margin more than one pass.
///
/// Assumes that within the cells those who answered stand for those who did not. Limits: margins say nothing of
/// interactions; look at [`super::kish_design_effect`] and at the largest weight before use. Checked against R's survey 4.1
/// `rake` and a worked table.
///
/// # Errors
/// Weights that are none; a margin of another length; a target without people, people without target; totals
/// that differ; margins that cannot all be met.
pub fn rake(
    base: &[f64],
    margins: &[Margin],
    settings: &RakeSettings,
) -> Result<Raked, WeightsError> {
    settings.check()?;
    let raking = Raking::new(base, margins)?;
    let mut weights = base.to_vec();
    let (iterations, fits) = raking.apply(&mut weights, settings);
    let converged = fits.iter().all(|fit| fit.deviation <= settings.tolerance);
    if !converged && !settings.allow_unconverged {
        return Err(not_converged(iterations, fits));
    }
    Ok(Raked { weights, iterations, converged, margins: fits })
}

/// Weights that meet one margin: `w_i = base_i T_c / sum of base in c`, `c` the cell of i.
///
/// As [`rake`] with a single margin, whose categories are the cells of a cross-table; exact in one step. Checked against R's
/// survey 4.1 `postStratify`.
///
/// # Errors
/// Weights that are none; cells of another length; a target without people, people without target.
pub fn poststratify(base: &[f64], cells: &Margin) -> Result<Vec<f64>, WeightsError> {
    let raking = Raking::new(base, std::slice::from_ref(cells))?;
    let mut weights = base.to_vec();
    let once = RakeSettings { max_iterations: 1, ..RakeSettings::default() };
    raking.apply(&mut weights, &once);
    Ok(weights)
}

impl RakeSettings {
    pub(super) fn check(&self) -> Result<(), WeightsError> {
        let Self { tolerance, max_iterations, .. } = *self;
        if tolerance > 0.0 && tolerance < 1.0 && max_iterations > 0 {
            return Ok(());
        }
        Err(WeightsError::Settings { tolerance, max_iterations })
    }
}

/// The error that names the margin that is off most.
pub(super) fn not_converged(iterations: usize, fits: Vec<MarginFit>) -> WeightsError {
    let worst = fits.into_iter().max_by(|a, b| a.deviation.total_cmp(&b.deviation));
    let MarginFit { margin, category, found, target, deviation } =
        worst.expect("without margins there is nothing to miss");
    WeightsError::NotConverged { iterations, margin, category, found, target, deviation }
}

/// Margins checked against base weights: what does not change while raking.
pub(super) struct Raking<'a> {
    margins: &'a [Margin],
    /// The weight that each category should have, and at the end those without, per margin.
    pub(super) targets: Vec<Vec<f64>>,
    /// People with a weight in each of them.
    pub(super) n_weighted: Vec<Vec<usize>>,
    total: f64,
    cells: Cells,
}

impl<'a> Raking<'a> {
    pub(super) fn new(base: &[f64], margins: &'a [Margin]) -> Result<Self, WeightsError> {
        check_weights(base)?;
        let sum: f64 = base.iter().sum();
        let total = common_total(margins)?.unwrap_or(sum);
        let (mut targets, mut n_weighted) = (Vec::new(), Vec::new());
        for margin in margins {
            let slots = margin.count(base)?;
            let missing_share = slots[margin.shares().len()].weight / sum;
            for ((share, slot), category) in
                margin.shares().iter().zip(&slots).zip(margin.categories())
            {
                let (name, category) = (|| margin.name().to_string(), || category.clone());
                if *share > 0.0 && slot.weight <= 0.0 {
                    return Err(WeightsError::EmptyCategory {
                        margin: name(),
                        category: category(),
                        share: *share,
                        n: slot.n,
                    });
                }
                if *share == 0.0 && slot.n_weighted > 0 {
                    return Err(WeightsError::NoTarget {
                        margin: name(),
                        category: category(),
                        n: slot.n_weighted,
                    });
                }
            }
            let known = (1.0 - missing_share) * total;
            let mut margin_targets: Vec<f64> =
                margin.shares().iter().map(|share| share * known).collect();
            margin_targets.push(missing_share * total);
            targets.push(margin_targets);
            n_weighted.push(slots.iter().map(|slot| slot.n_weighted).collect());
        }
        let cells = Cells::new(base.len(), margins);
        Ok(Self { margins, targets, n_weighted, total, cells })
    }

    /// Rakes `weights`, which need not be those that the targets were made from. Returns the iterations done
    /// and how far each margin is off at the end.
    pub(super) fn apply(
        &self,
        weights: &mut [f64],
        settings: &RakeSettings,
    ) -> (usize, Vec<MarginFit>) {
        let before = self.cells.sums(weights);
        let scale = self.total / before.iter().sum::<f64>();
        let mut cells: Vec<f64> = before.iter().map(|weight| weight * scale).collect();
        let mut sums: Vec<Vec<f64>> =
            self.margins.iter().map(|margin| vec![0.0; margin.n_slots()]).collect();
        let mut iterations = 0;
        while iterations < settings.max_iterations {
            iterations += 1;
            for (k, sums) in sums.iter_mut().enumerate() {
                self.cells.margin_sums(k, &cells, sums);
                // From here on, factors. Who carries no weight needs none, and gets none from a target of 0.
                for (sum, target) in sums.iter_mut().zip(&self.targets[k]) {
                    *sum = if *sum > 0.0 { target / *sum } else { 1.0 };
                }
                self.cells.multiply(k, sums, &mut cells);
            }
            let off = (0..self.margins.len()).map(|k| self.deviation(k, &cells, &mut sums[k]).1);
            if off.fold(0.0, f64::max) <= settings.tolerance {
                break;
            }
        }
        let fits = (0..self.margins.len()).map(|k| self.fit(k, &cells, &mut sums[k])).collect();
        for (after, before) in cells.iter_mut().zip(&before) {
            *after = if *before > 0.0 { *after / before } else { 0.0 };
        }
        for (weight, cell) in weights.iter_mut().zip(&self.cells.of_person) {
            *weight *= cells[*cell as usize];
        }
        (iterations, fits)
    }

    /// How far each margin is off under `weights`.
    pub(super) fn fits(&self, weights: &[f64]) -> Vec<MarginFit> {
        let cells = self.cells.sums(weights);
        let fit =
            |(k, margin): (usize, &Margin)| self.fit(k, &cells, &mut vec![0.0; margin.n_slots()]);
        self.margins.iter().enumerate().map(fit).collect()
    }

    fn fit(&self, k: usize, cells: &[f64], sums: &mut [f64]) -> MarginFit {
        let (worst, deviation) = self.deviation(k, cells, sums);
        MarginFit {
            margin: self.margins[k].name().to_string(),
            category: self.margins[k].label(worst),
            found: sums[worst],
            target: self.targets[k][worst],
            deviation,
        }
    }

    /// The category of margin `k` that is off most, and by how much; its sums are left in `sums`.
    fn deviation(&self, k: usize, cells: &[f64], sums: &mut [f64]) -> (usize, f64) {
        self.cells.margin_sums(k, cells, sums);
        let mut worst = (0, 0.0);
        for (i, (sum, target)) in sums.iter().zip(&self.targets[k]).enumerate() {
            let deviation = if *target > 0.0 { (sum / target - 1.0).abs() } else { 0.0 };
            if deviation > worst.1 || deviation.is_nan() {
                worst = (i, if deviation.is_nan() { f64::INFINITY } else { deviation });
            }
        }
        worst
    }
}

/// The sum that margins of totals share.
fn common_total(margins: &[Margin]) -> Result<Option<f64>, WeightsError> {
    let mut totals = margins.iter().filter_map(|margin| Some((margin.name(), margin.total()?)));
    let Some((first, first_total)) = totals.next() else { return Ok(None) };
    match totals.find(|(_, total)| (total / first_total - 1.0).abs() > 1e-6) {
        None => Ok(Some(first_total)),
        Some((second, second_total)) => Err(WeightsError::TotalsDiffer {
            first: first.into(),
            first_total,
            second: second.into(),
            second_total,
        }),
    }
}

/// The cells of the cross-table in which somebody is: people of one cell get the same factor.
struct Cells {
    /// `[n]`.
    of_person: Vec<u32>,
    /// `[n_margins][n_cells]`.
    category: Vec<Vec<u32>>,
    n_cells: usize,
}

impl Cells {
    fn new(n: usize, margins: &[Margin]) -> Self {
        // Cells are split by one margin after the other: the key stays a pair of small numbers, however many margins.
        let mut of_person = vec![0_u32; n];
        let mut n_cells = 1;
        for margin in margins {
            let mut index: HashMap<(u32, u32), u32> = HashMap::with_capacity(n_cells);
            for (cell, category) in of_person.iter_mut().zip(&margin.category_of) {
                let next = index.len() as u32;
                *cell = *index.entry((*cell, *category)).or_insert(next);
            }
            n_cells = index.len();
        }
        let category_of_cells = |margin: &Margin| {
            let mut category = vec![0; n_cells];
            for (cell, of_person) in of_person.iter().zip(&margin.category_of) {
                category[*cell as usize] = *of_person;
            }
            category
        };
        let category = margins.iter().map(category_of_cells).collect();
        Self { of_person, category, n_cells }
    }

    fn sums(&self, weights: &[f64]) -> Vec<f64> {
        let mut sums = vec![0.0; self.n_cells];
        for (cell, weight) in self.of_person.iter().zip(weights) {
            sums[*cell as usize] += weight;
        }
        sums
    }

    fn margin_sums(&self, k: usize, cells: &[f64], sums: &mut [f64]) {
        sums.fill(0.0);
        for (category, weight) in self.category[k].iter().zip(cells) {
            sums[*category as usize] += weight;
        }
    }

    fn multiply(&self, k: usize, factors: &[f64], cells: &mut [f64]) {
        for (category, weight) in self.category[k].iter().zip(cells) {
            *weight *= factors[*category as usize];
        }
    }
}
