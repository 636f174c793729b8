//! A model's tokenizer and chat template, for what is measured in tokens.

use crate::failure::Failure;
use polyculture_data::convert::ChatFormat;
use polyculture_data::{Role, TokenCounter};
use polyculture_engine::{ChatMessage, ModelFiles, Tokenizer};
use std::time::SystemTime;

/// A tokenizer with its chat template.
pub(super) struct ModelTokenizer(Tokenizer);

impl ModelTokenizer {
    /// That of a Hugging Face model folder (only its tokenizer files are needed), or of `embedded/NAME`.
    pub(super) fn load(name: &str) -> Result<Self, Failure> {
        let files = match name.strip_prefix("embedded/") {
            Some(seedling) => {
                let found = polyculture_seedlings::seedling(seedling);
                let found = found.ok_or_else(|| {
                    let known: Vec<_> =
                        polyculture_seedlings::seedlings().iter().map(|s| s.name).collect();
                    Failure::wrong_use(format_args!(
                        "there is no embedded model `{seedling}`; there are {}",
                        known.join(", ")
                    ))
                })?;
                ModelFiles::Embedded(found.files.to_vec())
            }
            None => ModelFiles::folder(name.strip_prefix("local/").unwrap_or(name)),
        };
        Tokenizer::load(&files).map(Self).map_err(super::chain)
    }
}

impl TokenCounter for ModelTokenizer {
    fn count(&self, text: &str) -> usize {
        // A tokenizer of bytes takes every text; one that does not counts nothing of what it refuses.
        self.0.encode(text).map_or(0, |ids| ids.len())
    }
}

impl ChatFormat for ModelTokenizer {
    fn render(
        &self,
        messages: &[(Role, &str)],
        add_generation_prompt: bool,
    ) -> Result<String, String> {
        let messages: Vec<_> =
            messages.iter().map(|(role, text)| ChatMessage::new(role.as_str(), *text)).collect();
        self.0
            .chat_prompt(&messages, add_generation_prompt, SystemTime::now())
            .map_err(|error| error.to_string())
    }

    fn encode(&self, text: &str) -> Result<Vec<u32>, String> {
        self.0.encode(text).map_err(|error| error.to_string())
    }

    fn decode(&self, ids: &[u32]) -> Result<String, String> {
        self.0.decode(ids).map_err(|error| error.to_string())
    }
}
