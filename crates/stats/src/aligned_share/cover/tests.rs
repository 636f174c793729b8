//! Greedy coverage against all subsets, and the promises of its bound.

use proptest::prelude::*;

use super::*;
use crate::interval::Method;
use crate::oracle::{check_close, seeded};

fn points(n_axes: usize, eighths: &[u8]) -> Points {
    Points::new(n_axes, eighths.iter().map(|x| f64::from(*x) / 8.0).collect()).unwrap()
}

fn quick() -> Bootstrap {
    Bootstrap { resamples: 100, ..Bootstrap::default() }
}

/// The largest share that a set of each size covers, by trying all sets.
fn best_of_size(people: &People, models: &Points, radius: f64) -> Vec<f64> {
    let mut best = vec![0.0_f64; models.len() + 1];
    let total: f64 = people.weights.iter().sum();
    for set in 0_u32..1 << models.len() {
        let is_near = |person: usize, model: usize| {
            let place = people.positions().row(person);
            place.iter().zip(models.row(model)).all(|(h, m)| (h - m).abs() <= radius + 1e-9)
        };
        let covered: f64 = (0..people.len())
            .filter(|person| (0..models.len()).any(|m| set >> m & 1 == 1 && is_near(*person, m)))
            .map(|person| people.weights[person] / total)
            .sum();
        let size = set.count_ones() as usize;
        best[size] = best[size].max(covered);
    }
    best
}

#[test]
fn greedy_is_not_always_best_and_the_bound_says_so() {
    // On a line, radius 1/8: model 0 covers the four in the middle, models 1 and 2 each three of six.
    let people = People::new(points(1, &[1, 2, 3, 4, 5, 6]))
        .with_weights(vec![1.0, 1.0, 1.2, 1.2, 1.0, 1.0])
        .unwrap();
    let models = Points::new(1, vec![3.5 / 8.0, 2.0 / 8.0, 5.0 / 8.0]).unwrap();
    let found = cover(&people, &models, 1.5 / 8.0, &quick()).unwrap();
    let order: Vec<usize> = found.steps.iter().map(|step| step.model).collect();
    assert_eq!(order, [0, 1, 2]);
    let expected = [(4.4, 4.4), (5.4, 6.4), (6.4, 6.4)];
    for (step, (covered, bound)) in found.steps.iter().zip(expected) {
        check_close(step.covered.value, covered / 6.4, 1e-12);
        check_close(step.upper_bound, bound / 6.4, 1e-12);
    }
    check_close(found.steps[1].gain, 1.0 / 6.4, 1e-12);
    check_close(found.steps[1].share_of_best(), 5.4 / 6.4, 1e-12);
    assert_eq!(found.all, found.steps[2].covered);
    assert_eq!(best_of_size(&people, &models, 1.5 / 8.0)[2], 1.0);
}

#[test]
fn models_that_add_nobody_are_not_in_the_order() {
    let people = People::new(points(2, &[0, 0, 1, 1, 8, 8, 0, 1]));
    let models = points(2, &[8, 0, 0, 0, 1, 0, 0, 0]);
    let found = cover(&people, &models, 0.125, &quick()).unwrap();
    assert_eq!(found.steps.iter().map(|step| step.model).collect::<Vec<_>>(), [1]);
    assert_eq!(found.all.value, 0.75);
    let nobody = cover(&people, &points(2, &[8, 0]), 0.1, &quick()).unwrap();
    assert!(nobody.steps.is_empty());
    assert_eq!((nobody.all.value, nobody.all.method), (0.0, Method::WilsonOnClusters));
}

#[test]
fn the_standard_error_is_that_of_a_stratified_share() {
    let eighths: Vec<u8> = (0..200).map(|i| (i * 5 % 9) as u8).collect();
    let strata: Vec<usize> = (0..200).map(|i| i % 3).collect();
    let people = People::new(points(1, &eighths)).with_strata(strata.clone()).unwrap();
    let settings = Bootstrap { resamples: 10_000, ..Bootstrap::default() };
    let found = cover(&people, &points(1, &[2]), 0.25, &settings).unwrap().all;
    let mut variance = 0.0;
    for stratum in 0..3 {
        let of = |i: &usize| strata[*i] == stratum;
        let n = (0..200).filter(of).count() as f64;
        let p = (0..200).filter(of).filter(|i| eighths[*i] <= 4).count() as f64 / n;
        variance += n * p * (1.0 - p) / 200.0_f64.powi(2);
    }
    check_close(found.std_error.unwrap(), variance.sqrt(), 0.03 * variance.sqrt());
}

#[test]
fn impossible_input_is_an_error() {
    let people = People::new(points(1, &[3]));
    let run = |models: Points, radius| cover(&people, &models, radius, &quick()).unwrap_err();
    assert_eq!(run(points(1, &[3]), -0.1), CoverError::Radius(-0.1));
    assert!(matches!(run(points(1, &[3]), f64::NAN), CoverError::Radius(_)));
    assert_eq!(run(points(2, &[3, 3]), 0.1), CoverError::AxesDiffer { people: 1, models: 2 });
}

proptest! {
    #![proptest_config(seeded())]

    #[test]
    fn the_best_set_lies_between_greedy_and_the_bound(
        people in prop::collection::vec((prop::collection::vec(0_u8..=8, 2), 0.1_f64..5.0), 1..40),
        models in prop::collection::vec(0_u8..=8, 2..=14),
        radius in 0.0_f64..0.4,
    ) {
        let (places, weights): (Vec<Vec<u8>>, Vec<f64>) = people.into_iter().unzip();
        let people = People::new(points(2, &places.concat())).with_weights(weights).unwrap();
        let models = points(2, &models[..models.len() / 2 * 2]);
        let found = cover(&people, &models, radius, &quick()).unwrap();
        let best = best_of_size(&people, &models, radius);
        prop_assert!((found.all.value - best[models.len()]).abs() < 1e-9);
        let mut last_gain = f64::INFINITY;
        for (i, step) in found.steps.iter().enumerate() {
            let (k, best) = (i as f64 + 1.0, best[i + 1]);
            prop_assert!(step.covered.value <= best + 1e-9 && best <= step.upper_bound + 1e-9, "{step:?} {best}");
            prop_assert!(step.covered.value >= (1.0 - (1.0 - 1.0 / k).powf(k)) * best - 1e-9);
            prop_assert!(step.share_of_best() >= 1.0 - (1.0 - 1.0 / k).powf(k) - 1e-9);
            prop_assert!(step.upper_bound <= found.all.value + 1e-9);
            prop_assert!(step.gain > 0.0 && step.gain <= last_gain + 1e-9);
            last_gain = step.gain;
        }
    }
}
