//! People as the page shows them: never one by one, but in bins and as weighted means of groups.

use crate::populations::is_country;
use polyculture_core::results::{Density, Person, SurveySummary};
use polyculture_core::{Axis, AxisId, Estimate};

/// Bins along an axis: centred on 0, .05, .10 … 1, where mean scores of ten answers lie.
pub(crate) const N_BINS: usize = 21;

/// Shares of people in the cells of two axes. Along each axis cells are centred on 0 and 1 and, evenly,
/// between.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Cells {
    pub(crate) bins: usize,
    /// `[bins, bins]`, the axis that runs upwards fastest.
    pub(crate) shares: Vec<f64>,
}

impl Cells {
    /// The cells of a density over these two axes, in whichever order it holds them.
    fn of(density: &Density, x: &AxisId, y: &AxisId) -> Option<Self> {
        let bins = density.bins;
        if density.shares.len() != bins * bins {
            return None;
        }
        let at = |from: usize, to: usize| density.shares[from * bins + to];
        let shares = match density.axes.as_slice() {
            [first, second] if first == x && second == y => density.shares.clone(),
            [first, second] if first == y && second == x => {
                (0..bins).flat_map(|i| (0..bins).map(move |j| at(j, i))).collect()
            }
            _ => return None,
        };
        Some(Self { bins, shares })
    }

    /// Each cell that holds people: its middle, and its share.
    pub(crate) fn filled(&self) -> impl Iterator<Item = (f64, f64, f64)> + '_ {
        let cells = self.shares.iter().enumerate().filter(|(_, share)| **share > 0.0);
        cells.map(|(i, share)| {
            (middle(i / self.bins, self.bins), middle(i % self.bins, self.bins), *share)
        })
    }
}

/// The middle of a cell, or of a bin.
pub(crate) fn middle(cell: usize, bins: usize) -> f64 {
    if bins < 2 { 0.5 } else { cell as f64 / (bins - 1) as f64 }
}

/// A population's cells on two axes, as a survey found them.
pub(crate) fn surveyed_cells(
    survey: &SurveySummary,
    population: &str,
    x: &AxisId,
    y: &AxisId,
) -> Option<Cells> {
    let of = survey.densities.iter().filter(|density| density.population == population);
    of.into_iter().find_map(|density| Cells::of(density, x, y))
}

/// A population's bins on one axis, as a survey found them: by themselves, or as the margin of two axes.
pub(crate) fn surveyed_bins(
    survey: &SurveySummary,
    population: &str,
    axis: &AxisId,
) -> Option<Vec<f64>> {
    let of = || survey.densities.iter().filter(|density| density.population == population);
    let alone = of().find(|density| density.axes.as_slice() == std::slice::from_ref(axis));
    if let Some(density) = alone {
        return Some(density.shares.clone());
    }
    of().filter(|density| density.axes.len() == 2).find_map(|density| {
        let other = density.axes.iter().find(|other| *other != axis)?;
        let cells = Cells::of(density, axis, other)?;
        (cells.bins > 0)
            .then(|| cells.shares.chunks(cells.bins).map(|row| row.iter().sum()).collect())
    })
}

/// The weighted share of people in each bin of one axis. Shares sum to 1, or are all 0.
pub(crate) fn histogram(people: &[Person], axis: usize) -> Vec<f64> {
    let mut bins = vec![0.0; N_BINS];
    for person in people {
        if let Some(bin) = bin(person, axis) {
            bins[bin] += weight(person);
        }
    }
    let total: f64 = bins.iter().sum();
    if total > 0.0 {
        bins.iter_mut().for_each(|share| *share /= total);
    }
    bins
}

/// The weighted share of people in each cell of two axes.
pub(crate) fn cells(people: &[Person], x: usize, y: usize) -> Cells {
    let mut shares = vec![0.0; N_BINS * N_BINS];
    let mut total = 0.0;
    for person in people {
        if let (Some(x), Some(y)) = (bin(person, x), bin(person, y)) {
            shares[x * N_BINS + y] += weight(person);
            total += weight(person);
        }
    }
    if total > 0.0 {
        shares.iter_mut().for_each(|share| *share /= total);
    }
    Cells { bins: N_BINS, shares }
}

/// A group of people: its weighted mean on each axis.
pub(crate) struct Group {
    pub(crate) name: String,
    pub(crate) at: Vec<Estimate>,
}

/// The groups in the order in which they first appear.
pub(crate) fn groups(people: &[Person], n_axes: usize) -> Vec<Group> {
    let mut names: Vec<&str> = Vec::new();
    for person in people {
        if !names.contains(&person.group.as_str()) {
            names.push(&person.group);
        }
    }
    names
        .into_iter()
        .map(|name| {
            let members: Vec<&Person> = people.iter().filter(|p| p.group == name).collect();
            let at = (0..n_axes).map(|axis| mean(&members, axis)).collect();
            Group { name: name.to_owned(), at }
        })
        .collect()
}

/// The countries' means as a survey found them, if it did for each on each axis.
pub(crate) fn surveyed_groups(survey: &SurveySummary, axes: &[Axis]) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for row in survey.scores.iter().filter(|row| is_country(&row.population)) {
        if groups.iter().all(|group| group.name != row.population) {
            let at = axes.iter().map_while(|axis| surveyed_mean(survey, &row.population, axis));
            groups.push(Group { name: row.population.clone(), at: at.collect() });
        }
    }
    if groups.iter().all(|group| group.at.len() == axes.len()) { groups } else { Vec::new() }
}

/// A population's mean on an axis as a survey found it.
pub(crate) fn surveyed_mean(
    survey: &SurveySummary,
    population: &str,
    axis: &Axis,
) -> Option<Estimate> {
    let mut rows = survey.scores.iter();
    rows.find(|row| row.population == population && row.axis == axis.id).map(|row| row.mean)
}

/// The weighted mean `m = Σwx / Σw` with its 95 % interval `m ± 1.96 SE`, where
/// `SE² = n/(n-1) · Σ w²(x-m)² / (Σw)²`: Taylor linearisation of a ratio mean for people drawn
/// independently (Särndal, Swensson and Wretman 1992, eq. 5.6.8; survey's `svymean`).
fn mean(people: &[&Person], axis: usize) -> Estimate {
    let rows: Vec<(f64, f64)> = people
        .iter()
        .filter_map(|p| Some((weight(p), place(p, axis)?)))
        .filter(|(w, _)| *w > 0.0)
        .collect();
    let n = rows.len();
    let total: f64 = rows.iter().map(|(w, _)| w).sum();
    let value = rows.iter().map(|(w, x)| w * x).sum::<f64>() / total;
    let spread: f64 = rows.iter().map(|(w, x)| (w * (x - value)).powi(2)).sum();
    let half = 1.96 * (n as f64 / (n as f64 - 1.0) * spread).sqrt() / total;
    Estimate { value, low: value - half, high: value + half, level: 0.95, n, n_clusters: n }
}

fn bin(person: &Person, axis: usize) -> Option<usize> {
    Some((place(person, axis)? * (N_BINS - 1) as f64).round() as usize)
}

fn place(person: &Person, axis: usize) -> Option<f64> {
    person.at.get(axis).filter(|at| at.is_finite()).map(|at| at.clamp(0.0, 1.0))
}

fn weight(person: &Person) -> f64 {
    if person.weight.is_finite() { person.weight.max(0.0) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(group: &str, weight: f64, at: &[f64]) -> Person {
        Person { group: group.into(), weight, at: at.to_vec() }
    }

    #[test]
    fn bins_are_weighted() {
        let people = [
            person("a", 3.0, &[0.0, 1.0]),
            person("a", 1.0, &[1.0, 1.0]),
            person("a", f64::NAN, &[0.5, 0.5]),
            person("a", 9.0, &[f64::NAN, 0.5]),
        ];
        assert_eq!(histogram(&people, 0)[0], 0.75);
        assert_eq!(histogram(&people, 0)[20], 0.25);
        assert_eq!(cells(&people, 0, 1).shares[20], 0.75);
        assert_eq!(histogram(&[], 0), [0.0; N_BINS]);
    }

    #[test]
    fn a_density_is_read_from_either_side() {
        let [x, y] = ["x", "y"].map(|id| AxisId::new(id).unwrap());
        let density = Density {
            population: "a".into(),
            axes: vec![x.clone(), y.clone()],
            bins: 2,
            shares: vec![0.1, 0.2, 0.3, 0.4],
        };
        let survey = SurveySummary { densities: vec![density], ..SurveySummary::default() };
        let found = |a, b| surveyed_cells(&survey, "a", a, b).unwrap().shares;
        assert_eq!(found(&x, &y), [0.1, 0.2, 0.3, 0.4]);
        assert_eq!(found(&y, &x), [0.1, 0.3, 0.2, 0.4]);
        let margin = surveyed_bins(&survey, "a", &y).unwrap();
        assert!((margin[0] - 0.4).abs() < 1e-12 && (margin[1] - 0.6).abs() < 1e-12);
        assert_eq!(surveyed_cells(&survey, "b", &x, &y), None);
    }

    #[test]
    fn a_density_of_another_length_is_not_drawn() {
        let [x, y] = ["x", "y"].map(|id| AxisId::new(id).unwrap());
        let axes = vec![x.clone(), y.clone()];
        let density = Density { population: "a".into(), axes, bins: 3, shares: vec![1.0] };
        let survey = SurveySummary { densities: vec![density], ..SurveySummary::default() };
        assert_eq!(surveyed_cells(&survey, "a", &x, &y), None);
        assert_eq!(surveyed_bins(&survey, "a", &x), None);
    }

    /// By hand:
    /// m = (0 + 2·.5 + 1)/4 = .5; SE² = 3/2 · (.25 + 0 + .25)/16.
    #[test]
    fn group_means_are_weighted() {
        let people = [person("a", 1.0, &[0.0]), person("a", 2.0, &[0.5]), person("a", 1.0, &[1.0])];
        let group = &groups(&people, 1)[0];
        let half = 1.96 * (1.5 * 0.5 / 16.0_f64).sqrt();
        assert_eq!((group.at[0].n, group.at[0].value), (3, 0.5));
        assert!((group.at[0].high - (0.5 + half)).abs() < 1e-12);
    }
}
