//! Models on this machine, on a randomly initialised one: what it says is nonsense, and always the
//! same nonsense.

use futures::future::join_all;
use polyculture_core::ModelId;
use polyculture_llm::{ChatRequest, Message, Params, Registry, ReplyStore, draws};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The model that the engine is checked against `transformers` on. Seen from the crate's folder, where tests run: the
/// name is part of a model's chance, and must be the same wherever the repository lies.
pub(crate) fn folder() -> PathBuf {
    PathBuf::from("../engine/testdata/parity/llama")
}

fn model(folder: &Path) -> ModelId {
    format!("local/{}", folder.display()).parse().unwrap()
}

fn request(prompt: &str) -> ChatRequest {
    let params = Params { max_tokens: 12, ..Params::default() };
    ChatRequest::new([Message::user(prompt)]).with(params)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_draw_is_the_same_text_in_any_company() {
    let model = Registry::default().connect(&model(&folder())).unwrap();
    let alone = model.reply(&request("a").draw(2)).await.unwrap();
    let together = draws(&*model, &request("a"), 4).await;
    assert_eq!(together[2].as_ref(), Ok(&alone));
    assert_ne!(together[1].as_ref(), Ok(&alone));

    let requests: Vec<_> =
        (0..30).map(|i| request(["a", "b", "c"][i % 3]).draw(i as u64 / 3)).collect();
    let crowd = join_all(requests.iter().map(|request| model.reply(request))).await;
    assert_eq!(crowd[6].as_ref(), Ok(&alone));
    let usage = alone.usage.unwrap();
    assert!(usage.prompt_tokens > 0 && (1..=12).contains(&usage.completion_tokens), "{usage:?}");
}

#[tokio::test]
async fn what_the_engine_refuses_is_the_askers_to_mend() {
    let model = Registry::default().connect(&model(&folder())).unwrap();
    let good = request("a");
    let hot = request("a").with(Params { temperature: -1.0, ..Params::default() });
    let long = request(&"a ".repeat(100_000));
    let (good, hot, long) = tokio::join!(model.reply(&good), model.reply(&hot), model.reply(&long));
    good.expect("its neighbours' faults are not its own");
    let (hot, long) = (hot.unwrap_err(), long.unwrap_err());
    assert!(hot.to_string().contains("`temperature` = `-1`"), "{hot}");
    assert!(long.to_string().contains("the model's context holds"), "{long}");
    assert!(!hot.is_retryable() && !hot.is_world());
}

#[tokio::test]
async fn other_weights_are_another_model_to_the_cache() {
    let copy = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        std::fs::copy(&path, copy.path().join(path.file_name().unwrap())).unwrap();
    }
    let cache = tempfile::tempdir().unwrap();
    let store = Arc::new(ReplyStore::open(cache.path()).unwrap());
    let registry = Registry::default().with_cache(store);
    let id = model(copy.path());
    // Without chance, since the folder has another name each time.
    let greedy = Params { max_tokens: 12, temperature: 0.0, ..Params::default() };
    let request = ChatRequest::new([Message::user("a")]).with(greedy);
    let before = registry.connect(&id).unwrap().reply(&request).await.unwrap();
    assert_eq!(registry.connect(&id).unwrap().reply(&request).await, Ok(before.clone()));

    let weights = copy.path().join("model.safetensors");
    let bytes = std::fs::read(&weights).unwrap();
    // The last numbers, of four bytes each, in the other order.
    let (start, numbers) = bytes.split_at(bytes.len() / 16 * 8);
    let turned: Vec<u8> = numbers.chunks_exact(4).rev().flatten().copied().collect();
    std::fs::remove_file(&weights).unwrap();
    std::fs::write(&weights, [start, &turned].concat()).unwrap();
    assert_ne!(registry.connect(&id).unwrap().reply(&request).await, Ok(before));
}

#[test]
fn what_is_no_model_is_a_clear_error() {
    fn check(name: &str, expected: &str) {
        let error = Registry::default().connect(&name.parse().unwrap()).err().unwrap().to_string();
        assert!(error.contains(expected), "{error}");
    }
    check("local/nowhere", "there is no folder `nowhere`; a Hugging Face model folder is needed");
    check("embedded/nobody", "no embedded model is called `nobody`; there are ");
    let empty = tempfile::tempdir().unwrap();
    check(
        &format!("local/{}", empty.path().display()),
        "cannot load it: `config.json` is missing from",
    );
}
