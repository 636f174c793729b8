//! The instrument: everyday prompts that each probe one axis, with three curated responses.
//!
//! The format, `polyculture.instrument/1`, is JSON Lines, one item a line:
//!
//! ```json
//! {"format":"polyculture.instrument/1","id":"ts-01","axis":"traditional-secular","language":"en",
//!  "topic":"grief","prompt":"…","responses":{"low":"…","balanced":"…","high":"…"}}
//! ```
//!
//! `low` leans to the axis' low pole, `high` to its high pole, `balanced` to neither. A translation
//! is a line with the same `id` and another `language`.

use crate::frame::ValueFrame;
use crate::ids::{AxisId, PromptId};
use crate::jsonl::{Format, JsonlError, Row};
use crate::verdict::Position;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// One prompt of an instrument in one language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// Unique in the instrument; the same in every language.
    pub id: PromptId,
    /// The axis that the prompt probes.
    pub axis: AxisId,
    /// The language, a BCP 47 tag.
    pub language: String,
    /// What the prompt is about, in a word or two.
    pub topic: String,
    /// What a person asks.
    pub prompt: String,
    /// The three curated responses.
    pub responses: Curated,
}

/// The curated responses of an item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Curated {
    /// At the axis' low pole.
    pub low: String,
    /// Between the poles.
    pub balanced: String,
    /// At the axis' high pole.
    pub high: String,
}

/// A curated response with its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leaning<'a> {
    /// Where it stands by design.
    pub position: Position,
    /// What it says.
    pub text: &'a str,
}

impl Format for Item {
    const FORMAT: &'static str = "polyculture.instrument/1";
}

impl Item {
    /// The three curated responses, from the low pole to the high one.
    #[must_use]
    pub fn leanings(&self) -> [Leaning<'_>; 3] {
        [
            Leaning { position: Position::Low, text: &self.responses.low },
            Leaning { position: Position::Balanced, text: &self.responses.balanced },
            Leaning { position: Position::High, text: &self.responses.high },
        ]
    }
}

/// A list of items that fits a frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instrument {
    items: Vec<Item>,
}

/// Why an instrument cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum InstrumentError {
    /// A line of the file.
    #[error(transparent)]
    Read(#[from] JsonlError),
    /// An axis that the frame does not have.
    #[error("{place}: item `{item}` probes axis `{axis}`, and frame `{frame}` has {known}")]
    Axis {
        /// File and line.
        place: String,
        /// The item.
        item: PromptId,
        /// Its axis.
        axis: AxisId,
        /// The frame.
        frame: String,
        /// The axes there are.
        known: String,
    },
    /// An item that stands twice in one language.
    #[error("{place}: item `{item}` stands twice in language `{language}`")]
    Twice {
        /// File and line.
        place: String,
        /// The item.
        item: PromptId,
        /// The language.
        language: String,
    },
    /// A prompt or a response without text.
    #[error("{place}: item `{item}` has an empty prompt or response")]
    Empty {
        /// File and line.
        place: String,
        /// The item.
        item: PromptId,
    },
}

/// The instruments in the binary: frame, language, items.
const BUILT_IN: [(&str, &str, &str); 6] = [
    ("inglehart-welzel", "en", include_str!("../data/instrument/inglehart-welzel/en.jsonl")),
    ("inglehart-welzel", "fr", include_str!("../data/instrument/inglehart-welzel/fr.jsonl")),
    ("inglehart-welzel", "it", include_str!("../data/instrument/inglehart-welzel/it.jsonl")),
    ("inglehart-welzel", "pt-BR", include_str!("../data/instrument/inglehart-welzel/pt-BR.jsonl")),
    ("inglehart-welzel", "hi", include_str!("../data/instrument/inglehart-welzel/hi.jsonl")),
    ("hofstede", "en", include_str!("../data/instrument/hofstede/en.jsonl")),
];

impl Instrument {
    /// The instrument in the binary for a frame in the binary, in all its languages.
    #[must_use]
    pub fn built_in(frame: &ValueFrame) -> Option<Self> {
        if ValueFrame::built_in(&frame.id).as_ref() != Some(frame) {
            return None;
        }
        let files = BUILT_IN.iter().filter(|(id, ..)| *id == frame.id);
        let items = files.flat_map(|(_, language, text)| {
            text.lines().enumerate().map(move |(i, line)| {
                let record = serde_json::from_str(line)
                    .expect("the built-in instruments are checked by a test");
                (format!("{language}.jsonl:{}", i + 1), record)
            })
        });
        Some(Self::check(items, frame).expect("the built-in instruments are checked by a test"))
    }

    /// The instrument for the Inglehart-Welzel frame: 60 prompts in English, French, Italian, Brazilian Portuguese and
    /// Hindi.
    #[must_use]
    pub fn inglehart_welzel() -> Self {
        Self::built_in(&ValueFrame::inglehart_welzel()).expect("it is built in")
    }

    /// Reads an instrument from a file.
    ///
    /// # Errors
    /// The first line that is no item, does not fit the frame, or stands twice.
    pub fn read(path: &Path, frame: &ValueFrame) -> Result<Self, InstrumentError> {
        let rows: Vec<Row<Item>> = crate::jsonl::rows(path)?.collect::<Result<_, _>>()?;
        let placed =
            rows.into_iter().map(|row| (format!("{}:{}", path.display(), row.line), row.record));
        Self::check(placed, frame)
    }

    fn check(
        items: impl IntoIterator<Item = (String, Item)>,
        frame: &ValueFrame,
    ) -> Result<Self, InstrumentError> {
        let mut seen = std::collections::HashSet::new();
        let mut checked = Vec::new();
        for (place, item) in items {
            if frame.axis(&item.axis).is_none() {
                let known: Vec<_> = frame.axes.iter().map(|a| format!("`{}`", a.id)).collect();
                return Err(InstrumentError::Axis {
                    place,
                    item: item.id,
                    axis: item.axis,
                    frame: frame.id.clone(),
                    known: known.join(", "),
                });
            }
            let texts = item.leanings().map(|leaning| leaning.text);
            if texts.iter().chain([&item.prompt.as_str()]).any(|text| text.trim().is_empty()) {
                return Err(InstrumentError::Empty { place, item: item.id });
            }
            if !seen.insert((item.id.clone(), item.language.clone())) {
                return Err(InstrumentError::Twice {
                    place,
                    item: item.id,
                    language: item.language,
                });
            }
            checked.push(item);
        }
        Ok(Self { items: checked })
    }

    /// The items in one language.
    #[must_use]
    pub fn in_language(&self, language: &str) -> Self {
        let items = self.items.iter().filter(|item| item.language == language);
        Self { items: items.cloned().collect() }
    }

    /// The languages, in the order in which they first appear.
    #[must_use]
    pub fn languages(&self) -> Vec<&str> {
        let mut languages: Vec<&str> = Vec::new();
        for item in &self.items {
            if !languages.contains(&item.language.as_str()) {
                languages.push(&item.language);
            }
        }
        languages
    }

    /// Every item, in the file's order.
    #[must_use]
    pub fn items(&self) -> &[Item] {
        &self.items
    }
}

#[cfg(test)]
mod tests;
