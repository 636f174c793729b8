//! The readings against numpy, on the worked example, and the laws that they keep.

use proptest::prelude::*;
use serde_json::Value;

use super::readings::code;
use super::*;
use crate::oracle::{check_close, oracle, read, seeded};

fn points(rows: &[Vec<f64>]) -> Points {
    Points::new(rows[0].len(), rows.concat()).unwrap()
}

fn quick() -> Bootstrap {
    Bootstrap { resamples: 200, ..Bootstrap::default() }
}

fn values(found: &AlignedShare) -> [f64; N_READINGS] {
    let AlignedShare {
        lower_corner,
        inside_box,
        weakest_axis,
        overlap,
        overlap_fine,
        quadrant,
        ..
    } = found;
    [lower_corner, inside_box, weakest_axis, overlap, overlap_fine, quadrant]
        .map(|reading| reading.value)
}

fn people_of(case: &Value) -> People {
    let rows: Vec<Vec<f64>> = read(&case["people"]);
    People::new(points(&rows)).with_weights(read(&case["weights"])).unwrap()
}

fn models_of(case: &Value) -> Models {
    Models::Fixed(points(&read::<Vec<Vec<f64>>>(&case["models"])))
}

#[test]
fn the_worked_example() {
    let case = &oracle("aligned_share")[0];
    let found = aligned_share(&people_of(case), &models_of(case), 4, &quick()).unwrap();
    let expected = [1.0 / 6.0, 1.0 / 6.0, 1.0 / 3.0, 1.0 / 3.0, 1.0 / 3.0];
    let [o1, o2, o3, o4, _, o5] = values(&found);
    for (found, expected) in [o1, o2, o3, o4, o5].into_iter().zip(expected) {
        check_close(found, expected, 1e-12);
    }
    assert_eq!((found.n_people, found.n_models, found.design_effect), (6, 3, 1.0));
}

#[test]
fn readings_equal_those_of_numpy() {
    for case in oracle("aligned_share").as_array().unwrap() {
        let found =
            aligned_share(&people_of(case), &models_of(case), read(&case["fine_bins"]), &quick())
                .unwrap();
        let names =
            ["lower_corner", "inside_box", "weakest_axis", "overlap", "overlap_fine", "quadrant"];
        for (name, value) in names.into_iter().zip(values(&found)) {
            check_close(value, read(&case[name]), 1e-12);
        }
    }
}

#[test]
fn the_standard_error_equals_the_linearised_one() {
    let expected = oracle("aligned_share_std_error");
    let case = &oracle("aligned_share")[read::<usize>(&expected["case"])];
    let people = people_of(case).with_strata(read(&expected["strata"])).unwrap();
    let settings = Bootstrap { resamples: 10_000, ..Bootstrap::default() };
    let found = aligned_share(&people, &models_of(case), 4, &settings).unwrap();
    let expected: f64 = read(&expected["lower_corner"]);
    check_close(found.lower_corner.std_error.unwrap(), expected, 0.03 * expected);
}

#[test]
fn a_position_on_a_cut_falls_low() {
    let share = |person: f64| {
        let people = People::new(points(&[vec![person], vec![0.9]]));
        aligned_share(&people, &Models::Fixed(points(&[vec![1.0]])), 10, &quick())
            .unwrap()
            .overlap
            .value
    };
    assert_eq!((share(0.5), share(0.500001)), (0.5, 1.0));
    // .1 + .2 is a hair above .3 and must fall on the same side.
    let cell = |x: f64| code(&[x], 10);
    assert_eq!((cell(0.1 + 0.2), cell(0.3), cell(0.0), cell(1.0)), (2, 2, 0, 9));
}

#[test]
fn quadrants_that_tie_are_averaged() {
    let people = People::new(points(&[vec![0.1], vec![0.2], vec![0.3], vec![0.9]]));
    let models = Models::Fixed(points(&[vec![0.0], vec![1.0]]));
    assert_eq!(aligned_share(&people, &models, 2, &quick()).unwrap().quadrant.value, 0.5);
}

#[test]
fn people_speak_for_themselves() {
    let positions = points(&[vec![0.1, 0.7], vec![0.9, 0.2], vec![0.4, 0.4]]);
    let found =
        aligned_share(&People::new(positions.clone()), &Models::Fixed(positions), 4, &quick())
            .unwrap();
    for value in &values(&found)[..5] {
        check_close(*value, 1.0, 1e-12);
    }
}

#[test]
fn more_people_in_the_place_of_models_reach_further() {
    let case = &oracle("aligned_share")[2];
    let people = people_of(case);
    let reach = |n| people_as_models(&people, n, 4, &quick()).unwrap().inside_box;
    let (few, many) = (reach(2), reach(40));
    assert!(few.value + 0.2 < many.value, "{few:?} {many:?}");
    assert_eq!(few.method, Method::Draws);
    assert!(few.low <= few.value && few.value <= few.high);
}

/// `n_models` models on 10 prompts, even prompts on axis 0; the score grows with the model and varies with the prompt.
fn measured(n_models: usize) -> PromptScores {
    let axis_of_prompt: Vec<usize> = (0..10).map(|prompt| prompt % 2).collect();
    let score = |model: usize, prompt: usize| ((model + prompt) % 3) as f64 / 2.0;
    let scores =
        (0..n_models).flat_map(|model| (0..10).map(move |prompt| Some(score(model, prompt))));
    PromptScores::new(2, axis_of_prompt, scores.collect()).unwrap()
}

#[test]
fn measured_models_widen_the_interval() {
    let case = &oracle("aligned_share")[2];
    let people = people_of(case);
    let scores = measured(5);
    let fixed = Models::Fixed(scores.places());
    let run = |models: &Models| aligned_share(&people, models, 4, &Bootstrap::default()).unwrap();
    let (fixed, measured) = (run(&fixed), run(&Models::Measured(scores)));
    assert_eq!(values(&fixed), values(&measured));
    assert!(measured.lower_corner.std_error > fixed.lower_corner.std_error);
}

#[test]
fn unscored_prompts_leave_the_mean() {
    let scores = PromptScores::new(1, vec![0; 3], vec![Some(1.0), None, Some(0.5)]).unwrap();
    assert_eq!(scores.places().row(0), [0.75]);
    let unplaced = PromptScores::new(2, vec![0, 1], vec![Some(1.0), None]);
    assert_eq!(unplaced, Err(AlignedShareError::Unplaced { model: 0, axis: 1 }));
}

#[test]
fn counts_of_answers_place_models_as_their_means_do() {
    let counts = [[0, 1, 3], [0, 0, 0], [2, 2, 0], [1, 0, 0]];
    let counted = PromptScores::from_counts(2, vec![0, 1, 1, 0], &counts).unwrap();
    assert_eq!((counted.n_models(), counted.places().row(0)), (1, &[0.4375, 0.25][..]));
    let none = PromptScores::from_counts(1, vec![0], &[[0; 3]]);
    assert_eq!(none, Err(AlignedShareError::Unplaced { model: 0, axis: 0 }));
    let others = PromptScores::new(2, vec![0, 1, 1, 1], vec![Some(1.0); 4]).unwrap();
    assert_eq!(counted.append(&others), Err(AlignedShareError::PromptsDiffer(3)));
}

#[test]
fn a_draw_of_nobody_with_a_weight_has_no_readings() {
    let people = People::new(points(&[vec![0.2], vec![0.8]])).with_weights(vec![1.0, 0.0]).unwrap();
    let yardstick = Yardstick::new(1, 1, 4);
    assert!(readings(&people, &[0.0, 0.0], &yardstick).iter().all(|reading| reading.is_nan()));
}

#[test]
fn impossible_input_is_an_error() {
    assert_eq!(Points::new(9, vec![0.5; 9]), Err(AlignedShareError::Axes(9)));
    assert_eq!(Points::new(2, vec![]), Err(AlignedShareError::Nobody("points")));
    assert!(matches!(
        Points::new(1, vec![f64::NAN]),
        Err(AlignedShareError::Position { row: 0, .. })
    ));
    assert!(matches!(Points::new(2, vec![0.5; 3]), Err(AlignedShareError::Shape { .. })));
    let people = || People::new(points(&[vec![0.5, 0.5], vec![0.1, 0.2]]));
    let weigh = |weights| people().with_weights(weights).unwrap_err();
    assert_eq!(weigh(vec![1.0, -1.0]), AlignedShareError::Weight { row: 1, value: -1.0 });
    assert_eq!(weigh(vec![0.0, 0.0]), AlignedShareError::Weight { row: 2, value: 0.0 });
    assert!(matches!(
        weigh(vec![1.0]),
        AlignedShareError::Shape { what: "weights", found: 1, expected: 2 }
    ));
    let line = Models::Fixed(points(&[vec![0.5]]));
    let differ = aligned_share(&people(), &line, 4, &quick());
    assert_eq!(differ, Err(AlignedShareError::AxesDiffer { people: 2, models: 1 }));
    let axis = PromptScores::new(1, vec![3], vec![Some(0.5)]);
    assert_eq!(axis, Err(AlignedShareError::PromptAxis { prompt: 0, axis: 3, n_axes: 1 }));
}

#[test]
fn one_person_says_nothing_of_uncertainty() {
    let people = People::new(points(&[vec![0.5]]));
    let found = aligned_share(&people, &Models::Fixed(points(&[vec![0.2]])), 4, &quick())
        .unwrap()
        .lower_corner;
    assert_eq!(
        (found.value, found.low, found.high, found.method),
        (1.0, 0.0, 1.0, Method::WholeRange)
    );
}

#[test]
fn nobody_above_the_corner_is_not_a_certain_zero() {
    let people = People::new(points(&vec![vec![0.1]; 50]));
    let found = aligned_share(&people, &Models::Fixed(points(&[vec![0.9]])), 4, &quick())
        .unwrap()
        .lower_corner;
    assert_eq!((found.value, found.low), (0.0, 0.0));
    check_close(found.high, crate::interval::wilson(0, 50, 0.95).unwrap().high, 1e-12);
}

proptest! {
    #![proptest_config(seeded())]

    #[test]
    fn neither_the_order_of_people_nor_the_scale_of_weights_matters(
        rows in prop::collection::vec((prop::collection::vec(0_u8..=8, 2), 0.1_f64..5.0), 2..30),
        models in prop::collection::vec(prop::collection::vec(0_u8..=8, 2), 1..6),
        scale in 0.01_f64..100.0,
    ) {
        let place = |row: &Vec<u8>| -> Vec<f64> { row.iter().map(|x| f64::from(*x) / 8.0).collect() };
        let models = Models::Fixed(points(&models.iter().map(place).collect::<Vec<_>>()));
        let run = |rows: &[(Vec<u8>, f64)], scale: f64| {
            let positions = points(&rows.iter().map(|(row, _)| place(row)).collect::<Vec<_>>());
            let weights = rows.iter().map(|(_, weight)| weight * scale).collect();
            let people = People::new(positions).with_weights(weights).unwrap();
            aligned_share(&people, &models, 3, &Bootstrap { resamples: 100, ..Bootstrap::default() }).unwrap()
        };
        let turned: Vec<_> = rows.iter().rev().cloned().collect();
        let (given, turned) = (run(&rows, 1.0), run(&turned, scale));
        for (a, b) in values(&given).into_iter().zip(values(&turned)) {
            prop_assert!((a - b).abs() < 1e-9);
        }
        prop_assert!((given.design_effect - turned.design_effect).abs() < 1e-9 && given.design_effect >= 1.0 - 1e-12);
        // What is in the box is above its corner and inside on every axis.
        let [corner, boxed, weakest, ..] = values(&given);
        prop_assert!(boxed <= corner + 1e-12 && boxed <= weakest + 1e-12);
    }
}
