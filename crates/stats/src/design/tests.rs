//! Designs against R's survey, with tables of our own and with the schools that it comes with.

use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::oracle::{Table, check_close, check_relative, design_oracle, read, seeded};

const TOLERANCE: f64 = 1e-9;

/// A table of our own, or of the schools where they are.
fn table(name: &str) -> Option<Table> {
    match &design_oracle("tables")[name] {
        Value::Null => Table::schools(name),
        ours => Some(Table::of(ours)),
    }
}

fn numbers(values: &[Option<f64>]) -> Vec<f64> {
    values.iter().map(|value| value.unwrap()).collect()
}

fn stage(table: &Table, names: &Value) -> Stage {
    let name = |key: &str| names[key].as_str();
    let codes = |key: &str| {
        let (codes, _) = table.codes(name(key)?);
        Some(codes.iter().map(|code| code.unwrap() as usize).collect())
    };
    Stage {
        strata: codes("strata"),
        units: codes("units"),
        population: name("population").map(|name| numbers(&table.numbers(name))),
        nest: read(&names["nest"]),
    }
}

fn design(case: &Value, table: &Table) -> Design {
    let stages: Vec<Stage> =
        case["stages"].as_array().unwrap().iter().map(|names| stage(table, names)).collect();
    let lonely = read(&case["lonely"]);
    match case["weights"].as_str() {
        Some(weights) => Design::new(numbers(&table.numbers(weights)), &stages, lonely).unwrap(),
        None => {
            let n = stages[0].population.as_ref().unwrap().len();
            Design::from_population(n, &stages, lonely).unwrap()
        }
    }
}

fn check(expected: &Value, design: &Design, table: &Table) {
    let in_domain = match expected["domain"].as_array() {
        None => design.clone(),
        Some(domain) => {
            let values = table.column(domain[0].as_str().unwrap());
            // R wrote 1 and the table 1.0.
            let is_it = |value: &Value| {
                *value == domain[1] || value.as_f64() == domain[1].as_f64() && value.is_number()
            };
            design.domain(&values.iter().map(is_it).collect::<Vec<_>>()).unwrap()
        }
    };
    let level = read(&expected["level"]);
    let name = |key: &str| expected[key].as_str().unwrap();
    let found = match expected["kind"].as_str().unwrap() {
        "mean" => in_domain.mean(&table.numbers(name("y")), level),
        "total" => in_domain.total(&table.numbers(name("y")), level),
        "ratio" => in_domain.ratio(&table.numbers(name("y")), &table.numbers(name("x")), level),
        "share" => {
            let is = match &expected["is"] {
                Value::Null => Value::from(1.0),
                is => is.clone(),
            };
            let is_it = |value: &Value| {
                (!value.is_null())
                    .then(|| *value == is || value.is_number() && value.as_f64() == is.as_f64())
            };
            let values: Vec<Option<bool>> = table.column(name("y")).iter().map(is_it).collect();
            in_domain.share(&values, level)
        }
        other => panic!("unknown estimate {other}"),
    };
    let found = found.unwrap();
    let Estimate { value, std_error, low, high, n, method, .. } = found.estimate;
    assert_eq!(
        (found.df, n, method),
        (read(&expected["df"]), read(&expected["n"]), Method::Linearised)
    );
    for (found, key) in [
        (value, "value"),
        (std_error.unwrap(), "std_error"),
        (low, "low"),
        (high, "high"),
        (found.design_effect.unwrap(), "design_effect"),
    ] {
        check_relative(found, read(&expected[key]), TOLERANCE);
    }
}

fn check_cases(cases: &Value) {
    for case in cases.as_array().unwrap() {
        let Some(table) = table(case["table"].as_str().unwrap()) else { continue };
        let design = design(case, &table);
        for expected in case["estimates"].as_array().unwrap() {
            println!("{}: {expected}", case["name"]);
            check(expected, &design, &table);
        }
    }
}

#[test]
fn estimates_equal_those_of_the_survey_package() {
    check_cases(&design_oracle("designs"));
}

#[test]
fn estimates_of_schools_equal_those_of_the_survey_package() {
    check_cases(&design_oracle("api")["cases"]);
}

#[test]
fn a_lonely_unit_is_an_error_that_names_its_stratum() {
    let lonely = Table::of(&design_oracle("tables")["lonely"]);
    let column = |name: &str| -> Vec<usize> {
        numbers(&lonely.numbers(name)).iter().map(|value| *value as usize).collect()
    };
    let (strata, units) = (Some(column("stratum")), Some(column("psu")));
    let stage = Stage { strata, units, ..Stage::default() };
    let weights = numbers(&lonely.numbers("weight"));
    let found = Design::new(weights.clone(), std::slice::from_ref(&stage), LonelyPsu::Fail);
    let error = found.unwrap_err();
    assert_eq!(error, DesignError::Lonely { stage: 1, stratum: 2, unit: 21 });
    assert!(error.to_string().contains("in stratum `2` of stage `1`: unit `21`"), "{error}");
    // A unit that is all there is of its stratum is not lonely: it has been seen whole.
    let population: Vec<f64> =
        column("stratum").iter().map(|stratum| if *stratum == 2 { 1.0 } else { 50.0 }).collect();
    let whole = Stage { population: Some(population), ..stage };
    assert!(Design::new(weights, &[whole], LonelyPsu::Fail).is_ok());
}

#[test]
fn what_does_not_fit_together_is_an_error() {
    let ones = || vec![1.0; 4];
    let new = |stage: Stage| Design::new(ones(), &[stage], LonelyPsu::Fail).unwrap_err();
    let strata = Some(vec![7, 7, 8, 8]);
    let length = new(Stage { strata: Some(vec![1]), ..Stage::default() });
    assert_eq!(length, DesignError::Length { what: "strata", found: 1, expected: 4 });
    let split =
        new(Stage { strata: strata.clone(), units: Some(vec![1, 2, 2, 3]), ..Stage::default() });
    assert_eq!(split, DesignError::NotNested { stage: 1, unit: 2, first: 7, second: 8 });
    let population = Some(vec![9., 9., 8., 9.]);
    let varies = new(Stage { strata: strata.clone(), population, ..Stage::default() });
    let expected = DesignError::PopulationDiffers { stage: 1, stratum: 8, first: 8., second: 9. };
    assert_eq!(varies, expected);
    let small = new(Stage { strata, population: Some(vec![2., 2., 1., 1.]), ..Stage::default() });
    let expected =
        DesignError::PopulationTooSmall { stage: 1, stratum: 8, n_units: 2, population: 1. };
    assert_eq!(small, expected);
    let weight = Design::new(vec![1.0, f64::NAN], &[], LonelyPsu::Fail).unwrap_err();
    assert!(weight.to_string().starts_with("read weight `NaN` of respondent `1`"), "{weight}");
    let none = Design::from_population(4, &[Stage::default()], LonelyPsu::Fail).unwrap_err();
    assert_eq!(none, DesignError::NoPopulation(1));

    let design = Design::new(ones(), &[], LonelyPsu::Fail).unwrap();
    let values = [Some(1.0), None, Some(3.0), Some(2.0)];
    assert_eq!(design.mean(&values, 1.0).unwrap_err(), DesignError::Level(1.0));
    assert_eq!(design.mean(&[None; 4], 0.95).unwrap_err(), DesignError::Nobody);
    assert_eq!(design.domain(&[false; 4]).unwrap_err(), DesignError::Nobody);
    let found = design.mean(&[Some(f64::INFINITY); 4], 0.95).unwrap_err();
    assert_eq!(found, DesignError::NotFinite(0));
    let found = design.ratio(&values, &[Some(0.0); 4], 0.95).unwrap_err();
    assert_eq!(found, DesignError::ZeroDenominator);
    let one = design.domain(&[true, false, false, false]).unwrap();
    let found = one.mean(&values, 0.95).unwrap_err();
    assert_eq!(found, DesignError::NoFreedom { n_psus: 1, n_strata: 1 });
}

#[test]
fn what_the_data_do_not_determine_has_a_wide_interval_and_a_census_none() {
    let design = Design::new(vec![1.0; 20], &[], LonelyPsu::Fail).unwrap();
    let all = design.share(&[Some(true); 20], 0.95).unwrap().estimate;
    assert_eq!((all.value, all.high, all.method), (1.0, 1.0, Method::WilsonOnClusters));
    check_close(all.low, crate::interval::wilson(20, 20, 0.95).unwrap().low, 1e-12);
    let mut members = [false; 20];
    members[3] = true;
    let one = design.domain(&members).unwrap().share(&[Some(true); 20], 0.95).unwrap();
    let Estimate { low, high, std_error, method, n_clusters, .. } = one.estimate;
    assert_eq!((low, high, std_error, method), (0.0, 1.0, None, Method::WholeRange));
    assert_eq!((one.df, n_clusters), (0, 1));
    let everybody = Stage { population: Some(vec![20.0; 20]), ..Stage::default() };
    let census = Design::from_population(20, &[everybody], LonelyPsu::Fail).unwrap();
    let values: Vec<Option<f64>> = (0..20).map(|i| Some(f64::from(i))).collect();
    let mean = census.mean(&values, 0.95).unwrap();
    assert_eq!((mean.estimate.low, mean.estimate.high), (9.5, 9.5));
    assert_eq!((mean.estimate.std_error, mean.design_effect), (Some(0.0), None));
}

#[test]
fn clusters_of_one_stratum_are_those_of_the_ratios() {
    let people = Table::of(&design_oracle("tables")["people"]);
    let (units, levels) = people.codes("psu");
    let mut clusters = vec![(0.0, 0.0); levels.len()];
    let yes = people.numbers("yes");
    for (unit, yes) in units.iter().zip(&yes) {
        let cluster = &mut clusters[unit.unwrap() as usize];
        *cluster = (cluster.0 + yes.unwrap(), cluster.1 + 1.0);
    }
    let expected = crate::ratio::clustered_share(&clusters, 0.95).unwrap();
    let units = Some(units.iter().map(|unit| unit.unwrap() as usize).collect());
    let stage = Stage { units, ..Stage::default() };
    let design = Design::new(vec![1.0; yes.len()], &[stage], LonelyPsu::Fail).unwrap();
    let yes: Vec<Option<bool>> = yes.iter().map(|yes| Some(*yes == Some(1.0))).collect();
    let found = design.share(&yes, 0.95).unwrap().estimate;
    for (found, expected) in [
        (found.value, expected.value),
        (found.std_error.unwrap(), expected.std_error.unwrap()),
        (found.low, expected.low),
        (found.high, expected.high),
    ] {
        check_close(found, expected, 1e-9);
    }
}

proptest! {
    #![proptest_config(seeded())]

    #[test]
    fn the_scale_of_weights_and_the_order_of_respondents_do_not_matter(
        rows in prop::collection::vec((0_usize..3, 0_usize..4, 0.1..5.0, -10.0..10.0), 24..60),
        scale in 0.01..100.0,
    ) {
        let of = |rows: &[(usize, usize, f64, f64)], scale: f64| {
            let stage = Stage {
                strata: Some(rows.iter().map(|row| row.0).collect()),
                units: Some(rows.iter().map(|row| row.1).collect()),
                nest: true,
                ..Stage::default()
            };
            let weights = rows.iter().map(|row| row.2 * scale).collect();
            let values: Vec<Option<f64>> = rows.iter().map(|row| Some(row.3)).collect();
            Design::new(weights, &[stage], LonelyPsu::Adjust).unwrap().mean(&values, 0.95)
        };
        let Ok(found) = of(&rows, 1.0) else { return Ok(()) };
        let mut turned = rows.clone();
        turned.reverse();
        let other = of(&turned, scale).unwrap();
        prop_assert_eq!((found.df, found.n_strata), (other.df, other.n_strata));
        let (a, b) = (found.estimate, other.estimate);
        for (a, b) in [(a.value, b.value), (a.low, b.low), (a.high, b.high)] {
            prop_assert!((a - b).abs() < 1e-9 * a.abs().max(1.0), "{} {}", a, b);
        }
    }
}
