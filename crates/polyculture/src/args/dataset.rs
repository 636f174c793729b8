//! What can be typed after `polyculture dataset`.

use clap::Subcommand;
use polyculture_data::convert::{PairRule, Style, Target, TruncationMode};
use polyculture_data::split::Ratios;
use polyculture_data::{ChoiceRule, RowFormat};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(crate) enum DatasetVerb {
    /// Read a dataset whole and say what is wrong in it, with counts and lines. Exit code 1 if
    /// anything is an error.
    Lint(DatasetLintArgs),
    /// Say what is in a dataset: counts, who met the same, how far people agree, what they chose.
    Stats(DatasetStatsArgs),
    /// Write a dataset as one Parquet file of the one shape: later passes over it take a fraction of the time.
    Import(DatasetImportArgs),
    /// Ask a dataset in SQL: tables comparisons, candidates and repeated.
    Query(DatasetQueryArgs),
    /// Split a dataset into parts that share no prompt and no conversation.
    Split(DatasetSplitArgs),
    /// Write training files for TRL, OpenAI, LLaMA-Factory or Axolotl, or show what a model will see.
    Convert(DatasetConvertArgs),
    /// Make a folder for the Hugging Face Hub: Parquet, a card, Croissant; nothing private in it.
    Publish(DatasetPublishArgs),
}

/// Which files, and how they are read.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct SourceArgs {
    /// Files, folders or patterns; CSV, JSON Lines, JSON or Parquet, compressed with gzip or zstd or not;
    /// also hf://datasets/OWNER/NAME/PATH and s3://BUCKET/KEY.
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<String>,
    #[command(flatten)]
    pub(crate) how: HowArgs,
}

/// How files are read.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct HowArgs {
    /// The format, where it should not be told from the files.
    #[arg(long)]
    pub(crate) format: Option<String>,
    /// What the columns mean, in a TOML file: for files of no known format.
    #[arg(long, value_name = "FILE")]
    pub(crate) mapping: Option<PathBuf>,
    /// How scores become choices: marked (what the file marks), highest, margin=N, or scores (they stay scores).
    #[arg(long, value_name = "RULE", default_value = "marked")]
    pub(crate) choice_rule: ChoiceRule,
    /// Where files of hf:// and s3:// lie once they are fetched.
    #[arg(long, value_name = "DIR", env = "POLYCULTURE_CACHE")]
    pub(crate) cache: Option<PathBuf>,
    /// Fetch nothing: take what is in the cache.
    #[arg(long)]
    pub(crate) offline: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct DatasetLintArgs {
    #[command(flatten)]
    pub(crate) source: SourceArgs,
    /// Do not look whether texts are in the language that the dataset says: it takes the most time.
    #[arg(long)]
    pub(crate) no_language: bool,
    /// Do not look for near-duplicate prompts.
    #[arg(long)]
    pub(crate) no_near_duplicates: bool,
    /// Do not look for personal data.
    #[arg(long)]
    pub(crate) no_personal_data: bool,
    /// Forecast what loses text: whose tokens, a model's folder or embedded/NAME.
    #[arg(long, value_name = "MODEL", requires = "max_length")]
    pub(crate) tokenizer: Option<String>,
    /// The length of the forecast, in tokens.
    #[arg(long, value_name = "TOKENS", requires = "tokenizer")]
    pub(crate) max_length: Option<usize>,
    /// Other parts of the same data, as NAME=FILE: what stands in the dataset and in one of them leaks.
    #[arg(long, value_name = "NAME=FILE")]
    pub(crate) against: Vec<String>,
    /// Look for annotators that stand in several parts, too.
    #[arg(long, requires = "against")]
    pub(crate) against_annotators: bool,
    /// Print one JSON document.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct DatasetStatsArgs {
    #[command(flatten)]
    pub(crate) source: SourceArgs,
    /// Print one JSON document.
    #[arg(long)]
    pub(crate) json: bool,
    /// Write a report here: one HTML file.
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct DatasetImportArgs {
    #[command(flatten)]
    pub(crate) source: SourceArgs,
    /// The Parquet file.
    #[arg(long, short, value_name = "FILE")]
    pub(crate) out: PathBuf,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  polyculture dataset query \"SELECT language, count(*) FROM comparisons GROUP BY 1\" votes.parquet
  polyculture dataset query \"SELECT id, avg(length(text)) FROM candidates WHERE is_chosen GROUP BY 1\" data/
  polyculture dataset query \"SELECT conversation_id, entropy_bits FROM repeated\" data.csv --rows csv
  polyculture dataset query \"DESCRIBE comparisons\" data.csv")]
pub(crate) struct DatasetQueryArgs {
    /// The question.
    pub(crate) sql: String,
    #[command(flatten)]
    pub(crate) source: SourceArgs,
    /// How rows are written: table, csv, json, jsonl, parquet.
    #[arg(long, value_name = "FORMAT", default_value = "table", conflicts_with = "json")]
    pub(crate) rows: RowFormat,
    /// Print one JSON document: the rows.
    #[arg(long)]
    pub(crate) json: bool,
    /// Write the rows here.
    #[arg(long, short, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  polyculture dataset split data.csv --ratios train=0.8,validation=0.1,test=0.1 --stratify language --out splits
  polyculture dataset split data.csv --leave-annotators-out 0.2 --out splits
  polyculture dataset split data.csv --leave-out france --out splits")]
pub(crate) struct DatasetSplitArgs {
    #[command(flatten)]
    pub(crate) source: SourceArgs,
    /// Splits and their shares of the comparisons.
    #[arg(long, value_name = "NAME=SHARE,…", default_value = "train=0.8,validation=0.1,test=0.1")]
    pub(crate) ratios: Ratios,
    /// The folder for one file a split; without it, the plan is only made, checked and shown.
    #[arg(long, short, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// The ending of the files: jsonl, jsonl.gz, jsonl.zst.
    #[arg(long, default_value = "jsonl", value_parser = ["jsonl", "jsonl.gz", "jsonl.zst"])]
    pub(crate) extension: String,
    /// A column within whose values the shares hold, such as language; several times.
    #[arg(long, value_name = "COLUMN")]
    pub(crate) stratify: Vec<String>,
    /// Keep all conversations of an annotator in one split, too.
    #[arg(long)]
    pub(crate) link_annotators: bool,
    /// Keep prompts of all turns in one split, not only those that begin a conversation.
    #[arg(long)]
    pub(crate) link_all_prompts: bool,
    /// Annotators who are only in test: a number of them, or a share below 1.
    #[arg(long, value_name = "N", conflicts_with = "leave_out")]
    pub(crate) leave_annotators_out: Option<f64>,
    /// A value, such as a country, that is only in test; several times.
    #[arg(long, value_name = "VALUE")]
    pub(crate) leave_out: Vec<String>,
    /// The column of the values that are left out; without it, the annotator's country.
    #[arg(long, value_name = "COLUMN", requires = "leave_out")]
    pub(crate) leave_out_column: Option<String>,
    /// Keep others' conversations that share a prompt with what is left out.
    #[arg(long)]
    pub(crate) keep_shared_prompts: bool,
    /// The root of all chance.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Print one JSON document.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Which comparisons.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct FilterArgs {
    /// Only this language; several times.
    #[arg(long)]
    pub(crate) language: Vec<String>,
    /// Only comparisons with this value in a column, such as annotator_country=france; several times.
    #[arg(long, value_name = "COLUMN=VALUE")]
    pub(crate) only: Vec<String>,
    /// Only candidates of this source, such as nc; several times.
    #[arg(long, value_name = "SOURCE")]
    pub(crate) candidate_source: Vec<String>,
    /// Only these turns: 1, or 2-4.
    #[arg(long, value_name = "TURNS")]
    pub(crate) turns: Option<String>,
    /// Only this annotator; several times.
    #[arg(long, value_name = "ID")]
    pub(crate) annotator: Vec<String>,
    /// Only comparisons in which every candidate has a text.
    #[arg(long)]
    pub(crate) complete_only: bool,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  polyculture dataset convert data.csv --to trl-preference --pairs closest --out dpo.jsonl
  polyculture dataset convert data.csv --to trl-prompt-completion --only annotator_country=france --out sft.jsonl.gz
  polyculture dataset convert data.csv --to trl-preference --preview 2 --tokenizer embedded/basil --max-length 512")]
pub(crate) struct DatasetConvertArgs {
    #[command(flatten)]
    pub(crate) source: SourceArgs,
    /// The dataset type: trl-preference, trl-prompt-completion, trl-language-modelling, trl-prompt-only,
    /// trl-unpaired, openai-sft, openai-dpo, llama-factory-sft, llama-factory-dpo, llama-factory-kto,
    /// axolotl-sft, axolotl-dpo, polyculture.
    #[arg(long, value_name = "TYPE", value_parser = named(Target::from_id))]
    pub(crate) to: Target,
    /// conversational (messages) or standard (plain texts).
    #[arg(long, default_value = "conversational", value_parser = named(Style::from_id))]
    pub(crate) style: Style,
    /// Which candidates a chosen one is set against: all, random, closest, closest-score, best-worst.
    #[arg(long, value_name = "RULE", default_value = "all", value_parser = named(PairRule::from_id))]
    pub(crate) pairs: PairRule,
    #[command(flatten)]
    pub(crate) filter: FilterArgs,
    /// At most so many rows of one comparison, picked at random.
    #[arg(long, value_name = "N")]
    pub(crate) max_rows_per_comparison: Option<usize>,
    /// The column of weights; it becomes `weight`.
    #[arg(long, value_name = "COLUMN")]
    pub(crate) weight: Option<String>,
    /// A column that is carried along; several times.
    #[arg(long, value_name = "COLUMN")]
    pub(crate) carry: Vec<String>,
    /// At most so many rows: the first.
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<u64>,
    /// The name of the dataset in dataset_info.json.
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// The file; .jsonl, also .gz or .zst.
    #[arg(long, short, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Write nothing: show what a model will see of the first N rows.
    #[arg(long, value_name = "N")]
    pub(crate) preview: Option<usize>,
    /// Whose tokens and chat template: a model's folder, or embedded/NAME.
    #[arg(long, value_name = "MODEL")]
    pub(crate) tokenizer: Option<String>,
    /// The length to which the preview is cut, in tokens.
    #[arg(long, value_name = "TOKENS")]
    pub(crate) max_length: Option<usize>,
    /// Which end stays: keep_start or keep_end.
    #[arg(long, default_value = "keep_start", value_parser = named(TruncationMode::from_id))]
    pub(crate) truncation: TruncationMode,
    /// The root of all chance.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Print one JSON document.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Parses what has a name.
fn named<T: Clone + Send + Sync + 'static>(
    of: fn(&str) -> Option<T>,
) -> impl Fn(&str) -> Result<T, String> + Clone {
    move |text| {
        of(text).ok_or_else(|| "there is nothing of that name; --help lists them".to_owned())
    }
}

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  polyculture dataset publish ca.parquet --out hub --declaration publish.toml --key pseudonyms.key
  polyculture dataset publish train=splits/train.jsonl test=splits/test.jsonl --out hub
  polyculture dataset publish ca.parquet --out hub --push OWNER/NAME")]
pub(crate) struct DatasetPublishArgs {
    #[command(flatten)]
    pub(crate) source: SourceArgs,
    /// The folder.
    #[arg(long, short, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// Which columns are public, and what is said of the dataset, in a TOML file.
    #[arg(long, value_name = "FILE")]
    pub(crate) declaration: Option<PathBuf>,
    /// The key of pseudonyms, in a file of mode 600; without it POLYCULTURE_PSEUDONYM_KEY, or one for this time.
    #[arg(long, value_name = "FILE")]
    pub(crate) key: Option<PathBuf>,
    /// Replace what was published to the folder before.
    #[arg(long)]
    pub(crate) force: bool,
    /// Upload the folder to this dataset of the Hugging Face Hub, with HF_TOKEN.
    #[arg(long, value_name = "OWNER/NAME")]
    pub(crate) push: Option<String>,
    /// Upload so that everybody can see it; without this, only you can.
    #[arg(long, requires = "push")]
    pub(crate) public: bool,
    /// Print one JSON document.
    #[arg(long)]
    pub(crate) json: bool,
}
