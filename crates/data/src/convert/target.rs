//! What preference data can be converted to: the dataset types of the training tools.

use serde::Serialize;

/// A dataset type of a training tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Target {
    /// TRL: `prompt`, `chosen`, `rejected`, the prompt explicit (DPO, reward models).
    TrlPreference,
    /// TRL: `prompt`, `completion` (SFT with the loss on the completion alone).
    TrlPromptCompletion,
    /// TRL: `messages`, or `text` (SFT with the loss on everything).
    TrlLanguageModelling,
    /// TRL: `prompt`, beside it what a reward needs: `candidates`, `candidate_ids`, `candidate_chosen` (GRPO).
    TrlPromptOnly,
    /// TRL: `prompt`, `completion`, `label` (KTO).
    TrlUnpaired,
    /// OpenAI fine-tuning: `messages`; earlier answers have the weight 0.
    OpenaiSft,
    /// OpenAI preference fine-tuning: `input`, `preferred_output`, `non_preferred_output`.
    OpenaiDpo,
    /// LLaMA-Factory, supervised, with its entry in `dataset_info.json`.
    LlamaFactorySft,
    /// LLaMA-Factory, preference (`"ranking": true`), with its entry in `dataset_info.json`.
    LlamaFactoryDpo,
    /// LLaMA-Factory, KTO, with its entry in `dataset_info.json`.
    LlamaFactoryKto,
    /// Axolotl, `type: chat_template`, with a fragment of YAML; only the last answer is trained on.
    AxolotlSft,
    /// Axolotl, `rl: dpo` with `type: chat_template.default`, with a fragment of YAML.
    AxolotlDpo,
    /// This program's own shape.
    Polyculture,
}

/// What one row of a target is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// A chosen and a rejected candidate.
    Pair,
    /// A chosen candidate.
    Chosen,
    /// A candidate, and whether it was chosen.
    Labelled,
    /// The prompt, with all candidates.
    Prompt,
    /// The comparison as it is.
    Comparison,
}

/// How conversations are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Style {
    /// As lists of messages with a role each: `conversational` for TRL, `sharegpt` for LLaMA-Factory.
    #[default]
    Conversational,
    /// As plain texts: `standard` for TRL, `alpaca` for LLaMA-Factory. For TRL only conversations without a
    /// history can be written so. For LLaMA-Factory the history is a list, which its loader (`datasets`) only takes if
    /// there is one in the first 10 MB, or none anywhere: the other style knows no such trap.
    Standard,
}

impl Target {
    const NAMES: [(Target, &'static str, Shape); 13] = [
        (Target::TrlPreference, "trl-preference", Shape::Pair),
        (Target::TrlPromptCompletion, "trl-prompt-completion", Shape::Chosen),
        (Target::TrlLanguageModelling, "trl-language-modelling", Shape::Chosen),
        (Target::TrlPromptOnly, "trl-prompt-only", Shape::Prompt),
        (Target::TrlUnpaired, "trl-unpaired", Shape::Labelled),
        (Target::OpenaiSft, "openai-sft", Shape::Chosen),
        (Target::OpenaiDpo, "openai-dpo", Shape::Pair),
        (Target::LlamaFactorySft, "llama-factory-sft", Shape::Chosen),
        (Target::LlamaFactoryDpo, "llama-factory-dpo", Shape::Pair),
        (Target::LlamaFactoryKto, "llama-factory-kto", Shape::Labelled),
        (Target::AxolotlSft, "axolotl-sft", Shape::Chosen),
        (Target::AxolotlDpo, "axolotl-dpo", Shape::Pair),
        (Target::Polyculture, "polyculture", Shape::Comparison),
    ];

    /// All targets.
    pub fn all() -> impl Iterator<Item = Target> {
        Self::NAMES.iter().map(|(target, ..)| *target)
    }

    /// The name on the command line.
    #[must_use]
    pub fn id(self) -> &'static str {
        Self::NAMES[self as usize].1
    }

    /// The target of that name.
    #[must_use]
    pub fn from_id(id: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(_, known, _)| *known == id).map(|(target, ..)| *target)
    }

    pub(crate) fn shape(self) -> Shape {
        Self::NAMES[self as usize].2
    }

    pub(crate) fn is_openai(self) -> bool {
        matches!(self, Self::OpenaiSft | Self::OpenaiDpo)
    }

    pub(crate) fn is_llama_factory(self) -> bool {
        matches!(self, Self::LlamaFactorySft | Self::LlamaFactoryDpo | Self::LlamaFactoryKto)
    }

    pub(crate) fn is_trl(self) -> bool {
        (self as usize) <= Self::TrlUnpaired as usize
    }

    /// Whether the tool takes texts for conversations: the others know only messages.
    #[must_use]
    pub fn has_standard_style(self) -> bool {
        self.is_trl() || self.is_llama_factory()
    }
}

impl Style {
    /// The name on the command line.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            Style::Conversational => "conversational",
            Style::Standard => "standard",
        }
    }

    /// The style of that name, in the words of TRL or LLaMA-Factory.
    #[must_use]
    pub fn from_id(id: &str) -> Option<Self> {
        match id {
            "conversational" | "sharegpt" => Some(Style::Conversational),
            "standard" | "alpaca" => Some(Style::Standard),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stand_in_the_order_of_the_targets() {
        for target in Target::all() {
            assert_eq!(Target::from_id(target.id()), Some(target));
            let in_reports = serde_json::to_value(target).expect("a name");
            assert_eq!(in_reports, target.id());
        }
        assert_eq!(Target::all().filter(|target| target.is_trl()).count(), 5);
    }
}
