//! The part of an Axolotl configuration that says how to read a data file.

use super::target::Target;
use std::path::{Path, PathBuf};

/// A file beside `out`, and the YAML in it.
pub(super) fn fragment(out: &Path, target: Target) -> (PathBuf, Vec<u8>) {
    let file_name = out.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let stem = file_name.split('.').next().unwrap_or_default();
    let path = out.with_file_name(format!("{stem}.axolotl.yaml"));
    // A string of JSON is a quoted string of YAML.
    let data = serde_json::Value::from(out.display().to_string());
    let how = match target {
        Target::AxolotlDpo => {
            "    type: chat_template.default\n    field_messages: messages\n    field_chosen: chosen\n    field_rejected: rejected\n"
        }
        _ => {
            "    type: chat_template\n    field_messages: messages\n    message_field_training: train\n    roles_to_train: []\n"
        }
    };
    let rl = if target == Target::AxolotlDpo { "rl: dpo\n" } else { "" };
    let yaml = format!(
        "# For your Axolotl configuration.\nchat_template: tokenizer_default\n{rl}datasets:\n  - path: {data}\n    ds_type: json\n    \
         split: train\n{how}    message_property_mappings:\n      role: role\n      content: content\n"
    );
    (path, yaml.into_bytes())
}
