//! What things are called on the page: ids are for files, readers get words.

use polyculture_core::{Axis, AxisId, ModelId, PoleId, ValueFrame};
use std::collections::HashMap;

/// A strategy in words, as it stands after "with": ids that are unknown are shown as they are.
pub(crate) fn strategy(id: &str) -> String {
    if let Some(degrees) = id.strip_prefix("temperature-") {
        return format!("temperature {}", plain(degrees));
    }
    match id {
        "nc" => "negatively correlated sampling",
        "many-models" => "many models",
        "sequential-nc" | "sequential" => "sequential sampling",
        "verbalised" => "verbalised sampling",
        other => return plain(other),
    }
    .to_owned()
}

/// A value's name: the pole's, or its id where the frame does not know it.
pub(crate) fn value(frame: &ValueFrame, id: &PoleId) -> String {
    frame
        .values()
        .map(|(axis, side)| axis.pole(side))
        .find(|pole| pole.id == *id)
        .map_or_else(|| plain(id.as_str()), |pole| plain(&pole.name))
}

/// An axis' name, or its id where the frame does not know it.
pub(crate) fn axis(frame: &ValueFrame, id: &AxisId) -> String {
    frame
        .axis(id)
        .map_or_else(|| plain(id.as_str()), |axis| plain(&axis.name).replace(" - ", " – "))
}

/// Whose places a share counts, short enough for a plot: `models, corrected` for
/// `models, corrected for the judge's error`.
pub(crate) fn source(name: &str) -> String {
    plain(name.split_once(" for ").map_or(name, |(first, _)| first))
}

/// A name without the characters that turn the direction of writing: inside a sentence of ours they
/// would turn our words too.
pub(crate) fn plain(name: &str) -> String {
    let turns = |c| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    name.chars().filter(|c| !turns(*c)).collect()
}

/// A place on an axis in words: `Traditional 0`, `balanced ½`, `not placed`.
pub(crate) fn place(axis: &Axis, at: Option<f64>) -> String {
    match at {
        Some(at) if !at.is_finite() => "not placed".into(),
        None => "not placed".into(),
        Some(0.0) => format!("{} 0", axis.low.name),
        Some(0.5) => "balanced ½".into(),
        Some(1.0) => format!("{} 1", axis.high.name),
        Some(at) => format!("{at:.2} from {} to {}", axis.low.name, axis.high.name),
    }
}

/// The models' names without their providers, where that leaves them apart.
pub(crate) fn models<'a>(ids: impl Iterator<Item = &'a ModelId> + Clone) -> Vec<String> {
    let mut seen: HashMap<&str, usize> = HashMap::new();
    for id in ids.clone() {
        *seen.entry(id.name()).or_default() += 1;
    }
    ids.map(|id| if seen[id.name()] == 1 { id.name() } else { id.as_str() }.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_words() {
        fn check(at: Option<f64>, expected: &str) {
            assert_eq!(place(&ValueFrame::inglehart_welzel().axes[0], at), expected);
        }
        check(Some(0.0), "Traditional 0");
        check(Some(0.5), "balanced ½");
        check(Some(1.0), "Secular-rational 1");
        check(Some(0.25), "0.25 from Traditional to Secular-rational");
        check(None, "not placed");
        check(Some(f64::NAN), "not placed");
    }

    #[test]
    fn a_name_does_not_turn_a_sentence() {
        assert_eq!(strategy("a\u{202e}b\u{2069}"), "ab");
    }

    #[test]
    fn a_source_is_short() {
        assert_eq!(source("models, corrected for the judge's error"), "models, corrected");
        assert_eq!(source("uniform chooser"), "uniform chooser");
    }

    #[test]
    fn models_lose_their_provider_only_where_they_stay_apart() {
        let ids = ["a/x", "b/x", "b/y"].map(|id| ModelId::new(id).unwrap());
        assert_eq!(models(ids.iter()), ["a/x", "b/x", "y"]);
    }
}
