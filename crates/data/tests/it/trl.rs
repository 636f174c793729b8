//! Every dataset type of TRL, loaded by TRL itself from the package index; files for LLaMA-Factory and Axolotl, by the
//! loader that both use.
//!
//! `trl_loads.py` makes its own virtual environment; where it cannot, this test fails and says so.

use polyculture_data::convert::{
    ChatFormat, ConvertOptions, PreviewOptions, Style, Target, TruncationMode, convert, preview,
};
use polyculture_data::{Dataset, OpenOptions, Role};
use serde_json::Value;
use std::path::Path;
use std::process::Command;

const FOLDER: &str = env!("CARGO_MANIFEST_DIR");

/// The template of `trl_loads.py`, and its tokenizer: a byte is a token.
struct Bytes;

impl ChatFormat for Bytes {
    fn render(
        &self,
        messages: &[(Role, &str)],
        add_generation_prompt: bool,
    ) -> Result<String, String> {
        let said = messages.iter().map(|(role, text)| format!("<{}>{text}/", role.as_str()));
        let said: String = said.collect();
        Ok(if add_generation_prompt { said + "<assistant>" } else { said })
    }

    fn encode(&self, text: &str) -> Result<Vec<u32>, String> {
        Ok(text.bytes().map(u32::from).collect())
    }

    fn decode(&self, ids: &[u32]) -> Result<String, String> {
        let bytes: Vec<u8> = ids.iter().filter_map(|id| u8::try_from(*id).ok()).collect();
        String::from_utf8(bytes).map_err(|error| error.to_string())
    }
}

fn options(target: Target, style: Style) -> ConvertOptions {
    ConvertOptions {
        style,
        carry: vec!["annotator_country".to_owned(), "language".to_owned()],
        ..ConvertOptions::new(target)
    }
}

#[test]
fn trl_loads_what_is_written_for_it() {
    let path = Path::new(FOLDER).join("testdata/convert/comparisons.jsonl");
    let dataset = Dataset::open(&[path.display().to_string()], &OpenOptions::default());
    let dataset = dataset.expect("a dataset");
    let folder = tempfile::tempdir().expect("a folder");
    let mut written = Vec::new();
    let is_loaded = |target: &Target| {
        ["trl-", "llama-factory-", "axolotl-"].iter().any(|tool| target.id().starts_with(tool))
    };
    for target in Target::all().filter(is_loaded) {
        for style in [Style::Conversational, Style::Standard] {
            // Alpaca files have their history as lists: what `datasets` makes of a first piece without any does not
            // go with later pieces that have some.
            let is_trl = target.id().starts_with("trl-");
            if style == Style::Standard && !is_trl {
                continue;
            }
            let name = format!("{}.{}.jsonl", target.id(), style.id());
            let report = convert(&dataset, &options(target, style), &folder.path().join(&name));
            written.push((name, target, style, report.expect("converted")));
        }
    }
    assert_eq!(written.len(), 15);
    let loaded = Command::new("python3")
        .arg(Path::new(FOLDER).join("tests/python/trl_loads.py"))
        .arg(folder.path())
        .output()
        .expect("TRL needs `python3` on the path");
    assert!(
        loaded.status.success(),
        "TRL did not load the files (it needs Python 3.11 with `venv`, and a package index or the packages of \
         tests/python/requirements.txt in `POLYCULTURE_TRL_VENV`):\n{}",
        String::from_utf8_lossy(&loaded.stderr)
    );
    let loaded: Value = serde_json::from_slice(&loaded.stdout).expect("JSON");
    for (name, target, style, report) in &written {
        let found = &loaded[name];
        assert_eq!(found["n_rows"], report.n_rows, "{name}");
        let columns = found["columns"].as_array().expect("columns");
        assert!(columns.contains(&"annotator_country".into()), "{name}: {columns:?}");
        if *style == Style::Standard || !target.id().starts_with("trl-") {
            continue;
        }
        let how =
            PreviewOptions { n_rows: 99, max_length: None, truncation: TruncationMode::KeepStart };
        let shown = preview(&dataset, &options(*target, *style), &Bytes, &how).expect("shown");
        assert_eq!(shown.len() as u64, report.n_rows, "{name}");
        // What the model will see is what TRL makes of it, text by text and token by token.
        let first = &shown[0].sequences[0];
        match target {
            Target::TrlLanguageModelling => {
                assert_eq!(found["first"]["text"], format!("{}{}", first.prompt, first.answer));
            }
            _ => assert_eq!(found["first"]["prompt"], first.prompt.as_str(), "{name}"),
        }
        for sequence in &shown[0].sequences {
            if ["chosen", "rejected", "completion"].contains(&sequence.part) {
                assert_eq!(found["first"][sequence.part], sequence.answer.as_str(), "{name}");
            }
        }
        for (preview, tokens) in
            shown.iter().zip(found["tokens"].as_array().map_or(&[][..], Vec::as_slice))
        {
            let mut ours = vec![preview.sequences[0].n_prompt_tokens];
            ours.extend(preview.sequences.iter().map(|sequence| sequence.n_answer_tokens));
            assert_eq!(*tokens, serde_json::json!(ours), "{name}, line {}", preview.line);
        }
    }
    assert_eq!(loaded["trl-preference.conversational.jsonl"]["n_unpaired"], 28);
}
