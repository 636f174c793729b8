//! `survey simulate`: fills a design from a declared population, so that an analysis can be tried before it is
//! paid for. Synthetic, and marked so wherever it is shown.

use super::population::{Population, normal, probabilities};
use polyculture_core::{
    Answer, AssignedItem, Assignment, AxisId, Position, PromptId, Respondent, Seed, Shown,
    ValueFrame,
};
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use std::collections::HashMap;

/// What respondents do beside saying what they prefer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Behaviour {
    /// Share of respondents who do not read: half of them choose one place throughout, half any; all are fast.
    pub careless: f64,
    /// What the first place adds to an option's log-odds over the last one; the places between lie on a line.
    pub order_effect: f64,
    /// What being the default response adds to its log-odds, as an answer of the high pole.
    pub default_appeal: f64,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self { careless: 0.0, order_effect: 0.0, default_appeal: 0.0 }
    }
}

/// Why a design cannot be filled.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum SimulateError {
    /// A country that the population does not have.
    #[error("the design asks people of `{country}`; the population has {known}")]
    Country {
        /// The country.
        country: String,
        /// The countries there are.
        known: String,
    },
    /// An item that the instrument does not have.
    #[error("the design shows item `{0}`, which is not in the instrument")]
    Item(PromptId),
    /// A share or effect that none can be.
    #[error("{what} is `{value}`; {possible}")]
    Number {
        /// What it is.
        what: &'static str,
        /// What was found.
        value: f64,
        /// What is possible.
        possible: &'static str,
    },
}

/// Simulated respondents.
pub struct Simulator<'a> {
    population: &'a Population,
    axis_of_item: &'a HashMap<PromptId, AxisId>,
    frame: &'a ValueFrame,
    behaviour: Behaviour,
    seed: Seed,
}

impl<'a> Simulator<'a> {
    /// Respondents of a population who behave so.
    ///
    /// # Errors
    /// A share outside 0 to 1, or an effect that is not finite.
    pub fn new(
        population: &'a Population,
        axis_of_item: &'a HashMap<PromptId, AxisId>,
        frame: &'a ValueFrame,
        behaviour: Behaviour,
        seed: Seed,
    ) -> Result<Self, SimulateError> {
        let Behaviour { careless, order_effect, default_appeal } = behaviour;
        if !(0.0..=1.0).contains(&careless) {
            let possible = "0 to 1 are possible";
            return Err(SimulateError::Number { what: "careless", value: careless, possible });
        }
        for (what, value) in [("order effect", order_effect), ("default appeal", default_appeal)] {
            if !value.is_finite() {
                return Err(SimulateError::Number { what, value, possible: "it must be finite" });
            }
        }
        Ok(Self { population, axis_of_item, frame, behaviour, seed })
    }

    /// The person who takes a place of the design, and what they answer. It depends on the seed and the place's id alone.
    ///
    /// # Errors
    /// A country or an item that nobody knows.
    pub fn fill(&self, place: &Assignment) -> Result<(Respondent, Vec<Answer>), SimulateError> {
        let seed = self.seed.stream("survey simulate", &place.respondent);
        let mut rng = ChaCha8Rng::seed_from_u64(seed.get());
        let country = self.population.country(&place.country).ok_or_else(|| {
            let known: Vec<_> =
                self.population.countries.iter().map(|c| format!("`{}`", c.name)).collect();
            let country = place.country.clone();
            SimulateError::Country { country, known: known.join(", ") }
        })?;
        let mut demographics = place.demographics.clone();
        country.fill(&mut demographics, &mut rng);
        let latent = self.population.latent(country, &demographics, &mut rng);
        let careless = rng.random::<f64>() < self.behaviour.careless;
        let one_place = careless.then(|| rng.random_bool(0.5).then(|| rng.random_range(0..4)));
        let mut answers = Vec::with_capacity(place.items.len());
        for AssignedItem { item, shown } in &place.items {
            let chosen = match one_place {
                Some(Some(at)) => shown[usize::min(at, shown.len() - 1)],
                Some(None) => shown[rng.random_range(0..shown.len())],
                None => {
                    let axis = self.axis_of_item.get(item);
                    let known = || self.frame.axes.iter().position(|a| Some(&a.id) == axis);
                    let axis = known().ok_or_else(|| SimulateError::Item(item.clone()))?;
                    self.choose(shown, latent[axis], &mut rng)
                }
            };
            // A careful answer takes some 25 seconds, a careless one two or three.
            let pace = if careless { 2.5 } else { 25.0 };
            let seconds = pace * f64::exp(0.4 * normal(&mut rng));
            answers.push(Answer {
                respondent: place.respondent.clone(),
                item: item.clone(),
                shown: shown.clone(),
                chosen,
                seconds: Some((seconds * 10.0).round() / 10.0),
            });
        }
        let respondent = Respondent {
            id: place.respondent.clone(),
            country: place.country.clone(),
            language: place.language.clone(),
            demographics,
            weight: 1.0,
        };
        Ok((respondent, answers))
    }

    /// A multinomial logit: without effects, and with the three curated responses alone, exactly the ordered logit of the
    /// population.
    fn choose(&self, shown: &[Shown], latent: f64, rng: &mut impl Rng) -> Shown {
        let probability = probabilities(latent);
        let last = (shown.len().max(2) - 1) as f64;
        let odds: Vec<f64> = shown
            .iter()
            .enumerate()
            .map(|(place, option)| {
                let at = option.position().unwrap_or(Position::High);
                let by_place = self.behaviour.order_effect * (1.0 - place as f64 / last);
                let by_default =
                    if *option == Shown::Default { self.behaviour.default_appeal } else { 0.0 };
                probability[(at.value() * 2.0) as usize] * (by_place + by_default).exp()
            })
            .collect();
        let mut at = rng.random::<f64>() * odds.iter().sum::<f64>();
        let chosen = odds.iter().position(|odds| {
            at -= odds;
            at < 0.0
        });
        shown[chosen.unwrap_or(shown.len() - 1)]
    }
}

#[cfg(test)]
mod tests {
    use super::super::design::{Dealing, Quota, design};
    use super::*;
    use polyculture_core::Instrument;
    use std::collections::BTreeMap;

    fn simulated(behaviour: Behaviour, with_default: bool) -> Vec<(Respondent, Vec<Answer>)> {
        let instrument = Instrument::inglehart_welzel();
        let quota = |country: &str| Quota {
            country: country.into(),
            language: "en".into(),
            demographics: BTreeMap::new(),
            n: 300,
        };
        let dealing = Dealing { items_per_person: 20, with_default, seed: Seed::new(1) };
        let quotas = [quota("France"), quota("India")];
        let places = design(instrument.items(), &quotas, &dealing).unwrap();
        let items = instrument.items().iter();
        let axes: HashMap<_, _> = items.map(|i| (i.id.clone(), i.axis.clone())).collect();
        let (population, frame) = (Population::five_countries(), ValueFrame::inglehart_welzel());
        let simulator =
            Simulator::new(&population, &axes, &frame, behaviour, Seed::new(2)).unwrap();
        places.iter().map(|place| simulator.fill(place).unwrap()).collect()
    }

    fn share(people: &[(Respondent, Vec<Answer>)], is_it: impl Fn(&Answer) -> bool) -> f64 {
        let answers = people.iter().flat_map(|(_, answers)| answers);
        let (n, all) = answers.fold((0, 0), |(n, all), a| (n + usize::from(is_it(a)), all + 1));
        n as f64 / f64::from(all)
    }

    #[test]
    fn people_answer_as_their_country_leans() {
        let people = simulated(Behaviour::default(), false);
        let (france, india) = people.split_at(300);
        let high = |answer: &Answer| answer.chosen == Shown::High;
        assert!(share(france, high) > share(india, high) + 0.15);
        assert!(people.iter().all(|(_, answers)| answers.len() == 20));
    }

    #[test]
    fn the_first_place_draws_choices_if_it_is_told_to() {
        let first = |answer: &Answer| answer.shown[0] == answer.chosen;
        let plain = share(&simulated(Behaviour::default(), true), first);
        let effect = Behaviour { order_effect: 0.8, ..Behaviour::default() };
        let drawn = share(&simulated(effect, true), first);
        assert!((plain - 0.25).abs() < 0.02 && drawn > 0.33, "{plain} {drawn}");
    }

    #[test]
    fn the_careless_are_fast() {
        let behaviour = Behaviour { careless: 0.2, ..Behaviour::default() };
        let people = simulated(behaviour, true);
        let fast = people.iter().filter(|(_, answers)| {
            answers.iter().filter_map(|a| a.seconds).sum::<f64>() / 20.0 < 6.0
        });
        let fast = fast.count() as f64 / 600.0;
        assert!((fast - 0.2).abs() < 0.05, "{fast}");
        assert!(simulated(behaviour, true) == people, "the same seed gives the same people");
    }
}
