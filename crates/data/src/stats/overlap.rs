//! Who met the same prompts, how long things are, and other distributions that are no sums.

use super::answer::{ask, quoted};
use super::breakdown::Shape;
use super::{Counts, CrossCounts, Overlap};
use datafusion::error::Result;
use datafusion::prelude::SessionContext;
use polyculture_stats::votes::entropy_bits;
use serde_json::{Map, Value, json};

/// The first turns of conversations; of records, where a file has only parts of conversations.
const FIRST: &str = "(turn = 1 OR begins_record)";

/// `first`, `second` and so on, as the census has them.
pub(super) fn turn_name(turn: &str) -> String {
    let names = ["first", "second", "third", "fourth"];
    let number = turn.parse::<usize>().ok().and_then(|turn| turn.checked_sub(1));
    number.and_then(|i| names.get(i)).map_or_else(|| turn.to_owned(), |name| (*name).to_owned())
}

pub(super) async fn overlap(context: &SessionContext) -> Result<Overlap> {
    // Group-bys within group-bys: two counts of different things side by side would keep a set for each
    // prompt, and several times the memory.
    let pairs = |other: &str| {
        format!(
            "(SELECT prompt_hash, {other} AS other FROM comparisons \
             WHERE {FIRST} AND prompt_hash IS NOT NULL GROUP BY prompt_hash, {other})"
        )
    };
    let sql = format!(
        "SELECT n, count(*) FROM (SELECT count(other) AS n FROM {} GROUP BY prompt_hash) GROUP BY n",
        pairs("annotator_id")
    );
    let prompts = ask(context, &sql).await?;
    let (n, prompt_counts) = (prompts.counts(0), prompts.counts(1));
    let sql = format!(
        "SELECT count(*) FROM (SELECT prompt_hash FROM {} GROUP BY prompt_hash HAVING count(*) > 1)",
        pairs("comparison_hash")
    );
    let sets = ask(context, &sql).await?.counts(0)[0];
    let at_least = |least: u64, n: &[u64], counts: &[u64]| -> u64 {
        n.iter().zip(counts).filter(|(n, _)| **n >= least).map(|(_, count)| count).sum()
    };
    let repeated: Vec<(u64, u64)> =
        n.iter().copied().zip(prompt_counts.iter().copied()).filter(|(n, _)| *n > 1).collect();
    let sql = format!(
        "SELECT n, count(*) FROM (SELECT count(DISTINCT annotator_id) AS n FROM comparisons \
         WHERE {FIRST} GROUP BY comparison_hash) GROUP BY n"
    );
    let comparisons = ask(context, &sql).await?;
    let (m, comparison_counts) = (comparisons.counts(0), comparisons.counts(1));
    Ok(Overlap {
        first_prompts: prompt_counts.iter().sum(),
        first_prompts_2plus_annotators: at_least(2, &n, &prompt_counts),
        first_prompts_10plus_annotators: at_least(10, &n, &prompt_counts),
        first_prompts_2plus_candidate_sets: sets,
        median_annotators_per_repeated_prompt: quantile(repeated, 0.5),
        first_turn_comparisons_distinct: comparison_counts.iter().sum(),
        first_turn_comparisons_2plus_annotators: at_least(2, &m, &comparison_counts),
        first_turn_comparisons_10plus_annotators: at_least(10, &m, &comparison_counts),
    })
}

/// The median entropy of the votes on comparisons with two or more, in bits.
pub(super) async fn entropies(context: &SessionContext, shape: &Shape) -> Result<Option<f64>> {
    if shape.n_positions == 0 {
        return Ok(None);
    }
    let sql = format!(
        "SELECT {} FROM comparisons WHERE chosen_idx IS NOT NULL \
         GROUP BY comparison_hash HAVING count(*) > 1",
        shape.votes()
    );
    let answer = ask(context, &sql).await?;
    let columns: Vec<Vec<u64>> = (0..shape.n_positions).map(|i| answer.counts(i)).collect();
    let mut all: Vec<f64> = (0..answer.len())
        .map(|row| entropy_bits(&columns.iter().map(|c| c[row] as u32).collect::<Vec<_>>()))
        .collect();
    all.sort_by(f64::total_cmp);
    let middle = |i: usize| all.get(i).copied();
    Ok(match all.len() {
        0 => None,
        n if n % 2 == 1 => middle(n / 2),
        n => middle(n / 2 - 1).zip(middle(n / 2)).map(|(a, b)| (a + b) / 2.0),
    })
}

pub(super) async fn median_conversations(context: &SessionContext) -> Result<Option<f64>> {
    let sql = "SELECT n, count(*) FROM (SELECT count(DISTINCT conversation_hash) AS n FROM comparisons \
               WHERE annotator_id IS NOT NULL GROUP BY annotator_id) GROUP BY n";
    let answer = ask(context, sql).await?;
    Ok(quantile(answer.counts(0).into_iter().zip(answer.counts(1)).collect(), 0.5))
}

/// Annotators who stand with two or more values of a column.
pub(super) async fn annotators_with_several(context: &SessionContext, column: &str) -> Result<u64> {
    let sql = format!(
        "SELECT count(*) FROM (SELECT annotator_id FROM comparisons WHERE annotator_id IS NOT NULL \
         GROUP BY annotator_id HAVING count(DISTINCT {}) > 1)",
        quoted(column)
    );
    Ok(ask(context, &sql).await?.counts(0)[0])
}

/// Records by the values of two columns.
pub(super) async fn cross_rows(context: &SessionContext, a: &str, b: &str) -> Result<CrossCounts> {
    let (a, b) = (quoted(a), quoted(b));
    let sql = format!(
        "SELECT {a}, {b}, count(*) FROM comparisons \
         WHERE begins_record AND {a} IS NOT NULL AND {b} IS NOT NULL GROUP BY {a}, {b} ORDER BY 1, 3 DESC, 2"
    );
    let answer = ask(context, &sql).await?;
    let mut rows: Vec<(String, Counts)> = Vec::new();
    let cells = answer.texts(0).into_iter().zip(answer.texts(1)).zip(answer.counts(2));
    for ((a, b), n) in cells {
        let (a, b) = (a.unwrap_or_default(), b.unwrap_or_default());
        match rows.last_mut() {
            Some((last, row)) if *last == a => row.0.push((b, n)),
            _ => rows.push((a, Counts(vec![(b, n)]))),
        }
    }
    Ok(CrossCounts(rows))
}

/// Which turns conversations have.
pub(super) async fn turn_patterns(context: &SessionContext, shape: &Shape) -> Result<Counts> {
    let last = shape.last_turn;
    if !(1..=8).contains(&last) {
        return Ok(Counts::default());
    }
    let sql = "SELECT turns, count(*) FROM (SELECT bit_or(1 << (CAST(turn AS BIGINT) - 1)) AS turns \
               FROM comparisons GROUP BY conversation_hash) GROUP BY turns ORDER BY 1";
    let answer = ask(context, sql).await?;
    let pattern = |turns: u64| -> String {
        (0..last).map(|turn| if turns >> turn & 1 == 1 { '1' } else { '0' }).collect()
    };
    Ok(Counts(answer.counts(0).into_iter().map(pattern).zip(answer.counts(1)).collect()))
}

/// How many words explanations have, by turn.
pub(super) async fn explanation_lengths(context: &SessionContext) -> Result<Map<String, Value>> {
    let sql = "SELECT turn, explanation_words, count(*) FROM comparisons \
               WHERE explanation_words IS NOT NULL GROUP BY 1, 2 ORDER BY 1, 2";
    let answer = ask(context, sql).await?;
    let mut by_turn: Vec<(u64, Vec<(u64, u64)>)> = Vec::new();
    let cells = answer.counts(0).into_iter().zip(answer.counts(1)).zip(answer.counts(2));
    for ((turn, words), n) in cells {
        match by_turn.last_mut() {
            Some((last, lengths)) if *last == turn => lengths.push((words, n)),
            _ => by_turn.push((turn, vec![(words, n)])),
        }
    }
    let described = by_turn.into_iter().map(|(turn, lengths)| {
        let n: u64 = lengths.iter().map(|(_, n)| n).sum();
        let words: u64 = lengths.iter().map(|(words, n)| words * n).sum();
        let at = |p| quantile(lengths.clone(), p);
        let row = json!({
            "n": n,
            "mean_words": words as f64 / n as f64,
            "median": at(0.5),
            "p90": at(0.9),
            "p99": at(0.99),
        });
        (turn_name(&turn.to_string()), row)
    });
    Ok(described.collect())
}

/// The mean words of candidates by turn and position.
pub(super) async fn candidate_lengths(
    context: &SessionContext,
    shape: &Shape,
) -> Result<Map<String, Value>> {
    if shape.n_positions == 0 {
        return Ok(Map::new());
    }
    let means = (1..=shape.n_positions).map(|i| format!("avg(candidate_words[{i}])"));
    let sql = format!(
        "SELECT turn, {} FROM comparisons GROUP BY turn ORDER BY turn",
        means.collect::<Vec<_>>().join(", ")
    );
    let answer = ask(context, &sql).await?;
    let columns: Vec<_> = (0..shape.n_positions).map(|i| answer.numbers(i + 1)).collect();
    let turns = answer.texts(0).into_iter().enumerate();
    Ok(turns
        .map(|(row, turn)| {
            let means: Vec<_> = columns.iter().map(|column| column[row]).collect();
            (turn_name(&turn.unwrap_or_default()), json!(means))
        })
        .collect())
}

/// A quantile of values with their counts, between neighbours in proportion, as numpy does it.
fn quantile(mut counts: Vec<(u64, u64)>, p: f64) -> Option<f64> {
    counts.sort_unstable();
    let n: u64 = counts.iter().map(|(_, n)| n).sum();
    let place = p * (n.checked_sub(1)?) as f64;
    let at = |i: u64| {
        let mut before = 0;
        let found = counts.iter().find(|(_, n)| {
            before += n;
            i < before
        });
        found.map(|(value, _)| *value as f64)
    };
    let (low, high) = (at(place.floor() as u64)?, at(place.ceil() as u64)?);
    Some(low + (high - low) * place.fract())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_lie_between_neighbours() {
        fn check(counts: &[(u64, u64)], p: f64, expected: Option<f64>) {
            assert_eq!(quantile(counts.to_vec(), p), expected);
        }
        check(&[], 0.5, None);
        check(&[(7, 1)], 0.9, Some(7.0));
        check(&[(2, 1), (1, 1)], 0.5, Some(1.5));
        check(&[(1, 3), (10, 1)], 0.5, Some(1.0));
        check(&[(1, 1), (2, 1), (3, 1), (4, 1), (5, 1)], 0.9, Some(4.6));
    }
}
