//! The numbers of a love plot: how far a sample is from its population before and after weighting.

use serde::{Deserialize, Serialize};

use super::{Margin, WeightsError, check_weights};

/// One category of a margin before and after weighting.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Balance {
    /// The margin.
    pub margin: String,
    /// The category.
    pub category: String,
    /// Its respondents, with or without a weight.
    pub n: usize,
    /// Its share under the weights before.
    pub before: f64,
    /// Its share under the weights after.
    pub after: f64,
    /// The share that it should have.
    pub target: f64,
    /// Standardised difference before; `None` for a target of 0 or 1.
    pub difference_before: Option<f64>,
    /// Standardised difference after; `None` for a target of 0 or 1.
    pub difference_after: Option<f64>,
}

/// The shares of a margin's categories before and after weighting against their targets, `[n_categories]`.
///
/// Formula: `d = (p - t) / sqrt(t (1 - t))`, the difference of the shares in standard deviations of the population (Stuart 2010, Stat. Sci.
/// 25, 1-21: the same denominator before and after, so that only the shares move). Beyond 0.1 is often read as
/// out of balance. Shares are among those who have a category. Checked against R.
///
/// # Errors
/// Weights that are none, or not as many as respondents; nobody with a category and a weight.
pub fn balance(
    margin: &Margin,
    before: &[f64],
    after: &[f64],
) -> Result<Vec<Balance>, WeightsError> {
    let shares = |weights: &[f64]| -> Result<Vec<(usize, f64)>, WeightsError> {
        check_weights(weights)?;
        let mut slots = margin.count(weights)?;
        slots.pop();
        let sum: f64 = slots.iter().map(|slot| slot.weight).sum();
        if sum == 0.0 {
            return Err(WeightsError::NoWeight);
        }
        Ok(slots.iter().map(|slot| (slot.n, slot.weight / sum)).collect())
    };
    let (before, after) = (shares(before)?, shares(after)?);
    let rows = margin.categories().iter().zip(margin.shares()).zip(before).zip(after);
    Ok(rows
        .map(|(((category, &target), (n, before)), (_, after))| {
            let deviation = (target * (1.0 - target)).sqrt();
            let standardised = |share: f64| (deviation > 0.0).then(|| (share - target) / deviation);
            Balance {
                margin: margin.name().to_string(),
                category: category.clone(),
                n,
                before,
                after,
                target,
                difference_before: standardised(before),
                difference_after: standardised(after),
            }
        })
        .collect())
}
