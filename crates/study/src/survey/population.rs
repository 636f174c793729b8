//! A declared population: who lives in a country, and where they stand before they are asked. What `survey simulate`
//! and the synthetic panel draw people from.
//!
//! Ours, and marked synthetic wherever it is shown. A person has a latent score on each axis: the country's mean
//! plus what their demographics add, plus a normal deviation of the declared spread, correlated between axes. A curated response is chosen
//! by an ordered logit of the latent score on the axis that the item probes.

use polyculture_core::{Position, ValueFrame};
use rand::Rng;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How sharply the latent score decides a choice.
const SLOPE: f64 = 1.2;
/// Where the ordered logit passes from low to balanced and from balanced to high.
const THRESHOLDS: [f64; 2] = [-0.5, 0.9];

/// People of some countries, before they are asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Population {
    /// Standard deviation of the latent scores within a country, on the scale of the means.
    #[serde(default = "default_spread")]
    pub spread: f64,
    /// Correlation of the latent scores of two axes within a country, 0 to 1.
    #[serde(default = "default_correlation")]
    pub correlation: f64,
    /// What belonging to a category adds to the latent score of each axis: `[effects.age]`, `"18-34" = [0.2, 0.3]`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub effects: BTreeMap<String, BTreeMap<String, Vec<f64>>>,
    /// The countries.
    pub countries: Vec<Country>,
}

/// The people of one country.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Country {
    /// Its name.
    pub name: String,
    /// The language that people are asked in, a BCP 47 tag.
    pub language: String,
    /// Mean latent score, one an axis of the frame.
    pub mean: Vec<f64>,
    /// Shares of the categories of each variable: `age."18-34" = 0.3`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub demographics: BTreeMap<String, BTreeMap<String, f64>>,
}

fn default_spread() -> f64 {
    1.5
}

fn default_correlation() -> f64 {
    0.3
}

/// Why a population cannot be used.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum PopulationError {
    /// Not TOML of this shape.
    #[error("the population is not readable: {0}")]
    Toml(String),
    /// No country.
    #[error("the population has no country")]
    Empty,
    /// A country that stands twice.
    #[error("country `{0}` stands twice")]
    Twice(String),
    /// Means or effects for another number of axes.
    #[error("{what} has {found} numbers, and frame `{frame}` has {expected} axes")]
    Axes {
        /// Whose.
        what: String,
        /// How many.
        found: usize,
        /// The frame.
        frame: String,
        /// How many there must be.
        expected: usize,
    },
    /// A number that none can be.
    #[error("{what} is `{value}`; {possible}")]
    Number {
        /// What it is.
        what: String,
        /// What was found.
        value: f64,
        /// What is possible.
        possible: &'static str,
    },
}

impl Population {
    /// The five countries of the paper's survey, for the Inglehart-Welzel frame: mean factor scores of the
    /// latest survey round (derived from the Integrated Values Surveys); the spread is ours.
    #[must_use]
    pub fn five_countries() -> Self {
        let country = |name: &str, language: &str, mean: [f64; 2]| Country {
            name: name.into(),
            language: language.into(),
            mean: mean.into(),
            demographics: BTreeMap::new(),
        };
        Self {
            spread: default_spread(),
            correlation: default_correlation(),
            effects: BTreeMap::new(),
            countries: vec![
                country("United States", "en", [0.30, 1.21]),
                country("France", "fr", [0.53, 1.95]),
                country("Italy", "it", [0.33, 0.84]),
                country("Brazil", "pt-BR", [-0.12, -0.18]),
                country("India", "hi", [-0.57, -0.44]),
            ],
        }
    }

    /// Reads and checks a population.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str, frame: &ValueFrame) -> Result<Self, PopulationError> {
        let population: Self = toml::from_str(text)
            .map_err(|error| PopulationError::Toml(error.to_string().trim_end().to_owned()))?;
        population.check(frame)?;
        Ok(population)
    }

    fn check(&self, frame: &ValueFrame) -> Result<(), PopulationError> {
        let number = |what: String, value: f64, is_good: bool, possible| {
            if is_good { Ok(()) } else { Err(PopulationError::Number { what, value, possible }) }
        };
        let axes = |what: String, numbers: &[f64]| {
            if numbers.len() != frame.axes.len() {
                let (found, expected) = (numbers.len(), frame.axes.len());
                let frame = frame.id.clone();
                return Err(PopulationError::Axes { what, found, frame, expected });
            }
            numbers.iter().try_for_each(|value| {
                number(what.clone(), *value, value.is_finite(), "it must be finite")
            })
        };
        let spread = self.spread.is_finite() && self.spread >= 0.0;
        number("spread".into(), self.spread, spread, "it must be at least 0")?;
        let correlation = (0.0..1.0).contains(&self.correlation);
        number("correlation".into(), self.correlation, correlation, "0 to below 1 are possible")?;
        if self.countries.is_empty() {
            return Err(PopulationError::Empty);
        }
        for (i, country) in self.countries.iter().enumerate() {
            if self.countries[..i].iter().any(|other| other.name == country.name) {
                return Err(PopulationError::Twice(country.name.clone()));
            }
            axes(format!("the mean of {}", country.name), &country.mean)?;
            for (variable, shares) in &country.demographics {
                for (category, share) in shares {
                    let what = format!("the share of {variable} `{category}` in {}", country.name);
                    let is_good = share.is_finite() && *share >= 0.0;
                    number(what, *share, is_good, "it must be at least 0")?;
                }
                let sum: f64 = shares.values().sum();
                let what = format!("the sum of the shares of {variable} in {}", country.name);
                number(what, sum, (sum - 1.0).abs() < 0.01, "shares must add up to 1")?;
            }
        }
        for (variable, categories) in &self.effects {
            for (category, effect) in categories {
                axes(format!("the effect of {variable} `{category}`"), effect)?;
            }
        }
        Ok(())
    }

    /// The country with this name.
    #[must_use]
    pub fn country(&self, name: &str) -> Option<&Country> {
        self.countries.iter().find(|country| country.name == name)
    }

    /// The latent scores of a person of a country, one an axis.
    pub fn latent(
        &self,
        country: &Country,
        demographics: &BTreeMap<String, String>,
        rng: &mut impl Rng,
    ) -> Vec<f64> {
        let independent: Vec<f64> = country.mean.iter().map(|_| normal(rng)).collect();
        let mut scores = correlated(&independent, self.correlation);
        for (axis, (score, mean)) in scores.iter_mut().zip(&country.mean).enumerate() {
            let effects = demographics.iter().filter_map(|(variable, category)| {
                Some(self.effects.get(variable)?.get(category)?[axis])
            });
            *score = mean + effects.sum::<f64>() + self.spread * *score;
        }
        scores
    }
}

impl Country {
    /// Draws a category of each declared variable that is not fixed already.
    pub fn fill(&self, demographics: &mut BTreeMap<String, String>, rng: &mut impl Rng) {
        for (variable, shares) in &self.demographics {
            if demographics.contains_key(variable) {
                continue;
            }
            let mut at = rng.random::<f64>() * shares.values().sum::<f64>();
            let drawn = shares.iter().find(|(_, share)| {
                at -= **share;
                at < 0.0
            });
            let drawn = drawn.or_else(|| shares.last_key_value());
            if let Some((category, _)) = drawn {
                demographics.insert(variable.clone(), category.clone());
            }
        }
    }
}

/// The probabilities of the low, the balanced and the high response, given the latent score on the axis:
/// P(choice is above threshold c) = logistic(slope (latent - c)).
pub(crate) fn probabilities(latent: f64) -> [f64; 3] {
    let above = |threshold: f64| 1.0 / (1.0 + (-SLOPE * (latent - threshold)).exp());
    let [balanced_or_high, high] = THRESHOLDS.map(above);
    [1.0 - balanced_or_high, balanced_or_high - high, high]
}

/// The curated response that a person with this latent score chooses.
pub(crate) fn choose(latent: f64, rng: &mut impl Rng) -> Position {
    let uniform: f64 = rng.random();
    let [_, balanced, high] = probabilities(latent);
    if uniform < high {
        Position::High
    } else if uniform < high + balanced {
        Position::Balanced
    } else {
        Position::Low
    }
}

/// Standard normal numbers with the same correlation between any two, from independent ones (Cholesky).
fn correlated(independent: &[f64], correlation: f64) -> Vec<f64> {
    let n = independent.len();
    let mut factor = vec![vec![0.0; n]; n];
    for i in 0..n {
        for j in 0..=i {
            let dot: f64 = (0..j).map(|k| factor[i][k] * factor[j][k]).sum();
            factor[i][j] =
                if i == j { f64::sqrt(1.0 - dot) } else { (correlation - dot) / factor[j][j] };
        }
    }
    factor.iter().map(|row| row.iter().zip(independent).map(|(f, z)| f * z).sum()).collect()
}

/// A standard normal number (Box-Muller).
pub(crate) fn normal(rng: &mut impl Rng) -> f64 {
    let radius = (-2.0 * (1.0 - rng.random::<f64>()).ln()).sqrt();
    radius * (std::f64::consts::TAU * rng.random::<f64>()).cos()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::SeedableRng;

    #[test]
    fn scores_correlate_as_declared() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let draws: Vec<Vec<f64>> = (0..20_000)
            .map(|_| {
                let z: Vec<f64> = (0..4).map(|_| normal(&mut rng)).collect();
                correlated(&z, 0.4)
            })
            .collect();
        for i in 0..4 {
            for j in 0..4 {
                let mean: f64 = draws.iter().map(|d| d[i] * d[j]).sum::<f64>() / 20_000.0;
                let expected = if i == j { 1.0 } else { 0.4 };
                assert!((mean - expected).abs() < 0.03, "{i} {j}: {mean}");
            }
        }
    }

    #[test]
    fn a_bad_population_says_what_is_wrong() {
        let frame = ValueFrame::inglehart_welzel();
        let check = |text: &str, expected: &str| {
            let error = Population::parse(text, &frame).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        };
        let italy = "[[countries]]\nname = \"Italy\"\nlanguage = \"it\"\nmean = [0.3, 0.8]\n";
        assert!(Population::parse(italy, &frame).is_ok());
        check("countries = []", "has no country");
        check(&format!("{italy}{italy}"), "country `Italy` stands twice");
        check(&italy.replace(", 0.8", ""), "the mean of Italy has 1 numbers");
        check(&format!("correlation = 1.0\n{italy}"), "correlation is `1`");
        check(&format!("{italy}colour = 1"), "unknown field `colour`");
        let ages = format!("{italy}[countries.demographics.age]\n\"18-34\" = 0.5\n");
        check(&ages, "the sum of the shares of age in Italy is `0.5`; shares must add up to 1");
    }
}
