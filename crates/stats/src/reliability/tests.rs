//! Reliability against R, its laws, and how often its intervals hold the truth.

use proptest::prelude::*;
use rand::{Rng, SeedableRng};
use serde_json::Value;

use super::*;
use crate::oracle::{check_close, read, seeded};

fn oracle() -> Value {
    serde_json::from_str(include_str!("../../testdata/reliability.json")).unwrap()
}

/// People by rows of answers to all items, one of which may be missing.
fn people(rows: &[Vec<Option<f64>>], weights: &[f64]) -> Vec<Answers> {
    let scores = |row: &Vec<Option<f64>>| {
        row.iter().enumerate().filter_map(|(item, score)| Some((item, (*score)?))).collect()
    };
    rows.iter().zip(weights).map(|(row, &weight)| Answers { scores: scores(row), weight }).collect()
}

fn read_people(case: &Value) -> Vec<Answers> {
    people(&read::<Vec<_>>(&case["answers"]), &read::<Vec<_>>(&case["weights"]))
}

fn read_groups(case: &Value) -> Groups {
    let of_person: Vec<usize> = read(&case["groups"]);
    Groups { n_groups: of_person.iter().max().unwrap() + 1, of_person }
}

fn check(found: &Estimate, case: &Value) {
    assert_eq!(found.method, Method::Jackknife);
    check_close(found.value, read(&case["value"]), 1e-10);
    check_close(found.std_error.unwrap(), read(&case["std_error"]), 1e-10);
    check_close(found.low, read(&case["low"]), 1e-9);
    check_close(found.high, read(&case["high"]), 1e-9);
}

#[test]
fn alpha_equals_that_of_psych_and_its_error_that_of_survey() {
    for case in oracle()["alpha"].as_array().unwrap() {
        println!("{}", case["name"]);
        let answers = read_people(case);
        let n_items = case["answers"][0].as_array().unwrap().len();
        let sheet = Sheet::new(&answers, 1, Some(n_items)).unwrap();
        let (k, level) = (read(&case["per_person"]), read(&case["level"]));
        let found = alpha_of(sheet, n_items, k, &read_groups(case), level).unwrap();
        check(&found.estimate, case);
        if let Some(package) = case["package"].as_f64() {
            check_close(found.estimate.value, package, 1e-10);
        }
        check_close(found.per_person, read(&case["length"]), 1e-12);
        assert_eq!(found.n_pairs, read::<usize>(&case["n_pairs"]));
        assert_eq!(found.n_pairs + found.n_pairs_left_out, n_items * (n_items - 1) / 2);
        // The groups are all that is random.
        let whole = cronbach_alpha(&answers, n_items, k, &Jackknife::default()).unwrap();
        assert_eq!(whole.estimate.value, found.estimate.value);
    }
}

#[test]
fn halves_step_up_and_err_as_in_r() {
    for case in oracle()["halves"].as_array().unwrap() {
        let halves: Vec<Vec<(f64, f64)>> = read(&case["halves"]);
        let weights: Vec<f64> = read(&case["weights"]);
        let groups = read_groups(case);
        let mut sums = HalfSums::new(groups.n_groups, halves.len());
        for (split, halves) in halves.iter().enumerate() {
            for ((&group, (x, y)), weight) in groups.of_person.iter().zip(halves).zip(&weights) {
                sums.add(group, split, *weight, *x, *y);
            }
        }
        let correlation = sums.correlation(None, 0.0).unwrap();
        check_close(correlation, read(&case["correlation"]), 1e-12);
        let rows = vec![vec![Some(0.0)]; weights.len()];
        let sheet = Sheet::new(&people(&rows, &weights), 1, None).unwrap();
        let level = read(&case["level"]);
        let found = estimate(correlation, 2.0, &sheet, level, sums.without_each(0.0)).unwrap();
        check(&found, case);
    }
}

#[test]
fn the_mean_over_random_splits_is_that_of_r() {
    for case in oracle()["splits"].as_array().unwrap() {
        let n_splits = 4_000;
        let found = split_half(&read_people(case), n_splits, &Jackknife::default()).unwrap();
        let theirs: f64 = read(&case["n_splits"]);
        let error = read::<f64>(&case["deviation"]) * (1.0 / theirs + 1.0 / n_splits as f64).sqrt();
        check_close(found.correlation, read(&case["correlation"]), 3.5 * error);
        check_close(found.estimate.value, spearman_brown(found.correlation, 2.0).unwrap(), 1e-15);
    }
}

/// People who answer `asked` of `n_items` items each, with an answer's reliability `r`; items differ in their means by up to `spread`.
fn simulate(
    rng: &mut ChaCha8Rng,
    (n, n_items, asked): (usize, usize, usize),
    r: f64,
    spread: f64,
) -> Vec<Answers> {
    // Of variance 1.
    let noise = |rng: &mut ChaCha8Rng| (rng.random::<f64>() - 0.5) * 12_f64.sqrt();
    let mut items: Vec<usize> = (0..n_items).collect();
    (0..n)
        .map(|_| {
            draw_first(&mut items, asked, rng);
            let person = r.sqrt() * noise(rng);
            let mut score = |item: usize| {
                person + (1.0 - r).sqrt() * noise(rng) + spread * item as f64 / n_items as f64
            };
            let scores = items[..asked].iter().map(|&item| (item, score(item))).collect();
            Answers { scores, weight: 0.5 + rng.random::<f64>() }
        })
        .collect()
}

#[test]
fn intervals_hold_the_truth_as_often_as_they_say() {
    let mut rng = ChaCha8Rng::seed_from_u64(11);
    let truth = spearman_brown(0.2, 6.0).unwrap();
    let n = 500;
    let (mut by_halves, mut by_alpha) = (0, 0);
    for seed in 0..n {
        let answers = simulate(&mut rng, (200, 15, 6), 0.2, 0.0);
        let settings = Jackknife { n_groups: 40, seed, ..Jackknife::default() };
        let halves = split_half(&answers, 10, &settings).unwrap().estimate;
        let alpha = cronbach_alpha(&answers, 15, None, &settings).unwrap().estimate;
        by_halves += u64::from(halves.low <= truth && truth <= halves.high);
        by_alpha += u64::from(alpha.low <= truth && truth <= alpha.high);
    }
    for held in [by_halves, by_alpha] {
        let share = held as f64 / n as f64;
        assert!((0.925..=0.975).contains(&share), "{share}");
    }
}

#[test]
fn both_find_the_truth_and_differ_where_items_differ() {
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let truth = spearman_brown(0.2, 10.0).unwrap();
    let mut answers = simulate(&mut rng, (4_000, 30, 10), 0.2, 6.0);
    let both = |answers: &[Answers]| {
        let settings = Jackknife::default();
        let halves = split_half(answers, 20, &settings).unwrap().estimate;
        (halves.value, cronbach_alpha(answers, 30, None, &settings).unwrap().estimate.value)
    };
    let (halves, alpha) = both(&answers);
    check_close(alpha, truth, 0.02);
    assert!(halves < alpha - 0.1, "{halves} and {alpha}");
    for (item, score) in answers.iter_mut().flat_map(|person| &mut person.scores) {
        *score -= 6.0 * *item as f64 / 30.0;
    }
    let (halves, alpha) = both(&answers);
    check_close(halves, truth, 0.02);
    check_close(halves, alpha, 0.005);
}

#[test]
fn an_odd_number_of_answers_understates_a_little() {
    for n in [5.0, 7.0, 9.0, 31.0] {
        for r in (1..100).map(|percent| f64::from(percent) / 100.0) {
            let half = |n| spearman_brown(r, n).unwrap();
            let correlation = (half((n - 1.0) / 2.0) * half((n + 1.0) / 2.0)).sqrt();
            let off = half(n) - spearman_brown(correlation, 2.0).unwrap();
            assert!((0.0..0.01).contains(&off), "{off} for {n} answers of reliability {r}");
        }
    }
}

#[test]
fn what_the_data_do_not_determine_has_the_whole_range() {
    // Everybody is wholly consistent.
    let rows: Vec<Vec<Option<f64>>> = (0..20).map(|i| vec![Some(f64::from(i)); 4]).collect();
    let answers = people(&rows, &[1.0; 20]);
    let halves = split_half(&answers, 5, &Jackknife::default()).unwrap().estimate;
    let alpha = cronbach_alpha(&answers, 4, None, &Jackknife::default()).unwrap().estimate;
    for found in [halves, alpha] {
        check_close(found.value, 1.0, 1e-12);
        assert_eq!(
            (found.low, found.high, found.std_error, found.method),
            (-1.0, 1.0, None, Method::WholeRange)
        );
        assert_eq!((found.n, found.n_clusters), (80, 20));
    }
    // Without the one person who differs nobody does.
    let rows = [[0.0, 0.0], [0.0, 0.0], [0.0, 0.0], [0.3, 0.7]].map(|row| row.map(Some).to_vec());
    let found = split_half(&people(&rows, &[1.0; 4]), 5, &Jackknife::default()).unwrap();
    assert_eq!(found.estimate.method, Method::WholeRange);
}

#[test]
fn whoever_cannot_count_is_counted() {
    let mut answers = simulate(&mut ChaCha8Rng::seed_from_u64(2), (50, 8, 4), 0.5, 1.0);
    let settings = Jackknife::default();
    let before = (
        split_half(&answers, 10, &settings).unwrap(),
        cronbach_alpha(&answers, 8, Some(8.0), &settings).unwrap(),
    );
    answers.push(Answers { scores: vec![], weight: 1.0 });
    answers.push(Answers { scores: vec![(0, 9.0), (1, -9.0)], weight: 0.0 });
    let alpha = cronbach_alpha(&answers, 8, Some(8.0), &settings).unwrap();
    assert_eq!(alpha, Alpha { n_left_out: 2, ..before.1 });
    answers.push(Answers { scores: vec![(0, 9.0)], weight: 1.0 });
    let halves = split_half(&answers, 10, &settings).unwrap();
    assert_eq!(halves, SplitHalf { n_left_out: 3, ..before.0 });
}

#[test]
fn what_cannot_be_done_is_an_error() {
    let rows = |rows: &[&[f64]]| -> Vec<Answers> {
        let rows: Vec<Vec<Option<f64>>> =
            rows.iter().map(|row| row.iter().copied().map(Some).collect()).collect();
        people(&rows, &vec![1.0; rows.len()])
    };
    let halves = |answers: &[Answers]| split_half(answers, 10, &Jackknife::default()).unwrap_err();
    let alpha =
        |answers: &[Answers]| cronbach_alpha(answers, 3, None, &Jackknife::default()).unwrap_err();
    let good = rows(&[&[1.0, 2.0], &[2.0, 2.0], &[4.0, 3.0], &[5.0, 4.0]]);

    let with = |change: fn(&mut Jackknife)| {
        let mut settings = Jackknife::default();
        change(&mut settings);
        let errors = [
            split_half(&good, 10, &settings).unwrap_err(),
            cronbach_alpha(&good, 2, None, &settings).unwrap_err(),
        ];
        assert_eq!(errors[0], errors[1]);
        errors[0].clone()
    };
    assert_eq!(with(|settings| settings.level = 1.0), ReliabilityError::Level(1.0));
    assert_eq!(with(|settings| settings.n_groups = 1), ReliabilityError::TooFewGroups(1));
    assert_eq!(split_half(&good, 0, &Jackknife::default()), Err(ReliabilityError::NoSplits));
    let k = |k| cronbach_alpha(&good, 2, Some(k), &Jackknife::default());
    assert_eq!(k(0.5), Err(ReliabilityError::PerPerson(0.5)));
    assert!(k(1.0).is_ok() && k(f64::NAN).is_err());

    let mut odd = good.clone();
    odd[1].weight = -1.0;
    let weight = ReliabilityError::Weights(WeightsError::Weight { row: 1, value: -1.0 });
    assert_eq!((halves(&odd), alpha(&odd)), (weight.clone(), weight));
    let mut odd = good.clone();
    odd[2].scores[1].1 = f64::NAN;
    let not_finite = ReliabilityError::NotFinite { person: 2, item: 1 };
    assert_eq!((halves(&odd), alpha(&odd)), (not_finite.clone(), not_finite));
    let mut odd = good.clone();
    odd[3].scores.push((0, 2.0));
    let twice = ReliabilityError::AnsweredTwice { person: 3, item: 0 };
    assert_eq!((halves(&odd), alpha(&odd)), (twice.clone(), twice));
    let mut odd = good.clone();
    odd[0].scores[0].0 = 7;
    assert_eq!(alpha(&odd), ReliabilityError::UnknownItem { person: 0, item: 7, n_items: 3 });

    assert_eq!(halves(&[]), ReliabilityError::Weights(WeightsError::Nobody));
    assert_eq!(halves(&good[..2]), ReliabilityError::TooFewPeople { n: 2, n_answers: 2 });
    assert_eq!(alpha(&good[..2]), ReliabilityError::TooFewPeople { n: 2, n_answers: 1 });
    // A tenth is no binary fraction: its mean rounds.
    let same = rows(&[&[0.1, 0.1, 0.1], &[0.1, 0.1], &[0.1, 0.1, 0.1]]);
    assert_eq!(
        (halves(&same), alpha(&same)),
        (ReliabilityError::NoVariance, ReliabilityError::NoVariance)
    );
    let alone = rows(&[&[1.0], &[2.0], &[4.0]]);
    assert_eq!(alpha(&alone), ReliabilityError::NoPairs(3));
    let against = rows(&[&[1.0, -1.0, 0.0], &[2.0, -2.0, 0.0], &[4.0, -4.0, 0.0]]);
    assert!(matches!(alpha(&against), ReliabilityError::TooNegative { length: 3.0, .. }));
}

proptest! {
    #![proptest_config(seeded())]

    #[test]
    fn complete_data_have_the_alpha_of_the_textbook(
        rows in prop::collection::vec(prop::collection::vec(-9_i8..=9, 5), 4..30),
    ) {
        let rows: Vec<Vec<f64>> =
            rows.iter().map(|row| row.iter().map(|score| f64::from(*score)).collect()).collect();
        let variance = |values: Vec<f64>| crate::bootstrap::std_dev(&values).powi(2);
        let items = (0..5).map(|i| variance(rows.iter().map(|row| row[i]).collect())).sum::<f64>();
        let sum = variance(rows.iter().map(|row| row.iter().sum()).collect());
        prop_assume!(sum > 1e-9);
        let answers: Vec<Vec<Option<f64>>> =
            rows.iter().map(|row| row.iter().copied().map(Some).collect()).collect();
        let answers = people(&answers, &vec![1.0; rows.len()]);
        let found = cronbach_alpha(&answers, 5, None, &Jackknife::default()).unwrap().estimate;
        let expected = 1.25 * (1.0 - items / sum);
        prop_assert!((found.value - expected).abs() <= 1e-9 * expected.abs().max(1.0));
        prop_assert!(found.low <= found.value && found.value <= found.high && found.high <= 1.0);
    }

    #[test]
    fn scales_of_scores_and_weights_and_the_order_of_answers_do_not_matter(
        seed in 0_u64..1_000, factor in 0.01..100.0, shift in -100.0..100.0, weight in 0.01..100.0,
    ) {
        let answers = simulate(&mut ChaCha8Rng::seed_from_u64(seed), (40, 8, 5), 0.4, 1.0);
        let mut other = answers.clone();
        for person in &mut other {
            person.scores.reverse();
            person.scores.iter_mut().for_each(|(_, score)| *score = factor * *score + shift);
            person.weight *= weight;
        }
        let both = |answers: &[Answers]| [
            split_half(answers, 5, &Jackknife::default()).unwrap().estimate,
            cronbach_alpha(answers, 8, None, &Jackknife::default()).unwrap().estimate,
        ];
        for (a, b) in both(&answers).iter().zip(both(&other)) {
            for (a, b) in [(a.value, b.value), (a.low, b.low), (a.high, b.high)] {
                prop_assert!((a - b).abs() <= 1e-8, "{} and {}", a, b);
            }
        }
    }

    #[test]
    fn twice_as_long_and_thrice_again_is_six_times_as_long(r in -0.15..1.0) {
        let twice = spearman_brown(r, 2.0).unwrap();
        let six_times = spearman_brown(r, 6.0).unwrap();
        prop_assert!((spearman_brown(twice, 3.0).unwrap() - six_times).abs() < 1e-9 * six_times.abs().max(1.0));
        prop_assert!((spearman_brown(twice, 0.5).unwrap() - r).abs() < 1e-12);
        prop_assert_eq!(spearman_brown(-1.0, 2.0), None);
    }
}
