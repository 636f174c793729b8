//! A value frame: the axes that people and models are placed on. Data, not code: the built-in one
//! is a file like any other.

use crate::ids::{AxisId, PoleId};
use serde::{Deserialize, Serialize};

/// The largest number of axes a frame may have.
pub const MAX_AXES: usize = 8;

/// The axes of a study, each with a low pole (0) and a high pole (1).
///
/// ```
/// let frame = polyculture_core::ValueFrame::inglehart_welzel();
/// assert_eq!(frame.axes.len(), 2);
/// assert_eq!(frame.axes[0].low.id.as_str(), "traditional");
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ValueFrame {
    /// `polyculture.frame/1`.
    pub format: String,
    /// A short name, such as `inglehart-welzel`.
    pub id: String,
    /// What a reader is shown.
    pub name: String,
    /// Where the frame comes from.
    pub source: String,
    /// One to eight axes.
    pub axes: Vec<Axis>,
}

/// One axis of a frame.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Axis {
    /// Its id, such as `traditional-secular`.
    pub id: AxisId,
    /// What a reader is shown.
    pub name: String,
    /// The end at 0.
    pub low: Pole,
    /// The end at 1.
    pub high: Pole,
}

/// One end of an axis: a value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pole {
    /// Its id, such as `traditional`.
    pub id: PoleId,
    /// What a reader is shown.
    pub name: String,
    /// What a judge is told that the value means, as the end of "a person for whom …".
    pub description: String,
}

/// Which end of an axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// The end at 0.
    Low,
    /// The end at 1.
    High,
}

/// Why a frame cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// Not JSON of this shape.
    #[error("value frame is not readable: {0}")]
    Json(#[from] serde_json::Error),
    /// Another format or version.
    #[error("value frame has format `{found}`, and this program reads `{}`", ValueFrame::FORMAT)]
    Format {
        /// What the file says.
        found: String,
    },
    /// No axis, or more than [`MAX_AXES`].
    #[error("value frame has {found} axes, and 1 to {MAX_AXES} are possible")]
    Axes {
        /// How many there are.
        found: usize,
    },
    /// An id that stands twice.
    #[error("value frame names `{id}` twice")]
    Twice {
        /// The id.
        id: String,
    },
}

impl ValueFrame {
    /// The format's name and version.
    pub const FORMAT: &'static str = "polyculture.frame/1";

    /// Reads a frame from JSON.
    ///
    /// # Errors
    /// If it is no frame, of another version, or its ids are not unique.
    pub fn parse(json: &str) -> Result<Self, FrameError> {
        let frame: Self = serde_json::from_str(json)?;
        if frame.format != Self::FORMAT {
            return Err(FrameError::Format { found: frame.format });
        }
        if frame.axes.is_empty() || frame.axes.len() > MAX_AXES {
            return Err(FrameError::Axes { found: frame.axes.len() });
        }
        let mut seen = std::collections::HashSet::new();
        let poles = frame.axes.iter().flat_map(|axis| [&axis.low.id, &axis.high.id]);
        let names = frame.axes.iter().map(|axis| format!("axis {}", axis.id));
        for id in names.chain(poles.map(ToString::to_string)) {
            if !seen.insert(id.clone()) {
                return Err(FrameError::Twice { id });
            }
        }
        Ok(frame)
    }

    /// The ids of the frames in the binary.
    pub const BUILT_IN: [&str; 2] = ["inglehart-welzel", "hofstede"];

    /// The frame in the binary with this id.
    #[must_use]
    pub fn built_in(id: &str) -> Option<Self> {
        let json = match id {
            "inglehart-welzel" => include_str!("../data/frames/inglehart-welzel.json"),
            "hofstede" => include_str!("../data/frames/hofstede.json"),
            _ => return None,
        };
        Some(Self::parse(json).expect("built-in frames are checked by a test"))
    }

    /// The frame of the paper: traditional / secular-rational and survival / self-expression.
    #[must_use]
    pub fn inglehart_welzel() -> Self {
        Self::built_in("inglehart-welzel").expect("it is built in")
    }

    /// The axis with this id.
    #[must_use]
    pub fn axis(&self, id: &AxisId) -> Option<&Axis> {
        self.axes.iter().find(|axis| axis.id == *id)
    }

    /// Every value of the frame: each axis with its low, then its high end.
    pub fn values(&self) -> impl Iterator<Item = (&Axis, Side)> {
        self.axes.iter().flat_map(|axis| [(axis, Side::Low), (axis, Side::High)])
    }
}

impl Axis {
    /// The pole at this end.
    #[must_use]
    pub fn pole(&self, side: Side) -> &Pole {
        match side {
            Side::Low => &self.low,
            Side::High => &self.high,
        }
    }
}

impl Side {
    /// 0 for the low end, 1 for the high one.
    #[must_use]
    pub fn position(self) -> f64 {
        match self {
            Side::Low => 0.0,
            Side::High => 1.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn built_in_frames_carry_their_ids() {
        for id in ValueFrame::BUILT_IN {
            assert_eq!(ValueFrame::built_in(id).unwrap().id, id);
        }
        assert_eq!(ValueFrame::built_in("hofstede").unwrap().axes.len(), 4);
        assert_eq!(ValueFrame::built_in("moral-foundations"), None);
    }

    #[test]
    fn the_built_in_frame_has_four_values() {
        let frame = ValueFrame::inglehart_welzel();
        let values: Vec<_> =
            frame.values().map(|(axis, side)| axis.pole(side).id.to_string()).collect();
        assert_eq!(values, ["traditional", "secular-rational", "survival", "self-expression"]);
    }

    #[test]
    fn a_bad_frame_says_what_is_wrong() {
        fn check(edit: impl Fn(&mut serde_json::Value), expected: &str) {
            let mut json: serde_json::Value =
                serde_json::from_str(include_str!("../data/frames/inglehart-welzel.json")).unwrap();
            edit(&mut json);
            let message = ValueFrame::parse(&json.to_string()).unwrap_err().to_string();
            assert!(message.contains(expected), "{message}");
        }
        check(|f| f["axes"] = serde_json::json!([]), "0 axes");
        check(|f| f["axes"][1]["low"]["id"] = "traditional".into(), "names `traditional` twice");
        check(|f| f["format"] = "polyculture.frame/9".into(), "`polyculture.frame/9`");
        check(|f| f["colour"] = 1.into(), "unknown field `colour`");
    }
}
