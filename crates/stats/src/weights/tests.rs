//! Weights against R's survey, worked tables, and the laws of raking.

use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::design::{Design, LonelyPsu, Stage};
use crate::oracle::{Table, check_close, check_relative, design_oracle, read, seeded};

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(ToString::to_string).collect()
}

fn exact() -> RakeSettings {
    RakeSettings { tolerance: 1e-13, ..RakeSettings::default() }
}

/// Margins of two or three categories, everybody in one.
fn margin(name: &str, targets: &[f64], category_of: &[u32]) -> Result<Margin, WeightsError> {
    let category_of: Vec<Option<u32>> = category_of.iter().copied().map(Some).collect();
    let categories = names(&["a", "b", "c"][..targets.len()]);
    Margin::new(name, categories, Targets::Shares(targets.to_vec()), &category_of, Missing::Refuse)
}

fn people() -> (Table, Vec<f64>) {
    let people = Table::of(&design_oracle("tables")["people"]);
    let weights = people.numbers("weight").iter().map(|weight| weight.unwrap()).collect();
    (people, weights)
}

fn margin_of(people: &Table, case: &Value) -> Margin {
    let name = case["column"].as_str().unwrap();
    let targets: Vec<f64> = read(&case["targets"]);
    let categories = (0..targets.len()).map(|i| i.to_string()).collect();
    let targets = match case["kind"].as_str() {
        Some("totals") => Targets::Totals(targets),
        _ => Targets::Shares(targets),
    };
    let category_of: Vec<Option<u32>> =
        people.numbers(name).iter().map(|code| code.map(|code| code as u32)).collect();
    Margin::new(name, categories, targets, &category_of, Missing::KeepShare).unwrap()
}

fn check_all(found: &[f64], expected: &Value) {
    let expected: Vec<f64> = read(expected);
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        check_relative(*found, expected, 1e-9);
    }
}

#[test]
fn weights_equal_those_of_the_survey_package() {
    let (people, base) = people();
    let oracle = design_oracle("weighting");
    for case in oracle["rake"].as_array().unwrap() {
        let margins: Vec<Margin> =
            case["margins"].as_array().unwrap().iter().map(|m| margin_of(&people, m)).collect();
        let raked = rake(&base, &margins, &exact()).unwrap();
        assert!(raked.converged && raked.iterations > 1, "{raked:?}");
        check_all(&raked.weights, &case["weights"]);
        // The order of the margins does not matter.
        let turned: Vec<Margin> = margins.iter().rev().cloned().collect();
        check_all(&rake(&base, &turned, &exact()).unwrap().weights, &case["weights"]);
    }
    let cells = margin_of(&people, &oracle["poststratify"]["margin"]);
    check_all(&poststratify(&base, &cells).unwrap(), &oracle["poststratify"]["weights"]);
}

#[test]
fn trimmed_weights_equal_those_of_the_survey_package() {
    let (people, base) = people();
    let oracle = design_oracle("weighting");
    let raked: Vec<f64> = read(&oracle["rake"][0]["weights"]);
    for case in oracle["trim"].as_array().unwrap() {
        let bound = |key: &str| case[key].as_f64().map(Bound::Absolute);
        let bounds = Bounds { lower: bound("lower"), upper: bound("upper") };
        let trimmed = trim(&raked, &bounds).unwrap();
        check_all(&trimmed.weights, &case["weights"]);
        assert_eq!(
            (trimmed.lower, trimmed.upper),
            (case["lower"].as_f64(), case["upper"].as_f64())
        );
        assert!(trimmed.n_at_upper > 0);
    }
    for case in oracle["trim_small"].as_array().unwrap() {
        let bound = |key: &str| case[key].as_f64().map(Bound::Absolute);
        let bounds = Bounds { lower: bound("lower"), upper: bound("upper") };
        let base: Vec<f64> = read(&case["base"]);
        check_all(&trim(&base, &bounds).unwrap().weights, &case["weights"]);
    }
    let both = &oracle["trim"][0];
    let bounds = Bounds {
        lower: Some(Bound::TimesMean(read(&both["times_mean"]))),
        upper: Some(Bound::TimesMedian(read(&both["times_median"]))),
    };
    check_all(&trim(&raked, &bounds).unwrap().weights, &both["weights"]);

    let case = &oracle["trim_and_rake"];
    let margins: Vec<Margin> = oracle["rake"][0]["margins"]
        .as_array()
        .unwrap()
        .iter()
        .map(|m| margin_of(&people, m))
        .collect();
    let upper = Some(Bound::TimesMean(read(&case["times_mean"])));
    let bounds = Bounds { upper, ..Bounds::default() };
    let settings = RakeSettings { tolerance: 1e-11, ..RakeSettings::default() };
    let found = trim_and_rake(&base, &margins, &bounds, &settings).unwrap();
    check_relative(found.upper.unwrap(), read(&case["upper"]), 1e-12);
    check_all(&found.raked.weights, &case["weights"]);
    assert!(found.raked.converged && found.rounds > 1 && found.n_at_upper > 1, "{found:?}");
    let largest = found.raked.weights.iter().copied().fold(0.0, f64::max);
    assert!(largest <= found.upper.unwrap());
    assert!(found.raked.margins.iter().all(|fit| fit.deviation <= settings.tolerance));
}

#[test]
fn the_price_and_the_gain_of_weighting_equal_those_of_r() {
    let (people, base) = people();
    let oracle = design_oracle("weighting");
    let raked: Vec<f64> = read(&oracle["rake"][0]["weights"]);
    check_close(effective_sample_size(&raked), read(&oracle["effective_sample_size"]), 1e-9);
    check_close(kish_design_effect(&raked), read(&oracle["kish"]), 1e-9);
    let age = margin_of(&people, &oracle["rake"][0]["margins"][1]);
    let found = balance(&age, &base, &raked).unwrap();
    let column = |of: fn(&Balance) -> f64| found.iter().map(of).collect::<Vec<_>>();
    for (column, key) in [
        (column(|row| row.before), "before"),
        (column(|row| row.after), "after"),
        (column(|row| row.target), "target"),
        (column(|row| row.difference_before.unwrap()), "difference_before"),
        (column(|row| row.difference_after.unwrap()), "difference_after"),
    ] {
        check_all(&column, &oracle["balance"][key]);
    }
}

#[test]
fn weights_of_schools_equal_those_of_the_survey_package() {
    let Some(population) = Table::schools("api_pop") else { return };
    let oracle = &design_oracle("api")["clusters"];
    let districts: Vec<f64> = read(&oracle["districts"]);
    let mut schools =
        population.filter("dnum", |district| districts.contains(&district.as_f64().unwrap()));
    // R's weights are in the order of the schools' codes.
    schools.sort_by("cds");
    let base = vec![read::<f64>(&oracle["pw"]); schools.column("cds").len()];
    let totals = |column: &str| {
        let (codes, levels) = population.codes(column);
        let mut counts = vec![0.0; levels.len()];
        codes.iter().for_each(|code| counts[code.unwrap() as usize] += 1.0);
        let (own, own_levels) = schools.codes(column);
        let known = |level: &String| levels.iter().position(|other| other == level).unwrap() as u32;
        let map: Vec<u32> = own_levels.iter().map(known).collect();
        let category_of: Vec<Option<u32>> =
            own.iter().map(|code| code.map(|code| map[code as usize])).collect();
        let targets = Targets::Totals(counts);
        Margin::new(column, levels, targets, &category_of, Missing::Refuse).unwrap()
    };
    let (types, wide) = (totals("stype"), totals("sch.wide"));
    let raked = rake(&base, &[types.clone(), wide], &exact()).unwrap().weights;
    let poststratified = poststratify(&base, &types).unwrap();
    let units = schools.codes("dnum").0.iter().map(|code| code.unwrap() as usize).collect();
    let districts = Stage {
        units: Some(units),
        population: Some(vec![read(&oracle["n_districts"]); base.len()]),
        ..Stage::default()
    };
    for (weights, key) in [(raked, "raked"), (poststratified, "poststratified")] {
        check_all(&weights, &oracle[key]);
        let design =
            Design::new(weights, std::slice::from_ref(&districts), LonelyPsu::Fail).unwrap();
        let is_high: Vec<Option<bool>> =
            schools.column("stype").iter().map(|kind| Some(kind == "H")).collect();
        let found = [
            design.mean(&schools.numbers("api00"), 0.95).unwrap(),
            design.total(&schools.numbers("enroll"), 0.95).unwrap(),
            design.share(&is_high, 0.95).unwrap(),
        ];
        let expected = oracle[format!("{key}_estimates")].as_array().unwrap();
        for (found, expected) in found.iter().zip(expected) {
            check_relative(found.estimate.value, read(&expected["value"]), 1e-9);
            check_relative(found.estimate.std_error.unwrap(), read(&expected["std_error"]), 1e-9);
            check_relative(found.estimate.low, read(&expected["low"]), 1e-9);
            check_relative(found.design_effect.unwrap(), read(&expected["design_effect"]), 1e-9);
        }
    }
}

#[test]
fn a_worked_table_is_met() {
    // Counts of a table of two by two, raked to rows 80, 70 and columns 60, 90.
    let base = [40.0, 30.0, 35.0, 45.0];
    let totals = |name: &str, totals: [f64; 2], category_of: [u32; 4]| {
        let category_of = category_of.map(Some);
        let targets = Targets::Totals(totals.to_vec());
        Margin::new(name, names(&["first", "second"]), targets, &category_of, Missing::Refuse)
    };
    let rows = totals("rows", [80.0, 70.0], [0, 0, 1, 1]).unwrap();
    let columns = totals("columns", [60.0, 90.0], [0, 1, 0, 1]).unwrap();
    let raked = rake(&base, &[rows, columns], &RakeSettings::default()).unwrap();
    for (found, expected) in
        raked.weights.iter().zip([36.779_162_2, 43.220_837_8, 23.220_837_8, 46.779_162_2])
    {
        check_close(*found, expected, 1e-7);
    }
}

#[test]
fn bounds_are_met_where_rounds_only_tend_to_it() {
    // The mean is the bound: all weights are.
    let trimmed = trim(&[1.0, 2.0, 3.0, 0.0], &upper(Bound::Absolute(2.0))).unwrap();
    assert_eq!(trimmed.weights, [2.0, 2.0, 2.0, 0.0]);
    assert_eq!((trimmed.n_at_lower, trimmed.n_at_upper), (0, 3));
    // Nobody is inside at first.
    let bounds = Bounds { lower: Some(Bound::Absolute(2.0)), upper: Some(Bound::Absolute(5.0)) };
    let trimmed = trim(&[1.0, 1.0, 1.0, 9.0], &bounds).unwrap();
    for (found, expected) in trimmed.weights.iter().zip([7.0 / 3.0, 7.0 / 3.0, 7.0 / 3.0, 5.0]) {
        check_close(*found, expected, 1e-12);
    }
    let bounds = Bounds { lower: Some(Bound::Absolute(1.5)), upper: Some(Bound::Absolute(4.0)) };
    let trimmed = trim(&[0.1, 0.1, 0.1, 0.1, 0.1, 5.0, 6.0], &bounds).unwrap();
    for (found, expected) in trimmed.weights.iter().zip([1.5, 1.5, 1.5, 1.5, 1.5, 2.0, 2.0]) {
        check_close(*found, expected, 1e-12);
    }
    // Within the bounds, nothing moves.
    let same = trim(&[1.5, 3.0, 4.0], &bounds).unwrap();
    assert_eq!((same.weights, same.n_at_lower, same.n_at_upper), (vec![1.5, 3.0, 4.0], 1, 1));
}

fn upper(bound: Bound) -> Bounds {
    Bounds { upper: Some(bound), ..Bounds::default() }
}

#[test]
fn errors_name_margin_and_category() {
    let check = |found: Result<Raked, WeightsError>, expected: &str| {
        assert_eq!(found.unwrap_err().to_string(), expected);
    };
    let with = |base: &[f64], margins: &[Result<Margin, WeightsError>]| {
        let margins = margins.iter().cloned().collect::<Result<Vec<_>, _>>()?;
        rake(base, &margins, &RakeSettings::default())
    };
    let ones = [1.0; 4];
    let half = || margin("x", &[0.5, 0.5], &[0, 0, 1, 1]);
    check(with(&[], &[half()]), "weight nobody");
    check(with(&[0.0; 4], &[half()]), "weight anybody: all weights are 0");
    check(
        with(&[1.0, -1.0, 1.0, 1.0], &[half()]),
        "read weight `-1` of respondent `1`: weights are at least 0 and finite",
    );
    check(with(&[1.0; 3], &[half()]), "read `4` respondents in `x`: there are `3` weights");
    check(
        with(&ones, &[margin("x", &[0.5, f64::NAN], &[0, 0, 1, 1])]),
        "read target `NaN` of `b` in `x`: targets are at least 0 and finite",
    );
    check(
        with(&ones, &[margin("x", &[0.0, 0.0], &[0, 0, 1, 1])]),
        "read the targets of `x`: all are 0",
    );
    check(
        with(&ones, &[margin("x", &[1.0, 1.0], &[0, 0, 1, 7])]),
        "place respondent `3` in category `7` of `x`: there are `2`, counted from 0",
    );
    check(
        with(&[1.0, 1.0, 0.0, 0.0], &[half()]),
        "reach the target of `b` in `x`, a share of `0.5`: none of its `2` respondents has a weight",
    );
    check(
        with(&ones, &[margin("x", &[1.0, 0.0], &[0, 0, 1, 1])]),
        "weight `2` respondents of `b` in `x`: its target is 0 (leave them out, or join it with another category)",
    );
    let gap = [Some(0), None, Some(1), None];
    let targets = || Targets::Shares(vec![1.0, 1.0]);
    let missing = Margin::new("x", names(&["a", "b"]), targets(), &gap, Missing::Refuse);
    check(with(&ones, &[missing]), "place `2` of `4` respondents in `x`: they have no category");
    let short = Margin::new("x", names(&["a"]), targets(), &gap, Missing::Refuse);
    check(with(&ones, &[short]), "read `2` targets of `x`: it has `1` categories");
    let totals = |name: &str, total: f64| {
        let targets = Targets::Totals(vec![total, total]);
        Margin::new(name, names(&["a", "b"]), targets, &[0, 0, 1, 1].map(Some), Missing::Refuse)
    };
    check(
        with(&ones, &[totals("x", 50.0), half(), totals("y", 60.0)]),
        "rake to `x` with a total of `100` and to `y` with `120`: totals must agree",
    );
}

#[test]
fn margins_that_contradict_each_other_say_which_is_off() {
    // Who is a in one is a in the other, but the shares differ.
    let margins = [
        margin("x", &[0.5, 0.5], &[0, 0, 1, 1]).unwrap(),
        margin("y", &[0.6, 0.4], &[0, 0, 1, 1]).unwrap(),
    ];
    let settings = RakeSettings { max_iterations: 30, ..RakeSettings::default() };
    let error = rake(&[1.0; 4], &margins, &settings).unwrap_err();
    let expected = "meet all margins in `30` iterations: `a` in `x` weighs `2.4` instead of `2`, off by `2.00e-1` of it";
    assert_eq!(error.to_string(), expected);
    let settings = RakeSettings { allow_unconverged: true, ..settings };
    let raked = rake(&[1.0; 4], &margins, &settings).unwrap();
    assert!(!raked.converged && raked.iterations == 30);
    check_close(raked.margins[0].deviation, 0.2, 1e-12);
    assert!(raked.margins[1].deviation < 1e-12);
}

#[test]
fn bounds_that_cannot_be_met_say_why() {
    let check = |found: Result<Trimmed, WeightsError>, expected: &str| {
        assert_eq!(found.unwrap_err().to_string(), expected);
    };
    let ones = [1.0; 4];
    check(
        trim(&ones, &upper(Bound::Absolute(0.8))),
        "keep weights between `0` and `0.8`: their mean is `1`",
    );
    check(
        trim(&ones, &upper(Bound::TimesMean(-1.0))),
        "bound weights by `-1`: bounds are finite and at least 0, an upper one more than 0",
    );
    let crossed = Bounds { lower: Some(Bound::Absolute(3.0)), upper: Some(Bound::TimesMean(2.0)) };
    check(trim(&ones, &crossed), "keep weights between `3` and `2`");

    let lone = margin("x", &[0.2, 0.8], &[0, 0, 0, 1]).unwrap();
    let found = trim_and_rake(&ones, &[lone], &upper(Bound::Absolute(2.0)), &exact()).unwrap_err();
    assert_eq!(
        found.to_string(),
        "reach the target of `b` in `x`, `3.2`: `1` respondents between `0` and `2` cannot weigh that"
    );
    // Each category could carry its target, but respondent 0 is in all the heavy ones.
    let margins = [
        margin("x", &[0.45, 0.55], &[0, 0, 1, 1, 1, 1]).unwrap(),
        margin("y", &[0.45, 0.55], &[0, 1, 0, 1, 1, 1]).unwrap(),
        margin("z", &[0.1, 0.9], &[1, 0, 0, 1, 1, 1]).unwrap(),
    ];
    let settings = RakeSettings { max_iterations: 200, ..RakeSettings::default() };
    let bounds = upper(Bound::Absolute(1.6));
    let found = trim_and_rake(&[1.0; 6], &margins, &bounds, &settings).unwrap_err();
    assert!(found.to_string().contains("respondents are outside, the farthest weighs"), "{found}");
    let settings = RakeSettings { allow_unconverged: true, ..settings };
    let found = trim_and_rake(&[1.0; 6], &margins, &bounds, &settings).unwrap();
    assert!(!found.raked.converged && found.rounds == 200);
}

#[test]
fn no_weights_have_no_effective_size() {
    assert!(effective_sample_size(&[]).is_nan() && kish_design_effect(&[]).is_nan());
    assert_eq!(kish_design_effect(&[2.0; 5]), 1.0);
    assert_eq!(effective_sample_size(&[1.0, 1.0, 0.0]), 2.0);
}

/// Respondents with weights, in two margins that all have people: the first six are in every combination.
fn respondents() -> impl Strategy<Value = (Vec<f64>, Vec<u32>, Vec<u32>)> {
    prop::collection::vec((0.1..10.0_f64, 0_u32..2, 0_u32..3), 0..60).prop_map(|rows| {
        let all = (0..6).map(|i| (1.0, i % 2, i % 3)).chain(rows);
        let (weights, rest): (Vec<f64>, Vec<(u32, u32)>) =
            all.map(|(weight, x, y)| (weight, (x, y))).unzip();
        let (x, y) = rest.into_iter().unzip();
        (weights, x, y)
    })
}

proptest! {
    #![proptest_config(seeded())]

    #[test]
    fn margins_hold_after_raking_whatever_the_scale(
        (base, x, y) in respondents(),
        x_targets in prop::collection::vec(0.1..1.0_f64, 2),
        y_targets in prop::collection::vec(0.1..1.0_f64, 3),
        scale in 0.001..1000.0_f64,
    ) {
        let margins = [margin("x", &x_targets, &x).unwrap(), margin("y", &y_targets, &y).unwrap()];
        let raked = rake(&base, &margins, &RakeSettings::default()).unwrap();
        let sum: f64 = base.iter().sum();
        for (codes, margin) in [(&x, &margins[0]), (&y, &margins[1])] {
            for (category, share) in margin.shares().iter().enumerate() {
                let of_category = codes.iter().zip(&raked.weights).filter(|(c, _)| **c == category as u32);
                let found: f64 = of_category.map(|(_, weight)| weight).sum();
                prop_assert!((found / sum - share).abs() < 2e-9, "{found} {share}");
            }
        }
        let scaled: Vec<f64> = base.iter().map(|weight| weight * scale).collect();
        let other = rake(&scaled, &margins, &RakeSettings::default()).unwrap();
        for (a, b) in raked.weights.iter().zip(&other.weights) {
            prop_assert!((a * scale - b).abs() <= 1e-7 * b, "{a} {b}");
        }
        let kish = effective_sample_size(&raked.weights);
        prop_assert!(kish <= base.len() as f64 + 1e-9 && kish >= 1.0);
        prop_assert!((effective_sample_size(&other.weights) - kish).abs() < 1e-6 * kish);
    }

    #[test]
    fn trimming_keeps_the_sum_and_the_order(
        weights in prop::collection::vec(0.01..20.0_f64, 2..60),
        low in 0.0..1.0_f64,
        high in 1.0..4.0_f64,
    ) {
        let bounds = Bounds { lower: Some(Bound::TimesMean(low)), upper: Some(Bound::TimesMean(high)) };
        let trimmed = trim(&weights, &bounds).unwrap();
        let sum: f64 = weights.iter().sum();
        prop_assert!((trimmed.weights.iter().sum::<f64>() / sum - 1.0).abs() < 1e-12);
        let (lower, upper) = (trimmed.lower.unwrap_or(0.0), trimmed.upper.unwrap());
        prop_assert!(trimmed.weights.iter().all(|w| (lower..=upper).contains(w)));
    }
}
