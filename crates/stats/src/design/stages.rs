//! The stages of a design as plain arrays, checked once, so that a variance is two passes over the respondents.

use std::collections::HashMap;

use super::{DesignError, LonelyPsu, Stage};

/// All stages that add to a variance.
#[derive(Debug)]
pub(super) struct Stages {
    /// The first one at least.
    levels: Vec<Level>,
    /// The weight that follows from the population counts, `[n]`; or the first stage (from 1) without finite ones.
    pub(super) expansion: Result<Vec<f64>, usize>,
    /// The first stage has population counts.
    pub(super) has_population: bool,
    /// No stratum of any stage adds variance: the sample is the population.
    pub(super) is_census: bool,
}

/// One stage.
#[derive(Debug)]
struct Level {
    /// `[n]`.
    unit_of: Vec<u32>,
    /// `[n_units]`.
    stratum_of: Vec<u32>,
    strata: Vec<Stratum>,
}

#[derive(Debug)]
struct Stratum {
    name: usize,
    n_units: f64,
    /// Infinite for drawing with replacement.
    population: f64,
    /// The share of units drawn, multiplied over the stages before and this one.
    fraction: f64,
    /// Factor of the sum of squares.
    factor: f64,
    /// Squares are taken around the stratum's mean; else around 0.
    is_centred: bool,
}

impl Stages {
    pub(super) fn new(n: usize, stages: &[Stage], lonely: LonelyPsu) -> Result<Self, DesignError> {
        let independent = [Stage::default()];
        let stages = if stages.is_empty() { &independent } else { stages };
        let mut levels: Vec<Level> = Vec::new();
        let mut expansion = Ok(vec![1.0; n]);
        for (i, stage) in stages.iter().enumerate() {
            let level = Level::new(n, i + 1, stage, levels.last(), lonely)?;
            if let Ok(weights) = &mut expansion {
                if level.strata.iter().any(|stratum| stratum.population.is_infinite()) {
                    expansion = Err(i + 1);
                } else {
                    for (weight, unit) in weights.iter_mut().zip(&level.unit_of) {
                        let stratum = &level.strata[level.stratum_of[*unit as usize] as usize];
                        *weight *= stratum.population / stratum.n_units;
                    }
                }
            }
            levels.push(level);
        }
        let has_population = stages[0].population.is_some();
        let adds = |level: &Level| level.strata.iter().any(|stratum| stratum.factor > 0.0);
        let is_census = !levels.iter().any(adds);
        // The first level stays in any case: it counts units and strata.
        let mut is_first = true;
        levels.retain(|level| std::mem::take(&mut is_first) || adds(level));
        Ok(Self { levels, expansion, has_population, is_census })
    }

    /// The variance of the sum of the scores, `[n]`.
    pub(super) fn variance(&self, scores: &[f64]) -> f64 {
        self.levels.iter().map(|level| level.variance(scores)).sum()
    }

    /// Total weight of the respondents of each primary sampling unit.
    pub(super) fn psu_weights(&self, weights: &[f64]) -> Vec<f64> {
        self.levels[0].unit_sums(weights)
    }

    /// Strata of the first stage with weight.
    pub(super) fn n_strata(&self, psu_weights: &[f64]) -> usize {
        let first = &self.levels[0];
        let mut taken = vec![false; first.strata.len()];
        for (stratum, weight) in first.stratum_of.iter().zip(psu_weights) {
            taken[*stratum as usize] |= *weight > 0.0;
        }
        taken.iter().filter(|taken| **taken).count()
    }
}

impl Level {
    fn new(
        n: usize,
        stage: usize,
        columns: &Stage,
        parents: Option<&Self>,
        lonely: LonelyPsu,
    ) -> Result<Self, DesignError> {
        let check = |what: &'static str, found: Option<usize>| match found {
            Some(found) if found != n => Err(DesignError::Length { what, found, expected: n }),
            _ => Ok(()),
        };
        check("strata", columns.strata.as_ref().map(Vec::len))?;
        check("sampling units", columns.units.as_ref().map(Vec::len))?;
        check("population counts", columns.population.as_ref().map(Vec::len))?;

        // Strata and units are told apart within the unit of the stage before.
        let mut strata: Vec<Stratum> = Vec::new();
        let mut stratum_of: Vec<u32> = Vec::new();
        let mut unit_of = Vec::with_capacity(n);
        let mut stratum_index: HashMap<(u32, usize), u32> = HashMap::new();
        let mut unit_index: HashMap<(u32, usize), u32> = HashMap::new();
        let mut names = Vec::new();
        for i in 0..n {
            let parent = parents.map_or(0, |parents| parents.unit_of[i]);
            let name = columns.strata.as_ref().map_or(0, |strata| strata[i]);
            let population = columns.population.as_ref().map_or(f64::INFINITY, |counts| counts[i]);
            let stratum = *stratum_index.entry((parent, name)).or_insert_with(|| {
                // What share of the population the units of the stage before are: they carry this stage's variance.
                let above = parents.map_or(1.0, |parents| parents.stratum(parent).fraction);
                strata.push(Stratum {
                    name,
                    n_units: 0.0,
                    population,
                    fraction: above,
                    factor: 0.0,
                    is_centred: true,
                });
                strata.len() as u32 - 1
            });
            let first = strata[stratum as usize].population;
            if population.is_nan() || population != first {
                let (stratum, second) = (name, population);
                return Err(DesignError::PopulationDiffers { stage, stratum, first, second });
            }
            let unit_name = columns.units.as_ref().map_or(i, |units| units[i]);
            let next = stratum_of.len() as u32;
            let unit = match &columns.units {
                None => next,
                Some(_) => {
                    let within = if columns.nest { stratum } else { parent };
                    *unit_index.entry((within, unit_name)).or_insert(next)
                }
            };
            if unit == next {
                stratum_of.push(stratum);
                names.push(unit_name);
                strata[stratum as usize].n_units += 1.0;
            } else if stratum_of[unit as usize] != stratum {
                let first = strata[stratum_of[unit as usize] as usize].name;
                let unit = unit_name;
                return Err(DesignError::NotNested { stage, unit, first, second: name });
            }
            unit_of.push(unit);
        }

        for (i, stratum) in strata.iter_mut().enumerate() {
            let Stratum { n_units, population, fraction: above, .. } = *stratum;
            if population < n_units {
                let (stratum, n_units) = (stratum.name, n_units as usize);
                return Err(DesignError::PopulationTooSmall {
                    stage,
                    stratum,
                    n_units,
                    population,
                });
            }
            stratum.fraction = above * n_units / population;
            // Below 1e-7 all units were drawn, as in R.
            let not_drawn = 1.0 - n_units / population;
            if not_drawn < 1e-7 || above == 0.0 {
                continue;
            }
            stratum.factor = above * not_drawn;
            if n_units > 1.0 {
                stratum.factor *= n_units / (n_units - 1.0);
            } else if lonely == LonelyPsu::Adjust {
                stratum.is_centred = false;
            } else {
                let unit = stratum_of.iter().position(|of| *of as usize == i);
                let unit = names[unit.expect("a stratum is made for a unit")];
                return Err(DesignError::Lonely { stage, stratum: stratum.name, unit });
            }
        }
        Ok(Self { unit_of, stratum_of, strata })
    }

    fn stratum(&self, unit: u32) -> &Stratum {
        &self.strata[self.stratum_of[unit as usize] as usize]
    }

    fn unit_sums(&self, scores: &[f64]) -> Vec<f64> {
        let mut sums = vec![0.0; self.stratum_of.len()];
        for (unit, score) in self.unit_of.iter().zip(scores) {
            sums[*unit as usize] += score;
        }
        sums
    }

    fn variance(&self, scores: &[f64]) -> f64 {
        let units = self.unit_sums(scores);
        let mut means = vec![0.0; self.strata.len()];
        for (stratum, sum) in self.stratum_of.iter().zip(&units) {
            means[*stratum as usize] += sum;
        }
        for (mean, stratum) in means.iter_mut().zip(&self.strata) {
            *mean = if stratum.is_centred { *mean / stratum.n_units } else { 0.0 };
        }
        let square = |(stratum, sum): (&u32, &f64)| {
            let i = *stratum as usize;
            self.strata[i].factor * (sum - means[i]).powi(2)
        };
        self.stratum_of.iter().zip(&units).map(square).sum()
    }
}
