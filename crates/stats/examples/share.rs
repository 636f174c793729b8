//! Measures the aligned share over survey answers, for the comparison in `benches/survey`.
//!
//! `share FILE RESAMPLES` reads a survey in JSON, as `benches/survey/share.py` writes it, and `share made PEOPLE RESAMPLES` makes one:
//! 60 prompts of two axes, 20 answers a person, 21 models, five countries and twenty other groups, with a validation of the judge. Each
//! prints one JSON document; `seconds` are those of the computation alone.

use std::error::Error;
use std::time::Instant;

use polyculture_stats::agreement::Confusion;
use polyculture_stats::aligned_share::{
    GroupShare, PromptScores, Respondent, Survey, SurveyShare, survey_share,
};
use polyculture_stats::bootstrap::Bootstrap;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::Deserialize;
use serde_json::{Value, json};

const FINE_BINS: usize = 5;

/// What the file holds. Countries are the strata and the first groups.
#[derive(Deserialize)]
struct File {
    axis_of_prompt: Vec<usize>,
    n_groups: usize,
    /// By person: prompt and score.
    answers: Vec<Vec<(usize, f64)>>,
    weights: Vec<f64>,
    countries: Vec<usize>,
    /// `[n_models][n_prompts]`.
    scores: Vec<Vec<Option<f64>>>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (survey, models, judge, resamples) = match arguments[..] {
        ["made", people, resamples] => {
            let (survey, models, judge) = make(people.parse()?)?;
            (survey, models, Some(judge), resamples)
        }
        [path, resamples] => {
            let (survey, models) = read(&std::fs::read_to_string(path)?)?;
            (survey, models, None, resamples)
        }
        _ => return Err("usage: share FILE RESAMPLES | share made PEOPLE RESAMPLES".into()),
    };
    let settings = Bootstrap { resamples: resamples.parse()?, ..Bootstrap::default() };
    let started = Instant::now();
    let found = survey_share(&survey, &models, judge.as_deref(), FINE_BINS, &settings)?;
    let seconds = started.elapsed().as_secs_f64();
    println!("{}", report(&found, seconds));
    Ok(())
}

fn report(found: &SurveyShare, seconds: f64) -> Value {
    let groups = found.judged.groups.iter().flatten();
    let rows: Vec<Value> = std::iter::once(&found.judged.everyone).chain(groups).map(row).collect();
    json!({
        "tool": "polyculture", "version": env!("CARGO_PKG_VERSION"), "seconds": seconds, "peak_rss_mb": peak_rss_mb(),
        "groups": rows,
    })
}

fn row(group: &GroupShare) -> Value {
    let share = &group.share;
    let readings = [
        share.lower_corner,
        share.inside_box,
        share.weakest_axis,
        share.overlap,
        share.overlap_fine,
        share.quadrant,
    ];
    json!({
        "values": readings.map(|reading| reading.value),
        "std_errors": readings.map(|reading| reading.std_error),
    })
}

fn read(text: &str) -> Result<(Survey, PromptScores), Box<dyn Error>> {
    let file: File = serde_json::from_str(text)?;
    let n_axes = file.axis_of_prompt.iter().max().ok_or("there are no prompts")? + 1;
    let mut survey = Survey::new(n_axes, file.axis_of_prompt.clone(), file.n_groups)?;
    for ((answers, weight), country) in file.answers.iter().zip(file.weights).zip(file.countries) {
        survey.push(&Respondent { answers, weight, stratum: country, groups: &[country] })?;
    }
    let models = PromptScores::new(n_axes, file.axis_of_prompt, file.scores.concat())?;
    Ok((survey, models))
}

fn make(n_people: usize) -> Result<(Survey, PromptScores, Vec<Confusion>), Box<dyn Error>> {
    let (n_prompts, n_answers, n_models) = (60, 20, 21);
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let axis_of_prompt: Vec<usize> = (0..n_prompts).map(|prompt| prompt % 2).collect();
    let mut survey = Survey::new(2, axis_of_prompt.clone(), 25)?;
    let mut prompts: Vec<usize> = (0..n_prompts).collect();
    for person in 0..n_people {
        let leaning: f64 = rng.random();
        let mut answers = Vec::with_capacity(n_answers);
        for i in 0..n_answers {
            let other = rng.random_range(i..n_prompts);
            prompts.swap(i, other);
            let score = (f64::from(rng.random_range(0_u8..3)) / 2.0 + leaning).min(2.0) / 2.0;
            answers.push((prompts[i], (score * 2.0).round() / 2.0));
        }
        let country = person % 5;
        // Languages nearly those of the countries, ages, genders, schooling.
        let language = if rng.random::<f64>() < 0.9 { country } else { rng.random_range(0..5) };
        let [age, gender, schooling] = [6, 3, 6].map(|n| rng.random_range(0..n));
        let groups = [country, 5 + language, 10 + age, 16 + gender, 19 + schooling];
        let weight = 0.5 + rng.random::<f64>();
        survey.push(&Respondent {
            answers: &answers,
            weight,
            stratum: country,
            groups: &groups,
        })?;
    }
    let counts: Vec<[u32; 3]> = (0..n_models * n_prompts)
        .map(|i| {
            let mut counts = [0; 3];
            (0..4).for_each(|_| {
                counts[usize::from(rng.random_range(0..12) < i / n_prompts) + 1] += 1
            });
            counts
        })
        .collect();
    let models = PromptScores::from_counts(2, axis_of_prompt, &counts)?;
    let counts = vec![vec![160, 30, 10], vec![20, 150, 30], vec![5, 25, 170]];
    let table = Confusion { counts, unscored: vec![0; 3] };
    Ok((survey, models, vec![table.clone(), table]))
}

fn peak_rss_mb() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<f64>().ok()? / 1024.0)
}
