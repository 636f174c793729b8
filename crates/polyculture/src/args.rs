//! What can be typed.

mod dataset;
mod survey;

pub(crate) use dataset::*;
pub(crate) use survey::*;

use clap::{Parser, Subcommand};
use polyculture_core::ModelId;
use polyculture_study::sample::Strategy;
use std::path::PathBuf;

/// Whose values does a language model speak for? Measure algorithmic monoculture, and undo it.
///
/// Start with `polyculture demo`: the whole way on tiny built-in models, offline, in a minute.
#[derive(Debug, Parser)]
#[command(version, propagate_version = true, after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXAMPLES: &str = "Examples:
  polyculture demo
  polyculture sample --model openai/gpt-4o --model ollama/llama3.3 --strategy nc --limit 5
  polyculture evaluate coverage --candidates answers.jsonl
  polyculture init mystudy && polyculture run --study mystudy

Exit codes: 0 done, 1 the answer is \"no\", 2 wrong use or unreadable input, 3 the outside world failed.";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// The whole way on the seedlings: sample, judge, evaluate, report. Offline.
    Demo(DemoArgs),
    /// Make a new study: a folder with a commented study.toml.
    Init(InitArgs),
    /// Run all stages of a study in order; what is done is not done again.
    Run(RunArgs),
    /// What people prefer: design a survey, read its answers, weigh and score them.
    Survey {
        #[command(subcommand)]
        verb: Box<SurveyVerb>,
    },
    /// Draw sets of candidate responses from models.
    Sample(SampleArgs),
    /// Place responses on the axes of the value frame.
    Judge {
        #[command(subcommand)]
        verb: JudgeVerb,
    },
    /// Turn candidates and verdicts into figures with intervals.
    Evaluate {
        #[command(subcommand)]
        verb: EvaluateVerb,
    },
    /// Preference data of any tool: what is wrong with it, what is in it, and other forms of it.
    Dataset {
        #[command(subcommand)]
        verb: Box<DatasetVerb>,
    },
    /// Write the results of a study as one HTML file.
    Report(ReportArgs),
    /// Try endpoints and say what they take; list what is built in.
    Doctor(DoctorArgs),
    /// Print completions for a shell.
    Completions {
        /// Which shell.
        shell: clap_complete::Shell,
    },
}

#[derive(Debug, clap::Args)]
pub(crate) struct DemoArgs {
    /// Where the demo's study goes.
    #[arg(long, value_name = "DIR", default_value = "polyculture-demo")]
    pub(crate) study: PathBuf,
    /// The root of all chance.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Prompts of each axis.
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub(crate) limit: usize,
    /// Do everything anew.
    #[arg(long)]
    pub(crate) force: bool,
    /// Print the results as one JSON document.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct InitArgs {
    /// The study's folder; it is made.
    pub(crate) study: PathBuf,
    /// The axes: inglehart-welzel, hofstede, or a file of format polyculture.frame/1, which is copied into the study.
    #[arg(long, value_name = "NAME or FILE", default_value = "inglehart-welzel")]
    pub(crate) frame: String,
    /// Prompts with curated responses for a frame of your own, format polyculture.instrument/1; copied too.
    #[arg(long, value_name = "FILE")]
    pub(crate) instrument: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct RunArgs {
    #[command(flatten)]
    pub(crate) study: StudyArgs,
    /// Do everything anew.
    #[arg(long)]
    pub(crate) force: bool,
    /// Print the results as one JSON document.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Where a study is.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct StudyArgs {
    /// The study's folder. Without one, the folder here, with or without a study.toml.
    #[arg(long, value_name = "DIR", env = "POLYCULTURE_STUDY", default_value = ".")]
    pub(crate) study: PathBuf,
    /// The root of all chance.
    #[arg(long)]
    pub(crate) seed: Option<u64>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct SampleArgs {
    #[command(flatten)]
    pub(crate) study: StudyArgs,
    /// Who is asked, as provider/name; may be given several times.
    #[arg(long = "model", value_name = "MODEL")]
    pub(crate) models: Vec<ModelId>,
    /// How sets are drawn: temperature-T, many-models, nc, sequential, verbalised; several times.
    #[arg(long = "strategy", value_name = "STRATEGY")]
    pub(crate) strategies: Vec<Strategy>,
    /// What is asked: instrument, seedlings, or a JSON Lines file.
    #[arg(long, value_name = "NAME or FILE")]
    pub(crate) prompts: Option<String>,
    /// The language of the prompts, such as en, fr, it, pt-BR or hi.
    #[arg(long, value_name = "TAG")]
    pub(crate) language: Option<String>,
    /// Candidates in a set.
    #[arg(long, short)]
    pub(crate) k: Option<usize>,
    /// Sets for each strategy, model and prompt.
    #[arg(long, value_name = "N")]
    pub(crate) sets_per_prompt: Option<usize>,
    /// Only the first N prompts of each axis.
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<usize>,
    /// The longest response, in tokens.
    #[arg(long, value_name = "N")]
    pub(crate) max_tokens: Option<u32>,
    /// Sets that are drawn at once.
    #[arg(long, value_name = "N")]
    pub(crate) concurrency: Option<usize>,
    /// Throw away what is there and draw everything anew.
    #[arg(long)]
    pub(crate) force: bool,
    /// Only say what would be drawn, and what it may cost at most.
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum JudgeVerb {
    /// Judge candidate sets.
    Run(JudgeRunArgs),
    /// Say how good the embedded judge is where the truth is known.
    Validate {
        /// Print one JSON document.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, clap::Args)]
pub(crate) struct JudgeRunArgs {
    #[command(flatten)]
    pub(crate) study: StudyArgs,
    /// The candidates; without it, those of the study.
    #[arg(long, value_name = "FILE")]
    pub(crate) candidates: Option<PathBuf>,
    /// Who judges: embedded/judge, or any model.
    #[arg(long, value_name = "MODEL")]
    pub(crate) judge: Option<ModelId>,
    /// Throw away what is there and judge everything anew.
    #[arg(long)]
    pub(crate) force: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum EvaluateVerb {
    /// How often sets hold each value, by strategy: judges candidates and measures coverage.
    Coverage(EvaluateArgs),
    /// What share of the surveyed people the models' answers speak for; of a synthetic panel, without a survey.
    Share(EvaluateArgs),
}

#[derive(Debug, clap::Args)]
pub(crate) struct EvaluateArgs {
    #[command(flatten)]
    pub(crate) study: StudyArgs,
    /// Candidates of this program, or any JSON Lines of prompt and responses; without it, those of
    /// the study.
    #[arg(long, value_name = "FILE")]
    pub(crate) candidates: Option<PathBuf>,
    /// Who judges: embedded/judge, or any model.
    #[arg(long, value_name = "MODEL")]
    pub(crate) judge: Option<ModelId>,
    /// Throw away the verdicts that are there and judge everything anew.
    #[arg(long)]
    pub(crate) force: bool,
    /// Print one JSON document.
    #[arg(long)]
    pub(crate) json: bool,
    /// Write the report here too.
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ReportArgs {
    /// The study's folder.
    #[arg(long, value_name = "DIR", env = "POLYCULTURE_STUDY", default_value = ".")]
    pub(crate) study: PathBuf,
}

#[derive(Debug, clap::Args)]
pub(crate) struct DoctorArgs {
    /// The study's folder, for the endpoints it names.
    #[arg(long, value_name = "DIR", env = "POLYCULTURE_STUDY", default_value = ".")]
    pub(crate) study: PathBuf,
    /// Models to try.
    pub(crate) models: Vec<ModelId>,
}
