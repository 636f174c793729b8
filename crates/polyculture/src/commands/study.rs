//! Opens a study: its settings, its way to models, and what is recorded of a run.

use crate::args::StudyArgs;
use crate::failure::Failure;
use polyculture_core::results::{Made, Results};
use polyculture_core::{JsonlWriter, ModelId, digest};
use polyculture_llm::budget::Amount;
use polyculture_llm::{Ledger, Registry, ReplyStore};
use polyculture_study::pipeline::{self, Study};
use polyculture_study::{Config, Folder};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Instant, SystemTime};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// The settings of a folder: its study.toml, or the defaults if it has none.
pub(crate) fn config(args: &StudyArgs) -> Result<Config, Failure> {
    let file = Folder::new(&args.study).config();
    let mut config = if file.exists() { Config::read(&file)? } else { Config::default() };
    if let Some(seed) = args.seed {
        config.study.seed = seed;
    }
    Ok(config)
}

/// A study in `folder`. Embedded models are as fast as the reply cache, and always say the same, so
/// their replies are not kept.
pub(crate) fn open(folder: &Path, config: Config) -> Result<Study, Failure> {
    let folder = Folder::new(folder);
    let frame = pipeline::frame(&config.study.frame)?;
    let mut registry = Registry::new(config.models.clone());
    let asked = config.sample.models.iter().chain([&config.judge.model]);
    if asked.into_iter().any(|model| !is_here(model)) {
        let store = ReplyStore::open(&folder.cache()).map_err(Failure::world)?;
        registry = registry.with_cache(Arc::new(store));
    }
    if let Some(budget) = config.study.budget {
        registry = registry.with_budget(Arc::new(Ledger::new(Amount::new(budget))));
    }
    Ok(Study { folder, config, frame, registry })
}

fn is_here(model: &ModelId) -> bool {
    matches!(model.provider(), "embedded" | "scripted")
}

/// Where verdicts go: those of foreign candidates into a folder of their own, named after what is
/// judged and by whom, so that the study's stay and a killed run goes on where it stopped.
pub(crate) fn verdicts(study: &Study, candidates: Option<&Path>) -> Result<PathBuf, Failure> {
    let Some(file) = candidates else { return Ok(study.folder.verdicts()) };
    let bytes = std::fs::read(file)
        .map_err(|error| Failure::wrong_use(format!("{}: {error}", file.display())))?;
    let key = format!("{} {}", study.config.judge.model, digest(&bytes));
    let folder = study.folder.cache().join("judged").join(digest(key.as_bytes()));
    Ok(folder.join("verdicts.jsonl"))
}

/// When a run began.
pub(crate) struct Clock {
    started: SystemTime,
    since: Instant,
}

impl Clock {
    pub(crate) fn start() -> Self {
        Self { started: SystemTime::now(), since: Instant::now() }
    }

    /// Completes what is recorded of a run.
    pub(crate) fn stamp(&self, made: &mut Made) {
        let started = OffsetDateTime::from(self.started);
        made.started = started
            .replace_nanosecond(0)
            .unwrap_or(started)
            .format(&Rfc3339)
            .expect("a time of today has a year of four digits");
        made.seconds = self.since.elapsed().as_secs_f64();
        let words = std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned());
        made.command =
            std::iter::once("polyculture".to_owned()).chain(words).collect::<Vec<_>>().join(" ");
    }
}

/// Writes results and report into the study.
pub(crate) fn keep(folder: &Folder, results: &Results) -> Result<(), Failure> {
    JsonlWriter::create(&folder.results())?.append(results)?;
    write_report(&folder.report(), results)
}

/// Writes a report.
pub(crate) fn write_report(path: &Path, results: &Results) -> Result<(), Failure> {
    let html = polyculture_report::html(results).map_err(Failure::wrong_use)?;
    let write = || -> std::io::Result<()> {
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)?;
        }
        std::fs::write(path, html)
    };
    write().map_err(|error| Failure::world(format!("{}: {error}", path.display())))
}

/// Prints results as one JSON document.
pub(crate) fn print_json(results: &impl serde::Serialize) {
    let text = serde_json::to_string_pretty(results).expect("results are always JSON");
    println!("{text}");
}
