//! The stages in a row, each from what the study directory holds to what it will hold. The faces
//! call these and show what comes back; what each stage does is in its own module.

mod survey;

pub use survey::{PowerRow, WeightingReport};

use crate::config::{Config, SampleSection};
use crate::evaluate::survey::ModelAnswers;
use crate::evaluate::{self, EvaluateError, Scores, baseline, strategies};
use crate::folder::{Folder, FolderError, Manifest, prepare};
use crate::input::{self, InputError};
use crate::judge::{self, EmbeddedJudge, Judge, JudgeError, Judged, PairwiseError, PairwiseJudge};
use crate::progress::Progress;
use crate::sample::{self, Plan, SampleError, Sampled, Strategy, Templates};
use crate::survey::design::DesignError;
use crate::survey::weight::WeighError;
use crate::survey::{SimulateError, SurveyTable, TableError, synthetic_panel};
use polyculture_core::results::{JudgeRow, Made, Results};
use polyculture_core::{
    CandidateSet, FrameError, Instrument, JsonlError, ModelId, Seed, Template, ValueFrame, Verdict,
    digest,
};
use polyculture_llm::{ConnectError, Registry};
use polyculture_stats::bootstrap::Bootstrap;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A study that is ready to run.
pub struct Study {
    /// Where it lies.
    pub folder: Folder,
    /// Its settings, as they were resolved.
    pub config: Config,
    /// Its axes.
    pub frame: ValueFrame,
    /// Its way to models.
    pub registry: Registry,
}

/// Why a stage stopped. What was finished is kept.
#[derive(Debug, thiserror::Error)]
pub enum StageError {
    /// The study directory.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// A file that was read.
    #[error(transparent)]
    Input(#[from] InputError),
    /// The value frame.
    #[error("{path}: {source}")]
    Frame {
        /// Which file.
        path: String,
        /// What is wrong.
        source: FrameError,
    },
    /// A model's name, key or folder.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// Sampling.
    #[error(transparent)]
    Sample(#[from] SampleError),
    /// The judge's settings.
    #[error(transparent)]
    Pairwise(#[from] PairwiseError),
    /// Judging.
    #[error(transparent)]
    Judge(#[from] JudgeError),
    /// Figures.
    #[error(transparent)]
    Evaluate(#[from] EvaluateError),
    /// The judge's own figures.
    #[error(transparent)]
    Validate(#[from] judge::validate::ValidateError),
    /// A study's file of records.
    #[error(transparent)]
    Jsonl(#[from] JsonlError),
    /// The survey's design.
    #[error(transparent)]
    Design(#[from] DesignError),
    /// The made-up respondents.
    #[error(transparent)]
    Simulate(#[from] SimulateError),
    /// The survey's weights.
    #[error(transparent)]
    Weigh(#[from] WeighError),
    /// The survey's files.
    #[error(transparent)]
    Table(#[from] TableError),
    /// No model is named.
    #[error(
        "no model is named; add `--model provider/name`, or `models` in [sample] of study.toml"
    )]
    NoModels,
}

impl StageError {
    /// Whether the world failed (network, budget, disk) rather than whoever asked.
    #[must_use]
    pub fn is_world(&self) -> bool {
        match self {
            StageError::Sample(error) => error.is_world(),
            StageError::Judge(error) => error.is_world(),
            StageError::Folder(error) => error.is_world(),
            StageError::Jsonl(error) => error.is_world(),
            StageError::Table(error) => error.is_world(),
            _ => false,
        }
    }
}

/// The frame that a name or a file stands for.
///
/// # Errors
/// If the file is no frame.
pub fn frame(name: &str) -> Result<ValueFrame, StageError> {
    if let Some(frame) = ValueFrame::built_in(name) {
        return Ok(frame);
    }
    let path = PathBuf::from(name);
    let text = std::fs::read_to_string(&path)
        .map_err(|source| FolderError::File { path: path.clone(), source })?;
    ValueFrame::parse(&text)
        .map_err(|source| StageError::Frame { path: path.display().to_string(), source })
}

impl Study {
    fn seed(&self) -> Seed {
        Seed::new(self.config.study.seed)
    }

    fn bootstrap(&self) -> Bootstrap {
        let evaluate = &self.config.evaluate;
        Bootstrap {
            resamples: evaluate.resamples,
            level: evaluate.level,
            seed: self.seed().stream("evaluate", "bootstrap").get(),
        }
    }

    /// What `sample` would draw.
    ///
    /// # Errors
    /// If a model or the prompts cannot be had.
    pub fn plan(&self) -> Result<Plan, StageError> {
        let settings = &self.config.sample;
        if settings.models.is_empty() {
            return Err(StageError::NoModels);
        }
        let name = match settings.prompts.as_str() {
            "instrument" => &self.config.study.instrument,
            other => other,
        };
        let prompts = input::prompts(name, &self.frame, &settings.language)?;
        let mut templates = Templates::default();
        if let Some(file) = &settings.nc_template {
            templates.nc = read_template(file)?;
        }
        let mut strategies = settings.strategies.clone();
        if settings.models.len() < 2 && strategies == SampleSection::default().strategies {
            // Nobody asked for it by name, and one model is not many.
            strategies.retain(|strategy| !matches!(strategy, Strategy::ManyModels(_)));
        }
        let models = settings.models.iter().map(|model| self.registry.connect(model));
        Ok(Plan {
            models: models.collect::<Result<_, _>>()?,
            prompts: input::limited(prompts, settings.limit),
            strategies,
            k: settings.k,
            sets_per_prompt: settings.sets_per_prompt,
            max_tokens: settings.max_tokens,
            retries: settings.retries,
            concurrency: settings.concurrency,
            seed: self.seed().stream("sample", ""),
            templates,
        })
    }

    /// Draws candidate sets.
    ///
    /// # Errors
    /// If the plan cannot be made, a model gives no reply, or the artefact is of other settings.
    pub async fn sample(
        &self,
        force: bool,
        progress: &dyn Progress,
    ) -> Result<Sampled, StageError> {
        let plan = self.plan()?;
        let mut manifest = Manifest::new("sample")
            .setting("seed", self.config.study.seed)
            .setting("k", plan.k)
            .setting("max_tokens", plan.max_tokens);
        let templates = &plan.templates;
        manifest.templates = [&templates.nc, &templates.sequential, &templates.verbalised]
            .map(Template::reference)
            .to_vec();
        let file = self.folder.candidates();
        prepare(&file, &manifest, force)?;
        Ok(sample::run(&plan, &file, progress).await?)
    }

    /// Judges candidate sets, which stand in `file`, into `verdicts`.
    ///
    /// # Errors
    /// If the judge cannot be had or gives no reply.
    pub async fn judge(
        &self,
        sets: &[CandidateSet],
        file: &Path,
        verdicts: &Path,
        force: bool,
        progress: &dyn Progress,
    ) -> Result<Judged, StageError> {
        let name = &self.config.judge.model;
        let mut manifest = Manifest::new("judge")
            .setting("judge", name.as_str())
            .setting("frame", content(&self.frame))
            .input("candidates", file)?;
        let judge: Arc<dyn Judge> = if name.as_str() == judge::embedded::NAME {
            let judge = self.embedded_judge()?;
            manifest = manifest.setting("weights", digest(&judge.to_bytes()));
            Arc::new(judge)
        } else {
            let template = PairwiseJudge::default_template();
            manifest.templates.push(template.reference());
            manifest = manifest.setting("seed", self.config.study.seed);
            let model = self.registry.connect(name)?;
            let seed = self.seed().stream("judge", "");
            let anchors = self.instrument()?;
            manifest = manifest.setting("anchors", content(anchors.items()));
            let judge = PairwiseJudge::new(model, template, &anchors, seed)?;
            for set in sets {
                let probed = self.frame.axes.iter().find(|a| set.axis.as_ref() == Some(&a.id));
                judge.check(&set.prompt_id, &probed.unwrap_or(&self.frame.axes[0]).id)?;
            }
            Arc::new(judge)
        };
        prepare(verdicts, &manifest, force)?;
        let concurrency = self.config.judge.concurrency;
        Ok(judge::run(&*judge, sets, &self.frame, concurrency, verdicts, progress).await?)
    }

    /// The study's prompts with their curated responses, in all languages.
    ///
    /// # Errors
    /// If the frame has none in the binary and no file is named, or the file is none.
    pub fn instrument(&self) -> Result<Instrument, StageError> {
        Ok(input::instrument(&self.config.study.instrument, &self.frame)?)
    }

    /// The embedded judge for the study's axes.
    ///
    /// # Errors
    /// If it has to learn new axes, and there is no instrument to learn them from.
    pub fn embedded_judge(&self) -> Result<EmbeddedJudge, StageError> {
        let known: Vec<_> = EmbeddedJudge::built_in().axes().collect();
        if self.frame.axes.iter().all(|axis| known.contains(&&axis.id)) {
            return Ok(EmbeddedJudge::built_in().clone());
        }
        Ok(judge::embedded_judge(&self.frame, &self.instrument()?))
    }

    /// Every figure that sets and verdicts give.
    ///
    /// # Errors
    /// If nothing was scored.
    pub fn evaluate(
        &self,
        sets: &[CandidateSet],
        verdicts: &[Verdict],
        made: Made,
    ) -> Result<Results, StageError> {
        let settings = self.bootstrap();
        let scores = Scores::new(verdicts);
        let coverage = evaluate::coverage::coverage_rows(sets, &scores, &self.frame, &settings)?;
        let names = strategies(sets);
        let gains = if names.len() > 1 {
            evaluate::coverage::gain_rows(sets, &scores, &self.frame, &settings)?
        } else {
            Vec::new()
        };
        let mut results = Results {
            title: self.config.study.name.clone(),
            synthetic: synthetic(sets, &self.config.judge.model),
            frame: self.frame.clone(),
            made,
            coverage,
            gains,
            diversity: evaluate::diversity::diversity_rows(sets, &scores, &self.frame, &settings)?,
            places: evaluate::coverage::place_rows(sets, &scores, &self.frame, &settings)?,
            plane: None,
            shares: Vec::new(),
            judges: Vec::new(),
            examples: evaluate::examples(sets, &scores, &self.frame),
            dataset: None,
            survey: None,
            warnings: warnings(sets, verdicts),
        };
        if self.config.judge.model.as_str() == judge::embedded::NAME {
            results.judges = self.judge_rows(sets, &settings)?;
        }
        match self.survey_table()? {
            Some(table) => self.survey_beside(&mut results, &table, sets, &scores, &names)?,
            None => self.place(&mut results, sets, &scores, &names)?,
        }
        Ok(results)
    }

    /// How good the embedded judge is, in the languages of the sets.
    fn judge_rows(
        &self,
        sets: &[CandidateSet],
        settings: &Bootstrap,
    ) -> Result<Vec<JudgeRow>, StageError> {
        let mut rows = Vec::new();
        if self.frame == ValueFrame::inglehart_welzel() {
            rows = judge::on_world(EmbeddedJudge::built_in(), settings)?;
        }
        let of_instrument = judge::on_instrument(&self.instrument()?, &self.frame, settings)?;
        let is_asked = |row: &JudgeRow| {
            let languages = sets.iter().map(|set| set.language.as_deref().unwrap_or("en"));
            languages.into_iter().any(|language| language == row.language)
        };
        rows.extend(of_instrument.into_iter().filter(is_asked));
        Ok(rows)
    }

    /// Puts the survey and the models side by side.
    fn survey_beside(
        &self,
        results: &mut Results,
        table: &SurveyTable,
        sets: &[CandidateSet],
        scores: &Scores,
        names: &[&str],
    ) -> Result<(), StageError> {
        let baseline = baseline(names);
        let models = |table: &SurveyTable| {
            baseline.map(|name| ModelAnswers::new(sets, scores, &self.frame, name, table))
        };
        // Places are judged in the languages of the models' answers; the curated texts are the judge's test.
        let is_test = |row: &&JudgeRow| !row.data.contains("synthetic");
        let judges: Vec<JudgeRow> = results.judges.iter().filter(is_test).cloned().collect();
        let found = self.survey_answer(table, models, &judges)?;
        if self.survey_is_simulated() {
            let why =
                "The respondents are simulated: shares of them are shares of no real population.";
            results.synthetic = Some(match results.synthetic.take() {
                Some(before) => format!("{before} {why}"),
                None => why.to_owned(),
            });
        }
        if let Some(name) = baseline.filter(|_| found.plane.is_some()) {
            results.warnings.push(format!(
                "The models' places are means over what they answer under strategy `{name}`."
            ));
        }
        results.survey = Some(found.summary);
        results.shares = found.shares;
        results.plane = found.plane;
        results.warnings.extend(found.warnings);
        Ok(())
    }

    /// Puts the synthetic panel and the models side by side.
    fn place(
        &self,
        results: &mut Results,
        sets: &[CandidateSet],
        scores: &Scores,
        names: &[&str],
    ) -> Result<(), StageError> {
        if self.frame != ValueFrame::inglehart_welzel() {
            return Ok(());
        }
        let Some(baseline) = baseline(names) else { return Ok(()) };
        let models = evaluate::share::ModelScores::new(sets, scores, &self.frame, baseline);
        if models.n_models() == 0 || !models.is_placed() {
            return Ok(());
        }
        let settings = self.bootstrap();
        let seed = self.seed().stream("survey", "");
        let panel = synthetic_panel(self.config.survey.people_per_country, seed);
        let people = &panel.people;
        results.shares = evaluate::share::share_rows(people, &models, seed, &settings)?;
        results.plane =
            Some(evaluate::share::plane(&panel.description, people, &models, &settings)?);
        results.warnings.push(format!(
            "The models' places are means over what they answer under strategy `{baseline}`. The people are a synthetic panel: shares of them are shares of no real population."
        ));
        Ok(())
    }
}

/// What a run's provenance says of settings and models; the caller adds command and times.
#[must_use]
pub fn made(study: &Study, sets: &[CandidateSet]) -> Made {
    let mut models: Vec<ModelId> = Vec::new();
    let mut templates = Vec::new();
    for set in sets {
        for model in set.responses.iter().filter_map(|response| response.model.as_ref()) {
            if !models.contains(model) {
                models.push(model.clone());
            }
        }
        for template in &set.templates {
            if !templates.contains(template) {
                templates.push(template.clone());
            }
        }
    }
    let settings = serde_json::to_value(&study.config).expect("settings are always JSON");
    let settings = match settings {
        serde_json::Value::Object(sections) => sections.into_iter().collect(),
        _ => unreachable!("a config is a table"),
    };
    Made {
        version: env!("CARGO_PKG_VERSION").into(),
        seed: study.config.study.seed,
        models,
        judge: study.config.judge.model.to_string(),
        templates,
        settings,
        ..Made::default()
    }
}

/// The digest of what something holds.
fn content(what: &(impl serde::Serialize + ?Sized)) -> String {
    digest(&serde_json::to_vec(what).expect("frames and items are always JSON"))
}

fn synthetic(sets: &[CandidateSet], judge: &ModelId) -> Option<String> {
    let embedded = |model: &ModelId| model.provider() == "embedded";
    let mut models = sets.iter().flat_map(|set| &set.responses).filter_map(|r| r.model.as_ref());
    if models.any(embedded) {
        return Some("The answers come from seedlings: tiny models trained by this project on made-up text to favour two values. They show how the method works and are no evidence about real models.".into());
    }
    embedded(judge).then(|| "The judge is the embedded classifier, trained on made-up text and on 180 curated responses. Use its verdicts to try things out, not as evidence.".into())
}

fn warnings(sets: &[CandidateSet], verdicts: &[Verdict]) -> Vec<String> {
    let mut warnings = vec![
        "The judge's own error is shown beside the figures. It is in no interval but those of shares that are corrected for it."
            .to_owned(),
    ];
    let probed: HashMap<_, _> = sets.iter().map(|set| (&set.set_id, set.axis.as_ref())).collect();
    let asked = |verdict: &&Verdict| match probed.get(&verdict.set_id) {
        Some(Some(axis)) => **axis == verdict.axis,
        _ => true,
    };
    let asked: Vec<_> = verdicts.iter().filter(asked).collect();
    let unscored = asked.iter().filter(|verdict| verdict.outcome.position().is_none()).count();
    if unscored > 0 {
        let n = asked.len();
        warnings.push(format!("{unscored} of {n} verdicts are unscored: they count neither way."));
    }
    let failed: u32 = sets.iter().map(|set| set.failed_draws).sum();
    if failed > 0 {
        warnings.push(format!(
            "{failed} replies did not hold what was asked for and were drawn again."
        ));
    }
    warnings
}

fn read_template(path: &Path) -> Result<Template, StageError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| FolderError::File { path: path.to_owned(), source })?;
    let id = path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
    Ok(Template::new(id, text))
}
