//! The one shape as Arrow: the columns of a table of comparisons, version 1, and how they are filled.
//!
//! Three kinds of columns stand beside each other: what was read (`conversation_id` to `line`), what
//! follows from it (identities, counts of words), and whatever came along. Statistics read only the narrow ones.

use crate::comparison::Comparison;
use crate::facts::{Facts, Scratch};
use crate::formats::{ColumnRole, ExtraColumn};
use datafusion::arrow::array::{
    ArrayBuilder, ArrayRef, BooleanBuilder, Float64Builder, ListArray, RecordBatch, StringBuilder,
    StructArray, UInt32Builder, UInt64Builder,
};
use datafusion::arrow::buffer::OffsetBuffer;
use datafusion::arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef};
use std::collections::HashMap;
use std::sync::Arc;

/// The name and version of the shape, in files.
pub const FORMAT: &str = "polyculture.comparisons/1";
/// The key under which it stands in the metadata of Parquet files.
pub const FORMAT_KEY: &str = "polyculture.format";
/// The key of a column's role in the metadata of its field.
const ROLE_KEY: &str = "polyculture.role";

/// The columns that every table has, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the descriptions stand beside the names below")]
pub enum Column {
    ConversationId,
    Turn,
    History,
    Prompt,
    Candidates,
    Choice,
    Chosen,
    Explanation,
    AnnotatorId,
    Language,
    Line,
    BeginsRecord,
    ConversationHash,
    PromptHash,
    ComparisonHash,
    NCandidates,
    NTexts,
    ChosenIdx,
    PromptWords,
    CandidateWords,
    ChosenWords,
    RejectedWords,
    NRejected,
    ChosenIsLongest,
    ChosenIsShortest,
    ExplanationWords,
}

use Column as C;

/// Columns, their names, and what they say.
pub const COLUMNS: [(Column, &str, &str); 26] = [
    (C::ConversationId, "conversation_id", "The conversation that the comparison is part of."),
    (C::Turn, "turn", "Its place in the conversation, from 1."),
    (C::History, "history", "What was said before, along the path of the chosen answers."),
    (C::Prompt, "prompt", "The message that the candidates answer."),
    (C::Candidates, "candidates", "The answers, in the order in which the source has them."),
    (C::Choice, "choice", "The kind of choice: none, one, several, ranking, tie, scores."),
    (C::Chosen, "chosen", "Ids of what was chosen, best first where there is an order."),
    (C::Explanation, "explanation", "Why, in the words of who chose."),
    (C::AnnotatorId, "annotator_id", "Who chose."),
    (C::Language, "language", "The language of the conversation, as the source names it."),
    (C::Line, "line", "The line or row of the source on which the record begins, from 1."),
    (C::BeginsRecord, "begins_record", "Whether it is the first comparison of its record."),
    (C::ConversationHash, "conversation_hash", "XXH3 of the conversation's id."),
    (C::PromptHash, "prompt_hash", "XXH3 of the prompt, lower-cased, white space folded."),
    (
        C::ComparisonHash,
        "comparison_hash",
        "XXH3 of the prompt and all candidates, lower-cased, white space folded.",
    ),
    (C::NCandidates, "n_candidates", "Candidates."),
    (C::NTexts, "n_texts", "Candidates that have a text."),
    (C::ChosenIdx, "chosen_idx", "Position of the one that was preferred to all others, from 0."),
    (C::PromptWords, "prompt_words", "Words of the prompt: runs of what is no white space."),
    (C::CandidateWords, "candidate_words", "Words of each candidate."),
    (C::ChosenWords, "chosen_words", "Words of the preferred candidate."),
    (C::RejectedWords, "rejected_words", "Words of all other candidates together."),
    (C::NRejected, "n_rejected", "How many others have a text, where one was preferred."),
    (C::ChosenIsLongest, "chosen_is_longest", "Whether no candidate has more words."),
    (C::ChosenIsShortest, "chosen_is_shortest", "Whether no candidate has fewer words."),
    (C::ExplanationWords, "explanation_words", "Words of the explanation."),
];

impl Column {
    /// The name of the column.
    #[must_use]
    pub fn name(self) -> &'static str {
        COLUMNS[self as usize].1
    }

    /// Whether the column is narrow: no text of people or models.
    #[must_use]
    pub fn is_narrow(self) -> bool {
        !matches!(self, C::History | C::Prompt | C::Candidates | C::Explanation)
    }

    fn data_type(self) -> DataType {
        let list = |item: DataType, nullable| {
            DataType::List(Arc::new(Field::new_list_field(item, nullable)))
        };
        match self {
            C::ConversationId | C::Prompt | C::Choice => DataType::Utf8,
            C::Explanation | C::AnnotatorId | C::Language => DataType::Utf8,
            C::Turn | C::NCandidates | C::NTexts | C::ChosenIdx | C::PromptWords => {
                DataType::UInt32
            }
            C::ChosenWords | C::RejectedWords | C::NRejected | C::ExplanationWords => {
                DataType::UInt32
            }
            C::Line | C::ConversationHash | C::PromptHash | C::ComparisonHash => DataType::UInt64,
            C::BeginsRecord | C::ChosenIsLongest | C::ChosenIsShortest => DataType::Boolean,
            C::History => list(DataType::Struct(message_fields()), false),
            C::Candidates => list(DataType::Struct(candidate_fields()), false),
            C::Chosen => list(DataType::Utf8, false),
            C::CandidateWords => list(DataType::UInt32, true),
        }
    }

    fn is_nullable(self) -> bool {
        matches!(
            self,
            C::Explanation
                | C::AnnotatorId
                | C::Language
                | C::PromptHash
                | C::ChosenIdx
                | C::ChosenWords
                | C::RejectedWords
                | C::NRejected
                | C::ChosenIsLongest
                | C::ChosenIsShortest
                | C::ExplanationWords
        )
    }
}

fn message_fields() -> Fields {
    Fields::from(vec![
        Field::new("role", DataType::Utf8, false),
        Field::new("content", DataType::Utf8, false),
    ])
}

fn candidate_fields() -> Fields {
    Fields::from(vec![
        Field::new("id", DataType::Utf8, false),
        Field::new("text", DataType::Utf8, true),
        Field::new("source", DataType::Utf8, true),
        Field::new("model", DataType::Utf8, true),
        Field::new("score", DataType::Float64, true),
    ])
}

/// The name of a column that came along, in the table: its own, unless a column of the shape has it.
#[must_use]
pub fn extra_name(name: &str) -> String {
    let taken = COLUMNS.iter().any(|(_, known, _)| *known == name);
    if taken { format!("extra_{name}") } else { name.to_owned() }
}

/// The schema of a table whose comparisons have these extra columns.
#[must_use]
pub fn schema(extra: &[ExtraColumn]) -> SchemaRef {
    let own = COLUMNS.iter().map(|(column, name, description)| {
        let metadata = HashMap::from([("description".to_owned(), (*description).to_owned())]);
        Field::new(*name, column.data_type(), column.is_nullable()).with_metadata(metadata)
    });
    let extra = extra.iter().map(|column| {
        let metadata = HashMap::from([(ROLE_KEY.to_owned(), column.role.id().to_owned())]);
        Field::new(extra_name(&column.name), DataType::Utf8, true).with_metadata(metadata)
    });
    let metadata = HashMap::from([(FORMAT_KEY.to_owned(), FORMAT.to_owned())]);
    Arc::new(Schema::new_with_metadata(own.chain(extra).collect::<Vec<_>>(), metadata))
}

/// The extra columns of a table, from its schema.
#[must_use]
pub fn extra_columns(schema: &Schema) -> Vec<ExtraColumn> {
    let is_own = |name: &String| COLUMNS.iter().any(|(_, known, _)| known == name);
    let fields = schema.fields().iter().filter(|field| !is_own(field.name()));
    let column = |field: &Arc<Field>| {
        let role = field.metadata().get(ROLE_KEY).and_then(|id| ColumnRole::from_id(id));
        let name = field.name().clone();
        ExtraColumn { role: role.unwrap_or_else(|| ColumnRole::guess(&name)), name }
    };
    fields.map(column).collect()
}

/// Fills tables with comparisons: only the columns that are asked for are made.
pub(crate) struct Builder {
    /// The schema of what is made.
    schema: SchemaRef,
    /// What to make, in order: a column of the shape, or an extra one by its place.
    wanted: Vec<Result<Column, usize>>,
    wants: [bool; COLUMNS.len()],
    builders: Vec<ColumnBuilder>,
    scratch: Scratch,
    last_line: u64,
    n_rows: usize,
}

impl Builder {
    /// A builder of the columns at `projection` of the schema of a table with these extra columns.
    pub(crate) fn new(full: &SchemaRef, projection: &[usize]) -> Self {
        let schema = Arc::new(full.project(projection).expect("the columns are there"));
        let wanted: Vec<_> = projection
            .iter()
            .map(|i| COLUMNS.get(*i).map(|(column, ..)| *column).ok_or(*i - COLUMNS.len().min(*i)))
            .collect();
        let mut wants = [false; COLUMNS.len()];
        for column in wanted.iter().filter_map(|w| w.as_ref().ok()) {
            wants[*column as usize] = true;
        }
        let builders = schema.fields().iter().map(|f| ColumnBuilder::new(f.data_type())).collect();
        Self {
            schema,
            wanted,
            wants,
            builders,
            scratch: Scratch::default(),
            last_line: 0,
            n_rows: 0,
        }
    }

    fn wants(&self, columns: &[Column]) -> bool {
        columns.iter().any(|column| self.wants[*column as usize])
    }

    /// Adds a comparison. Comparisons of a record must come one after the other.
    pub(crate) fn push(&mut self, comparison: &Comparison<'_>) {
        let identities = self.wants(&[C::PromptHash, C::ComparisonHash]);
        let words = self.wants(&[
            C::PromptWords,
            C::CandidateWords,
            C::ChosenWords,
            C::RejectedWords,
            C::NRejected,
            C::ChosenIsLongest,
            C::ChosenIsShortest,
        ]);
        let facts = if identities || words {
            Facts::of(comparison, &mut self.scratch)
        } else {
            Facts::default()
        };
        let begins = self.last_line != comparison.line;
        self.last_line = comparison.line;
        self.n_rows += 1;
        for (builder, wanted) in self.builders.iter_mut().zip(&self.wanted) {
            match wanted {
                Err(extra) => builder.text(comparison.extra.get(*extra).and_then(Option::as_deref)),
                Ok(column) => builder.push(*column, comparison, &facts, &self.scratch, begins),
            }
        }
    }

    /// Rows so far.
    pub(crate) fn len(&self) -> usize {
        self.n_rows
    }

    /// The table so far; the builder is empty afterwards.
    pub(crate) fn finish(&mut self) -> RecordBatch {
        let arrays: Vec<ArrayRef> = self
            .builders
            .iter_mut()
            .zip(self.schema.fields())
            .map(|(builder, field)| builder.finish(field.data_type()))
            .collect();
        let options = datafusion::arrow::array::RecordBatchOptions::new()
            .with_row_count(Some(std::mem::take(&mut self.n_rows)));
        RecordBatch::try_new_with_options(Arc::clone(&self.schema), arrays, &options)
            .expect("the builders follow the schema")
    }
}

enum ColumnBuilder {
    Text(StringBuilder),
    U32(UInt32Builder),
    U64(UInt64Builder),
    Bool(BooleanBuilder),
    Texts(Vec<i32>, StringBuilder),
    U32s(Vec<i32>, UInt32Builder),
    Messages(Vec<i32>, [StringBuilder; 2]),
    Candidates(Vec<i32>, Box<[StringBuilder; 4]>, Float64Builder),
}

impl ColumnBuilder {
    fn new(data_type: &DataType) -> Self {
        match data_type {
            DataType::UInt32 => Self::U32(UInt32Builder::new()),
            DataType::UInt64 => Self::U64(UInt64Builder::new()),
            DataType::Boolean => Self::Bool(BooleanBuilder::new()),
            DataType::List(item) => match item.data_type() {
                DataType::UInt32 => Self::U32s(vec![0], UInt32Builder::new()),
                DataType::Struct(fields) if fields.len() == 2 => {
                    Self::Messages(vec![0], Default::default())
                }
                DataType::Struct(_) => {
                    Self::Candidates(vec![0], Default::default(), Float64Builder::new())
                }
                _ => Self::Texts(vec![0], StringBuilder::new()),
            },
            _ => Self::Text(StringBuilder::new()),
        }
    }

    fn text(&mut self, value: Option<&str>) {
        if let Self::Text(builder) = self {
            builder.append_option(value);
        }
    }

    fn u32(&mut self, value: Option<u32>) {
        if let Self::U32(builder) = self {
            builder.append_option(value);
        }
    }

    fn u64(&mut self, value: Option<u64>) {
        if let Self::U64(builder) = self {
            builder.append_option(value);
        }
    }

    fn bool(&mut self, value: Option<bool>) {
        if let Self::Bool(builder) = self {
            builder.append_option(value);
        }
    }

    fn push(
        &mut self,
        column: Column,
        comparison: &Comparison<'_>,
        facts: &Facts,
        scratch: &Scratch,
        begins: bool,
    ) {
        match column {
            C::ConversationId => self.text(Some(&comparison.conversation_id)),
            C::Turn => self.u32(Some(comparison.turn)),
            C::Prompt => self.text(Some(&comparison.prompt)),
            C::Choice => self.text(Some(comparison.choice.kind())),
            C::Explanation => self.text(comparison.explanation.as_deref()),
            C::AnnotatorId => self.text(comparison.annotator_id.as_deref()),
            C::Language => self.text(comparison.language.as_deref()),
            C::Line => self.u64(Some(comparison.line)),
            C::BeginsRecord => self.bool(Some(begins)),
            C::ConversationHash => self.u64(Some(crate::facts::hash(&comparison.conversation_id))),
            C::PromptHash => self.u64(facts.prompt_hash),
            C::ComparisonHash => self.u64(Some(facts.comparison_hash)),
            C::NCandidates => self.u32(Some(comparison.candidates.len() as u32)),
            C::NTexts => {
                let n = comparison.candidates.iter().filter(|c| c.text.is_some()).count();
                self.u32(Some(n as u32));
            }
            C::ChosenIdx => self.u32(comparison.choice.best().map(|best| best as u32)),
            C::PromptWords => self.u32(Some(facts.prompt_words)),
            C::ChosenWords => self.u32(facts.chosen_words),
            C::RejectedWords => self.u32(facts.rejected_words),
            C::NRejected => self.u32(facts.n_rejected),
            C::ChosenIsLongest => self.bool(facts.chosen_is_longest),
            C::ChosenIsShortest => self.bool(facts.chosen_is_shortest),
            C::ExplanationWords => {
                let words = |text: &str| crate::identity::words(text);
                self.u32(comparison.explanation.as_deref().map(words));
            }
            C::History => {
                if let Self::Messages(offsets, [roles, contents]) = self {
                    for message in &comparison.history {
                        roles.append_value(message.role.as_str());
                        contents.append_value(&message.text);
                    }
                    offsets.push(roles.len() as i32);
                }
            }
            C::Candidates => {
                if let Self::Candidates(offsets, columns, scores) = self {
                    let [ids, texts, sources, models] = columns.as_mut();
                    for candidate in &comparison.candidates {
                        ids.append_value(&candidate.id);
                        texts.append_option(candidate.text.as_deref());
                        sources.append_option(candidate.source.as_deref());
                        models.append_option(candidate.model.as_deref());
                        scores.append_option(candidate.score);
                    }
                    offsets.push(ids.len() as i32);
                }
            }
            C::Chosen => {
                if let Self::Texts(offsets, ids) = self {
                    for chosen in comparison.choice.chosen() {
                        ids.append_value(&comparison.candidates[*chosen].id);
                    }
                    offsets.push(ids.len() as i32);
                }
            }
            C::CandidateWords => {
                if let Self::U32s(offsets, words) = self {
                    for (n, candidate) in scratch.words.iter().zip(&comparison.candidates) {
                        words.append_option(candidate.text.is_some().then_some(*n));
                    }
                    offsets.push(words.len() as i32);
                }
            }
        }
    }

    fn finish(&mut self, data_type: &DataType) -> ArrayRef {
        let list = |offsets: &mut Vec<i32>, values: ArrayRef| -> ArrayRef {
            let DataType::List(item) = data_type else { unreachable!("made for a list") };
            let offsets = OffsetBuffer::new(std::mem::replace(offsets, vec![0]).into());
            Arc::new(ListArray::new(Arc::clone(item), offsets, values, None))
        };
        match self {
            Self::Text(builder) => Arc::new(builder.finish()),
            Self::U32(builder) => Arc::new(builder.finish()),
            Self::U64(builder) => Arc::new(builder.finish()),
            Self::Bool(builder) => Arc::new(builder.finish()),
            Self::Texts(offsets, builder) => list(offsets, Arc::new(builder.finish())),
            Self::U32s(offsets, builder) => list(offsets, Arc::new(builder.finish())),
            Self::Messages(offsets, builders) => {
                let arrays = builders.each_mut().map(|b| Arc::new(b.finish()) as ArrayRef);
                let fields = message_fields();
                list(offsets, Arc::new(StructArray::new(fields, arrays.to_vec(), None)))
            }
            Self::Candidates(offsets, texts, scores) => {
                let mut arrays: Vec<ArrayRef> =
                    texts.iter_mut().map(|b| Arc::new(b.finish()) as ArrayRef).collect();
                arrays.push(Arc::new(scores.finish()));
                let fields = candidate_fields();
                list(offsets, Arc::new(StructArray::new(fields, arrays, None)))
            }
        }
    }
}
