//! Checked names: each is parsed once where it enters, and is right from then on.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A name that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// Nothing was written.
    #[error("{kind} is empty")]
    Empty {
        /// What was to be named.
        kind: &'static str,
    },
    /// A character that would break paths, tables or logs.
    #[error("{kind} `{value}` holds `{}`, which is not allowed", .character.escape_debug())]
    Character {
        /// What was to be named.
        kind: &'static str,
        /// The whole name.
        value: String,
        /// The offending character.
        character: char,
    },
    /// A model's name without a provider.
    #[error(
        "model `{value}` names no provider; write it as `provider/name`, for example `openai/gpt-4o`, `ollama/llama3.3` or `embedded/fennel`"
    )]
    NoProvider {
        /// The whole name.
        value: String,
    },
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $kind:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Takes a name.
            ///
            /// # Errors
            /// If it is empty or holds a control character.
            pub fn new(value: impl Into<String>) -> Result<Self, IdError> {
                let value = value.into();
                check(&value, $kind)?;
                Ok(Self(value))
            }

            /// The name as it was written.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        conversions!($name);
    };
}

macro_rules! conversions {
    ($name:ident) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }
        impl FromStr for $name {
            type Err = IdError;
            fn from_str(value: &str) -> Result<Self, IdError> {
                Self::new(value)
            }
        }
        impl TryFrom<String> for $name {
            type Error = IdError;
            fn try_from(value: String) -> Result<Self, IdError> {
                Self::new(value)
            }
        }
        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }
        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
    };
}

id!(
    /// An axis of a value frame, such as `traditional-secular`.
    AxisId,
    "axis id"
);
id!(
    /// One end of an axis: a value, such as `traditional`.
    PoleId,
    "pole id"
);
id!(
    /// A prompt, unique in its instrument or file.
    PromptId,
    "prompt id"
);
id!(
    /// A person who was asked, unique in the survey.
    RespondentId,
    "respondent id"
);
id!(
    /// A candidate set, unique in its file.
    SetId,
    "set id"
);

/// A model, written `provider/name`: `openai/gpt-4o`, `local/models/mine`, `embedded/fennel`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ModelId(String);

impl ModelId {
    /// Takes a model's name.
    ///
    /// # Errors
    /// If there is no `provider/` in front, either part is empty, or a control character is inside.
    pub fn new(value: impl Into<String>) -> Result<Self, IdError> {
        let value = value.into();
        check(&value, "model")?;
        match value.split_once('/') {
            Some((provider, name)) if !provider.is_empty() && !name.is_empty() => Ok(Self(value)),
            _ => Err(IdError::NoProvider { value }),
        }
    }

    /// The name as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What stands before the first slash: `openai` in `openai/gpt-4o`.
    #[must_use]
    pub fn provider(&self) -> &str {
        self.split().0
    }

    /// What stands after the first slash: `meta-llama/Llama-3` in `vllm/meta-llama/Llama-3`.
    #[must_use]
    pub fn name(&self) -> &str {
        self.split().1
    }

    fn split(&self) -> (&str, &str) {
        self.0.split_once('/').expect("checked when it was made")
    }
}
conversions!(ModelId);

fn check(value: &str, kind: &'static str) -> Result<(), IdError> {
    if value.trim().is_empty() {
        return Err(IdError::Empty { kind });
    }
    match value.chars().find(|c| c.is_control()) {
        Some(character) => Err(IdError::Character { kind, value: value.to_owned(), character }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_has_a_provider_and_a_name() {
        let model = ModelId::new("vllm/meta-llama/Llama-3.3-70B-Instruct").unwrap();
        assert_eq!(model.provider(), "vllm");
        assert_eq!(model.name(), "meta-llama/Llama-3.3-70B-Instruct");
    }

    #[test]
    fn bad_names_say_what_is_wrong() {
        fn check(input: &str, expected: &str) {
            assert_eq!(ModelId::new(input).unwrap_err().to_string(), expected, "{input}");
        }
        check("", "model is empty");
        check("openai/a\nb", "model `openai/a\nb` holds `\\n`, which is not allowed");
        let advice = "write it as `provider/name`, for example `openai/gpt-4o`, `ollama/llama3.3` or `embedded/fennel`";
        check("gpt-4o", &format!("model `gpt-4o` names no provider; {advice}"));
        check("openai/", &format!("model `openai/` names no provider; {advice}"));
    }

    #[test]
    fn an_id_is_checked_when_it_is_read() {
        assert!(serde_json::from_str::<PromptId>("\"  \"").is_err());
        assert_eq!(serde_json::from_str::<PromptId>("\"ts-01\"").unwrap().as_str(), "ts-01");
    }
}
