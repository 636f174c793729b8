//! `survey weight`: makes respondents stand for their country. Raking to margins from a file within each country, trimming
//! with re-raking, and what it costs in effective size.
//!
//! Ours. Each country keeps the sum of its base weights: how much countries count against each other is the base weights'
//! business.

use polyculture_core::Respondent;
use polyculture_core::results::BalanceRow;
use polyculture_stats::weights::{
    Bound, Bounds, Margin, Missing, RakeSettings, Targets, WeightsError, balance,
    effective_sample_size, kish_design_effect, trim_and_rake,
};
use serde::{Deserialize, Serialize};

/// A line of the file of margins: a category's share of a country's people.
#[derive(Debug, Clone, PartialEq)]
pub struct MarginRow {
    /// The country; all countries, if nothing is said.
    pub country: Option<String>,
    /// What is asked: `age`, or several crossed, `age*gender`, for post-stratification.
    pub variable: String,
    /// The answer: `18-34`, or `18-34*female`.
    pub category: String,
    /// Its share, or number of people: what counts is the part of the variable's sum.
    pub share: f64,
}

/// How weights are made.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Weighting {
    /// The largest weight, in means of a country's weights; none, if 0.
    pub trim_above: f64,
    /// The smallest weight, in means of a country's weights; none, if 0.
    pub trim_below: f64,
    /// Whether respondents of whom a variable is not known form a category that keeps its share. Without it they are an error.
    pub keep_missing: bool,
}

impl Default for Weighting {
    fn default() -> Self {
        Self { trim_above: 5.0, trim_below: 0.0, keep_missing: false }
    }
}

/// Weights, and what they did.
#[derive(Debug, Clone, PartialEq)]
pub struct Weighted {
    /// One a respondent, in their order.
    pub weights: Vec<f64>,
    /// How each country's weights came about.
    pub countries: Vec<CountryWeights>,
    /// The margins before and after.
    pub balance: Vec<BalanceRow>,
}

/// How a country's weights came about.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CountryWeights {
    /// The country.
    pub country: String,
    /// Respondents.
    pub n: usize,
    /// The variables that were weighted by.
    pub variables: Vec<String>,
    /// Rounds of raking.
    pub iterations: usize,
    /// Respondents whose weight was cut to the largest one allowed.
    pub n_trimmed: usize,
    /// The largest deviation of a category from its target, as a part of the target.
    pub deviation: f64,
    /// Kish's design effect.
    pub design_effect: f64,
    /// Kish's effective sample size.
    pub effective_n: f64,
}

impl CountryWeights {
    /// In words.
    #[must_use]
    pub fn describe(&self) -> String {
        if self.variables.is_empty() {
            return "base weights; no margins are given".into();
        }
        let trimmed = match self.n_trimmed {
            0 => String::new(),
            n => format!(", {n} trimmed"),
        };
        format!("raked to {} in {} rounds{trimmed}", self.variables.join(", "), self.iterations)
    }
}

/// Why there are no weights.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum WeighError {
    /// A country whose margins cannot be met.
    #[error("{country}: failed to {source}")]
    Country {
        /// The country.
        country: String,
        /// Why.
        source: WeightsError,
    },
    /// Margins for a country that nobody is from.
    #[error(
        "the margins name country `{country}`, and no respondent is from there; there are {known}"
    )]
    UnknownCountry {
        /// The country.
        country: String,
        /// The countries of the respondents.
        known: String,
    },
    /// A variable that nobody has.
    #[error(
        "the margins name variable `{variable}`, and nothing like it is known of the respondents; known are {known}"
    )]
    UnknownVariable {
        /// The variable.
        variable: String,
        /// The variables there are.
        known: String,
    },
    /// A category that stands twice.
    #[error("the margins name `{category}` of `{variable}` twice{}", .country.as_ref().map_or(String::new(), |c| format!(" for {c}")))]
    Twice {
        /// The country.
        country: Option<String>,
        /// The variable.
        variable: String,
        /// The category.
        category: String,
    },
}

/// Weighs the respondents of each country to its margins.
///
/// # Errors
/// Margins of countries or variables that nobody has; margins that cannot be met, the category named.
pub fn weigh(
    respondents: &[Respondent],
    margins: &[MarginRow],
    settings: &Weighting,
) -> Result<Weighted, WeighError> {
    check(respondents, margins)?;
    let mut weights: Vec<f64> = respondents.iter().map(|respondent| respondent.weight).collect();
    let (mut countries, mut rows) = (Vec::new(), Vec::new());
    for country in distinct(respondents.iter().map(|r| r.country.as_str())) {
        let members: Vec<usize> =
            (0..respondents.len()).filter(|i| respondents[*i].country == country).collect();
        let people: Vec<&Respondent> = members.iter().map(|i| &respondents[*i]).collect();
        let failed = |source| WeighError::Country { country: country.to_owned(), source };
        let margins = of_country(&people, margins, country, settings).map_err(failed)?;
        let base: Vec<f64> = people.iter().map(|person| person.weight).collect();
        let (weighted, mut made) = rake(&base, &margins, settings).map_err(failed)?;
        made.country = country.to_owned();
        for margin in &margins {
            let found = balance(margin, &base, &weighted).map_err(failed)?;
            rows.extend(found.into_iter().map(|row| BalanceRow {
                population: country.to_owned(),
                variable: row.margin,
                category: row.category,
                target: row.target,
                before: row.before,
                after: row.after,
                difference_before: row.difference_before.unwrap_or(0.0),
                difference_after: row.difference_after.unwrap_or(0.0),
            }));
        }
        for (i, weight) in members.into_iter().zip(weighted) {
            weights[i] = weight;
        }
        countries.push(made);
    }
    Ok(Weighted { weights, countries, balance: rows })
}

fn rake(
    base: &[f64],
    margins: &[Margin],
    settings: &Weighting,
) -> Result<(Vec<f64>, CountryWeights), WeightsError> {
    let bound = |times: f64| (times > 0.0).then_some(Bound::TimesMean(times));
    let bounds = Bounds { lower: bound(settings.trim_below), upper: bound(settings.trim_above) };
    let mut made = CountryWeights {
        country: String::new(),
        n: base.len(),
        variables: margins.iter().map(|margin| margin.name().to_owned()).collect(),
        iterations: 0,
        n_trimmed: 0,
        deviation: 0.0,
        design_effect: 1.0,
        effective_n: 0.0,
    };
    let weights = if margins.is_empty() {
        base.to_vec()
    } else {
        let found = trim_and_rake(base, margins, &bounds, &RakeSettings::default())?;
        made.iterations = found.raked.iterations;
        made.n_trimmed = found.n_at_upper;
        made.deviation = found.raked.margins.iter().map(|m| m.deviation).fold(0.0, f64::max);
        found.raked.weights
    };
    made.design_effect = kish_design_effect(&weights);
    made.effective_n = effective_sample_size(&weights);
    Ok((weights, made))
}

/// The margins of one country, in the order of the file.
fn of_country(
    people: &[&Respondent],
    margins: &[MarginRow],
    country: &str,
    settings: &Weighting,
) -> Result<Vec<Margin>, WeightsError> {
    let is_ours = |row: &&MarginRow| row.country.as_deref().is_none_or(|named| named == country);
    let ours: Vec<&MarginRow> = margins.iter().filter(is_ours).collect();
    let missing = if settings.keep_missing { Missing::KeepShare } else { Missing::Refuse };
    let variables = distinct(ours.iter().map(|row| row.variable.as_str()));
    variables
        .into_iter()
        .map(|variable| {
            // What is said of the country itself comes before what is said of all.
            let own = |row: &&&MarginRow| row.variable == variable && row.country.is_some();
            let has_own = ours.iter().any(|row| own(&row));
            let rows: Vec<&MarginRow> = ours
                .iter()
                .filter(|row| row.variable == variable && row.country.is_some() == has_own)
                .copied()
                .collect();
            let categories: Vec<String> = rows.iter().map(|row| row.category.clone()).collect();
            let targets = Targets::Shares(rows.iter().map(|row| row.share).collect());
            // Somebody of a category that the margins lack must be told apart from somebody of none.
            let mut all = categories;
            let mut shares = match targets {
                Targets::Shares(shares) | Targets::Totals(shares) => shares,
            };
            let category_of: Vec<Option<u32>> = people
                .iter()
                .map(|person| {
                    let category = category(person, variable)?;
                    let known = all.iter().position(|known| *known == category);
                    Some(known.unwrap_or_else(|| {
                        all.push(category);
                        shares.push(0.0);
                        all.len() - 1
                    }) as u32)
                })
                .collect();
            Margin::new(variable, all, Targets::Shares(shares), &category_of, missing)
        })
        .collect()
}

/// What is known of a person: a demographic, the language, or several crossed by `*`.
pub(crate) fn category(person: &Respondent, variable: &str) -> Option<String> {
    let mut parts = Vec::new();
    for part in variable.split('*').map(str::trim) {
        parts.push(match part {
            "language" => person.language.as_str(),
            "country" => person.country.as_str(),
            other => person.demographics.get(other)?.as_str(),
        });
    }
    Some(parts.join("*"))
}

fn check(respondents: &[Respondent], margins: &[MarginRow]) -> Result<(), WeighError> {
    let list = |names: Vec<&str>| {
        names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
    };
    let countries = distinct(respondents.iter().map(|r| r.country.as_str()));
    let mut variables =
        distinct(respondents.iter().flat_map(|r| r.demographics.keys().map(String::as_str)));
    variables.extend(["language", "country"]);
    let mut seen = std::collections::HashSet::new();
    for row in margins {
        if let Some(country) = row.country.as_deref().filter(|c| !countries.contains(c)) {
            let known = list(countries);
            return Err(WeighError::UnknownCountry { country: country.to_owned(), known });
        }
        let unknown = row.variable.split('*').map(str::trim).find(|part| !variables.contains(part));
        if let Some(variable) = unknown {
            let known = list(variables.clone());
            return Err(WeighError::UnknownVariable { variable: variable.to_owned(), known });
        }
        if !seen.insert((&row.country, &row.variable, &row.category)) {
            return Err(WeighError::Twice {
                country: row.country.clone(),
                variable: row.variable.clone(),
                category: row.category.clone(),
            });
        }
    }
    Ok(())
}

/// Each once, in the order in which they first appear.
pub(crate) fn distinct<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut seen = std::collections::HashSet::new();
    names.filter(|name| seen.insert(*name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Respondents of a country: age, gender, how many.
    fn people(country: &str, cells: &[(&str, &str, usize)]) -> Vec<Respondent> {
        let mut people = Vec::new();
        for (age, gender, n) in cells {
            for _ in 0..*n {
                let demographics =
                    [("age".to_owned(), (*age).to_owned()), ("gender".into(), (*gender).into())];
                people.push(Respondent {
                    id: format!("{country}-{}", people.len()).parse().unwrap(),
                    country: country.into(),
                    language: "en".into(),
                    demographics: demographics.into_iter().filter(|(_, v)| !v.is_empty()).collect(),
                    weight: 1.0,
                });
            }
        }
        people
    }

    fn row(country: Option<&str>, variable: &str, category: &str, share: f64) -> MarginRow {
        MarginRow {
            country: country.map(str::to_owned),
            variable: variable.into(),
            category: category.into(),
            share,
        }
    }

    const CELLS: [(&str, &str, usize); 4] =
        [("young", "f", 40), ("young", "m", 30), ("old", "f", 35), ("old", "m", 45)];

    #[test]
    fn a_country_is_raked_to_its_margins() {
        let both = [people("Italy", &CELLS), people("India", &CELLS)].concat();
        let margins = [
            row(Some("Italy"), "age", "young", 80.0),
            row(Some("Italy"), "age", "old", 70.0),
            row(None, "gender", "f", 0.4),
            row(None, "gender", "m", 0.6),
        ];
        let found = weigh(&both, &margins, &Weighting::default()).unwrap();
        // The worked table of four cells: 40, 30, 35, 45 to rows 80, 70 and columns 60, 90.
        let cells = [36.779_162_2, 43.220_837_8, 23.220_837_8, 46.779_162_2];
        let firsts = [0, 40, 70, 105].map(|i| found.weights[i]);
        for ((weight, cell), (.., n)) in firsts.iter().zip(cells).zip(CELLS) {
            assert!((weight * n as f64 - cell).abs() < 1e-6, "{firsts:?}");
        }
        let india: f64 = found.weights[150..].iter().sum();
        assert!((india - 150.0).abs() < 1e-9, "a country keeps its sum");
        assert_eq!(found.countries[1].variables, ["gender"]);
        assert!(found.countries[0].describe().starts_with("raked to age, gender in "));
        assert_eq!(found.balance.len(), 6);
        assert!(found.balance.iter().all(|row| row.difference_after.abs() < 1e-8));
        assert!(found.balance.iter().any(|row| row.difference_before.abs() > 0.05));
    }

    #[test]
    fn crossed_margins_post_stratify() {
        let italy = people("Italy", &CELLS);
        let margins: Vec<MarginRow> = CELLS
            .iter()
            .map(|(a, g, _)| row(None, "age*gender", &format!("{a}*{g}"), 1.0))
            .collect();
        let found = weigh(&italy, &margins, &Weighting::default()).unwrap();
        assert!((found.weights[0] * 40.0 - 37.5).abs() < 1e-9);
    }

    #[test]
    fn what_cannot_be_met_is_named() {
        let check = |cells: &[(&str, &str, usize)], margins: &[MarginRow], expected: &str| {
            let error = weigh(&people("Italy", cells), margins, &Weighting::default());
            let error = error.unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        };
        let age = [row(None, "age", "young", 0.5), row(None, "age", "old", 0.5)];
        check(&CELLS[..2], &age, "old");
        check(&CELLS, &age[..1], "old");
        check(&[("young", "", 3), ("", "f", 1)], &age[..1], "1");
        check(&CELLS, &[row(Some("India"), "age", "young", 1.0)], "no respondent is from there");
        check(&CELLS, &[row(None, "eyes", "blue", 1.0)], "known are `age`, `gender`");
        check(&CELLS, &[age[0].clone(), age[0].clone()], "`young` of `age` twice");
        check(&CELLS, &[row(None, "age", "young", -1.0), age[1].clone()], "-1");
    }
}
