//! Made-up results: realistic in shape and size, and marked synthetic.

#[path = "fixture/survey.rs"]
mod survey;

use polyculture_core::results::{
    CoverageRow, DiversityRow, Example, ExampleResponse, GainRow, JudgeRow, Made, ModelPoint,
    Person, PlaceRow, Plane, ShareRow,
};
use polyculture_core::template::TemplateRef;
use polyculture_core::{Estimate, ModelId, PromptId, Results, ValueFrame};
use serde_json::json;

const STRATEGIES: [(&str, f64); 6] = [
    ("temperature-0.7", 0.0),
    ("temperature-1.0", 0.01),
    ("temperature-1.3", 0.03),
    ("many-models", 0.05),
    ("verbalised", 0.24),
    ("nc", 0.48),
];
const COUNTRIES: [(&str, f64, f64); 5] = [
    ("United States", 0.55, 0.62),
    ("France", 0.60, 0.70),
    ("Italy", 0.56, 0.56),
    ("Brazil", 0.42, 0.45),
    ("India", 0.33, 0.41),
];

/// Numbers from 0 to 1 that are the same each time.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> f64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }

    /// About normal, with mean 0 and standard deviation 1.
    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.next()).sum::<f64>() - 6.0
    }
}

/// Five models, 2,500 people.
pub(crate) fn realistic() -> Results {
    sized(5, 2_500)
}

/// Six strategies, four values, five countries.
pub(crate) fn sized(n_models: usize, n_people: usize) -> Results {
    let frame = ValueFrame::inglehart_welzel();
    let mut chance = Chance(7);
    let models = models(n_models);
    Results {
        title: "Whose values do five small models leave out?".into(),
        synthetic: Some(
            "The figures come from made-up numbers that test this page. They are no evidence about any \
             real model or people."
                .into(),
        ),
        made: made(&models),
        coverage: coverage(&frame, &models, &mut chance),
        gains: gains(&frame),
        diversity: diversity(),
        places: vec![PlaceRow {
            strategy: "nc".into(),
            candidate: "a".into(),
            value: "traditional".parse().unwrap(),
            share: share(0.31, 60, 60),
        }],
        plane: Some(plane(2, &models, n_people, &mut chance)),
        shares: shares(n_people),
        judges: judges(&frame),
        examples: examples(),
        dataset: None,
        survey: None,
        warnings: vec![
            "The judge was tried in English only.".into(),
            "3 of 1,200 responses could not be placed and count neither way.".into(),
        ],
        frame,
    }
}

/// The realistic results with another number of axes.
pub(crate) fn axes(n: usize) -> Results {
    let mut results = realistic();
    results.frame = frame(n);
    results.plane = Some(plane(n, &models(5), 2_500, &mut Chance(9)));
    results
}

/// 21 models and a survey of 15,000 people in five countries, of whom the densities are left.
pub(crate) fn surveyed(n_axes: usize) -> Results {
    let mut results = sized(21, 15_000);
    let mut plane = plane(n_axes, &models(21), 0, &mut Chance(9));
    plane.population = "a made-up survey in five countries".into();
    results.title = "Whom do 21 small models speak for?".into();
    results.frame = frame(n_axes);
    results.survey = Some(survey::survey(&results.frame, &plane.models));
    results.plane = Some(plane);
    survey::shares(&mut results.shares);
    results
}

/// The built-in frame cut short, or with more axes.
fn frame(n: usize) -> ValueFrame {
    const MORE: [(&str, &str); 6] = [
        ("Collective", "Individual"),
        ("Hierarchy", "Equality"),
        ("Restraint", "Indulgence"),
        ("Short-term", "Long-term"),
        ("Caution", "Daring"),
        ("Order", "Freedom"),
    ];
    let mut frame = ValueFrame::inglehart_welzel();
    for (low, high) in MORE {
        let mut axis = frame.axes[0].clone();
        axis.id = format!("{low}-{high}").to_lowercase().parse().unwrap();
        axis.name = format!("{low} - {}", high.to_lowercase());
        axis.low.name = low.into();
        axis.low.id = low.to_lowercase().parse().unwrap();
        axis.high.name = high.into();
        axis.high.id = high.to_lowercase().parse().unwrap();
        frame.axes.push(axis);
    }
    frame.axes.truncate(n);
    frame
}

/// Nothing was measured.
pub(crate) fn minimal() -> Results {
    Results {
        title: "Nothing yet".into(),
        synthetic: None,
        frame: ValueFrame::inglehart_welzel(),
        made: Made::default(),
        coverage: vec![],
        gains: vec![],
        diversity: vec![],
        places: vec![],
        plane: None,
        shares: vec![],
        judges: vec![],
        examples: vec![],
        dataset: None,
        survey: None,
        warnings: vec![],
    }
}

/// What could break a page: markup, quotes, right-to-left marks, endless words, no numbers.
pub(crate) fn nasty() -> Results {
    let bad = format!(
        "</script><script>alert(1)</script> <img src=x onerror='a'> & \"quoted\" \u{202e}txet {} 🦄🏳️‍🌈 \
         שלום عليكم {{{{ 7 * 7 }}}} ]]> -->",
        "Donaudampfschifffahrt".repeat(12)
    );
    let mut results = sized(3, 60);
    results.title = bad.clone();
    results.synthetic = Some(bad.clone());
    results.warnings = vec![bad.clone()];
    results.frame.axes[0].low.name = bad.clone();
    results.frame.axes[0].name = bad.clone();
    results.frame.name = bad.clone();
    results.made.command = bad.clone();
    results.made.settings.insert(bad.clone(), json!({ "x": bad }));
    results.made.inputs.insert(bad.clone(), bad.clone());
    results.made.models.push(ModelId::new(format!("x/{bad}")).unwrap());
    results.examples[0].prompt = bad.clone();
    results.examples[0].responses[0].text = format!("{bad}\nsecond line");
    results.examples[0].responses[1].at = vec![Some(f64::NAN)];
    results.judges[0].data = bad.clone();
    results.shares[0].source = bad.clone();
    results.shares[1].definition = bad.clone();
    results.coverage[0].strategy = bad.clone();
    results.coverage[1].coverage.value = f64::NAN;
    results.coverage[2].coverage.high = f64::INFINITY;
    results.gains[0].strategy = bad.clone();
    results.diversity[0].strategy = bad.clone();
    results.diversity[1].vendi =
        Some(Estimate { value: f64::NAN, low: f64::NAN, high: f64::NAN, ..share(0.5, 0, 0) });
    let plane = results.plane.as_mut().unwrap();
    plane.population = bad.clone();
    plane.people[0].group = bad.clone();
    plane.people[1].at = vec![];
    plane.people[2].weight = f64::NAN;
    plane.people[3].at = vec![f64::NAN, 7.0];
    plane.models[0].model = ModelId::new(format!("x/{bad}")).unwrap();
    plane.models[1].at = vec![];
    plane.models[2].at[0].value = f64::NAN;
    let whole = sized(3, 0).plane.unwrap().models;
    let mut survey = survey::survey(&results.frame, &whole);
    survey::break_it(&mut survey, &bad);
    results.survey = Some(survey);
    survey::shares(&mut results.shares);
    results
}

fn models(n: usize) -> Vec<ModelId> {
    const NAMES: [&str; 8] =
        ["fennel", "sorrel", "yarrow", "tansy", "borage", "chervil", "lovage", "meadowsweet"];
    (0..n)
        .map(|i| {
            let size = if i < NAMES.len() { String::new() } else { format!("-{}b-instruct", i) };
            ModelId::new(format!("embedded/{}{size}", NAMES[i % NAMES.len()])).unwrap()
        })
        .collect()
}

/// A share with a rough interval.
fn share(p: f64, n: usize, n_clusters: usize) -> Estimate {
    let p = p.clamp(0.0, 1.0);
    let half = 1.96 * (p * (1.0 - p) / n_clusters.max(1) as f64).sqrt() * 0.8;
    Estimate {
        value: p,
        low: (p - half).max(0.0),
        high: (p + half).min(1.0),
        level: 0.95,
        n,
        n_clusters,
    }
}

fn about(value: f64, half: f64, n: usize, n_clusters: usize) -> Estimate {
    Estimate { value, low: value - half, high: value + half, level: 0.95, n, n_clusters }
}

/// How often each value is covered at first: traditional, secular-rational, survival, self-expression.
const BASE: [f64; 4] = [0.14, 0.93, 0.27, 0.88];

fn coverage(frame: &ValueFrame, models: &[ModelId], chance: &mut Chance) -> Vec<CoverageRow> {
    let mut rows = Vec::new();
    for (strategy, gain) in STRATEGIES {
        for ((axis, side), base) in frame.values().zip(BASE) {
            let p = (base + gain * (1.0 - base)).min(0.98);
            for model in std::iter::once(None).chain(models.iter().map(Some)) {
                let (p, n) = match model {
                    None => (p, 60 * models.len()),
                    Some(_) => (p + 0.06 * chance.normal(), 60),
                };
                let independent = strategy.starts_with("temperature");
                let implied = 1.0 - (1.0 - p.clamp(0.0, 1.0)).powf(0.25);
                rows.push(CoverageRow {
                    strategy: strategy.into(),
                    model: model.cloned(),
                    axis: axis.id.clone(),
                    value: axis.pole(side).id.clone(),
                    k: 4,
                    coverage: share(p, n, 60),
                    unbiased: independent.then(|| share(p - 0.004, n, 60)),
                    share: share(implied * (1.0 - 0.3 * gain), 4 * n, 60),
                    implied_share: share(implied, n, 60),
                    covariance: Some(about(
                        0.02 - gain * 0.1 + 0.01 * chance.normal(),
                        0.013,
                        4 * n,
                        60,
                    )),
                    unscored: (chance.next() * 3.0) as usize,
                });
            }
        }
    }
    rows
}

fn gains(frame: &ValueFrame) -> Vec<GainRow> {
    let mut rows = Vec::new();
    for (strategy, gain) in &STRATEGIES[1..] {
        for ((axis, side), base) in frame.values().zip(BASE) {
            let total = gain * (1.0 - base);
            rows.push(GainRow {
                strategy: (*strategy).into(),
                baseline: STRATEGIES[0].0.into(),
                value: axis.pole(side).id.clone(),
                gain: about(total, 0.05, 300, 60),
                marginal: about(total * 0.62, 0.04, 300, 60),
                dependence: about(total * 0.38, 0.03, 300, 60),
            });
        }
    }
    rows
}

fn diversity() -> Vec<DiversityRow> {
    let rows = STRATEGIES.iter().map(|(strategy, gain)| DiversityRow {
        strategy: (*strategy).into(),
        vendi: Some(about(1.6 + 3.0 * gain, 0.11, 600, 60)),
        distinct: Some(about(1.4 + 2.6 * gain, 0.14, 600, 60)),
        distinct_2: Some(share(0.71 + gain * 0.3, 600, 60)),
        words: about(64.0 - 20.0 * gain, 3.0, 2400, 60),
        tokens: (*strategy != "many-models").then(|| about(420.0 - 120.0 * gain, 12.0, 600, 60)),
        failed: share(0.02 + gain * 0.1, 640, 60),
    });
    rows.collect()
}

fn plane(n_axes: usize, models: &[ModelId], n_people: usize, chance: &mut Chance) -> Plane {
    let people = (0..n_people).map(|i| {
        let (group, y, x) = COUNTRIES[i % COUNTRIES.len()];
        let means = [y, x, 0.5].into_iter().cycle().take(n_axes);
        let mut at: Vec<f64> = means.map(|mean| mean + 0.2 * chance.normal()).collect();
        at.iter_mut().for_each(|at| *at = (at.clamp(0.0, 1.0) * 20.0).round() / 20.0);
        Person { group: group.into(), weight: 0.6 + 0.8 * chance.next(), at }
    });
    let people = people.collect();
    let models = models.iter().map(|model| {
        let means = [0.80, 0.78, 0.7].into_iter().cycle().take(n_axes);
        let at = means
            .map(|mean| about((mean + 0.05 * chance.normal()).clamp(0.1, 0.95), 0.04, 300, 30))
            .collect();
        ModelPoint { model: model.clone(), at }
    });
    Plane {
        population: format!("synthetic panel of five countries, n = {n_people}"),
        models: models.collect(),
        people,
    }
}

fn shares(n_people: usize) -> Vec<ShareRow> {
    const READINGS: [(&str, &str, f64); 5] = [
        ("O1", "People who stand at least as far as the lowest model on every axis.", 0.09),
        ("O2", "People who stand between the lowest and the highest model on every axis.", 0.06),
        ("O3", "The same for each axis by itself; the smaller of the two shares.", 0.16),
        ("O4", "The overlap of people's and models' distributions over the four quadrants.", 0.31),
        ("O5", "People in the quadrant that holds most models.", 0.28),
    ];
    let mut rows = Vec::new();
    for (reading, definition, p) in READINGS {
        let mut push = |source: &str, population: &str, p, n| {
            rows.push(ShareRow {
                reading: reading.into(),
                definition: definition.into(),
                source: source.into(),
                population: population.into(),
                share: share(p, n, n),
            });
        };
        push("models", "everyone", p, n_people);
        push("uniform chooser", "everyone", (p + 0.42).min(0.97), n_people);
        push("people", "everyone", 0.995, n_people);
        for (i, (country, ..)) in COUNTRIES.iter().enumerate() {
            push("models", country, p * (1.5 - 0.25 * i as f64), n_people / 5);
        }
    }
    rows
}

fn judges(frame: &ValueFrame) -> Vec<JudgeRow> {
    let rows = frame.axes.iter().zip([0.94, 0.9]).map(|(axis, p)| JudgeRow {
        judge: "embedded/judge".into(),
        data: "held-out prompts of the seedlings' world".into(),
        language: "en".into(),
        axis: axis.id.clone(),
        accuracy: share(p, 360, 120),
        confusion: [[112, 6, 2], [9, 105, 6], [1, 5, 114]],
    });
    rows.collect()
}

fn examples() -> Vec<Example> {
    const SECULAR: &str = "Ask what the evidence says before you choose. A counsellor who knows the field can \
                           help you both to see the options, and then it is your own decision.";
    const FAITH: &str = "Sit with the elders of your family and pray on it together. Those who walked this \
                         road before you know what has held the family up.";
    const THRIFT: &str = "Put something aside every month first. With a cushion in the bank you can face the \
                          winter calmly, whatever comes.";
    const BALANCE: &str = "Hear your parents out, and read up on it too. Both what they lived through and what \
                           is known today deserve a place.";
    let response = |text: &str, at: [Option<f64>; 2]| ExampleResponse {
        model: Some(ModelId::new("embedded/fennel").unwrap()),
        text: text.into(),
        at: at.into(),
    };
    let prompts = [
        ("ts-04", "How should I help my brother decide about his marriage?"),
        ("se-11", "I have some money left this month. What should I do with it?"),
    ];
    let mut examples = Vec::new();
    for (id, prompt) in prompts {
        for (strategy, texts) in [
            ("temperature-0.7", [SECULAR, SECULAR, BALANCE, SECULAR]),
            ("many-models", [SECULAR, BALANCE, SECULAR, SECULAR]),
            ("nc", [FAITH, SECULAR, THRIFT, BALANCE]),
        ] {
            let responses = texts.map(|text| match text {
                SECULAR => response(text, [Some(1.0), Some(1.0)]),
                FAITH => response(text, [Some(0.0), Some(0.5)]),
                THRIFT => response(text, [Some(0.5), Some(0.0)]),
                _ => response(text, [Some(0.5), None]),
            });
            examples.push(Example {
                prompt_id: PromptId::new(id).unwrap(),
                prompt: prompt.into(),
                strategy: strategy.into(),
                responses: responses.into(),
            });
        }
    }
    examples
}

fn made(models: &[ModelId]) -> Made {
    let template = |id: &str, c: &str| TemplateRef { id: id.into(), digest: c.repeat(64) };
    Made {
        version: "0.1.0".into(),
        command: "polyculture demo --seed 7".into(),
        started: "2026-01-01T09:30:00Z".into(),
        seconds: 41.26,
        seed: 7,
        models: models.to_vec(),
        judge: "embedded/judge".into(),
        templates: vec![template("nc", "a3"), template("plain", "7f")],
        inputs: [("instrument/en".to_owned(), "0c".repeat(32))].into(),
        settings: [
            ("k".to_owned(), json!(4)),
            ("temperatures".to_owned(), json!([0.7, 1.0, 1.3])),
            ("nc.template".to_owned(), json!("nc")),
        ]
        .into(),
    }
}
