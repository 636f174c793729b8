//! What is written is read back the same.

use super::*;
use crate::comparison::{Candidate, Choice, Message, Role};
use crate::convert::tests::fixture;
use crate::convert::{ConvertOptions, Target, convert};
use crate::dataset::{Dataset, OpenOptions, ReadError};
use std::borrow::Cow;
use std::fs;
use std::sync::Mutex;

/// All that is read from a dataset, in order.
fn comparisons(dataset: &Dataset) -> Vec<String> {
    let seen = Mutex::new(Vec::new());
    dataset
        .fold(
            || (),
            |(), c| seen.lock().expect("no panic").push(format!("{c:?}")),
            |_, ()| Ok::<_, ReadError>(()),
        )
        .expect("readable");
    seen.into_inner().expect("no panic")
}

#[test]
fn what_is_written_in_our_shape_is_read_back_the_same() {
    let folder = tempfile::tempdir().expect("a folder");
    for name in ["all.jsonl", "all.jsonl.gz"] {
        let out = folder.path().join(name);
        convert(&fixture(), &ConvertOptions::new(Target::Polyculture), &out).expect("converted");
        let back = Dataset::open(&[out.display().to_string()], &OpenOptions::default())
            .expect("a dataset");
        assert_eq!(comparisons(&back), comparisons(&fixture()));
        assert_eq!(back.extra_columns(), fixture().extra_columns());
    }
}

proptest::proptest! {
    #[test]
    fn any_comparison_is_written_and_read_back(
        texts in proptest::collection::vec(proptest::option::of("\\PC{0,12}|[\"\\\\\n\t\u{0}\u{2028}😀]{1,4}"), 1..5),
        kind in 0..6usize, first in 0..5usize, turn in 1..9u32, score in proptest::option::of(-400..400i32),
    ) {
        let first = first % texts.len();
        let text = |i: usize| texts[i % texts.len()].clone().map(Cow::<str>::Owned);
        let ids = ["a", "b", "c", "d", "e"];
        let order: Vec<usize> = (0..texts.len()).rev().collect();
        let comparison = Comparison {
            conversation_id: text(0).unwrap_or("0".into()),
            turn,
            history: vec![Message { role: Role::Assistant, text: text(1).unwrap_or_default() }],
            prompt: text(2).unwrap_or_default(),
            candidates: (0..texts.len())
                .map(|i| Candidate {
                    score: score.map(|score| f64::from(score) / 8.0),
                    source: text(i + 1),
                    ..Candidate::new(ids[i], text(i))
                })
                .collect(),
            choice: match kind {
                0 => Choice::None,
                1 => Choice::One(first),
                2 => Choice::Several(order),
                3 => Choice::Ranking(order),
                4 => Choice::Tie,
                _ => Choice::Scores,
            },
            explanation: text(3),
            annotator_id: text(4),
            language: text(5),
            extra: vec![text(6), text(7)],
            line: 7,
        };
        let columns = ["wave", "prompt"].map(|name| crate::ExtraColumn {
            name: name.to_owned(),
            role: crate::ColumnRole::Other,
        });
        let keys: Vec<String> = columns.iter().map(key).collect();
        let mut line = Vec::new();
        write(&comparison, &keys, &mut line);
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("one.jsonl");
        fs::write(&path, line).expect("written");
        let back = Dataset::open(&[path.display().to_string()], &OpenOptions::default()).expect("a dataset");
        let names: Vec<&str> = back.extra_columns().iter().map(|c| c.name.as_str()).collect();
        proptest::prop_assert_eq!(names, ["wave", "extra_prompt"]);
        proptest::prop_assert_eq!(comparisons(&back), [format!("{comparison:?}")]);
    }
}
