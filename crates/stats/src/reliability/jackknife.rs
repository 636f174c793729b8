//! The delete-a-group jackknife: standard errors of figures of 15,000 people from 100 groups of them.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::{ReliabilityError, draw_first};
use crate::interval::{Estimate, Method, t_quantile};

/// How intervals of reliability are made: by leaving out, in turn, each of many random groups of people.
///
/// Formula: `V = (G - 1) / G sum_g (a_g - a)²`, `a_g` the figure without group g (Kott 2001, J. Off. Stat. 17, 521-526; of groups of one
/// person each, the plain jackknife). The interval is that of `log(1 - a)`, whose distribution is closer to normal and which keeps it below 1
/// (Bonett 2002, J. Educ. Behav. Stat. 27, 335-340; for halves it is Fisher's z), with Student's t on `G - 1` degrees of freedom:
/// `1 - (1 - a) exp(± t sqrt(V) / (1 - a))`. Reliability may come out below 0, and without bound: the lower end is cut at -1, or at
/// the value if that is lower.
///
/// Where a figure does not exist without a group, or leaving out groups changes nothing, the interval is the whole range,
/// from the same lower end to 1. Assumes independent people.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Jackknife {
    /// Groups, at least 2; fewer people are a group each. Time grows with it, and the width of the interval gets steadier.
    pub n_groups: usize,
    /// Nominal coverage of the intervals, in (0, 1).
    pub level: f64,
    /// Of the groups and splits: same seed, same data: same figures, on every machine.
    pub seed: u64,
}

impl Default for Jackknife {
    /// 100 groups, 95 %, seed 0.
    fn default() -> Self {
        Self { n_groups: 100, level: 0.95, seed: 0 }
    }
}

impl Jackknife {
    pub(super) fn check(&self) -> Result<(), ReliabilityError> {
        if self.n_groups < 2 {
            return Err(ReliabilityError::TooFewGroups(self.n_groups));
        }
        if !(self.level > 0.0 && self.level < 1.0) {
            return Err(ReliabilityError::Level(self.level));
        }
        Ok(())
    }

    pub(super) fn rng(&self) -> ChaCha8Rng {
        ChaCha8Rng::seed_from_u64(self.seed)
    }
}

/// People in groups of sizes that differ by at most one.
pub(super) struct Groups {
    pub(super) n_groups: usize,
    pub(super) of_person: Vec<usize>,
}

impl Groups {
    /// Random groups. Takes as many numbers from `rng` whatever the number of groups.
    pub(super) fn draw(n_people: usize, n_groups: usize, rng: &mut ChaCha8Rng) -> Self {
        let n_groups = n_groups.min(n_people);
        let mut of_person: Vec<usize> = (0..n_people).map(|person| person % n_groups).collect();
        draw_first(&mut of_person, n_people, rng);
        Self { n_groups, of_person }
    }

    /// The people of each group.
    pub(super) fn members(&self) -> Vec<Vec<usize>> {
        let mut members = vec![Vec::new(); self.n_groups];
        for (person, &group) in self.of_person.iter().enumerate() {
            members[group].push(person);
        }
        members
    }
}

/// Gives a reliability, the interval of which is the whole range, that of its values without each group, `[n_groups]`, if they have one.
pub(super) fn jackknifed(whole: Estimate, replicates: &[Option<f64>]) -> Estimate {
    let Estimate { value, low: bottom, level, .. } = whole;
    let groups = replicates.len();
    let squares: Option<f64> =
        replicates.iter().map(|replicate| replicate.map(|x| (x - value).powi(2))).sum();
    let Some(squares) = squares else { return whole };
    let std_error = ((groups as f64 - 1.0) / groups as f64 * squares).sqrt();
    let error = 1.0 - value;
    if std_error <= 1e-12 || error <= 1e-12 {
        return whole;
    }
    let half = t_quantile(groups - 1, level) * std_error / error;
    Estimate {
        low: (1.0 - error * half.exp()).max(bottom),
        high: 1.0 - error * (-half).exp(),
        std_error: Some(std_error),
        method: Method::Jackknife,
        ..whole
    }
}
