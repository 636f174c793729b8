//! The synthetic panel: made-up people of five countries, placed where surveys place their
//! countries, and as different within a country as people are.
//!
//! Ours, and marked synthetic wherever it is shown. People come from the [`Population`] of five countries: within a
//! country the spread is taken as 1.5 on the scale of the countries' scores, so that countries account for a
//! quarter of the variance at most, with a correlation of .3 between the axes. A person answers ten prompts an axis, each by one
//! of three curated responses; the place on the axis is the mean of the chosen responses' places, exactly as the
//! instrument scores a real respondent.

use super::population::{Population, choose};
use polyculture_core::Seed;
use polyculture_core::results::Person;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use std::collections::BTreeMap;

/// Prompts that a person answers on each axis.
const PROMPTS_PER_AXIS: usize = 10;

/// People and what they are.
#[derive(Debug, Clone, PartialEq)]
pub struct Panel {
    /// In words.
    pub description: String,
    /// The people.
    pub people: Vec<Person>,
}

/// Draws `n_per_country` people of each country. The axes are those of the Inglehart-Welzel frame,
/// in its order.
///
/// ```
/// # use polyculture_study::survey::synthetic_panel;
/// let panel = synthetic_panel(100, polyculture_core::Seed::new(1));
/// assert_eq!(panel.people.len(), 500);
/// ```
#[must_use]
pub fn synthetic_panel(n_per_country: usize, seed: Seed) -> Panel {
    let population = Population::five_countries();
    let mut people = Vec::with_capacity(population.countries.len() * n_per_country);
    for country in &population.countries {
        let mut rng = ChaCha8Rng::seed_from_u64(seed.stream("panel", &country.name).get());
        for _ in 0..n_per_country {
            let latent = population.latent(country, &BTreeMap::new(), &mut rng);
            let at = latent.into_iter().map(|latent| {
                let chosen = (0..PROMPTS_PER_AXIS).map(|_| choose(latent, &mut rng).value());
                chosen.sum::<f64>() / PROMPTS_PER_AXIS as f64
            });
            let at = at.collect();
            people.push(Person { group: country.name.clone(), weight: 1.0, at });
        }
    }
    Panel {
        description: format!(
            "synthetic panel of {} people in {} countries, placed after survey means",
            people.len(),
            population.countries.len()
        ),
        people,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of<'a>(panel: &'a Panel, country: &str, axis: usize) -> Vec<f64> {
        let people: Vec<&'a Person> = panel.people.iter().filter(|p| p.group == country).collect();
        people.iter().map(|p| p.at[axis]).collect()
    }

    fn mean(x: &[f64]) -> f64 {
        x.iter().sum::<f64>() / x.len() as f64
    }

    #[test]
    fn countries_stand_in_the_order_of_their_means() {
        let panel = synthetic_panel(2000, Seed::new(3));
        for axis in 0..2 {
            let mut countries = Population::five_countries().countries;
            countries.sort_by(|a, b| a.mean[axis].total_cmp(&b.mean[axis]));
            let means = countries.iter().map(|country| mean(&of(&panel, &country.name, axis)));
            let means: Vec<f64> = means.collect();
            // Italy and the United States stand .03 apart on the first axis: within the noise.
            assert!(means.is_sorted_by(|a, b| *b > a - 0.02), "{means:?}");
        }
    }

    #[test]
    fn people_differ_more_than_countries_do() {
        let panel = synthetic_panel(1000, Seed::new(3));
        for axis in 0..2 {
            let countries = Population::five_countries().countries;
            let groups: Vec<Vec<f64>> =
                countries.iter().map(|country| of(&panel, &country.name, axis)).collect();
            let means: Vec<f64> = groups.iter().map(|group| mean(group)).collect();
            let overall = mean(&means);
            let between = means.iter().map(|m| (m - overall).powi(2)).sum::<f64>() / 5.0;
            let within = groups.iter().zip(&means).map(|(group, m)| {
                group.iter().map(|x| (x - m).powi(2)).sum::<f64>() / group.len() as f64
            });
            let within = within.sum::<f64>() / 5.0;
            assert!(within > 2.0 * between, "axis {axis}: within {within}, between {between}");
        }
    }

    #[test]
    fn a_panel_depends_on_its_seed_alone() {
        assert_eq!(synthetic_panel(10, Seed::new(1)), synthetic_panel(10, Seed::new(1)));
        assert_ne!(synthetic_panel(10, Seed::new(1)), synthetic_panel(10, Seed::new(2)));
        let all = synthetic_panel(50, Seed::new(1));
        assert!(all.people.iter().flat_map(|p| &p.at).all(|x| (0.0..=1.0).contains(x)));
    }
}
