//! Respondents who may not have read: too fast, or one place throughout. Ours: simple rules that a reader can check, with their
//! thresholds in study.toml; whether such answers count is the analyst's choice, and they are counted either way.

use super::table::SurveyTable;
use crate::config::CarelessSection;

/// The fewest answers with a known place that straight-lining is told from.
const FEWEST: usize = 10;

/// What was seen of one respondent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Flags {
    /// Half of the answers took less than the least number of seconds. Nothing where no times are known.
    pub too_fast: Option<bool>,
    /// Nearly all choices fell on one place. Nothing where too few places are known.
    pub one_place: Option<bool>,
}

impl Flags {
    /// Whether any rule speaks against the respondent.
    #[must_use]
    pub fn any(self) -> bool {
        self.too_fast == Some(true) || self.one_place == Some(true)
    }
}

/// What is seen of each respondent.
#[must_use]
pub fn flags(table: &SurveyTable, settings: &CarelessSection) -> Vec<Flags> {
    (0..table.respondents.len()).map(|respondent| of(table, respondent, settings)).collect()
}

fn of(table: &SurveyTable, respondent: usize, settings: &CarelessSection) -> Flags {
    let choices = table.choices(respondent);
    let mut seconds: Vec<f32> = choices.iter().filter_map(|choice| choice.seconds).collect();
    seconds.sort_by(f32::total_cmp);
    let median = seconds.get(seconds.len() / 2);
    let mut counts = [0usize; 16];
    for (place, _) in choices.iter().filter_map(|choice| choice.place) {
        counts[usize::from(place).min(15)] += 1;
    }
    let n: usize = counts.iter().sum();
    let most = counts.iter().max().copied().unwrap_or(0);
    Flags {
        too_fast: median.map(|median| f64::from(*median) < settings.seconds),
        one_place: (n >= FEWEST).then_some(most as f64 >= settings.one_place * n as f64),
    }
}
