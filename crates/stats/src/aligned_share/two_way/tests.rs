//! The two-way bootstrap against numpy, against closed forms and simulations, and the laws that it keeps.

use proptest::prelude::*;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::Deserialize;

use super::sample::{Draw, Sample};
use super::*;
use crate::aligned_share::{Models, Respondent, aligned_share};
use crate::bootstrap::std_dev;
use crate::interval::Method;
use crate::oracle::{check_close, seeded};

#[derive(Deserialize)]
struct Case {
    n_axes: usize,
    axis_of_prompt: Vec<usize>,
    n_groups: usize,
    fine_bins: usize,
    scores: Vec<Vec<Option<f64>>>,
    weights: Vec<f64>,
    strata: Vec<usize>,
    groups: Vec<Vec<usize>>,
    counts: Vec<Vec<[u32; 3]>>,
    tables: Vec<Vec<Vec<usize>>>,
    draws: Vec<OracleDraw>,
}

#[derive(Deserialize)]
struct OracleDraw {
    people: Vec<u32>,
    prompts: Vec<f64>,
    tables: Vec<Vec<Vec<usize>>>,
    figures: Vec<Option<f64>>,
}

#[derive(Deserialize)]
struct Oracle {
    cases: Vec<Case>,
}

fn cases() -> Vec<Case> {
    let text = include_str!("../../../testdata/aligned_share.json");
    serde_json::from_str::<Oracle>(text).unwrap().cases
}

fn tables(counts: &[Vec<Vec<usize>>]) -> Vec<Confusion> {
    let table =
        |counts: &Vec<Vec<usize>>| Confusion { counts: counts.clone(), unscored: vec![0; 3] };
    counts.iter().map(table).collect()
}

impl Case {
    fn survey(&self) -> Survey {
        let mut survey =
            Survey::new(self.n_axes, self.axis_of_prompt.clone(), self.n_groups).unwrap();
        for (person, scores) in self.scores.iter().enumerate() {
            let scores = scores.iter().enumerate();
            let answers: Vec<(usize, f64)> = scores.filter_map(|(p, s)| Some((p, (*s)?))).collect();
            let respondent = Respondent {
                answers: &answers,
                weight: self.weights[person],
                stratum: self.strata[person],
                groups: &self.groups[person],
            };
            survey.push(&respondent).unwrap();
        }
        survey
    }

    fn models(&self) -> PromptScores {
        PromptScores::from_counts(self.n_axes, self.axis_of_prompt.clone(), &self.counts.concat())
            .unwrap()
    }

    fn has_place(&self, person: usize) -> bool {
        let answered = |axis| {
            let prompts = self.scores[person].iter().zip(&self.axis_of_prompt);
            prompts.filter(|(score, of)| **of == axis && score.is_some()).count() > 0
        };
        (0..self.n_axes).all(answered)
    }
}

fn quick() -> Bootstrap {
    Bootstrap { resamples: 200, ..Bootstrap::default() }
}

#[test]
fn the_figures_of_given_draws_equal_those_of_numpy() {
    for case in cases() {
        let (survey, models) = (case.survey(), case.models());
        let judge = JudgeError::new(&tables(&case.tables), case.n_axes).unwrap();
        let sample = Sample::new(&survey, &models, Some(judge), case.fine_bins).unwrap();
        let placed: Vec<usize> =
            (0..case.weights.len()).filter(|person| case.has_place(*person)).collect();
        assert_eq!(placed.len(), survey.n_people());
        let order = survey.order();
        // One scratch for all draws: nothing of a draw may stay in it.
        let mut scratch = sample.scratch();
        for oracle in &case.draws {
            let draw = Draw {
                people: order.iter().map(|i| oracle.people[placed[*i as usize]]).collect(),
                prompts: oracle.prompts.clone(),
                judge: Some(JudgeError::new(&tables(&oracle.tables), case.n_axes).unwrap()),
            };
            let mut found = vec![0.0; 2 * sample.n_figures_of_way()];
            sample.evaluate(&draw, &mut scratch, &mut found);
            assert_eq!(found.len(), oracle.figures.len());
            for (i, (found, expected)) in found.iter().zip(&oracle.figures).enumerate() {
                match expected {
                    Some(expected) => {
                        let close = (found - expected).abs() <= 1e-9;
                        assert!(close, "{} axes, {i}: {found} {expected}", case.n_axes);
                    }
                    None => assert!(found.is_nan()),
                }
            }
        }
    }
}

/// The values of the figures in the order of the oracle; nothing for groups without people.
fn values(found: &PlacedShare) -> Vec<f64> {
    let groups = found.groups.iter().flatten();
    let figures = std::iter::once(&found.everyone).chain(groups).flat_map(|group| {
        let share = &group.share;
        let readings = [
            share.lower_corner,
            share.inside_box,
            share.weakest_axis,
            share.overlap,
            share.overlap_fine,
            share.quadrant,
        ];
        let models = group.models.iter().flat_map(|model| {
            let Added { lower_corner, inside_box, overlap } = model.added;
            let distance = std::iter::once(&model.distance).chain(&model.difference);
            distance.copied().chain([lower_corner, inside_box, overlap]).collect::<Vec<_>>()
        });
        readings.into_iter().chain(group.place.iter().copied()).chain(models).collect::<Vec<_>>()
    });
    let places = found.places.iter().flatten().copied();
    places.chain(figures).map(|estimate| estimate.value).collect()
}

#[test]
fn each_figure_has_its_name_and_its_interval() {
    for case in cases() {
        let judge = tables(&case.tables);
        let found =
            survey_share(&case.survey(), &case.models(), Some(&judge), case.fine_bins, &quick())
                .unwrap();
        assert_eq!(found.judged.groups.iter().filter(|group| group.is_none()).count(), 1);
        assert_eq!(found.n_people + found.n_unplaced, case.weights.len());
        let corrected = found.corrected.unwrap().unwrap();
        let found: Vec<f64> = [&found.judged, &corrected].into_iter().flat_map(values).collect();
        let expected: Vec<f64> = case.draws[0].figures.iter().copied().flatten().collect();
        assert_eq!(found.len(), expected.len());
        for (found, expected) in found.into_iter().zip(expected) {
            check_close(found, expected, 1e-9);
        }
        let GroupShare { share, effective_n, models, place } = &corrected.everyone;
        assert!(*effective_n < share.n_people as f64 && share.design_effect > 1.0);
        check_close(*effective_n, share.n_people as f64 / share.design_effect, 1e-9);
        for estimate in place.iter().chain(&models[0].difference) {
            assert!(estimate.low <= estimate.value && estimate.value <= estimate.high);
            assert_eq!(estimate.n_clusters, *effective_n as usize);
        }
    }
}

#[test]
fn people_with_one_answer_an_axis_are_points() {
    // With all prompts of an axis answered alike, drawing them moves nobody: the share of points is the oracle.
    let h = [[0.9, 0.8], [0.7, 0.4], [0.3, 0.9], [0.2, 0.1], [0.65, 0.7], [0.5, 0.5]];
    let m = [[0.8, 0.75], [0.7, 0.65], [0.9, 0.85]];
    let axis_of_prompt = vec![0, 1, 0, 1];
    let mut survey = Survey::new(2, axis_of_prompt.clone(), 0).unwrap();
    for [x, y] in h {
        let answers = [(0, x), (1, y), (2, x), (3, y)];
        let person = Respondent { answers: &answers, weight: 1.0, stratum: 0, groups: &[] };
        assert!(survey.push(&person).unwrap());
    }
    let scores = m.iter().flat_map(|[x, y]| [x, y, x, y]).map(|score| Some(*score)).collect();
    let models = PromptScores::new(2, axis_of_prompt, scores).unwrap();
    let settings = Bootstrap { resamples: 4_000, ..Bootstrap::default() };
    let found = survey_share(&survey, &models, None, 4, &settings).unwrap();
    assert_eq!(found.corrected, None);
    let everyone = &found.judged.everyone;
    let share = &everyone.share;
    let expected = [1.0 / 6.0, 1.0 / 6.0, 1.0 / 3.0, 1.0 / 3.0, 1.0 / 3.0];
    let readings =
        [share.lower_corner, share.inside_box, share.weakest_axis, share.overlap, share.quadrant];
    for (found, expected) in readings.iter().zip(expected) {
        check_close(found.value, expected, 1e-12);
    }
    let points = aligned_share(
        &survey.people().unwrap(),
        &Models::Fixed(models.places()),
        4,
        &Bootstrap { seed: 1, ..settings },
    )
    .unwrap();
    let expected = points.lower_corner.std_error.unwrap();
    check_close(readings[0].std_error.unwrap(), expected, 0.05 * expected);
    // Whoever is in the corner is above the second lowest model too, and in the box thanks to the highest one.
    let added: Vec<f64> =
        everyone.models.iter().map(|model| model.added.lower_corner.value).collect();
    assert_eq!(added, [0.0, 0.0, 0.0]);
    let added: Vec<f64> =
        everyone.models.iter().map(|model| model.added.inside_box.value).collect();
    check_close(added[2], 1.0 / 6.0, 1e-12);
}

#[test]
fn a_candidate_appended_says_what_it_would_add() {
    let case = &cases()[1];
    let n_prompts = case.axis_of_prompt.len();
    let candidate: Vec<[u32; 3]> = (0..n_prompts).map(|i| [u32::from(i % 3 > 0), 0, 1]).collect();
    let candidate = PromptScores::from_counts(2, case.axis_of_prompt.clone(), &candidate).unwrap();
    let both = case.models().append(&candidate).unwrap();
    let run = |models: &PromptScores| {
        let found = survey_share(&case.survey(), models, None, 5, &quick()).unwrap();
        found.judged.everyone
    };
    let (before, after) = (run(&case.models()), run(&both));
    let added = &after.models[case.models().n_models()].added;
    assert!(added.inside_box.value > 0.0, "{added:?}");
    let gain = after.share.inside_box.value - before.share.inside_box.value;
    check_close(added.inside_box.value, gain, 1e-12);
    let gain = after.share.overlap.value - before.share.overlap.value;
    check_close(added.overlap.value, gain, 1e-12);
}

/// People and models on prompts of one axis: a score is 1 with a probability that person and prompt move.
struct World {
    n_people: usize,
    n_prompts: usize,
    spread_of_people: f64,
    spread_of_prompts: f64,
}

impl World {
    /// Scores `[n_people, n_prompts]`, the last one being a model's.
    fn scores(&self, rng: &mut ChaCha8Rng) -> Vec<Vec<f64>> {
        let prompts: Vec<f64> = (0..self.n_prompts)
            .map(|_| self.spread_of_prompts * (rng.random::<f64>() - 0.5))
            .collect();
        (0..=self.n_people)
            .map(|person| {
                let of_person = self.spread_of_people * (rng.random::<f64>() - 0.5);
                let of_person = if person == self.n_people { 0.1 } else { of_person };
                prompts
                    .iter()
                    .map(|b| f64::from(rng.random::<f64>() < 0.5 + of_person + b))
                    .collect()
            })
            .collect()
    }

    fn everyone(&self, scores: &[Vec<f64>], settings: &Bootstrap) -> GroupShare {
        let axis_of_prompt = vec![0; self.n_prompts];
        let mut survey = Survey::new(1, axis_of_prompt.clone(), 0).unwrap();
        for scores in &scores[..self.n_people] {
            let answers: Vec<(usize, f64)> = scores.iter().copied().enumerate().collect();
            let person = Respondent { answers: &answers, weight: 1.0, stratum: 0, groups: &[] };
            assert!(survey.push(&person).unwrap());
        }
        let model = scores[self.n_people].iter().map(|score| Some(*score)).collect();
        let models = PromptScores::new(1, axis_of_prompt, model).unwrap();
        survey_share(&survey, &models, None, 2, settings).unwrap().judged.everyone
    }
}

#[test]
fn the_standard_error_of_a_mean_place_is_the_two_way_one() {
    let world =
        World { n_people: 60, n_prompts: 40, spread_of_people: 0.5, spread_of_prompts: 0.5 };
    let scores = world.scores(&mut ChaCha8Rng::seed_from_u64(3));
    let scores_of_people = &scores[..world.n_people];
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let by_person: Vec<f64> = scores_of_people.iter().map(|row| mean(row)).collect();
    let by_prompt: Vec<f64> = (0..world.n_prompts)
        .map(|prompt| mean(&scores_of_people.iter().map(|row| row[prompt]).collect::<Vec<_>>()))
        .collect();
    let all = scores_of_people.concat();
    let variance = |values: &[f64]| std_dev(values).powi(2) / values.len() as f64;
    let two_way = variance(&by_person) + variance(&by_prompt) - variance(&all);
    let settings = Bootstrap { resamples: 4_000, ..Bootstrap::default() };
    let found = world.everyone(&scores, &settings).place[0].std_error.unwrap();
    // The pigeonhole bootstrap counts the variance of single answers three times, one of people alone forgets the prompts.
    assert!((1.0..1.12).contains(&(found / two_way.sqrt())), "{found} {}", two_way.sqrt());
    assert!(found > 1.3 * variance(&by_person).sqrt());
}

#[test]
fn intervals_hold_the_truth_at_least_as_often_as_they_say() {
    let world =
        World { n_people: 40, n_prompts: 20, spread_of_people: 0.6, spread_of_prompts: 0.6 };
    let (n_simulations, mut of_place, mut of_difference) = (600, 0, 0);
    let mut rng = ChaCha8Rng::seed_from_u64(11);
    for seed in 0..n_simulations {
        let settings = Bootstrap { resamples: 300, seed, ..Bootstrap::default() };
        let found = world.everyone(&world.scores(&mut rng), &settings);
        let holds = |estimate: &Estimate, truth| estimate.low <= truth && truth <= estimate.high;
        of_place += u64::from(holds(&found.place[0], 0.5));
        of_difference += u64::from(holds(&found.models[0].difference[0], 0.1));
    }
    for held in [of_place, of_difference] {
        let share = held as f64 / n_simulations as f64;
        assert!((0.93..=0.99).contains(&share), "{share}");
    }
}

#[test]
fn the_number_of_threads_does_not_matter() {
    let case = &cases()[1];
    let judge = tables(&case.tables);
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            survey_share(&case.survey(), &case.models(), Some(&judge), 5, &quick()).unwrap()
        })
    };
    assert_eq!(run(1), run(3));
}

#[test]
fn neither_a_validation_nor_other_models_change_the_draws() {
    let case = &cases()[1];
    let judge = tables(&case.tables);
    let run = |judge| survey_share(&case.survey(), &case.models(), judge, 5, &quick()).unwrap();
    let (without, with) = (run(None), run(Some(&judge[..])));
    assert_eq!(without.judged, with.judged);
    let other = PromptScores::new(2, case.axis_of_prompt.clone(), vec![Some(0.5); 12]).unwrap();
    let other = survey_share(&case.survey(), &other, None, 5, &quick()).unwrap();
    assert_eq!(without.judged.everyone.place, other.judged.everyone.place);
}

#[test]
fn the_judges_error_widens_the_interval() {
    let case = &cases()[1];
    let judge = tables(&case.tables);
    let found = survey_share(&case.survey(), &case.models(), Some(&judge), 5, &quick()).unwrap();
    let corrected = found.corrected.unwrap().unwrap();
    let width = |found: &PlacedShare| -> f64 {
        found.places.iter().flatten().map(|place| place.high - place.low).sum()
    };
    assert!(width(&corrected) > 1.2 * width(&found.judged));
    assert_eq!(corrected.everyone.place, found.judged.everyone.place);
}

#[test]
fn a_correction_that_cannot_be_made_says_why() {
    let case = &cases()[1];
    let judge = tables(&case.tables);
    let means = vec![Some(0.3); case.axis_of_prompt.len()];
    let means = PromptScores::new(2, case.axis_of_prompt.clone(), means).unwrap();
    let run = |models: &PromptScores, judge: &[Confusion]| {
        survey_share(&case.survey(), models, Some(judge), 5, &quick()).unwrap().corrected
    };
    assert_eq!(run(&means, &judge), Some(Err(CorrectionError::NoClasses)));
    let mut blind = judge.clone();
    blind[1].counts = vec![vec![5, 5, 5]; 3];
    assert_eq!(run(&case.models(), &blind), Some(Err(CorrectionError::Singular(1))));
    // Two texts a class: some one in five draws confuses the classes wholly, which is no interval.
    let mut few = judge;
    few[0].counts = vec![vec![1, 1, 0], vec![0, 2, 0], vec![0, 0, 2]];
    let found = run(&case.models(), &few).unwrap().unwrap();
    assert_eq!(found.everyone.share.lower_corner.method, Method::WholeRange);
}

#[test]
fn a_draw_without_a_place_for_a_model_has_no_figures() {
    // The model has one scored prompt of three: 8 in 27 draws miss it.
    let mut survey = Survey::new(1, vec![0; 3], 0).unwrap();
    for person in 0..20 {
        let answers = [(0, f64::from(person % 2)), (1, 0.5), (2, 1.0)];
        let person = Respondent { answers: &answers, weight: 1.0, stratum: 0, groups: &[] };
        assert!(survey.push(&person).unwrap());
    }
    let models = PromptScores::new(1, vec![0; 3], vec![Some(0.5), None, None]).unwrap();
    let found = survey_share(&survey, &models, None, 2, &quick()).unwrap();
    assert_eq!(found.judged.everyone.share.lower_corner.method, Method::WholeRange);
    assert_eq!(found.judged.places[0][0].method, Method::WholeRange);
}

#[test]
fn impossible_input_is_an_error() {
    let case = &cases()[1];
    let (survey, models) = (case.survey(), case.models());
    let run = |models: &PromptScores, fine_bins| {
        survey_share(&survey, models, None, fine_bins, &quick()).unwrap_err()
    };
    assert_eq!(run(&models, 1), SurveyError::Share(AlignedShareError::Bins(1)));
    let fewer = PromptScores::new(2, vec![0, 1], vec![Some(0.5); 2]).unwrap();
    let shape = AlignedShareError::Shape { what: "prompts", found: 12, expected: 2 };
    assert_eq!(run(&fewer, 5), SurveyError::Share(shape));
    let axes: Vec<usize> = case.axis_of_prompt.iter().map(|axis| 1 - axis).collect();
    let turned = PromptScores::new(2, axes, vec![Some(0.5); 12]).unwrap();
    assert_eq!(run(&turned, 5), SurveyError::Share(AlignedShareError::PromptsDiffer(0)));
    let nobody = Survey::new(2, case.axis_of_prompt.clone(), 0).unwrap();
    let found = survey_share(&nobody, &models, None, 5, &quick());
    assert_eq!(found, Err(SurveyError::Nobody { n_unplaced: 0 }));
    let few = Bootstrap { resamples: 99, ..Bootstrap::default() };
    assert!(survey_share(&survey, &models, None, 5, &few).is_err());
}

#[test]
fn impossible_respondents_are_errors_and_leave_the_survey_as_it_was() {
    let mut survey = Survey::new(1, vec![0; 2], 3).unwrap();
    let good = Respondent { answers: &[(1, 0.5)], weight: 1.0, stratum: 4, groups: &[2, 0, 2] };
    assert!(survey.push(&good).unwrap());
    let mut refuse = |person: Respondent, expected| {
        assert_eq!(survey.push(&person), Err(expected));
        assert_eq!((survey.n_people(), survey.n_unplaced()), (1, 0));
    };
    refuse(
        Respondent { answers: &[(0, 1.0), (2, 0.5)], ..good },
        SurveyError::Prompt { person: 1, prompt: 2, n_prompts: 2 },
    );
    refuse(
        Respondent { answers: &[(0, 1.5)], ..good },
        SurveyError::Score { person: 1, value: 1.5 },
    );
    refuse(Respondent { weight: -1.0, ..good }, SurveyError::Weight { person: 1, value: -1.0 });
    refuse(
        Respondent { groups: &[3], ..good },
        SurveyError::Group { person: 1, group: 3, n_groups: 3 },
    );
    assert_eq!(
        Survey::new(1, vec![1], 0).unwrap_err(),
        SurveyError::Share(AlignedShareError::PromptAxis { prompt: 0, axis: 1, n_axes: 1 })
    );
}

proptest! {
    #![proptest_config(seeded())]

    #[test]
    fn what_a_model_adds_is_never_less_than_nothing_and_order_does_not_matter(
        people in prop::collection::vec((prop::collection::vec(0_u8..=2, 4), 0.1_f64..5.0, 0_usize..3), 2..20),
        models in prop::collection::vec(prop::collection::vec(0_u8..=2, 4), 1..6),
    ) {
        let axis_of_prompt = vec![0, 1, 0, 1];
        let halves = |row: &[u8]| row.iter().map(|x| f64::from(*x) / 2.0).enumerate().collect::<Vec<_>>();
        let scores = models.concat().iter().map(|x| Some(f64::from(*x) / 2.0)).collect();
        let models = PromptScores::new(2, axis_of_prompt.clone(), scores).unwrap();
        let run = |people: &[&(Vec<u8>, f64, usize)]| {
            let mut survey = Survey::new(2, axis_of_prompt.clone(), 3).unwrap();
            for (row, weight, group) in people {
                let person = Respondent { answers: &halves(row), weight: *weight, stratum: *group, groups: &[*group] };
                survey.push(&person).unwrap();
            }
            let settings = Bootstrap { resamples: 100, ..Bootstrap::default() };
            survey_share(&survey, &models, None, 3, &settings).unwrap().judged
        };
        let given = run(&people.iter().collect::<Vec<_>>());
        let turned = run(&people.iter().rev().collect::<Vec<_>>());
        for (a, b) in values(&given).into_iter().zip(values(&turned)) {
            prop_assert!((a - b).abs() < 1e-9);
        }
        for group in given.groups.iter().flatten().chain([&given.everyone]) {
            for model in &group.models {
                prop_assert!(model.added.lower_corner.value >= 0.0 && model.added.lower_corner.low >= 0.0);
                prop_assert!(model.added.inside_box.value <= group.share.inside_box.value + 1e-12);
            }
        }
    }
}
