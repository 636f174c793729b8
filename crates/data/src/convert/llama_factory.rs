//! The entry of a dataset in LLaMA-Factory's `dataset_info.json`, among those that are there already.

use super::ConvertOptions;
use super::target::{Style, Target};
use serde_json::{Map, Value, json};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The list of datasets in a folder.
const FILE: &str = "dataset_info.json";

/// Why the list of datasets that is there could not be added to. It is left as it is.
#[derive(Debug, thiserror::Error)]
#[error("could not add to `{}`: {message}", .path.display())]
pub struct DatasetInfoError {
    /// The file.
    pub path: PathBuf,
    /// Why.
    pub message: String,
}

/// The list of datasets beside `out`, with an entry for it: one of the same name is replaced, all others stay.
///
/// # Errors
/// When the list is there and cannot be read.
pub(super) fn entry(
    out: &Path,
    options: &ConvertOptions,
) -> Result<(PathBuf, Vec<u8>), DatasetInfoError> {
    let path = out.with_file_name(FILE);
    let failed = |message: String| DatasetInfoError { path: path.clone(), message };
    let mut all = match fs::read(&path) {
        Ok(bytes) => serde_json::from_slice::<Map<String, Value>>(&bytes)
            .map_err(|error| failed(format!("it is no JSON object ({error})")))?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Map::new(),
        Err(error) => return Err(failed(error.to_string())),
    };
    let file_name = out.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let stem = file_name.split('.').next().unwrap_or_default().to_owned();
    let name = options.name.clone().unwrap_or(stem);
    all.insert(name, description(&file_name, options.target, options.style));
    let mut bytes = serde_json::to_vec_pretty(&all).expect("JSON can be written");
    bytes.push(b'\n');
    Ok((path, bytes))
}

fn description(file_name: &str, target: Target, style: Style) -> Value {
    let mut columns = match style {
        Style::Standard => {
            json!({"prompt": "instruction", "query": "input", "system": "system", "history": "history"})
        }
        Style::Conversational => json!({"messages": "messages"}),
    };
    if style == Style::Standard && target != Target::LlamaFactoryDpo {
        columns["response"] = "output".into();
    }
    let mut entry = json!({ "file_name": file_name });
    match target {
        Target::LlamaFactoryDpo => {
            entry["ranking"] = true.into();
            columns["chosen"] = "chosen".into();
            columns["rejected"] = "rejected".into();
        }
        Target::LlamaFactoryKto => columns["kto_tag"] = "kto_tag".into(),
        _ => {}
    }
    if style == Style::Conversational {
        entry["formatting"] = "sharegpt".into();
        entry["tags"] = json!({
            "role_tag": "role", "content_tag": "content",
            "user_tag": "user", "assistant_tag": "assistant", "system_tag": "system",
        });
    } else {
        entry["formatting"] = "alpaca".into();
    }
    entry["columns"] = columns;
    entry
}
