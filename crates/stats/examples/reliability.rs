//! How long reliability takes on 15,000 people who answer 10 of 30 items: `cargo run --release -p polyculture-stats --example reliability`.

use std::error::Error;
use std::time::Instant;

use polyculture_stats::reliability::{Answers, Jackknife, cronbach_alpha, split_half};

/// A number in [0, 1) that has nothing to do with others of the person.
fn draw(person: usize, question: usize) -> f64 {
    let mut hash = ((person as u64) << 8 | question as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    hash = (hash ^ hash >> 31).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    ((hash ^ hash >> 29) >> 40) as f64 / (1_u64 << 24) as f64
}

fn main() -> Result<(), Box<dyn Error>> {
    let people: Vec<Answers> = (0..15_000)
        .map(|i| {
            // Steps of 7 and 30 items have no common divisor: ten different ones.
            let answer = |k| ((i + 7 * k) % 30, draw(i, 100) + 2.0 * draw(i, k));
            let scores = (0..10).map(answer).collect();
            Answers { scores, weight: 0.2 + draw(i, 101) }
        })
        .collect();
    for n_splits in [20, 100] {
        let start = Instant::now();
        let found = split_half(&people, n_splits, &Jackknife::default())?;
        println!("{n_splits} splits: {:?}, {:?}", start.elapsed(), found.estimate);
    }
    let start = Instant::now();
    let found = cronbach_alpha(&people, 30, None, &Jackknife::default())?;
    println!("alpha: {:?}, {:?}", start.elapsed(), found.estimate);
    Ok(())
}
