//! The survey's stages: a design, people who fill it, weights, default responses, and what the answers say.

use super::{StageError, Study};
use crate::evaluate::survey::{
    ModelAnswers, SurveyAnswer, SurveyQuestion, careless_rows, survey as answer,
};
use crate::folder::{FolderError, Manifest, prepare};
use crate::progress::Progress;
use crate::sample::{self, Plan, Prompt, Strategy, Templates};
use crate::survey::careless::flags;
use crate::survey::table::{Choice, Defaults, items};
use crate::survey::weight::CountryWeights;
use crate::survey::{
    Behaviour, Dealing, Imported, MarginRow, Population, Quota, Simulator, SurveyFiles,
    SurveyTable, Weighted, Weighting, design, weigh,
};
use polyculture_core::results::{BalanceRow, JudgeRow};
use polyculture_core::{
    Answer, Assignment, DefaultResponse, Format, ModelId, PromptId, Respondent, SurveyWeight, jsonl,
};
use polyculture_stats::bootstrap::Bootstrap;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::path::PathBuf;

/// What weighting did, as it is kept beside the weights.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct WeightingReport {
    /// How each country's weights came about.
    pub countries: Vec<CountryWeights>,
    /// The margins before and after.
    pub balance: Vec<BalanceRow>,
}

impl Format for WeightingReport {
    const FORMAT: &'static str = "polyculture.weighting/1";
}

/// How wide the intervals of a survey of one size would be.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PowerRow {
    /// People of each country.
    pub n_per_country: usize,
    /// All people.
    pub n: usize,
    /// What is estimated.
    pub figure: String,
    /// Its value in the simulated survey.
    pub value: f64,
    /// The interval's ends.
    pub interval: [f64; 2],
    /// Its width.
    pub width: f64,
}

impl Study {
    /// Where the survey's files are.
    #[must_use]
    pub fn survey_files(&self) -> [PathBuf; 4] {
        ["respondents.jsonl", "answers.jsonl", "weights.jsonl", "defaults.jsonl"]
            .map(|file| self.folder.survey(file))
    }

    /// Draws who sees what into `survey/design.jsonl`.
    ///
    /// # Errors
    /// If the quotas cannot be filled with the instrument, or the file not be written.
    pub fn design_survey(
        &self,
        quotas: &[Quota],
        items_per_person: usize,
        with_default: bool,
    ) -> Result<Vec<Assignment>, StageError> {
        let dealing = Dealing { items_per_person, with_default, seed: self.seed() };
        let assignments = design(self.instrument()?.items(), quotas, &dealing)?;
        jsonl::write(&self.folder.survey("design.jsonl"), &assignments)?;
        Ok(assignments)
    }

    /// The design of the survey.
    ///
    /// # Errors
    /// If there is none, or it is not readable.
    pub fn survey_design(&self) -> Result<Vec<Assignment>, StageError> {
        Ok(jsonl::read(&self.folder.survey("design.jsonl"))?)
    }

    /// Fills the design with people of a population, into the same files as an import.
    ///
    /// # Errors
    /// If there is no design, or the population does not fit it.
    pub fn simulate_survey(
        &self,
        population: &Population,
        behaviour: Behaviour,
    ) -> Result<Imported, StageError> {
        let assignments = self.survey_design()?;
        let imported = self.simulated(&assignments, population, behaviour)?;
        self.keep_survey(&imported, Manifest::new("survey").setting("simulated", true))?;
        Ok(imported)
    }

    fn simulated(
        &self,
        assignments: &[Assignment],
        population: &Population,
        behaviour: Behaviour,
    ) -> Result<Imported, StageError> {
        let instrument = self.instrument()?;
        let axes: HashMap<PromptId, _> =
            instrument.items().iter().map(|item| (item.id.clone(), item.axis.clone())).collect();
        let simulator = Simulator::new(population, &axes, &self.frame, behaviour, self.seed())?;
        let mut imported = Imported::default();
        for assignment in assignments {
            let (respondent, answers) = simulator.fill(assignment)?;
            imported.respondents.push(respondent);
            imported.answers.extend(answers);
        }
        imported.n_rows = imported.answers.len() as u64;
        Ok(imported)
    }

    /// Keeps a survey, in place of the one that was there. Weights of the other one go with it.
    ///
    /// # Errors
    /// If the files cannot be written.
    pub fn keep_survey(&self, survey: &Imported, manifest: Manifest) -> Result<(), StageError> {
        let [respondents, answers, weights, _] = self.survey_files();
        prepare(&answers, &manifest, true)?;
        for stale in [weights, self.folder.survey("weighting.jsonl")] {
            if stale.exists() {
                std::fs::remove_file(&stale)
                    .map_err(|source| FolderError::File { path: stale, source })?;
            }
        }
        jsonl::write(&respondents, &survey.respondents)?;
        jsonl::write(&answers, &survey.answers)?;
        Ok(())
    }

    /// Whether the survey that is kept was made up.
    #[must_use]
    pub fn survey_is_simulated(&self) -> bool {
        let text = std::fs::read_to_string(self.folder.survey("manifest.json")).unwrap_or_default();
        serde_json::from_str::<Manifest>(&text)
            .is_ok_and(|m| m.settings.get("simulated") == Some(&serde_json::Value::Bool(true)))
    }

    /// Weighs the respondents to margins, into `survey/weights.jsonl`.
    ///
    /// # Errors
    /// If there are no respondents, or the margins cannot be met.
    pub fn weigh_survey(
        &self,
        margins: &[MarginRow],
        settings: &Weighting,
    ) -> Result<Weighted, StageError> {
        let [respondents, _, weights, _] = self.survey_files();
        let people: Vec<Respondent> = jsonl::read(&respondents)?;
        let weighted = weigh(&people, margins, settings)?;
        let lines = people.iter().zip(&weighted.weights);
        let lines: Vec<SurveyWeight> = lines
            .map(|(person, weight)| SurveyWeight { respondent: person.id.clone(), weight: *weight })
            .collect();
        jsonl::write(&weights, &lines)?;
        let report = WeightingReport {
            countries: weighted.countries.clone(),
            balance: weighted.balance.clone(),
        };
        jsonl::write(&self.folder.survey("weighting.jsonl"), &[report])?;
        Ok(weighted)
    }

    /// Draws a default response to every item in every language that is asked in, and judges it, into `survey/defaults.jsonl`.
    ///
    /// # Errors
    /// If the model or the judge cannot be had, or gives no reply.
    pub async fn draw_defaults(
        &self,
        model: &ModelId,
        languages: &[String],
        force: bool,
        progress: &dyn Progress,
    ) -> Result<Vec<DefaultResponse>, StageError> {
        let mut defaults = Vec::new();
        for language in languages {
            let instrument = self.instrument()?.in_language(language);
            let settings = &self.config.sample;
            let plan = Plan {
                models: vec![self.registry.connect(model)?],
                prompts: instrument.items().iter().map(Prompt::from).collect(),
                strategies: vec![Strategy::Temperature(1.0)],
                k: 1,
                sets_per_prompt: 1,
                max_tokens: settings.max_tokens,
                retries: settings.retries,
                concurrency: settings.concurrency,
                seed: self.seed().stream("survey defaults", language),
                templates: Templates::default(),
            };
            let folder = self.folder.survey("defaults").join(language);
            let file = folder.join("candidates.jsonl");
            let manifest = Manifest::new("survey")
                .setting("model", model.as_str())
                .setting("seed", self.config.study.seed)
                .setting("language", language);
            prepare(&file, &manifest, force)?;
            let sampled = sample::run(&plan, &file, progress).await?;
            let verdicts = folder.join("judge/verdicts.jsonl");
            let judged = self.judge(&sampled.sets, &file, &verdicts, force, progress).await?;
            let places: HashMap<_, _> = judged
                .verdicts
                .iter()
                .map(|verdict| ((&verdict.set_id, &verdict.axis), verdict))
                .collect();
            for set in &sampled.sets {
                let (Some(axis), Some(response)) = (&set.axis, set.responses.first()) else {
                    continue;
                };
                let verdict = places.get(&(&set.set_id, axis));
                defaults.push(DefaultResponse {
                    item: set.prompt_id.clone(),
                    language: language.clone(),
                    model: response.model.clone(),
                    text: response.text.clone(),
                    position: verdict.and_then(|verdict| verdict.outcome.position()),
                    judge: verdict.map(|verdict| verdict.judge.clone()),
                });
            }
        }
        jsonl::write(&self.folder.survey("defaults.jsonl"), &defaults)?;
        Ok(defaults)
    }

    /// The survey, if there is one.
    ///
    /// # Errors
    /// If its files do not fit each other or the instrument.
    pub fn survey_table(&self) -> Result<Option<SurveyTable>, StageError> {
        let [respondents, answers, weights, defaults] = self.survey_files();
        if !answers.exists() {
            return Ok(None);
        }
        let files = SurveyFiles {
            respondents: &respondents,
            answers: &answers,
            weights: &weights,
            defaults: &defaults,
        };
        Ok(Some(SurveyTable::read(files, &self.instrument()?, &self.frame)?))
    }

    /// What the survey says, with models if some answered its items.
    ///
    /// # Errors
    /// If a figure does not exist.
    pub fn survey_answer(
        &self,
        table: &SurveyTable,
        models: impl FnOnce(&SurveyTable) -> Option<ModelAnswers>,
        judges: &[JudgeRow],
    ) -> Result<SurveyAnswer, StageError> {
        let careless = &self.config.survey.careless;
        let flags = flags(table, careless);
        let kept;
        let used = if careless.drop {
            let keep: Vec<bool> = flags.iter().map(|flags| !flags.any()).collect();
            kept = table.filter(&keep);
            &kept
        } else {
            table
        };
        let path = self.folder.survey("weighting.jsonl");
        let report: WeightingReport = if path.exists() {
            jsonl::read(&path)?.into_iter().next().unwrap_or_default()
        } else {
            WeightingReport::default()
        };
        let settings = self.bootstrap();
        let question = SurveyQuestion {
            table: used,
            weighting: &report.countries,
            frame: &self.frame,
            judges,
            cover_radius: self.config.survey.cover_radius,
            seed: self.seed().stream("survey", ""),
            settings,
        };
        let mut found = answer(&question, models(used))?;
        found.summary.balance = report.balance;
        found.summary.careless = careless_rows(&flags, careless, settings.level);
        Ok(found)
    }

    /// How wide intervals would be for surveys of these sizes: simulated with the population, held against the models' answers if
    /// there are any.
    ///
    /// # Errors
    /// If a survey cannot be simulated, or a figure does not exist.
    pub fn survey_power(
        &self,
        sizes: &[usize],
        population: &Population,
        behaviour: Behaviour,
        items_per_person: usize,
        models: impl Fn(&SurveyTable) -> Option<ModelAnswers>,
    ) -> Result<Vec<PowerRow>, StageError> {
        let instrument = self.instrument()?;
        let mut rows = Vec::new();
        for &n_per_country in sizes {
            let quotas: Vec<Quota> = population
                .countries
                .iter()
                .map(|country| Quota {
                    country: country.name.clone(),
                    language: country.language.clone(),
                    demographics: Default::default(),
                    n: n_per_country,
                })
                .collect();
            let dealing = Dealing { items_per_person, with_default: false, seed: self.seed() };
            let assignments = design(instrument.items(), &quotas, &dealing)?;
            let imported = self.simulated(&assignments, population, behaviour)?;
            let table = self.table_of(imported)?;
            let question = SurveyQuestion {
                table: &table,
                weighting: &[],
                frame: &self.frame,
                judges: &[],
                cover_radius: self.config.survey.cover_radius,
                seed: self.seed(),
                settings: Bootstrap { resamples: 500, ..self.bootstrap() },
            };
            let found = answer(&question, models(&table))?;
            let mut push = |figure: String, estimate: polyculture_core::Estimate| {
                rows.push(PowerRow {
                    n_per_country,
                    n: table.respondents.len(),
                    figure,
                    value: estimate.value,
                    interval: [estimate.low, estimate.high],
                    width: estimate.high - estimate.low,
                });
            };
            let countries = population.countries.iter().map(|c| c.name.as_str()).take(1);
            let shown: Vec<&str> =
                std::iter::once(crate::evaluate::share::EVERYONE).chain(countries).collect();
            for row in &found.summary.scores {
                if shown.contains(&row.population.as_str()) {
                    push(format!("mean score, {}, {}", row.axis, row.population), row.mean);
                }
            }
            for row in &found.shares {
                let is_it = row.reading == "O1" && row.source == "models";
                if is_it && shown.contains(&row.population.as_str()) {
                    push(format!("aligned share O1, {}", row.population), row.share);
                }
            }
        }
        Ok(rows)
    }

    fn table_of(&self, imported: Imported) -> Result<SurveyTable, StageError> {
        let items = items(&self.instrument()?, &self.frame);
        let number_of_item: HashMap<&PromptId, u16> =
            items.iter().enumerate().map(|(i, item)| (&item.id, i as u16)).collect();
        let numbers: HashMap<_, _> = imported
            .respondents
            .iter()
            .enumerate()
            .map(|(i, respondent)| (&respondent.id, i as u32))
            .collect();
        let none = Defaults::new();
        let choice = |answer: &Answer| {
            let number = numbers[&answer.respondent];
            let language = &imported.respondents[number as usize].language;
            (number, Choice::new(answer, number_of_item[&answer.item], language, &none))
        };
        let answers = imported.answers.iter().map(choice).collect();
        let weights = imported.respondents.iter().map(|r| r.weight).collect();
        Ok(SurveyTable::of(imported.respondents.clone(), weights, items, answers))
    }
}
