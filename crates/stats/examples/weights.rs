//! How long weights and a design take on a survey of 1.5 million people: `cargo run --release -p polyculture-stats --example weights`.

use std::error::Error;
use std::time::Instant;

use polyculture_stats::design::{Design, LonelyPsu, Stage};
use polyculture_stats::weights::{
    Bound, Bounds, Margin, Missing, RakeSettings, Targets, kish_design_effect, rake, trim_and_rake,
};

const N: usize = 1_500_000;

/// A number from 0 to 999 that has nothing to do with others of the person.
fn draw(person: usize, question: usize) -> usize {
    let mut hash = ((person as u64) << 8 | question as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    hash = (hash ^ hash >> 31).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    ((hash ^ hash >> 29) >> 32) as usize % 1000
}

fn main() -> Result<(), Box<dyn Error>> {
    let base: Vec<f64> = (0..N).map(|i| 0.5 + draw(i, 9) as f64 / 500.0).collect();
    let mut margins = Vec::new();
    for (k, n_categories) in [2_usize, 6, 12, 50].into_iter().enumerate() {
        // The later a category, the fewer people are in it; their targets are equal.
        let category = |i| ((draw(i, k) as f64 / 1000.0).powi(2) * n_categories as f64) as u32;
        let category_of: Vec<Option<u32>> = (0..N).map(|i| Some(category(i))).collect();
        let names = (0..n_categories).map(|category| category.to_string()).collect();
        let targets = Targets::Shares(vec![1.0; n_categories]);
        margins.push(Margin::new(format!("m{k}"), names, targets, &category_of, Missing::Refuse)?);
    }

    let start = Instant::now();
    let raked = rake(&base, &margins, &RakeSettings::default())?;
    let deff = kish_design_effect(&raked.weights);
    println!("rake: {:?}, {} iterations, deff {deff:.3}", start.elapsed(), raked.iterations);

    let start = Instant::now();
    let bounds = Bounds { upper: Some(Bound::TimesMean(12.0)), ..Bounds::default() };
    let bounded = trim_and_rake(&base, &margins, &bounds, &RakeSettings::default())?;
    println!(
        "trim and rake: {:?}, {} rounds, {} iterations, {} at the bound",
        start.elapsed(),
        bounded.rounds,
        bounded.raked.iterations,
        bounded.n_at_upper
    );

    let start = Instant::now();
    let villages = Stage {
        strata: Some((0..N).map(|i| i % 20_000 / 500).collect()),
        units: Some((0..N).map(|i| i % 20_000).collect()),
        ..Stage::default()
    };
    let design = Design::new(raked.weights, &[villages], LonelyPsu::Fail)?;
    println!("design: {:?}", start.elapsed());
    let values: Vec<Option<f64>> = (0..N).map(|i| Some(draw(i, 7) as f64)).collect();
    let start = Instant::now();
    let mean = design.mean(&values, 0.95)?;
    println!("mean: {:?}, {:?}", start.elapsed(), mean.estimate);
    Ok(())
}
