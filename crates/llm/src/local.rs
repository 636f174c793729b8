//! Models on this machine: a Hugging Face folder, or one of the seedlings in the binary.
//!
//! Each model has a thread of its own that gathers whatever requests are waiting into one batch. The
//! engine gives a request the same text in any batch, so no reply depends on what else was asked, or
//! when.

use crate::chat::{ChatModel, ChatRequest, Reply, Role, Usage};
use crate::error::{ModelError, Problem};
use crate::registry::{did_you_mean, nearest};
use futures::future::{BoxFuture, join_all};
use polyculture_core::ModelId;
use polyculture_engine::{
    ChatMessage, Finish, GenerateOptions, LanguageModel, ModelFiles, Request, Sampling, generate,
};
use polyculture_seedlings::{seedling, seedlings};
use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::{Duration, SystemTime};
use tokio::sync::oneshot;

/// How long the thread waits for company before it starts on a batch.
const GATHER: Duration = Duration::from_millis(1);

/// How many requests are worked on together.
const MAX_BATCH: usize = 64;

/// The date that some chat templates show, as seconds since 1970: 26 July 2024, which is the one
/// that Llama's own fall back to. Today's would give the same draw another text tomorrow.
const TEMPLATE_DATE: Duration = Duration::from_secs(1_721_952_000);

/// A model on this machine.
pub struct Local {
    id: ModelId,
    files: ModelFiles,
    jobs: mpsc::Sender<Job>,
}

/// Why a model on this machine cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LocalError {
    /// No embedded model has this name.
    #[error("no embedded model is called `{name}`{}; there are {known}", did_you_mean(.nearest.as_deref()))]
    Unknown {
        /// What was asked for.
        name: String,
        /// The one that is spelt nearly like it.
        nearest: Option<String>,
        /// All there are.
        known: String,
    },
    /// There is no such folder.
    #[error("there is no folder `{}`; a Hugging Face model folder is needed, with `config.json`, `tokenizer.json` and weights in safetensors", .path.display())]
    NoFolder {
        /// Where it should be.
        path: PathBuf,
    },
    /// The files are no model that the engine knows.
    #[error("cannot load it: {detail}")]
    Load {
        /// What the engine says.
        detail: String,
    },
    /// A file cannot be read.
    #[error("{}: {source}", .path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
}

struct Job {
    request: ChatRequest,
    done: oneshot::Sender<Result<Reply, Problem>>,
}

impl Local {
    /// Loads `local/PATH` or `embedded/NAME`.
    ///
    /// # Errors
    /// If there is no such model, or its files do not fit together.
    pub fn open(id: ModelId) -> Result<Self, LocalError> {
        let files = if id.provider() == "embedded" {
            embedded(id.name())?
        } else {
            let path = PathBuf::from(id.name());
            if !path.is_dir() {
                return Err(LocalError::NoFolder { path });
            }
            ModelFiles::Folder(path)
        };
        let model = LanguageModel::load(&files)
            .map_err(|error| LocalError::Load { detail: whole(&error) })?;
        // The embedded models are too small to gain from a GPU.
        #[cfg(feature = "cuda")]
        let model = match id.provider() {
            "embedded" => model,
            _ => on_gpu(model)?,
        };
        let (jobs, waiting) = mpsc::channel();
        std::thread::Builder::new()
            .name(id.to_string())
            .spawn({
                let id = id.clone();
                move || work(&id, &model, &waiting)
            })
            .map_err(|error| LocalError::Load { detail: error.to_string() })?;
        Ok(Self { id, files, jobs })
    }

    /// The digest of the model's files, which tells it from others of its name.
    ///
    /// # Errors
    /// If a file cannot be read.
    pub fn digest(&self) -> Result<String, LocalError> {
        let mut hasher = blake3::Hasher::new();
        match &self.files {
            ModelFiles::Embedded(files) => {
                for (name, content) in files {
                    hasher.update(name.as_bytes()).update(&(content.len() as u64).to_le_bytes());
                    hasher.update(content);
                }
            }
            ModelFiles::Folder(folder) => {
                for path in model_files(folder)? {
                    let failed = |source| LocalError::File { path: path.clone(), source };
                    let file = std::fs::File::open(&path).map_err(failed)?;
                    let length = file.metadata().map_err(failed)?.len();
                    let name = path.file_name().unwrap_or_default().as_encoded_bytes();
                    hasher.update(name).update(&length.to_le_bytes());
                    hasher.update_reader(file).map_err(failed)?;
                }
            }
        }
        Ok(hasher.finalize().to_hex()[..32].to_owned())
    }

    async fn ask(&self, request: ChatRequest) -> Result<Reply, ModelError> {
        let failed = |problem| ModelError::new(&self.id, "", problem);
        let ended = || failed(Problem::Local { detail: "the engine has stopped".to_owned() });
        let (done, reply) = oneshot::channel();
        self.jobs.send(Job { request, done }).map_err(|_| ended())?;
        reply.await.map_err(|_| ended())?.map_err(failed)
    }
}

impl ChatModel for Local {
    fn id(&self) -> &ModelId {
        &self.id
    }

    fn reply<'a>(&'a self, request: &'a ChatRequest) -> BoxFuture<'a, Result<Reply, ModelError>> {
        Box::pin(self.ask(request.clone()))
    }

    fn replies<'a>(
        &'a self,
        request: &'a ChatRequest,
        n: usize,
    ) -> BoxFuture<'a, Result<Vec<Reply>, ModelError>> {
        Box::pin(async move {
            let mut results =
                join_all((0..n).map(|i| self.ask(request.later(i)))).await.into_iter();
            let first = results.next().expect("at least one draw is asked for")?;
            Ok(std::iter::once(first).chain(results.map_while(Result::ok)).collect())
        })
    }
}

/// The model on the first GPU: who built with the feature wants no other place.
#[cfg(feature = "cuda")]
fn on_gpu(model: LanguageModel) -> Result<LanguageModel, LocalError> {
    let LanguageModel { model, tokenizer, generation } = model;
    let model = model.on_cuda(0).map_err(|error| LocalError::Load { detail: whole(&error) })?;
    Ok(LanguageModel { model, tokenizer, generation })
}

fn embedded(name: &str) -> Result<ModelFiles, LocalError> {
    match seedling(name) {
        Some(seedling) => Ok(ModelFiles::Embedded(seedling.files.to_vec())),
        None => {
            let known: Vec<_> = seedlings().iter().map(|seedling| seedling.name).collect();
            Err(LocalError::Unknown {
                name: name.to_owned(),
                nearest: nearest(name, known.iter().copied()),
                known: known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "),
            })
        }
    }
}

/// The files of a folder that a model is made of, by name.
fn model_files(folder: &Path) -> Result<Vec<PathBuf>, LocalError> {
    let failed = |source| LocalError::File { path: folder.to_owned(), source };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let extension = path.extension().and_then(|extension| extension.to_str());
        if matches!(extension, Some("json" | "safetensors" | "jinja")) && path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// The thread of a model: it ends when nobody can ask any more.
fn work(id: &ModelId, model: &LanguageModel, waiting: &mpsc::Receiver<Job>) {
    while let Ok(first) = waiting.recv() {
        let mut jobs = vec![first];
        while jobs.len() < MAX_BATCH
            && let Ok(job) = waiting.recv_timeout(GATHER)
        {
            jobs.push(job);
        }
        let mut batch = Vec::new();
        // Nobody waits for the reply to a call that was dropped.
        for job in jobs.into_iter().filter(|job| !job.done.is_closed()) {
            match prepare(id, model, &job.request) {
                Ok(request) => batch.push((request, job)),
                Err(problem) => drop(job.done.send(Err(problem))),
            }
        }
        // The engine reads equal prompts that stand together only once.
        batch.sort_by(|(a, _), (b, _)| a.prompt.cmp(&b.prompt));
        let (requests, jobs): (Vec<_>, Vec<_>) = batch.into_iter().unzip();
        for (job, result) in jobs.into_iter().zip(answer(model, &requests)) {
            drop(job.done.send(result));
        }
    }
}

fn prepare(id: &ModelId, model: &LanguageModel, request: &ChatRequest) -> Result<Request, Problem> {
    let message = |message: &crate::chat::Message| {
        let role = match message.role {
            Role::System => "system",
            Role::User => "user",
            Role::Assistant => "assistant",
        };
        ChatMessage::new(role, message.content.clone())
    };
    let messages: Vec<_> = request.messages.iter().map(message).collect();
    let date = SystemTime::UNIX_EPOCH + TEMPLATE_DATE;
    let text = model.tokenizer.chat_prompt(&messages, true, date).map_err(|e| local(&e))?;
    let params = &request.params;
    Ok(Request {
        prompt: model.tokenizer.encode(&text).map_err(|e| local(&e))?,
        // Of this model alone: two models that drew with the same chance would agree too often.
        seed: request.hash(id.as_str()),
        sampling: Sampling {
            temperature: params.temperature,
            top_p: params.top_p,
            ..Sampling::default()
        },
        max_new_tokens: params.max_tokens as usize,
        stop: params.stop.clone(),
    })
}

fn answer(model: &LanguageModel, requests: &[Request]) -> Vec<Result<Reply, Problem>> {
    let options = GenerateOptions { max_batch: MAX_BATCH };
    match generate(model, requests, &options, |_, _| {}) {
        Ok(completions) => completions
            .into_iter()
            .zip(requests)
            .map(|(completion, request)| {
                if completion.text.trim().is_empty() {
                    return Err(Problem::Empty);
                }
                let reason = match completion.finish {
                    Finish::Stop => "stop",
                    Finish::Length => "length",
                };
                Ok(Reply {
                    text: completion.text,
                    finish_reason: Some(reason.to_owned()),
                    usage: Some(Usage {
                        prompt_tokens: request.prompt.len() as u64,
                        completion_tokens: completion.tokens.len() as u64,
                    }),
                    without: Vec::new(),
                })
            })
            .collect(),
        Err(error) if requests.len() == 1 => vec![Err(local(&error))],
        // One request that cannot be answered must not take its neighbours with it.
        Err(_) => requests
            .iter()
            .flat_map(|request| answer(model, std::slice::from_ref(request)))
            .collect(),
    }
}

fn local(error: &dyn Error) -> Problem {
    Problem::Local { detail: whole(error) }
}

/// An error with its causes.
fn whole(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
