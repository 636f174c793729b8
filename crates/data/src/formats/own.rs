//! Files of no known format, by a mapping that says what their columns mean.

mod columns;
mod names;

use self::columns::{Cells, Column, Got};
use self::names::Names;
use super::fields::{emit, letter, made_id, mismatch, number, text, turn};
use super::transcript::{cleaned, prompt_of};
use super::trl::{Pair, Side};
use super::{ColumnRole, ExtraColumn, FormatError, Output, Parser, Record, Source, clean, ranking};
use crate::choice_rule::ChoiceRule;
use crate::comparison::{Candidate, Choice, Comparison, Message, Role};
use crate::finding::Rule;
use crate::mapping::{CandidateList, ChoiceColumn, ChoiceNames};
use serde_json::Value;
use std::borrow::Cow;
use std::cell::RefCell;

pub(super) fn parser(source: &Source<'_>) -> Result<Box<dyn Parser>, FormatError> {
    let mapping = source.options.mapping.clone().ok_or(FormatError::NoMapping)?;
    let sample = source.sample;
    let used = RefCell::new(Vec::new());
    let required = |name: &String| {
        used.borrow_mut().push(name.clone());
        Column::new(name, sample).ok_or_else(|| FormatError::Column(name.clone()))
    };
    let optional = |name: &Option<String>| name.as_ref().map(required).transpose();
    let prompt = optional(&mapping.prompt)?;
    let system = optional(&mapping.system)?;
    let history = optional(&mapping.history)?;
    let explanation = optional(&mapping.explanation)?;
    let annotator = optional(&mapping.annotator)?;
    let language = optional(&mapping.language)?;
    let conversation = optional(&mapping.conversation)?;
    let turn = optional(&mapping.turn)?;
    let mut candidates = Vec::new();
    for columns in &mapping.candidates {
        candidates.push(OneCandidate {
            id: columns.id().to_owned(),
            model: optional(&columns.model)?,
            source: optional(&columns.source)?,
            score: optional(&columns.score)?,
            rank: optional(&columns.rank)?,
            text: required(&columns.text)?,
        });
    }
    let list = mapping.candidate_list.clone();
    let list = list.map(|keys| Ok((required(&keys.column)?, keys))).transpose()?;
    let pair = mapping.pair.as_ref();
    let pair = pair.map(|p| Ok([required(&p.chosen)?, required(&p.rejected)?])).transpose()?;
    let choice = mapping.choice.clone();
    let choice = choice.map(|c| Ok((required(&c.column)?, c))).transpose()?;
    let ranked = mapping.ranking.as_ref();
    let ranking = ranked.map(|r| Ok((required(&r.column)?, r.names))).transpose()?;

    let used = used.into_inner();
    let mut extra = Vec::new();
    for name in &sample.columns {
        let role = mapping.extra.get(name).copied();
        let is_other = role.is_none() && !used.contains(name) && !mapping.drop_other;
        if let Some(role) = role.or_else(|| is_other.then(|| ColumnRole::guess(name))) {
            extra.push((name.clone(), role));
        }
    }
    let nested = mapping.extra.iter().filter(|(name, _)| !sample.has(name));
    extra.extend(nested.map(|(name, role)| (name.clone(), *role)));
    let extra_columns =
        extra.iter().map(|(name, role)| ExtraColumn { name: name.clone(), role: *role }).collect();
    let extra = extra.iter().map(|(name, _)| {
        Column::new(name, sample).ok_or_else(|| FormatError::Column(name.clone()))
    });
    let extra = extra.collect::<Result<_, _>>()?;
    let rule = source.options.choice_rule;
    Ok(Box::new(Own {
        prompt,
        system,
        history,
        candidates,
        list,
        pair,
        choice,
        ranking,
        explanation,
        annotator,
        language,
        conversation,
        turn,
        extra,
        extra_columns,
        first_turn: mapping.first_turn.unwrap_or(1),
        rule,
    }))
}

struct Own {
    prompt: Option<Column>,
    system: Option<Column>,
    history: Option<Column>,
    candidates: Vec<OneCandidate>,
    list: Option<(Column, CandidateList)>,
    pair: Option<[Column; 2]>,
    choice: Option<(Column, ChoiceColumn)>,
    ranking: Option<(Column, ChoiceNames)>,
    explanation: Option<Column>,
    annotator: Option<Column>,
    language: Option<Column>,
    conversation: Option<Column>,
    turn: Option<Column>,
    extra: Vec<Column>,
    extra_columns: Vec<ExtraColumn>,
    first_turn: u32,
    rule: ChoiceRule,
}

struct OneCandidate {
    id: String,
    text: Column,
    model: Option<Column>,
    source: Option<Column>,
    score: Option<Column>,
    rank: Option<Column>,
}

/// Candidates with their ranks, where the file has them.
#[derive(Default)]
struct Shown<'r> {
    candidates: Vec<Candidate<'r>>,
    ranks: Vec<Option<f64>>,
}

impl Parser for Own {
    fn extra_columns(&self) -> &[ExtraColumn] {
        &self.extra_columns
    }

    fn parse(&self, record: Record<'_, '_>, line: u64, out: &mut Output<'_>) {
        let cells = Cells { record, line };
        let text =
            |column: &Option<Column>, out: &mut Output<'_>| cells.text(column.as_ref()?, out);
        let prompt_got = self.prompt.as_ref().and_then(|c| Some((c, cells.said(c, out)?)));
        let history_got = self.history.as_ref().and_then(|c| Some((c, cells.said(c, out)?)));
        let list_got = self.list.as_ref().and_then(|(c, keys)| Some((keys, cells.get(c, out)?)));
        let pair_got = self.pair.as_ref().map(|pair| pair.each_ref().map(|c| cells.said(c, out)));

        let mut history: Vec<Message<'_>> = Vec::new();
        history.extend(text(&self.system, out).map(|text| Message { role: Role::System, text }));
        if let Some((column, got)) = &history_got {
            history.extend(got.messages(line, &column.name, out));
        }
        let mut prompt_side = Side::Nothing;
        if let Some((column, got)) = &prompt_got {
            prompt_side = got.side(line, &column.name, out);
        }
        let (shown, prompt) = if let (Some(columns), Some(got)) = (&self.pair, &pair_got) {
            let names = columns.each_ref().map(|c| c.name.as_str());
            let mut sides = [Side::Nothing, Side::Nothing];
            for ((side, got), name) in sides.iter_mut().zip(got).zip(names) {
                if let Some(got) = got {
                    *side = got.side(line, name, out);
                }
            }
            let pair = Pair::new(prompt_side, sides, names, line, out);
            history.extend(pair.history);
            let answers = pair.answers.into_iter().zip(["chosen", "rejected"]).zip(names);
            let candidates = answers
                .map(|((answer, id), name)| Candidate::new(id, cleaned(answer, line, name, out)));
            (Shown { candidates: candidates.collect(), ranks: Vec::new() }, pair.prompt)
        } else {
            let (before, prompt) = prompt_of(prompt_side.messages(Role::User));
            history.extend(before);
            let shown = match &list_got {
                Some((keys, got)) => listed(keys, got, line, out),
                None => self.columns(cells, out),
            };
            (shown, prompt)
        };
        let Shown { candidates, ranks } = shown;
        let (choice, is_said) = self.choose(cells, &candidates, &ranks, out);
        let annotator_id = self.annotator.as_ref().and_then(|c| cells.id(c, out));
        let conversation_id = self.conversation.as_ref().and_then(|c| cells.id(c, out));
        if let (None, Some(column)) = (&conversation_id, &self.conversation) {
            out.find(Rule::UnreadableRecord, line, &column.name, "no id");
            return;
        }
        let conversation_id = conversation_id
            .unwrap_or_else(|| Cow::Owned(made_id(line, &history, &prompt, &candidates)));
        let turn = self.turn(cells, out).unwrap_or_else(|| turn(&history));
        let comparison = Comparison {
            conversation_id,
            turn,
            history,
            prompt,
            candidates,
            choice,
            explanation: text(&self.explanation, out),
            annotator_id,
            language: text(&self.language, out),
            extra: self.extra.iter().map(|c| cells.raw(c, out)).collect(),
            line,
        };
        let prompt_column = self.prompt.as_ref().map_or("", |c| &c.name);
        emit(&comparison, prompt_column, (!is_said).then(|| self.choice_column()), out);
    }
}

impl Own {
    fn choice_column(&self) -> &str {
        let choice = self.choice.as_ref().map(|(column, _)| column);
        let ranking = self.ranking.as_ref().map(|(column, _)| column);
        choice.or(ranking).map_or("", |column| &column.name)
    }

    fn turn(&self, cells: Cells<'_>, out: &mut Output<'_>) -> Option<u32> {
        let column = self.turn.as_ref()?;
        let got = cells.get(column, out)?;
        let number = got.number(cells.line, &column.name, out)?;
        let turn = number + 1.0 - f64::from(self.first_turn);
        if turn < 1.0 || turn > f64::from(u32::MAX) || turn.fract() != 0.0 {
            let what = format!("{number}, where the number of a turn belongs");
            out.find(Rule::TypeMismatch, cells.line, &column.name, &what);
            return None;
        }
        Some(turn as u32)
    }

    fn columns<'r>(&'r self, cells: Cells<'r>, out: &mut Output<'_>) -> Shown<'r> {
        let mut shown = Shown::default();
        for one in &self.candidates {
            let text =
                |column: &Option<Column>, out: &mut Output<'_>| cells.text(column.as_ref()?, out);
            let number = |column: &Option<Column>, out: &mut Output<'_>| {
                let column = column.as_ref()?;
                cells.get(column, out)?.number(cells.line, &column.name, out)
            };
            shown.candidates.push(Candidate {
                id: Cow::Borrowed(&one.id),
                text: cells.text(&one.text, out),
                source: text(&one.source, out),
                model: text(&one.model, out),
                score: number(&one.score, out),
            });
            shown.ranks.push(number(&one.rank, out));
        }
        shown
    }

    /// The choice, and whether it was said already why there is none.
    fn choose(
        &self,
        cells: Cells<'_>,
        candidates: &[Candidate<'_>],
        ranks: &[Option<f64>],
        out: &mut Output<'_>,
    ) -> (Choice, bool) {
        if self.pair.is_some() {
            return (Choice::One(0), false);
        }
        let scores: Vec<Option<f64>> = candidates.iter().map(|c| c.score).collect();
        let by_scores = self.rule != ChoiceRule::Marked && scores.iter().any(Option::is_some);
        if by_scores {
            return (self.rule.choose(&scores, &[]), false);
        }
        let columns = || self.candidates.iter().map(|c| c.text.name.as_str()).collect();
        let names = |column, names| Names { columns: columns(), column, names, candidates };
        if let Some((column, how)) = &self.choice {
            return names(column, how.names).chosen(how, cells, out);
        }
        if let Some((column, how)) = &self.ranking {
            return names(column, *how).ranking(cells, out);
        }
        if ranks.iter().any(Option::is_some) {
            return (ranking::of_ranks(ranks), false);
        }
        (self.rule.choose(&scores, &[]), false)
    }
}

/// The candidates of one column.
fn listed<'r>(
    keys: &'r CandidateList,
    got: &'r Got<'_>,
    line: u64,
    out: &mut Output<'_>,
) -> Shown<'r> {
    let mut shown = Shown::default();
    let column = keys.column.as_str();
    let value = match got {
        Got::Json(value) => value.as_ref(),
        Got::Text(_) => {
            out.find(
                Rule::TypeMismatch,
                line,
                column,
                "a text, where a list of candidates belongs",
            );
            return shown;
        }
    };
    let items: Vec<(Cow<'r, str>, &'r Value)> = match value {
        Value::Array(items) => items.iter().enumerate().map(|(i, v)| (letter(i), v)).collect(),
        Value::Object(items) => {
            items.iter().map(|(id, v)| (Cow::Borrowed(id.as_str()), v)).collect()
        }
        other => {
            mismatch(other, "a list of candidates", line, column, out);
            return shown;
        }
    };
    for (id, item) in items {
        let Value::Object(object) = item else {
            shown.candidates.push(Candidate::new(id, text(item, line, column, out)));
            shown.ranks.push(None);
            continue;
        };
        let said = |key: &Option<String>, out: &mut Output<'_>| {
            text(object.get(key.as_ref()?)?, line, column, out)
        };
        let count = |key: &Option<String>, out: &mut Output<'_>| {
            number(object.get(key.as_ref()?)?, line, column, out)
        };
        shown.candidates.push(Candidate {
            id: said(&keys.id, out).unwrap_or(id),
            text: object.get(&keys.text).and_then(|value| text(value, line, column, out)),
            source: said(&keys.source, out),
            model: said(&keys.model, out),
            score: count(&keys.score, out),
        });
        shown.ranks.push(count(&keys.rank, out));
    }
    shown
}

#[cfg(test)]
mod tests;
