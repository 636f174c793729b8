//! What is cut off of a small dataset, where a character is a token.

use super::*;
use crate::convert::Filter;
use crate::convert::tests::fixture;

/// One token a character; messages as `<user>...</s>`.
struct Characters;

impl ChatFormat for Characters {
    fn render(
        &self,
        messages: &[(Role, &str)],
        add_generation_prompt: bool,
    ) -> Result<String, String> {
        if messages[0].0 == Role::System {
            return Err("no system messages".to_owned());
        }
        let all: String =
            messages.iter().map(|(role, text)| format!("<{}>{text}/", role.as_str())).collect();
        Ok(all + if add_generation_prompt { "<assistant>" } else { "" })
    }

    fn encode(&self, text: &str) -> Result<Vec<u32>, String> {
        Ok(text.chars().map(u32::from).collect())
    }

    fn decode(&self, ids: &[u32]) -> Result<String, String> {
        Ok(ids.iter().filter_map(|id| char::from_u32(*id)).collect())
    }
}

#[test]
fn a_preview_shows_what_is_cut_off_and_of_which_side() {
    let options = ConvertOptions {
        filter: Filter { languages: vec!["fr".to_owned()], ..Filter::default() },
        ..ConvertOptions::new(Target::TrlPreference)
    };
    let shown = |max_length, truncation, n_rows| {
        let how = PreviewOptions { n_rows, max_length, truncation };
        preview(&fixture(), &options, &Characters, &how).expect("shown")
    };
    let whole = shown(None, TruncationMode::KeepStart, 9);
    assert_eq!(whole.len(), 3);
    let [chosen, rejected] = &whole[0].sequences[..] else { panic!("{whole:?}") };
    assert_eq!((chosen.part, rejected.part), ("chosen", "rejected"));
    assert_eq!(chosen.prompt, "<user>Qu'est-ce qu'un bon ami ?/<assistant>");
    assert_eq!(chosen.answer, "Quelqu'un qui dit la vérité 🙂/");
    assert_eq!((chosen.n_prompt_tokens, chosen.n_answer_tokens), (43, 30));
    let start = &shown(Some(50), TruncationMode::KeepStart, 1)[0];
    let [chosen, rejected] = &start.sequences[..] else { panic!("{start:?}") };
    assert_eq!(
        (chosen.answer.as_str(), chosen.cut_end.as_str()),
        ("Quelqu'", "un qui dit la vérité 🙂/")
    );
    assert_eq!((chosen.n_prompt_tokens_cut, chosen.n_answer_tokens_cut), (0, 23));
    assert_eq!(rejected.n_answer_tokens_cut, rejected.n_answer_tokens - 7);
    assert!(!start.is_dropped);
    let end = &shown(Some(50), TruncationMode::KeepEnd, 1)[0];
    assert_eq!(end.sequences[0].cut_start, "<user>Qu'est-ce qu'un b");
    assert_eq!(
        (end.sequences[0].n_prompt_tokens_cut, end.sequences[0].n_answer_tokens_cut),
        (23, 0)
    );
    assert!(shown(Some(43), TruncationMode::KeepStart, 1)[0].is_dropped);
    assert!(!shown(Some(44), TruncationMode::KeepStart, 1)[0].is_dropped);
    let how =
        PreviewOptions { n_rows: 99, max_length: None, truncation: TruncationMode::KeepStart };
    let error = preview(&fixture(), &ConvertOptions::new(Target::OpenaiDpo), &Characters, &how);
    let Err(ConvertError::ChatFormat { line: 8, message }) = error else { panic!("{error:?}") };
    assert_eq!(message, "no system messages");
}
