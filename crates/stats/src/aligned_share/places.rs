//! Where people and models stand: points of the value space, with weights and strata for people.

use super::AlignedShareError;
use crate::weights::kish_design_effect;

/// The largest number of axes.
pub(super) const MAX_AXES: usize = 8;

/// Points of the value space, `[n_points, n_axes]`, each coordinate in [0, 1].
#[derive(Debug, Clone, PartialEq)]
pub struct Points {
    pub(super) n_axes: usize,
    pub(super) coordinates: Vec<f64>,
}

/// People: where they stand, how much they weigh and where they were sampled.
#[derive(Debug, Clone, PartialEq)]
pub struct People {
    pub(super) positions: Points,
    pub(super) weights: Vec<f64>,
    pub(super) strata: Vec<usize>,
}

impl Points {
    /// Points from their coordinates row by row, `[n_points, n_axes]`.
    ///
    /// # Errors
    /// Axes outside 1..=8, a broken row, no point, a coordinate outside [0, 1].
    pub fn new(n_axes: usize, coordinates: Vec<f64>) -> Result<Self, AlignedShareError> {
        check_axes(n_axes)?;
        if coordinates.is_empty() {
            return Err(AlignedShareError::Nobody("points"));
        }
        if !coordinates.len().is_multiple_of(n_axes) {
            let found = coordinates.len();
            return Err(AlignedShareError::Shape { what: "coordinates", found, expected: n_axes });
        }
        if let Some(i) = coordinates.iter().position(|x| !(0.0..=1.0).contains(x)) {
            return Err(AlignedShareError::Position { row: i / n_axes, value: coordinates[i] });
        }
        Ok(Self { n_axes, coordinates })
    }

    /// Number of axes, 1 to 8.
    pub fn n_axes(&self) -> usize {
        self.n_axes
    }

    /// Number of points, at least 1.
    #[expect(clippy::len_without_is_empty, reason = "there is always a point")]
    pub fn len(&self) -> usize {
        self.coordinates.len() / self.n_axes
    }

    /// The coordinates of one point, `[n_axes]`.
    pub fn row(&self, point: usize) -> &[f64] {
        &self.coordinates[point * self.n_axes..][..self.n_axes]
    }
}

impl People {
    /// People of equal weight from one stratum.
    pub fn new(positions: Points) -> Self {
        let n = positions.len();
        Self { positions, weights: vec![1.0; n], strata: vec![0; n] }
    }

    /// With survey weights, one a person; their scale does not matter.
    ///
    /// # Errors
    /// A wrong number of weights, one that is negative or not finite, or none above 0.
    pub fn with_weights(mut self, weights: Vec<f64>) -> Result<Self, AlignedShareError> {
        self.check_length("weights", weights.len())?;
        if let Some(row) = weights.iter().position(|weight| !weight.is_finite() || *weight < 0.0) {
            return Err(AlignedShareError::Weight { row, value: weights[row] });
        }
        if weights.iter().all(|weight| *weight == 0.0) {
            return Err(AlignedShareError::Weight { row: weights.len(), value: 0.0 });
        }
        self.weights = weights;
        Ok(self)
    }

    /// With the stratum (country) that each person was sampled from.
    ///
    /// # Errors
    /// A wrong number of strata.
    pub fn with_strata(mut self, strata: Vec<usize>) -> Result<Self, AlignedShareError> {
        self.check_length("strata", strata.len())?;
        self.strata = strata;
        Ok(self)
    }

    /// Where they stand, `[n_people, n_axes]`.
    pub fn positions(&self) -> &Points {
        &self.positions
    }

    /// Number of people, at least 1.
    #[expect(clippy::len_without_is_empty, reason = "there is always a person")]
    pub fn len(&self) -> usize {
        self.positions.len()
    }

    pub(super) fn effective_n(&self) -> usize {
        whole(self.len() as f64 / kish_design_effect(&self.weights))
    }

    pub(super) fn last_with_weight(&self) -> usize {
        self.weights.iter().rposition(|weight| *weight > 0.0).expect("not all weights are 0")
    }

    fn check_length(&self, what: &'static str, found: usize) -> Result<(), AlignedShareError> {
        let expected = self.len();
        if found != expected {
            return Err(AlignedShareError::Shape { what, found, expected });
        }
        Ok(())
    }
}

pub(super) fn check_axes(n_axes: usize) -> Result<(), AlignedShareError> {
    if !(1..=MAX_AXES).contains(&n_axes) {
        return Err(AlignedShareError::Axes(n_axes));
    }
    Ok(())
}

/// An effective number of people as a count: rounding must not make 99 of 100 people with equal weights.
pub(super) fn whole(effective_n: f64) -> usize {
    (effective_n + 1e-9).floor() as usize
}

/// A mean of places as a place: that of ones must not round past 1.
pub(super) fn clip(mean: f64) -> f64 {
    mean.min(1.0)
}
