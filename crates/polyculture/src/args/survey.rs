//! What can be typed after `survey`.

use super::StudyArgs;
use clap::Subcommand;
use polyculture_core::ModelId;
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(crate) enum SurveyVerb {
    /// Check that the instrument is the same in every language, and how well the embedded judge reads each.
    Languages(SurveyLanguagesArgs),
    /// Draw who sees what: items and the order of their options, by quotas.
    Design(SurveyDesignArgs),
    /// Fill the design with made-up people, to try an analysis before it is paid for.
    Simulate(SurveySimulateArgs),
    /// Read the answers of any survey tool.
    Import(SurveyImportArgs),
    /// Weigh respondents to the margins of their countries.
    Weight(SurveyWeightArgs),
    /// Draw and judge the default response of a model to every item, in every language that is asked in.
    Defaults(SurveyDefaultsArgs),
    /// Say where people stand, and how well that is measured.
    Score(SurveyScoreArgs),
    /// Say how wide intervals would be for surveys of several sizes.
    Power(SurveyPowerArgs),
}

#[derive(Debug, clap::Args)]
pub(crate) struct SurveyLanguagesArgs {
    #[command(flatten)]
    pub(crate) study: StudyArgs,
    /// Leave the judge out: it takes some seconds.
    #[arg(long)]
    pub(crate) no_judge: bool,
    /// Print one JSON document.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct SurveyDesignArgs {
    #[command(flatten)]
    pub(crate) study: StudyArgs,
    /// A table of quotas: country, language, n, and any columns such as age and gender; CSV, JSON Lines or Parquet.
    #[arg(long, value_name = "FILE", conflicts_with = "per_country")]
    pub(crate) quotas: Option<String>,
    /// So many people of each country of the population, without quotas.
    #[arg(long, value_name = "N")]
    pub(crate) per_country: Option<usize>,
    /// Where the countries are, if not the United States, France, Italy, Brazil and India: a TOML file.
    #[arg(long, value_name = "FILE")]
    pub(crate) population: Option<PathBuf>,
    /// Items that a respondent sees; the paper's 20, or all if there are fewer.
    #[arg(long, value_name = "N")]
    pub(crate) items: Option<usize>,
    /// Show the three curated responses alone, without a model's default response.
    #[arg(long)]
    pub(crate) no_default: bool,
    /// Print one JSON document.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Made-up people.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct PeopleArgs {
    /// Who lives where, and how they lean: a TOML file; the United States, France, Italy, Brazil and India if none is named.
    #[arg(long, value_name = "FILE")]
    pub(crate) population: Option<PathBuf>,
    /// Share of respondents who do not read.
    #[arg(long, value_name = "SHARE", default_value_t = 0.0)]
    pub(crate) careless: f64,
    /// What the first place adds to the log-odds of an option.
    #[arg(long, value_name = "LOG-ODDS", default_value_t = 0.0)]
    pub(crate) order_effect: f64,
    /// What being a model's default response adds to the log-odds of an option.
    #[arg(long, value_name = "LOG-ODDS", default_value_t = 0.0)]
    pub(crate) default_appeal: f64,
}

#[derive(Debug, clap::Args)]
pub(crate) struct SurveySimulateArgs {
    #[command(flatten)]
    pub(crate) study: StudyArgs,
    #[command(flatten)]
    pub(crate) people: PeopleArgs,
    /// Take the place of a survey that was imported.
    #[arg(long)]
    pub(crate) force: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct SurveyImportArgs {
    /// Files, folders or patterns: CSV, TSV, JSON Lines, JSON or Parquet, compressed or not; one row an answer.
    #[arg(required = true)]
    pub(crate) files: Vec<String>,
    #[command(flatten)]
    pub(crate) study: StudyArgs,
    /// Print one JSON document.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct SurveyWeightArgs {
    #[command(flatten)]
    pub(crate) study: StudyArgs,
    /// A table of margins: variable, category, share, and country where it holds for one alone.
    #[arg(long, value_name = "FILE")]
    pub(crate) margins: String,
    /// The largest weight, in means of a country's weights; 0 for none.
    #[arg(long, value_name = "TIMES", default_value_t = 5.0)]
    pub(crate) trim_above: f64,
    /// The smallest weight, in means of a country's weights; 0 for none.
    #[arg(long, value_name = "TIMES", default_value_t = 0.0)]
    pub(crate) trim_below: f64,
    /// Who lacks a variable forms a category that keeps its share, instead of being an error.
    #[arg(long)]
    pub(crate) keep_missing: bool,
    /// Print one JSON document.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct SurveyDefaultsArgs {
    #[command(flatten)]
    pub(crate) study: StudyArgs,
    /// Who answers, as provider/name.
    #[arg(long, value_name = "MODEL")]
    pub(crate) model: ModelId,
    /// Who judges: embedded/judge, or any model.
    #[arg(long, value_name = "MODEL")]
    pub(crate) judge: Option<ModelId>,
    /// Only these languages; those of the design or the survey, if none is named.
    #[arg(long = "language", value_name = "TAG")]
    pub(crate) languages: Vec<String>,
    /// Draw and judge everything anew.
    #[arg(long)]
    pub(crate) force: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct SurveyScoreArgs {
    #[command(flatten)]
    pub(crate) study: StudyArgs,
    /// Print one JSON document.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct SurveyPowerArgs {
    #[command(flatten)]
    pub(crate) study: StudyArgs,
    #[command(flatten)]
    pub(crate) people: PeopleArgs,
    /// People of each country, one survey each.
    #[arg(long = "per-country", value_name = "N", value_delimiter = ',', default_values_t = [100, 300, 1000, 3000])]
    pub(crate) per_country: Vec<usize>,
    /// Items that a respondent sees.
    #[arg(long, value_name = "N")]
    pub(crate) items: Option<usize>,
    /// Print one JSON document.
    #[arg(long)]
    pub(crate) json: bool,
}
